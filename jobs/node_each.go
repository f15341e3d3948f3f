package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// ParallelForNode runs a step once for each of many inputs.
type ParallelForNode struct {
	// Body is the step that is run: "${{parent.jobs.train}}". Required.
	Body string `yaml:"body,required" json:"-"`
	// Items are what it is run for. Required.
	Items Items `yaml:"items,required" json:"-"`
	// MaxConcurrency is how many run at once. Defaults to all.
	MaxConcurrency *int `yaml:"max_concurrency" json:"-"`
	// Outputs gather the body's outputs.
	Outputs Outputs        `yaml:"outputs" json:"-"`
	Extra   map[string]any `yaml:"-" json:"-" extra:""`

	made provenance
}

// Items are what a loop runs over: inputs of the body for each round.
type Items struct {
	// List are the rounds.
	List []Inputs
	// Map are rounds with names.
	Map map[string]Inputs
	// Text is an expression that gives them, or JSON.
	Text string

	order map[string][]string // the keys of a file in their order, by round; "" for the rounds
}

func (i Items) rounds() map[string]Inputs {
	out := maps.Clone(i.Map)
	if i.List != nil {
		out = make(map[string]Inputs, len(i.List))
		for k, v := range i.List {
			out[fmt.Sprint(k)] = v
		}
	}
	return out
}

// keys are those of a mapping, as the file had them first.
func (i Items) keys(at string, m []string) []string {
	var out []string
	for _, k := range i.order[at] {
		if slices.Contains(m, k) {
			out = append(out, k)
		}
	}
	slices.Sort(m)
	for _, k := range m {
		if !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// EncodeWire writes the items; in a pipeline's body they are JSON in a text.
func (i Items) EncodeWire(e *wire.Encoding) (any, error) {
	if i.Text != "" {
		return i.Text, nil
	}
	if i.List == nil && i.Map == nil {
		return wire.Omit, nil
	}
	if e.Spelling() == wire.YAML {
		if i.List != nil {
			return e.Value(i.List)
		}
		return e.Value(i.Map)
	}
	var b strings.Builder
	if i.List != nil {
		b.WriteByte('[')
		for k, round := range i.List {
			if k > 0 {
				b.WriteString(", ")
			}
			if err := i.round(e, &b, fmt.Sprint(k), round); err != nil {
				return nil, err
			}
		}
		b.WriteByte(']')
		return b.String(), nil
	}
	b.WriteByte('{')
	for k, name := range i.keys("", slices.Collect(maps.Keys(i.Map))) {
		if k > 0 {
			b.WriteString(", ")
		}
		key, err := wire.PythonJSON(name)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteString(": ")
		if err := i.round(e, &b, name, i.Map[name]); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.String(), nil
}

// round writes the inputs of one round: data first, then values.
func (i Items) round(e *wire.Encoding, b *strings.Builder, name string, in Inputs) error {
	keys := i.keys(name, slices.Collect(maps.Keys(in)))
	slices.SortStableFunc(keys, func(x, y string) int {
		rank := func(k string) int {
			if in[k].IsLiteral() {
				return 1
			}
			return 0
		}
		return rank(x) - rank(y)
	})
	b.WriteByte('{')
	for k, key := range keys {
		if k > 0 {
			b.WriteString(", ")
		}
		v := any(in[key].Value)
		if in[key].bound() {
			v = in[key].Path
		} else if !in[key].IsLiteral() {
			var err error
			if v, err = e.As(wire.Snake).Value(in[key]); err != nil {
				return fmt.Errorf("items.%s.%s: %w", name, key, err)
			}
		}
		name, err := wire.PythonJSON(key)
		if err != nil {
			return err
		}
		text, err := wire.PythonJSON(v)
		if err != nil {
			return err
		}
		b.Write(name)
		b.WriteString(": ")
		b.Write(text)
	}
	b.WriteByte('}')
	return nil
}

// DecodeWire reads a list, a mapping or text.
func (i *Items) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*i = Items{}
	if s, ok := n.Str(); ok {
		if isExpression(s) {
			i.Text = s
			return
		}
		parsed, err := wire.ParseJSON([]byte(s))
		if err != nil {
			d.Fault(n, "the text is neither an expression nor JSON: %v", err)
			return
		}
		i.decode(d.As(wire.Snake), wire.TreeNode(parsed))
		i.order = jsonOrder(s)
		return
	}
	i.decode(d, n)
}

// decode reads a list or a mapping.
func (i *Items) decode(d *wire.Decoding, n *wire.Node) {
	i.order = map[string][]string{}
	switch n.Kind {
	case wire.Sequence:
		i.List = make([]Inputs, len(n.Items))
		for k, item := range n.Items {
			i.read(d.At(fmt.Sprint(k)), item, fmt.Sprint(k), &i.List[k])
		}
	case wire.Mapping:
		i.Map = make(map[string]Inputs, len(n.Entries))
		for _, e := range n.Entries {
			var in Inputs
			i.read(d.At(e.Key), e.Value, e.Key, &in)
			i.Map[e.Key] = in
			i.order[""] = append(i.order[""], e.Key)
		}
	default:
		d.Fault(n, "items are a list or mapping of inputs, or an expression")
	}
}

// jsonOrder is the order of the keys of a text of JSON, by round.
func jsonOrder(text string) map[string][]string {
	out := map[string][]string{}
	type level struct {
		object, value bool // whether it is an object, and whether a value comes next
		at            string
		n             int
	}
	var stack []*level
	dec := json.NewDecoder(strings.NewReader(text))
	for {
		token, err := dec.Token()
		if err != nil {
			return out // the end: the text has been parsed before
		}
		var top *level
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		if key, ok := token.(string); ok && top != nil && top.object && !top.value {
			if top.value, top.at = true, key; len(stack) <= 2 {
				round := ""
				if len(stack) == 2 {
					round = stack[0].at
				}
				out[round] = append(out[round], key)
			}
			continue
		}
		if top != nil && token != json.Delim('}') && token != json.Delim(']') {
			if top.value = false; !top.object {
				top.at = fmt.Sprint(top.n)
				top.n++
			}
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			stack = append(stack, &level{object: token == json.Delim('{')})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}

func (i *Items) read(d *wire.Decoding, n *wire.Node, name string, into *Inputs) {
	if n.Kind != wire.Mapping {
		d.Fault(n, "an item is a mapping of the body's inputs")
		return
	}
	d.Into(n, into)
	for _, e := range n.Entries {
		i.order[name] = append(i.order[name], e.Key)
	}
}

// fault says what is wrong with the items.
func (i Items) fault() string {
	if i.Text != "" {
		if isExpression(i.Text) || json.Valid([]byte(i.Text)) {
			return ""
		}
		return "the text is neither an expression nor JSON"
	}
	rounds := i.rounds()
	if len(rounds) == 0 {
		return "there are no items"
	}
	var first []string
	for _, name := range slices.Sorted(maps.Keys(rounds)) {
		keys := slices.Sorted(maps.Keys(rounds[name]))
		if first == nil {
			first = keys
		} else if !slices.Equal(first, keys) {
			return fmt.Sprintf("all items have the same inputs: one has %s, another %s", strings.Join(first, ", "), strings.Join(keys, ", "))
		}
	}
	return ""
}

var parallelForNode = wire.Layout{Name: "parallel-for step", YAML: wire.Fixed{"type": "parallel_for"}}

// WireLayout places the fields.
func (ParallelForNode) WireLayout() *wire.Layout { return &parallelForNode }

// EncodeWire writes the step.
func (n ParallelForNode) EncodeWire(e *wire.Encoding) (any, error) { return e.Plain(n) }

// DecodeWire reads the step.
func (n *ParallelForNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = ParallelForNode{}
	preview(d, at)
	d.Plain(at, n)
	if d.Spelling() == wire.YAML {
		n.made = fromYAMLJob
	}
}

func (n *ParallelForNode) node() nodeHead {
	return nodeHead{outputs: &n.Outputs, made: &n.made, control: true}
}

func (n *ParallelForNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *ParallelForNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *ParallelForNode) checkNode(_ context.Context, c *checker) {
	if f := n.Items.fault(); f != "" {
		c.add("items", "%s", f)
	}
	if n.MaxConcurrency != nil && *n.MaxConcurrency < 1 {
		c.add("max_concurrency", "%d is less than 1", *n.MaxConcurrency)
	}
}

func (n *ParallelForNode) resolveNode(ctx context.Context, r *resolver) error {
	one := func(name string, in Inputs) (Inputs, error) {
		in, err := r.references(ctx, in)
		if err == nil {
			in, err = r.uploads(ctx, in)
		}
		if err != nil {
			return nil, fmt.Errorf("items.%s: %w", name, err)
		}
		return in, nil
	}
	list, named := slices.Clone(n.Items.List), maps.Clone(n.Items.Map)
	var errs []error
	for k := range list {
		in, err := one(fmt.Sprint(k), list[k])
		list[k], errs = in, append(errs, err)
	}
	for _, k := range slices.Sorted(maps.Keys(named)) {
		in, err := one(k, named[k])
		named[k], errs = in, append(errs, err)
	}
	n.Items.List, n.Items.Map = list, named
	return errors.Join(errs...)
}
