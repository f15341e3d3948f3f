package assets

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// manyFiles makes a tree of n files of size bytes, 100 to a folder.
func manyFiles(b *testing.B, root string, n, size int) {
	b.Helper()
	data := make([]byte, size)
	for i := range n {
		dir := filepath.Join(root, fmt.Sprintf("d%03d", i/100))
		if i%100 == 0 {
			require.NoError(b, os.MkdirAll(dir, 0o755))
		}
		copy(data, fmt.Sprint(i))
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d.dat", i)), data, 0o644))
	}
}

func BenchmarkWalk(b *testing.B) {
	root := b.TempDir()
	manyFiles(b, root, 20000, 1024)
	require.NoError(b, os.WriteFile(filepath.Join(root, ".amlignore"), []byte("*.log\n__pycache__/\n.git/\nbuild/\n!keep\n"), 0o644))
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			_, err := Walk(b.Context(), root, nil)
			require.NoError(b, err)
		}
	})
	b.Run("lstat", func(b *testing.B) { // the floor of a walk
		for b.Loop() {
			require.NoError(b, filepath.WalkDir(root, func(_ string, d os.DirEntry, err error) error {
				if err != nil {
					return err
				}
				_, err = d.Info()
				return err
			}))
		}
	})
	tree, err := Walk(b.Context(), root, nil)
	require.NoError(b, err)
	b.Run("content", func(b *testing.B) {
		b.SetBytes(tree.Size)
		for b.Loop() {
			_, err := tree.ContentHash(b.Context())
			require.NoError(b, err)
		}
	})
	b.Run("both", func(b *testing.B) {
		b.SetBytes(tree.Size)
		for b.Loop() {
			_, _, err := tree.Hashes(b.Context())
			require.NoError(b, err)
		}
	})
	b.Run("sha256", func(b *testing.B) { // the floor of a digest, nothing read
		data := make([]byte, tree.Size)
		b.SetBytes(tree.Size)
		for b.Loop() {
			sha256.Sum256(data)
		}
	})
}

// A folder that is ignored costs one look, however large it is.
func BenchmarkWalkIgnored(b *testing.B) {
	root := b.TempDir()
	manyFiles(b, filepath.Join(root, "src"), 100, 100)
	manyFiles(b, filepath.Join(root, "node_modules"), 20000, 1)
	require.NoError(b, os.WriteFile(filepath.Join(root, ".amlignore"), []byte("node_modules/\n"), 0o644))
	for b.Loop() {
		tree, err := Walk(b.Context(), root, nil)
		require.NoError(b, err)
		require.Len(b, tree.Files, 101)
	}
}

func BenchmarkIgnore(b *testing.B) {
	g, err := ParseIgnore([]byte("*.log\n__pycache__/\n.git/\nbuild/\n!keep\n**/node_modules/**\ndata/*.csv\n"))
	require.NoError(b, err)
	for b.Loop() {
		g.Excludes("src/azureml/some/package/module_file.py")
	}
}
