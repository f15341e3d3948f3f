package jobs

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// SpaceType is how the values of a hyperparameter are drawn.
type SpaceType string

// The distributions. Those with a Q are rounded to its multiples.
const (
	SpaceChoice      SpaceType = "choice"
	SpaceUniform     SpaceType = "uniform"
	SpaceLogUniform  SpaceType = "loguniform"
	SpaceQUniform    SpaceType = "quniform"
	SpaceQLogUniform SpaceType = "qloguniform"
	SpaceNormal      SpaceType = "normal"
	SpaceLogNormal   SpaceType = "lognormal"
	SpaceQNormal     SpaceType = "qnormal"
	SpaceQLogNormal  SpaceType = "qlognormal"
	SpaceRandInt     SpaceType = "randint"
)

// fields are the numbers that a distribution has, in REST's order.
func (t SpaceType) fields() []string {
	switch t {
	case SpaceUniform, SpaceLogUniform:
		return []string{"min_value", "max_value"}
	case SpaceQUniform, SpaceQLogUniform:
		return []string{"min_value", "max_value", "q"}
	case SpaceNormal, SpaceLogNormal:
		return []string{"mu", "sigma"}
	case SpaceQNormal, SpaceQLogNormal:
		return []string{"mu", "sigma", "q"}
	case SpaceRandInt:
		return []string{"upper"}
	}
	return nil
}

var spaceTypes = wire.SameEnum("choice", "uniform", "loguniform", "quniform", "qloguniform", "normal", "lognormal", "qnormal", "qlognormal", "randint")

// SearchSpace is what a sweep tries, by the hyperparameter's name.
type SearchSpace map[string]Space

// Space is the values of one hyperparameter. Make one with [Choice], [Uniform], [Normal], [RandInt] and
// their like.
type Space struct {
	Type SpaceType
	// Values are those of a choice: text, int64, float64, or map[string]any, in which a Space may stand.
	Values []any
	// Min and Max bound a uniform distribution; of a logarithmic one they are the logarithms.
	Min, Max float64
	// Mu and Sigma are the mean and deviation of a normal distribution, or of its logarithm.
	Mu, Sigma float64
	// Q is the step to whose multiples values are rounded.
	Q float64
	// Upper bounds a whole number from 0; it is not reached.
	Upper int
	raw   any // a distribution that is not known, as REST has it
	// points marks numbers, by their place, that were written with a point: AutoML spells them as they were.
	points uint8
}

// Choice is one of some values.
func Choice(values ...any) Space {
	s := Space{Type: SpaceChoice}
	for _, v := range values {
		s.Values = append(s.Values, plainValue(v))
	}
	return s
}

// plainValue turns Go's numbers into the two that travel.
func plainValue(v any) any {
	switch v := v.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return Literal(v).Value
	}
	return v
}

// Uniform is a number between two.
func Uniform(low, high float64) Space { return Space{Type: SpaceUniform, Min: low, Max: high} }

// LogUniform is e to the power of a number between two.
func LogUniform(low, high float64) Space { return Space{Type: SpaceLogUniform, Min: low, Max: high} }

// QUniform is a multiple of q between two numbers.
func QUniform(low, high, q float64) Space {
	return Space{Type: SpaceQUniform, Min: low, Max: high, Q: q}
}

// QLogUniform is LogUniform rounded to multiples of q.
func QLogUniform(low, high, q float64) Space {
	return Space{Type: SpaceQLogUniform, Min: low, Max: high, Q: q}
}

// Normal is a normally distributed number.
func Normal(mu, sigma float64) Space { return Space{Type: SpaceNormal, Mu: mu, Sigma: sigma} }

// LogNormal is a number whose logarithm is normally distributed.
func LogNormal(mu, sigma float64) Space { return Space{Type: SpaceLogNormal, Mu: mu, Sigma: sigma} }

// QNormal is Normal rounded to multiples of q.
func QNormal(mu, sigma, q float64) Space {
	return Space{Type: SpaceQNormal, Mu: mu, Sigma: sigma, Q: q}
}

// QLogNormal is LogNormal rounded to multiples of q.
func QLogNormal(mu, sigma, q float64) Space {
	return Space{Type: SpaceQLogNormal, Mu: mu, Sigma: sigma, Q: q}
}

// RandInt is a whole number from 0 up to, but not including, upper.
func RandInt(upper int) Space { return Space{Type: SpaceRandInt, Upper: upper} }

func (s *Space) number(field string) *float64 {
	switch field {
	case "min_value":
		return &s.Min
	case "max_value":
		return &s.Max
	case "mu":
		return &s.Mu
	case "sigma":
		return &s.Sigma
	case "q":
		return &s.Q
	}
	return nil
}

// value is a field as it travels: whole numbers without a point.
func (s Space) value(field string) any {
	if field == "upper" {
		return int64(s.Upper)
	}
	f := *s.number(field)
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 && s.points&(1<<slices.Index(s.Type.fields(), field)) == 0 {
		return int64(f)
	}
	return f
}

// EncodeWire writes a mapping, or REST's list.
func (s Space) EncodeWire(e *wire.Encoding) (any, error) {
	if s.raw != nil {
		return s.raw, nil
	}
	text := e.Spelling() == wire.YAML || e.Spelling() == wire.Spec
	if s.Type == SpaceChoice {
		values := make([]any, len(s.Values))
		for i, v := range s.Values {
			var err error
			if values[i], err = e.Value(v); err != nil {
				return nil, err
			}
		}
		if text {
			return map[string]any{"type": string(s.Type), "values": values}, nil
		}
		return []any{string(s.Type), []any{values}}, nil
	}
	fields := s.Type.fields()
	if fields == nil {
		return nil, fmt.Errorf("%q is no distribution of a search space", s.Type)
	}
	if text {
		m := map[string]any{"type": string(s.Type)}
		for _, f := range fields {
			m[f] = s.value(f)
		}
		return m, nil
	}
	args := make([]any, len(fields))
	for i, f := range fields {
		args[i] = s.value(f)
	}
	return []any{string(s.Type), args}, nil
}

// DecodeWire reads either form.
func (s *Space) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = Space{}
	if n.Kind == wire.Sequence && d.Spelling() != wire.YAML {
		s.decodeList(n)
		return
	}
	if n.Kind != wire.Mapping {
		s.raw = n.Tree()
		d.Fault(n, "wants a mapping with type: %s", strings.Join(spaceTypes.Values(), ", "))
		return
	}
	name, ok := n.Get("type").Str()
	y, known := spaceTypes.Parse(name)
	if !ok || !known {
		s.raw = n.Tree()
		at := n.Get("type")
		if at == nil {
			at = n
		}
		d.At("type").Fault(at, "wants one of %s", strings.Join(spaceTypes.Values(), ", "))
		return
	}
	s.Type = SpaceType(y)
	want := s.Type.fields()
	if s.Type == SpaceChoice {
		want = []string{"values"}
	}
	for _, e := range n.Entries {
		if e.Key != "type" && !contains(want, e.Key) {
			d.At(e.Key).Fault(e.At, "unknown field; %s has %s", s.Type, strings.Join(want, ", "))
		}
	}
	for _, f := range want {
		v := n.Get(f)
		switch {
		case v == nil && f == "values": // the reference lets it be missing
		case v == nil:
			d.Fault(n, "the required field %q is missing", f)
		case f == "values":
			s.Values = choiceValues(d.At(f), v)
		case f == "upper":
			d.At(f).Into(v, &s.Upper)
		case v.Kind == wire.String && !isNumber(v): // 1e-3 is text in YAML 1.1
			d.At(f).Fault(v, "wants a number, not the text %q", v.Text)
		default:
			d.At(f).Into(v, s.number(f))
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func choiceValues(d *wire.Decoding, n *wire.Node) []any {
	if n.Kind != wire.Sequence {
		d.Fault(n, "wants a list of values")
		return nil
	}
	out := []any{}
	for i, v := range n.Items {
		at := d.At(fmt.Sprint(i))
		switch v.Kind {
		case wire.Int, wire.Float, wire.String:
			out = append(out, v.Value)
		case wire.Mapping:
			m := map[string]any{}
			for _, e := range v.Entries {
				if e.Value.Kind == wire.Mapping {
					var s Space
					at.At(e.Key).Into(e.Value, &s)
					m[e.Key] = s
					continue
				}
				m[e.Key] = e.Value.Tree()
			}
			out = append(out, m)
		default:
			at.Fault(v, "a value is text, a number, or a mapping")
		}
	}
	return out
}

// decodeList reads REST's list; what does not have its form is kept as it is.
func (s *Space) decodeList(n *wire.Node) {
	s.raw = n.Tree()
	if len(n.Items) != 2 || n.Items[1].Kind != wire.Sequence {
		return
	}
	name, _ := n.Items[0].Str()
	y, ok := spaceTypes.Parse(name)
	if !ok {
		return
	}
	got := Space{Type: SpaceType(y)}
	args := n.Items[1].Items
	if got.Type == SpaceChoice {
		if len(args) != 1 || args[0].Kind != wire.Sequence {
			return
		}
		got.Values = []any{}
		for _, v := range args[0].Items {
			got.Values = append(got.Values, choiceTree(v))
		}
		*s = got
		return
	}
	fields := got.Type.fields()
	if len(args) != len(fields) {
		return
	}
	for i, f := range fields {
		var x float64
		switch v := args[i].Value.(type) {
		case int64:
			x = float64(v)
		case float64:
			x = v
		default:
			return
		}
		if f == "upper" {
			got.Upper = int(x)
			continue
		}
		*got.number(f) = x
	}
	*s = got
}

// choiceTree reads a value of a choice in REST, in whose mappings distributions may stand.
func choiceTree(n *wire.Node) any {
	if n.Kind != wire.Mapping {
		return n.Tree()
	}
	m := map[string]any{}
	for _, e := range n.Entries {
		var s Space
		if e.Value.Kind == wire.Sequence {
			if s.decodeList(e.Value); s.raw == nil {
				m[e.Key] = s
				continue
			}
		}
		m[e.Key] = e.Value.Tree()
	}
	return m
}

// fault says what is wrong with the space, "" when nothing is.
func (s Space) fault() string {
	switch {
	case s.raw != nil:
		return ""
	case s.Type == SpaceChoice && len(s.Values) == 0:
		return "a choice needs values"
	case s.Type == SpaceChoice:
		return ""
	case s.Type.fields() == nil:
		return fmt.Sprintf("%q is no distribution; there are %s", s.Type, strings.Join(spaceTypes.Values(), ", "))
	case s.Max < s.Min:
		return fmt.Sprintf("max_value %v is below min_value %v", s.Max, s.Min)
	case s.Sigma < 0:
		return fmt.Sprintf("sigma %v is negative", s.Sigma)
	case slices.Contains(s.Type.fields(), "q") && s.Q <= 0:
		return fmt.Sprintf("q %v is not above 0", s.Q)
	case s.Type == SpaceRandInt && s.Upper <= 0:
		return fmt.Sprintf("upper %d is not above 0", s.Upper)
	}
	return ""
}
