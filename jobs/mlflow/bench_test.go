package mlflow_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/azureml-go/azureml/jobs/mlflow"
	"github.com/stretchr/testify/require"
)

// benchmarked is the server to measure against: AZUREML_TEST_MLFLOW_URI, else one that swallows all.
func benchmarked(b *testing.B) *mlflow.Run {
	b.Helper()
	uri := os.Getenv("AZUREML_TEST_MLFLOW_URI")
	if uri == "" {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				b.Error(err)
			}
			fmt.Fprint(w, `{"run":{"info":{"run_id":"r"}},"experiment":{"experiment_id":"0"}}`)
		}))
		b.Cleanup(s.Close)
		uri = s.URL
	}
	c, err := mlflow.New(uri, &mlflow.Options{SpoolDir: b.TempDir()})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.Close()) })
	r, err := c.Start(b.Context(), &mlflow.StartOptions{New: true})
	require.NoError(b, err)
	return r
}

// BenchmarkLogBatch sends a thousand values a time: values/s.
func BenchmarkLogBatch(b *testing.B) {
	r := benchmarked(b)
	batch := mlflow.Batch{Metrics: make([]mlflow.Metric, 1000)}
	step := 0
	for b.Loop() {
		now := time.Now()
		for i := range batch.Metrics {
			batch.Metrics[i] = mlflow.Metric{Key: "loss", Value: float64(i), Step: int64(step), Time: now}
			step++
		}
		require.NoError(b, r.LogBatch(b.Context(), batch))
	}
	b.ReportMetric(float64(step)/b.Elapsed().Seconds(), "values/s")
}

// BenchmarkLogMetric sends one value a call and waits.
func BenchmarkLogMetric(b *testing.B) {
	r := benchmarked(b)
	step := 0
	for b.Loop() {
		require.NoError(b, r.LogMetric(b.Context(), "loss", 0.5, step))
		step++
	}
	b.ReportMetric(float64(step)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkLogger measures what Log costs the training, delivery at the end included in the rate.
func BenchmarkLogger(b *testing.B) {
	r := benchmarked(b)
	m := r.Metrics()
	step := 0
	for b.Loop() {
		m.Log("loss", 0.5, step)
		step++
	}
	cost := b.Elapsed()
	start := time.Now()
	require.NoError(b, m.Close(b.Context()))
	b.ReportMetric(float64(step)/(cost+time.Since(start)).Seconds(), "delivered/s")
}

// BenchmarkLog is Log alone.
func BenchmarkLog(b *testing.B) {
	r := benchmarked(b)
	m := r.Metrics()
	b.ReportAllocs()
	step := 0
	for b.Loop() {
		m.Log("loss", 0.5, step)
		step++
	}
	b.StopTimer()
	require.NoError(b, m.Close(b.Context()))
}
