package execution

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDeadline(t *testing.T) {
	passed := func(over <-chan struct{}) bool {
		synctest.Wait()
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var ahead atomic.Int64 // of the machine's clock
		start := time.Now()
		stands := &Engine{Deps: Deps{ClockMoves: true, Clock: func() time.Time { return start.Add(time.Duration(ahead.Load())) }}}
		own := &Engine{Deps: Deps{Clock: time.Now}}

		for name, e := range map[string]*Engine{"own": own, "a clock that stands": stands} {
			over, stop := e.deadline(e.Clock(), time.Hour)
			time.Sleep(time.Hour - time.Second)
			require.False(t, passed(over), name)
			time.Sleep(2 * time.Second)
			require.True(t, passed(over), name)
			stop()
		}
		over, stop := stands.deadline(stands.Clock(), time.Hour)
		ahead.Store(int64(time.Hour - time.Second))
		time.Sleep(time.Second)
		require.False(t, passed(over))
		ahead.Store(int64(time.Hour))
		time.Sleep(time.Second)
		require.True(t, passed(over), "it was moved")
		stop()

		late, stop := stands.deadline(stands.Clock().Add(-time.Hour), time.Hour)
		time.Sleep(time.Second)
		require.True(t, passed(late), "the clock was moved before it was set")
		stop()

		given, stop := stands.deadline(stands.Clock(), time.Hour)
		stop()
		ahead.Add(int64(2 * time.Hour))
		time.Sleep(3 * time.Hour)
		require.False(t, passed(given))
	})
}
