package mlflow

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
)

// historyPage is the most points that servers give at a time.
const historyPage = 25000

// History yields every value of a metric, in the server's order (of time, then of storing).
// GET mlflow/metrics/get-history.
func (r *Run) History(ctx context.Context, key string) iter.Seq2[Metric, error] {
	return pages(ctx, func(ctx context.Context, token string) ([]Metric, string, error) {
		q := url.Values{"run_id": {r.Info.ID}, "run_uuid": {r.Info.ID}, "metric_key": {key}, "max_results": {strconv.Itoa(historyPage)}}
		if token != "" {
			q.Set("page_token", token)
		}
		var out struct {
			Metrics []Metric `json:"metrics"`
			Next    string   `json:"next_page_token"`
		}
		op := fmt.Sprintf("get history of metric %q of run %q", key, r.Info.ID)
		err := r.c.do(ctx, call{op: op, method: "GET", path: "mlflow/metrics/get-history", query: q, out: &out})
		return out.Metrics, out.Next, err
	})
}

// IntervalOptions of HistoryInterval.
type IntervalOptions struct {
	// StartStep and EndStep bound the steps, both included; nil for all. They come together.
	StartStep, EndStep *int64
	// Points is the most of each run, sampled evenly over its steps. Defaults to the server's 2500.
	Points int
}

// RunMetric is a value and the run that it belongs to.
type RunMetric struct {
	RunID string
	Metric
}

// UnmarshalJSON reads a value of get-history-bulk-interval.
func (m *RunMetric) UnmarshalJSON(b []byte) error {
	var w struct {
		RunID string `json:"run_id"`
	}
	if err := unmarshal(b, &w, &m.Metric); err != nil {
		return err
	}
	m.RunID = w.RunID
	return nil
}

// HistoryInterval reads a metric of up to a hundred runs at once, thinned out, as for a chart.
// GET mlflow/metrics/get-history-bulk-interval.
func (s *Runs) HistoryInterval(ctx context.Context, runs []string, key string, o *IntervalOptions) ([]RunMetric, error) {
	q := url.Values{"run_ids": runs, "metric_key": {key}}
	if o != nil {
		if o.StartStep != nil {
			q.Set("start_step", strconv.FormatInt(*o.StartStep, 10))
		}
		if o.EndStep != nil {
			q.Set("end_step", strconv.FormatInt(*o.EndStep, 10))
		}
		if o.Points > 0 {
			q.Set("max_results", strconv.Itoa(o.Points))
		}
	}
	if q.Get("max_results") == "" {
		q.Set("max_results", "2500")
	}
	var out struct {
		Metrics []RunMetric `json:"metrics"`
	}
	op := fmt.Sprintf("get history of metric %q of %d runs", key, len(runs))
	err := s.c.do(ctx, call{op: op, method: "GET", path: "mlflow/metrics/get-history-bulk-interval", query: q, out: &out})
	return out.Metrics, err
}
