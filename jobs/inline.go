package jobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/azureml-go/azureml"
)

// Draft gives the plain struct of a job, and what its builder has kept as wrong: a builder's job as far as it has been made,
// else the job itself. It is for programs that make something else of a job, as package pipeline makes steps.
func Draft(s Spec) (Spec, azureml.Faults) {
	if s == nil {
		return nil, azureml.Faults{{Message: "there is no job"}}
	}
	if b, ok := s.(builder); ok {
		if d, kept := b.partial(); d != nil {
			return d, kept
		}
	}
	d, err := s.job()
	if err != nil {
		if list, ok := errors.AsType[azureml.Faults](err); ok {
			return nil, list
		}
		return nil, azureml.Faults{{Message: err.Error(), Cause: err}}
	}
	return d, nil
}

// Check reports what Submit would refuse that the job says by itself. It reads no file and asks no service: whether folders,
// computes and assets are there is found out by Validate and Submit.
func Check(s Spec) error {
	d, kept := Draft(s)
	c := &checker{faults: kept, bare: true}
	if d != nil {
		d.(definition).check(c.context(), c)
	}
	if err := c.faults.Err(); err != nil {
		return fmt.Errorf("jobs: check: %w", err)
	}
	return nil
}

// CheckComponent is Check for a component.
func CheckComponent(k Component) error {
	if absent(k) {
		return errors.New("components: check: the component is nil")
	}
	c := &checker{bare: true}
	k.check(c.context(), c)
	if err := c.faults.Err(); err != nil {
		return fmt.Errorf("components: check: %w", err)
	}
	return nil
}

// Inline is a copy of a component as a part of a pipeline: it is registered without a name, its version being a hash of what
// it says. A component that the service has already stays the one that it is.
func Inline(k Component) Component {
	if absent(k) || k.ComponentRef() != "" {
		return k
	}
	c := k.cloneComponent()
	h := c.common()
	if *h.anonymous = true; *h.made == "" {
		if _, ok := c.(*PipelineComponent); ok {
			*h.made = fromDSL
		}
	}
	return c
}

// nameless tells components that are registered under the hash of what they say.
func (c component) nameless() bool { return *c.name == "" || *c.anonymous && *c.id == "" }

// Tables are the step's tables by field: training_data and, where the task has them, validation_data and test_data. What is
// set in them is set in the step.
func (n *AutoMLNode) Tables() map[string]*Input {
	out := map[string]*Input{}
	if n.Task != nil {
		for _, t := range n.Task.parts().tables() {
			out[t.field] = t.in
		}
	}
	return out
}

// CloneNode is a copy of a step whose fields can be set without changing the original's; maps and components are shared.
func CloneNode(n Node) Node {
	if n == nil {
		return nil
	}
	return n.cloneNode()
}

// bare tells inputs that say what they are and not where.
func (in Input) bare() bool { return in.Type != "" && in.Path == "" && in.Value == nil }

// unfilled reports inputs that are bare: as a job they have to be somewhere.
func (c *checker) unfilled(inputs Inputs) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if in := inputs[name]; in.bare() {
			c.add("inputs."+name, "%s", in.fault())
		}
	}
}
