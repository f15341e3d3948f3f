package jobs

import (
	"context"
	"maps"
	"math/big"
	"os"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// PipelineComponent is a graph of steps as one reusable step.
type PipelineComponent struct {
	azureml.Meta
	Schema          string            `yaml:"$schema" json:"-"`
	Name            string            `yaml:"name" json:"-"`
	Version         string            `yaml:"version,text" json:"-"`
	DisplayName     string            `yaml:"display_name,empty" json:"-"`
	Description     string            `yaml:"description,empty" json:"-"`
	Tags            map[string]string `yaml:"tags" json:"-"`
	IsDeterministic *bool             `yaml:"is_deterministic" json:"-"`
	Inputs          ComponentInputs   `yaml:"inputs" json:"-"`
	Outputs         ComponentOutputs  `yaml:"outputs" json:"-"`
	// Jobs are the steps by name.
	Jobs  Nodes          `yaml:"jobs" json:"-"`
	Extra map[string]any `yaml:"-" json:"-" extra:""`

	made      provenance
	anonymous bool
	order     []string // of the steps in the file

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *PipelineComponent) WireDocument() *wire.Document { return &c.doc }

var pipelineComponent = wire.Layout{Name: "pipeline component", YAML: wire.Fixed{"type": "pipeline"}}

// WireLayout places the fields.
func (PipelineComponent) WireLayout() *wire.Layout { return &pipelineComponent }

func (c *PipelineComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, inputs: c.Inputs, outputs: c.Outputs, made: &c.made, anonymous: &c.anonymous,
	}
}

// AfterDecodeWire turns steps that define their command in place into steps with a component.
func (c *PipelineComponent) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.YAML {
		return
	}
	c.made, c.order = fromYAML, keysOf(n.Get("jobs"))
	t := &translator{nodes: c.Jobs, made: fromYAMLJob, inputs: map[string]port{}, outputs: map[string]port{}}
	for name, in := range c.Inputs {
		t.inputs[name] = port{in.Type, in.Mode}
	}
	for name, out := range c.Outputs {
		t.outputs[name] = port{out.Type, out.Mode}
	}
	t.run(d, n)
}

// hashInputs adds the content of local inputs to what the version of an anonymous component is made of.
func (c *PipelineComponent) hashInputs(spec map[string]any) {
	jobs, _ := spec["jobs"].(map[string]any) // a pipeline without steps has none
	for name, node := range c.Jobs {
		h := node.node()
		if h.inputs == nil {
			continue
		}
		for in, v := range *h.inputs {
			if v.Path == "" || !wire.IsLocalPath(v.Path) {
				continue
			}
			if _, err := os.Stat(localPath(v.Path)); err != nil {
				continue
			}
			job, _ := jobs[name].(map[string]any)
			inputs, _ := job["inputs"].(map[string]any)
			at, _ := inputs[in].(map[string]any)
			tree, err := assets.Walk(context.Background(), localPath(v.Path), nil)
			if at == nil || err != nil {
				continue // it is uploaded later, where the fault shows
			}
			if hash, err := tree.ObjectHash(context.Background()); err == nil {
				at["content_hash"] = hash
			}
		}
	}
}

// ComponentRef is the component's id when it is registered, else "".
func (c *PipelineComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *PipelineComponent) cloneComponent() Component {
	out := *c
	out.Jobs = c.Jobs.clone()
	return &out
}

func (c *PipelineComponent) check(ctx context.Context, k *checker) {
	k.componentHead(c.common())
	c.inferred(k)
	g := &graph{inputs: map[string]bool{}, outputs: map[string]bool{}, nodes: c.Jobs}
	for n := range c.Inputs {
		g.inputs[n] = true
	}
	for n := range c.Outputs {
		g.outputs[n] = true
	}
	k.graph(ctx, g)
}

func (c *PipelineComponent) resolve(ctx context.Context, r *resolver) error {
	c.Inputs = c.inferred(nil) // what the steps' components say is lost when they are ids
	return r.nodes(ctx, c.Jobs, c.order)
}

// inferred are the inputs, those optional too that only optional inputs of steps get. k is told of optional ones that a
// step needs.
func (c *PipelineComponent) inferred(k *checker) ComponentInputs {
	var out ComponentInputs // a copy once something changes
	own := func(name string) ComponentInput {
		if out != nil {
			return out[name]
		}
		return c.Inputs[name]
	}
	guessed := map[string]bool{}
	for _, step := range inOrder(c.Jobs, c.order) {
		h := c.Jobs[step].node()
		if h.component == nil || h.inputs == nil {
			continue
		}
		d, ok := h.definition()
		if _, unknown := d.(*UnknownComponent); !ok || unknown || d.common().open {
			continue
		}
		takes, uses := d.common().inputs, map[string][]string{}
		if p, ok := d.(*PipelineComponent); ok {
			takes = p.inferred(nil)
		}
		for name, in := range *h.inputs {
			if e, ok := wire.ParseExpression(in.Text()); ok {
				if from, ok := e.ParentInput(); ok && known(c.Inputs, from) {
					uses[from] = append(uses[from], name)
				}
			}
		}
		for _, from := range slices.Sorted(maps.Keys(uses)) {
			needs := slices.DeleteFunc(uses[from], func(n string) bool {
				def, ok := takes[n]
				return !ok || def.Optional != nil && *def.Optional
			})
			in := own(from)
			optional := in.Optional != nil && *in.Optional
			switch {
			case in.Optional == nil && len(needs) == 0:
				in.Optional, guessed[from] = new(true), true
			case optional && len(needs) > 0 && guessed[from]:
				in.Optional, guessed[from] = nil, false
			case optional && len(needs) > 0:
				if slices.Sort(needs); k != nil {
					k.add("inputs."+from, "is optional, and the step %q needs it as %s", step, strings.Join(needs, ", "))
				}
				continue
			default:
				continue
			}
			if out == nil {
				out = maps.Clone(c.Inputs)
			}
			out[from] = in
		}
	}
	if out == nil {
		return c.Inputs
	}
	return out
}

// port is the type and mode of an input or output that others are bound to.
type port struct{ kind, mode string }

// translator makes components of the steps that define what they run in place, and finds the types of their inputs.
type translator struct {
	nodes           Nodes
	made            provenance
	inputs, outputs map[string]port
}

func (t *translator) run(d *wire.Decoding, n *wire.Node) {
	at := n.Get("jobs")
	if at == nil {
		return
	}
	for _, e := range at.Entries { // in the order of the file: a step sees those before it as components already
		if node := t.nodes[e.Key]; node != nil {
			node.translate(t, d.At("jobs").At(e.Key), e.Value)
		}
	}
}

// source finds what an expression is bound to. ok is false when there is no such thing.
func (t *translator) source(expr string, depth int) (p port, ok bool) {
	e, isExpr := wire.ParseExpression(expr)
	if !isExpr || depth > len(t.nodes)+1 {
		return port{}, false
	}
	if name, is := e.ParentInput(); is {
		p, ok = t.inputs[name]
		return p, ok
	}
	if name, is := e.ParentOutput(); is {
		p, ok = t.outputs[name]
		return p, ok
	}
	if job, output, is := e.JobOutput(); is {
		node := t.nodes[job]
		if node == nil {
			return port{}, false
		}
		return port{kind: t.output(node, output, depth)}, true
	}
	if job, input, is := e.JobInput(); is {
		if node := t.nodes[job]; node != nil && node.node().inputs != nil {
			in := (*node.node().inputs)[input]
			if in.bound() {
				p, ok = t.source(in.Path, depth+1)
				return port{kind: p.kind}, ok
			}
			return port{kind: literalType(in)}, true
		}
	}
	return port{}, false
}

// output is the type of a step's output: what its component says, else what the step says.
func (t *translator) output(node Node, name string, depth int) string {
	h := node.node()
	if h.automl {
		return string(TypeMLTable)
	}
	if h.component != nil {
		if c, ok := (*h.component).(Component); ok {
			if o, ok := c.common().outputs[name]; ok {
				return o.Type
			}
		}
	}
	if h.outputs == nil {
		return string(TypeURIFolder)
	}
	o, ok := (*h.outputs)[name]
	if ok && isExpression(o.Path) && o.Type == "" && o.Mode == "" {
		if p, ok := t.source(o.Path, depth+1); ok && p.kind != "" {
			return p.kind
		}
	}
	if o.Type != "" {
		return string(o.Type)
	}
	return string(TypeURIFolder)
}

// literalType is the type of parameter that a literal is for.
func literalType(in Input) string {
	switch plainValue(in.Value).(type) {
	case bool:
		return ParameterBoolean
	case int64, int, *big.Int:
		return ParameterInteger
	case float64:
		return ParameterNumber
	case string:
		return ParameterString
	}
	return string(in.dataType())
}

// componentInputs are the inputs of the component that a step in place becomes.
func (t *translator) componentInputs(d *wire.Decoding, n *wire.Node, in Inputs) ComponentInputs {
	if len(in) == 0 {
		return nil
	}
	out := ComponentInputs{}
	for name, v := range in {
		at := n.Get("inputs", name)
		switch {
		case isTextual(v):
			p, ok := t.source(bindingOf(v), 0)
			if !ok {
				d.At("inputs").At(name).Fault(at, "%s is bound to nothing: there is no such input of the pipeline or output of a step", bindingOf(v))
				continue
			}
			if p.kind == "" {
				p.kind = string(TypeURIFolder)
			}
			ci := ComponentInput{Type: p.kind, Mode: p.mode}
			if isParameter(p.kind) {
				ci.Mode = ""
			}
			out[name] = ci
		case v.Path != "" || v.Type != "":
			out[name] = ComponentInput{Type: string(v.dataType()), Mode: string(v.Mode)}
		case v.Value == nil:
			d.At("inputs").At(name).Fault(at, "is null; give a value, or leave it out")
		default:
			out[name] = ComponentInput{Type: literalType(v), Default: v.Value}
		}
	}
	return out
}

// isTextual tells inputs that are written as an expression alone, without a type of their own.
func isTextual(in Input) bool {
	if s, ok := in.Value.(string); ok {
		return strings.HasPrefix(s, "${{parent.") && isExpression(s)
	}
	return false
}

// bindingOf is the expression of an input.
func bindingOf(in Input) string {
	if s, ok := in.Value.(string); ok {
		return strings.TrimSpace(s)
	}
	return strings.TrimSpace(in.Path)
}

// componentOutputs are the outputs of the component that a step in place becomes.
func (t *translator) componentOutputs(d *wire.Decoding, n *wire.Node, outputs Outputs) ComponentOutputs {
	if len(outputs) == 0 {
		return nil
	}
	out := ComponentOutputs{}
	for name, o := range outputs {
		co := ComponentOutput{Type: string(o.Type), Mode: string(o.Mode)}
		if isExpression(o.Path) && o == (Output{Path: o.Path}) {
			p, ok := t.source(o.Path, 0)
			if !ok {
				d.At("outputs").At(name).Fault(n.Get("outputs", name), "%s is bound to nothing: there is no such output of the pipeline", o.Path)
				continue
			}
			co = ComponentOutput{Type: p.kind, Mode: p.mode}
		}
		if co.Type == "" {
			co.Type = string(TypeURIFolder)
		}
		out[name] = co
	}
	return out
}
