package emulator

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A journal is written by the agenda's goroutine and read by the test's.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// With the machine's clock the agenda sleeps until something is due.
func TestAgenda(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAgenda(time.Now, false)
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); a.run(ctx) }()
		began := time.Now()
		var done journal
		note := func(name string) func(at, now time.Time) {
			return func(at, now time.Time) {
				done.add(name + " " + at.Sub(began).String())
				require.Equal(t, at, now, "neither early nor late")
			}
		}
		synctest.Wait()
		a.set("b", began.Add(2*time.Hour), note("b"))
		a.set("a", began.Add(time.Hour), note("a"))
		a.set("never", began.Add(90*time.Minute), note("never"))
		a.set("group 1", began.Add(time.Minute), note("group"))
		a.set("group 2", began.Add(time.Minute), note("group"))
		a.drop("never")
		a.dropAll("group ")
		a.set("again", began.Add(3*time.Hour), func(at, _ time.Time) {
			a.set("again", at.Add(time.Hour), note("again"))
		})
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		require.Empty(t, done.all())
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		require.Equal(t, []string{"a 1h0m0s", "b 2h0m0s", "again 4h0m0s"}, done.all())
		cancel()
		<-over
	})
}

// A clock that is moved is looked at often, and what a jump makes due is done in order.
func TestAgendaUnderAMovedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		began := c.Now()
		a := newAgenda(c.Now, true)
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); a.run(ctx) }()
		var done journal
		for _, d := range []time.Duration{3, 1, 2} {
			a.set(d.String(), began.Add(d*time.Hour), func(at, now time.Time) { done.add(at.Sub(began).String() + " at " + now.Sub(began).String()) })
		}
		time.Sleep(time.Hour) // passes nowhere but here
		synctest.Wait()
		require.Empty(t, done.all())
		c.Move(150 * time.Minute)
		time.Sleep(2 * lookMoved)
		synctest.Wait()
		require.Equal(t, []string{"1h0m0s at 2h30m0s", "2h0m0s at 2h30m0s"}, done.all())
		cancel()
		<-over
	})
}
