package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// controlProperty is where programs write the values of outputs that are no
// files, as JSON: a property of the run.
const controlProperty = "azureml.pipeline.control"

// value is that of a step's output that is no file.
func (p *pipelining) value(step, output string) (string, error) {
	n := p.nodes[p.g.owner(step)]
	if n == nil || n.state != Completed {
		return "", fmt.Errorf("the step %q has not ended", step)
	}
	if v, ok := n.values[output]; ok {
		return v, nil
	}
	v, err := p.j.e.literal(p.j.ctx, &Record{Scope: p.r.Scope, Name: n.runName, Live: Live{Outputs: n.outputs}}, output)
	if err != nil {
		return "", err
	}
	if n.values == nil {
		n.values = map[string]string{}
	}
	n.values[output] = v
	return v, nil
}

// literal is the value that a job has put out: what it wrote to the property of
// its run, or to the file of the output.
func (e *Engine) literal(ctx context.Context, r *Record, output string) (string, error) {
	props := map[string]string{}
	err := e.DB.View(ctx, func(tx *sql.Tx) error {
		d, err := store.Get(tx, r.Scope.Child("runExtras", r.Name))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(d.Body, &props)
	})
	if err != nil {
		return "", err
	}
	if text := props[controlProperty]; text != "" {
		var all map[string]scalar
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return "", fmt.Errorf("the run's property %s: %w", controlProperty, err)
		}
		if v, ok := all[output]; ok {
			return string(v), nil
		}
	}
	o, ok := r.Outputs[output]
	if !ok {
		return "", fmt.Errorf("there is no output %q", output)
	}
	b, err := e.readBlob(ctx, r.Scope, o.URI)
	if errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("the output %q has no value: its file was not written", output)
	}
	return strings.TrimRight(string(b), "\r\n"), err
}

// maxValue bounds what is read of a file whose content is a value.
const maxValue = 1 << 20

func (e *Engine) readBlob(ctx context.Context, sc arm.Scope, uri string) ([]byte, error) {
	loc, err := e.resolve(ctx, sc, uri, arm.Data)
	if err != nil {
		return nil, err
	}
	f, err := e.Blobs.Open(ctx, loc.Account, loc.Container, loc.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxValue))
}

func (p *pipelining) write(uri, content string) error {
	ctx := context.WithoutCancel(p.j.ctx)
	loc, err := p.j.e.resolve(ctx, p.r.Scope, uri, arm.Data)
	if err != nil {
		return err
	}
	_, err = p.j.e.Blobs.Put(ctx, loc.Account, loc.Container, loc.Path, strings.NewReader(content), nil)
	return err
}

// copyInto copies what lies at one address below another.
func (p *pipelining) copyInto(from, to string) error {
	return p.j.e.copyTo(p.j.ctx, p.r.Scope, from, to)
}

// copyTo copies what is at an address to another one.
func (e *Engine) copyTo(ctx context.Context, sc arm.Scope, from, to string) error {
	src, err := e.resolve(ctx, sc, from, arm.Data)
	if err != nil {
		return err
	}
	dst, err := e.resolve(ctx, sc, to, arm.Data)
	if err != nil {
		return err
	}
	_, err = e.copyTree(ctx, src, dst, nil)
	return err
}

// copyTree copies a file, or all below a folder, and says how many there were.
// seen is told each name before it is written.
func (e *Engine) copyTree(ctx context.Context, src, dst *arm.Location, seen func(name string) error) (int, error) {
	if err := e.Blobs.EnsureContainer(ctx, dst.Account, dst.Container); err != nil {
		return 0, err
	}
	one := func(name, to string) error {
		if seen != nil {
			if err := seen(to); err != nil {
				return err
			}
		}
		f, err := e.Blobs.Open(ctx, src.Account, src.Container, name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = e.Blobs.Put(ctx, dst.Account, dst.Container, to, f, nil)
		return err
	}
	below := strings.TrimSuffix(dst.Path, "/")
	if name := src.Path; name != "" && !strings.HasSuffix(name, "/") {
		if _, err := e.Blobs.Stat(ctx, src.Account, src.Container, name); err == nil {
			to := dst.Path
			if to == "" || strings.HasSuffix(to, "/") {
				to = path.Join(to, path.Base(name))
			}
			return 1, one(name, to)
		} else if !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
	}
	prefix := strings.TrimSuffix(src.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	var names []string
	for it, err := range e.Blobs.List(ctx, src.Account, src.Container, prefix) {
		if err != nil {
			return 0, err
		}
		if !strings.HasSuffix(it.Name, "/") {
			names = append(names, it.Name)
		}
	}
	for _, n := range names {
		if err := one(n, path.Join(below, strings.TrimPrefix(n, prefix))); err != nil {
			return 0, err
		}
	}
	return len(names), nil
}

// deliver brings a loop's outputs where the pipeline, or the loop, wants them.
func (p *pipelining) deliver(n *vertex, outs map[string]*stepOutput) error {
	for _, k := range sorted(outs) {
		o := outs[k]
		from, ok := n.outputs[k]
		if o == nil || !ok {
			continue
		}
		want := output{URI: o.URI, AssetName: o.Name, AssetVersion: string(o.Version)}
		name := k
		if m := toOutput.FindStringSubmatch(o.Value); m != nil && p.g.spec.Outputs[m[1]] != nil {
			name, want = m[1], *p.g.spec.Outputs[m[1]]
		}
		if want.URI != "" {
			to := arm.ExpandOutput(want.URI, p.r.Name, name)
			if err := p.copyInto(from.URI, to); err != nil {
				return err
			}
			from.URI = to
		}
		if want.AssetName != "" {
			id, err := p.j.e.Register(p.j.ctx, p.r.Scope, Asset{Collection: registeredAs(from.Type), Name: want.AssetName, Version: want.AssetVersion, Type: from.Type, URI: from.URI, Job: p.r.Name, Description: want.Description})
			if err != nil {
				return fmt.Errorf("the output %q could not be registered as %s: %w", k, want.AssetName, err)
			}
			from.AssetID = id
		}
		n.outputs[k] = from
	}
	return nil
}

// promote gives the pipeline the addresses and assets of the outputs that its
// steps filled.
func (p *pipelining) promote() error {
	found := map[string]Output{}
	for _, n := range p.nodes {
		if n.state != Completed {
			continue
		}
		outs := []map[string]*stepOutput{n.Outputs}
		if n.body != nil {
			outs = append(outs, n.body.Outputs)
		}
		for _, of := range outs {
			for k, o := range of {
				if o == nil {
					continue
				}
				if m := toOutput.FindStringSubmatch(o.Value); m != nil {
					if v, ok := n.outputs[k]; ok {
						found[m[1]] = v
					}
				}
			}
		}
	}
	p.j.alter(func(r *Record) {
		for k, o := range found {
			r.Outputs[k] = o
		}
	})
	return nil
}
