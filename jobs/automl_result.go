package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// BestTrial is one of the models that AutoML or a sweep has tried.
type BestTrial struct {
	// Run is the trial's own run, a child of the job.
	Run *Run
	// Metrics are the last values of what it logged, Parameters what it was tried with.
	Metrics    map[string]float64
	Parameters map[string]string
	// Model is the folder of its model in MLflow's form: "azureml://jobs/…/outputs/artifacts/paths/outputs/mlflow-model/". It
	// can be registered as it is, as a model's Path. "" when the trial has logged none.
	Model string
}

// tagBestChild is where AutoML says which trial is the best.
const tagBestChild = "automl_best_child_run_id"

// Best gives the best trial of an AutoML job or a sweep (Runs_GetDetails, RunData_Get, MLflow's runs/get, Artifacts_List). The
// error is azureml.ErrNotFound as long as none is known.
func (c *Client) Best(ctx context.Context, name string) (*BestTrial, error) {
	op := fmt.Sprintf("jobs: best trial of %q", name)
	h, err := c.details(ctx, op, name)
	if err != nil {
		return nil, err
	}
	best := ""
	for _, id := range []string{h.Tags[tagBestChild], h.Properties[tagBestChild], h.Properties[propBestChild], h.Tags[propBestChild]} {
		if best == "" {
			best = id
		}
	}
	if best == "" {
		return nil, fmt.Errorf("%s: it is %s and names no best trial: %w", op, h.Status.known(), azureml.ErrNotFound)
	}
	child, err := c.runData(ctx, op, best)
	if err != nil {
		return nil, err
	}
	t := &BestTrial{Run: &Run{ID: c.id("jobs", best), Name: best}}
	t.Run.add(child)
	if t.Run.Experiment == "" { // a trial belongs to the experiment of its job
		parent, err := c.get(ctx, op, name)
		if err != nil {
			return nil, err
		}
		t.Run.Experiment = parent.Experiment
		if root := t.Run.Root; t.Run.Experiment == "" && root != "" && root != name { // the job is a step, which only run history knows
			outermost, err := c.get(ctx, op, root)
			if err != nil {
				return nil, err
			}
			t.Run.Experiment = outermost.Experiment
		}
	}
	if err := c.logged(ctx, op, t); err != nil {
		return nil, err
	}
	return t, c.modelOf(ctx, op, t)
}

// loggedRun is a run as MLflow tells it.
type loggedRun struct {
	Run struct {
		Data struct {
			Metrics []struct {
				Key   string      `json:"key"`
				Value loggedValue `json:"value"`
			} `json:"metrics"`
			Params []struct {
				Key   string `json:"key"`
				Value string `json:"value"`
			} `json:"params"`
		} `json:"data"`
	} `json:"run"`
}

// loggedValue is a metric's value; what JSON has no number for is written as text.
type loggedValue float64

func (v *loggedValue) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	*v = loggedValue(f)
	return err
}

// logged reads what a trial has logged.
func (c *Client) logged(ctx context.Context, op string, t *BestTrial) error {
	var doc loggedRun
	err := c.rest.Do(ctx, &rest.Call{
		Op: op, Plane: rest.API, Group: "mlflow", Method: http.MethodGet, Path: rest.Join("/mlflow/v1.0"+c.rest.Path(), "api", "2.0", "mlflow", "runs", "get"),
		Query: url.Values{"run_id": {t.Run.Name}}, Out: &doc,
	})
	if err != nil {
		return err
	}
	t.Metrics, t.Parameters = map[string]float64{}, map[string]string{}
	for _, m := range doc.Run.Data.Metrics {
		t.Metrics[m.Key] = float64(m.Value)
	}
	for _, p := range doc.Run.Data.Params {
		t.Parameters[p.Key] = p.Value
	}
	return nil
}

// modelOf looks for a model among a trial's files: where AutoML puts it first.
func (c *Client) modelOf(ctx context.Context, op string, t *BestTrial) error {
	call := &rest.Call{
		Op: op, Plane: rest.API, Group: "runHistory", Path: c.history("experiments", t.Run.Experiment, "runs", t.Run.Name, "artifacts"),
		Query: url.Values{}, Continue: "continuationToken",
	}
	folder := ""
	for p, err := range rest.All(ctx, c.rest, call, func(raw json.RawMessage) (string, error) {
		var a struct {
			Path string `json:"path"`
		}
		err := json.Unmarshal(raw, &a)
		return a.Path, err
	}) {
		if err != nil {
			return err
		}
		if dir, file := path.Split(p); file == "MLmodel" && dir != "" && (folder == "" || strings.HasSuffix(dir, "mlflow-model/")) {
			folder = dir
		}
	}
	if folder != "" {
		t.Model = "azureml://jobs/" + t.Run.Name + "/outputs/artifacts/paths/" + folder
	}
	return nil
}
