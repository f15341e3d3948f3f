package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// SubmitOptions are the choices of Submit.
type SubmitOptions struct {
	// Experiment replaces the job's experiment.
	Experiment string
	// Compute replaces the job's compute.
	Compute string
	// Dir is the folder whose name is the default experiment, and whose git commit the job is marked with.
	// Defaults to the working directory.
	Dir string
	// NoGit leaves the git commit out.
	NoGit bool
	// Progress is told how far uploads are.
	Progress func(assets.Progress)
	// Concurrency is how many requests of an upload are in flight. Defaults to 64.
	Concurrency int
}

// Submit checks a job, uploads what it needs and starts it (Jobs_CreateOrUpdate). All that is wrong with it is
// reported at once, as azureml.Faults, and before anything is uploaded. The job given is not changed.
//
// A job that was read from the service under the same name is updated: what the service keeps and the struct
// does not say stays.
func (c *Client) Submit(ctx context.Context, spec Spec, o *SubmitOptions) (run *Run, err error) {
	if o == nil {
		o = &SubmitOptions{}
	}
	d, name, kept, err := prepare(spec, o)
	op := fmt.Sprintf("jobs: submit %q", name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	r := newResolver(c, op, o)
	defer func() { err = errors.Join(err, r.close()) }()
	check := &checker{ctx: ctx, r: r, faults: kept}
	d.check(ctx, check)
	if err := check.faults.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if err := d.resolve(ctx, r); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	c.defaults(ctx, d, name, o)
	body, err := wire.Body(d, c.id("jobs", name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	call := &rest.Call{Op: op, Method: http.MethodPut, Group: groupOf(d.jobType()), Path: c.rest.Path("jobs", name), Body: body}
	if d.jobType() == "Pipeline" || d.head().identity.User != nil {
		token, err := c.rest.Token(ctx, c.rest.MLScope())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		call.Header = http.Header{"X-Azureml-Token": {token}}
	}
	var raw json.RawMessage
	call.Out = &raw
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	if run, err = c.decodeRun(raw); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return run, nil
}

// builder is a spec that keeps its faults. It gives the job as far as it has been made, so that everything else that is
// wrong with it is reported too.
type builder interface {
	partial() (definition, azureml.Faults)
}

// prepare gives a copy of the job with the name that it will have, and the faults that its builder has kept.
func prepare(spec Spec, o *SubmitOptions) (d definition, name string, kept azureml.Faults, err error) {
	if spec == nil {
		return nil, "", nil, errors.New("there is no job")
	}
	if b, ok := spec.(builder); ok {
		d, kept = b.partial()
	}
	if d == nil {
		if d, err = spec.job(); err != nil {
			return nil, "", nil, err
		}
	}
	d = d.clone()
	h := d.head()
	if o.Compute != "" {
		*h.compute = o.Compute
	}
	if o.Experiment != "" {
		*h.experiment = o.Experiment
	}
	if *h.name == "" {
		*h.name = generateName()
	}
	return d, *h.name, kept, nil
}

// defaults fills in what the reference SDK fills in.
func (c *Client) defaults(ctx context.Context, d definition, name string, o *SubmitOptions) {
	h := d.head()
	if *h.displayName == "" {
		*h.displayName = name
	}
	if *h.experiment == "" {
		*h.experiment = defaultExperiment(o.Dir)
	}
	if o.NoGit {
		return
	}
	git := gitProperties(ctx, o.Dir, c.rest.Logger())
	if len(git) == 0 {
		return
	}
	for k := range git {
		if h.properties.has(k) { // a job that is submitted again keeps the commit of the first time
			return
		}
	}
	h.properties.add(git)
}

// Validate reports what Submit would refuse, without uploading or starting anything: it looks up what the job names
// (Computes_Get, Jobs_Get and the like) and sends no change.
func (c *Client) Validate(ctx context.Context, spec Spec, o *SubmitOptions) error {
	if o == nil {
		o = &SubmitOptions{}
	}
	d, name, kept, err := prepare(spec, o)
	op := fmt.Sprintf("jobs: validate %q", name)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	check := &checker{ctx: ctx, r: newResolver(c, op, o), faults: kept}
	d.check(ctx, check)
	if err := check.faults.Err(); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}
