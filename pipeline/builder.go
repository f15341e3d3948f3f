package pipeline

import (
	"maps"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

// Builder makes a pipeline step by step. It keeps what it is told; nothing is checked before [Builder.Build] or
// [Builder.Component], which can be called again and again. A builder is for one goroutine.
type Builder struct {
	name    string
	head    jobs.PipelineJob // what is said of the pipeline as a whole; no inputs, outputs or steps
	version string
	inputs  []input
	outputs []output
	steps   []*Step

	init, finalize *Step
	faults         list // of calls that could not be kept
}

type input struct {
	name string
	data jobs.Input          // what Input was given
	spec jobs.ComponentInput // what Parameter was given; its type is "" for Input's
}

type output struct {
	name string
	from Port
	as   jobs.Output
}

// New begins a pipeline. The name is what people see, and as a step of another pipeline the component's; each submission is a
// job of its own, whose name the client makes unless [Builder.Named] sets one.
func New(name string) *Builder { return &Builder{name: name} }

// Named sets the job's name, by which it can be submitted once.
func (b *Builder) Named(job string) *Builder {
	b.head.Name = job
	return b
}

// Display sets the name that people see. Defaults to the name given to New.
func (b *Builder) Display(name string) *Builder {
	b.head.DisplayName = name
	return b
}

// Describe sets the description.
func (b *Builder) Describe(text string) *Builder {
	b.head.Description = text
	return b
}

// Experiment sets the experiment that the jobs belong to.
func (b *Builder) Experiment(name string) *Builder {
	b.head.Experiment = name
	return b
}

// Version is the version as a component. Defaults to the next.
func (b *Builder) Version(v string) *Builder {
	b.version = v
	return b
}

// Tag sets a tag.
func (b *Builder) Tag(key, value string) *Builder {
	b.head.Tags = with(b.head.Tags, key, value)
	return b
}

// Property sets a property, which cannot be changed later.
func (b *Builder) Property(key, value string) *Builder {
	b.head.Properties = with(b.head.Properties, key, value)
	return b
}

// with is a map with one more entry; the map that was is not changed.
func with[V any](m map[string]V, key string, value V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}

// On sets the compute of steps that have none of their own, as the pipeline's compute.
func (b *Builder) On(compute string) *Builder {
	b.head.Compute = compute
	return b
}

// DefaultCompute sets the compute of steps that have none of their own, as a setting. It may be "serverless".
func (b *Builder) DefaultCompute(compute string) *Builder {
	b.head.Settings.DefaultCompute = compute
	return b
}

// DefaultDatastore sets where outputs without a path go. Defaults to the workspace's default datastore.
func (b *Builder) DefaultDatastore(name string) *Builder {
	b.head.Settings.DefaultDatastore = name
	return b
}

// ContinueOnFailure lets the steps go on that do not need one that failed.
func (b *Builder) ContinueOnFailure(on bool) *Builder {
	b.head.Settings.ContinueOnStepFailure = &on
	return b
}

// ForceRerun runs steps again whose results could be reused.
func (b *Builder) ForceRerun(on bool) *Builder {
	b.head.Settings.ForceRerun = &on
	return b
}

// As sets who the steps act as.
func (b *Builder) As(identity azureml.Identity) *Builder {
	b.head.Identity = identity
	return b
}

// OnInit makes a step, which is connected with no other, the first of all.
func (b *Builder) OnInit(s *Step) *Builder {
	b.init = s
	return b
}

// OnFinalize makes a step, which is connected with no other, the last of all, whatever becomes of the others.
func (b *Builder) OnFinalize(s *Step) *Builder {
	b.finalize = s
	return b
}

// Input adds an input: a literal, whose value is a default that a submission may replace, or data or a model. Without a path,
// as jobs.URIFolder(""), it is one that has to be given when the pipeline is a step of another.
func (b *Builder) Input(name string, in jobs.Input) Port {
	b.inputs = append(b.inputs, input{name: name, data: in})
	return Port{b: b, name: name}
}

// Optional adds an input that may be left out. The type is one of jobs.ParameterString and its like, or of jobs.DataType.
// Only optional inputs of steps can be bound to it.
func (b *Builder) Optional(name, kind string) Port {
	return b.Parameter(name, jobs.ComponentInput{Type: kind, Optional: new(true)})
}

// Parameter adds an input that is described as a component's are: with bounds, values that are allowed, or a default.
func (b *Builder) Parameter(name string, in jobs.ComponentInput) Port {
	if in.Type == "" {
		b.faults.add(WrongType, "", "inputs."+name, "the type is required: a jobs.Parameter… or a jobs.DataType")
		in.Type = jobs.ParameterString
	} else if !known(in.Type) {
		b.faults.add(WrongType, "", "inputs."+name, "%q is no type; it is one of %s", in.Type, accepted("path")+", path, boolean, integer, number, string")
	}
	b.inputs = append(b.inputs, input{name: name, spec: in})
	return Port{b: b, name: name}
}

// Output makes a step's output one of the pipeline. as, of which one is taken, says how and where it is written and as what
// asset it is registered; what it does not say is as the step has it.
func (b *Builder) Output(name string, from Port, as ...jobs.Output) *Builder {
	o := output{name: name, from: from}
	if len(as) > 1 {
		b.faults.add(Duplicate, "", "outputs."+name, "is described %d times", len(as))
	}
	if len(as) > 0 {
		o.as = as[0]
	}
	b.outputs = append(b.outputs, o)
	return b
}

// Step adds a step. It is made of
//
//   - a job: *jobs.CommandJob, *jobs.SweepJob, *jobs.SparkJob, *jobs.AutoMLJob, *jobs.PipelineJob, or a builder of one. What its command refers
//     to and the job does not declare is an input of the type of what is bound to it, or an output that is a folder;
//   - a component: one of the structs, as written here or read with jobs.LoadComponent, one from the workspace, or a
//     *jobs.ParallelBuilder;
//   - an azureml.Ref to a command component of the workspace or of a registry, of whose ports nothing is known here;
//   - another *Builder: a pipeline in the pipeline;
//   - one of the nodes, such as *jobs.PipelineNode or *jobs.DataTransferNode, for all else.
//
// The definition is read when the pipeline is built; it is not changed.
func (b *Builder) Step(name string, of any) *Step {
	s := &Step{b: b, name: name, of: of}
	b.steps = append(b.steps, s)
	return s
}
