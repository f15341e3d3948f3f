package wire

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A plan is what the codec knows of a struct type.
type plan struct {
	typ      reflect.Type
	layout   *Layout // never nil
	base     []string
	fields   []*field
	byYAML   map[string]*field
	byNode   map[string]*field
	inline   []*field // interfaces and one-of structs whose keys stand among this struct's own in YAML
	extra    *field   // map that takes the YAML keys nobody has
	anyKey   bool     // those too that are near to a known one
	bindings *field
	fixed    []fixedPath
	union    *unionPlan
	kind     bool
}

type fixedPath struct {
	segs  []string
	root  bool
	value any
}

// A field is one Go field with its options. See doc.go for the tags.
type field struct {
	index []int
	name  string // Go
	typ   reflect.Type

	yaml, json, node, spec string // "" : not in this spelling

	rest     []string // path in REST, relative to the base
	restRoot bool     // rest starts from the document
	spread   bool     // the value's object is spread over the base

	required, local, yamlRO, restRO, keep, single, text, typed, empty, null, bare, inlined, nodeYAML bool

	unit     time.Duration // of integers in YAML, for durations
	nodeUnit time.Duration // of integers in a node; 0 is ISO 8601
	def      any           // sent when the field is zero
}

type unionPlan struct {
	*Union
	arms  []unionArm
	other []int // index of the Raw arm, nil when there is none
}

type unionArm struct {
	index      []int
	name       string
	yaml, rest string
	aliases    []string     // other YAML values, folded
	typ        reflect.Type // of the struct, behind the pointer
}

var (
	plans        sync.Map // reflect.Type → *plan
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()
	rawType      = reflect.TypeFor[Raw]()
	bindingsType = reflect.TypeFor[Bindings]()
	encoderType  = reflect.TypeFor[Encoder]()
	decoderType  = reflect.TypeFor[Decoder]()
	laidType     = reflect.TypeFor[Laid]()
	oneOfType    = reflect.TypeFor[OneOf]()
	enumType     = reflect.TypeFor[Enumeration]()
	docType      = reflect.TypeFor[Document]()

	documentedType = reflect.TypeFor[Documented]()
)

var errSwallows = errors.New("which spells itself and would swallow it; give the field a name")

// planOf panics when a struct's tags are wrong: that is a fault of the program, which any test of the kind shows.
func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, err := makePlan(t)
	if err != nil {
		panic("wire: " + err.Error())
	}
	got, _ := plans.LoadOrStore(t, p)
	return got.(*plan)
}

func makePlan(t reflect.Type) (*plan, error) {
	p := &plan{typ: t, layout: &Layout{}, byYAML: map[string]*field{}, byNode: map[string]*field{}}
	if t.Implements(laidType) {
		p.layout = reflect.Zero(t).Interface().(Laid).WireLayout()
	}
	p.base, _ = splitPath(p.layout.Base)
	p.kind = p.layout.Name != "" || p.layout.Base != ""
	if t.Implements(oneOfType) {
		u := &unionPlan{Union: reflect.Zero(t).Interface().(OneOf).WireUnion()}
		if err := u.collect(t); err != nil {
			return nil, err
		}
		p.union = u
		return p, nil
	}
	used := map[string]bool{}
	if err := p.collect(t, nil, p.layout.At, used); err != nil {
		return nil, err
	}
	for k := range p.layout.At {
		if !used[k] {
			return nil, fmt.Errorf("%v: the layout places %q, which is no field", t, k)
		}
	}
	for _, f := range p.fields {
		if f.yaml != "" && !f.inlined {
			if p.byYAML[f.yaml] != nil {
				return nil, fmt.Errorf("%v: two fields are %q in YAML", t, f.yaml)
			}
			p.byYAML[f.yaml] = f
		}
		if f.node != "" && !f.inlined {
			p.byNode[f.node] = f
		}
	}
	for path, v := range p.layout.REST {
		segs, root := splitPath(path)
		p.fixed = append(p.fixed, fixedPath{segs, root, v})
	}
	slices.SortFunc(p.fixed, func(a, b fixedPath) int { return slices.Compare(a.segs, b.segs) })
	return p, nil
}

func (p *plan) collect(t reflect.Type, at []int, outer Table, used map[string]bool) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(slices.Clone(at), i)
		if sf.Type == docType {
			continue
		}
		yamlTag, hasYAML := sf.Tag.Lookup("yaml")
		jsonTag, hasJSON := sf.Tag.Lookup("json")
		if sf.Anonymous && !hasYAML && !hasJSON && sf.Type.Kind() == reflect.Struct {
			if implements(sf.Type, encoderType) || implements(sf.Type, decoderType) {
				return fmt.Errorf("%v embeds %v, %w", t, sf.Type, errSwallows)
			}
			table := Table{}
			if sf.Type.Implements(laidType) {
				table = reflect.Zero(sf.Type).Interface().(Laid).WireLayout().At
			}
			merged := Table{}
			for k, v := range table {
				merged[k] = v
			}
			for k, v := range outer {
				merged[k] = v
			}
			if err := p.collect(sf.Type, index, merged, used); err != nil {
				return err
			}
			continue
		}
		if !sf.IsExported() {
			continue
		}
		if sf.Type == bindingsType {
			p.bindings = &field{index: index, name: sf.Name, typ: sf.Type}
			continue
		}
		if !hasYAML || !hasJSON {
			return fmt.Errorf("%v.%s: both tags, yaml and json, are needed", t, sf.Name)
		}
		f, err := parseField(sf, index, yamlTag, jsonTag)
		if err != nil {
			return fmt.Errorf("%v.%s: %w", t, sf.Name, err)
		}
		key := f.yaml
		if key == "" || f.inlined {
			key = sf.Name
		}
		f.rest = []string{f.json}
		switch path, ok := outer[key]; {
		case ok:
			used[key] = true
			f.rest, f.restRoot = splitPath(path)
			f.spread = path == "."
			if f.json == "" {
				f.json = sf.Name
			}
		case f.json == ".":
			f.rest, f.spread = nil, true
		}
		if f.name == "" {
			f.name = sf.Name
		}
		if x, ok := sf.Tag.Lookup("extra"); ok {
			p.extra, p.anyKey = f, x == "any"
			continue
		}
		p.fields = append(p.fields, f)
		if f.inlined {
			p.inline = append(p.inline, f)
		}
	}
	return nil
}

func parseField(sf reflect.StructField, index []int, yamlTag, jsonTag string) (*field, error) {
	f := &field{index: index, name: sf.Name, typ: sf.Type}
	y := strings.Split(yamlTag, ",")
	f.yaml = y[0]
	if f.yaml == "-" {
		f.yaml = ""
	}
	for _, o := range y[1:] {
		switch o {
		case "required":
			f.required = true
		case "local":
			f.local = true
		case "ro":
			f.yamlRO = true
		case "single":
			f.single = true
		case "text":
			f.text = true
		case "typed":
			f.text, f.typed = true, true
		case "empty":
			if sf.Type.Kind() != reflect.String {
				return nil, fmt.Errorf("the option %q is for text", o)
			}
			f.empty = true
		case "null":
			f.null = true
		case "inline":
			f.inlined, f.yaml = true, ""
		case "ms", "seconds", "minutes", "hours", "days":
			f.unit = units[o]
		default:
			return nil, fmt.Errorf("unknown option %q in the yaml tag", o)
		}
	}
	j := strings.Split(jsonTag, ",")
	f.json = j[0]
	if f.json == "-" {
		f.json = ""
	}
	for _, o := range j[1:] {
		name, value, _ := strings.Cut(o, "=")
		switch name {
		case "ro":
			f.restRO = true
		case "keep":
			f.keep = true
		case "bare":
			f.bare = true
		case "default":
			v, err := parseDefault(sf.Type, value)
			if err != nil {
				return nil, err
			}
			f.def = v
		default:
			return nil, fmt.Errorf("unknown option %q in the json tag", o)
		}
	}
	f.node, f.spec = f.yaml, f.yaml
	if tag, ok := sf.Tag.Lookup("node"); ok {
		n := strings.Split(tag, ",")
		switch n[0] {
		case "":
		case "-":
			f.node = ""
		default:
			f.node = n[0]
		}
		for _, o := range n[1:] {
			switch o {
			case "yaml":
				f.nodeYAML = true
			case "ms", "seconds", "minutes", "hours", "days":
				f.nodeUnit = units[o]
			default:
				return nil, fmt.Errorf("unknown option %q in the node tag", o)
			}
		}
	}
	if tag, ok := sf.Tag.Lookup("spec"); ok {
		f.spec = tag
		if tag == "-" {
			f.spec = ""
		}
	}
	return f, nil
}

var units = map[string]time.Duration{"ms": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}

// parseDefault reads the text of a default= option as the field's type has it in REST.
func parseDefault(t reflect.Type, s string) (any, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == durationType || implements(t, enumType) {
		return s, nil
	}
	switch t.Kind() {
	case reflect.Bool:
		return strconv.ParseBool(s)
	case reflect.Int, reflect.Int32, reflect.Int64:
		return strconv.ParseInt(s, 10, 64)
	case reflect.Float64, reflect.Float32:
		return strconv.ParseFloat(s, 64)
	}
	return s, nil
}

func implements(t, i reflect.Type) bool { return t.Implements(i) || reflect.PointerTo(t).Implements(i) }

func (u *unionPlan) collect(t reflect.Type) error {
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		if sf.Type == rawType {
			u.other = sf.Index
			continue
		}
		if sf.Type.Kind() != reflect.Pointer || sf.Type.Elem().Kind() != reflect.Struct {
			return fmt.Errorf("%v.%s: an arm is a pointer to a struct", t, sf.Name)
		}
		y, ok1 := sf.Tag.Lookup("yaml")
		j, ok2 := sf.Tag.Lookup("json")
		if !ok1 || !ok2 {
			return fmt.Errorf("%v.%s: both tags, yaml and json, are needed", t, sf.Name)
		}
		ys := strings.Split(y, ",")
		arm := unionArm{index: sf.Index, name: sf.Name, yaml: ys[0], rest: j, typ: sf.Type.Elem()}
		for _, a := range ys[1:] {
			arm.aliases = append(arm.aliases, fold(a))
		}
		u.arms = append(u.arms, arm)
	}
	return nil
}

// key is the field's name in a spelling whose fields are named as in YAML; "" when it is not there.
func (f *field) key(sp Spelling) string {
	switch sp {
	case NodeJSON:
		return f.node
	case Spec:
		return f.spec
	}
	return f.yaml
}

// inner is the spelling of the field's value.
func (f *field) inner(sp Spelling) Spelling {
	if sp != NodeJSON {
		return sp
	}
	if f.nodeYAML {
		return Spec
	}
	return Snake
}
