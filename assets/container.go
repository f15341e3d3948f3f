package assets

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/minio/crc64nvme"
)

// A blobVolume is a blob container. The files of a Data Lake are blobs as well.
type blobVolume struct {
	client *container.Client
}

func (v *blobVolume) list(ctx context.Context, prefix string) ([]remote, error) {
	var out []remote
	pager := v.client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, Include: container.ListBlobsInclude{Metadata: true}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, storageError(err)
		}
		if page.Segment == nil {
			continue
		}
		for _, it := range page.Segment.BlobItems {
			if it.Name == nil || it.Properties == nil {
				return nil, errors.New("the service named a blob without its properties")
			}
			r := remote{name: *it.Name, md5: it.Properties.ContentMD5, meta: it.Metadata}
			if it.Properties.ContentLength != nil {
				r.size = *it.Properties.ContentLength
			}
			if it.Properties.ETag != nil {
				r.etag = *it.Properties.ETag
			}
			r.folder = metadata(it.Metadata, "hdi_isfolder") == "true" || r.size == 0 && strings.HasSuffix(r.name, "/")
			out = append(out, r)
		}
	}
	return out, nil
}

func (v *blobVolume) stat(ctx context.Context, name string) (*remote, error) {
	p, err := v.client.NewBlobClient(name).GetProperties(ctx, nil)
	if bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.ResourceNotFound) || status(err) == 404 && !bloberror.HasCode(err, bloberror.ContainerNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, storageError(err)
	}
	r := &remote{name: name, md5: p.ContentMD5, meta: p.Metadata, folder: metadata(p.Metadata, "hdi_isfolder") == "true"}
	if p.ContentLength != nil {
		r.size = *p.ContentLength
	}
	if p.ETag != nil {
		r.etag = *p.ETag
	}
	return r, nil
}

func (v *blobVolume) put(ctx context.Context, name string, data []byte, sum [md5.Size]byte, c condition) error {
	resp, err := v.client.NewBlockBlobClient(name).Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), &blockblob.UploadOptions{
		TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
		HTTPHeaders:             &blob.HTTPHeaders{BlobContentMD5: sum[:]},
		AccessConditions:        c.blob(),
	})
	if err != nil {
		return written(err)
	}
	return arrived(data, resp.ContentCRC64)
}

// arrived compares the CRC64 of what the service stored, where it says it, besides the MD5 that it verified: it takes no two
// checksums with one request.
func arrived(data, crc []byte) error {
	if len(crc) != 8 {
		return nil
	}
	if own := crc64nvme.Checksum(data); own != binary.LittleEndian.Uint64(crc) {
		return fmt.Errorf("the service stored bytes with the CRC64 %x, and %x were sent", binary.LittleEndian.Uint64(crc), own)
	}
	return nil
}

func (c condition) blob() *blob.AccessConditions {
	switch {
	case c.absent:
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
	case c.etag != "":
		return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &c.etag}}
	}
	return nil
}

// written tells the answers that mean somebody else was first from the others.
func written(err error) error {
	switch {
	case err == nil:
		return nil
	case bloberror.HasCode(err, bloberror.BlobAlreadyExists, bloberror.ConditionNotMet), status(err) == 412:
		return errors.Join(errTaken, storageError(err))
	}
	return storageError(err)
}

func (v *blobVolume) mark(ctx context.Context, name string, m map[string]string) error {
	meta := make(map[string]*string, len(m))
	for k, s := range m {
		meta[k] = &s
	}
	_, err := v.client.NewBlobClient(name).SetMetadata(ctx, meta, nil)
	return storageError(err)
}

func (v *blobVolume) open(ctx context.Context, r *remote, at, n int64) (io.ReadCloser, []byte, error) {
	o := &blob.DownloadStreamOptions{}
	if n < r.size {
		o.Range = blob.HTTPRange{Offset: at, Count: n}
		if len(r.md5) == 0 && n <= pieceSize {
			o.RangeGetContentMD5 = to.Ptr(true) // the blob has none to be compared with in the end
		}
	}
	if r.etag != "" {
		o.AccessConditions = condition{etag: r.etag}.blob()
	}
	resp, err := v.client.NewBlobClient(r.name).DownloadStream(ctx, o)
	if bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.InvalidRange, bloberror.BlobNotFound) {
		return nil, nil, errors.Join(errMoved, storageError(err))
	}
	if err != nil {
		return nil, nil, storageError(err)
	}
	var sum []byte
	if o.RangeGetContentMD5 != nil {
		sum = resp.ContentMD5
	}
	return resp.NewRetryReader(ctx, &blob.RetryReaderOptions{EarlyCloseAsError: true}), sum, nil
}

func (v *blobVolume) remove(ctx context.Context, r *remote) error {
	_, err := v.client.NewBlobClient(r.name).Delete(ctx, &blob.DeleteOptions{
		AccessConditions: condition{etag: r.etag}.blob(), DeleteSnapshots: to.Ptr(blob.DeleteSnapshotsOptionTypeInclude),
	})
	switch {
	case bloberror.HasCode(err, bloberror.BlobNotFound):
		return nil
	case bloberror.HasCode(err, bloberror.ConditionNotMet):
		return errors.Join(errMoved, storageError(err))
	}
	return storageError(err)
}

// resumable is the number of pieces from which on the pieces of an earlier try are looked for: below it sending them again
// costs no more than the question.
const resumable = 4

// A blockStage is a blob on its way in blocks. Their names hold their content's checksum, so that two programs that send the
// same file at once do each other no harm, and that what an earlier try has sent is known by its name. Uncommitted blocks
// stay for a week.
//
// Blocks go with a CRC64 in the place of an MD5, of which a request takes one: the service verifies either, and the MD5 is
// the slowest step of a large upload by far. The blob's own MD5 is that of the whole file.
type blockStage struct {
	v      *blobVolume
	client *blockblob.Client
	name   string
	ids    []string
	there  map[string]int64 // blocks of an earlier try, and their sizes
}

// blockName is as long as the names that azure-storage-blob gives to its blocks: all blocks of a blob must have names of one
// length, and the try that broke may have been another program's.
func blockName(i int, crc uint64, size int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "azureml%06d-%016x%016x", i, crc, size))
}

func (v *blobVolume) stage(ctx context.Context, name string, size, piece int64, _ condition) (stage, error) {
	n := int((size + piece - 1) / piece)
	s := &blockStage{v: v, client: v.client.NewBlockBlobClient(name), name: name, ids: make([]string, n), there: map[string]int64{}}
	if n < resumable {
		return s, nil
	}
	list, err := s.client.GetBlockList(ctx, blockblob.BlockListTypeUncommitted, nil)
	if err != nil {
		if status(err) == 404 && !bloberror.HasCode(err, bloberror.ContainerNotFound) {
			return s, nil
		}
		if status(err) == 403 { // a signature that may write and not read: then all is sent
			return s, nil
		}
		return nil, storageError(err)
	}
	for _, b := range list.UncommittedBlocks {
		if b.Name != nil && b.Size != nil {
			s.there[*b.Name] = *b.Size
		}
	}
	return s, nil
}

func (s *blockStage) piece(ctx context.Context, i int, _ int64, data []byte) error {
	crc := crc64nvme.Checksum(data)
	s.ids[i] = blockName(i, crc, len(data))
	if n, ok := s.there[s.ids[i]]; ok && n == int64(len(data)) {
		return nil
	}
	_, err := s.client.StageBlock(ctx, s.ids[i], streaming.NopCloser(bytes.NewReader(data)), &blockblob.StageBlockOptions{
		TransactionalValidation: blob.TransferValidationTypeCRC64(crc),
	})
	return storageError(err)
}

func (s *blockStage) commit(ctx context.Context, sum []byte, c condition) error {
	_, err := s.client.CommitBlockList(ctx, s.ids, &blockblob.CommitBlockListOptions{
		HTTPHeaders:      &blob.HTTPHeaders{BlobContentMD5: sum},
		AccessConditions: c.blob(),
	})
	if bloberror.HasCode(err, bloberror.InvalidBlockList) { // somebody else's commit takes the uncommitted blocks away
		return errors.Join(errLost, storageError(err))
	}
	return written(err)
}
