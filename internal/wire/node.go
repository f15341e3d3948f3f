package wire

import (
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"strconv"
	"strings"
)

// A NodeKind is the shape of a Node.
type NodeKind uint8

const (
	Null NodeKind = iota
	Bool
	Int
	Float
	String
	Time // a YAML 1.1 timestamp written without quotes
	Mapping
	Sequence
)

var kindNames = [...]string{"null", "a boolean", "an integer", "a number", "a string", "a date", "a mapping", "a list"}

func (k NodeKind) String() string { return kindNames[k] }

// A Node is one value of a document that is being read, from YAML or from REST. Nodes are never changed after they were
// made; an alias in YAML shares its anchor's node.
type Node struct {
	Kind    NodeKind
	Value   any    // bool, int64 (or *big.Int), float64, string, Timestamp; nil for the others
	Text    string // a scalar as it was written
	Quoted  bool   // a string that was quoted, or written as a block
	Entries []Entry
	Items   []*Node
	file    *file
	Line    int
	Column  int
	size    int // nodes below and with this one, aliases counted each time
}

// An Entry is one key of a mapping with its value, in the order written.
type Entry struct {
	Key   string // a key that is no string has json.dumps' text: 1, true, null
	At    *Node  // the key's own node
	Value *Node
}

// A file is where nodes came from.
type file struct {
	name string // as shown in faults
	dir  string // absolute folder that relative paths start from; "" leaves them alone
	full string // absolute name, of files that another one names
	from *file  // the file that names this one
}

// File names the file that the node stands in, "" when there is none.
func (n *Node) File() string {
	if n == nil || n.file == nil {
		return ""
	}
	return n.file.name
}

// Dir is the folder that relative paths in this node start from.
func (n *Node) Dir() string {
	if n == nil || n.file == nil {
		return ""
	}
	return n.file.dir
}

// IsNull tells whether the node is absent or null.
func (n *Node) IsNull() bool { return n == nil || n.Kind == Null }

// IsScalar tells whether the node is neither mapping, list nor null.
func (n *Node) IsScalar() bool { return n != nil && n.Kind > Null && n.Kind < Mapping }

// Str is the string that the node holds; ok is false when it holds something else.
func (n *Node) Str() (s string, ok bool) {
	if n == nil || n.Kind != String {
		return "", false
	}
	return n.Value.(string), true
}

// Get follows keys into mappings; nil when there is no such value.
func (n *Node) Get(keys ...string) *Node {
	for _, k := range keys {
		if n == nil || n.Kind != Mapping {
			return nil
		}
		var found *Node
		for i := range n.Entries {
			if n.Entries[i].Key == k {
				found = n.Entries[i].Value
				break
			}
		}
		n = found
	}
	return n
}

// Has tells whether the mapping has the key, null or not.
func (n *Node) Has(key string) bool { return n.Get(key) != nil }

// Without is the mapping less some keys; n itself is not changed.
func (n *Node) Without(keys ...string) *Node {
	c := *n
	c.Entries = nil
outer:
	for _, e := range n.Entries {
		for _, k := range keys {
			if e.Key == k {
				continue outer
			}
		}
		c.Entries = append(c.Entries, e)
	}
	return &c
}

// With is the mapping with one more or another value for key; n itself is not changed.
func (n *Node) With(key string, v *Node) *Node {
	c := *n
	c.Entries = append([]Entry(nil), n.Entries...)
	for i := range c.Entries {
		if c.Entries[i].Key == key {
			c.Entries[i].Value = v
			return &c
		}
	}
	c.Entries = append(c.Entries, Entry{Key: key, At: &Node{Kind: String, Value: key, Text: key, file: v.file}, Value: v})
	return &c
}

// Tree is the node as plain Go: nil, bool, int64, float64, string, Timestamp, []any, map[string]any.
// Integers beyond int64 are *big.Int.
func (n *Node) Tree() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Mapping:
		m := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			m[e.Key] = e.Value.Tree()
		}
		return m
	case Sequence:
		l := make([]any, len(n.Items))
		for i, x := range n.Items {
			l[i] = x.Tree()
		}
		return l
	}
	return n.Value
}

// describe names the node's shape and, when it is short, its text: `an integer (5)`.
func (n *Node) describe() string {
	if n.IsNull() {
		return "null"
	}
	if n.IsScalar() {
		t := n.Text
		if len(t) > 40 {
			t = t[:40] + "…"
		}
		return fmt.Sprintf("%s (%s)", n.Kind, t)
	}
	return n.Kind.String()
}

// StringNode is a node that holds s, standing where at stands.
func StringNode(s string, at *Node) *Node {
	n := &Node{Kind: String, Value: s, Text: s, size: 1}
	if at != nil {
		n.file, n.Line, n.Column = at.file, at.Line, at.Column
	}
	return n
}

// TreeNode makes nodes of a plain tree (what encoding/json gives, or Tree): the way in for REST.
func TreeNode(v any) *Node { return treeNode(v, nil) }

func treeNode(v any, f *file) *Node {
	switch v := v.(type) {
	case []any:
		n := &Node{Kind: Sequence, file: f, size: 1, Items: make([]*Node, len(v))}
		for i, x := range v {
			n.Items[i] = treeNode(x, f)
			n.size += n.Items[i].size
		}
		return n
	case Raw:
		return treeNode(map[string]any(v), f)
	case map[string]any:
		n := &Node{Kind: Mapping, file: f, size: 1, Entries: make([]Entry, 0, len(v))}
		for _, k := range sortedKeys(v) {
			x := treeNode(v[k], f)
			n.Entries = append(n.Entries, Entry{Key: k, At: n, Value: x})
			n.size += x.size
		}
		return n
	}
	n, ok := scalarNode(v)
	if !ok {
		n = &Node{Kind: String, Value: fmt.Sprint(v), Text: fmt.Sprint(v)}
	}
	n.file, n.size, n.Quoted = f, 1, n.Kind == String
	return n
}

func scalarNode(v any) (*Node, bool) {
	switch v := v.(type) {
	case nil:
		return &Node{}, true
	case bool:
		return &Node{Kind: Bool, Value: v, Text: strconv.FormatBool(v)}, true
	case string:
		return &Node{Kind: String, Value: v, Text: v}, true
	case json.Number:
		t := v.String()
		if i, err := strconv.ParseInt(t, 10, 64); err == nil {
			return &Node{Kind: Int, Value: i, Text: t}, true
		}
		if i, ok := new(big.Int).SetString(t, 10); ok {
			return &Node{Kind: Int, Value: i, Text: t}, true
		}
		if x, err := strconv.ParseFloat(t, 64); err == nil {
			return &Node{Kind: Float, Value: x, Text: t}, true
		}
		return &Node{Kind: String, Value: t, Text: t}, true
	case int:
		return &Node{Kind: Int, Value: int64(v), Text: strconv.Itoa(v)}, true
	case int64:
		return &Node{Kind: Int, Value: v, Text: strconv.FormatInt(v, 10)}, true
	case *big.Int:
		return &Node{Kind: Int, Value: v, Text: v.String()}, true
	case float64:
		return &Node{Kind: Float, Value: v, Text: PythonFloat(v)}, true
	case Timestamp:
		return &Node{Kind: Time, Value: v, Text: v.String()}, true
	}
	return nil, false
}

// LocalPath resolves a path as it stands in a file: relative ones start from the file's folder; what is no local path
// (a URL, an id, an expression, a reference) is left as it is. The prefixes `file:` and `folder:` are taken off.
func (n *Node) LocalPath(s string) string {
	if !IsLocalPath(s) {
		return s
	}
	for _, p := range []string{"file:", "folder:"} {
		if strings.HasPrefix(s, p) {
			s = strings.TrimPrefix(s[len(p):], "//")
			break
		}
	}
	if filepath.IsAbs(s) || n.Dir() == "" {
		return s
	}
	return filepath.Join(n.Dir(), filepath.FromSlash(s))
}

// IsLocalPath tells whether a string that may be a path or some reference is a path on this machine.
func IsLocalPath(s string) bool {
	switch {
	case s == "":
		return false
	case strings.HasPrefix(s, "file:"), strings.HasPrefix(s, "folder:"):
		return true
	case strings.Contains(s, "://"), strings.HasPrefix(s, "azureml:"), strings.HasPrefix(s, "runs:/"), strings.HasPrefix(s, "git+"), strings.Contains(s, "${{"):
		return false
	}
	return !strings.HasPrefix(strings.ToLower(s), "/subscriptions/")
}
