package jobs

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// DataType is what an input or output is.
type DataType string

// The types of inputs and outputs.
const (
	TypeURIFile     DataType = "uri_file"
	TypeURIFolder   DataType = "uri_folder"
	TypeMLTable     DataType = "mltable"
	TypeCustomModel DataType = "custom_model"
	TypeMLFlowModel DataType = "mlflow_model"
	TypeTritonModel DataType = "triton_model"
)

var dataTypes = wire.SameEnum("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model").Cased()

// WireEnum lists the spellings.
func (DataType) WireEnum() *wire.Enum { return dataTypes }

func (t DataType) model() bool {
	switch t {
	case TypeCustomModel, TypeMLFlowModel, TypeTritonModel:
		return true
	}
	return false
}

// InputMode is how an input reaches the job. The service chooses when it is not set.
type InputMode string

// The modes of inputs. Evaluated ones are for tables.
const (
	ReadOnlyMount InputMode = "ro_mount"
	Download      InputMode = "download"
	Direct        InputMode = "direct" // the job gets the address
	EvalMount     InputMode = "eval_mount"
	EvalDownload  InputMode = "eval_download"
	ReadWriteIn   InputMode = "rw_mount"
)

var inputModes = wire.NewEnum(
	"ro_mount", "ReadOnlyMount", "download", "Download", "direct", "Direct",
	"eval_mount", "EvalMount", "eval_download", "EvalDownload", "rw_mount", "ReadWriteMount",
).Cased().Alias("ro_mount", "mount")

// WireEnum lists the spellings.
func (InputMode) WireEnum() *wire.Enum { return inputModes }

// Inputs are a job's inputs by name.
type Inputs map[string]Input

// Input is one input of a job: a literal, or data or a model. Make one with [Literal], [URIFile],
// [URIFolder], [MLTable], [CustomModel], [MLFlowModel] or [TritonModel]. The zero value is an input
// without a value.
type Input struct {
	// Type is what Path is. Defaults to a folder; "" with no Path is a literal.
	Type DataType `yaml:"type" json:"jobInputType"`
	// Path is a file or folder here, which is uploaded at submission; a reference such as
	// "azureml:iris@latest"; an address such as "https://…" or "azureml://datastores/…/paths/…".
	Path string `yaml:"path,local" json:"uri"`
	// Mode is how the job gets it. Defaults to the service's choice, mostly a read-only mount.
	Mode InputMode `yaml:"mode" json:"mode"`
	// Datastore is where a local Path is uploaded to. Defaults to workspaceblobstore.
	Datastore string `yaml:"datastore" json:"-"`
	// PathOnCompute is where the input appears on the compute.
	PathOnCompute string `yaml:"path_on_compute" json:"pathOnCompute"`
	// Value is a literal: string, bool, int64 or float64. It travels as text, as Python's str writes it.
	Value any `yaml:"-" json:"-"`
}

// Literal is a plain value as input.
func Literal[T ~string | ~bool | ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~float32 | ~float64](value T) Input {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.String:
		return Input{Value: v.String()}
	case reflect.Bool:
		return Input{Value: v.Bool()}
	case reflect.Float64:
		return Input{Value: v.Float()}
	case reflect.Float32: // the shortest text that means the same, not that of its float64
		var f float64
		if _, err := fmt.Sscan(fmt.Sprint(v.Interface()), &f); err != nil {
			f = v.Float()
		}
		return Input{Value: f}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return Input{Value: int64(v.Uint())}
	default:
		return Input{Value: v.Int()}
	}
}

// URIFile is one file: a path here, a reference or an address.
func URIFile(path string) Input { return Input{Type: TypeURIFile, Path: path} }

// URIFolder is a folder.
func URIFolder(path string) Input { return Input{Type: TypeURIFolder, Path: path} }

// MLTable is a table described by a file named MLTable.
func MLTable(path string) Input { return Input{Type: TypeMLTable, Path: path} }

// CustomModel is a model of any form.
func CustomModel(path string) Input { return Input{Type: TypeCustomModel, Path: path} }

// MLFlowModel is a folder in MLflow's form.
func MLFlowModel(path string) Input { return Input{Type: TypeMLFlowModel, Path: path} }

// TritonModel is a folder in Triton's form.
func TritonModel(path string) Input { return Input{Type: TypeTritonModel, Path: path} }

// In is the input with another mode.
func (in Input) In(mode InputMode) Input {
	in.Mode = mode
	return in
}

// IsLiteral tells whether the input is a plain value, an expression, or empty.
func (in Input) IsLiteral() bool { return in.Path == "" && in.Type == "" || in.bound() }

// bound tells whether the path is an expression: such an input is written as a literal.
func (in Input) bound() bool { return isExpression(in.Path) }

// Text is the literal as the job's command gets it.
func (in Input) Text() string {
	if in.bound() {
		return in.Path
	}
	if in.Value == nil {
		return ""
	}
	return wire.PythonStr(in.Value)
}

// EncodeWire writes the input.
func (in Input) EncodeWire(e *wire.Encoding) (any, error) {
	if in.Value != nil && (in.Path != "" || in.Type != "") {
		return nil, fmt.Errorf("both a literal (%s) and %s (%s) are set", wire.PythonStr(in.Value), in.dataType(), in.Path)
	}
	if sp := e.Spelling(); sp == wire.YAML || sp == wire.Spec {
		if in.Path == "" && in.Type == "" {
			return in.Value, nil
		}
		return e.Plain(in)
	}
	m := map[string]any{}
	switch {
	case in.IsLiteral():
		m[e.Key("jobInputType")] = "literal"
		if in.Value != nil || in.bound() {
			m["value"] = in.Text()
		}
		if in.Mode != "" && e.Spelling() == wire.Snake {
			m["mode"] = inputModes.RESTValue(string(in.Mode))
		}
	default:
		in.Type = in.dataType()
		var err error
		if m, err = e.Plain(in); err != nil {
			return nil, err
		}
	}
	return e.Tag(m, e.Key("jobInputType")), nil
}

func (in Input) dataType() DataType {
	if in.Type == "" {
		return TypeURIFolder
	}
	return in.Type
}

// DecodeWire reads the input.
func (in *Input) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*in = Input{}
	switch {
	case n.IsNull():
	case n.Kind == wire.Time || n.Kind == wire.Sequence:
		d.Fault(n, "an input is text, a number, true or false, or a mapping with type and path; quote it if it is text")
	case n.IsScalar():
		in.Value = n.Value
	case d.Spelling() == wire.YAML || d.Spelling() == wire.Spec:
		in.decodeMapping(d, n)
	default:
		if t, _ := n.Get(d.Key("jobInputType")).Str(); strings.EqualFold(t, "literal") || t == "" && n.Get("uri") == nil {
			if v := n.Get("value"); v.IsScalar() {
				in.Value = v.Value
			}
			if m, ok := n.Get("mode").Str(); ok {
				in.Mode = InputMode(m)
				if y, ok := inputModes.Parse(m); ok {
					in.Mode = InputMode(y)
				}
				if text, ok := in.Value.(string); ok { // a binding with a mode
					in.Path, in.Value = text, nil
				}
			}
			return
		}
		d.Plain(n, in)
	}
}

func (in *Input) decodeMapping(d *wire.Decoding, n *wire.Node) {
	if v := n.Get("value"); v != nil && n.Get("path") == nil && n.Get("type") == nil {
		for _, e := range n.Entries {
			if e.Key != "value" {
				d.At(e.Key).Fault(e.At, "unknown field; a literal has a value alone")
			}
		}
		if !v.IsScalar() || v.Kind == wire.Time {
			d.At("value").Fault(v, "a literal is text, a number, true or false")
			return
		}
		in.Value = v.Value
		return
	}
	d.Plain(n, in)
	if in.Path == "" && n.Get("path") == nil {
		d.Fault(n, "the required field \"path\" is missing; a literal is written as its value alone")
	}
	if (in.Mode == EvalMount || in.Mode == EvalDownload) && in.Type != TypeMLTable && in.Type != "" {
		d.At("mode").Fault(n.Get("mode"), "%s is for mltable inputs; %s takes ro_mount, download or direct", in.Mode, in.Type)
	}
	if in.Mode == ReadWriteIn {
		d.At("mode").Fault(n.Get("mode"), "inputs are not written to: use ro_mount, download or direct")
	}
}

// fault says what is wrong with the input as it stands, "" when nothing is.
func (in Input) fault() string {
	switch v := in.Value.(type) {
	case nil, string, bool, int64, float64, int, *big.Int:
	default:
		return fmt.Sprintf("a literal is text, a number, true or false, not %T; use jobs.Literal", v)
	}
	if v, ok := in.Value.(float64); ok && (math.IsInf(v, 0) || math.IsNaN(v)) {
		return "infinity and nan are no numbers here; quote them if they are text"
	}
	if in.Value != nil && (in.Path != "" || in.Type != "") {
		return "both a literal and a path are set; an input is one of them"
	}
	if in.Type != "" && in.Path == "" {
		return fmt.Sprintf("a %s needs a path", in.Type)
	}
	return ""
}
