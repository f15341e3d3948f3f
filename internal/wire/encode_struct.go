package wire

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
)

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
	if !e.sp.yamlNames() { // a YAML key may have the base's name
		prune(doc, p.base)
	}
	if len(doc) == 0 && !force && !e.keepEmpty() {
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

func (e *Encoding) mapKey(s string) string { return restKey(e.sp, s) }

// restKey is an element of a REST path in a spelling. One that begins with `=` is never turned to snake case.
func restKey(sp Spelling, s string) string {
	if strings.HasPrefix(s, "=") {
		return s[1:]
	}
	if sp == Snake {
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
		if f.yamlRO && !e.ro {
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
		if out == Omit && f.empty && wroteEmpty(f, v) {
			out = ""
		}
		if out == Omit {
			continue
		}
		out = retype(f, v, out)
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
		e.order[reflect.ValueOf(m).Pointer()] = ordered{m, order}
	}
}

// keysOf are the keys of a mapping in the order in which they were written; those nobody ordered come last, sorted.
func (e *Encoding) keysOf(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	seen := map[string]bool{}
	if e.order != nil {
		for _, k := range e.order[reflect.ValueOf(m).Pointer()].keys {
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
			mark(m, e.mapKey(fx.segs[last]), fx.value)
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
		if out == Omit && f.empty && wroteEmpty(f, v) {
			out = ""
		}
		if out == Omit {
			continue
		}
		out = retype(f, v, out)
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
		if force {
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
			e.order[ptr] = ordered{m, append([]string{k}, e.order[ptr].keys...)}
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
