package pipeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

// Step is a step of a pipeline that is being built.
type Step struct {
	b      *Builder
	name   string
	of     any
	inputs []binding
	writes []write
	binds  []binding // of fields
	more   overrides
}

// binding is what a step's input is given: a port, or a value.
type binding struct {
	name  string
	port  Port
	value any
}

type write struct {
	name string
	as   jobs.Output
}

// overrides are what a step says instead of its definition.
type overrides struct {
	compute, comment, display, description *string
	variables                              jobs.Variables
	tags, properties                       map[string]string
	resources                              *azureml.Resources
	distribution                           *jobs.Distribution
	timeout                                *time.Duration
	identity                               *azureml.Identity
	queue                                  *jobs.Queue
	services                               jobs.Services
	instances                              int
}

// Name is the step's name.
func (s *Step) Name() string { return s.name }

// In gives an input what comes from a port.
func (s *Step) In(name string, from Port) *Step {
	s.inputs = append(s.inputs, binding{name: name, port: from})
	return s
}

// InGroup gives all inputs of a group of the pipeline to the step's inputs of the same names below name: with the group
// "rates", InGroup("rates", g) binds "rates.lr" to "rates.lr". With "" they have no group in the step: "lr" to "rates.lr".
func (s *Step) InGroup(name string, g *Group) *Step {
	if g == nil || g.b == nil {
		s.b.faults.add(Invalid, s.name, "inputs."+name, "the group is nil")
		return s
	}
	found := false
	for _, in := range g.b.inputs {
		if rest, ok := strings.CutPrefix(in.name, g.name+"."); ok {
			to := rest
			if name != "" {
				to = name + "." + rest
			}
			found = true
			s.In(to, Port{b: g.b, name: in.name})
		}
	}
	if !found {
		s.b.faults.add(Invalid, s.name, "inputs."+name, "the group %q has no inputs yet; add them before it is given to a step", g.name)
	}
	return s
}

// Set gives an input a value: text, a number, true or false, a jobs.Input such as jobs.URIFolder("azureml:iris@latest"), or a
// [Port], as In does.
func (s *Step) Set(name string, value any) *Step {
	if p, ok := value.(Port); ok {
		return s.In(name, p)
	}
	s.inputs = append(s.inputs, binding{name: name, value: value})
	return s
}

// Out is an output of the step.
func (s *Step) Out(name string) Port { return Port{b: s.b, step: s, name: name} }

// Write says how and where an output is written, and as what asset it is registered.
func (s *Step) Write(name string, as jobs.Output) *Step {
	s.writes = append(s.writes, write{name, as})
	return s
}

// Bind gives a field of the step the value of an input of the pipeline: Bind("limits.timeout", p.Input("seconds",
// jobs.Literal(60))). The field is named as in files: resources.instance_count, distribution.process_count_per_instance, compute.
func (s *Step) Bind(field string, from Port) *Step {
	s.binds = append(s.binds, binding{name: field, port: from})
	return s
}

// On sets the compute.
func (s *Step) On(compute string) *Step {
	s.more.compute = &compute
	return s
}

// Env sets an environment variable.
func (s *Step) Env(name, value string) *Step {
	s.more.variables = with(s.more.variables, name, any(value))
	return s
}

// Resources sets what machines the step wants. The component of a step made of a job wants them, too.
func (s *Step) Resources(r azureml.Resources) *Step {
	s.more.resources = &r
	return s
}

// Nodes sets the number of machines and how the processes on them find each other:
// Nodes(2, jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 4}}).
func (s *Step) Nodes(n int, d jobs.Distribution) *Step {
	if n < 1 {
		s.b.faults.add(Invalid, s.name, "resources.instance_count", "%d machines are none", n)
		return s
	}
	s.more.instances, s.more.distribution = n, &d
	return s
}

// Timeout bounds how long the step may run, in whole seconds; a sweep's is that of all trials.
func (s *Step) Timeout(d time.Duration) *Step {
	if d <= 0 || d%time.Second != 0 {
		s.b.faults.add(Invalid, s.name, "limits.timeout", "%v is not a positive number of whole seconds", d)
		return s
	}
	s.more.timeout = &d
	return s
}

// As sets who the step acts as.
func (s *Step) As(identity azureml.Identity) *Step {
	s.more.identity = &identity
	return s
}

// Queue sets the tier and priority of a step on serverless compute.
func (s *Step) Queue(q jobs.Queue) *Step {
	s.more.queue = &q
	return s
}

// Service adds an interactive service.
func (s *Step) Service(name string, v jobs.Service) *Step {
	s.more.services = with(s.more.services, name, v)
	return s
}

// Comment says something about the step to those who read the graph.
func (s *Step) Comment(text string) *Step {
	s.more.comment = &text
	return s
}

// Display sets the name that people see.
func (s *Step) Display(name string) *Step {
	s.more.display = &name
	return s
}

// Describe sets the description.
func (s *Step) Describe(text string) *Step {
	s.more.description = &text
	return s
}

// Tag sets a tag.
func (s *Step) Tag(key, value string) *Step {
	s.more.tags = with(s.more.tags, key, value)
	return s
}

// Property sets a property.
func (s *Step) Property(key, value string) *Step {
	s.more.properties = with(s.more.properties, key, value)
	return s
}

// apply puts the overrides into a node, and gives the fields that the node does not have.
func (o *overrides) apply(node jobs.Node) (missing []string) {
	f := fieldsOf(node)
	put(f.compute, o.compute, "compute", &missing)
	put(f.comment, o.comment, "comment", &missing)
	put(f.display, o.display, "display_name", &missing)
	put(f.description, o.description, "description", &missing)
	put(f.distribution, o.distribution, "distribution", &missing)
	put(f.identity, o.identity, "identity", &missing)
	merge(f.variables, o.variables, "environment_variables", &missing)
	merge(f.tags, o.tags, "tags", &missing)
	merge(f.properties, o.properties, "properties", &missing)
	merge(f.services, o.services, "services", &missing)
	if o.queue != nil {
		q := *o.queue
		put(f.queue, new(&q), "queue_settings", &missing)
	}
	if o.resources != nil {
		r := *o.resources
		put(f.resources, new(&r), "resources", &missing)
	}
	if o.instances > 0 {
		r := azureml.Resources{}
		if f.resources != nil && *f.resources != nil {
			r = **f.resources
		}
		r.InstanceCount = o.instances
		put(f.resources, new(&r), "resources", &missing)
	}
	if o.timeout != nil {
		switch n := node.(type) {
		case *jobs.CommandNode:
			n.Limits = &jobs.CommandLimits{Timeout: *o.timeout}
		case *jobs.SweepNode:
			n.Limits.Timeout = *o.timeout
		default:
			missing = append(missing, "limits.timeout")
		}
	}
	return missing
}

func put[V any](at, v *V, field string, missing *[]string) {
	switch {
	case v == nil:
	case at == nil:
		*missing = append(*missing, field)
	default:
		*at = *v
	}
}

func merge[M ~map[string]V, V any](at *M, m M, field string, missing *[]string) {
	switch {
	case len(m) == 0:
	case at == nil:
		*missing = append(*missing, field)
	default:
		all := M{}
		for k, v := range *at {
			all[k] = v
		}
		for k, v := range m {
			all[k] = v
		}
		*at = all
	}
}

// kindName says what a node is.
func kindName(n jobs.Node) string {
	switch n.(type) {
	case *jobs.CommandNode:
		return "command"
	case *jobs.SweepNode:
		return "sweep"
	case *jobs.ParallelNode:
		return "parallel"
	case *jobs.SparkNode:
		return "spark"
	case *jobs.PipelineNode:
		return "pipeline"
	case *jobs.DataTransferNode:
		return "data_transfer"
	case *jobs.AutoMLNode:
		return "automl"
	case *jobs.DoWhileNode:
		return "do_while"
	case *jobs.IfElseNode:
		return "if_else"
	case *jobs.ParallelForNode:
		return "parallel_for"
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", n), "*jobs.")
}
