package assets

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// oldTree is a tree that is worth remembering, whose files were not written just now.
func oldTree(t testing.TB, files int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	for i := range files {
		sub := filepath.Join(dir, fmt.Sprintf("d%d", i%7))
		require.NoError(t, os.MkdirAll(sub, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(sub, fmt.Sprintf("f%03d", i)), []byte(text(100+i)), 0o644))
	}
	age(t, dir)
	return dir
}

func age(t testing.TB, dir string) {
	old := time.Now().Add(-time.Minute)
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(p, old, old)
	}))
}

func testCache(t testing.TB) *hashCache {
	return &hashCache{dir: filepath.Join(t.TempDir(), "hashes"), log: slog.New(slog.DiscardHandler)}
}

// cachedHashes gives both hashes by the cache, and how much of them was remembered.
func cachedHashes(t testing.TB, dir string, c *hashCache) (hashes []string, remembered int) {
	t.Helper()
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	hashes, err = tree.hashes(t.Context(), c, nil, kindContent, kindObject)
	require.NoError(t, err)
	return hashes, len(tree.remembered)
}

func plainHashes(t testing.TB, dir string) []string {
	t.Helper()
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	content, object, err := tree.Hashes(t.Context())
	require.NoError(t, err)
	return []string{content, object}
}

func TestUnchangedTreeIsNotReadAgain(t *testing.T) {
	t.Parallel()
	dir, c := oldTree(t, 300), testCache(t)
	first, n := cachedHashes(t, dir, c)
	require.Zero(t, n)
	require.Equal(t, plainHashes(t, dir), first)

	// Nothing is read: the files cannot even be opened.
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	for i := range tree.Files {
		tree.Files[i].Path = filepath.Join(dir, "nowhere")
	}
	tree.path = ""
	again, err := tree.hashes(t.Context(), c, nil, kindContent, kindObject)
	require.NoError(t, err)
	require.Equal(t, first, again)
}

// Whatever changes in a remembered tree, its hashes are those of what is there now.
func TestChangedTreeIsReadFromTheChange(t *testing.T) {
	t.Parallel()
	dir, c := oldTree(t, 300), testCache(t)
	cachedHashes(t, dir, c)
	rapid.Check(t, func(r *rapid.T) {
		i := rapid.IntRange(0, 299).Draw(r, "file")
		path := filepath.Join(dir, fmt.Sprintf("d%d", i%7), fmt.Sprintf("f%03d", i))
		switch rapid.SampledFrom([]string{"same size", "grow", "remove", "add", "touch", "old"}).Draw(r, "how") {
		case "same size":
			require.NoError(t, os.WriteFile(path, []byte(text(100+i)), 0o644))
		case "grow":
			require.NoError(t, os.WriteFile(path, []byte(text(400)), 0o644))
		case "remove":
			require.NoError(t, ignore(os.Remove(path), os.ErrNotExist))
		case "add":
			require.NoError(t, os.WriteFile(path+"x", []byte("new"), 0o644))
		case "touch":
			require.NoError(t, ignore(os.Chtimes(path, time.Now(), time.Now()), os.ErrNotExist))
		case "old": // written again, and the time set back: the inode's own time shows it
			if info, err := os.Stat(path); err == nil {
				require.NoError(t, os.WriteFile(path, []byte(text(int(info.Size()))), 0o644))
			}
		}
		if rapid.Bool().Draw(r, "aged") && (runtime.GOOS == "linux" || runtime.GOOS == "darwin") { // elsewhere a time set back hides a change
			age(t, dir)
		}
		got, _ := cachedHashes(t, dir, c)
		require.Equal(t, plainHashes(t, dir), got)
	})
}

// A change late in the order is read from there on: what comes before may be unreadable.
func TestDigestGoesOnFromTheChange(t *testing.T) {
	t.Parallel()
	dir, c := oldTree(t, 300), testCache(t)
	cachedHashes(t, dir, c)
	last := filepath.Join(dir, "d6", "f298")
	require.NoError(t, os.WriteFile(last, []byte(text(100+298)), 0o644))
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	want, err := tree.ObjectHash(t.Context())
	require.NoError(t, err)
	for i := range tree.Files {
		if tree.Files[i].Name < "d6" {
			tree.Files[i].Path = filepath.Join(dir, "nowhere")
		}
	}
	tree.path = ""
	got, err := tree.hashes(t.Context(), c, nil, kindObject)
	require.NoError(t, err)
	require.Equal(t, want, got[0])
	require.Len(t, tree.remembered, 1)
}

// A file that was just written may be written again within the grain of the clock: it is not remembered.
func TestYoungFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir, c := oldTree(t, 300), testCache(t)
	young := filepath.Join(dir, "d0", "f000")
	require.NoError(t, os.Chtimes(young, time.Now(), time.Now()))
	first, _ := cachedHashes(t, dir, c)
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	tree.path = ""
	for i := range tree.Files {
		tree.Files[i].Path = filepath.Join(dir, "nowhere")
	}
	_, err = tree.hashes(t.Context(), c, nil, kindContent)
	require.ErrorIs(t, err, os.ErrNotExist, "the young file is read, and what follows it")
	got, _ := cachedHashes(t, dir, c)
	require.Equal(t, first, got)
}

func TestBrokenCacheCountsAsNone(t *testing.T) {
	t.Parallel()
	dir, c := oldTree(t, 300), testCache(t)
	want, _ := cachedHashes(t, dir, c)
	list, err := os.ReadDir(c.dir)
	require.NoError(t, err)
	require.Len(t, list, 2, "one for each hash")
	for _, bend := range []func(raw []byte) []byte{
		func(raw []byte) []byte { return nil },
		func(raw []byte) []byte { return raw[:len(raw)/2] },
		func(raw []byte) []byte { raw[len(raw)-20] ^= 1; return raw },
		func(raw []byte) []byte { return []byte("[]\n") },
	} {
		for _, e := range list {
			path := filepath.Join(c.dir, e.Name())
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, bend(raw), 0o600))
		}
		got, n := cachedHashes(t, dir, c)
		require.Equal(t, want, got)
		require.Zero(t, n)
		_, n = cachedHashes(t, dir, c)
		require.Equal(t, 2, n, "it is written anew")
	}
	blocked := &hashCache{dir: filepath.Join(dir, "d0", "f000", "no", "folder"), log: c.log}
	got, _ := cachedHashes(t, dir, blocked)
	require.Equal(t, want, got)
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := testCache(t)
	for i := range maxCached + 10 {
		require.NoError(t, c.write(filepath.Join(c.dir, fmt.Sprintf("%04d.json", i)), &cached{Hash: "x"}))
	}
	list, err := os.ReadDir(c.dir)
	require.NoError(t, err)
	require.LessOrEqual(t, len(list), maxCached)
	require.FileExists(t, filepath.Join(c.dir, fmt.Sprintf("%04d.json", maxCached+9)))
}

func FuzzCached(f *testing.F) {
	f.Add([]byte("x\n{}"))
	f.Add([]byte("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n{}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, ok := readCached(raw); ok {
			for i := 1; i < len(m.Points); i++ {
				if m.Points[i].Index < m.Points[i-1].Index {
					t.Fatal("out of order")
				}
			}
		}
	})
}
