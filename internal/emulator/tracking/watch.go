package tracking

import (
	"slices"
	"sync"
)

// watchers are told of metrics once they are durable.
type watchers struct {
	mu  sync.Mutex
	all map[[2]string][]*watcher // by workspace and run
}

// watcher queues metrics for one subscriber, so that logging never waits for it.
type watcher struct {
	mu    sync.Mutex
	queue []Metric
	more  chan struct{} // has room for one: there is something in the queue
	quit  chan struct{}
	out   chan Metric
}

// Subscribe yields the metrics that are logged to a run from now on, in the order
// they became durable. cancel ends it and closes the channel.
func (s *Store) Subscribe(ws, run string) (metrics <-chan Metric, cancel func()) {
	w := &watcher{more: make(chan struct{}, 1), quit: make(chan struct{}), out: make(chan Metric)}
	k := [2]string{ws, run}
	s.watch.mu.Lock()
	if s.watch.all == nil {
		s.watch.all = map[[2]string][]*watcher{}
	}
	s.watch.all[k] = append(s.watch.all[k], w)
	s.watch.mu.Unlock()
	go w.run()
	var once sync.Once
	return w.out, func() {
		once.Do(func() {
			s.watch.mu.Lock()
			defer s.watch.mu.Unlock()
			s.watch.all[k] = slices.DeleteFunc(s.watch.all[k], func(o *watcher) bool { return o == w })
			if len(s.watch.all[k]) == 0 {
				delete(s.watch.all, k)
			}
			close(w.quit)
		})
	}
}

func (w *watcher) run() {
	defer close(w.out)
	for {
		w.mu.Lock()
		queue := w.queue
		w.queue = nil
		w.mu.Unlock()
		for _, m := range queue {
			select {
			case w.out <- m:
			case <-w.quit:
				return
			}
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-w.more:
		case <-w.quit:
			return
		}
	}
}

func (ws *watchers) tell(space, run string, metrics []Metric) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, w := range ws.all[[2]string{space, run}] {
		w.mu.Lock()
		w.queue = append(w.queue, metrics...)
		w.mu.Unlock()
		select {
		case w.more <- struct{}{}:
		default:
		}
	}
}

// changed tells of a run's new status.
func (s *Store) changed(ws, run, status string) {
	if s.opts.OnRun != nil {
		s.opts.OnRun(ws, run, status)
	}
}
