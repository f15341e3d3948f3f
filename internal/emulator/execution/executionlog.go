package execution

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// pipelineLog is where Azure writes how a pipeline goes.
const pipelineLog = "logs/azureml/executionlogs.txt"

// executionLog is a pipeline's own log.
type executionLog struct {
	j                  *job
	f                  *os.File
	account, container string
	name               string // below the run's artifacts
	err                error  // of the first line that could not be written
}

func (j *job) executionLog() (*executionLog, error) { return j.ownLog(pipelineLog) }

// ownLog begins a log of a job whose work is done by others.
func (j *job) ownLog(name string) (*executionLog, error) {
	r := j.snapshot()
	l := &executionLog{j: j, name: name}
	var err error
	if l.account, l.container, err = j.e.Artifacts(j.ctx, r.Scope); err != nil {
		return nil, err
	}
	if l.f, err = j.e.Blobs.Live(j.ctx, l.account, l.container, arm.RunPrefix(r.Name)+"/"+name); err != nil {
		return nil, err
	}
	j.alter(func(r *Record) { r.Logs = append(r.Logs, name) })
	return l, nil
}

func (l *executionLog) printf(format string, args ...any) {
	l.line("[" + l.j.e.Clock().UTC().Format("2006-01-02 15:04:05Z") + "] " + fmt.Sprintf(format, args...))
}

func (l *executionLog) line(text string) {
	if _, err := fmt.Fprintln(l.f, text); err != nil && l.err == nil {
		l.err = err
	}
}

func (l *executionLog) submitting(subs []*submission) {
	var first []string
	n := 0
	for _, s := range subs {
		if s.ended != nil {
			continue
		}
		if n++; n <= 5 {
			first = append(first, s.own["azureml.nodeid"]+":"+s.name)
		}
	}
	if n > 0 {
		l.printf("Submitting %d runs, first five are: %s", n, strings.Join(first, ","))
	}
}

func (l *executionLog) ended(r *round) {
	switch r.rec.Status {
	case Completed:
		l.printf("Completing processing run id %s (%s).", r.rec.Name, r.step.name)
	case Failed:
		l.printf("Execution of run id %s (%s) failed. %s", r.rec.Name, r.step.name, message(stepError(r.step.name, r.rec)))
	default:
		l.printf("Run id %s (%s) was canceled. %s", r.rec.Name, r.step.name, r.rec.Reason)
	}
}

func (l *executionLog) reused(r *round) {
	l.printf("Run id %s (%s) reuses run id %s.", r.rec.Name, r.step.name, r.reuse.run)
}

func (l *executionLog) finish() error {
	return errors.Join(l.err, l.f.Close(), l.j.e.Blobs.Finish(context.WithoutCancel(l.j.ctx), l.account, l.container, arm.RunPrefix(l.j.rec.Name)+"/"+l.name))
}
