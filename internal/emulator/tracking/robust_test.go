package tracking

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// allRoutes are the routes with their methods, in order.
func allRoutes() (all []string) {
	for route, methods := range routes {
		for method := range methods {
			all = append(all, method+" /api/"+route, method+" /ajax-api/"+route)
		}
	}
	for route, methods := range folders {
		for method := range methods {
			all = append(all, method+" /api/"+route+"0/*/artifacts/x")
		}
	}
	for route, methods := range others {
		for method := range methods {
			all = append(all, method+" "+route)
		}
	}
	slices.Sort(all)
	return all
}

// words are what requests are made of: fields, and values that may mean something.
var words = strings.Fields(`experiment_id experiment_ids name new_name run_id run_uuid run_name key value timestamp step metrics params tags filter order_by max_results page_token run_view_type view_type model_id model_ids source version alias stage
	path metric_key run_ids start_step end_step datasets dataset models status end_time locations trace trace_info trace_id trace_ids request_id assessment update_mask feedback mlflow_experiment trace_location filter_string field_name ascending description
	artifact_location num_parts upload_id parts stages archive_existing_versions trace_metadata request_time execution_duration prompt_versions timestamp_ms dataset_name dataset_digest model_json type state expectation issue max_timestamp_millis max_traces request_ids`)

func drawValue(t *rapid.T, depth int) any {
	texts := []string{"", "0", "1", "x", "metrics.m > 1", "tags.a = 'b'", "metrics.m DESC", "eyJvZmZzZXQiOiAxfQ==", "e30=", "2024-01-01T00:00:00Z", "1.5s", "LOGGED_MODEL_READY", "MLFLOW_EXPERIMENT", "../x", "mlflow-artifacts:/0/run/artifacts/x", "models:/m/1", "models:/m@a", "runs:/run/x", "run", "m", "tr-1", "Production", "\x00", "é😀", "a'b\"c`d", strings.Repeat("x", 300), "latest", "%", "NaN"}
	switch k := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case k < 4:
		return rapid.SampledFrom(texts).Draw(t, "text")
	case k == 4:
		return rapid.OneOf(rapid.SampledFrom([]int64{0, 1, -1, 2, 1 << 62, -1 << 63, 1 << 31, 50001}), rapid.Int64()).Draw(t, "int")
	case k == 5:
		return rapid.SampledFrom([]float64{0.5, -1.5, 1e300, 3}).Draw(t, "float")
	case k == 6:
		return rapid.SampledFrom([]any{nil, true, false}).Draw(t, "constant")
	case k == 7 && depth < 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			list = append(list, drawValue(t, depth+1))
		}
		return list
	case depth < 4:
		return drawObject(t, depth+1)
	}
	return rapid.String().Draw(t, "any text")
}

func drawObject(t *rapid.T, depth int) map[string]any {
	o := map[string]any{}
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		o[rapid.SampledFrom(words).Draw(t, "field")] = drawValue(t, depth)
	}
	return o
}

// Whatever is asked, the service does not fail: answers are below 500, or one of
// the few codes that MLflow has above, and they are JSON when they say so.
func TestNothingFailsTheService(t *testing.T) {
	s := open(t, t.TempDir())
	h := s.Handler(ws, HandlerOptions{})
	_, err := s.CreateRun(t.Context(), ws, &NewRun{ID: "run"})
	require.NoError(t, err)
	a := &api{t, h}
	a.ok("POST", "registered-models/create", object{"name": "m"})
	a.ok("POST", "model-versions/create", object{"name": "m", "source": "s3://b/x"})
	every := allRoutes()
	rapid.Check(t, func(rt *rapid.T) {
		method, path, _ := strings.Cut(rapid.SampledFrom(every).Draw(rt, "route"), " ")
		for strings.Contains(path, "*") {
			path = strings.Replace(path, "*", rapid.SampledFrom([]string{"run", "m-1", "tr-1", "0", "x%20y", "%C3%A9", "1"}).Draw(rt, "variable"), 1)
		}
		o := drawObject(rt, 0)
		body := []byte{}
		if method == http.MethodGet {
			var query []string
			for _, k := range slices.Sorted(maps.Keys(o)) {
				query = append(query, k+"="+strings.NewReplacer(" ", "+", "%", "%25", "&", "%26", "#", "%23", "\x00", "%00").Replace(fmt.Sprint(o[k])))
			}
			path += "?" + strings.Join(query, "&")
		} else {
			body, err = json.Marshal(o)
			require.NoError(rt, err)
			if i := rapid.IntRange(0, len(body)*4).Draw(rt, "cut"); i < len(body) {
				body = body[:i]
			}
		}
		sound(rt, h, method, path, string(body))
	})
}

func sound(t require.TestingT, h http.Handler, method, path, body string) {
	r, err := http.NewRequestWithContext(context.Background(), method, "http://host"+strings.ToValidUTF8(path, "?"), strings.NewReader(body))
	if err != nil {
		return // no request that could be sent
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Mlflow-Experiment-Id", "0")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code >= 500 {
		require.Contains(t, w.Body.String(), NotImplemented, "%s %s %s", method, path, body)
	}
	if w.Header().Get("Content-Type") == "application/json" && w.Body.Len() > 0 {
		_, err := request.Parse(w.Body.Bytes())
		require.NoError(t, err, "%s %s %s\n%s", method, path, body, w.Body)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add("POST", "/api/2.0/mlflow/runs/search", `{"experiment_ids": ["0"], "filter": "metrics.m > 1 AND tags.a LIKE 'x%'", "order_by": ["metrics.m DESC"]}`)
	f.Add("POST", "/api/2.0/mlflow/logged-models/search", `{"experiment_ids": ["0"], "filter": "name = 'x'", "order_by": [{"field_name": "metrics.a"}], "page_token": "e30="}`)
	f.Add("GET", "/api/2.0/mlflow/model-versions/search?filter=name+%3D+'x'&order_by=name", "")
	f.Add("POST", "/api/3.0/mlflow/traces/search", `{"locations": [{"mlflow_experiment": {"experiment_id": "0"}}], "filter": "span.name = 'x' AND feedback.a > 1"}`)
	f.Add("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts/%2e%2e/x", "x")
	f.Add("POST", "/v1/traces", `{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "attributes": [{"key": "mlflow.spanInputs", "value": {"stringValue": "x"}}]}]}]}]}`)
	dir := f.TempDir()
	s := open(f, dir)
	_, err := s.CreateRun(f.Context(), ws, &NewRun{ID: "run"})
	require.NoError(f, err)
	h := s.Handler(ws, HandlerOptions{})
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if strings.HasPrefix(path, "/") {
			sound(t, h, method, path, body)
		}
	})
}

// naive is what a run has, as the search's clauses see it.
func naive(r *Run) valueOf {
	return func(e search.Entity, key string) any {
		switch e {
		case search.Metric:
			if m, ok := r.Metrics[key]; ok {
				return m.Value
			}
		case search.Param:
			if v, ok := r.Params[key]; ok {
				return v
			}
		case search.Tag:
			if v, ok := r.Tags[key]; ok {
				return v
			}
		case search.Attribute:
			switch key {
			case "run_name":
				return r.Name
			case "status":
				return r.Status
			case "start_time":
				return r.Start.UnixMilli()
			case "run_id":
				return r.ID
			}
		}
		return nil
	}
}

// A search finds what looking at every run finds, in the same order, on as many
// pages as it takes.
func TestSearchesFindWhatThereIs(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := t.Context()
	var all []*Run
	experiments := []string{"0"}
	other, err := s.EnsureExperiment(ctx, ws, "other")
	require.NoError(t, err)
	experiments = append(experiments, other)
	for i := range 300 {
		n := &NewRun{ID: fmt.Sprintf("run%03d", i*7919%300), ExperimentID: experiments[i%2], Name: fmt.Sprintf("name %d", i%40), Status: []string{Running, Finished, Failed}[i%3], Start: time.UnixMilli(int64(1000 + i/4)), Tags: map[string]string{"all": "x"}, Params: map[string]string{}}
		if i%3 == 0 {
			n.Tags["some"] = fmt.Sprintf("v%d", i%5)
		}
		if i%4 != 0 {
			n.Params["lr"] = fmt.Sprintf("0.%d", i%6)
		}
		_, err := s.CreateRun(ctx, ws, n)
		require.NoError(t, err)
		var ms []Metric
		if i%5 != 0 {
			ms = append(ms, Metric{Key: "acc", Value: float64(i*31%97) / 10, Timestamp: 1})
		}
		if i%7 == 0 {
			ms = append(ms, Metric{Key: "rare", Value: -float64(i % 9), Timestamp: 1})
		}
		if len(ms) > 0 {
			require.NoError(t, s.LogMetrics(ctx, ws, n.ID, ms))
		}
		r, err := s.Run(ctx, ws, n.ID)
		require.NoError(t, err)
		all = append(all, r)
	}
	h := &api{t, s.Handler(ws, HandlerOptions{})}
	clause := rapid.SampledFrom([]string{"metrics.acc > 5", "metrics.acc <= 0.5", "metrics.acc = 3.1", "metrics.acc != 3.1", "metrics.rare < -3", "metrics.none > 0", "params.lr = '0.1'", "params.lr != '0.1'", "params.lr LIKE '0.%'", "params.lr LIKE '0.3%'", "tags.some = 'v1'", "tags.some LIKE 'v_'", "tags.some IS NULL", "tags.some IS NOT NULL",
		"tags.all = 'x'", "tags.none = 'x'", "status = 'FINISHED'", "status != 'RUNNING'", "run_name = 'name 7'", "run_name LIKE 'name 1%'", "run_name LIKE '%7'", "start_time > 1040", "start_time <= 1010", "run_id = 'run007'", "run_id IN ('run001', 'run002', 'run250')", "run_id LIKE 'run00%'", "run_id NOT IN ('run001')"})
	order := rapid.SampledFrom([]string{"metrics.acc", "metrics.acc DESC", "metrics.rare", "metrics.rare DESC", "metrics.none DESC", "params.lr", "params.lr DESC", "tags.some", "tags.some DESC", "start_time", "start_time DESC", "status", "run_name DESC", "run_id DESC"})
	rapid.Check(t, func(rt *rapid.T) {
		filter := strings.Join(rapid.SliceOfN(clause, 0, 3).Draw(rt, "filter"), " AND ")
		orders := rapid.SliceOfNDistinct(order, 0, 3, func(o string) string { return strings.TrimSuffix(o, " DESC") }).Draw(rt, "orders")
		in := rapid.SampledFrom([][]string{{"0"}, {other}, experiments}).Draw(rt, "experiments")
		limit := rapid.SampledFrom([]int{1, 7, 50, 1000}).Draw(rt, "limit")
		pages := rapid.IntRange(1, 4).Draw(rt, "pages")

		clauses, err := search.Runs(filter)
		require.NoError(rt, err)
		sorts, err := search.RunOrders(orders)
		require.NoError(rt, err)
		if !slices.ContainsFunc(sorts, func(o search.Order) bool { return o.Key == "start_time" }) {
			sorts = append(sorts, search.Order{Entity: search.Attribute, Key: "start_time"})
		}
		sorts = append(sorts, search.Order{Entity: search.Attribute, Key: "run_id", Ascending: true})
		var want []string
		found := slices.DeleteFunc(slices.Clone(all), func(r *Run) bool { return !slices.Contains(in, r.ExperimentID) || !matches(clauses, naive(r)) })
		sortBy(found, sorts, func(r *Run, e search.Entity, key string) any { return naive(r)(e, key) })
		for _, r := range found[:min(len(found), limit*pages)] {
			want = append(want, r.ID)
		}
		var got []string
		token := ""
		for range pages {
			answer := h.ok("POST", "runs/search", object{"experiment_ids": in, "filter": filter, "order_by": orders, "max_results": limit, "page_token": token})
			list, _ := answer["runs"].([]any)
			for _, r := range list {
				got = append(got, r.(object)["info"].(object)["run_id"].(string))
			}
			next, more := answer["next_page_token"].(string)
			if token = next; !more {
				break
			}
		}
		require.Equal(rt, want, got, "%s %v", filter, orders)
	})
}

// What was answered is there after the process was killed.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("AZUREML_TRACKING_VICTIM"); dir != "" {
		victim(t, dir)
		return
	}
	dir := t.TempDir()
	for round := range 3 {
		c := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$", "-test.v")
		c.Env = append(os.Environ(), "AZUREML_TRACKING_VICTIM="+dir, fmt.Sprintf("AZUREML_TRACKING_ROUND=%d", round))
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		lines := bufio.NewScanner(out)
		logged := 0
		for lines.Scan() {
			if _, err := fmt.Sscanf(lines.Text(), "logged %d", &logged); err == nil && logged >= 100*(round+1) {
				break
			}
		}
		require.NoError(t, c.Process.Kill())
		for lines.Scan() { // what was said before the end counts too
			_, _ = fmt.Sscanf(lines.Text(), "logged %d", &logged) // any other line is of no interest
		}
		require.Error(t, c.Wait())
		s, end := openUntil(t, dir)
		n := 0
		for m, err := range s.History(t.Context(), ws, fmt.Sprint("run", round), "m") {
			require.NoError(t, err)
			require.Equal(t, int64(n), m.Step)
			n++
		}
		require.GreaterOrEqual(t, n, logged*10)
		require.Zero(t, n%10, "a batch is there or it is not")
		r, err := s.Run(t.Context(), ws, fmt.Sprint("run", round))
		require.NoError(t, err)
		require.Equal(t, int64(n-1), r.Metrics["m"].Step)
		end()
	}
}

// victim logs batches of ten values and says so, until it is killed.
func victim(t *testing.T, dir string) {
	s := open(t, dir)
	run := "run" + os.Getenv("AZUREML_TRACKING_ROUND")
	_, err := s.CreateRun(t.Context(), ws, &NewRun{ID: run})
	require.NoError(t, err)
	for i := 0; i < 1_000_000; i++ {
		var ms []Metric
		for j := range 10 {
			ms = append(ms, Metric{Key: "m", Value: 1, Timestamp: int64(i*10 + j), Step: int64(i*10 + j)})
		}
		require.NoError(t, s.LogMetrics(t.Context(), ws, run, ms))
		if _, err := io.WriteString(os.Stdout, fmt.Sprintf("logged %d\n", i+1)); err != nil {
			return
		}
	}
}
