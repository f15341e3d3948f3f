package execution

import (
	"context"
	"errors"
	"os"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// logs are the growing blobs that a job's processes write to.
type logs struct {
	j                  *job
	workers            []worker
	files              []*os.File
	account, container string
}

func (j *job) openLogs(s *commandSpec) (*logs, error) {
	ws, err := workers(s)
	if err != nil {
		return nil, err
	}
	r := j.snapshot()
	l := &logs{j: j, workers: ws}
	if l.account, l.container, err = j.e.Artifacts(j.ctx, r.Scope); err != nil {
		return nil, j.cause(err)
	}
	for _, w := range ws {
		f, err := j.e.Blobs.Live(j.ctx, l.account, l.container, arm.RunPrefix(r.Name)+"/"+w.log)
		if err != nil {
			return nil, errors.Join(j.cause(err), l.finish())
		}
		l.files = append(l.files, f)
	}
	j.change(func(r *Record) {
		for _, w := range ws {
			r.Logs = append(r.Logs, w.log)
		}
	})
	return l, nil
}

func (l *logs) finish() error {
	var errs []error
	name := l.j.snapshot().Name
	for i, f := range l.files {
		errs = append(errs, f.Close())
		errs = append(errs, l.j.e.Blobs.Finish(context.WithoutCancel(l.j.ctx), l.account, l.container, arm.RunPrefix(name)+"/"+l.workers[i].log))
	}
	return errors.Join(errs...)
}
