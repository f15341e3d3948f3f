package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// An Override is one `--set`: a path such as resources.instance_count, inputs.a.path or jobs.train.args.0 (or args[0]) and
// the value that goes there. Missing mappings and lists on the way are made.
type Override struct {
	Path string
	// Value is plain Go. A string is read as the field wants it: "2" will do for a number.
	Value any
}

// ParseOverride reads `path=value`. A value that begins with `{` or `[` is read as YAML; any other is text.
func ParseOverride(s string) (Override, error) {
	path, value, ok := strings.Cut(s, "=")
	if !ok || path == "" {
		return Override{}, fmt.Errorf("wire: %q is not path=value", s)
	}
	if strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") {
		n, err := ParseYAML([]byte(value), "", "")
		if err != nil {
			return Override{}, fmt.Errorf("wire: the value of %s: %w", path, err)
		}
		return Override{Path: path, Value: n.Tree()}, nil
	}
	return Override{Path: path, Value: value}, nil
}

// overridePath cuts a path into keys; `[2]` is the key 2, a backslash takes the meaning from a dot.
func overridePath(s string) ([]string, error) {
	var segs []string
	var b strings.Builder
	flush := func() { segs = append(segs, b.String()); b.Reset() }
	open := false // a key is being read that may be empty
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '.':
			if !open || b.Len() > 0 {
				flush()
			}
			open = false
		case c == '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return nil, fmt.Errorf("%q has a bracket that does not close", s)
			}
			if b.Len() > 0 {
				flush()
			}
			key := strings.Trim(s[i+1:i+end], `"'`)
			segs = append(segs, key)
			i += end
			open = true
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() > 0 || !open {
		flush()
	}
	for _, k := range segs {
		if k == "" {
			return nil, fmt.Errorf("%q has an empty part", s)
		}
	}
	return segs, nil
}

func (l *loader) override(n *Node, o *LoadOptions) *Node {
	if o == nil {
		return n
	}
	for _, s := range o.Set {
		segs, err := overridePath(s.Path)
		if err != nil {
			l.faults = append(l.faults, &Fault{Message: "override " + err.Error()})
			continue
		}
		v := treeNode(s.Value, n.file)
		v.Quoted = false
		m, msg := setNode(n, segs, v)
		if msg != "" {
			l.faults = append(l.faults, &Fault{Field: s.Path, Message: "the override " + msg})
			continue
		}
		n = m
	}
	return n
}

// setNode is n with the value at a path; n is not changed.
func setNode(n *Node, segs []string, v *Node) (*Node, string) {
	if len(segs) == 0 {
		return v, ""
	}
	key := segs[0]
	index, isIndex := -1, false
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < 10000 {
		index, isIndex = i, true
	}
	switch {
	case n.IsNull() && isIndex:
		n = &Node{Kind: Sequence, file: v.file, size: 1}
	case n.IsNull():
		n = &Node{Kind: Mapping, file: v.file, size: 1}
	case n.Kind == Sequence && !isIndex:
		return nil, fmt.Sprintf("meets a list where it says %q; items are numbered from 0", key)
	case n.Kind == Sequence:
	case n.Kind == Mapping:
	default:
		return nil, fmt.Sprintf("meets %s where it says %q: what is defined by a reference cannot be changed", n.describe(), key)
	}
	if n.Kind == Mapping {
		inner, msg := setNode(n.Get(key), segs[1:], v)
		if msg != "" {
			return nil, msg
		}
		return n.With(key, inner), ""
	}
	c := *n
	c.Items = append([]*Node(nil), n.Items...)
	for len(c.Items) <= index {
		c.Items = append(c.Items, &Node{file: v.file, size: 1})
	}
	inner, msg := setNode(c.Items[index], segs[1:], v)
	if msg != "" {
		return nil, msg
	}
	c.Items[index] = inner
	return &c, ""
}
