package execution

import (
	"database/sql"
	"errors"
	"os"

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
	begun    chan error // answers once that the job runs is stored; nil when nobody waits for it
}

func (j *job) openLogs(s *commandSpec) (*logs, error) {
	ws, err := workers(s)
	if err != nil {
		return nil, err
	}
	r := j.snapshot()
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
	l.j.change(func(r *Record) {
		for _, w := range l.workers {
			r.Logs = append(r.Logs, w.log)
		}
	})
}

// settled waits until it is stored that the job runs.
func (l *logs) settled() error {
	if l.begun == nil {
		return nil
	}
	err := <-l.begun
	l.begun = nil
	return err
}

// finish closes the logs. What is left to store of them goes with the job's
// last state.
func (l *logs) finish() error {
	errs := []error{l.settled()}
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
		l.j.change(func(r *Record) {
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
