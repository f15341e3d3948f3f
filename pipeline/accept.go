package pipeline

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/jobs"
)

// accepts tells whether an input of a type can be given what is of another. Folders take tables and models, which are
// folders; a custom model may be a model of any form; numbers take integers, strings any value.
func accepts(input, source string) bool {
	if input == source || input == "" || source == "" {
		return true
	}
	switch input {
	case "path":
		return !parameter(source)
	case string(jobs.TypeURIFolder):
		return slices.Contains([]string{"path", "mltable", "mlflow_model", "custom_model", "triton_model"}, source)
	case string(jobs.TypeURIFile), string(jobs.TypeMLTable), string(jobs.TypeMLFlowModel), string(jobs.TypeTritonModel):
		return source == "path"
	case string(jobs.TypeCustomModel):
		return slices.Contains([]string{"path", "mlflow_model", "triton_model"}, source)
	case jobs.ParameterNumber:
		return source == jobs.ParameterInteger
	case jobs.ParameterString:
		return parameter(source)
	}
	return false
}

// accepted lists what an input of a type takes.
func accepted(input string) string {
	var out []string
	for _, t := range []string{"uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model", "boolean", "integer", "number", "string"} {
		if accepts(input, t) {
			out = append(out, t)
		}
	}
	return strings.Join(out, ", ")
}

// indefinite is a type with its article.
func indefinite(t string) string {
	if t == "integer" || t == "mltable" || t == "mlflow_model" {
		return "an " + t
	}
	return "a " + t
}

// known tells the types that inputs can have.
func known(t string) bool { return t == "path" || accepted(t) != "" }

func parameter(t string) bool {
	return slices.Contains([]string{jobs.ParameterString, jobs.ParameterNumber, jobs.ParameterInteger, jobs.ParameterBoolean}, t)
}

// literal makes an input of one of Go's plain values.
func literal(v any) (jobs.Input, bool) {
	switch v := v.(type) {
	case jobs.Input:
		return v, true
	case *big.Int:
		return jobs.Input{Value: v}, v != nil
	case nil:
		return jobs.Input{}, false
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String:
		return jobs.Literal(r.String()), true
	case reflect.Bool:
		return jobs.Literal(r.Bool()), true
	case reflect.Float32:
		return jobs.Literal(float32(r.Float())), true
	case reflect.Float64:
		return jobs.Literal(r.Float()), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return jobs.Literal(r.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return jobs.Input{Value: new(big.Int).SetUint64(r.Uint())}, true
	}
	return jobs.Input{}, false
}

// kindOf is the type of what an input holds, "" when it holds an expression or nothing.
func kindOf(in jobs.Input) string {
	switch v := in.Value.(type) {
	case bool:
		return jobs.ParameterBoolean
	case int, int64, *big.Int:
		return jobs.ParameterInteger
	case float64:
		return jobs.ParameterNumber
	case string:
		if strings.HasPrefix(v, "${{") {
			return ""
		}
		return jobs.ParameterString
	}
	if in.Type == "" && (in.Path == "" || strings.HasPrefix(in.Path, "${{")) {
		return ""
	}
	if in.Type == "" {
		return string(jobs.TypeURIFolder)
	}
	return string(in.Type)
}

// misfit says why a component's input does not take a value, "" when it does.
func misfit(want jobs.ComponentInput, in jobs.Input) (Kind, string) {
	got := kindOf(in)
	switch {
	case got == "" || want.Type == "":
		return "", ""
	case parameter(got) && !parameter(want.Type):
		return WrongType, fmt.Sprintf("wants %s, and is given the value %q; give it data as jobs.%s(%q), or the port of a step", indefinite(want.Type), in.Text(), maker(want.Type), in.Text())
	case !accepts(want.Type, got):
		return WrongType, fmt.Sprintf("wants %s, and is given %s; it takes %s", indefinite(want.Type), describe(in, got), accepted(want.Type))
	case len(want.Enum) > 0 && !slices.Contains(want.Enum, in.Text()):
		return WrongValue, fmt.Sprintf("%q is none of %s", in.Text(), strings.Join(want.Enum, ", "))
	}
	n, ok := number(in.Value)
	if low, is := number(want.Min); ok && is && n < low {
		return WrongValue, fmt.Sprintf("%v is below the least, %v", in.Value, want.Min)
	}
	if high, is := number(want.Max); ok && is && n > high {
		return WrongValue, fmt.Sprintf("%v is above the most, %v", in.Value, want.Max)
	}
	if ok && (math.IsNaN(n) || math.IsInf(n, 0)) {
		return WrongValue, fmt.Sprintf("%v is no number", in.Value)
	}
	return "", ""
}

func describe(in jobs.Input, kind string) string {
	if in.Value != nil {
		return fmt.Sprintf("the %s %q", kind, in.Text())
	}
	return fmt.Sprintf("the %s %s", kind, in.Path)
}

// maker is the function that makes an input of a type.
func maker(t string) string {
	switch jobs.DataType(t) {
	case jobs.TypeURIFile:
		return "URIFile"
	case jobs.TypeMLTable:
		return "MLTable"
	case jobs.TypeMLFlowModel:
		return "MLFlowModel"
	case jobs.TypeCustomModel:
		return "CustomModel"
	case jobs.TypeTritonModel:
		return "TritonModel"
	}
	return "URIFolder"
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
