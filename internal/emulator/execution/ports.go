package execution

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// materialise brings the code and the inputs of a job to its folder and makes
// the places of its outputs.
func (j *job) materialise(s *commandSpec, p *paths) error {
	e, r := j.e, j.snapshot()
	if err := p.fresh(s); err != nil {
		return err
	}
	if s.CodeID != "" {
		loc, err := e.resolve(j.ctx, r.Scope, s.CodeID, arm.Codes)
		if err != nil {
			return err
		}
		if _, err := e.fetch(j.ctx, loc, p.code, false); err != nil {
			return err
		}
	}
	for _, k := range sorted(s.Inputs) {
		in := s.Inputs[k]
		if in == nil || in.Type == "literal" && in.Value == nil {
			continue
		}
		if in.Type == "literal" {
			p.values["inputs."+k] = string(*in.Value)
			continue
		}
		loc, err := e.resolve(j.ctx, r.Scope, in.URI, collectionOf(in.Type))
		if err != nil {
			return err
		}
		if in.Mode == "Direct" {
			p.values["inputs."+k] = directURI(r.Scope, in.URI, loc)
			continue
		}
		dir := filepath.Join(p.inputs, k)
		if err := p.mkdir(dir); err != nil {
			return err
		}
		if in.Step != "" && memoryOf(j.ctx).isEmpty(in.URI) { // nobody need look
			p.values["inputs."+k] = filepath.ToSlash(dir)
			continue
		}
		at, err := e.fetch(j.ctx, loc, dir, in.Type == "uri_file")
		// A shell takes the backslashes of Windows for its own.
		if p.values["inputs."+k] = filepath.ToSlash(at); errors.Is(err, errNothing) && in.Step != "" && in.Type != "uri_file" {
			err = nil // a step need not write each output
		}
		if e, ok := errors.AsType[*JobError](err); ok && errors.Is(err, errNoFile) && in.Step != "" {
			err = userError("the step %s has not written it: %s", in.Step, e.Message)
		}
		if err != nil {
			return ofInput(k, err)
		}
	}
	for _, k := range sorted(s.Outputs) {
		o := outputOf(s, k)
		at := filepath.Join(p.outputs, k)
		if o.Mode == "Direct" {
			p.values["outputs."+k] = r.Outputs[k].URI
			continue
		}
		if o.Type == "uri_file" {
			at = filepath.Join(at, fileName(r.Outputs[k].URI))
			if err := p.mkdir(filepath.Dir(at)); err != nil {
				return err
			}
		} else if err := p.mkdir(at); err != nil {
			return err
		}
		p.values["outputs."+k] = filepath.ToSlash(at)
		if d := r.Outputs[k].URI; mounts(&o, k) {
			loc, err := e.resolve(j.ctx, r.Scope, d, arm.Data)
			if err != nil {
				return err
			}
			was, err := e.mount(j.ctx, loc, &o, at)
			if err != nil {
				return err
			}
			if was != nil {
				if p.mounted == nil {
					p.mounted = map[string]map[string]stamp{}
				}
				p.mounted[k] = was
			}
		}
	}
	return nil
}

func outputOf(s *commandSpec, name string) output {
	if o := s.Outputs[name]; o != nil {
		return *o
	}
	return output{Type: "uri_folder"}
}

func fileName(uri string) string { return uri[strings.LastIndexByte(uri, '/')+1:] }

// directURI is what a program that reads the storage itself is given.
func directURI(sc arm.Scope, uri string, loc *arm.Location) string {
	switch {
	case loc.URL != "":
		return loc.URL
	case loc.Datastore != "":
		return sc.DatastoreURI(loc.Datastore, loc.Path)
	case strings.HasPrefix(uri, "azureml:"), strings.HasPrefix(uri, "/subscriptions/"):
		return arm.BlobURL(loc.Account, loc.Container, loc.Path)
	}
	return uri
}

// destinations decides where each output goes, before the job runs.
func destinations(sc arm.Scope, name string, s *commandSpec) map[string]Output {
	out := map[string]Output{"default": {Type: "uri_folder", URI: "azureml://datastores/" + arm.ArtifactStore + "/" + arm.RunPrefix(name)}}
	for k := range s.Outputs {
		o := outputOf(s, k)
		uri := arm.ExpandOutput(o.URI, name, k)
		if uri == "" {
			uri = sc.DatastoreURI(arm.BlobStore, arm.OutputPrefix(name, k))
			if o.Type == "uri_file" {
				uri = strings.TrimSuffix(uri, "/")
			}
		}
		out[k] = Output{Type: o.Type, URI: uri}
	}
	return out
}

// collect keeps what the job left: its outputs, and the folders outputs/ and
// logs/ of its working folder as artifacts of its run, as Azure does. An output
// with an asset name is registered when all files are there.
func (j *job) collect(ctx context.Context, s *commandSpec, p *paths, succeeded bool) error {
	e, r := j.e, j.snapshot()
	account, container, err := e.Artifacts(ctx, r.Scope)
	if err != nil {
		return err
	}
	for _, folder := range []string{"outputs", "logs"} {
		_, left, err := e.keepFolder(ctx, filepath.Join(p.code, folder), account, container, arm.RunPrefix(r.Name)+"/"+folder, nil)
		if err != nil {
			return err
		}
		j.leftOut(folder, left)
	}
	var errs []error
	for _, k := range sorted(s.Outputs) {
		o := outputOf(s, k)
		dest := r.Outputs[k]
		if o.Mode != "Direct" {
			loc, err := e.resolve(ctx, r.Scope, dest.URI, arm.Data)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			n, err := j.keepOutput(ctx, k, o, p, loc)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if n == 0 && dest.URI == r.Scope.DatastoreURI(arm.BlobStore, arm.OutputPrefix(r.Name, k)) {
				memoryOf(j.ctx).noteEmpty(dest.URI)
			}
		}
		if o.AssetName == "" || !succeeded {
			continue
		}
		id, err := e.Register(ctx, r.Scope, Asset{Collection: registeredAs(o.Type), Name: o.AssetName, Version: o.AssetVersion, Type: o.Type, URI: dest.URI, Job: r.Name, Description: o.Description})
		if err != nil {
			errs = append(errs, userError("the output %q could not be registered as %s: %v", k, o.AssetName, err))
			continue
		}
		j.alter(func(r *Record) {
			d := r.Outputs[k]
			d.AssetID = id
			r.Outputs[k] = d
		})
	}
	return errors.Join(errs...)
}

func registeredAs(outputType string) string {
	if strings.HasSuffix(outputType, "_model") {
		return arm.Models
	}
	return arm.Data
}

// keepOutput keeps an output's files and says how many there were.
func (j *job) keepOutput(ctx context.Context, name string, o output, p *paths, loc *arm.Location) (int, error) {
	from, was := p.values["outputs."+name], p.mounted[name]
	if len(was) > 0 {
		if err := j.e.unmount(ctx, loc, from, was); err != nil {
			return 0, err
		}
	}
	info, err := os.Stat(from)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil // a job need not write each output
	}
	if o.Type != "uri_file" || err == nil && info.IsDir() { // a program may make a folder where a file was meant
		n, left, err := j.e.keepFolder(ctx, from, loc.Account, loc.Container, strings.TrimSuffix(loc.Path, "/"), was)
		j.leftOut(name, left)
		return n, err
	}
	if err := j.e.Blobs.EnsureContainer(ctx, loc.Account, loc.Container); err != nil {
		return 0, err
	}
	_, err = j.e.Blobs.PutFile(ctx, loc.Account, loc.Container, loc.Path, from, nil)
	return 1, err
}

// ofInput says in a user's error which input it is about.
func ofInput(name string, err error) error {
	var e *JobError
	if !errors.As(err, &e) {
		return err
	}
	if rest, ok := strings.CutPrefix(e.Message, "the input "); ok {
		return userError("the input %q %s", name, rest)
	}
	return userError("the input %q: %s", name, e.Message)
}

// leftOut notes what of a folder could not be kept.
func (j *job) leftOut(folder string, what []string) {
	if len(what) == 0 {
		return
	}
	const at = "azureml.local.notKept"
	j.change(func(r *Record) {
		text := folder + "/" + strings.Join(what, "; "+folder+"/")
		if before := r.Properties[at]; before != "" {
			text = before + "; " + text
		}
		r.Properties[at] = text
	})
}
