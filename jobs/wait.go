package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// WaitOptions say how often to look, and whom to tell.
type WaitOptions struct {
	// Poll is the time between looks. Defaults to the client's PollInterval, else to between 1 s and 15 s.
	Poll time.Duration
	// Outage is how long the service may be out of reach before that is an error. Defaults to 5 min.
	Outage time.Duration
	// Status is called with the state that the job is found in, and with each later one.
	Status func(Status)
	// LogLines is how many of the last lines of a failed job's log come with the error. Defaults to 20;
	// negative is none.
	LogLines int
}

// ErrCanceled is what a FailedError of a cancelled job is.
var ErrCanceled = errors.New("the job was cancelled")

// FailedError says that a job has ended, but not well: it failed, was cancelled, or is lost.
type FailedError struct {
	Run     *Run
	LogFile string   // the log that the lines are from, such as "user_logs/std_log.txt"
	Log     []string // its last lines
}

func (e *FailedError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "jobs: wait %q: the job has ended as %s", e.Run.Name, e.Run.Status)
	if e.Run.Error != nil {
		b.WriteString(": ")
		b.WriteString(e.Run.Error.Error())
	} else if e.Run.Reason != "" {
		b.WriteString(": ")
		b.WriteString(e.Run.Reason)
	}
	if len(e.Log) > 0 {
		fmt.Fprintf(&b, "\nthe end of %s:", e.LogFile)
		for _, l := range e.Log {
			b.WriteString("\n  ")
			b.WriteString(l)
		}
	}
	return b.String()
}

// Unwrap gives the service's error.
func (e *FailedError) Unwrap() error {
	if e.Run.Error == nil {
		return nil
	}
	return e.Run.Error
}

// Is reports ErrCanceled.
func (e *FailedError) Is(target error) bool {
	return target == ErrCanceled && e.Run.Status == Canceled
}

// Wait returns when the job has ended, with the job as it is then (Runs_GetDetails, Jobs_Get). A job that did
// not end well comes with a *FailedError, which carries the cause and the last lines of its log.
func (c *Client) Wait(ctx context.Context, name string, o *WaitOptions) (*Run, error) {
	if o == nil {
		o = &WaitOptions{}
	}
	op := fmt.Sprintf("jobs: wait %q", name)
	f := c.single(op, name, watching{poll: o.Poll, outage: o.Outage})
	for e, err := range f.events(ctx) {
		if err != nil {
			return nil, err
		}
		if o.Status != nil && e.Kind == StatusChanged {
			o.Status(e.Status)
		}
	}
	run, err := c.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	if !run.Status.Ended() { // the resource manager hears of the end a little later than run history
		run.Status = f.found
	}
	if run.Status == Completed {
		return run, nil
	}
	failed := &FailedError{Run: run}
	lines := o.LogLines
	if lines == 0 {
		lines = 20
	}
	if lines > 0 {
		if failed.LogFile, failed.Log, err = c.lastLines(ctx, op, run, lines); err != nil {
			c.rest.Logger().WarnContext(ctx, "jobs: the end of a failed job's log cannot be read", "job", name, "error", err)
		}
	}
	return run, failed
}
