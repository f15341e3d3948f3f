package execution

import (
	"time"
)

// lookAtClock is how often a clock that others move is read: it says nothing when it moves.
const lookAtClock = 20 * time.Millisecond

// deadline ends a limit of a job: the channel is closed when d has passed since its start, by the workspace's clock
// or, where that stands or is slow, by the machine's. stop gives it up. The clock may have moved since the start,
// which others saw.
func (e *Engine) deadline(start time.Time, d time.Duration) (over <-chan struct{}, stop func()) {
	done, quit := make(chan struct{}), make(chan struct{})
	if !e.ClockMoves {
		t := time.AfterFunc(d, func() { close(done) })
		return done, func() { t.Stop() }
	}
	at := start.Add(d)
	go func() {
		whole, look := time.NewTimer(d), time.NewTicker(lookAtClock)
		defer whole.Stop()
		defer look.Stop()
		for waiting := true; waiting; {
			select {
			case <-quit:
				return
			case <-whole.C:
				waiting = false
			case <-look.C:
				waiting = e.Clock().Before(at)
			}
		}
		close(done)
	}()
	return done, func() { close(quit) }
}
