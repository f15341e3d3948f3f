package search

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// list reads a parenthesis as Python reads a tuple of strings: ('a', "b").
func list(s string) ([]string, error) {
	p := &literal{s: s}
	v, ok := p.value(0)
	p.blank()
	if !ok || p.i != len(s) {
		return nil, faultf("While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.")
	}
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	if len(items) == 0 {
		return nil, faultf("While parsing a list in the query, expected a non-empty list of string values, but got empty list")
	}
	out := make([]string, len(items))
	for i, item := range items {
		text, isText := item.(string)
		if !isText {
			return nil, faultf("While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: %s", shown(items))
		}
		out[i] = text
	}
	return out, nil
}

// shown prints a tuple.
func shown(items []any) string {
	texts := make([]string, len(items))
	for i, item := range items {
		switch v := item.(type) {
		case string:
			texts[i] = py.Repr(v)
		case []any:
			texts[i] = shown(v)
		case other:
			texts[i] = string(v)
		}
	}
	if len(texts) == 1 {
		return "(" + texts[0] + ",)"
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

// other is a Python value that is no string and no tuple, as it was written.
type other string

// literal reads Python literals.
type literal struct {
	s string
	i int
}

func (p *literal) blank() {
	for p.i < len(p.s) && strings.IndexByte(" \t\n\r\f", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *literal) take(c byte) bool {
	p.blank()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *literal) value(depth int) (any, bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch {
	case p.take('('):
		return p.sequence(')', depth)
	case p.take('['):
		from := p.i - 1
		_, ok := p.sequence(']', depth)
		return other(p.s[from:p.i]), ok
	}
	if text, ok := p.text(); ok {
		for { // neighbouring strings are one
			p.blank()
			more, ok := p.text()
			if !ok {
				return text, true
			}
			text += more
		}
	}
	return p.atom()
}

// sequence reads what stands in parentheses: a tuple, or one value without a comma.
func (p *literal) sequence(end byte, depth int) (any, bool) {
	items, comma := []any{}, false
	for !p.take(end) {
		if len(items) > 0 && !comma {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		items = append(items, v)
		if comma = p.take(','); !comma && len(items) == 1 && end == ')' {
			return v, p.take(end)
		}
	}
	return items, true
}

// atom reads a number, True, False or None.
func (p *literal) atom() (any, bool) {
	p.blank()
	from := p.i
	for p.i < len(p.s) {
		r, n := utf8.DecodeRuneInString(p.s[p.i:])
		if !py.IsWord(r) && r != '.' && r != '-' && r != '+' {
			break
		}
		p.i += n
	}
	word := p.s[from:p.i]
	switch word {
	case "True", "False", "None":
		return other(word), true
	}
	_, ok := py.Float(word)
	return other(word), ok && word[len(word)-1] >= '.' && word[len(word)-1] <= '9'
}

// text reads one string literal.
func (p *literal) text() (string, bool) {
	i, raw := p.i, false
	for i < len(p.s) && strings.IndexByte("rRuU", p.s[i]) >= 0 && i < p.i+1 {
		raw = p.s[i] == 'r' || p.s[i] == 'R'
		i++
	}
	if i >= len(p.s) || p.s[i] != '\'' && p.s[i] != '"' {
		return "", false
	}
	quote := p.s[i]
	var b strings.Builder
	for i++; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == quote:
			p.i = i + 1
			return b.String(), true
		case c == '\n':
			return "", false
		case c == '\\' && i+1 < len(p.s):
			if raw {
				b.WriteString(p.s[i : i+2])
				i++
			} else {
				i += escape(&b, p.s[i+1:])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// escape writes what follows a backslash and returns its length.
func escape(b *strings.Builder, s string) int {
	if i := strings.IndexByte(`abfnrtv\'"`, s[0]); i >= 0 {
		b.WriteByte("\a\b\f\n\r\t\v\\'\""[i])
		return 1
	}
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]]
	if width > 0 && len(s) > width {
		if r, err := strconv.ParseUint(s[1:1+width], 16, 32); err == nil {
			b.WriteRune(rune(r))
			return 1 + width
		}
	}
	if s[0] == '\n' {
		return 1
	}
	b.WriteByte('\\')
	return 0
}
