package wire

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Decoder is a value type that reads itself (pointer receiver). It reports what is wrong by d.Fault and returns.
type Decoder interface {
	DecodeWire(d *Decoding, n *Node)
}

// An AfterDecoder looks at its struct once it was read from YAML, to report faults that concern several fields, or to set
// what follows from others (pointer receiver). It is called for REST as well: ask d.Spelling.
type AfterDecoder interface {
	AfterDecodeWire(d *Decoding, n *Node)
}

// A Decoding is the state of one reading; Decoders get it to read what is inside them, and to report faults.
type Decoding struct {
	sp       Spelling
	strict   bool // a file: unknown keys and wrong types are faults; what a service says is read as far as it goes
	load     *loader
	f        *field
	path     []string
	bind     *binder
	plainFor reflect.Type
}

type binder struct {
	to    Bindings
	depth int // length of the path at the struct that holds the bindings
}

// Spelling is what is being read.
func (d *Decoding) Spelling() Spelling { return d.sp }

// Strict tells whether a file is being read, whose faults are reported.
func (d *Decoding) Strict() bool { return d.strict }

// Fault reports something wrong at a node. Readings that are not strict drop it.
func (d *Decoding) Fault(n *Node, format string, a ...any) {
	if !d.strict {
		d.load.missed++
		return
	}
	f := &Fault{Field: strings.Join(d.path, "."), Message: fmt.Sprintf(format, a...)}
	if n != nil {
		f.File, f.Line, f.Column = n.File(), n.Line, n.Column
	}
	d.load.faults = append(d.load.faults, f)
}

// Faulty counts the faults so far, dropped ones too: a Decoder that tries something can see whether it went well.
func (d *Decoding) Faulty() int { return len(d.load.faults) + d.load.missed }

// Private tells whether the reference's preview features are let in, LoadOptions.Private.
func (d *Decoding) Private() bool { return d.load.private }

// At is the same reading one step deeper, for faults that name the field.
func (d *Decoding) At(key string) *Decoding {
	c := *d
	c.path = append(slices.Clip(d.path), key)
	c.f = nil
	return &c
}

// As is the same reading in another spelling.
func (d *Decoding) As(sp Spelling) *Decoding {
	c := *d
	c.sp = sp
	return &c
}

// Loose is the same reading without faults.
func (d *Decoding) Loose() *Decoding {
	c := *d
	c.strict = false
	return &c
}

// Into reads a node into what p points to.
func (d *Decoding) Into(n *Node, p any) {
	c := *d
	c.f = nil
	c.value(n, reflect.ValueOf(p).Elem())
}

// Plain reads a struct by its tags although it is a Decoder.
func (d *Decoding) Plain(n *Node, p any) {
	v := reflect.ValueOf(p).Elem()
	c := *d
	c.plainFor = v.Type()
	c.structure(n, v)
}

// Open reads the file that a node names, relative to the file that the node stands in. nil after a fault.
func (d *Decoding) Open(n *Node, path string) *Node { return d.load.open(d, n, path) }

// Text is the string that a node holds. Something else is a fault.
func (d *Decoding) Text(n *Node) (string, bool) {
	if s, ok := n.Str(); ok {
		return s, true
	}
	d.Fault(n, "wants a string, not %s", n.describe())
	return "", false
}

// Nullable says that null may stand where n stands; d is what the field is read by.
func (d *Decoding) nullFault(n *Node) {
	if d.f == nil || !d.f.null {
		d.Fault(n, "is null; leave the key out, or give a value")
	}
}

var bindingPattern = regexp.MustCompile(`^\s*\$\{\{[^{}]*\}\}\s*$`)

// value reads n into v, which can be set.
func (d *Decoding) value(n *Node, v reflect.Value) {
	t := v.Type()
	if v.Kind() == reflect.Pointer {
		if n.IsNull() && !(d.strict && implements(t.Elem(), decoderType)) {
			d.nullFault(n)
			return
		}
		p := reflect.New(t.Elem())
		before := d.Faulty()
		d.value(n, p.Elem())
		if d.Faulty() == before || n.Kind == Mapping && !isScalar(t.Elem()) { // half an object is better than none
			v.Set(p)
		}
		return
	}
	if t != d.plainFor && v.CanAddr() && reflect.PointerTo(t).Implements(decoderType) {
		v.Addr().Interface().(Decoder).DecodeWire(d, n)
		return
	}
	if n.IsNull() && !(v.Kind() == reflect.Interface && t.NumMethod() == 0) {
		d.nullFault(n)
		return
	}
	if d.bind != nil && n.Kind == String && v.Kind() != reflect.String && v.Kind() != reflect.Interface && bindingPattern.MatchString(n.Text) {
		d.bind.to[strings.Join(d.path[d.bind.depth:], ".")] = strings.TrimSpace(n.Text)
		return
	}
	switch t {
	case durationType:
		d.duration(n, v)
		return
	case timeType:
		d.time(n, v)
		return
	case rawType:
		if n.Kind == Mapping {
			v.Set(reflect.ValueOf(Raw(n.Tree().(map[string]any))))
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Interface:
		d.iface(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		d.slice(n, v)
	case reflect.String:
		if t.Implements(enumType) {
			d.enum(n, v)
			return
		}
		d.text(n, v)
	case reflect.Bool:
		d.boolean(n, v)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if i, ok := d.integer(n); ok {
			if v.OverflowInt(i) {
				d.Fault(n, "%d is too large", i)
				return
			}
			v.SetInt(i)
		}
	case reflect.Float32, reflect.Float64:
		d.float(n, v)
	default:
		panic(fmt.Sprintf("wire: %v cannot be read", t))
	}
}

func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice, reflect.Interface:
		return false
	}
	return true
}

func (d *Decoding) text(n *Node, v reflect.Value) {
	s, ok := n.Str()
	if !ok {
		if !n.IsScalar() || d.strict && (d.f == nil || !d.f.text) {
			d.Fault(n, "wants a string, not %s; quote it if it is text", n.describe())
			return
		}
		s = PythonStr(n.Value)
	}
	if d.sp == YAML && d.f != nil && d.f.local {
		s = n.LocalPath(s)
	}
	v.SetString(s)
}

func (d *Decoding) enum(n *Node, v reflect.Value) {
	e := reflect.Zero(v.Type()).Interface().(Enumeration).WireEnum()
	if !d.strict {
		if n.IsScalar() {
			if d.sp.yamlValues() {
				s := PythonStr(n.Value)
				if y, ok := e.Parse(s); ok {
					s = y
				}
				v.SetString(s)
				return
			}
			v.SetString(e.fromREST(n.Value))
		}
		return
	}
	s, ok := n.Str()
	if !ok {
		if n.IsScalar() { // off, on and no are booleans in YAML 1.1; what was written decides
			if y, found := e.Parse(n.Text); found {
				v.SetString(y)
				return
			}
		}
		d.Fault(n, "wants %s, not %s", oneOfList(e.values), n.describe())
		return
	}
	y, ok := e.Parse(s)
	if d.sp == YAML && e.cased != nil && !e.cased[strings.ToLower(s)] {
		ok = false
	}
	switch {
	case ok:
		v.SetString(y)
	case e.open, d.bind != nil && bindingPattern.MatchString(s):
		v.SetString(s)
	default:
		d.Fault(n, "%q is none of %s%s", s, oneOfList(e.values), suggest(s, e.values))
	}
}

func (d *Decoding) boolean(n *Node, v reflect.Value) {
	switch n.Kind {
	case Bool:
		v.SetBool(n.Value.(bool))
		return
	case Int:
		if n.Value == int64(0) || n.Value == int64(1) {
			v.SetBool(n.Value == int64(1))
			return
		}
	case String:
		switch strings.ToLower(n.Text) {
		case "true", "t", "yes", "y", "on", "1":
			v.SetBool(true)
			return
		case "false", "f", "no", "n", "off", "0":
			v.SetBool(false)
			return
		}
	}
	d.Fault(n, "wants true or false, not %s", n.describe())
}

// integer reads whole numbers, as text too; a fraction is cut off as the reference does it only when nothing is lost.
func (d *Decoding) integer(n *Node) (int64, bool) {
	switch x := n.Value.(type) {
	case int64:
		return x, true
	case *big.Int:
		d.Fault(n, "%s is too large", x)
		return 0, false
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<62 {
			return int64(x), true
		}
		d.Fault(n, "wants a whole number, not %s", n.Text)
		return 0, false
	case string:
		s := strings.TrimSpace(x)
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i, true
		}
	}
	d.Fault(n, "wants an integer, not %s", n.describe())
	return 0, false
}

func (d *Decoding) float(n *Node, v reflect.Value) {
	switch x := n.Value.(type) {
	case int64:
		v.SetFloat(float64(x))
		return
	case float64:
		v.SetFloat(x)
		return
	case string:
		if f, err := strconv.ParseFloat(strings.TrimSpace(x), 64); err == nil {
			v.SetFloat(f)
			return
		}
	}
	d.Fault(n, "wants a number, not %s", n.describe())
}

// duration reads ISO 8601, or a number of the field's unit.
func (d *Decoding) duration(n *Node, v reflect.Value) {
	unit := time.Duration(0)
	if d.f != nil {
		unit = d.f.unit
		if d.sp == Snake && d.f.nodeUnit != 0 {
			unit = d.f.nodeUnit
		}
	}
	switch x := n.Value.(type) {
	case int64:
		if unit == 0 {
			break
		}
		if x > math.MaxInt64/int64(unit) || x < math.MinInt64/int64(unit) {
			d.Fault(n, "%d is too long", x)
			return
		}
		v.SetInt(x * int64(unit))
		return
	case float64:
		if unit != 0 && math.Abs(x) < float64(math.MaxInt64/int64(unit)) {
			v.SetInt(int64(math.Round(x * float64(unit))))
			return
		}
	case string:
		if i, err := strconv.ParseInt(strings.TrimSpace(x), 10, 32); err == nil && unit != 0 {
			v.SetInt(i * int64(unit))
			return
		}
		t, err := ParseDuration(x)
		if err == nil {
			v.SetInt(int64(t))
			return
		}
		if unit == 0 {
			d.Fault(n, "%v", err)
			return
		}
	}
	if unit == 0 {
		d.Fault(n, "wants an ISO 8601 duration such as PT1H30M, not %s", n.describe())
		return
	}
	d.Fault(n, "wants a number of %s, not %s", unitName(unit), n.describe())
}

func unitName(u time.Duration) string {
	switch u {
	case time.Millisecond:
		return "milliseconds"
	case time.Second:
		return "seconds"
	case time.Minute:
		return "minutes"
	case time.Hour:
		return "hours"
	}
	return "days"
}

func (d *Decoding) time(n *Node, v reflect.Value) {
	switch x := n.Value.(type) {
	case Timestamp:
		v.Set(reflect.ValueOf(x.Time))
		return
	case string:
		for _, l := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02"} {
			if t, err := time.Parse(l, x); err == nil {
				v.Set(reflect.ValueOf(t))
				return
			}
		}
	}
	d.Fault(n, "wants a time such as 2024-05-01T08:00:00Z, not %s", n.describe())
}

func (d *Decoding) mapping(n *Node, v reflect.Value) {
	if n.Kind != Mapping {
		d.Fault(n, "wants a mapping, not %s", n.describe())
		return
	}
	t := v.Type()
	m := reflect.MakeMapWithSize(t, len(n.Entries))
	for _, e := range n.Entries {
		c := d.At(e.Key)
		c.f = d.f
		if d.strict && e.At != nil && e.At.Kind != String && e.At.Kind != Mapping && t.Elem().Kind() != reflect.Interface {
			c.Fault(e.At, "the key is %s; quote it if it is text", e.At.describe())
			continue
		}
		x := reflect.New(t.Elem()).Elem()
		if e.Value.IsNull() && nilable(t.Elem()) {
			m.SetMapIndex(reflect.ValueOf(e.Key).Convert(t.Key()), x)
			continue
		}
		if e.Value.IsNull() && t.Elem().Kind() == reflect.String && d.f != nil && d.f.null {
			continue // a tag without a value is not sent
		}
		c.value(e.Value, x)
		m.SetMapIndex(reflect.ValueOf(e.Key).Convert(t.Key()), x)
	}
	v.Set(m)
}

// nilable elements of a map may be null: they are pointers, or anything at all.
func nilable(t reflect.Type) bool {
	return t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface && t.NumMethod() == 0
}

func (d *Decoding) slice(n *Node, v reflect.Value) {
	if n.Kind != Sequence {
		if d.f != nil && d.f.single && n.Kind != Mapping {
			s := reflect.MakeSlice(v.Type(), 1, 1)
			c := *d
			c.value(n, s.Index(0))
			v.Set(s)
			return
		}
		d.Fault(n, "wants a list, not %s", n.describe())
		return
	}
	s := reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items))
	for i, x := range n.Items {
		c := d.At(strconv.Itoa(i))
		c.f = d.f
		if x.IsNull() && nilable(v.Type().Elem()) {
			continue
		}
		c.value(x, s.Index(i))
	}
	v.Set(s)
}

// iface reads a sealed interface through its Sum, and `any` as a plain tree.
func (d *Decoding) iface(n *Node, v reflect.Value) {
	t := v.Type()
	if t.NumMethod() == 0 {
		if x := n.Tree(); x != nil {
			v.Set(reflect.ValueOf(x))
		}
		return
	}
	s := sumOf(t)
	if s == nil {
		panic(fmt.Sprintf("wire: %v is not registered: RegisterSum", t))
	}
	if str, ok := n.Str(); ok {
		if d.sp == YAML && strings.HasPrefix(str, "file:") {
			if n = d.Open(n, str); n == nil {
				return
			}
		} else if s.Text != nil {
			if x, ok := s.Text(d, n, str); ok {
				v.Set(reflect.ValueOf(x))
			}
			return
		}
	}
	if n.Kind != Mapping {
		d.Fault(n, "wants a mapping, not %s", n.describe())
		return
	}
	if x := d.pick(s, n); x != nil {
		p := reflect.ValueOf(x)
		d.value(n, p.Elem())
		v.Set(p)
	}
}

// pick makes the empty value of a sum's arm that the document names.
func (d *Decoding) pick(s *Sum, n *Node) any {
	if s.Pick != nil {
		before := d.Faulty()
		if x := s.Pick(d, n); x != nil {
			return x
		}
		if d.strict && d.Faulty() > before {
			return nil
		}
	}
	if d.sp.yamlNames() {
		at := n.Get(s.YAML)
		name := s.Default
		if at != nil {
			str, ok := at.Str()
			if !ok {
				d.At(s.YAML).Fault(at, "wants one of %s, not %s", oneOfList(s.names()), at.describe())
				return nil
			}
			name = str
		}
		if name == "" {
			d.Fault(n, "the key %q is missing, which tells what kind of %s this is: %s", s.YAML, s.Name, oneOfList(s.names()))
			return nil
		}
		for _, a := range s.Arms {
			if fold(a.YAML) == fold(name) {
				return reflect.New(a.typ).Interface()
			}
		}
		if !d.strict && s.Unknown != nil {
			return s.Unknown()
		}
		d.At(s.YAML).Fault(at, "%q is no %s; known are %s%s", name, s.Name, oneOfList(s.names()), suggest(name, s.names()))
		return nil
	}
	segs, _ := splitPath(s.REST)
	if d.f != nil && d.f.bare {
		segs = segs[len(segs)-1:]
	}
	if str, ok := n.Get(d.mapKeys(segs)...).Str(); ok {
		for _, a := range s.Arms {
			if a.REST == str {
				return reflect.New(a.typ).Interface()
			}
		}
		for _, a := range s.Arms {
			if fold(a.REST) == fold(str) {
				return reflect.New(a.typ).Interface()
			}
		}
	}
	if s.Unknown != nil {
		return s.Unknown()
	}
	return nil
}

func (s *Sum) names() []string {
	var out []string
	for _, a := range s.Arms {
		if a.YAML != "" {
			out = append(out, a.YAML)
		}
	}
	return out
}

func (d *Decoding) mapKeys(segs []string) []string {
	if d.sp != Snake && !slices.ContainsFunc(segs, func(s string) bool { return strings.HasPrefix(s, "=") }) {
		return segs
	}
	out := make([]string, len(segs))
	for i, s := range segs {
		out[i] = restKey(d.sp, s)
	}
	return out
}

// Key is a REST name as the present spelling writes it: jobInputType, or job_input_type.
func (d *Decoding) Key(name string) string { return d.mapKeys([]string{name})[0] }
