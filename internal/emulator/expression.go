package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// template evaluates the expressions of a resource manager template: "[concat(parameters('a'), '-x')]".
// It knows the functions that templates for workspaces use.
type template struct {
	sub, group string
	parameters map[string]any // unevaluated
	variables  map[string]any // unevaluated
	depth      int
}

// maxDepth bounds variables that name each other, and nested calls.
const maxDepth = 64

// value evaluates all expressions inside a value.
func (t *template) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return t.text(v)
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			y, err := t.value(x)
			if err != nil {
				return nil, err
			}
			out[i] = y
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			y, err := t.value(x)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			out[k] = y
		}
		return out, nil
	}
	return v, nil
}

func (t *template) text(s string) (any, error) {
	if strings.HasPrefix(s, "[[") {
		return s[1:], nil
	}
	if !strings.HasPrefix(s, "[") || !strings.HasSuffix(s, "]") {
		return s, nil
	}
	p := &expression{t: t, rest: s[1 : len(s)-1]}
	v, err := p.read()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return nil, fmt.Errorf("expression %q: %w", s, err)
	}
	return v, nil
}

// expression reads one expression from the left.
type expression struct {
	t    *template
	rest string
}

func (p *expression) skip() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *expression) take(prefix string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.rest, prefix)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *expression) read() (any, error) {
	if p.t.depth++; p.t.depth > maxDepth {
		return nil, errors.New("nested too deeply")
	}
	defer func() { p.t.depth-- }()
	p.skip()
	if p.rest == "" {
		return nil, errors.New("it ends too early")
	}
	var v any
	switch c := p.rest[0]; {
	case c == '\'':
		s, err := p.quoted()
		if err != nil {
			return nil, err
		}
		v = s
	case c == '-' || c >= '0' && c <= '9':
		i := 1
		for i < len(p.rest) && p.rest[i] >= '0' && p.rest[i] <= '9' {
			i++
		}
		n, err := strconv.ParseInt(p.rest[:i], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", p.rest[:i])
		}
		v, p.rest = json.Number(strconv.FormatInt(n, 10)), p.rest[i:]
	default:
		i := strings.IndexFunc(p.rest, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
		if i < 1 {
			return nil, fmt.Errorf("unexpected %q", p.rest)
		}
		name := p.rest[:i]
		p.rest = p.rest[i:]
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		if v, err = p.t.call(strings.ToLower(name), args); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return p.path(v)
}

// quoted reads a text in single quotes, which are doubled inside.
func (p *expression) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		if p.rest[i] != '\'' {
			b.WriteByte(p.rest[i])
			continue
		}
		if i+1 < len(p.rest) && p.rest[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		p.rest = p.rest[i+1:]
		return b.String(), nil
	}
	return "", errors.New("a text does not end")
}

func (p *expression) arguments() ([]any, error) {
	if !p.take("(") {
		return nil, errors.New("a function is called with parentheses")
	}
	var args []any
	if p.take(")") {
		return args, nil
	}
	for {
		v, err := p.read()
		if err != nil {
			return nil, err
		}
		args = append(args, v)
		if p.take(")") {
			return args, nil
		}
		if !p.take(",") {
			return nil, fmt.Errorf("a comma or parenthesis is missing before %q", p.rest)
		}
	}
}

// path follows .name and [index] behind a value.
func (p *expression) path(v any) (any, error) {
	for {
		switch {
		case p.take("."):
			i := strings.IndexFunc(p.rest, func(r rune) bool {
				return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
			})
			if i < 0 {
				i = len(p.rest)
			}
			m, ok := v.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%q is asked of what is no object", p.rest[:i])
			}
			v, p.rest = m[p.rest[:i]], p.rest[i:]
		case p.take("["):
			i, err := p.read()
			if err != nil {
				return nil, err
			}
			if !p.take("]") {
				return nil, errors.New("] is missing")
			}
			switch x := v.(type) {
			case []any:
				n, err := strconv.Atoi(fmt.Sprint(i))
				if err != nil || n < 0 || n >= len(x) {
					return nil, fmt.Errorf("no item %v", i)
				}
				v = x[n]
			case map[string]any:
				v = x[fmt.Sprint(i)]
			default:
				return nil, errors.New("an index of what is no list")
			}
		default:
			return v, nil
		}
	}
}

func (t *template) call(name string, args []any) (any, error) {
	text := func(i int) string {
		if i >= len(args) {
			return ""
		}
		return wordOf(args[i])
	}
	switch name {
	case "parameters":
		for k, v := range t.parameters {
			if strings.EqualFold(k, text(0)) {
				return t.value(v) // a default value may name other parameters
			}
		}
		return nil, fmt.Errorf("there is no parameter %q", text(0))
	case "variables":
		for k, v := range t.variables {
			if strings.EqualFold(k, text(0)) {
				return t.value(v)
			}
		}
		return nil, fmt.Errorf("there is no variable %q", text(0))
	case "concat":
		if len(args) > 0 {
			if _, ok := args[0].([]any); ok {
				var out []any
				for _, a := range args {
					l, _ := a.([]any)
					out = append(out, l...)
				}
				return out, nil
			}
		}
		var b strings.Builder
		for i := range args {
			b.WriteString(text(i))
		}
		return b.String(), nil
	case "if":
		if len(args) != 3 {
			return nil, errors.New("three arguments are needed")
		}
		if truth(args[0]) {
			return args[1], nil
		}
		return args[2], nil
	case "equals":
		if len(args) != 2 {
			return nil, errors.New("two arguments are needed")
		}
		x, ok := args[0].(string)
		y, ok2 := args[1].(string)
		if ok && ok2 {
			return strings.EqualFold(x, y), nil
		}
		return alike(args[0], args[1]) || wordOf(args[0]) == wordOf(args[1]), nil
	case "not":
		return len(args) == 1 && !truth(args[0]), nil
	case "and", "or":
		for _, a := range args {
			if truth(a) == (name == "or") {
				return name == "or", nil
			}
		}
		return name == "and", nil
	case "empty":
		return len(args) == 0 || nothing(args[0]), nil
	case "true", "false":
		return name == "true", nil
	case "null":
		return nil, nil
	case "json":
		return decode([]byte(text(0)))
	case "array":
		if len(args) == 1 {
			if l, ok := args[0].([]any); ok {
				return l, nil
			}
		}
		return args, nil
	case "createarray":
		return append([]any{}, args...), nil
	case "tolower":
		return strings.ToLower(text(0)), nil
	case "toupper":
		return strings.ToUpper(text(0)), nil
	case "string":
		return text(0), nil
	case "contains":
		if len(args) != 2 {
			return nil, errors.New("two arguments are needed")
		}
		switch x := args[0].(type) {
		case []any:
			for _, v := range x {
				if alike(v, args[1]) {
					return true, nil
				}
			}
			return false, nil
		case map[string]any:
			_, ok := x[text(1)]
			return ok, nil
		}
		return strings.Contains(text(0), text(1)), nil
	case "coalesce":
		for _, a := range args {
			if a != nil {
				return a, nil
			}
		}
		return nil, nil
	case "union":
		out := map[string]any{}
		for _, a := range args {
			m, _ := a.(map[string]any)
			for k, v := range m {
				out[k] = v
			}
		}
		return out, nil
	case "uniquestring", "guid":
		all := ""
		for i := range args {
			all += "\x00" + text(i)
		}
		if g := guid("template" + all); name == "guid" {
			return g, nil
		} else {
			return strings.ReplaceAll(g, "-", "")[:13], nil
		}
	case "subscription":
		return map[string]any{"id": "/subscriptions/" + t.sub, "subscriptionId": t.sub, "tenantId": arm.Tenant, "displayName": "local"}, nil
	case "resourcegroup":
		return map[string]any{"id": groupAt(t.sub, t.group), "name": t.group, "location": arm.Region}, nil
	case "deployment":
		return map[string]any{"name": "deployment"}, nil
	case "reference": // resources of other providers do not exist here
		return map[string]any{}, nil
	case "resourceid", "subscriptionresourceid", "extensionresourceid":
		return t.resourceID(args)
	}
	return nil, errors.New("this function is not known here")
}

func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(v, "true")
	}
	return false
}

// resourceID is resourceId([subscription], [group], type, name…).
func (t *template) resourceID(args []any) (any, error) {
	sub, group := t.sub, t.group
	var words []string
	for _, a := range args {
		words = append(words, wordOf(a))
	}
	i := 0
	for i < len(words) && !strings.Contains(words[i], "/") {
		i++
	}
	switch {
	case i == len(words):
		return nil, errors.New("a type is missing")
	case i == 1:
		group = words[0]
	case i == 2:
		sub, group = words[0], words[1]
	}
	types := strings.Split(words[i], "/")
	names := words[i+1:]
	out := groupAt(sub, group) + "/providers/" + types[0]
	for j, typ := range types[1:] {
		name := ""
		if j < len(names) {
			name = names[j]
		}
		out += "/" + typ + "/" + name
	}
	return out, nil
}
