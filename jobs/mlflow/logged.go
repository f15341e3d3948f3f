package mlflow

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"time"
)

// LoggedModels are the models of MLflow 3 that runs make, before any is registered. Servers without them
// (MLflow 2, Azure Machine Learning) answer ErrUnsupported.
type LoggedModels struct{ c *Client }

// LoggedModel is a model that a run made.
type LoggedModel struct {
	ID               string
	Name             string
	ExperimentID     string
	RunID            string // the run that made it
	Type             string
	Status           ModelStatus
	StatusMessage    string
	ArtifactURI      string
	Creator          string
	Created, Updated time.Time
	Params, Tags     map[string]string
	Metrics          []Metric
}

// ModelStatus of a logged model.
type ModelStatus string

const (
	ModelPending      ModelStatus = "LOGGED_MODEL_PENDING"
	ModelReady        ModelStatus = "LOGGED_MODEL_READY"
	ModelUploadFailed ModelStatus = "LOGGED_MODEL_UPLOAD_FAILED"
)

type loggedWire struct {
	Info struct {
		ID            string      `json:"model_id"`
		Experiment    string      `json:"experiment_id"`
		Name          string      `json:"name"`
		Created       integer     `json:"creation_timestamp_ms"`
		Updated       integer     `json:"last_updated_timestamp_ms"`
		ArtifactURI   string      `json:"artifact_uri"`
		Status        ModelStatus `json:"status"`
		Creator       string      `json:"creator_id"`
		Type          string      `json:"model_type"`
		Run           string      `json:"source_run_id"`
		StatusMessage string      `json:"status_message"`
		Tags          []pair      `json:"tags"`
	} `json:"info"`
	Data struct {
		Params  []pair   `json:"params"`
		Metrics []Metric `json:"metrics"`
	} `json:"data"`
}

func (w *loggedWire) model() *LoggedModel {
	i := &w.Info
	return &LoggedModel{
		ID: i.ID, Name: i.Name, ExperimentID: i.Experiment, RunID: i.Run, Type: i.Type, Status: i.Status, StatusMessage: i.StatusMessage,
		ArtifactURI: i.ArtifactURI, Creator: i.Creator, Created: i.Created.time(), Updated: i.Updated.time(),
		Params: toMap(w.Data.Params), Tags: toMap(i.Tags), Metrics: w.Data.Metrics,
	}
}

type loggedAnswer struct {
	Model loggedWire `json:"model"`
}

// NewLoggedModel is a logged model to be created.
type NewLoggedModel struct {
	ExperimentID string // defaults to 0
	Name         string // defaults to one that the server makes up
	RunID        string
	Type         string // "classifier" …
	Params, Tags map[string]string
}

// loggedParams is how many parameters go in one request.
const loggedParams = 100

// Create makes a logged model, pending until its files are there and Finalize is called.
// POST mlflow/logged-models.
func (s *LoggedModels) Create(ctx context.Context, n NewLoggedModel) (*LoggedModel, error) {
	op := fmt.Sprintf("create logged model %q", n.Name)
	if n.ExperimentID == "" {
		n.ExperimentID = "0"
	}
	params, err := s.c.pairs("parameter", n.Params, maxParamValue)
	if err != nil {
		return nil, fault(op, "%v", err)
	}
	body := map[string]any{"experiment_id": n.ExperimentID}
	for key, v := range map[string]string{"name": n.Name, "source_run_id": n.RunID, "model_type": n.Type} {
		if v != "" {
			body[key] = v
		}
	}
	first := params[:min(len(params), loggedParams)]
	if len(first) > 0 {
		body["params"] = first
	}
	if len(n.Tags) > 0 {
		body["tags"] = toPairs(n.Tags)
	}
	var out loggedAnswer
	if err := s.c.do(ctx, call{op: op, method: "POST", path: "mlflow/logged-models", body: body, out: &out, creates: true}); err != nil {
		return nil, err
	}
	m := out.Model.model()
	if rest := params[len(first):]; len(rest) > 0 {
		if err := s.params(ctx, m.ID, rest); err != nil {
			return nil, err
		}
		return s.Get(ctx, m.ID)
	}
	return m, nil
}

func (s *LoggedModels) path(id string) string { return "mlflow/logged-models/" + url.PathEscape(id) }

func (s *LoggedModels) params(ctx context.Context, id string, params []pair) error {
	for chunk := range slices.Chunk(params, loggedParams) {
		err := s.c.do(ctx, call{op: fmt.Sprintf("log parameters of model %q", id), method: "POST", path: s.path(id) + "/params", body: map[string]any{"model_id": id, "params": chunk}})
		if err != nil {
			return err
		}
	}
	return nil
}

// LogParams adds parameters. POST mlflow/logged-models/{id}/params.
func (s *LoggedModels) LogParams(ctx context.Context, id string, params map[string]string) error {
	pairs, err := s.c.pairs("parameter", params, maxParamValue)
	if err != nil {
		return fault(fmt.Sprintf("log parameters of model %q", id), "%v", err)
	}
	return s.params(ctx, id, pairs)
}

// Get reads a logged model. GET mlflow/logged-models/{id}.
func (s *LoggedModels) Get(ctx context.Context, id string) (*LoggedModel, error) {
	var out loggedAnswer
	if err := s.c.do(ctx, call{op: fmt.Sprintf("get logged model %q", id), method: "GET", path: s.path(id), out: &out}); err != nil {
		return nil, err
	}
	return out.Model.model(), nil
}

// Finalize says whether the files are there. PATCH mlflow/logged-models/{id}.
func (s *LoggedModels) Finalize(ctx context.Context, id string, status ModelStatus) (*LoggedModel, error) {
	var out loggedAnswer
	err := s.c.do(ctx, call{op: fmt.Sprintf("finalize logged model %q", id), method: "PATCH", path: s.path(id), body: map[string]any{"model_id": id, "status": status}, out: &out})
	if err != nil {
		return nil, err
	}
	return out.Model.model(), nil
}

// Delete removes a logged model. DELETE mlflow/logged-models/{id}.
func (s *LoggedModels) Delete(ctx context.Context, id string) error {
	return s.c.do(ctx, call{op: fmt.Sprintf("delete logged model %q", id), method: "DELETE", path: s.path(id), body: map[string]any{"model_id": id}})
}

// SetTags sets tags. PATCH mlflow/logged-models/{id}/tags.
func (s *LoggedModels) SetTags(ctx context.Context, id string, tags map[string]string) error {
	return s.c.do(ctx, call{op: fmt.Sprintf("tag logged model %q", id), method: "PATCH", path: s.path(id) + "/tags", body: map[string]any{"model_id": id, "tags": toPairs(tags)}})
}

// DeleteTag removes a tag. DELETE mlflow/logged-models/{id}/tags/{key}.
func (s *LoggedModels) DeleteTag(ctx context.Context, id, key string) error {
	return s.c.do(ctx, call{op: fmt.Sprintf("untag logged model %q", id), method: "DELETE", path: s.path(id) + "/tags/" + url.PathEscape(key), body: map[string]any{"model_id": id, "tag_key": key}})
}

// LoggedModelOrder is a key to order logged models by.
type LoggedModelOrder struct {
	Field         string `json:"field_name"` // "metrics.accuracy", "creation_timestamp" …
	Ascending     bool   `json:"ascending"`
	DatasetName   string `json:"dataset_name,omitempty"` // for a metric: measured on this dataset
	DatasetDigest string `json:"dataset_digest,omitempty"`
}

// LoggedModelSearch narrows and orders All.
type LoggedModelSearch struct {
	Filter   string
	Datasets []LoggedModelDataset // which metrics count in Filter
	OrderBy  []LoggedModelOrder
	PageSize int
}

// LoggedModelDataset names a dataset by name, and digest if given.
type LoggedModelDataset struct {
	Name   string `json:"dataset_name"`
	Digest string `json:"dataset_digest,omitempty"`
}

// All lists the logged models of experiments, by id. POST mlflow/logged-models/search.
func (s *LoggedModels) All(ctx context.Context, experiments []string, q *LoggedModelSearch) iter.Seq2[*LoggedModel, error] {
	if q == nil {
		q = &LoggedModelSearch{}
	}
	return pages(ctx, func(ctx context.Context, token string) ([]*LoggedModel, string, error) {
		body := map[string]any{"experiment_ids": experiments}
		if q.Filter != "" {
			body["filter"] = q.Filter
		}
		if len(q.Datasets) > 0 {
			body["datasets"] = q.Datasets
		}
		if len(q.OrderBy) > 0 {
			body["order_by"] = q.OrderBy
		}
		if q.PageSize > 0 {
			body["max_results"] = q.PageSize
		}
		if token != "" {
			body["page_token"] = token
		}
		var out struct {
			Models []loggedWire `json:"models"`
			Next   string       `json:"next_page_token"`
		}
		if err := s.c.do(ctx, call{op: "search logged models", method: "POST", path: "mlflow/logged-models/search", body: body, out: &out}); err != nil {
			return nil, "", err
		}
		list := make([]*LoggedModel, len(out.Models))
		for i := range out.Models {
			list[i] = out.Models[i].model()
		}
		return list, out.Next, nil
	})
}

// Artifacts are the files of a logged model.
func (s *LoggedModels) Artifacts(id string) *Artifacts { return s.c.Artifacts("models:/" + id) }

// LogOutputs notes that the run made logged models. POST mlflow/runs/outputs.
func (r *Run) LogOutputs(ctx context.Context, models ...ModelOutput) error {
	op := fmt.Sprintf("log outputs of run %q", r.Info.ID)
	return r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/outputs", body: map[string]any{"run_id": r.Info.ID, "models": models}})
}
