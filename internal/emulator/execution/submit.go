package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// submission is a job to be stored and started.
type submission struct {
	sc         arm.Scope
	name       string
	properties json.RawMessage
	parent     *Record           // of a job that another one drives
	params     map[string]string // parameters of its run
	own        map[string]string // properties of its run
	also       func(tx *sql.Tx) error
	// keep is asked, when the job has completed, for more to store with its last state.
	keep func(ctx context.Context, r *Record) (func(tx *sql.Tx) error, error)
	// ended is set of a job that need not run: its state, times and outputs.
	ended *Record

	memory *memory // what the parent's steps have read already

	rec  *Record // as it is stored
	spec *commandSpec
	g    *graph // of a pipeline that was checked
	run  *tracking.NewRun
}

func (e *Engine) submit(ctx context.Context, sub submission) error {
	_, err := e.submitAll(ctx, []*submission{&sub})
	return err
}

// submitAll stores jobs in one transaction, all or none, and starts them. A job
// of what it returns is nil for one that does not run: it has ended, or the
// engine is closing.
func (e *Engine) submitAll(ctx context.Context, subs []*submission) ([]*job, error) {
	experiments := map[string]string{} // of the steps of one pipeline most often one
	for _, sub := range subs {
		if err := e.draft(ctx, sub, experiments); err != nil {
			return nil, err
		}
	}
	e.mu.Lock()
	closed := e.closed
	e.mu.Unlock()
	if closed {
		return nil, fmt.Errorf("execution: job %q: %w", subs[0].name, errClosed)
	}
	err := e.DB.Update(ctx, func(tx *sql.Tx) error {
		for _, sub := range subs {
			if err := e.insert(tx, sub); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	jobs := make([]*job, len(subs))
	for i, sub := range subs {
		if sub.ended == nil {
			jobs[i] = e.launchWith(sub.rec, sub)
		}
	}
	return jobs, nil
}

// draft makes the record and the run of a submission.
func (e *Engine) draft(ctx context.Context, sub *submission, experiments map[string]string) error {
	var s commandSpec
	if err := json.Unmarshal(sub.properties, &s); err != nil {
		return arm.Invalid("properties", "%v", err)
	}
	eid, ok := experiments[s.experiment()]
	if !ok {
		var err error
		if eid, err = e.Tracking.EnsureExperiment(ctx, sub.sc.Key(), s.experiment()); err != nil {
			return fmt.Errorf("execution: job %q: %w", sub.name, err)
		}
		experiments[s.experiment()] = eid
	}
	now := e.Clock()
	r := &Record{Scope: sub.sc, Name: sub.name, Root: sub.name, Parent: s.ParentJobName, Kind: s.JobType, Status: NotStarted, Compute: computeName(s.ComputeID), Created: now, Spec: sub.properties}
	r.ExperimentID, r.Nodes, r.Properties = eid, s.nodes(), sub.own
	if p := sub.parent; p != nil {
		r.Parent, r.Root, r.Driven = p.Name, p.Root, true
	}
	if d := sub.ended; d != nil {
		r.Status, r.Started, r.Ended, r.Outputs, r.Error = d.Status, d.Started, d.Ended, d.Outputs, d.Error
		sub.ended = r
	}
	sub.rec, sub.spec, sub.g = r, &s, readingOf(ctx).of(sub.properties)
	sub.run = &tracking.NewRun{ID: r.Name, ExperimentID: eid, Name: s.DisplayName, Parent: r.Parent, User: "local", Status: mlflowStatus(r.Status), Start: now, Tags: runTags(&s, r.Root), Params: sub.params}
	return nil
}

// insert stores one submission.
func (e *Engine) insert(tx *sql.Tx, sub *submission) error {
	r, ws := sub.rec, sub.sc.Key()
	if r.Parent != "" && sub.parent == nil {
		p, err := stored(tx, ws, r.Parent)
		if errors.Is(err, store.ErrNotFound) {
			return arm.Invalid("properties.parentJobName", "there is no job %q", r.Parent)
		}
		if err != nil {
			return err
		}
		r.Root = p.Root
	}
	if err := insert(tx, r); err != nil {
		if _, missing := stored(tx, ws, r.Name); missing == nil {
			return arm.Conflict("UserError", "A job named %q exists; a job's name cannot be used again.", r.Name)
		}
		return err
	}
	if err := e.Tracking.CreateRunTx(tx, ws, sub.run); err != nil {
		if there, ok := errors.AsType[*tracking.Error](err); ok && there.Code == tracking.AlreadyExists {
			return arm.Conflict("UserError", "A run named %q exists, or a job that was deleted had the name; a job's name cannot be used again.", r.Name)
		}
		return err
	}
	if !r.Ended.IsZero() {
		if err := e.Tracking.UpdateRunTx(tx, ws, r.Name, &tracking.RunUpdate{End: &r.Ended}); err != nil {
			return err
		}
	}
	if sub.also != nil {
		return sub.also(tx)
	}
	return nil
}

// launch starts the goroutine that takes a job from its queue to its end.
func (e *Engine) launch(r *Record) *job { return e.launchWith(r, nil) }

func (e *Engine) launchWith(r *Record, sub *submission) *job {
	j := &job{e: e, rec: r, done: make(chan struct{})}
	if sub != nil {
		j.keep, j.spec, j.g = sub.keep, sub.spec, sub.g
	}
	base := e.ctx
	if sub != nil && sub.memory != nil {
		base = context.WithValue(base, memoryKey{}, sub.memory)
	}
	j.ctx, j.stop = context.WithCancelCause(base)
	e.mu.Lock()
	if e.closed { // it stays stored as NotStarted and runs at the next start
		e.mu.Unlock()
		j.stop(errClosed)
		return nil
	}
	e.open[openKey(r.Scope.Key(), r.Name)] = j
	e.wg.Add(1)
	e.mu.Unlock()
	if j.driver() == nil { // jobs are queued in the order they came
		j.place = e.compute(r.Scope, r.Compute).enqueue(r.Name, r.Nodes, func() int { return e.Slots(r.Scope, r.Compute) })
	}
	go func() {
		defer e.wg.Done()
		defer j.stop(nil)
		j.live()
		e.mu.Lock()
		delete(e.open, openKey(r.Scope.Key(), r.Name))
		e.mu.Unlock()
		close(j.done)
	}()
	return j
}
