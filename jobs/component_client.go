package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// ComponentClient registers and finds the components of a workspace. It is safe for use by many goroutines.
type ComponentClient struct {
	jobs *Client
	rest *rest.Client
}

// NewComponentClient makes the client on the workspace's shared one.
func NewComponentClient(c *rest.Client) *ComponentClient {
	return &ComponentClient{jobs: NewClient(c), rest: c}
}

// ComponentOptions are the choices of Create.
type ComponentOptions struct {
	// SkipUnchanged gives the version that is there already when it says the same as the new one would.
	SkipUnchanged bool
	// Progress is told how far uploads are.
	Progress func(assets.Progress)
	// Concurrency is how many requests of an upload are in flight. Defaults to 64.
	Concurrency int
}

func (c *ComponentClient) call(op, method string, segments ...string) *rest.Call {
	return &rest.Call{Op: op, Method: method, Group: "components", Path: c.rest.Path(append([]string{"components"}, segments...)...)}
}

func componentOp(verb, name, version string) string {
	if version != "" {
		name += ":" + version
	}
	return fmt.Sprintf("components: %s %q", verb, name)
}

// Create registers a component (ComponentVersions_CreateOrUpdate), after uploading its code. Without a version it is the
// next one; without a name it is anonymous. All that is wrong with it is reported at once, before anything is uploaded.
// The component given is not changed.
func (c *ComponentClient) Create(ctx context.Context, component Component, o *ComponentOptions) (made Component, err error) {
	if o == nil {
		o = &ComponentOptions{}
	}
	r, op, err := c.checked(ctx, "create", component, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return r.registerComponent(ctx, op, component, o.SkipUnchanged)
}

// Validate reports what Create would refuse, without uploading or registering anything: it looks up what the component
// names (ComponentVersions_Get and the like) and sends no change.
func (c *ComponentClient) Validate(ctx context.Context, component Component, o *ComponentOptions) error {
	if o == nil {
		o = &ComponentOptions{}
	}
	r, _, err := c.checked(ctx, "validate", component, o)
	if err != nil {
		return err
	}
	return r.close()
}

// checked reports what is wrong with a component, or gives the resolver to go on with.
func (c *ComponentClient) checked(ctx context.Context, verb string, component Component, o *ComponentOptions) (*resolver, string, error) {
	if absent(component) {
		return nil, "", fmt.Errorf("components: %s: the component is nil", verb)
	}
	k := component.common()
	op := componentOp(verb, *k.name, *k.version)
	r := newResolver(c.jobs, op, &SubmitOptions{Progress: o.Progress, Concurrency: o.Concurrency})
	check := &checker{ctx: ctx, r: r}
	component.check(ctx, check)
	if err := check.faults.Err(); err != nil {
		return nil, "", errors.Join(fmt.Errorf("%s: %w", op, err), r.close())
	}
	return r, op, nil
}

// registerComponent resolves a copy of a component and registers it.
func (r *resolver) registerComponent(ctx context.Context, op string, c Component, skipUnchanged bool) (Component, error) {
	defer r.plan.enter("component.")()
	c = c.cloneComponent()
	if err := c.resolve(ctx, r); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	body, name, version, err := componentBody(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if c.common().nameless() {
		if there := r.made[version]; there != nil {
			return there, nil
		}
	}
	if version == "" {
		var there Component
		if version, there, err = r.nextComponent(ctx, op, name, body, skipUnchanged); err != nil || there != nil {
			return there, err
		}
	}
	if r.plan != nil {
		return r.planComponent(ctx, c, name, version, body)
	}
	var raw json.RawMessage
	call := &rest.Call{Op: op, Method: http.MethodPut, Group: "components", Path: r.c.rest.Path("components", name, "versions", version), Body: body, Out: &raw}
	if err := r.c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	made, err := decodeComponent(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: decoding the answer: %w", op, err)
	}
	if c.common().nameless() && r.made != nil {
		r.made[version] = made
	}
	return made, nil
}

// nextComponent is the version that comes next, or the component that is there already and says the same.
func (r *resolver) nextComponent(ctx context.Context, op, name string, body map[string]any, skipUnchanged bool) (string, Component, error) {
	var shelf struct {
		Properties struct {
			LatestVersion string `json:"latestVersion"`
			NextVersion   string `json:"nextVersion"`
		} `json:"properties"`
	}
	err := r.c.rest.Do(ctx, &rest.Call{Op: op, Group: "components", Path: r.c.rest.Path("components", name), Out: &shelf})
	if isStatus(err, http.StatusNotFound) {
		return "1", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	if latest := shelf.Properties.LatestVersion; skipUnchanged && latest != "" {
		var raw json.RawMessage
		if err := r.c.rest.Do(ctx, &rest.Call{Op: op, Group: "components", Path: r.c.rest.Path("components", name, "versions", latest), Out: &raw}); err != nil {
			return "", nil, err
		}
		var doc struct {
			Properties struct {
				Properties looseMap `json:"properties"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return "", nil, fmt.Errorf("%s: decoding version %s: %w", op, latest, err)
		}
		props, _ := body["properties"].(map[string]any)["properties"].(map[string]any)
		if hash, _ := props["client_component_hash"].(string); hash != "" && hash == doc.Properties.Properties["client_component_hash"] {
			there, err := decodeComponent(raw)
			return latest, there, rest.WithOp(op, err)
		}
	}
	if shelf.Properties.NextVersion == "" {
		return "1", nil, nil
	}
	return shelf.Properties.NextVersion, nil, nil
}

// Get reads a version of a component (ComponentVersions_Get).
func (c *ComponentClient) Get(ctx context.Context, name, version string) (Component, error) {
	op := componentOp("get", name, version)
	var raw json.RawMessage
	call := c.call(op, http.MethodGet, name, "versions", version)
	call.Out = &raw
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	out, err := decodeComponent(raw)
	return out, rest.WithOp(op, err)
}

// GetByLabel reads the version with a label, latest or default (ComponentVersions_List, ComponentContainers_Get).
func (c *ComponentClient) GetByLabel(ctx context.Context, name, label string) (Component, error) {
	op := componentOp("get", name, "") + " " + label
	switch label {
	case assets.Latest:
		call := c.call(op, http.MethodGet, name, "versions")
		call.Query = url.Values{"$orderBy": {"createdtime desc"}, "$top": {"1"}}
		for v, err := range rest.All(ctx, c.rest, call, decodeComponent) {
			return v, err
		}
		return nil, fmt.Errorf("%s: it has no versions: %w", op, azureml.ErrNotFound)
	case "default":
		var shelf struct {
			Properties struct {
				LatestVersion string `json:"latestVersion"`
			} `json:"properties"`
		}
		call := c.call(op, http.MethodGet, name)
		call.Out = &shelf
		if err := c.rest.Do(ctx, call); err != nil {
			return nil, err
		}
		return c.Get(ctx, name, shelf.Properties.LatestVersion)
	}
	return nil, fmt.Errorf("%s: the label %q does not exist, there are \"latest\" and \"default\": %w", op, label, azureml.ErrNotFound)
}

// ComponentSummary is a component without what its versions say.
type ComponentSummary struct {
	ID, Name, Description      string
	LatestVersion, NextVersion string
	Tags                       map[string]string
	Archived                   bool
}

// All yields the components (ComponentContainers_List).
func (c *ComponentClient) All(ctx context.Context, o *assets.ListOptions) iter.Seq2[*ComponentSummary, error] {
	call := c.call("components: list", http.MethodGet)
	call.Query = listQuery(o)
	return rest.All(ctx, c.rest, call, func(raw json.RawMessage) (*ComponentSummary, error) {
		var doc struct {
			ID         string `json:"id"`
			Name       string `json:"name"`
			Properties struct {
				Description   string   `json:"description"`
				LatestVersion string   `json:"latestVersion"`
				NextVersion   string   `json:"nextVersion"`
				Tags          looseMap `json:"tags"`
				Archived      bool     `json:"isArchived"`
			} `json:"properties"`
		}
		err := json.Unmarshal(raw, &doc)
		p := doc.Properties
		return &ComponentSummary{doc.ID, doc.Name, p.Description, p.LatestVersion, p.NextVersion, p.Tags, p.Archived}, err
	})
}

func listQuery(o *assets.ListOptions) url.Values {
	q := url.Values{"listViewType": {string(Active)}}
	if o == nil {
		return q
	}
	if o.View != "" {
		q.Set("listViewType", string(o.View))
	}
	if o.Top > 0 {
		q.Set("$top", fmt.Sprint(o.Top))
	}
	if o.OrderBy != "" {
		q.Set("$orderBy", o.OrderBy)
	}
	return q
}

// Versions yields the versions of a component (ComponentVersions_List).
func (c *ComponentClient) Versions(ctx context.Context, name string, o *assets.ListOptions) iter.Seq2[Component, error] {
	call := c.call(componentOp("list versions of", name, ""), http.MethodGet, name, "versions")
	call.Query = listQuery(o)
	return rest.All(ctx, c.rest, call, decodeComponent)
}

// Archive hides a version, or with version "" the component, from lists (ComponentVersions_CreateOrUpdate,
// ComponentContainers_CreateOrUpdate).
func (c *ComponentClient) Archive(ctx context.Context, name, version string) error {
	return c.hide(ctx, componentOp("archive", name, version), name, version, true)
}

// Restore takes Archive back (ComponentVersions_Get, ComponentVersions_CreateOrUpdate).
func (c *ComponentClient) Restore(ctx context.Context, name, version string) error {
	return c.hide(ctx, componentOp("restore", name, version), name, version, false)
}

func (c *ComponentClient) hide(ctx context.Context, op, name, version string, hidden bool) error {
	segments := []string{name}
	if version != "" {
		segments = append(segments, "versions", version)
	}
	var raw json.RawMessage
	get := c.call(op, http.MethodGet, segments...)
	get.Out = &raw
	if err := c.rest.Do(ctx, get); err != nil {
		return err
	}
	v, err := wire.ParseJSON(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	doc, _ := v.(map[string]any)
	props, _ := doc["properties"].(map[string]any)
	if props == nil {
		return fmt.Errorf("%s: the service answered no properties", op)
	}
	for k, v := range props {
		if v == nil || k == "latestVersion" || k == "nextVersion" || k == "provisioningState" || k == "stage" {
			delete(props, k)
		}
	}
	props["isArchived"] = hidden
	put := c.call(op, http.MethodPut, segments...)
	put.Body = map[string]any{"properties": props}
	return c.rest.Do(ctx, put)
}

// Delete removes a version (ComponentVersions_Delete).
func (c *ComponentClient) Delete(ctx context.Context, name, version string) error {
	return c.rest.Do(ctx, c.call(componentOp("delete", name, version), http.MethodDelete, name, "versions", version))
}

// Resolve gives the id of a component: of a reference by asking for its label where it has one, of a definition by
// registering it.
func (c *ComponentClient) Resolve(ctx context.Context, s ComponentSource, o *ComponentOptions) (string, error) {
	switch s := s.(type) {
	case azureml.Ref:
		return (&resolver{c: c.jobs}).componentID(ctx, s)
	case Component:
		if id := s.ComponentRef(); id != "" {
			return string(id), nil
		}
		made, err := c.Create(ctx, s, o)
		if err != nil {
			return "", err
		}
		return string(made.ComponentRef()), nil
	}
	return "", fmt.Errorf("components: resolve: a %T is no component", s)
}

// componentID turns a reference into an id. The label default is left to the service.
func (r *resolver) componentID(ctx context.Context, ref azureml.Ref) (string, error) {
	op := fmt.Sprintf("components: resolve %q", string(ref))
	p, err := wire.ParseReference(string(ref))
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	s := string(ref)
	switch {
	case strings.HasPrefix(s, "azureml://registries/"):
		return s, nil
	case strings.HasPrefix(strings.TrimPrefix(s, "azureml:"), "/subscriptions/"):
		return strings.TrimPrefix(s, "azureml:"), nil
	case p.Name != "" && p.Version != "":
		return r.c.id("components", p.Name) + "/versions/" + p.Version, nil
	case p.Name != "" && p.Label == "default":
		return r.c.id("components", p.Name) + "/labels/default", nil
	case p.Name != "" && p.Label != "":
		made, err := (&ComponentClient{jobs: r.c, rest: r.c.rest}).GetByLabel(ctx, p.Name, p.Label)
		if err != nil {
			return "", err
		}
		return string(made.ComponentRef()), nil
	}
	return "", fmt.Errorf("%s: a version is needed: azureml:NAME:VERSION, azureml:NAME@latest, azureml:NAME@default or an id", op)
}
