package emulator

import (
	"errors"
	"maps"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// takeSource gives a pipeline component that names a job, and no steps of its
// own, the job's steps. The job's inputs become inputs with defaults, its outputs
// outputs. It is how deployments are made of pipelines that ran.
func takeSource(c *call, spec map[string]any) error {
	name := document(spec).text("sourceJobId")
	if name == "" || !nothing(spec["jobs"]) || spec["type"] != "pipeline" || c.sc.Workspace == "" {
		return nil
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	name = strings.TrimPrefix(name, "azureml:")
	d, err := c.s.wholeJob(c.ctx(), c.sc, name)
	if errors.Is(err, store.ErrNotFound) {
		return arm.NotFound("job", name)
	}
	if err != nil {
		return err
	}
	p := document(d.props())
	if p.text("jobType") != "Pipeline" {
		return arm.Invalid("properties.componentSpec.sourceJobId", "The job %q is of type %s, not Pipeline.", name, p.text("jobType"))
	}
	if id := p.text("componentId"); id != "" && nothing(p["jobs"]) {
		loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, id, arm.Components)
		if err != nil {
			return err
		}
		v, err := decode(loc.Properties)
		if err != nil {
			return err
		}
		m, ok := v.(map[string]any)
		if !ok {
			return errors.New("the component's document is no object")
		}
		for _, k := range []string{"jobs", "inputs", "outputs"} {
			spec[k] = document(m).at("componentSpec", k)
		}
	} else {
		spec["jobs"], spec["inputs"], spec["outputs"] = copyOf(p["jobs"]), map[string]any{}, map[string]any{}
	}
	inputs, outputs := portsOf(spec, "inputs"), portsOf(spec, "outputs")
	for k, v := range p.object("inputs") {
		in, ok := v.(map[string]any)
		if !ok {
			continue
		}
		port := map[string]any{"type": document(in).text("jobInputType")}
		if old, ok := inputs[k].(map[string]any); ok {
			port = maps.Clone(old)
		} else if port["type"] == "literal" {
			port["type"] = "string"
		}
		if v := in["value"]; v != nil {
			port["default"] = v
		} else if uri := document(in).text("uri"); uri != "" {
			port["default"] = uri
		}
		inputs[k] = port
	}
	for k, v := range p.object("outputs") {
		if k == "default" || outputs[k] != nil {
			continue
		}
		typ := "uri_folder"
		if o, ok := v.(map[string]any); ok && document(o).text("jobOutputType") != "" {
			typ = document(o).text("jobOutputType")
		}
		outputs[k] = map[string]any{"type": typ}
	}
	spec["inputs"], spec["outputs"] = inputs, outputs
	return nil
}

// portsOf are a specification's inputs or outputs; an empty object when there are none.
func portsOf(spec map[string]any, field string) map[string]any {
	if m, ok := spec[field].(map[string]any); ok {
		return maps.Clone(m)
	}
	return map[string]any{}
}
