package jobs

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// ImageClassificationSpace is what a sweep tries for classification of images: values by the YAML names of [ImageParameters],
// such as "model_name": Choice("seresnext", "vitb16r224"). One value that is the same for all trials is a [Constant].
type ImageClassificationSpace map[string]Space

// DetectionSpace is what a sweep tries for object detection and instance segmentation: values by the YAML names of
// [ImageParameters].
type DetectionSpace map[string]Space

// TextSpace is what a sweep tries for texts: values by the YAML names of [TextParameters].
type TextSpace map[string]Space

// Constant is one value, the same for all trials. It stands in AutoML's search spaces only.
func Constant[T ~string | ~bool | ~int | ~float64](value T) Space {
	return Space{Values: []any{Literal(value).Value}}
}

// constant gives the value of a Constant.
func (s Space) constant() (any, bool) {
	if s.Type == "" && len(s.Values) == 1 {
		return s.Values[0], true
	}
	return nil, false
}

// A spaceKind is what a parameter's values are.
type spaceKind uint8

const (
	spaceBool spaceKind = iota
	spaceInt
	spaceFloat
	spaceText
	spaceEnum
)

func (k spaceKind) String() string {
	return [...]string{"true or false", "a whole number", "a number", "text", "a word"}[k]
}

type spaceParameter struct {
	name, rest string
	kind       spaceKind
	enum       wire.Enumeration
	quantized  bool // a whole number may be drawn from a distribution that is rounded
}

// A spaceTable is the parameters that a search space may have.
type spaceTable struct {
	names  []string
	byName map[string]*spaceParameter
	byREST map[string]*spaceParameter
	// quantized tells that whole numbers may be drawn from distributions that are rounded: the parameters are those of images.
	quantized bool
}

// The parameters are those that can be set for all trials, but for some.
var (
	imageOnly                = []string{"advanced_settings", "checkpoint_frequency", "checkpoint_run_id", "log_training_metrics", "log_validation_loss"}
	augmentations            = &spaceParameter{name: "augmentations", rest: "augmentations", kind: spaceText}
	imageClassificationSpace = newSpaceTable(reflect.TypeFor[ImageParameters](), true, slices.Concat(imageOnly, detectionParameters), augmentations)
	detectionSpace           = newSpaceTable(reflect.TypeFor[ImageParameters](), true, slices.Concat(imageOnly, classificationParameters), augmentations)
	textSpace                = newSpaceTable(reflect.TypeFor[TextParameters](), false, nil)
)

func newSpaceTable(t reflect.Type, quantized bool, less []string, more ...*spaceParameter) *spaceTable {
	table := &spaceTable{quantized: quantized, byName: map[string]*spaceParameter{}, byREST: map[string]*spaceParameter{}}
	for i := range t.NumField() {
		f := t.Field(i)
		p := &spaceParameter{name: f.Tag.Get("yaml"), rest: f.Tag.Get("json"), quantized: quantized}
		if slices.Contains(less, p.name) {
			continue
		}
		ft := f.Type
		if ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		switch ft.Kind() {
		case reflect.Bool:
			p.kind = spaceBool
		case reflect.Int:
			p.kind = spaceInt
		case reflect.Float64:
			p.kind = spaceFloat
		default:
			p.kind = spaceText
			if e, ok := reflect.Zero(ft).Interface().(wire.Enumeration); ok {
				p.kind, p.enum = spaceEnum, e
			}
		}
		more = append(more, p)
	}
	for _, p := range more {
		table.names = append(table.names, p.name)
		table.byName[p.name], table.byREST[p.rest] = p, p
	}
	return table
}

// EncodeWire writes the space.
func (s ImageClassificationSpace) EncodeWire(e *wire.Encoding) (any, error) {
	return imageClassificationSpace.encode(e, s)
}

// DecodeWire reads the space.
func (s *ImageClassificationSpace) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = imageClassificationSpace.decode(d, n)
}

// EncodeWire writes the space.
func (s DetectionSpace) EncodeWire(e *wire.Encoding) (any, error) {
	return detectionSpace.encode(e, s)
}

// DecodeWire reads the space.
func (s *DetectionSpace) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = detectionSpace.decode(d, n)
}

// EncodeWire writes the space.
func (s TextSpace) EncodeWire(e *wire.Encoding) (any, error) { return textSpace.encode(e, s) }

// DecodeWire reads the space.
func (s *TextSpace) DecodeWire(d *wire.Decoding, n *wire.Node) { *s = textSpace.decode(d, n) }

// encode writes mappings in files, and the service's own text elsewhere: "choice('a','b')", "uniform(0.1,0.2)".
func (t *spaceTable) encode(e *wire.Encoding, spaces map[string]Space) (any, error) {
	m := make(map[string]any, len(spaces))
	for _, name := range slices.Sorted(maps.Keys(spaces)) {
		s := spaces[name]
		key := name
		if p := t.byName[name]; p != nil && e.Spelling() == wire.REST {
			key = p.rest
		}
		var err error
		switch v, ok := s.constant(); {
		case e.Spelling() == wire.REST || e.Spelling() == wire.Spec && t.quantized: // a step's texts have mappings
			m[key], err = s.text()
		case ok:
			m[key] = v
		default:
			m[key], err = s.EncodeWire(e)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return m, nil
}

// text is the space as AutoML's REST has it.
func (s Space) text() (string, error) {
	if v, ok := s.constant(); ok {
		return spaceText1(v), nil
	}
	var args []string
	if s.Type == SpaceChoice {
		for _, v := range s.Values {
			a := spaceText1(v)
			if _, ok := v.(string); ok {
				a = "'" + a + "'"
			}
			args = append(args, a)
		}
		return "choice(" + strings.Join(args, ",") + ")", nil
	}
	fields := s.Type.fields()
	if fields == nil {
		return "", fmt.Errorf("%q is no distribution of a search space", s.Type)
	}
	for _, f := range fields {
		args = append(args, spaceText1(s.value(f)))
	}
	return string(s.Type) + "(" + strings.Join(args, ",") + ")", nil
}

// spaceText1 writes one value: numbers as Python writes them, but never with an exponent.
func spaceText1(v any) string {
	if f, ok := v.(float64); ok {
		s := wire.PythonFloat(f)
		if strings.ContainsAny(s, "eE") {
			s = strconv.FormatFloat(f, 'f', -1, 64)
		}
		return s
	}
	return wire.PythonStr(plainValue(v))
}

// decode reads a space.
func (t *spaceTable) decode(d *wire.Decoding, n *wire.Node) map[string]Space {
	if n.Kind != wire.Mapping {
		d.Fault(n, "wants a mapping of parameters")
		return nil
	}
	out := make(map[string]Space, len(n.Entries))
	for _, e := range n.Entries {
		at := d.At(e.Key)
		by := t.byName
		if d.Spelling() == wire.REST {
			by = t.byREST
		}
		p := by[e.Key]
		switch {
		case p == nil:
			at.Fault(e.At, "is no parameter of this task%s", didYouMean(e.Key, t.names))
			continue
		case !d.Strict() && !e.Value.IsScalar() && d.Spelling() == wire.REST: // the document keeps it
			continue
		}
		if s, ok := e.Value.Str(); ok && d.Spelling() != wire.YAML {
			out[p.name] = p.parse(s)
			continue
		}
		if s := p.decode(at, e.Value); s.Type != "" || s.Values != nil {
			out[p.name] = s
		}
	}
	return out
}

func didYouMean(got string, known []string) string {
	if near := wire.Nearest(got, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// decode reads the value or values of one parameter of a file.
func (p *spaceParameter) decode(d *wire.Decoding, n *wire.Node) Space {
	if n.Kind != wire.Mapping {
		return Space{Values: []any{p.scalar(d, n)}}
	}
	name, _ := n.Get("type").Str()
	y, ok := spaceTypes.Parse(name)
	if !ok {
		d.At("type").Fault(orElse(n.Get("type"), n), "wants one of %s", strings.Join(spaceTypes.Values(), ", "))
		return Space{}
	}
	s := Space{Type: SpaceType(y)}
	want := s.Type.fields()
	if s.Type == SpaceChoice {
		want = []string{"values"}
	}
	if f := p.takes(s.Type); f != "" {
		d.At("type").Fault(n.Get("type"), "%s", f)
		return s
	}
	for _, e := range n.Entries {
		if e.Key != "type" && !contains(want, e.Key) {
			d.At(e.Key).Fault(e.At, "unknown field; %s has %s", s.Type, strings.Join(want, ", "))
		}
	}
	if s.Type == SpaceChoice {
		s.Values = p.choice(d.At("values"), n.Get("values"))
		return s
	}
	for i, f := range want {
		at, v := d.At(f), n.Get(f)
		switch {
		case v == nil:
			d.Fault(n, "the required field %q is missing", f)
		case f == "upper":
			at.Into(v, &s.Upper)
		case p.kind == spaceInt && v.Kind != wire.Int:
			at.Fault(v, "wants a whole number")
		default:
			at.Into(v, s.number(f))
			s.point(i, f, v.Kind != wire.Int)
		}
	}
	return s
}

// point marks a whole number that was written with a point.
func (s *Space) point(i int, field string, pointed bool) {
	if f := *s.number(field); pointed && f == math.Trunc(f) {
		s.points |= 1 << i
	}
}

func orElse(n, other *wire.Node) *wire.Node {
	if n == nil {
		return other
	}
	return n
}

// takes says why a parameter cannot be drawn from a distribution, "" when it can.
func (p *spaceParameter) takes(t SpaceType) string {
	switch {
	case t == SpaceChoice, p.kind == spaceFloat, p.kind == spaceInt && t == SpaceRandInt:
		return ""
	case p.kind == spaceInt && p.quantized:
		switch t {
		case SpaceQUniform, SpaceQLogUniform, SpaceQNormal, SpaceQLogNormal:
			return ""
		}
		return fmt.Sprintf("%s makes no whole numbers; choice, randint, quniform, qloguniform, qnormal and qlognormal do", t)
	case p.kind == spaceInt:
		return fmt.Sprintf("%s makes no whole numbers here; choice and randint do", t)
	}
	return fmt.Sprintf("%s is %s: it takes a choice, not %s", p.name, p.kind, t)
}

// choice reads the values of a choice.
func (p *spaceParameter) choice(d *wire.Decoding, n *wire.Node) []any {
	if n == nil { // the reference lets it be missing
		return nil
	}
	if n.Kind != wire.Sequence {
		d.Fault(n, "wants a list of values")
		return nil
	}
	q := *p
	if p.kind == spaceFloat && len(n.Items) > 0 && !slices.ContainsFunc(n.Items, func(v *wire.Node) bool { return v.Kind != wire.Int }) {
		q.kind = spaceInt
	}
	out := make([]any, 0, len(n.Items))
	for i, v := range n.Items {
		out = append(out, q.scalar(d.At(strconv.Itoa(i)), v))
	}
	return out
}

// scalar reads one value.
func (p *spaceParameter) scalar(d *wire.Decoding, n *wire.Node) any {
	switch p.kind {
	case spaceBool:
		var b bool
		d.Into(n, &b)
		return b
	case spaceInt:
		if i, ok := n.Value.(int64); ok {
			return i
		}
	case spaceFloat:
		if n.Kind == wire.Int || n.Kind == wire.Float || isNumber(n) {
			var f float64
			d.Into(n, &f)
			return f
		}
	case spaceEnum:
		s, ok := n.Str()
		if !ok && n.IsScalar() {
			s = n.Text
		}
		if y, found := p.enum.WireEnum().Parse(s); found {
			return y
		}
		d.Fault(n, "wants one of %s", strings.Join(p.enum.WireEnum().Values(), ", "))
		return ""
	default:
		if s, ok := n.Str(); ok {
			return s
		}
	}
	d.Fault(n, "wants %s", p.kind)
	return ""
}

// parse reads the service's text. What has no form that is known is a constant.
func (p *spaceParameter) parse(text string) Space {
	text = strings.TrimSpace(text)
	whole := Space{Values: []any{p.word(text, false)}}
	open := strings.IndexByte(text, '(')
	if open < 0 || !strings.HasSuffix(text, ")") {
		return whole
	}
	y, ok := spaceTypes.Parse(text[:open])
	if !ok {
		return whole
	}
	args := splitArguments(text[open+1 : len(text)-1])
	s := Space{Type: SpaceType(y)}
	if s.Type == SpaceChoice {
		s.Values = []any{}
		for _, a := range args {
			s.Values = append(s.Values, p.word(a, true))
		}
		return s
	}
	fields := s.Type.fields()
	if len(args) != len(fields) {
		return whole
	}
	for i, f := range fields {
		x, err := strconv.ParseFloat(args[i], 64)
		if err != nil {
			return whole
		}
		if f == "upper" {
			s.Upper = int(x)
			continue
		}
		*s.number(f) = x
		_, err = strconv.ParseInt(args[i], 10, 64)
		s.point(i, f, err != nil)
	}
	return s
}

// word reads one value of the service's text.
func (p *spaceParameter) word(s string, quoted bool) any {
	if quoted && len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	switch p.kind {
	case spaceBool:
		if s == "True" || s == "False" {
			return s == "True"
		}
	case spaceInt, spaceFloat:
		if i, err := strconv.ParseInt(s, 10, 64); err == nil && (quoted || p.kind == spaceInt) {
			return i
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	}
	return s
}

// splitArguments cuts at commas that stand in no quotes.
func splitArguments(s string) []string {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	var out []string
	quote, from := byte(0), 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ',':
			out = append(out, strings.TrimSpace(s[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(s[from:]))
}

type spaceFault struct{ name, message string }

// faults says what is wrong with a space that Go code made.
func (t *spaceTable) faults(spaces map[string]Space) (out []spaceFault) {
	for _, name := range slices.Sorted(maps.Keys(spaces)) {
		s, p := spaces[name], t.byName[name]
		if p == nil {
			out = append(out, spaceFault{name, "is no parameter of this task" + didYouMean(name, t.names)})
			continue
		}
		values := s.Values
		if _, ok := s.constant(); !ok {
			f := s.fault()
			if f == "" {
				f = p.takes(s.Type)
			}
			if f != "" {
				out = append(out, spaceFault{name, f})
				continue
			}
		}
		for _, v := range values {
			if !p.holds(v) {
				out = append(out, spaceFault{name, fmt.Sprintf("wants %s, not %v", p.wants(), v)})
			}
		}
	}
	return out
}

func (p *spaceParameter) wants() string {
	if p.enum != nil {
		return "one of " + strings.Join(p.enum.WireEnum().Values(), ", ")
	}
	return p.kind.String()
}

// holds tells whether a parameter can have a value.
func (p *spaceParameter) holds(v any) bool {
	switch v := plainValue(v).(type) {
	case bool:
		return p.kind == spaceBool
	case int64:
		return p.kind == spaceInt || p.kind == spaceFloat
	case float64:
		return p.kind == spaceFloat
	case string:
		if p.enum != nil {
			_, ok := p.enum.WireEnum().Parse(v)
			return ok
		}
		return p.kind == spaceText
	}
	return false
}
