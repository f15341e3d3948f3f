package wire

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// The emitter is PyYAML's, decision by decision, because hashes are made of its output: block style, lists not indented
// under their key, lines folded after column 80, the quotes that PyYAML's resolver calls for.

const bestWidth = 80

type emitter struct {
	unicode bool // leave non-ASCII text as it is; PyYAML's default escapes it
	literal bool // text of several lines as a `|` block

	out        bytes.Buffer
	column     int
	indent     int // -1 before the first
	indents    []int
	whitespace bool
	indention  bool
	openEnded  bool

	seen    map[*Node]bool   // lists and mappings met so far
	anchors map[*Node]string // names of those met twice, "" until numbered
	written map[*Node]bool
}

func (m *emitter) document(n *Node) ([]byte, error) {
	m.indent, m.whitespace, m.indention = -1, true, true
	m.seen, m.anchors, m.written = map[*Node]bool{}, map[*Node]string{}, map[*Node]bool{}
	m.number(n)
	if err := m.node(n, context{root: true}); err != nil {
		return nil, err
	}
	m.writeIndent()
	if m.openEnded {
		m.indicator("...", true, false, false)
		m.writeIndent()
	}
	return m.out.Bytes(), nil
}

// number names what stands in several places, in the order in which that is found out.
func (m *emitter) number(n *Node) {
	if n == nil || n.Kind < Mapping {
		return
	}
	if m.seen[n] {
		if m.anchors[n] == "" {
			m.anchors[n] = "id" + leftPad(strconv.Itoa(len(m.anchors)+1), 3)
		}
		return
	}
	m.seen[n] = true
	for i := range n.Entries {
		m.number(n.Entries[i].Value)
	}
	for _, x := range n.Items {
		m.number(x)
	}
}

type context struct{ root, mapping, key bool }

func (m *emitter) push(flow, indentless bool) {
	m.indents = append(m.indents, m.indent)
	switch {
	case m.indent < 0 && flow:
		m.indent = 2
	case m.indent < 0:
		m.indent = 0
	case !indentless:
		m.indent += 2
	}
}

func (m *emitter) pop() {
	m.indent = m.indents[len(m.indents)-1]
	m.indents = m.indents[:len(m.indents)-1]
}

func (m *emitter) node(n *Node, c context) error {
	if n == nil {
		n = &Node{}
	}
	if a := m.anchors[n]; a != "" {
		if m.written[n] {
			m.indicator("*"+a, true, false, false)
			return nil
		}
		m.written[n] = true
		m.indicator("&"+a, true, false, false)
	}
	switch {
	case n.Kind == Mapping && len(n.Entries) == 0:
		m.flowEmpty("{", "}")
		return nil
	case n.Kind == Sequence && len(n.Items) == 0:
		m.flowEmpty("[", "]")
		return nil
	case n.Kind == Mapping:
		return m.blockMapping(n)
	case n.Kind == Sequence:
		return m.blockSequence(n, c)
	}
	text, err := scalarText(n)
	if err != nil {
		return err
	}
	m.push(true, false)
	m.scalar(text, n.Kind == String, c)
	m.pop()
	return nil
}

func (m *emitter) flowEmpty(open, end string) {
	m.indicator(open, true, true, false)
	m.indicator(end, false, false, false)
}

func (m *emitter) blockMapping(n *Node) error {
	m.push(false, false)
	for i := range n.Entries {
		e := &n.Entries[i]
		m.writeIndent()
		k, isText := e.Key, true
		if e.At != nil && e.At.Kind < Mapping && e.At.Kind != String {
			var err error
			if k, err = scalarText(e.At); err != nil {
				return err
			}
			isText = false
		}
		a := analyze([]rune(k), m.unicode)
		simple := len([]rune(k))+len("!!str") < 128 && !a.empty && !a.multiline
		if !simple {
			m.indicator("?", true, false, true)
		}
		m.push(true, false)
		m.scalar(k, isText, context{mapping: true, key: simple})
		m.pop()
		if simple {
			m.indicator(":", false, false, false)
		} else {
			m.writeIndent()
			m.indicator(":", true, false, true)
		}
		if err := m.node(e.Value, context{mapping: true}); err != nil {
			return err
		}
	}
	m.pop()
	return nil
}

func (m *emitter) blockSequence(n *Node, c context) error {
	m.push(false, c.mapping && !m.indention)
	for _, x := range n.Items {
		m.writeIndent()
		m.indicator("-", true, false, true)
		if err := m.node(x, context{}); err != nil {
			return err
		}
	}
	m.pop()
	return nil
}

// scalarText is SafeRepresenter's text of a scalar.
func scalarText(n *Node) (string, error) {
	switch x := n.Value.(type) {
	case nil:
		return "null", nil
	case bool:
		return strconv.FormatBool(x), nil
	case int64:
		return strconv.FormatInt(x, 10), nil
	case *big.Int:
		return x.String(), nil
	case float64:
		return yamlFloatText(x), nil
	case Timestamp:
		return x.String(), nil
	case string:
		return x, nil
	}
	return "", fmt.Errorf("wire: %T cannot be written as YAML", n.Value)
}

func yamlFloatText(v float64) string {
	switch {
	case math.IsNaN(v):
		return ".nan"
	case math.IsInf(v, 1):
		return ".inf"
	case math.IsInf(v, -1):
		return "-.inf"
	}
	s := PythonFloat(v)
	if !strings.Contains(s, ".") {
		s = strings.Replace(s, "e", ".0e", 1)
	}
	return s
}

// plainText tells whether a plain scalar would be read back as a string.
func plainText(s string) bool {
	return s != "=" && s != "<<" && implicitKind(s) == String
}

func (m *emitter) scalar(s string, isText bool, c context) {
	rs := []rune(s)
	a := analyze(rs, m.unicode)
	switch {
	case (!isText || plainText(s)) && !(c.key && (a.empty || a.multiline)) && a.plain:
		m.plain(rs, !c.key, c.root)
	case m.literal && a.multiline && !c.key && a.block:
		m.writeLiteral(rs)
	case a.single && !(c.key && a.multiline):
		m.singleQuoted(rs, !c.key)
	default:
		m.doubleQuoted(rs, !c.key)
	}
}

type analysis struct{ empty, multiline, plain, single, block bool }

func isBreak(r rune) bool { return r == '\n' || r == 0x85 || r == 0x2028 || r == 0x2029 }
func isSpaceOrBreak(r rune) bool {
	return r == 0 || r == ' ' || r == '\t' || r == '\r' || isBreak(r)
}

// analyze is Emitter.analyze_scalar in block context.
func analyze(s []rune, allowUnicode bool) analysis {
	if len(s) == 0 {
		return analysis{empty: true, plain: true, single: true}
	}
	var blockIndicators, lineBreaks, special bool
	var leadingSpace, leadingBreak, trailingSpace, trailingBreak, breakSpace, spaceBreak bool
	if len(s) >= 3 {
		if p := string(s[:3]); p == "---" || p == "..." {
			blockIndicators = true
		}
	}
	before := true
	after := len(s) == 1 || isSpaceOrBreak(s[1])
	var prevSpace, prevBreak bool
	for i, r := range s {
		if i == 0 {
			switch r {
			case '#', ',', '[', ']', '{', '}', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`':
				blockIndicators = true
			case '?', ':', '-':
				if after {
					blockIndicators = true
				}
			}
		} else if r == ':' && after || r == '#' && before {
			blockIndicators = true
		}
		if isBreak(r) {
			lineBreaks = true
		}
		if r != '\n' && (r < 0x20 || r > 0x7e) {
			// PyYAML would leave line breaks beyond \n in text that may be Unicode; readers turn those into \n.
			printable := (r >= 0xa0 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000 && r < 0x10ffff) && r != 0xfeff && !isBreak(r)
			if !printable || !allowUnicode {
				special = true
			}
		}
		switch {
		case r == ' ':
			leadingSpace = leadingSpace || i == 0
			trailingSpace = trailingSpace || i == len(s)-1
			breakSpace = breakSpace || prevBreak
			prevSpace, prevBreak = true, false
		case isBreak(r):
			leadingBreak = leadingBreak || i == 0
			trailingBreak = trailingBreak || i == len(s)-1
			spaceBreak = spaceBreak || prevSpace
			prevSpace, prevBreak = false, true
		default:
			prevSpace, prevBreak = false, false
		}
		before = isSpaceOrBreak(r)
		after = i+2 >= len(s) || isSpaceOrBreak(s[i+2])
	}
	a := analysis{multiline: lineBreaks, plain: true, single: true, block: true}
	if leadingSpace || leadingBreak || trailingSpace || trailingBreak || lineBreaks || blockIndicators {
		a.plain = false
	}
	if trailingSpace {
		a.block = false
	}
	if breakSpace {
		a.plain, a.single = false, false
	}
	if spaceBreak || special {
		a.plain, a.single, a.block = false, false, false
	}
	return a
}

func (m *emitter) write(s string) { m.out.WriteString(s) }

func (m *emitter) writeRunes(rs []rune) {
	m.out.WriteString(string(rs))
	m.column += len(rs)
}

func (m *emitter) indicator(s string, needSpace, whitespace, indention bool) {
	if !m.whitespace && needSpace {
		s = " " + s
	}
	m.whitespace = whitespace
	m.indention = m.indention && indention
	m.column += len(s)
	m.openEnded = false
	m.write(s)
}

func (m *emitter) writeIndent() {
	indent := max(m.indent, 0)
	if !m.indention || m.column > indent || m.column == indent && !m.whitespace {
		m.lineBreak("\n")
	}
	if m.column < indent {
		m.whitespace = true
		m.write(strings.Repeat(" ", indent-m.column))
		m.column = indent
	}
}

func (m *emitter) lineBreak(s string) {
	m.whitespace, m.indention = true, true
	m.column = 0
	m.write(s)
}

// breaks writes the line breaks of a folded text.
func (m *emitter) breaks(rs []rune, doubleFirst bool) {
	if doubleFirst && rs[0] == '\n' {
		m.lineBreak("\n")
	}
	for _, r := range rs {
		if r == '\n' {
			m.lineBreak("\n")
		} else {
			m.lineBreak(string(r))
		}
	}
}

const end rune = -1

func at(rs []rune, i int) rune {
	if i < len(rs) {
		return rs[i]
	}
	return end
}

func (m *emitter) plain(s []rune, split, root bool) {
	if root {
		m.openEnded = true
	}
	if len(s) == 0 {
		return
	}
	if !m.whitespace {
		m.column++
		m.write(" ")
	}
	m.whitespace, m.indention = false, false
	spaces, start := false, 0
	for i := 0; i <= len(s); i++ {
		r := at(s, i)
		if spaces {
			if r != ' ' {
				if start+1 == i && m.column > bestWidth && split {
					m.writeIndent()
					m.whitespace, m.indention = false, false
				} else {
					m.writeRunes(s[start:i])
				}
				start = i
			}
		} else if r == end || r == ' ' {
			m.writeRunes(s[start:i])
			start = i
		}
		spaces = r == ' '
	}
}

func (m *emitter) singleQuoted(s []rune, split bool) {
	m.indicator("'", true, false, false)
	spaces, breaks, start := false, false, 0
	for i := 0; i <= len(s); i++ {
		r := at(s, i)
		switch {
		case spaces:
			if r != ' ' {
				if start+1 == i && m.column > bestWidth && split && start != 0 && i != len(s) {
					m.writeIndent()
				} else {
					m.writeRunes(s[start:i])
				}
				start = i
			}
		case breaks:
			if !isBreak(r) {
				m.breaks(s[start:i], true)
				m.writeIndent()
				start = i
			}
		case r == end || r == ' ' || isBreak(r) || r == '\'':
			if start < i {
				m.writeRunes(s[start:i])
				start = i
			}
		}
		if r == '\'' {
			m.column += 2
			m.write("''")
			start = i + 1
		}
		if r != end {
			spaces, breaks = r == ' ', isBreak(r)
		}
	}
	m.indicator("'", false, false, false)
}

var escapes = map[rune]string{
	0: "0", 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 0x1b: "e", '"': `"`, '\\': `\`, 0x85: "N", 0xa0: "_", 0x2028: "L", 0x2029: "P",
}

func (m *emitter) doubleQuoted(s []rune, split bool) {
	m.indicator(`"`, true, false, false)
	start := 0
	for i := 0; i <= len(s); i++ {
		r := at(s, i)
		verbatim := r >= 0x20 && r <= 0x7e || m.unicode && (r >= 0xa0 && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd)
		if r == end || r == '"' || r == '\\' || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff || !verbatim {
			if start < i {
				m.writeRunes(s[start:i])
				start = i
			}
			if r != end {
				var x string
				switch e, known := escapes[r]; {
				case known:
					x = `\` + e
				case r <= 0xff:
					x = fmt.Sprintf(`\x%02X`, r)
				case r <= 0xffff:
					x = fmt.Sprintf(`\u%04X`, r)
				default:
					x = fmt.Sprintf(`\U%08X`, r)
				}
				m.column += len(x)
				m.write(x)
				start = i + 1
			}
		}
		if 0 < i && i < len(s)-1 && (r == ' ' || start >= i) && m.column+(i-start) > bestWidth && split {
			if start < i {
				m.writeRunes(s[start:i])
				start = i
			}
			m.column++
			m.write(`\`)
			m.writeIndent()
			m.whitespace, m.indention = false, false
			if s[start] == ' ' {
				m.column++
				m.write(`\`)
			}
		}
	}
	m.indicator(`"`, false, false, false)
}

func (m *emitter) writeLiteral(s []rune) {
	hints := ""
	if s[0] == ' ' || isBreak(s[0]) {
		hints = "2"
	}
	switch last := len(s) - 1; {
	case !isBreak(s[last]):
		hints += "-"
	case last == 0 || isBreak(s[last-1]):
		hints += "+"
	}
	m.indicator("|"+hints, true, false, false)
	if strings.HasSuffix(hints, "+") {
		m.openEnded = true
	}
	m.lineBreak("\n")
	breaks, start := true, 0
	for i := 0; i <= len(s); i++ {
		r := at(s, i)
		if breaks {
			if !isBreak(r) {
				m.breaks(s[start:i], false)
				if r != end {
					m.writeIndent()
				}
				start = i
			}
		} else if r == end || isBreak(r) {
			m.writeRunes(s[start:i])
			if r == end {
				m.lineBreak("\n")
			}
			start = i
		}
		if r != end {
			breaks = isBreak(r)
		}
	}
}
