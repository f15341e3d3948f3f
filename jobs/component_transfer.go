package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// TransferTask is what a data transfer does.
type TransferTask string

// The tasks.
const (
	CopyData   TransferTask = "copy_data"
	ImportData TransferTask = "import_data"
	ExportData TransferTask = "export_data"
)

var transferTasks = wire.SameEnum("copy_data", "import_data", "export_data").Cased()

// WireEnum lists the spellings.
func (TransferTask) WireEnum() *wire.Enum { return transferTasks }

// CopyMode is what a copy does with what is there already.
type CopyMode string

// The modes.
const (
	MergeWithOverwrite CopyMode = "merge_with_overwrite"
	FailIfConflict     CopyMode = "fail_if_conflict"
)

var copyModes = wire.SameEnum("merge_with_overwrite", "fail_if_conflict").Cased()

// WireEnum lists the spellings.
func (CopyMode) WireEnum() *wire.Enum { return copyModes }

// DataTransferComponent copies data, or brings it in from or out to a database or file system.
type DataTransferComponent struct {
	azureml.Meta
	Schema          string            `yaml:"$schema" json:"-"`
	Name            string            `yaml:"name" json:"-"`
	Version         string            `yaml:"version,text" json:"-"`
	DisplayName     string            `yaml:"display_name,empty" json:"-"`
	Description     string            `yaml:"description,empty" json:"-"`
	Tags            map[string]string `yaml:"tags" json:"-"`
	IsDeterministic *bool             `yaml:"is_deterministic" json:"-"`
	Inputs          ComponentInputs   `yaml:"inputs" json:"-"`
	Outputs         ComponentOutputs  `yaml:"outputs" json:"-"`
	// Task is required.
	Task         TransferTask `yaml:"task,required" json:"-"`
	DataCopyMode CopyMode     `yaml:"data_copy_mode" json:"-"`
	// Source is where an import is from, Sink where an export goes to.
	Source *ExternalType  `yaml:"source" json:"-"`
	Sink   *ExternalType  `yaml:"sink" json:"-"`
	Extra  map[string]any `yaml:"-" json:"-" extra:""`

	made      provenance
	anonymous bool

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *DataTransferComponent) WireDocument() *wire.Document { return &c.doc }

// ExternalType is a kind of place outside the workspace: database or file_system.
type ExternalType struct {
	Type ExternalKind `yaml:"type,required" json:"-"`
}

var dataTransferComponent = wire.Layout{Name: "data transfer component", YAML: wire.Fixed{"type": "data_transfer"}}

// WireLayout places the fields.
func (DataTransferComponent) WireLayout() *wire.Layout { return &dataTransferComponent }

func (c *DataTransferComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, inputs: c.Inputs, outputs: c.Outputs, made: &c.made, anonymous: &c.anonymous,
	}
}

// AfterDecodeWire notes where the component came from.
func (c *DataTransferComponent) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.YAML {
		c.made = fromYAML
	}
	for _, f := range c.faults() {
		d.Fault(n, "%s", f)
	}
}

// faults says what the task does not go with.
func (c *DataTransferComponent) faults() (out []string) {
	_, source := c.Inputs["source"]
	_, sink := c.Outputs["sink"]
	switch c.Task {
	case CopyData:
		if len(c.Outputs) != 1 {
			out = append(out, "copying data has one output")
		}
	case ImportData:
		if c.Source == nil {
			out = append(out, "an import needs its source")
		}
		if len(c.Inputs) > 0 {
			out = append(out, "an import has no inputs")
		}
		if len(c.Outputs) > 1 || len(c.Outputs) == 1 && !sink {
			out = append(out, "an import has one output, called sink")
		}
	case ExportData:
		if c.Sink == nil {
			out = append(out, "an export needs its sink")
		}
		if len(c.Outputs) > 0 {
			out = append(out, "an export has no outputs")
		}
		if len(c.Inputs) > 1 || len(c.Inputs) == 1 && !source {
			out = append(out, "an export has one input, called source")
		}
	}
	return out
}

// AfterEncodeWire says that the component is deterministic where nothing else is said.
func (c DataTransferComponent) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	deterministic(e, m)
	return nil
}

// ComponentRef is the component's id when it is registered, else "".
func (c *DataTransferComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *DataTransferComponent) cloneComponent() Component {
	out := *c
	return &out
}

func (c *DataTransferComponent) check(_ context.Context, k *checker) {
	k.componentHead(c.common())
	for _, f := range c.faults() {
		k.add("task", "%s", f)
	}
}

func (c *DataTransferComponent) resolve(context.Context, *resolver) error { return nil }

// ImportComponent brings data from a database or S3. It travels as a command.
type ImportComponent struct {
	azureml.Meta
	Schema          string            `yaml:"$schema" json:"-"`
	Name            string            `yaml:"name" json:"-"`
	Version         string            `yaml:"version,text" json:"-"`
	DisplayName     string            `yaml:"display_name,empty" json:"-"`
	Description     string            `yaml:"description,empty" json:"-"`
	Tags            map[string]string `yaml:"tags" json:"-"`
	IsDeterministic *bool             `yaml:"is_deterministic" json:"-"`
	// Source are the parameters type, connection, and query or path. Required.
	Source ComponentInputs `yaml:"source,required" json:"-"`
	// Output is required.
	Output ComponentOutput `yaml:"output,required" json:"-"`
	Extra  map[string]any  `yaml:"-" json:"-" extra:""`

	made      provenance
	anonymous bool

	doc wire.Document
}

// WireDocument is what the definition noted of its file.
func (c *ImportComponent) WireDocument() *wire.Document { return &c.doc }

var importComponent = wire.Layout{Name: "import component", YAML: wire.Fixed{"type": "import"}}

// WireLayout places the fields.
func (ImportComponent) WireLayout() *wire.Layout { return &importComponent }

func (c *ImportComponent) common() component {
	return component{
		id: &c.ID, name: &c.Name, version: &c.Version, schema: &c.Schema, displayName: &c.DisplayName, description: &c.Description,
		tags: &c.Tags, inputs: c.Source, outputs: ComponentOutputs{"output": c.Output}, made: &c.made, anonymous: &c.anonymous,
	}
}

// AfterDecodeWire notes where the component came from.
func (c *ImportComponent) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.YAML {
		c.made = fromYAML
	}
	for name := range c.Source {
		if !contains([]string{"type", "connection", "query", "path"}, name) {
			d.At("source").At(name).Fault(n.Get("source"), "unknown field; a source has type, connection, and query or path")
		}
	}
}

// AfterEncodeWire says that the component is deterministic where nothing else is said.
func (c ImportComponent) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	deterministic(e, m)
	return nil
}

// afterHash turns the specification into the command that the service takes for an import.
func (c *ImportComponent) afterHash(spec map[string]any) {
	spec["type"], spec["command"] = "command", "import"
	spec["inputs"], spec["outputs"] = spec["source"], map[string]any{"output": spec["output"]}
	delete(spec, "source")
	delete(spec, "output")
	tags, _ := spec["tags"].(map[string]any)
	if tags == nil {
		tags = map[string]any{}
		spec["tags"] = tags
	}
	tags["component_type_overwrite"] = "import"
}

// ComponentRef is the component's id when it is registered, else "".
func (c *ImportComponent) ComponentRef() azureml.Ref { return azureml.Ref(c.ID) }

func (c *ImportComponent) cloneComponent() Component {
	out := *c
	return &out
}

func (c *ImportComponent) check(_ context.Context, k *checker) { k.componentHead(c.common()) }

func (c *ImportComponent) resolve(context.Context, *resolver) error { return nil }
