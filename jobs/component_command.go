package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// CommandComponent is a command as a reusable step.
type CommandComponent struct {
	azureml.Meta
	Schema string `yaml:"$schema" json:"-"`
	// Name is required to register it. Where it stands inside a pipeline it has none: it is anonymous then, and its
	// version is a hash of what it says.
	Name string `yaml:"name" json:"-"`
	// Version defaults to the next.
	Version     string            `yaml:"version,text" json:"-"`
	DisplayName string            `yaml:"display_name,empty" json:"-"`
	Description string            `yaml:"description,empty" json:"-"`
	Tags        map[string]string `yaml:"tags" json:"-"`
	// IsDeterministic lets a pipeline reuse an earlier result of the same inputs. Defaults to true.
	IsDeterministic *bool            `yaml:"is_deterministic" json:"-"`
	Inputs          ComponentInputs  `yaml:"inputs" json:"-"`
	Outputs         ComponentOutputs `yaml:"outputs" json:"-"`
	// Command is as a job's; what refers to an optional input stands in $[[…]]. Required.
	Command string `yaml:"command,required" json:"-"`
	Code    Code   `yaml:"code" json:"-"`
	// Environment is required.
	Environment  assets.EnvironmentSource `yaml:"environment,required" json:"-"`
	Resources    *ComponentResources      `yaml:"resources" json:"-"`
	Distribution Distribution             `yaml:"distribution" json:"-"`
	Properties   map[string]any           `yaml:"properties" json:"-"`
	// AdditionalIncludes are files and folders here that are put into the code's folder.
	AdditionalIncludes Includes `yaml:"additional_includes" json:"-"`
	// Extra are keys of a file that are passed on as they are.
	Extra map[string]any `yaml:"-" json:"-" extra:""`

	made      provenance
	anonymous bool

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *CommandComponent) WireDocument() *wire.Document { return &c.doc }

var commandComponent = wire.Layout{Name: "command component", YAML: wire.Fixed{"type": "command"}}

// WireLayout places the fields.
func (CommandComponent) WireLayout() *wire.Layout { return &commandComponent }

// ComponentResources are the machines that a component wants, and settings that only its compute knows.
type ComponentResources struct {
	azureml.Resources
	Extra map[string]any `yaml:"-" json:"-" extra:""`
}

// AfterDecodeWire leaves out what a file says beyond the machines.
func (r *ComponentResources) AfterDecodeWire(d *wire.Decoding, _ *wire.Node) { leaveOut(d, &r.Extra) }

func (c *CommandComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, properties: c.Properties, inputs: c.Inputs, outputs: c.Outputs, made: &c.made, anonymous: &c.anonymous,
	}
}

// AfterDecodeWire makes the environment of a file anonymous and notes where the component came from.
func (c *CommandComponent) AfterDecodeWire(d *wire.Decoding, _ *wire.Node) {
	anonymous(d, c.Environment)
	if d.Spelling() == wire.YAML {
		delete(c.Extra, "environment_variables") // the reference takes them, and does not send them: they are a job's
		c.made = fromYAML
	}
}

// AfterEncodeWire says that the component is deterministic where nothing else is said.
func (c CommandComponent) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	deterministic(e, m)
	return nil
}

func deterministic(e *wire.Encoding, m map[string]any) {
	if e.Spelling() != wire.Spec {
		return
	}
	if m["is_deterministic"] == nil {
		m["is_deterministic"] = true
	}
	if r, ok := m["resources"].(map[string]any); ok { // settings of a compute are a step's: specifications have none
		if delete(r, "properties"); len(r) == 0 {
			delete(m, "resources")
		}
	}
}

// ComponentRef is the component's id when it is registered, else "".
func (c *CommandComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *CommandComponent) cloneComponent() Component {
	out := *c
	return &out
}

func (c *CommandComponent) check(ctx context.Context, k *checker) {
	k.componentHead(c.common())
	in, out := promised(c.Inputs, c.Outputs)
	k.command("command", c.Command, c.Code, in, out, nil)
	k.code(ctx, "code", c.Code)
	k.environment(ctx, "environment", c.Environment)
	k.includes("additional_includes", c.AdditionalIncludes)
}

func (c *CommandComponent) resolve(ctx context.Context, r *resolver) (err error) {
	if c.Environment, err = r.environment(ctx, "environment", c.Environment); err != nil {
		return err
	}
	if c.Environment, err = r.register(ctx, "environment", c.Environment); err != nil {
		return err
	}
	c.Code, c.Command, err = r.componentCode(ctx, "code", c.Code, c.Command, c.AdditionalIncludes)
	return err
}
