package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"reflect"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

// draft is a definition as a node, before anything is bound. Steps of one definition share it.
type draft struct {
	node jobs.Node
	in   jobs.ComponentInputs
	out  jobs.ComponentOutputs
	// known is false where the ports are declared elsewhere.
	known bool
	// component is the one that was made of the definition here, nil where it was there before.
	component jobs.Component
	// infer are inputs of it that the command names and nobody declares: what is bound to them says their type. With free any
	// input may be.
	infer map[string]bool
	free  bool
	// open are outputs of it that nobody declares: they may be of any type.
	open map[string]bool
	// given are inputs that need no binding, as a search space gives them.
	given map[string]bool
	// broken is one that no node could be made of; its faults say why.
	broken bool
	// faults are of the definition; their step is not set.
	faults []*Fault
}

func (d *draft) fault(k Kind, port, format string, a ...any) {
	d.faults = append(d.faults, &Fault{Kind: k, Port: port, Message: fmt.Sprintf(format, a...)})
}

// cause takes over what a builder has found.
func (d *draft) cause(err error) {
	if list, ok := errors.AsType[azureml.Faults](err); ok {
		for _, f := range list {
			d.faults = append(d.faults, &Fault{Kind: Invalid, Port: f.Field, Message: f.Message, Cause: f})
		}
	} else if err != nil {
		d.faults = append(d.faults, &Fault{Kind: Invalid, Message: err.Error(), Cause: err})
	}
}

// declare takes over the ports of a component.
func (d *draft) declare(c jobs.ComponentSource) {
	d.in, d.out, d.known = portsOf(c)
}

// draft makes a node of what a step was given, once for each definition.
func (m *making) draft(of any) *draft {
	if key := identity(of); key != nil {
		if d, ok := m.drafts[key]; ok {
			return d
		}
		d := m.newDraft(of)
		m.drafts[key] = d
		return d
	}
	return m.newDraft(of)
}

// identity is what tells a definition from others, nil when nothing does.
func identity(of any) any {
	switch of.(type) {
	case jobs.Spec, jobs.Component, jobs.Node, *Builder, azureml.Ref:
		return of
	}
	return nil
}

func (m *making) newDraft(of any) *draft {
	d := &draft{}
	if r := reflect.ValueOf(of); r.Kind() == reflect.Pointer && r.IsNil() {
		switch of.(type) {
		case jobs.Component, jobs.Node: // those of the others say it themselves
			if _, builder := of.(*jobs.ParallelBuilder); !builder {
				d.fault(Invalid, "", "is made of a %T that is nil", of)
				of = (*jobs.UnknownNode)(nil)
			}
		}
	}
	switch v := of.(type) {
	case *jobs.UnknownNode:
		if v != nil {
			m.nodeDraft(d, v)
		}
	case nil:
		d.fault(Invalid, "", "is made of nothing; give it a job, a component, a reference to one, a pipeline or a node")
	case azureml.Ref:
		if v == "" {
			d.fault(Invalid, "component", "the reference is empty; write azureml.Ref(\"azureml:NAME:VERSION\")")
		}
		d.node = &jobs.CommandNode{Component: v}
	case *Builder:
		m.nested(d, v)
	case *jobs.ParallelBuilder:
		n, err := v.Node()
		if d.cause(err); n != nil {
			m.nodeDraft(d, n)
		}
	case jobs.Component:
		m.componentDraft(d, v)
	case jobs.Node:
		m.nodeDraft(d, v)
	case jobs.Spec:
		m.jobDraft(d, v)
	case *Step:
		d.fault(Invalid, "", "is made of another step; give it what that one is made of")
	default:
		d.fault(Invalid, "", "a value of type %T cannot be a step; give it a job, a component, a reference to one, a pipeline or a node", of)
	}
	if d.node == nil { // something to hang faults on
		d.node, d.free, d.broken = &jobs.UnknownNode{}, true, true
	}
	return d
}

// inline is a component as a part of this pipeline, the same for all steps.
func (m *making) inline(c jobs.Component) jobs.Component {
	if k, ok := m.inlined[c]; ok {
		return k
	}
	k := jobs.Inline(c)
	m.inlined[c] = k
	return k
}

func (m *making) componentDraft(d *draft, c jobs.Component) {
	switch c.(type) {
	case *jobs.CommandComponent:
		d.node = &jobs.CommandNode{}
	case *jobs.ParallelComponent, *jobs.FlowComponent:
		d.node = &jobs.ParallelNode{}
	case *jobs.SparkComponent:
		d.node = &jobs.SparkNode{}
	case *jobs.PipelineComponent:
		d.node = &jobs.PipelineNode{}
	case *jobs.DataTransferComponent:
		d.node = &jobs.DataTransferNode{}
	default:
		d.fault(Invalid, "component", "a value of type %T cannot be a step", c)
		return
	}
	k := m.inline(c)
	*fieldsOf(d.node).component = k
	if t, ok := c.(*jobs.DataTransferComponent); ok {
		n := d.node.(*jobs.DataTransferNode)
		n.Task, n.DataCopyMode = t.Task, t.DataCopyMode
	}
	d.declare(k)
}

func (m *making) nodeDraft(d *draft, n jobs.Node) {
	switch n := n.(type) {
	case *jobs.DoWhileNode, *jobs.IfElseNode, *jobs.ParallelForNode:
		d.fault(Invalid, "", "is control flow; use If, DoWhile or ParallelFor")
		return
	case *jobs.AutoMLNode:
		m.automl(d, n)
		return
	}
	d.node = jobs.CloneNode(n)
	f := fieldsOf(d.node)
	switch n := d.node.(type) {
	case *jobs.DataTransferNode:
		if n.Component == nil {
			d.transfer(n)
			return
		}
	case *jobs.ParallelNode:
		if n.Component == nil && n.Task != nil {
			d.parallel(n)
			return
		}
	case *jobs.SweepNode:
		d.given = map[string]bool{}
		for name := range n.SearchSpace {
			d.given[name] = true
		}
	}
	if f.component == nil {
		d.free = true
		return
	}
	if c, ok := (*f.component).(jobs.Component); ok && c != nil {
		if r := reflect.ValueOf(c); r.Kind() == reflect.Pointer && r.IsNil() {
			d.fault(Invalid, "component", "the definition is nil")
			d.node = nil
			return
		}
		*f.component = m.inline(c)
	}
	d.declare(*f.component)
}

// transfer declares the ports of a data transfer without a component: those of the service's own, or of one made here.
func (d *draft) transfer(n *jobs.DataTransferNode) {
	switch n.Task {
	case jobs.ImportData:
		kind := string(jobs.TypeURIFolder)
		if n.Source != nil && n.Source.Type == jobs.Database {
			kind = string(jobs.TypeMLTable)
		}
		d.in, d.out, d.known = jobs.ComponentInputs{}, jobs.ComponentOutputs{"sink": {Type: kind}}, true
		if len(n.Outputs) == 0 {
			n.Outputs = jobs.Outputs{"sink": {Type: jobs.DataType(kind)}}
		}
	case jobs.ExportData: // a database takes a table's files: what type they are is the service's to judge
		d.in, d.out, d.known = jobs.ComponentInputs{"source": {}}, jobs.ComponentOutputs{}, true
	default:
		c := &jobs.DataTransferComponent{Task: n.Task, DataCopyMode: n.DataCopyMode, Inputs: inputsOf(n.Inputs), Outputs: outputsOf(n.Outputs)}
		d.component, d.in, d.out, d.known, d.free = c, c.Inputs, c.Outputs, true, true
	}
}

// parallel makes a component of a parallel step that says its task itself.
func (d *draft) parallel(n *jobs.ParallelNode) {
	c := &jobs.ParallelComponent{
		DisplayName: n.DisplayName, Description: n.Description, Tags: n.Tags, Batching: n.Batching, Task: n.Task,
		Inputs: inputsOf(n.Inputs), Outputs: outputsOf(n.Outputs),
	}
	if n.Resources != nil {
		c.Resources = &jobs.ComponentResources{Resources: *n.Resources}
	}
	n.Task, n.Inputs = nil, values(n.Inputs)
	texts := []string{c.InputData, c.Task.ProgramArguments, c.Task.AppendRowTo}
	d.component, d.in, d.out, d.known = c, c.Inputs, c.Outputs, true
	d.named(texts...)
}

// automl makes a step whose inputs are the tables of its task.
func (m *making) automl(d *draft, n *jobs.AutoMLNode) {
	d.node = jobs.CloneNode(n)
	d.in, d.out, d.known = jobs.ComponentInputs{}, jobs.ComponentOutputs{"best_model": {Type: string(jobs.TypeMLFlowModel)}}, true
	for name, in := range d.node.(*jobs.AutoMLNode).Tables() {
		d.in[name] = jobs.ComponentInput{Type: string(jobs.TypeMLTable), Optional: new(name != "training_data" || *in != (jobs.Input{}))}
	}
	for name, o := range n.Outputs {
		if o.Type != "" {
			d.out[name] = jobs.ComponentOutput{Type: string(o.Type)}
		}
	}
}

// nested makes a step of another pipeline.
func (m *making) nested(d *draft, inner *Builder) {
	if inner == nil {
		d.fault(Invalid, "", "the pipeline is nil")
		return
	}
	for at := m; at != nil; at = at.outer {
		if at.b == inner {
			d.fault(Cyclic, "", "the pipeline %q cannot be a step of itself", inner.name)
			return
		}
	}
	sub := newMaking(inner, m)
	c := sub.component()
	for _, f := range sub.faults.all {
		g := *f
		g.Step = "/" + g.Step
		d.faults = append(d.faults, &g)
	}
	n := &jobs.PipelineNode{Component: m.inline(c)}
	for _, in := range inner.inputs {
		if in.data.Path != "" {
			n.Inputs = with(n.Inputs, in.name, in.data)
		}
	}
	for name, o := range sub.promoted {
		n.Outputs = with(n.Outputs, name, o)
	}
	d.node = n
	d.declare(n.Component)
	for _, in := range inner.inputs { // what the inner pipeline has is its default
		if in.data.Path != "" {
			d.given = with(d.given, in.name, true)
		}
	}
	maps.DeleteFunc(n.Outputs, func(name string, _ jobs.Output) bool { _, ok := d.out[name]; return !ok })
}
