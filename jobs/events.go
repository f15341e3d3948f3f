package jobs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"
)

// EventKind says what an Event reports.
type EventKind string

const (
	// StatusChanged is the state that the job is found in, and each later one. The end of the job is the
	// last event.
	StatusChanged EventKind = "status"
	// LogLine is a whole line of a log file.
	LogLine EventKind = "log"
)

// Event is something that happened to a job.
type Event struct {
	Kind   EventKind
	Job    string
	Time   time.Time // when it was seen here
	Status Status    // the state, for every kind
	File   string    // LogLine: the log file, such as "user_logs/std_log.txt"
	Line   string    // LogLine: without its line break
	Cursor string    // give it as EventsOptions.After to go on after this event
}

// EventsOptions says what to report and how often to look.
type EventsOptions struct {
	// After is the Cursor of an event: what came up to it is not reported again.
	After string
	// AllProcesses includes the logs of every process of a distributed job, not the first one's only.
	AllProcesses bool
	// NoLogs reports states alone.
	NoLogs bool
	// Poll is the time between looks. Defaults to the client's PollInterval, else to between 1 s while
	// something happens and 15 s.
	Poll time.Duration
	// Outage is how long the service may be out of reach before that is an error. Defaults to 5 min.
	Outage time.Duration
}

// Events reports what happens to a job as it happens, and ends with the job: its states, and the lines of
// its log files in order, each once. A lost connection is bridged. Only bytes that were not read before
// are fetched. An error is the last thing it yields. (Runs_GetDetails, and ranges of the log files.)
func (c *Client) Events(ctx context.Context, name string, o *EventsOptions) iter.Seq2[Event, error] {
	if o == nil {
		o = &EventsOptions{}
	}
	opts := *o
	return func(yield func(Event, error) bool) {
		f, err := newFollower(c, fmt.Sprintf("jobs: events %q", name), name, &opts)
		if err != nil {
			yield(Event{}, err)
			return
		}
		f.run(ctx, yield)
	}
}

// position is what a cursor says: the state last reported, and for each log file the end of the last line.
type position struct {
	Job    string           `json:"j"`
	Status Status           `json:"s,omitempty"`
	Files  map[string]int64 `json:"f,omitempty"`
}

func (p *position) cursor() string {
	b, err := json.Marshal(p)
	if err != nil {
		return "" // strings and integers: it cannot fail
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseCursor(s, job string) (*position, error) {
	p := &position{Job: job, Files: map[string]int64{}}
	if s == "" {
		return p, nil
	}
	p.Job = ""
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, p)
	}
	if err != nil {
		return nil, errors.New("After is no cursor of an event")
	}
	if p.Job != job {
		return nil, fmt.Errorf("After is a cursor of another job, %q", p.Job)
	}
	if p.Files == nil {
		p.Files = map[string]int64{}
	}
	for f, n := range p.Files {
		if n < 0 {
			return nil, fmt.Errorf("After is no cursor of an event: %s", f)
		}
	}
	return p, nil
}
