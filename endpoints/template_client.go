package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// TemplateClient makes and finds the deployment templates of registries. It is safe for use by many goroutines.
type TemplateClient struct{ rest *rest.Client }

// NewTemplateClient makes the client on the workspace's shared one.
func NewTemplateClient(c *rest.Client) *TemplateClient { return &TemplateClient{rest: c} }

func (c *TemplateClient) call(ctx context.Context, op, method, registry string, segs ...string) (*rest.Call, error) {
	r, err := c.rest.RegistryInfo(ctx, registry)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	return &rest.Call{
		Op: op, Method: method, Plane: rest.RegistryAPI, Registry: registry, Group: "deploymentTemplates",
		Path: "/genericasset/v2.0" + r.Path(append([]string{"deploymenttemplates"}, segs...)...),
	}, nil
}

func template(verb, registry, name, version string) string {
	if version != "" {
		version = ":" + version
	}
	return fmt.Sprintf("deployment templates: %s %q", verb, registry+"/"+name+version)
}

// Get reads a template (DeploymentTemplates_Get). Without a version it is the highest one (DeploymentTemplates_List).
func (c *TemplateClient) Get(ctx context.Context, registry, name, version string) (*DeploymentTemplate, error) {
	op := template("get", registry, name, version)
	if version == "" {
		var err error
		if version, err = c.latest(ctx, registry, name); err != nil {
			return nil, rest.WithOp(op, err)
		}
	}
	call, err := c.call(ctx, op, http.MethodGet, registry, name, "versions", version)
	if err != nil {
		return nil, err
	}
	return rest.Ask[DeploymentTemplate](ctx, c.rest, call)
}

// latest is the highest version: of numbers the largest, before all others.
func (c *TemplateClient) latest(ctx context.Context, registry, name string) (string, error) {
	best, number := "", -1
	for t, err := range c.All(ctx, registry, &TemplateListOptions{Name: name}) {
		if err != nil {
			return "", err
		}
		n, err := strconv.Atoi(t.Version)
		if err != nil {
			n = -1
		}
		if n > number || n == number && t.Version > best {
			best, number = t.Version, n
		}
	}
	if best == "" {
		return "", fmt.Errorf("it has no versions: %w", azureml.ErrNotFound)
	}
	return best, nil
}

// TemplateListOptions choose templates.
type TemplateListOptions struct {
	Name  string
	Stage assets.Stage
	// Tags are as the service writes them: tag1,tag2=value2.
	Tags string
	// Count is how many the service puts into a page. Defaults to its own choice.
	Count int
	// View defaults to assets.Active.
	View assets.View
}

// All yields the templates of a registry (DeploymentTemplates_List).
func (c *TemplateClient) All(ctx context.Context, registry string, o *TemplateListOptions) iter.Seq2[*DeploymentTemplate, error] {
	if o == nil {
		o = &TemplateListOptions{}
	}
	q := url.Values{"listViewType": {string(assets.Active)}}
	if o.View != "" {
		q.Set("listViewType", string(o.View))
	}
	for key, v := range map[string]string{"name": o.Name, "stage": string(o.Stage), "tags": o.Tags} {
		if v != "" {
			q.Set(key, v)
		}
	}
	if o.Count > 0 {
		q.Set("count", strconv.Itoa(o.Count))
	}
	return func(yield func(*DeploymentTemplate, error) bool) {
		call, err := c.call(ctx, fmt.Sprintf("deployment templates: list %q", registry), http.MethodGet, registry)
		if err != nil {
			yield(nil, err)
			return
		}
		call.Query, call.Continue = q, "continuationToken"
		for t, err := range rest.All(ctx, c.rest, call, decodeTemplate) {
			if !yield(t, err) {
				return
			}
		}
	}
}

// decodeTemplate reads an item of a list, whose settings are below properties, objects among them as text.
func decodeTemplate(raw json.RawMessage) (*DeploymentTemplate, error) {
	v, err := wire.ParseJSON(raw)
	if err != nil {
		return nil, err
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("an item of the list is no template")
	}
	props, _ := doc["properties"].(map[string]any)
	for k, x := range props {
		if doc[k] != nil {
			continue
		}
		doc[k] = x
		if s, ok := x.(string); ok && (strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")) {
			if n, err := wire.ParseYAML([]byte(s), "", ""); err == nil { // Python's or JSON's notation: both are YAML
				doc[k] = said(n.Tree())
			}
		}
	}
	for _, k := range []string{"instanceCount", "scoringPort"} {
		if s, ok := doc[k].(string); ok {
			if i, err := strconv.Atoi(s); err == nil {
				doc[k] = json.Number(strconv.Itoa(i))
			}
		}
	}
	t := &DeploymentTemplate{}
	return t, wire.FromRESTMap(doc, t)
}

// said is what Python's None says nothing about.
func said(x any) any {
	switch x := x.(type) {
	case map[string]any:
		for k, v := range x {
			if v == "None" {
				delete(x, k)
				continue
			}
			x[k] = said(v)
		}
	case []any:
		for i := range x {
			x[i] = said(x[i])
		}
	}
	return x
}

// Create makes a template in a registry, or changes one that exists (DeploymentTemplates_Create, DeploymentTemplates_Get).
func (c *TemplateClient) Create(ctx context.Context, registry string, t *DeploymentTemplate) (*DeploymentTemplate, error) {
	if t == nil {
		return nil, errors.New("deployment templates: create: the template is nil")
	}
	op := template("create", registry, t.Name, t.Version)
	if err := t.Validate(); err != nil {
		return nil, rest.WithOp(op, err)
	}
	call, err := c.call(ctx, op, http.MethodPost, registry, t.Name, "versions", t.Version)
	if err != nil {
		return nil, err
	}
	body, err := wire.Body(t, "azureml://registries/"+registry+"/deploymenttemplates/"+t.Name+"/versions/"+t.Version)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	body["name"], body["version"], body["type"] = t.Name, t.Version, "deploymenttemplates"
	call.Body, call.Idempotent = body, true
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	return c.Get(ctx, registry, t.Name, t.Version)
}

// Archive hides a template from lists. Without a version it is the highest one (GET and POST
// deploymenttemplates/{name}/versions/{version} of the registry).
func (c *TemplateClient) Archive(ctx context.Context, registry, name, version string) (*DeploymentTemplate, error) {
	return c.stage(ctx, registry, name, version, assets.ArchivedStage)
}

// Restore undoes Archive (GET and POST deploymenttemplates/{name}/versions/{version} of the registry).
func (c *TemplateClient) Restore(ctx context.Context, registry, name, version string) (*DeploymentTemplate, error) {
	return c.stage(ctx, registry, name, version, assets.Development)
}

func (c *TemplateClient) stage(ctx context.Context, registry, name, version string, s assets.Stage) (*DeploymentTemplate, error) {
	t, err := c.Get(ctx, registry, name, version)
	if err != nil {
		return nil, err
	}
	t.Stage = s
	return c.Create(ctx, registry, t)
}

// Delete removes a template (DeploymentTemplates_Delete). Without a version it is the highest one.
func (c *TemplateClient) Delete(ctx context.Context, registry, name, version string) error {
	op := template("delete", registry, name, version)
	if version == "" {
		var err error
		if version, err = c.latest(ctx, registry, name); err != nil {
			return rest.WithOp(op, err)
		}
	}
	call, err := c.call(ctx, op, http.MethodDelete, registry, name, "versions", version)
	if err != nil {
		return err
	}
	return c.rest.Do(ctx, call)
}
