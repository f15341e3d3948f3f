package assets

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// floorHash reads the files in parallel and hashes each: no digest of a tree can be faster.
func floorHash(files []File) error {
	var g errgroup.Group
	var next atomic.Int64
	for range max(4, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return nil
				}
				data, err := os.ReadFile(files[i].Path)
				if err != nil {
					return err
				}
				sha256.Sum256(data)
			}
		})
	}
	return g.Wait()
}

// floorWalk is a bare parallel walk with lstat.
func floorWalk(root string) error {
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

// BenchmarkHash holds the hashes of 20,000 files of 1 KiB against their floors, which are measured in turns with them, so that
// what else the machine does counts for both: cold (nothing remembered, the pages in memory) and warm.
func BenchmarkHash(b *testing.B) {
	root := filepath.Join(b.TempDir(), "tree")
	manyFiles(b, root, 20000, 1024)
	require.NoError(b, os.WriteFile(filepath.Join(root, ".amlignore"), []byte("*.log\n__pycache__/\n.git/\nbuild/\n!keep\n"), 0o644))
	old := time.Now().Add(-time.Hour)
	require.NoError(b, filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(p, old, old)
	}))
	tree, err := Walk(b.Context(), root, nil)
	require.NoError(b, err)
	require.NoError(b, floorHash(tree.Files))
	cache := &hashCache{dir: filepath.Join(b.TempDir(), "cache"), log: slog.New(slog.DiscardHandler)}
	for _, c := range []struct {
		name        string
		ours, floor func() error
	}{
		{"cold/content", func() error { _, err := tree.ContentHash(b.Context()); return err }, func() error { return floorHash(tree.Files) }},
		{"cold/object", func() error { _, err := tree.ObjectHash(b.Context()); return err }, func() error { return floorHash(tree.Files) }},
		{"cold/both", func() error { _, _, err := tree.Hashes(b.Context()); return err }, func() error { return floorHash(tree.Files) }},
		{"warm/content", func() error {
			t, err := Walk(b.Context(), root, nil)
			if err == nil {
				_, err = t.hashes(b.Context(), cache, nil, kindContent)
			}
			return err
		}, func() error { return floorWalk(root) }},
		{"warm/object", func() error {
			t, err := Walk(b.Context(), root, nil)
			if err == nil {
				_, err = t.hashes(b.Context(), cache, nil, kindObject)
			}
			return err
		}, func() error { return floorWalk(root) }},
	} {
		b.Run(c.name, func(b *testing.B) { besides(b, c.ours, c.floor) })
	}
}

// besides runs two things in turns and reports how many times longer the first takes.
func besides(b *testing.B, ours, floor func() error) {
	b.Helper()
	require.NoError(b, ours())
	require.NoError(b, floor())
	var mine, least time.Duration
	for b.Loop() {
		start := time.Now()
		require.NoError(b, ours())
		mine += time.Since(start)
		start = time.Now()
		require.NoError(b, floor())
		least += time.Since(start)
	}
	b.ReportMetric(float64(mine)/float64(least), "times-floor")
	b.ReportMetric(float64(mine.Microseconds())/float64(b.N)/1e3, "ours-ms")
	b.ReportMetric(float64(least.Microseconds())/float64(b.N)/1e3, "floor-ms")
}

// BenchmarkIgnoredFolder plans a tree of 100 files beside an ignored folder of 200,000.
func BenchmarkIgnoredFolder(b *testing.B) {
	root := b.TempDir()
	manyFiles(b, filepath.Join(root, "src"), 100, 4096)
	for i := range 2000 {
		dir := filepath.Join(root, "node_modules", fmt.Sprintf("d%04d", i))
		require.NoError(b, os.MkdirAll(dir, 0o755))
		for j := range 100 {
			require.NoError(b, os.Link(filepath.Join(root, "src", "d000", fmt.Sprintf("f%05d.dat", j)), filepath.Join(dir, fmt.Sprintf("f%02d", j))))
		}
	}
	require.NoError(b, os.WriteFile(filepath.Join(root, ".amlignore"), []byte("node_modules/\n"), 0o644))
	for b.Loop() {
		tree, err := Walk(b.Context(), root, nil)
		require.NoError(b, err)
		require.Len(b, tree.Files, 101)
		_, err = tree.ContentHash(b.Context())
		require.NoError(b, err)
	}
}
