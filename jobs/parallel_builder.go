package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// ParallelBuilder makes a ParallelComponent, or a step of one, step by step. It is a Component itself: ComponentClient.Create
// and steps of pipelines take it as it is. What is wrong is kept and comes out at Build, all of it, or where it is used.
type ParallelBuilder struct {
	c      ParallelComponent
	n      ParallelNode
	faults azureml.Faults
}

// Parallel begins a component that runs a function over mini-batches of its input: the entry script is a Python file in the
// code.
func Parallel(entry string) *ParallelBuilder {
	b := &ParallelBuilder{c: ParallelComponent{Task: &ParallelTask{Type: "run_function", EntryScript: entry}}}
	if entry == "" {
		b.fault("task.entry_script", "the entry script is required")
	}
	return b
}

func (b *ParallelBuilder) fault(field, format string, a ...any) *ParallelBuilder {
	b.faults = append(b.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	return b
}

// Named sets the component's name and version. Without it the component is anonymous; version "" is the next.
func (b *ParallelBuilder) Named(name, version string) *ParallelBuilder {
	b.c.Name, b.c.Version = name, version
	if !componentName.MatchString(name) {
		return b.fault("name", "%q cannot be a component's name: lower-case letters, digits and '_', beginning with a letter", name)
	}
	return b
}

// Display sets the name that people see.
func (b *ParallelBuilder) Display(name string) *ParallelBuilder {
	b.c.DisplayName = name
	return b
}

// Describe sets the description.
func (b *ParallelBuilder) Describe(text string) *ParallelBuilder {
	b.c.Description = text
	return b
}

// Tag adds a tag.
func (b *ParallelBuilder) Tag(key, value string) *ParallelBuilder {
	if f := tag(&b.c.Tags, key, value); f != "" {
		return b.fault("tags."+key, "%s", f)
	}
	return b
}

// Code sets the folder here that holds the entry script.
func (b *ParallelBuilder) Code(folder string) *ParallelBuilder {
	if !b.c.Task.Code.IsZero() {
		return b.fault("task.code", "is set twice")
	}
	b.c.Task.Code = Folder(folder)
	return b
}

// In sets the environment: a reference, or an *assets.Environment. Required.
func (b *ParallelBuilder) In(environment assets.EnvironmentSource) *ParallelBuilder {
	b.c.Task.Environment = environment
	return b
}

// Args are what follows the entry script. ${{inputs.x}} stands for a value.
func (b *ParallelBuilder) Args(args string) *ParallelBuilder {
	b.c.Task.ProgramArguments = args
	return b
}

// Input adds an input.
func (b *ParallelBuilder) Input(name string, in ComponentInput) *ParallelBuilder {
	field := "inputs." + name
	if _, twice := b.c.Inputs[name]; twice {
		return b.fault(field, "is given twice")
	}
	if !inputName.MatchString(name) {
		b.fault(field, "%q cannot be an input's name: %s", name, inputNameRules)
	}
	if b.c.Inputs == nil {
		b.c.Inputs = ComponentInputs{}
	}
	b.c.Inputs[name] = in
	return b
}

// Over adds a folder of files as an input, which is the one that is cut into mini-batches.
func (b *ParallelBuilder) Over(name string) *ParallelBuilder {
	return b.cut(name, ComponentInput{Type: string(TypeURIFolder)})
}

// OverTable adds a table (MLTable) as an input, which is the one that is cut into mini-batches.
func (b *ParallelBuilder) OverTable(name string) *ParallelBuilder {
	return b.cut(name, ComponentInput{Type: string(TypeMLTable)})
}

func (b *ParallelBuilder) cut(name string, in ComponentInput) *ParallelBuilder {
	if b.c.InputData != "" {
		return b.fault("input_data", "is set twice: one input is cut into mini-batches")
	}
	b.c.InputData = "${{inputs." + name + "}}"
	return b.Input(name, in)
}

// Output adds an output.
func (b *ParallelBuilder) Output(name string, out ComponentOutput) *ParallelBuilder {
	field := "outputs." + name
	if _, twice := b.c.Outputs[name]; twice {
		return b.fault(field, "is given twice")
	}
	if !inputName.MatchString(name) {
		b.fault(field, "%q cannot be an output's name: %s", name, inputNameRules)
	}
	if b.c.Outputs == nil {
		b.c.Outputs = ComponentOutputs{}
	}
	b.c.Outputs[name] = out
	return b
}

// AppendRow adds a file as an output, to which what the entry script gives for each mini-batch is appended.
func (b *ParallelBuilder) AppendRow(output string) *ParallelBuilder {
	if b.c.Task.AppendRowTo != "" {
		return b.fault("task.append_row_to", "is set twice")
	}
	b.c.Task.AppendRowTo = "${{outputs." + output + "}}"
	return b.Output(output, ComponentOutput{Type: string(TypeURIFile)})
}

// MiniBatch sets the size of a mini-batch: a number of files ("10"), or of a table's bytes, which may end in kb, mb or gb.
func (b *ParallelBuilder) MiniBatch(size string) *ParallelBuilder {
	b.c.MiniBatchSize = size
	if _, err := b.c.size(); err != nil {
		return b.fault("mini_batch_size", "%v", err)
	}
	return b
}

// Partition cuts a partitioned table by the values of columns, whatever MiniBatch says.
func (b *ParallelBuilder) Partition(columns ...string) *ParallelBuilder {
	b.c.PartitionKeys = append(b.c.PartitionKeys, columns...)
	return b
}

func (b *ParallelBuilder) count(field string, into **int, n, least int) *ParallelBuilder {
	if n < least {
		return b.fault(field, "%d is less than %d", n, least)
	}
	*into = &n
	return b
}

// Concurrent sets how many mini-batches a node works on at once. Defaults to 1.
func (b *ParallelBuilder) Concurrent(n int) *ParallelBuilder {
	return b.count("max_concurrency_per_instance", &b.c.MaxConcurrencyPerInstance, n, 1)
}

// Nodes sets the number of machines.
func (b *ParallelBuilder) Nodes(n int) *ParallelBuilder {
	if n < 1 {
		return b.fault("resources.instance_count", "%d machines are none", n)
	}
	r := ComponentResources{}
	if b.c.Resources != nil {
		r = *b.c.Resources
	}
	r.InstanceCount = n
	b.c.Resources = &r
	return b
}

// Retry sets how often a mini-batch is tried again, and how long each try may take, in whole seconds.
func (b *ParallelBuilder) Retry(times int, timeout time.Duration) *ParallelBuilder {
	if times < 0 {
		b.fault("retry_settings.max_retries", "%d is negative", times)
	}
	if timeout <= 0 || timeout%time.Second != 0 {
		return b.fault("retry_settings.timeout", "%v is not a positive number of whole seconds", timeout)
	}
	seconds := int(timeout / time.Second)
	b.c.RetrySettings = &RetrySettings{MaxRetries: &times, Timeout: &seconds}
	return b
}

// ErrorThreshold sets how many items may fail; -1, the default, is all.
func (b *ParallelBuilder) ErrorThreshold(items int) *ParallelBuilder {
	return b.count("error_threshold", &b.c.ErrorThreshold, items, -1)
}

// MiniBatchErrorThreshold sets how many mini-batches may fail; -1, the default, is all.
func (b *ParallelBuilder) MiniBatchErrorThreshold(batches int) *ParallelBuilder {
	return b.count("mini_batch_error_threshold", &b.c.MiniBatchErrorThreshold, batches, -1)
}

// LogLevel is DEBUG, INFO or WARNING. Defaults to INFO.
func (b *ParallelBuilder) LogLevel(level string) *ParallelBuilder {
	b.c.LoggingLevel = level
	return b
}

// On sets the compute of the step: its name or id.
func (b *ParallelBuilder) On(compute string) *ParallelBuilder {
	b.n.Compute = compute
	return b
}

// Bind gives the step an input, such as jobs.Literal("${{parent.jobs.prep.outputs.rows}}").
func (b *ParallelBuilder) Bind(name string, in Input) *ParallelBuilder {
	if _, twice := b.n.Inputs[name]; twice {
		return b.fault("inputs."+name, "is bound twice")
	}
	if b.n.Inputs == nil {
		b.n.Inputs = Inputs{}
	}
	b.n.Inputs[name] = in
	return b
}

// BindOutput says where the step's output goes, such as jobs.Output{Path: "${{parent.outputs.scores}}"}.
func (b *ParallelBuilder) BindOutput(name string, out Output) *ParallelBuilder {
	if _, twice := b.n.Outputs[name]; twice {
		return b.fault("outputs."+name, "is bound twice")
	}
	if b.n.Outputs == nil {
		b.n.Outputs = Outputs{}
	}
	b.n.Outputs[name] = out
	return b
}

// Env sets an environment variable of the step.
func (b *ParallelBuilder) Env(name, value string) *ParallelBuilder {
	if name == "" {
		return b.fault("environment_variables", "a variable has no name")
	}
	if old, twice := b.n.EnvironmentVariables[name]; twice && old != value {
		return b.fault("environment_variables."+name, "is set twice, to %q and %q", old, value)
	}
	if b.n.EnvironmentVariables == nil {
		b.n.EnvironmentVariables = Variables{}
	}
	b.n.EnvironmentVariables[name] = value
	return b
}

// Build gives the component, or every fault that was met. It can be called again.
func (b *ParallelBuilder) Build() (*ParallelComponent, error) {
	if b == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	c := &checker{}
	b.checkParts(c)
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	return b.copy(), nil
}

// Node gives the step of a pipeline that runs the component, or every fault that was met.
func (b *ParallelBuilder) Node() (*ParallelNode, error) {
	k, err := b.Build()
	if err != nil {
		return nil, err
	}
	c := &checker{}
	for _, name := range slices.Sorted(maps.Keys(b.n.Inputs)) {
		if _, ok := k.Inputs[name]; !ok {
			c.add("inputs."+name, "is no input of the component%s", have("inputs", k.Inputs))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.n.Outputs)) {
		if _, ok := k.Outputs[name]; !ok {
			c.add("outputs."+name, "is no output of the component%s", have("outputs", k.Outputs))
		}
	}
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	n := b.n
	n.Inputs, n.Outputs, n.EnvironmentVariables = maps.Clone(n.Inputs), maps.Clone(n.Outputs), maps.Clone(n.EnvironmentVariables)
	n.Component = k
	return &n, nil
}

func (b *ParallelBuilder) copy() *ParallelComponent {
	c := b.c
	t := *c.Task
	c.Task = &t
	c.Tags, c.Inputs, c.Outputs = maps.Clone(c.Tags), maps.Clone(c.Inputs), maps.Clone(c.Outputs)
	c.PartitionKeys = slices.Clone(c.PartitionKeys)
	return &c
}

// checkParts checks what neither a folder here nor the service is asked for.
func (b *ParallelBuilder) checkParts(c *checker) {
	for _, f := range b.faults {
		c.fault(f)
	}
	if b.c.InputData == "" {
		c.add("input_data", "the input that is cut into mini-batches is required: Over or OverTable")
	}
	if b.c.Task.Environment == nil {
		c.add("task.environment", "an environment is required: a reference such as \"azureml:NAME@latest\", or a definition")
	}
	b.c.Batching.check(c)
	in, out := promised(b.c.Inputs, b.c.Outputs)
	c.references("task.program_arguments", b.c.Task.ProgramArguments, in, out, nil)
}

// ComponentRef is "": what a builder makes is not registered yet.
func (b *ParallelBuilder) ComponentRef() azureml.Ref { return "" }

func (b *ParallelBuilder) common() component { return b.c.common() }

func (b *ParallelBuilder) check(ctx context.Context, c *checker) {
	b.checkParts(c)
	b.c.check(ctx, c)
}

func (b *ParallelBuilder) cloneComponent() Component { return b.copy() }

func (b *ParallelBuilder) resolve(context.Context, *resolver) error {
	return errors.New("a builder is not resolved, but what it makes") // cloneComponent gives that
}

// EncodeWire writes the component.
func (b *ParallelBuilder) EncodeWire(e *wire.Encoding) (any, error) {
	k, err := b.Build()
	if err != nil {
		return nil, err
	}
	return e.Value(k)
}

// built is what a builder has made of a step's component.
func built(c ComponentSource) ComponentSource {
	if b, ok := c.(*ParallelBuilder); ok {
		return b.copy()
	}
	return c
}
