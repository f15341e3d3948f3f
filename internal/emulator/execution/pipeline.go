package execution

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// pipelineSpec is what is read of a pipeline job's REST properties. What is
// inside of jobs has the YAML's keys.
type pipelineSpec struct {
	commandSpec
	ComponentID string              `json:"componentId"`
	Jobs        map[string]arm.Part `json:"jobs"`
	Settings    pipelineSettings    `json:"settings"`
}

type pipelineSettings struct {
	DefaultCompute        string `json:"default_compute,omitempty"`
	DefaultDatastore      string `json:"default_datastore,omitempty"`
	ContinueOnStepFailure flag   `json:"continue_on_step_failure"`
	ForceRerun            flag   `json:"force_rerun"`
	OnInit                string `json:"on_init,omitempty"`
	OnFinalize            string `json:"on_finalize,omitempty"`
}

// step is one node of a pipeline.
type step struct {
	name string
	raw  json.RawMessage // the node as it was sent

	Type                 string                 `json:"type"`
	ComponentID          string                 `json:"componentId"`
	Inline               json.RawMessage        `json:"component"` // of plans: a component that is not registered
	DisplayName          string                 `json:"display_name"`
	ComputeID            string                 `json:"computeId"`
	Inputs               map[string]*stepInput  `json:"inputs"`
	Outputs              map[string]*stepOutput `json:"outputs"`
	EnvironmentVariables map[string]scalar      `json:"environment_variables"`
	Resources            json.RawMessage        `json:"resources"`
	Distribution         json.RawMessage        `json:"distribution"`
	Limits               json.RawMessage        `json:"limits"`
	Identity             json.RawMessage        `json:"identity"`
	Description          string                 `json:"description"`
	Tags                 map[string]scalar      `json:"tags"`
	Properties           map[string]scalar      `json:"properties"`

	// of sweeps
	Trial             trialRef                   `json:"trial"`
	SearchSpace       map[string]json.RawMessage `json:"search_space"`
	SamplingAlgorithm json.RawMessage            `json:"sampling_algorithm"`
	Objective         json.RawMessage            `json:"objective"`
	EarlyTermination  json.RawMessage            `json:"early_termination"`

	component *component
	after     []string // nodes that must have completed before

	control *control // of control flow alone
	body    *step    // of a loop: what it repeats
	loop    string   // the loop that it is the body of
	guard   string   // the if_else that lets it run, when its condition is when
	when    bool
}

// componentName is how messages call the step's component.
func (s *step) componentName() string {
	if s.component == nil {
		return s.ComponentID
	}
	name, version := (&arm.Location{AssetID: assetID(s.component.missing)}).Asset()
	return name + ":" + version
}

// trialRef is the component of a sweep step: its id, alone or in an object as the
// reference sends it.
type trialRef string

func (t *trialRef) UnmarshalJSON(b []byte) error {
	var in struct {
		ComponentID string `json:"componentId"`
	}
	if len(b) > 0 && b[0] == '{' {
		if err := json.Unmarshal(b, &in); err != nil {
			return err
		}
		*t = trialRef(in.ComponentID)
		return nil
	}
	return json.Unmarshal(b, (*string)(t))
}

type stepInput struct {
	Type  string  `json:"job_input_type"`
	URI   string  `json:"uri"`
	Value *scalar `json:"value"`
	Mode  string  `json:"mode"`

	step string // that put it out, maybe without a file
}

type stepOutput struct {
	Type    string `json:"job_output_type"`
	Value   string `json:"value"` // a binding to an output of the pipeline
	URI     string `json:"uri"`
	Mode    string `json:"mode"`
	Name    string `json:"name"`
	Version scalar `json:"version"`
}

var (
	fromInput  = regexp.MustCompile(`^\$\{\{parent\.inputs\.([^}]+)\}\}$`)
	fromStep   = regexp.MustCompile(`^\$\{\{parent\.jobs\.([^.}]+)\.outputs\.([^}]+)\}\}$`)
	toOutput   = regexp.MustCompile(`^\$\{\{parent\.outputs\.([^}]+)\}\}$`)
	anyBinding = regexp.MustCompile(`\$\{\{parent\.inputs\.([^}]+)\}\}`)
)

// graph is a pipeline that was read: its steps, each with its component.
type graph struct {
	spec  *pipelineSpec
	steps map[string]*step
	order []string // names, sorted
}

// graph reads a pipeline and finds every fault of its wiring.
func (e *Engine) graph(ctx context.Context, sc arm.Scope, raw json.RawMessage) (*graph, []*arm.Error) {
	return e.graphWith(ctx, sc, raw, false)
}

// graphWith is graph; a plan's may have components that are not registered.
func (e *Engine) graphWith(ctx context.Context, sc arm.Scope, raw json.RawMessage, plan bool) (*graph, []*arm.Error) {
	g := &graph{spec: &pipelineSpec{}, steps: map[string]*step{}}
	if err := json.Unmarshal(raw, g.spec); err != nil {
		return nil, []*arm.Error{arm.Invalid("properties", "the pipeline cannot be read: %v", err)}
	}
	var faults []*arm.Error
	add := func(err error) { faults = append(faults, arm.As(err)) }
	jobs := g.spec.Jobs
	if g.spec.ComponentID != "" {
		id := g.spec.ComponentID
		if strings.ContainsAny(id, ":@") && !strings.Contains(id, "/") && !strings.HasPrefix(id, "azureml:") {
			id = "azureml:" + id // as azure-ai-ml sends what a file names
		}
		c, err := e.component(ctx, sc, id)
		if err != nil {
			return nil, []*arm.Error{arm.As(at("properties.componentId", err))}
		}
		if c.Type != "pipeline" {
			return nil, []*arm.Error{arm.Invalid("properties.componentId", "the component is of type %s, not pipeline", c.Type)}
		}
		if faults := g.unfit(c); len(faults) > 0 {
			return nil, faults
		}
		jobs = c.Jobs
		g.adopt(c)
	}
	g.placeOutputs(sc)
	if len(jobs) == 0 {
		return nil, append(faults, arm.Invalid("properties.jobs", "the pipeline has no steps"))
	}
	g.order = sorted(jobs)
	components := map[string]*component{}
	steps, unread := make([]*step, len(g.order)), make([]error, len(g.order))
	share(len(g.order), func(i int) {
		steps[i] = &step{name: g.order[i], raw: json.RawMessage(jobs[g.order[i]])}
		unread[i] = g.read(steps[i], steps[i].raw)
	})
	for i, s := range steps {
		field := "properties.jobs." + s.name
		if unread[i] != nil {
			add(arm.Invalid(field, "the step cannot be read: %v", unread[i]))
			continue
		}
		g.steps[s.name] = s
		if err := e.equip(ctx, sc, s, components, plan); err != nil {
			add(at(field, err))
		}
	}
	g.wireAll(add)
	return g, faults
}

// read decodes a node; those of control flow have fields of their own in the
// places of the others'.
func (g *graph) read(s *step, raw json.RawMessage) error {
	var head struct {
		Type    string                 `json:"type"`
		Outputs map[string]*stepOutput `json:"outputs"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return err
	}
	if n := nodes[head.Type]; n != nil && n.control != nil {
		s.Type, s.Outputs, s.control = head.Type, head.Outputs, &control{}
		return json.Unmarshal(raw, s.control)
	}
	if err := json.Unmarshal(raw, s); err != nil {
		return err
	}
	if signalComponent(s.ComponentID) != nil {
		s.Type = monitorSignal
	}
	return nil
}

// wireAll connects the nodes, and finds circles when all could be connected.
func (g *graph) wireAll(add func(error)) {
	for _, name := range g.order {
		if s := g.steps[name]; s != nil && s.control != nil {
			s.kindOf().control(g, s, "properties.jobs."+name, add)
		}
	}
	for _, name := range g.order {
		if s := g.steps[name]; s != nil && s.control == nil && s.kindOf() != nil {
			g.wire(s, "properties.jobs."+name, add)
		}
	}
	g.follow()
	g.first(add)
	if c := g.cycle(); c != "" {
		add(arm.Invalid("properties.jobs", "the steps wait for each other: %s", c))
	}
}

// adopt takes ports over from a pipeline component, with its defaults.
func (g *graph) adopt(c *component) {
	if g.spec.Inputs == nil {
		g.spec.Inputs = map[string]*input{}
	}
	for k, p := range c.Inputs {
		if g.spec.Inputs[k] == nil && (p.Default != nil || bool(p.Optional)) {
			g.spec.Inputs[k] = &input{Type: "literal", Value: p.Default}
		}
	}
	if g.spec.Outputs == nil {
		g.spec.Outputs = map[string]*output{}
	}
	for k, p := range c.Outputs {
		if g.spec.Outputs[k] == nil {
			g.spec.Outputs[k] = &output{Type: p.Type}
		}
	}
}

// equip reads the step's component; known are those that other steps have.
func (e *Engine) equip(ctx context.Context, sc arm.Scope, s *step, known map[string]*component, plan bool) error {
	n := s.kindOf()
	if n == nil || n.refuse != "" {
		return refusedNode(s)
	}
	if n.check != nil {
		if err := n.check(s); err != nil {
			return err
		}
	}
	if n.component == "" {
		return nil
	}
	id := s.ComponentID
	if n.id != nil {
		id = n.id(s)
	}
	if plan && len(s.Inline) > 0 && s.Inline[0] == '{' {
		c, err := readComponent("(new)", s.Inline)
		s.component = c
		return err
	}
	if id == "" {
		return arm.Invalid("componentId", "a component is required")
	}
	c := known[id]
	if c == nil {
		var err error
		if c, err = e.component(ctx, sc, assetID(id)); err != nil {
			if plan && arm.As(err).Status == 404 {
				s.component = &component{Type: n.component, missing: id}
				return nil
			}
			return err
		}
		known[id] = c
	}
	if c.Type == "promptflow_parallel" {
		return arm.Invalid("componentId", "the component %s is a prompt flow: the local workspace runs no flows", c.id)
	}
	if c.Type != n.component {
		return arm.Invalid("componentId", "the step is of type %s, its component %s of type %s", n.component, c.id, c.Type)
	}
	s.component = c
	return nil
}

// compute of a step: its own, else the pipeline's, else the default.
func (g *graph) compute(s *step) string {
	for _, c := range []string{s.ComputeID, g.spec.ComputeID, g.spec.Settings.DefaultCompute} {
		if g.unset(c) {
			continue
		}
		switch c = g.bind(c); {
		case strings.EqualFold(strings.TrimPrefix(c, "azureml:"), serverless):
			return ""
		case c != "":
			return assetID(c)
		}
	}
	return ""
}

// bind puts the pipeline's literal inputs into a text.
func (g *graph) bind(text string) string {
	return anyBinding.ReplaceAllStringFunc(text, func(m string) string {
		in, ok := g.spec.Inputs[anyBinding.FindStringSubmatch(m)[1]]
		switch {
		case in != nil && in.Value != nil:
			return string(*in.Value)
		case ok && text != m && (in == nil || in.Type == "literal"): // an optional one without a value, among other text
			return ""
		}
		return m
	})
}

// pipelineFaults checks the wiring, and what each step would run with inputs
// that are known before.
func (e *Engine) pipelineFaults(ctx context.Context, sc arm.Scope, raw json.RawMessage) []*arm.Error {
	g, faults := e.graph(ctx, sc, raw)
	if len(faults) > 0 {
		return faults
	}
	readingOf(ctx).keep(raw, g)
	ctx = withMemory(ctx)
	found := make([][]*arm.Error, len(g.order))
	share(len(g.order), func(i int) { found[i] = e.stepFaults(ctx, sc, g, g.steps[g.order[i]]) })
	for i, name := range g.order {
		for _, f := range found[i] {
			f.Target = "properties.jobs." + name + "." + strings.TrimPrefix(f.Target, "properties.")
			faults = append(faults, f)
		}
	}
	return faults
}

// stepFaults checks a step as it would run when what it reads is there.
func (e *Engine) stepFaults(ctx context.Context, sc arm.Scope, g *graph, s *step) []*arm.Error {
	if s.control != nil {
		return nil
	}
	props, err := g.sample(sc, s)
	if err != nil {
		return []*arm.Error{arm.As(err)}
	}
	faults := s.unfitValues(props)
	if err := e.check(ctx, sc, s.name, props, true); err != nil {
		f := arm.As(err)
		if len(f.Details) > 0 {
			return append(faults, f.Details...)
		}
		return append(faults, f)
	}
	return faults
}

// sample is the job of a step as it would run when what it reads is there; of a parallel_for's body, in a first round.
func (g *graph) sample(sc arm.Scope, s *step) (json.RawMessage, error) {
	if s.loop != "" && g.steps[s.loop].Type == parallelFor {
		var err error
		if s, err = g.firstRound(s); err != nil {
			return nil, arm.Invalid("", "%v", err)
		}
	}
	props, err := g.job(sc, "check", s, anySource{sc})
	if err != nil {
		return nil, at("", err)
	}
	return props, nil
}

// firstRound is a parallel_for's body with inputs that a round would have.
func (g *graph) firstRound(s *step) (*step, error) {
	if it := g.steps[s.loop].control.items; it != nil {
		return s.with(it.values[0])
	}
	item := map[string]json.RawMessage{}
	for k, p := range s.component.Inputs {
		if s.Inputs[k] == nil && literalType(p.Type) {
			item[k] = json.RawMessage(`"1"`)
		} else if s.Inputs[k] == nil {
			item[k] = json.RawMessage(`"azureml://datastores/` + arm.BlobStore + `/paths/azureml/check/"`)
		}
	}
	return s.with(item)
}

// source is where a step finds what other steps have put out.
type source interface {
	// output is an output's address.
	output(step, name string) (Output, error)
	// value is that of an output that is no file.
	value(step, name string) (string, error)
}

// anySource says of every output that it is there.
type anySource struct{ sc arm.Scope }

func (a anySource) output(step, name string) (Output, error) {
	return Output{Type: "uri_folder", URI: a.sc.DatastoreURI(arm.BlobStore, "azureml/check/")}, nil
}

func (a anySource) value(step, name string) (string, error) { return "1", nil }

// owner is the node that stands for a step: the loop, for a loop's body.
func (g *graph) owner(name string) string {
	if s := g.steps[name]; s != nil && s.loop != "" {
		return s.loop
	}
	return name
}

// outputsOf lists a node's outputs, which are nil when they are not known.
func (g *graph) outputsOf(name string) map[string]*componentPort {
	s := g.steps[g.owner(name)]
	if s == nil {
		return nil
	}
	b := s
	if s.body != nil {
		b = s.body
	}
	if b.component == nil || b.component.missing != "" {
		return nil
	}
	if s.Type != parallelFor {
		return b.component.Outputs
	}
	out := map[string]*componentPort{}
	for k, p := range b.component.Outputs { // of all rounds together
		if out[k] = (&componentPort{Type: "mltable"}); literalType(p.Type) {
			out[k].Type = "string"
		}
	}
	return out
}

// need notes that a node runs after another.
func (s *step) need(name string) {
	if name != s.name && !slices.Contains(s.after, name) {
		s.after = append(s.after, name)
	}
}
