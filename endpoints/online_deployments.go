package endpoints

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
)

func deployment(verb, endpoint, name string) string {
	return fmt.Sprintf("online deployments: %s %q", verb, endpoint+"/"+name)
}

func (c *OnlineClient) deploymentPath(endpoint, name string, more ...string) string {
	return c.rest.Path(append([]string{"onlineEndpoints", endpoint, "deployments", name}, more...)...)
}

// GetDeployment reads a deployment (OnlineDeployments_Get).
func (c *OnlineClient) GetDeployment(ctx context.Context, endpoint, name string) (*OnlineDeployment, error) {
	return rest.Ask[OnlineDeployment](ctx, c.rest, &rest.Call{Op: deployment("get", endpoint, name), Path: c.deploymentPath(endpoint, name), Group: "onlineDeployments"})
}

// Deployments yields the deployments of an endpoint (OnlineDeployments_List).
func (c *OnlineClient) Deployments(ctx context.Context, endpoint string) iter.Seq2[*OnlineDeployment, error] {
	return rest.All(ctx, c.rest, &rest.Call{
		Op: online("list deployments of", endpoint), Path: c.rest.Path("onlineEndpoints", endpoint, "deployments"), Group: "onlineDeployments",
	}, rest.As[OnlineDeployment])
}

// DeployOptions are the choices of making a deployment.
type DeployOptions struct {
	BeginOptions
	// Upload is for the code, the model and the build context that are here.
	Upload *assets.CreateOptions
}

func (o *DeployOptions) token() string {
	if o == nil {
		return ""
	}
	return o.ResumeToken
}

func (o *DeployOptions) upload() *assets.CreateOptions {
	if o == nil {
		return nil
	}
	return o.Upload
}

// BeginCreateDeployment makes a deployment, or changes one that exists (OnlineDeployments_CreateOrUpdate), after it has
// found the endpoint, uploaded and registered what stands inside the deployment, and resolved its references.
// d is not changed. It gets no requests before the endpoint's Traffic says so.
func (c *OnlineClient) BeginCreateDeployment(ctx context.Context, d *OnlineDeployment, o *DeployOptions) (*runtime.Poller[*OnlineDeployment], error) {
	return c.putDeployment(ctx, "create", d, o)
}

// BeginUpdateDeployment changes a deployment (OnlineDeployments_CreateOrUpdate), mostly one that was read: what the
// service said of it, and the struct does not know, is kept.
func (c *OnlineClient) BeginUpdateDeployment(ctx context.Context, d *OnlineDeployment, o *DeployOptions) (*runtime.Poller[*OnlineDeployment], error) {
	return c.putDeployment(ctx, "update", d, o)
}

func (c *OnlineClient) putDeployment(ctx context.Context, verb string, d *OnlineDeployment, o *DeployOptions) (*runtime.Poller[*OnlineDeployment], error) {
	if d == nil {
		return nil, fmt.Errorf("online deployments: %s: the deployment is nil", verb)
	}
	call := &rest.Call{Op: deployment(verb, d.Endpoint, d.Name), Method: http.MethodPut, Group: "onlineDeployments", ResumeToken: o.token()}
	if call.ResumeToken == "" {
		sent, err := c.prepare(ctx, call.Op, d, o.upload())
		if err != nil {
			return nil, err
		}
		call.Path, call.Body = c.deploymentPath(sent.Endpoint, sent.Name), sent
	}
	call.Explain = func(ctx context.Context, err error) error { return c.explain(ctx, d.Endpoint, d.Name, err) }
	return rest.Begin(ctx, c.rest, call, rest.As[OnlineDeployment])
}

func (c *OnlineClient) prepare(ctx context.Context, op string, d *OnlineDeployment, o *assets.CreateOptions) (*OnlineDeployment, error) {
	if err := d.check(op); err != nil {
		return nil, err
	}
	sent := *d
	sent.Name = strings.ToLower(d.Name) // the endpoint stays as it is written, as the reference has it
	if err := c.rest.Do(ctx, &rest.Call{Op: online("get", sent.Endpoint), Path: c.rest.Path("onlineEndpoints", sent.Endpoint), Group: "onlineDeployments"}); err != nil {
		return nil, rest.WithOp(op, err)
	}
	var err error
	if sent.DataCollector, err = c.deps.collector(ctx, d.DataCollector, sent.Endpoint, sent.Name); err != nil {
		return nil, rest.WithOp(op, err)
	}
	if sent.Code, err = c.deps.codeConfiguration(ctx, d.Code, o); err != nil {
		return nil, rest.WithOp(op, err)
	}
	if sent.Environment, err = c.deps.environment(ctx, d.Environment, o); err != nil {
		return nil, rest.WithOp(op, err)
	}
	if sent.Model, err = c.deps.model(ctx, d.Model, o); err != nil {
		return nil, rest.WithOp(op, err)
	}
	w, err := c.rest.Workspace(ctx)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	sent.Location = w.Location
	return &sent, nil
}

// BeginScaleDeployment changes the number of machines and nothing else (OnlineDeployments_Update).
func (c *OnlineClient) BeginScaleDeployment(ctx context.Context, endpoint, name string, instances int, o *BeginOptions) (*runtime.Poller[*OnlineDeployment], error) {
	call := &rest.Call{
		Op: deployment("scale", endpoint, name), Method: http.MethodPatch, Path: c.deploymentPath(endpoint, name), Group: "onlineDeployments",
		Idempotent: true, ResumeToken: o.token(), Body: map[string]any{"sku": map[string]any{"name": "Default", "capacity": instances}},
	}
	if instances < 1 && call.ResumeToken == "" {
		return nil, rest.WithOp(call.Op, azureml.Faults{{Field: "instances", Message: strconv.Itoa(instances) + " is no number of machines; 1 or more is"}})
	}
	return rest.Begin(ctx, c.rest, call, rest.As[OnlineDeployment])
}

// BeginDeleteDeployment deletes a deployment, which must have no traffic (OnlineDeployments_Delete).
func (c *OnlineClient) BeginDeleteDeployment(ctx context.Context, endpoint, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, &rest.Call{
		Op: deployment("delete", endpoint, name), Method: http.MethodDelete, Path: c.deploymentPath(endpoint, name), Group: "onlineDeployments", ResumeToken: o.token(),
	}, rest.Nothing)
}

// Container is one of a deployment's containers.
type Container string

// The containers: the one that serves, and the one that brings the model before that.
const (
	InferenceServer    Container = "InferenceServer"
	StorageInitializer Container = "StorageInitializer"
)

// LogsOptions choose the lines of a log.
type LogsOptions struct {
	// Container defaults to InferenceServer.
	Container Container
	// Lines from the end. Defaults to 5000.
	Lines int
}

// Logs reads the end of a deployment's log (OnlineDeployments_GetLogs).
func (c *OnlineClient) Logs(ctx context.Context, endpoint, name string, o *LogsOptions) (string, error) {
	body := struct {
		Container Container `json:"containerType,omitempty"`
		Tail      int       `json:"tail"`
	}{Tail: 5000}
	if o != nil {
		body.Container = o.Container
		if o.Lines > 0 {
			body.Tail = o.Lines
		}
	}
	var out struct {
		Content string `json:"content"`
	}
	err := c.rest.Do(ctx, &rest.Call{
		Op: deployment("read logs of", endpoint, name), Method: http.MethodPost, Path: c.deploymentPath(endpoint, name, "getLogs"), Group: "onlineDeployments",
		Idempotent: true, Body: body, Out: &out,
	})
	return out.Content, err
}

// SKU is a size that a deployment can be scaled to.
type SKU struct {
	ResourceType string `json:"resourceType"`
	SKU          struct {
		Name string `json:"name"`
		Tier string `json:"tier"`
	} `json:"sku"`
	Capacity struct {
		Default   int    `json:"default"`
		Minimum   int    `json:"minimum"`
		Maximum   int    `json:"maximum"`
		ScaleType string `json:"scaleType"` // Automatic, Manual, None
	} `json:"capacity"`
}

// SKUs yields what a deployment can be scaled to (OnlineDeployments_ListSkus).
func (c *OnlineClient) SKUs(ctx context.Context, endpoint, name string) iter.Seq2[*SKU, error] {
	return rest.All(ctx, c.rest, &rest.Call{
		Op: deployment("list SKUs of", endpoint, name), Path: c.deploymentPath(endpoint, name, "skus"), Query: url.Values{}, Group: "onlineDeployments",
	}, rest.As[SKU])
}
