package request

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Dumps prints a value as json.dumps does with sorted keys and no blanks.
func Dumps(v any) string {
	p := printer{comma: ",", colon: ":", sorted: true}
	p.print(v)
	return p.b.String()
}

// Print prints a value as json.dumps does.
func Print(v any) string {
	p := printer{comma: ", ", colon: ": "}
	p.print(v)
	return p.b.String()
}

// PrintText is Print with characters beyond ASCII as they are.
func PrintText(v any) string {
	p := printer{comma: ", ", colon: ": ", plain: true}
	p.print(v)
	return p.b.String()
}

type printer struct {
	b            strings.Builder
	comma, colon string
	sorted       bool
	plain        bool
}

func (p *printer) print(v any) {
	switch v := v.(type) {
	case nil:
		p.b.WriteString("null")
	case bool:
		p.b.WriteString(strconv.FormatBool(v))
	case int64:
		p.b.WriteString(strconv.FormatInt(v, 10))
	case Big:
		p.b.WriteString(string(v))
	case float64:
		dumpFloat(&p.b, v)
	case string:
		dumpText(&p.b, v, p.plain)
	case []any:
		p.b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				p.b.WriteString(p.comma)
			}
			p.print(item)
		}
		p.b.WriteByte(']')
	case *Object:
		keys := v.Keys
		if p.sorted {
			keys = slices.Sorted(slices.Values(keys))
		}
		p.b.WriteByte('{')
		for i, key := range keys {
			if i > 0 {
				p.b.WriteString(p.comma)
			}
			dumpText(&p.b, key, p.plain)
			p.b.WriteString(p.colon)
			p.print(v.Values[key])
		}
		p.b.WriteByte('}')
	}
}

func dumpFloat(b *strings.Builder, f float64) {
	switch {
	case math.IsNaN(f):
		b.WriteString("NaN")
	case math.IsInf(f, 1):
		b.WriteString("Infinity")
	case math.IsInf(f, -1):
		b.WriteString("-Infinity")
	default:
		b.WriteString(py.FormatFloat(f))
	}
}

// dumpText prints a string, in ASCII unless it is to be plain.
func dumpText(b *strings.Builder, s string, plain bool) {
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			if half, ok := lone(s[i:]); ok {
				r, n = half, 3
			}
		}
		i += n
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r >= ' ' && r < 0x7f, plain && r >= 0x7f && !utf16.IsSurrogate(r):
			b.WriteRune(r)
		case r >= 0x10000:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
}

// lone is the half of a surrogate pair that a string begins with.
func lone(s string) (rune, bool) {
	if len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2]&0xc0 == 0x80 {
		return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
	}
	return 0, false
}

// typeName is the name of a value's type in Python.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, Big:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	}
	return "dict"
}

// Repr prints a value as Python's repr does.
func Repr(v any) string {
	var b strings.Builder
	repr(&b, v)
	return b.String()
}

func repr(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("None")
	case bool:
		b.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case string:
		b.WriteString(py.Repr(v))
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			repr(b, item)
		}
		b.WriteByte(']')
	case *Object:
		b.WriteByte('{')
		for i, key := range v.Keys {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(py.Repr(key) + ": ")
			repr(b, v.Values[key])
		}
		b.WriteByte('}')
	case float64:
		switch {
		case math.IsNaN(v):
			b.WriteString("nan")
		case math.IsInf(v, 0):
			b.WriteString(strings.ReplaceAll(fmt.Sprintf("%f", v), "+Inf", "inf"))
		default:
			b.WriteString(py.FormatFloat(v))
		}
	default:
		b.WriteString(Dumps(v))
	}
}
