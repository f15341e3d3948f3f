package endpoints

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// BatchRequest is what a batch endpoint is asked to work through. Only Inputs are needed.
type BatchRequest struct {
	// Deployment that is asked. Defaults to the endpoint's default.
	Deployment string
	// Inputs by name: files and folders here are uploaded first. A model deployment takes one, under any name.
	Inputs jobs.Inputs
	// Outputs by name say where results go. A model deployment has one, score.
	Outputs jobs.Outputs
	// JobName and Experiment default to the service's choice.
	JobName    string
	Experiment string
	// What follows overrides the deployment's own settings.
	InstanceCount  int
	InstanceType   string
	MiniBatchSize  int
	OutputFile     string
	ErrorThreshold *int
	Retry          *Retry
}

// BatchJob is a job that a batch endpoint made. Name is that of the job in the workspace, which Jobs knows.
type BatchJob struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	Type       string             `json:"type"`
	Properties BatchJobProperties `json:"properties"`
}

// BatchJobProperties are what the endpoint says of the job.
type BatchJobProperties struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	// Endpoints are web pages, such as Studio.
	Endpoints map[string]struct {
		Endpoint string `json:"endpoint"`
		Status   string `json:"status"`
	} `json:"interactionEndpoints"`
}

// InvokeOptions are the choices of asking a batch endpoint.
type InvokeOptions struct {
	// RequestID makes the service do the same request once, however often it is sent. Defaults to a new one.
	RequestID string
	// Upload is for inputs that are here.
	Upload *assets.UploadOptions
}

// Invoke asks an endpoint for a job (POST to its scoring address). The request carries an id by which the service
// recognises it, so it is sent again after a lost answer.
func (c *BatchClient) Invoke(ctx context.Context, endpoint string, r *BatchRequest, o *InvokeOptions) (*BatchJob, error) {
	op := batch("invoke", endpoint)
	if r == nil {
		r = &BatchRequest{}
	}
	if o == nil {
		o = &InvokeOptions{}
	}
	id := o.RequestID
	if id == "" {
		id = uuid.NewString()
	}
	if err := r.check(op); err != nil {
		return nil, err
	}
	e, err := c.Get(ctx, endpoint)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	if e.ScoringURI == "" {
		return nil, rest.WithOp(op, fmt.Errorf("the endpoint has no scoring address yet: it is %s", e.ProvisioningState))
	}
	h := http.Header{"Repeatability_request-Id": {id}}
	if r.Deployment != "" {
		if _, err := c.GetDeployment(ctx, endpoint, r.Deployment); err != nil {
			return nil, rest.WithOp(op, err)
		}
		h.Set("Azureml-Model-Deployment", r.Deployment)
	}
	body, err := c.request(ctx, r, o)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	return rest.Ask[BatchJob](ctx, c.rest, &rest.Call{
		Op: op, Method: http.MethodPost, Plane: rest.ML, Path: e.ScoringURI, Header: h, Idempotent: true, Body: map[string]any{"properties": body},
	})
}

func (r *BatchRequest) check(op string) error {
	var f faults
	for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
		in := r.Inputs[name]
		if in.Value != nil && in.Path != "" {
			f.add("inputs."+name, "has both a literal and a path")
		}
		if in.Value == nil && in.Path == "" {
			f.add("inputs."+name, "has neither a literal nor a path")
		}
	}
	if r.MiniBatchSize < 0 {
		f.add("mini_batch_size", "is %d; a number of files is wanted", r.MiniBatchSize)
	}
	if r.InstanceCount < 0 {
		f.add("instance_count", "is %d; a number of nodes is wanted", r.InstanceCount)
	}
	if r.ErrorThreshold != nil && *r.ErrorThreshold < -1 {
		f.add("error_threshold", "is %d; a number of files is wanted, or -1 for any", *r.ErrorThreshold)
	}
	f.retry(r.Retry)
	return f.err(op)
}

// request is the request's properties; see the data plane's BatchJob.
func (c *BatchClient) request(ctx context.Context, r *BatchRequest, o *InvokeOptions) (map[string]any, error) {
	m := map[string]any{}
	set := func(k string, v any, is bool) {
		if is {
			m[k] = v
		}
	}
	inputs := map[string]any{}
	for name, in := range r.Inputs {
		one, err := c.input(ctx, in, o)
		if err != nil {
			return nil, fmt.Errorf("inputs.%s: %w", name, err)
		}
		inputs[name] = one
	}
	set("inputData", inputs, len(inputs) > 0)
	outputs := map[string]any{}
	for name, out := range r.Outputs {
		one := map[string]any{"jobOutputType": batchType(out.Type)}
		if out.Path != "" {
			one["uri"] = out.Path
		}
		if out.Mode != "" {
			one["mode"] = string(out.Mode)
		}
		outputs[name] = one
	}
	set("outputData", outputs, len(outputs) > 0)
	set("name", r.JobName, r.JobName != "")
	set("properties", map[string]any{"experimentName": r.Experiment}, r.Experiment != "")
	set("miniBatchSize", r.MiniBatchSize, r.MiniBatchSize > 0)
	set("outputFileName", r.OutputFile, r.OutputFile != "")
	if r.ErrorThreshold != nil {
		m["errorThreshold"] = *r.ErrorThreshold
	}
	if r.Retry != nil {
		retry := map[string]any{}
		if r.Retry.MaxRetries != nil {
			retry["maxRetries"] = *r.Retry.MaxRetries
		}
		if r.Retry.Timeout > 0 {
			retry["timeout"] = wire.FormatDuration(r.Retry.Timeout)
		}
		m["retrySettings"] = retry
	}
	if r.InstanceCount > 0 || r.InstanceType != "" {
		compute := map[string]any{}
		if r.InstanceCount > 0 {
			compute["instanceCount"] = r.InstanceCount
		}
		if r.InstanceType != "" {
			compute["instanceType"] = r.InstanceType
		}
		m["compute"] = compute
	}
	return m, nil
}

func (c *BatchClient) input(ctx context.Context, in jobs.Input, o *InvokeOptions) (map[string]any, error) {
	if in.Value != nil {
		return map[string]any{"jobInputType": "Literal", "value": in.Value}, nil
	}
	uri := in.Path
	switch {
	case wire.IsLocalPath(uri):
		for _, prefix := range []string{"file://", "folder://", "file:", "folder:"} { // which mark a path as one of here
			if rest, ok := strings.CutPrefix(uri, prefix); ok {
				uri = rest
				break
			}
		}
		up := &assets.UploadOptions{}
		if o.Upload != nil {
			*up = *o.Upload
		}
		if up.Datastore == "" {
			up.Datastore = in.Datastore
		}
		done, err := c.deps.stores.Upload(ctx, uri, up)
		if err != nil {
			return nil, err
		}
		uri = done.ShortURI()
	case strings.Contains(uri, "://"): // an address
	case in.Type == jobs.TypeCustomModel, in.Type == jobs.TypeMLFlowModel, in.Type == jobs.TypeTritonModel:
		id, err := c.deps.models.Resolve(ctx, azureml.Ref(uri), nil)
		if err != nil {
			return nil, err
		}
		uri = id
	default:
		id, err := c.deps.data.Resolve(ctx, azureml.Ref(uri))
		if err != nil {
			return nil, err
		}
		uri = id
	}
	if uri == "" {
		return nil, errors.New("no path")
	}
	one := map[string]any{"jobInputType": batchType(in.Type), "uri": uri}
	if in.Mode != "" && in.Type != jobs.TypeURIFile && in.Type != jobs.TypeURIFolder && in.Type != "" {
		one["mode"] = string(in.Mode)
	}
	return one, nil
}

// batchType is the regional service's word for a type of data; it differs from the resource manager's.
func batchType(t jobs.DataType) string {
	switch t {
	case jobs.TypeURIFile:
		return "UriFile"
	case jobs.TypeMLTable:
		return "MLTable"
	case jobs.TypeMLFlowModel:
		return "MLFlowModel"
	case jobs.TypeCustomModel:
		return "CustomModel"
	case jobs.TypeTritonModel:
		return "TritonModel"
	}
	return "UriFolder"
}
