package jobs

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Node is a step of a pipeline, of any kind: *CommandNode, *SweepNode, *ParallelNode, *SparkNode, *PipelineNode,
// *DataTransferNode, *AutoMLNode, *DoWhileNode, *IfElseNode, *ParallelForNode and, of what the service answers,
// *UnknownNode.
type Node interface {
	// node gives what the kinds have in common.
	node() nodeHead
	// cloneNode is a copy whose fields can be set without changing the original's.
	cloneNode() Node
	// translate makes a component of what the step defines in place.
	translate(t *translator, d *wire.Decoding, n *wire.Node)
	// checkNode reports what is wrong with the step by itself.
	checkNode(ctx context.Context, c *checker)
	// resolveNode turns names into ids, in a clone.
	resolveNode(ctx context.Context, r *resolver) error
}

// nodeHead points at what the kinds of nodes have; what a kind does not have is nil.
type nodeHead struct {
	component *ComponentSource
	inputs    *Inputs
	outputs   *Outputs
	compute   *string
	made      *provenance
	bindings  wire.Bindings
	// needsCompute tells steps that run somewhere.
	needsCompute bool
	automl       bool
	control      bool
	silent       bool // its body does not say its own name
}

// Nodes are the steps of a pipeline by name.
type Nodes map[string]Node

var nodeName = regexp.MustCompile(`^[a-z_][a-z\d_]*$`)

const nodeNameRules = "lower-case letters, digits and '_', not beginning with a digit"

var _ = wire.RegisterSum[Node](&wire.Sum{
	Name: "step", YAML: "type", Default: "command", REST: "type",
	Arms: []wire.Arm{
		wire.ArmOf[CommandNode]("command", "command"),
		wire.ArmOf[SweepNode]("sweep", "sweep"),
		wire.ArmOf[ParallelNode]("parallel", "parallel"),
		wire.ArmOf[SparkNode]("spark", "spark"),
		wire.ArmOf[PipelineNode]("pipeline", "pipeline"),
		wire.ArmOf[DataTransferNode]("data_transfer", "data_transfer"),
		wire.ArmOf[AutoMLNode]("automl", "automl"),
		wire.ArmOf[DoWhileNode]("do_while", "do_while"),
		wire.ArmOf[IfElseNode]("if_else", "if_else"),
		wire.ArmOf[ParallelForNode]("parallel_for", "parallel_for"),
	},
	Unknown: func() any { return new(UnknownNode) },
})

func (n Nodes) clone() Nodes {
	if n == nil {
		return nil
	}
	out := make(Nodes, len(n))
	for name, node := range n {
		if out[name] = nil; !absent(node) { // the check says so of those that are nil
			out[name] = node.cloneNode()
		}
	}
	return out
}

// absent tells interfaces that hold nothing, or a nil pointer.
func absent(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// present are the steps that are not nil; those that are, are faults.
func (c *checker) present(nodes Nodes) Nodes {
	out := nodes
	for _, name := range sortedKeys(nodes) {
		if !absent(nodes[name]) {
			continue
		}
		if c.add("jobs."+name, "the step is nil"); len(out) == len(nodes) {
			out = maps.Clone(nodes)
		}
		delete(out, name)
	}
	return out
}

// definition is the step's component, where it is defined here.
func (h nodeHead) definition() (Component, bool) {
	if h.component == nil {
		return nil, false
	}
	k, ok := (*h.component).(Component)
	return k, ok && !absent(k)
}

// EncodeWire writes the steps; in a pipeline's body they are spelled as nodes.
func (n Nodes) EncodeWire(e *wire.Encoding) (any, error) {
	if n == nil {
		return wire.Omit, nil
	}
	out := map[string]any{}
	inside := e
	if e.Spelling() != wire.YAML {
		inside = e.As(wire.NodeJSON)
	}
	for name, node := range n {
		if node == nil {
			return nil, fmt.Errorf("%s: the step is nil", name)
		}
		v, err := inside.Value(node)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: the step is no mapping", name)
		}
		if e.Spelling() != wire.YAML {
			h := node.node()
			clearEmpty(m)
			if !h.control && !h.silent {
				m["name"] = strings.ToLower(name)
			}
			if h.made != nil && m["_source"] == nil {
				from := fromClass
				if h.control {
					from = fromDSL
				}
				m["_source"] = h.made.or(from)
			}
		} else if h := node.node(); h.component != nil {
			bare(*h.component, m)
		}
		out[name] = m
	}
	return out, nil
}

// DecodeWire reads the steps.
func (n *Nodes) DecodeWire(d *wire.Decoding, at *wire.Node) {
	if at.IsNull() {
		return
	}
	if at.Kind != wire.Mapping {
		d.Fault(at, "wants a mapping of steps by name")
		return
	}
	*n = make(Nodes, len(at.Entries))
	for _, e := range at.Entries {
		inside := d.At(e.Key)
		if !nodeName.MatchString(e.Key) {
			inside.Fault(e.At, "%q cannot be a step's name: %s", e.Key, nodeNameRules)
		}
		var node Node
		if d.Spelling() == wire.YAML {
			inside.Into(e.Value, &node)
		} else {
			inside.As(wire.NodeJSON).Into(e.Value.Without("name", "_source"), &node)
		}
		if node == nil {
			continue
		}
		if made := node.node().made; made != nil && d.Spelling() != wire.YAML {
			s, _ := e.Value.Get("_source").Str() // not every node says
			*made = provenance(s)
		}
		(*n)[e.Key] = node
	}
}

// UnknownNode is a step of a kind that this version does not know, as the service answered it.
type UnknownNode struct {
	Raw  azureml.Raw `yaml:"-" json:"."`
	made provenance
}

// DecodeWire keeps what it reads.
func (n *UnknownNode) DecodeWire(_ *wire.Decoding, at *wire.Node) {
	if m, ok := at.Tree().(map[string]any); ok {
		n.Raw = m
	}
}

// EncodeWire writes what was read.
func (n UnknownNode) EncodeWire(*wire.Encoding) (any, error) {
	return maps.Clone(map[string]any(n.Raw)), nil
}

func (n *UnknownNode) node() nodeHead { return nodeHead{made: &n.made} }

func (n *UnknownNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *UnknownNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *UnknownNode) checkNode(context.Context, *checker) {}

func (n *UnknownNode) resolveNode(context.Context, *resolver) error { return nil }

// sourceOf is where a step's component came from.
func sourceOf(c ComponentSource) provenance {
	switch c := c.(type) {
	case azureml.Ref:
		if strings.HasPrefix(string(c), "azureml://registries/") {
			return fromRegistry
		}
		return fromWorkspace
	case Component:
		if c.ComponentRef() != "" {
			return sourceOf(c.ComponentRef())
		}
		if k := c.common(); *k.made == "" && *k.name == "" {
			return fromBuilder
		}
		return provenance(c.common().made.or(fromClass))
	}
	return fromClass
}

// settle notes where a step's component came from. A definition inside a step has no name of its own.
func settle(h nodeHead, d *wire.Decoding, step *wire.Node, field string) {
	at := step.Get(field)
	if h.inputs != nil {
		*h.inputs = shorthand(*h.inputs, *h.component, d, step)
	}
	if given := step.Get("inputs"); d.Spelling() == wire.YAML && given != nil && given.Kind == wire.Mapping {
		for _, e := range given.Entries {
			if e.Value.IsNull() {
				d.At("inputs").At(e.Key).Fault(e.Value, "is null; leave the key out, or give a value")
			}
		}
	}
	if c, ok := (*h.component).(Component); ok && d.Spelling() == wire.YAML {
		from := fromYAMLJob
		if text, ok := at.Str(); ok && !strings.HasPrefix(text, "file:") {
			from = fromYAML
		}
		c.common().embed(from)
	}
	if d.Spelling() == wire.YAML {
		*h.made = sourceOf(*h.component)
	}
}

// bare leaves out of a step, as files have it, the name of a component that is defined in it and has no name of its own.
func bare(of ComponentSource, step map[string]any) {
	c, ok := of.(Component)
	if !ok || !*c.common().anonymous {
		return
	}
	for _, field := range []string{"component", "trial"} {
		if m, ok := step[field].(map[string]any); ok {
			delete(m, "name")
			delete(m, "version")
		}
	}
}

func isUnknown(c Component) bool {
	_, unknown := c.(*UnknownComponent)
	return unknown
}

// declared gives a step's outputs the type that its component declares, where that is a file: a step that says only how it is
// written means that.
func (r *resolver) declared(h nodeHead) {
	c, ok := (*h.component).(Component)
	if !ok {
		return
	}
	k := c.common()
	if h.inputs != nil && !isUnknown(c) && !k.open {
		in := maps.Clone(*h.inputs)
		for name := range in {
			if _, ok := k.inputs[name]; !ok {
				r.c.rest.Logger().Warn("jobs: the component has no such input; it is left out", "input", name)
				delete(in, name)
			}
		}
		*h.inputs = in
	}
	if h.outputs == nil {
		return
	}
	out := maps.Clone(*h.outputs)
	for name, o := range out {
		if _, has := k.outputs[name]; !has && !k.open && !isUnknown(c) {
			r.c.rest.Logger().Warn("jobs: the component has no such output; it is left out", "output", name)
			delete(out, name)
			continue
		}
		if o == (Output{}) {
			continue
		}
		if decl, ok := k.outputs[name]; ok && decl.Type == string(TypeURIFile) && !isExpression(o.Path) {
			o.Type = TypeURIFile
			out[name] = o
		}
	}
	*h.outputs = out
}

// nodes resolves the steps of a pipeline. Components that say the same are registered once.
func (r *resolver) nodes(ctx context.Context, nodes Nodes, order []string) error {
	for _, name := range inOrder(nodes, order) {
		leave := r.plan.enter("jobs." + name + ".")
		err := nodes[name].resolveNode(ctx, r)
		if leave(); err != nil {
			return fmt.Errorf("jobs.%s: %w", name, err)
		}
	}
	return nil
}

// keysOf are the keys of a mapping in their order.
func keysOf(n *wire.Node) (out []string) {
	if n == nil {
		return nil
	}
	for _, e := range n.Entries {
		out = append(out, e.Key)
	}
	return out
}

// inOrder are the names of steps as their file had them; the others follow.
func inOrder(nodes Nodes, order []string) []string {
	out := make([]string, 0, len(nodes))
	seen := make(map[string]bool, len(nodes))
	for _, name := range append(slices.Clone(order), slices.Sorted(maps.Keys(nodes))...) {
		if !absent(nodes[name]) && !seen[name] {
			out, seen[name] = append(out, name), true
		}
	}
	return out
}

// step resolves what all steps with a component have.
func (r *resolver) step(ctx context.Context, h nodeHead) (err error) {
	if *h.made == "" {
		*h.made = sourceOf(*h.component)
	}
	r.declared(h)
	if h.compute != nil && *h.compute != "" {
		defer func(before string) { r.on = before }(r.on)
		r.on = *h.compute
	}
	if *h.component, err = r.component(ctx, *h.component, *h.made); err != nil {
		return err
	}
	return r.ports(ctx, h)
}

// ports resolves a step's compute and inputs.
func (r *resolver) ports(ctx context.Context, h nodeHead) (err error) {
	if h.compute != nil && *h.compute != "" && !isExpression(*h.compute) {
		*h.compute = r.compute(*h.compute)
	}
	if h.inputs == nil {
		return nil
	}
	if *h.inputs, err = r.references(ctx, *h.inputs); err != nil {
		return err
	}
	*h.inputs, err = r.uploads(ctx, *h.inputs)
	return err
}

// component gives a step's component as an id, after registering it where it is a definition.
func (r *resolver) component(ctx context.Context, c ComponentSource, from provenance) (ComponentSource, error) {
	switch c := c.(type) {
	case azureml.Ref:
		id, err := once(r.refs, "component "+string(c), func() (string, error) { return r.componentID(ctx, c) })
		if err != nil && r.plan != nil {
			return c, r.plan.fault(ctx, "component", err)
		}
		if err == nil {
			r.plan.asset("component", "component", string(c), id, "")
		}
		return azureml.Ref(id), err
	case Component:
		if id := c.ComponentRef(); id != "" {
			return id, nil
		}
		given := c
		if k := c.common(); *k.made == "" && k.nameless() {
			c = c.cloneComponent()
			*c.common().made = from
		}
		if id, ok := r.steps[given]; ok && !platformed(given) { // many steps share a definition
			return id, nil
		}
		made, err := r.registerComponent(ctx, "component", c, false)
		if err != nil && r.plan != nil {
			return azureml.Ref(notThere), r.plan.fault(ctx, "component", err)
		}
		if err != nil {
			return nil, err
		}
		if r.steps != nil {
			r.steps[given] = made.ComponentRef()
		}
		return made.ComponentRef(), nil
	}
	return nil, fmt.Errorf("component: a %T is no component", c)
}

// platformed tells components that are compiled, each time for the compute of the step.
func platformed(c Component) bool {
	k, ok := c.(*CommandComponent)
	return ok && k.Code.Go != nil
}

// step checks what all steps with a component have.
func (c *checker) step(ctx context.Context, h nodeHead) {
	switch s := (*h.component).(type) {
	case nil:
		c.add("component", "a component is required: a reference such as \"azureml:NAME:VERSION\", or a definition")
	case azureml.Ref:
		if s == "" {
			c.add("component", "a component is required")
		}
		c.componentRef(ctx, "component", s)
	case Component:
		if absent(s) {
			c.add("component", "a component is required: the definition is nil")
			break
		}
		m := c.remembered()
		faults, known := m.components[s]
		if !known {
			inner := &checker{ctx: ctx, r: c.r, memo: m, bare: c.bare}
			s.check(ctx, inner)
			faults = inner.faults
			m.components[s] = faults
		}
		for _, f := range faults {
			c.add("component."+f.Field, "%s", f.Message)
		}
		c.fit(h, s.common())
	}
	if h.inputs != nil {
		for _, name := range sortedKeys(*h.inputs) {
			in := (*h.inputs)[name]
			if f := in.fault(); f != "" {
				c.add("inputs."+name, "%s", f)
			} else if in.Path != "" && wire.IsLocalPath(in.Path) {
				c.local("inputs."+name+".path", localPath(in.Path), in.dataType())
			} else if in.Path != "" {
				c.asset("inputs."+name+".path", in)
			}
		}
	}
	if h.compute != nil {
		c.compute(ctx, "compute", *h.compute)
	}
}

// fit checks that a step gives its component what it needs, and nothing that it does not have.
func (c *checker) fit(h nodeHead, k component) {
	for _, name := range sortedKeys(k.inputs) {
		if k.inputs[name].optional() || c.loose {
			continue
		}
		if h.inputs == nil || (*h.inputs)[name] == (Input{}) {
			c.add("inputs."+name, "the component needs this input")
		}
	}
}
