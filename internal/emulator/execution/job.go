package execution

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// job is one that has not ended.
type job struct {
	e    *Engine
	ctx  context.Context
	stop context.CancelCauseFunc
	done chan struct{}

	spec       *commandSpec // as it was read when the job was stored; may be nil
	g          *graph       // of a pipeline, as it was checked; may be nil
	experiment string
	place      *claim // in the compute's queue; nil for jobs that drive others

	// closing stores, with the job's last state, what is left of its logs; closed is told of it. Both may be nil.
	closing func(tx *sql.Tx) error
	closed  func()
	// keep is asked, when the job has completed, for more to store with its last state.
	keep func(ctx context.Context, r *Record) (func(tx *sql.Tx) error, error)

	mu sync.Mutex
	// rec is read under mu, but for what no job changes: Scope, Name, Parent, Root, Kind, Compute and Spec.
	rec *Record
}

var (
	errCanceled = errors.New("canceled")
	errTimeout  = errors.New("timeout")
)

func (j *job) snapshot() *Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rec.clone()
}

// alter changes the record in memory.
func (j *job) alter(f func(r *Record)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(j.rec)
}

// change is alter for those who need the record as it is then.
func (j *job) change(f func(r *Record)) *Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(j.rec)
	return j.rec.clone()
}

// enter moves to a state that need not survive a crash. A job that was asked
// to end keeps saying so.
func (j *job) enter(status string) {
	j.alter(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = status
		}
	})
}

// requestCancel ends the job's work; the job itself says when it is over.
func (j *job) requestCancel(reason string) {
	j.alter(func(r *Record) {
		if !Ended(r.Status) {
			r.Status, r.Reason = CancelRequested, reason
		}
	})
	j.stop(errCanceled)
}

// live takes the job from its queue to its end.
func (j *job) live() {
	err := j.execute()
	if err != nil {
		err = j.cause(err) // a step that was ended with its pipeline is not why the pipeline ended
	}
	switch {
	case errors.Is(err, errClosed) && j.snapshot().Started.IsZero():
		return // still queued; the next start takes it up
	}
	j.end(err)
}

func (j *job) execute() error {
	e, r := j.e, j.rec
	if drive := j.driver(); drive != nil {
		return drive()
	}
	size := func() int { return e.Slots(r.Scope, r.Compute) }
	s := e.compute(r.Scope, r.Compute)
	j.enter(Queued)
	if err := s.wait(j.ctx, j.place, size); err != nil {
		return context.Cause(j.ctx)
	}
	defer s.release(j.place, size)
	return j.perform()
}

// end writes the last state. Nobody is told of it before it is durable.
func (j *job) end(err error) {
	r := j.snapshot()
	r.over(err, j.e.Clock())
	// The engine may be closing: the last state is written all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), 30*time.Second)
	defer cancel()
	var also func(tx *sql.Tx) error
	if j.keep != nil && r.Status == Completed {
		var err error
		if also, err = j.keep(ctx, r); err != nil { // the job is not the worse for it: it cannot be reused
			j.e.log.Warn("what a step put out could not be noted for reuse", "job", r.Name, "error", err)
		}
	}
	err = j.e.storeWith(ctx, r, func(tx *sql.Tx) error {
		for _, f := range []func(tx *sql.Tx) error{j.closing, also} {
			if f == nil {
				continue
			}
			if err := f(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && j.closed != nil {
		j.closed()
	}
	if err != nil { // whoever waits for the job must see its end, though it may lack its logs
		j.e.log.Error("what a job left could not be stored with its last state", "job", r.Name, "error", err)
		err = j.e.store(ctx, r)
	}
	if err != nil {
		j.e.log.Error("a job's last state could not be stored", "job", r.Name, "status", r.Status, "error", err)
	}
	j.alter(func(now *Record) { *now = *r })
}

// over sets the state that a job ends in, by why it ended; nil when it completed.
func (r *Record) over(err error, now time.Time) {
	r.Ended = now
	var failure *JobError
	switch {
	case err == nil:
		r.Status = Completed
	case errors.Is(err, errCanceled):
		r.Status = Canceled
		if r.Reason == "" {
			r.Reason = "The job was canceled by its user."
		}
	case errors.Is(err, errClosed):
		r.Status, r.Reason = Canceled, "The local workspace was closed while the job ran."
	case errors.Is(err, errTimeout):
		r.Status = Canceled
		r.Reason = err.Error()
		r.Error = &JobError{Code: "UserError", Message: r.Reason}
	case errors.As(err, &failure):
		r.Status, r.Error = Failed, failure
	default:
		r.Status, r.Error = Failed, &JobError{Code: "ServiceError", Message: err.Error()}
	}
}

// Error makes a *JobError an error, so that it travels to where the job ends.
func (e *JobError) Error() string { return e.Code + ": " + e.Message }

func userError(format string, args ...any) error {
	return &JobError{Code: "UserError", Message: fmt.Sprintf(format, args...)}
}
