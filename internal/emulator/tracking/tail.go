package tracking

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// A run's part of the tail is moved to where it is kept once it has this many rows
// or values, or when nothing was added to it for a while.
const (
	tailRows   = 64
	tailValues = 16384
	tailRest   = 400 * time.Millisecond
)

// tail knows which runs have rows in tracking_tail, and runs the goroutine that
// moves them, while there are any.
type tail struct {
	mu      sync.Mutex
	runs    map[int64]*tailRun
	running bool
	stopped bool
	done    chan struct{} // closed when the goroutine has ended
	halt    context.CancelFunc
	kick    chan struct{}

	moving sync.Mutex // held while rows are moved
}

type tailRun struct {
	rows, values int
	last         time.Time // of the machine's clock
}

func (r *tailRun) due(now time.Time) bool {
	return r.rows >= tailRows || r.values >= tailValues || now.Sub(r.last) >= tailRest
}

// loadTail finds what an earlier process left.
func (s *Store) loadTail() error {
	err := s.db.View(context.Background(), func(tx *sql.Tx) (err error) {
		rows, err := tx.Query(`SELECT rid, count(*), sum(n) FROM tracking_tail GROUP BY rid`)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var rid int64
			r := &tailRun{}
			if err := rows.Scan(&rid, &r.rows, &r.values); err != nil {
				return err
			}
			if s.tail.runs == nil {
				s.tail.runs = map[int64]*tailRun{}
			}
			s.tail.runs[rid] = r
		}
		return rows.Err()
	})
	if err == nil && len(s.tail.runs) > 0 {
		s.tail.mu.Lock()
		s.tail.start(s)
		s.tail.mu.Unlock()
	}
	return err
}

// grow notes a row that became durable.
func (t *tail) grow(s *Store, rid int64, values int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.runs == nil {
		t.runs = map[int64]*tailRun{}
	}
	r := t.runs[rid]
	if r == nil {
		r = &tailRun{}
		t.runs[rid] = r
	}
	r.rows++
	r.values += values
	r.last = time.Now()
	if r.rows == 0 { // it was moved before this call came
		delete(t.runs, rid)
		return
	}
	t.start(s)
	if r.rows >= tailRows || r.values >= tailValues {
		select {
		case t.kick <- struct{}{}:
		default:
		}
	}
}

// start begins the goroutine unless it runs. The lock is held.
func (t *tail) start(s *Store) {
	if t.running || t.stopped {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.running, t.halt = true, cancel
	t.done, t.kick = make(chan struct{}), make(chan struct{}, 1)
	go t.work(ctx, s)
}

// work moves what is due until nothing is left.
func (t *tail) work(ctx context.Context, s *Store) {
	defer close(t.done)
	timer := time.NewTimer(tailRest)
	defer timer.Stop()
	for {
		for _, rid := range t.due() {
			if err := s.move(ctx, rid); err != nil {
				if !errors.Is(err, store.ErrClosed) && !errors.Is(err, context.Canceled) {
					s.opts.Logger.Warn("tracking: cannot order logged values; they are safe and will be tried again", "error", err)
				}
				t.mu.Lock()
				t.running = false
				t.mu.Unlock()
				return
			}
			if ctx.Err() != nil {
				return
			}
		}
		if t.rest() {
			return
		}
		timer.Reset(tailRest)
		select {
		case <-ctx.Done():
			return
		case <-t.kick:
		case <-timer.C:
		}
	}
}

// due lists the runs whose rows are to be moved now.
func (t *tail) due() []int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	var rids []int64
	for rid, r := range t.runs {
		if r.due(now) {
			rids = append(rids, rid)
		}
	}
	return rids
}

// rest reports that nothing is left, and that the goroutine ends therefore.
func (t *tail) rest() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = len(t.runs) > 0
	return !t.running
}

// moved notes that rows of a run are gone. There may be fewer noted than were
// moved: grow is called after the rows are durable.
func (t *tail) moved(rid int64, rows, values int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.runs[rid]
	if r == nil {
		r = &tailRun{last: time.Now()}
		t.runs[rid] = r
	}
	r.rows -= rows
	r.values -= values
	if r.rows == 0 {
		delete(t.runs, rid)
	}
}

// noted is how many rows of a run are noted.
func (t *tail) noted(rid int64) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.runs[rid]; r != nil {
		return r.rows
	}
	return 0
}

// all lists the runs with rows in the tail.
func (t *tail) all() []int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	rids := make([]int64, 0, len(t.runs))
	for rid := range maps.Keys(t.runs) {
		rids = append(rids, rid)
	}
	return rids
}

// stop ends the goroutine.
func (t *tail) stop() {
	t.mu.Lock()
	t.stopped = true
	halt, done := t.halt, t.done
	t.mu.Unlock()
	if halt != nil {
		halt()
		<-done
	}
}

// settle moves all that was acknowledged before the call, for searches that need
// the index of latest values.
func (s *Store) settle(ctx context.Context) error {
	for _, rid := range s.tail.all() {
		if err := s.move(ctx, rid); err != nil {
			return err
		}
	}
	return nil
}
