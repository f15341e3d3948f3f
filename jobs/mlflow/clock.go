package mlflow

import (
	"context"
	"time"
)

// Clock tells the time and waits. Every wait of this package goes through it.
type Clock interface {
	Now() time.Time
	// Sleep waits d, or until ctx ends, whose error it then returns.
	Sleep(ctx context.Context, d time.Duration) error
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// after gives a channel that closes when d has passed or ctx has ended, for a wait among others. Cancel ctx
// when the wait is over.
func after(ctx context.Context, c Clock, d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Sleep(ctx, d) // ended early or not: the caller looks at ctx
	}()
	return done
}
