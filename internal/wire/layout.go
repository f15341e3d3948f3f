package wire

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// A Layout says where a struct's REST form nests differently from its YAML. It is declared once, beside the struct, in a
// package variable, and handed out by the struct's WireLayout method (value receiver). A struct without one is laid out
// by its tags alone.
type Layout struct {
	// Name is what faults call the kind: "command job". Only kinds need it.
	Name string
	// Base is where the struct's fields go in the REST document: "properties", "properties/properties". "" is the
	// document itself.
	Base string
	// At is the table YAML name → REST path, for the fields whose path is not their json tag. A path is relative to
	// Base ("scaleSettings/minNodeCount"), or starts from the document ("/tags", "/sku/capacity"), or is "." when the
	// field's own object is spread out over Base. An element that begins with "=" keeps its case inside pipeline nodes
	// ("properties/=logDir"). A field without a YAML name is called by its Go name.
	At Table
	// YAML are keys with a fixed value: {"type": "command"}. They are written, and on reading they may be missing or
	// must have that value.
	YAML Fixed
	// REST are paths with a fixed value, as those of At: {"jobType": "Command", "/sku/name": "Default"}.
	REST Fixed
	// IgnoreUnknown lets YAML keys pass that no field has.
	IgnoreUnknown bool
}

// Table maps YAML names to REST paths.
type Table map[string]string

// Fixed maps names or paths to their one value.
type Fixed map[string]any

// Laid is implemented by structs with a Layout.
type Laid interface{ WireLayout() *Layout }

// A Union describes a one-of struct: every exported pointer field is an arm, whose yaml and json tags are the values of
// the discriminator. At most one arm is set. A field of type Raw tagged `json:"*"` keeps an arm that nobody knows.
type Union struct {
	YAML string // the discriminator's key in YAML; "" when the arm is known by its keys
	REST string // the discriminator's key in REST
	// Default is the YAML value that is meant when the key is missing; "" makes the key required.
	Default string
	// Pick chooses the arm (its YAML value) by another rule; "" leaves it to the rules above.
	Pick func(n *Node) string
}

// OneOf is implemented (value receiver) by one-of structs.
type OneOf interface{ WireUnion() *Union }

// An Arm is one type of a sealed interface.
type Arm struct {
	YAML string // value of the YAML discriminator
	REST string // value of the REST discriminator
	typ  reflect.Type
	ptr  bool
}

// ArmOf names an arm that is used through a pointer (*T implements the interface).
func ArmOf[T any](yaml, rest string) Arm {
	return Arm{YAML: yaml, REST: rest, typ: reflect.TypeFor[T](), ptr: true}
}

// A Sum describes a sealed interface: the switch that its values are decoded by. Its arms are kinds with a Layout, which
// write the discriminators themselves (Layout.YAML and Layout.REST).
type Sum struct {
	Name    string // what faults call it: "job", "datastore"
	YAML    string // the discriminator's key in YAML
	Default string // the YAML value that is meant when the key is missing
	REST    string // the discriminator's path from the document: "properties/jobType"; where the value is nested bare, its last element
	Arms    []Arm
	// Unknown makes the value that keeps a document whose discriminator no arm has: a pointer to a struct with a Raw
	// field tagged `json:"."`, or a Decoder. Only reading REST makes one.
	Unknown func() any
	// Text makes a value of a plain string (an asset reference); nil refuses strings other than `file:` ones.
	Text func(d *Decoding, n *Node, s string) (any, bool)
	// Pick chooses the arm by another rule and returns a pointer to an empty value of it; nil leaves it to the
	// discriminator. It may report faults.
	Pick func(d *Decoding, n *Node) any
}

var sums sync.Map // reflect.Type → *Sum

// RegisterSum ties a Sum to its interface type. Call it once, from a package variable:
//
//	var _ = wire.RegisterSum[Spec](&wire.Sum{…})
//
// Two registrations of one type panic.
func RegisterSum[I any](s *Sum) *Sum {
	t := reflect.TypeFor[I]()
	if t.Kind() != reflect.Interface {
		panic("wire: RegisterSum: " + t.String() + " is no interface")
	}
	for _, a := range s.Arms {
		if pt := reflect.PointerTo(a.typ); !pt.Implements(t) {
			panic(fmt.Sprintf("wire: RegisterSum: %v does not implement %v", pt, t))
		}
	}
	if _, twice := sums.LoadOrStore(t, s); twice {
		panic("wire: RegisterSum: " + t.String() + " is registered twice")
	}
	return s
}

func sumOf(t reflect.Type) *Sum {
	if s, ok := sums.Load(t); ok {
		return s.(*Sum)
	}
	return nil
}

// An Enum is the table of an enumeration's spellings. Values are compared without regard to case, `_`, `-`, `.` and
// blanks; the Go value is the YAML spelling. A value that REST answers and the table lacks is kept as it is.
type Enum struct {
	values []string       // YAML spellings in order, for faults
	rest   map[string]any // YAML spelling → REST value
	byFold map[string]string
	open   bool
	cased  map[string]bool // lower case: what YAML may say; nil is any spelling
}

// Enumeration is implemented (value receiver) by string types with an Enum.
type Enumeration interface{ WireEnum() *Enum }

// NewEnum takes pairs: the YAML spelling and the REST value (mostly a string).
func NewEnum(pairs ...any) *Enum {
	e := &Enum{rest: map[string]any{}, byFold: map[string]string{}}
	if len(pairs)%2 != 0 {
		panic("wire: NewEnum: odd number of values")
	}
	for i := 0; i < len(pairs); i += 2 {
		y := pairs[i].(string)
		e.values = append(e.values, y)
		e.rest[y] = pairs[i+1]
	}
	for _, y := range e.values { // the YAML spellings first: they win over another value's REST spelling
		if old, twice := e.byFold[fold(y)]; twice {
			panic("wire: NewEnum: " + y + " is " + old)
		}
		e.byFold[fold(y)] = y
	}
	for _, y := range e.values {
		if s, ok := e.rest[y].(string); ok {
			if _, taken := e.byFold[fold(s)]; !taken {
				e.byFold[fold(s)] = y
			}
		}
	}
	return e
}

// SameEnum has the same spelling in YAML and REST.
func SameEnum(values ...string) *Enum {
	pairs := make([]any, 0, 2*len(values))
	for _, v := range values {
		pairs = append(pairs, v, v)
	}
	return NewEnum(pairs...)
}

// PascalEnum has snake case in YAML and Pascal case in REST.
func PascalEnum(values ...string) *Enum {
	pairs := make([]any, 0, 2*len(values))
	for _, v := range values {
		pairs = append(pairs, v, PascalCase(v))
	}
	return NewEnum(pairs...)
}

// CamelEnum has snake case in YAML and camel case in REST.
func CamelEnum(values ...string) *Enum {
	pairs := make([]any, 0, 2*len(values))
	for _, v := range values {
		pairs = append(pairs, v, CamelCase(v))
	}
	return NewEnum(pairs...)
}

// Alias lets other spellings stand for a value on reading: Alias("ro_mount", "mount").
func (e *Enum) Alias(value string, others ...string) *Enum {
	for _, o := range others {
		e.byFold[fold(o)] = value
		if e.cased != nil {
			e.cased[strings.ToLower(o)] = true
		}
	}
	return e
}

// Cased has YAML give the values as they are listed, or their aliases, in upper or lower case: not RoMount for ro_mount.
func (e *Enum) Cased() *Enum {
	e.cased = map[string]bool{}
	for _, v := range e.values {
		e.cased[strings.ToLower(v)] = true
	}
	return e
}

// Open lets YAML give values that are not in the table; they go to REST as they are.
func (e *Enum) Open() *Enum { e.open = true; return e }

// Values are the YAML spellings, in the order of the table.
func (e *Enum) Values() []string { return append([]string(nil), e.values...) }

// Parse finds the YAML spelling of s, which may be written any way.
func (e *Enum) Parse(s string) (string, bool) {
	v, ok := e.byFold[fold(s)]
	return v, ok
}

// RESTValue is what REST calls a value; unknown ones are themselves.
func (e *Enum) RESTValue(v string) any {
	if y, ok := e.Parse(v); ok {
		return e.rest[y]
	}
	return v
}

// fromREST finds the YAML spelling of a REST value.
func (e *Enum) fromREST(v any) string {
	if s, ok := v.(string); ok {
		for _, y := range e.values { // exact first: two YAML values may share a folded REST spelling
			if e.rest[y] == s {
				return y
			}
		}
		if y, ok := e.Parse(s); ok {
			return y
		}
		return s
	}
	for _, y := range e.values {
		if fmt.Sprint(e.rest[y]) == fmt.Sprint(v) {
			return y
		}
	}
	return fmt.Sprint(v)
}

// Raw is a piece of REST that is kept as it was: what encoding/json decodes, numbers as json.Number.
type Raw map[string]any

// Bindings are the values of a pipeline node that are `${{…}}` where the struct's field holds no text: YAML path below the
// struct ("resources.instance_count") → expression. A struct that has a field of this type, tagged `yaml:"-" json:"-"`,
// accepts expressions in all its fields, at any depth.
type Bindings map[string]string

// splitPath cuts a path of a Table: its elements, and whether it starts from the document.
func splitPath(p string) (segs []string, root bool) {
	if p == "." {
		return nil, false
	}
	if strings.HasPrefix(p, "/") {
		root, p = true, p[1:]
	}
	if p == "" {
		return nil, root
	}
	return strings.Split(p, "/"), root
}

// ArmTypes are the struct types of a registered interface's arms, for tests that go over all kinds.
func ArmTypes(iface reflect.Type) []reflect.Type {
	s := sumOf(iface)
	if s == nil {
		return nil
	}
	out := make([]reflect.Type, len(s.Arms))
	for i, a := range s.Arms {
		out[i] = a.typ
	}
	return out
}
