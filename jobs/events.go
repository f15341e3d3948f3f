package jobs

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// EventKind says what an Event reports.
type EventKind string

const (
	// StatusChanged is the state that a run is found in, and each later one. The end of the job is the last event.
	StatusChanged EventKind = "status"
	// LogLine is a whole line of a log file.
	LogLine EventKind = "log"
	// MetricLogged is a value of a metric.
	MetricLogged EventKind = "metric"
	// ErrorRaised is why a run failed. It comes before the state that ends the run.
	ErrorRaised EventKind = "error"
)

// Event is something that happened to a job, or to one of its children: a step of a pipeline, a trial of a sweep.
type Event struct {
	Kind   EventKind
	Job    string    // the run that it happened to
	Step   string    // the display name of a child, for a pipeline the step's; "" for the job itself
	Parent string    // the run that a child belongs to; "" for the job itself
	Time   time.Time // when it was seen here
	Status Status    // the run's state, for every kind
	File   string    // LogLine: the log file, such as "user_logs/std_log.txt"
	Line   string    // LogLine: without its line break
	Metric Metric    // MetricLogged
	Err    *Error    // ErrorRaised
	Cursor Cursor    // give it as EventsOptions.After to go on after this event
}

// Metric is a value that a run has logged.
type Metric struct {
	Key   string
	Value float64
	Step  int64
	Time  time.Time // when it was logged, to the millisecond
}

// EventsOptions says what to report and how often to look.
type EventsOptions struct {
	// After is the Cursor of an event, as text: what came up to it is not reported again.
	After string
	// FirstProcess leaves out the logs of all processes and nodes of a distributed job but the first one's.
	FirstProcess bool
	// NoChildren leaves out what happens to steps and trials.
	NoChildren bool
	// NoLogs leaves out lines of log files.
	NoLogs bool
	// NoMetrics leaves out metrics.
	NoMetrics bool
	// Poll is the time between looks. Defaults to the client's PollInterval, else to between 1 s while
	// something happens and 15 s.
	Poll time.Duration
	// Outage is how long the service may be out of reach before that is an error. Defaults to 5 min.
	Outage time.Duration
}

// Events reports what happens to a job and to all its children, however deep, as it happens, in one stream that ends with
// the job: their states, the lines of their log files, their metrics and their errors, each once. What happens to one run
// comes in its order. A lost connection is bridged, and a stream that was broken off, or another program, goes on from the
// Cursor of the last event that was taken: nothing is lost or told twice. Only bytes of logs that were not read before are
// fetched. A metric's values come in the order of their times; one that is logged late, with a time before others, is told
// to those who follow at that moment alone. An error is the last thing it yields. (Runs_GetDetails, Runs_GetChildren, MLflow's
// runs/get and metrics/get-history, and ranges of the log files.)
func (c *Client) Events(ctx context.Context, name string, o *EventsOptions) iter.Seq2[Event, error] {
	if o == nil {
		o = &EventsOptions{}
	}
	opts := *o
	return func(yield func(Event, error) bool) {
		op := fmt.Sprintf("jobs: events %q", name)
		at, err := parseCursor(opts.After, name)
		if err != nil {
			yield(Event{}, fmt.Errorf("%s: %w", op, err))
			return
		}
		w := watching{every: !opts.FirstProcess, logs: !opts.NoLogs, metrics: !opts.NoMetrics, poll: opts.Poll, outage: opts.Outage}
		newStream(c, op, name, w, at, !opts.NoChildren).run(ctx, yield)
	}
}

// watching says what a follower looks for, and how.
type watching struct {
	every   bool // the logs of all processes
	logs    bool
	metrics bool
	present bool // one look is all
	poll    time.Duration
	outage  time.Duration
}
