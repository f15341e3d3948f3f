package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what aliases may blow a document up to.
const maxNodes = 500_000

var yamlErrorLine = regexp.MustCompile(`^yaml: line (\d+): `)

// ParseYAML reads one document. name is for faults; relative paths in it start from dir ("" leaves them alone). An empty
// document is a fault.
func ParseYAML(data []byte, name, dir string) (*Node, error) {
	f := &file{name: name, dir: dir}
	fail := func(line, col int, format string, a ...any) (*Node, error) {
		return nil, Faults{{File: name, Line: line, Column: col, Message: fmt.Sprintf(format, a...)}}
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		bad := 0
		for bad < len(data) {
			r, n := utf8.DecodeRune(data[bad:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			bad += n
		}
		return fail(1+bytes.Count(data[:bad], []byte("\n")), 0, "the file is not UTF-8")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return fail(0, 0, "the file is empty")
	case err != nil:
		msg, line := err.Error(), 0
		if m := yamlErrorLine.FindStringSubmatch(msg); m != nil {
			line, _ = strconv.Atoi(m[1]) // digits by the pattern
			msg = msg[len(m[0]):]
		}
		return fail(line, 0, "%s", strings.TrimPrefix(msg, "yaml: "))
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return fail(more.Line, more.Column, "a second document; one file holds one entity")
	} else if !errors.Is(err, io.EOF) {
		msg, line := err.Error(), 0
		if m := yamlErrorLine.FindStringSubmatch(msg); m != nil {
			line, _ = strconv.Atoi(m[1]) // digits by the pattern
			msg = msg[len(m[0]):]
		}
		return fail(line, 0, "%s", strings.TrimPrefix(msg, "yaml: "))
	}
	if doc.Kind == 0 || len(doc.Content) == 0 {
		return fail(0, 0, "the file is empty")
	}
	p := &parser{file: f, seen: map[*yaml.Node]*Node{}}
	n := p.node(doc.Content[0])
	if err := p.faults.Err(); err != nil {
		return nil, err
	}
	return n, nil
}

type parser struct {
	file   *file
	seen   map[*yaml.Node]*Node // finished anchors; a nil entry is one being read
	count  int
	faults Faults
}

func (p *parser) fault(y *yaml.Node, format string, a ...any) {
	p.faults = append(p.faults, &Fault{File: p.file.name, Line: y.Line, Column: y.Column, Message: fmt.Sprintf(format, a...)})
}

func (p *parser) node(y *yaml.Node) *Node {
	n := &Node{file: p.file, Line: y.Line, Column: y.Column, size: 1}
	if p.count > maxNodes {
		return n
	}
	if y.Kind == yaml.AliasNode {
		t, ok := p.seen[y.Alias]
		switch {
		case !ok || t == nil:
			p.fault(y, "the alias *%s stands inside what it names", y.Value)
			return n
		case p.count+t.size > maxNodes:
			p.fault(y, "aliases make the document larger than %d values", maxNodes)
			p.count = maxNodes + 1
			return n
		}
		p.count += t.size
		return t
	}
	p.count++
	if y.Anchor != "" {
		p.seen[y] = nil
		defer func() { p.seen[y] = n }()
	}
	tag := ""
	if y.Style&yaml.TaggedStyle != 0 {
		tag = y.ShortTag()
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.Kind = Mapping
		if tag != "" && tag != "!!map" {
			p.fault(y, "the tag %s is not known", tag)
		}
		p.mapping(n, y)
		for i := range n.Entries {
			n.size += n.Entries[i].Value.size
		}
	case yaml.SequenceNode:
		n.Kind = Sequence
		if tag != "" && tag != "!!seq" {
			p.fault(y, "the tag %s is not known", tag)
		}
		for _, c := range y.Content {
			x := p.node(c)
			n.Items = append(n.Items, x)
			n.size += x.size
		}
	default:
		p.scalar(n, y, tag)
	}
	return n
}

func (p *parser) scalar(n *Node, y *yaml.Node, tag string) {
	n.Text = y.Value
	n.Quoted = y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	ok := true
	switch {
	case tag == "" && !n.Quoted:
		n.Kind, n.Value, ok = resolvePlain(y.Value)
	case tag == "" || tag == "!!str" || tag == "!":
		n.Kind, n.Value = String, y.Value
	default:
		ok = p.tagged(n, tag)
	}
	if !ok {
		p.fault(y, "%s cannot be read as what it looks like; quote it if it is text", strconv.Quote(y.Value))
		n.Kind, n.Value = String, y.Value
	}
}

// tagged reads a scalar under an explicit tag.
func (p *parser) tagged(n *Node, tag string) bool {
	s := n.Text
	k := implicitKind(s)
	switch {
	case tag == "!!null":
		n.Kind = Null
	case tag == "!!bool":
		b, ok := yamlBools[s]
		if !ok {
			b, ok = yamlBools[strings.ToLower(s)]
		}
		n.Kind, n.Value = Bool, b
		return ok
	case tag == "!!int" && k == Int, tag == "!!timestamp" && k == Time:
		var ok bool
		n.Kind, n.Value, ok = resolvePlain(s)
		return ok
	case tag == "!!float" && (k == Float || k == Int):
		n.Kind = Float
		switch v := parseYAMLNumber(s).(type) {
		case int64:
			n.Value = float64(v)
		case *big.Int:
			n.Value, _ = new(big.Float).SetInt(v).Float64() // the accuracy is not needed
		default:
			n.Value = v
		}
	default:
		return false
	}
	return true
}

func parseYAMLNumber(s string) any {
	if implicitKind(s) == Int {
		return parseYAMLInt(s)
	}
	return parseYAMLFloat(s)
}

// mapping reads the keys of a mapping, merge keys first, as PyYAML flattens them; a key that stands there twice is refused.
func (p *parser) mapping(n *Node, y *yaml.Node) {
	own := make(map[string]int, len(y.Content)/2)
	var merged []Entry
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		if k.Kind == yaml.ScalarNode && k.Value == "<<" && k.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.TaggedStyle) == 0 {
			merged = p.merge(merged, v)
			continue
		}
		var kn *Node
		key, ok := "", k.Kind == yaml.ScalarNode || k.Kind == yaml.AliasNode && k.Alias.Kind == yaml.ScalarNode
		if ok {
			kn = p.node(k)
			key, ok = keyText(kn)
		}
		if !ok {
			why := ""
			if k.Kind == yaml.MappingNode && k.Style&yaml.FlowStyle != 0 {
				why = "; a placeholder such as {{name}} is to be replaced"
			}
			p.fault(k, "a key is no text%s", why)
			continue
		}
		if first, dup := own[key]; dup {
			p.fault(k, "the key %q stands here twice, first in line %d", key, n.Entries[first].At.Line)
			p.node(v)
			continue
		}
		own[key] = len(n.Entries)
		n.Entries = append(n.Entries, Entry{Key: key, At: kn, Value: p.node(v)})
	}
	if len(merged) == 0 {
		return
	}
	all := make([]Entry, 0, len(merged)+len(n.Entries))
	at := map[string]int{}
	for _, e := range merged {
		if _, mine := own[e.Key]; mine {
			continue
		}
		if i, ok := at[e.Key]; ok {
			all[i] = e
			continue
		}
		at[e.Key] = len(all)
		all = append(all, e)
	}
	n.Entries = append(all, n.Entries...)
}

// merge adds the entries of a `<<` value: a mapping, or a list of mappings of which the first wins.
func (p *parser) merge(into []Entry, v *yaml.Node) []Entry {
	x := p.node(v)
	switch x.Kind {
	case Mapping:
		return append(into, x.Entries...)
	case Sequence:
		for i := len(x.Items) - 1; i >= 0; i-- {
			if x.Items[i].Kind != Mapping {
				p.fault(v, "<< takes mappings, not %s", x.Items[i].Kind)
				continue
			}
			into = append(into, x.Items[i].Entries...)
		}
		return into
	}
	p.fault(v, "<< takes a mapping or a list of mappings, not %s", x.Kind)
	return into
}

// keyText is the key as Python's json.dumps writes it.
func keyText(n *Node) (string, bool) {
	switch n.Kind {
	case String:
		return n.Value.(string), true
	case Null:
		return "null", true
	case Bool:
		return strconv.FormatBool(n.Value.(bool)), true
	case Int:
		return fmt.Sprint(n.Value), true
	case Float:
		return PythonFloat(n.Value.(float64)), true
	case Time:
		return n.Value.(Timestamp).String(), true
	}
	return "", false
}

// baseDir is the absolute folder of a file's name.
func baseDir(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("wire: %w", err)
	}
	return filepath.Dir(abs), nil
}
