package assets

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

// fileShare makes a share and a datastore on it.
func (w *world) fileShare() string {
	w.Helper()
	if os.Getenv("AZUREML_TEST_BLOB_URL") != "" {
		w.Skip("Azurite has no file shares")
	}
	name := "share-" + uuid.NewString()
	cred, err := share.NewSharedKeyCredential(w.account, w.key)
	require.NoError(w, err)
	c, err := share.NewClientWithSharedKeyCredential(fmt.Sprintf("http://%s/%s/%s", w.storage, w.account, name), cred, nil)
	require.NoError(w, err)
	_, err = c.Create(w.Context(), nil)
	require.NoError(w, err)
	w.withKey = true
	w.put("datastores/files", map[string]any{
		"datastoreType": "AzureFile", "accountName": w.account, "fileShareName": name, "containerName": name, "endpoint": w.storage, "protocol": "http",
		"credentials": map[string]any{"credentialsType": "AccountKey"},
	})
	return name
}

// sameTree compares trees whose contents are too long to be shown.
func sameTree(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name := range want {
		require.Contains(t, got, name)
		require.Equal(t, len(want[name]), len(got[name]), name)
		require.True(t, want[name] == got[name], "%s differs", name)
	}
	require.Len(t, got, len(want))
}

func TestFileShares(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fileShare()
	stores := NewDatastoreClient(w.c)
	files := map[string]string{"a.csv": "1,2\n", "empty": "", "sub/b c.txt": "b", "sub/deep/d": text(5000), "big.bin": text(9<<20 + 17)}
	dir := writeTree(t, files)
	up, err := stores.Upload(t.Context(), dir, &UploadOptions{Datastore: "files"})
	require.NoError(t, err)
	require.False(t, up.Reused)
	again, err := stores.Upload(t.Context(), dir, &UploadOptions{Datastore: "files"})
	require.NoError(t, err)
	require.True(t, again.Reused)

	out := t.TempDir()
	_, err = stores.Download(t.Context(), up.ShortURI(), out, nil)
	require.NoError(t, err)
	sameTree(t, files, readTree(t, out))
	one := t.TempDir()
	_, err = stores.Download(t.Context(), up.ShortURI()+"/sub/b c.txt", one, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"b c.txt": "b"}, readTree(t, one))
	_, err = stores.Download(t.Context(), "azureml://datastores/files/paths/none", t.TempDir(), nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)

	uri := "azureml://datastores/files/paths/mirror"
	r, err := stores.Sync(t.Context(), dir, uri, nil)
	require.NoError(t, err)
	require.Len(t, r.Uploaded, len(files))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.csv"), []byte("3,4\n"), 0o644))
	require.NoError(t, os.Remove(filepath.Join(dir, "empty")))
	r, err = stores.Sync(t.Context(), dir, uri, &SyncOptions{Delete: true})
	require.NoError(t, err)
	require.Equal(t, []string{"a.csv"}, r.Uploaded)
	require.Equal(t, []string{"empty"}, r.Deleted)
	out = t.TempDir()
	_, err = stores.Download(t.Context(), uri, out, nil)
	require.NoError(t, err)
	sameTree(t, readTree(t, dir), readTree(t, out))

	// Folders that are gone go too, the inner ones first.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "sub")))
	for _, dry := range []bool{true, false} {
		r, err = stores.Sync(t.Context(), dir, uri, &SyncOptions{Delete: true, DryRun: dry})
		require.NoError(t, err)
		require.Equal(t, []string{"sub/", "sub/b c.txt", "sub/deep/", "sub/deep/d"}, r.Deleted)
	}
	out = t.TempDir()
	_, err = stores.Download(t.Context(), uri, out, nil)
	require.NoError(t, err)
	require.NoDirExists(t, filepath.Join(out, "sub"))

	data, err := NewDataClient(w.c).Create(t.Context(), &Data{Name: "rows", Path: dir, Datastore: "files"}, nil)
	require.NoError(t, err)
	require.Contains(t, data.Path, "azureml://datastores/files/paths/LocalUpload/")
}

// A Data Lake's uploads are confirmed on the folder of the hash, where azure-ai-ml looks for it.
func TestDataLake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.makeContainer("lake-" + w.account)
	w.put("datastores/lake", map[string]any{
		"datastoreType": "AzureDataLakeGen2", "accountName": w.account, "filesystem": "lake-" + w.account, "containerName": "lake-" + w.account, "endpoint": w.storage, "protocol": "http",
		"credentials": map[string]any{"credentialsType": "AccountKey"},
	})
	w.withKey = true
	stores := NewDatastoreClient(w.c)
	dir := writeTree(t, map[string]string{"a": text(50), "sub/b": "b"})
	up, err := stores.Upload(t.Context(), dir, &UploadOptions{Datastore: "lake"})
	require.NoError(t, err)
	b, err := openContainer(w.c, "http", w.account, w.storage, "lake-"+w.account, access{key: w.key})
	require.NoError(t, err)
	mark, err := b.stat(t.Context(), "LocalUpload/"+objectHash(t, dir))
	require.NoError(t, err)
	require.NotNil(t, mark)
	require.True(t, mark.folder)
	require.Equal(t, "completed", metadata(mark.meta, "upload_status"))
	again, err := stores.Upload(t.Context(), dir, &UploadOptions{Datastore: "lake"})
	require.NoError(t, err)
	require.True(t, again.Reused)
	out := t.TempDir()
	d, err := stores.Download(t.Context(), up.ShortURI(), out, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "sub/b"}, d.Files)
	sameTree(t, readTree(t, dir), readTree(t, out))

	// Folders of the lake are folders: they come when they are empty too, and go when a sync finds them empty.
	for _, name := range []string{"m/old", "m/old/deep", "m/logs"} {
		require.NoError(t, b.put(t.Context(), name, nil, emptySum, condition{}))
		require.NoError(t, b.mark(t.Context(), name, map[string]string{"hdi_isfolder": "true"}))
	}
	require.NoError(t, put1(t, b, "m/old/deep/x", "x"))
	require.NoError(t, put1(t, b, "m/logs/kept.log", "kept"))
	out = t.TempDir()
	d, err = stores.Download(t.Context(), "azureml://datastores/lake/paths/m", out, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"logs/kept.log", "old/deep/x"}, d.Files)
	ignore, err := ParseIgnore([]byte("*.log"))
	require.NoError(t, err)
	r, err := stores.Sync(t.Context(), dir, "azureml://datastores/lake/paths/m", &SyncOptions{Delete: true, Ignore: ignore})
	require.NoError(t, err)
	require.Equal(t, []string{"old/", "old/deep/", "old/deep/x"}, r.Deleted)
	out = t.TempDir()
	d, err = stores.Download(t.Context(), "azureml://datastores/lake/paths/m", out, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "logs/kept.log", "sub/b"}, d.Files)
	require.NoDirExists(t, filepath.Join(out, "old"))
}
