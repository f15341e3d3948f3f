package pipeline

import (
	"maps"
	"regexp"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// jobDraft makes a step of a job: a component of what it runs, and a node of the rest.
func (m *making) jobDraft(d *draft, s jobs.Spec) {
	spec, kept := jobs.Draft(s)
	for _, f := range kept { // what its builder met
		d.faults = append(d.faults, &Fault{Kind: Invalid, Port: f.Field, Message: f.Message, Cause: f})
	}
	switch j := spec.(type) {
	case nil:
	case *jobs.CommandJob:
		d.command(j)
	case *jobs.SweepJob:
		d.sweep(j)
	case *jobs.SparkJob:
		d.spark(j)
	case *jobs.AutoMLJob:
		m.automl(d, j.Node())
	case *jobs.PipelineJob:
		m.pipeline(d, j)
	case *jobs.ImportJob:
		d.fault(Invalid, "", "an import job cannot be a step; use a *jobs.DataTransferNode with the task jobs.ImportData")
	default:
		d.fault(Invalid, "", "a value of type %T cannot be a step", j)
	}
}

func (d *draft) command(j *jobs.CommandJob) {
	c := &jobs.CommandComponent{
		DisplayName: j.DisplayName, Description: j.Description, Tags: maps.Clone(j.Tags), Command: j.Command, Code: j.Code, Environment: j.Environment,
		Distribution: j.Distribution, Inputs: inputsOf(j.Inputs), Outputs: outputsOf(j.Outputs),
	}
	if j.Resources != nil {
		c.Resources = &jobs.ComponentResources{Resources: *j.Resources}
	}
	d.node = &jobs.CommandNode{
		Inputs: values(j.Inputs), Outputs: j.Outputs, Compute: j.Compute, DisplayName: j.DisplayName, Description: j.Description, Tags: j.Tags,
		Properties: j.Properties, Limits: j.Limits, EnvironmentVariables: j.EnvironmentVariables, Queue: j.Queue, Services: j.Services, Identity: j.Identity,
	}
	d.component, d.in, d.out, d.known = c, c.Inputs, c.Outputs, true
	c.Command = d.optional(j.Command, j.Inputs)
	d.named(c.Command)
}

func (d *draft) sweep(j *jobs.SweepJob) {
	t := j.Trial
	c := &jobs.CommandComponent{
		Command: searched.ReplaceAllString(t.Command, "${{inputs.$1}}"), Code: t.Code, Environment: t.Environment, Distribution: t.Distribution,
		Inputs: inputsOf(j.Inputs), Outputs: outputsOf(j.Outputs),
	}
	if t.Resources != nil {
		c.Resources = &jobs.ComponentResources{Resources: *t.Resources}
	}
	d.given = map[string]bool{}
	for name, space := range j.SearchSpace {
		d.given[name] = true
		if _, there := c.Inputs[name]; there {
			continue
		}
		c.Inputs[name] = jobs.ComponentInput{Type: spaceType(space)}
	}
	if len(t.EnvironmentVariables) > 0 {
		d.fault(Invalid, "trial.environment_variables", "the service takes no variables for the trials of a step; give them as inputs")
	}
	d.node = &jobs.SweepNode{
		Inputs: values(j.Inputs), Outputs: j.Outputs, Compute: j.Compute, DisplayName: j.DisplayName, Description: j.Description, Tags: j.Tags,
		Properties: j.Properties, SearchSpace: j.SearchSpace, Sampling: j.Sampling, Objective: j.Objective, EarlyTermination: j.EarlyTermination,
		Limits: j.Limits, Queue: j.Queue, Resources: j.Resources, Identity: j.Identity,
	}
	d.component, d.in, d.out, d.known = c, c.Inputs, c.Outputs, true
	d.named(c.Command)
}

var searched = regexp.MustCompile(`\$\{\{\s*search_space\.([A-Za-z_]\w*)\s*\}\}`)

// spaceType is the type of the parameter that a search space gives.
func spaceType(s jobs.Space) string {
	switch s.Type {
	case jobs.SpaceRandInt:
		return jobs.ParameterInteger
	case jobs.SpaceChoice:
		kind := ""
		for _, v := range s.Values {
			in, ok := literal(v)
			if k := kindOf(in); !ok || k == "" {
				return jobs.ParameterString
			} else if kind == "" || kind == jobs.ParameterInteger && k == jobs.ParameterNumber {
				kind = k
			} else if k != kind && !(kind == jobs.ParameterNumber && k == jobs.ParameterInteger) {
				return jobs.ParameterString
			}
		}
		return kind
	}
	return jobs.ParameterNumber
}

func (d *draft) spark(j *jobs.SparkJob) {
	c := &jobs.SparkComponent{
		DisplayName: j.DisplayName, Description: j.Description, Tags: maps.Clone(j.Tags), Code: j.Code, Entry: j.Entry, PyFiles: j.PyFiles, Jars: j.Jars, Files: j.Files,
		Archives: j.Archives, Conf: j.Conf, Environment: j.Environment, Args: j.Args, Inputs: inputsOf(j.Inputs), Outputs: outputsOf(j.Outputs),
	}
	d.node = &jobs.SparkNode{
		Inputs: values(j.Inputs), Outputs: j.Outputs, Compute: j.Compute, DisplayName: j.DisplayName, Description: j.Description, Tags: j.Tags,
		Properties: j.Properties, Resources: j.Resources, Identity: j.Identity, Conf: j.Conf,
	}
	d.component, d.in, d.out, d.known = c, c.Inputs, c.Outputs, true
	d.named(j.Args)
}

// pipeline makes a step of a pipeline job, such as one from a file.
func (m *making) pipeline(d *draft, j *jobs.PipelineJob) {
	if j.Component != nil {
		m.nodeDraft(d, &jobs.PipelineNode{Component: j.Component, Inputs: values(j.Inputs), Outputs: j.Outputs})
		return
	}
	c := &jobs.PipelineComponent{DisplayName: j.DisplayName, Description: j.Description, Tags: j.Tags, Inputs: inputsOf(j.Inputs), Outputs: outputsOf(j.Outputs), Jobs: j.Jobs}
	n := &jobs.PipelineNode{Component: m.inline(c), Outputs: j.Outputs}
	for name, in := range j.Inputs {
		if in.Path != "" {
			n.Inputs = with(n.Inputs, name, in)
		}
	}
	d.node = n
	d.declare(n.Component)
}

// inputsOf are the inputs of a component that is made of a job.
func inputsOf(in jobs.Inputs) jobs.ComponentInputs {
	out := jobs.ComponentInputs{}
	for name, v := range in {
		switch kind := kindOf(v); {
		case v == (jobs.Input{}): // one that may be left out
			out[name] = jobs.ComponentInput{Type: jobs.ParameterString, Optional: new(true)}
		case kind == "":
			out[name] = jobs.ComponentInput{Type: string(jobs.TypeURIFolder), Mode: string(v.Mode)}
		case parameter(kind):
			out[name] = jobs.ComponentInput{Type: kind, Default: v.Value}
		default:
			out[name] = jobs.ComponentInput{Type: kind, Mode: string(v.Mode)}
		}
	}
	return out
}

func outputsOf(outputs jobs.Outputs) jobs.ComponentOutputs {
	out := jobs.ComponentOutputs{}
	for name, o := range outputs {
		kind := string(o.Type)
		if kind == "" {
			kind = string(jobs.TypeURIFolder)
		}
		out[name] = jobs.ComponentOutput{Type: kind, Mode: string(o.Mode)}
	}
	return out
}

// values are the inputs that have a value; those that only say their type have not.
func values(in jobs.Inputs) jobs.Inputs {
	var out jobs.Inputs
	for name, v := range in {
		if v.Value != nil || v.Path != "" {
			out = with(out, name, v)
		}
	}
	return out
}

// named notes the inputs and outputs that texts of the component refer to and nobody declares.
func (d *draft) named(texts ...string) {
	for _, text := range texts {
		for _, f := range wire.FindExpressions(text) {
			if name, ok := f.Input(); ok {
				if _, there := d.in[name]; !there {
					d.infer = with(d.infer, name, d.infer[name] || !f.Optional)
				}
			} else if name, ok := f.Output(); ok {
				if _, there := d.out[name]; !there {
					d.open = with(d.open, name, true)
				}
			}
		}
	}
	for name := range d.open {
		d.out[name] = jobs.ComponentOutput{Type: string(jobs.TypeURIFolder)}
	}
}

var optionalGroup = regexp.MustCompile(`(^|[^$\[])\[([\w.\- \t\n]*\$\{\{\s*inputs\.([\w.]+)\s*\}\})\]`)

// optional writes the optional groups of a job's command, [--flag ${{inputs.x}}], as components have them:
// $[[--flag ${{inputs.x}}]]. The inputs in them may be left out.
func (d *draft) optional(command string, in jobs.Inputs) string {
	if !strings.Contains(command, "[") {
		return command
	}
	return optionalGroup.ReplaceAllStringFunc(command, func(s string) string {
		p := optionalGroup.FindStringSubmatch(s)
		name := p[3]
		if v, there := d.in[name]; there && (v.Optional == nil || !*v.Optional) {
			if v.Default != nil {
				return p[1] + p[2] // it has a value, whatever is bound to it
			}
			v.Optional = new(true)
			d.in[name] = v
		}
		return p[1] + "$[[" + p[2] + "]]"
	})
}

// fill gives the component that was made here the types of what its undeclared ports are bound to.
func (d *draft) fill(in jobs.ComponentInputs, out jobs.ComponentOutputs, resources *azureml.Resources) jobs.Component {
	all, outs := jobs.ComponentInputs{}, jobs.ComponentOutputs{}
	for k, v := range d.in {
		all[k] = v
	}
	for k, v := range in {
		all[k] = v
	}
	for k, v := range d.out {
		outs[k] = v
	}
	for k, v := range out {
		outs[k] = v
	}
	var wants *jobs.ComponentResources
	if resources != nil {
		wants = &jobs.ComponentResources{Resources: *resources}
	}
	switch c := d.component.(type) {
	case *jobs.CommandComponent:
		k := *c
		if k.Inputs, k.Outputs = all, outs; wants != nil {
			k.Resources = wants
		}
		return &k
	case *jobs.ParallelComponent:
		k := *c
		if k.Inputs, k.Outputs = all, outs; wants != nil {
			k.Resources = wants
		}
		return &k
	case *jobs.SparkComponent:
		k := *c
		k.Inputs, k.Outputs = all, outs
		return &k
	case *jobs.DataTransferComponent:
		k := *c
		k.Inputs, k.Outputs = all, outs
		return &k
	}
	return d.component
}

// componentTitle makes a component's name of a pipeline's.
func componentTitle(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r == '_' && b.Len() > 0:
		case r >= '0' && r <= '9':
			if b.Len() == 0 {
				b.WriteString("p")
			}
		default:
			if r = '_'; b.Len() == 0 {
				continue
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}
