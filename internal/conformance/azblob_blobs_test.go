package conformance

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/appendblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/pageblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/stretchr/testify/require"
)

// signed is a blob's address that may be read without the key.
func (w *blobWitness) signed(name string) string {
	u, err := w.box.NewBlobClient(name).GetSASURL(sas.BlobPermissions{Read: true}, soon(), nil)
	require.NoError(w, err)
	return u
}

func (w *blobWitness) blocks() {
	ctx := w.Context()
	b := w.box.NewBlockBlobClient("blocks")
	w.ok("blockblob.URL", nil)
	w.equal("blockblob.URL", w.url+"/box/blocks", b.URL())
	w.ok("blockblob.BlobClient", nil)
	w.equal("blockblob.BlobClient", b.URL(), b.BlobClient().URL())
	var ids []string
	for i, part := range []string{"one ", "two ", "three"} {
		ids = append(ids, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%04d", i)))
		sum := md5.Sum([]byte(part))
		var check blob.TransferValidationType = blob.TransferValidationTypeMD5(sum[:])
		if i == 1 {
			check = blob.TransferValidationTypeComputeCRC64()
		}
		_, err := b.StageBlock(ctx, ids[i], body(part), &blockblob.StageBlockOptions{TransactionalValidation: check})
		w.ok("blockblob.StageBlock", err)
	}
	_, err := b.StageBlock(ctx, ids[0], body("other bytes"), &blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(1)})
	w.fails("Crc64Mismatch", "blockblob.StageBlock", err)
	list, err := b.GetBlockList(ctx, blockblob.BlockListTypeAll, nil)
	w.ok("blockblob.GetBlockList", err)
	w.want("blockblob.GetBlockList", len(list.CommittedBlocks) == 0 && len(list.UncommittedBlocks) == 3, "%v", list.BlockList)
	_, err = b.GetProperties(ctx, nil)
	w.fails("BlobNotFound", "blockblob.GetProperties", err)
	_, err = b.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{Metadata: map[string]*string{"k": ptr("v")}, HTTPHeaders: &blob.HTTPHeaders{BlobContentType: ptr("text/plain")}})
	w.ok("blockblob.CommitBlockList", err)
	_, err = b.CommitBlockList(ctx, []string{base64.StdEncoding.EncodeToString([]byte("none"))}, nil)
	w.fails("InvalidBlockList", "blockblob.CommitBlockList", err)
	r, err := b.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 4, Count: 6}})
	w.ok("blockblob.DownloadStream", err)
	w.equal("blockblob.DownloadStream", "two th", read(w.T, r.Body))
	_, err = b.StageBlockFromURL(ctx, ids[1], w.signed("other"), &blockblob.StageBlockFromURLOptions{Range: blob.HTTPRange{Offset: 1, Count: 3}})
	w.ok("blockblob.StageBlockFromURL", err)
	_, err = b.CommitBlockList(ctx, []string{ids[2], ids[1]}, nil)
	w.ok("blockblob.CommitBlockList", err)
	r, err = b.DownloadStream(ctx, nil)
	w.ok("blockblob.DownloadStream", err)
	w.equal("blockblob.DownloadStream", "threethe", read(w.T, r.Body))
	from := w.box.NewBlockBlobClient("from-url")
	_, err = from.UploadBlobFromURL(ctx, w.signed("other"), nil)
	w.ok("blockblob.UploadBlobFromURL", err)
	r, err = from.DownloadStream(ctx, nil)
	w.ok("blockblob.DownloadStream", err)
	w.equal("blockblob.UploadBlobFromURL", "other", read(w.T, r.Body))

	data := bytes.Repeat([]byte("0123456789"), 300_000)
	_, err = b.UploadBuffer(ctx, data, &blockblob.UploadBufferOptions{BlockSize: 1 << 20})
	w.ok("blockblob.UploadBuffer", err)
	_, err = b.UploadStream(ctx, bytes.NewReader(data), &blockblob.UploadStreamOptions{BlockSize: 1 << 20})
	w.ok("blockblob.UploadStream", err)
	name := filepath.Join(w.TempDir(), "f")
	require.NoError(w, os.WriteFile(name, data, 0o600))
	f, err := os.Open(name)
	require.NoError(w, err)
	defer f.Close()
	_, err = b.UploadFile(ctx, f, &blockblob.UploadFileOptions{BlockSize: 1 << 20})
	w.ok("blockblob.UploadFile", err)
	got := make([]byte, len(data))
	_, err = b.DownloadBuffer(ctx, got, &blob.DownloadBufferOptions{BlockSize: 1 << 20})
	w.ok("blockblob.DownloadBuffer", err)
	w.want("blockblob.UploadFile", bytes.Equal(data, got), "other bytes")
	_, err = b.SetExpiry(ctx, blockblob.ExpiryTypeNever{}, nil)
	w.refuses("blockblob.SetExpiry", err)
}

func (w *blobWitness) appends() {
	ctx := w.Context()
	a := w.box.NewAppendBlobClient("log")
	_, err := a.Create(ctx, &appendblob.CreateOptions{Metadata: map[string]*string{"k": ptr("v")}})
	w.ok("appendblob.Create", err)
	for i, line := range []string{"one\n", "two\n"} {
		r, err := a.AppendBlock(ctx, body(line), &appendblob.AppendBlockOptions{TransactionalValidation: blob.TransferValidationTypeComputeCRC64()})
		w.ok("appendblob.AppendBlock", err)
		w.want("appendblob.AppendBlock", err == nil && *r.BlobAppendOffset == fmt.Sprint(4*i) && *r.BlobCommittedBlockCount == int32(i+1), "%v", r)
	}
	_, err = a.AppendBlock(ctx, body("x"), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{AppendPosition: ptr[int64](3)}})
	w.fails("AppendPositionConditionNotMet", "appendblob.AppendBlock", err)
	_, err = a.AppendBlock(ctx, body("x"), &appendblob.AppendBlockOptions{AppendPositionAccessConditions: &appendblob.AppendPositionAccessConditions{MaxSize: ptr[int64](8)}})
	w.fails("MaxBlobSizeConditionNotMet", "appendblob.AppendBlock", err)
	_, err = a.AppendBlockFromURL(ctx, w.signed("other"), &appendblob.AppendBlockFromURLOptions{Range: blob.HTTPRange{Count: 2}})
	w.ok("appendblob.AppendBlockFromURL", err)
	r, err := a.DownloadStream(ctx, nil)
	w.ok("appendblob.DownloadStream", err)
	w.equal("appendblob.DownloadStream", "one\ntwo\not", read(w.T, r.Body))
	_, err = a.Seal(ctx, nil)
	w.refuses("appendblob.Seal", err)
	_, err = a.SetExpiry(ctx, appendblob.ExpiryTypeNever{}, nil)
	w.refuses("appendblob.SetExpiry", err)
	_, err = w.box.NewAppendBlobClient("other").AppendBlock(ctx, body("x"), nil)
	w.fails("InvalidBlobType", "appendblob.AppendBlock", err)
	w.ok("appendblob.URL", nil)
	w.equal("appendblob.URL", w.url+"/box/log", a.URL())
	w.ok("appendblob.BlobClient", nil)
	w.equal("appendblob.BlobClient", a.URL(), a.BlobClient().URL())
}

// pages are refused, each operation by its name.
func (w *blobWitness) pages() {
	ctx := w.Context()
	p := w.box.NewPageBlobClient("page")
	_, err := p.Create(ctx, 512, nil)
	w.refuses("pageblob.Create", err)
	_, err = p.UploadPages(ctx, body(string(make([]byte, 512))), blob.HTTPRange{Count: 512}, nil)
	w.refuses("pageblob.UploadPages", err)
	_, err = p.ClearPages(ctx, blob.HTTPRange{Count: 512}, nil)
	w.refuses("pageblob.ClearPages", err)
	_, err = allPages(w.T, p.NewGetPageRangesPager(nil))
	w.refuses("pageblob.NewGetPageRangesPager", err)
	_, err = allPages(w.T, p.NewGetPageRangesDiffPager(&pageblob.GetPageRangesDiffOptions{PrevSnapshot: ptr("2026-01-01T00:00:00Z")}))
	w.refuses("pageblob.NewGetPageRangesDiffPager", err)
	_, err = p.Resize(ctx, 1024, nil)
	w.refuses("pageblob.Resize", err)
	_, err = p.UpdateSequenceNumber(ctx, &pageblob.UpdateSequenceNumberOptions{ActionType: ptr(pageblob.SequenceNumberActionTypeIncrement)})
	w.refuses("pageblob.UpdateSequenceNumber", err)
	_, err = p.StartCopyIncremental(ctx, w.signed("other"), "2026-01-01T00:00:00Z", nil)
	w.refuses("pageblob.StartCopyIncremental", err)
	w.ok("pageblob.URL", nil)
	w.ok("pageblob.BlobClient", nil)
	w.equal("pageblob.URL", p.URL(), p.BlobClient().URL())
}

// anyBlob is what the clients of blobs of every kind do.
type anyBlob interface {
	URL() string
	Delete(context.Context, *blob.DeleteOptions) (blob.DeleteResponse, error)
	Undelete(context.Context, *blob.UndeleteOptions) (blob.UndeleteResponse, error)
	SetTier(context.Context, blob.AccessTier, *blob.SetTierOptions) (blob.SetTierResponse, error)
	GetProperties(context.Context, *blob.GetPropertiesOptions) (blob.GetPropertiesResponse, error)
	SetHTTPHeaders(context.Context, blob.HTTPHeaders, *blob.SetHTTPHeadersOptions) (blob.SetHTTPHeadersResponse, error)
	SetMetadata(context.Context, map[string]*string, *blob.SetMetadataOptions) (blob.SetMetadataResponse, error)
	CreateSnapshot(context.Context, *blob.CreateSnapshotOptions) (blob.CreateSnapshotResponse, error)
	StartCopyFromURL(context.Context, string, *blob.StartCopyFromURLOptions) (blob.StartCopyFromURLResponse, error)
	AbortCopyFromURL(context.Context, string, *blob.AbortCopyFromURLOptions) (blob.AbortCopyFromURLResponse, error)
	CopyFromURL(context.Context, string, *blob.CopyFromURLOptions) (blob.CopyFromURLResponse, error)
	SetTags(context.Context, map[string]string, *blob.SetTagsOptions) (blob.SetTagsResponse, error)
	GetTags(context.Context, *blob.GetTagsOptions) (blob.GetTagsResponse, error)
	SetImmutabilityPolicy(context.Context, time.Time, *blob.SetImmutabilityPolicyOptions) (blob.SetImmutabilityPolicyResponse, error)
	DeleteImmutabilityPolicy(context.Context, *blob.DeleteImmutabilityPolicyOptions) (blob.DeleteImmutabilityPolicyResponse, error)
	SetLegalHold(context.Context, bool, *blob.SetLegalHoldOptions) (blob.SetLegalHoldResponse, error)
	GetAccountInfo(context.Context, *blob.GetAccountInfoOptions) (blob.GetAccountInfoResponse, error)
	GetSASURL(sas.BlobPermissions, time.Time, *blob.GetSASURLOptions) (string, error)
	DownloadStream(context.Context, *blob.DownloadStreamOptions) (blob.DownloadStreamResponse, error)
	DownloadBuffer(context.Context, []byte, *blob.DownloadBufferOptions) (int64, error)
	DownloadFile(context.Context, *os.File, *blob.DownloadFileOptions) (int64, error)
}

// everyKind calls what the clients of all kinds of blobs have in common. The
// page client gets a block blob: there are no others.
func (w *blobWitness) everyKind() {
	ctx := w.Context()
	for _, kind := range []string{"blob", "blockblob", "appendblob", "pageblob"} {
		at := "kinds/" + kind
		_, err := w.box.NewBlockBlobClient(at).Upload(ctx, body("0123456789"), nil)
		w.ok("blockblob.Upload", err)
		b := map[string]anyBlob{
			"blob": w.box.NewBlobClient(at), "blockblob": w.box.NewBlockBlobClient(at), "appendblob": w.box.NewAppendBlobClient(at), "pageblob": w.box.NewPageBlobClient(at),
		}[kind]
		w.ok(kind+".URL", nil)
		w.equal(kind+".URL", w.url+"/box/"+strings.ReplaceAll(at, "/", "%2F"), b.URL())
		w.common(kind, b)
		w.snapshots(kind, at)
		_, err = b.Delete(ctx, nil)
		w.ok(kind+".Delete", err)
		_, err = b.Delete(ctx, nil)
		w.fails("BlobNotFound", kind+".Delete", err)
		_, err = b.GetProperties(ctx, nil)
		w.fails("BlobNotFound", kind+".GetProperties", err)
	}
}

func (w *blobWitness) common(kind string, b anyBlob) {
	ctx := w.Context()
	_, err := b.SetHTTPHeaders(ctx, blob.HTTPHeaders{BlobContentType: ptr("text/csv"), BlobCacheControl: ptr("no-cache"), BlobContentLanguage: ptr("de"), BlobContentEncoding: ptr("x"), BlobContentDisposition: ptr("inline")}, nil)
	w.ok(kind+".SetHTTPHeaders", err)
	_, err = b.SetMetadata(ctx, map[string]*string{"k": ptr("v")}, nil)
	w.ok(kind+".SetMetadata", err)
	tier := blob.AccessTierCool
	if kind == "appendblob" { // its client refuses itself, but the tier is the account's
		tier = blob.AccessTierHot
	} else {
		_, err = b.SetTier(ctx, tier, nil)
		w.ok(kind+".SetTier", err)
	}
	p, err := b.GetProperties(ctx, nil)
	w.ok(kind+".GetProperties", err)
	w.want(kind+".GetProperties", err == nil && *p.ContentType == "text/csv" && *p.CacheControl == "no-cache" && *p.ContentLanguage == "de" && *p.ContentEncoding == "x" && *p.ContentDisposition == "inline" &&
		*p.Metadata["K"] == "v" && *p.AccessTier == string(tier) && *p.ContentLength == 10 && *p.BlobType == blob.BlobTypeBlockBlob, "%v", p)
	r, err := b.DownloadStream(ctx, &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: 3, Count: 4}, RangeGetContentMD5: ptr(true)})
	w.ok(kind+".DownloadStream", err)
	sum := md5.Sum([]byte("3456"))
	w.want(kind+".DownloadStream", read(w.T, r.Body) == "3456" && bytes.Equal(sum[:], r.ContentMD5) && *r.ContentRange == "bytes 3-6/10", "%v", r.ContentRange)
	buffer := make([]byte, 10)
	_, err = b.DownloadBuffer(ctx, buffer, nil)
	w.ok(kind+".DownloadBuffer", err)
	w.equal(kind+".DownloadBuffer", "0123456789", string(buffer))
	f, err := os.Create(filepath.Join(w.TempDir(), "f"))
	require.NoError(w, err)
	defer f.Close()
	n, err := b.DownloadFile(ctx, f, nil)
	w.ok(kind+".DownloadFile", err)
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(w, err)
	got, err := io.ReadAll(f)
	require.NoError(w, err)
	w.want(kind+".DownloadFile", n == 10 && string(got) == "0123456789", "%q", got)
	_, err = b.GetAccountInfo(ctx, nil)
	w.ok(kind+".GetAccountInfo", err)
	address, err := b.GetSASURL(sas.BlobPermissions{Read: true}, soon(), nil)
	w.ok(kind+".GetSASURL", err)
	anyone, err := blob.NewClientWithNoCredential(address, nil)
	require.NoError(w, err)
	r, err = anyone.DownloadStream(ctx, nil)
	w.ok(kind+".GetSASURL", err)
	w.equal(kind+".GetSASURL", "0123456789", read(w.T, r.Body))
	_, err = anyone.SetMetadata(ctx, nil, nil)
	w.fails("AuthorizationPermissionMismatch", "blob.SetMetadata", err)

	started, err := b.StartCopyFromURL(ctx, w.signed("other"), nil)
	w.ok(kind+".StartCopyFromURL", err)
	w.want(kind+".StartCopyFromURL", err == nil && *started.CopyStatus == blob.CopyStatusTypeSuccess, "%v", started)
	p, err = b.GetProperties(ctx, nil)
	w.ok(kind+".GetProperties", err)
	w.want(kind+".GetProperties", err == nil && *p.ContentLength == 5 && p.CopyID != nil && *p.CopyStatus == blob.CopyStatusTypeSuccess, "%v", p)
	_, err = b.AbortCopyFromURL(ctx, "00000000-0000-0000-0000-000000000000", nil)
	w.fails("NoPendingCopyOperation", kind+".AbortCopyFromURL", err)
	if kind == "appendblob" {
		return // its client refuses CopyFromURL itself
	}
	_, err = b.CopyFromURL(ctx, w.signed("list/c"), nil)
	w.ok(kind+".CopyFromURL", err)
	r, err = b.DownloadStream(ctx, nil)
	w.ok(kind+".DownloadStream", err)
	w.equal(kind+".CopyFromURL", "list/c", read(w.T, r.Body))
}

// snapshots and the like are refused by name.
func (w *blobWitness) snapshots(kind, at string) {
	ctx := w.Context()
	b := map[string]anyBlob{"blob": w.box.NewBlobClient(at), "blockblob": w.box.NewBlockBlobClient(at), "appendblob": w.box.NewAppendBlobClient(at), "pageblob": w.box.NewPageBlobClient(at)}[kind]
	_, err := b.CreateSnapshot(ctx, nil)
	w.refuses(kind+".CreateSnapshot", err)
	_, err = b.Undelete(ctx, nil)
	w.refuses(kind+".Undelete", err)
	_, err = b.SetTags(ctx, map[string]string{"a": "b"}, nil)
	w.refuses(kind+".SetTags", err)
	_, err = b.GetTags(ctx, nil)
	w.refuses(kind+".GetTags", err)
	_, err = b.SetImmutabilityPolicy(ctx, soon(), nil)
	w.refuses(kind+".SetImmutabilityPolicy", err)
	_, err = b.DeleteImmutabilityPolicy(ctx, nil)
	w.refuses(kind+".DeleteImmutabilityPolicy", err)
	_, err = b.SetLegalHold(ctx, true, nil)
	w.refuses(kind+".SetLegalHold", err)
	const then, version = "2026-01-02T03:04:05.0000000Z", "2026-01-02T03:04:05.0000000Z"
	get := func(name string, b interface {
		GetProperties(context.Context, *blob.GetPropertiesOptions) (blob.GetPropertiesResponse, error)
	}, err error) {
		require.NoError(w, err)
		_, err = b.GetProperties(ctx, nil)
		w.refusesHead(name, err)
	}
	switch kind {
	case "blob":
		c, err := w.box.NewBlobClient(at).WithSnapshot(then)
		get("blob.WithSnapshot", c, err)
		c, err = w.box.NewBlobClient(at).WithVersionID(version)
		get("blob.WithVersionID", c, err)
	case "blockblob":
		c, err := w.box.NewBlockBlobClient(at).WithSnapshot(then)
		get("blockblob.WithSnapshot", c, err)
		c, err = w.box.NewBlockBlobClient(at).WithVersionID(version)
		get("blockblob.WithVersionID", c, err)
	case "appendblob":
		c, err := w.box.NewAppendBlobClient(at).WithSnapshot(then)
		get("appendblob.WithSnapshot", c, err)
		c, err = w.box.NewAppendBlobClient(at).WithVersionID(version)
		get("appendblob.WithVersionID", c, err)
	case "pageblob":
		c, err := w.box.NewPageBlobClient(at).WithSnapshot(then)
		get("pageblob.WithSnapshot", c, err)
		c, err = w.box.NewPageBlobClient(at).WithVersionID(version)
		get("pageblob.WithVersionID", c, err)
	}
}
