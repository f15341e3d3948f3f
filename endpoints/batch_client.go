package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// BatchClient makes, finds and asks batch endpoints and their deployments. It is safe for use by many goroutines.
type BatchClient struct {
	rest *rest.Client
	deps *dependencies
}

// NewBatchClient makes the client on the workspace's shared one.
func NewBatchClient(c *rest.Client) *BatchClient {
	return &BatchClient{rest: c, deps: newDependencies(c)}
}

func batch(verb, endpoint string) string {
	return fmt.Sprintf("batch endpoints: %s %q", verb, endpoint)
}

func batchDeployment(verb, endpoint, name string) string {
	return fmt.Sprintf("batch deployments: %s %q", verb, endpoint+"/"+name)
}

// Get reads an endpoint (BatchEndpoints_Get).
func (c *BatchClient) Get(ctx context.Context, name string) (*BatchEndpoint, error) {
	return rest.Ask[BatchEndpoint](ctx, c.rest, &rest.Call{Op: batch("get", name), Path: c.rest.Path("batchEndpoints", name), Group: "batchEndpoints"})
}

// All yields the endpoints of the workspace (BatchEndpoints_List).
func (c *BatchClient) All(ctx context.Context) iter.Seq2[*BatchEndpoint, error] {
	return rest.All(ctx, c.rest, &rest.Call{Op: "batch endpoints: list", Path: c.rest.Path("batchEndpoints"), Group: "batchEndpoints"}, rest.As[BatchEndpoint])
}

// BeginCreate makes an endpoint, or changes one that exists (BatchEndpoints_CreateOrUpdate). e is not changed.
func (c *BatchClient) BeginCreate(ctx context.Context, e *BatchEndpoint, o *BeginOptions) (*runtime.Poller[*BatchEndpoint], error) {
	return c.put(ctx, "create", e, o)
}

// BeginUpdate changes an endpoint (BatchEndpoints_CreateOrUpdate), mostly one that was read.
func (c *BatchClient) BeginUpdate(ctx context.Context, e *BatchEndpoint, o *BeginOptions) (*runtime.Poller[*BatchEndpoint], error) {
	return c.put(ctx, "update", e, o)
}

func (c *BatchClient) put(ctx context.Context, verb string, e *BatchEndpoint, o *BeginOptions) (*runtime.Poller[*BatchEndpoint], error) {
	if e == nil {
		return nil, fmt.Errorf("batch endpoints: %s: the endpoint is nil", verb)
	}
	call := &rest.Call{
		Op: batch(verb, e.Name), Method: http.MethodPut, Path: c.rest.Path("batchEndpoints", strings.ToLower(e.Name)), Group: "batchEndpoints", ResumeToken: o.token(),
	}
	if call.ResumeToken == "" {
		if err := e.check(call.Op); err != nil {
			return nil, err
		}
		w, err := c.rest.Workspace(ctx)
		if err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		sent := *e
		sent.Location = w.Location
		call.Body = &sent
	}
	return rest.Begin(ctx, c.rest, call, rest.As[BatchEndpoint])
}

// BeginSetDefault makes a deployment the one that is asked by default (BatchEndpoints_Get, BatchEndpoints_CreateOrUpdate).
func (c *BatchClient) BeginSetDefault(ctx context.Context, endpoint, deployment string, o *BeginOptions) (*runtime.Poller[*BatchEndpoint], error) {
	e := &BatchEndpoint{Name: endpoint}
	if o.token() == "" {
		var err error
		if e, err = c.Get(ctx, endpoint); err != nil {
			return nil, rest.WithOp(batch("set default of", endpoint), err)
		}
		e.Defaults.Deployment = deployment
	}
	return c.put(ctx, "set default of", e, o)
}

// BeginDelete deletes an endpoint with all its deployments (BatchEndpoints_Delete).
func (c *BatchClient) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, &rest.Call{
		Op: batch("delete", name), Method: http.MethodDelete, Path: c.rest.Path("batchEndpoints", name), Group: "batchEndpoints", ResumeToken: o.token(),
	}, rest.Nothing)
}

// Keys reads the keys of an endpoint (BatchEndpoints_ListKeys).
func (c *BatchClient) Keys(ctx context.Context, name string) (*Keys, error) {
	return rest.Ask[Keys](ctx, c.rest, &rest.Call{
		Op: batch("list keys of", name), Method: http.MethodPost, Path: c.rest.Path("batchEndpoints", name, "listkeys"), Group: "batchEndpoints", Idempotent: true,
	})
}

func (c *BatchClient) deploymentPath(endpoint, name string) string {
	return c.rest.Path("batchEndpoints", endpoint, "deployments", name)
}

func decodeBatchDeployment(raw json.RawMessage) (BatchDeployment, error) {
	var d BatchDeployment
	if len(raw) == 0 {
		return nil, errors.New("the service answered no deployment")
	}
	return d, wire.FromREST(raw, &d)
}

// GetDeployment reads a deployment (BatchDeployments_Get).
func (c *BatchClient) GetDeployment(ctx context.Context, endpoint, name string) (BatchDeployment, error) {
	d, err := rest.Ask[BatchDeployment](ctx, c.rest, &rest.Call{Op: batchDeployment("get", endpoint, name), Path: c.deploymentPath(endpoint, name), Group: "batchDeployments"})
	if err != nil {
		return nil, err
	}
	return *d, nil
}

// Deployments yields the deployments of an endpoint (BatchDeployments_List).
func (c *BatchClient) Deployments(ctx context.Context, endpoint string) iter.Seq2[BatchDeployment, error] {
	return rest.All(ctx, c.rest, &rest.Call{
		Op: batch("list deployments of", endpoint), Path: c.rest.Path("batchEndpoints", endpoint, "deployments"), Group: "batchDeployments",
	}, decodeBatchDeployment)
}

// BeginCreateDeployment makes a deployment, or changes one that exists (BatchDeployments_CreateOrUpdate), after it has
// found the endpoint, uploaded and registered what stands inside the deployment, and resolved its references.
// d is not changed.
func (c *BatchClient) BeginCreateDeployment(ctx context.Context, d BatchDeployment, o *DeployOptions) (*runtime.Poller[BatchDeployment], error) {
	return c.putDeployment(ctx, "create", d, o)
}

// BeginUpdateDeployment changes a deployment (BatchDeployments_CreateOrUpdate), mostly one that was read.
func (c *BatchClient) BeginUpdateDeployment(ctx context.Context, d BatchDeployment, o *DeployOptions) (*runtime.Poller[BatchDeployment], error) {
	return c.putDeployment(ctx, "update", d, o)
}

func (c *BatchClient) putDeployment(ctx context.Context, verb string, d BatchDeployment, o *DeployOptions) (*runtime.Poller[BatchDeployment], error) {
	if d == nil {
		return nil, fmt.Errorf("batch deployments: %s: the deployment is nil", verb)
	}
	endpoint, name := d.EndpointName(), strings.ToLower(d.DeploymentName())
	call := &rest.Call{Op: batchDeployment(verb, endpoint, name), Method: http.MethodPut, Path: c.deploymentPath(endpoint, name), Group: "batchDeployments", ResumeToken: o.token()}
	if call.ResumeToken == "" {
		var err error
		switch d := d.(type) {
		case *ModelBatchDeployment:
			call.Body, err = c.prepareModel(ctx, call.Op, d, endpoint, o.upload())
		case *PipelineBatchDeployment:
			call.Group = "batchPipelines"
			call.Body, err = c.preparePipeline(ctx, call.Op, d, endpoint)
		default:
			err = fmt.Errorf("%s: deployments of this kind can be read and deleted only", call.Op)
		}
		if err != nil {
			return nil, err
		}
	}
	return rest.Begin(ctx, c.rest, call, decodeBatchDeployment)
}

// endpointThere fails before anything is uploaded when there is no such endpoint.
func (c *BatchClient) endpointThere(ctx context.Context, op, endpoint string) (location string, err error) {
	if err := c.rest.Do(ctx, &rest.Call{Op: batch("get", endpoint), Path: c.rest.Path("batchEndpoints", endpoint), Group: "batchDeployments"}); err != nil {
		return "", rest.WithOp(op, err)
	}
	w, err := c.rest.Workspace(ctx)
	if err != nil {
		return "", rest.WithOp(op, err)
	}
	return w.Location, nil
}

func (c *BatchClient) prepareModel(ctx context.Context, op string, d *ModelBatchDeployment, endpoint string, o *assets.CreateOptions) (*ModelBatchDeployment, error) {
	if err := d.check(op); err != nil {
		return nil, err
	}
	location, err := c.endpointThere(ctx, op, endpoint)
	if err != nil {
		return nil, err
	}
	sent := *d
	sent.Location = location
	if d.Code != nil && d.Code.Code.Go != nil {
		sent.Code, err = c.program(ctx, d.Code.Code.Go, o)
	} else {
		sent.Code, err = c.deps.codeConfiguration(ctx, d.Code, o)
	}
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	if sent.Environment, err = c.deps.environment(ctx, d.Environment, o); err != nil {
		return nil, rest.WithOp(op, err)
	}
	if sent.Model, err = c.deps.model(ctx, d.Model, o); err != nil {
		return nil, rest.WithOp(op, err)
	}
	if sent.Compute != "" {
		sent.Compute = azureml.Ref(computeID(c.rest, sent.Compute))
	}
	return &sent, nil
}

func (c *BatchClient) preparePipeline(ctx context.Context, op string, d *PipelineBatchDeployment, endpoint string) (*PipelineBatchDeployment, error) {
	if err := d.check(op); err != nil {
		return nil, err
	}
	location, err := c.endpointThere(ctx, op, endpoint)
	if err != nil {
		return nil, err
	}
	sent := *d
	sent.Location = location
	if d.Component != nil {
		sent.Component, err = c.deps.component(ctx, d.Component)
	} else {
		sent.Component, err = c.deps.componentOfJob(ctx, d.Job)
	}
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	return &sent, nil
}

// BeginDeleteDeployment deletes a deployment (BatchDeployments_Delete).
func (c *BatchClient) BeginDeleteDeployment(ctx context.Context, endpoint, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, &rest.Call{
		Op: batchDeployment("delete", endpoint, name), Method: http.MethodDelete, Path: c.deploymentPath(endpoint, name), Group: "batchDeployments", ResumeToken: o.token(),
	}, rest.Nothing)
}

// Jobs yields the jobs that an endpoint was asked for (GET batchEndpoints/{name}/jobs of the regional service).
func (c *BatchClient) Jobs(ctx context.Context, endpoint string) iter.Seq2[*BatchJob, error] {
	return c.jobs(ctx, batch("list jobs of", endpoint), c.rest.Path("batchEndpoints", endpoint, "jobs"))
}

// DeploymentJobs yields the jobs of one deployment (GET batchEndpoints/{name}/deployments/{name}/jobs of the regional service).
func (c *BatchClient) DeploymentJobs(ctx context.Context, endpoint, name string) iter.Seq2[*BatchJob, error] {
	return c.jobs(ctx, batchDeployment("list jobs of", endpoint, name), c.rest.Path("batchEndpoints", endpoint, "deployments", name, "jobs"))
}

func (c *BatchClient) jobs(ctx context.Context, op, path string) iter.Seq2[*BatchJob, error] {
	return rest.All(ctx, c.rest, &rest.Call{Op: op, Plane: rest.ML, Path: "/mferp/managementfrontend" + path, Query: url.Values{}, Group: "batchJobs"}, rest.As[BatchJob])
}
