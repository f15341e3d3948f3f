package jobs

import (
	"fmt"
	"maps"

	"github.com/azureml-go/azureml"
)

// heading is what the builders of several kinds of jobs have in common. B is the builder, which its methods give back.
type heading[B any] struct {
	b      *B
	h      head
	text   *string // the description
	faults azureml.Faults
}

func (d *heading[B]) fault(field, format string, a ...any) *B {
	d.faults = append(d.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	return d.b
}

// Named sets the job's name.
func (d *heading[B]) Named(name string) *B {
	*d.h.name = name
	if !jobName.MatchString(name) {
		return d.fault("name", "%q cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most", name)
	}
	return d.b
}

// Display sets the name that people see.
func (d *heading[B]) Display(name string) *B {
	*d.h.displayName = name
	return d.b
}

// Describe sets the description.
func (d *heading[B]) Describe(text string) *B {
	*d.text = text
	return d.b
}

// Experiment sets the experiment that the job belongs to.
func (d *heading[B]) Experiment(name string) *B {
	*d.h.experiment = name
	return d.b
}

// Tag adds a tag.
func (d *heading[B]) Tag(key, value string) *B {
	if f := tag(d.h.tags, key, value); f != "" {
		return d.fault("tags."+key, "%s", f)
	}
	return d.b
}

// tag adds a tag, or says why not.
func tag(tags *map[string]string, key, value string) string {
	if old, twice := (*tags)[key]; twice && old != value {
		return fmt.Sprintf("is set twice, to %q and %q", old, value)
	}
	if *tags == nil {
		*tags = map[string]string{}
	}
	(*tags)[key] = value
	return ""
}

// On sets the compute: its name or id.
func (d *heading[B]) On(compute string) *B {
	*d.h.compute = compute
	return d.b
}

// As sets who the job acts as.
func (d *heading[B]) As(identity azureml.Identity) *B {
	*d.h.identity = identity
	return d.b
}

// Input adds an input.
func (d *heading[B]) Input(name string, in Input) *B {
	field := "inputs." + name
	if _, twice := (*d.h.inputs)[name]; twice {
		return d.fault(field, "is given twice")
	}
	if *d.h.inputs == nil {
		*d.h.inputs = Inputs{}
	}
	(*d.h.inputs)[name] = in
	if !inputName.MatchString(name) {
		d.fault(field, "%q cannot be an input's name: %s", name, inputNameRules)
	}
	if f := in.fault(); f != "" && !in.bare() { // one that is bare is a step's to be given
		d.fault(field, "%s", f)
	}
	return d.b
}

// Output adds an output.
func (d *heading[B]) Output(name string, out Output) *B {
	field := "outputs." + name
	if _, twice := (*d.h.outputs)[name]; twice {
		return d.fault(field, "is given twice")
	}
	if *d.h.outputs == nil {
		*d.h.outputs = Outputs{}
	}
	(*d.h.outputs)[name] = out
	if !inputName.MatchString(name) {
		d.fault(field, "%q cannot be an output's name: %s", name, inputNameRules)
	}
	if f := out.fault(); f != "" {
		d.fault(field, "%s", f)
	}
	return d.b
}

// apart gives a copy of the job's maps of their own.
func (h head) apart() {
	*h.tags, *h.inputs, *h.outputs = maps.Clone(*h.tags), maps.Clone(*h.inputs), maps.Clone(*h.outputs)
}
