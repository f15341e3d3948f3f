//go:build unix

package process

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Records of trees on a shelf are found by the next owner while they run, and by
// nobody when they have ended; few files serve many trees.
func TestShelf(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "rec")
	shelf := NewShelf(dir)
	held := func() (n int) {
		files, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.LessOrEqual(t, len(files), 5)
		for _, f := range files {
			info, err := f.Info()
			require.NoError(t, err)
			if info.Size() > 0 {
				n++
			}
		}
		return n
	}
	long, err := Start(Spec{ID: "long", Path: "/bin/sh", Args: []string{"-c", "sleep 600"}, Env: os.Environ(), Record: dir, Shelf: shelf})
	require.NoError(t, err)
	for range 10 {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				p, err := Start(Spec{ID: fmt.Sprint("short", i), Path: "/bin/sh", Args: []string{"-c", "exit 3"}, Env: os.Environ(), Record: dir, Shelf: shelf})
				require.NoError(t, err)
				require.Equal(t, 3, p.Wait().Code)
			})
		}
		wg.Wait()
		require.Equal(t, 1, held())
	}
	swept, err := Sweep(dir) // as the next owner would
	require.NoError(t, err)
	require.Len(t, swept, 1)
	require.Equal(t, "long", swept[0].ID)
	require.NotZero(t, swept[0].Killed)
	require.Equal(t, "SIGKILL", long.Wait().Signal)
}

func TestShelfIsEmptyWhenClosed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shelf := NewShelf(dir)
	p, err := Start(Spec{ID: "a", Path: "/bin/sh", Args: []string{"-c", "read x"}, Env: os.Environ(), Record: dir, Shelf: shelf})
	require.NoError(t, err)
	require.True(t, p.Wait().Code == 1)
	p, err = Start(Spec{ID: "b", Path: "/bin/sh", Args: []string{"-c", "sleep 600"}, Env: os.Environ(), Record: dir, Shelf: shelf})
	require.NoError(t, err)
	require.NoError(t, shelf.Close())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "what runs is not forgotten")
	p.Terminate(0)
	files, err = os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, files)
}
