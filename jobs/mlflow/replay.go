package mlflow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// ReplayOptions of Replay.
type ReplayOptions struct {
	// Dir holds the spools. Defaults to the client's SpoolDir.
	Dir string
	// RunID takes the values of one run only.
	RunID string
	// AnyServer sends what was meant for another tracking URI too: a server that has moved, a local
	// workspace on another port.
	AnyServer bool
}

// Replayed is what Replay did.
type Replayed struct {
	Files   int // spools that are delivered and gone
	Sent    int // values that were sent
	Present int // values that the server had already
	// Skipped are spools that were left alone: of a process that still runs, of another server or run.
	Skipped []string
}

// Replay sends what the metric loggers of dead processes left on disk. Each value (by key, step, time and
// value) is stored exactly once: what the dead process may have sent without learning of it is looked up
// in the run's history. A spool goes when all of it is acknowledged; what fails stays, its error is
// returned, and the next Replay goes on where this one ended.
func Replay(ctx context.Context, c *Client, o *ReplayOptions) (Replayed, error) {
	if o == nil {
		o = &ReplayOptions{}
	}
	dir := o.Dir
	if dir == "" {
		dir = c.spool()
	}
	var done Replayed
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil // nothing was ever left behind
	}
	if err != nil {
		return done, fmt.Errorf("mlflow: replay: %w", err)
	}
	var faults []error
	for _, entry := range entries {
		if entry.IsDir() || !strings.HasSuffix(entry.Name(), spoolSuffix) {
			continue
		}
		path := filepath.Join(dir, entry.Name())
		s, from, to, err := openSpool(path)
		if errors.Is(err, errSpoolBusy) {
			done.Skipped = append(done.Skipped, path)
			continue
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("mlflow: replay: %w", err))
			continue
		}
		if o.RunID != "" && s.head.RunID != o.RunID || !o.AnyServer && s.head.URI != c.tracking.uri {
			done.Skipped = append(done.Skipped, path)
			faults = append(faults, wrap(s.close(), "mlflow: replay"))
			continue
		}
		if err := c.replay(ctx, s, from, to, &done); err != nil {
			faults = append(faults, fmt.Errorf("mlflow: replay %s: %w", path, err), s.close())
			continue
		}
		faults = append(faults, wrap(s.remove(), "mlflow: replay"))
		done.Files++
	}
	return done, errors.Join(faults...)
}

// replayWindow is how many values are held against the history at a time.
const replayWindow = 100_000

// point is what makes a value the same one.
type point struct {
	key        string
	step, time int64
	value      uint64
}

func (m *Metric) point() point {
	v := m.Value
	switch { // as servers store what SQL has no number for
	case math.IsNaN(v):
		v = math.NaN()
	case math.IsInf(v, 1):
		v = math.MaxFloat64
	case math.IsInf(v, -1):
		v = -math.MaxFloat64
	case v == 0:
		v = 0 // -0 too
	}
	return point{m.Key, m.Step, millis(m.Time), math.Float64bits(v)}
}

func (c *Client) replay(ctx context.Context, s *spool, from, to int64, done *Replayed) error {
	// Values were sent in order: what the server has of these is their beginning. Once a window ends
	// with values that it does not have, later ones need no look-up.
	lookup := true
	for from < to {
		window, err := s.window(from, to)
		if err != nil {
			return err
		}
		missing := map[point]bool{}
		var keys []string
		for line := range bytes.Lines(window) {
			v := decodeLine(line)
			p := v.point()
			if _, ok := missing[p]; !ok {
				missing[p] = true
			}
			if len(keys) == 0 || keys[len(keys)-1] != v.Key {
				keys = append(keys, v.Key)
			}
		}
		if lookup {
			if err := c.strike(ctx, s.head.RunID, keys, missing); err != nil {
				return err
			}
		}
		last := false
		for len(window) > 0 {
			lines := firstLines(window, maxBatch)
			window = window[len(lines):]
			var send []byte
			for line := range bytes.Lines(lines) {
				v := decodeLine(line)
				if p := v.point(); missing[p] {
					missing[p] = false // the same value again is the same value
					send = append(send, line...)
					done.Sent++
					last = true
				} else {
					done.Present++
					last = false
				}
			}
			if len(send) > 0 {
				if err := c.replayLines(ctx, s.head.RunID, send); err != nil {
					return err
				}
			}
			from += int64(len(lines))
			if err := s.acknowledge(from); err != nil {
				return err
			}
		}
		lookup = lookup && !last
	}
	return nil
}

// window reads lines up to replayWindow.
func (s *spool) window(from, to int64) ([]byte, error) {
	var window []byte
	for n := 0; n < replayWindow && from < to; n += maxBatch {
		lines, err := s.read(from, to, maxBatch)
		if err != nil {
			return nil, err
		}
		window = append(window, lines...)
		from += int64(len(lines))
	}
	return window, nil
}

// strike marks the points that the run has.
func (c *Client) strike(ctx context.Context, run string, keys []string, missing map[point]bool) error {
	seen := map[string]bool{}
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		for v, err := range c.Runs.Handle(run).History(ctx, key) {
			if err != nil {
				return err
			}
			if p := v.point(); missing[p] {
				missing[p] = false
			}
		}
	}
	return nil
}

// replayLines sends lines with the client's retries. Where it cannot be known whether they were stored, the
// history is asked before they are sent again.
func (c *Client) replayLines(ctx context.Context, run string, lines []byte) error {
	for n := 1; ; n++ {
		err := c.postLines(ctx, run, lines)
		if err == nil || ctx.Err() != nil {
			return err
		}
		again, wait := retriable(err, false)
		if !again || n > c.retries.Max {
			return err
		}
		if wait == 0 || c.retries.IgnoreRetryAfter {
			wait = c.pace(n)
		}
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return err
		}
		if !isSent(err) {
			continue
		}
		missing := map[point]bool{}
		var keys []string
		for line := range bytes.Lines(lines) {
			v := decodeLine(line)
			missing[v.point()] = true
			keys = append(keys, v.Key)
		}
		if err := c.strike(ctx, run, keys, missing); err != nil {
			return err
		}
		var left []byte
		for line := range bytes.Lines(lines) {
			if v := decodeLine(line); missing[v.point()] {
				left = append(left, line...)
			}
		}
		if lines = left; len(lines) == 0 {
			return nil
		}
	}
}
