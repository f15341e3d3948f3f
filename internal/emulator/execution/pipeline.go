package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/wire"
)

// pipelineSpec is what is read of a pipeline job's REST properties. What is
// inside of jobs has the YAML's keys.
type pipelineSpec struct {
	commandSpec
	ComponentID string                     `json:"componentId"`
	Jobs        map[string]json.RawMessage `json:"jobs"`
	Settings    struct {
		DefaultCompute        string `json:"default_compute"`
		ContinueOnStepFailure flag   `json:"continue_on_step_failure"`
	} `json:"settings"`
}

// step is one node of a pipeline.
type step struct {
	name string
	raw  json.RawMessage // the node as it was sent

	Type                 string                 `json:"type"`
	ComponentID          string                 `json:"componentId"`
	DisplayName          string                 `json:"display_name"`
	ComputeID            string                 `json:"computeId"`
	Inputs               map[string]*stepInput  `json:"inputs"`
	Outputs              map[string]*stepOutput `json:"outputs"`
	EnvironmentVariables map[string]scalar      `json:"environment_variables"`
	Resources            json.RawMessage        `json:"resources"`
	Distribution         json.RawMessage        `json:"distribution"`
	Limits               json.RawMessage        `json:"limits"`
	Identity             json.RawMessage        `json:"identity"`

	// of sweeps
	Trial             trialRef                   `json:"trial"`
	SearchSpace       map[string]json.RawMessage `json:"search_space"`
	SamplingAlgorithm json.RawMessage            `json:"sampling_algorithm"`
	Objective         json.RawMessage            `json:"objective"`
	EarlyTermination  json.RawMessage            `json:"early_termination"`

	component *component
	after     []string // steps whose outputs it reads
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
	g := &graph{spec: &pipelineSpec{}, steps: map[string]*step{}}
	if err := json.Unmarshal(raw, g.spec); err != nil {
		return nil, []*arm.Error{arm.Invalid("properties", "the pipeline cannot be read: %v", err)}
	}
	var faults []*arm.Error
	add := func(err error) { faults = append(faults, arm.As(err)) }
	jobs := g.spec.Jobs
	if g.spec.ComponentID != "" {
		c, err := e.component(ctx, sc, g.spec.ComponentID)
		if err != nil {
			return nil, []*arm.Error{arm.As(at("properties.componentId", err))}
		}
		if c.Type != "pipeline" {
			return nil, []*arm.Error{arm.Invalid("properties.componentId", "the component is of type %s, not pipeline", c.Type)}
		}
		jobs = c.Jobs
		g.adopt(c)
	}
	if len(jobs) == 0 {
		return nil, append(faults, arm.Invalid("properties.jobs", "the pipeline has no steps"))
	}
	g.order = sorted(jobs)
	for _, name := range g.order {
		s := &step{name: name, raw: jobs[name]}
		field := "properties.jobs." + name
		if err := json.Unmarshal(jobs[name], s); err != nil {
			add(arm.Invalid(field, "the step cannot be read: %v", err))
			continue
		}
		g.steps[name] = s
		if err := e.equip(ctx, sc, s); err != nil {
			add(at(field, err))
		}
	}
	for _, name := range g.order {
		if s := g.steps[name]; s != nil {
			g.wire(s, "properties.jobs."+name, add)
		}
	}
	if c := g.cycle(); c != "" {
		add(arm.Invalid("properties.jobs", "the steps wait for each other: %s", c))
	}
	return g, faults
}

// adopt takes ports over from a pipeline component, with its defaults.
func (g *graph) adopt(c *component) {
	if g.spec.Inputs == nil {
		g.spec.Inputs = map[string]*input{}
	}
	for k, p := range c.Inputs {
		if g.spec.Inputs[k] == nil && p.Default != nil {
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

// equip reads the step's component.
func (e *Engine) equip(ctx context.Context, sc arm.Scope, s *step) error {
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
	if id == "" {
		return arm.Invalid("componentId", "a component is required")
	}
	c, err := e.component(ctx, sc, assetID(id))
	if err != nil {
		return err
	}
	if c.Type != n.component {
		return arm.Invalid("componentId", "the step is of type %s, its component %s of type %s", n.component, c.id, c.Type)
	}
	s.component = c
	return nil
}

// wire checks the step's bindings and notes which steps it follows.
func (g *graph) wire(s *step, field string, add func(error)) {
	c := s.component
	for _, k := range sorted(s.Inputs) {
		in, where := s.Inputs[k], field+".inputs."+k
		if c != nil && c.Inputs[k] == nil {
			add(arm.Invalid(where, "the component has no input %q; it has: %s", k, strings.Join(sorted(c.Inputs), ", ")))
		}
		if in == nil || in.Value == nil {
			continue
		}
		if m := fromInput.FindStringSubmatch(string(*in.Value)); m != nil {
			if _, ok := g.spec.Inputs[m[1]]; !ok && (c == nil || c.Inputs[k] == nil || !bool(c.Inputs[k].Optional)) {
				add(arm.Invalid(where, "the pipeline has no input %q; it has: %s", m[1], strings.Join(sorted(g.spec.Inputs), ", ")))
			}
		}
		if m := fromStep.FindStringSubmatch(string(*in.Value)); m != nil {
			from := g.steps[m[1]]
			switch {
			case from == nil:
				add(arm.Invalid(where, "there is no step %q; the steps are: %s", m[1], strings.Join(g.order, ", ")))
			case from.component != nil && from.component.Outputs[m[2]] == nil:
				add(arm.Invalid(where, "the step %q has no output %q; it has: %s", m[1], m[2], strings.Join(sorted(from.component.Outputs), ", ")))
			default:
				if !slices.Contains(s.after, m[1]) {
					s.after = append(s.after, m[1])
				}
			}
		}
	}
	if c == nil {
		return
	}
	for _, k := range sorted(c.Inputs) {
		if p := c.Inputs[k]; s.Inputs[k] == nil && !bool(p.Optional) && p.Default == nil && s.SearchSpace[k] == nil {
			add(arm.Invalid(field+".inputs."+k, "the component's input %q is required", k))
		}
	}
	for _, k := range sorted(s.Outputs) {
		o, where := s.Outputs[k], field+".outputs."+k
		if c.Outputs[k] == nil {
			add(arm.Invalid(where, "the component has no output %q; it has: %s", k, strings.Join(sorted(c.Outputs), ", ")))
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

// compute of a step: its own, else the pipeline's, else the default.
func (g *graph) compute(s *step) string {
	for _, c := range []string{s.ComputeID, g.spec.ComputeID, g.spec.Settings.DefaultCompute} {
		if c != "" && !strings.EqualFold(c, serverless) {
			return assetID(g.bind(c))
		}
	}
	return ""
}

// bind puts the pipeline's literal inputs into a text.
func (g *graph) bind(text string) string {
	return anyBinding.ReplaceAllStringFunc(text, func(m string) string {
		if in := g.spec.Inputs[anyBinding.FindStringSubmatch(m)[1]]; in != nil && in.Value != nil {
			return string(*in.Value)
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
	for _, name := range g.order {
		s := g.steps[name]
		props, err := g.job(sc, "check", s, func(step, output string) (string, error) {
			return sc.DatastoreURI(arm.BlobStore, "azureml/check/"), nil
		})
		if err != nil {
			faults = append(faults, arm.As(at("properties.jobs."+name, err)))
			continue
		}
		if err := e.check(ctx, sc, name, props, true); err != nil {
			f := arm.As(err)
			all := f.Details
			if len(all) == 0 {
				all = []*arm.Error{f}
			}
			for _, d := range all {
				d.Target = "properties.jobs." + name + "." + strings.TrimPrefix(d.Target, "properties.")
				faults = append(faults, d)
			}
		}
	}
	return faults
}

// job is the job that a step runs as. output finds the address of another
// step's output.
func (g *graph) job(sc arm.Scope, pipeline string, s *step, output func(step, output string) (string, error)) (json.RawMessage, error) {
	c := s.component
	inputs := map[string]any{}
	for _, k := range sorted(c.Inputs) {
		v, err := g.input(s, k, c.Inputs[k], output)
		if err != nil {
			return nil, err
		}
		if v != nil {
			inputs[k] = v
		}
	}
	outputs := map[string]any{}
	for _, k := range sorted(c.Outputs) {
		if !literalType(c.Outputs[k].Type) {
			outputs[k] = g.output(sc, pipeline, s, k, c.Outputs[k])
		}
	}
	display := s.DisplayName
	if display == "" {
		display = s.name
	}
	p := map[string]any{"displayName": display, "experimentName": g.spec.experiment(), "inputs": inputs, "outputs": outputs}
	if id := g.compute(s); id != "" {
		p["computeId"] = id
	}
	if err := s.kindOf().job(g, s, p); err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// command is what a step's command component runs, in REST's words.
func (g *graph) command(s *step) (map[string]any, error) {
	c := s.component
	vars := maps.Clone(c.EnvironmentVariables)
	if vars == nil {
		vars = map[string]scalar{}
	}
	for k, v := range s.EnvironmentVariables {
		vars[k] = scalar(g.bind(string(v)))
	}
	run := map[string]any{"command": c.Command, "codeId": assetID(c.Code), "environmentId": assetID(c.Environment), "environmentVariables": vars}
	for k, of := range map[string][2]json.RawMessage{"resources": {s.Resources, c.Resources}, "distribution": {s.Distribution, c.Distribution}} {
		m, err := firstCamel(of[0], of[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		if m == nil {
			continue
		}
		if k == "distribution" {
			distributionWords(m)
		}
		run[k] = m
	}
	return run, nil
}

func firstCamel(of ...json.RawMessage) (map[string]any, error) {
	for _, raw := range of {
		if m, err := camel(raw); m != nil || err != nil {
			return m, err
		}
	}
	return nil, nil
}

// distributionWords gives a component's distribution the words of REST.
func distributionWords(m map[string]any) {
	if t, ok := m["type"].(string); ok && m["distributionType"] == nil {
		m["distributionType"] = t
	}
	for _, w := range []string{"PyTorch", "Mpi", "TensorFlow", "Ray"} {
		if t, ok := m["distributionType"].(string); ok && strings.EqualFold(t, w) {
			m["distributionType"] = w
		}
	}
}

// sweep is the sweep job of a step. A hyperparameter is an input of the
// trial's component of the same name.
func (s *step) sweep(p, trial map[string]any) error {
	line, ok := trial["command"].(string)
	if !ok {
		return fmt.Errorf("the trial has no command")
	}
	for k := range s.SearchSpace {
		line = reference.ReplaceAllStringFunc(line, func(m string) string {
			if r := reference.FindStringSubmatch(m); r[1] == "inputs" && r[2] == k {
				return "${{search_space." + k + "}}"
			}
			return m
		})
	}
	trial["command"] = line
	p["jobType"], p["trial"], p["searchSpace"], p["samplingAlgorithm"] = "Sweep", trial, s.SearchSpace, s.SamplingAlgorithm
	for k, raw := range map[string]json.RawMessage{"objective": s.Objective, "earlyTermination": s.EarlyTermination, "limits": s.Limits} {
		m, err := camel(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		if m == nil {
			continue
		}
		for _, t := range []string{"timeout", "trialTimeout"} { // a node's are in seconds
			if n, ok := m[t].(float64); ok {
				m[t] = fmt.Sprintf("PT%gS", n)
			}
		}
		if t, ok := m["type"].(string); ok && k == "earlyTermination" && m["policyType"] == nil {
			m["policyType"] = t
		}
		p[k] = m
	}
	return nil
}

// input is a step's input with its bindings followed; nil for an optional one
// that has no value.
func (g *graph) input(s *step, k string, port *componentPort, output func(step, output string) (string, error)) (map[string]any, error) {
	in := s.Inputs[k]
	mode := func(m map[string]any) map[string]any {
		if in != nil && in.Mode != "" {
			m["mode"] = in.Mode
		} else if w := modeWord(port.Mode); w != "" && m["jobInputType"] != "literal" {
			m["mode"] = w
		}
		return m
	}
	literal := func(v *scalar) map[string]any {
		if literalType(port.Type) || v == nil {
			return map[string]any{"jobInputType": "literal", "value": v}
		}
		return mode(map[string]any{"jobInputType": portType(port.Type), "uri": *v})
	}
	if in == nil || in.Value == nil && in.URI == "" {
		if port.Default != nil {
			return literal(port.Default), nil
		}
		return map[string]any{"jobInputType": "literal"}, nil
	}
	if in.Value == nil {
		return mode(map[string]any{"jobInputType": in.Type, "uri": in.URI}), nil
	}
	text := string(*in.Value)
	if m := fromStep.FindStringSubmatch(text); m != nil {
		uri, err := output(m[1], m[2])
		if err != nil {
			return nil, err
		}
		return mode(map[string]any{"jobInputType": portType(port.Type), "uri": uri}), nil
	}
	if m := fromInput.FindStringSubmatch(text); m != nil {
		p := g.spec.Inputs[m[1]]
		switch {
		case p == nil, p.Type == "literal" && p.Value == nil:
			if port.Default != nil {
				return literal(port.Default), nil
			}
			return map[string]any{"jobInputType": "literal"}, nil
		case p.Type == "literal":
			return literal(p.Value), nil
		}
		out := map[string]any{"jobInputType": p.Type, "uri": p.URI}
		if p.Mode != "" {
			out["mode"] = p.Mode
		}
		return mode(out), nil
	}
	bound := scalar(g.bind(text))
	return literal(&bound), nil
}

// modeWord is a component's mode in the words of REST.
func modeWord(yaml string) string {
	switch yaml {
	case "ro_mount", "mount":
		return "ReadOnlyMount"
	case "rw_mount":
		return "ReadWriteMount"
	case "download", "upload", "direct":
		return wire.PascalCase(yaml)
	}
	return ""
}

// portType: path is an old word for any file or folder.
func portType(t string) string {
	if t == "path" || t == "" {
		return "uri_folder"
	}
	return t
}

// output is where a step's output goes: to the pipeline's own when it is bound
// to one.
func (g *graph) output(sc arm.Scope, pipeline string, s *step, k string, port *componentPort) map[string]any {
	out := map[string]any{"jobOutputType": portType(port.Type)}
	o := s.Outputs[k]
	if o == nil {
		return out
	}
	if m := toOutput.FindStringSubmatch(o.Value); m != nil {
		if p := g.spec.Outputs[m[1]]; p != nil {
			out["uri"] = destinations(sc, pipeline, &commandSpec{Outputs: map[string]*output{m[1]: p}})[m[1]].URI
			out["assetName"], out["assetVersion"] = p.AssetName, p.AssetVersion
			if p.Mode != "" {
				out["mode"] = p.Mode
			}
		}
	}
	for field, v := range map[string]string{"uri": o.URI, "mode": o.Mode, "assetName": o.Name, "assetVersion": string(o.Version)} {
		if v != "" {
			out[field] = v
		}
	}
	return out
}
