package jobs

import (
	"context"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// DoWhileNode runs a step again and again while an output of it says so.
type DoWhileNode struct {
	// Body is the step that is run: "${{parent.jobs.train}}". Required.
	Body string `yaml:"body,required" json:"-"`
	// Condition is the body's output that must be true to go on: "${{parent.jobs.train.outputs.more}}".
	Condition string `yaml:"condition" json:"-"`
	// Mapping gives the body's outputs to its own inputs in the next round.
	Mapping LoopMapping `yaml:"mapping,required" json:"-"`
	// Limits are required.
	Limits LoopLimits     `yaml:"limits,required" json:"-" node:",yaml"`
	Extra  map[string]any `yaml:"-" json:"-" extra:""`

	made provenance
}

// LoopMapping gives outputs of a loop's body (by name, or as an expression) to inputs of it.
type LoopMapping map[string]LoopInputs

// LoopInputs are inputs of a loop's body, by name or as expressions.
type LoopInputs []string

// EncodeWire writes one input as text in a file.
func (l LoopInputs) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML && len(l) == 1 {
		return l[0], nil
	}
	out := make([]any, len(l))
	for i, s := range l {
		out[i] = portOf(s)
	}
	return out, nil
}

// DecodeWire reads one input, or several.
func (l *LoopInputs) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if s, ok := n.Str(); ok {
		*l = LoopInputs{s}
		return
	}
	var many []string
	d.Into(n, &many)
	*l = many
}

// LoopLimits bound a loop.
type LoopLimits struct {
	// MaxIterationCount is from 1 to 1000. Required.
	MaxIterationCount int `yaml:"max_iteration_count,required" json:"-"`
}

const mostIterations = 1000

var doWhileNode = wire.Layout{Name: "do-while step", YAML: wire.Fixed{"type": "do_while"}}

// WireLayout places the fields.
func (DoWhileNode) WireLayout() *wire.Layout { return &doWhileNode }

// EncodeWire writes the step; a body names ports, not expressions.
func (n DoWhileNode) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(n)
	if err != nil || e.Spelling() == wire.YAML {
		return m, err
	}
	if n.Condition != "" {
		m["condition"] = portOf(n.Condition)
	}
	mapping := map[string]any{}
	for out, in := range n.Mapping {
		v, err := e.Value(in)
		if err != nil {
			return nil, err
		}
		mapping[portOf(out)] = v
	}
	if len(mapping) > 0 {
		m["mapping"] = mapping
	}
	return m, nil
}

// DecodeWire reads the step.
func (n *DoWhileNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = DoWhileNode{}
	preview(d, at)
	d.Plain(at, n)
	if d.Spelling() == wire.YAML {
		n.made = fromYAMLJob
	}
}

// preview refuses what the reference refuses unless its private features are on.
func preview(d *wire.Decoding, at *wire.Node) {
	if d.Spelling() == wire.YAML && !d.Private() {
		d.At("type").Fault(at.Get("type"), "files may have steps of control flow only with preview features: set AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED=true")
	}
}

// portOf is the last name of an expression, or the name as it stands.
func portOf(s string) string {
	if e, ok := wire.ParseExpression(s); ok {
		return string(e[strings.LastIndexByte(string(e), '.')+1:])
	}
	return s
}

func (n *DoWhileNode) node() nodeHead { return nodeHead{made: &n.made, control: true} }

func (n *DoWhileNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *DoWhileNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *DoWhileNode) checkNode(_ context.Context, c *checker) {
	if m := n.Limits.MaxIterationCount; m < 1 || m > mostIterations {
		c.add("limits.max_iteration_count", "%d is not from 1 to %d", m, mostIterations)
	}
}

func (n *DoWhileNode) resolveNode(context.Context, *resolver) error { return nil }

// IfElseNode runs steps only if a value is true, others if it is not.
type IfElseNode struct {
	// Condition is a boolean output: "${{parent.jobs.ask.outputs.more}}", a pipeline's input, or "true" or "false". Required.
	Condition string `yaml:"condition,text,required" json:"-"`
	// TrueBlock and FalseBlock are the steps: "${{parent.jobs.left}}".
	TrueBlock  Block          `yaml:"true_block" json:"-"`
	FalseBlock Block          `yaml:"false_block" json:"-"`
	Extra      map[string]any `yaml:"-" json:"-" extra:""`

	made provenance
}

// Block are steps of a branch: "${{parent.jobs.left}}".
type Block []string

// EncodeWire writes one step as text.
func (b Block) EncodeWire(*wire.Encoding) (any, error) {
	switch len(b) {
	case 0:
		return wire.Omit, nil
	case 1:
		return b[0], nil
	}
	out := make([]any, len(b))
	for i, s := range b {
		out[i] = s
	}
	return out, nil
}

// DecodeWire reads one step, or several.
func (b *Block) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if s, ok := n.Str(); ok {
		*b = Block{s}
		return
	}
	var many []string
	d.Into(n, &many)
	*b = many
}

var ifElseNode = wire.Layout{Name: "if-else step", YAML: wire.Fixed{"type": "if_else"}}

// WireLayout places the fields.
func (IfElseNode) WireLayout() *wire.Layout { return &ifElseNode }

// EncodeWire writes the step; a value that is known is a boolean.
func (n IfElseNode) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(n)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(n.Condition) {
	case "true":
		m["condition"] = true
	case "false":
		m["condition"] = false
	}
	return m, nil
}

// DecodeWire reads the step.
func (n *IfElseNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = IfElseNode{}
	preview(d, at)
	d.Plain(at, n)
	n.Condition = strings.TrimSpace(n.Condition)
	if d.Spelling() == wire.YAML {
		n.made = fromYAMLJob
	}
}

func (n *IfElseNode) node() nodeHead { return nodeHead{made: &n.made, control: true} }

func (n *IfElseNode) cloneNode() Node {
	c := *n
	return &c
}

func (n *IfElseNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *IfElseNode) checkNode(_ context.Context, c *checker) {
	if len(n.TrueBlock) == 0 && len(n.FalseBlock) == 0 {
		c.add("true_block", "one of true_block and false_block is required")
	}
	for _, b := range n.TrueBlock {
		for _, other := range n.FalseBlock {
			if b == other {
				c.add("false_block", "%s is in both blocks", b)
			}
		}
	}
}

func (n *IfElseNode) resolveNode(context.Context, *resolver) error { return nil }
