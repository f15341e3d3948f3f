package jobs

import (
	"context"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// CommandNode is a step that runs a command component. In a file it may define its command in place: the component is
// made of that then.
type CommandNode struct {
	Component ComponentSource `yaml:"component,required" json:"-" node:"componentId"`
	// Inputs are values, data, or expressions: "${{parent.inputs.x}}", "${{parent.jobs.prep.outputs.y}}".
	Inputs Inputs `yaml:"inputs" json:"-"`
	// Outputs say how the component's outputs are written; "${{parent.outputs.x}}" makes one the pipeline's.
	Outputs     Outputs           `yaml:"outputs" json:"-"`
	Compute     string            `yaml:"compute" json:"-" node:"computeId"`
	DisplayName string            `yaml:"display_name" json:"-"`
	Description string            `yaml:"description" json:"-" node:"-"`
	Tags        map[string]string `yaml:"tags,null" json:"-"`
	Properties  map[string]string `yaml:"properties,null" json:"-"`
	Comment     string            `yaml:"comment" json:"-"`
	// Resources and Distribution default to the component's.
	Resources            *azureml.Resources `yaml:"resources" json:"-"`
	Distribution         Distribution       `yaml:"distribution" json:"-"`
	Limits               *CommandLimits     `yaml:"limits" json:"-"`
	EnvironmentVariables Variables          `yaml:"environment_variables" json:"-"`
	Queue                *Queue             `yaml:"queue_settings" json:"-"`
	Services             Services           `yaml:"services" json:"-"`
	Identity             azureml.Identity   `yaml:"identity" json:"-"`
	// Bindings are expressions where the fields hold no text: "limits.timeout" → "${{parent.inputs.t}}".
	Bindings wire.Bindings  `yaml:"-" json:"-"`
	Extra    map[string]any `yaml:"-" json:"-" extra:""`

	made   provenance
	inline *CommandJob // what the step defined in place, until it is translated
}

var commandNode = wire.Layout{Name: "command step", YAML: wire.Fixed{"type": "command"}}

// WireLayout places the fields.
func (CommandNode) WireLayout() *wire.Layout { return &commandNode }

// EncodeWire writes the step.
func (n CommandNode) EncodeWire(e *wire.Encoding) (any, error) {
	n.inherit(e.Spelling())
	return e.Plain(n)
}

// inherit takes over what the component says where the step says nothing.
func (n *CommandNode) inherit(sp wire.Spelling) {
	c, ok := n.Component.(*CommandComponent)
	if !ok || sp == wire.YAML {
		return
	}
	if n.Resources == nil && c.Resources != nil {
		r := c.Resources.Resources
		n.Resources = &r
	}
	if d := n.Distribution; d.PyTorch == nil && d.TensorFlow == nil && d.MPI == nil && d.Ray == nil && d.Other == nil {
		n.Distribution = c.Distribution
	}
}

// DecodeWire reads the step. One without a component defines a command in place.
func (n *CommandNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = CommandNode{}
	if d.Spelling() == wire.YAML && at.Get("component") == nil {
		n.inline = new(CommandJob)
		d.Into(at, n.inline)
		return
	}
	d.Plain(at.Without("code", "command", "environment"), n) // what a component says of these holds
	settle(n.node(), d, at, "component")
}

func (n *CommandNode) node() nodeHead {
	if j := n.inline; j != nil { // not translated yet
		return nodeHead{component: &n.Component, inputs: &j.Inputs, outputs: &j.Outputs, compute: &j.Compute, made: &n.made, needsCompute: true}
	}
	return nodeHead{component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, made: &n.made, bindings: n.Bindings, needsCompute: true}
}

func (n *CommandNode) translate(t *translator, d *wire.Decoding, at *wire.Node) {
	j := n.inline
	if j == nil {
		return
	}
	c := &CommandComponent{
		Description: j.Description, Tags: j.Tags, Command: j.Command, Code: j.Code, Environment: j.Environment, Distribution: j.Distribution,
		Inputs: t.componentInputs(d, at, j.Inputs), Outputs: t.componentOutputs(d, at, j.Outputs), made: t.made,
	}
	c.doc.Emptied(&j.doc)
	if j.Resources != nil {
		c.Resources = &ComponentResources{Resources: *j.Resources}
	}
	*n = CommandNode{
		Component: c, Inputs: j.Inputs, Outputs: j.Outputs, Compute: j.Compute, DisplayName: j.DisplayName, Description: j.Description, Tags: j.Tags,
		Properties: j.Properties, Limits: j.Limits, EnvironmentVariables: j.EnvironmentVariables, Queue: j.Queue, Services: j.Services, Identity: j.Identity,
		made: t.made,
	}
}

func (n *CommandNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *CommandNode) checkNode(ctx context.Context, c *checker) {
	c.step(ctx, n.node())
	c.variables("environment_variables", n.EnvironmentVariables)
	c.services(n.Services)
	if n.Limits != nil {
		c.seconds("limits.timeout", n.Limits.Timeout)
	}
}

func (n *CommandNode) resolveNode(ctx context.Context, r *resolver) error {
	n.inherit(wire.NodeJSON)
	return r.step(ctx, n.node())
}

// SweepNode is a step that sweeps over a command component.
type SweepNode struct {
	// Trial is the component that is run many times; the search space names inputs of it.
	Trial            ComponentSource    `yaml:"trial,required" json:"-" node:"-"`
	Inputs           Inputs             `yaml:"inputs" json:"-"`
	Outputs          Outputs            `yaml:"outputs" json:"-"`
	Compute          string             `yaml:"compute" json:"-" node:"computeId"`
	DisplayName      string             `yaml:"display_name" json:"-"`
	Description      string             `yaml:"description" json:"-" node:"-"`
	Tags             map[string]string  `yaml:"tags,null" json:"-"`
	Properties       map[string]string  `yaml:"properties,null" json:"-"`
	Comment          string             `yaml:"comment" json:"-"`
	SearchSpace      SearchSpace        `yaml:"search_space" json:"-" node:",yaml"`
	Sampling         Sampling           `yaml:"sampling_algorithm" json:"-" node:",yaml"`
	Objective        Objective          `yaml:"objective,required" json:"-" node:",yaml"`
	EarlyTermination EarlyTermination   `yaml:"early_termination" json:"-"`
	Limits           SweepLimits        `yaml:"limits,required" json:"-" node:",yaml"`
	Queue            *Queue             `yaml:"queue_settings" json:"-" node:",yaml"`
	Resources        *azureml.Resources `yaml:"resources" json:"-" node:",yaml"`
	Identity         azureml.Identity   `yaml:"identity" json:"-"`
	Bindings         wire.Bindings      `yaml:"-" json:"-"`
	Extra            map[string]any     `yaml:"-" json:"-" extra:""`

	made provenance
}

var sweepNode = wire.Layout{Name: "sweep step", YAML: wire.Fixed{"type": "sweep"}}

// WireLayout places the fields.
func (SweepNode) WireLayout() *wire.Layout { return &sweepNode }

// EncodeWire writes the step; the trial is an object in a pipeline's body.
func (n SweepNode) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(n)
	if err != nil || e.Spelling() == wire.YAML || n.Trial == nil {
		return m, err
	}
	id, err := e.As(wire.Snake).Value(n.Trial)
	if err != nil {
		return nil, err
	}
	m["trial"] = map[string]any{"componentId": id}
	if b := n.EarlyTermination.Bandit; b != nil { // a step sends the slack that is set alone, unlike a sweep job
		if p, ok := m["early_termination"].(map[string]any); ok {
			for key, v := range map[string]float64{"slack_factor": b.SlackFactor, "slack_amount": b.SlackAmount} {
				if v == 0 {
					delete(p, key)
				}
			}
		}
	}
	return m, nil
}

// DecodeWire reads the step.
func (n *SweepNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = SweepNode{}
	if d.Spelling() == wire.YAML {
		d.Plain(at, n)
		settle(n.node(), d, at, "trial")
		return
	}
	d.Plain(at.Without("trial"), n)
	if id, ok := at.Get("trial", "componentId").Str(); ok {
		n.Trial = azureml.Ref(id)
	}
}

func (n *SweepNode) node() nodeHead {
	return nodeHead{component: &n.Trial, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, made: &n.made, bindings: n.Bindings, needsCompute: true}
}

func (n *SweepNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *SweepNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *SweepNode) checkNode(ctx context.Context, c *checker) {
	h := n.node()
	given := Inputs{} // what the search space gives needs no input
	for name, in := range n.Inputs {
		given[name] = in
	}
	for name := range n.SearchSpace {
		given[name] = Input{Value: name}
	}
	h.inputs = &given
	c.step(ctx, h)
	c.sweep(n.SearchSpace, n.Sampling, n.EarlyTermination, n.Objective, n.Limits, n.Bindings)
}

func (n *SweepNode) resolveNode(ctx context.Context, r *resolver) error {
	h := n.node()
	return r.step(ctx, h)
}

// PipelineNode is a step that is a pipeline itself.
type PipelineNode struct {
	Component   ComponentSource   `yaml:"component,required" json:"-" node:"componentId"`
	Inputs      Inputs            `yaml:"inputs" json:"-"`
	Outputs     Outputs           `yaml:"outputs" json:"-"`
	DisplayName string            `yaml:"display_name" json:"-"`
	Description string            `yaml:"description" json:"-" node:"-"`
	Tags        map[string]string `yaml:"tags,null" json:"-"`
	Properties  map[string]string `yaml:"properties,null" json:"-"`
	Comment     string            `yaml:"comment" json:"-"`
	Compute     string            `yaml:"compute" json:"-" node:"computeId"`
	Bindings    wire.Bindings     `yaml:"-" json:"-"`
	Extra       map[string]any    `yaml:"-" json:"-" extra:""`

	made provenance
}

var pipelineNode = wire.Layout{Name: "pipeline step", YAML: wire.Fixed{"type": "pipeline"}}

// WireLayout places the fields.
func (PipelineNode) WireLayout() *wire.Layout { return &pipelineNode }

// EncodeWire writes the step.
func (n PipelineNode) EncodeWire(e *wire.Encoding) (any, error) { return e.Plain(n) }

// DecodeWire reads the step.
func (n *PipelineNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = PipelineNode{}
	if text, _ := at.Get("component").Str(); d.Spelling() == wire.YAML && strings.HasPrefix(text, "file:") {
		d.At("component").Fault(at.Get("component"), "name the file itself, without \"file:\"")
		return
	}
	d.Plain(at, n)
	settle(n.node(), d, at, "component")
}

func (n *PipelineNode) node() nodeHead {
	return nodeHead{component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, made: &n.made, bindings: n.Bindings}
}

func (n *PipelineNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *PipelineNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *PipelineNode) checkNode(ctx context.Context, c *checker) { c.step(ctx, n.node()) }

func (n *PipelineNode) resolveNode(ctx context.Context, r *resolver) error {
	return r.step(ctx, n.node())
}
