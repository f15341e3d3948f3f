package emulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

func metricRoutes() []route {
	m := "/metric/v2.0" + pW + "/runs/{run}"
	add := func(path, op string, handle func(*call) error) route {
		return route{plane: planeAPI, method: http.MethodPost, pattern: m + path, kind: "metric", operation: op, body: true, run: true, handle: handle}
	}
	return []route{
		add("/list", "RunMetrics_ListMetric", listMetrics),
		add("/full", "RunMetrics_GetFullFidelityMetric", fullMetric),
		add("/sample", "RunMetrics_GetSampledMetric", fullMetric),
		add("/batch", "RunMetrics_BatchPost", postMetrics),
	}
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// mlflow asks tracking's own API. out takes the answer, a pointer; it may be nil.
func (c *call) mlflow(method, path string, q url.Values, body, out any) error {
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return err
		}
	}
	u := &url.URL{Path: path, RawQuery: q.Encode()}
	r, err := http.NewRequestWithContext(c.ctx(), method, u.String(), bytes.NewReader(b))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	w := &recorder{header: http.Header{}}
	c.s.tracking.Handler(c.sc.Key(), tracking.HandlerOptions{User: callerName, RunLimit: c.caller.run}).ServeHTTP(w, r)
	if w.code != http.StatusOK {
		var e struct {
			ErrorCode string `json:"error_code"`
			Message   string `json:"message"`
		}
		if err := json.Unmarshal(w.body.Bytes(), &e); err != nil {
			e.Message = w.body.String()
		}
		return &arm.Error{Status: w.code, Code: e.ErrorCode, Message: e.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(w.body.Bytes(), out)
}

type experimentAnswer struct{ Experiment oneExperiment }

type oneExperiment struct {
	ExperimentID   string `json:"experiment_id"`
	Name           string
	CreationTime   int64  `json:"creation_time"`
	LastUpdateTime int64  `json:"last_update_time"`
	LifecycleStage string `json:"lifecycle_stage"`
	Tags           []struct{ Key, Value string }
}

// experimentName is an experiment's name by its number.
func (c *call) experimentName(id string) (string, error) {
	var a experimentAnswer
	err := c.mlflow(http.MethodGet, "/api/2.0/mlflow/experiments/get", url.Values{"experiment_id": {id}}, nil, &a)
	return a.Experiment.Name, err
}

// getExperiment answers an experiment by name, by its guid, or by its number. A POST makes the named one.
func getExperiment(c *call) error {
	name := c.v["experiment"]
	if c.r.Method == http.MethodPost {
		if _, err := c.s.tracking.EnsureExperiment(c.ctx(), c.sc.Key(), name); err != nil {
			return err
		}
	}
	a, err := c.experiment(name)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, a.document(c.sc))
}

// experimentByID finds an experiment by its number, or by the guid that run history shows for it.
func (c *call) experimentByID(id string, a *experimentAnswer) error {
	if c.mlflow(http.MethodGet, "/api/2.0/mlflow/experiments/get", url.Values{"experiment_id": {id}}, nil, a) == nil {
		return nil
	}
	all, err := c.allExperiments()
	if err != nil {
		return err
	}
	for _, e := range all {
		if experimentGUID(c.sc, e.Experiment.ExperimentID) == id {
			*a = e
			return nil
		}
	}
	return arm.NotFound("experiment", id)
}

func listMetrics(c *call) error {
	if _, err := c.document(); err != nil {
		return err
	}
	t, err := c.s.tracking.Run(c.ctx(), c.sc.Key(), c.v["run"])
	if err != nil {
		return runError(err, c.v["run"])
	}
	value := []any{}
	for _, k := range slices.Sorted(maps.Keys(t.Metrics)) {
		value = append(value, document{
			"metricKey": map[string]any{"namespace": nil, "name": k, "labels": nil, "columnNames": nil}, "columns": map[string]any{k: "Double"}, "properties": map[string]any{"uxMetricType": "azureml.v1.scalar"},
		})
	}
	return c.reply(http.StatusOK, document{"value": value, "continuationToken": nil, "nextLink": nil})
}

// fullMetric answers a metric's history, a page at a time.
func fullMetric(c *call) error {
	var want struct{ MetricName, ContinuationToken string }
	if err := c.into(&want); err != nil {
		return err
	}
	if want.MetricName == "" {
		return arm.Invalid("metricName", "The field metricName is required.")
	}
	var page struct {
		Metrics []struct {
			Value     json.RawMessage
			Timestamp int64
			Step      int64
		}
		NextPageToken string `json:"next_page_token"`
	}
	q := url.Values{"run_id": {c.v["run"]}, "metric_key": {want.MetricName}, "max_results": {"25000"}}
	if want.ContinuationToken != "" {
		q.Set("page_token", want.ContinuationToken)
	}
	if err := c.mlflow(http.MethodGet, "/api/2.0/mlflow/metrics/get-history", q, nil, &page); err != nil {
		return err
	}
	value := []any{}
	for _, m := range page.Metrics {
		value = append(value, document{"metricId": nil, "createdUtc": timestamp(time.UnixMilli(m.Timestamp)), "step": m.Step, "data": map[string]any{want.MetricName: m.Value}})
	}
	out := document{
		"dataContainerId": "dcid." + c.v["run"], "name": want.MetricName, "columns": map[string]any{want.MetricName: "Double"}, "properties": map[string]any{"uxMetricType": "azureml.v1.scalar"},
		"namespace": nil, "standardSchemaId": nil, "value": value, "continuationToken": nil, "nextLink": nil,
	}
	if page.NextPageToken != "" {
		out["continuationToken"] = page.NextPageToken
	}
	if strings.HasSuffix(c.rt.pattern, "/sample") {
		out["derivedLabelValues"], out["isPartialResult"], out["numValuesLogged"] = map[string]any{}, page.NextPageToken != "", len(value)
	}
	return c.reply(http.StatusOK, out)
}

// postMetrics logs values that are numbers; others are told as faults.
func postMetrics(c *call) error {
	var want struct {
		Values []struct {
			Name  string
			Value []struct {
				CreatedUTC string
				Step       int64
				Data       map[string]json.RawMessage
			}
		}
	}
	if err := c.into(&want); err != nil {
		return err
	}
	type metric struct {
		Key       string          `json:"key"`
		Value     json.RawMessage `json:"value"`
		Timestamp int64           `json:"timestamp"`
		Step      int64           `json:"step"`
	}
	var all []metric
	faults := []any{}
	for _, v := range want.Values {
		for _, p := range v.Value {
			at := c.now
			if t, err := time.Parse(time.RFC3339Nano, p.CreatedUTC); err == nil {
				at = t
			}
			for k, raw := range p.Data {
				if k == v.Name || len(p.Data) == 1 {
					k = v.Name
				} else {
					k = v.Name + "." + k
				}
				var n float64
				if err := json.Unmarshal(raw, &n); err != nil {
					faults = append(faults, document{"metric": document{"name": v.Name}, "errorResponse": arm.Invalid("value", "The value of %s is no number.", k).Body()})
					continue
				}
				all = append(all, metric{k, raw, at.UnixMilli(), p.Step})
			}
		}
	}
	for part := range slices.Chunk(all, 1000) {
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/runs/log-batch", nil, map[string]any{"run_id": c.v["run"], "metrics": part}, nil); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, document{"errors": faults})
}
