package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/filesystem"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake/service"
	"github.com/stretchr/testify/require"
)

// lakeWitness is azdatalake with the account's key, over HTTP.
type lakeWitness struct {
	*storage
	service *service.Client
	lake    *filesystem.Client
}

// TestAzdatalake calls every method of azdatalake's clients on the local workspace.
func TestAzdatalake(t *testing.T) {
	t.Parallel()
	s := newStorage(t)
	key, err := azdatalake.NewSharedKeyCredential(s.account, s.key)
	require.NoError(t, err)
	o := policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}} // a refusal (501) would be asked for again
	c, err := service.NewClientWithSharedKeyCredential(s.url, key, &service.ClientOptions{ClientOptions: o})
	require.NoError(t, err)
	w := &lakeWitness{s, c, c.NewFileSystemClient("lake")}
	w.fileSystems()
	w.directories()
	w.files()
	w.lists()
	w.signatures()
	w.refusals()
	reasons := map[string]string{"filesystem.NewListDeletedPathsPager": "what is deleted is gone: there is no list to read"}
	for _, m := range []string{"BreakLease", "ChangeLease", "RenewLease", "ReleaseLease"} {
		for _, of := range []string{"lease.FileSystem.", "lease.Path."} {
			reasons[of+m] = "needs a lease, and AcquireLease is refused"
		}
	}
	all := []any{(*service.Client)(nil), (*filesystem.Client)(nil), (*directory.Client)(nil), (*file.Client)(nil), (*lease.FileSystemClient)(nil), (*lease.PathClient)(nil)}
	testifies(t, &witness{Name: "azdatalake", Version: moduleVersion(t, "github.com/Azure/azure-sdk-for-go/sdk/storage/azdatalake"), What: "the local workspace, over HTTP", Unit: "methods of its clients", Operations: s.operations(all, reasons)})
}

func (w *lakeWitness) fileSystems() {
	ctx := w.Context()
	for _, n := range []string{"service.DFSURL", "service.BlobURL", "service.NewFileSystemClient", "filesystem.DFSURL", "filesystem.BlobURL", "filesystem.NewDirectoryClient", "filesystem.NewFileClient", "directory.DFSURL", "directory.BlobURL", "file.DFSURL", "file.BlobURL"} {
		w.ok(n, nil) // the rest uses what it gives
	}
	w.equal("filesystem.DFSURL", w.url+"/lake", w.lake.DFSURL())
	_, err := w.lake.Create(ctx, &filesystem.CreateOptions{Metadata: map[string]*string{"a": ptr("b")}})
	w.ok("filesystem.Create", err)
	_, err = w.lake.Create(ctx, nil)
	w.fails("FileSystemAlreadyExists", "filesystem.Create", err)
	p, err := w.lake.GetProperties(ctx, nil)
	w.ok("filesystem.GetProperties", err)
	w.want("filesystem.GetProperties", err == nil && *p.Metadata["A"] == "b", "%v", p.Metadata)
	_, err = w.lake.SetMetadata(ctx, &filesystem.SetMetadataOptions{Metadata: map[string]*string{"c": ptr("d")}})
	w.ok("filesystem.SetMetadata", err)
	_, err = w.lake.GetAccessPolicy(ctx, nil)
	w.ok("filesystem.GetAccessPolicy", err)
	_, err = w.lake.SetAccessPolicy(ctx, nil)
	w.refuses("filesystem.SetAccessPolicy", err)
	_, err = w.service.GetProperties(ctx, nil)
	w.ok("service.GetProperties", err)
	_, err = w.service.SetProperties(ctx, &service.SetPropertiesOptions{HourMetrics: &service.Metrics{Enabled: ptr(false)}})
	w.refuses("service.SetProperties", err)
	for _, name := range []string{"lake-2", "lake-3"} {
		_, err = w.service.CreateFileSystem(ctx, name, nil)
		w.ok("service.CreateFileSystem", err)
	}
	pages, err := allPages(w.T, w.service.NewListFileSystemsPager(&service.ListFileSystemsOptions{Prefix: ptr("lake"), MaxResults: ptr[int32](2)}))
	w.ok("service.NewListFileSystemsPager", err)
	var names []string
	for _, page := range pages {
		for _, f := range page.FileSystemItems {
			names = append(names, *f.Name)
		}
	}
	w.equal("service.NewListFileSystemsPager", []string{"lake", "lake-2", "lake-3"}, names)
	_, err = w.service.DeleteFileSystem(ctx, "lake-2", nil)
	w.ok("service.DeleteFileSystem", err)
	_, err = w.service.NewFileSystemClient("lake-3").Delete(ctx, nil)
	w.ok("filesystem.Delete", err)
	_, err = w.service.DeleteFileSystem(ctx, "lake-2", nil)
	w.fails("FileSystemNotFound", "service.DeleteFileSystem", err)
}

func (w *lakeWitness) directories() {
	ctx := w.Context()
	d := w.lake.NewDirectoryClient("dir")
	_, err := d.Create(ctx, nil)
	w.ok("directory.Create", err)
	_, err = w.lake.CreateDirectory(ctx, "dir-2", nil)
	w.ok("filesystem.CreateDirectory", err)
	_, err = w.lake.CreateFile(ctx, "dir/file", nil)
	w.ok("filesystem.CreateFile", err)
	_, err = d.SetMetadata(ctx, map[string]*string{"x": ptr("y")}, nil)
	w.ok("directory.SetMetadata", err)
	_, err = d.SetHTTPHeaders(ctx, directory.HTTPHeaders{CacheControl: ptr("no-cache")}, nil)
	w.ok("directory.SetHTTPHeaders", err)
	p, err := d.GetProperties(ctx, nil)
	w.ok("directory.GetProperties", err)
	w.want("directory.GetProperties", err == nil && *p.Metadata["X"] == "y", "%v", p.Metadata)
	acl, err := d.GetAccessControl(ctx, nil)
	w.ok("directory.GetAccessControl", err)
	w.want("directory.GetAccessControl", err == nil && *acl.Owner == "$superuser", "%v", acl)
	sub, err := d.NewSubdirectoryClient("sub")
	w.ok("directory.NewSubdirectoryClient", err)
	_, err = sub.Create(ctx, nil)
	w.ok("directory.Create", err)
	f, err := sub.NewFileClient("f")
	w.ok("directory.NewFileClient", err)
	_, err = f.Create(ctx, nil)
	w.ok("file.Create", err)
	_, err = d.Rename(ctx, "moved", nil)
	w.ok("directory.Rename", err)
	_, err = w.lake.NewFileClient("moved/sub/f").GetProperties(ctx, nil)
	w.ok("directory.Rename", err)
	_, err = d.GetProperties(ctx, nil)
	w.fails("PathNotFound", "directory.GetProperties", err)
	_, err = w.lake.NewDirectoryClient("moved").Delete(ctx, nil)
	w.ok("directory.Delete", err)
	_, err = w.lake.NewDirectoryClient("moved").Delete(ctx, nil)
	w.fails("PathNotFound", "directory.Delete", err)
}

func (w *lakeWitness) files() {
	ctx := w.Context()
	f := w.lake.NewFileClient("data/one.txt")
	_, err := f.Create(ctx, &file.CreateOptions{HTTPHeaders: &file.HTTPHeaders{ContentType: ptr("text/plain")}})
	w.ok("file.Create", err)
	_, err = f.Create(ctx, &file.CreateOptions{AccessConditions: &file.AccessConditions{ModifiedAccessConditions: &file.ModifiedAccessConditions{IfNoneMatch: ptr(azcore.ETagAny)}}})
	w.fails("PathAlreadyExists", "file.Create", err)
	_, err = f.AppendData(ctx, 0, body("hello "), nil)
	w.ok("file.AppendData", err)
	_, err = f.AppendData(ctx, 6, body("world"), nil)
	w.ok("file.AppendData", err)
	_, err = f.FlushData(ctx, 11, nil)
	w.ok("file.FlushData", err)
	r, err := f.DownloadStream(ctx, &file.DownloadStreamOptions{Range: &file.HTTPRange{Offset: 6, Count: 3}})
	w.ok("file.DownloadStream", err)
	w.equal("file.DownloadStream", "wor", read(w.T, r.Body))
	_, err = f.SetHTTPHeaders(ctx, file.HTTPHeaders{ContentType: ptr("text/csv")}, nil)
	w.ok("file.SetHTTPHeaders", err)
	_, err = f.SetMetadata(ctx, map[string]*string{"x": ptr("y")}, nil)
	w.ok("file.SetMetadata", err)
	p, err := f.GetProperties(ctx, nil)
	w.ok("file.GetProperties", err)
	w.want("file.GetProperties", err == nil && *p.ContentType == "text/csv" && *p.Metadata["X"] == "y" && *p.ContentLength == 11, "%v", p)
	_, err = f.GetAccessControl(ctx, nil)
	w.ok("file.GetAccessControl", err)

	data := bytes.Repeat([]byte("0123456789"), 300_000)
	b := w.lake.NewFileClient("data/big")
	_, err = b.Create(ctx, nil)
	w.ok("file.Create", err)
	w.ok("file.UploadBuffer", b.UploadBuffer(ctx, data, &file.UploadBufferOptions{ChunkSize: 1 << 20}))
	got := make([]byte, len(data))
	_, err = b.DownloadBuffer(ctx, got, &file.DownloadBufferOptions{ChunkSize: 1 << 20})
	w.ok("file.DownloadBuffer", err)
	w.want("file.UploadBuffer", bytes.Equal(data, got), "other bytes")
	_, err = b.Create(ctx, nil)
	w.ok("file.Create", err)
	w.ok("file.UploadStream", b.UploadStream(ctx, bytes.NewReader(data), &file.UploadStreamOptions{ChunkSize: 1 << 20}))
	local, err := os.Create(filepath.Join(w.TempDir(), "f"))
	require.NoError(w, err)
	defer local.Close()
	_, err = b.DownloadFile(ctx, local, &file.DownloadFileOptions{ChunkSize: 1 << 20})
	w.ok("file.DownloadFile", err)
	got, err = os.ReadFile(local.Name())
	require.NoError(w, err)
	w.want("file.DownloadFile", bytes.Equal(data, got), "other bytes")
	_, err = b.Create(ctx, nil)
	w.ok("file.Create", err)
	w.ok("file.UploadFile", b.UploadFile(ctx, local, &file.UploadFileOptions{ChunkSize: 1 << 20}))
	p, err = b.GetProperties(ctx, nil)
	w.ok("file.GetProperties", err)
	w.equal("file.UploadFile", int64(len(data)), *p.ContentLength)
	_, err = b.Rename(ctx, "data/renamed", nil)
	w.ok("file.Rename", err)
	_, err = w.lake.NewFileClient("data/renamed").Delete(ctx, nil)
	w.ok("file.Delete", err)
	_, err = b.Delete(ctx, nil)
	w.fails("PathNotFound", "file.Delete", err)
}

func (w *lakeWitness) lists() {
	ctx := w.Context()
	for _, name := range []string{"tree/a/1", "tree/a/2", "tree/b/1", "tree/c"} {
		_, err := w.lake.NewFileClient(name).Create(ctx, nil)
		w.ok("file.Create", err)
	}
	pages, err := allPages(w.T, w.lake.NewListPathsPager(true, &filesystem.ListPathsOptions{Prefix: ptr("tree"), MaxResults: ptr[int32](2)}))
	w.ok("filesystem.NewListPathsPager", err)
	var names []string
	for _, page := range pages {
		for _, p := range page.Paths {
			names = append(names, *p.Name)
		}
	}
	w.equal("filesystem.NewListPathsPager", []string{"tree/a", "tree/a/1", "tree/a/2", "tree/b", "tree/b/1", "tree/c"}, names)
	w.equal("filesystem.NewListPathsPager", 3, len(pages))
	dirs, err := allPages(w.T, w.lake.NewListDirectoryPathsPager(&filesystem.ListDirectoryPathsOptions{Prefix: ptr("tree/")}))
	if err != nil {
		w.refuses("filesystem.NewListDirectoryPathsPager", err)
		return
	}
	w.ok("filesystem.NewListDirectoryPathsPager", nil)
	w.want("filesystem.NewListDirectoryPathsPager", len(dirs) > 0, "none")
}

func (w *lakeWitness) signatures() {
	ctx := w.Context()
	address, err := w.service.GetSASURL(sas.AccountResourceTypes{Service: true, Container: true, Object: true}, sas.AccountPermissions{Read: true, List: true}, soon(), nil)
	w.ok("service.GetSASURL", err)
	all, err := service.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	_, err = allPages(w.T, all.NewListFileSystemsPager(nil))
	w.ok("service.GetSASURL", err)
	address, err = w.lake.GetSASURL(sas.FileSystemPermissions{Read: true, List: true}, soon(), nil)
	w.ok("filesystem.GetSASURL", err)
	fs, err := filesystem.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	_, err = allPages(w.T, fs.NewListPathsPager(true, nil))
	w.ok("filesystem.GetSASURL", err)
	_, err = fs.NewFileClient("data/one.txt").Delete(ctx, nil)
	w.fails("AuthorizationPermissionMismatch", "file.Delete", err)
	address, err = w.lake.NewFileClient("data/one.txt").GetSASURL(sas.FilePermissions{Read: true}, soon(), nil)
	w.ok("file.GetSASURL", err)
	w.readable("file.GetSASURL", address)
	address, err = w.lake.NewDirectoryClient("data").GetSASURL(sas.DirectoryPermissions{Read: true, List: true}, soon(), nil)
	w.ok("directory.GetSASURL", err)
	at, signature, _ := strings.Cut(address, "?")
	w.readable("directory.GetSASURL", at+"/one.txt?"+signature)
	_, err = w.anyone(strings.TrimSuffix(at, "data")+"tree/c?"+signature).GetProperties(ctx, nil)
	w.fails("AuthenticationFailed", "directory.GetSASURL", err)

	c, err := service.NewClient("https://"+w.account+".dfs.core.windows.net/", w.lw.Credential(), &service.ClientOptions{ClientOptions: policy.ClientOptions{Transport: w.lw.Transport()}})
	require.NoError(w, err)
	_, err = c.GetUserDelegationCredential(ctx, service.KeyInfo{Start: ptr("2026-01-01T00:00:00Z"), Expiry: ptr(soon().UTC().Format(sas.TimeFormat))}, nil)
	w.ok("service.GetUserDelegationCredential", err)
	_, err = c.NewFileSystemClient("lake").NewFileClient("data/one.txt").GetProperties(ctx, nil)
	w.ok("file.GetProperties", err)
}

// anyone is a client without a key. azdatalake's own trips over itself without a
// credential (FormatGetPropertiesResponse of a response that it did not keep), so it is azblob's.
func (w *lakeWitness) anyone(address string) *blob.Client {
	c, err := blob.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	return c
}

func (w *lakeWitness) readable(name, address string) {
	w.Helper()
	r, err := w.anyone(address).DownloadStream(w.Context(), nil)
	w.ok(name, err)
	w.equal(name, "hello world", read(w.T, r.Body))
}

func (w *lakeWitness) refusals() {
	ctx := w.Context()
	d, f := w.lake.NewDirectoryClient("data"), w.lake.NewFileClient("data/one.txt")
	_, err := d.SetAccessControl(ctx, &directory.SetAccessControlOptions{Permissions: ptr("0777")})
	w.refuses("directory.SetAccessControl", err)
	_, err = d.SetAccessControlRecursive(ctx, "user::rwx", nil)
	w.refuses("directory.SetAccessControlRecursive", err)
	_, err = d.UpdateAccessControlRecursive(ctx, "user::rwx", nil)
	w.refuses("directory.UpdateAccessControlRecursive", err)
	_, err = d.RemoveAccessControlRecursive(ctx, "user:x", nil)
	w.refuses("directory.RemoveAccessControlRecursive", err)
	_, err = f.SetAccessControl(ctx, &file.SetAccessControlOptions{Permissions: ptr("0777")})
	w.refuses("file.SetAccessControl", err)
	_, err = f.UpdateAccessControl(ctx, "user::rwx", nil)
	w.refuses("file.UpdateAccessControl", err)
	_, err = f.RemoveAccessControl(ctx, "user:x", nil)
	w.refuses("file.RemoveAccessControl", err)
	_, err = f.SetExpiry(ctx, file.SetExpiryValues{ExpiryType: file.SetExpiryTypeNeverExpire}, nil)
	w.refuses("file.SetExpiry", err)
	fl, err := lease.NewFileSystemClient(w.lake, nil)
	require.NoError(w, err)
	_, err = fl.AcquireLease(ctx, 15, nil)
	w.refuses("lease.FileSystem.AcquireLease", err)
	pl, err := lease.NewPathClient(f, nil)
	require.NoError(w, err)
	_, err = pl.AcquireLease(ctx, 15, nil)
	w.refuses("lease.Path.AcquireLease", err)
	w.ok("lease.FileSystem.LeaseID", nil)
	w.ok("lease.Path.LeaseID", nil)
	w.want("lease.Path.LeaseID", fl.LeaseID() != nil && pl.LeaseID() != nil, "none")
}
