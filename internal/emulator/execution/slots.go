package execution

import (
	"context"
	"sync"
)

// slots hands out a compute's nodes in the order they were asked for.
type slots struct {
	mu   sync.Mutex
	used int
	size int // of the compute; 0 when it must be asked for
	// elastic computes give a job more nodes than they have slots, when it has them for itself.
	elastic bool
	queue   []*claim
	fleet   fleet
}

type claim struct {
	run   string
	n     int
	nodes []*node // once it is ready
	ready chan struct{}
}

// enqueue takes a place in the queue for n nodes for a run. size is asked when the
// queue moves and it is not known, or the compute was changed.
func (s *slots) enqueue(run string, n int, size func() int) *claim {
	c := &claim{run: run, n: n, ready: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, c)
	s.advance(size)
	return c
}

// wait returns when the claim's nodes are free, and gives the place up when ctx
// ends before.
func (s *slots) wait(ctx context.Context, c *claim, size func() int) error {
	select {
	case <-c.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-c.ready: // given out at the same moment
		s.free(c)
	default:
		for i, q := range s.queue {
			if q == c {
				s.queue = append(s.queue[:i], s.queue[i+1:]...)
				break
			}
		}
	}
	s.advance(size)
	return ctx.Err()
}

// release gives a claim's nodes back.
func (s *slots) release(c *claim, size func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free(c)
	s.advance(size)
}

func (s *slots) free(c *claim) {
	s.used -= c.n
	s.fleet.free(c.nodes)
}

// resized lets the queue move after the compute was changed.
func (s *slots) resized(size func() int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = 0
	s.advance(size)
}

// advance serves the queue from its head only: a job that needs many nodes is
// not overtaken for ever by those that need few.
func (s *slots) advance(size func() int) {
	if len(s.queue) == 0 {
		return
	}
	if s.size <= 0 { // of a compute that cannot be used now: it may be, the next time
		s.size = size()
	}
	for len(s.queue) > 0 && (s.used+s.queue[0].n <= s.size || s.elastic && s.used == 0 && s.size > 0) {
		c := s.queue[0]
		s.queue = s.queue[1:]
		s.used += c.n
		c.nodes = s.fleet.take(c.run, c.n)
		close(c.ready)
	}
}

// load tells how many nodes are in use and how many claims wait.
func (s *slots) load() (used, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used, len(s.queue)
}
