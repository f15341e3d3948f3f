package blob_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFetchFolder(t *testing.T) {
	s := open(t)
	for _, n := range []string{"f/a", "f/b/c", "f/b/", "fg/x"} {
		_, err := s.Put(t.Context(), account, container, n, bytes.NewReader([]byte(n)), nil)
		require.NoError(t, err)
	}
	dir := t.TempDir()
	n, err := s.FetchFolder(t.Context(), account, container, "f/", dir, 0o600)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	b, err := os.ReadFile(filepath.Join(dir, "b", "c"))
	require.NoError(t, err)
	require.Equal(t, "f/b/c", string(b))
	_, err = s.Put(t.Context(), account, container, "f/../../out", bytes.NewReader(nil), nil)
	require.NoError(t, err)
	_, err = s.FetchFolder(t.Context(), account, container, "f", t.TempDir(), 0o600)
	require.ErrorContains(t, err, "leads out of its folder")
}
