package execution

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func size(n int) func() int { return func() int { return n } }

func (s *slots) acquire(ctx context.Context, n int, size func() int) error {
	return s.wait(ctx, s.enqueue("", n, size), size)
}

// give releases as much as a claim of n has.
func (s *slots) give(n int, size func() int) { s.release(&claim{n: n}, size) }

func TestSlotsQueueInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slots
		ctx := context.Background()
		require.NoError(t, s.acquire(ctx, 2, size(3)))
		got := make(chan string, 3)
		wait := func(name string, n int) {
			go func() {
				if s.acquire(ctx, n, size(3)) == nil {
					got <- name
				}
			}()
			synctest.Wait()
		}
		wait("big", 2)
		wait("small", 1) // one is free, but big came first
		require.Empty(t, got)
		used, waiting := s.load()
		require.Equal(t, []int{2, 2}, []int{used, waiting})
		s.give(2, size(3))
		synctest.Wait()
		require.Len(t, got, 2)
		s.give(2, size(3))
		s.give(1, size(3))
		used, _ = s.load()
		require.Zero(t, used)
	})
}

func TestSlotsGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slots
		require.NoError(t, s.acquire(context.Background(), 1, size(1)))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.ErrorIs(t, s.acquire(ctx, 1, size(1)), context.DeadlineExceeded)
		s.give(1, size(1))
		require.NoError(t, s.acquire(context.Background(), 1, size(1)), "the claim that gave up holds nothing")
	})
}

func TestSlotsGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s slots
		done := make(chan struct{})
		n := 0
		go func() { defer close(done); _ = s.acquire(context.Background(), 1, func() int { return n }) }()
		synctest.Wait()
		n = 1
		s.resized(func() int { return n })
		<-done
	})
}
