package wire

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"sort"
	"time"
)

// An Encoder is a value type that spells itself. It returns plain Go: nil (JSON null), bool, numbers, string,
// map[string]any, []any, or Omit.
type Encoder interface {
	EncodeWire(e *Encoding) (any, error)
}

// An AfterEncoder changes what the codec made of its struct: quirks that no table says. m is the object at the layout's
// base (REST), or the whole mapping (the others). Use a value receiver.
type AfterEncoder interface {
	AfterEncodeWire(e *Encoding, m map[string]any) error
}

type omitted struct{}

// Omit is returned by an Encoder whose value is not to be written.
var Omit any = omitted{}

// An Encoding is the state of one encoding; Encoders get it to encode what is inside them.
type Encoding struct {
	sp       Spelling
	f        *field              // whose options hold
	ro       bool                // read-only fields too
	tagged   bool                // leave discriminator marks for Merge
	order    map[uintptr]ordered // keys of YAML mappings in order
	plainFor reflect.Type
}

// ordered is the order of a mapping's keys. It holds the mapping too, so that no other one gets its address.
type ordered struct {
	m    map[string]any
	keys []string
}

// Spelling is what is being written.
func (e *Encoding) Spelling() Spelling { return e.sp }

// Merging tells that the tree is made to be compared with another, for an update.
func (e *Encoding) Merging() bool { return e.tagged }

// Unit is the unit of integers that the field's tag gives for durations, 0 when it gives none.
func (e *Encoding) Unit() time.Duration {
	if e.f == nil {
		return 0
	}
	return e.f.unit
}

// As is the same encoding in another spelling.
func (e *Encoding) As(sp Spelling) *Encoding {
	c := *e
	c.sp = sp
	return &c
}

// Value encodes anything; zero scalars too. nil pointers, interfaces, maps and slices are Omit.
func (e *Encoding) Value(x any) (any, error) {
	if x == nil {
		return Omit, nil
	}
	c := *e
	c.f = nil
	return c.value(reflect.ValueOf(x), true)
}

// Plain encodes a struct by its tags although it is an Encoder: the way for one that only adds to it.
func (e *Encoding) Plain(x any) (map[string]any, error) {
	v := reflect.ValueOf(x)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	c := *e
	c.plainFor = v.Type()
	out, err := c.structure(v, false)
	if err != nil {
		return nil, err
	}
	m, _ := out.(map[string]any) // structure makes no other shape for a struct that is no union, and nil of an empty one
	if m == nil {
		m = map[string]any{}
	}
	return m, nil
}

// Tag marks m, made by an Encoder, as an alternative named by the discriminator's key: when an update changes its value,
// the whole object is replaced.
func (e *Encoding) Tag(m map[string]any, key string) map[string]any {
	if e.tagged {
		mark(m, key, m[key])
	}
	return m
}

const markKey = "\x00arm"

func mark(m map[string]any, key string, v any) {
	old, _ := m[markKey].(string)
	m[markKey] = old + key + "=" + fmt.Sprint(v) + ";"
}

// ToREST encodes a kind as the body of a request: what the struct says, without read-only fields.
func ToREST(v any) (map[string]any, error) { return toObject(v, REST) }

// ToNode encodes a pipeline's node as it stands in the body of a pipeline job.
func ToNode(v any) (map[string]any, error) { return toObject(v, NodeJSON) }

// ToSpec encodes a component's specification: the YAML as JSON.
func ToSpec(v any) (map[string]any, error) { return toObject(v, Spec) }

func toObject(v any, sp Spelling) (map[string]any, error) {
	return (&Encoding{sp: sp}).object(v)
}

func (e *Encoding) object(v any) (map[string]any, error) {
	out, err := e.Value(v)
	if err != nil {
		return nil, err
	}
	if out == Omit {
		return nil, fmt.Errorf("wire: %T: nothing to encode", v)
	}
	m, ok := out.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("wire: %T is no object in %v", v, e.sp)
	}
	return m, nil
}

func (e *Encoding) value(v reflect.Value, force bool) (any, error) {
	t := v.Type()
	if t != e.plainFor && v.Kind() != reflect.Interface {
		if v.Kind() == reflect.Pointer && v.IsNil() {
			return e.zero(Omit)
		}
		if t.Implements(encoderType) {
			if !force && v.IsZero() && !(e.f != nil && (e.f.keep || e.f.def != nil)) {
				return Omit, nil
			}
			return v.Interface().(Encoder).EncodeWire(e)
		}
		if v.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(encoderType) {
			if !force && v.IsZero() && !(e.f != nil && (e.f.keep || e.f.def != nil)) {
				return Omit, nil
			}
			p := reflect.New(t)
			p.Elem().Set(v)
			return p.Interface().(Encoder).EncodeWire(e)
		}
		if t.Kind() == reflect.String && t.Implements(enumType) {
			return e.enum(v, force)
		}
	}
	switch t {
	case durationType:
		if v.Int() == 0 && !force {
			return e.zero(Omit)
		}
		return e.duration(time.Duration(v.Int()))
	case timeType:
		if v.IsZero() && !force {
			return Omit, nil
		}
		return v.Interface().(time.Time).Format(time.RFC3339Nano), nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return e.value(v.Elem(), true)
	case reflect.Interface:
		if v.IsNil() {
			return Omit, nil
		}
		if t.NumMethod() == 0 {
			return e.tree(v.Interface())
		}
		return e.value(v.Elem(), true)
	case reflect.Struct:
		return e.structure(v, force)
	case reflect.Map:
		return e.mapping(v)
	case reflect.Slice, reflect.Array:
		return e.slice(v)
	}
	if v.IsZero() && !force {
		return e.zero(v.Interface())
	}
	return scalar(v)
}

// zero is what a field sends that is not set: its default, or its zero value where it is always sent, or nothing.
func (e *Encoding) zero(zero any) (any, error) {
	if e.f != nil && !e.sp.yamlNames() {
		if e.f.def != nil {
			return e.f.def, nil
		}
		if e.f.keep && zero != Omit {
			return scalar(reflect.ValueOf(zero))
		}
	}
	return Omit, nil
}

// keepEmpty tells whether an empty object or list is sent: in REST where the field says so, in a node never.
func (e *Encoding) keepEmpty() bool { return e.f != nil && e.f.keep && e.sp == REST }

func scalar(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int(), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return v.Float(), nil
	case reflect.String:
		return v.String(), nil
	}
	return nil, fmt.Errorf("wire: %v has no spelling", v.Type())
}

func (e *Encoding) enum(v reflect.Value, force bool) (any, error) {
	s := v.String()
	if s == "" {
		if force && e.f == nil {
			return "", nil
		}
		out, err := e.zero(Omit)
		if d, ok := out.(string); ok {
			return e.enumValue(v.Interface().(Enumeration).WireEnum(), d), err
		}
		return out, err
	}
	return e.enumValue(v.Interface().(Enumeration).WireEnum(), s), nil
}

func (e *Encoding) enumValue(t *Enum, s string) any {
	if e.sp.yamlValues() {
		if y, ok := t.Parse(s); ok {
			return y
		}
		return s
	}
	return t.RESTValue(s)
}

func (e *Encoding) duration(d time.Duration) (any, error) {
	unit := time.Duration(0)
	if e.f != nil {
		unit = e.f.unit
		if !e.sp.yamlValues() {
			unit = 0
			if e.sp == Snake {
				unit = e.f.nodeUnit
			}
		}
	}
	if unit == 0 {
		return FormatDuration(d), nil
	}
	if d%unit != 0 {
		return float64(d) / float64(unit), nil
	}
	return int64(d / unit), nil
}

func (e *Encoding) mapping(v reflect.Value) (any, error) {
	if v.IsNil() {
		if e.keepEmpty() {
			return map[string]any{}, nil
		}
		return Omit, nil
	}
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("wire: %v: keys are strings", v.Type())
	}
	c := *e
	if e.f != nil { // the options that speak of elements hold for them
		c.f = &field{unit: e.f.unit, nodeUnit: e.f.nodeUnit, bare: e.f.bare, text: e.f.text}
	}
	m := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		x := it.Value()
		if (x.Kind() == reflect.Pointer || x.Kind() == reflect.Interface) && x.IsNil() {
			m[it.Key().String()] = nil
			continue
		}
		out, err := c.value(x, true)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.Key(), err)
		}
		if out != Omit {
			m[it.Key().String()] = out
		}
	}
	return m, nil
}

func (e *Encoding) slice(v reflect.Value) (any, error) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		if e.keepEmpty() {
			return []any{}, nil
		}
		return Omit, nil
	}
	c := *e
	if e.f != nil {
		c.f = &field{unit: e.f.unit, nodeUnit: e.f.nodeUnit, bare: e.f.bare}
	}
	l := make([]any, 0, v.Len())
	for i := range v.Len() {
		out, err := c.value(v.Index(i), true)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		if out == Omit {
			out = nil
		}
		l = append(l, out)
	}
	return l, nil
}

// tree normalises plain Go of any shape that a caller put into an `any`.
func (e *Encoding) tree(x any) (any, error) {
	switch x := x.(type) {
	case nil, bool, string, int64, float64, json.Number, *big.Int:
		return x, nil
	case Timestamp:
		if e.sp == YAML {
			return x, nil
		}
		return x.String(), nil
	case int:
		return int64(x), nil
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, v := range x {
			out, err := e.tree(v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			if out != Omit {
				m[k] = out
			}
		}
		return m, nil
	case []any:
		l := make([]any, len(x))
		for i, v := range x {
			out, err := e.tree(v)
			if err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
			if out != Omit {
				l[i] = out
			}
		}
		return l, nil
	}
	c := *e
	c.f = nil
	return c.value(reflect.ValueOf(x), true)
}

func sortedKeys(m any) []string {
	v := reflect.ValueOf(m)
	keys := make([]string, 0, v.Len())
	for _, k := range v.MapKeys() {
		keys = append(keys, k.String())
	}
	sort.Strings(keys)
	return keys
}

func cloneTree(x any) any {
	switch x := x.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, v := range x {
			m[k] = cloneTree(v)
		}
		return m
	case Raw:
		return cloneTree(map[string]any(x))
	case []any:
		l := make([]any, len(x))
		for i, v := range x {
			l[i] = cloneTree(v)
		}
		return l
	}
	return x
}

// Key is a REST name as the present spelling writes it: jobInputType, or job_input_type.
func (e *Encoding) Key(name string) string { return e.mapKey(name) }
