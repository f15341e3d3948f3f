package execution

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// The logs of a parallel run, as Azure lays them out. The first is what the
// run itself says.
const (
	parallelLog = "user_logs/std_log_0.txt"
	progressLog = "logs/job_progress_overview.txt"
	masterLog   = "logs/sys/master_role.txt"
	errorLog    = "logs/user/error.txt"
)

// parallelLogs are the growing blobs of a parallel run, made when they are first
// written to.
type parallelLogs struct {
	j                  *job
	account, container string

	mu    sync.Mutex
	files map[string]*os.File
	order []string
}

func (j *job) parallelLogs() (*parallelLogs, error) {
	l := &parallelLogs{j: j, files: map[string]*os.File{}}
	var err error
	if l.account, l.container, err = j.e.Artifacts(j.ctx, j.rec.Scope); err != nil {
		return nil, j.cause(err)
	}
	for _, name := range []string{parallelLog, progressLog, masterLog} {
		if _, err := l.open(name); err != nil {
			return nil, errors.Join(j.cause(err), l.finish())
		}
	}
	return l, nil
}

// open is the file of a log; it is closed with all others.
func (l *parallelLogs) open(name string) (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.files[name]; f != nil {
		return f, nil
	}
	f, err := l.j.e.Blobs.Live(context.WithoutCancel(l.j.ctx), l.account, l.container, arm.RunPrefix(l.j.rec.Name)+"/"+name)
	if err != nil {
		return nil, err
	}
	l.files[name] = f
	l.order = append(l.order, name)
	l.j.alter(func(r *Record) { r.Logs = append(r.Logs, name) })
	return f, nil
}

// say writes a line with the time to some logs. A log that cannot be written
// must not fail the run; it is told to the engine's own.
func (l *parallelLogs) say(format string, args []any, names ...string) {
	line := l.j.e.Clock().UTC().Format(time.RFC3339) + " " + fmt.Sprintf(format, args...) + "\n"
	for _, name := range names {
		f, err := l.open(name)
		if err == nil {
			_, err = f.WriteString(line)
		}
		if err != nil {
			l.j.e.log.Error("a parallel run's log could not be written", "job", l.j.rec.Name, "log", name, "error", err)
		}
	}
}

// note writes to what the run itself says, and to the principal node's log.
func (l *parallelLogs) note(format string, args ...any) { l.say(format, args, parallelLog, masterLog) }

// progress writes to the overview, too.
func (l *parallelLogs) progress(format string, args ...any) {
	l.say(format, args, parallelLog, masterLog, progressLog)
}

func (l *parallelLogs) finish() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	ctx := context.WithoutCancel(l.j.ctx)
	for _, name := range l.order {
		errs = append(errs, l.files[name].Close(), l.j.e.Blobs.Finish(ctx, l.account, l.container, arm.RunPrefix(l.j.rec.Name)+"/"+name))
	}
	return errors.Join(errs...)
}

// copyTo puts the logs into the parent's run, below a folder with the step's name.
func (l *parallelLogs) copyTo(ctx context.Context, parent string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var copied []string
	for _, name := range l.order {
		to := "logs/" + l.j.rec.Name + "/" + name
		r, err := l.j.e.Blobs.Open(ctx, l.account, l.container, arm.RunPrefix(l.j.rec.Name)+"/"+name)
		if err != nil {
			return err
		}
		_, err = l.j.e.Blobs.Put(ctx, l.account, l.container, arm.RunPrefix(parent)+"/"+to, r, nil)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		copied = append(copied, to)
	}
	if p := l.j.e.running(l.j.rec.Scope, parent); p != nil {
		p.alter(func(r *Record) { r.Logs = append(r.Logs, copied...) })
	}
	return nil
}
