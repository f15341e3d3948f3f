package jobs

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// graph is what a pipeline, or a pipeline component, says of its steps and what they are bound to.
type graph struct {
	inputs, outputs map[string]bool
	nodes           Nodes
}

// graph checks the steps: each by itself, and what they are bound to.
func (c *checker) graph(ctx context.Context, g *graph) {
	g.nodes = c.present(g.nodes)
	loose := map[string]bool{} // a loop gives its body's inputs
	for _, n := range g.nodes {
		if f, ok := n.(*ParallelForNode); ok {
			loose[bodyOf(f.Body)] = true
		}
	}
	edges := map[string][]string{}
	for _, name := range sortedKeys(g.nodes) {
		node := g.nodes[name]
		c.inside("jobs."+name+".", func(k *checker) {
			if !nodeName.MatchString(name) {
				k.add("name", "%q cannot be a step's name: %s", name, nodeNameRules)
			}
			k.loose = loose[name]
			node.checkNode(ctx, k)
			edges[name] = append(edges[name], k.bound(g, name, node)...)
		})
		if b, ok := node.(*IfElseNode); ok { // its steps wait for it
			for _, x := range slices.Concat(b.TrueBlock, b.FalseBlock) {
				edges[bodyOf(x)] = append(edges[bodyOf(x)], name)
			}
		}
	}
	if loop := cycle(edges); loop != nil {
		c.add("jobs", "the steps wait for each other: %s", strings.Join(loop, " → "))
	}
}

// bodyOf is the step that a loop names.
func bodyOf(s string) string {
	if e, ok := wire.ParseExpression(s); ok {
		name, _ := e.Job() // "": no step has that name
		return name
	}
	return s
}

// bound checks what a step refers to, and gives the steps that it waits for.
func (c *checker) bound(g *graph, self string, node Node) (after []string) {
	h := node.node()
	see := func(field, text string) { after = append(after, c.refers(g, self, field, text)...) }
	if h.inputs != nil {
		for _, name := range sortedKeys(*h.inputs) {
			in := (*h.inputs)[name]
			if s, ok := in.Value.(string); ok {
				if old := earlier(s); old != "" {
					c.add("inputs."+name, "%s", old)
				}
				see("inputs."+name, s)
			}
			if old := earlier(in.Path); old != "" {
				c.add("inputs."+name, "%s", old)
			}
			see("inputs."+name, in.Path)
		}
	}
	if h.outputs != nil {
		for _, name := range sortedKeys(*h.outputs) {
			if old := earlier((*h.outputs)[name].Path); old != "" {
				c.add("outputs."+name, "%s", old)
			}
			see("outputs."+name, (*h.outputs)[name].Path)
		}
	}
	for _, path := range sortedKeys(h.bindings) {
		see(path, h.bindings[path])
	}
	switch n := node.(type) {
	case *AutoMLNode:
		if n.Task != nil {
			for _, t := range n.Task.parts().tables() {
				see(t.field, t.in.Text())
			}
		}
	case *DoWhileNode:
		c.loop(g, n)
	case *ParallelForNode:
		see("items", n.Items.Text)
		c.body(g, n.Body)
	case *IfElseNode:
		see("condition", n.Condition)
		if known := strings.ToLower(n.Condition); known != "true" && known != "false" && !isExpression(n.Condition) {
			c.add("condition", "%q is neither true nor false nor an expression such as ${{parent.jobs.NAME.outputs.NAME}}", n.Condition)
		}
		for i, block := range []Block{n.TrueBlock, n.FalseBlock} {
			field := [...]string{"true_block", "false_block"}[i]
			for _, b := range block {
				if !isExpression(b) {
					c.add(field, "%q is no step; write ${{parent.jobs.%s}}", b, b)
				} else if g.nodes[bodyOf(b)] == nil {
					c.add(field, "%s: there is no such step%s", b, have("steps", g.nodes))
				}
			}
		}
	}
	return after
}

// group tells names inside a group of inputs (inputs whose names begin alike up to a dot). What a group has is the service's to say.
func (g *graph) group(name string) bool {
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return false
	}
	for in := range g.inputs {
		if strings.HasPrefix(in, name[:at+1]) {
			return true
		}
	}
	return false
}

// refers checks the expressions of a text.
func (c *checker) refers(g *graph, self, field, text string) (after []string) {
	for _, f := range wire.FindExpressions(text) {
		e := f.Expression
		if name, ok := e.ParentInput(); ok && !g.inputs[name] && !g.group(name) {
			c.add(field, "%s: the pipeline has no such input%s", e, have("inputs", g.inputs))
		} else if name, ok := e.ParentOutput(); ok && !g.outputs[name] {
			c.add(field, "%s: the pipeline has no such output%s", e, have("outputs", g.outputs))
		} else if job, port, ok := e.JobOutput(); ok {
			c.portOf(g, field, e, job, port)
			if job != self {
				after = append(after, job)
			} else {
				c.add(field, "%s: the step would wait for itself", e)
			}
		} else if job, _, ok := e.JobInput(); ok && g.nodes[job] == nil {
			c.add(field, "%s: there is no step %q%s", e, job, have("steps", g.nodes))
		}
	}
	return after
}

// portOf checks that a step has an output, where its component is known.
func (c *checker) portOf(g *graph, field string, e wire.Expression, job, port string) {
	node := g.nodes[job]
	if node == nil {
		c.add(field, "%s: there is no step %q%s", e, job, have("steps", g.nodes))
		return
	}
	h := node.node()
	k, ok := h.definition()
	if !ok {
		return
	}
	if _, ok := k.common().outputs[port]; ok {
		return
	}
	if _, unknown := k.(*UnknownComponent); !unknown {
		c.add(field, "%s: the step %q has no such output%s", e, job, have("outputs", k.common().outputs))
	}
}

// body checks the step that a loop runs.
func (c *checker) body(g *graph, body string) Node {
	name := bodyOf(body)
	switch node := g.nodes[name].(type) {
	case nil:
		c.add("body", "%s: there is no such step%s", body, have("steps", g.nodes))
	case *CommandNode, *PipelineNode, *UnknownNode:
		return node
	default:
		c.add("body", "%s: a loop runs a command or a pipeline", body)
	}
	return nil
}

// loop checks what a do-while maps.
func (c *checker) loop(g *graph, n *DoWhileNode) {
	node := c.body(g, n.Body)
	if node == nil {
		return
	}
	h := node.node()
	k, ok := h.definition()
	if !ok {
		return
	}
	in, out := k.common().inputs, k.common().outputs
	if p := portOf(n.Condition); p != "" {
		if o, ok := out[p]; !ok {
			c.add("condition", "%q is no output of the body%s", p, have("outputs", out))
		} else if !isParameter(o.Type) {
			c.add("condition", "%q is a %s; the condition is a boolean output", p, o.Type)
		}
	}
	taken := map[string]string{}
	for _, from := range slices.Sorted(maps.Keys(n.Mapping)) {
		p := portOf(from)
		if _, ok := out[p]; !ok {
			c.add("mapping", "%q is no output of the body%s", p, have("outputs", out))
			continue
		}
		for _, to := range n.Mapping[from] {
			q := portOf(to)
			switch other, twice := taken[q]; {
			case twice:
				c.add("mapping", "%q is given both %s and %s", q, other, p)
			case !known(in, q):
				c.add("mapping", "%q is no input of the body%s", q, have("inputs", in))
			case isParameter(in[q].Type) && !isParameter(out[p].Type):
				c.add("mapping", "%q is a %s and cannot be given to %q, a %s", p, out[p].Type, q, in[q].Type)
			}
			taken[q] = p
		}
	}
}

// sortedKeys are a map's keys in their order. Most maps of a step are empty or small, and a pipeline has many.
func sortedKeys[M ~map[string]V, V any](m M) []string {
	if len(m) == 0 {
		return nil
	}
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func known[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// cycle finds steps that wait for each other, nil when there are none.
func cycle(edges map[string][]string) []string {
	const (
		open = 1
		done = 2
	)
	state := map[string]int{}
	var path []string
	var visit func(string) []string
	visit = func(n string) []string {
		state[n] = open
		path = append(path, n)
		for _, m := range edges[n] {
			switch state[m] {
			case open:
				at := slices.Index(path, m)
				return append(slices.Clone(path[at:]), m)
			case 0:
				if loop := visit(m); loop != nil {
					return loop
				}
			}
		}
		path = path[:len(path)-1]
		state[n] = done
		return nil
	}
	for _, n := range slices.Sorted(maps.Keys(edges)) {
		if state[n] == 0 {
			if loop := visit(n); loop != nil {
				return loop
			}
		}
	}
	return nil
}
