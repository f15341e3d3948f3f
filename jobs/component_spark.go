package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// SparkComponent is a Spark application as a reusable step.
type SparkComponent struct {
	azureml.Meta
	Schema          string                   `yaml:"$schema" json:"-"`
	Name            string                   `yaml:"name" json:"-"`
	Version         string                   `yaml:"version,text" json:"-"`
	DisplayName     string                   `yaml:"display_name,empty" json:"-"`
	Description     string                   `yaml:"description,empty" json:"-"`
	Tags            map[string]string        `yaml:"tags" json:"-"`
	IsDeterministic *bool                    `yaml:"is_deterministic" json:"-"`
	Inputs          ComponentInputs          `yaml:"inputs" json:"-"`
	Outputs         ComponentOutputs         `yaml:"outputs" json:"-"`
	Code            Code                     `yaml:"code" json:"-"`
	Entry           SparkEntry               `yaml:"entry,required" json:"-"`
	PyFiles         []string                 `yaml:"py_files" json:"-"`
	Jars            []string                 `yaml:"jars" json:"-"`
	Files           []string                 `yaml:"files" json:"-"`
	Archives        []string                 `yaml:"archives" json:"-"`
	Conf            SparkConf                `yaml:"conf" json:"-"`
	Environment     assets.EnvironmentSource `yaml:"environment,null" json:"-"`
	Args            string                   `yaml:"args,empty" json:"-"`
	// AdditionalIncludes are files and folders here that are put into the code's folder.
	AdditionalIncludes Includes       `yaml:"additional_includes" json:"-"`
	Properties         map[string]any `yaml:"properties" json:"-"`
	Extra              map[string]any `yaml:"-" json:"-" extra:""`

	made      provenance
	anonymous bool

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *SparkComponent) WireDocument() *wire.Document { return &c.doc }

var sparkComponent = wire.Layout{Name: "Spark component", YAML: wire.Fixed{"type": "spark"}}

// WireLayout places the fields.
func (SparkComponent) WireLayout() *wire.Layout { return &sparkComponent }

func (c *SparkComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, properties: c.Properties, inputs: c.Inputs, outputs: c.Outputs, made: &c.made, anonymous: &c.anonymous,
	}
}

// AfterDecodeWire takes the folder of the file where no code is named.
func (c *SparkComponent) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	anonymous(d, c.Environment)
	sparkImage(d, c.Environment)
	if d.Spelling() == wire.YAML {
		c.made = fromYAML
		if n.Get("code") == nil && n.Dir() != "" {
			c.Code = Folder(n.LocalPath("."))
		}
	}
}

// AfterEncodeWire says that the component is deterministic where nothing else is said.
func (c SparkComponent) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	deterministic(e, m)
	return nil
}

// ComponentRef is the component's id when it is registered, else "".
func (c *SparkComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *SparkComponent) cloneComponent() Component {
	out := *c
	return &out
}

func (c *SparkComponent) check(ctx context.Context, k *checker) {
	k.componentHead(c.common())
	if f := c.Entry.fault(); f != "" {
		k.add("entry", "%s", f)
	}
	k.code(ctx, "code", c.Code)
	if c.Code.Go != nil {
		k.add("code", "Spark runs a Python file, not a Go program")
	}
	in, out := promised(c.Inputs, c.Outputs)
	k.references("args", c.Args, in, out, nil)
	k.includes("additional_includes", c.AdditionalIncludes)
}

func (c *SparkComponent) resolve(ctx context.Context, r *resolver) (err error) {
	if c.Environment, err = r.environment(ctx, "environment", c.Environment); err != nil {
		return err
	}
	if c.Environment, err = r.register(ctx, "environment", c.Environment); err != nil {
		return err
	}
	c.Code, _, err = r.componentCode(ctx, "code", c.Code, "", c.AdditionalIncludes)
	return err
}
