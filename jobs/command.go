package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// Variables are environment variables. Values are text; numbers and booleans travel as such.
type Variables map[string]any

// CommandJob runs one command on a compute.
type CommandJob struct {
	azureml.Meta
	// Name is the job's name in the workspace. Defaults to a generated one.
	Name string `yaml:"name" json:"name,ro"`
	// DisplayName is what people see. Defaults to the name.
	DisplayName string `yaml:"display_name" json:"displayName"`
	// Experiment gathers jobs. Defaults to the name of the working folder.
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Command is run by a shell, in the folder of the code. ${{inputs.x}} and ${{outputs.x}} stand for
	// values and paths; what is in [brackets] is left out when its input has no value. Required, but for a
	// Go program, which is run without arguments then.
	Command string `yaml:"command,required" json:"command"`
	Code    Code   `yaml:"code" json:"codeId"`
	// Environment is what the command runs in: a reference such as "azureml:sklearn-1.5@latest", or an
	// *assets.Environment. Required.
	Environment          assets.EnvironmentSource `yaml:"environment,required" json:"environmentId"`
	EnvironmentVariables Variables                `yaml:"environment_variables" json:"environmentVariables,keep"`
	// Compute is a compute's name or id. Defaults to serverless compute; "local" is this machine.
	Compute      string             `yaml:"compute" json:"computeId"`
	Inputs       Inputs             `yaml:"inputs" json:"inputs,keep"`
	Outputs      Outputs            `yaml:"outputs" json:"outputs,keep"`
	Limits       *CommandLimits     `yaml:"limits" json:"limits"`
	Resources    *azureml.Resources `yaml:"resources" json:"resources"`
	Distribution Distribution       `yaml:"distribution" json:"distribution"`
	Queue        *Queue             `yaml:"queue_settings" json:"queueSettings"`
	Identity     azureml.Identity   `yaml:"identity" json:"identity"`
	Services     Services           `yaml:"services" json:"services"`
	// Parent makes the job a child of another.
	Parent string `yaml:"parent_job_name" json:"parentJobName"`

	// Status, LogFiles and Parameters are the service's answer.
	Status     Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles   map[string]string `yaml:"log_files,ro" json:"-"`
	Parameters map[string]any    `yaml:"parameters,ro" json:"parameters,ro"`

	doc wire.Document
}

var commandJob = wire.Layout{
	Name: "command job",
	Base: "properties",
	At:   wire.Table{"name": "/name"},
	YAML: wire.Fixed{"type": "command"},
	REST: wire.Fixed{"jobType": "Command", "isArchived": false},
}

// WireLayout places the fields.
func (CommandJob) WireLayout() *wire.Layout { return &commandJob }

// WireDocument is what the service answered.
func (j *CommandJob) WireDocument() *wire.Document { return &j.doc }

func (j *CommandJob) job() (definition, error) { return defined(j) }

func (j *CommandJob) jobType() string { return "Command" }

func (j *CommandJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, inputs: &j.Inputs, outputs: &j.Outputs,
	}
}

// What a job that runs on this machine carries.
const (
	localCompute  = "local"
	localVariable = "AZUREML_COMPUTE_USE_COMMON_RUNTIME"
	localProperty = "IsLocal"
)

// AfterDecodeWire recognises a job that runs on the submitter's machine.
func (j *CommandJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	anonymous(d, j.Environment)
	if d.Spelling() != wire.REST || j.Resources == nil || j.Resources.Properties[localProperty] == nil {
		return
	}
	j.Compute = localCompute
	delete(j.Resources.Properties, localProperty)
}

func (j *CommandJob) check(ctx context.Context, c *checker) {
	c.head(j.head())
	c.command("command", j.Command, j.Code, j.Inputs, j.Outputs, nil)
	c.code(ctx, "code", j.Code)
	c.environment(ctx, "environment", j.Environment)
	c.compute(ctx, "compute", j.Compute)
	c.variables("environment_variables", j.EnvironmentVariables)
	c.services(j.Services)
	if j.Limits != nil {
		c.seconds("limits.timeout", j.Limits.Timeout)
	}
}

func (j *CommandJob) clone() definition {
	c := *j
	return &c
}

func (j *CommandJob) resolve(ctx context.Context, r *resolver) (err error) {
	local := j.Compute == localCompute
	if j.Environment, err = r.environment(ctx, "environment", j.Environment); err != nil {
		return err
	}
	if j.Inputs, err = r.references(ctx, j.Inputs); err != nil {
		return err
	}
	if j.Code, j.Command, err = r.compile(ctx, "code", j.Code, j.Command, j.Compute); err != nil {
		return err
	}
	if j.Environment, err = r.register(ctx, "environment", j.Environment); err != nil {
		return err
	}
	if j.Code, err = r.sendCode(ctx, "code", j.Code); err != nil {
		return err
	}
	if j.Inputs, err = r.uploads(ctx, j.Inputs); err != nil {
		return err
	}
	if j.Compute = r.compute(j.Compute); local {
		j.runHere()
	}
	return nil
}

// runHere marks a job as one for the submitter's own machine.
func (j *CommandJob) runHere() {
	j.Compute = ""
	vars := Variables{localVariable: "true"}
	for k, v := range j.EnvironmentVariables {
		vars[k] = v
	}
	j.EnvironmentVariables = vars
	res := azureml.Resources{}
	if j.Resources != nil {
		res = *j.Resources
	}
	props := map[string]any{localProperty: map[string]any{localProperty: true}}
	for k, v := range res.Properties {
		props[k] = v
	}
	res.Properties = props
	j.Resources = &res
}
