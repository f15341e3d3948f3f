package mlflow

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Status of a run.
type Status string

const (
	Running   Status = "RUNNING"
	Scheduled Status = "SCHEDULED"
	Finished  Status = "FINISHED"
	Failed    Status = "FAILED"
	Killed    Status = "KILLED"
)

// Tags that MLflow's clients and its interface know.
const (
	TagParent      = "mlflow.parentRunId"
	TagName        = "mlflow.runName"
	TagDescription = "mlflow.note.content"
	TagUser        = "mlflow.user"
	TagSourceName  = "mlflow.source.name"
	TagSourceType  = "mlflow.source.type"
	TagGitCommit   = "mlflow.source.git.commit"
)

// Run is a run: what it was when it was last read, and the calls on it. Logging does not change what was
// read; Refresh reads again. It is safe for concurrent use, apart from Refresh and Update beside a reader
// of its fields.
type Run struct {
	Info    RunInfo
	Data    RunData
	Inputs  []DatasetInput
	Outputs []ModelOutput

	c *Client

	mu      sync.Mutex
	metrics *Metrics
	monitor *SystemMonitor
}

// RunInfo is what a run is.
type RunInfo struct {
	ID           string
	Name         string
	ExperimentID string
	User         string
	Status       Status
	Start, End   time.Time
	ArtifactURI  string
	Deleted      bool
}

// RunData is what was logged to a run.
type RunData struct {
	Metrics map[string]Metric // the latest of each: greatest step, then time, then value
	Params  map[string]string
	Tags    map[string]string
}

// ModelOutput is a logged model that a run made.
type ModelOutput struct {
	ModelID string `json:"model_id"`
	Step    int64  `json:"step"`
}

type runWire struct {
	Info infoWire `json:"info"`
	Data struct {
		Metrics []Metric `json:"metrics"`
		Params  []pair   `json:"params"`
		Tags    []pair   `json:"tags"`
	} `json:"data"`
	Inputs struct {
		Datasets []inputWire `json:"dataset_inputs"`
	} `json:"inputs"`
	Outputs struct {
		Models []struct {
			ID   string  `json:"model_id"`
			Step integer `json:"step"`
		} `json:"model_outputs"`
	} `json:"outputs"`
}

type infoWire struct {
	ID           string  `json:"run_id"`
	UUID         string  `json:"run_uuid"`
	Name         string  `json:"run_name"`
	ExperimentID string  `json:"experiment_id"`
	User         string  `json:"user_id"`
	Status       Status  `json:"status"`
	Start        integer `json:"start_time"`
	End          integer `json:"end_time"`
	ArtifactURI  string  `json:"artifact_uri"`
	Lifecycle    string  `json:"lifecycle_stage"`
}

func (w *infoWire) info() RunInfo {
	id := w.ID
	if id == "" {
		id = w.UUID
	}
	return RunInfo{
		ID: id, Name: w.Name, ExperimentID: w.ExperimentID, User: w.User, Status: w.Status, Start: w.Start.time(), End: w.End.time(),
		ArtifactURI: w.ArtifactURI, Deleted: w.Lifecycle == "deleted",
	}
}

// fill takes over what was read.
func (r *Run) fill(w *runWire) *Run {
	r.Info = w.Info.info()
	r.Data = RunData{Metrics: make(map[string]Metric, len(w.Data.Metrics)), Params: toMap(w.Data.Params), Tags: toMap(w.Data.Tags)}
	for _, m := range w.Data.Metrics {
		r.Data.Metrics[m.Key] = m
	}
	r.Inputs, r.Outputs = nil, nil
	for i := range w.Inputs.Datasets {
		r.Inputs = append(r.Inputs, w.Inputs.Datasets[i].input())
	}
	for _, m := range w.Outputs.Models {
		r.Outputs = append(r.Outputs, ModelOutput{ModelID: m.ID, Step: int64(m.Step)})
	}
	if r.Info.Name == "" {
		r.Info.Name = r.Data.Tags[TagName]
	}
	return r
}

// Parent is the id of the run that this one is nested in, or "".
func (r *Run) Parent() string { return r.Data.Tags[TagParent] }

// Refresh reads the run again. GET mlflow/runs/get.
func (r *Run) Refresh(ctx context.Context) error {
	read, err := r.c.Runs.Get(ctx, r.Info.ID)
	if err != nil {
		return err
	}
	r.Info, r.Data, r.Inputs, r.Outputs = read.Info, read.Data, read.Inputs, read.Outputs
	return nil
}

// LogMetric logs one value now and waits for the acknowledgement. In a training loop use Metrics, which
// does not wait. POST mlflow/runs/log-metric.
func (r *Run) LogMetric(ctx context.Context, key string, value float64, step int) error {
	m := Metric{Key: key, Value: value, Step: int64(step), Time: r.c.clock.Now()}
	op := fmt.Sprintf("log metric %q to run %q", key, r.Info.ID)
	if err := m.check(); err != nil {
		return fault(op, "%v", err)
	}
	body := append([]byte(`{"run_id":`), appendString(nil, r.Info.ID)...)
	body = append(body, ',')
	body = append(body, m.appendJSON(nil)[1:]...)
	return r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/log-metric", body: body})
}

// LogMetrics logs values of one step together.
func (r *Run) LogMetrics(ctx context.Context, values map[string]float64, step int) error {
	now := r.c.clock.Now()
	b := Batch{}
	for _, key := range sortedKeys(values) {
		b.Metrics = append(b.Metrics, Metric{Key: key, Value: values[key], Step: int64(step), Time: now})
	}
	return r.LogBatch(ctx, b)
}

// LogParam logs a parameter. It can be logged once: another value for the same name is refused.
// POST mlflow/runs/log-parameter.
func (r *Run) LogParam(ctx context.Context, key string, value any) error {
	op := fmt.Sprintf("log parameter %q to run %q", key, r.Info.ID)
	return r.pair(ctx, op, "log-parameter", "parameter", key, text(value), maxParamValue)
}

// LogParams logs parameters together, values as Go prints them.
func (r *Run) LogParams(ctx context.Context, params map[string]any) error {
	b := Batch{Params: make(map[string]string, len(params))}
	for key, value := range params {
		b.Params[key] = text(value)
	}
	return r.LogBatch(ctx, b)
}

// SetTag sets a tag, over what it was before. POST mlflow/runs/set-tag.
func (r *Run) SetTag(ctx context.Context, key, value string) error {
	op := fmt.Sprintf("tag run %q with %q", r.Info.ID, key)
	return r.pair(ctx, op, "set-tag", "tag", key, value, maxTagValue)
}

// SetTags sets tags together.
func (r *Run) SetTags(ctx context.Context, tags map[string]string) error {
	return r.LogBatch(ctx, Batch{Tags: tags})
}

// DeleteTag removes a tag. POST mlflow/runs/delete-tag.
func (r *Run) DeleteTag(ctx context.Context, key string) error {
	op := fmt.Sprintf("untag run %q of %q", r.Info.ID, key)
	return r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/delete-tag", body: map[string]any{"run_id": r.Info.ID, "key": key}})
}

func (r *Run) pair(ctx context.Context, op, path, what, key, value string, limit int) error {
	if err := checkKey(key); err != nil {
		return fault(op, "%v", err)
	}
	value, err := r.c.fit(what, key, value, limit)
	if err != nil {
		return fault(op, "%v", err)
	}
	return r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/" + path, body: map[string]any{"run_id": r.Info.ID, "key": key, "value": value}})
}

// RunUpdate is what Update changes; a zero field stays.
type RunUpdate struct {
	Name   string
	Status Status
	End    time.Time
}

// Update changes a run. POST mlflow/runs/update.
func (r *Run) Update(ctx context.Context, u RunUpdate) error {
	body := map[string]any{"run_id": r.Info.ID, "run_uuid": r.Info.ID}
	if u.Name != "" {
		body["run_name"] = u.Name
	}
	if u.Status != "" {
		body["status"] = u.Status
	}
	if !u.End.IsZero() {
		body["end_time"] = millis(u.End)
	}
	var out struct {
		Info infoWire `json:"run_info"`
	}
	op := fmt.Sprintf("update run %q", r.Info.ID)
	if err := r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/update", body: body, out: &out}); err != nil {
		return err
	}
	if out.Info.ID != "" || out.Info.UUID != "" {
		uri := r.Info.ArtifactURI
		r.Info = out.Info.info()
		if r.Info.ArtifactURI == "" {
			r.Info.ArtifactURI = uri
		}
	}
	return nil
}

// End closes the run's metric logger and system monitor, then sets the status and the time of its end.
// The status of the run of an Azure Machine Learning job is the service's to set, from the job's exit:
// there, End only closes. Its error joins what the logger could not deliver with what the server said.
func (r *Run) End(ctx context.Context, status Status) error {
	r.mu.Lock()
	monitor, metrics := r.monitor, r.metrics
	r.monitor, r.metrics = nil, nil
	r.mu.Unlock()
	var err error
	if monitor != nil {
		monitor.Close()
	}
	if metrics != nil {
		err = metrics.Close(ctx)
	}
	if r.Info.ID == r.c.ownRun {
		return err
	}
	return join(err, r.Update(ctx, RunUpdate{Status: status, End: r.c.clock.Now()}))
}

// Delete hides the run until it is restored. POST mlflow/runs/delete.
func (r *Run) Delete(ctx context.Context) error { return r.c.Runs.Delete(ctx, r.Info.ID) }

// Metrics is the run's metric logger: it never waits for the network. The same one each time, until it is
// closed.
func (r *Run) Metrics() *Metrics {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.metrics == nil || r.metrics.isClosed() {
		r.metrics = newMetrics(r.c, r.Info.ID, MetricsOptions{})
	}
	return r.metrics
}

// MetricsWith makes another metric logger, with options.
func (r *Run) MetricsWith(o MetricsOptions) *Metrics { return newMetrics(r.c, r.Info.ID, o) }
