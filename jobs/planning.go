package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// planning notes what a resolver finds, in place of what it would do. Code that is not there yet gets the id "planned:HASH",
// all else the one that it would have.
type planning struct {
	plan   *Plan
	prefix string            // of the fields of the step that is resolved
	labels map[string]string // what people call a folder that was made on the way
	assets map[string]bool
	specs  map[string]map[string]any // of components that are not there yet, by id
}

const notThere = "planned:"

// enter goes into a part of the job, whose fields have a prefix.
func (p *planning) enter(prefix string) (leave func()) {
	if p == nil {
		return func() {}
	}
	before := p.prefix
	p.prefix += prefix
	return func() { p.prefix = before }
}

// fault notes a problem, so that the rest can be looked at too. A plan that was given up is an error.
func (p *planning) fault(ctx context.Context, field string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	at := p.prefix + field
	for _, f := range p.plan.Problems { // checks have said so, of the field or a part of it
		if f.Field == at || strings.HasPrefix(f.Field, at+".") || strings.HasPrefix(at, f.Field+".") {
			return nil
		}
	}
	if list, ok := errors.AsType[azureml.Faults](err); ok {
		for _, f := range list {
			p.plan.Problems = append(p.plan.Problems, &azureml.Fault{Field: strings.TrimSuffix(at+"."+f.Field, "."), Message: f.Message, Cause: f.Cause})
		}
		return nil
	}
	p.plan.Problems = append(p.plan.Problems, &azureml.Fault{Field: at, Message: err.Error(), Cause: err})
	return nil
}

// asset notes what a name was resolved to.
func (p *planning) asset(field, kind, given, id, reason string) {
	if p == nil || isExpression(given) || p.assets[kind+" "+given] {
		return
	}
	p.assets[kind+" "+given] = true
	a := PlannedAsset{Field: p.prefix + field, Kind: kind, Given: given, ID: id, Reason: reason}
	if ref, err := wire.ParseReference(id); err == nil {
		a.Name, a.Version = ref.Name, ref.Version
	}
	p.plan.Assets = append(p.plan.Assets, a)
}

// upload notes an upload.
func (p *planning) upload(field, kind string, up *assets.UploadPlan) {
	u := PlannedUpload{Field: p.prefix + field, Kind: kind, UploadPlan: *up, From: up.Root}
	if label := p.labels[up.Root]; label != "" {
		u.From = label
	}
	p.plan.Uploads = append(p.plan.Uploads, u)
}

// label names a folder that was made on the way.
func (p *planning) label(dir, what string) {
	if p == nil {
		return
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	p.labels[dir] = what
}

// sendSnapshot uploads code, and gives its id.
func (r *resolver) sendSnapshot(ctx context.Context, field, path string, extra ...string) (string, error) {
	o := &assets.CodeOptions{Extra: extra, Progress: r.o.Progress, Concurrency: r.o.Concurrency}
	if r.plan == nil {
		made, err := r.c.codes.Create(ctx, &assets.Code{Path: path}, o)
		if err != nil {
			return "", err
		}
		return made.ID, nil
	}
	up, err := r.c.codes.Plan(ctx, &assets.Code{Path: path}, o)
	if err != nil {
		return notThere, r.plan.fault(ctx, field, err)
	}
	r.plan.upload(field, "code", up)
	if up.Reused {
		return up.Target, nil
	}
	return notThere + up.Hash, nil
}

// planEnvironment says what registering an environment would do.
func (r *resolver) planEnvironment(ctx context.Context, field string, def *assets.Environment) (string, error) {
	if def.ID != "" {
		return def.ID, nil
	}
	e, err := r.c.environments.Plan(ctx, def)
	if err != nil {
		return notThere, r.plan.fault(ctx, field, err)
	}
	if e.Upload != nil {
		r.plan.upload(field, "build context", e.Upload)
	}
	given := def.Name
	if given == "" {
		given = "(defined here)"
	}
	id := e.ID
	if id == "" {
		id = r.c.id("environments", e.Name) + "/versions/" + e.Version
	}
	key := given
	if def.Name == "" {
		key += " " + e.Version
	}
	if !r.plan.assets["environment "+key] {
		r.plan.assets["environment "+key] = true
		r.plan.plan.Assets = append(r.plan.plan.Assets, PlannedAsset{
			Field: r.plan.prefix + field, Kind: "environment", Given: given, ID: id, Name: e.Name, Version: e.Version, New: e.ID == "", Reason: e.Reason,
		})
	}
	return id, nil
}

// planComponent says what registering a component would do (ComponentVersions_Get).
func (r *resolver) planComponent(ctx context.Context, c Component, name, version string, body map[string]any) (Component, error) {
	k := c.common()
	id := r.c.id("components", name) + "/versions/" + version
	err := r.c.rest.Do(ctx, &rest.Call{Op: r.op, Group: "components", Path: r.c.rest.Path("components", name, "versions", version)})
	a := PlannedAsset{Field: strings.TrimSuffix(r.plan.prefix, "."), Kind: "component", Given: *k.name, ID: id, Name: name, Version: version, Reason: "a version that says the same is there"}
	anonymous := a.Given == ""
	if anonymous {
		a.Given = "(defined here)"
	}
	switch {
	case isStatus(err, http.StatusNotFound):
		a.New, a.Reason = true, "there is no such version"
	case err != nil:
		if err := r.plan.fault(ctx, "", err); err != nil {
			return nil, err
		}
	case !anonymous:
		a.Reason = "the version is there and would be changed, where the service lets it be"
	}
	r.plan.plan.Assets = append(r.plan.plan.Assets, a)
	*k.id = id
	if props, ok := body["properties"].(map[string]any); ok && a.New {
		r.plan.specs[id], _ = props["componentSpec"].(map[string]any) // a component has one
	}
	if anonymous && r.made != nil {
		r.made[version] = c
	}
	return c, nil
}

// planInput says what the upload of an input would do. The address is where it would be.
func (r *resolver) planInput(ctx context.Context, field string, v Input) (string, error) {
	up, err := r.c.datastores.Plan(ctx, localPath(v.Path), &assets.UploadOptions{Datastore: v.Datastore, Progress: r.o.Progress, Concurrency: r.o.Concurrency})
	if err != nil {
		return v.Path, r.plan.fault(ctx, field, err)
	}
	r.plan.upload(field, "data", up)
	return fmt.Sprintf("azureml://datastores/%s/paths/%s", up.Datastore, up.Target), nil
}

// inline puts the specifications of components that are not there yet into the steps that name them.
func (p *planning) inline(steps any) any {
	nodes, ok := steps.(map[string]any)
	if !ok {
		return steps
	}
	out := make(map[string]any, len(nodes))
	for name, n := range nodes {
		out[name] = n
		node, ok := n.(map[string]any)
		if !ok {
			continue
		}
		id, _ := node["componentId"].(string)
		if trial, ok := node["trial"].(map[string]any); ok {
			id, _ = trial["componentId"].(string)
		}
		if spec := p.spec(id); spec != nil {
			node = maps.Clone(node)
			delete(node, "componentId")
			node["component"], out[name] = spec, node
		}
	}
	return out
}

// spec is the specification of a component that is not there yet.
func (p *planning) spec(id string) map[string]any {
	spec := p.specs[strings.TrimPrefix(id, "azureml:")]
	if spec == nil || spec["jobs"] == nil {
		return spec
	}
	spec = maps.Clone(spec)
	spec["jobs"] = p.inline(spec["jobs"])
	return spec
}

// whole is the job's body with all that is not there yet in its place.
func (p *planning) whole(body map[string]any) map[string]any {
	props, ok := body["properties"].(map[string]any)
	if !ok {
		return body
	}
	props = maps.Clone(props)
	id, _ := props["componentId"].(string)
	if spec := p.spec(id); spec != nil {
		delete(props, "componentId")
		props["jobs"] = spec["jobs"]
	} else if props["jobs"] != nil {
		props["jobs"] = p.inline(props["jobs"])
	}
	return map[string]any{"properties": props}
}

// names are the steps of a pipeline in their order.
func (j *PipelineJob) names() []string { return inOrder(j.Jobs, j.order) }
