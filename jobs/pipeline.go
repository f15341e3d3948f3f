package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// PipelineJob runs a graph of steps.
type PipelineJob struct {
	azureml.Meta
	Name        string            `yaml:"name" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Compute is where steps without a compute of their own run.
	Compute  string           `yaml:"compute" json:"computeId"`
	Settings PipelineSettings `yaml:"settings" json:"settings,keep"`
	// Inputs may have names with dots: they make groups.
	Inputs  Inputs  `yaml:"inputs" json:"inputs,keep"`
	Outputs Outputs `yaml:"outputs" json:"outputs,keep"`
	// Jobs are the steps by name. Either they or Component are required.
	Jobs Nodes `yaml:"jobs" json:"jobs,keep"`
	// Component is a pipeline component that is run as it is.
	Component ComponentSource  `yaml:"component" json:"componentId"`
	Identity  azureml.Identity `yaml:"identity" json:"identity"`
	Services  Services         `yaml:"services" json:"services"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	order []string // of the steps in the file
	doc   wire.Document
}

// PipelineSettings hold for all steps.
type PipelineSettings struct {
	// DefaultCompute and DefaultDatastore are for steps that name none. The compute may be "serverless".
	DefaultCompute   string `yaml:"default_compute" json:"default_compute"`
	DefaultDatastore string `yaml:"default_datastore" json:"default_datastore"`
	// ContinueOnStepFailure lets the steps go on that do not need one that failed.
	ContinueOnStepFailure *bool `yaml:"continue_on_step_failure" json:"continue_on_step_failure"`
	// ForceRerun runs steps again whose results could be reused.
	ForceRerun *bool `yaml:"force_rerun" json:"force_rerun"`
	// OnInit and OnFinalize are steps that run before and after all others, whatever becomes of these.
	OnInit     string         `yaml:"on_init" json:"on_init"`
	OnFinalize string         `yaml:"on_finalize" json:"on_finalize"`
	Extra      map[string]any `yaml:"-" json:"-" extra:"any"` // misspelt keys too, as the service takes them

	made provenance
}

// EncodeWire writes the settings, and where the pipeline came from.
func (s PipelineSettings) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(s)
	if err == nil && e.Spelling() == wire.YAML && len(m) == 0 {
		return wire.Omit, nil
	}
	if err != nil || e.Spelling() == wire.YAML {
		return m, err
	}
	if m == nil {
		m = map[string]any{}
	}
	m["_source"] = s.made.or(fromDSL)
	maps.Copy(m, s.Extra)
	return m, nil
}

// DecodeWire reads the settings; services may answer them in camel case.
func (s *PipelineSettings) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = PipelineSettings{}
	if d.Spelling() == wire.YAML {
		d.Plain(n, s)
		return
	}
	for _, e := range n.Entries {
		if snake := snakeCase(e.Key); snake != e.Key && !n.Has(snake) {
			n = n.Without(e.Key).With(snake, e.Value)
		}
	}
	if from, ok := n.Get("_source").Str(); ok {
		s.made = provenance(from)
	}
	made := s.made
	d.Plain(n.Without("_source"), s)
	s.made = made
}

// snakeCase spells a key in snake case: "DefaultCompute" is "default_compute".
func snakeCase(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r >= 'A' && r <= 'Z' {
			if i > 0 && s[i-1] != '_' {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

var pipelineJob = wire.Layout{
	Name: "pipeline job",
	Base: "properties",
	At:   wire.Table{"name": "/name"},
	YAML: wire.Fixed{"type": "pipeline"},
	REST: wire.Fixed{"jobType": "Pipeline", "isArchived": false},
}

// WireLayout places the fields.
func (PipelineJob) WireLayout() *wire.Layout { return &pipelineJob }

// WireDocument is what the service answered.
func (j *PipelineJob) WireDocument() *wire.Document { return &j.doc }

func (j *PipelineJob) job() (definition, error) { return defined(j) }

func (j *PipelineJob) jobType() string { return "Pipeline" }

func (j *PipelineJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, inputs: &j.Inputs, outputs: &j.Outputs, groups: true,
	}
}

func (j *PipelineJob) clone() definition {
	c := *j
	c.Jobs = j.Jobs.clone()
	return &c
}

// AfterDecodeWire turns steps that define what they run in place into steps with a component.
func (j *PipelineJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.YAML {
		return
	}
	j.Settings.made, j.order = fromYAMLJob, keysOf(n.Get("jobs"))
	if j.Component != nil {
		j.Settings.made = fromRemoteJob
		if len(j.Jobs) > 0 {
			d.At("component").Fault(n.Get("component"), "either a component or jobs, not both")
		}
	}
	t := &translator{nodes: j.Jobs, made: fromYAMLJob, inputs: map[string]port{}, outputs: map[string]port{}}
	for name, in := range j.Inputs {
		t.inputs[name] = port{literalType(in), string(in.Mode)}
	}
	for name, out := range j.Outputs {
		t.outputs[name] = port{string(out.Type), string(out.Mode)}
	}
	t.run(d, n)
}

func (j *PipelineJob) check(ctx context.Context, c *checker) {
	c.head(j.head())
	c.compute(ctx, "compute", j.Compute)
	c.compute(ctx, "settings.default_compute", j.Settings.DefaultCompute)
	c.services(j.Services)
	if j.Component != nil {
		if len(j.Jobs) > 0 {
			c.add("component", "either a component or jobs, not both")
		}
		if absent(j.Component) {
			c.add("component", "the component is nil")
		} else if p, ok := j.Component.(Component); ok {
			c.inside("component.", func(k *checker) { p.check(ctx, k) })
			c.required(p.common().inputs, j.Inputs)
		}
		return
	}
	if len(j.Jobs) == 0 {
		c.add("jobs", "a pipeline needs steps, or a component")
		return
	}
	g := &graph{inputs: map[string]bool{}, outputs: map[string]bool{}, nodes: j.Jobs}
	for n := range j.Inputs {
		g.inputs[n] = true
	}
	for n := range j.Outputs {
		g.outputs[n] = true
	}
	c.graph(ctx, g)
	if j.Compute == "" && j.Settings.DefaultCompute == "" {
		c.everywhere("", g.nodes)
	}
	c.ends(j, g.nodes)
}

// required checks that a component gets what it needs.
func (c *checker) required(want ComponentInputs, in Inputs) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if !want[name].optional() && in[name] == (Input{}) {
			c.add("inputs."+name, "the component needs this input")
		}
	}
}

// everywhere checks that each step that runs somewhere says where, since the pipeline does not.
func (c *checker) everywhere(prefix string, nodes Nodes) {
	for _, name := range sortedKeys(nodes) {
		if absent(nodes[name]) {
			continue
		}
		h := nodes[name].node()
		field := prefix + "jobs." + name
		if h.component != nil {
			if p, ok := (*h.component).(*PipelineComponent); ok && p != nil {
				c.everywhere(field+".", p.Jobs)
				continue
			}
		}
		if h.needsCompute && h.compute != nil && *h.compute == "" && h.bindings["compute"] == "" {
			c.add(field+".compute", "a compute is required: here, as the pipeline's compute or as settings.default_compute")
		}
	}
}

// ends checks the steps that begin and end the pipeline.
func (c *checker) ends(j *PipelineJob, nodes Nodes) {
	s := j.Settings
	if s.OnInit == "" && s.OnFinalize == "" {
		return
	}
	if s.OnInit == s.OnFinalize {
		c.add("settings.on_init", "%q cannot be both the first step and the last", s.OnInit)
	}
	others := 0
	for name := range nodes {
		if name != s.OnInit && name != s.OnFinalize {
			others++
		}
	}
	if others == 0 {
		c.add("jobs", "there are no steps besides the first and the last")
	}
	for i, name := range []string{s.OnInit, s.OnFinalize} {
		field, node := [...]string{"settings.on_init", "settings.on_finalize"}[i], nodes[name]
		switch {
		case name == "":
		case node == nil:
			c.add(field, "there is no step %q%s", name, have("steps", nodes))
		case node.node().control:
			c.add(field, "%q is control flow, and runs nothing by itself", name)
		default:
			if other := connected(nodes, name); other != "" {
				c.add(field, "%q is connected with %q; a step that begins or ends the pipeline stands alone", name, other)
			}
		}
	}
}

// connected gives a step that another gives data to, or takes it from.
func connected(nodes Nodes, name string) string {
	for _, other := range sortedKeys(nodes) {
		h := nodes[other].node()
		if h.inputs == nil {
			continue
		}
		for _, key := range sortedKeys(*h.inputs) {
			in := (*h.inputs)[key]
			for _, f := range wire.FindExpressions(in.Text()) {
				from, ok := f.Expression.Job()
				if ok && from != other && (from == name || other == name) {
					if other == name {
						return from
					}
					return other
				}
			}
		}
	}
	return ""
}

func (j *PipelineJob) resolve(ctx context.Context, r *resolver) (err error) {
	in := Inputs{}
	for name, v := range j.Inputs {
		if v != (Input{}) && v != (Input{Value: ""}) { // the service takes no empty values
			in[name] = v
		}
	}
	if j.Inputs, err = r.references(ctx, in); err != nil {
		return err
	}
	if r.on = j.Compute; r.on == "" {
		r.on = j.Settings.DefaultCompute
	}
	switch p := j.Component.(type) {
	case nil:
		err = r.nodes(ctx, j.Jobs, j.order)
	default:
		if j.Settings.made == "" {
			j.Settings.made = fromRemoteJob
		}
		if k, ok := p.(Component); ok {
			j.fill(k.common())
		}
		j.Component, err = r.component(ctx, p, "")
	}
	if err != nil {
		return err
	}
	if j.Inputs, err = r.uploads(ctx, j.Inputs); err != nil {
		return err
	}
	j.Compute = r.compute(j.Compute)
	if s := &j.Settings; !strings.EqualFold(s.DefaultCompute, "serverless") {
		s.DefaultCompute = r.compute(s.DefaultCompute)
	}
	if s := &j.Settings; s.DefaultDatastore != "" {
		if s.DefaultDatastore, err = r.datastore(s.DefaultDatastore); err != nil {
			return fmt.Errorf("settings.default_datastore: %w", err)
		}
	}
	return nil
}

// fill takes over what the component says of inputs and outputs that the job does not name.
func (j *PipelineJob) fill(k component) {
	in, out := maps.Clone(j.Inputs), maps.Clone(j.Outputs)
	if in == nil {
		in = Inputs{}
	}
	if out == nil {
		out = Outputs{}
	}
	for name, want := range k.inputs {
		if in[name] == (Input{}) && want.Default != nil {
			in[name] = Input{Value: plainValue(want.Default)}
		}
	}
	for name, gives := range k.outputs {
		if _, named := out[name]; !named && !isParameter(gives.Type) {
			out[name] = Output{Type: DataType(gives.Type), Mode: OutputMode(gives.Mode)}
		}
	}
	j.Inputs, j.Outputs = in, out
}

// datastore gives a datastore's id.
func (r *resolver) datastore(name string) (string, error) {
	id := strings.TrimPrefix(name, "azureml:")
	if strings.HasPrefix(id, "/") {
		return id, nil
	}
	if strings.ContainsAny(id, "/:@") {
		return "", fmt.Errorf("%q is no datastore: give its name", name)
	}
	return r.c.id("datastores", id), nil
}
