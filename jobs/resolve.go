package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// resolver turns names into ids and files into addresses, for one submission.
type resolver struct {
	c      *Client
	op     string
	o      *SubmitOptions
	remove []func() error // folders made on the way
	on     string         // the compute of the pipeline, or of the step that is resolved
	plan   *planning      // notes what would be done; nil when it is done

	// What has been found, or made, already: many steps name the same things.
	refs  map[string]string
	codes map[string]string
	made  map[string]Component
	envs  map[*assets.Environment]string
	steps map[Component]azureml.Ref
}

func newResolver(c *Client, op string, o *SubmitOptions) *resolver {
	return &resolver{c: c, op: op, o: o, refs: map[string]string{}, codes: map[string]string{}, made: map[string]Component{}, envs: map[*assets.Environment]string{}, steps: map[Component]azureml.Ref{}}
}

// once remembers what find gives for a key.
func once[K comparable](known map[K]string, key K, find func() (string, error)) (string, error) {
	if v, ok := known[key]; ok {
		return v, nil
	}
	v, err := find()
	if err == nil && known != nil {
		known[key] = v
	}
	return v, err
}

// close removes what was made on the way.
func (r *resolver) close() error {
	var errs []error
	for _, f := range r.remove {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// resourceID is how ids of computes begin, and those of virtual clusters in short.
var resourceID = regexp.MustCompile(`(?i)^(/?subscriptions|virtualclusters)/`)

// serverless tells the names of computes that are no resource.
func serverless(compute string) bool {
	return compute == "" || strings.EqualFold(strings.TrimPrefix(compute, "azureml:"), "serverless")
}

// computeName is the name of a compute of this workspace; ok is false when it is another resource, or none.
func (c *Client) computeName(compute string) (name string, ok bool) {
	id := strings.TrimPrefix(compute, "azureml:")
	if compute == localCompute || serverless(compute) || isExpression(compute) {
		return "", false
	}
	if !strings.Contains(id, "/") {
		return id, true
	}
	prefix := c.id("computes", "")
	if len(id) > len(prefix) && strings.EqualFold(id[:len(prefix)], prefix) {
		return id[len(prefix):], true
	}
	return "", false
}

// id is the resource id of something in the workspace, as documents carry it: not escaped.
func (c *Client) id(collection, name string) string {
	w := c.rest.ID()
	return wire.WorkspaceID(w.Subscription, w.ResourceGroup, w.Name, collection, name)
}

// compute gives a compute's id.
func (r *resolver) compute(compute string) string {
	switch name, ok := r.c.computeName(compute); {
	case ok:
		return r.c.id("computes", name)
	case compute == "" || isExpression(compute):
		return compute
	case serverless(compute):
		return r.c.id("computes", "serverless")
	default:
		id := strings.TrimPrefix(compute, "azureml:")
		if rest, ok := strings.CutPrefix(strings.ToLower(id), "virtualclusters/"); ok {
			w := r.c.rest.ID()
			return "/subscriptions/" + w.Subscription + "/resourceGroups/" + w.ResourceGroup +
				"/providers/Microsoft.MachineLearningServices/virtualclusters/" + id[len(id)-len(rest):]
		}
		return id
	}
}

// target is what a compute runs: its platform, as its tags say.
type target struct {
	Tags       map[string]string `json:"tags"`
	Properties struct {
		ComputeType       string `json:"computeType"`
		ProvisioningState string `json:"provisioningState"`
	} `json:"properties"`
}

// getCompute reads a compute (Compute_Get).
func (r *resolver) getCompute(ctx context.Context, name string) (*target, error) {
	var t target
	err := r.c.rest.Do(ctx, &rest.Call{Op: r.op, Group: "computes", Path: r.c.rest.Path("computes", name), Out: &t})
	return &t, err
}

// compute checks that the compute is there.
func (c *checker) compute(ctx context.Context, field, compute string) {
	if c.r == nil {
		return
	}
	name, ok := c.r.c.computeName(compute)
	if !ok {
		if id := strings.TrimPrefix(compute, "azureml:"); strings.Contains(id, "/") && !isExpression(compute) && !resourceID.MatchString(id) {
			c.add(field, "%q is neither the name of a compute nor its resource id", compute)
		}
		return
	}
	m := c.remembered()
	f, known := m.compute[name]
	if !known {
		if _, err := c.r.getCompute(ctx, name); isStatus(err, http.StatusNotFound) {
			f = fmt.Sprintf("the workspace has no compute %q; leave it out for serverless compute", name)
		} else if err != nil {
			f = fmt.Sprintf("%q cannot be looked up: %v", name, err)
		}
		m.compute[name] = f
	}
	if f != "" {
		c.add(field, "%s", f)
	}
}

// platform is what a Go program is compiled for.
func (r *resolver) platform(ctx context.Context, compute string) (platform, error) {
	if compute == localCompute {
		return platform{runtime.GOOS, runtime.GOARCH}, nil
	}
	p := azurePlatform
	if name, ok := r.c.computeName(compute); ok {
		t, err := r.getCompute(ctx, name)
		if err != nil {
			return p, err
		}
		if p.tagged(t.Tags) {
			return p, nil
		}
	}
	w, err := r.c.rest.Workspace(ctx)
	if err != nil {
		return p, err
	}
	var doc struct {
		Tags map[string]string `json:"tags"`
	}
	if err := json.Unmarshal(w.Document, &doc); err != nil {
		return p, fmt.Errorf("decoding the workspace: %w", err)
	}
	p.tagged(doc.Tags)
	return p, nil
}

// tagged takes the platform from a resource's tags goos and goarch.
func (p *platform) tagged(tags map[string]string) bool {
	os, arch := tags["goos"], tags["goarch"]
	if os != "" {
		p.os = os
	}
	if arch != "" {
		p.arch = arch
	}
	return os != "" && arch != ""
}
