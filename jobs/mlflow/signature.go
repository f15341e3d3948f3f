package mlflow

import (
	"encoding/json"
	"fmt"
)

// DataType of a column or parameter, in MLflow's words.
type DataType string

const (
	Boolean  DataType = "boolean"
	Integer  DataType = "integer" // 32 bits
	Long     DataType = "long"    // 64 bits
	Float    DataType = "float"   // 32 bits
	Double   DataType = "double"
	String   DataType = "string"
	Binary   DataType = "binary"
	Datetime DataType = "datetime"
)

// Signature tells what a model takes and gives: columns or tensors, not both in one list.
type Signature struct {
	Inputs, Outputs []Field
	Params          []ParamField
}

// Field is a column, or a tensor when Shape is set.
type Field struct {
	Name     string
	Type     DataType
	Optional bool
	// Tensor: the numpy type and the shape; -1 is any length.
	DType string
	Shape []int
}

// Column is a required column.
func Column(name string, t DataType) Field { return Field{Name: name, Type: t} }

// Tensor is a tensor of numpy's type, as in Tensor("image", "float32", -1, 28, 28).
func Tensor(name, dtype string, shape ...int) Field {
	return Field{Name: name, DType: dtype, Shape: shape}
}

// ParamField is a parameter of the prediction.
type ParamField struct {
	Name    string
	Type    DataType
	Default any
	Shape   []int // nil for a scalar
}

// MarshalJSON writes the field as MLflow's schema has it.
func (f Field) MarshalJSON() ([]byte, error) {
	if f.DType != "" {
		type spec struct {
			DType string `json:"dtype"`
			Shape []int  `json:"shape"`
		}
		return json.Marshal(struct {
			Name string `json:"name,omitempty"`
			Type string `json:"type"`
			Spec spec   `json:"tensor-spec"`
		}{f.Name, "tensor", spec{f.DType, append([]int{}, f.Shape...)}})
	}
	return json.Marshal(struct {
		Type     DataType `json:"type"`
		Name     string   `json:"name,omitempty"`
		Required bool     `json:"required"`
	}{f.Type, f.Name, !f.Optional})
}

// UnmarshalJSON reads a column or tensor of MLflow's schema; nested types keep their name only.
func (f *Field) UnmarshalJSON(b []byte) error {
	var w struct {
		Name     string   `json:"name"`
		Type     DataType `json:"type"`
		Required *bool    `json:"required"`
		Spec     struct {
			DType string `json:"dtype"`
			Shape []int  `json:"shape"`
		} `json:"tensor-spec"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*f = Field{Name: w.Name, Type: w.Type, Optional: w.Required != nil && !*w.Required}
	if w.Type == "tensor" {
		*f = Field{Name: w.Name, DType: w.Spec.DType, Shape: w.Spec.Shape}
	}
	return nil
}

// MarshalJSON writes the parameter as MLflow's schema has it.
func (p ParamField) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string   `json:"name"`
		Default any      `json:"default"`
		Shape   []int    `json:"shape"`
		Type    DataType `json:"type"`
	}{p.Name, p.Default, p.Shape, p.Type})
}

// UnmarshalJSON reads a parameter of MLflow's schema.
func (p *ParamField) UnmarshalJSON(b []byte) error {
	var w struct {
		Name    string   `json:"name"`
		Default any      `json:"default"`
		Shape   []int    `json:"shape"`
		Type    DataType `json:"type"`
	}
	err := json.Unmarshal(b, &w)
	*p = ParamField{Name: w.Name, Type: w.Type, Default: w.Default, Shape: w.Shape}
	return err
}

// document is the signature as MLmodel holds it: JSON in strings.
func (s *Signature) document() (map[string]any, error) {
	out := map[string]any{"inputs": nil, "outputs": nil, "params": nil}
	put := func(name string, n int, v any) error {
		if n == 0 {
			return nil
		}
		b, err := json.Marshal(v)
		out[name] = string(b)
		return err
	}
	for _, list := range [][]Field{s.Inputs, s.Outputs} {
		for _, f := range list {
			if f.DType == "" && f.Type == "" {
				return nil, fmt.Errorf("signature: field %q has no type", f.Name)
			}
			if (f.DType == "") != (list[0].DType == "") {
				return nil, fmt.Errorf("signature: columns and tensors do not mix: field %q", f.Name)
			}
		}
	}
	err := put("inputs", len(s.Inputs), s.Inputs)
	err = join(err, put("outputs", len(s.Outputs), s.Outputs))
	return out, join(err, put("params", len(s.Params), s.Params))
}
