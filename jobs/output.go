package jobs

import (
	"github.com/azureml-go/azureml/internal/wire"
)

// OutputMode is how an output leaves the job. The service chooses when it is not set.
type OutputMode string

// The modes of outputs.
const (
	ReadWriteMount OutputMode = "rw_mount"
	Upload         OutputMode = "upload"
	DirectOut      OutputMode = "direct"
)

var outputModes = wire.NewEnum("rw_mount", "ReadWriteMount", "upload", "Upload", "direct", "Direct", "mount", "ReadWriteMount").Cased()

// WireEnum lists the spellings.
func (OutputMode) WireEnum() *wire.Enum { return outputModes }

// Outputs are a job's outputs by name.
type Outputs map[string]Output

// Output is a place that a job writes to. The zero value is a folder where the service likes it.
type Output struct {
	// Type is what is written. Defaults to a folder.
	Type DataType `yaml:"type" json:"jobOutputType,default=uri_folder"`
	// Mode is how it is written. Defaults to the service's choice, mostly a mount.
	Mode OutputMode `yaml:"mode" json:"mode"`
	// Path is where, such as "azureml://datastores/workspaceblobstore/paths/out/". Defaults to a folder
	// of the job's own in the default datastore.
	Path string `yaml:"path" json:"uri"`
	// Name registers what was written as an asset when the job ends; Version is its version, which
	// defaults to the next.
	Name    string `yaml:"name" json:"assetName"`
	Version string `yaml:"version,text" json:"assetVersion"`
	// Description is the asset's.
	Description string `yaml:"-" json:"description"`
}

// OutputFolder is a folder to write.
func OutputFolder() Output { return Output{Type: TypeURIFolder} }

// OutputFile is one file to write.
func OutputFile() Output { return Output{Type: TypeURIFile} }

// OutputModel is an MLflow model to write.
func OutputModel() Output { return Output{Type: TypeMLFlowModel} }

// In is the output with another mode.
func (o Output) In(mode OutputMode) Output {
	o.Mode = mode
	return o
}

// At is the output at another place.
func (o Output) At(path string) Output {
	o.Path = path
	return o
}

// As is the output registered as an asset.
func (o Output) As(name, version string) Output {
	o.Name, o.Version = name, version
	return o
}

// EncodeWire writes the output.
func (o Output) EncodeWire(e *wire.Encoding) (any, error) {
	sp := e.Spelling()
	if sp == wire.YAML || sp == wire.Spec {
		if o == (Output{Path: o.Path}) && isExpression(o.Path) {
			return o.Path, nil
		}
		m, err := e.Plain(o)
		if sp == wire.YAML && o == (Output{}) && err == nil {
			return nil, nil // an output that the component or the service describes; {} would be a folder
		}
		return m, err
	}
	if sp == wire.Snake && isExpression(o.Path) { // a node's output given to the pipeline's
		path := o.Path
		o.Path, o.Type = "", ""
		m, err := e.Plain(o)
		if err != nil {
			return nil, err
		}
		if m == nil {
			m = map[string]any{}
		}
		delete(m, "job_output_type")
		m["type"], m["value"] = "literal", path
		nodeNames(m)
		return m, nil
	}
	if sp == wire.Snake && o == (Output{}) { // as the component says
		return wire.Omit, nil
	}
	m, err := e.Plain(o)
	if err != nil {
		return nil, err
	}
	if sp == wire.Snake {
		nodeNames(m)
	}
	return e.Tag(m, e.Key("jobOutputType")), nil
}

// nodeNames spells the asset of a step's output.
func nodeNames(m map[string]any) {
	for from, to := range map[string]string{"asset_name": "name", "asset_version": "version"} {
		if v, ok := m[from]; ok {
			delete(m, from)
			m[to] = v
		}
	}
}

// DecodeWire reads the output; null is one with everything as the service likes it.
func (o *Output) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*o = Output{}
	if n.IsNull() {
		return
	}
	if s, ok := n.Str(); ok && (d.Spelling() == wire.YAML || d.Spelling() == wire.Spec) {
		if !isExpression(s) {
			d.Fault(n, "an output is a mapping with type, mode and path, or an expression, not the text %q", s)
			return
		}
		o.Path = s
		return
	}
	if v, ok := n.Get("value").Str(); ok && d.Spelling() == wire.Snake {
		d.Plain(n.Without("value", "type", "name", "version"), o)
		o.Path = v
		for key, into := range map[string]*string{"name": &o.Name, "version": &o.Version} {
			if s, ok := n.Get(key).Str(); ok {
				*into = s
			}
		}
		return
	}
	if d.Spelling() == wire.Snake {
		for key, to := range map[string]string{"name": "asset_name", "version": "asset_version"} {
			if v := n.Get(key); v != nil {
				n = n.Without(key).With(to, v)
			}
		}
	}
	d.Plain(n, o)
	if d.Spelling() == wire.YAML && n.Kind == wire.Mapping && *o == (Output{}) {
		o.Type = TypeURIFolder // {} says that there is one; null leaves it to the component
	}
	if d.Strict() && o.Version != "" && o.Name == "" {
		d.At("version").Fault(n.Get("version"), "a version needs a name")
	}
}

// fault says what is wrong with the output, "" when nothing is.
func (o Output) fault() string {
	if o.Version != "" && o.Name == "" {
		return "a version needs a name"
	}
	return ""
}
