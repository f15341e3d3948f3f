package assets

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestSync(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	uri := shortURI(BlobStore, "mirror/rows")
	dir := writeTree(t, map[string]string{"a": "1", "sub/b": "2", "big": text(5 << 20), "x.log": "no", ".amlignore": "*.log\n"})
	remote := func() map[string]string {
		out := t.TempDir()
		_, err := stores.Download(t.Context(), uri, out, nil)
		require.NoError(t, err)
		return readTree(t, out)
	}

	plan, err := stores.Sync(t.Context(), dir, uri, &SyncOptions{DryRun: true})
	require.NoError(t, err)
	require.Equal(t, []string{".amlignore", "a", "big", "sub/b"}, plan.Uploaded)
	require.True(t, plan.DryRun)
	_, err = stores.Download(t.Context(), uri, t.TempDir(), nil)
	require.ErrorIs(t, err, azureml.ErrNotFound, "a dry run does nothing")

	first, err := stores.Sync(t.Context(), dir, uri+"/", nil)
	require.NoError(t, err)
	require.Equal(t, plan.Uploaded, first.Uploaded)
	require.Equal(t, plan.Bytes, first.Bytes)
	want := readTree(t, dir)
	delete(want, "x.log")
	require.Equal(t, want, remote())

	// Nothing is sent twice.
	again, err := stores.Sync(t.Context(), dir, uri, nil)
	require.NoError(t, err)
	require.Empty(t, again.Uploaded)
	require.Equal(t, 4, again.Unchanged)

	// What differs is sent, also when the size is the same; what is gone stays, until it is asked for. What is ignored here is
	// left alone there.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("9"), 0o644))
	require.NoError(t, os.Remove(filepath.Join(dir, "sub", "b")))
	require.NoError(t, put1(t, w.blobs(), "mirror/rows/theirs.log", "kept"))
	require.NoError(t, put1(t, w.blobs(), "mirror/rows2", "not in the folder"))
	third, err := stores.Sync(t.Context(), dir, uri, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, third.Uploaded)
	require.Empty(t, third.Deleted)
	dry, err := stores.Sync(t.Context(), dir, uri, &SyncOptions{Delete: true, DryRun: true})
	require.NoError(t, err)
	require.Equal(t, []string{"sub/b"}, dry.Deleted)
	require.Contains(t, remote(), "sub/b")
	fourth, err := stores.Sync(t.Context(), dir, uri, &SyncOptions{Delete: true})
	require.NoError(t, err)
	require.Equal(t, []string{"sub/b"}, fourth.Deleted)
	want = readTree(t, dir)
	delete(want, "x.log")
	want["theirs.log"] = "kept"
	require.Equal(t, want, remote())
	found, err := w.blobs().list(t.Context(), "mirror/rows2")
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestSyncRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	uri := shortURI(BlobStore, "m")
	require.NoError(t, put1(t, w.blobs(), "m/a", "a"))
	_, err := stores.Sync(t.Context(), t.TempDir(), uri, &SyncOptions{Delete: true})
	require.ErrorContains(t, err, "is empty", "an empty folder does not empty the datastore")
	file := filepath.Join(writeTree(t, map[string]string{"f": "f"}), "f")
	_, err = stores.Sync(t.Context(), file, uri, nil)
	require.ErrorContains(t, err, "is a file, not a folder")
	_, err = stores.Sync(t.Context(), filepath.Dir(file), "azureml:x:1", nil)
	require.ErrorContains(t, err, "is no address of data")
	_, err = stores.Sync(t.Context(), filepath.Join(file, "none"), uri, nil)
	require.Error(t, err)
}

// Somebody else writes a file between the list and the upload: their bytes are not lost.
func TestSyncDoesNotOverwriteSomebodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	uri := shortURI(BlobStore, "m")
	b := w.blobs()
	require.NoError(t, put1(t, b, "m/a", "old"))
	dir := writeTree(t, map[string]string{"a": "mine", "b": "b"})
	var done atomic.Bool
	w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		if r.Method == http.MethodPut && done.CompareAndSwap(false, true) {
			require.NoError(t, put1(t, b, "m/a", "theirs"))
		}
		return send(r)
	})
	_, err := stores.Sync(t.Context(), dir, uri, &SyncOptions{Concurrency: 1, Delete: true})
	require.ErrorContains(t, err, "m/a changed since it was listed")
	require.ErrorContains(t, err, "0 of 2 files are there")
	out := t.TempDir()
	_, err = stores.Download(t.Context(), uri, out, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "theirs"}, readTree(t, out))
	_, err = stores.Sync(t.Context(), dir, uri, nil)
	require.NoError(t, err)
}

// A cancelled sync says how far it came, and the next goes on.
func TestSyncGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	uri := shortURI(BlobStore, "m")
	files := map[string]string{}
	for i := range 40 {
		files["f"+string(rune('a'+i%26))+string(rune('a'+i/26))] = text(1000)
	}
	dir := writeTree(t, files)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := stores.Sync(ctx, dir, uri, &SyncOptions{Concurrency: 2, Progress: func(p Progress) {
		if p.Phase == PhaseUpload && p.Files == 10 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "of 40 files are there; the same call goes on from them")
	require.GreaterOrEqual(t, len(r.Uploaded), 10)
	rest, err := stores.Sync(t.Context(), dir, uri, nil)
	require.NoError(t, err)
	require.LessOrEqual(t, len(rest.Uploaded), 30)
	require.Equal(t, 40, rest.Unchanged+len(rest.Uploaded))
}
