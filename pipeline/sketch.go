package pipeline

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// role is what a vertex of a drawing stands for.
type role int

const (
	step_ role = iota
	input_
	output_
	branch_
	loop_
	nested_
)

// vertex is a box of a drawing.
type vertex struct {
	role  role
	name  string // of the step, input or output
	title string
	sub   string // the line below the title
	tip   string // what is said of it when it is pointed at
	state State
	inner *graph // of a pipeline within
}

// edge is an arrow of a drawing.
type edge struct {
	from, to int
	// ports are what is passed: "clean → data". label is what a drawing shows beside the arrow.
	ports []string
	label string
	// dashed edges are of control flow. back ones do not count for what is above what.
	dashed, back bool
	// toPort and fromPort are inputs and outputs of a pipeline within.
	toPort, fromPort string
}

type graph struct {
	vs []*vertex
	es []*edge
}

func (g *graph) find(r role, name string) int {
	for i, v := range g.vs {
		if v.name == name && (v.role == r || r == step_ && v.role != input_ && v.role != output_) {
			return i
		}
	}
	return -1
}

// sketch makes the graph of a drawing.
type sketch struct {
	states map[string]State
}

type place struct {
	g     *graph
	index map[string]int // of steps, and of inputs and outputs with a prefix that no step has
	edges map[string]*edge
}

func (p *place) vertex(key string, v *vertex) int {
	if i, ok := p.index[key]; ok {
		return i
	}
	p.index[key] = len(p.g.vs)
	p.g.vs = append(p.g.vs, v)
	return len(p.g.vs) - 1
}

func (p *place) port(r role, name string) int {
	key := ">" + name
	if r == output_ {
		key = "<" + name
	}
	return p.vertex(key, &vertex{role: r, name: name, title: name})
}

func (p *place) edge(e edge, ports string) {
	key := fmt.Sprint(e.from, " ", e.to, " ", e.dashed, e.back, " ", e.label, " ", e.fromPort, " ", e.toPort)
	have := p.edges[key]
	if have == nil {
		have = &e
		p.edges[key] = have
		p.g.es = append(p.g.es, have)
	}
	if ports != "" && !slices.Contains(have.ports, ports) {
		have.ports = append(have.ports, ports)
	}
}

// component is the graph of a pipeline component.
func (s *sketch) component(c *jobs.PipelineComponent, paths ...string) *graph {
	g := s.graph(c.Jobs, paths...)
	for name, in := range c.Inputs {
		text := in.Type
		if in.Default != nil {
			text += fmt.Sprintf(" (%v)", in.Default)
		}
		s.describe(g, input_, name, text)
	}
	for name, out := range c.Outputs {
		s.describe(g, output_, name, out.Type)
	}
	return g
}

// describe says what an input or output is.
func (s *sketch) describe(g *graph, r role, name, text string) {
	if i := g.find(r, name); i >= 0 {
		g.vs[i].tip = text
	}
}

// graph draws the steps of a pipeline. paths stand before their names in states.
func (s *sketch) graph(nodes jobs.Nodes, paths ...string) *graph {
	p := &place{g: &graph{}, index: map[string]int{}, edges: map[string]*edge{}}
	names := slices.Sorted(maps.Keys(nodes))
	names = slices.DeleteFunc(names, func(n string) bool { return nodes[n] == nil })
	for _, name := range names {
		p.vertex(name, s.vertex(name, nodes[name], paths))
	}
	for _, name := range names {
		if i, ok := p.index[repeated(nodes[name])]; ok {
			s.rounds(p.g.vs[i], nodes[p.g.vs[i].name], paths)
		}
	}
	for _, name := range names {
		s.edges(p, name, nodes[name])
	}
	p.g.sort()
	return p.g
}

// sort brings what is needed before what needs it.
func (g *graph) sort() {
	rank, state := make([]int, len(g.vs)), make([]int, len(g.vs))
	above := make([][]int, len(g.vs))
	for _, e := range g.es {
		above[e.to] = append(above[e.to], e.from)
	}
	var visit func(int) int
	visit = func(v int) int {
		if state[v] == 0 {
			state[v] = 1
			for _, u := range above[v] {
				if state[u] != 1 { // a circle counts as far as it has come
					rank[v] = max(rank[v], visit(u)+1)
				}
			}
			state[v] = 2
		}
		return rank[v]
	}
	order := make([]int, len(g.vs))
	for i := range order {
		order[i] = i
		visit(i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank[a], rank[b]) })
	at, vs := make([]int, len(order)), make([]*vertex, len(order))
	for i, v := range order {
		at[v], vs[i] = i, g.vs[v]
	}
	g.vs = vs
	for _, e := range g.es {
		e.from, e.to = at[e.from], at[e.to]
	}
	slices.SortStableFunc(g.es, func(a, b *edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
}

func (s *sketch) vertex(name string, node jobs.Node, paths []string) *vertex {
	v := &vertex{name: name, title: name, sub: kindName(node)}
	f := fieldsOf(node)
	calls := called(name, node, paths)
	for _, c := range calls {
		if st, ok := s.states[c]; ok {
			v.state = st
			break
		}
	}
	var tip []string
	if f.display != nil && *f.display != "" && *f.display != name {
		v.sub = *f.display
	}
	switch n := node.(type) {
	case *jobs.IfElseNode:
		v.role, v.sub = branch_, "if "+brief(n.Condition)
	case *jobs.DoWhileNode:
		v.role, v.sub = loop_, fmt.Sprintf("do while, %d at most", n.Limits.MaxIterationCount)
	case *jobs.ParallelForNode:
		v.role = loop_
		switch rounds := len(n.Items.List) + len(n.Items.Map); {
		case rounds > 0:
			v.sub = fmt.Sprintf("for each of %d items", rounds)
		default:
			v.sub = "for each of " + brief(n.Items.Text)
		}
	case *jobs.SweepNode:
		v.sub = fmt.Sprintf("sweep, %d trials", n.Limits.MaxTotalTrials)
	}
	if f.component != nil {
		switch c := (*f.component).(type) {
		case azureml.Ref:
			if c != "" {
				tip = append(tip, "component "+string(c))
			}
		case *jobs.PipelineComponent:
			if c != nil {
				below := make([]string, len(calls))
				for i, c := range calls {
					below[i] = c + "/"
				}
				v.role, v.inner = nested_, s.component(c, below...)
			}
		case *jobs.CommandComponent:
			tip = append(tip, c.Command)
		}
	}
	if f.compute != nil && *f.compute != "" {
		tip = append(tip, "on "+*f.compute)
	}
	if f.comment != nil && *f.comment != "" {
		tip = append(tip, *f.comment)
	}
	v.tip = strings.Join(tip, "\n")
	return v
}

// brief is an expression without what all have.
func brief(text string) string {
	e, ok := wire.ParseExpression(text)
	if !ok {
		return text
	}
	if job, out, ok := e.JobOutput(); ok {
		return job + "." + out
	}
	if in, ok := e.ParentInput(); ok {
		return in
	}
	return string(e)
}

// edges draws what a step is given.
func (s *sketch) edges(p *place, name string, node jobs.Node) {
	at := p.index[name]
	from := func(port, text string, e edge) {
		for _, f := range wire.FindExpressions(text) {
			e := e
			e.to = at
			if in, ok := f.ParentInput(); ok {
				e.from = p.port(input_, in)
				p.edge(e, in+" → "+port)
			} else if job, out, ok := f.JobOutput(); ok {
				i, ok := p.index[job]
				if !ok || i == at {
					continue
				}
				e.from = i
				if p.g.vs[i].inner != nil {
					e.fromPort = out
				}
				p.edge(e, out+" → "+port)
			}
		}
	}
	f := fieldsOf(node)
	if f.inputs != nil {
		for _, port := range slices.Sorted(maps.Keys(*f.inputs)) {
			in := (*f.inputs)[port]
			e := edge{}
			if p.g.vs[at].inner != nil {
				e.toPort = port
			}
			text, ok := in.Value.(string)
			if !ok {
				text = in.Path
			}
			from(port, text, e)
		}
	}
	if f.outputs != nil {
		for _, port := range slices.Sorted(maps.Keys(*f.outputs)) {
			if e, ok := wire.ParseExpression((*f.outputs)[port].Path); ok {
				if out, ok := e.ParentOutput(); ok {
					x := edge{from: at, to: p.port(output_, out)}
					if p.g.vs[at].inner != nil {
						x.fromPort = port
					}
					p.edge(x, port+" → "+out)
				}
			}
		}
	}
	if f.bindings != nil {
		for _, field := range slices.Sorted(maps.Keys(*f.bindings)) {
			from(field, (*f.bindings)[field], edge{dashed: true})
		}
	}
	control := func(text, label string, e edge) {
		if x, ok := wire.ParseExpression(text); ok {
			if job, ok := x.Job(); ok {
				if i, ok := p.index[job]; ok && i != at {
					e.from, e.to, e.label, e.dashed = at, i, label, true
					p.edge(e, "")
				}
			}
		}
	}
	switch n := node.(type) {
	case *jobs.AutoMLNode:
		tables := n.Tables()
		for _, port := range slices.Sorted(maps.Keys(tables)) {
			text, ok := tables[port].Value.(string)
			if !ok {
				text = tables[port].Path
			}
			from(port, text, edge{})
		}
	case *jobs.IfElseNode:
		from("condition", n.Condition, edge{})
		for _, b := range n.TrueBlock {
			control(b, "true", edge{})
		}
		for _, b := range n.FalseBlock {
			control(b, "false", edge{})
		}
	case *jobs.DoWhileNode:
		control(n.Body, "body", edge{})
	case *jobs.ParallelForNode:
		from("items", n.Items.Text, edge{})
		control(n.Body, "body", edge{})
	}
}
