package tracking

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// post sends a text as JSON.
func (a *api) post(path, body string) (int, string) {
	w := a.raw("POST", path, strings.NewReader(body), "Content-Type", "application/json")
	return w.Code, w.Body.String()
}

func TestFigures(t *testing.T) {
	p := &group{count: 4, values: []float64{4, 1, 3, 2}}
	require.Equal(t, 4.0, p.figure(aggregate{kind: aggregateCount}))
	require.Equal(t, 10.0, p.figure(aggregate{kind: aggregateSum}))
	require.Equal(t, 2.5, p.figure(aggregate{kind: aggregateAverage}))
	require.Equal(t, 1.0, p.figure(aggregate{kind: aggregateMin}))
	require.Equal(t, 4.0, p.figure(aggregate{kind: aggregateMax}))
	require.Equal(t, 2.5, p.figure(aggregate{kind: aggregatePercentile, percentile: 50}))
	require.Equal(t, 4.0, p.figure(aggregate{kind: aggregatePercentile, percentile: 100}))
	require.Equal(t, []float64{4, 1, 3, 2}, p.values, "they stay in their order")

	require.Equal(t, int64(-2), floorDiv(-11, 10))
	require.Equal(t, int64(1), floorDiv(11, 10))
	for text, want := range map[string]any{"true": 1.0, "false": 0.0, `" Yes "`: 1.0, `"no"`: 0.0, `"maybe"`: nil, "3": 3.0, "0.5": 0.5, "[]": nil, "1e999": nil} {
		require.Equal(t, want, (&assessment{Value: text}).figure(), text)
	}
}

// What MLflow's server answers to with faults of its own is refused by name.
func TestMeasuresThatCannotBe(t *testing.T) {
	s := &api{t, open(t, t.TempDir()).Handler(ws, HandlerOptions{})}
	for aggregations, words := range map[string]string{
		`[]`:                                  "At least one aggregation",
		`[{"aggregation_type":"PERCENTILE"}]`: "Percentile value is required",
		`[{"aggregation_type":"PERCENTILE","percentile_value":101}]`:   "between 0 and 100",
		`[{"aggregation_type":"PERCENTILE","percentile_value":"NaN"}]`: "between 0 and 100",
		`[{"aggregation_type":"AVG","percentile_value":5}]`:            "only allowed for PERCENTILE",
		`[{}]`: "nvalid",
	} {
		code, body := s.post("/api/3.0/mlflow/traces/metrics", `{"experiment_ids":["0"],"view_type":"TRACES","metric_name":"latency","aggregations":`+aggregations+`}`)
		require.Equal(t, 400, code, aggregations)
		require.Contains(t, body, words, aggregations)
	}
	code, body := s.post("/api/3.0/mlflow/traces/metrics", `{"experiment_ids":["0"],"view_type":"TRACES","metric_name":"trace_count","aggregations":[{"aggregation_type":"COUNT"}],"time_interval_seconds":-5,"start_time_ms":0,"end_time_ms":1}`)
	require.Equal(t, 400, code, body)
}

// A name that storage does not take is the caller's fault.
func TestArtifactNameTooLong(t *testing.T) {
	c := &api{t, open(t, t.TempDir()).Handler(ws, HandlerOptions{})}
	code, body := c.post(fmt.Sprintf("/ajax-api/2.0/mlflow/upload-artifact?run_uuid=%s&path=%s", c.run("0"), strings.Repeat("y", 4000)), "data")
	require.Equal(t, 400, code, body)
	require.Contains(t, body, "INVALID_PARAMETER_VALUE")
}

// What stands for no experiment must not stand for the first one.
func TestDeleteOfNoExperiment(t *testing.T) {
	s := &api{t, open(t, t.TempDir()).Handler(ws, HandlerOptions{})}
	for _, id := range []string{`\ud800`, ``, `x`} {
		code, body := s.post("/api/2.0/mlflow/experiments/delete", `{"experiment_id":"`+id+`"}`)
		require.Equal(t, 400, code, body)
	}
	code, body := s.post("/api/2.0/mlflow/experiments/search", `{"max_results":1}`)
	require.Equal(t, 200, code)
	require.Contains(t, body, `"Default"`)
}
