package assets

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

const (
	uploadFolder = "LocalUpload"     // where uploads lie in a datastore
	legacyFolder = "az-ml-artifacts" // where old clients put them

	// pieceSize is the size of a block of an upload, and of a range of a download; what is no larger goes in one request.
	pieceSize = 4 << 20
	// maxBlocks is how many blocks a blob can have.
	maxBlocks = 50_000
	// memory bounds the content that transfers hold.
	memory = 64 << 20
	// defaultConcurrency is the number of requests in flight. Small files are bound by the wait for answers.
	defaultConcurrency = 64
)

// Upload is what an upload made, or found there.
type Upload struct {
	// Datastore is where the bytes are; "" when they went to an address with a signature.
	Datastore string
	// Path is the file or folder in the container: LocalUpload/HASH/NAME.
	Path string
	// URL is its address, unescaped, without a signature.
	URL string
	// IsFile tells one file from a folder.
	IsFile bool
	// Files and Bytes are those of the local tree.
	Files int
	Bytes int64
	// Reused is set when a complete upload was there already. Name and Version are then what it was uploaded for.
	Reused        bool
	Name, Version string

	indicator string
}

// ShortURI is azureml://datastores/NAME/paths/PATH.
func (u *Upload) ShortURI() string { return shortURI(u.Datastore, u.Path) }

func shortURI(datastore, path string) string {
	return "azureml://datastores/" + datastore + "/paths/" + path
}

// transfer is what uploads and downloads are given.
type transfer struct {
	concurrency int
	progress    *progress
}

// uploader sends the files of one tree.
type uploader struct {
	box      *box
	fresh    bool // nothing is overwritten
	have     map[string]remote
	room     *semaphore.Weighted
	progress *progress
}

// upload sends the tree to prefix/NAME, unless the confirmation there says that it is complete. name and version go into
// the confirmation.
func (b *box) upload(ctx context.Context, t *Tree, prefix, name, version string, tr transfer) (*Upload, error) {
	top := t.Name
	if prefix != "" {
		top = prefix + "/" + t.Name
	}
	dest := func(f *File) string {
		if t.IsFile {
			return top
		}
		return top + "/" + f.Name
	}
	if len(t.Files) == 0 {
		return nil, emptyFolder(t)
	}
	up := &Upload{Path: top, URL: b.blobURL(top), IsFile: t.IsFile, Files: len(t.Files), Bytes: t.Size, Name: name, Version: version}
	first := &t.Files[0]
	for i := range t.Files {
		f := &t.Files[i]
		if cmp.Or(strings.Compare(filepath.ToSlash(f.Path), filepath.ToSlash(first.Path)), strings.Compare(dest(f), dest(first))) < 0 {
			first = f
		}
	}
	up.indicator = dest(first)
	there, err := b.confirmed(ctx, up)
	if err != nil || up.Reused {
		return up, err
	}
	u := &uploader{box: b, fresh: !there, room: semaphore.NewWeighted(memory), progress: tr.progress}
	if there { // a broken upload: what is right of it stays
		if u.have, err = b.index(ctx, top); err != nil {
			return nil, err
		}
	}
	tr.progress.begin(PhaseUpload, len(t.Files), t.Size)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(tr.limit())
	for i := range t.Files {
		f := &t.Files[i]
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			if err := u.file(gctx, f, dest(f)); err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	tr.progress.begin(PhaseConfirm, len(t.Files), t.Size)
	if err := b.confirm(ctx, up.indicator, name, version); err != nil {
		return nil, err
	}
	tr.progress.add(len(t.Files), t.Size)
	return up, nil
}

func (tr transfer) limit() int {
	if tr.concurrency > 0 {
		return tr.concurrency
	}
	return defaultConcurrency
}

// confirmed looks for a complete upload, in the place of old clients too, and notes it in up. there is whether the blob that
// carries the confirmation exists.
func (b *box) confirmed(ctx context.Context, up *Upload) (there bool, err error) {
	own, err := b.head(ctx, up.indicator)
	if err != nil || own == nil {
		return false, err
	}
	if legacy := strings.ReplaceAll(up.indicator, uploadFolder, legacyFolder); legacy != up.indicator {
		old, err := b.head(ctx, legacy)
		if err != nil {
			return false, err
		}
		if old != nil && metadata(old.Metadata, "upload_status") == "completed" {
			up.found(old.Metadata)
			up.Path = strings.ReplaceAll(up.Path, uploadFolder, legacyFolder)
			up.URL, up.indicator = b.blobURL(up.Path), legacy
			return true, nil
		}
	}
	if metadata(own.Metadata, "upload_status") == "completed" {
		up.found(own.Metadata)
	}
	return true, nil
}

func (u *Upload) found(m map[string]*string) {
	u.Reused, u.Name, u.Version = true, metadata(m, "name"), metadata(m, "version")
}

// confirm marks an upload as complete, in the words that azure-ai-ml looks for.
func (b *box) confirm(ctx context.Context, indicator, name, version string) error {
	_, err := b.client.NewBlobClient(indicator).SetMetadata(ctx, map[string]*string{
		"upload_status": to.Ptr("completed"), "name": &name, "version": &version,
	}, nil)
	if err != nil {
		return fmt.Errorf("confirming the upload at %s: %w", indicator, storageError(err))
	}
	return nil
}

func (u *uploader) file(ctx context.Context, f *File, dest string) error {
	if f.Size > pieceSize {
		return u.large(ctx, f, dest)
	}
	weight := max(f.Size, 1)
	if err := u.room.Acquire(ctx, weight); err != nil {
		return err
	}
	defer u.room.Release(weight)
	data, err := readWhole(f)
	if err != nil {
		return err
	}
	sum := md5.Sum(data)
	if r, ok := u.have[dest]; !ok || r.size != f.Size || !bytes.Equal(r.md5, sum[:]) {
		_, err = u.box.client.NewBlockBlobClient(dest).Upload(ctx, streaming.NopCloser(bytes.NewReader(data)), &blockblob.UploadOptions{
			TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
			HTTPHeaders:             &blob.HTTPHeaders{BlobContentMD5: sum[:]},
			AccessConditions:        u.conditions(),
		})
		if err = u.settle(ctx, err, f, dest, sum[:]); err != nil {
			return err
		}
	}
	u.progress.add(1, f.Size)
	return nil
}

// large sends a file in blocks. The names of the blocks hold their content's MD5, so that two programs that send the same
// file at once do each other no harm.
func (u *uploader) large(ctx context.Context, f *File, dest string) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	if r, ok := u.have[dest]; ok && r.size == f.Size && len(r.md5) > 0 {
		same, err := hasMD5(ctx, in, r.md5)
		if err != nil {
			return err
		}
		if same {
			u.progress.add(1, f.Size)
			return nil
		}
		if _, err := in.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	size := max(pieceSize, (f.Size+maxBlocks-1)/maxBlocks)
	client := u.box.client.NewBlockBlobClient(dest)
	whole := md5.New()
	ids := make([]string, (f.Size+size-1)/size)
	var done int64
	buffers := sync.Pool{New: func() any { b := make([]byte, size); return &b }}
	g, gctx := errgroup.WithContext(ctx)
	weight := min(size, memory)
	for i := range ids {
		if u.room.Acquire(gctx, weight) != nil {
			break // gctx has ended: Wait says why
		}
		buf := buffers.Get().(*[]byte)
		n, err := io.ReadFull(in, (*buf)[:min(size, f.Size-int64(i)*size)])
		if err != nil {
			u.room.Release(weight)
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = changed(f, done+int64(n))
			}
			g.Go(func() error { return err })
			break
		}
		data := (*buf)[:n]
		whole.Write(data) //nolint:errcheck // a hash takes all
		done += int64(n)
		g.Go(func() error {
			defer u.room.Release(weight)
			defer buffers.Put(buf)
			sum := md5.Sum(data)
			ids[i] = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%06d-%x", i, sum[:8]))
			_, err := client.StageBlock(gctx, ids[i], streaming.NopCloser(bytes.NewReader(data)), &blockblob.StageBlockOptions{
				TransactionalValidation: blob.TransferValidationTypeMD5(sum[:]),
			})
			if err != nil {
				return storageError(err)
			}
			u.progress.add(0, int64(n))
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if info.Size() != done {
		return changed(f, info.Size())
	}
	sum := whole.Sum(nil)
	_, err = client.CommitBlockList(ctx, ids, &blockblob.CommitBlockListOptions{
		HTTPHeaders:      &blob.HTTPHeaders{BlobContentMD5: sum},
		AccessConditions: u.conditions(),
	})
	if err = u.settle(ctx, err, f, dest, sum); err != nil {
		return err
	}
	u.progress.add(1, 0)
	return nil
}

func (u *uploader) conditions() *blob.AccessConditions {
	if !u.fresh {
		return nil
	}
	return &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}}
}

// settle takes the answer to a put. When somebody else was first, what they put must be the same.
func (u *uploader) settle(ctx context.Context, err error, f *File, dest string, sum []byte) error {
	if err == nil {
		return nil
	}
	if !bloberror.HasCode(err, bloberror.BlobAlreadyExists, bloberror.ConditionNotMet) {
		return storageError(err)
	}
	there, err := u.box.head(ctx, dest)
	if err != nil {
		return err
	}
	if there == nil {
		return fmt.Errorf("%s was there and is gone: somebody else is changing it", dest)
	}
	if there.ContentLength != nil && *there.ContentLength == f.Size {
		if len(there.ContentMD5) > 0 && bytes.Equal(there.ContentMD5, sum) {
			return nil
		}
		if len(there.ContentMD5) == 0 {
			stream, err := u.box.client.NewBlobClient(dest).DownloadStream(ctx, nil)
			if err != nil {
				return storageError(err)
			}
			defer stream.Body.Close() //nolint:errcheck // read only
			same, err := hasMD5(ctx, stream.Body, sum)
			if err != nil || same {
				return err
			}
		}
	}
	return fmt.Errorf("%s holds other bytes already, which somebody else put there", dest)
}

// hasMD5 reads all of r.
func hasMD5(ctx context.Context, r io.Reader, sum []byte) (bool, error) {
	h := md5.New()
	buf := make([]byte, 256<<10)
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, err := r.Read(buf)
		h.Write(buf[:n]) //nolint:errcheck // a hash takes all
		if errors.Is(err, io.EOF) {
			return bytes.Equal(h.Sum(nil), sum), nil
		}
		if err != nil {
			return false, err
		}
	}
}
