package mlflow

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Models are the registered models of the registry.
type Models struct{ c *Client }

// RegisteredModel is a name in the registry, under which versions are.
type RegisteredModel struct {
	Name             string
	Description      string
	User             string
	Created, Updated time.Time
	Tags             map[string]string
	Aliases          map[string]string // alias to version
	Latest           []*ModelVersion   // the newest of each stage
}

type modelWire struct {
	Name        string        `json:"name"`
	Description string        `json:"description"`
	User        string        `json:"user_id"`
	Created     integer       `json:"creation_timestamp"`
	Updated     integer       `json:"last_updated_timestamp"`
	Tags        []pair        `json:"tags"`
	Latest      []versionWire `json:"latest_versions"`
	Aliases     []struct {
		Alias   string `json:"alias"`
		Version word   `json:"version"`
	} `json:"aliases"`
}

// word reads a string that servers may write as a number.
type word string

func (w *word) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) > 0 && b[0] != '"' {
		*w = word(b)
		return nil
	}
	s, err := strconv.Unquote(string(b))
	*w = word(s)
	return err
}

func (w *modelWire) model() *RegisteredModel {
	m := &RegisteredModel{
		Name: w.Name, Description: w.Description, User: w.User, Created: w.Created.time(), Updated: w.Updated.time(),
		Tags: toMap(w.Tags), Aliases: map[string]string{},
	}
	for _, a := range w.Aliases {
		m.Aliases[a.Alias] = string(a.Version)
	}
	for i := range w.Latest {
		m.Latest = append(m.Latest, w.Latest[i].version())
	}
	return m
}

type modelAnswer struct {
	Model modelWire `json:"registered_model"`
}

// ModelOptions of Create.
type ModelOptions struct {
	Description string
	Tags        map[string]string
}

// checkModel holds a name to MLflow's rule.
func checkModel(op, name string) error {
	if strings.TrimSpace(name) == "" {
		return fault(op, "the model's name is empty")
	}
	if strings.ContainsAny(name, "/:") {
		return fault(op, "the model's name holds / or :")
	}
	return nil
}

// Create registers a name; ErrExists when it is taken. POST mlflow/registered-models/create.
func (s *Models) Create(ctx context.Context, name string, o *ModelOptions) (*RegisteredModel, error) {
	op := fmt.Sprintf("create model %q", name)
	if err := checkModel(op, name); err != nil {
		return nil, err
	}
	body := map[string]any{"name": name}
	if o != nil {
		if o.Description != "" {
			body["description"] = o.Description
		}
		if len(o.Tags) > 0 {
			body["tags"] = toPairs(o.Tags)
		}
	}
	var out modelAnswer
	if err := s.do(ctx, op, "POST", "create", body, &out, true); err != nil {
		return nil, err
	}
	return out.Model.model(), nil
}

// Ensure registers a name unless it is taken.
func (s *Models) Ensure(ctx context.Context, name string) error {
	_, err := s.Create(ctx, name, nil)
	if errors.Is(err, ErrExists) {
		return nil
	}
	if errors.Is(err, ErrOutcomeUnknown) {
		if _, again := s.Get(ctx, name); again == nil {
			return nil
		}
	}
	return err
}

func (s *Models) do(ctx context.Context, op, method, path string, body, out any, creates bool) error {
	return s.c.do(ctx, call{op: op, method: method, path: "mlflow/registered-models/" + path, body: body, out: out, models: true, creates: creates})
}

// Get reads a registered model. GET mlflow/registered-models/get.
func (s *Models) Get(ctx context.Context, name string) (*RegisteredModel, error) {
	op := fmt.Sprintf("get model %q", name)
	if err := checkModel(op, name); err != nil {
		return nil, err
	}
	var out modelAnswer
	err := s.c.do(ctx, call{op: op, method: "GET", path: "mlflow/registered-models/get", query: url.Values{"name": {name}}, out: &out, models: true})
	if err != nil {
		return nil, err
	}
	return out.Model.model(), nil
}

// All lists registered models. GET mlflow/registered-models/search.
func (s *Models) All(ctx context.Context, q *Search) iter.Seq2[*RegisteredModel, error] {
	return pages(ctx, func(ctx context.Context, token string) ([]*RegisteredModel, string, error) {
		var out struct {
			Models []modelWire `json:"registered_models"`
			Next   string      `json:"next_page_token"`
		}
		err := s.c.do(ctx, call{op: "search models", method: "GET", path: "mlflow/registered-models/search", query: q.values(token), out: &out, models: true})
		if err != nil {
			return nil, "", err
		}
		list := make([]*RegisteredModel, len(out.Models))
		for i := range out.Models {
			list[i] = out.Models[i].model()
		}
		return list, out.Next, nil
	})
}

func (s *Search) values(token string) url.Values {
	v := url.Values{}
	if s != nil {
		if s.Filter != "" {
			v.Set("filter", s.Filter)
		}
		if len(s.OrderBy) > 0 {
			v["order_by"] = s.OrderBy
		}
		if s.PageSize > 0 {
			v.Set("max_results", strconv.Itoa(s.PageSize))
		}
	}
	if token != "" {
		v.Set("page_token", token)
	}
	return v
}

// Rename gives a registered model another name. Azure Machine Learning does not.
// POST mlflow/registered-models/rename.
func (s *Models) Rename(ctx context.Context, name, to string) error {
	op := fmt.Sprintf("rename model %q", name)
	if err := checkModel(op, to); err != nil {
		return err
	}
	return s.do(ctx, op, "POST", "rename", map[string]any{"name": name, "new_name": to}, nil, true)
}

// Describe sets the description. PATCH mlflow/registered-models/update.
func (s *Models) Describe(ctx context.Context, name, description string) error {
	return s.do(ctx, fmt.Sprintf("describe model %q", name), "PATCH", "update", map[string]any{"name": name, "description": description}, nil, false)
}

// Delete removes a registered model with its versions; Azure Machine Learning wants the versions gone
// before. DELETE mlflow/registered-models/delete.
func (s *Models) Delete(ctx context.Context, name string) error {
	return s.do(ctx, fmt.Sprintf("delete model %q", name), "DELETE", "delete", map[string]any{"name": name}, nil, false)
}

// SetTag sets a tag. POST mlflow/registered-models/set-tag.
func (s *Models) SetTag(ctx context.Context, name, key, value string) error {
	return s.do(ctx, fmt.Sprintf("tag model %q", name), "POST", "set-tag", map[string]any{"name": name, "key": key, "value": value}, nil, false)
}

// DeleteTag removes a tag. DELETE mlflow/registered-models/delete-tag.
func (s *Models) DeleteTag(ctx context.Context, name, key string) error {
	return s.do(ctx, fmt.Sprintf("untag model %q", name), "DELETE", "delete-tag", map[string]any{"name": name, "key": key}, nil, false)
}

// SetAlias points an alias to a version, away from the one it pointed to.
// POST mlflow/registered-models/alias.
func (s *Models) SetAlias(ctx context.Context, name, alias, version string) error {
	return s.do(ctx, fmt.Sprintf("set alias %q of model %q", alias, name), "POST", "alias", map[string]any{"name": name, "alias": alias, "version": version}, nil, false)
}

// DeleteAlias removes an alias. DELETE mlflow/registered-models/alias.
func (s *Models) DeleteAlias(ctx context.Context, name, alias string) error {
	return s.do(ctx, fmt.Sprintf("delete alias %q of model %q", alias, name), "DELETE", "alias", map[string]any{"name": name, "alias": alias}, nil, false)
}

// ByAlias reads the version that an alias points to. GET mlflow/registered-models/alias.
func (s *Models) ByAlias(ctx context.Context, name, alias string) (*ModelVersion, error) {
	var out versionAnswer
	err := s.c.do(ctx, call{op: fmt.Sprintf("get model %q by alias %q", name, alias), method: "GET", path: "mlflow/registered-models/alias", query: url.Values{"name": {name}, "alias": {alias}}, out: &out, models: true})
	if err != nil {
		return nil, err
	}
	return out.Version.version(), nil
}

// Latest reads the newest version of each stage, or of the stages that are named.
// POST mlflow/registered-models/get-latest-versions, GET on older servers.
func (s *Models) Latest(ctx context.Context, name string, stages ...string) ([]*ModelVersion, error) {
	op := fmt.Sprintf("get latest versions of model %q", name)
	var out struct {
		Versions []versionWire `json:"model_versions"`
	}
	body := map[string]any{"name": name}
	if len(stages) > 0 {
		body["stages"] = stages
	}
	err := s.do(ctx, op, "POST", "get-latest-versions", body, &out, false)
	if errors.Is(err, ErrUnsupported) {
		err = s.c.do(ctx, call{op: op, method: "GET", path: "mlflow/registered-models/get-latest-versions", query: url.Values{"name": {name}, "stages": stages}, out: &out, models: true})
	}
	if err != nil {
		return nil, err
	}
	list := make([]*ModelVersion, len(out.Versions))
	for i := range out.Versions {
		list[i] = out.Versions[i].version()
	}
	return list, nil
}
