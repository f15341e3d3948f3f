package pipeline

import (
	"reflect"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// bindable says why a field of a step cannot be bound, "" when it can.
func bindable(node jobs.Node, field string) string {
	segs := strings.Split(field, ".")
	switch segs[0] {
	case "inputs":
		return "inputs are bound by In"
	case "outputs":
		return "outputs are bound by Builder.Output"
	case "component", "trial":
		return "what a step runs cannot be bound"
	}
	if !fieldIn(reflect.TypeOf(node).Elem(), segs) {
		return "a step of the kind " + kindName(node) + " has no such field"
	}
	return ""
}

// hasField tells whether values of a type have a field, by its path in YAML. What is read by code of its own may have any.
func hasField(t reflect.Type, segs []string) bool {
	if len(segs) == 0 {
		return true
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if segs[0] == "" {
		return false
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[wire.Decoder]()) {
		return true
	}
	switch t.Kind() {
	case reflect.Map:
		return hasField(t.Elem(), segs[1:])
	case reflect.Interface:
		return true
	}
	return t.Kind() == reflect.Struct && fieldIn(t, segs)
}

// fieldIn is hasField for a struct. A union has the fields of all its arms.
func fieldIn(t reflect.Type, segs []string) bool {
	union := t.Implements(reflect.TypeFor[interface{ WireUnion() *wire.Union }]())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-":
		case f.Anonymous && f.Type.Kind() == reflect.Struct && fieldIn(f.Type, segs), union && hasField(f.Type, segs), name != "" && name == segs[0] && hasField(f.Type, segs[1:]):
			return true
		}
	}
	return false
}
