package blob_test

import (
	"bytes"
	"crypto/md5"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

func TestLive(t *testing.T) {
	s := open(t)
	f, err := s.Live(t.Context(), account, container, "user_logs/std_log.txt")
	require.NoError(t, err)
	empty, err := s.Stat(t.Context(), account, container, "user_logs/std_log.txt")
	require.NoError(t, err)
	require.Zero(t, empty.Size)
	_, err = io.WriteString(f, "one\n")
	require.NoError(t, err)
	one, err := s.Stat(t.Context(), account, container, "user_logs/std_log.txt")
	require.NoError(t, err)
	require.EqualValues(t, 4, one.Size)
	require.NotEqual(t, empty.ETag, one.ETag)
	require.Equal(t, "one\n", string(read(t, s.Service, "user_logs/std_log.txt")))

	r, err := s.Open(t.Context(), account, container, "user_logs/std_log.txt")
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0], "-test.run", "^TestLiveChild$", "-test.v") // a child writes to it
	cmd.Stdout = f
	require.NoError(t, cmd.Run())
	before, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "one\n", string(before), "a reader sees one state")
	require.NoError(t, r.Close())

	for item, err := range s.List(t.Context(), account, container, "user_logs/") {
		require.NoError(t, err)
		require.Greater(t, item.Size, one.Size)
	}
	require.NoError(t, f.Close())
	require.NoError(t, s.Finish(t.Context(), account, container, "user_logs/std_log.txt"))
	all := read(t, s.Service, "user_logs/std_log.txt")
	require.True(t, bytes.HasPrefix(all, []byte("one\n=== RUN")), string(all))
	done, err := s.Stat(t.Context(), account, container, "user_logs/std_log.txt")
	require.NoError(t, err)
	sum := md5.Sum(all)
	require.Equal(t, sum[:], done.MD5)

	// It goes on where it ended, and finishing again takes that in.
	f, err = s.Live(t.Context(), account, container, "user_logs/std_log.txt")
	require.NoError(t, err)
	_, err = io.WriteString(f, "more\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, s.Finish(t.Context(), account, container, "user_logs/std_log.txt"))
	require.NoError(t, s.Finish(t.Context(), account, container, "user_logs/std_log.txt"))
	require.Equal(t, string(all)+"more\n", string(read(t, s.Service, "user_logs/std_log.txt")))

	_, err = s.Put(t.Context(), account, container, "block", strings.NewReader("x"), nil)
	require.NoError(t, err)
	_, err = s.Live(t.Context(), account, container, "block")
	require.ErrorContains(t, err, "InvalidBlobType")
	require.ErrorContains(t, s.Finish(t.Context(), account, container, "block"), "InvalidBlobType")
	require.ErrorIs(t, s.Finish(t.Context(), account, container, "nosuch"), store.ErrNotFound)
	require.NoError(t, s.Delete(t.Context(), account, container, "user_logs/std_log.txt"))
	s.waitForFiles(t, 0)
}

// TestLiveChild is what TestLive runs as a child.
func TestLiveChild(*testing.T) {}

func TestLiveLeftOver(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	s := openFolder(t, dir, nil)
	require.NoError(t, s.EnsureContainer(t.Context(), account, container))
	f, err := s.Live(t.Context(), account, container, "log")
	require.NoError(t, err)
	_, err = io.WriteString(f, "one\n")
	require.NoError(t, err)
	s.close(t)
	s = openFolder(t, dir, nil)
	defer s.close(t)
	require.Equal(t, "one\n", string(read(t, s.Service, "log")))
	_, err = io.WriteString(f, "by a child that outlived its owner\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "one\n", string(read(t, s.Service, "log")), "fixed")
	require.NoError(t, s.Finish(t.Context(), account, container, "log"))
	require.Contains(t, string(read(t, s.Service, "log")), "outlived")
}
