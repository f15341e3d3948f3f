package wire

import (
	"fmt"
	"reflect"
	"strings"
)

// structure reads a mapping into a struct.
func (d *Decoding) structure(n *Node, v reflect.Value) {
	p := planOf(v.Type())
	if d.sp == YAML && n.Kind == String && strings.HasPrefix(n.Text, "file:") {
		if n = d.Open(n, n.Text); n == nil {
			return
		}
	}
	if n.Kind != Mapping {
		d.Fault(n, "wants a mapping, not %s", n.describe())
		return
	}
	c := *d
	c.plainFor = nil
	if p.union != nil {
		c.oneOf(p.union, n, v)
		return
	}
	if p.bindings != nil {
		c.bind = &binder{to: Bindings{}, depth: len(d.path)}
	}
	if d.sp.yamlNames() {
		c.f = nil
		c.named(p, n, v, nil)
	} else {
		c.nested(p, n, v)
	}
	if p.bindings != nil && len(c.bind.to) > 0 {
		v.FieldByIndex(p.bindings.index).Set(reflect.ValueOf(c.bind.to))
	}
	c.noteTyped(p, n, v)
	c.noteEmpty(p, n, v)
	if a, ok := v.Addr().Interface().(AfterDecoder); ok {
		a.AfterDecodeWire(&c, n)
	}
}

// lookup finds the field that a key of YAML, a node or a specification belongs to.
func (p *plan) lookup(sp Spelling, key string) *field {
	switch sp {
	case NodeJSON:
		return p.byNode[key]
	case Spec:
		for _, f := range p.fields {
			if f.spec == key && !f.inlined {
				return f
			}
		}
		return nil
	}
	return p.byYAML[key]
}

// named reads a struct whose keys are YAML names. outer are keys that an enclosing struct has taken already.
func (d *Decoding) named(p *plan, n *Node, v reflect.Value, outer map[string]bool) {
	taken := map[string]bool{}
	for k := range outer {
		taken[k] = true
	}
	seen := make(map[*field]bool, len(n.Entries))
	for i := range n.Entries {
		e := &n.Entries[i]
		if outer[e.Key] {
			continue
		}
		f := p.lookup(d.sp, e.Key)
		if f == nil {
			if want, ok := p.layout.YAML[e.Key]; ok {
				taken[e.Key] = true
				if s, isText := e.Value.Str(); !isText || fold(s) != fold(fmt.Sprint(want)) {
					d.At(e.Key).Fault(e.Value, "is %q here, not %s", want, e.Value.describe())
				}
			}
			continue
		}
		taken[e.Key] = true
		seen[f] = true
		if f.yamlRO && d.strict {
			continue
		}
		c := d.At(e.Key)
		c.f, c.sp = f, f.inner(d.sp)
		c.value(e.Value, fieldAlloc(v, f.index))
	}
	for _, f := range p.inline {
		d.inlined(f, n, v, taken)
	}
	if p.extra != nil {
		m := map[string]any{}
		for _, e := range n.Entries {
			if taken[e.Key] {
				continue
			}
			taken[e.Key] = true
			if meant := d.misspelt(p, n, v, e.Key); meant != "" {
				d.At(e.Key).Fault(e.At, "unknown field; did you mean %q?", meant)
				continue
			}
			m[e.Key] = e.Value.Tree()
		}
		if len(m) > 0 {
			fieldAlloc(v, p.extra.index).Set(reflect.ValueOf(m))
		}
	}
	if !d.strict {
		return
	}
	for _, f := range p.fields {
		if f.required && !seen[f] && f.key(d.sp) != "" && !(d.bind != nil && d.bound(f)) {
			d.Fault(n, "the required field %q is missing", f.key(d.sp))
		}
	}
	if outer != nil {
		for k := range taken {
			outer[k] = true
		}
		return // the enclosing struct reports what is left
	}
	if p.layout.IgnoreUnknown {
		return
	}
	for i := range n.Entries {
		e := &n.Entries[i]
		if taken[e.Key] || e.Key == "$schema" {
			continue
		}
		hint := ""
		if d.load.hints++; d.load.hints <= maxHints {
			hint = suggest(e.Key, d.known(p, v))
		}
		d.At(e.Key).Fault(e.At, "unknown field%s", hint)
	}
}

// misspelt is the key that was meant by one that a struct with room for unknown keys does not know: one that is very near,
// and does not stand there itself. Others are taken as they are.
func (d *Decoding) misspelt(p *plan, n *Node, v reflect.Value, key string) string {
	if !d.strict || d.sp != YAML || p.anyKey || len(key) < 4 {
		return ""
	}
	if d.load.hints++; d.load.hints > maxHints {
		return ""
	}
	k := Nearest(key, d.known(p, v))
	if k == "" || n.Has(k) || distance(fold(key), fold(k)) > 1+len(key)/8 {
		return ""
	}
	return k
}

func (d *Decoding) bound(f *field) bool {
	_, ok := d.bind.to[strings.Join(append(d.path[d.bind.depth:], f.yaml), ".")]
	return ok
}

// known are the keys that a struct takes, for suggestions.
func (d *Decoding) known(p *plan, v reflect.Value) []string {
	var out []string
	for _, f := range p.fields {
		if k := f.key(d.sp); k != "" && !f.yamlRO {
			out = append(out, k)
		}
	}
	for k := range p.layout.YAML {
		out = append(out, k)
	}
	for _, f := range p.inline {
		fv, ok := fieldByIndex(v, f.index)
		for ok && (fv.Kind() == reflect.Interface || fv.Kind() == reflect.Pointer) {
			if fv.IsNil() {
				ok = false
				break
			}
			fv = fv.Elem()
		}
		if !ok || fv.Kind() != reflect.Struct {
			continue
		}
		if ip := planOf(fv.Type()); ip.union == nil {
			out = append(out, d.known(ip, fv)...)
		} else {
			for _, a := range ip.union.arms {
				if av := fv.FieldByIndex(a.index); !av.IsNil() {
					out = append(out, d.known(planOf(a.typ), av.Elem())...)
				}
			}
		}
	}
	return out
}

// inlined reads a field whose keys stand among those of the enclosing mapping.
func (d *Decoding) inlined(f *field, n *Node, v reflect.Value, taken map[string]bool) {
	fv := fieldAlloc(v, f.index)
	c := *d
	c.f = f
	switch {
	case fv.Kind() == reflect.Interface:
		s := sumOf(fv.Type())
		if s == nil {
			panic(fmt.Sprintf("wire: %v is not registered: RegisterSum", fv.Type()))
		}
		x := c.pick(s, n)
		if s.YAML != "" {
			taken[s.YAML] = true
		}
		if x == nil {
			for _, e := range n.Entries { // which keys are right is not known then
				taken[e.Key] = true
			}
			return
		}
		xv := reflect.ValueOf(x)
		if dec, ok := x.(Decoder); ok {
			dec.DecodeWire(&c, n)
		} else {
			c.named(planOf(xv.Elem().Type()), n, xv.Elem(), taken)
			c.after(xv.Elem(), n)
		}
		fv.Set(xv)
	case fv.Kind() == reflect.Pointer:
		x := reflect.New(fv.Type().Elem())
		before := len(taken)
		c.inlinedStruct(n, x.Elem(), taken)
		if len(taken) > before && !x.Elem().IsZero() {
			fv.Set(x)
		}
	default:
		c.inlinedStruct(n, fv, taken)
	}
}

func (d *Decoding) inlinedStruct(n *Node, v reflect.Value, taken map[string]bool) {
	p := planOf(v.Type())
	if p.union == nil {
		d.named(p, n, v, taken)
		d.after(v, n)
		return
	}
	a := d.pickArm(p.union, n, false)
	if p.union.YAML != "" && n.Has(p.union.YAML) {
		taken[p.union.YAML] = true
	}
	if a == nil {
		return
	}
	x := reflect.New(a.typ)
	d.named(planOf(a.typ), n, x.Elem(), taken)
	d.after(x.Elem(), n)
	v.FieldByIndex(a.index).Set(x)
}

func (d *Decoding) after(v reflect.Value, n *Node) {
	if a, ok := v.Addr().Interface().(AfterDecoder); ok {
		a.AfterDecodeWire(d, n)
	}
}

// fieldAlloc is FieldByIndex that makes embedded pointers.
func fieldAlloc(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}

// nested reads a struct by its REST paths.
func (d *Decoding) nested(p *plan, n *Node, v reflect.Value) {
	bare := d.f != nil && d.f.bare
	base := n
	if !bare {
		base = n.Get(d.mapKeys(p.base)...)
	}
	var taken map[string]bool
	if p.extra != nil {
		taken = map[string]bool{}
		for _, fx := range p.fixed {
			if !fx.root {
				taken[d.mapKeys(fx.segs[:1])[0]] = true
			}
		}
	}
	for _, f := range p.fields {
		if f.json == "" || f.restRoot && bare {
			continue
		}
		at := base
		if f.restRoot {
			at = n
		}
		if !f.spread {
			segs := d.mapKeys(f.rest)
			if taken != nil && !f.restRoot {
				taken[segs[0]] = true
			}
			at = at.Get(segs...)
		}
		if at.IsNull() && !(at != nil && implements(f.typ, decoderType)) {
			continue
		}
		c := d.At(f.label())
		c.f = f
		if f.spread {
			c.path = d.path
		}
		c.value(at, fieldAlloc(v, f.index))
	}
	if p.extra == nil || p.extra.json == "" || base == nil || base.Kind != Mapping {
		return
	}
	m := map[string]any{}
	for _, e := range base.Entries {
		if !taken[e.Key] {
			m[e.Key] = e.Value.Tree()
		}
	}
	if len(m) > 0 {
		fieldAlloc(v, p.extra.index).Set(reflect.ValueOf(m))
	}
}

func (d *Decoding) oneOf(u *unionPlan, n *Node, v reflect.Value) {
	a := d.pickArm(u, n, true)
	if a == nil {
		if !d.strict && u.other != nil && n.Kind == Mapping && len(n.Entries) > 0 {
			v.FieldByIndex(u.other).Set(reflect.ValueOf(Raw(n.Tree().(map[string]any))))
		}
		return
	}
	x := reflect.New(a.typ)
	key := u.REST
	if d.sp.yamlNames() {
		key = u.YAML
	}
	c := *d
	c.f = nil
	if ap := planOf(a.typ); key != "" && d.sp.yamlNames() && ap.lookup(d.sp, key) == nil {
		if _, fixed := ap.layout.YAML[key]; !fixed {
			n = n.Without(key)
		}
	}
	c.value(n, x.Elem())
	v.FieldByIndex(a.index).Set(x)
}

// pickArm chooses the arm of a one-of struct. Without a discriminator in YAML the keys decide: the first arm that has them
// all, else the one that has most.
func (d *Decoding) pickArm(u *unionPlan, n *Node, report bool) *unionArm {
	if d.sp.yamlNames() {
		return d.pickArmYAML(u, n, report)
	}
	key := u.REST
	if d.sp == Snake {
		key = SnakeCase(key)
	}
	if s, ok := n.Get(key).Str(); ok {
		for i := range u.arms {
			if u.arms[i].rest == s {
				return &u.arms[i]
			}
		}
		for i := range u.arms {
			if fold(u.arms[i].rest) == fold(s) {
				return &u.arms[i]
			}
		}
		return nil
	}
	if key == "" {
		return u.byKeys(n, func(p *plan, k string) bool {
			for _, f := range p.fields {
				if len(f.rest) > 0 && d.mapKeys(f.rest[:1])[0] == k {
					return true
				}
			}
			return false
		})
	}
	return nil
}

func (d *Decoding) pickArmYAML(u *unionPlan, n *Node, report bool) *unionArm {
	names := make([]string, len(u.arms))
	for i, a := range u.arms {
		names[i] = a.yaml
	}
	name := ""
	var at *Node
	if u.Pick != nil {
		name = u.Pick(n)
	}
	if name == "" && u.YAML != "" {
		at = n.Get(u.YAML)
		switch s, ok := at.Str(); {
		case ok:
			name = s
		case at != nil:
			d.At(u.YAML).Fault(at, "wants one of %s, not %s", oneOfList(names), at.describe())
			return nil
		default:
			name = u.Default
		}
		if name == "" {
			if report {
				d.Fault(n, "the required field %q is missing: %s", u.YAML, oneOfList(names))
			}
			return nil
		}
	}
	if name != "" {
		for i := range u.arms {
			if fold(u.arms[i].yaml) == fold(name) {
				return &u.arms[i]
			}
			for _, a := range u.arms[i].aliases {
				if a == fold(name) {
					return &u.arms[i]
				}
			}
		}
		if at == nil {
			at = n
		}
		d.At(u.YAML).Fault(at, "%q is none of %s%s", name, oneOfList(names), suggest(name, names))
		return nil
	}
	return u.byKeys(n, func(p *plan, k string) bool { return p.lookup(d.sp, k) != nil })
}

func (u *unionPlan) byKeys(n *Node, has func(*plan, string) bool) *unionArm {
	var best *unionArm
	most := -1
	if len(n.Entries) == 0 {
		for i := range u.arms {
			if len(planOf(u.arms[i].typ).fields) == 0 {
				return &u.arms[i]
			}
		}
	}
	for i := range u.arms {
		p := planOf(u.arms[i].typ)
		hits := 0
		for _, e := range n.Entries {
			if has(p, e.Key) {
				hits++
			}
		}
		if hits == len(n.Entries) && hits > 0 {
			return &u.arms[i]
		}
		if hits > most {
			best, most = &u.arms[i], hits
		}
	}
	return best
}
