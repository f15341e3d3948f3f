package execution

import (
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// itemStep finds a step in an item's value.
var itemStep = regexp.MustCompile(`\$\{\{parent\.jobs\.([^.}]+)\.outputs\.`)

// wire checks the step's bindings and notes which nodes it follows.
func (g *graph) wire(s *step, field string, add func(error)) {
	c := s.component
	for _, k := range sorted(s.Inputs) {
		in, where := s.Inputs[k], field+".inputs."+k
		if c != nil && c.missing == "" && c.Inputs[k] == nil {
			add(arm.Invalid(where, "the component has no input %q; it has: %s", k, strings.Join(sorted(c.Inputs), ", ")))
		}
		if in != nil && in.Value != nil {
			g.wireInput(s, k, string(*in.Value), where, add)
		}
	}
	if c == nil || c.missing != "" {
		return
	}
	for _, k := range sorted(c.Inputs) {
		p := c.Inputs[k]
		if s.Inputs[k] == nil && !bool(p.Optional) && p.Default == nil && s.SearchSpace[k] == nil && !g.given(s, k) {
			add(arm.Invalid(field+".inputs."+k, "the component's input %q is required", k))
		}
	}
	g.wireOutputs(s, c.Outputs, field, add)
}

// given is true of an input that the items of a parallel_for bring.
func (g *graph) given(s *step, k string) bool {
	if s.loop == "" || g.steps[s.loop].Type != parallelFor {
		return false
	}
	it := g.steps[s.loop].control.items
	return it == nil || it.values[0][k] != nil
}

func (g *graph) wireInput(s *step, k, text, where string, add func(error)) {
	var port *componentPort
	if s.component != nil {
		port = s.component.Inputs[k]
	}
	if m := fromInput.FindStringSubmatch(text); m != nil {
		if _, ok := g.spec.Inputs[m[1]]; !ok && (port == nil || !bool(port.Optional)) {
			add(arm.Invalid(where, "the pipeline has no input %q; it has: %s", m[1], strings.Join(sorted(g.spec.Inputs), ", ")))
		}
		return
	}
	m := fromStep.FindStringSubmatch(text)
	if m == nil {
		if port != nil && s.Inputs[k].Type == "literal" {
			if err := port.takes(text); err != nil {
				add(arm.Invalid(where, "%v", err))
			}
		}
		return
	}
	if g.steps[m[1]] == nil {
		add(arm.Invalid(where, "there is no step %q; the steps are: %s", m[1], strings.Join(g.order, ", ")))
		return
	}
	if outs := g.outputsOf(m[1]); outs != nil {
		p := outs[m[2]]
		switch {
		case p == nil:
			add(arm.Invalid(where, "the step %q has no output %q; it has: %s", m[1], m[2], strings.Join(sorted(outs), ", ")))
		case port != nil && literalType(port.Type) && !literalType(p.Type):
			add(arm.Invalid(where, "the output %q of the step %q is of type %s; the input takes a value of type %s", m[2], m[1], p.Type, port.Type))
		}
	}
	s.need(g.owner(m[1]))
}

func (g *graph) wireOutputs(s *step, outs map[string]*componentPort, field string, add func(error)) {
	for _, k := range sorted(s.Outputs) {
		o, where := s.Outputs[k], field+".outputs."+k
		if outs[k] == nil {
			add(arm.Invalid(where, "the component has no output %q; it has: %s", k, strings.Join(sorted(outs), ", ")))
		}
		if o != nil && o.Value != "" {
			m := toOutput.FindStringSubmatch(o.Value)
			if m == nil {
				add(arm.Invalid(where, "%q is not an output of the pipeline", o.Value))
			} else if _, ok := g.spec.Outputs[m[1]]; !ok {
				add(arm.Invalid(where, "the pipeline has no output %q; it has: %s", m[1], strings.Join(sorted(g.spec.Outputs), ", ")))
			}
		}
	}
}

// follow gives control nodes, and what they steer, their places: a loop waits
// for what its body reads, and a guarded step for its if_else.
func (g *graph) follow() {
	for _, name := range g.order {
		s := g.steps[name]
		if s == nil {
			continue
		}
		if s.control != nil && s.control.source[0] != "" {
			s.need(g.owner(s.control.source[0]))
		}
		if s.loop != "" {
			l := g.steps[s.loop]
			for _, a := range s.after {
				if a == l.name { // the body reads what it puts out itself
					l.after = append(l.after, a)
				}
				l.need(a)
			}
			if s.guard != "" {
				l.guard, l.when = s.guard, s.when
			}
		}
	}
	for _, name := range g.order {
		s := g.steps[name]
		if s == nil || s.control == nil || s.control.items == nil {
			continue
		}
		for _, item := range s.control.items.values {
			for _, raw := range item {
				if m := itemStep.FindSubmatch(raw); m != nil {
					s.need(g.owner(string(m[1])))
				}
			}
		}
	}
	for _, name := range g.order {
		if s := g.steps[name]; s != nil && s.guard != "" && s.loop == "" {
			s.need(s.guard)
		}
	}
}

// first checks the steps that run before all others, and behind them.
func (g *graph) first(add func(error)) {
	set := &g.spec.Settings
	for field, name := range map[string]*string{"on_init": &set.OnInit, "on_finalize": &set.OnFinalize} {
		where := "properties.settings." + field
		*name = lastName(*name)
		s := g.steps[*name]
		switch {
		case *name == "":
		case s == nil:
			add(arm.Invalid(where, "there is no step %q; the steps are: %s", *name, strings.Join(g.order, ", ")))
		case s.control != nil || s.loop != "" || s.guard != "":
			add(arm.Invalid(where, "the step %q belongs to control flow", *name))
		case len(s.after) > 0 || g.isRead(*name):
			add(arm.Invalid(where, "the step %q has a data connection to another", *name))
		case len(g.steps) < 2:
			add(arm.Invalid(where, "there is no other step"))
		}
	}
	if set.OnInit != "" && set.OnInit == set.OnFinalize {
		add(arm.Invalid("properties.settings.on_finalize", "the step %q is on_init, too", set.OnInit))
	}
	for _, name := range g.order {
		if s := g.steps[name]; set.OnInit != "" && g.steps[set.OnInit] != nil && s != nil && name != set.OnFinalize {
			s.need(set.OnInit)
		}
	}
}

func (g *graph) isRead(name string) bool {
	for _, s := range g.steps {
		if slices.Contains(s.after, name) {
			return true
		}
	}
	return false
}

// cycle names the steps of a circle, "" when there is none.
func (g *graph) cycle() string {
	const open, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(n string) string
	visit = func(n string) string {
		if state[n] == done || g.steps[n] == nil {
			return ""
		}
		if state[n] == open {
			return strings.Join(append(path[slices.Index(path, n):], n), " → ")
		}
		state[n] = open
		path = append(path, n)
		for _, a := range g.steps[n].after {
			if c := visit(a); c != "" {
				return c
			}
		}
		path = path[:len(path)-1]
		state[n] = done
		return ""
	}
	for _, n := range g.order {
		if c := visit(n); c != "" {
			return c
		}
	}
	return ""
}
