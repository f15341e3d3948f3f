package request

import (
	"math"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Message is a request that was read: the fields that it set.
type Message struct {
	Type   *Type
	values map[string]any
	source *Object
}

// New is a message with no field set.
func New(name string) *Message {
	t := types()[name]
	if t == nil {
		panic("request: no message " + name)
	}
	return &Message{Type: t, values: map[string]any{}}
}

// Decode reads a JSON object into a message. When it reports false, a field was
// not of its type: those before it are set, those behind it are not, which is what
// MLflow's server goes on with when no check refuses the request.
func Decode(name string, o *Object) (*Message, bool) {
	m := New(name)
	m.source = o
	return m, m.decode(o, 0)
}

func (m *Message) decode(o *Object, depth int) bool {
	if depth > 90 {
		return false
	}
	unions := map[string]bool{}
	for _, key := range o.Keys {
		f := m.Type.byJSON[key]
		if f == nil {
			f = m.Type.byName[key]
		}
		if f == nil {
			if strings.HasPrefix(key, "[") && strings.HasSuffix(key, "]") && strings.Trim(key[1:len(key)-1], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._") == "" && len(key) > 2 {
				return false // an extension, of which there are none
			}
			continue
		}
		v := o.Values[key]
		if f.OneOf != "" && v != nil {
			if unions[f.OneOf] {
				return false
			}
			unions[f.OneOf] = true
		}
		if v == nil && f.Kind != Value {
			delete(m.values, f.Name)
			continue
		}
		if !m.set(f, v, depth) {
			return false
		}
	}
	return true
}

// set converts one field.
func (m *Message) set(f *Field, v any, depth int) bool {
	if f.Kind == Map {
		o, ok := v.(*Object)
		if !ok {
			return false
		}
		texts := &Object{}
		m.values[f.Name] = texts
		for _, k := range o.Keys {
			s, ok := o.Values[k].(string)
			if !ok || surrogates(s) || surrogates(k) {
				return false
			}

			texts.Set(k, s)
		}
		return true
	}
	if f.Repeated {
		delete(m.values, f.Name)
		items, ok := v.([]any)
		if !ok {
			return false
		}
		return m.setList(f, items, depth)
	}
	if f.Kind == Nested {
		sub := New(f.Message)
		m.values[f.Name] = sub
		o, ok := v.(*Object)
		return ok && sub.decode(o, depth+1)
	}
	c, ok, skip := convert(f, v)
	if ok && !skip {
		m.values[f.Name] = c
	} else if f.Kind == Duration || f.Kind == Time {
		m.values[f.Name] = int64(0) // the message is there, but nothing in it
	}
	return ok
}

func (m *Message) setList(f *Field, items []any, depth int) bool {
	if f.Kind == Nested {
		var list []*Message
		for _, item := range items {
			sub := New(f.Message)
			list = append(list, sub)
			m.values[f.Name] = list
			o, ok := item.(*Object)
			if !ok || !sub.decode(o, depth+1) {
				return false
			}
		}
		return true
	}
	var list []string
	for _, item := range items {
		s, ok := item.(string)
		if !ok || surrogates(s) {
			return false
		}
		list = append(list, s)
		m.values[f.Name] = list
	}
	return true
}

// surrogates reports whether a string holds half a surrogate pair.
func surrogates(s string) bool {
	for i := strings.IndexByte(s, 0xed); i >= 0 && i < len(s); i++ {
		if _, ok := lone(s[i:]); ok {
			return true
		}
	}
	return false
}

// convert reads a scalar. skip tells of an enum's name that is not known, which
// counts as not set.
func convert(f *Field, v any) (c any, ok, skip bool) {
	switch f.Kind {
	case String:
		s, isText := v.(string)
		return s, isText && !surrogates(s), false
	case Int64, Int32:
		n, ok := toInt64(v)
		if f.Kind == Int32 && (n < math.MinInt32 || n > math.MaxInt32) {
			return nil, false, false
		}
		return n, ok, false
	case Double:
		d, ok := toDouble(v)
		return d, ok, false
	case Bool:
		b, isBool := v.(bool)
		return b, isBool, false
	case Enum:
		return toEnum(f, v)
	case Value:
		return v, true, false
	case Time:
		s, isText := v.(string)
		if !isText {
			return nil, false, false
		}
		t, err := time.Parse(time.RFC3339Nano, s)
		return floorMillis(t.Unix(), int64(t.Nanosecond())), err == nil, false
	case Duration:
		s, isText := v.(string)
		ms, ok := duration(s)
		return ms, isText && ok, false
	case Mask:
		s, isText := v.(string)
		var paths []string
		for p := range strings.SplitSeq(s, ",") {
			if p != "" {
				paths = append(paths, snake(p))
			}
		}
		return paths, isText, false
	}
	return nil, false, false
}

func floorMillis(sec, nanos int64) int64 { return sec*1000 + nanos/1_000_000 }

// duration reads "1.5s" as milliseconds.
func duration(s string) (int64, bool) {
	s, ok := strings.CutSuffix(s, "s")
	whole, frac, _ := strings.Cut(s, ".")
	negative := strings.HasPrefix(whole, "-")
	n, valid := py.Int(whole)
	if !ok || !valid || len(frac) > 9 || strings.Trim(frac, "0123456789") != "" || n > 315576000000 || n < -315576000000 {
		return 0, false
	}
	nanos, _ := py.Int("0" + frac + strings.Repeat("0", 9-len(frac)))
	if negative {
		return n*1000 - nanos/1_000_000, true
	}
	return n*1000 + nanos/1_000_000, true
}

func snake(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('_')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func toInt64(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		if v != math.Trunc(v) || v < -(1<<63) || v >= 1<<63 {
			return 0, false
		}
		return int64(v), true
	case string:
		if strings.Contains(v, " ") {
			return 0, false
		}
		if n, ok := py.Int(v); ok {
			return n, true
		}
		f, ok := py.Float(v)
		if !ok || math.IsNaN(f) {
			return 0, false
		}
		return toInt64(f)
	}
	return 0, false
}

func toDouble(v any) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case Big:
		f, _ := py.Float(string(v))
		return f, !math.IsInf(f, 0)
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case string:
		if v == "nan" {
			return 0, false
		}
		return py.Float(v)
	}
	return 0, false
}

func toEnum(f *Field, v any) (c any, ok, skip bool) {
	var n int64
	switch v := v.(type) {
	case string:
		if n, ok := f.Enum[v]; ok {
			return n, true, false
		}
		if n, ok = py.Int(v); !ok {
			return nil, true, true
		}
	case int64:
		n = v
	case float64:
		n = int64(v)
	case bool:
		if v {
			n = 1
		}
	default:
		return nil, false, false
	}
	for _, known := range f.Enum {
		if known == n {
			return n, true, false
		}
	}
	return nil, false, false
}
