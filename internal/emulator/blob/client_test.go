package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azb "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	azcontainer "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// site is a service behind a port.
type site struct {
	*folder
	url string // of the account
	key *azblob.SharedKeyCredential
	now atomic.Pointer[time.Time] // nil: the machine's
}

func serve(t testing.TB) *site {
	t.Helper()
	s := &site{}
	clock := func() time.Time {
		if now := s.now.Load(); now != nil {
			return *now
		}
		return time.Now()
	}
	s.folder = openFolder(t, filepath.Join(t.TempDir(), "ws"), &blob.Options{Clock: clock})
	require.NoError(t, s.EnsureContainer(t.Context(), account, container))
	server := httptest.NewServer(s)
	t.Cleanup(func() { server.Close(); s.folder.close(t) })
	s.url = server.URL + "/" + account
	key, err := s.Key(t.Context(), account)
	require.NoError(t, err)
	s.key, err = azblob.NewSharedKeyCredential(account, key)
	require.NoError(t, err)
	return s
}

// options do not retry and keep no connection.
func options(t testing.TB) azcore.ClientOptions {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return azcore.ClientOptions{Transport: &http.Client{Transport: transport}, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func (s *site) client(t testing.TB) *azblob.Client {
	t.Helper()
	c, err := azblob.NewClientWithSharedKeyCredential(s.url, s.key, &azblob.ClientOptions{ClientOptions: options(t)})
	require.NoError(t, err)
	return c
}

func (s *site) service(t testing.TB) *service.Client { return s.client(t).ServiceClient() }

func (s *site) container(t testing.TB) *azcontainer.Client {
	return s.service(t).NewContainerClient(container)
}

// withSAS is a container's client that has a signature only.
func (s *site) withSAS(t testing.TB, query string) *azcontainer.Client {
	t.Helper()
	c, err := azcontainer.NewClientWithNoCredential(s.url+"/"+container+"?"+query, &azcontainer.ClientOptions{ClientOptions: options(t)})
	require.NoError(t, err)
	return c
}

func body(data []byte) io.ReadSeekCloser { return streaming.NopCloser(bytes.NewReader(data)) }

func requireCode(t testing.TB, err error, status int, code bloberror.Code) {
	t.Helper()
	var r *azcore.ResponseError
	require.ErrorAs(t, err, &r)
	require.Equal(t, status, r.StatusCode, "%v", err)
	require.Equal(t, string(code), r.ErrorCode)
}

func TestClientUploadAndDownload(t *testing.T) {
	s := serve(t)
	c := s.client(t)
	dir := t.TempDir()
	for _, size := range sizes {
		data := random(size)
		up := filepath.Join(dir, "up")
		require.NoError(t, os.WriteFile(up, data, 0o600))
		f, err := os.Open(up)
		require.NoError(t, err)
		_, err = c.UploadFile(t.Context(), container, "dir/å file?.bin", f, &azblob.UploadFileOptions{
			BlockSize: 1 << 20, Concurrency: 3, Metadata: map[string]*string{"upload_status": to.Ptr("completed")},
			HTTPHeaders: &azb.HTTPHeaders{BlobContentType: to.Ptr("text/x"), BlobCacheControl: to.Ptr("no-cache")},
		})
		require.NoError(t, err)
		require.NoError(t, f.Close())

		_, err = c.UploadStream(t.Context(), container, "stream", bytes.NewReader(data), &azblob.UploadStreamOptions{BlockSize: 1 << 18, Concurrency: 3})
		require.NoError(t, err)

		for _, name := range []string{"dir/å file?.bin", "stream"} {
			down, err := os.Create(filepath.Join(dir, "down"))
			require.NoError(t, err)
			n, err := c.DownloadFile(t.Context(), container, name, down, &azblob.DownloadFileOptions{BlockSize: 1 << 19, Concurrency: 3})
			require.NoError(t, err)
			require.EqualValues(t, size, n)
			require.NoError(t, down.Close())
			got, err := os.ReadFile(down.Name())
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))
			require.True(t, bytes.Equal(data, read(t, s.Service, name)))
		}
		props, err := s.container(t).NewBlobClient("dir/å file?.bin").GetProperties(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, "completed", *props.Metadata["Upload_status"])
		require.Equal(t, "text/x", *props.ContentType)
		require.Equal(t, "no-cache", *props.CacheControl)
		require.Equal(t, azb.BlobTypeBlockBlob, *props.BlobType)
		require.EqualValues(t, size, *props.ContentLength)
	}
	_, err := c.DownloadStream(t.Context(), container, "nosuch", nil)
	requireCode(t, err, 404, bloberror.BlobNotFound)
	_, err = c.DownloadStream(t.Context(), "nosuch", "x", nil)
	requireCode(t, err, 404, bloberror.ContainerNotFound)
}

func TestClientTransactionalSums(t *testing.T) {
	s := serve(t)
	b := s.container(t).NewBlockBlobClient("x")
	data := random(5 << 20)
	for name, validation := range map[string]azb.TransferValidationType{
		"CRC64": azb.TransferValidationTypeComputeCRC64(), "structured": azb.TransferValidationTypeComputeStructuredMessageCRC64(1 << 20),
	} {
		_, err := b.Upload(t.Context(), body(data), &blockblob.UploadOptions{TransactionalValidation: validation})
		require.NoError(t, err, name)
		require.True(t, bytes.Equal(data, read(t, s.Service, "x")), name)
		_, err = b.StageBlock(t.Context(), "YWFh", body(data[:100]), &blockblob.StageBlockOptions{TransactionalValidation: validation})
		require.NoError(t, err, name)
	}
	_, err := b.Upload(t.Context(), body(data), &blockblob.UploadOptions{TransactionalValidation: azb.TransferValidationTypeMD5(make([]byte, 16))})
	requireCode(t, err, 400, bloberror.MD5Mismatch)
	_, err = b.Upload(t.Context(), body(data), &blockblob.UploadOptions{TransactionalValidation: azb.TransferValidationTypeCRC64(1)})
	requireCode(t, err, 400, bloberror.CRC64Mismatch)
	_, err = b.StageBlock(t.Context(), "YWFh", body(data), &blockblob.StageBlockOptions{TransactionalValidation: azb.TransferValidationTypeMD5(make([]byte, 16))})
	requireCode(t, err, 400, bloberror.MD5Mismatch)
	_, err = b.StageBlock(t.Context(), "YWFh", body(data), &blockblob.StageBlockOptions{TransactionalValidation: azb.TransferValidationTypeCRC64(1)})
	requireCode(t, err, 400, bloberror.CRC64Mismatch)
	_, err = b.Upload(t.Context(), body(data), &blockblob.UploadOptions{HTTPHeaders: &azb.HTTPHeaders{BlobContentMD5: make([]byte, 16)}})
	requireCode(t, err, 400, bloberror.MD5Mismatch)
	s.waitForFiles(t, 2) // the blob, and the staged block

	// Sums of ranges, and of structured answers.
	r, err := b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{Range: azb.HTTPRange{Offset: 10, Count: 1000}, RangeGetContentMD5: to.Ptr(true)})
	require.NoError(t, err)
	require.NotEmpty(t, r.ContentMD5)
	require.NotEmpty(t, r.BlobContentMD5)
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data[10:1010], got))
	r, err = b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{TransactionalValidation: azb.TransferValidationTypeComputeStructuredMessageCRC64(0)})
	require.NoError(t, err)
	got, err = io.ReadAll(r.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}

func TestClientBlocks(t *testing.T) {
	s := serve(t)
	b := s.container(t).NewBlockBlobClient("x")
	parts := [][]byte{random(100), random(2 << 20), {7}, random(70_000)}
	ids := []string{"MDAw", "MDAx", "MDAy", "MDAz"}
	for i, id := range ids {
		_, err := b.StageBlock(t.Context(), id, body(parts[i]), nil)
		require.NoError(t, err)
	}
	_, err := b.GetProperties(t.Context(), nil)
	requireCode(t, err, 404, bloberror.BlobNotFound)
	list, err := b.GetBlockList(t.Context(), blockblob.BlockListTypeAll, nil)
	require.NoError(t, err)
	require.Len(t, list.UncommittedBlocks, 4)
	require.Empty(t, list.CommittedBlocks)
	_, err = b.CommitBlockList(t.Context(), []string{"MDAw", "nope"}, nil)
	requireCode(t, err, 400, bloberror.InvalidBlockList)
	_, err = b.CommitBlockList(t.Context(), []string{ids[1], ids[0], ids[1], ids[3]}, &blockblob.CommitBlockListOptions{Metadata: map[string]*string{"a": to.Ptr("b")}})
	require.NoError(t, err)
	want := bytes.Join([][]byte{parts[1], parts[0], parts[1], parts[3]}, nil)
	require.True(t, bytes.Equal(want, read(t, s.Service, "x")))
	list, err = b.GetBlockList(t.Context(), blockblob.BlockListTypeAll, nil)
	require.NoError(t, err)
	require.Empty(t, list.UncommittedBlocks, "what is not in the list is gone")
	require.Len(t, list.CommittedBlocks, 4)
	require.EqualValues(t, len(want), *list.BlobContentLength)
	s.waitForFiles(t, 3)

	// A range across blocks.
	r, err := b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{Range: azb.HTTPRange{Offset: 2<<20 - 10, Count: 200}})
	require.NoError(t, err)
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want[2<<20-10:2<<20+190], got))
	require.Equal(t, fmt.Sprintf("bytes %d-%d/%d", 2<<20-10, 2<<20+189, len(want)), *r.ContentRange)

	// Committed blocks go on into the next list, new ones replace them.
	_, err = b.StageBlock(t.Context(), ids[0], body([]byte("new")), nil)
	require.NoError(t, err)
	_, err = b.CommitBlockList(t.Context(), []string{ids[0], ids[3]}, nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(append([]byte("new"), parts[3]...), read(t, s.Service, "x")))
	s.waitForFiles(t, 2)

	_, err = b.StageBlock(t.Context(), "MDAwMDAw", body([]byte("x")), nil)
	require.NoError(t, err)
	_, err = b.StageBlock(t.Context(), "MDAw", body([]byte("x")), nil)
	requireCode(t, err, 400, bloberror.InvalidBlobOrBlock)
	_, err = b.StageBlock(t.Context(), "not base64!", body([]byte("x")), nil)
	requireCode(t, err, 400, bloberror.InvalidQueryParameterValue)
	_, err = b.Upload(t.Context(), body([]byte("whole")), nil)
	require.NoError(t, err)
	s.waitForFiles(t, 0)
}

func TestClientList(t *testing.T) {
	s := serve(t)
	c := s.client(t)
	for _, name := range []string{"a/1", "a/2", "a/b/3", "b", "c/d/4", "c/d/5", "č&<>\"'", "line\nbreak\x01"} {
		_, err := c.UploadBuffer(t.Context(), container, name, []byte(name), &azblob.UploadBufferOptions{Metadata: map[string]*string{"name": to.Ptr("v")}})
		require.NoError(t, err)
	}
	for _, size := range []int32{1, 2, 3, 5000} {
		var all []string
		pager := c.NewListBlobsFlatPager(container, &azblob.ListBlobsFlatOptions{MaxResults: &size, Include: azblob.ListBlobsInclude{Metadata: true}})
		for pager.More() {
			p, err := pager.NextPage(t.Context())
			require.NoError(t, err)
			for _, item := range p.Segment.BlobItems {
				all = append(all, *item.Name)
				require.Equal(t, "v", *item.Metadata["name"])
				require.EqualValues(t, len(*item.Name), *item.Properties.ContentLength)
				require.NotEmpty(t, item.Properties.ContentMD5)
			}
		}
		require.Equal(t, []string{"a/1", "a/2", "a/b/3", "b", "c/d/4", "c/d/5", "line\nbreak\x01", "č&<>\"'"}, all)

		var tree []string
		hierarchy := s.container(t).NewListBlobsHierarchyPager("/", &azcontainer.ListBlobsHierarchyOptions{MaxResults: &size})
		for hierarchy.More() {
			p, err := hierarchy.NextPage(t.Context())
			require.NoError(t, err)
			for _, prefix := range p.Segment.BlobPrefixes {
				tree = append(tree, *prefix.Name)
			}
			for _, item := range p.Segment.BlobItems {
				tree = append(tree, *item.Name)
			}
		}
		require.ElementsMatch(t, []string{"a/", "b", "c/", "line\nbreak\x01", "č&<>\"'"}, tree)
	}
	pager := s.container(t).NewListBlobsHierarchyPager("/", &azcontainer.ListBlobsHierarchyOptions{Prefix: to.Ptr("a/")})
	p, err := pager.NextPage(t.Context())
	require.NoError(t, err)
	require.Len(t, p.Segment.BlobItems, 2)
	require.Equal(t, "a/b/", *p.Segment.BlobPrefixes[0].Name)
	_, err = c.NewListBlobsFlatPager("nosuch", nil).NextPage(t.Context())
	requireCode(t, err, 404, bloberror.ContainerNotFound)
	_, err = c.NewListBlobsFlatPager(container, &azblob.ListBlobsFlatOptions{Marker: to.Ptr("?")}).NextPage(t.Context())
	requireCode(t, err, 400, bloberror.InvalidQueryParameterValue)
}

func TestClientContainers(t *testing.T) {
	s := serve(t)
	c := s.client(t)
	_, err := c.CreateContainer(t.Context(), "new", &azblob.CreateContainerOptions{Metadata: map[string]*string{"k": to.Ptr("v")}})
	require.NoError(t, err)
	_, err = c.CreateContainer(t.Context(), "new", nil)
	requireCode(t, err, 409, bloberror.ContainerAlreadyExists)
	_, err = c.CreateContainer(t.Context(), "Bad", nil)
	requireCode(t, err, 400, bloberror.InvalidResourceName)
	_, err = c.CreateContainer(t.Context(), "no", nil)
	requireCode(t, err, 400, bloberror.OutOfRangeInput)
	one := s.service(t).NewContainerClient("new")
	props, err := one.GetProperties(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "v", *props.Metadata["K"])
	_, err = one.SetMetadata(t.Context(), &azcontainer.SetMetadataOptions{Metadata: map[string]*string{"other": to.Ptr("w")}})
	require.NoError(t, err)
	var names []string
	pager := c.NewListContainersPager(&azblob.ListContainersOptions{MaxResults: to.Ptr(int32(1)), Include: azblob.ListContainersInclude{Metadata: true}})
	for pager.More() {
		p, err := pager.NextPage(t.Context())
		require.NoError(t, err)
		for _, item := range p.ContainerItems {
			names = append(names, *item.Name)
		}
	}
	require.Equal(t, []string{container, "new"}, names)
	for i := range 5 {
		_, err = c.UploadStream(t.Context(), "new", fmt.Sprint(i), bytes.NewReader(random(9000*i)), &azblob.UploadStreamOptions{BlockSize: 8192})
		require.NoError(t, err)
	}
	_, err = one.NewBlockBlobClient("staged").StageBlock(t.Context(), "MDAw", body([]byte("x")), nil)
	require.NoError(t, err)
	_, err = c.DeleteContainer(t.Context(), "new", nil)
	require.NoError(t, err)
	_, err = c.DeleteContainer(t.Context(), "new", nil)
	requireCode(t, err, 404, bloberror.ContainerNotFound)
	s.waitForFiles(t, 0)
	info, err := s.service(t).GetAccountInfo(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, "StorageV2", *info.AccountKind)
	_, err = s.service(t).GetProperties(t.Context(), nil)
	require.NoError(t, err)
	policies, err := s.container(t).GetAccessPolicy(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, policies.SignedIdentifiers)
}

func TestClientConditions(t *testing.T) {
	s := serve(t)
	b := s.container(t).NewBlockBlobClient("x")
	tag := func(match, none string) *azb.AccessConditions {
		m := &azb.ModifiedAccessConditions{}
		if match != "" {
			m.IfMatch = to.Ptr(azcore.ETag(match))
		}
		if none != "" {
			m.IfNoneMatch = to.Ptr(azcore.ETag(none))
		}
		return &azb.AccessConditions{ModifiedAccessConditions: m}
	}
	upload := func(c *azb.AccessConditions) (azcore.ETag, error) {
		r, err := b.Upload(t.Context(), body([]byte("x")), &blockblob.UploadOptions{AccessConditions: c})
		if err != nil {
			return "", err
		}
		return *r.ETag, nil
	}
	_, err := upload(tag("*", ""))
	requireCode(t, err, 412, bloberror.ConditionNotMet)
	first, err := upload(tag("", "*"))
	require.NoError(t, err)
	_, err = upload(tag("", "*"))
	requireCode(t, err, 409, bloberror.BlobAlreadyExists)
	second, err := upload(tag(string(first), ""))
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	_, err = upload(tag(string(first), ""))
	requireCode(t, err, 412, bloberror.ConditionNotMet)
	_, err = upload(tag("", string(second)))
	requireCode(t, err, 412, bloberror.ConditionNotMet)
	_, err = b.StageBlock(t.Context(), "MDAw", body([]byte("y")), nil)
	require.NoError(t, err)
	_, err = b.CommitBlockList(t.Context(), []string{"MDAw"}, &blockblob.CommitBlockListOptions{AccessConditions: tag("", "*")})
	requireCode(t, err, 409, bloberror.BlobAlreadyExists)

	_, err = b.GetProperties(t.Context(), &azb.GetPropertiesOptions{AccessConditions: tag("", string(second))})
	requireCode(t, err, 304, bloberror.ConditionNotMet)
	_, err = b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{AccessConditions: tag(string(first), "")})
	requireCode(t, err, 412, bloberror.ConditionNotMet)
	old, recent := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for _, c := range []struct {
		since, unsince *time.Time
		status         int
	}{{&old, nil, 0}, {&recent, nil, 304}, {nil, &old, 412}, {nil, &recent, 0}} {
		_, err = b.GetProperties(t.Context(), &azb.GetPropertiesOptions{AccessConditions: &azb.AccessConditions{ModifiedAccessConditions: &azb.ModifiedAccessConditions{IfModifiedSince: c.since, IfUnmodifiedSince: c.unsince}}})
		if c.status == 0 {
			require.NoError(t, err)
			continue
		}
		requireCode(t, err, c.status, bloberror.ConditionNotMet)
	}
	_, err = b.SetMetadata(t.Context(), nil, &azb.SetMetadataOptions{AccessConditions: tag(string(first), "")})
	requireCode(t, err, 412, bloberror.ConditionNotMet)
	_, err = b.Delete(t.Context(), &azb.DeleteOptions{AccessConditions: tag(string(first), "")})
	requireCode(t, err, 412, bloberror.ConditionNotMet)
	_, err = b.Delete(t.Context(), &azb.DeleteOptions{AccessConditions: tag(string(second), "")})
	require.NoError(t, err)
	_, err = b.Delete(t.Context(), nil)
	requireCode(t, err, 404, bloberror.BlobNotFound)
}

// Of many who create one blob at once, one wins.
func TestClientConcurrentCreation(t *testing.T) {
	s := serve(t)
	for round, size := range []int{10, 20_000} {
		name := fmt.Sprint("x", round)
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				b := s.container(t).NewBlockBlobClient(name)
				data := append([]byte{byte(i)}, random(size)...)
				_, err := b.Upload(context.Background(), body(data), &blockblob.UploadOptions{AccessConditions: &azb.AccessConditions{
					ModifiedAccessConditions: &azb.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}})
				switch {
				case err == nil:
					won.Add(1)
				case bloberror.HasCode(err, bloberror.BlobAlreadyExists):
					lost.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, 15, lost.Load())
	}
	s.waitForFiles(t, 1)
}

func TestClientProperties(t *testing.T) {
	s := serve(t)
	b := s.container(t).NewBlockBlobClient("x")
	_, err := b.Upload(t.Context(), body([]byte("hello")), &blockblob.UploadOptions{Tier: to.Ptr(azb.AccessTierCool)})
	require.NoError(t, err)
	before, err := b.GetProperties(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "Cool", *before.AccessTier)
	require.Equal(t, "application/octet-stream", *before.ContentType)
	require.NotEmpty(t, before.ContentMD5)
	_, err = b.SetMetadata(t.Context(), map[string]*string{"upload_status": to.Ptr("completed"), "name": to.Ptr("n")}, nil)
	require.NoError(t, err)
	_, err = b.SetHTTPHeaders(t.Context(), azb.HTTPHeaders{BlobContentType: to.Ptr("text/plain"), BlobContentDisposition: to.Ptr("inline")}, nil)
	require.NoError(t, err)
	_, err = b.SetTier(t.Context(), azb.AccessTierHot, nil)
	require.NoError(t, err)
	after, err := b.GetProperties(t.Context(), nil)
	require.NoError(t, err)
	require.NotEqual(t, before.ETag, after.ETag)
	require.Len(t, after.Metadata, 2)
	require.Equal(t, "text/plain", *after.ContentType)
	require.Equal(t, "inline", *after.ContentDisposition)
	require.Equal(t, "Hot", *after.AccessTier)
	require.Empty(t, after.ContentMD5, "cleared, as it was not given")
	_, err = b.SetMetadata(t.Context(), map[string]*string{"a-b": to.Ptr("x")}, nil)
	requireCode(t, err, 400, bloberror.InvalidMetadata)
	_, err = b.SetMetadata(t.Context(), map[string]*string{"a": to.Ptr(strings.Repeat("x", 9000))}, nil)
	requireCode(t, err, 400, bloberror.MetadataTooLarge)
}
