package mlflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func undelivered(t *testing.T, err error) *UndeliveredError {
	t.Helper()
	var u *UndeliveredError
	require.ErrorAs(t, err, &u)
	return u
}

func spools(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"+spoolSuffix))
	require.NoError(t, err)
	return list
}

// Values go out in order, in batches that the server takes, and the file is gone afterwards.
func TestMetricsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := &recorder{}, t.TempDir()
		m := open(t, "http://server", Options{Transport: s, SpoolDir: dir}).Runs.Handle("r").Metrics()
		for i := range 2500 {
			m.Log("loss", float64(i), i)
		}
		require.NoError(t, m.Flush(t.Context()))
		require.Len(t, spools(t, dir), 1)
		m.Log("loss", 2500, 2500)
		require.NoError(t, m.Close(t.Context()))
		require.NoError(t, m.Close(t.Context()))
		got := s.stored()
		require.Len(t, got, 2501)
		for i, v := range got {
			require.Equal(t, int64(i), v.Step)
		}
		for _, n := range s.sizes {
			require.LessOrEqual(t, n, 1000)
		}
		require.Empty(t, spools(t, dir))
	})
}

// A lonely value waits for company, and not longer than the interval.
func TestMetricsInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").MetricsWith(MetricsOptions{Interval: 5 * time.Second})
		m.Log("a", 1, 1)
		time.Sleep(2 * time.Second)
		m.Log("a", 2, 2)
		synctest.Wait()
		require.Empty(t, s.stored())
		time.Sleep(3100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []int{2}, s.sizes)
		require.NoError(t, m.Close(t.Context()))
	})
}

// Log does not wait for a server that hangs.
func TestLogNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		s := &recorder{before: func(_ int, req *http.Request) (*http.Response, error) {
			select {
			case <-release:
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
			return nil, nil
		}}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").Metrics()
		start := time.Now()
		for i := range 5000 {
			m.Log("a", 1, i)
			if i == 1000 {
				time.Sleep(2 * time.Second)
				start = start.Add(2 * time.Second)
			}
		}
		require.Zero(t, time.Since(start), "in the bubble's time")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		u := undelivered(t, m.Flush(ctx))
		require.Equal(t, 5000, u.Pending)
		require.ErrorIs(t, u, context.DeadlineExceeded)
		close(release)
		require.NoError(t, m.Close(t.Context()))
		require.Len(t, s.stored(), 5000)
	})
}

// 429 with a time: no request before it, not even when somebody waits.
func TestMetricsHonourRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		s := &recorder{before: func(n int, req *http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			if n < 3 {
				return answer(req, 429, `{"error_code":"REQUEST_LIMIT_EXCEEDED"}`, "Retry-After", "17"), nil
			}
			return nil, nil
		}}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").Metrics()
		m.Log("a", 1, 1)
		require.NoError(t, m.Flush(t.Context()))
		require.Equal(t, []time.Duration{0, 17 * time.Second, 34 * time.Second}, at)
		require.NoError(t, m.Close(t.Context()))
	})
}

// Growing waits while the server is away; a caller that waits cuts one short.
func TestMetricsBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		away := true
		s := &recorder{before: func(_ int, req *http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			if away {
				return nil, errDial
			}
			return nil, nil
		}}
		m := open(t, "http://server", Options{Transport: s, Retry: Retry{Jitter: -1}}).Runs.Handle("r").Metrics()
		m.Log("a", 1, 1)
		time.Sleep(70 * time.Second)
		synctest.Wait()
		// The interval of a second, then a quarter of one, doubled up to 30 s.
		want := []time.Duration{time.Second}
		for d := 250 * time.Millisecond; len(want) < 9; d *= 2 {
			want = append(want, want[len(want)-1]+min(d, 30*time.Second))
		}
		require.Equal(t, want, at)
		away = false
		require.NoError(t, m.Flush(t.Context()))
		require.Less(t, time.Since(start), 71*time.Second)
		require.NoError(t, m.Close(t.Context()))
		require.Len(t, s.stored(), 1)
	})
}

// A flush that gets nowhere ends by itself, and what it names is exact.
func TestMetricsGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := &recorder{before: func(n int, req *http.Request) (*http.Response, error) {
			if n > 1 {
				return answer(req, 503, ""), nil
			}
			return nil, nil
		}}
		m := open(t, "http://server", Options{Transport: s, SpoolDir: dir}).Runs.Handle("r").MetricsWith(MetricsOptions{GiveUp: time.Minute, Batch: 10})
		for i := range 25 {
			m.Log("a", float64(i), i)
		}
		start := time.Now()
		err := m.Close(t.Context())
		require.Equal(t, time.Minute, time.Since(start))
		u := undelivered(t, err)
		require.ErrorIs(t, err, ErrUnavailable)
		require.Equal(t, 15, u.Pending)
		require.Equal(t, spools(t, dir), []string{u.Spool})
		i := 10
		for v, err := range u.Unacknowledged() {
			require.NoError(t, err)
			require.Equal(t, int64(i), v.Step)
			i++
		}
		require.Equal(t, 25, i)
		require.Equal(t, err, m.Close(t.Context()))
		m.Log("late", 1, 1) // lost, and no panic
	})
}

// More values than memory holds wait on disk and arrive in order.
func TestMetricsSpill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		s := &recorder{before: func(_ int, req *http.Request) (*http.Response, error) {
			if away {
				return nil, errDial
			}
			return nil, nil
		}}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").MetricsWith(MetricsOptions{Memory: 100, Batch: 64})
		for i := range 10_030 {
			m.Log("metric", float64(i), i)
		}
		require.LessOrEqual(t, m.inMemory, 100)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		u := undelivered(t, m.Flush(ctx))
		require.Equal(t, 10_030, u.Pending)
		n := 0
		for v, err := range u.Unacknowledged() {
			require.NoError(t, err)
			require.Equal(t, int64(n), v.Step)
			n++
		}
		require.Equal(t, 10_030, n)
		away = false
		require.NoError(t, m.Close(t.Context()))
		for i, v := range s.stored() {
			require.Equal(t, int64(i), v.Step)
		}
		require.Len(t, s.stored(), 10_030)
	})
}

// Without a spool what does not fit is dropped, and said.
func TestMetricsDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := &recorder{before: func(_ int, req *http.Request) (*http.Response, error) { return nil, errDial }}
		m := open(t, "http://server", Options{Transport: s, SpoolDir: dir}).Runs.Handle("r").MetricsWith(MetricsOptions{Memory: 10, NoSpool: true, GiveUp: time.Second})
		for i := range 15 {
			m.Log("a", 1, i)
		}
		u := undelivered(t, m.Close(t.Context()))
		require.Equal(t, 5, u.Dropped)
		require.Equal(t, 10, u.Pending)
		require.Empty(t, u.Spool)
		require.Empty(t, spools(t, dir))
		n := 0
		for range u.Unacknowledged() {
			n++
		}
		require.Equal(t, 10, n)
	})
}

// A folder that cannot be written is told once, and the values go out all the same.
func TestMetricsWithoutDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	s := &recorder{}
	m := open(t, "http://server", Options{Transport: s, SpoolDir: filepath.Join(file, "dir")}).Runs.Handle("r").Metrics()
	for i := range 1500 {
		m.Log("a", 1, i)
	}
	require.NoError(t, m.Close(t.Context()))
	require.Len(t, s.stored(), 1500)
}

// One value that the server refuses takes no other with it.
func TestMetricsRefusedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{bad: func(m Metric) bool { return m.Step == 137 || m.Step == 555 }}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").Metrics()
		for i := range 1000 {
			m.Log("a", 1, i)
		}
		u := undelivered(t, m.Close(t.Context()))
		require.Zero(t, u.Pending)
		require.Equal(t, 2, u.RefusedCount)
		require.Equal(t, int64(137), u.Refused[0].Metric.Step)
		require.Equal(t, int64(555), u.Refused[1].Metric.Step)
		require.ErrorIs(t, u.Refused[0].Err, ErrInvalid)
		require.Len(t, s.stored(), 998)
		require.Less(t, s.calls, 60)
	})
}

// When all is refused it does not take a request for each.
func TestMetricsRefusedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{bad: func(Metric) bool { return true }}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").Metrics()
		for i := range 5000 {
			m.Log("a", 1, i)
		}
		u := undelivered(t, m.Close(t.Context()))
		require.Equal(t, 5000, u.RefusedCount)
		require.Len(t, u.Refused, refusedKeep)
		require.Less(t, s.calls, 60)
	})
}

// An answer that is lost is asked for again; the server tells the same value from a new one.
func TestMetricsLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &recorder{after: func(n int) error {
			if n == 1 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}}
		m := open(t, "http://server", Options{Transport: s}).Runs.Handle("r").Metrics()
		for i := range 3 {
			m.Log("a", 1, i)
		}
		require.NoError(t, m.Close(t.Context()))
		points := map[point]bool{}
		for _, v := range s.stored() {
			points[v.point()] = true
		}
		require.Len(t, points, 3)
	})
}

func TestMetricsFromManyGoroutines(t *testing.T) {
	s := &recorder{}
	r := open(t, "http://server", Options{Transport: s}).Runs.Handle("r")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				r.Metrics().Log(fmt.Sprintf("g%d", g), float64(i), i)
			}
		})
	}
	wg.Wait()
	require.NoError(t, r.Metrics().Close(t.Context()))
	last := map[string]int64{}
	for _, v := range s.stored() {
		require.Equal(t, last[v.Key], v.Step, "each in its order")
		last[v.Key]++
	}
	require.Len(t, last, 8)
	require.NotSame(t, r.Metrics(), r.metrics.c, "a new logger after Close")
	require.NoError(t, r.Metrics().Close(t.Context()))
}

// The file is emptied when all of it is delivered, so that a long run's does not grow for ever.
func TestSpoolIsEmptied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dir := &recorder{}, t.TempDir()
		m := open(t, "http://server", Options{Transport: s, SpoolDir: dir}).Runs.Handle("r").Metrics()
		for round := range 5 {
			for i := range 20_000 {
				m.Log("metric", math.Pi, round*20_000+i)
			}
			require.NoError(t, m.Flush(t.Context()))
			info, err := os.Stat(spools(t, dir)[0])
			require.NoError(t, err)
			require.Less(t, info.Size(), int64(spoolKeep))
		}
		require.NoError(t, m.Close(t.Context()))
		require.Len(t, s.stored(), 100_000)
	})
}

// Any order of faults: every value arrives, in order, at least once; and exactly once when no answer
// is lost.
func TestMetricsProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 429, 500, 503, -1}), 0, 30).Draw(rt, "faults")
		count := rapid.IntRange(1, 3000).Draw(rt, "count")
		memory := rapid.IntRange(1, 2000).Draw(rt, "memory")
		batch := rapid.IntRange(1, 1000).Draw(rt, "batch")
		synctest.Test(t, func(t *testing.T) {
			s := &recorder{before: func(n int, req *http.Request) (*http.Response, error) {
				if n > len(faults) || faults[n-1] == 0 {
					return nil, nil
				}
				if faults[n-1] < 0 {
					return nil, errDial
				}
				return answer(req, faults[n-1], ""), nil
			}}
			c, err := New("http://server", &Options{Transport: s, SpoolDir: t.TempDir()})
			require.NoError(t, err)
			m := c.Runs.Handle("r").MetricsWith(MetricsOptions{Memory: memory, Batch: batch, GiveUp: time.Hour})
			for i := range count {
				m.Log("a", float64(i), i)
				if i%97 == 0 {
					time.Sleep(300 * time.Millisecond)
				}
			}
			require.NoError(t, m.Close(t.Context()))
			got := s.stored()
			require.Len(t, got, count)
			for i, v := range got {
				require.Equal(t, int64(i), v.Step)
			}
			require.NoError(t, c.Close())
		})
	})
}

// A process that is killed leaves its values to Replay.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("AZUREML_TEST_SPOOL"); dir != "" {
		away := transport(func(*http.Request) (*http.Response, error) { return nil, errDial })
		m := open(t, "http://server", Options{Transport: away, SpoolDir: dir}).Runs.Handle("run-1").Metrics()
		for i := range 3000 {
			m.Log("loss", float64(i), i)
		}
		m.mu.Lock()
		m.keep(m.slowUntil) // had the disk been slow just now, what is behind is written by the next
		m.mu.Unlock()
		fmt.Println("logged")
		time.Sleep(time.Hour)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the test's pipe handling is Unix's")
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledProcess$")
	cmd.Env = append(os.Environ(), "AZUREML_TEST_SPOOL="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line := make([]byte, 6)
	_, err = io.ReadFull(out, line)
	require.NoError(t, err)
	s := &recorder{before: historyOf(nil)}
	c := open(t, "http://server", Options{Transport: s, SpoolDir: dir})
	done, err := Replay(t.Context(), c, nil)
	require.NoError(t, err)
	require.Len(t, done.Skipped, 1, "its process still runs")
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	other := open(t, "http://other", Options{Transport: s, SpoolDir: dir})
	done, err = Replay(t.Context(), other, nil)
	require.NoError(t, err)
	require.Len(t, done.Skipped, 1, "meant for another server")
	done, err = Replay(t.Context(), c, &ReplayOptions{RunID: "run-2"})
	require.NoError(t, err)
	require.Len(t, done.Skipped, 1)
	done, err = Replay(t.Context(), c, nil)
	require.NoError(t, err)
	require.Equal(t, Replayed{Files: 1, Sent: 3000}, done)
	got := s.stored()
	require.Len(t, got, 3000)
	for i, v := range got {
		require.Equal(t, int64(i), v.Step)
	}
	require.Empty(t, spools(t, dir))
}

// historyOf answers get-history with what is stored.
func historyOf(stored func() []Metric) func(int, *http.Request) (*http.Response, error) {
	return func(_ int, req *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(req.URL.Path, "/get-history") {
			return nil, nil
		}
		var lines []string
		if stored != nil {
			for _, v := range stored() {
				if v.Key == req.URL.Query().Get("metric_key") {
					b, err := v.MarshalJSON()
					if err != nil {
						return nil, err
					}
					lines = append(lines, string(b))
				}
			}
		}
		return answer(req, 200, `{"metrics":[`+strings.Join(lines, ",")+`]}`), nil
	}
}

// Whenever a logger and any number of Replays die, each value is stored exactly once in the end.
func TestReplayExactlyOnceProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		count := rapid.IntRange(0, 2500).Draw(rt, "count")
		deaths := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 5).Draw(rt, "deaths")
		lost := rapid.Bool().Draw(rt, "lost")
		dir, err := os.MkdirTemp(t.TempDir(), "")
		require.NoError(rt, err)
		sp, err := newSpool(dir, "http://server", "r", time.Now())
		require.NoError(rt, err)
		var lines []byte
		for i := range count {
			v := Metric{Key: []string{"a", "b", "c"}[i%3], Value: float64(i), Step: int64(i), Time: time.UnixMilli(int64(i) + 1)}
			lines = append(v.appendJSON(lines), '\n')
		}
		require.NoError(rt, sp.write(lines, 0))
		require.NoError(rt, sp.close())
		s := &recorder{}
		batches := 0
		limit := 0
		s.before = func(n int, req *http.Request) (*http.Response, error) {
			if resp, err := historyOf(s.stored)(n, req); resp != nil {
				return resp, err
			}
			if batches++; batches >= limit && !lost {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		}
		s.after = func(int) error {
			if batches >= limit {
				return io.ErrUnexpectedEOF // stored, and nobody knows
			}
			return nil
		}
		c, err := New("http://server", &Options{Transport: s, SpoolDir: dir, Retry: Retry{Max: -1}})
		require.NoError(rt, err)
		for _, limit = range deaths {
			batches = 0
			if _, err := Replay(context.Background(), c, nil); err != nil {
				require.True(rt, errors.Is(err, io.ErrUnexpectedEOF), err)
			}
		}
		limit = math.MaxInt
		_, err = Replay(context.Background(), c, nil)
		require.NoError(rt, err)
		got := map[point]int{}
		for _, v := range s.stored() {
			got[v.point()]++
		}
		require.Len(rt, got, count)
		for p, n := range got {
			require.Equal(rt, 1, n, "%+v", p)
		}
		require.NoError(rt, c.Close())
	})
}

// An answer that is lost while replaying: the history says what was stored.
func TestReplayLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		sp, err := newSpool(dir, "http://server", "r", time.Now())
		require.NoError(t, err)
		require.NoError(t, sp.write([]byte("{\"key\":\"a\",\"value\":1,\"timestamp\":5,\"step\":0}\n{\"key\":\"a\",\"value\":\"NaN\",\"timestamp\":5,\"step\":1}\n"), 0))
		require.NoError(t, sp.close())
		s := &recorder{}
		lost := 2
		s.before = func(n int, req *http.Request) (*http.Response, error) { return historyOf(s.stored)(n, req) }
		s.after = func(int) error {
			if lost--; lost >= 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		done, err := Replay(t.Context(), open(t, "http://server", Options{Transport: s, SpoolDir: dir}), nil)
		require.NoError(t, err)
		require.Equal(t, Replayed{Files: 1, Sent: 2}, done)
		require.Len(t, s.stored(), 2)
	})
}

func FuzzSpool(f *testing.F) {
	f.Add([]byte("{\"mlflow_spool\":1,\"uri\":\"http://server\",\"run_id\":\"r\"}\nacknowledged=00000000000000000000\n{\"key\":\"a\",\"value\":1,\"timestamp\":1,\"step\":0}\n{\"ke"))
	f.Add([]byte("{\"mlflow_spool\":1,\"uri\":\"http://server\",\"run_id\":\"r\"}\nacknowledged=00000000000000000999\nx\n\n"))
	f.Add([]byte("{}\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "x"+spoolSuffix), b, 0o600))
		s := &recorder{before: historyOf(nil)}
		c, err := New("http://server", &Options{Transport: s, SpoolDir: dir, Retry: Retry{Max: -1}})
		require.NoError(t, err)
		done, err := Replay(t.Context(), c, nil)
		if err == nil && done.Files == 1 {
			require.Empty(t, spools(t, dir))
		}
		require.NoError(t, c.Close())
	})
}
