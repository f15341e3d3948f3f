package assets

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// treeEntry is a file, a folder or a link of a tree in testdata/trees.json.
type treeEntry struct {
	Text *string
	Dir  bool
	Link string
}

type treeResult struct {
	Files           []string
	Content, Object string
}

func makeTree(t testing.TB, outside map[string]string, entries map[string]treeEntry) string {
	t.Helper()
	base := t.TempDir()
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	for p, text := range outside {
		write(filepath.Join(base, "outside", filepath.FromSlash(p)), text)
	}
	root := filepath.Join(base, "tree")
	require.NoError(t, os.MkdirAll(root, 0o755))
	for p, e := range entries {
		path := filepath.Join(root, filepath.FromSlash(p))
		switch {
		case e.Dir:
			require.NoError(t, os.MkdirAll(path, 0o755))
		case e.Text != nil:
			write(path, *e.Text)
		}
	}
	for p, e := range entries {
		if e.Link != "" {
			require.NoError(t, os.Symlink(filepath.FromSlash(e.Link), filepath.Join(root, filepath.FromSlash(p))))
		}
	}
	return root
}

func names(tree *Tree) []string {
	out := []string{}
	for _, f := range tree.Files {
		out = append(out, f.Name)
	}
	slices.Sort(out)
	return out
}

func TestTreesAgainstReference(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the trees hold symbolic links and names that Windows does not allow")
	}
	var v struct {
		Outside map[string]string
		Cases   []struct {
			Entries          map[string]treeEntry
			Plain, Component treeResult
		}
	}
	vectors(t, "trees.json", &v)
	for i, c := range v.Cases {
		root := makeTree(t, v.Outside, c.Entries)
		if runtime.GOOS == "darwin" && foldsCase(c.Entries) {
			continue // two names that differ by case alone
		}
		for _, way := range []struct {
			want treeResult
			o    *WalkOptions
		}{{c.Plain, nil}, {c.Component, &WalkOptions{Extra: []string{"__pycache__"}}}} {
			tree, err := Walk(t.Context(), root, way.o)
			require.NoError(t, err, "tree %d", i)
			require.Equal(t, way.want.Files, names(tree), "tree %d", i)
			content, err := tree.ContentHash(t.Context())
			require.NoError(t, err)
			require.Equal(t, way.want.Content, content, "tree %d", i)
			object, err := tree.ObjectHash(t.Context())
			require.NoError(t, err)
			require.Equal(t, way.want.Object, object, "tree %d", i)
			content, object, err = tree.Hashes(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{way.want.Content, way.want.Object}, []string{content, object}, "tree %d", i)
		}
	}
}

func foldsCase(entries map[string]treeEntry) bool {
	seen := map[string]bool{}
	for p := range entries {
		if k := strings.ToLower(p); seen[k] {
			return true
		} else {
			seen[k] = true
		}
	}
	return false
}

func TestWalkLoops(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege on Windows")
	}
	text := "x"
	root := makeTree(t, map[string]string{"o": "o"}, map[string]treeEntry{
		"a.py": {Text: &text}, "sub/": {Dir: true}, "sub/up": {Link: ".."},
	})
	_, err := Walk(t.Context(), root, nil)
	require.ErrorContains(t, err, filepath.Join("sub", "up")+" leads back to a folder that it lies in")

	// Through a folder outside, the loop is seen too.
	require.NoError(t, os.Remove(filepath.Join(root, "sub", "up")))
	require.NoError(t, os.Symlink("../..", filepath.Join(root, "sub", "far")))
	_, err = Walk(t.Context(), root, nil)
	require.ErrorContains(t, err, "leads back")

	require.NoError(t, os.WriteFile(filepath.Join(root, ".amlignore"), []byte("far\n"), 0o644))
	tree, err := Walk(t.Context(), root, nil)
	require.NoError(t, err)
	require.Equal(t, []string{".amlignore", "a.py"}, names(tree))
}

func TestWalkRefuses(t *testing.T) {
	_, err := Walk(t.Context(), filepath.Join(t.TempDir(), "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Walk(ctx, t.TempDir(), nil)
	require.ErrorIs(t, err, context.Canceled)
	if runtime.GOOS == "windows" {
		return
	}
	root := t.TempDir()
	require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "broken")))
	_, err = Walk(t.Context(), root, nil)
	require.ErrorContains(t, err, "leads nowhere")
	require.NoError(t, os.WriteFile(filepath.Join(root, ".amlignore"), []byte("broken\n"), 0o644))
	_, err = Walk(t.Context(), root, nil)
	require.NoError(t, err)
	if os.Geteuid() != 0 {
		require.NoError(t, os.Mkdir(filepath.Join(root, "shut"), 0))
		_, err = Walk(t.Context(), root, nil)
		require.ErrorIs(t, err, os.ErrPermission)
	}
}

func TestWalkFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.txt")
	require.NoError(t, os.WriteFile(path, []byte("bb\n"), 0o755))
	tree, err := Walk(t.Context(), path, nil)
	require.NoError(t, err)
	require.True(t, tree.IsFile)
	require.Equal(t, "b.txt", tree.Name)
	require.EqualValues(t, 3, tree.Size)
	content, object, err := tree.Hashes(t.Context())
	require.NoError(t, err)
	require.Equal(t, "2daee15c694c47fd2291b7e66be287dee0ad9d7b66e486d924882787ace096cb", content)
	require.Equal(t, "899ad6f995d193b46f63adfd7cedb87b77ed51555884d043eefa292cadf3480e", object)
}

// The tree that the reference's notes give hashes for.
func TestHashVectors(t *testing.T) {
	s := func(x string) treeEntry { return treeEntry{Text: &x} }
	root := makeTree(t, nil, map[string]treeEntry{
		"b.txt": s("bb\n"), "A.txt": s("hello"), "sub/c.py": s("print(1)\n"), ".amlignore": s("*.log\n"), "x.log": s("z"),
	})
	tree, err := Walk(t.Context(), root, nil)
	require.NoError(t, err)
	content, object, err := tree.Hashes(t.Context())
	require.NoError(t, err)
	require.Equal(t, "afa8e2ad4ad242aaa04b47e9bff9db1239f5be2af7382f6675d00091b8f5fcc9", content)
	require.Equal(t, "e7c9c8878a256d6177505d0d371d0c5e65f4f374f6e7ad7e23685ade6c35de13", object)
	require.Equal(t, []File{{Name: "sub/c.py", Size: 9}}, bare(tree.Largest(1)))

	empty, err := Walk(t.Context(), t.TempDir(), nil)
	require.NoError(t, err)
	content, err = empty.ContentHash(t.Context())
	require.NoError(t, err)
	require.Equal(t, "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9", content) // SHA-256 of "0"
}

func bare(files []File) []File {
	for i := range files {
		files[i] = File{Name: files[i].Name, Size: files[i].Size}
	}
	return files
}

func TestHashSeesChange(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "grows")
	require.NoError(t, os.WriteFile(path, []byte("one"), 0o644))
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte("one two"), 0o644))
	got, _, err := tree.Hashes(t.Context())
	require.NoError(t, err)
	fresh, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	want, err := fresh.ContentHash(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, got, "what changed since the walk is looked at again")
	require.EqualValues(t, 7, tree.Size)

	// A file that is gone is gone; the folder too is an error.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "other"), []byte("o"), 0o644))
	require.NoError(t, os.Remove(path))
	_, err = tree.ObjectHash(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"other"}, names(tree))
	require.NoError(t, os.RemoveAll(dir))
	_, err = tree.ObjectHash(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A file that is written all the time cannot be hashed: the error names it.
func TestHashOfARestlessFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "restless")
	require.NoError(t, os.WriteFile(path, []byte("x"), 0o644))
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	tree.path = "" // as if each look came too late
	require.NoError(t, os.WriteFile(path, []byte("xy"), 0o644))
	_, err = tree.ContentHash(t.Context())
	require.ErrorContains(t, err, "restless changed while it was read: it had 1 bytes, and now 2")
	ce, ok := errors.AsType[*ChangedError](err)
	require.True(t, ok)
	require.Equal(t, path, ce.Path)

	// The same size, written again: the time shows it.
	tree, err = Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	tree.path = ""
	later := tree.Files[0].Modified.Add(time.Second)
	require.NoError(t, os.Chtimes(path, later, later))
	_, err = tree.ContentHash(t.Context())
	require.ErrorContains(t, err, "it was written again")
}
