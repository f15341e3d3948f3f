package jobs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// Types of a component's parameters. Its ports have those of DataType, or "path" for any.
const (
	ParameterString  = "string"
	ParameterNumber  = "number"
	ParameterInteger = "integer"
	ParameterBoolean = "boolean"
)

var (
	parameterTypes = []string{ParameterString, ParameterNumber, ParameterInteger, ParameterBoolean}
	portTypes      = append([]string{"path"}, dataTypes.Values()...)
	portModes      = []string{"ro_mount", "rw_mount", "mount", "download", "upload", "direct", "eval_mount", "eval_download", "link"}
	// Names of a component's inputs and outputs; a dot makes groups.
	portName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*$`)
)

func isParameter(t string) bool { return slices.Contains(parameterTypes, t) }

// ComponentInputs are a component's inputs by name.
type ComponentInputs map[string]ComponentInput

// ComponentInput is what a component takes: a parameter (string, number, integer, boolean) or data or a model.
type ComponentInput struct {
	// Type is one of the parameter types, or of DataType, or "path". Required.
	Type        string `yaml:"type,required" json:"-"`
	Description string `yaml:"description,empty" json:"-"`
	Optional    *bool  `yaml:"optional" json:"-"`
	// Default is the parameter's value where none is given.
	Default any `yaml:"default" json:"-"`
	// Min and Max bound a number or integer.
	Min any `yaml:"min" json:"-"`
	Max any `yaml:"max" json:"-"`
	// Enum are the values that a string may have.
	Enum []string `yaml:"enum" json:"-"`
	// Mode is how data reaches the job.
	Mode string `yaml:"mode" json:"-"`

	doc wire.Document
}

// WireDocument is what the input's definition noted of its file.
func (in *ComponentInput) WireDocument() *wire.Document { return &in.doc }

// EncodeWire writes the input; in a specification values are text.
func (in ComponentInput) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(in)
	if err != nil || e.Spelling() == wire.YAML {
		return m, err
	}
	for k, v := range map[string]any{"default": in.Default, "min": in.Min, "max": in.Max} {
		if v == nil {
			continue
		}
		if m[k], err = in.text(v); err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
	}
	return m, nil
}

// text is a value of the input as it travels: as the type writes it, whatever it is given as.
func (in ComponentInput) text(v any) (string, error) {
	v = plainValue(v)
	s := wire.PythonStr(v)
	switch in.Type {
	case ParameterNumber:
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return "", fmt.Errorf("%q is no number", s)
		}
		return wire.PythonFloat(f), nil
	case ParameterInteger:
		if _, isBool := v.(bool); isBool {
			return "", fmt.Errorf("%q is no integer", s)
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return "", fmt.Errorf("%q is no integer", s)
		}
		return strconv.FormatInt(int64(f), 10), nil
	case ParameterBoolean:
		switch strings.ToLower(s) {
		case "true":
			return "True", nil
		case "false":
			return "False", nil
		}
		return "", fmt.Errorf("%q is neither true nor false", s)
	}
	switch x := v.(type) {
	case int64: // the reference reads a number where text is wanted as a fraction
		return wire.PythonFloat(float64(x)), nil
	case nil, string, bool, float64:
		return s, nil
	}
	return "", fmt.Errorf("%s is no text", s)
}

// DecodeWire reads the input.
func (in *ComponentInput) DecodeWire(d *wire.Decoding, n *wire.Node) {
	d.Plain(n, in)
	if !d.Strict() || in.Type == "" {
		return
	}
	if in.Mode == "mount" && d.Spelling() != wire.YAML {
		in.Mode = "ro_mount"
	}
	for _, key := range []string{"default", "min", "max"} {
		if at := n.Get(key); at != nil && at.IsNull() && d.Spelling() == wire.YAML {
			d.At(key).Fault(at, "is null; leave the key out, or give a value")
		}
	}
	for _, f := range in.faults() {
		at := n.Get(f.Field)
		if at == nil {
			at = n
		}
		d.At(f.Field).Fault(at, "%s", f.Message)
	}
}

// faults says what is wrong with the input, by field.
func (in ComponentInput) faults() (out wire.Faults) {
	add := func(field, format string, a ...any) {
		out = append(out, &wire.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	}
	param := isParameter(in.Type)
	if !param && !slices.Contains(portTypes, in.Type) {
		add("type", "%q is none of %s", in.Type, strings.Join(append(slices.Clone(parameterTypes), portTypes...), ", "))
		return out
	}
	for field, v := range map[string]any{"default": in.Default, "min": in.Min, "max": in.Max} {
		switch {
		case v == nil:
		case !param:
			add(field, "is for parameters; a %s has none", in.Type)
		case field != "default" && in.Type != ParameterNumber && in.Type != ParameterInteger:
			add(field, "is for numbers; a %s has none", in.Type)
		default:
			if _, err := in.text(v); err != nil {
				add(field, "%v", err)
			}
		}
	}
	if in.Mode != "" && param {
		add("mode", "is for data; a %s has none", in.Type)
	} else if in.Mode != "" && !slices.Contains(portModes, in.Mode) {
		add("mode", "%q is none of %s", in.Mode, strings.Join(portModes, ", "))
	}
	if in.Enum != nil && in.Type != ParameterString {
		add("enum", "is for strings")
	}
	return out
}

// optional tells whether the input needs no value.
func (in ComponentInput) optional() bool {
	return in.Optional != nil && *in.Optional || in.Default != nil
}

// ComponentOutputs are a component's outputs by name.
type ComponentOutputs map[string]ComponentOutput

// ComponentOutput is what a component gives: data or a model, or a single value.
type ComponentOutput struct {
	// Type is one of DataType, "path", or a parameter type. Required.
	Type        string `yaml:"type,required" json:"-"`
	Description string `yaml:"description,empty" json:"-"`
	// Mode is how data leaves the job.
	Mode string `yaml:"mode" json:"-"`
	// EarlyAvailable lets the next steps have a value before the job ends.
	EarlyAvailable *bool `yaml:"early_available" json:"-"`

	doc wire.Document
}

// WireDocument is what the output's definition noted of its file.
func (o *ComponentOutput) WireDocument() *wire.Document { return &o.doc }

// DecodeWire reads the output.
func (o *ComponentOutput) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if t, _ := n.Get("type").Str(); isParameter(t) { // further keys of a value are dropped, as the reference does it
		d.Plain(only(n, "type", "description", "mode", "early_available"), o)
		return
	}
	d.Plain(n, o)
	if d.Strict() && o.Type != "" {
		if f := o.fault(); f != "" {
			d.Fault(n, "%s", f)
		}
	}
}

// EncodeWire writes the output.
func (o ComponentOutput) EncodeWire(e *wire.Encoding) (any, error) { return e.Plain(o) }

func (o ComponentOutput) fault() string {
	switch {
	case !isParameter(o.Type) && !slices.Contains(portTypes, o.Type):
		return fmt.Sprintf("the type %q is none of %s", o.Type, strings.Join(append(slices.Clone(portTypes), parameterTypes...), ", "))
	case o.Mode != "" && !slices.Contains(portModes, o.Mode):
		return fmt.Sprintf("the mode %q is none of %s", o.Mode, strings.Join(portModes, ", "))
	}
	return ""
}

// only is a mapping with some of its keys.
func only(n *wire.Node, keys ...string) *wire.Node {
	if n.Kind != wire.Mapping {
		return n
	}
	var drop []string
	for _, e := range n.Entries {
		if !slices.Contains(keys, e.Key) {
			drop = append(drop, e.Key)
		}
	}
	return n.Without(drop...)
}

// ports checks the names and definitions of inputs and outputs.
func (c *checker) ports(in ComponentInputs, out ComponentOutputs) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		field := "inputs." + name
		if !portName.MatchString(name) {
			c.add(field, "%q cannot be an input's name: %s; dots make groups", name, inputNameRules)
		}
		if other, twice := seen[strings.ToLower(name)]; twice {
			c.add(field, "%q and %q differ in case alone", other, name)
		}
		seen[strings.ToLower(name)] = name
		for _, f := range in[name].faults() {
			c.add(field+"."+f.Field, "%s", f.Message)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(out)) {
		if !portName.MatchString(name) {
			c.add("outputs."+name, "%q cannot be an output's name: %s", name, inputNameRules)
		}
		if f := out[name].fault(); f != "" {
			c.add("outputs."+name, "%s", f)
		}
	}
}
