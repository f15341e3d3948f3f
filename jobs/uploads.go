package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// anonymous takes the name from an environment that is defined inside a job's file: there it is no more than
// the name of the file that it was taken from. In Go a definition with a name is registered under it.
func anonymous(d *wire.Decoding, e assets.EnvironmentSource) {
	if def, ok := e.(*assets.Environment); ok && def != nil && d.Spelling() == wire.YAML {
		def.Name, def.Version = "", ""
	}
}

// environment checks that there is one, and that it is in the workspace or can be made.
func (c *checker) environment(ctx context.Context, field string, e assets.EnvironmentSource) {
	switch e := e.(type) {
	case nil:
		c.add(field, "an environment is required: a reference such as \"azureml:NAME@latest\", or a definition")
	case azureml.Ref:
		if e == "" {
			c.add(field, "an environment is required: a reference such as \"azureml:NAME@latest\", or a definition")
			return
		}
		c.environmentRef(ctx, field, e)
	case *assets.Environment:
		if e == nil {
			c.add(field, "an environment is required: the definition is nil")
			return
		}
		if e.ID == "" && !c.bare {
			c.part(field, e.Validate(ctx))
		}
	}
}

// environment resolves a reference to an environment. A definition is left for register: nothing is made
// while something may still turn out to be wrong.
func (r *resolver) environment(ctx context.Context, field string, e assets.EnvironmentSource) (assets.EnvironmentSource, error) {
	ref, ok := e.(azureml.Ref)
	if !ok || isExpression(string(ref)) {
		return e, nil
	}
	id, err := once(r.refs, "environment "+string(ref), func() (string, error) { return r.c.environments.Resolve(ctx, ref, nil) })
	if err != nil && r.plan != nil {
		return e, r.plan.fault(ctx, field, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	r.plan.asset(field, "environment", string(ref), id, "")
	return azureml.Ref(id), nil
}

// register makes an environment that is defined in the job.
func (r *resolver) register(ctx context.Context, field string, e assets.EnvironmentSource) (assets.EnvironmentSource, error) {
	def, ok := e.(*assets.Environment)
	if !ok {
		return e, nil
	}
	id, err := once(r.envs, def, func() (string, error) {
		if r.plan != nil {
			return r.planEnvironment(ctx, field, def)
		}
		return r.c.environments.Resolve(ctx, def, r.create())
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return azureml.Ref(id), nil
}

func (r *resolver) create() *assets.CreateOptions {
	return &assets.CreateOptions{Progress: r.o.Progress, Concurrency: r.o.Concurrency}
}

// compile makes a folder of a Go program. The command is what runs it.
func (r *resolver) compile(ctx context.Context, field string, code Code, command, compute string) (Code, string, error) {
	command = doubleBraces(command)
	if code.Go == nil {
		return code, command, nil
	}
	fail := func(err error) (Code, string, error) {
		if r.plan != nil {
			return Code{}, command, r.plan.fault(ctx, field, err)
		}
		return Code{}, "", fmt.Errorf("%s: %w", field, err)
	}
	p, err := r.platform(ctx, compute)
	if err != nil {
		return fail(err)
	}
	r.c.rest.Logger().InfoContext(ctx, "jobs: compiling", "program", code.Go.Package, "goos", p.os, "goarch", p.arch)
	dir, remove, err := code.Go.build(ctx, p)
	if err != nil {
		return fail(err)
	}
	r.remove = append(r.remove, remove)
	run, err := code.Go.command(command)
	if err != nil {
		return fail(err)
	}
	r.plan.label(dir, fmt.Sprintf("%s (compiled for %s/%s)", code.Go.Package, p.os, p.arch))
	return Folder(dir), run, nil
}

// sendCode uploads a job's code.
func (r *resolver) sendCode(ctx context.Context, field string, code Code) (Code, error) {
	path := localPath(code.Path)
	switch {
	case code.Ref != "":
		id, err := r.c.codes.Resolve(ctx, code.Ref)
		if err != nil && r.plan != nil {
			return code, r.plan.fault(ctx, field, err)
		}
		if err != nil {
			return Code{}, fmt.Errorf("%s: %w", field, err)
		}
		r.plan.asset(field, "code", string(code.Ref), id, "")
		return CodeRef(azureml.Ref(id)), nil
	case path == "":
		return Code{}, nil
	}
	id, err := r.sendSnapshot(ctx, field, path)
	if err != nil {
		return Code{}, fmt.Errorf("%s: %w", field, err)
	}
	return CodeRef(azureml.Ref(id)), nil
}

// references resolves the inputs that name assets.
func (r *resolver) references(ctx context.Context, in Inputs) (Inputs, error) {
	out := maps.Clone(in)
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := in[name]
		if v.IsLiteral() || wire.IsLocalPath(v.Path) {
			continue
		}
		path, err := r.reference(ctx, v)
		if err != nil && r.plan != nil {
			if err := r.plan.fault(ctx, "inputs."+name, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("inputs.%s: %w", name, err)
		}
		if path != v.Path {
			kind := "data"
			if t := v.dataType(); t == TypeCustomModel || t == TypeMLFlowModel {
				kind = "model"
			}
			r.plan.asset("inputs."+name, kind, v.Path, path, "")
		}
		v.Path = path
		out[name] = v
	}
	return out, nil
}

// reference resolves one: azureml:NAME:VERSION and the like to an id; addresses stay.
func (r *resolver) reference(ctx context.Context, in Input) (string, error) {
	short, ok := strings.CutPrefix(in.Path, "azureml:")
	switch {
	case ok && strings.HasPrefix(short, "//"): // azureml://…
		return in.Path, nil
	case ok && strings.HasPrefix(short, "/"):
		return short, nil
	case !ok:
		return in.Path, nil
	}
	// The reference SDK looks a Triton model up among data assets; a job gets what it gets there.
	if in.dataType() == TypeCustomModel || in.dataType() == TypeMLFlowModel {
		return once(r.refs, "model "+in.Path, func() (string, error) { return r.c.models.Resolve(ctx, azureml.Ref(in.Path), nil) })
	}
	return once(r.refs, "data "+in.Path, func() (string, error) { return r.c.data.Resolve(ctx, azureml.Ref(in.Path)) })
}

// uploads sends the inputs that are files here.
func (r *resolver) uploads(ctx context.Context, in Inputs) (Inputs, error) {
	out := maps.Clone(in)
	for _, name := range slices.Sorted(maps.Keys(in)) {
		v := in[name]
		if v.IsLiteral() || !wire.IsLocalPath(v.Path) {
			continue
		}
		path, err := r.upload(ctx, "inputs."+name, v)
		if err != nil {
			return nil, fmt.Errorf("inputs.%s: %w", name, err)
		}
		v.Path = path
		if v.dataType() == TypeURIFolder && !strings.HasSuffix(v.Path, "/") {
			v.Path += "/"
		}
		out[name] = v
	}
	return out, nil
}

// upload sends one input, and gives its address.
func (r *resolver) upload(ctx context.Context, field string, v Input) (string, error) {
	if r.plan != nil {
		return r.planInput(ctx, field, v)
	}
	up, err := r.c.datastores.Upload(ctx, localPath(v.Path), &assets.UploadOptions{Datastore: v.Datastore, Progress: r.o.Progress, Concurrency: r.o.Concurrency})
	if err != nil {
		return "", err
	}
	return up.ShortURI(), nil
}
