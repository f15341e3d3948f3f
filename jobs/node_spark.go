package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// SparkNode is a step that runs a Spark component. In a file it may define its application in place.
type SparkNode struct {
	Component   ComponentSource   `yaml:"component,required" json:"-" node:"componentId"`
	Inputs      Inputs            `yaml:"inputs" json:"-"`
	Outputs     Outputs           `yaml:"outputs" json:"-"`
	Compute     string            `yaml:"compute" json:"-" node:"computeId"`
	DisplayName string            `yaml:"display_name" json:"-"`
	Description string            `yaml:"description" json:"-" node:"-"`
	Tags        map[string]string `yaml:"tags,null" json:"-"`
	Properties  map[string]any    `yaml:"properties" json:"-"`
	Comment     string            `yaml:"comment" json:"-"`
	Resources   *SparkResources   `yaml:"resources" json:"-"`
	Identity    azureml.Identity  `yaml:"identity" json:"-"`
	// Conf defaults to the component's.
	Conf SparkConf `yaml:"conf" json:"-"`
	// Entry, PyFiles, Jars, Files, Archives and Args are the component's.
	Entry    SparkEntry     `yaml:"-" json:"-" node:"entry"`
	PyFiles  []string       `yaml:"-" json:"-" node:"py_files"`
	Jars     []string       `yaml:"-" json:"-" node:"jars"`
	Files    []string       `yaml:"-" json:"-" node:"files"`
	Archives []string       `yaml:"-" json:"-" node:"archives"`
	Args     string         `yaml:"-" json:"-" node:"args"`
	Bindings wire.Bindings  `yaml:"-" json:"-"`
	Extra    map[string]any `yaml:"-" json:"-" extra:""`

	made   provenance
	inline *SparkJob
}

var sparkNode = wire.Layout{Name: "Spark step", YAML: wire.Fixed{"type": "spark"}}

// WireLayout places the fields.
func (SparkNode) WireLayout() *wire.Layout { return &sparkNode }

// EncodeWire writes the step.
func (n SparkNode) EncodeWire(e *wire.Encoding) (any, error) {
	n.inherit(e.Spelling())
	return e.Plain(n)
}

// inherit takes over what the component says, and the identity that the service wants said.
func (n *SparkNode) inherit(sp wire.Spelling) {
	if sp == wire.YAML {
		return
	}
	if c, ok := n.Component.(*SparkComponent); ok {
		if len(n.Conf) == 0 {
			n.Conf = c.Conf
		}
		n.Entry, n.PyFiles, n.Jars, n.Files, n.Archives, n.Args = c.Entry, c.PyFiles, c.Jars, c.Files, c.Archives, c.Args
	}
	if len(n.Conf) > 0 {
		n.Conf = n.Conf.settled()
	}
	if i := n.Identity; i.Managed == nil && i.AMLToken == nil && i.User == nil && i.Other == nil {
		if n.Compute != "" {
			n.Identity.Managed = &azureml.ManagedIdentity{}
		} else if n.Resources != nil {
			n.Identity.User = &azureml.UserIdentity{}
		}
	}
}

// DecodeWire reads the step. One without a component defines an application in place.
func (n *SparkNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = SparkNode{}
	if d.Spelling() == wire.YAML && at.Get("component") == nil {
		n.inline = new(SparkJob)
		d.Into(at, n.inline)
		return
	}
	if d.Spelling() == wire.YAML { // what a component says of these holds
		d.Plain(at.Without("code", "entry", "py_files", "jars", "files", "archives", "args", "environment"), n)
	} else {
		d.Plain(at, n)
	}
	settle(n.node(), d, at, "component")
}

func (n *SparkNode) node() nodeHead {
	if j := n.inline; j != nil { // not translated yet
		return nodeHead{component: &n.Component, inputs: &j.Inputs, outputs: &j.Outputs, compute: &j.Compute, made: &n.made, needsCompute: j.Resources == nil}
	}
	return nodeHead{component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, made: &n.made, bindings: n.Bindings, needsCompute: n.Resources == nil}
}

func (n *SparkNode) translate(t *translator, d *wire.Decoding, at *wire.Node) {
	j := n.inline
	if j == nil {
		return
	}
	c := &SparkComponent{
		Description: j.Description, Tags: j.Tags, Code: j.Code, Entry: j.Entry, PyFiles: j.PyFiles, Jars: j.Jars, Files: j.Files, Archives: j.Archives,
		Conf: j.Conf, Properties: j.Properties, Environment: j.Environment, Args: j.Args, made: t.made,
		Inputs: t.componentInputs(d, at, j.Inputs), Outputs: t.componentOutputs(d, at, j.Outputs),
	}
	c.doc.Emptied(&j.doc)
	*n = SparkNode{
		Component: c, Inputs: j.Inputs, Outputs: j.Outputs, Compute: j.Compute, DisplayName: j.DisplayName, Description: j.Description, Tags: j.Tags,
		Properties: j.Properties, Resources: j.Resources, Identity: j.Identity, Conf: j.Conf, made: t.made,
	}
}

func (n *SparkNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *SparkNode) checkNode(ctx context.Context, c *checker) {
	c.step(ctx, n.node())
	if n.Compute == "" && n.Resources == nil {
		c.add("compute", "an attached Spark pool, or resources for serverless Spark, is required")
	} else if n.Compute != "" && n.Resources != nil {
		c.add("compute", "either a compute or resources, not both")
	}
	if n.Resources != nil {
		if f := n.Resources.fault(); f != "" {
			c.add("resources", "%s", f)
		}
	}
	conf := n.Conf
	if k, ok := n.Component.(*SparkComponent); ok {
		c.sparkEntry(k.Code, k.Entry, k.AdditionalIncludes)
		if len(conf) == 0 {
			conf = k.Conf
		}
		for _, f := range conf.faults() {
			c.add("conf", "%s", f)
		}
	}
}

func (n *SparkNode) resolveNode(ctx context.Context, r *resolver) error {
	n.inherit(wire.NodeJSON)
	return r.step(ctx, n.node())
}
