package mlflow

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"time"
)

// Experiment is a group of runs.
type Experiment struct {
	ID               string
	Name             string
	ArtifactLocation string
	Deleted          bool
	Created, Updated time.Time
	Tags             map[string]string
}

type experimentWire struct {
	ID        string  `json:"experiment_id"`
	Name      string  `json:"name"`
	Location  string  `json:"artifact_location"`
	Lifecycle string  `json:"lifecycle_stage"`
	Created   integer `json:"creation_time"`
	Updated   integer `json:"last_update_time"`
	Tags      []pair  `json:"tags"`
}

func (w *experimentWire) experiment() *Experiment {
	return &Experiment{
		ID: w.ID, Name: w.Name, ArtifactLocation: w.Location, Deleted: w.Lifecycle == "deleted",
		Created: w.Created.time(), Updated: w.Updated.time(), Tags: toMap(w.Tags),
	}
}

// Experiments are the groups of runs of a tracking server.
type Experiments struct{ c *Client }

// ExperimentOptions of Create.
type ExperimentOptions struct {
	ArtifactLocation string // defaults to the server's
	Tags             map[string]string
}

// Create makes an experiment and gives its id; ErrExists when the name is taken, by a deleted one too.
// POST mlflow/experiments/create.
func (s *Experiments) Create(ctx context.Context, name string, o *ExperimentOptions) (string, error) {
	op := fmt.Sprintf("create experiment %q", name)
	if name == "" {
		return "", fault(op, "the name is empty")
	}
	body := map[string]any{"name": name}
	if o != nil {
		if o.ArtifactLocation != "" {
			body["artifact_location"] = o.ArtifactLocation
		}
		if len(o.Tags) > 0 {
			body["tags"] = toPairs(o.Tags)
		}
	}
	var out struct {
		ID string `json:"experiment_id"`
	}
	err := s.c.do(ctx, call{op: op, method: "POST", path: "mlflow/experiments/create", body: body, out: &out, creates: true})
	return out.ID, err
}

// Ensure gives the id of the experiment with a name, and makes it when there is none.
func (s *Experiments) Ensure(ctx context.Context, name string) (string, error) {
	e, err := s.ByName(ctx, name)
	if err == nil {
		if e.Deleted {
			return "", fault(fmt.Sprintf("experiment %q", name), "it is deleted; restore it, or take another name")
		}
		return e.ID, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return "", err
	}
	id, err := s.Create(ctx, name, nil)
	if errors.Is(err, ErrExists) || errors.Is(err, ErrOutcomeUnknown) { // somebody else, or the lost answer
		if e, err := s.ByName(ctx, name); err == nil {
			return e.ID, nil
		}
	}
	return id, err
}

// Get reads an experiment by id. GET mlflow/experiments/get.
func (s *Experiments) Get(ctx context.Context, id string) (*Experiment, error) {
	return s.get(ctx, fmt.Sprintf("get experiment %q", id), "get", "experiment_id", id)
}

// ByName reads an experiment by name, a deleted one too. GET mlflow/experiments/get-by-name.
func (s *Experiments) ByName(ctx context.Context, name string) (*Experiment, error) {
	return s.get(ctx, fmt.Sprintf("get experiment %q", name), "get-by-name", "experiment_name", name)
}

func (s *Experiments) get(ctx context.Context, op, path, key, value string) (*Experiment, error) {
	var out struct {
		Experiment experimentWire `json:"experiment"`
	}
	err := s.c.do(ctx, call{op: op, method: "GET", path: "mlflow/experiments/" + path, query: url.Values{key: {value}}, out: &out})
	if err != nil {
		return nil, err
	}
	return out.Experiment.experiment(), nil
}

// All lists experiments. POST mlflow/experiments/search.
func (s *Experiments) All(ctx context.Context, q *Search) iter.Seq2[*Experiment, error] {
	if q == nil {
		q = &Search{}
	}
	return pages(ctx, func(ctx context.Context, token string) ([]*Experiment, string, error) {
		body := map[string]any{"max_results": 1000}
		q.fill(body)
		if q.View != "" {
			body["view_type"] = q.View
		}
		if token != "" {
			body["page_token"] = token
		}
		var out struct {
			Experiments []experimentWire `json:"experiments"`
			Next        string           `json:"next_page_token"`
		}
		if err := s.c.do(ctx, call{op: "search experiments", method: "POST", path: "mlflow/experiments/search", body: body, out: &out}); err != nil {
			return nil, "", err
		}
		list := make([]*Experiment, len(out.Experiments))
		for i := range out.Experiments {
			list[i] = out.Experiments[i].experiment()
		}
		return list, out.Next, nil
	})
}

// Rename gives an experiment another name. POST mlflow/experiments/update.
func (s *Experiments) Rename(ctx context.Context, id, name string) error {
	return s.post(ctx, fmt.Sprintf("rename experiment %q", id), "update", map[string]any{"experiment_id": id, "new_name": name})
}

// Delete hides an experiment and its runs until it is restored. POST mlflow/experiments/delete.
func (s *Experiments) Delete(ctx context.Context, id string) error {
	return s.post(ctx, fmt.Sprintf("delete experiment %q", id), "delete", map[string]any{"experiment_id": id})
}

// Restore undoes Delete. POST mlflow/experiments/restore.
func (s *Experiments) Restore(ctx context.Context, id string) error {
	return s.post(ctx, fmt.Sprintf("restore experiment %q", id), "restore", map[string]any{"experiment_id": id})
}

// SetTag sets a tag. POST mlflow/experiments/set-experiment-tag.
func (s *Experiments) SetTag(ctx context.Context, id, key, value string) error {
	return s.post(ctx, fmt.Sprintf("tag experiment %q", id), "set-experiment-tag", map[string]any{"experiment_id": id, "key": key, "value": value})
}

// DeleteTag removes a tag; servers before MLflow 3 have no such call (ErrUnsupported).
// POST mlflow/experiments/delete-experiment-tag.
func (s *Experiments) DeleteTag(ctx context.Context, id, key string) error {
	return s.post(ctx, fmt.Sprintf("untag experiment %q", id), "delete-experiment-tag", map[string]any{"experiment_id": id, "key": key})
}

func (s *Experiments) post(ctx context.Context, op, path string, body any) error {
	return s.c.do(ctx, call{op: op, method: "POST", path: "mlflow/experiments/" + path, body: body})
}
