package conformance

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/lease"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"
)

// blobWitness is azblob with the account's key, over HTTP.
type blobWitness struct {
	*storage
	service *service.Client
	box     *container.Client
}

// TestAzblob calls every method of azblob's clients on the local workspace.
func TestAzblob(t *testing.T) {
	t.Parallel()
	s := newStorage(t)
	key, err := service.NewSharedKeyCredential(s.account, s.key)
	require.NoError(t, err)
	// A refusal (501) would be asked for again.
	o := policy.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}
	c, err := service.NewClientWithSharedKeyCredential(s.url, key, &service.ClientOptions{ClientOptions: o})
	require.NoError(t, err)
	w := &blobWitness{s, c, c.NewContainerClient("box")}
	w.containers()
	w.wholes(key)
	w.lists()
	w.blocks()
	w.appends()
	w.pages()
	w.everyKind()
	w.conditions()
	w.signatures(key)
	w.delegation()
	w.leases()
	w.batches()
	reasons := map[string]string{}
	for _, m := range []string{"BreakLease", "ChangeLease", "RenewLease", "ReleaseLease"} {
		for _, of := range []string{"lease.Blob.", "lease.Container."} {
			reasons[of+m] = "needs a lease, and AcquireLease is refused"
		}
	}
	reasons["appendblob.SetTier"] = "fails in itself: append blobs have no tier"
	reasons["appendblob.CopyFromURL"] = "fails in itself: it is for block blobs"
	reasons["pageblob.UploadPagesFromURL"] = "needs a page blob, and Create is refused"
	all := []any{(*azblob.Client)(nil), (*service.Client)(nil), (*container.Client)(nil), (*blob.Client)(nil), (*blockblob.Client)(nil), (*appendblob.Client)(nil), (*pageblob.Client)(nil), (*lease.BlobClient)(nil), (*lease.ContainerClient)(nil)}
	testifies(t, &witness{Name: "azblob", Version: moduleVersion(t, "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"), What: "the local workspace, over HTTP", Unit: "methods of its clients", Operations: s.operations(all, reasons)})
}

func (w *blobWitness) containers() {
	ctx := w.Context()
	w.ok("service.URL", nil)
	w.equal("service.URL", w.url, strings.TrimSuffix(w.service.URL(), "/"))
	info, err := w.service.GetAccountInfo(ctx, nil)
	w.ok("service.GetAccountInfo", err)
	w.want("service.GetAccountInfo", info.AccountKind != nil && info.SKUName != nil, "no kind")
	props, err := w.service.GetProperties(ctx, nil)
	w.ok("service.GetProperties", err)
	w.want("service.GetProperties", props.HourMetrics != nil, "no metrics")
	_, err = w.service.SetProperties(ctx, &service.SetPropertiesOptions{HourMetrics: &service.Metrics{Enabled: ptr(false)}})
	w.refuses("service.SetProperties", err)
	_, err = w.service.GetStatistics(ctx, nil)
	w.refuses("service.GetStatistics", err)
	_, err = w.service.FilterBlobs(ctx, "a='b'", nil)
	w.refuses("service.FilterBlobs", err)
	_, err = w.service.RestoreContainer(ctx, "box", "1", nil)
	w.refuses("service.RestoreContainer", err)

	_, err = w.box.Create(ctx, &container.CreateOptions{Metadata: map[string]*string{"a": ptr("b")}})
	w.ok("container.Create", err)
	_, err = w.box.Create(ctx, nil)
	w.fails("ContainerAlreadyExists", "container.Create", err)
	p, err := w.box.GetProperties(ctx, nil)
	w.ok("container.GetProperties", err)
	w.want("container.GetProperties", p.ETag != nil && p.LastModified != nil && *p.Metadata["A"] == "b", "%v", p.Metadata)
	_, err = w.box.SetMetadata(ctx, &container.SetMetadataOptions{Metadata: map[string]*string{"c": ptr("d")}})
	w.ok("container.SetMetadata", err)
	p, err = w.box.GetProperties(ctx, nil)
	w.ok("container.GetProperties", err)
	w.want("container.GetProperties", len(p.Metadata) == 1 && *p.Metadata["C"] == "d", "%v", p.Metadata)
	acl, err := w.box.GetAccessPolicy(ctx, nil)
	w.ok("container.GetAccessPolicy", err)
	w.want("container.GetAccessPolicy", acl.BlobPublicAccess == nil && len(acl.SignedIdentifiers) == 0, "it is open")
	_, err = w.box.SetAccessPolicy(ctx, nil)
	w.refuses("container.SetAccessPolicy", err)
	_, err = w.box.GetAccountInfo(ctx, nil)
	w.ok("container.GetAccountInfo", err)
	_, err = w.box.FilterBlobs(ctx, "a='b'", nil)
	w.refuses("container.FilterBlobs", err)
	_, err = w.box.Restore(ctx, "1", nil)
	w.refuses("container.Restore", err)
	w.equal("container.URL", w.url+"/box", w.box.URL())
	for _, n := range []string{"container.URL", "service.NewContainerClient", "container.NewBlobClient", "container.NewBlockBlobClient", "container.NewAppendBlobClient", "container.NewPageBlobClient"} {
		w.ok(n, nil) // the rest uses what it gives
	}

	var made []string
	for i := range 5 {
		made = append(made, fmt.Sprint("many-", i))
		_, err = w.service.CreateContainer(ctx, made[i], nil)
		w.ok("service.CreateContainer", err)
	}
	pages, err := allPages(w.T, w.service.NewListContainersPager(&service.ListContainersOptions{Prefix: ptr("many-"), MaxResults: ptr[int32](2), Include: service.ListContainersInclude{Metadata: true}}))
	w.ok("service.NewListContainersPager", err)
	var names []string
	for _, page := range pages {
		for _, c := range page.ContainerItems {
			names = append(names, *c.Name)
		}
	}
	w.equal("service.NewListContainersPager", made, names)
	w.equal("service.NewListContainersPager", 3, len(pages))
	for _, n := range made[1:] {
		_, err = w.service.DeleteContainer(ctx, n, nil)
		w.ok("service.DeleteContainer", err)
	}
	_, err = w.service.DeleteContainer(ctx, made[1], nil)
	w.fails("ContainerNotFound", "service.DeleteContainer", err)
	_, err = w.service.NewContainerClient(made[0]).Delete(ctx, nil)
	w.ok("container.Delete", err)
	_, err = w.service.NewContainerClient("none").GetProperties(ctx, nil)
	w.fails("ContainerNotFound", "container.GetProperties", err)
	_, err = w.service.CreateContainer(ctx, "Not_A_Name", nil)
	w.fails("InvalidResourceName", "service.CreateContainer", err)
}

// wholes are azblob.Client's own: files, buffers and streams, small and in parts.
func (w *blobWitness) wholes(key *service.SharedKeyCredential) {
	ctx := w.Context()
	c, err := azblob.NewClientWithSharedKeyCredential(w.url, key, nil)
	require.NoError(w, err)
	w.ok("azblob.URL", nil)
	w.equal("azblob.URL", w.url, strings.TrimSuffix(c.URL(), "/"))
	w.ok("azblob.ServiceClient", nil)
	w.equal("azblob.ServiceClient", c.URL(), c.ServiceClient().URL())
	_, err = c.CreateContainer(ctx, "wholes", nil)
	w.ok("azblob.CreateContainer", err)
	data := make([]byte, 5<<20+17)
	_, err = rand.Read(data)
	require.NoError(w, err)
	file := filepath.Join(w.TempDir(), "file")
	require.NoError(w, os.WriteFile(file, data, 0o600))
	f, err := os.Open(file)
	require.NoError(w, err)
	defer f.Close()
	_, err = c.UploadFile(ctx, "wholes", "file", f, &azblob.UploadFileOptions{BlockSize: 1 << 20, Concurrency: 4})
	w.ok("azblob.UploadFile", err)
	_, err = c.UploadBuffer(ctx, "wholes", "buffer", data, &azblob.UploadBufferOptions{BlockSize: 1 << 20, TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})
	w.ok("azblob.UploadBuffer", err)
	_, err = c.UploadStream(ctx, "wholes", "stream", bytes.NewReader(data), &azblob.UploadStreamOptions{BlockSize: 1 << 20, Concurrency: 3})
	w.ok("azblob.UploadStream", err)
	for _, name := range []string{"file", "buffer", "stream"} {
		r, err := c.DownloadStream(ctx, "wholes", name, nil)
		w.ok("azblob.DownloadStream", err)
		if err == nil {
			b, err := io.ReadAll(r.NewRetryReader(ctx, nil))
			require.NoError(w, err)
			w.want("azblob.DownloadStream", bytes.Equal(data, b), "%s: %d other bytes", name, len(b))
		}
	}
	buffer := make([]byte, len(data))
	n, err := c.DownloadBuffer(ctx, "wholes", "file", buffer, &azblob.DownloadBufferOptions{BlockSize: 1 << 20})
	w.ok("azblob.DownloadBuffer", err)
	w.want("azblob.DownloadBuffer", n == int64(len(data)) && bytes.Equal(data, buffer), "%d other bytes", n)
	into, err := os.Create(filepath.Join(w.TempDir(), "into"))
	require.NoError(w, err)
	defer into.Close()
	_, err = c.DownloadFile(ctx, "wholes", "buffer", into, &azblob.DownloadFileOptions{BlockSize: 1 << 20, Range: blob.HTTPRange{Offset: 100, Count: 3 << 20}})
	w.ok("azblob.DownloadFile", err)
	got, err := os.ReadFile(into.Name())
	require.NoError(w, err)
	w.want("azblob.DownloadFile", bytes.Equal(data[100:100+3<<20], got), "%d other bytes", len(got))
	lists, err := allPages(w.T, c.NewListBlobsFlatPager("wholes", nil))
	w.ok("azblob.NewListBlobsFlatPager", err)
	w.want("azblob.NewListBlobsFlatPager", len(lists) == 1 && len(lists[0].Segment.BlobItems) == 3, "%v", lists)
	cs, err := allPages(w.T, c.NewListContainersPager(&azblob.ListContainersOptions{Prefix: ptr("wholes")}))
	w.ok("azblob.NewListContainersPager", err)
	w.want("azblob.NewListContainersPager", len(cs) == 1 && len(cs[0].ContainerItems) == 1, "%v", cs)
	_, err = c.DeleteBlob(ctx, "wholes", "file", nil)
	w.ok("azblob.DeleteBlob", err)
	_, err = c.DownloadStream(ctx, "wholes", "file", nil)
	w.fails("BlobNotFound", "azblob.DownloadStream", err)
	_, err = c.DeleteContainer(ctx, "wholes", nil)
	w.ok("azblob.DeleteContainer", err)
}

func (w *blobWitness) lists() {
	ctx := w.Context()
	for _, name := range []string{"list/a/1", "list/a/2", "list/b/1", "list/c", "list/d", "list/e e/ä?#%", "other"} {
		_, err := w.box.NewBlockBlobClient(name).Upload(ctx, body(name), &blockblob.UploadOptions{Metadata: map[string]*string{"k": ptr("v")}})
		w.ok("blockblob.Upload", err)
		r, err := w.box.NewBlobClient(name).DownloadStream(ctx, nil)
		w.ok("blob.DownloadStream", err)
		w.equal("blob.DownloadStream", name, read(w.T, r.Body))
	}
	flat, err := allPages(w.T, w.box.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: ptr("list/"), MaxResults: ptr[int32](2), Include: container.ListBlobsInclude{Metadata: true}}))
	w.ok("container.NewListBlobsFlatPager", err)
	var names []string
	for _, p := range flat {
		for _, b := range p.Segment.BlobItems {
			names = append(names, *b.Name)
			w.want("container.NewListBlobsFlatPager", b.Metadata["k"] != nil && *b.Properties.ContentLength == int64(len(*b.Name)) && b.Properties.ETag != nil, "%v", b)
		}
	}
	w.equal("container.NewListBlobsFlatPager", []string{"list/a/1", "list/a/2", "list/b/1", "list/c", "list/d", "list/e e/ä?#%"}, names)
	w.equal("container.NewListBlobsFlatPager", 3, len(flat))
	tree, err := allPages(w.T, w.box.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: ptr("list/"), MaxResults: ptr[int32](2)}))
	w.ok("container.NewListBlobsHierarchyPager", err)
	var folders, blobs []string
	for _, p := range tree {
		for _, x := range p.Segment.BlobPrefixes {
			folders = append(folders, *x.Name)
		}
		for _, x := range p.Segment.BlobItems {
			blobs = append(blobs, *x.Name)
		}
	}
	w.equal("container.NewListBlobsHierarchyPager", []string{"list/a/", "list/b/", "list/e e/"}, folders)
	w.equal("container.NewListBlobsHierarchyPager", []string{"list/c", "list/d"}, blobs)
	w.equal("container.NewListBlobsHierarchyPager", 3, len(tree))
	_, err = allPages(w.T, w.box.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Include: container.ListBlobsInclude{UncommittedBlobs: true}}))
	w.refuses("container.NewListBlobsFlatPager", err)
	// Nothing of these is ever there.
	none, err := allPages(w.T, w.box.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: ptr("list/"), Include: container.ListBlobsInclude{Snapshots: true, Versions: true, Deleted: true, Tags: true}}))
	w.ok("container.NewListBlobsFlatPager", err)
	w.want("container.NewListBlobsFlatPager", len(none) == 1 && len(none[0].Segment.BlobItems) == len(names), "%v", none)
	_, err = allPages(w.T, w.service.NewContainerClient("none").NewListBlobsFlatPager(nil))
	w.fails("ContainerNotFound", "container.NewListBlobsFlatPager", err)
}

func (w *blobWitness) conditions() {
	ctx := w.Context()
	b := w.box.NewBlockBlobClient("conditional")
	first, err := b.Upload(ctx, body("1"), nil)
	w.ok("blockblob.Upload", err)
	match := func(e *azcore.ETag) *blob.AccessConditions {
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: e}}
	}
	_, err = b.Upload(ctx, body("2"), &blockblob.UploadOptions{AccessConditions: match(first.ETag)})
	w.ok("blockblob.Upload", err)
	_, err = b.Upload(ctx, body("3"), &blockblob.UploadOptions{AccessConditions: match(first.ETag)})
	w.fails("ConditionNotMet", "blockblob.Upload", err)
	_, err = b.Upload(ctx, body("3"), &blockblob.UploadOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: ptr(azcore.ETagAny)}}})
	w.fails("BlobAlreadyExists", "blockblob.Upload", err)
	_, err = b.GetProperties(ctx, &blob.GetPropertiesOptions{AccessConditions: match(first.ETag)})
	w.fails("ConditionNotMet", "blockblob.GetProperties", err)
	_, err = b.Delete(ctx, &blob.DeleteOptions{AccessConditions: match(first.ETag)})
	w.fails("ConditionNotMet", "blockblob.Delete", err)
	p, err := b.GetProperties(ctx, nil)
	w.ok("blockblob.GetProperties", err)
	// To this client 304 is an answer.
	r, err := b.DownloadStream(ctx, &blob.DownloadStreamOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: p.ETag}}})
	w.ok("blockblob.DownloadStream", err)
	w.want("blockblob.DownloadStream", r.ErrorCode != nil && *r.ErrorCode == "ConditionNotMet" && read(w.T, r.Body) == "", "%v", r.ErrorCode)
	_, err = b.GetProperties(ctx, &blob.GetPropertiesOptions{AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfUnmodifiedSince: ptr(time.Now().Add(-time.Hour))}}})
	w.fails("ConditionNotMet", "blockblob.GetProperties", err)
	_, err = b.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 99, Count: 1}})
	w.fails("InvalidRange", "blockblob.DownloadStream", err)
}

func (w *blobWitness) leases() {
	ctx := w.Context()
	b, err := lease.NewBlobClient(w.box.NewBlobClient("other"), nil)
	require.NoError(w, err)
	_, err = b.AcquireLease(ctx, 15, nil)
	w.refuses("lease.Blob.AcquireLease", err)
	w.ok("lease.Blob.LeaseID", nil)
	c, err := lease.NewContainerClient(w.box, nil)
	require.NoError(w, err)
	_, err = c.AcquireLease(ctx, 15, nil)
	w.refuses("lease.Container.AcquireLease", err)
	w.ok("lease.Container.LeaseID", nil)
	w.want("lease.Blob.LeaseID", b.LeaseID() != nil && c.LeaseID() != nil, "none")
}

func (w *blobWitness) batches() {
	ctx := w.Context()
	bb, err := w.service.NewBatchBuilder()
	w.ok("service.NewBatchBuilder", err)
	require.NoError(w, bb.Delete("box", "other", nil))
	_, err = w.service.SubmitBatch(ctx, bb, nil)
	w.refuses("service.SubmitBatch", err)
	cb, err := w.box.NewBatchBuilder()
	w.ok("container.NewBatchBuilder", err)
	require.NoError(w, cb.SetTier("other", blob.AccessTierCool, nil))
	_, err = w.box.SubmitBatch(ctx, cb, nil)
	w.refuses("container.SubmitBatch", err)
	_, err = w.box.NewBlobClient("other").GetProperties(ctx, nil)
	w.ok("blob.GetProperties", err)
}
