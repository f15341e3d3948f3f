package wire

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"sort"
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
	c.Entries = append(c.Entries, Entry{Key: key, At: n, Value: v})
	return &c
}

// Tree is the node as plain Go: nil, bool, int64, float64, string, Timestamp, []any, map[string]any. json.Number stays
// what it was in a document from REST.
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
	n := &Node{file: f, size: 1}
	switch v := v.(type) {
	case nil:
	case bool:
		n.Kind, n.Value, n.Text = Bool, v, strconv.FormatBool(v)
	case string:
		n.Kind, n.Value, n.Text, n.Quoted = String, v, v, true
	case json.Number:
		n.Text = v.String()
		if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
			n.Kind, n.Value = Int, i
		} else if x, err := strconv.ParseFloat(n.Text, 64); err == nil {
			n.Kind, n.Value = Float, x
		} else {
			n.Kind, n.Value = String, n.Text
		}
	case int:
		n.Kind, n.Value, n.Text = Int, int64(v), strconv.Itoa(v)
	case int64:
		n.Kind, n.Value, n.Text = Int, v, strconv.FormatInt(v, 10)
	case float64:
		n.Kind, n.Value, n.Text = Float, v, PythonFloat(v)
	case Timestamp:
		n.Kind, n.Value, n.Text = Time, v, v.String()
	case []any:
		n.Kind = Sequence
		n.Items = make([]*Node, len(v))
		for i, x := range v {
			n.Items[i] = treeNode(x, f)
			n.size += n.Items[i].size
		}
	case map[string]any:
		n.Kind = Mapping
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		n.Entries = make([]Entry, len(keys))
		for i, k := range keys {
			x := treeNode(v[k], f)
			n.Entries[i] = Entry{Key: k, At: n, Value: x}
			n.size += x.size
		}
	default:
		n.Kind, n.Value, n.Text = String, fmt.Sprint(v), fmt.Sprint(v)
	}
	return n
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
