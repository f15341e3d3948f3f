package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Check looks a kind's declaration over, and those of all structs in it: tags and options, tables that name no field, two
// fields in one place, interfaces that nobody registered. Every kind's test calls it with an empty value.
func Check(v any) error {
	c := &checker{seen: map[reflect.Type]bool{}}
	t := reflect.TypeOf(v)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	c.typ(t)
	return errors.Join(c.errs...)
}

type checker struct {
	seen map[reflect.Type]bool
	errs []error
}

func (c *checker) errorf(format string, a ...any) { c.errs = append(c.errs, fmt.Errorf(format, a...)) }

func (c *checker) typ(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		if t == rawType || t == bindingsType {
			return
		}
		t = t.Elem()
	}
	if c.seen[t] || t == timeType || t == durationType || t == docType {
		return
	}
	c.seen[t] = true
	encodes, decodes := implements(t, encoderType), implements(t, decoderType)
	if encodes != decodes {
		c.errorf("%v: an Encoder is a Decoder, and the other way round", t)
	}
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() == 0 || encodes {
			return
		}
		s := sumOf(t)
		if s == nil {
			c.errorf("%v is not registered", t)
			return
		}
		for _, a := range s.Arms {
			c.typ(a.typ)
		}
	case reflect.Struct:
		p, err := makePlan(t)
		if err != nil {
			if !encodes || errors.Is(err, errSwallows) {
				c.errs = append(c.errs, err)
			}
			return
		}
		if p.union != nil {
			c.union(t, p.union)
			return
		}
		c.places(t, p)
		c.hooks(t)
		for _, f := range p.fields {
			c.typ(f.typ)
		}
	}
}

// hooks tells of the last touches of embedded structs that Go does not promote because two have one.
func (c *checker) hooks(t reflect.Type) {
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.Anonymous || sf.Type.Kind() != reflect.Struct {
			continue
		}
		for _, hook := range []reflect.Type{reflect.TypeFor[AfterEncoder](), reflect.TypeFor[AfterDecoder]()} {
			if implements(sf.Type, hook) && !implements(t, hook) {
				c.errorf("%v: the %v of %v is not promoted; write one that calls it", t, hook.Name(), sf.Type)
			}
		}
	}
}

func (c *checker) union(t reflect.Type, u *unionPlan) {
	yaml, rest := map[string]string{}, map[string]string{}
	for _, a := range u.arms {
		if old := yaml[fold(a.yaml)]; old != "" && u.YAML != "" {
			c.errorf("%v: %s and %s are both %q in YAML", t, old, a.name, a.yaml)
		}
		if old := rest[a.rest]; old != "" && u.REST != "" {
			c.errorf("%v: %s and %s are both %q in REST", t, old, a.name, a.rest)
		}
		yaml[fold(a.yaml)], rest[a.rest] = a.name, a.name
		c.typ(a.typ)
	}
}

// places tells of fields that stand in one place, or one inside another.
func (c *checker) places(t reflect.Type, p *plan) {
	at := map[string]string{}
	for _, fx := range p.fixed {
		at[c.place(p, fx.segs, fx.root)] = "a fixed value"
	}
	for _, f := range p.fields {
		if f.json == "" || f.spread {
			continue
		}
		place := c.place(p, f.rest, f.restRoot)
		if old, twice := at[place]; twice {
			c.errorf("%v: %s and %s are both at %s in REST", t, old, f.name, place)
		}
		at[place] = f.name
	}
	for place, name := range at {
		for up := place; ; {
			i := strings.LastIndexByte(up, '/')
			if i <= 0 {
				break
			}
			up = up[:i]
			if holder, ok := at[up]; ok && !c.mapping(p, holder) {
				c.errorf("%v: %s is at %s, inside %s, which is no object", t, name, place, holder)
			}
		}
	}
	if p.extra != nil && p.extra.typ != reflect.TypeFor[map[string]any]() {
		c.errorf("%v.%s: extra keys go into a map[string]any", t, p.extra.name)
	}
}

func (c *checker) mapping(p *plan, name string) bool {
	for _, f := range p.fields {
		if f.name == name {
			k := f.typ.Kind()
			return k == reflect.Map || k == reflect.Struct || k == reflect.Pointer || k == reflect.Interface
		}
	}
	return false
}

func (c *checker) place(p *plan, segs []string, root bool) string {
	all := segs
	if !root {
		all = append(append([]string(nil), p.base...), segs...)
	}
	keys := make([]string, len(all))
	for i, s := range all {
		keys[i] = restKey(REST, s)
	}
	return "/" + strings.Join(keys, "/")
}
