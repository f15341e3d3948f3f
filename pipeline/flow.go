package pipeline

import (
	"github.com/azureml-go/azureml/jobs"
)

// loosen notes what a loop gives its body, which needs no other value then.
func (m *making) loosen(e *Each) {
	if e.body == nil || e.body.b != m.b {
		return
	}
	x := m.steps[e.body.name]
	if x == nil || x.draft == nil {
		return
	}
	if e.over != (Port{}) {
		x.anyInput = true
		return
	}
	x.loose = map[string]bool{}
	for _, round := range e.rounds() {
		for name := range round {
			x.loose[name] = true
		}
	}
}

func (e *Each) rounds() (out []jobs.Inputs) {
	out = append(out, e.items.List...)
	for _, in := range e.items.Map {
		out = append(out, in)
	}
	return out
}

// flow makes the node of a step of control flow.
func (m *making) flow(x *made) {
	switch c := x.step.of.(type) {
	case *Branch:
		x.node = m.branch(c)
	case *Loop:
		x.node = m.loop(c)
	case *Each:
		x.node = m.each(c)
	}
}

func (m *making) branch(c *Branch) jobs.Node {
	name := c.step.name
	n := &jobs.IfElseNode{}
	if m.source(name, "condition", c.when) {
		if kind, _ := m.typeOf(c.when); kind != "" && kind != jobs.ParameterBoolean {
			m.faults.add(WrongType, name, "condition", "%s is a %s; a condition is a boolean", c.when, kind)
		}
		n.Condition = c.when.Expression()
		m.edge(name, c.when)
	}
	n.TrueBlock, n.FalseBlock = m.block(c.step, "true_block", c.yes), m.block(c.step, "false_block", c.no)
	for _, s := range append(append([]*Step(nil), c.yes...), c.no...) {
		if s != nil && s.b == m.b {
			m.edges[s.name] = append(m.edges[s.name], name)
		}
	}
	return n
}

func (m *making) loop(c *Loop) jobs.Node {
	name := c.step.name
	n := &jobs.DoWhileNode{Limits: jobs.LoopLimits{MaxIterationCount: c.most}, Mapping: jobs.LoopMapping{}}
	if !m.has(name, "body", c.body) {
		return n
	}
	n.Body = jobExpression(c.body.name)
	body := m.steps[c.body.name]
	of := func(field string, p Port) bool {
		if !m.source(name, field, p) {
			return false
		}
		if p.step != c.body {
			m.faults.add(Foreign, name, field, "%s is no output of the body, the step %q", p, c.body.name)
			return false
		}
		return true
	}
	if c.while != (Port{}) && of("condition", c.while) {
		n.Condition = c.while.Expression()
	}
	for _, p := range c.next {
		if !of("mapping", p.from) {
			continue
		}
		kind, _ := m.typeOf(p.from)
		for _, to := range p.to {
			if body != nil && body.draft != nil && body.known && !body.free {
				want, ok := body.in[to]
				if _, inferred := body.infer[to]; !ok && !inferred {
					m.faults.add(UnknownPort, name, "mapping", "the body %q has no input %q%s", c.body.name, to, instead("input", to, body.in))
					continue
				}
				if !accepts(want.Type, kind) {
					m.faults.add(WrongType, name, "mapping", "the input %q of %q wants %s, and its output %q is %s", to, c.body.name, indefinite(want.Type), p.from.name, indefinite(kind))
					continue
				}
			}
			n.Mapping[p.from.name] = append(n.Mapping[p.from.name], to)
		}
	}
	m.edges[name] = append(m.edges[name], c.body.name)
	return n
}

func (m *making) each(c *Each) jobs.Node {
	name := c.step.name
	n := &jobs.ParallelForNode{Items: c.items, MaxConcurrency: c.most}
	if len(n.Items.List) == 0 {
		n.Items.List = nil
	}
	ways := 0
	for _, is := range []bool{c.items.List != nil, c.items.Map != nil, c.over != (Port{})} {
		if is {
			ways++
		}
	}
	if ways > 1 {
		m.faults.add(Duplicate, name, "items", "are given in %d ways; use one of a list, Named and Over", ways)
	}
	if c.over != (Port{}) && m.source(name, "items", c.over) {
		n.Items = jobs.Items{Text: c.over.Expression()}
		m.edge(name, c.over)
	}
	if !m.has(name, "body", c.body) {
		return n
	}
	n.Body = jobExpression(c.body.name)
	m.edges[name] = append(m.edges[name], c.body.name)
	body := m.steps[c.body.name]
	if body == nil || body.draft == nil || !body.known || body.free {
		return n
	}
	defer m.faults.sort(len(m.faults.all))
	for _, round := range c.rounds() {
		for to, in := range round {
			want, ok := body.in[to]
			if _, inferred := body.infer[to]; !ok && !inferred {
				m.faults.add(UnknownPort, name, "items", "the body %q has no input %q%s", c.body.name, to, instead("input", to, body.in))
			} else if kind, why := misfit(want, in); why != "" {
				m.faults.add(kind, name, "items", "the input %q of %q %s", to, c.body.name, why)
			}
		}
	}
	return n
}
