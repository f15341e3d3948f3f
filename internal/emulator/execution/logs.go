package execution

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// logs are the growing blobs that a job's processes write to. Their rows are
// written with the job's states: one when it runs, one when it ends.
type logs struct {
	j       *job
	workers []worker
	blobs   []*blob.Log
	files   []*os.File

	recorded bool
	begun    chan error   // answers once that the job runs is stored; nil when nobody waits for it
	later    *time.Timer  // stores that the job runs
	store    func() error // does the same now
}

// brief is how long a step may run before it is stored that it does: one that
// has ended by then costs one commit instead of two.
const brief = 25 * time.Millisecond

// begins stores soon that a step runs.
func (l *logs) begins(r *Record) {
	l.begun = make(chan error, 1)
	l.store = func() error {
		err := l.j.e.storeWith(context.WithoutCancel(l.j.ctx), r, l.record)
		if err == nil {
			l.committed()
		}
		return err
	}
	l.later = time.AfterFunc(brief, func() { l.begun <- l.store() })
}

func (j *job) openLogs(s *commandSpec) (*logs, error) {
	ws, err := workers(s)
	if err != nil {
		return nil, err
	}
	r := j.rec
	l := &logs{j: j, workers: ws}
	account, container, err := j.e.Artifacts(j.ctx, r.Scope)
	if err != nil {
		return nil, j.cause(err)
	}
	for _, w := range ws {
		b, err := j.e.Blobs.NewLog(account, container, arm.RunPrefix(r.Name)+"/"+w.log)
		if err != nil {
			return nil, errors.Join(j.cause(err), l.finish())
		}
		l.blobs, l.files = append(l.blobs, b), append(l.files, b.File)
	}
	return l, nil
}

// record makes the blobs, in the transaction that stores that the job runs.
func (l *logs) record(tx *sql.Tx) error {
	for _, b := range l.blobs {
		if err := b.Record(tx); err != nil {
			return err
		}
	}
	return nil
}

// committed shows the logs to readers: that the job runs is durable.
func (l *logs) committed() {
	l.recorded = true
	for _, b := range l.blobs {
		b.Committed()
	}
	l.j.alter(func(r *Record) {
		for _, w := range l.workers {
			r.Logs = append(r.Logs, w.log)
		}
	})
}

// settled returns when it is stored that the job runs.
func (l *logs) settled() error {
	if l.begun == nil {
		return nil
	}
	defer func() { l.begun = nil }()
	if l.later.Stop() {
		return l.store()
	}
	return <-l.begun
}

// over is settled of a job that has ended: what was not begun to be stored goes
// with its last state.
func (l *logs) over() error {
	if l.begun != nil && l.later.Stop() {
		l.begun = nil
	}
	return l.settled()
}

// finish closes the logs. What is left to store of them goes with the job's
// last state.
func (l *logs) finish() error {
	errs := []error{l.over()}
	var closing []func(tx *sql.Tx) error
	if !l.recorded {
		closing = append(closing, l.record)
	}
	for _, b := range l.blobs {
		f, err := b.Close()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		closing = append(closing, f)
	}
	if len(l.blobs) < len(l.workers) { // not all could be opened
		return errors.Join(errs...)
	}
	l.j.closing = func(tx *sql.Tx) error {
		for _, f := range closing {
			if err := f(tx); err != nil {
				return err
			}
		}
		return nil
	}
	if !l.recorded {
		l.j.alter(func(r *Record) {
			for _, w := range l.workers {
				r.Logs = append(r.Logs, w.log)
			}
		})
		l.j.closed = func() {
			for _, b := range l.blobs {
				b.Committed()
			}
		}
	}
	return errors.Join(errs...)
}
