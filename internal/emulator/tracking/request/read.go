package request

import (
	"fmt"
	"net/url"
	"strings"
)

// Error is a request that is refused: MLflow's INVALID_PARAMETER_VALUE.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// Check looks at one field. A rule of types is skipped when the whole request was
// of the right types.
type Check struct {
	Field    string
	Required bool
	Rules    []Rule
}

// Rule refuses a value. Type rules tell that the value is not of a type; others
// have a message of their own, "" for MLflow's usual one.
type Rule struct {
	Type    bool
	Refuses func(v any) (refused bool, message string)
}

// Need checks that a field is there and not empty, and then its rules.
func Need(field string, rules ...Rule) Check {
	return Check{Field: field, Required: true, Rules: rules}
}

// May checks the rules of a field if it is there.
func May(field string, rules ...Rule) Check { return Check{Field: field, Rules: rules} }

const hint = " See the API docs for more information about request parameters."

// Query reads the parameters of a GET.
func Query(name string, q url.Values, checks ...Check) (*Message, error) {
	t := types()[name]
	o := &Object{}
	for _, f := range t.Fields {
		texts, ok := q[f.Name]
		if !ok {
			continue
		}
		if f.Repeated {
			list := make([]any, len(texts))
			for i, s := range texts {
				list[i] = s
			}
			o.Set(f.Name, list)
			continue
		}
		o.Set(f.Name, texts[0])
		if f.Kind == Bool {
			switch strings.ToLower(texts[0]) {
			case "true":
				o.Set(f.Name, true)
			case "false":
				o.Set(f.Name, false)
			default:
				return nil, &Error{fmt.Sprintf("Invalid boolean value: %s, must be 'true' or 'false'.", texts[0])}
			}
		}
	}
	return Read(name, o, checks...)
}

// Body reads a JSON body. What is no JSON counts as empty; a JSON string is read
// once more, as old clients need it.
func Body(name string, body []byte, checks ...Check) (*Message, error) {
	o, err := ObjectOf(body)
	if err != nil {
		return nil, err
	}
	return Read(name, o, checks...)
}

// ObjectOf is the object of a JSON body.
func ObjectOf(body []byte) (*Object, error) {
	v, err := Parse(body)
	if s, isText := v.(string); err == nil && isText {
		if v, err = Parse([]byte(s)); err != nil {
			return nil, &Error{"Malformed request: the body is no JSON object."}
		}
	}
	if err != nil || v == nil {
		return &Object{}, nil
	}
	o, ok := v.(*Object)
	if !ok {
		return nil, &Error{"Malformed request: the body is no JSON object."}
	}
	return o, nil
}

// Read decodes an object and checks it.
func Read(name string, o *Object, checks ...Check) (*Message, error) {
	if err := twice(types()[name], o); err != nil {
		return nil, err
	}
	m, ok := Decode(name, o)
	for _, c := range checks {
		if err := c.check(o, ok); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (c *Check) check(o *Object, typed bool) error {
	v, there := o.Values[c.Field]
	if !there && !c.Required {
		return nil
	}
	if c.Field == "run_id" && v == nil {
		v = o.Values["run_uuid"]
	}
	if c.Required && (v == nil || v == "") {
		return &Error{"Missing value for required parameter '" + c.Field + "'." + hint}
	}
	for _, r := range c.Rules {
		if r.Type && typed {
			continue
		}
		refused, message := r.Refuses(v)
		if !refused {
			continue
		}
		if message == "" {
			message = fmt.Sprintf("Invalid value %s for parameter '%s' supplied:  Hint: Value was of type '%s'.", Dumps(v), c.Field, typeName(v))
		}
		return &Error{message + hint}
	}
	return nil
}

// twice refuses an object that gives a field by both of its names.
func twice(t *Type, o *Object) error {
	for _, f := range t.Fields {
		_, a := o.Values[f.Name]
		_, b := o.Values[f.JSON]
		if a && b && f.Name != f.JSON {
			return &Error{fmt.Sprintf("Request specifies both '%s' and '%s'; provide only one of them.", f.Name, f.JSON)}
		}
		if f.Kind != Nested {
			continue
		}
		v := o.Values[f.Name]
		if !a {
			v = o.Values[f.JSON]
		}
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, item := range list {
			if sub, ok := item.(*Object); ok {
				if err := twice(types()[f.Message], sub); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
