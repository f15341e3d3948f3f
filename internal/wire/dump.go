package wire

import (
	"fmt"
	"sort"
)

// DumpYAML writes an entity as the file of `az ml` v2: fields in the order of the struct, in block style, quoted where
// YAML 1.1 needs it, so that LoadYAML and the reference SDK read it back.
func DumpYAML(v any) ([]byte, error) {
	e := &Encoding{sp: YAML, ro: true, order: map[uintptr]ordered{}}
	m, err := e.object(v)
	if err != nil {
		return nil, err
	}
	n, err := orderedNode(m, e.keysOf)
	if err != nil {
		return nil, err
	}
	return (&emitter{unicode: true, literal: true}).document(n)
}

// EmitYAML writes plain Go (Tree) as PyYAML's safe_dump(default_flow_style=False) does: keys sorted at every level.
func EmitYAML(tree any) ([]byte, error) {
	n, err := orderedNode(tree, func(m map[string]any) []string { return sortedKeys(m) })
	if err != nil {
		return nil, err
	}
	return (&emitter{}).document(n)
}

// EmitNode loads and dumps as PyYAML does, safe_dump(safe_load(text), default_flow_style=False), a document that
// ParseYAML read: keys sorted, unless they are of several types; what the text names by an alias is named again. It is the
// text that goes on the wire as an environment's condaFile.
func EmitNode(n *Node) ([]byte, error) {
	return (&emitter{}).document(sortNode(n, map[*Node]*Node{}))
}

// orderedNode makes nodes of a tree with the keys in an order.
func orderedNode(x any, keys func(map[string]any) []string) (*Node, error) {
	switch x := x.(type) {
	case map[string]any:
		n := &Node{Kind: Mapping}
		for _, k := range keys(x) {
			v, err := orderedNode(x[k], keys)
			if err != nil {
				return nil, err
			}
			n.Entries = append(n.Entries, Entry{Key: k, Value: v})
		}
		return n, nil
	case []any:
		n := &Node{Kind: Sequence}
		for _, y := range x {
			v, err := orderedNode(y, keys)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, v)
		}
		return n, nil
	}
	n, ok := scalarNode(x)
	if !ok {
		return nil, fmt.Errorf("wire: %T cannot be written as YAML", x)
	}
	return n, nil
}

// sortNode is a copy with the keys of each mapping sorted as Python sorts them.
func sortNode(n *Node, done map[*Node]*Node) *Node {
	if n == nil || n.Kind < Mapping {
		return n
	}
	if c, ok := done[n]; ok {
		return c
	}
	c := &Node{Kind: n.Kind}
	done[n] = c
	for _, x := range n.Items {
		c.Items = append(c.Items, sortNode(x, done))
	}
	kinds := map[NodeKind]bool{}
	for _, e := range n.Entries {
		c.Entries = append(c.Entries, Entry{Key: e.Key, At: e.At, Value: sortNode(e.Value, done)})
		k := String
		if e.At != nil && e.At.Kind < Mapping {
			k = e.At.Kind
		}
		if k == Bool || k == Float {
			k = Int // Python compares them
		}
		kinds[k] = true
	}
	switch {
	case len(kinds) > 1 || kinds[Null]:
	case kinds[Int]:
		sort.SliceStable(c.Entries, func(i, j int) bool { return keyNumber(c.Entries[i]) < keyNumber(c.Entries[j]) })
	default:
		sort.SliceStable(c.Entries, func(i, j int) bool { return c.Entries[i].Key < c.Entries[j].Key })
	}
	return c
}

func keyNumber(e Entry) float64 {
	switch x := e.At.Value.(type) {
	case bool:
		if x {
			return 1
		}
	case float64:
		return x
	case int64:
		return float64(x)
	}
	return 0
}
