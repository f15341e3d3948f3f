package blob

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// groupWrites bounds how many writes go in one update.
const groupWrites = 256

// group gathers the writes of whole blobs that come while another update is under way.
// They go in one update, one after the other on one goroutine, without a savepoint for
// each and without a hand-over for each, which for small blobs cost more than the rows.
type group struct {
	mu      sync.Mutex
	waiting []*grouped
	led     bool // somebody runs, or is told to run, what waits
}

// grouped is one write that waits.
type grouped struct {
	ctx   context.Context
	a     address
	w     *write
	r     *record
	files []string
	err   error
	done  chan bool // false tells the write that it is to lead
}

// errAlone says that a write has to be done by an update of its own.
var errAlone = errors.New("blob: the group's update failed")

// replaceGrouped is replace in an update that others may share. A write that is refused
// leaves the others alone: replace asks what it asks before it writes anything. When the
// update fails, each write is done by an update of its own, and told its own error.
func (s *Service) replaceGrouped(ctx context.Context, a address, w *write, r *record) ([]string, error) {
	m := &grouped{ctx: ctx, a: a, w: w, r: r, done: make(chan bool, 1)}
	g := &s.group
	g.mu.Lock()
	g.waiting = append(g.waiting, m)
	leads := !g.led
	g.led = true
	g.mu.Unlock()
	if leads || !<-m.done {
		s.lead(m)
	}
	if errors.Is(m.err, errAlone) {
		return s.replaceAlone(ctx, a, w, r)
	}
	return m.files, m.err
}

// replaceAlone is replace in an update of its own.
func (s *Service) replaceAlone(ctx context.Context, a address, w *write, r *record) (files []string, err error) {
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		files, err = s.replace(tx, a, w, r)
		return err
	})
	if err != nil && w.unstaged != nil {
		s.known.wait(*w.unstaged) // they wait still
	}
	return files, err
}

// lead runs the writes that wait, the caller's among them, and then tells the first of
// those that came meanwhile to lead.
func (s *Service) lead(own *grouped) {
	g := &s.group
	g.mu.Lock()
	n := min(len(g.waiting), groupWrites)
	batch := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	g.mu.Unlock()
	defer func() { // in a panic too: nobody is left waiting
		g.mu.Lock()
		if g.led = len(g.waiting) > 0; g.led {
			g.waiting[0].done <- false
		}
		g.mu.Unlock()
		for _, m := range batch {
			if m != own {
				m.done <- true
			}
		}
	}()
	for _, m := range batch {
		m.err = errAlone
	}
	err := s.db.Update(context.WithoutCancel(own.ctx), func(tx *sql.Tx) error {
		for _, m := range batch {
			if m.err = m.ctx.Err(); m.err != nil {
				continue
			}
			m.files, m.err = s.replace(tx, m.a, m.w, m.r)
			if m.err != nil && m.w.written {
				return m.err
			}
		}
		return nil
	})
	if err == nil {
		return
	}
	for _, m := range batch {
		if m.w.unstaged != nil {
			s.known.wait(*m.w.unstaged)
			m.w.unstaged = nil
		}
		m.err, m.w.written = errAlone, false
	}
}
