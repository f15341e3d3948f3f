// Package request reads MLflow's requests as its server does: JSON as Python reads
// it, then protobuf's mapping of JSON to messages, then checks of single fields.
package request

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// A JSON value is nil, bool, int64, Big, float64, string, []any or *Object.

// Big is an integer beyond 64 bits, as it was written.
type Big string

// Object is a JSON object that keeps its order. Of equal keys the last value
// counts, at the place of the first.
type Object struct {
	Keys   []string
	Values map[string]any
}

// Set sets a key.
func (o *Object) Set(key string, v any) {
	if o.Values == nil {
		o.Values = map[string]any{}
	}
	if _, again := o.Values[key]; !again {
		o.Keys = append(o.Keys, key)
	}
	o.Values[key] = v
}

var errSyntax = errors.New("request: no JSON")

// maxNesting bounds the depth of values, as Python's recursion limit does.
const maxNesting = 900

// Parse reads one JSON value. As in Python NaN, Infinity and -Infinity are numbers.
func Parse(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, errSyntax
	}
	p := &parser{s: strings.TrimPrefix(string(b), "\ufeff")}
	v, ok := p.value(0)
	p.blank()
	if !ok || p.i != len(p.s) {
		return nil, errSyntax
	}
	return v, nil
}

type parser struct {
	s string
	i int
}

func (p *parser) blank() {
	for p.i < len(p.s) && (p.s[p.i] == ' ' || p.s[p.i] == '\t' || p.s[p.i] == '\n' || p.s[p.i] == '\r') {
		p.i++
	}
}

func (p *parser) take(word string) bool {
	if strings.HasPrefix(p.s[p.i:], word) {
		p.i += len(word)
		return true
	}
	return false
}

func (p *parser) value(depth int) (any, bool) {
	p.blank()
	if p.i >= len(p.s) || depth > maxNesting {
		return nil, false
	}
	switch p.s[p.i] {
	case '{':
		return p.object(depth)
	case '[':
		return p.list(depth)
	case '"':
		return p.text()
	}
	switch {
	case p.take("null"):
		return nil, true
	case p.take("true"):
		return true, true
	case p.take("false"):
		return false, true
	case p.take("NaN"):
		return math.NaN(), true
	case p.take("Infinity"):
		return math.Inf(1), true
	case p.take("-Infinity"):
		return math.Inf(-1), true
	}
	return p.number()
}

func (p *parser) object(depth int) (any, bool) {
	p.i++
	o := &Object{}
	for first := true; ; first = false {
		p.blank()
		if first && p.take("}") {
			return o, true
		}
		if p.i >= len(p.s) || p.s[p.i] != '"' {
			return nil, false
		}
		key, ok := p.text()
		if p.blank(); !ok || !p.take(":") {
			return nil, false
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		o.Set(key, v)
		p.blank()
		if p.take("}") {
			return o, true
		}
		if !p.take(",") {
			return nil, false
		}
	}
}

func (p *parser) list(depth int) (any, bool) {
	p.i++
	items := []any{}
	for first := true; ; first = false {
		p.blank()
		if first && p.take("]") {
			return items, true
		}
		v, ok := p.value(depth + 1)
		if !ok {
			return nil, false
		}
		items = append(items, v)
		p.blank()
		if p.take("]") {
			return items, true
		}
		if !p.take(",") {
			return nil, false
		}
	}
}

// text reads a string. Halves of surrogate pairs that stand alone are kept as the
// three bytes that Python would encode them by; decoding refuses them.
func (p *parser) text() (string, bool) {
	from := p.i + 1
	for i := from; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			p.i = i + 1
			return p.s[from:i], true
		case c == '\\':
			return p.escaped(from, i)
		case c < ' ':
			return "", false
		}
	}
	return "", false
}

func (p *parser) escaped(from, i int) (string, bool) {
	var b strings.Builder
	b.WriteString(p.s[from:i])
	for i < len(p.s) {
		c := p.s[i]
		i++
		switch {
		case c == '"':
			p.i = i
			return b.String(), true
		case c < ' ':
			return "", false
		case c != '\\':
			b.WriteByte(c)
			continue
		}
		if i >= len(p.s) {
			return "", false
		}
		c = p.s[i]
		i++
		if at := strings.IndexByte(`"\/bfnrt`, c); at >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[at])
			continue
		}
		r, ok := hex4(p.s, i)
		if c != 'u' || !ok {
			return "", false
		}
		i += 4
		if utf16.IsSurrogate(r) {
			if low, ok := hex4(p.s, i+2); ok && strings.HasPrefix(p.s[i:], `\u`) {
				if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
					b.WriteRune(pair)
					i += 6
					continue
				}
			}
			b.Write([]byte{0xe0 | byte(r>>12), 0x80 | byte(r>>6)&0x3f, 0x80 | byte(r)&0x3f})
			continue
		}
		b.WriteRune(r)
	}
	return "", false
}

func hex4(s string, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[i:i+4], 16, 16)
	return rune(n), err == nil && s[i] != '+'
}

func (p *parser) digits() bool {
	from := p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		p.i++
	}
	return p.i > from
}

func (p *parser) number() (any, bool) {
	from := p.i
	p.take("-")
	whole := p.i
	if !p.digits() {
		return nil, false
	}
	if p.s[whole] == '0' && p.i > whole+1 {
		p.i = whole + 1
	}
	float := false
	if mark := p.i; p.take(".") {
		if float = p.digits(); !float {
			p.i = mark
		}
	}
	if mark := p.i; p.take("e") || p.take("E") {
		if !p.take("+") {
			p.take("-")
		}
		if p.digits() {
			float = true
		} else {
			p.i = mark
		}
	}
	text := p.s[from:p.i]
	if !float {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return Big(text), true
		}
		return n, true
	}
	f, _ := py.Float(text) // what is too great is infinite
	return f, true
}
