package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azureml-go/azureml/internal/rest"
)

// LogsOptions say what of a job's log to give and how often to look.
type LogsOptions struct {
	// AllProcesses includes the logs of every process of a distributed job, not the first one's only.
	AllProcesses bool
	// Present ends after what is there now instead of following the job to its end.
	Present bool
	// Poll is the time between looks. Defaults to the client's PollInterval, else to between 1 s while
	// something comes and 15 s.
	Poll time.Duration
	// Outage is how long the service may be out of reach before that is an error. Defaults to 5 min.
	Outage time.Duration
	// Status is called with the state that the job is found in, and with each later one.
	Status func(Status)
	// NoChildren leaves out the logs of steps and trials.
	NoChildren bool
	// File is called before the first line of a log file, and whenever the lines go on from another one: "user_logs/std_log.txt",
	// or of a pipeline's step "STEP/user_logs/std_log.txt".
	File func(name string)
}

// Logs gives the lines of a job's log as they are written, and ends with the job. Only bytes that were not
// read before are fetched, no line is given out before it is whole, and a lost connection is bridged. How the
// job ends is not an error here: see Wait. (Runs_GetDetails, and ranges of the log files.)
//
// The log of a pipeline, and of another job with children, is made of those of its steps or trials too (Runs_GetChildren), in
// the order in which they are written: LogsOptions.File tells which one the next lines are from. The log of a step that
// took an earlier run's result is that run's.
func (c *Client) Logs(ctx context.Context, name string, o *LogsOptions) iter.Seq2[string, error] {
	if o == nil {
		o = &LogsOptions{}
	}
	opts := *o
	return func(yield func(string, error) bool) {
		op := fmt.Sprintf("jobs: logs of %q", name)
		w := watching{every: opts.AllProcesses, logs: true, present: opts.Present, poll: opts.Poll, outage: opts.Outage}
		f := c.single(op, name, w)
		f.alone = !opts.NoChildren
		said := false
		more := opts.lines(f.events(ctx), func(line string, err error) bool {
			said = true
			return yield(line, err)
		})
		if more && !said && !f.family {
			c.reusedLog(ctx, op, name, &opts, yield)
		}
		if more && f.family {
			s := newStream(c, op, name, w, newPlace(name), true)
			opts.lines(func(yield func(Event, error) bool) { s.run(ctx, yield) }, yield)
		}
	}
}

// lines gives the lines of events. It says whether the reader wants more.
func (o *LogsOptions) lines(events iter.Seq2[Event, error], yield func(string, error) bool) bool {
	file := ""
	for e, err := range events {
		if err != nil {
			yield("", err)
			return false
		}
		if e.Kind == StatusChanged && e.Parent == "" && o.Status != nil {
			o.Status(e.Status)
		}
		if e.Kind != LogLine {
			continue
		}
		name := e.File
		if e.Parent != "" {
			name = e.Job + "/" + e.File
			if e.Step != "" {
				name = e.Step + "/" + e.File
			}
		}
		if name != file {
			if file = name; o.File != nil {
				o.File(file)
			}
		}
		if !yield(e.Line, nil) {
			return false
		}
	}
	return true
}

// LogFiles names all files of a job's log, with addresses at which each can be read for a while
// (Runs_GetDetails). The addresses carry signatures: keep them to yourself.
func (c *Client) LogFiles(ctx context.Context, name string) (map[string]string, error) {
	d, err := c.details(ctx, fmt.Sprintf("jobs: log files of %q", name), name)
	if err != nil {
		return nil, err
	}
	if run := d.reused(); run != "" && len(d.LogFiles) == 0 {
		if d, err = c.details(ctx, fmt.Sprintf("jobs: log files of %q", name), run); err != nil {
			return nil, err
		}
	}
	return d.LogFiles, nil
}

// reusedLog gives the log of the run whose result a step took, when it took one.
func (c *Client) reusedLog(ctx context.Context, op, name string, o *LogsOptions, yield func(string, error) bool) {
	d, err := c.details(ctx, op, name)
	if err != nil {
		if !isStatus(err, http.StatusNotFound) {
			yield("", err)
		}
		return
	}
	run := d.reused()
	if run == "" || len(d.LogFiles) > 0 {
		return
	}
	w := watching{every: o.AllProcesses, logs: true, present: true, poll: o.Poll, outage: o.Outage}
	of := *o
	of.Status = nil
	of.lines(c.single(op, run, w).events(ctx), yield)
}

// lastBytes is how much of the end of a log is read for its last lines.
const lastBytes = 64 << 10

// lastLines gives the end of the log that the job's error names, else of its first process's.
func (c *Client) lastLines(ctx context.Context, op string, run *Run, n int) (string, []string, error) {
	d, err := c.details(ctx, op, run.Name)
	if err != nil {
		if isStatus(err, http.StatusNotFound) {
			err = nil // it ended before it began
		}
		return "", nil, err
	}
	files := selectLogs(d.LogFiles, run.Type, false)
	if run.Error != nil {
		for _, name := range selectLogs(d.LogFiles, run.Type, true) {
			if strings.Contains(run.Error.Message, "'"+name+"'") { // as the service says it: Please check log file 'user_logs/std_log.txt'
				files = append(files, name)
			}
		}
	}
	for i := len(files) - 1; i >= 0; i-- {
		text, err := c.logEnd(ctx, op, d.LogFiles[files[i]])
		if err != nil {
			return "", nil, err
		}
		if text = strings.TrimRight(text, "\r\n"); text == "" {
			continue
		}
		lines := strings.Split(text, "\n")
		lines = lines[max(0, len(lines)-n):]
		for i := range lines {
			lines[i] = strings.TrimSuffix(lines[i], "\r")
		}
		return files[i], lines, nil
	}
	return "", nil, nil
}

// logEnd reads the last bytes of a log file, from the beginning of a line.
func (c *Client) logEnd(ctx context.Context, op, address string) (string, error) {
	from, err := c.logSize(ctx, op, address)
	if err != nil {
		return "", err
	}
	from = max(0, from-lastBytes)
	body, err := c.logFrom(ctx, op, address, from)
	if err != nil || body == nil {
		return "", err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, 2*lastBytes))
	if err != nil {
		return "", rest.WithOp(op, err)
	}
	if from > 0 {
		if _, rest, ok := bytes.Cut(text, []byte("\n")); ok {
			text = rest
		}
	}
	return string(text), nil
}

// logSize asks for one byte to learn how many there are.
func (c *Client) logSize(ctx context.Context, op, address string) (int64, error) {
	resp, err := c.rest.Stream(ctx, &rest.Call{Op: op, Plane: rest.Raw, Path: address, Header: http.Header{"Accept": {"*/*"}, "Range": {"bytes=0-0"}, "X-Ms-Version": {blobVersion}}})
	if err != nil {
		var re *azcore.ResponseError
		if errors.As(err, &re) && (re.StatusCode == http.StatusNotFound || re.StatusCode == http.StatusRequestedRangeNotSatisfiable) {
			return 0, nil
		}
		return 0, err
	}
	if err := resp.Body.Close(); err != nil {
		return 0, rest.WithOp(op, err)
	}
	if n, ok := rangeSize(resp); ok {
		return n, nil
	}
	n, err := strconv.ParseInt(resp.Header.Get("Content-Length"), 10, 64)
	if err != nil {
		return 0, nil // the server says no size: the log is read from its beginning
	}
	return n, nil
}
