package blob_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedChild); dir != "" {
		putUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

const (
	account   = "amllocal01"
	container = "azureml"
)

// folder is a service over a folder that can be reopened.
type folder struct {
	*blob.Service
	dir string
	db  *store.DB
}

func openFolder(t testing.TB, dir string, o *blob.Options) *folder {
	t.Helper()
	return openStore(t, store.Options{Dir: dir}, o)
}

func openStore(t testing.TB, so store.Options, o *blob.Options) *folder {
	t.Helper()
	dir := so.Dir
	db, err := store.Open(so)
	require.NoError(t, err)
	s, err := blob.New(db, filepath.Join(dir, "blobs"), o)
	require.NoError(t, err)
	return &folder{s, dir, db}
}

func (f *folder) close(t testing.TB) {
	t.Helper()
	require.NoError(t, f.Service.Close())
	require.NoError(t, f.db.Close())
}

// files lists the contents that are files.
func (f *folder) files(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(f.dir, "blobs", "*", "*", "*"))
	require.NoError(t, err)
	return files
}

// open opens a service with the account and container in a fresh folder, closed
// with the test.
func open(t testing.TB) *folder {
	t.Helper()
	f := openFolder(t, filepath.Join(t.TempDir(), "ws"), nil)
	require.NoError(t, f.EnsureContainer(t.Context(), account, container))
	t.Cleanup(func() { f.close(t) })
	return f
}

func read(t testing.TB, s *blob.Service, name string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), account, container, name)
	require.NoError(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return b
}

func names(t testing.TB, s *blob.Service, prefix string) []string {
	t.Helper()
	var all []string
	for item, err := range s.List(t.Context(), account, container, prefix) {
		require.NoError(t, err)
		all = append(all, item.Name)
	}
	return all
}

// sizes on both sides of what is kept in a row, and of the copy buffer.
var sizes = []int{0, 1, 8191, 8192, 8193, 100_000, 512<<10 - 1, 512 << 10, 512<<10 + 1, 3 << 20}

func random(n int) []byte {
	b := make([]byte, n)
	x := uint32(n + 1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func TestPutAndOpen(t *testing.T) {
	s := open(t)
	for _, size := range sizes {
		data := random(size)
		item, err := s.Put(t.Context(), account, container, "a/b", iotest.HalfReader(bytes.NewReader(data)), &blob.PutOptions{ContentType: "text/x", Metadata: map[string]string{"Upload_Status": "completed"}})
		require.NoError(t, err)
		sum := md5.Sum(data)
		require.Equal(t, sum[:], item.MD5)
		require.EqualValues(t, size, item.Size)
		require.Equal(t, map[string]string{"upload_status": "completed"}, item.Metadata)
		require.Equal(t, "text/x", item.ContentType)
		stat, err := s.Stat(t.Context(), account, container, "a/b")
		require.NoError(t, err)
		require.Equal(t, item, stat)

		r, err := s.Open(t.Context(), account, container, "a/b")
		require.NoError(t, err)
		require.Equal(t, item, r.Item)
		require.NoError(t, iotest.TestReader(r, data))
		_, err = r.Seek(-int64(min(size, 10)), io.SeekEnd)
		require.NoError(t, err)
		var tail bytes.Buffer
		_, err = io.Copy(&tail, r)
		require.NoError(t, err)
		require.Equal(t, string(data[size-min(size, 10):]), tail.String())
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		_, err = r.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

func TestPutFile(t *testing.T) {
	s := open(t)
	path := filepath.Join(t.TempDir(), "f")
	for _, size := range sizes {
		data := random(size)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := s.PutFile(t.Context(), account, container, "f", path, nil)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, []byte("changed"), 0o600))
		require.True(t, bytes.Equal(data, read(t, s.Service, "f")))
	}
	_, err := s.PutFile(t.Context(), account, container, "f", path+"x", nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestPutThatFailsLeavesNothing(t *testing.T) {
	s := open(t)
	for _, size := range sizes {
		_, err := s.Put(t.Context(), account, container, "x", io.MultiReader(bytes.NewReader(random(size)), iotest.ErrReader(io.ErrClosedPipe)), nil)
		require.ErrorIs(t, err, io.ErrClosedPipe)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Put(ctx, account, container, "x", bytes.NewReader(random(100_000)), nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Put(t.Context(), account, "nosuch", "x", bytes.NewReader(random(100_000)), nil)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = s.Put(t.Context(), account, container, "x", strings.NewReader(""), &blob.PutOptions{Metadata: map[string]string{"a-b": "c"}})
	require.ErrorContains(t, err, "InvalidMetadata")
	_, err = s.Stat(t.Context(), account, container, "x")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.Empty(t, s.files(t))
}

func TestNamesAreNotPaths(t *testing.T) {
	s := open(t)
	odd := []string{"../../../etc/passwd", "/abs", "a//b", "a/./b", "..", ".", "NUL", "c:\\x", "naïve/☃/日本", "with space", "100%", "%2e%2e/x", "a?b#c&d=e+f", strings.Repeat("x", 1024), "tab\there", "new\nline", "trailing/"}
	for i, name := range odd {
		_, err := s.Put(t.Context(), account, container, name, bytes.NewReader(random(9000+i)), nil)
		require.NoError(t, err, name)
	}
	require.ElementsMatch(t, odd, names(t, s.Service, ""))
	for i, name := range odd {
		require.Len(t, read(t, s.Service, name), 9000+i)
	}
	require.Len(t, s.files(t), len(odd), "all content is below the folder")
	for _, name := range []string{"", "a\x00b", "\xff", strings.Repeat("x", 1025)} {
		_, err := s.Put(t.Context(), account, container, name, strings.NewReader("x"), nil)
		require.Error(t, err, "%q", name)
	}
}

func TestEnsure(t *testing.T) {
	s := open(t)
	key, err := s.EnsureAccount(t.Context(), account)
	require.NoError(t, err)
	again, err := s.Key(t.Context(), account)
	require.NoError(t, err)
	require.Equal(t, key, again)
	_, err = s.Key(t.Context(), "nosuch")
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = s.EnsureAccount(t.Context(), "No_Account")
	require.Error(t, err)
	for _, name := range []string{"ab", "-ab", "ab-", "a--b", "Abc", "a_b", "a.b", strings.Repeat("x", 64), "../x"} {
		require.Error(t, s.EnsureContainer(t.Context(), account, name), name)
	}
	require.NoError(t, s.EnsureContainer(t.Context(), account, "azureml-blobstore-0f3b"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { require.NoError(t, s.EnsureContainer(t.Context(), "other01", "racing")) })
	}
	wg.Wait()
}

func TestListAndDelete(t *testing.T) {
	s := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		_, err := s.DeletePrefix(t.Context(), account, container, "")
		require.NoError(rt, err)
		name := rapid.StringMatching(`[ab/é~]{1,6}`)
		all := rapid.MapOfN(name, rapid.IntRange(0, 9000), 0, 30).Draw(rt, "blobs")
		for n, size := range all {
			_, err := s.Put(t.Context(), account, container, n, bytes.NewReader(make([]byte, size)), nil)
			require.NoError(rt, err)
		}
		prefix := rapid.OneOf(rapid.Just(""), name).Draw(rt, "prefix")
		var want []string
		for n := range all {
			if strings.HasPrefix(n, prefix) {
				want = append(want, n)
			}
		}
		got := names(t, s.Service, prefix)
		require.ElementsMatch(rt, want, got)
		require.IsIncreasing(rt, append([]string{""}, got...))
		n, err := s.DeletePrefix(t.Context(), account, container, prefix)
		require.NoError(rt, err)
		require.Equal(rt, len(want), n)
		require.Len(rt, names(t, s.Service, ""), len(all)-len(want))
	})
	_, err := s.DeletePrefix(t.Context(), account, container, "") // what the last draw's prefix left
	require.NoError(t, err)
	require.ErrorIs(t, s.Delete(t.Context(), account, container, "nosuch"), store.ErrNotFound)
	n, err := s.DeletePrefix(t.Context(), account, "nosuch", "")
	require.NoError(t, err)
	require.Zero(t, n)
	for _, err := range s.List(t.Context(), account, "nosuch", "") {
		require.ErrorIs(t, err, store.ErrNotFound)
	}
	s.waitForFiles(t, 0)
}

// waitForFiles waits until the collector has left n files.
func (f *folder) waitForFiles(t testing.TB, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return len(f.files(t)) == n }, 5*time.Second, time.Millisecond)
}

func TestReaderKeepsItsContent(t *testing.T) {
	s := open(t)
	first, second := random(20_000), random(30_000)
	_, err := s.Put(t.Context(), account, container, "x", bytes.NewReader(first), nil)
	require.NoError(t, err)
	r, err := s.Open(t.Context(), account, container, "x")
	require.NoError(t, err)
	_, err = s.Put(t.Context(), account, container, "x", bytes.NewReader(second), nil)
	require.NoError(t, err)
	require.NoError(t, s.Delete(t.Context(), account, container, "x"))
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(first, got))
	require.Len(t, s.files(t), 2)
	require.NoError(t, r.Close())
	s.waitForFiles(t, 0)
}

func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	s := openFolder(t, dir, nil)
	require.NoError(t, s.EnsureContainer(t.Context(), account, container))
	key, err := s.Key(t.Context(), account)
	require.NoError(t, err)
	data := random(50_000)
	item, err := s.Put(t.Context(), account, container, "x", bytes.NewReader(data), nil)
	require.NoError(t, err)
	s.close(t)
	s = openFolder(t, dir, nil)
	defer s.close(t)
	again, err := s.Key(t.Context(), account)
	require.NoError(t, err)
	require.Equal(t, key, again)
	require.True(t, bytes.Equal(data, read(t, s.Service, "x")))
	stat, err := s.Stat(t.Context(), account, container, "x")
	require.NoError(t, err)
	require.Equal(t, item, stat)
}

// With Full, every content is on the disk before its row.
func TestFull(t *testing.T) {
	s := openStore(t, store.Options{Dir: filepath.Join(t.TempDir(), "ws"), Full: true}, nil)
	defer s.close(t)
	require.NoError(t, s.EnsureContainer(t.Context(), account, container))
	data := random(50_000)
	_, err := s.Put(t.Context(), account, container, "x", bytes.NewReader(data), nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, read(t, s.Service, "x")))
	f, err := s.Live(t.Context(), account, container, "log")
	require.NoError(t, err)
	_, err = f.Write(data)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, s.Finish(t.Context(), account, container, "log"))
	require.True(t, bytes.Equal(data, read(t, s.Service, "log")))
}

func TestStartIsFast(t *testing.T) {
	best := time.Hour
	for range 5 {
		begin := time.Now()
		s := openFolder(t, filepath.Join(t.TempDir(), "ws"), nil)
		require.NoError(t, s.EnsureContainer(t.Context(), account, container))
		best = min(best, time.Since(begin))
		s.close(t)
	}
	t.Logf("a fresh store with its blob service is open in %v", best)
	require.Less(t, best, 200*time.Millisecond)
}
