package wire

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"sort"
	"strings"
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
	f        *field               // whose options hold
	ro       bool                 // read-only fields too
	tagged   bool                 // leave discriminator marks for Merge
	order    map[uintptr][]string // keys of YAML mappings in order
	root     map[string]any       // document that the present kind is in
	plainFor reflect.Type
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
	m, _ := out.(map[string]any) // structure makes no other shape for a struct that is no union
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
			return Omit, nil
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
		if e.f != nil && e.f.keep && !e.sp.yamlNames() {
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
		if e.f != nil && e.f.keep && !e.sp.yamlNames() {
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

// structure encodes a struct. One that says nothing is Omit unless it is forced.
func (e *Encoding) structure(v reflect.Value, force bool) (any, error) {
	p := planOf(v.Type())
	if p.union != nil {
		return e.oneOf(p.union, v, force)
	}
	doc := map[string]any{}
	c := *e
	c.plainFor = nil
	base := doc
	bare := e.f != nil && e.f.bare
	if e.sp.yamlNames() {
		if err := c.named(p, v, doc); err != nil {
			return nil, err
		}
	} else {
		if !bare {
			base = descend(doc, p.base, e.mapKey)
		}
		if err := c.nested(p, v, doc, base, bare); err != nil {
			return nil, err
		}
	}
	if a, ok := asAfterEncoder(v); ok {
		if err := a.AfterEncodeWire(&c, base); err != nil {
			return nil, err
		}
	}
	if p.bindings != nil {
		c.bind(p, v, base)
	}
	prune(doc, p.base)
	if len(doc) == 0 && !force && !(e.f != nil && e.f.keep && !e.sp.yamlNames()) {
		return Omit, nil
	}
	return doc, nil
}

func asAfterEncoder(v reflect.Value) (AfterEncoder, bool) {
	if v.CanInterface() {
		if a, ok := v.Interface().(AfterEncoder); ok {
			return a, true
		}
	}
	return nil, false
}

// prune takes off the base again when nothing came into it.
func prune(doc map[string]any, base []string) {
	for n := len(base); n > 0; n-- {
		m := doc
		for _, s := range base[:n-1] {
			m, _ = m[s].(map[string]any) // nil is fine: nothing to delete then
		}
		if inner, ok := m[base[n-1]].(map[string]any); ok && len(inner) == 0 {
			delete(m, base[n-1])
		}
	}
}

func (e *Encoding) mapKey(s string) string {
	if e.sp == Snake {
		return SnakeCase(s)
	}
	return s
}

// descend finds or makes the mapping below m.
func descend(m map[string]any, segs []string, key func(string) string) map[string]any {
	for _, s := range segs {
		k := key(s)
		next, ok := m[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[k] = next
		}
		m = next
	}
	return m
}

// named writes a struct flat, under its YAML names.
func (e *Encoding) named(p *plan, v reflect.Value, m map[string]any) error {
	var order []string
	put := func(k string, x any) {
		if _, had := m[k]; !had {
			order = append(order, k)
		}
		m[k] = x
	}
	for _, k := range sortedKeys(p.layout.YAML) {
		put(k, p.layout.YAML[k])
	}
	for _, f := range p.fields {
		if (f.yamlRO && !e.ro) || (e.sp != YAML && f.restRO && !e.ro) {
			continue
		}
		if !f.inlined && f.key(e.sp) == "" {
			continue
		}
		c := *e
		c.f, c.sp = f, f.inner(e.sp)
		if f.inlined {
			c.sp = e.sp
		}
		fv, ok := fieldByIndex(v, f.index)
		if !ok {
			continue
		}
		out, err := c.value(fv, false)
		if err != nil {
			return fmt.Errorf("%s: %w", f.label(), err)
		}
		if out == Omit {
			continue
		}
		if !f.inlined {
			put(f.key(e.sp), out)
			continue
		}
		inner, ok := out.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: an inlined field is a mapping", f.label())
		}
		for _, k := range e.keysOf(inner) {
			put(k, inner[k])
		}
	}
	if p.extra != nil {
		if fv, ok := fieldByIndex(v, p.extra.index); ok {
			for _, k := range sortedKeys(fv.Interface()) {
				out, err := e.tree(fv.MapIndex(reflect.ValueOf(k)).Interface())
				if err != nil {
					return err
				}
				if _, had := m[k]; !had {
					put(k, out)
				}
			}
		}
	}
	e.remember(m, order)
	return nil
}

func (f *field) label() string {
	if f.yaml != "" {
		return f.yaml
	}
	return f.name
}

func (e *Encoding) remember(m map[string]any, order []string) {
	if e.order != nil {
		e.order[reflect.ValueOf(m).Pointer()] = order
	}
}

// keysOf are the keys of a mapping in the order in which they were written; those nobody ordered come last, sorted.
func (e *Encoding) keysOf(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	seen := map[string]bool{}
	if e.order != nil {
		for _, k := range e.order[reflect.ValueOf(m).Pointer()] {
			if _, ok := m[k]; ok && !seen[k] {
				keys = append(keys, k)
				seen[k] = true
			}
		}
	}
	n := len(keys)
	for k := range m {
		if !seen[k] {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys[n:])
	return keys
}

// nested writes a struct by its REST paths. doc is the kind's document, base where the layout's base is.
func (e *Encoding) nested(p *plan, v reflect.Value, doc, base map[string]any, bare bool) error {
	for _, fx := range p.fixed {
		at := base
		if fx.root {
			if bare {
				continue
			}
			at = doc
		}
		last := len(fx.segs) - 1
		m := descend(at, fx.segs[:last], e.mapKey)
		m[e.mapKey(fx.segs[last])] = fx.value
		if e.tagged {
			mark(m, fx.segs[last], fx.value)
		}
	}
	for _, f := range p.fields {
		if f.json == "" || (f.restRO && !e.ro) || (f.restRoot && bare) {
			continue
		}
		c := *e
		c.f = f
		fv, ok := fieldByIndex(v, f.index)
		if !ok {
			continue
		}
		out, err := c.value(fv, false)
		if err != nil {
			return fmt.Errorf("%s: %w", f.label(), err)
		}
		if out == Omit {
			continue
		}
		at := base
		if f.restRoot {
			at = doc
		}
		if f.spread || len(f.rest) == 0 {
			m, ok := out.(map[string]any)
			if !ok {
				return fmt.Errorf("%s: only an object can be spread", f.label())
			}
			merge(at, m)
			continue
		}
		last := len(f.rest) - 1
		m := descend(at, f.rest[:last], e.mapKey)
		k := e.mapKey(f.rest[last])
		if old, ok := m[k].(map[string]any); ok {
			if add, ok := out.(map[string]any); ok {
				merge(old, add)
				continue
			}
		}
		m[k] = out
	}
	if p.extra != nil && p.extra.json != "" {
		if fv, ok := fieldByIndex(v, p.extra.index); ok {
			for _, k := range sortedKeys(fv.Interface()) {
				out, err := e.tree(fv.MapIndex(reflect.ValueOf(k)).Interface())
				if err != nil {
					return err
				}
				if _, had := base[k]; !had {
					base[k] = out
				}
			}
		}
	}
	return nil
}

// merge adds what is in m to into, mappings key by key.
func merge(into, m map[string]any) {
	for k, x := range m {
		if k == markKey {
			old, _ := into[k].(string)
			into[k] = old + x.(string)
			continue
		}
		if a, ok := into[k].(map[string]any); ok {
			if b, ok := x.(map[string]any); ok {
				merge(a, b)
				continue
			}
		}
		into[k] = x
	}
}

// fieldByIndex is Value.FieldByIndex without its panic on nil embedded pointers.
func fieldByIndex(v reflect.Value, index []int) (reflect.Value, bool) {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v, true
}

// bind puts the expressions of a node where they belong.
func (e *Encoding) bind(p *plan, v reflect.Value, m map[string]any) {
	fv, ok := fieldByIndex(v, p.bindings.index)
	if !ok {
		return
	}
	b := fv.Interface().(Bindings)
	for _, path := range sortedKeys(b) {
		top := *e
		top.plainFor = p.typ
		segs := top.written(p.typ, strings.Split(path, "."))
		last := len(segs) - 1
		at := descend(m, segs[:last], func(s string) string { return s })
		at[segs[last]] = b[path]
	}
}

// written turns a path of YAML names below a type into the keys of the present spelling.
func (e *Encoding) written(t reflect.Type, segs []string) []string {
	if len(segs) == 0 {
		return nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Map || t.Kind() == reflect.Slice {
		return append([]string{segs[0]}, e.written(t.Elem(), segs[1:])...)
	}
	if t.Kind() != reflect.Struct || implements(t, encoderType) && t != e.plainFor {
		return segs
	}
	p := planOf(t)
	if p.union != nil {
		for _, a := range p.union.arms {
			if planOf(a.typ).byYAML[segs[0]] != nil {
				return e.written(a.typ, segs)
			}
		}
		return segs
	}
	f := p.byYAML[segs[0]]
	if f == nil {
		return segs
	}
	c := *e
	c.sp, c.plainFor = f.inner(e.sp), nil
	rest := c.written(f.typ, segs[1:])
	if e.sp.yamlNames() {
		return append([]string{f.key(e.sp)}, rest...)
	}
	keys := make([]string, 0, len(f.rest)+len(rest))
	for _, s := range f.rest {
		keys = append(keys, e.mapKey(s))
	}
	return append(keys, rest...)
}

func (e *Encoding) oneOf(u *unionPlan, v reflect.Value, force bool) (any, error) {
	var set *unionArm
	for i := range u.arms {
		a := &u.arms[i]
		if v.FieldByIndex(a.index).IsNil() {
			continue
		}
		if set != nil {
			return nil, fmt.Errorf("wire: both %s and %s are set; %v is one of them", set.name, a.name, v.Type())
		}
		set = a
	}
	if set == nil {
		if u.other != nil {
			if raw := v.FieldByIndex(u.other).Interface().(Raw); raw != nil {
				m := cloneTree(map[string]any(raw)).(map[string]any)
				if e.tagged && u.REST != "" {
					mark(m, u.REST, m[u.REST])
				}
				return m, nil
			}
		}
		if force && e.f == nil {
			return map[string]any{}, nil
		}
		return Omit, nil
	}
	c := *e
	c.plainFor = nil
	out, err := c.value(v.FieldByIndex(set.index), true)
	if err != nil {
		return nil, err
	}
	m, ok := out.(map[string]any)
	if !ok {
		if out == Omit {
			m = map[string]any{}
		} else {
			return nil, fmt.Errorf("wire: %v.%s is no object", v.Type(), set.name)
		}
	}
	key, val := u.REST, set.rest
	if e.sp.yamlValues() {
		key, val = u.YAML, set.yaml
	}
	if key != "" && val != "" {
		k := key
		if !e.sp.yamlValues() {
			k = e.mapKey(key)
		}
		if _, had := m[k]; !had && e.order != nil {
			ptr := reflect.ValueOf(m).Pointer()
			e.order[ptr] = append([]string{k}, e.order[ptr]...)
		}
		m[k] = val
		if e.tagged && !e.sp.yamlValues() {
			mark(m, k, val)
		}
	} else if e.tagged {
		mark(m, "arm", set.name)
	}
	return m, nil
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
