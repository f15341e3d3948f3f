package jobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
)

// CommandBuilder makes a CommandJob step by step. What is wrong is kept and comes out at Build, all of it;
// Submit reports it with what else is wrong.
type CommandBuilder struct {
	j      CommandJob
	faults azureml.Faults
}

// Command begins a job that runs a command.
func Command(command string) *CommandBuilder {
	return &CommandBuilder{j: CommandJob{Command: command}}
}

func (b *CommandBuilder) fault(field, format string, a ...any) *CommandBuilder {
	b.faults = append(b.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	return b
}

// Named sets the job's name.
func (b *CommandBuilder) Named(name string) *CommandBuilder {
	b.j.Name = name
	if !jobName.MatchString(name) {
		return b.fault("name", "%q cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most", name)
	}
	return b
}

// Display sets the name that people see.
func (b *CommandBuilder) Display(name string) *CommandBuilder {
	b.j.DisplayName = name
	return b
}

// Describe sets the description.
func (b *CommandBuilder) Describe(text string) *CommandBuilder {
	b.j.Description = text
	return b
}

// Experiment sets the experiment that the job belongs to.
func (b *CommandBuilder) Experiment(name string) *CommandBuilder {
	b.j.Experiment = name
	return b
}

// Tag adds a tag.
func (b *CommandBuilder) Tag(key, value string) *CommandBuilder {
	if b.j.Tags == nil {
		b.j.Tags = map[string]string{}
	}
	if old, twice := b.j.Tags[key]; twice && old != value {
		return b.fault("tags."+key, "is set twice, to %q and %q", old, value)
	}
	b.j.Tags[key] = value
	return b
}

func (b *CommandBuilder) code(c Code) *CommandBuilder {
	if !b.j.Code.IsZero() {
		return b.fault("code", "is set twice")
	}
	b.j.Code = c
	return b
}

// Code makes a folder here the job's code.
func (b *CommandBuilder) Code(folder string) *CommandBuilder { return b.code(Folder(folder)) }

// GoCode makes a Go main package the job's code: it is compiled for the compute at submission, and the command
// runs it as ./NAME.
func (b *CommandBuilder) GoCode(pkg string) *CommandBuilder {
	return b.GoProgram(&GoProgram{Package: pkg})
}

// GoProgram is GoCode with more said about the program.
func (b *CommandBuilder) GoProgram(p *GoProgram) *CommandBuilder {
	if p == nil {
		return b.fault("code", "the Go program is nil")
	}
	c := *p
	return b.code(Code{Go: &c})
}

// On sets the compute: its name or id. "local" is this machine.
func (b *CommandBuilder) On(compute string) *CommandBuilder {
	b.j.Compute = compute
	return b
}

// In sets the environment: a reference such as azureml.Ref("azureml:sklearn-1.5@latest"), or an
// *assets.Environment.
func (b *CommandBuilder) In(environment assets.EnvironmentSource) *CommandBuilder {
	b.j.Environment = environment
	return b
}

// Input adds an input. One with a type alone, as jobs.URIFolder(""), is given its data as a step of a pipeline.
func (b *CommandBuilder) Input(name string, in Input) *CommandBuilder {
	field := "inputs." + name
	if _, twice := b.j.Inputs[name]; twice {
		return b.fault(field, "is given twice")
	}
	if b.j.Inputs == nil {
		b.j.Inputs = Inputs{}
	}
	b.j.Inputs[name] = in
	if !inputName.MatchString(name) {
		b.fault(field, "%q cannot be an input's name: %s", name, inputNameRules)
	}
	if f := in.fault(); f != "" && !in.bare() {
		b.fault(field, "%s", f)
	}
	return b
}

// Output adds an output.
func (b *CommandBuilder) Output(name string, out Output) *CommandBuilder {
	field := "outputs." + name
	if _, twice := b.j.Outputs[name]; twice {
		return b.fault(field, "is given twice")
	}
	if b.j.Outputs == nil {
		b.j.Outputs = Outputs{}
	}
	b.j.Outputs[name] = out
	if !inputName.MatchString(name) {
		b.fault(field, "%q cannot be an output's name: %s", name, inputNameRules)
	}
	if f := out.fault(); f != "" {
		b.fault(field, "%s", f)
	}
	return b
}

// Env sets an environment variable.
func (b *CommandBuilder) Env(name, value string) *CommandBuilder {
	if name == "" {
		return b.fault("environment_variables", "a variable has no name")
	}
	if b.j.EnvironmentVariables == nil {
		b.j.EnvironmentVariables = Variables{}
	}
	if old, twice := b.j.EnvironmentVariables[name]; twice && old != value {
		return b.fault("environment_variables."+name, "is set twice, to %q and %q", old, value)
	}
	b.j.EnvironmentVariables[name] = value
	return b
}

// Timeout bounds how long the job may run, in whole seconds.
func (b *CommandBuilder) Timeout(d time.Duration) *CommandBuilder {
	if d <= 0 || d%time.Second != 0 {
		return b.fault("limits.timeout", "%v is not a positive number of whole seconds", d)
	}
	b.j.Limits = &CommandLimits{Timeout: d}
	return b
}

// Resources sets what machines the job wants.
func (b *CommandBuilder) Resources(r azureml.Resources) *CommandBuilder {
	b.j.Resources = &r
	return b
}

// Nodes sets the number of machines and how the processes on them find each other:
// Nodes(2, jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 4}}).
func (b *CommandBuilder) Nodes(n int, d Distribution) *CommandBuilder {
	if n < 1 {
		return b.fault("resources.instance_count", "%d machines are none", n)
	}
	r := azureml.Resources{}
	if b.j.Resources != nil {
		r = *b.j.Resources
	}
	r.InstanceCount = n
	b.j.Resources, b.j.Distribution = &r, d
	return b
}

// Service adds an interactive service.
func (b *CommandBuilder) Service(name string, s Service) *CommandBuilder {
	if f := s.fault(); f != "" {
		return b.fault("services."+name, "%s", f)
	}
	if b.j.Services == nil {
		b.j.Services = Services{}
	}
	b.j.Services[name] = s
	return b
}

// As sets who the job acts as.
func (b *CommandBuilder) As(identity azureml.Identity) *CommandBuilder {
	b.j.Identity = identity
	return b
}

// Queue sets the tier and priority of a serverless job.
func (b *CommandBuilder) Queue(q Queue) *CommandBuilder {
	b.j.Queue = &q
	return b
}

// Build gives the job, or every fault that was met. It can be called again.
func (b *CommandBuilder) Build() (*CommandJob, error) {
	if b == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	c := &checker{faults: slices.Clone(b.faults)}
	c.unfilled(b.j.Inputs)
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	return b.copy(), nil
}

func (b *CommandBuilder) copy() *CommandJob {
	j := b.j
	j.Tags, j.Inputs, j.Outputs = maps.Clone(j.Tags), maps.Clone(j.Inputs), maps.Clone(j.Outputs)
	j.EnvironmentVariables, j.Services = maps.Clone(j.EnvironmentVariables), maps.Clone(j.Services)
	return &j
}

// partial gives the job as far as it has been made, with what was wrong.
func (b *CommandBuilder) partial() (definition, azureml.Faults) {
	if b == nil {
		return nil, nil
	}
	return b.copy(), slices.Clone(b.faults)
}

func (b *CommandBuilder) job() (definition, error) {
	j, err := b.Build()
	if err != nil {
		return nil, err
	}
	return j, nil
}
