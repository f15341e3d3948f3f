package mlflow

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"time"
)

// Versions are the versions of registered models.
type Versions struct{ c *Client }

// ModelVersion is one version of a registered model.
type ModelVersion struct {
	Name, Version    string
	Stage            string // None, Staging, Production, Archived; aliases have taken their place
	Description      string
	User             string
	Source           string // where its files are
	RunID            string
	ModelID          string // the logged model that it was made of
	Status           string // PENDING_REGISTRATION, FAILED_REGISTRATION, READY
	StatusMessage    string
	Created, Updated time.Time
	Tags             map[string]string
	Aliases          []string
	RunLink          string
}

type versionWire struct {
	Name          string   `json:"name"`
	Version       word     `json:"version"`
	Stage         string   `json:"current_stage"`
	Description   string   `json:"description"`
	User          string   `json:"user_id"`
	Source        string   `json:"source"`
	RunID         string   `json:"run_id"`
	ModelID       string   `json:"model_id"`
	Status        string   `json:"status"`
	StatusMessage string   `json:"status_message"`
	Created       integer  `json:"creation_timestamp"`
	Updated       integer  `json:"last_updated_timestamp"`
	Tags          []pair   `json:"tags"`
	Aliases       []string `json:"aliases"`
	RunLink       string   `json:"run_link"`
}

func (w *versionWire) version() *ModelVersion {
	v := &ModelVersion{
		Name: w.Name, Version: string(w.Version), Stage: w.Stage, Description: w.Description, User: w.User, Source: w.Source,
		RunID: w.RunID, ModelID: w.ModelID, Status: w.Status, StatusMessage: w.StatusMessage,
		Created: w.Created.time(), Updated: w.Updated.time(), Tags: toMap(w.Tags), Aliases: w.Aliases, RunLink: w.RunLink,
	}
	if v.ModelID == "" { // MLflow's own server says it in the source only
		if u, err := ParseModelURI(v.Source); err == nil {
			v.ModelID = u.ModelID
		}
	}
	return v
}

type versionAnswer struct {
	Version versionWire `json:"model_version"`
}

// NewVersion is a version to be created.
type NewVersion struct {
	// Source is where the files are: runs:/RUN/PATH, models:/MODEL-ID, models:/NAME/VERSION, an artifact
	// URI, or, on Azure Machine Learning, a local folder with an MLmodel file, which is uploaded.
	Source      string
	RunID       string // filled in from a runs:/ source
	ModelID     string // filled in from a models:/MODEL-ID source
	RunLink     string
	Description string
	Tags        map[string]string
	// Wait is how long to wait for the registration to end. Defaults to 5 minutes; negative for not at all.
	Wait time.Duration
}

// Create makes the next version of a registered model, waits until it is ready, and gives it.
// POST mlflow/model-versions/create.
func (s *Versions) Create(ctx context.Context, name string, n NewVersion) (*ModelVersion, error) {
	op := fmt.Sprintf("create version of model %q", name)
	if err := checkModel(op, name); err != nil {
		return nil, err
	}
	if n.Source == "" {
		return nil, fault(op, "no source is given")
	}
	if err := s.c.resolveSource(ctx, &n); err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, err)
	}
	body := map[string]any{"name": name, "source": n.Source}
	for key, v := range map[string]string{"run_id": n.RunID, "run_link": n.RunLink, "description": n.Description, "model_id": n.ModelID} {
		if v != "" {
			body[key] = v
		}
	}
	if len(n.Tags) > 0 {
		body["tags"] = toPairs(n.Tags)
	}
	var out versionAnswer
	if err := s.do(ctx, op, "POST", "create", body, &out, true); err != nil {
		return nil, err
	}
	return s.await(ctx, op, out.Version.version(), n.Wait)
}

// await polls while the registration is pending, as MLflow's client does.
func (s *Versions) await(ctx context.Context, op string, v *ModelVersion, wait time.Duration) (*ModelVersion, error) {
	if wait == 0 {
		wait = 5 * time.Minute
	}
	deadline := s.c.clock.Now().Add(wait)
	for v.Status == "PENDING_REGISTRATION" && wait > 0 {
		if s.c.clock.Now().After(deadline) {
			return v, fault(op, "version %s is still pending after %v", v.Version, wait)
		}
		if err := s.c.clock.Sleep(ctx, 3*time.Second); err != nil {
			return v, fmt.Errorf("mlflow: %s: %w", op, err)
		}
		next, err := s.Get(ctx, v.Name, v.Version)
		if err != nil {
			return v, err
		}
		v = next
	}
	if v.Status == "FAILED_REGISTRATION" {
		return v, fmt.Errorf("mlflow: %s: version %s failed: %s", op, v.Version, v.StatusMessage)
	}
	return v, nil
}

func (s *Versions) do(ctx context.Context, op, method, path string, body, out any, creates bool) error {
	return s.c.do(ctx, call{op: op, method: method, path: "mlflow/model-versions/" + path, body: body, out: out, models: true, creates: creates})
}

// Get reads a version. GET mlflow/model-versions/get.
func (s *Versions) Get(ctx context.Context, name, version string) (*ModelVersion, error) {
	var out versionAnswer
	err := s.c.do(ctx, call{op: fmt.Sprintf("get version %s of model %q", version, name), method: "GET", path: "mlflow/model-versions/get", query: url.Values{"name": {name}, "version": {version}}, out: &out, models: true})
	if err != nil {
		return nil, err
	}
	return out.Version.version(), nil
}

// All lists versions; `name = 'iris'` is the usual filter. GET mlflow/model-versions/search.
func (s *Versions) All(ctx context.Context, q *Search) iter.Seq2[*ModelVersion, error] {
	return pages(ctx, func(ctx context.Context, token string) ([]*ModelVersion, string, error) {
		var out struct {
			Versions []versionWire `json:"model_versions"`
			Next     string        `json:"next_page_token"`
		}
		err := s.c.do(ctx, call{op: "search model versions", method: "GET", path: "mlflow/model-versions/search", query: q.values(token), out: &out, models: true})
		if err != nil {
			return nil, "", err
		}
		list := make([]*ModelVersion, len(out.Versions))
		for i := range out.Versions {
			list[i] = out.Versions[i].version()
		}
		return list, out.Next, nil
	})
}

// Describe sets the description. PATCH mlflow/model-versions/update.
func (s *Versions) Describe(ctx context.Context, name, version, description string) error {
	return s.do(ctx, fmt.Sprintf("describe version %s of model %q", version, name), "PATCH", "update", map[string]any{"name": name, "version": version, "description": description}, nil, false)
}

// Transition moves a version to a stage (None, Staging, Production, Archived); archive moves those that
// were there to Archived. POST mlflow/model-versions/transition-stage.
func (s *Versions) Transition(ctx context.Context, name, version, stage string, archive bool) (*ModelVersion, error) {
	var out versionAnswer
	op := fmt.Sprintf("move version %s of model %q to %s", version, name, stage)
	body := map[string]any{"name": name, "version": version, "stage": stage, "archive_existing_versions": archive}
	if err := s.do(ctx, op, "POST", "transition-stage", body, &out, false); err != nil {
		return nil, err
	}
	return out.Version.version(), nil
}

// Delete removes a version. DELETE mlflow/model-versions/delete.
func (s *Versions) Delete(ctx context.Context, name, version string) error {
	return s.do(ctx, fmt.Sprintf("delete version %s of model %q", version, name), "DELETE", "delete", map[string]any{"name": name, "version": version}, nil, false)
}

// SetTag sets a tag. POST mlflow/model-versions/set-tag.
func (s *Versions) SetTag(ctx context.Context, name, version, key, value string) error {
	return s.do(ctx, fmt.Sprintf("tag version %s of model %q", version, name), "POST", "set-tag", map[string]any{"name": name, "version": version, "key": key, "value": value}, nil, false)
}

// DeleteTag removes a tag. DELETE mlflow/model-versions/delete-tag.
func (s *Versions) DeleteTag(ctx context.Context, name, version, key string) error {
	return s.do(ctx, fmt.Sprintf("untag version %s of model %q", version, name), "DELETE", "delete-tag", map[string]any{"name": name, "version": version, "key": key}, nil, false)
}

// DownloadURI is where the files of a version are. GET mlflow/model-versions/get-download-uri.
func (s *Versions) DownloadURI(ctx context.Context, name, version string) (string, error) {
	var out struct {
		URI string `json:"artifact_uri"`
	}
	err := s.c.do(ctx, call{op: fmt.Sprintf("find version %s of model %q", version, name), method: "GET", path: "mlflow/model-versions/get-download-uri", query: url.Values{"name": {name}, "version": {version}}, out: &out, models: true})
	return out.URI, err
}
