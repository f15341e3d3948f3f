package assets

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnreadableFilesAreNamed(t *testing.T) {
	tree := &Tree{Root: "/src", Files: []File{{Name: "there", Path: os.Args[0]}}}
	_, err := tree.readable()
	require.NoError(t, err)
	for i := range 7 {
		name := "gone" + strconv.Itoa(i)
		tree.Files = append(tree.Files, File{Name: name, Path: filepath.Join(t.TempDir(), name)})
	}
	_, err = tree.readable()
	require.ErrorContains(t, err, "files of /src cannot be read: gone0 (")
	require.ErrorContains(t, err, "), and 2 more; make them readable or add them to .amlignore")
	require.NotContains(t, err.Error(), "gone5")
}

func TestUnreadableFilesAreRefusedBeforeTheUpload(t *testing.T) {
	if runtime.GOOS == "windows" || os.Geteuid() == 0 {
		t.Skip("this user may read every file")
	}
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"a": "1", "secret": "2"})
	secret := filepath.Join(dir, "secret")
	require.NoError(t, os.Chmod(secret, 0))
	_, err := NewDataClient(w.c).Create(t.Context(), &Data{Name: "a", Path: dir}, nil)
	require.ErrorContains(t, err, "path: files of ")
	require.ErrorContains(t, err, "cannot be read: secret (permission denied)")
	require.Len(t, faultsOf(err), 1)
	_, err = NewModelClient(w.c).Create(t.Context(), &Model{Name: "m", Path: secret}, nil)
	require.ErrorContains(t, err, "secret cannot be read: permission denied")
	require.ErrorIs(t, err, fs.ErrPermission)
	_, err = NewCodeClient(w.c).Create(t.Context(), &Code{Path: dir}, nil)
	require.ErrorContains(t, err, "path: files of ")
	require.Empty(t, w.calls)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".amlignore"), []byte("secret\n"), 0o644))
	_, err = NewCodeClient(w.c).Create(t.Context(), &Code{Path: dir}, nil)
	require.NoError(t, err)
}
