package jobs

import (
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

const (
	defaultOutage = 5 * time.Minute
	quickestPoll  = time.Second
	slowestPoll   = 15 * time.Second

	blobVersion = "2021-12-02" // x-ms-version of reads of log files
)

// follower watches one run: its state, the log files that belong to it as they grow, and its metrics.
type follower struct {
	c     *Client
	op    string
	name  string
	w     watching
	at    *position
	tails map[string]*tail
	found Status    // the run's state at the last look
	kind  string    // the run's type, for the names of old log files
	idle  int       // looks in a row that showed nothing new
	seen  time.Time // when the state was last read
	read  time.Time // when the logs were last read in full

	metrics    map[string]*metricTail
	unmeasured bool // the run has no metrics to ask for

	// A follower of a stream.
	step, parent string
	child        bool
	gate         chan struct{}   // bounds the requests in flight; nil is no bound
	hurry        context.Context // is done when the job itself has ended

	// alone makes the follower give up, and say family, when the job has children that are to be followed too.
	alone, family bool
}

func newFollower(c *Client, op, name string, w watching, at *position) *follower {
	f := &follower{c: c, op: op, name: name, w: w, at: at, tails: map[string]*tail{}, metrics: map[string]*metricTail{}}
	f.seen = c.rest.Clock().Now()
	f.read = f.seen
	for file, n := range at.Files {
		f.tails[file] = &tail{read: n}
	}
	return f
}

// single is a follower of one job from its beginning.
func (c *Client) single(op, name string, w watching) *follower {
	return newFollower(c, op, name, w, newPlace(name).of(name))
}

// events is the follower's sequence; it can be run through once.
func (f *follower) events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { f.run(ctx, yield) }
}

func (f *follower) run(ctx context.Context, yield func(Event, error) bool) {
	for {
		d, err := f.look(ctx)
		switch {
		case err == nil && f.alone && hasChildren(f.kind):
			f.family = true
			return
		case err == nil:
			f.seen = f.c.rest.Clock().Now()
			if f.hurry != nil && f.hurry.Err() != nil && f.idle >= 2 {
				f.w.present = true // its job has ended, and nothing comes any more
			}
			more, err := f.report(ctx, d, yield)
			if err != nil {
				yield(Event{}, err)
				return
			}
			if !more {
				return
			}
		case !passing(err) || !f.bridge(ctx, err, f.seen):
			yield(Event{}, err)
			return
		}
		if err := f.sleep(ctx); err != nil {
			yield(Event{}, fmt.Errorf("%s: %w", f.op, err))
			return
		}
	}
}

// sleep waits for the next look. The end of the job itself wakes the followers of its children.
func (f *follower) sleep(ctx context.Context) error {
	pause := f.pause()
	if f.hurry == nil {
		return f.c.rest.Clock().Sleep(ctx, pause)
	}
	if f.hurry.Err() != nil {
		return f.c.rest.Clock().Sleep(ctx, min(pause, quickestPoll))
	}
	if err := f.c.rest.Clock().Sleep(f.hurry, pause); err != nil {
		return ctx.Err()
	}
	return nil
}

// enter waits for a place among the requests in flight; leave gives it up.
func (f *follower) enter(ctx context.Context) (leave func(), err error) {
	if f.gate == nil {
		return func() {}, nil
	}
	select {
	case f.gate <- struct{}{}:
		return func() { <-f.gate }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", f.op, ctx.Err())
	}
}

// look reads the job's state and the addresses of its log files. A job that run history does not know yet
// has not started.
func (f *follower) look(ctx context.Context) (*historyRun, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if f.kind == "" {
		var err error
		if f.kind, err = f.c.kind(ctx, f.op, f.name); err != nil {
			return nil, err
		}
		if f.kind == "" {
			f.kind = "Command" // a pipeline's child of a kind that nobody says
		}
	}
	d, err := f.c.details(ctx, f.op, f.name)
	if isStatus(err, http.StatusNotFound) {
		if f.child { // the resource manager does not know it either
			return &historyRun{RunID: f.name, Status: f.at.Status}, nil
		}
		run, err := f.c.get(ctx, f.op, f.name)
		if err != nil {
			return nil, err
		}
		return &historyRun{RunID: f.name, Status: run.Status}, nil
	}
	return d, err
}

// report yields what is new. It says whether to go on.
func (f *follower) report(ctx context.Context, d *historyRun, yield func(Event, error) bool) (bool, error) {
	status := d.Status.known()
	f.found = status
	changed := status != f.at.Status
	f.idle++
	if changed && !status.Ended() {
		f.idle = 0
		f.at.Status = status
		if !yield(f.event(StatusChanged, "", 0), nil) {
			return false, nil
		}
	}
	whole := true
	// part tells whether to go on after a part of the report, which may have to be read again.
	part := func(ok bool, err error) (bool, error) {
		switch {
		// An address whose signature has run out (403) is renewed with the next look.
		case err != nil && (!passing(err) && !isStatus(err, http.StatusForbidden) || !f.bridge(ctx, err, f.read)):
			return false, err
		case err != nil:
			whole = false
			return true, nil
		}
		return ok, nil
	}
	if f.w.logs {
		for _, file := range selectLogs(d.LogFiles, f.kind, f.w.every) {
			if ok, err := part(f.drain(ctx, file, d.LogFiles[file], status.Ended(), yield)); !ok || err != nil {
				return false, err
			}
		}
	}
	if f.w.metrics && !f.unmeasured && status != NotStarted {
		if ok, err := part(f.measure(ctx, status.Ended(), yield)); !ok || err != nil {
			return false, err
		}
	}
	if whole {
		f.read = f.c.rest.Clock().Now()
	}
	if status.Ended() && whole && changed {
		return false, f.end(d, status, yield)
	}
	return !whole || !status.Ended() && !f.w.present, nil
}

// end yields why the run failed, and its last state.
func (f *follower) end(d *historyRun, status Status, yield func(Event, error) bool) error {
	if cause := d.cause(); cause != nil && !f.at.Failed {
		f.at.Failed = true
		e := f.event(ErrorRaised, "", 0)
		if e.Err = cause; !yield(e, nil) {
			return nil
		}
	}
	f.at.Status = status
	yield(f.event(StatusChanged, "", 0), nil)
	return nil
}

func (f *follower) event(k EventKind, key string, end int64) Event {
	status := f.at.Status
	if status == "" { // it had ended when it was first looked at
		status = f.found
	}
	return Event{
		Kind: k, Job: f.name, Step: f.step, Parent: f.parent, Time: f.c.rest.Clock().Now(), Status: status,
		Cursor: Cursor{&mark{run: f.name, kind: k, status: f.at.Status, key: key, end: end}},
	}
}

// drain fetches what a log file has beyond what was read, and yields its lines. The last line of a job
// that has ended counts without a line break.
func (f *follower) drain(ctx context.Context, file, address string, ended bool, yield func(Event, error) bool) (bool, error) {
	t := f.tails[file]
	if t == nil {
		t = &tail{}
		f.tails[file] = t
	}
	emit := func(line string, end int64) bool {
		f.idle = 0
		e := f.event(LogLine, file, end)
		e.File, e.Line = file, line
		return yield(e, nil)
	}
	body, err := f.open(ctx, address, t.read)
	if errors.Is(err, errShrunk) {
		t.restart()
		body, err = f.open(ctx, address, 0)
	}
	if err != nil {
		return false, err
	}
	if body != nil {
		defer body.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := body.Read(buf)
			if n > 0 {
				if !t.feed(buf[:n], emit) {
					return false, nil
				}
				f.read = f.c.rest.Clock().Now() // a large file and a slow reader take long; the connection is not gone meanwhile
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return false, fmt.Errorf("%s: reading %s: %w", f.op, file, err)
			}
		}
	}
	if ended || f.w.present {
		return t.flush(emit), nil
	}
	return true, nil
}

func (f *follower) open(ctx context.Context, address string, from int64) (io.ReadCloser, error) {
	leave, err := f.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return f.c.logFrom(ctx, f.op, address, from)
}

// bridge tells whether it is worth waiting for what has been out of reach since.
func (f *follower) bridge(ctx context.Context, err error, since time.Time) bool {
	outage := f.w.outage
	if outage <= 0 {
		outage = defaultOutage
	}
	gone := f.c.rest.Clock().Now().Sub(since)
	if ctx.Err() != nil || gone > outage {
		return false
	}
	f.idle++
	f.c.rest.Logger().WarnContext(ctx, "jobs: the connection is lost; trying again", "job", f.name, "gone", gone, "error", err)
	return true
}

// pause is the time to the next look: short while something happens, longer while nothing does.
func (f *follower) pause() time.Duration { return pollPause(f.c, f.w.poll, f.idle) }

func pollPause(c *Client, asked time.Duration, idle int) time.Duration {
	if asked > 0 {
		return asked
	}
	if p := c.rest.PollInterval(); p > 0 {
		return p
	}
	return min(quickestPoll<<min(idle/3, 10), slowestPoll)
}

// errShrunk says that a log file has become shorter than what was read of it: it was begun anew.
var errShrunk = errors.New("the log file was begun anew")

// logFrom opens a log file at an offset (a ranged Get Blob). It gives no body when there is nothing beyond
// it, or no file yet.
func (c *Client) logFrom(ctx context.Context, op, address string, from int64) (io.ReadCloser, error) {
	call := &rest.Call{Op: op, Plane: rest.Raw, Path: address, Header: http.Header{
		"Accept": {"*/*"}, "Range": {"bytes=" + strconv.FormatInt(from, 10) + "-"}, "X-Ms-Version": {blobVersion},
	}}
	resp, err := c.rest.Stream(ctx, call)
	var re *azcore.ResponseError
	switch {
	case err == nil:
	case errors.As(err, &re) && re.StatusCode == http.StatusNotFound:
		return nil, nil
	case errors.As(err, &re) && re.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		if size, ok := rangeSize(re.RawResponse); ok && size < from {
			return nil, errShrunk
		}
		return nil, nil
	default:
		return nil, err
	}
	if resp.StatusCode == http.StatusPartialContent || from == 0 {
		return resp.Body, nil
	}
	// A server that knows no ranges sends all of it.
	if n, err := io.CopyN(io.Discard, resp.Body, from); err != nil {
		_ = resp.Body.Close() // nothing of it is used
		if err == io.EOF && n < from {
			return nil, errShrunk
		}
		return nil, rest.WithOp(op, err)
	}
	return resp.Body, nil
}

// rangeSize is the size that an answer of 416 names: "bytes */123".
func rangeSize(r *http.Response) (int64, bool) {
	if r == nil {
		return 0, false
	}
	_, size, ok := strings.Cut(r.Header.Get("Content-Range"), "/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(size, 10, 64)
	return n, err == nil
}

func isStatus(err error, status int) bool {
	var re *azcore.ResponseError
	return errors.As(err, &re) && re.StatusCode == status
}

// passing tells whether an error may be gone the next time: the network's, and the service's when it is
// busy or down.
func passing(err error) bool {
	var re *azcore.ResponseError
	if errors.As(err, &re) {
		switch re.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooManyRequests:
			return true
		}
		return re.StatusCode >= 500
	}
	var final interface{ NonRetriable() } // a refused host, a login that failed
	return !errors.As(err, &final) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}
