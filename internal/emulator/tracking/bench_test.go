package tracking

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// batchBody is a log-batch of n values of four metrics, as the Python client sends it.
func batchBody(run string, step, n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"run_id": %q, "metrics": [`, run)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, `{"key": "metric/%d", "value": %v, "timestamp": %d, "step": %d}`, i%4, rand.NormFloat64(), 1_700_000_000_000+step+i, step+i/4)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func post(h http.Handler, path string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/api/2.0/mlflow/"+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// benchBodies makes the bodies of requests beforehand.
func benchBodies(b *testing.B, s *Store, runs, each int) [][]byte {
	var bodies [][]byte
	for range runs {
		run := newRun(b, s)
		for i := range each {
			bodies = append(bodies, batchBody(run, i*250, 1000))
		}
	}
	return bodies
}

// BenchmarkLogBatch logs batches of 1000 values from several clients at once, each
// durable when it is answered.
func BenchmarkLogBatch(b *testing.B) {
	for _, clients := range []int{1, 4, 16} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			s := open(b, b.TempDir())
			h := s.Handler(ws, HandlerOptions{})
			bodies := benchBodies(b, s, 16, 8)
			var next atomic.Int64
			b.ResetTimer()
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					for {
						i := int(next.Add(1)) - 1
						if i >= b.N {
							return
						}
						if w := post(h, "runs/log-batch", bodies[i%len(bodies)]); w.Code != http.StatusOK {
							b.Error(w.Body)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "values/s")
		})
	}
}

// BenchmarkLogBatchLatency logs 50 batches of 1000 values a second, which is half of
// what is wanted at most, and reports how long the slowest of a hundred takes.
func BenchmarkLogBatchLatency(b *testing.B) {
	s := open(b, b.TempDir())
	h := s.Handler(ws, HandlerOptions{})
	bodies := benchBodies(b, s, 16, 8)
	took := make([]time.Duration, b.N)
	tick := time.NewTicker(time.Second / 50)
	defer tick.Stop()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range b.N {
		<-tick.C
		wg.Go(func() {
			from := time.Now()
			if w := post(h, "runs/log-batch", bodies[i%len(bodies)]); w.Code != http.StatusOK {
				b.Error(w.Body)
			}
			took[i] = time.Since(from)
		})
	}
	wg.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
}

// BenchmarkLogMetric logs one value with a request of its own.
func BenchmarkLogMetric(b *testing.B) {
	for _, clients := range []int{1, 16} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			s := open(b, b.TempDir())
			h := s.Handler(ws, HandlerOptions{})
			run := newRun(b, s)
			var next atomic.Int64
			b.ResetTimer()
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						body := fmt.Appendf(nil, `{"run_id": %q, "key": "m", "value": %d, "timestamp": %d, "step": %d}`, run, i, i, i)
						if w := post(h, "runs/log-metric", body); w.Code != http.StatusOK {
							b.Error(w.Body)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// manyRuns makes runs with two metrics, a parameter and a tag.
func manyRuns(b *testing.B, s *Store, n int) {
	b.Helper()
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	var wg sync.WaitGroup
	limit := make(chan struct{}, 64)
	for i := range n {
		acc, loss := rng.Float64(), rng.NormFloat64()
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			r, err := s.CreateRun(ctx, ws, &NewRun{Name: "run " + strconv.Itoa(i), Status: Finished, Start: time.UnixMilli(int64(i)), Tags: map[string]string{"group": strconv.Itoa(i % 100)}, Params: map[string]string{"lr": strconv.Itoa(i % 7)}})
			if err == nil {
				err = s.LogMetrics(ctx, ws, r.ID, []Metric{{Key: "acc", Value: acc, Timestamp: 1}, {Key: "loss", Value: loss, Timestamp: 1}})
			}
			if err != nil {
				b.Error(err)
			}
		})
	}
	wg.Wait()
	require.NoError(b, s.settle(ctx))
}

// BenchmarkSearch searches 100,000 runs.
func BenchmarkSearch(b *testing.B) {
	s := open(b, b.TempDir())
	manyRuns(b, s, 100_000)
	h := s.Handler(ws, HandlerOptions{})
	for _, q := range []struct{ name, filter, order string }{
		{"metric ordered", "metrics.acc > 0.5", "metrics.acc DESC"},
		{"metric ordered by another", "metrics.acc > 0.999", "metrics.loss ASC"},
		{"metric ordered by another, many", "metrics.acc > 0.5", "metrics.loss ASC"},
		{"parameter and metric", "params.lr = '3' AND metrics.acc > 0.9", "metrics.acc DESC"},
		{"tag, newest", "tags.group = '42'", "attributes.start_time DESC"},
		{"all, newest", "", "attributes.start_time DESC"},
		{"name like", "run_name LIKE 'run 9999%'", "metrics.acc DESC"},
		{"rare", "metrics.acc > 0.9999", "attributes.start_time DESC"},
		{"status and two metrics", "status = 'FINISHED' AND metrics.acc > 0.3 AND metrics.loss < -1", "metrics.loss ASC"},
	} {
		b.Run(q.name, func(b *testing.B) {
			body := fmt.Appendf(nil, `{"experiment_ids": ["0"], "filter": %q, "order_by": [%q], "max_results": 100}`, q.filter, q.order)
			for b.Loop() {
				if w := post(h, "runs/search", body); w.Code != http.StatusOK {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// BenchmarkTenMillion fills a store with ten million values and reports the memory
// that is in use at most, and how long reading some takes.
func BenchmarkTenMillion(b *testing.B) {
	if testing.Short() {
		b.Skip("it takes a minute")
	}
	s := open(b, b.TempDir())
	h := s.Handler(ws, HandlerOptions{})
	const values = 10_000_000
	runs := make([]string, 100)
	for i := range runs {
		runs[i] = newRun(b, s)
	}
	from := time.Now()
	var next atomic.Int64
	var peak atomic.Uint64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < values/1000; i = int(next.Add(1)) - 1 {
				if w := post(h, "runs/log-batch", batchBody(runs[i%len(runs)], i/len(runs)*250, 1000)); w.Code != http.StatusOK {
					b.Error(w.Body)
					return
				}
				if i%500 == 0 {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					peak.Store(max(peak.Load(), m.Sys-m.HeapReleased))
				}
			}
		})
	}
	wg.Wait()
	rate := values / time.Since(from).Seconds()
	require.NoError(b, s.settle(b.Context()))
	settled := values / time.Since(from).Seconds()
	for b.Loop() {
		n := 0
		for _, err := range s.History(b.Context(), ws, runs[7], "metric/1") {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, values/len(runs)/4, n)
	}
	b.ReportMetric(rate, "values/s")
	b.ReportMetric(settled, "settled/s")
	b.ReportMetric(float64(peak.Load())/1e6, "MB-peak")
	if status, err := os.ReadFile("/proc/self/status"); err == nil { // what the system counts: SQLite's memory is not Go's
		var kB float64
		_, at, _ := strings.Cut(string(status), "VmHWM:")
		if _, err := fmt.Sscan(at, &kB); err == nil {
			b.ReportMetric(kB/1e3, "MB-resident")
		}
	}
}
