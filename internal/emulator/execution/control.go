package execution

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// The types of nodes that steer a pipeline instead of running a job.
const (
	ifElse      = "if_else"
	doWhile     = "do_while"
	parallelFor = "parallel_for"
)

// maxIterations bounds a do_while loop, as in Azure.
const maxIterations = 1000

// control is what a node of control flow says.
type control struct {
	// of if_else; a do_while's is the name of an output of its body
	Condition json.RawMessage `json:"condition"`
	True      bindings        `json:"true_block"`
	False     bindings        `json:"false_block"`

	// of loops
	Body    string              `json:"body"`
	Mapping map[string]bindings `json:"mapping"`
	Limits  struct {
		Max *int `json:"max_iteration_count"`
	} `json:"limits"`
	Items json.RawMessage `json:"items"`
	Width int             `json:"max_concurrency"`

	condition string    // of a do_while: the name of the output
	items     *items    // of a parallel_for whose items are known
	source    [2]string // of items or a condition: the step and its output
}

// bindings is one text or a list of them.
type bindings []string

func (b *bindings) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]string)(b))
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	if *b = nil; s != "" {
		*b = bindings{s}
	}
	return nil
}

func init() {
	addNode(ifElse, &nodeType{control: (*graph).wireIfElse})
	addNode(doWhile, &nodeType{control: (*graph).wireDoWhile})
	addNode(parallelFor, &nodeType{control: (*graph).wireParallelFor})
}

var toStep = regexp.MustCompile(`^\$\{\{parent\.jobs\.([^.}]+)\}\}$`)

// wireIfElse notes which steps the node lets run.
func (g *graph) wireIfElse(s *step, field string, add func(error)) {
	var b bool
	var text string
	switch {
	case json.Unmarshal(s.control.Condition, &b) == nil && len(s.control.Condition) > 0:
		s.control.condition = strconv.FormatBool(b)
	case json.Unmarshal(s.control.Condition, &text) != nil || text == "":
		add(arm.Invalid(field+".condition", "want true, false, an input of the pipeline or an output of a step, got %s", s.control.Condition))
		return
	default:
		s.control.condition = text
		g.reads(s, text, field+".condition", true, add)
	}
	if len(s.control.True)+len(s.control.False) == 0 {
		add(arm.Invalid(field+".true_block", "a step for true or for false is required"))
	}
	for when, block := range map[bool]bindings{true: s.control.True, false: s.control.False} {
		where := field + "." + strconv.FormatBool(when) + "_block"
		for _, text := range block {
			m := toStep.FindStringSubmatch(text)
			if m == nil {
				add(arm.Invalid(where, "want a step such as ${{parent.jobs.train}}, got %q", text))
				continue
			}
			t := g.steps[m[1]]
			switch {
			case t == nil:
				add(arm.Invalid(where, "there is no step %q; the steps are: %s", m[1], strings.Join(g.order, ", ")))
			case t.guard != "" && (t.guard != s.name || t.when != when):
				add(arm.Invalid(where, "the step %q is in two blocks", m[1]))
			default:
				t.guard, t.when = s.name, when
			}
		}
	}
}

// repeats makes a step the body of a loop.
func (g *graph) repeats(s *step, field string, add func(error)) *step {
	m := toStep.FindStringSubmatch(s.control.Body)
	if m == nil {
		add(arm.Invalid(field+".body", "want a step such as ${{parent.jobs.train}}, got %q", s.control.Body))
		return nil
	}
	b := g.steps[m[1]]
	switch {
	case b == nil:
		add(arm.Invalid(field+".body", "there is no step %q; the steps are: %s", m[1], strings.Join(g.order, ", ")))
	case b.kindOf() == nil || b.kindOf().control != nil:
		add(arm.Invalid(field+".body", "the step %q is of type %s; a loop repeats a step that runs a job", m[1], b.Type))
	case b.loop != "":
		add(arm.Invalid(field+".body", "the step %q is the body of the loop %q already", m[1], b.loop))
	default:
		b.loop, s.body = s.name, b
		return b
	}
	return nil
}

// lastName is the name at the end of a binding; a text that is none names itself.
func lastName(text string) string {
	text = strings.TrimSuffix(text, "}}")
	return text[strings.LastIndexByte(text, '.')+1:]
}

func (g *graph) wireDoWhile(s *step, field string, add func(error)) {
	b := g.repeats(s, field, add)
	switch n := s.control.Limits.Max; {
	case n == nil:
		add(arm.Invalid(field+".limits.max_iteration_count", "the largest number of iterations is required"))
	case *n < 1 || *n > maxIterations:
		add(arm.Invalid(field+".limits.max_iteration_count", "want 1 to %d, got %d", maxIterations, *n))
	}
	var text string
	if len(s.control.Condition) > 0 {
		if err := json.Unmarshal(s.control.Condition, &text); err != nil {
			add(arm.Invalid(field+".condition", "want an output of the body, got %s", s.control.Condition))
		}
	}
	s.control.condition = lastName(text)
	if b == nil || b.component == nil {
		return
	}
	c := b.component
	if k := s.control.condition; k != "" {
		switch p := c.Outputs[k]; {
		case p == nil:
			add(arm.Invalid(field+".condition", "the step %q has no output %q; it has: %s", b.name, k, strings.Join(sorted(c.Outputs), ", ")))
		case !literalType(p.Type):
			add(arm.Invalid(field+".condition", "the output %q is of type %s; a condition is of type boolean", k, p.Type))
		}
	}
	for _, from := range sorted(s.control.Mapping) {
		where := field + ".mapping." + from
		if c.Outputs[lastName(from)] == nil {
			add(arm.Invalid(where, "the step %q has no output %q; it has: %s", b.name, lastName(from), strings.Join(sorted(c.Outputs), ", ")))
		}
		for _, to := range s.control.Mapping[from] {
			if c.Inputs[lastName(to)] == nil {
				add(arm.Invalid(where, "the step %q has no input %q; it has: %s", b.name, lastName(to), strings.Join(sorted(c.Inputs), ", ")))
			}
		}
	}
}

func (g *graph) wireParallelFor(s *step, field string, add func(error)) {
	b := g.repeats(s, field, add)
	if s.control.Width < 0 {
		add(arm.Invalid(field+".max_concurrency", "must not be negative, got %d", s.control.Width))
	}
	var text string
	if json.Unmarshal(s.control.Items, &text) != nil {
		text = string(s.control.Items)
	}
	where := field + ".items"
	if anyExpression.MatchString(text) && !strings.HasPrefix(strings.TrimSpace(text), "[") && !strings.HasPrefix(strings.TrimSpace(text), "{") {
		g.reads(s, text, where, false, add)
		s.control.condition = text
		return
	}
	it, err := readItems(text)
	if err != nil {
		add(arm.Invalid(where, "%v", err))
		return
	}
	s.control.items = it
	if b == nil || b.component == nil {
		return
	}
	for _, item := range it.values {
		for _, k := range sorted(item) {
			if b.component.Inputs[k] == nil {
				add(arm.Invalid(where, "the step %q has no input %q; it has: %s", b.name, k, strings.Join(sorted(b.component.Inputs), ", ")))
				return
			}
		}
	}
}

var anyExpression = regexp.MustCompile(`\$\{\{[^}]*\}\}`)

// reads notes what a control node's own binding needs. only literals are conditions.
func (g *graph) reads(s *step, text, where string, literal bool, add func(error)) {
	if m := fromInput.FindStringSubmatch(text); m != nil {
		if _, ok := g.spec.Inputs[m[1]]; !ok {
			add(arm.Invalid(where, "the pipeline has no input %q; it has: %s", m[1], strings.Join(sorted(g.spec.Inputs), ", ")))
		}
		return
	}
	m := fromStep.FindStringSubmatch(text)
	if m == nil {
		add(arm.Invalid(where, "want an input of the pipeline or an output of a step, got %q", text))
		return
	}
	s.control.source = [2]string{m[1], m[2]}
	from := g.steps[m[1]]
	switch {
	case from == nil:
		add(arm.Invalid(where, "there is no step %q; the steps are: %s", m[1], strings.Join(g.order, ", ")))
	case from.body != nil:
		from = from.body
		fallthrough
	case from.component != nil:
		p := from.component.Outputs[m[2]]
		if p == nil {
			add(arm.Invalid(where, "the step %q has no output %q; it has: %s", m[1], m[2], strings.Join(sorted(from.component.Outputs), ", ")))
		} else if literal && !literalType(p.Type) {
			add(arm.Invalid(where, "the output %q of the step %q is of type %s; a condition is of type boolean", m[2], m[1], p.Type))
		}
	}
}

// items are the inputs of each round of a parallel_for.
type items struct {
	keys   []string // of a dictionary; nil for a list
	values []map[string]json.RawMessage
}

// readItems reads a list or a dictionary of dictionaries, all with the same keys.
func readItems(text string) (*items, error) {
	out := &items{}
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		var m map[string]map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return nil, fmt.Errorf("want a list or a dictionary of dictionaries: %w", err)
		}
		for _, k := range sorted(m) {
			out.keys, out.values = append(out.keys, k), append(out.values, m[k])
		}
	} else if err := json.Unmarshal([]byte(text), &out.values); err != nil {
		return nil, fmt.Errorf("want a list or a dictionary of dictionaries: %w", err)
	}
	if len(out.values) == 0 {
		return nil, fmt.Errorf("there are no items")
	}
	first := slices.Sorted(maps.Keys(out.values[0]))
	for _, v := range out.values {
		if v == nil {
			return nil, fmt.Errorf("want a list or a dictionary of dictionaries")
		}
		if keys := slices.Sorted(maps.Keys(v)); !slices.Equal(keys, first) {
			return nil, fmt.Errorf("all items have the same keys: %s is not %s", strings.Join(keys, ", "), strings.Join(first, ", "))
		}
	}
	return out, nil
}

// with is the step of one item: its inputs, and the item's over them.
func (s *step) with(item map[string]json.RawMessage) (*step, error) {
	c := *s
	if c.Inputs = maps.Clone(s.Inputs); c.Inputs == nil {
		c.Inputs = map[string]*stepInput{}
	}
	for k, raw := range item {
		in := &stepInput{}
		if len(raw) > 0 && raw[0] == '{' {
			if err := json.Unmarshal(raw, in); err != nil {
				return nil, userError("the item's %s cannot be read: %v", k, err)
			}
		} else if err := json.Unmarshal(raw, &in.Value); err != nil {
			return nil, userError("the item's %s cannot be read: %v", k, err)
		}
		c.Inputs[k] = in
	}
	return &c, nil
}
