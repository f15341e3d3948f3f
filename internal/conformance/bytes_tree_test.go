package conformance

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/azureml-go/azureml/assets"
)

// trees compares hashes with their floors, and a folder with a large ignored part
// with the reference.
func (m *moving) trees(t *testing.T) {
	t.Run("hash", m.hash)
	t.Run("ignored", m.ignored)
}

// hash measures an upload's reading: the hash of a folder that was never seen, and of
// one that was, through the client that remembers.
func (m *moving) hash(t *testing.T) {
	n := m.size(20000, 2000)
	ws := overHTTP(t, localServer(t), nil)
	dir := tree(t, n, 1<<10)
	old := time.Now().Add(-time.Hour) // what is younger than two seconds is read again
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(p, old, old))
	}))
	require.NoError(t, readAll(dir)) // the pages are in memory for all
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, p)
		}
		return err
	}))
	cold, floor := 1e9, 1e9
	for range 3 {
		floor = min(floor, seconds(func() { require.NoError(t, readFiles(files)) }))
		cold = min(cold, seconds(func() {
			tr, err := assets.Walk(t.Context(), dir, nil)
			require.NoError(t, err)
			_, err = tr.ObjectHash(t.Context())
			require.NoError(t, err)
		}))
	}
	m.found(t, ratio{what: fmt.Sprintf("hash %d files of 1 KiB, cold", n), unit: "s", ours: cold, other: floor, than: "reading in parallel and hashing", within: 1.3})
	// Warm is what a second upload does before it asks the service.
	_, err := ws.Datastores.Upload(t.Context(), dir, nil)
	require.NoError(t, err)
	warm, bare := 1e9, 1e9
	for range 15 { // they take a twentieth of a second: what else the machine does must not hit all of one
		bare = min(bare, seconds(func() { require.NoError(t, lstatAll(dir)) }))
		var begun, hashed time.Time
		begun = time.Now()
		up, err := ws.Datastores.Upload(t.Context(), dir, &assets.UploadOptions{Progress: func(p assets.Progress) {
			if p.Phase == assets.PhaseHash {
				hashed = time.Now()
			}
		}})
		require.NoError(t, err)
		require.True(t, up.Reused)
		require.False(t, hashed.IsZero())
		warm = min(warm, hashed.Sub(begun).Seconds())
	}
	m.found(t, ratio{what: fmt.Sprintf("hash %d files of 1 KiB, warm", n), unit: "s", ours: warm, other: bare, than: "a walk in parallel with lstat", within: 1.3})
}

// readFiles is the floor of a hash.
func readFiles(files []string) error {
	var g errgroup.Group
	var next atomic.Int64
	for range max(4, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for i := next.Add(1) - 1; i < int64(len(files)); i = next.Add(1) - 1 {
				data, err := os.ReadFile(files[i])
				if err != nil {
					return err
				}
				sha256.Sum256(data)
			}
			return nil
		})
	}
	return g.Wait()
}

func readAll(dir string) error {
	return filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, err = os.ReadFile(p)
		return err
	})
}

// lstatAll is the floor of a hash that is remembered.
func lstatAll(root string) error {
	var g errgroup.Group
	g.SetLimit(max(4, runtime.GOMAXPROCS(0)))
	var walk func(dir string) error
	walk = func(dir string) error {
		list, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range list {
			path := filepath.Join(dir, e.Name())
			if e.IsDir() {
				if !g.TryGo(func() error { return walk(path) }) {
					if err := walk(path); err != nil {
						return err
					}
				}
				continue
			}
			if _, err := os.Lstat(path); err != nil {
				return err
			}
		}
		return nil
	}
	g.Go(func() error { return walk(root) })
	return g.Wait()
}

// ignored is 100 files beside an ignored folder of many.
func (m *moving) ignored(t *testing.T) {
	py := python(t, "azure.ai.ml")
	many := m.size(200000, 5000)
	dir := tree(t, 100, 1<<10)
	for i := range many {
		at := filepath.Join(dir, "data", fmt.Sprint(i/1000))
		if i%1000 == 0 {
			require.NoError(t, os.MkdirAll(at, 0o755))
		}
		require.NoError(t, os.WriteFile(filepath.Join(at, fmt.Sprint(i)), nil, 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".amlignore"), []byte("data/\n"), 0o644))
	plan := best(5, func(int) float64 {
		return seconds(func() {
			tr, err := assets.Walk(t.Context(), dir, nil)
			require.NoError(t, err)
			require.Len(t, tr.Files, 101)
			_, err = tr.ObjectHash(t.Context())
			require.NoError(t, err)
		})
	})
	r := reference(t, py, "tree", map[string]any{"source": dir})
	require.Equal(t, 101, r.Files)
	m.found(t, ratio{what: fmt.Sprintf("hash and plan 100 files beside %d ignored ones", many), unit: "s", ours: plan, other: r.Seconds, than: "azure-ai-ml", faster: 50})
	m.found(t, ratio{what: "the same", unit: "s", ours: plan, other: 0.050, than: "the bound,", within: 1})
}
