package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// DataTransferNode is a step that copies data, or brings it in from or out to a database or file system.
type DataTransferNode struct {
	// Component defaults to one made of the step, or for imports and exports to the service's own.
	Component ComponentSource `yaml:"component" json:"-" node:"componentId"`
	// Task is required.
	Task         TransferTask `yaml:"task,required" json:"-"`
	DataCopyMode CopyMode     `yaml:"data_copy_mode" json:"-"`
	// Source is where an import is from, Sink where an export goes to.
	Source      *External         `yaml:"source" json:"-" node:",yaml"`
	Sink        *External         `yaml:"sink" json:"-" node:",yaml"`
	Inputs      Inputs            `yaml:"inputs" json:"-"`
	Outputs     Outputs           `yaml:"outputs" json:"-"`
	Compute     string            `yaml:"compute" json:"-" node:"computeId"`
	DisplayName string            `yaml:"display_name" json:"-"`
	Description string            `yaml:"description" json:"-" node:"-"`
	Tags        map[string]string `yaml:"tags,null" json:"-"`
	Properties  map[string]string `yaml:"properties,null" json:"-"`
	Comment     string            `yaml:"comment" json:"-"`
	Bindings    wire.Bindings     `yaml:"-" json:"-"`
	Extra       map[string]any    `yaml:"-" json:"-" extra:""`

	made   provenance
	inline bool
	silent bool // the step does not say its own name
}

// The service's own components.
const builtinTransfers = "azureml://registries/azureml/components/"

var dataTransferNode = wire.Layout{Name: "data transfer step", YAML: wire.Fixed{"type": "data_transfer"}}

// WireLayout places the fields.
func (DataTransferNode) WireLayout() *wire.Layout { return &dataTransferNode }

// EncodeWire writes the step.
func (n DataTransferNode) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML && n.made == fromBuiltin {
		n.Component = nil
	}
	return e.Plain(n)
}

// DecodeWire reads the step. One without a component is made one of.
func (n *DataTransferNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = DataTransferNode{}
	d.Plain(at, n)
	if n.Component != nil {
		settle(n.node(), d, at, "component")
		return
	}
	n.inline = d.Spelling() == wire.YAML
	n.builtin()
	for _, f := range n.faults() {
		d.At(f.Field).Fault(at, "%s", f.Message)
	}
}

// builtin names the service's component for imports and exports.
func (n *DataTransferNode) builtin() {
	what, place := "", n.Source
	switch n.Task {
	case ImportData:
		what = "import_data_"
	case ExportData:
		what, place = "export_data_", n.Sink
	}
	if n.Component == nil && what != "" && place != nil {
		n.Component, n.made = azureml.Ref(builtinTransfers+what+string(place.Type)+"/versions/0.0.1"), fromBuiltin
	}
}

func (n *DataTransferNode) faults() (out wire.Faults) {
	add := func(field, message string) { out = append(out, &wire.Fault{Field: field, Message: message}) }
	only := func(field, name string, has bool, count int) {
		if count != 1 || !has {
			add(field, "this task has one, called "+name)
		}
	}
	_, source := n.Inputs["source"]
	_, sink := n.Outputs["sink"]
	switch n.Task {
	case CopyData:
		if len(n.Outputs) != 1 {
			add("outputs", "copying data has one output")
		}
		if len(n.Inputs) == 0 {
			add("inputs", "copying data needs an input")
		}
		if len(n.Inputs) > 1 && n.DataCopyMode == "" {
			add("data_copy_mode", "copying several inputs into one output needs a mode: merge_with_overwrite or fail_if_conflict")
		}
	case ImportData:
		if n.Source == nil {
			add("source", "an import needs its source")
		}
		if len(n.Inputs) > 0 {
			add("inputs", "an import has no inputs")
		}
		only("outputs", "sink", sink, len(n.Outputs))
		if o := n.Outputs["sink"]; n.Source != nil && o.Type != "" {
			if want := map[ExternalKind]DataType{Database: TypeMLTable, FileSystem: TypeURIFolder}[n.Source.Type]; want != "" && o.Type != want {
				add("outputs.sink.type", "an import from a "+string(n.Source.Type)+" writes a "+string(want))
			}
		}
	case ExportData:
		if n.Sink == nil {
			add("sink", "an export needs its sink")
		}
		if len(n.Outputs) > 0 {
			add("outputs", "an export has no outputs")
		}
		only("inputs", "source", source, len(n.Inputs))
		if in := n.Inputs["source"]; n.Sink != nil && in.Type != "" && !in.IsLiteral() {
			if want := map[ExternalKind]DataType{Database: TypeURIFile, FileSystem: TypeURIFolder}[n.Sink.Type]; want != "" && in.Type != want {
				add("inputs.source.type", "an export to a "+string(n.Sink.Type)+" takes a "+string(want))
			}
		}
	}
	return out
}

func (n *DataTransferNode) node() nodeHead {
	return nodeHead{component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, made: &n.made, bindings: n.Bindings, needsCompute: true, silent: n.silent}
}

func (n *DataTransferNode) translate(t *translator, d *wire.Decoding, at *wire.Node) {
	if !n.inline || n.Component != nil {
		return
	}
	n.inline = false
	n.Component = &DataTransferComponent{
		Description: n.Description, Tags: n.Tags, Task: n.Task, DataCopyMode: n.DataCopyMode, made: t.made,
		Inputs: t.componentInputs(d, at, n.Inputs), Outputs: t.componentOutputs(d, at, n.Outputs),
	}
	for name, in := range n.Component.(*DataTransferComponent).Inputs {
		if isParameter(in.Type) {
			d.At("inputs").At(name).Fault(at.Get("inputs", name), "a transfer takes data: a mapping with type and path, or what is bound to data")
		}
	}
	n.made = t.made
}

func (n *DataTransferNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *DataTransferNode) checkNode(ctx context.Context, c *checker) {
	n.builtin()
	c.step(ctx, n.node())
	for _, f := range n.faults() {
		c.add(f.Field, "%s", f.Message)
	}
}

func (n *DataTransferNode) resolveNode(ctx context.Context, r *resolver) error {
	n.builtin()
	if n.made == fromBuiltin { // the id is the service's own: there is nothing to look up
		return r.ports(ctx, n.node())
	}
	return r.step(ctx, n.node())
}
