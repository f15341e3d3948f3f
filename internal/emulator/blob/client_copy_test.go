package blob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	azb "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

func TestClientCopy(t *testing.T) {
	s := serve(t)
	c := s.container(t)
	dst := c.NewBlockBlobClient("dst")
	for _, size := range []int{10, 20_000} {
		src := c.NewBlockBlobClient("src")
		data := random(size)
		_, err := src.Upload(t.Context(), body(data), &blockblob.UploadOptions{Metadata: map[string]*string{"k": to.Ptr("v")}, HTTPHeaders: &azb.HTTPHeaders{BlobContentType: to.Ptr("text/x")}})
		require.NoError(t, err)
		r, err := dst.StartCopyFromURL(t.Context(), src.URL(), nil)
		require.NoError(t, err)
		require.Equal(t, azb.CopyStatusTypeSuccess, *r.CopyStatus)
		props, err := dst.GetProperties(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, "v", *props.Metadata["K"])
		require.Equal(t, "text/x", *props.ContentType)
		require.Equal(t, r.CopyID, props.CopyID)
		require.NotContains(t, *props.CopySource, "sig=")
		_, err = src.Upload(t.Context(), body([]byte("changed")), nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, read(t, s.Service, "dst")))
	}
	// Blocks are copied as such.
	blocks := random(3<<20 + 5)
	_, err := s.client(t).UploadStream(t.Context(), container, "blocks", bytes.NewReader(blocks), &azblob.UploadStreamOptions{BlockSize: 1 << 20})
	require.NoError(t, err)
	_, err = dst.StartCopyFromURL(t.Context(), c.NewBlobClient("blocks").URL(), nil)
	require.NoError(t, err)
	_, err = c.NewBlobClient("blocks").Delete(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(blocks, read(t, s.Service, "dst")))
	list, err := dst.GetBlockList(t.Context(), blockblob.BlockListTypeCommitted, nil)
	require.NoError(t, err)
	require.Len(t, list.CommittedBlocks, 4)

	// From a URL with a signature.
	signed, err := s.SAS(account, container, "dst", blob.SASOptions{})
	require.NoError(t, err)
	from := c.NewBlobClient("dst").URL() + "?" + signed
	_, err = c.NewBlockBlobClient("url").UploadBlobFromURL(t.Context(), from, nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(blocks, read(t, s.Service, "url")))
	b := c.NewBlockBlobClient("ranges")
	_, err = b.StageBlockFromURL(t.Context(), "MDAw", from, &blockblob.StageBlockFromURLOptions{Range: azb.HTTPRange{Offset: 1<<20 - 10, Count: 20}})
	require.NoError(t, err)
	_, err = b.CommitBlockList(t.Context(), []string{"MDAw"}, nil)
	require.NoError(t, err)
	require.True(t, bytes.Equal(blocks[1<<20-10:1<<20+10], read(t, s.Service, "ranges")))

	_, err = dst.StartCopyFromURL(t.Context(), c.NewBlobClient("nosuch").URL(), nil)
	requireCode(t, err, 404, bloberror.CannotVerifyCopySource)
	_, err = dst.StartCopyFromURL(t.Context(), "http://example.com/a/b/c", nil)
	requireCode(t, err, 400, bloberror.CannotVerifyCopySource)
	writer, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "cw"})
	require.NoError(t, err)
	_, err = s.withSAS(t, writer).NewBlobClient("dst").StartCopyFromURL(t.Context(), c.NewBlobClient("url").URL(), nil)
	requireCode(t, err, 403, bloberror.CannotVerifyCopySource)
}

func TestClientAppend(t *testing.T) {
	s := serve(t)
	b := s.container(t).NewAppendBlobClient("log")
	_, err := b.Create(t.Context(), nil)
	require.NoError(t, err)
	var want []byte
	for i, size := range []int{3, 10_000, 5 << 20, 1} {
		r, err := b.AppendBlock(t.Context(), body(random(size)), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: to.Ptr(int64(len(want)))}})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(len(want)), *r.BlobAppendOffset)
		require.EqualValues(t, i+1, *r.BlobCommittedBlockCount)
		want = append(want, random(size)...)
	}
	require.True(t, bytes.Equal(want, read(t, s.Service, "log")))
	_, err = b.AppendBlock(t.Context(), body([]byte("x")), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: to.Ptr(int64(1))}})
	requireCode(t, err, 412, bloberror.AppendPositionConditionNotMet)
	_, err = b.AppendBlock(t.Context(), body([]byte("x")), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{MaxSize: to.Ptr(int64(len(want)))}})
	requireCode(t, err, 412, bloberror.MaxBlobSizeConditionNotMet)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			_, err := b.AppendBlock(context.Background(), body([]byte("line\n")), nil)
			require.NoError(t, err)
		})
	}
	wg.Wait()
	require.Equal(t, string(want)+strings.Repeat("line\n", 20), string(read(t, s.Service, "log")))
	_, err = s.container(t).NewBlockBlobClient("log").StageBlock(t.Context(), "MDAw", body([]byte("x")), nil)
	requireCode(t, err, 409, bloberror.InvalidBlobType)
	_, err = s.container(t).NewBlockBlobClient("copy").StartCopyFromURL(t.Context(), b.URL(), nil)
	require.NoError(t, err)
	_, err = b.AppendBlock(t.Context(), body([]byte("x")), nil)
	require.NoError(t, err)
	require.Len(t, read(t, s.Service, "copy"), len(want)+100)
}

// A log is read while it grows, in ranges under one ETag, and cannot be written.
func TestClientLive(t *testing.T) {
	s := serve(t)
	f, err := s.Live(t.Context(), account, container, "log")
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Write(random(1000))
	require.NoError(t, err)
	b := s.container(t).NewAppendBlobClient("log")
	props, err := b.GetProperties(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, azb.BlobTypeAppendBlob, *props.BlobType)
	require.EqualValues(t, 1000, *props.ContentLength)
	_, err = f.Write(random(1000))
	require.NoError(t, err)
	match := &azb.AccessConditions{ModifiedAccessConditions: &azb.ModifiedAccessConditions{IfMatch: props.ETag}}
	r, err := b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{Range: azb.HTTPRange{Offset: 500, Count: 500}, AccessConditions: match})
	require.NoError(t, err)
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.True(t, bytes.Equal(random(1000)[500:], got))
	require.NotEqual(t, props.ETag, r.ETag)
	_, err = b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{Range: azb.HTTPRange{Offset: 2000}})
	requireCode(t, err, 416, bloberror.InvalidRange)
	_, err = b.AppendBlock(t.Context(), body([]byte("x")), nil)
	requireCode(t, err, 412, bloberror.LeaseIDMissing)
	_, err = b.SetMetadata(t.Context(), map[string]*string{"a": to.Ptr("b")}, nil)
	require.NoError(t, err)
	require.NoError(t, s.Finish(t.Context(), account, container, "log"))
	_, err = b.DownloadStream(t.Context(), &azb.DownloadStreamOptions{AccessConditions: match})
	requireCode(t, err, 412, bloberror.ConditionNotMet)
}

func TestClientRefusals(t *testing.T) {
	s := serve(t)
	c := s.container(t)
	_, err := c.NewBlockBlobClient("x").Upload(t.Context(), body([]byte("x")), nil)
	require.NoError(t, err)
	b := c.NewBlockBlobClient("x")
	for name, call := range map[string]func() error{
		"Snapshot Blob": func() error { _, err := b.CreateSnapshot(t.Context(), nil); return err },
		"Get Blob Tags": func() error { _, err := b.GetTags(t.Context(), nil); return err },
		"page blob": func() error {
			_, err := c.NewPageBlobClient("p").Create(t.Context(), 512, nil)
			return err
		},
		"Archive": func() error { _, err := b.SetTier(t.Context(), azb.AccessTierArchive, nil); return err },
		"tags": func() error {
			_, err := b.Upload(t.Context(), body([]byte("x")), &blockblob.UploadOptions{Tags: map[string]string{"a": "b"}})
			return err
		},
		"Set Container ACL": func() error { _, err := c.SetAccessPolicy(t.Context(), nil); return err },
		"snapshot": func() error {
			snapshot, err := b.WithSnapshot("2025-01-01T00:00:00.0000000Z")
			require.NoError(t, err)
			_, err = snapshot.GetProperties(t.Context(), nil)
			return err
		},
	} {
		err := call()
		var r *azcore.ResponseError
		require.ErrorAs(t, err, &r, name)
		require.Equal(t, http.StatusNotImplemented, r.StatusCode, "%s: %v", name, err)
		if r.RawResponse.Request.Method != http.MethodHead {
			require.Contains(t, err.Error(), name)
		}
	}
}

func TestClientEarlyEnd(t *testing.T) {
	s := serve(t)
	c := s.container(t).NewBlockBlobClient("x")
	for _, size := range []int{100, 1 << 20} {
		ctx, cancel := context.WithCancel(t.Context())
		broken := &breaking{ReadSeeker: bytes.NewReader(random(size)), after: int64(size / 2), do: cancel}
		_, err := c.Upload(ctx, streaming.NopCloser(broken), nil)
		require.Error(t, err)
	}
	require.Eventually(t, func() bool { return len(s.files(t)) == 0 }, 5*time.Second, time.Millisecond)
	_, err := c.GetProperties(t.Context(), nil)
	requireCode(t, err, 404, bloberror.BlobNotFound)
}

// breaking cancels and then fails in the middle of a body.
type breaking struct {
	io.ReadSeeker
	after int64
	do    func()
}

func (b *breaking) Read(p []byte) (int, error) {
	if b.after <= 0 {
		b.do()
		return 0, errors.New("the disk was pulled out")
	}
	n, err := b.ReadSeeker.Read(p[:min(int64(len(p)), b.after)])
	b.after -= int64(n)
	return n, err
}
