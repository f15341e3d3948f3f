package assets

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// Download is what a download brought.
type Download struct {
	// Dir is the local folder that it went to. Files are in it, with slashes, in the order of their names.
	Dir   string
	Files []string
	Bytes int64
}

// A remote is a blob in a list.
type remote struct {
	name   string
	size   int64
	etag   azcore.ETag
	md5    []byte
	folder bool // a folder of a hierarchical account, or a marker for one
}

// list gives the blobs whose names begin with prefix.
func (b *box) list(ctx context.Context, prefix string) ([]remote, error) {
	var out []remote
	pager := b.client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, Include: container.ListBlobsInclude{Metadata: true}})
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", b.blobURL(prefix), storageError(err))
		}
		if page.Segment == nil {
			continue
		}
		for _, it := range page.Segment.BlobItems {
			if it.Name == nil || it.Properties == nil {
				return nil, fmt.Errorf("listing %s: the service named a blob without its properties", b.blobURL(prefix))
			}
			r := remote{name: *it.Name, md5: it.Properties.ContentMD5}
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

// index lists the blobs of a file or folder by name.
func (b *box) index(ctx context.Context, top string) (map[string]remote, error) {
	list, err := b.list(ctx, top)
	if err != nil {
		return nil, err
	}
	m := make(map[string]remote, len(list))
	for _, r := range list {
		m[r.name] = r
	}
	return m, nil
}

// find gives the blob at a path, or those below it. Unlike the reference it takes no others whose names only begin alike.
func (b *box) find(ctx context.Context, p string) (found []remote, single bool, err error) {
	p = strings.TrimLeft(p, "/")
	if p != "" && !strings.HasSuffix(p, "/") {
		own, err := b.stat(ctx, p)
		if err != nil {
			return nil, false, err
		}
		if own != nil && !own.folder {
			return []remote{*own}, true, nil
		}
		p += "/"
	}
	found, err = b.list(ctx, p)
	return found, false, err
}

func (b *box) stat(ctx context.Context, name string) (*remote, error) {
	p, err := b.head(ctx, name)
	if err != nil || p == nil {
		return nil, err
	}
	r := &remote{name: name, md5: p.ContentMD5, folder: metadata(p.Metadata, "hdi_isfolder") == "true"}
	if p.ContentLength != nil {
		r.size = *p.ContentLength
	}
	if p.ETag != nil {
		r.etag = *p.ETag
	}
	return r, nil
}

// errNothing says that a download found no blob.
var errNothing = errors.New("nothing is there")

// download brings the file or folder at a path into dir. Files are written under temporary names and renamed; what is there
// already is replaced.
func (b *box) download(ctx context.Context, p, dir string, tr transfer) (*Download, error) {
	found, single, err := b.find(ctx, p)
	if err != nil {
		return nil, err
	}
	prefix := strings.Trim(p, "/")
	if prefix != "" {
		prefix += "/"
	}
	d := &Download{Dir: dir}
	var files []remote
	seen := map[string]string{}
	for _, r := range found {
		if r.folder {
			continue
		}
		rel := strings.TrimPrefix(r.name, prefix)
		if single {
			rel = path.Base(r.name)
		}
		rel = strings.TrimLeft(rel, "/")
		local := filepath.FromSlash(rel)
		if rel == "" || !filepath.IsLocal(local) {
			return nil, fmt.Errorf("the blob %q would be written outside of %s: nothing was downloaded", r.name, dir)
		}
		rel = filepath.ToSlash(filepath.Clean(local))
		if other, twice := seen[rel]; twice {
			return nil, fmt.Errorf("the blobs %q and %q would be written to the same file: nothing was downloaded", other, r.name)
		}
		seen[rel] = r.name
		files = append(files, r)
		d.Files = append(d.Files, rel)
		d.Bytes += r.size
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w", b.blobURL(p), errNothing)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir) // writes stay in dir, whatever links are there
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is buffered in it
	tr.progress.begin(PhaseDownload, len(files), d.Bytes)
	w := &downloader{box: b, root: root, room: semaphore.NewWeighted(memory), progress: tr.progress}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(tr.limit())
	for i := range files {
		g.Go(func() error {
			if err := gctx.Err(); err != nil {
				return err
			}
			if err := w.file(gctx, files[i], d.Files[i]); err != nil {
				return fmt.Errorf("%s: %w", files[i].name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return d, nil
}

type downloader struct {
	box      *box
	root     *os.Root
	room     *semaphore.Weighted
	progress *progress
}

// changedTries is how often a blob that changes while it is read is begun again.
const changedTries = 3

func (w *downloader) file(ctx context.Context, r remote, rel string) error {
	if dir := path.Dir(rel); dir != "." {
		if err := w.root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		err := w.once(ctx, r, rel)
		if !bloberror.HasCode(err, bloberror.ConditionNotMet, bloberror.InvalidRange) {
			return err
		}
		if try == changedTries {
			return fmt.Errorf("it changed while it was downloaded: %w", err)
		}
		now, err := w.box.stat(ctx, r.name)
		if err != nil {
			return err
		}
		if now == nil {
			return errors.New("it was deleted while it was downloaded")
		}
		r = *now
	}
}

func (w *downloader) once(ctx context.Context, r remote, rel string) (err error) {
	temp := filepath.FromSlash(path.Join(path.Dir(rel), ".azureml-"+rand.Text()[:12]+".part"))
	f, err := w.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignore(w.root.Remove(temp), fs.ErrNotExist))
		}
	}()
	var fetched atomic.Int64
	if err = w.fetch(ctx, r, f, &fetched); err == nil {
		err = verify(ctx, r, f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		w.progress.add(0, -fetched.Load())
		return err
	}
	if err = w.root.Rename(temp, filepath.FromSlash(rel)); err != nil {
		return err
	}
	w.progress.add(1, 0)
	return nil
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// fetch reads the blob piece by piece into the file.
func (w *downloader) fetch(ctx context.Context, r remote, f *os.File, fetched *atomic.Int64) error {
	client := w.box.client.NewBlobClient(r.name)
	g, gctx := errgroup.WithContext(ctx)
	for at := int64(0); at < r.size || at == 0; at += pieceSize {
		n := min(pieceSize, r.size-at)
		weight := max(n, 1)
		if w.room.Acquire(gctx, weight) != nil {
			break // Wait says why, or ctx
		}
		g.Go(func() error {
			defer w.room.Release(weight)
			if err := piece(gctx, client, r, f, at, n); err != nil {
				return err
			}
			fetched.Add(n)
			w.progress.add(0, n)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

func piece(ctx context.Context, client *blob.Client, r remote, f *os.File, at, n int64) error {
	o := &blob.DownloadStreamOptions{}
	if r.size > pieceSize {
		o.Range = blob.HTTPRange{Offset: at, Count: n}
	}
	if r.etag != "" {
		o.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &r.etag}}
	}
	resp, err := client.DownloadStream(ctx, o)
	if err != nil {
		return storageError(err)
	}
	body := resp.NewRetryReader(ctx, &blob.RetryReaderOptions{EarlyCloseAsError: true})
	defer body.Close() //nolint:errcheck // read only
	data := make([]byte, n)
	if k, err := io.ReadFull(body, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the answer ended after %d of %d bytes", k, n)
		}
		return storageError(err)
	}
	_, err = f.WriteAt(data, at)
	return err
}

// verify compares the file with the MD5 that the service keeps of the blob, when it keeps one.
func verify(ctx context.Context, r remote, f *os.File) error {
	if len(r.md5) != md5.Size {
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	same, err := hasMD5(ctx, f, r.md5)
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("what came does not have the blob's MD5 %x", r.md5)
	}
	return nil
}

// read gives the content of one small blob, or errNothing.
func (b *box) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	resp, err := b.client.NewBlobClient(name).DownloadStream(ctx, nil)
	if err != nil {
		if status(err) == 404 {
			return nil, fmt.Errorf("%s: %w", b.blobURL(name), errNothing)
		}
		return nil, storageError(err)
	}
	body := resp.NewRetryReader(ctx, nil)
	defer body.Close() //nolint:errcheck // read only
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(body, limit+1)); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes", b.blobURL(name), limit)
	}
	return buf.Bytes(), nil
}
