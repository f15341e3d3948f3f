package request

import (
	"fmt"
	"math"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

func typed(f func(v any) bool) Rule {
	return Rule{Type: true, Refuses: func(v any) (bool, string) { return !f(v), "" }}
}

// The rules of types.
var (
	IsText  = typed(func(v any) bool { _, ok := v.(string); return ok })
	IsBool  = typed(func(v any) bool { _, ok := v.(bool); return ok })
	IsList  = typed(func(v any) bool { _, ok := v.([]any); return ok })
	IsInt   = typed(intLike)
	IsFloat = typed(floatLike)
	IsTexts = typed(func(v any) bool {
		list, ok := v.([]any)
		for _, item := range list {
			if _, isText := item.(string); !isText {
				return false
			}
		}
		return ok
	})
)

// intLike: what int() takes.
func intLike(v any) bool {
	switch v := v.(type) {
	case bool, int64, Big:
		return true
	case float64:
		return math.Abs(v) < 1<<63 // a greater one is no number of the protocol
	case string:
		_, ok := py.Int(v)
		return ok
	}
	return false
}

func floatLike(v any) bool {
	switch v := v.(type) {
	case bool, int64, Big, float64:
		return true
	case string:
		_, ok := py.Float(v)
		return ok
	}
	return false
}

// toInt is int(v).
func toInt(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	case Big:
		if v[0] == '-' {
			return math.MinInt64, true
		}
		return math.MaxInt64, true
	case float64:
		return int64(v), intLike(v)
	case string:
		return py.Int(v)
	}
	return 0, false
}

// AtMost refuses greater numbers.
func AtMost(limit int64) Rule {
	return Rule{Refuses: func(v any) (bool, string) {
		n, ok := toInt(v)
		return !ok || n > limit, ""
	}}
}

// Within refuses numbers outside a range, with a message.
func Within(least, most int64, message string) Rule {
	return Rule{Refuses: func(v any) (bool, string) {
		n, ok := toInt(v)
		return !ok || n < least || n > most, message
	}}
}

// FewerThan refuses lists longer than the limit; message gets their length.
func FewerThan(limit int, message string) Rule {
	return Rule{Refuses: func(v any) (bool, string) {
		list, _ := v.([]any)
		return len(list) > limit, fmt.Sprintf(message, len(list))
	}}
}

// EachHas refuses a list of objects of which one lacks a field, or has it empty.
// With a path the message names the item.
func EachHas(path string, fields ...string) Rule {
	return Rule{Refuses: func(v any) (bool, string) {
		list, ok := v.([]any)
		if !ok {
			return true, ""
		}
		for i, item := range list {
			o, ok := item.(*Object)
			if !ok {
				return true, ""
			}
			for _, f := range fields {
				if got := o.Values[f]; got == nil || got == "" {
					if path == "" {
						return true, ""
					}
					return true, fmt.Sprintf("Missing value for required parameter '%s[%d].%s'.", path, i, f)
				}
			}
		}
		return false, ""
	}}
}
