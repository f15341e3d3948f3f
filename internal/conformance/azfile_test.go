package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/service"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"
	"github.com/stretchr/testify/require"
)

// fileWitness is azfile with the account's key, over HTTP.
type fileWitness struct {
	*storage
	service *service.Client
	share   *share.Client
	options policy.ClientOptions
}

// TestAzfile calls every method of azfile's clients on the local workspace.
func TestAzfile(t *testing.T) {
	t.Parallel()
	s := newStorage(t)
	key, err := service.NewSharedKeyCredential(s.account, s.key)
	require.NoError(t, err)
	o := policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}} // a refusal (501) would be asked for again
	c, err := service.NewClientWithSharedKeyCredential(s.url+".file", key, &service.ClientOptions{ClientOptions: o})
	require.NoError(t, err)
	w := &fileWitness{s, c, c.NewShareClient("share"), o}
	w.shares()
	w.directories()
	w.files()
	w.ranges()
	w.signatures()
	w.refusals()
	reasons := map[string]string{}
	for _, m := range []string{"File.Break", "File.Change", "File.Release", "Share.Break", "Share.Change", "Share.Release", "Share.Renew"} {
		reasons["lease."+m] = "needs a lease, and Acquire is refused"
	}
	all := []any{(*service.Client)(nil), (*share.Client)(nil), (*directory.Client)(nil), (*file.Client)(nil), (*lease.FileClient)(nil), (*lease.ShareClient)(nil)}
	testifies(t, &witness{Name: "azfile", Version: moduleVersion(t, "github.com/Azure/azure-sdk-for-go/sdk/storage/azfile"), What: "the local workspace, over HTTP", Unit: "methods of its clients", Operations: s.operations(all, reasons)})
}

func (w *fileWitness) shares() {
	ctx := w.Context()
	for _, n := range []string{"service.URL", "service.NewShareClient", "share.URL", "share.NewDirectoryClient", "share.NewRootDirectoryClient", "directory.URL", "directory.NewFileClient", "directory.NewSubdirectoryClient", "file.URL"} {
		w.ok(n, nil) // the rest uses what it gives
	}
	w.equal("share.URL", w.url+".file/share", w.share.URL())
	_, err := w.share.Create(ctx, &share.CreateOptions{Metadata: map[string]*string{"a": ptr("b")}})
	w.ok("share.Create", err)
	_, err = w.share.Create(ctx, nil)
	w.fails("ShareAlreadyExists", "share.Create", err)
	p, err := w.share.GetProperties(ctx, nil)
	w.ok("share.GetProperties", err)
	w.want("share.GetProperties", err == nil && *p.Metadata["A"] == "b" && p.ETag != nil, "%v", p)
	_, err = w.share.SetMetadata(ctx, &share.SetMetadataOptions{Metadata: map[string]*string{"c": ptr("d")}})
	w.ok("share.SetMetadata", err)
	acl, err := w.share.GetAccessPolicy(ctx, nil)
	w.ok("share.GetAccessPolicy", err)
	w.want("share.GetAccessPolicy", len(acl.SignedIdentifiers) == 0, "%v", acl)
	_, err = w.service.GetProperties(ctx, nil)
	w.ok("service.GetProperties", err)
	for _, name := range []string{"share-2", "share-3", "share-4"} {
		_, err = w.service.CreateShare(ctx, name, nil)
		w.ok("service.CreateShare", err)
	}
	pages, err := allPages(w.T, w.service.NewListSharesPager(&service.ListSharesOptions{Prefix: ptr("share"), MaxResults: ptr[int32](2)}))
	w.ok("service.NewListSharesPager", err)
	var names []string
	for _, page := range pages {
		for _, s := range page.Shares {
			names = append(names, *s.Name)
		}
	}
	w.equal("service.NewListSharesPager", []string{"share", "share-2", "share-3", "share-4"}, names)
	w.equal("service.NewListSharesPager", 2, len(pages))
	_, err = w.service.DeleteShare(ctx, "share-2", nil)
	w.ok("service.DeleteShare", err)
	_, err = w.service.NewShareClient("share-3").Delete(ctx, nil)
	w.ok("share.Delete", err)
	_, err = w.service.DeleteShare(ctx, "share-2", nil)
	w.fails("ShareNotFound", "service.DeleteShare", err)
}

func (w *fileWitness) directories() {
	ctx := w.Context()
	d := w.share.NewDirectoryClient("dir")
	_, err := d.Create(ctx, &directory.CreateOptions{Metadata: map[string]*string{"k": ptr("v")}})
	w.ok("directory.Create", err)
	_, err = d.Create(ctx, nil)
	w.fails("ResourceAlreadyExists", "directory.Create", err)
	_, err = d.SetMetadata(ctx, &directory.SetMetadataOptions{Metadata: map[string]*string{"x": ptr("y")}})
	w.ok("directory.SetMetadata", err)
	_, err = d.SetProperties(ctx, nil)
	w.ok("directory.SetProperties", err)
	p, err := d.GetProperties(ctx, nil)
	w.ok("directory.GetProperties", err)
	w.want("directory.GetProperties", err == nil && len(p.Metadata) == 1 && *p.Metadata["X"] == "y", "%v", p.Metadata)
	for _, name := range []string{"one", "two"} {
		_, err = d.NewSubdirectoryClient(name).Create(ctx, nil)
		w.ok("directory.Create", err)
	}
	for _, name := range []string{"a.txt", "b.txt", "c.txt"} {
		err := d.NewFileClient(name).UploadBuffer(ctx, []byte(name), nil)
		if err != nil { // a file is created first
			_, err = d.NewFileClient(name).Create(ctx, int64(len(name)), nil)
			w.ok("file.Create", err)
			err = d.NewFileClient(name).UploadBuffer(ctx, []byte(name), nil)
		}
		w.ok("file.UploadBuffer", err)
	}
	pages, err := allPages(w.T, d.NewListFilesAndDirectoriesPager(&directory.ListFilesAndDirectoriesOptions{MaxResults: ptr[int32](2)}))
	w.ok("directory.NewListFilesAndDirectoriesPager", err)
	found := map[string]int64{}
	for _, page := range pages {
		for _, x := range page.Segment.Directories {
			found[*x.Name] = -1
		}
		for _, x := range page.Segment.Files {
			found[*x.Name] = *x.Properties.ContentLength
		}
	}
	w.equal("directory.NewListFilesAndDirectoriesPager", map[string]int64{"one": -1, "two": -1, "a.txt": 5, "b.txt": 5, "c.txt": 5}, found)
	w.want("directory.NewListFilesAndDirectoriesPager", len(pages) == 3, "%d pages", len(pages))
	h, err := d.ListHandles(ctx, nil)
	w.ok("directory.ListHandles", err)
	w.want("directory.ListHandles", len(h.Handles) == 0, "%v", h.Handles)
	_, err = d.ForceCloseHandles(ctx, "*", nil)
	w.ok("directory.ForceCloseHandles", err)
	_, err = d.Rename(ctx, "moved", nil)
	w.ok("directory.Rename", err)
	_, err = w.share.NewDirectoryClient("moved").NewFileClient("b.txt").GetProperties(ctx, nil)
	w.ok("directory.Rename", err)
	_, err = w.share.NewDirectoryClient("moved").Delete(ctx, nil)
	w.fails("DirectoryNotEmpty", "directory.Delete", err)
	_, err = w.share.NewDirectoryClient("moved").NewSubdirectoryClient("one").Delete(ctx, nil)
	w.ok("directory.Delete", err)
	_, err = d.GetProperties(ctx, nil)
	w.fails("ResourceNotFound", "directory.GetProperties", err)
	_, err = w.share.NewDirectoryClient("none").NewSubdirectoryClient("below").Create(ctx, nil)
	w.fails("ParentNotFound", "directory.Create", err)
}

func (w *fileWitness) files() {
	ctx := w.Context()
	root := w.share.NewRootDirectoryClient()
	f := root.NewFileClient("data.bin")
	data := bytes.Repeat([]byte("0123456789"), 600_000)
	_, err := f.Create(ctx, int64(len(data)), &file.CreateOptions{Metadata: map[string]*string{"k": ptr("v")}, HTTPHeaders: &file.HTTPHeaders{ContentType: ptr("text/plain")}})
	w.ok("file.Create", err)
	w.ok("file.UploadBuffer", f.UploadBuffer(ctx, data, &file.UploadBufferOptions{ChunkSize: 1 << 20, Concurrency: 3}))
	got := make([]byte, len(data))
	n, err := f.DownloadBuffer(ctx, got, &file.DownloadBufferOptions{ChunkSize: 1 << 20})
	w.ok("file.DownloadBuffer", err)
	w.want("file.DownloadBuffer", n == int64(len(data)) && bytes.Equal(data, got), "%d other bytes", n)
	data[0] = 'x'
	w.ok("file.UploadStream", f.UploadStream(ctx, bytes.NewReader(data), &file.UploadStreamOptions{ChunkSize: 1 << 20}))
	name := filepath.Join(w.TempDir(), "f")
	require.NoError(w, os.WriteFile(name, data, 0o600))
	local, err := os.Open(name)
	require.NoError(w, err)
	defer local.Close()
	w.ok("file.UploadFile", f.UploadFile(ctx, local, &file.UploadFileOptions{ChunkSize: 1 << 20}))
	into, err := os.Create(filepath.Join(w.TempDir(), "into"))
	require.NoError(w, err)
	defer into.Close()
	_, err = f.DownloadFile(ctx, into, &file.DownloadFileOptions{ChunkSize: 1 << 20})
	w.ok("file.DownloadFile", err)
	got, err = os.ReadFile(into.Name())
	require.NoError(w, err)
	w.want("file.UploadFile", bytes.Equal(data, got), "%d other bytes", len(got))
	r, err := f.DownloadStream(ctx, &file.DownloadStreamOptions{Range: file.HTTPRange{Offset: 8, Count: 4}})
	w.ok("file.DownloadStream", err)
	w.equal("file.DownloadStream", "8901", read(w.T, r.Body))
	_, err = f.SetHTTPHeaders(ctx, &file.SetHTTPHeadersOptions{HTTPHeaders: &file.HTTPHeaders{ContentType: ptr("text/csv")}})
	w.ok("file.SetHTTPHeaders", err)
	_, err = f.SetMetadata(ctx, &file.SetMetadataOptions{Metadata: map[string]*string{"x": ptr("y")}})
	w.ok("file.SetMetadata", err)
	p, err := f.GetProperties(ctx, nil)
	w.ok("file.GetProperties", err)
	w.want("file.GetProperties", err == nil && *p.ContentType == "text/csv" && *p.Metadata["X"] == "y" && *p.ContentLength == int64(len(data)), "%v", p)
	h, err := f.ListHandles(ctx, nil)
	w.ok("file.ListHandles", err)
	w.want("file.ListHandles", len(h.Handles) == 0, "%v", h.Handles)
	_, err = f.ForceCloseHandles(ctx, "*", nil)
	w.ok("file.ForceCloseHandles", err)
	source, err := f.GetSASURL(sas.FilePermissions{Read: true}, soon(), nil)
	w.ok("file.GetSASURL", err)
	c := root.NewFileClient("copied")
	started, err := c.StartCopyFromURL(ctx, source, nil)
	w.ok("file.StartCopyFromURL", err)
	w.want("file.StartCopyFromURL", err == nil && *started.CopyStatus == file.CopyStatusTypeSuccess, "%v", started)
	_, err = c.AbortCopy(ctx, "00000000-0000-0000-0000-000000000000", nil)
	w.fails("NoPendingCopyOperation", "file.AbortCopy", err)
	_, err = c.Rename(ctx, "renamed", nil)
	w.ok("file.Rename", err)
	_, err = root.NewFileClient("renamed").Delete(ctx, nil)
	w.ok("file.Delete", err)
	_, err = root.NewFileClient("renamed").Delete(ctx, nil)
	w.fails("ResourceNotFound", "file.Delete", err)
}

func (w *fileWitness) ranges() {
	ctx := w.Context()
	f := w.share.NewRootDirectoryClient().NewFileClient("sparse")
	_, err := f.Create(ctx, 4096, nil)
	w.ok("file.Create", err)
	_, err = f.UploadRange(ctx, 4092, body("tail"), nil)
	w.ok("file.UploadRange", err)
	_, err = f.UploadRange(ctx, 0, body("head"), nil)
	w.ok("file.UploadRange", err)
	_, err = f.UploadRange(ctx, 4094, body("beyond"), nil)
	w.fails("InvalidRange", "file.UploadRange", err)
	list, err := f.GetRangeList(ctx, nil)
	w.ok("file.GetRangeList", err)
	w.want("file.GetRangeList", len(list.Ranges) > 0, "none")
	_, err = f.ClearRange(ctx, file.HTTPRange{Offset: 0, Count: 512}, nil)
	w.ok("file.ClearRange", err)
	r, err := f.DownloadStream(ctx, nil)
	w.ok("file.DownloadStream", err)
	w.equal("file.ClearRange", strings.Repeat("\x00", 4092)+"tail", read(w.T, r.Body))
	_, err = f.Resize(ctx, 10, nil)
	w.ok("file.Resize", err)
	p, err := f.GetProperties(ctx, nil)
	w.ok("file.GetProperties", err)
	w.equal("file.Resize", int64(10), *p.ContentLength)
}

func (w *fileWitness) signatures() {
	ctx := w.Context()
	address, err := w.service.GetSASURL(sas.AccountResourceTypes{Service: true, Container: true, Object: true}, sas.AccountPermissions{Read: true, List: true}, soon(), nil)
	w.ok("service.GetSASURL", err)
	all, err := service.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	_, err = allPages(w.T, all.NewListSharesPager(nil))
	w.ok("service.GetSASURL", err)
	_, err = all.CreateShare(ctx, "not", nil)
	w.fails("AuthorizationPermissionMismatch", "service.CreateShare", err)
	address, err = w.share.GetSASURL(sas.SharePermissions{Read: true, List: true}, soon(), nil)
	w.ok("share.GetSASURL", err)
	one, err := share.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	_, err = allPages(w.T, one.NewRootDirectoryClient().NewListFilesAndDirectoriesPager(nil))
	w.ok("share.GetSASURL", err)
	_, err = one.NewRootDirectoryClient().NewFileClient("sparse").Delete(ctx, nil)
	w.fails("AuthorizationPermissionMismatch", "file.Delete", err)

	o := policy.ClientOptions{Transport: w.lw.Transport()}
	c, err := service.NewClient("https://"+w.account+".file.core.windows.net/", w.lw.Credential(), &service.ClientOptions{ClientOptions: o, FileRequestIntent: ptr(service.ShareTokenIntentBackup)})
	require.NoError(w, err)
	_, err = c.GetUserDelegationCredential(ctx, service.KeyInfo{Start: ptr("2026-01-01T00:00:00Z"), Expiry: ptr(soon().UTC().Format("2006-01-02T15:04:05Z"))}, nil)
	w.delegated(err)
	_, err = c.NewShareClient("share").NewRootDirectoryClient().NewFileClient("sparse").GetProperties(ctx, nil)
	w.ok("file.GetProperties", err)
}

// delegated is that a key is given, or refused by name.
func (w *fileWitness) delegated(err error) {
	if err == nil {
		w.ok("service.GetUserDelegationCredential", nil)
		return
	}
	w.refuses("service.GetUserDelegationCredential", err)
}

func (w *fileWitness) refusals() {
	ctx := w.Context()
	_, err := w.service.SetProperties(ctx, &service.SetPropertiesOptions{HourMetrics: &service.Metrics{Enabled: ptr(false), Version: ptr("1.0")}})
	w.refuses("service.SetProperties", err)
	_, err = w.service.RestoreShare(ctx, "share", "1", nil)
	w.refuses("service.RestoreShare", err)
	_, err = w.share.Restore(ctx, "1", nil)
	w.refuses("share.Restore", err)
	_, err = w.share.SetProperties(ctx, &share.SetPropertiesOptions{Quota: ptr[int32](1)})
	w.refuses("share.SetProperties", err)
	_, err = w.share.CreateSnapshot(ctx, nil)
	w.refuses("share.CreateSnapshot", err)
	snapshot, err := w.share.WithSnapshot("2026-01-02T03:04:05.0000000Z")
	require.NoError(w, err)
	_, err = snapshot.GetProperties(ctx, nil)
	w.refusesHead("share.WithSnapshot", err)
	_, err = w.share.SetAccessPolicy(ctx, nil)
	w.refuses("share.SetAccessPolicy", err)
	_, err = w.share.CreatePermission(ctx, "O:S", nil)
	w.refuses("share.CreatePermission", err)
	_, err = w.share.GetPermission(ctx, "0", nil)
	w.refuses("share.GetPermission", err)
	_, err = w.share.GetStatistics(ctx, nil)
	w.refuses("share.GetStatistics", err)
	f := w.share.NewRootDirectoryClient().NewFileClient("sparse")
	_, err = f.UploadRangeFromURL(ctx, f.URL(), 0, 0, 1, nil)
	w.refuses("file.UploadRangeFromURL", err)
	_, err = w.share.NewRootDirectoryClient().NewFileClient("hard").CreateHardLink(ctx, "sparse", nil)
	w.refuses("file.CreateHardLink", err)
	_, err = w.share.NewRootDirectoryClient().NewFileClient("soft").CreateSymbolicLink(ctx, "sparse", nil)
	w.refuses("file.CreateSymbolicLink", err)
	_, err = f.GetSymbolicLink(ctx, nil)
	w.refuses("file.GetSymbolicLink", err)
	fl, err := lease.NewFileClient(f, nil)
	require.NoError(w, err)
	_, err = fl.Acquire(ctx, nil)
	w.refuses("lease.File.Acquire", err)
	sl, err := lease.NewShareClient(w.share, nil)
	require.NoError(w, err)
	_, err = sl.Acquire(ctx, 15, nil)
	w.refuses("lease.Share.Acquire", err)
	w.ok("lease.File.LeaseID", nil)
	w.ok("lease.Share.LeaseID", nil)
	w.want("lease.File.LeaseID", fl.LeaseID() != nil && sl.LeaseID() != nil, "none")
}
