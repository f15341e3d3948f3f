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
	// aheadUnit is how much is read ahead in one go: many small files, or a piece of a large one.
	aheadUnit = 512 << 10
	// aheadBytes bounds what is read and not yet hashed.
	aheadBytes = 24 << 20
)

// A readAhead reads what digests need before they come to it, in parallel and in bounded memory, each file once. A digest is
// one serial stream by definition, so this is where the time goes.
//
// The first digest leads: workers read in its order, and stop when too much is read that nobody has used. Others, whose order
// differs in places, follow: they take what is there, and read themselves what is not. They never wait for room, so that
// they always go on and make room for the first, which waits for them when what it has used and they have not fills half of
// the room: an MD5 is slower by far.
type readAhead struct {
	files []File
	units []unit
	first []int32 // by file: the unit that it is in, or the first of them; -1 when the leader does not need it
	at    []int32 // by file: where in its unit

	progress *progress // of the leader; may be nil

	mu      sync.Mutex
	room    sync.Cond // signalled when held falls, lead moves, or ended is set
	held    int64
	behind  int64 // of it, what the leader has used and others have not
	lead    int   // the unit that the leader waits for
	next    int   // the unit that is read next
	ended   bool
	free    [][]byte
	workers sync.WaitGroup
	wake    func() bool // ends the waking of workers when the context ends
}

// A unit is read in one go: whole files, one after the other, or a piece of one file.
type unit struct {
	files  []int32
	off, n int64 // off is in the file when it is a piece of one
	piece  bool
	uses   int32 // readings still to come
	taken  bool
	led    bool // the leader has used it
	ready  chan struct{}
	data   []byte
	err    error
}

// newReadAhead plans the reading for digests, the leader first.
func newReadAhead(files []File, plans ...[]chunk) *readAhead {
	r := &readAhead{files: files, first: make([]int32, len(files)), at: make([]int32, len(files))}
	r.room.L = &r.mu
	for i := range r.first {
		r.first[i] = -1
	}
	open := -1 // the unit that takes more files
	for _, c := range plans[0] {
		if c.file < 0 {
			continue
		}
		size := files[c.file].Size
		if size > aheadUnit {
			r.first[c.file] = int32(len(r.units))
			for off := int64(0); off < size; off += aheadUnit {
				r.units = append(r.units, unit{files: []int32{int32(c.file)}, off: off, n: min(aheadUnit, size-off), piece: true})
			}
			open = -1
			continue
		}
		if open < 0 || r.units[open].n+size > aheadUnit {
			open = len(r.units)
			r.units = append(r.units, unit{})
		}
		u := &r.units[open]
		r.first[c.file], r.at[c.file] = int32(open), int32(u.n)
		u.files = append(u.files, int32(c.file))
		u.n += size
	}
	for _, plan := range plans {
		for _, c := range plan {
			if c.file >= 0 && r.first[c.file] >= 0 {
				for i := r.first[c.file]; i == r.first[c.file] || int(i) < len(r.units) && r.units[i].piece && r.units[i].files[0] == int32(c.file); i++ {
					r.units[i].uses++
				}
			}
		}
	}
	for i := range r.units {
		r.units[i].ready = make(chan struct{})
	}
	return r
}

// start sets workers on the units.
func (r *readAhead) start(ctx context.Context) {
	r.wake = context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.room.Broadcast()
	})
	for range min(max(4, runtime.GOMAXPROCS(0)), len(r.units)) {
		r.workers.Go(func() {
			for {
				u := r.take(ctx)
				if u == nil {
					return
				}
				r.load(u)
			}
		})
	}
}

// take waits for room and gives the next unit, or nil. What the leader waits for is read in any case, but for others that are
// far behind.
func (r *readAhead) take(ctx context.Context) *unit {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for r.next < len(r.units) && (r.units[r.next].taken || r.units[r.next].uses == 0) {
			r.next++
		}
		if r.next == len(r.units) || r.ended || ctx.Err() != nil {
			return nil
		}
		if u := &r.units[r.next]; r.held+aheadUnit <= aheadBytes || r.next <= r.lead && r.behind <= aheadBytes/2 {
			r.claim(u)
			r.next++
			return u
		}
		r.room.Wait()
	}
}

// claim makes the caller, who holds mu, the one that reads the unit.
func (r *readAhead) claim(u *unit) {
	u.taken = true
	r.held += aheadUnit
	if k := len(r.free) - 1; k >= 0 {
		u.data, r.free = r.free[k], r.free[:k]
	}
}

func (r *readAhead) load(u *unit) {
	if u.data == nil {
		u.data = make([]byte, aheadUnit)
	}
	if u.piece {
		u.err = readPiece(&r.files[u.files[0]], u.data[:u.n], u.off)
	} else {
		at := int64(0)
		for _, i := range u.files {
			f := &r.files[i]
			if _, u.err = readInto(f, u.data[at:at+f.Size]); u.err != nil {
				break
			}
			at += f.Size
		}
	}
	close(u.ready)
}

// readPiece reads part of a file that is as the walk saw it.
func readPiece(f *File, data []byte, off int64) error {
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // read only
	n, err := in.ReadAt(data, off)
	if n < len(data) {
		if err == io.EOF {
			return changed(f, off+int64(n))
		}
		return err
	}
	return stillSame(in, f)
}

// stop ends the workers. Digests are done by then, or have failed.
func (r *readAhead) stop() {
	r.wake()
	r.mu.Lock()
	r.ended = true
	r.room.Broadcast()
	r.mu.Unlock()
	r.workers.Wait()
}

// feed writes a plan to the digest. after is told of each file that went in.
func (r *readAhead) feed(ctx context.Context, h hash.Hash, plan []chunk, leads bool, after func(i int)) error {
	for i, c := range plan {
		if c.file < 0 {
			io.WriteString(h, c.text) //nolint:errcheck // a hash takes all
			continue
		}
		if err := r.file(ctx, h, int32(c.file), leads); err != nil {
			return err
		}
		if leads {
			if f := &r.files[c.file]; f.Size <= aheadUnit {
				r.progress.add(1, f.Size)
			} else {
				r.progress.add(1, 0)
			}
		}
		if after != nil {
			after(i)
		}
	}
	return ctx.Err()
}

func (r *readAhead) file(ctx context.Context, h hash.Hash, file int32, leads bool) error {
	f, first := &r.files[file], r.first[file]
	if first < 0 {
		return r.direct(h, f, 0, f.Size)
	}
	for i := int(first); i < len(r.units); i++ {
		u := &r.units[i]
		if i > int(first) && (!u.piece || u.files[0] != file) {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		off, n := u.off, u.n
		if !u.piece {
			off, n = int64(r.at[file]), f.Size
		}
		if !r.arrange(u, i, leads) { // the follower is ahead of the leader, and there is no room
			at := off
			if !u.piece {
				at = 0
			}
			if err := r.direct(h, f, at, n); err != nil {
				return err
			}
			r.used(u, leads)
			continue
		}
		select {
		case <-u.ready:
		case <-ctx.Done(): // the workers have ended
			return ctx.Err()
		}
		if u.err != nil {
			return u.err
		}
		if u.piece {
			off = 0
			if leads {
				r.progress.add(0, n)
			}
		}
		h.Write(u.data[off : off+n]) //nolint:errcheck // a hash takes all
		r.used(u, leads && (u.piece || r.last(u, file)))
	}
	return nil
}

// arrange sees to it that a unit is or will be read, and says whether to wait for it.
func (r *readAhead) arrange(u *unit, i int, leads bool) bool {
	r.mu.Lock()
	if leads {
		if i > r.lead {
			r.lead = i
			r.room.Broadcast()
		}
		r.mu.Unlock()
		return true
	}
	if u.taken {
		r.mu.Unlock()
		return true
	}
	mine := r.held+aheadUnit <= aheadBytes
	if mine {
		r.claim(u)
	}
	r.mu.Unlock()
	if mine {
		r.load(u)
	}
	return mine
}

// last says whether a file is the last of its unit, which holds them in the order of the leader.
func (r *readAhead) last(u *unit, file int32) bool { return u.files[len(u.files)-1] == file }

// used counts one reading of a unit; led, when the leader is done with it. After the last its memory is for others.
func (r *readAhead) used(u *unit, led bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u.uses--
	if led && u.taken && u.uses > 0 {
		u.led = true
		r.behind += aheadUnit
	}
	if u.uses == 0 && u.taken {
		if u.led {
			r.behind -= aheadUnit
		}
		r.held -= aheadUnit
		r.free = append(r.free, u.data)
		u.data = nil
		r.room.Broadcast()
	}
}

// direct reads past the units.
func (r *readAhead) direct(h hash.Hash, f *File, off, n int64) error {
	buf := make([]byte, min(n, aheadUnit))
	for n > 0 {
		k := min(n, int64(len(buf)))
		if err := readPiece(f, buf[:k], off); err != nil {
			return err
		}
		h.Write(buf[:k]) //nolint:errcheck // a hash takes all
		off, n = off+k, n-k
	}
	return nil
}
