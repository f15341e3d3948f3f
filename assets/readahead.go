package assets

import (
	"context"
	"hash"
	"io"
	"os"
	"runtime"
	"sync"
)

const (
	// smallFile is the size up to which a file is read ahead in one piece; larger ones are streamed by the digest.
	smallFile = 4 << 20
	// aheadBytes bounds what is read and not yet hashed.
	aheadBytes = 32 << 20
)

// A readAhead reads small files before the digests come to them, in parallel and in bounded memory. Each digest is one
// serial stream by definition, so this is where the time goes.
type readAhead struct {
	files []File
	slots []slot

	mu     sync.Mutex
	room   sync.Cond // signalled when held falls or stopped is set
	held   int64
	ended  bool
	worker sync.WaitGroup
}

// A slot is one file's content on its way.
type slot struct {
	uses  int8          // digests that still want it
	ready chan struct{} // closed when data or err is set; nil until somebody reads it
	data  []byte
	err   error
}

func newReadAhead(files []File) *readAhead {
	r := &readAhead{files: files, slots: make([]slot, len(files))}
	r.room.L = &r.mu
	return r
}

// uses counts one reader of each file in the plan.
func (r *readAhead) uses(plan []chunk) {
	for _, c := range plan {
		if c.file >= 0 {
			r.slots[c.file].uses++
		}
	}
}

// start sets workers on the plan's files.
func (r *readAhead) start(ctx context.Context, plan []chunk) {
	next := 0
	for range min(max(2, runtime.GOMAXPROCS(0)), len(plan)-1) {
		r.worker.Add(1)
		go func() {
			defer r.worker.Done()
			for {
				i := r.take(ctx, plan, &next)
				if i < 0 {
					return
				}
				r.load(i)
			}
		}()
	}
}

// take waits for room and gives the next file to read, or -1.
func (r *readAhead) take(ctx context.Context, plan []chunk, next *int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	for *next < len(plan) {
		i := plan[*next].file
		if i < 0 || r.files[i].Size > smallFile || r.slots[i].uses == 0 || r.slots[i].ready != nil {
			*next++
			continue
		}
		if r.ended || ctx.Err() != nil {
			return -1
		}
		if !r.claim(i) {
			r.room.Wait()
			continue
		}
		*next++
		return i
	}
	return -1
}

// claim makes the caller, who holds mu, the one that loads the file, if there is room for it.
func (r *readAhead) claim(i int) bool {
	size := r.files[i].Size
	if size > smallFile || r.held > 0 && r.held+size > aheadBytes {
		return false
	}
	r.held += size
	r.slots[i].ready = make(chan struct{})
	return true
}

func (r *readAhead) load(i int) {
	s := &r.slots[i]
	s.data, s.err = readWhole(&r.files[i])
	close(s.ready)
}

// stop ends the workers. Digests are done by then, or have failed.
func (r *readAhead) stop() {
	r.mu.Lock()
	r.ended = true
	r.room.Broadcast()
	r.mu.Unlock()
	r.worker.Wait()
}

// feed writes the plan to the digest. A file that nobody has begun to read is read here, and streamed when it is large or
// there is no room for it, so that two digests with different orders never wait for each other.
func (r *readAhead) feed(ctx context.Context, h hash.Hash, plan []chunk) error {
	var buf []byte
	for _, c := range plan {
		if c.file < 0 {
			io.WriteString(h, c.text) //nolint:errcheck // a hash takes all
			continue
		}
		f, s := &r.files[c.file], &r.slots[c.file]
		r.mu.Lock()
		mine := s.ready == nil && r.claim(c.file)
		ready := s.ready
		if ready == nil {
			s.uses--
		}
		r.mu.Unlock()
		if mine {
			r.load(c.file)
		}
		if ready == nil {
			if buf == nil {
				buf = make([]byte, 256<<10)
			}
			if err := copyFile(ctx, h, f, buf); err != nil {
				return err
			}
			continue
		}
		<-ready
		if s.err != nil {
			return s.err
		}
		h.Write(s.data) //nolint:errcheck // a hash takes all
		r.release(f, s)
	}
	return ctx.Err()
}

func (r *readAhead) release(f *File, s *slot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.uses--; s.uses == 0 {
		s.data = nil
		r.held -= f.Size
		r.room.Broadcast()
	}
}

func readWhole(f *File) ([]byte, error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return nil, err
	}
	defer in.Close()               //nolint:errcheck // read only
	data := make([]byte, f.Size+1) // one more shows that it grew
	n, err := io.ReadFull(in, data)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	if int64(n) != f.Size {
		return nil, changed(f, int64(n))
	}
	return data[:n], nil
}
