package execution

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// PlanFaults is Check for a job that is only planned: what would be refused, without what fails for things
// that would be made before. absent tells of an id or address that it is of such a thing.
func (e *Engine) PlanFaults(ctx context.Context, sc arm.Scope, properties json.RawMessage, absent func(text string) bool) []*arm.Error {
	var s struct{ JobType string }
	if err := json.Unmarshal(properties, &s); err != nil {
		return []*arm.Error{arm.Invalid("properties", "the job cannot be read: %v", err)}
	}
	if s.JobType != "Pipeline" {
		return e.plannedFaults(ctx, sc, s.JobType, properties, absent)
	}
	g, faults := e.graphWith(ctx, sc, properties, true)
	if g == nil || len(faults) > 0 {
		return faults
	}
	ctx = withMemory(ctx)
	for _, name := range g.order {
		step := g.steps[name]
		if step.control != nil || step.component == nil {
			continue
		}
		if id := step.component.missing; id != "" {
			if _, err := e.component(ctx, sc, assetID(id)); err != nil && !absent(id) {
				faults = append(faults, arm.As(at("properties.jobs."+name, err)))
			}
			continue
		}
		for _, f := range e.plannedStep(ctx, sc, g, step, absent) {
			f.Target = "properties.jobs." + name + "." + strings.TrimPrefix(f.Target, "properties.")
			faults = append(faults, f)
		}
	}
	return faults
}

func (e *Engine) plannedStep(ctx context.Context, sc arm.Scope, g *graph, s *step, absent func(text string) bool) []*arm.Error {
	props, err := g.sample(sc, s)
	if err != nil {
		return []*arm.Error{arm.As(err)}
	}
	if s.kindOf().component == "pipeline" {
		return e.PlanFaults(ctx, sc, props, absent)
	}
	return e.plannedFaults(ctx, sc, s.name, props, absent)
}

// plannedFaults leaves out the faults of fields that name what is not there yet.
func (e *Engine) plannedFaults(ctx context.Context, sc arm.Scope, name string, properties json.RawMessage, absent func(text string) bool) (faults []*arm.Error) {
	err := e.check(ctx, sc, name, properties, true)
	if err == nil {
		return nil
	}
	all := []*arm.Error{arm.As(err)}
	if len(all[0].Details) > 0 {
		all = all[0].Details
	}
	for _, f := range all {
		if !absent(textAt(properties, strings.TrimPrefix(f.Target, "properties."))) {
			faults = append(faults, f)
		}
	}
	return faults
}

// textAt is the text in the place that a path of keys names, "" for none.
func textAt(raw json.RawMessage, path string) string {
	for _, k := range strings.Split(path, ".") {
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) != nil {
			return ""
		}
		raw = m[k]
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text
}
