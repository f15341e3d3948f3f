package emulator

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// agenda is what is to be done at a time of the workspace's clock: ticks of schedules, instances that stop and start. What was due while the workspace was not open, or while
// the clock jumped, is done once or not at all, as each sort of work decides; nothing is made up for.
type agenda struct {
	clock func() time.Time
	// look is how often the clock is read. A clock that others move says nothing when it moves.
	look time.Duration

	mu   sync.Mutex
	due  map[string]errand
	wake chan struct{}
}

// errand is one thing to do. It may put itself on the agenda again.
type errand struct {
	at time.Time
	do func(at, now time.Time)
}

const (
	lookMoved = 20 * time.Millisecond // at a clock of the options
	lookOwn   = 30 * time.Second      // at the machine's, which is set now and then, and sleeps
)

func newAgenda(clock func() time.Time, moved bool) *agenda {
	a := &agenda{clock: clock, look: lookOwn, due: map[string]errand{}, wake: make(chan struct{}, 1)}
	if moved {
		a.look = lookMoved
	}
	return a
}

// set puts an errand on the agenda in place of what has the same key.
func (a *agenda) set(key string, at time.Time, do func(at, now time.Time)) {
	a.mu.Lock()
	a.due[key] = errand{at, do}
	a.mu.Unlock()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *agenda) drop(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.due, key)
}

// dropAll takes off what has a key that begins so.
func (a *agenda) dropAll(prefix string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.due, func(k string, _ errand) bool { return strings.HasPrefix(k, prefix) })
}

// run does what is due, one after the other, until ctx ends.
func (a *agenda) run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for ctx.Err() == nil {
		next := a.round(ctx)
		t.Reset(next)
		select {
		case <-ctx.Done():
		case <-a.wake:
		case <-t.C:
		}
	}
}

// round does what is due now, in order, and says how long nothing is.
func (a *agenda) round(ctx context.Context) time.Duration {
	now := a.clock()
	a.mu.Lock()
	var ready []errand
	for k, e := range a.due {
		if !e.at.After(now) {
			ready = append(ready, e)
			delete(a.due, k)
		}
	}
	a.mu.Unlock()
	slices.SortFunc(ready, func(x, y errand) int { return x.at.Compare(y.at) })
	for _, e := range ready {
		if ctx.Err() == nil {
			e.do(e.at, now)
		}
	}
	wait := a.look
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.due) == 0 && a.look == lookOwn {
		return time.Hour
	}
	now = a.clock()
	for _, e := range a.due {
		wait = min(wait, max(e.at.Sub(now), 0))
	}
	return wait
}
