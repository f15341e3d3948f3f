package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"strings"
	"time"
)

// asError finds the server's refusal in an error.
func asError(err error) (*Error, bool) {
	var e *Error
	return e, errors.As(err, &e)
}

// linesBody makes a log-batch request of lines: they are its items already.
func linesBody(run string, lines []byte) []byte {
	b := make([]byte, 0, len(lines)+len(run)+32)
	b = append(b, `{"run_id":`...)
	b = appendString(b, run)
	b = append(b, `,"metrics":[`...)
	for line := range bytes.Lines(lines) {
		b = append(b, bytes.TrimSuffix(line, []byte{'\n'})...)
		b = append(b, ',')
	}
	b[len(b)-1] = ']'
	return append(b, '}')
}

// postLines sends lines once.
func (c *Client) postLines(ctx context.Context, run string, lines []byte) error {
	op := fmt.Sprintf("log metrics to run %q", run)
	return c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/log-batch", body: linesBody(run, lines), once: true})
}

// byContent tells a refusal of what the batch holds from one of the run, the caller or the moment.
func byContent(err error) bool {
	e, ok := asError(err)
	return ok && (e.Status == http.StatusBadRequest || e.Status == http.StatusRequestEntityTooLarge || e.Status == http.StatusUnprocessableEntity)
}

// passing tells a fault that may pass by itself.
func passing(err error) bool {
	e, ok := asError(err)
	if !ok {
		return true
	}
	switch e.Status {
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true // 401: the token may just be renewed
	}
	return e.Status >= 500 && e.Status != http.StatusNotImplemented
}

// maxStreak is how many single values in a row are found refused before the fault is taken to be of
// something they share.
const maxStreak = 8

// deliver sends lines and settles them. What a server refuses for its content is halved until the value
// at fault is alone, so that it takes no other with it.
func (m *Metrics) deliver(lines []byte) error {
	count := bytes.Count(lines, []byte{'\n'})
	err := m.c.postLines(m.ctx, m.run, lines)
	if err == nil {
		m.settle(lines, count)
		m.setStreak(0)
		return nil
	}
	if m.ctx.Err() != nil {
		return err
	}
	if !byContent(err) {
		m.failed(err)
		return err
	}
	if count > 1 && m.streak < maxStreak {
		half := firstLines(lines, count/2)
		if err := m.deliver(half); err != nil {
			return err
		}
		return m.deliver(lines[len(half):])
	}
	m.mu.Lock()
	for line := range bytes.Lines(lines) {
		m.refuse(decodeLine(line), err)
	}
	m.streak++
	m.mu.Unlock()
	m.settle(lines, count)
	return nil
}

func (m *Metrics) setStreak(n int) {
	m.mu.Lock()
	m.streak = n
	m.mu.Unlock()
}

func (m *Metrics) failed(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.attempts++
	m.failure, m.hopeless = err, !passing(err)
	m.notify()
}

func decodeLine(line []byte) Metric {
	var v Metric
	if err := json.Unmarshal(line, &v); err != nil {
		v.Key = strings.TrimSpace(string(line)) // written by a program that tore it: shown as it is
	}
	return v
}

// Refused is a value that will not be stored, and why.
type Refused struct {
	Metric Metric
	Err    error
}

// UndeliveredError tells what of a metric logger's values is not acknowledged.
type UndeliveredError struct {
	RunID string
	// Pending values are not acknowledged; Unacknowledged yields them. When Spool is set they are in that
	// file, and after Close Replay sends them.
	Pending int
	Spool   string
	// Refused values were refused one by one, by the server or for their names; at most the first 1000 of
	// RefusedCount.
	Refused      []Refused
	RefusedCount int
	// Dropped values had no place in memory, nor on disk.
	Dropped int
	// Err is why values are pending: the last failure, or what ended the wait.
	Err error

	from, to int64  // positions in the file
	lines    []byte // what was in memory
}

func (e *UndeliveredError) Error() string {
	var parts []string
	if e.Pending > 0 {
		s := fmt.Sprintf("%d values are not acknowledged", e.Pending)
		if e.Spool != "" {
			s += " (they are in " + e.Spool + ", for mlflow.Replay)"
		}
		parts = append(parts, s)
	}
	if e.RefusedCount > 0 {
		s := fmt.Sprintf("%d values were refused", e.RefusedCount)
		if len(e.Refused) > 0 {
			s += fmt.Sprintf(", the first %q at step %d: %v", e.Refused[0].Metric.Key, e.Refused[0].Metric.Step, e.Refused[0].Err)
		}
		parts = append(parts, s)
	}
	if e.Dropped > 0 {
		parts = append(parts, fmt.Sprintf("%d values were dropped for want of space", e.Dropped))
	}
	s := fmt.Sprintf("mlflow: metrics of run %q: %s", e.RunID, strings.Join(parts, "; "))
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *UndeliveredError) Unwrap() error { return e.Err }

// Unacknowledged yields the pending values, in order, as they were when the error was made. It ends with
// an error when their file has gone meanwhile, or was emptied because they were delivered after all.
func (e *UndeliveredError) Unacknowledged() iter.Seq2[Metric, error] {
	return func(yield func(Metric, error) bool) {
		if e.to > e.from {
			f, err := os.Open(e.Spool)
			if err != nil {
				yield(Metric{}, fmt.Errorf("mlflow: unacknowledged values: %w", err))
				return
			}
			defer f.Close()
			s := &spool{f: f}
			for at := e.from; at < e.to; {
				lines, err := s.read(at, e.to, maxBatch)
				if err != nil {
					yield(Metric{}, fmt.Errorf("mlflow: unacknowledged values of %s: %w", e.Spool, err))
					return
				}
				for line := range bytes.Lines(lines) {
					if !yield(decodeLine(line), nil) {
						return
					}
				}
				at += int64(len(lines))
			}
		}
		for line := range bytes.Lines(e.lines) {
			if !yield(decodeLine(line), nil) {
				return
			}
		}
	}
}

var errNoProgress = errors.New("nothing was acknowledged for too long")

// Flush returns when every value logged before is acknowledged, or an *UndeliveredError: when ctx ends,
// when nothing was acknowledged for MetricsOptions.GiveUp, or at once when the fault will not pass by
// itself (the run is gone). The logger goes on meanwhile. Refused and dropped values are told each time.
func (m *Metrics) Flush(ctx context.Context) error {
	m.mu.Lock()
	target := m.logged
	m.waiting++
	seen, start := m.attempts, m.c.clock.Now()
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.waiting--
		m.mu.Unlock()
	}()
	signal(m.kick)
	signal(m.hurry)
	for {
		m.mu.Lock()
		changed := m.changed
		if m.settled >= target {
			err := m.undelivered(target, nil)
			m.mu.Unlock()
			return err
		}
		idle := m.c.clock.Now().Sub(latest(start, m.progress))
		cause := m.failure
		if cause == nil {
			cause = errNoProgress
		}
		if m.hopeless && m.attempts > seen || idle >= m.o.GiveUp {
			err := m.undelivered(target, cause)
			m.mu.Unlock()
			return err
		}
		m.mu.Unlock()
		wait, cancel := context.WithCancel(ctx)
		select {
		case <-changed:
		case <-after(wait, m.c.clock, m.o.GiveUp-idle):
		}
		cancel()
		if ctx.Err() != nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.settled >= target {
				return m.undelivered(target, nil)
			}
			return m.undelivered(target, join(context.Cause(ctx), m.failure))
		}
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// undelivered makes the error for the values before target, nil when there is nothing to tell.
func (m *Metrics) undelivered(target int64, cause error) error {
	e := &UndeliveredError{RunID: m.run, RefusedCount: m.refusedCount, Dropped: int(m.dropped), Err: cause}
	if e.Pending = int(max(target-m.settled, 0)); e.Pending == 0 && e.RefusedCount == 0 && e.Dropped == 0 {
		return nil
	}
	e.Refused = append(e.Refused, m.refused...)
	if e.Pending > 0 {
		m.save(m.c.clock.Now())
		onDisk := m.logged - m.settled - int64(m.inMemory)
		e.lines = bytes.Clone(firstLines(m.buf, int(max(target-m.settled-onDisk, 0))))
		if m.spool != nil && m.saved == m.base+int64(len(m.buf)) {
			e.Spool = m.spool.path
		}
		if onDisk > 0 {
			e.Spool = m.spool.path
			e.from, e.to = m.spool.data+m.acked, m.spool.data+m.base
		}
	}
	return e
}

// Close is Flush, and the end: the file of the spool goes when all is acknowledged, and stays for Replay
// when it is not. Values logged after it are lost.
func (m *Metrics) Close(ctx context.Context) error {
	m.once.Do(func() { m.result = m.shut(ctx) })
	return m.result
}

func (m *Metrics) shut(ctx context.Context) error {
	m.mu.Lock()
	m.closing = true
	started := m.started
	m.mu.Unlock()
	flushed := m.Flush(ctx)
	m.cancel()
	if started {
		<-m.done
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var cause error
	if e := (*UndeliveredError)(nil); errors.As(flushed, &e) {
		cause = e.Err
	}
	err := m.undelivered(m.logged, cause)
	if m.spool == nil {
		return err
	}
	if m.logged == m.settled {
		return join(err, wrap(m.spool.remove(), "mlflow: close the spool"))
	}
	return join(err, wrap(m.spool.close(), "mlflow: close the spool"))
}

func wrap(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
