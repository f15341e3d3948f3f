package mlflow

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"time"
)

// MetricsOptions of Run.MetricsWith.
type MetricsOptions struct {
	// Memory is the most values held in memory; the rest waits on disk. Defaults to 100,000.
	Memory int
	// Interval is the longest that a value waits for company. Defaults to 1 s.
	Interval time.Duration
	// Batch is the most values of one request. Defaults to 1000, the servers' limit.
	Batch int
	// GiveUp is how long Flush and Close wait while nothing is acknowledged. Defaults to 2 minutes.
	GiveUp time.Duration
	// NoSpool keeps nothing on disk: what does not fit into Memory is dropped, and Close says how much.
	NoSpool bool
}

func (o MetricsOptions) withDefaults() MetricsOptions {
	if o.Memory <= 0 {
		o.Memory = 100_000
	}
	if o.Interval <= 0 {
		o.Interval = time.Second
	}
	if o.Batch <= 0 || o.Batch > maxBatch {
		o.Batch = maxBatch
	}
	if o.GiveUp <= 0 {
		o.GiveUp = 2 * time.Minute
	}
	return o
}

const (
	// saveEvery is how soon a value is on disk while the disk is slow: what a killed process can lose then.
	saveEvery = 100 * time.Millisecond
	// slowSave is how long a write may take before Log leaves them to the background for a while.
	slowSave = time.Millisecond
	// spoolKeep is the size from which a file is emptied when all of it is acknowledged.
	spoolKeep = 1 << 20
	// refusedKeep bounds the refused values that are kept to be told.
	refusedKeep = 1000
)

// Metrics logs values in the background. Log takes microseconds and fails never: values go to the server
// in order, in batches, again and again until it takes them; meanwhile they are on disk too, so that
// Replay can deliver what a killed process leaves. What Log was given is in the hands of the system when
// it returns: it survives the end of the process, though not that of the machine, which nothing is
// synchronised for. While a disk is slow Log does not wait for it, and up to 0.1 s of values may be lost
// with the process. Flush and Close tell what was not acknowledged.
type Metrics struct {
	c   *Client
	run string
	o   MetricsOptions

	ctx    context.Context // ends the sending
	cancel context.CancelFunc
	kick   chan struct{} // there is something to do
	hurry  chan struct{} // somebody waits: cut a backoff short
	done   chan struct{} // the sender has ended
	once   sync.Once     // Close
	result error

	mu sync.Mutex
	// The values are one stream of lines. buf holds it from position base on; the file holds it up to
	// saved, and of that the server has acknowledged all before acked.
	buf                []byte
	base, saved, acked int64
	// The same in numbers of values.
	logged, settled int64 // settled: acknowledged or refused for good
	inMemory        int
	dropped         int64
	since           time.Time // when the oldest waiting value came

	spool      *spool
	spoolError error
	spoolRetry time.Time
	slowUntil  time.Time // the disk is slow: Log does not write

	refused      []Refused
	refusedCount int
	streak       int   // single values refused one after the other
	failure      error // why the last attempt failed; nil after a success
	hopeless     bool  // the failure will not pass by itself
	attempts     int64
	progress     time.Time
	changed      chan struct{} // closed and replaced when any of the above moves
	waiting      int           // callers in Flush
	started      bool
	closing      bool
	lateLogged   bool
}

func newMetrics(c *Client, run string, o MetricsOptions) *Metrics {
	ctx, cancel := context.WithCancel(context.Background())
	return &Metrics{
		c: c, run: run, o: o.withDefaults(), ctx: ctx, cancel: cancel,
		kick: make(chan struct{}, 1), hurry: make(chan struct{}, 1), done: make(chan struct{}), changed: make(chan struct{}),
	}
}

// Log takes a value with the present time. A name that MLflow does not allow is reported by Flush.
func (m *Metrics) Log(key string, value float64, step int) {
	m.LogMetric(Metric{Key: key, Value: value, Step: int64(step)})
}

// LogAll takes values of one step, with one time, in the order of their names.
func (m *Metrics) LogAll(values map[string]float64, step int) {
	now := m.c.clock.Now()
	for _, key := range sortedKeys(values) {
		m.LogMetric(Metric{Key: key, Value: values[key], Step: int64(step), Time: now})
	}
}

// LogMetric takes a value with all that belongs to it; a zero Time is now.
func (m *Metrics) LogMetric(v Metric) {
	now := m.c.clock.Now()
	if v.Time.IsZero() {
		v.Time = now
	}
	err := v.check()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closing {
		if !m.lateLogged {
			m.lateLogged = true
			m.c.log.Error("mlflow: a metric was logged after Close and is lost", "run", m.run, "key", v.Key)
		}
		return
	}
	if err != nil {
		m.refuse(v, err)
		return
	}
	if m.inMemory >= m.o.Memory {
		if m.save(now); m.saved != m.base+int64(len(m.buf)) {
			m.dropped++
			return
		}
		// All is on disk: the sender reads from there until it has caught up.
		m.base, m.buf, m.inMemory = m.saved, m.buf[:0], 0
	}
	m.buf = append(v.appendJSON(m.buf), '\n')
	m.inMemory++
	m.logged++
	m.keep(now)
	waiting := m.logged - m.settled
	if waiting == 1 {
		m.since = now
	}
	if !m.started {
		m.started = true
		m.progress = now
		go m.loop()
	}
	if waiting == 1 || waiting == int64(m.o.Batch) {
		signal(m.kick)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (m *Metrics) refuse(v Metric, err error) {
	m.refusedCount++
	if len(m.refused) < refusedKeep {
		m.refused = append(m.refused, Refused{Metric: v, Err: err})
	}
	m.c.log.Warn("mlflow: a metric was refused", "run", m.run, "key", v.Key, "step", v.Step, "cause", err.Error())
}

// keep writes a value before Log returns: what was logged is then in the hands of the system, and
// survives the process, though not the machine. Log does not wait for a disk that is slow.
func (m *Metrics) keep(now time.Time) {
	if now.Before(m.slowUntil) {
		return
	}
	start := time.Now()
	m.save(now)
	if took := time.Since(start); took > slowSave {
		m.slowUntil = now.Add(min(10*took, saveEvery))
	}
}

// save writes what is not on disk yet. Without a spool nothing is.
func (m *Metrics) save(now time.Time) {
	end := m.base + int64(len(m.buf))
	if m.o.NoSpool || m.saved == end || now.Before(m.spoolRetry) {
		return
	}
	err := error(nil)
	if m.spool == nil {
		m.spool, err = newSpool(m.c.spool(), m.c.tracking.uri, m.run, now)
	}
	if err == nil {
		err = m.spool.write(m.buf[m.saved-m.base:], m.saved)
	}
	if err == nil {
		m.saved, m.spoolError = end, nil
		return
	}
	if m.spoolError == nil {
		m.c.log.Warn("mlflow: values cannot be kept on disk; a crash would lose those that are not acknowledged", "run", m.run, "cause", err.Error())
	}
	m.spoolError, m.spoolRetry = err, now.Add(10*time.Second)
}

// loop sends until Close.
func (m *Metrics) loop() {
	defer close(m.done)
	for failures := 0; ; {
		lines, wait, end := m.next()
		if end {
			return
		}
		if lines == nil {
			m.pause(wait)
			continue
		}
		err := m.deliver(lines)
		if m.ctx.Err() != nil {
			return
		}
		if err == nil {
			failures = 0
			continue
		}
		failures++
		if !m.hold(failures, err) {
			return
		}
	}
}

// next gives the lines to send now, or how long to wait for more; 0 is until something happens.
func (m *Metrics) next() (lines []byte, wait time.Duration, end bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return nil, 0, true
	}
	now := m.c.clock.Now()
	m.save(now)
	waiting := m.logged - m.settled
	if waiting == 0 {
		return nil, 0, m.closing
	}
	if age := now.Sub(m.since); waiting < int64(m.o.Batch) && age < m.o.Interval && !m.closing && m.waiting == 0 {
		return nil, min(m.o.Interval-age, saveEvery), false
	}
	if m.acked >= m.base {
		from := m.buf[m.acked-m.base:]
		return bytes.Clone(firstLines(from, m.o.Batch)), 0, false
	}
	lines, err := m.spool.read(m.acked, m.base, m.o.Batch)
	if err != nil {
		// The file was taken away from under us: say what is lost and go on with what memory holds.
		lost := m.logged - m.settled - int64(m.inMemory)
		m.c.log.Error("mlflow: the spool cannot be read; values are lost", "run", m.run, "file", m.spool.path, "values", lost, "cause", err.Error())
		m.dropped += lost
		m.settled += lost
		m.acked = m.base
		m.notify()
		return nil, time.Millisecond, false
	}
	return lines, 0, false
}

func (m *Metrics) pause(wait time.Duration) {
	if wait <= 0 {
		select {
		case <-m.kick:
		case <-m.ctx.Done():
		}
		return
	}
	ctx, cancel := context.WithCancel(m.ctx)
	defer cancel()
	select {
	case <-m.kick:
	case <-after(ctx, m.c.clock, wait):
	}
}

// hold waits after a failure; false when the logger ends meanwhile.
func (m *Metrics) hold(failures int, err error) bool {
	wait, asked := m.c.pace(failures), false
	if e, ok := asError(err); ok && e.RetryAfter > 0 && !m.c.retries.IgnoreRetryAfter {
		wait, asked = e.RetryAfter, true
	} else {
		longest := 30 * time.Second
		m.mu.Lock()
		if m.waiting > 0 {
			longest = 5 * time.Second // somebody waits for the end of it
		}
		m.mu.Unlock()
		wait = min(wait, longest)
	}
	m.c.log.LogAttrs(m.ctx, slog.LevelWarn, "mlflow: metrics wait", slog.String("run", m.run), slog.Duration("wait", wait), slog.String("cause", err.Error()))
	ctx, cancel := context.WithCancel(m.ctx)
	defer cancel()
	until, save := after(ctx, m.c.clock, wait), after(ctx, m.c.clock, saveEvery)
	hurry := m.hurry
	if asked {
		hurry = nil // the server named the time
	}
	for {
		select {
		case <-m.ctx.Done():
			return false
		case <-until:
			return m.ctx.Err() == nil
		case <-hurry:
			return true
		case <-save:
			m.mu.Lock()
			m.save(m.c.clock.Now())
			m.mu.Unlock()
			save = after(ctx, m.c.clock, saveEvery)
		}
	}
}

// settle notes that lines are with the server, or will never be.
func (m *Metrics) settle(lines []byte, count int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.c.clock.Now()
	m.acked += int64(len(lines))
	m.settled += int64(count)
	m.failure, m.hopeless = nil, false
	m.progress, m.since = now, now
	if m.acked > m.base { // these were in memory
		n := m.acked - m.base
		m.inMemory -= bytes.Count(m.buf[:n], []byte{'\n'})
		m.buf = m.buf[n:]
		m.base = m.acked
		m.saved = max(m.saved, m.base)
	}
	if m.spool != nil {
		m.note()
	}
	m.notify()
}

// note writes the acknowledgement to the file, and empties it when all is delivered.
func (m *Metrics) note() {
	var err error
	if m.acked == m.saved && len(m.buf) == 0 && m.acked > spoolKeep {
		if err = m.spool.empty(); err == nil {
			m.base, m.saved, m.acked = 0, 0, 0
			return
		}
	}
	if err = join(err, m.spool.acknowledge(m.acked)); err != nil {
		m.c.log.Warn("mlflow: an acknowledgement was not written down; Replay will ask the server", "run", m.run, "cause", err.Error())
	}
}

func (m *Metrics) notify() {
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *Metrics) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closing
}
