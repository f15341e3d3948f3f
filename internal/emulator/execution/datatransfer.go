package execution

import (
	"context"
	"encoding/json"
	"path"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// transferSpec is a copy from inputs to one output, as steps of type
// data_transfer make it.
type transferSpec struct {
	commandSpec
	Task string `json:"task"`
	Mode string `json:"dataCopyMode"`
}

const (
	mergeWithOverwrite = "merge_with_overwrite"
	failIfConflict     = "fail_if_conflict"
)

func init() {
	addKind("DataTransfer", &kind{inner: true, check: checkTransfer, drive: (*job).transfer})
	addNode("data_transfer", &nodeType{component: "data_transfer", check: checkTransferNode, job: transferNode})
}

// transferFields are a node's own.
type transferFields struct {
	Task string `json:"task"`
	Mode string `json:"data_copy_mode"`
}

// checkTransferNode refuses what leads out of the workspace.
func checkTransferNode(s *step) error {
	var f transferFields
	if err := s.own(&f); err != nil {
		return err
	}
	if f.Task == "import_data" || f.Task == "export_data" {
		return arm.Invalid("task", "a step of type data_transfer with the task %s: the local workspace reaches no databases or file systems of others; it runs the task copy_data", f.Task)
	}
	return nil
}

// transferNode fills the copy; what the node says wins over its component.
func transferNode(_ *graph, s *step, p map[string]any) error {
	var f transferFields
	if err := s.component.own(&f); err != nil {
		return err
	}
	if err := s.own(&f); err != nil {
		return err
	}
	p["jobType"], p["task"], p["dataCopyMode"] = "DataTransfer", f.Task, f.Mode
	return nil
}

func checkTransfer(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
	var s transferSpec
	if err := json.Unmarshal(properties, &s); err != nil {
		return []*arm.Error{arm.Invalid("properties", "the job cannot be read: %v", err)}
	}
	var out []*arm.Error
	add := func(err error) { out = append(out, arm.As(err)) }
	if s.Task != "copy_data" {
		add(arm.Invalid("properties.task", "the local workspace runs the task copy_data; %q is not it", s.Task))
	}
	if s.Mode != mergeWithOverwrite && s.Mode != failIfConflict {
		add(arm.Invalid("properties.data_copy_mode", "want %s or %s, got %q", mergeWithOverwrite, failIfConflict, s.Mode))
	}
	if len(s.Inputs) == 0 {
		add(arm.Invalid("properties.inputs", "an input is required"))
	}
	if len(s.Outputs) != 1 {
		add(arm.Invalid("properties.outputs", "one output is required, there are %d", len(s.Outputs)))
	}
	for k := range s.Outputs {
		if o := outputOf(&s.commandSpec, k); o.Type == "uri_file" && len(s.Inputs) > 1 {
			add(arm.Invalid("properties.outputs."+k, "several inputs are copied to a folder, not to a uri_file"))
		}
	}
	e.checkPorts(ctx, sc, &s.commandSpec, add)
	return out
}

// transfer copies the inputs, one after the other in the order of their names.
func (j *job) transfer() error {
	e, r := j.e, j.snapshot()
	var s transferSpec
	if err := json.Unmarshal(r.Spec, &s); err != nil {
		return err
	}
	now := e.Clock()
	r = j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started, r.Outputs = now, destinations(r.Scope, r.Name, &s.commandSpec)
	})
	if err := e.store(j.ctx, r); err != nil {
		return j.cause(err)
	}
	name := sorted(s.Outputs)[0]
	o := outputOf(&s.commandSpec, name)
	dst, err := e.resolve(j.ctx, r.Scope, r.Outputs[name].URI, arm.Data)
	if err != nil {
		return err
	}
	written := map[string]string{} // by the input that brought it
	for _, k := range sorted(s.Inputs) {
		in := s.Inputs[k]
		if in == nil || in.Type == "literal" {
			continue
		}
		src, err := e.resolve(j.ctx, r.Scope, in.URI, collectionOf(in.Type))
		if err != nil {
			return err
		}
		to := *dst
		if in.Type == "uri_file" && o.Type != "uri_file" { // a file goes into the folder
			to.Path = strings.TrimSuffix(dst.Path, "/") + "/"
		}
		n, err := e.copyTree(j.ctx, src, &to, func(file string) error {
			if s.Mode == failIfConflict {
				if from, ok := written[file]; ok {
					return userError("the inputs %s and %s both have %s, and data_copy_mode is %s", from, k, path.Base(file), failIfConflict)
				}
				if _, err := e.Blobs.Stat(j.ctx, dst.Account, dst.Container, file); err == nil {
					return userError("%s is there already, and data_copy_mode is %s", arm.BlobURL(dst.Account, dst.Container, file), failIfConflict)
				}
			}
			written[file] = k
			return nil
		})
		if err != nil {
			return j.cause(err)
		}
		if n == 0 && in.Step == "" {
			return userError("the input %s: there is nothing at %s", k, arm.BlobURL(src.Account, src.Container, src.Path))
		}
	}
	if o.AssetName == "" {
		return nil
	}
	id, err := e.Register(j.ctx, r.Scope, Asset{Collection: registeredAs(o.Type), Name: o.AssetName, Version: o.AssetVersion, Type: o.Type, URI: r.Outputs[name].URI, Job: r.Name, Description: o.Description})
	if err != nil {
		return userError("the output %q could not be registered as %s: %v", name, o.AssetName, err)
	}
	j.alter(func(r *Record) {
		d := r.Outputs[name]
		d.AssetID = id
		r.Outputs[name] = d
	})
	return nil
}
