package assets

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/directory"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/file"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/fileerror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azfile/share"
)

// A shareVolume is a share of Azure Files. It has real folders, which are made as they are needed, and no conditions: the
// MD5 of a file is set when all of it is there, and a file without one is sent again.
type shareVolume struct {
	client *share.Client

	mu   sync.Mutex
	made map[string]chan struct{} // folders that are there, or being made until the channel closes
}

func (v *shareVolume) file(name string) *file.Client {
	dir, base := path.Split(name)
	return v.folder(strings.TrimSuffix(dir, "/")).NewFileClient(base)
}

func (v *shareVolume) folder(name string) *directory.Client {
	d := v.client.NewRootDirectoryClient()
	if name == "" {
		return d
	}
	return d.NewSubdirectoryClient(name)
}

// list gives the files and folders whose names begin with prefix.
func (v *shareVolume) list(ctx context.Context, prefix string) ([]remote, error) {
	dir, begin := path.Split(prefix)
	var out []remote
	err := v.walk(ctx, strings.TrimSuffix(dir, "/"), begin, &out)
	return out, err
}

func (v *shareVolume) walk(ctx context.Context, dir, begin string, out *[]remote) error {
	o := &directory.ListFilesAndDirectoriesOptions{Include: directory.ListFilesInclude{ETag: true}, IncludeExtendedInfo: to.Ptr(true)}
	if begin != "" {
		o.Prefix = &begin
	}
	var folders []string
	pager := v.folder(dir).NewListFilesAndDirectoriesPager(o)
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if fileerror.HasCode(err, fileerror.ResourceNotFound, fileerror.ParentNotFound) {
			return nil
		}
		if err != nil {
			return storageError(err)
		}
		if page.Segment == nil {
			continue
		}
		for _, f := range page.Segment.Files {
			if f.Name == nil || f.Properties == nil || f.Properties.ContentLength == nil {
				return errors.New("the service named a file without its properties")
			}
			r := remote{name: path.Join(dir, *f.Name), size: *f.Properties.ContentLength}
			if f.Properties.ETag != nil {
				r.etag = *f.Properties.ETag
			}
			*out = append(*out, r)
		}
		for _, d := range page.Segment.Directories {
			if d.Name != nil {
				folders = append(folders, path.Join(dir, *d.Name))
			}
		}
	}
	for _, d := range folders {
		*out = append(*out, remote{name: d, folder: true})
		if err := v.walk(ctx, d, "", out); err != nil {
			return err
		}
	}
	return nil
}

func (v *shareVolume) stat(ctx context.Context, name string) (*remote, error) {
	p, err := v.file(name).GetProperties(ctx, nil)
	if err == nil && (p.FileType == nil || *p.FileType != "Directory") {
		r := &remote{name: name, md5: p.ContentMD5, meta: p.Metadata}
		if p.ContentLength != nil {
			r.size = *p.ContentLength
		}
		if p.ETag != nil {
			r.etag = *p.ETag
		}
		return r, nil
	}
	if err != nil && !missing(err) {
		return nil, storageError(err)
	}
	d, err := v.folder(name).GetProperties(ctx, nil)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, storageError(err)
	}
	return &remote{name: name, folder: true, meta: d.Metadata}, nil
}

func missing(err error) bool {
	return status(err) == 404 && !fileerror.HasCode(err, fileerror.ShareNotFound)
}

// make makes a folder and those above it, each once.
func (v *shareVolume) make(ctx context.Context, dir string) error {
	if dir == "." || dir == "" {
		return nil
	}
	for {
		v.mu.Lock()
		busy, known := v.made[dir]
		if !known {
			busy = make(chan struct{})
			v.made[dir] = busy
			v.mu.Unlock()
			err := v.make(ctx, path.Dir(dir))
			if err == nil {
				if _, err = v.folder(dir).Create(ctx, nil); fileerror.HasCode(err, fileerror.ResourceAlreadyExists) {
					err = nil
				}
			}
			if err != nil {
				v.mu.Lock()
				delete(v.made, dir) // whoever waits tries again
				v.mu.Unlock()
			}
			close(busy)
			return storageError(err)
		}
		v.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return ctx.Err()
		}
		v.mu.Lock()
		_, known = v.made[dir]
		v.mu.Unlock()
		if known {
			return nil
		}
	}
}

// check holds a condition as well as a share can: it knows none of its own.
func (v *shareVolume) check(ctx context.Context, name string, c condition) error {
	if !c.absent && c.etag == "" {
		return nil
	}
	now, err := v.stat(ctx, name)
	switch {
	case err != nil:
		return err
	case c.absent && now != nil && len(now.md5) > 0, c.etag != "" && (now == nil || now.etag != c.etag):
		return errTaken
	}
	return nil
}

func (v *shareVolume) put(ctx context.Context, name string, data []byte, sum [md5.Size]byte, c condition) error {
	s, err := v.stage(ctx, name, int64(len(data)), pieceSize, c)
	if err != nil {
		return err
	}
	if len(data) > 0 {
		if err := s.piece(ctx, 0, 0, data); err != nil {
			return err
		}
	}
	return s.commit(ctx, sum[:], c)
}

func (v *shareVolume) stage(ctx context.Context, name string, size, _ int64, c condition) (stage, error) {
	if err := v.check(ctx, name, c); err != nil {
		return nil, err
	}
	return &rangeStage{v: v, client: v.file(name), name: name, size: size}, nil
}

func (v *shareVolume) mark(ctx context.Context, name string, m map[string]string) error {
	meta := make(map[string]*string, len(m))
	for k, s := range m {
		meta[k] = &s
	}
	_, err := v.file(name).SetMetadata(ctx, &file.SetMetadataOptions{Metadata: meta})
	return storageError(err)
}

func (v *shareVolume) open(ctx context.Context, r *remote, at, n int64) (io.ReadCloser, []byte, error) {
	o := &file.DownloadStreamOptions{}
	if n < r.size {
		o.Range = file.HTTPRange{Offset: at, Count: n}
		if len(r.md5) == 0 && n <= pieceSize {
			o.RangeGetContentMD5 = to.Ptr(true)
		}
	}
	resp, err := v.file(r.name).DownloadStream(ctx, o)
	if missing(err) || fileerror.HasCode(err, fileerror.InvalidRange) {
		return nil, nil, errors.Join(errMoved, storageError(err))
	}
	if err != nil {
		return nil, nil, storageError(err)
	}
	if r.etag != "" && resp.ETag != nil && *resp.ETag != r.etag {
		return nil, nil, errors.Join(errMoved, resp.Body.Close())
	}
	var sum []byte
	if o.RangeGetContentMD5 != nil {
		sum = resp.ContentMD5
	}
	return resp.NewRetryReader(ctx, &file.RetryReaderOptions{EarlyCloseAsError: true}), sum, nil
}

func (v *shareVolume) remove(ctx context.Context, r *remote) error {
	if r.folder {
		_, err := v.folder(r.name).Delete(ctx, nil)
		if missing(err) {
			return nil
		}
		return storageError(err)
	}
	now, err := v.stat(ctx, r.name)
	if err != nil || now == nil {
		return err
	}
	if r.etag != "" && now.etag != r.etag {
		return errMoved
	}
	if _, err = v.file(r.name).Delete(ctx, nil); missing(err) {
		return nil
	}
	return storageError(err)
}

// A rangeStage is a file of a share on its way in ranges. It is made when the first range comes.
type rangeStage struct {
	v      *shareVolume
	client *file.Client
	name   string
	size   int64

	once sync.Once
	err  error
}

func (s *rangeStage) create(ctx context.Context) error {
	s.once.Do(func() {
		if s.err = s.v.make(ctx, path.Dir(s.name)); s.err == nil {
			_, err := s.client.Create(ctx, s.size, nil)
			s.err = storageError(err)
		}
	})
	return s.err
}

func (s *rangeStage) piece(ctx context.Context, _ int, at int64, data []byte) error {
	if err := s.create(ctx); err != nil {
		return err
	}
	sum := md5.Sum(data)
	_, err := s.client.UploadRange(ctx, at, streaming.NopCloser(bytes.NewReader(data)), &file.UploadRangeOptions{
		TransactionalValidation: file.TransferValidationTypeMD5(sum[:]),
	})
	return storageError(err)
}

func (s *rangeStage) commit(ctx context.Context, sum []byte, _ condition) error {
	if err := s.create(ctx); err != nil { // an empty file has no piece
		return err
	}
	_, err := s.client.SetHTTPHeaders(ctx, &file.SetHTTPHeadersOptions{HTTPHeaders: &file.HTTPHeaders{ContentMD5: sum}})
	return storageError(err)
}
