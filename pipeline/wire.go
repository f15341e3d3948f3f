package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// has tells whether a step is of this pipeline.
func (m *making) has(step, port string, s *Step) bool {
	switch {
	case s == nil:
		m.faults.add(Invalid, step, port, "the step is nil")
	case s.b != m.b:
		m.faults.add(Foreign, step, port, "the step %q is of the pipeline %q; give it what is a step of %q", s.name, s.b.name, m.b.name)
	default:
		return true
	}
	return false
}

// source checks where a port is.
func (m *making) source(step, at string, p Port) bool {
	switch {
	case p.b == nil:
		m.faults.add(UnknownPort, step, at, "is given no port; use Out of a step or Input of the pipeline")
		return false
	case p.b != m.b:
		m.faults.add(Foreign, step, at, "%s is of the pipeline %q, not of %q; make it an output there and that pipeline a step here", strings.Trim(p.Expression(), "${}"), p.b.name, m.b.name)
		return false
	case p.step == nil:
		if _, ok := m.inputs[p.name]; !ok {
			m.faults.add(UnknownPort, step, at, "the pipeline has no input %q%s", p.name, instead("input", p.name, m.inputs))
			return false
		}
		return true
	}
	x := m.steps[p.step.name]
	if x == nil || x.step != p.step {
		return false // the step is a duplicate, which is said
	}
	if x.draft == nil || !x.known {
		return true
	}
	if _, ok := x.out[p.name]; !ok {
		m.faults.add(UnknownPort, step, at, "the step %q has no output %q%s", p.step.name, p.name, instead("output", p.name, x.out))
		return false
	}
	return true
}

// typeOf is the type of what a port gives, "" when it is not known here.
func (m *making) typeOf(p Port) (string, string) {
	if p.step == nil {
		in := m.inputs[p.name]
		if in.spec.Type != "" {
			return in.spec.Type, in.spec.Mode
		}
		return kindOf(in.data), string(in.data.Mode)
	}
	x := m.steps[p.step.name]
	if x == nil || x.draft == nil {
		return "", ""
	}
	if t := x.outs[p.name].Type; t != "" {
		return t, ""
	}
	if t := x.out[p.name].Type; t != "" {
		return t, ""
	}
	for _, w := range x.step.writes {
		if w.name == p.name {
			return string(w.as.Type), ""
		}
	}
	return "", ""
}

// wire gives a step's inputs their values.
func (m *making) wire(x *made) {
	if x.broken {
		return
	}
	s, f := x.step, fieldsOf(x.node)
	m.outputs(x)
	var tables map[string]*jobs.Input
	if n, ok := x.node.(*jobs.AutoMLNode); ok {
		tables = n.Tables()
	}
	if f.inputs != nil {
		m.waits(s.name, *f.inputs, tables)
	} else {
		m.waits(s.name, nil, tables)
	}
	var given jobs.Inputs
	if f.inputs != nil && (len(*f.inputs) > 0 || len(s.inputs) > 0) {
		given = make(jobs.Inputs, len(*f.inputs)+len(s.inputs))
		maps.Copy(given, *f.inputs)
		*f.inputs = given
	}
	var seen map[string]bool
	if len(s.inputs) > 1 {
		seen = make(map[string]bool, len(s.inputs))
	}
	for _, b := range s.inputs {
		at := "inputs." + b.name
		if seen[b.name] {
			m.faults.add(Duplicate, s.name, at, "is given twice")
			continue
		}
		if seen != nil {
			seen[b.name] = true
		}
		in, ok := m.value(x, at, b)
		if !ok {
			continue
		}
		if t := tables[b.name]; t != nil {
			*t = in
		} else if given != nil {
			given[b.name] = in
		} else {
			m.faults.add(UnknownPort, s.name, at, "a step of the kind %s has no inputs", kindName(x.node))
		}
	}
	for _, b := range s.binds {
		switch at := b.name; {
		case f.bindings == nil:
			m.faults.add(Invalid, s.name, at, "a step of the kind %s has no fields that can be bound", kindName(x.node))
		case b.port.step != nil:
			m.faults.add(Invalid, s.name, at, "a field is bound to an input of the pipeline, not to the output of a step")
		case bindable(x.node, at) != "":
			m.faults.add(Invalid, s.name, at, "%s", bindable(x.node, at))
		case m.source(s.name, at, b.port):
			*f.bindings = wire.Bindings(with(map[string]string(*f.bindings), at, b.port.Expression()))
			m.edge(s.name, b.port)
		}
	}
	m.missing(x, given, tables)
	for _, field := range s.more.apply(x.node) {
		m.faults.add(Invalid, s.name, field, "a step of the kind %s has no such field", kindName(x.node))
	}
}

// value is what an input is given, checked against what the component wants.
func (m *making) value(x *made, at string, b binding) (jobs.Input, bool) {
	s := x.step
	want, declared := x.in[b.name]
	_, inferred := x.infer[b.name]
	if !declared && !inferred && !x.free && x.draft.known {
		m.faults.add(UnknownPort, s.name, at, "the step has no input %q%s", b.name, instead("input", b.name, x.in))
		return jobs.Input{}, false
	}
	if x.given[b.name] && kindName(x.node) == "sweep" {
		m.faults.add(Duplicate, s.name, at, "is in the search space, which gives it")
		return jobs.Input{}, false
	}
	infer := !declared && x.component != nil
	if b.value == nil && b.port != (Port{}) || b.port.b != nil {
		if !m.source(s.name, at, b.port) {
			return jobs.Input{}, false
		}
		m.edge(s.name, b.port)
		kind, mode := m.typeOf(b.port)
		if declared && !accepts(want.Type, kind) {
			m.faults.add(WrongType, s.name, at, "wants %s, and %s gives %s; it takes %s", indefinite(want.Type), strings.Trim(b.port.Expression(), "${}"), indefinite(kind), accepted(want.Type))
			return jobs.Input{}, false
		}
		if infer {
			x.infers(b.name, kind, mode, nil)
		}
		return b.port.input(), true
	}
	in, ok := literal(b.value)
	if !ok {
		if b.value == nil {
			m.faults.add(UnknownPort, s.name, at, "is given no port; use Out of a step or Input of the pipeline")
		} else {
			m.faults.add(WrongValue, s.name, at, "a %T is no value; give text, a number, true, false, a jobs.Input or a port", b.value)
		}
		return jobs.Input{}, false
	}
	if kind, why := misfit(want, in); declared && why != "" {
		m.faults.add(kind, s.name, at, "%s", why)
		return jobs.Input{}, false
	}
	if infer {
		x.infers(b.name, kindOf(in), string(in.Mode), in.Value)
	}
	return in, true
}

// infers notes the type of an input that only the command names.
func (x *made) infers(name, kind, mode string, value any) {
	if kind == "" {
		kind = string(jobs.TypeURIFolder)
	}
	in := jobs.ComponentInput{Type: kind}
	if parameter(kind) {
		in.Default = value
	} else {
		in.Mode = mode
	}
	if needed, named := x.infer[name]; named && !needed {
		in.Optional, in.Default = new(true), nil
	}
	if x.seen == nil {
		x.seen = jobs.ComponentInputs{}
	}
	x.seen[name] = in
}

// edge notes that a step waits for another.
func (m *making) edge(step string, p Port) {
	if p.step != nil {
		m.edges[step] = append(m.edges[step], p.step.name)
	}
}

// waits notes what the expressions wait for that a definition brings along.
func (m *making) waits(step string, given jobs.Inputs, tables map[string]*jobs.Input) {
	note := func(in jobs.Input) {
		text, ok := in.Value.(string)
		if !ok {
			text = in.Path
		}
		if !strings.Contains(text, "${{") {
			return
		}
		if e, ok := wire.ParseExpression(text); ok {
			if job, _, ok := e.JobOutput(); ok && !slices.Contains(m.edges[step], job) {
				m.edges[step] = append(m.edges[step], job)
			}
		}
	}
	for _, in := range given {
		note(in)
	}
	for _, in := range tables {
		note(*in)
	}
}

// missing finds inputs that nothing is given to.
func (m *making) missing(x *made, given jobs.Inputs, tables map[string]*jobs.Input) {
	if x.anyInput {
		return
	}
	defer m.faults.sort(len(m.faults.all))
	need := func(name, kind string) {
		if x.loose[name] || x.draft.given[name] || m.faults.at(x.step.name, "inputs."+name) {
			return
		}
		what := "a " + kind
		if kind == "" {
			what = "a value"
		}
		m.faults.add(MissingInput, x.step.name, "inputs."+name, "wants %s and is given nothing; bind it with In(%q, …) or Set(%q, …)", what, name, name)
	}
	for name, want := range x.in {
		if want.Default != nil || want.Optional != nil && *want.Optional {
			continue
		}
		if tables != nil {
			if t := tables[name]; t != nil && *t == (jobs.Input{}) {
				need(name, want.Type)
			}
		} else if _, ok := given[name]; !ok {
			need(name, want.Type)
		}
	}
	for name, needed := range x.infer {
		if _, ok := x.seen[name]; !ok && needed {
			if v, ok := given[name]; ok { // the job's own expression
				x.infers(name, kindOf(v), string(v.Mode), v.Value)
				continue
			}
			need(name, "")
		}
	}
	for name := range x.infer {
		if _, ok := x.seen[name]; !ok { // nothing is bound to it, and it is there all the same
			x.infers(name, jobs.ParameterString, "", nil)
		}
	}
}

// outputs sets how a step's outputs are written.
func (m *making) outputs(x *made) {
	if len(x.step.writes) == 0 {
		return
	}
	f := fieldsOf(x.node)
	if f.outputs == nil {
		m.faults.add(Invalid, x.step.name, "outputs", "a step of the kind %s has no outputs", kindName(x.node))
		return
	}
	all := maps.Clone(*f.outputs)
	if all == nil {
		all = jobs.Outputs{}
	}
	for i, w := range x.step.writes {
		at := "outputs." + w.name
		decl, ok := x.out[w.name]
		switch {
		case slices.ContainsFunc(x.step.writes[:i], func(o write) bool { return o.name == w.name }):
			m.faults.add(Duplicate, x.step.name, at, "is written twice")
			continue
		case !ok && x.draft.known:
			m.faults.add(UnknownPort, x.step.name, at, "the step has no output %q%s", w.name, instead("output", w.name, x.out))
			continue
		case x.open[w.name] && w.as.Type != "":
			if x.outs == nil {
				x.outs = jobs.ComponentOutputs{}
			}
			x.outs[w.name] = jobs.ComponentOutput{Type: string(w.as.Type)}
		case ok && w.as.Type != "" && string(w.as.Type) != decl.Type:
			m.faults.add(WrongType, x.step.name, at, "is a %s, and cannot be written as a %s", decl.Type, w.as.Type)
			continue
		}
		all[w.name] = merged(all[w.name], w.as)
	}
	*f.outputs = all
}

// merged is an output with what another says of it.
func merged(o, as jobs.Output) jobs.Output {
	for _, f := range []struct{ at, v *string }{
		{(*string)(&o.Type), (*string)(&as.Type)}, {(*string)(&o.Mode), (*string)(&as.Mode)}, {&o.Path, &as.Path}, {&o.Name, &as.Name},
		{&o.Version, &as.Version}, {&o.Description, &as.Description},
	} {
		if *f.v != "" {
			*f.at = *f.v
		}
	}
	return o
}

// promote makes outputs of steps those of the pipeline.
func (m *making) promote() {
	for _, o := range m.b.outputs {
		at := "outputs." + o.name
		if !outputName.MatchString(o.name) {
			m.faults.add(InvalidName, "", at, "%q cannot be an output's name: letters, digits and '_', not beginning with a digit", o.name)
		}
		if _, twice := m.promoted[o.name]; twice {
			m.faults.add(Duplicate, "", at, "there are two outputs of this name")
			continue
		}
		if !m.source("", at, o.from) {
			continue
		}
		if o.from.step == nil {
			m.faults.add(WrongType, "", at, "is an input of the pipeline, which gives outputs of steps alone")
			continue
		}
		x := m.steps[o.from.step.name]
		if x.draft != nil && x.broken {
			continue
		}
		f := fieldsOf(x.node)
		if f.outputs == nil {
			m.faults.add(Invalid, "", at, "a step of the kind %s has no outputs", kindName(x.node))
			continue
		}
		own := (*f.outputs)[o.from.name]
		if strings.HasPrefix(own.Path, "${{parent.outputs.") {
			m.faults.add(Duplicate, "", at, "the step %q gives its output %q to %s already", x.step.name, o.from.name, own.Path)
			continue
		}
		kind, _ := m.typeOf(o.from)
		if x.draft != nil && x.open[o.from.name] && o.as.Type != "" && x.outs[o.from.name].Type == "" {
			if kind = string(o.as.Type); x.outs == nil {
				x.outs = jobs.ComponentOutputs{}
			}
			x.outs[o.from.name] = jobs.ComponentOutput{Type: kind}
		}
		out := merged(own, o.as)
		switch {
		case kind == "" || parameter(kind):
		case o.as.Type != "" && string(o.as.Type) != kind:
			m.faults.add(WrongType, "", at, "the step %q gives a %s, which cannot be written as a %s", x.step.name, kind, o.as.Type)
		case kind != "path":
			out.Type = jobs.DataType(kind)
		}
		if out.Version != "" && out.Name == "" {
			m.faults.add(Invalid, "", at, "a version needs a name")
		}
		m.promoted[o.name] = out
		*f.outputs = jobs.Outputs(with(map[string]jobs.Output(*f.outputs), o.from.name, jobs.Output{Path: "${{parent.outputs." + o.name + "}}"}))
	}
}

// finish gives a step the component that was made for it.
func (m *making) finish(x *made) {
	if x.component == nil {
		return
	}
	if f := fieldsOf(x.node); len(x.seen)+len(x.outs) == 0 && x.step.more.resources == nil && x.step.more.instances == 0 {
		*f.component = x.component
		return
	}
	var wants *azureml.Resources
	f := fieldsOf(x.node)
	if f.resources != nil && (x.step.more.resources != nil || x.step.more.instances > 0) {
		wants = *f.resources
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%p", x.component)
	if len(x.seen)+len(x.outs) > 0 || wants != nil {
		for _, name := range slices.Sorted(maps.Keys(x.seen)) {
			in := x.seen[name]
			fmt.Fprintf(&key, " %s=%s/%s/%v/%v", name, in.Type, in.Mode, in.Default, in.Optional != nil)
		}
		for _, name := range slices.Sorted(maps.Keys(x.outs)) {
			fmt.Fprintf(&key, " >%s=%s", name, x.outs[name].Type)
		}
		if wants != nil {
			fmt.Fprintf(&key, " %+v", *wants)
		}
	}
	k := m.filled[key.String()]
	if k == nil {
		k = x.fill(x.seen, x.outs, wants)
		m.filled[key.String()] = k
	}
	*f.component = k
}
