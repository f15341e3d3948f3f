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
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// downloader brings files.
type downloader struct {
	box      *box
	root     *os.Root
	room     *semaphore.Weighted
	progress *progress
	came     atomic.Int64
}

// all brings the files. An error says how many arrived: the same call again begins with what is missing of large files.
func (w *downloader) all(ctx context.Context, files []remote, names []string, limit int) error {
	g, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(limit, len(files)) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(files) {
					return nil
				}
				if err := gctx.Err(); err != nil {
					return err
				}
				if err := w.file(gctx, files[i], names[i]); err != nil {
					return fmt.Errorf("%s: %w", files[i].name, err)
				}
				w.came.Add(1)
			}
		})
	}
	err := g.Wait()
	if cause := ctx.Err(); cause != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = cause
	}
	if err != nil {
		return fmt.Errorf("%w (%d of %d files arrived)", err, w.came.Load(), len(files))
	}
	return nil
}

// changedTries is how often a file that changes while it is read is begun again.
const changedTries = 3

func (w *downloader) file(ctx context.Context, r remote, rel string) error {
	if dir := path.Dir(rel); dir != "." {
		if err := w.root.MkdirAll(filepath.FromSlash(dir), 0o755); err != nil {
			return err
		}
	}
	if there, err := w.there(ctx, &r, rel); err != nil || there {
		return err
	}
	for try := 1; ; try++ {
		err := w.once(ctx, &r, rel)
		if !errors.Is(err, errMoved) {
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

// there says whether the file is here already, as an earlier call left it.
func (w *downloader) there(ctx context.Context, r *remote, rel string) (bool, error) {
	if len(r.md5) != md5.Size {
		return false, nil
	}
	info, err := w.root.Lstat(filepath.FromSlash(rel))
	if err != nil || !info.Mode().IsRegular() || info.Size() != r.size {
		return false, nil //nolint:nilerr // it is not there, or in the way: writing it will say
	}
	f, err := w.root.Open(filepath.FromSlash(rel))
	if err != nil {
		return false, nil //nolint:nilerr // it is replaced
	}
	same, err := hasMD5(ctx, f, r.md5)
	if err = errors.Join(err, f.Close()); err == nil && same {
		w.progress.add(1, r.size)
	}
	return same, err
}

// once brings a file under a temporary name and renames it. What came of a large file stays when it fails.
func (w *downloader) once(ctx context.Context, r *remote, rel string) (err error) {
	p, err := w.resume(ctx, r, rel)
	if err != nil {
		return err
	}
	if p == nil { // the name is somebody else's, who is at work
		temp := filepath.FromSlash(path.Join(path.Dir(rel), ".azureml-"+rand.Text()[:12]+".part"))
		f, err := w.root.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
		if err != nil {
			return err
		}
		p = &part{File: f, temp: temp}
	}
	var fetched atomic.Int64
	err = w.fetch(ctx, r, p, &fetched)
	if err == nil {
		if err = verify(ctx, r, p.File); err != nil {
			p.spoilt = true
		}
	}
	if err != nil {
		w.progress.add(0, -fetched.Load())
		return errors.Join(err, w.leave(p, fetched.Load() > 0))
	}
	if p.done != nil {
		if err := p.Truncate(r.size); err != nil {
			return errors.Join(err, w.leave(p, false))
		}
	}
	if err := w.place(p, filepath.FromSlash(rel)); err != nil {
		return err
	}
	w.progress.add(1, 0)
	return nil
}

// place gives the file its name. Windows renames no open file; elsewhere the lock is held until it has its name.
func (w *downloader) place(p *part, rel string) error {
	if runtime.GOOS == "windows" {
		if err := p.Close(); err != nil {
			return errors.Join(err, w.root.Remove(p.temp))
		}
		return w.root.Rename(p.temp, rel)
	}
	if err := w.root.Rename(p.temp, rel); err != nil {
		return errors.Join(err, w.leave(p, false))
	}
	return p.Close()
}

// leave closes a file that is not whole, and removes it unless it is to be gone on with.
func (w *downloader) leave(p *part, some bool) error {
	if p.done != nil && !p.spoilt && (some || p.some()) {
		return p.Close()
	}
	if runtime.GOOS == "windows" { // which removes no open file
		return errors.Join(p.Close(), ignore(w.root.Remove(p.temp), fs.ErrNotExist))
	}
	// Once it is closed its name may be somebody else's.
	return errors.Join(ignore(w.root.Remove(p.temp), fs.ErrNotExist), p.Close())
}

func ignore(err, what error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// fetch reads the file piece by piece.
func (w *downloader) fetch(ctx context.Context, r *remote, p *part, fetched *atomic.Int64) error {
	g, gctx := errgroup.WithContext(ctx)
	for at := int64(0); at < r.size; at += pieceSize {
		n := min(pieceSize, r.size-at)
		if p.has(int(at / pieceSize)) {
			fetched.Add(n)
			w.progress.add(0, n)
			continue
		}
		if w.room.Acquire(gctx, n) != nil {
			break // Wait says why, or ctx
		}
		g.Go(func() error {
			defer w.room.Release(n)
			buf := pieceBuffer(n)
			defer buffers.Put(buf)
			if err := w.piece(gctx, r, p, at, (*buf)[:n]); err != nil {
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

func (w *downloader) piece(ctx context.Context, r *remote, p *part, at int64, data []byte) error {
	body, sum, err := w.box.open(ctx, r, at, int64(len(data)))
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // read only
	if k, err := io.ReadFull(body, data); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the answer ended after %d of %d bytes", k, len(data))
		}
		return storageError(err)
	}
	if len(sum) == md5.Size {
		if own := md5.Sum(data); !bytes.Equal(own[:], sum) {
			return fmt.Errorf("bytes %d to %d came with the MD5 %x, and the service says %x", at, at+int64(len(data)), own, sum)
		}
	}
	if _, err = p.WriteAt(data, at); err != nil {
		return err
	}
	return p.finished(int(at/pieceSize), data)
}

// verify compares the file with the MD5 that the service keeps of it, when it keeps one.
func verify(ctx context.Context, r *remote, f *os.File) error {
	if len(r.md5) != md5.Size {
		return nil
	}
	same, err := hasMD5(ctx, io.NewSectionReader(f, 0, r.size), r.md5)
	if err != nil {
		return err
	}
	if !same {
		return fmt.Errorf("what came does not have the file's MD5 %x", r.md5)
	}
	return nil
}
