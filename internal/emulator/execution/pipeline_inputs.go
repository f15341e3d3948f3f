package execution

import (
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// unfit says which inputs of a pipeline its component does not know, and which it misses.
func (g *graph) unfit(c *component) (faults []*arm.Error) {
	for _, k := range sorted(g.spec.Inputs) {
		if c.Inputs[k] == nil {
			faults = append(faults, arm.Invalid("properties.inputs."+k, "the component has no input %q; it has: %s", k, strings.Join(sorted(c.Inputs), ", ")))
		} else if in := g.spec.Inputs[k]; in != nil && in.Value != nil {
			if err := c.Inputs[k].takes(string(*in.Value)); err != nil {
				faults = append(faults, arm.Invalid("properties.inputs."+k, "%v", err))
			}
		}
	}
	for _, k := range sorted(c.Inputs) {
		if p := c.Inputs[k]; p != nil && g.spec.Inputs[k] == nil && !bool(p.Optional) && p.Default == nil {
			faults = append(faults, arm.Invalid("properties.inputs."+k, "the component's input %q is required", k))
		}
	}
	return faults
}
