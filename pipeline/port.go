package pipeline

import (
	"github.com/azureml-go/azureml/jobs"
)

// Port is where data or a value comes from: an input of the pipeline, or an output of a step. Copies are as good as the
// original. The zero value is no port.
type Port struct {
	b    *Builder
	step *Step // nil for an input of the pipeline
	name string
	mode jobs.InputMode
}

// Mode is the port, read in a mode of its own: downloaded where others mount it, say.
func (p Port) Mode(m jobs.InputMode) Port {
	p.mode = m
	return p
}

// Name is the name of the input or output.
func (p Port) Name() string { return p.name }

// Step is the step that the port is an output of, nil for an input of the pipeline.
func (p Port) Step() *Step { return p.step }

// Expression is the port as files write it: "${{parent.inputs.raw}}", "${{parent.jobs.prep.outputs.clean}}".
func (p Port) Expression() string {
	switch {
	case p.b == nil:
		return ""
	case p.step == nil:
		return "${{parent.inputs." + p.name + "}}"
	}
	return "${{parent.jobs." + p.step.name + ".outputs." + p.name + "}}"
}

func (p Port) String() string { return p.Expression() }

// input is the port as a step's input.
func (p Port) input() jobs.Input {
	if p.mode != "" {
		return jobs.Input{Path: p.Expression(), Mode: p.mode}
	}
	return jobs.Input{Value: p.Expression()}
}

// Group is some inputs of a pipeline under one name: "rates.lr", "rates.epochs".
type Group struct {
	b    *Builder
	name string
}

// Group begins a group of inputs.
func (b *Builder) Group(name string) *Group { return &Group{b: b, name: name} }

// Group is a group within the group.
func (g *Group) Group(name string) *Group { return &Group{b: g.b, name: g.name + "." + name} }

// Input adds an input to the group.
func (g *Group) Input(name string, in jobs.Input) Port { return g.b.Input(g.name+"."+name, in) }

// Parameter adds an input to the group that is described as a component's are.
func (g *Group) Parameter(name string, in jobs.ComponentInput) Port {
	return g.b.Parameter(g.name+"."+name, in)
}
