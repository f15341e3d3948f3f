package assets

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

var emptySum = md5.Sum(nil)

// transfer is what uploads and downloads are given.
type transfer struct {
	concurrency int
	progress    *progress
}

// The number of requests in flight, unless the caller says: many small files are bound by the wait for answers, a few large
// ones by memory.
const (
	fewRequests  = 32
	manyRequests = 192
	smallMean    = 256 << 10 // bytes; files that are smaller on the average count as small
)

func (tr transfer) limit(files int, size int64) int {
	switch {
	case tr.concurrency > 0:
		return tr.concurrency
	case files > 0 && size/int64(files) > smallMean:
		return fewRequests
	}
	return min(max(files, 1), manyRequests)
}

// uploader sends files.
type uploader struct {
	box      *box
	have     map[string]remote // what is there, where that is known
	room     *semaphore.Weighted
	progress *progress
	done     func(*sending) // told of each that arrived; may be nil
	sent     atomic.Int64
}

// A sending is one file, where it goes, and what must hold there.
type sending struct {
	file *File
	dest string
	when condition
}

// all sends the files. An error says how many arrived: the same call again goes on from them.
func (u *uploader) all(ctx context.Context, jobs []sending, limit int) error {
	g, gctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(limit, len(jobs)) {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return nil
				}
				if err := gctx.Err(); err != nil {
					return err
				}
				if err := u.file(gctx, &jobs[i]); err != nil {
					return fmt.Errorf("%s: %w", jobs[i].file.Path, err)
				}
				u.sent.Add(1)
				if u.done != nil {
					u.done(&jobs[i])
				}
			}
		})
	}
	err := g.Wait()
	if cause := ctx.Err(); cause != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = cause
	}
	if err != nil {
		return fmt.Errorf("%w (%d of %d files are there; the same call goes on from them)", err, u.sent.Load(), len(jobs))
	}
	return nil
}

func (u *uploader) file(ctx context.Context, s *sending) error {
	f := s.file
	if f.Size > pieceSize {
		return u.large(ctx, s)
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
	if r, ok := u.have[s.dest]; !ok || r.size != f.Size || !bytes.Equal(r.md5, sum[:]) {
		if err := u.settle(ctx, u.box.put(ctx, s.dest, data, sum, s.when), s, sum[:]); err != nil {
			return err
		}
	}
	u.progress.add(1, f.Size)
	return nil
}

// lostTries is how often a large file is sent when the service drops its pieces, which it does when somebody else commits
// the same blob.
const lostTries = 3

func (u *uploader) large(ctx context.Context, s *sending) error {
	in, err := openSame(s.file)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	if r, ok := u.have[s.dest]; ok && r.size == s.file.Size && len(r.md5) > 0 {
		same, err := hasMD5(ctx, in, r.md5)
		if err != nil {
			return err
		}
		if same {
			u.progress.add(1, s.file.Size)
			return nil
		}
	}
	for try := 1; ; try++ {
		sum, sent, err := u.pieces(ctx, in, s)
		if err != nil && sum != nil { // all was sent
			err = u.settle(ctx, err, s, sum)
		}
		if err == nil {
			u.progress.add(1, 0)
			return nil
		}
		u.progress.add(0, -sent)
		if !errors.Is(err, errLost) || try == lostTries {
			return err
		}
	}
}

// pieces sends a large file piece by piece and commits it. sum is the MD5 of the whole once all pieces were sent.
func (u *uploader) pieces(ctx context.Context, in *os.File, s *sending) (sum []byte, sent int64, err error) {
	f := s.file
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, 0, err
	}
	size := max(pieceSize, (f.Size+maxBlocks-1)/maxBlocks)
	st, err := u.box.stage(ctx, s.dest, f.Size, size, s.when)
	if err != nil {
		return nil, 0, err
	}
	whole := hash.Hash(nil) // of the content, unless the digest of the tree has brought it
	if f.md5 == nil {
		whole = md5.New()
	}
	var counted atomic.Int64
	var done int64
	g, gctx := errgroup.WithContext(ctx)
	weight := min(size, memory)
	for i := 0; done < f.Size; i++ {
		if u.room.Acquire(gctx, weight) != nil {
			break // gctx has ended: Wait says why
		}
		buf := pieceBuffer(size)
		n, err := io.ReadFull(in, (*buf)[:min(size, f.Size-done)])
		if err != nil {
			u.room.Release(weight)
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = changed(f, done+int64(n))
			}
			g.Go(func() error { return err })
			break
		}
		data, at := (*buf)[:n], done
		done += int64(n)
		hashed := make(chan struct{})
		g.Go(func() error {
			defer u.room.Release(weight)
			defer buffers.Put(buf)
			err := st.piece(gctx, i, at, data)
			<-hashed // the buffer is read by the digest too
			if err != nil {
				return err
			}
			counted.Add(int64(n))
			u.progress.add(0, int64(n))
			return nil
		})
		if whole != nil {
			whole.Write(data) //nolint:errcheck // a hash takes all
		}
		close(hashed)
	}
	err = g.Wait()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = stillSame(in, f)
	}
	if err != nil {
		return nil, counted.Load(), err
	}
	if sum = f.md5; whole != nil {
		sum = whole.Sum(nil)
	}
	return sum, counted.Load(), st.commit(ctx, sum, s.when)
}

// buffers hold pieces of pieceSize, which all transfers share.
var buffers = sync.Pool{New: func() any { b := make([]byte, pieceSize); return &b }}

func pieceBuffer(size int64) *[]byte {
	b := buffers.Get().(*[]byte)
	if int64(len(*b)) < size {
		*b = make([]byte, size)
	}
	return b
}

// errOther says that the place is taken by other bytes.
var errOther = errors.New("holds other bytes already, which somebody else put there")

// settle takes the answer to a write. When somebody else was first, what they wrote must be the same.
func (u *uploader) settle(ctx context.Context, err error, s *sending, sum []byte) error {
	if !errors.Is(err, errTaken) && !errors.Is(err, errLost) {
		return err
	}
	there, serr := u.box.stat(ctx, s.dest)
	switch {
	case serr != nil:
		return serr
	case there == nil && errors.Is(err, errLost):
		return err
	case there == nil:
		return fmt.Errorf("%s was there and is gone: somebody else is changing it", s.dest)
	}
	same := there.size == s.file.Size
	if same && len(there.md5) == 0 {
		if same, serr = u.box.sameContent(ctx, there, sum); serr != nil {
			return serr
		}
	} else if same {
		same = bytes.Equal(there.md5, sum)
	}
	switch {
	case same:
		return nil
	case errors.Is(err, errLost):
		return err // what is there is to be replaced
	case s.when.etag != "":
		return fmt.Errorf("%s changed since it was listed: %w", s.dest, errTaken)
	}
	return fmt.Errorf("%s %w", s.dest, errOther)
}

// sameContent reads a file of a volume that has no MD5.
func (b *box) sameContent(ctx context.Context, r *remote, sum []byte) (bool, error) {
	if r.size == 0 {
		return bytes.Equal(sum, emptySum[:]), nil
	}
	body, _, err := b.open(ctx, r, 0, r.size)
	if err != nil {
		return false, err
	}
	defer body.Close() //nolint:errcheck // read only
	return hasMD5(ctx, body, sum)
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
