package pipeline

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

// Build gives the pipeline as a job, or every fault that it has, joined: see [Faults]. It reads no file and asks no service,
// changes nothing, and can be called again; each job has maps of its own.
func (b *Builder) Build() (*jobs.PipelineJob, error) {
	if b == nil {
		return nil, errors.New("pipeline: build: the builder is nil")
	}
	m := newMaking(b, nil)
	j := m.job()
	if err := m.faults.err(fmt.Sprintf("pipeline: build %q", b.name)); err != nil {
		return nil, err
	}
	return j, nil
}

// Component gives the pipeline as a component, to be registered or used as a step. Its settings are not in it: those of the
// pipeline that is submitted hold. Steps without a compute get the pipeline's, where it has one.
func (b *Builder) Component() (*jobs.PipelineComponent, error) {
	if b == nil {
		return nil, errors.New("pipeline: component: the builder is nil")
	}
	m := newMaking(b, nil)
	c := m.component()
	m.check(jobs.CheckComponent(c))
	if err := m.faults.err(fmt.Sprintf("pipeline: component %q", b.name)); err != nil {
		return nil, err
	}
	return c, nil
}

// making is one building of a pipeline.
type making struct {
	b       *Builder
	outer   *making // when the pipeline is a step
	faults  list
	drafts  map[any]*draft
	inlined map[jobs.Component]jobs.Component
	filled  map[string]jobs.Component // components made of one definition with the same types
	steps   map[string]*made
	nodes   jobs.Nodes
	inputs  map[string]input
	// promoted is how the pipeline's outputs are written.
	promoted jobs.Outputs
	edges    map[string][]string
}

// made is a step as a node.
type made struct {
	*draft
	step *Step
	node jobs.Node
	seen jobs.ComponentInputs // the inferred inputs with their types
	outs jobs.ComponentOutputs
	// loose are the inputs that a loop gives; all with anyInput.
	loose    map[string]bool
	anyInput bool
}

func newMaking(b *Builder, outer *making) *making {
	n := len(b.steps)
	return &making{
		b: b, outer: outer, drafts: map[any]*draft{}, inlined: map[jobs.Component]jobs.Component{}, filled: map[string]jobs.Component{},
		steps: make(map[string]*made, n), nodes: make(jobs.Nodes, n), inputs: map[string]input{}, promoted: jobs.Outputs{}, edges: make(map[string][]string, n),
	}
}

var (
	stepName   = regexp.MustCompile(`^[a-z_][a-z\d_]*$`)
	portName   = regexp.MustCompile(`^[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*$`)
	outputName = regexp.MustCompile(`^[a-zA-Z_]\w*$`)
)

// graph makes the nodes.
func (m *making) graph() {
	m.faults.all = slices.Clone(m.b.faults.all)
	m.declareInputs()
	if len(m.b.steps) == 0 {
		m.faults.add(Invalid, "", "steps", "the pipeline %q has none; add them with Step", m.b.name)
	}
	order := make([]*made, 0, len(m.b.steps))
	for _, s := range m.b.steps {
		if s == nil {
			continue
		}
		if !stepName.MatchString(s.name) {
			m.faults.add(InvalidName, s.name, "name", "%q cannot be a step's name: lower-case letters, digits and '_', not beginning with a digit%s", s.name, better(s.name))
		}
		if other := m.steps[s.name]; other != nil {
			m.faults.add(Duplicate, s.name, "name", "there are two steps of this name")
			continue
		}
		x := &made{step: s}
		if !control(s.of) {
			x.draft = m.draft(s.of)
			for _, f := range x.draft.faults {
				g := *f
				g.Step = s.name + f.Step
				m.faults.put(&g)
			}
			x.node = copyOf(x.draft.node)
		}
		m.steps[s.name] = x
		order = append(order, x)
	}
	for _, x := range order {
		if e, ok := x.step.of.(*Each); ok {
			m.loosen(e)
		}
	}
	for _, x := range order {
		if x.draft != nil {
			m.wire(x)
		}
	}
	for _, x := range order {
		if x.draft == nil {
			m.flow(x)
		}
	}
	m.promote()
	for _, x := range order {
		if x.draft != nil {
			m.finish(x)
		}
		if x.node != nil {
			m.nodes[x.step.name] = x.node
		}
	}
	m.cycles(order)
}

// better suggests a name for a step.
func better(name string) string {
	if n := componentTitle(name); n != "" && stepName.MatchString(n) {
		return fmt.Sprintf("; %q would do", n)
	}
	return ""
}

func control(of any) bool {
	switch of.(type) {
	case *Branch, *Loop, *Each:
		return true
	}
	return false
}

// job makes the pipeline a job.
func (m *making) job() *jobs.PipelineJob {
	m.graph()
	j := m.b.head
	j.Tags, j.Properties = maps.Clone(j.Tags), maps.Clone(j.Properties)
	for _, at := range []**bool{&j.Settings.ContinueOnStepFailure, &j.Settings.ForceRerun} {
		if *at != nil {
			*at = new(**at)
		}
	}
	if j.DisplayName == "" {
		j.DisplayName = m.b.name
	}
	if len(m.inputs) > 0 {
		j.Inputs = make(jobs.Inputs, len(m.inputs))
	}
	before := len(m.faults.all)
	for name, in := range m.inputs {
		v := in.data
		if in.spec.Type != "" {
			if in.spec.Default != nil {
				v, _ = literal(in.spec.Default) // it was checked with the declarations
			} else if in.spec.Optional == nil || !*in.spec.Optional {
				m.faults.add(MissingInput, "", "inputs."+name, "the %s has no value to run with; give it a default, or use the pipeline as a step of another", in.spec.Type)
			}
		} else if v.Type != "" && v.Path == "" {
			m.faults.add(MissingInput, "", "inputs."+name, "the %s has no path to run with: \"azureml:NAME:VERSION\", a file or folder here, or an address", v.Type)
			v = jobs.Input{}
		}
		j.Inputs[name] = v
	}
	m.faults.sort(before)
	j.Jobs = m.nodes
	if len(m.promoted) > 0 {
		j.Outputs = m.promoted
	}
	for _, x := range []struct {
		at   *string
		step *Step
		name string
	}{{&j.Settings.OnInit, m.b.init, "settings.on_init"}, {&j.Settings.OnFinalize, m.b.finalize, "settings.on_finalize"}} {
		if x.step != nil && m.has("", x.name, x.step) {
			*x.at = x.step.name
		}
	}
	m.check(jobs.Check(&j))
	return &j
}

// component makes the pipeline a component.
func (m *making) component() *jobs.PipelineComponent {
	m.graph()
	h := m.b.head
	c := &jobs.PipelineComponent{
		Name: componentTitle(m.b.name), Version: m.b.version, DisplayName: h.DisplayName, Description: h.Description, Tags: maps.Clone(h.Tags),
		Inputs: jobs.ComponentInputs{}, Outputs: jobs.ComponentOutputs{}, Jobs: m.nodes,
	}
	for name, in := range m.inputs {
		if in.spec.Type != "" {
			c.Inputs[name] = in.spec
			continue
		}
		kind := kindOf(in.data)
		v := jobs.ComponentInput{Type: kind}
		if parameter(kind) {
			v.Default = in.data.Value
		} else if v.Mode = string(in.data.Mode); kind == "" {
			v = jobs.ComponentInput{Type: jobs.ParameterString, Optional: new(true)}
		}
		c.Inputs[name] = v
	}
	for _, o := range m.b.outputs {
		if p, ok := m.promoted[o.name]; ok {
			kind := string(p.Type)
			if kind == "" {
				kind, _ = m.typeOf(o.from)
			}
			if kind == "" {
				kind = string(jobs.TypeURIFolder)
			}
			c.Outputs[o.name] = jobs.ComponentOutput{Type: kind, Mode: string(p.Mode)}
		}
	}
	compute := h.Compute
	if compute == "" {
		compute = h.Settings.DefaultCompute
	}
	if compute != "" {
		for _, n := range m.nodes {
			if at := fieldsOf(n).compute; at != nil && *at == "" && kindName(n) != "pipeline" && kindName(n) != "spark" {
				*at = compute
			}
		}
	}
	return c
}

// check takes over what package jobs finds, without what is known already.
func (m *making) check(err error) {
	list, ok := errors.AsType[azureml.Faults](err)
	if !ok {
		return
	}
	for _, f := range list {
		step, port := "", f.Field
		if rest, ok := strings.CutPrefix(f.Field, "jobs."); ok {
			step, port, _ = strings.Cut(rest, ".")
		}
		top := port
		if parts := strings.SplitN(port, ".", 3); len(parts) == 3 && (parts[0] == "inputs" || parts[0] == "outputs") {
			top = parts[0] + "." + parts[1]
		}
		if m.faults.at(step, port) || m.faults.at(step, top) || step != "" && m.faults.at(step, "") {
			continue
		}
		if f.Field == "jobs" && (len(m.nodes) == 0 || errors.Is(m.faults.err(""), Cyclic)) {
			continue
		}
		m.faults.put(&Fault{Kind: Invalid, Step: step, Port: port, Message: f.Message, Cause: f})
	}
}

// declareInputs checks the pipeline's inputs.
func (m *making) declareInputs() {
	for _, in := range m.b.inputs {
		at := "inputs." + in.name
		if !portName.MatchString(in.name) {
			m.faults.add(InvalidName, "", at, "%q cannot be an input's name: letters, digits and '_', not beginning with a digit; dots make groups", in.name)
		}
		if _, twice := m.inputs[in.name]; twice {
			m.faults.add(Duplicate, "", at, "there are two inputs of this name")
			continue
		}
		m.inputs[in.name] = in
		if in.spec.Type == "" || in.spec.Default == nil {
			continue
		}
		v, ok := literal(in.spec.Default)
		if !ok {
			m.faults.add(WrongValue, "", at, "the default is a %T; a literal is text, a number, true or false", in.spec.Default)
		} else if k, why := misfit(in.spec, v); why != "" {
			m.faults.add(k, "", at, "the default: it %s", why)
		}
	}
	for _, in := range m.b.inputs {
		name := in.name
		for at := strings.LastIndexByte(name, '.'); at > 0; at = strings.LastIndexByte(name[:at], '.') {
			if _, both := m.inputs[name[:at]]; both {
				m.faults.add(Duplicate, "", "inputs."+name[:at], "is an input and a group; %q is in it", name)
			}
		}
	}
}

// cycles finds steps that wait for each other: a circle for each step at which one closes.
func (m *making) cycles(order []*made) {
	const open, done = 1, 2
	state := make(map[string]int, len(order))
	var path []string
	var visit func(string)
	visit = func(n string) {
		state[n] = open
		path = append(path, n)
		closed := false
		for _, x := range m.edges[n] {
			switch state[x] {
			case open:
				if !closed {
					loop := append(slices.Clone(path[slices.Index(path, x):]), x)
					m.faults.add(Cyclic, x, "", "the steps wait for each other: %s", strings.Join(loop, " ← "))
				}
				closed = true
			case 0:
				visit(x)
			}
		}
		path = path[:len(path)-1]
		state[n] = done
	}
	for _, x := range order {
		if state[x.step.name] == 0 {
			visit(x.step.name)
		}
	}
}
