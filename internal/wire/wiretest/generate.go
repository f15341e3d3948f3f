package wiretest

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
	"pgregory.net/rapid"
)

// An Option tells the generator of a type that it cannot guess.
type Option func(*generator)

// Value says how values of a type are made: for those that spell themselves, whose fields have rules.
func Value[V any](make func(t *rapid.T) V) Option {
	return func(g *generator) {
		g.custom[reflect.TypeFor[V]()] = func(t *rapid.T) reflect.Value { return reflect.ValueOf(make(t)) }
	}
}

// Interface says how values of an interface are made; without it they are pointers to one of its registered arms.
func Interface[I any](make func(t *rapid.T) I) Option {
	return func(g *generator) {
		g.custom[reflect.TypeFor[I]()] = func(t *rapid.T) reflect.Value {
			v := reflect.New(reflect.TypeFor[I]()).Elem()
			if x := reflect.ValueOf(make(t)); x.IsValid() {
				v.Set(x)
			}
			return v
		}
	}
}

// Leave lets fields of that Go name be zero, in all structs.
func Leave(names ...string) Option {
	return func(g *generator) {
		for _, n := range names {
			g.leave[n] = true
		}
	}
}

type generator struct {
	custom   map[reflect.Type]func(*rapid.T) reflect.Value
	leave    map[string]bool
	readOnly bool // read-only fields too
}

func newGenerator(o []Option) *generator {
	g := &generator{custom: map[reflect.Type]func(*rapid.T) reflect.Value{}, leave: map[string]bool{}}
	for _, f := range o {
		f(g)
	}
	return g
}

var (
	duration = reflect.TypeFor[time.Duration]()
	stamp    = reflect.TypeFor[time.Time]()
	document = reflect.TypeFor[wire.Document]()
	raw      = reflect.TypeFor[wire.Raw]()
	bindings = reflect.TypeFor[wire.Bindings]()
	encoder  = reflect.TypeFor[wire.Encoder]()
	enum     = reflect.TypeFor[wire.Enumeration]()
	laid     = reflect.TypeFor[wire.Laid]()
	oneOf    = reflect.TypeFor[wire.OneOf]()
)

// texts are strings that have tripped YAML writers and readers.
var texts = []string{"a", "b-c", "yes", "010", "1:30", "null", "~", "1e-3", "2024-05-01", "a: b", "a #b", " lead", "trail ", "a\nb", "a\n\n  b\n", "é 日本", "'", `"`, "${{inputs.x}}", "x,y", "{a}", "=", "<<", "-", "\t", "https://x/y"}

func text(t *rapid.T) string {
	if rapid.Bool().Draw(t, "known text") {
		return rapid.SampledFrom(texts).Draw(t, "text")
	}
	return rapid.StringMatching(`[a-zA-Z0-9 _:.#-]{1,20}`).Draw(t, "text")
}

// unit is what the tags of a field say of durations.
func unit(tag reflect.StructTag) time.Duration {
	for _, o := range strings.Split(tag.Get("yaml"), ",")[1:] {
		switch o {
		case "ms":
			return time.Millisecond
		case "minutes":
			return time.Minute
		case "hours":
			return time.Hour
		case "days":
			return 24 * time.Hour
		}
	}
	return time.Second
}

func has(tag reflect.StructTag, key, option string) bool {
	for i, o := range strings.Split(tag.Get(key), ",") {
		if i > 0 && o == option || i == 0 && option == "-" && o == "-" {
			return true
		}
	}
	return false
}

func (g *generator) value(t *rapid.T, typ reflect.Type, tag reflect.StructTag, depth int, must bool) reflect.Value {
	if f, ok := g.custom[typ]; ok {
		return f(t)
	}
	v := reflect.New(typ).Elem()
	if typ == document || typ == raw || typ == bindings {
		return v
	}
	if !must && rapid.IntRange(0, 3).Draw(t, "leave out") == 0 {
		return v
	}
	switch {
	case (typ.Implements(encoder) || reflect.PointerTo(typ).Implements(encoder)) && !(typ.Kind() == reflect.Struct && typ.Implements(laid)):
		if typ.Kind() == reflect.String && !typ.Implements(enum) {
			v.SetString("azureml:" + rapid.StringMatching(`[a-z]{1,8}`).Draw(t, "name") + ":1")
		}
		return v
	case typ == duration:
		v.SetInt(int64(unit(tag)) * int64(rapid.IntRange(1, 5000).Draw(t, "duration")))
		return v
	case typ == stamp:
		v.Set(reflect.ValueOf(time.Unix(int64(rapid.IntRange(0, 2_000_000_000).Draw(t, "time")), 0).UTC()))
		return v
	case typ.Kind() == reflect.String && typ.Implements(enum):
		v.SetString(rapid.SampledFrom(reflect.Zero(typ).Interface().(wire.Enumeration).WireEnum().Values()).Draw(t, "enum"))
		return v
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(text(t))
	case reflect.Bool:
		v.SetBool(must || rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(rapid.IntRange(-3, 100000).Draw(t, "int")))
		if must && v.IsZero() {
			v.SetInt(1)
		}
	case reflect.Float64:
		v.SetFloat(float64(rapid.IntRange(1, 1000).Draw(t, "float")) / 8)
	case reflect.Pointer:
		p := reflect.New(typ.Elem())
		p.Elem().Set(g.value(t, typ.Elem(), tag, depth-1, typ.Elem().Kind() == reflect.Struct))
		v.Set(p)
	case reflect.Struct:
		g.structure(t, v, depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		if depth > 0 {
			for range rapid.IntRange(0, 2).Draw(t, "entries") {
				k := rapid.StringMatching(`[a-z][a-z0-9_]{0,5}`).Draw(t, "key")
				v.SetMapIndex(reflect.ValueOf(k).Convert(typ.Key()), g.value(t, typ.Elem(), tag, depth-1, true))
			}
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 2).Draw(t, "items")
		if depth <= 0 {
			n = 0
		}
		if must && n == 0 {
			n = 1
		}
		v.Set(reflect.MakeSlice(typ, n, n))
		for i := range n {
			v.Index(i).Set(g.value(t, typ.Elem(), tag, depth-1, true))
		}
	case reflect.Interface:
		if typ.NumMethod() == 0 {
			v.Set(reflect.ValueOf(g.anything(t, depth)))
			break
		}
		arms := wire.ArmTypes(typ)
		if len(arms) == 0 {
			panic(fmt.Sprintf("wiretest: %v is not registered", typ))
		}
		if depth <= 0 && !must {
			break
		}
		p := reflect.New(rapid.SampledFrom(arms).Draw(t, "arm"))
		if f, ok := g.custom[p.Type().Elem()]; ok {
			p.Elem().Set(f(t))
		} else {
			g.structure(t, p.Elem(), depth-1)
		}
		v.Set(p)
	default:
		panic(fmt.Sprintf("wiretest: no values of %v are known; say how they are made with Value", typ))
	}
	return v
}

// anything is a plain tree.
func (g *generator) anything(t *rapid.T, depth int) any {
	switch rapid.IntRange(0, 6).Draw(t, "anything") {
	case 0:
		return rapid.Bool().Draw(t, "bool")
	case 1:
		return int64(rapid.IntRange(-5, 5000).Draw(t, "int"))
	case 2:
		return float64(rapid.IntRange(1, 99).Draw(t, "float")) + 0.5
	case 3:
		if depth > 0 {
			return map[string]any{"k": g.anything(t, depth-1)}
		}
	case 4:
		if depth > 0 {
			return []any{g.anything(t, depth-1)}
		}
	}
	return text(t)
}

func (g *generator) structure(t *rapid.T, v reflect.Value, depth int) {
	typ := v.Type()
	if typ.Implements(oneOf) {
		var arms []int
		for i := range typ.NumField() {
			if typ.Field(i).Type.Kind() == reflect.Pointer {
				arms = append(arms, i)
			}
		}
		i := rapid.SampledFrom(arms).Draw(t, "arm")
		p := reflect.New(typ.Field(i).Type.Elem())
		g.structure(t, p.Elem(), depth-1)
		v.Field(i).Set(p)
		return
	}
	for i := range typ.NumField() {
		sf := typ.Field(i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			g.structure(t, v.Field(i), depth) // the fields of an unexported one can be set
			continue
		}
		if !sf.IsExported() || g.leave[sf.Name] || !g.readOnly && (has(sf.Tag, "yaml", "ro") || has(sf.Tag, "json", "ro") && !has(sf.Tag, "yaml", "required")) {
			continue
		}
		if has(sf.Tag, "yaml", "-") || has(sf.Tag, "json", "-") && !has(sf.Tag, "yaml", "required") || sf.Tag.Get("extra") != "" {
			continue
		}
		must := has(sf.Tag, "yaml", "required") || has(sf.Tag, "yaml", "inline")
		v.Field(i).Set(g.value(t, sf.Type, sf.Tag, depth-1, must))
	}
}
