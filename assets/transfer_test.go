package assets

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

// retryFast keeps tests of failures short.
var retryFast = policy.RetryOptions{MaxRetries: 1, RetryDelay: time.Millisecond}

func writeTree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "rows")
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func readTree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		out[filepath.ToSlash(rel)] = string(text)
		return err
	}))
	return out
}

func text(n int) string {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // never fails
	return string(b)
}

func TestUploadAndDownload(t *testing.T) {
	files := map[string]string{
		"a.csv": "1,2\n", "empty": "", "sub/b c.txt": "b", "sub/deep/é%20+#?.dat": text(5000), "big.bin": text(9<<20 + 17), "four.bin": text(4 << 20),
	}
	if runtime.GOOS == "windows" {
		delete(files, "sub/deep/é%20+#?.dat")
	}
	for _, how := range []string{"signature", "key", "caller"} {
		t.Run(how, func(t *testing.T) {
			w := newWorld(t)
			switch how {
			case "key":
				w.withKey = true
			case "caller":
				if os.Getenv("AZUREML_TEST_BLOB_URL") != "" {
					t.Skip("Azurite takes no tokens over http")
				}
				w.noSecret = true
			}
			stores := NewDatastoreClient(w.c)
			dir := writeTree(t, files)
			var last Progress
			var mu sync.Mutex
			up, err := stores.Upload(t.Context(), dir, &UploadOptions{Progress: func(p Progress) {
				mu.Lock()
				defer mu.Unlock()
				last = p
			}})
			require.NoError(t, err)
			require.False(t, up.Reused)
			require.Equal(t, len(files), up.Files)
			require.Equal(t, Progress{Phase: PhaseConfirm, Bytes: up.Bytes, TotalBytes: up.Bytes, Files: len(files), TotalFiles: len(files), Elapsed: last.Elapsed, Rate: last.Rate}, last)
			require.Regexp(t, `^azureml://datastores/workspaceblobstore/paths/LocalUpload/[0-9a-f]{64}/rows$`, up.ShortURI())

			again, err := stores.Upload(t.Context(), dir, nil)
			require.NoError(t, err)
			require.True(t, again.Reused)
			require.Equal(t, up.Path, again.Path)

			into := filepath.Join(t.TempDir(), "out")
			d, err := stores.Download(t.Context(), up.ShortURI(), into, &DownloadOptions{Progress: func(p Progress) {
				mu.Lock()
				defer mu.Unlock()
				last = p
			}})
			require.NoError(t, err)
			require.Equal(t, files, readTree(t, into))
			require.Equal(t, up.Bytes, d.Bytes)
			require.Len(t, d.Files, len(files))
			require.Equal(t, []int64{up.Bytes, up.Bytes, int64(len(files))}, []int64{last.Bytes, last.TotalBytes, int64(last.Files)})

			// What is there is replaced.
			require.NoError(t, os.WriteFile(filepath.Join(into, "a.csv"), []byte("older and longer"), 0o644))
			_, err = stores.Download(t.Context(), up.ShortURI()+"/", into, nil)
			require.NoError(t, err)
			require.Equal(t, files, readTree(t, into))

			one := t.TempDir()
			d, err = stores.Download(t.Context(), up.ShortURI()+"/sub/b c.txt", one, nil)
			require.NoError(t, err)
			require.Equal(t, []string{"b c.txt"}, d.Files)
			require.Equal(t, map[string]string{"b c.txt": "b"}, readTree(t, one))
		})
	}
}

// What the reference looks for when it decides whether to upload.
func TestConfirmation(t *testing.T) {
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"B.csv": "b", "a.csv": "a"})
	data, err := NewDataClient(w.c).Create(t.Context(), &Data{Name: "rows", Version: "3", Path: dir}, nil)
	require.NoError(t, err)
	require.Equal(t, "azureml://datastores/workspaceblobstore/paths/LocalUpload/"+objectHash(t, dir)+"/rows", data.Path)
	b := w.blobs()
	first, err := b.stat(t.Context(), "LocalUpload/"+objectHash(t, dir)+"/rows/B.csv") // B before a
	require.NoError(t, err)
	require.Equal(t, []string{"completed", "rows", "3"}, []string{metadata(first.meta, "upload_status"), metadata(first.meta, "name"), metadata(first.meta, "version")})

	// Old clients put uploads elsewhere; a complete one there counts, when the new place has its first file too.
	other := writeTree(t, map[string]string{"x": "x"})
	for _, folder := range []string{"LocalUpload/", "az-ml-artifacts/"} {
		_, err = b.client.NewBlockBlobClient(folder+objectHash(t, other)+"/rows/x").UploadBuffer(t.Context(), []byte("x"), nil)
		require.NoError(t, err)
	}
	require.NoError(t, b.confirm(t.Context(), "az-ml-artifacts/"+objectHash(t, other)+"/rows/x", "old", "9"))
	up, err := NewDatastoreClient(w.c).Upload(t.Context(), other, nil)
	require.NoError(t, err)
	require.True(t, up.Reused)
	require.Equal(t, []string{"old", "9", "az-ml-artifacts/" + objectHash(t, other) + "/rows"}, []string{up.Name, up.Version, up.Path})
}

func objectHash(t *testing.T, dir string) string {
	tree, err := Walk(t.Context(), dir, nil)
	require.NoError(t, err)
	h, err := tree.ObjectHash(t.Context())
	require.NoError(t, err)
	return h
}

// A broken upload is completed: what is right of it stays, what is not is replaced.
func TestBrokenUpload(t *testing.T) {
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"a": "aa", "b": "bb", "c": "cc", "large": text(5 << 20)})
	top := "LocalUpload/" + objectHash(t, dir) + "/rows/"
	b := w.blobs()
	require.NoError(t, put1(t, b, top+"a", "aa"))
	require.NoError(t, put1(t, b, top+"b", "broken"))
	before, err := b.client.NewBlobClient(top+"a").GetProperties(t.Context(), nil)
	require.NoError(t, err)
	up, err := NewDatastoreClient(w.c).Upload(t.Context(), dir, nil)
	require.NoError(t, err)
	require.False(t, up.Reused)
	out := t.TempDir()
	_, err = NewDatastoreClient(w.c).Download(t.Context(), up.ShortURI(), out, nil)
	require.NoError(t, err)
	require.Equal(t, readTree(t, dir), readTree(t, out))
	after, err := b.client.NewBlobClient(top+"a").GetProperties(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, *before.CreationTime, *after.CreationTime)
}

func put1(t *testing.T, b *box, name, text string) error {
	_, err := b.client.NewBlockBlobClient(name).UploadBuffer(t.Context(), []byte(text), &blockblob.UploadBufferOptions{})
	return err
}

// Somebody else was first: the same bytes are taken, others are not.
func TestUploadAfterSomebodyElse(t *testing.T) {
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"a": "aa", "b": "bb"})
	top := "LocalUpload/" + objectHash(t, dir) + "/rows/"
	require.NoError(t, put1(t, w.blobs(), top+"b", "bb"))
	_, err := NewDatastoreClient(w.c).Upload(t.Context(), dir, nil)
	require.NoError(t, err)

	dir = writeTree(t, map[string]string{"a": "other", "b": "bytes"})
	top = "LocalUpload/" + objectHash(t, dir) + "/rows/"
	require.NoError(t, put1(t, w.blobs(), top+"b", "wrong"))
	_, err = NewDatastoreClient(w.c).Upload(t.Context(), dir, nil)
	require.ErrorContains(t, err, "holds other bytes already")

	dir = writeTree(t, map[string]string{"a": text(100), "b": text(6 << 20)})
	var g sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		g.Go(func() { _, errs[i] = NewDatastoreClient(w.c).Upload(t.Context(), dir, nil) })
	}
	g.Wait()
	require.NoError(t, errors.Join(errs...))
}

func TestUploadRefuses(t *testing.T) {
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	_, err := stores.Upload(t.Context(), t.TempDir(), nil)
	require.ErrorContains(t, err, "is empty, or all its files are ignored")
	_, err = stores.Upload(t.Context(), writeTree(t, map[string]string{".amlignore": "*"}), nil)
	require.ErrorContains(t, err, "is empty, or all its files are ignored")
	_, err = stores.Upload(t.Context(), filepath.Join(t.TempDir(), "none"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Empty(t, w.calls, "nothing is asked before the files were looked at")

	w.put("datastores/share", map[string]any{"datastoreType": "AzureDataLakeGen1", "storeName": "s"})
	_, err = stores.Upload(t.Context(), writeTree(t, map[string]string{"a": "a"}), &UploadOptions{Datastore: "share"})
	require.ErrorContains(t, err, `the datastore "share" is a Data Lake Gen1 store; uploads and downloads work with blob, Data Lake Gen2 and file share datastores`)
	_, err = stores.Upload(t.Context(), writeTree(t, map[string]string{"a": "a"}), &UploadOptions{Datastore: "none"})
	require.ErrorIs(t, err, azureml.ErrNotFound)
	_, err = stores.Upload(t.Context(), writeTree(t, map[string]string{"a": "a"}), &UploadOptions{Datastore: "a/b"})
	require.ErrorContains(t, err, "no reference to a datastore")

	ctx, cancel := context.WithCancel(t.Context())
	_, err = stores.Upload(ctx, writeTree(t, map[string]string{"a": text(100), "b": text(30 << 20)}), &UploadOptions{Progress: func(p Progress) {
		if p.Phase == PhaseUpload && p.Bytes > 0 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)

	w.sasTime = -time.Hour
	_, err = stores.Upload(t.Context(), writeTree(t, map[string]string{"a": text(100)}), nil)
	re, ok := errors.AsType[*azcore.ResponseError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, 403, re.StatusCode)
	require.ErrorContains(t, err, "may have expired")
	require.NotContains(t, fmt.Sprintf("%+v", err), "sig=")
}

func TestDownloadRefuses(t *testing.T) {
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	b := w.blobs()
	require.NoError(t, put1(t, b, "models/ab/x", "x"))
	at := func(p string) string { return shortURI(BlobStore, p) }
	_, err := stores.Download(t.Context(), at("models/a"), t.TempDir(), nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.ErrorContains(t, err, "nothing is there")
	_, err = stores.Download(t.Context(), at("models/ab"), "", nil)
	require.ErrorContains(t, err, "is not named")
	_, err = stores.Download(t.Context(), "azureml:iris:1", t.TempDir(), nil)
	require.ErrorContains(t, err, "is no address of data")
	_, err = stores.Download(t.Context(), "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/d/paths/p", t.TempDir(), nil)
	require.ErrorContains(t, err, "is in the workspace other, not in w")
	long, err := stores.Download(t.Context(), "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/models", t.TempDir(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"ab/x"}, long.Files)

	// Names that leave the folder: nothing is written, there or in it.
	for i, name := range []string{"evil%d/../../out", "evil%d/..", "evil%d/a/../../../out"} {
		top := fmt.Sprintf("evil%d", i)
		name = fmt.Sprintf(name, i)
		if err := put1(t, b, name, "evil"); err != nil {
			t.Logf("the storage takes no blob %q: %v", name, err)
			continue
		}
		require.NoError(t, put1(t, b, top+"/good", "good"))
		dir := filepath.Join(t.TempDir(), "in", "dir")
		_, err := stores.Download(t.Context(), at(top), dir, nil)
		if found, lerr := b.list(t.Context(), top+"/"); lerr != nil || !slices.ContainsFunc(found, func(r remote) bool { return strings.Contains(r.name, "..") }) {
			t.Logf("the storage cleans %q", name)
			continue
		}
		require.ErrorContains(t, err, "outside of")
		require.NoDirExists(t, dir)
	}

	// A link in the folder that leads out of it is not followed.
	if runtime.GOOS != "windows" {
		dir, outside := t.TempDir(), t.TempDir()
		require.NoError(t, os.Symlink(outside, filepath.Join(dir, "ab")))
		_, err = stores.Download(t.Context(), at("models"), dir, nil)
		require.Error(t, err)
		require.Empty(t, readTree(t, outside))
	}

	// Two blobs for one file.
	require.NoError(t, put1(t, b, "twice/a//b", "1"))
	require.NoError(t, put1(t, b, "twice/a/b", "2"))
	_, err = stores.Download(t.Context(), at("twice"), t.TempDir(), nil)
	require.ErrorContains(t, err, "would be written to the same file")
	// A blob where another needs a folder.
	require.NoError(t, put1(t, b, "both/a", "file"))
	require.NoError(t, put1(t, b, "both/a/b/c", "below"))
	dir := filepath.Join(t.TempDir(), "both")
	_, err = stores.Download(t.Context(), at("both"), dir, nil)
	require.ErrorContains(t, err, `the blob "both/a" would be a file, and "both/a/b/c" needs a folder in its place`)
	require.NoDirExists(t, dir)
	d, err := stores.Download(t.Context(), at("both"), dir, &DownloadOptions{Match: []string{"/a/*"}})
	require.NoError(t, err)
	require.Equal(t, []string{"a/b/c"}, d.Files)
}

func TestDownloadOfJobsAndAddresses(t *testing.T) {
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	b := w.blobs()
	require.NoError(t, put1(t, b, "somewhere/model/MLmodel", "m"))
	require.NoError(t, put1(t, b, "azureml/j1/other/x", "x"))
	require.NoError(t, put1(t, b, "ExperimentRun/dcid.j1/model/MLmodel", "run"))
	w.docs["datastores/"+ArtifactStore] = w.docs["datastores/"+BlobStore]
	w.put("jobs/j1", map[string]any{"outputs": map[string]any{"model": map[string]any{"uri": shortURI(BlobStore, "somewhere/model/")}, "other": map[string]any{"uri": nil}}})
	for uri, want := range map[string]map[string]string{
		"azureml://jobs/j1/outputs/model":                 {"MLmodel": "m"},
		"azureml://jobs/j1/outputs/model/paths/MLmodel":   {"MLmodel": "m"},
		"azureml://jobs/j1/outputs/other/paths/":          {"x": "x"},
		"azureml://jobs/j1/outputs/artifacts/paths/model": {"MLmodel": "run"},
		"runs:/j1/model": {"MLmodel": "run"},
		"azureml://datastores/workspaceblobstore/ExperimentRun/dcid.j1/model": {"MLmodel": "run"},
		b.blobURL("somewhere/model"):                                          {"MLmodel": "m"},
	} {
		dir := t.TempDir()
		_, err := stores.Download(t.Context(), uri, dir, nil)
		require.NoError(t, err, uri)
		require.Equal(t, want, readTree(t, dir), uri)
	}
	_, err := stores.Download(t.Context(), "azureml://jobs/j1/outputs/none", t.TempDir(), nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
	_, err = stores.Download(t.Context(), "azureml://jobs/j2/outputs/model", t.TempDir(), nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
}
