package tracking

import (
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// out writes an answer's JSON as protobuf's JSON has it: names in snake case, what
// is not set left out, int64 as numbers.
type out struct {
	b []byte
}

// comma separates a value from what stands before it.
func (o *out) comma() {
	if n := len(o.b); n > 0 && o.b[n-1] != '{' && o.b[n-1] != '[' && o.b[n-1] != ':' {
		o.b = append(o.b, ',')
	}
}

func (o *out) open(c byte)  { o.comma(); o.b = append(o.b, c) }
func (o *out) close(c byte) { o.b = append(o.b, c) }

// key begins a field.
func (o *out) key(name string) {
	o.comma()
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

// object writes a field that is an object, with what f writes in it.
func (o *out) object(name string, f func()) {
	o.key(name)
	o.b = append(o.b, '{')
	f()
	o.b = append(o.b, '}')
}

// list writes a field that is a list of n items. An empty one is left out.
func (o *out) list(name string, n int, f func(i int)) {
	if n == 0 {
		return
	}
	o.key(name)
	o.b = append(o.b, '[')
	for i := range n {
		f(i)
	}
	o.b = append(o.b, ']')
}

// item writes an object in a list.
func (o *out) item(f func()) {
	o.open('{')
	f()
	o.close('}')
}

// raw writes a field whose JSON is there already.
func (o *out) raw(name string, json []byte) {
	o.key(name)
	o.b = append(o.b, json...)
}

func (o *out) str(name, v string) {
	o.key(name)
	o.b = appendString(o.b, v)
}

// text is str for what is left out when it is empty.
func (o *out) text(name, v string) {
	if v != "" {
		o.str(name, v)
	}
}

// ptr is str for what may not be there.
func (o *out) ptr(name string, v *string) {
	if v != nil {
		o.str(name, *v)
	}
}

func (o *out) strs(name string, vs []string) {
	o.list(name, len(vs), func(i int) {
		o.comma()
		o.b = appendString(o.b, vs[i])
	})
}

func (o *out) int(name string, v int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *out) bool(name string, v bool) {
	o.key(name)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *out) float(name string, v float64) {
	o.key(name)
	o.b = appendFloat(o.b, v)
}

func appendFloat(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	return py.AppendFloat(b, v)
}

const hexDigits = "0123456789abcdef"

// appendString appends a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[from:i]...), `\ufffd`...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// Tag is a key with a value: of runs, experiments and models, and parameters too.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// appendTag appends a tag to a list's inside, as the tables keep it.
func appendTag(b []byte, t Tag) []byte {
	if len(b) > 0 {
		b = append(b, ',')
	}
	b = append(b, `{"key":`...)
	b = appendString(b, t.Key)
	b = append(b, `,"value":`...)
	b = appendString(b, t.Value)
	return append(b, '}')
}
