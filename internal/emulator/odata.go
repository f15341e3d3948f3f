package emulator

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// odata is a filter of run history: comparisons of fields with eq, ne, gt, ge, lt and
// le, contains, startswith and endswith, joined by and, or, not and parentheses. A
// field is told by its name on the wire in any case, tags and properties by tags/KEY.
type odata struct {
	field string
	words []string
	kinds []byte // of words: 'w' word, 's' string, '(' ')' ','
	i     int
}

// predicate tells whether a document is asked for.
type predicate func(document) (bool, error)

// parseFilter reads a filter; parameter names it in refusals. An empty one takes all.
func parseFilter(parameter, filter string) (predicate, error) {
	if strings.TrimSpace(filter) == "" {
		return func(document) (bool, error) { return true, nil }, nil
	}
	o := &odata{field: parameter}
	if err := o.lex(filter); err != nil {
		return nil, err
	}
	p, err := o.or()
	if err != nil {
		return nil, err
	}
	if o.i < len(o.words) {
		return nil, o.bad("%q was not expected", o.words[o.i])
	}
	return p, nil
}

func (o *odata) bad(format string, args ...any) error {
	return arm.Invalid(o.field, "The filter cannot be read: %s.", fmt.Sprintf(format, args...))
}

func (o *odata) lex(s string) error {
	add := func(kind byte, word string) { o.words, o.kinds = append(o.words, word), append(o.kinds, kind) }
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '(' || c == ')' || c == ',':
			add(c, string(c))
			i++
		case c == '\'':
			var b strings.Builder
			i++
			for {
				end := strings.IndexByte(s[i:], '\'')
				if end < 0 {
					return o.bad("a quote is open")
				}
				b.WriteString(s[i : i+end])
				if i += end + 1; i >= len(s) || s[i] != '\'' {
					break
				}
				b.WriteByte('\'') // two of them are one
				i++
			}
			add('s', b.String())
		default:
			end := strings.IndexAny(s[i:], " \t\r\n(),'")
			if end < 0 {
				end = len(s) - i
			}
			add('w', s[i:i+end])
			i += end
		}
	}
	return nil
}

func (o *odata) word(w string) bool {
	if o.i < len(o.words) && o.kinds[o.i] == 'w' && strings.EqualFold(o.words[o.i], w) {
		o.i++
		return true
	}
	return false
}

func (o *odata) mark(c byte) bool {
	if o.i < len(o.words) && o.kinds[o.i] == c {
		o.i++
		return true
	}
	return false
}

func (o *odata) or() (predicate, error) {
	return o.joined("or", o.and, func(a, b bool) (bool, bool) { return a || b, a })
}
func (o *odata) and() (predicate, error) {
	return o.joined("and", o.not, func(a, b bool) (bool, bool) { return a && b, !a })
}

// joined reads terms with a word between them; join tells the result, and whether the first decides it.
func (o *odata) joined(word string, term func() (predicate, error), join func(a, b bool) (result, decided bool)) (predicate, error) {
	p, err := term()
	for err == nil && o.word(word) {
		var q predicate
		if q, err = term(); err != nil {
			break
		}
		first := p
		p = func(d document) (bool, error) {
			a, err := first(d)
			if err != nil {
				return false, err
			}
			if result, decided := join(a, a); decided {
				return result, nil
			}
			b, err := q(d)
			result, _ := join(a, b)
			return result, err
		}
	}
	return p, err
}

func (o *odata) not() (predicate, error) {
	if !o.word("not") {
		return o.term()
	}
	p, err := o.not()
	return func(d document) (bool, error) {
		ok, err := p(d)
		return !ok, err
	}, err
}

func (o *odata) term() (predicate, error) {
	if o.mark('(') {
		p, err := o.or()
		if err == nil && !o.mark(')') {
			err = o.bad("a parenthesis is open")
		}
		return p, err
	}
	if o.i >= len(o.words) || o.kinds[o.i] != 'w' {
		return nil, o.bad("a field is missing")
	}
	name := o.words[o.i]
	o.i++
	if o.mark('(') {
		return o.function(strings.ToLower(name))
	}
	if o.i >= len(o.words) {
		return nil, o.bad("an operator is missing behind %q", name)
	}
	op := strings.ToLower(o.words[o.i])
	o.i++
	holds, ok := comparisons[op]
	if !ok {
		return nil, o.bad("the operator %q is not served; eq, ne, gt, ge, lt and le are", op)
	}
	want, quoted, err := o.literal()
	if err != nil {
		return nil, err
	}
	return func(d document) (bool, error) {
		have, err := o.value(d, name)
		if err != nil {
			return false, err
		}
		if !quoted && strings.EqualFold(want, "null") {
			return holds(boolSign(have != nil)), nil
		}
		if have == nil {
			return op == "ne", nil
		}
		return holds(compareWords(fmt.Sprint(have), want)), nil
	}, nil
}

var comparisons = map[string]func(sign int) bool{
	"eq": func(s int) bool { return s == 0 }, "ne": func(s int) bool { return s != 0 }, "gt": func(s int) bool { return s > 0 },
	"ge": func(s int) bool { return s >= 0 }, "lt": func(s int) bool { return s < 0 }, "le": func(s int) bool { return s <= 0 },
}

func boolSign(b bool) int {
	if b {
		return 1
	}
	return 0
}

// compareWords compares two values as numbers, as times, or as texts.
func compareWords(a, b string) int {
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err == nil && err2 == nil {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	s, err := time.Parse(time.RFC3339, a)
	t, err2 := time.Parse(time.RFC3339, b)
	if err == nil && err2 == nil {
		return s.Compare(t)
	}
	if strings.EqualFold(a, b) && (strings.EqualFold(a, "true") || strings.EqualFold(a, "false")) {
		return 0
	}
	return strings.Compare(a, b)
}

func (o *odata) literal() (text string, quoted bool, err error) {
	if o.i >= len(o.words) || o.kinds[o.i] != 'w' && o.kinds[o.i] != 's' {
		return "", false, o.bad("a value is missing")
	}
	text, quoted = o.words[o.i], o.kinds[o.i] == 's'
	o.i++
	return text, quoted, nil
}

var textTests = map[string]func(s, part string) bool{"contains": strings.Contains, "startswith": strings.HasPrefix, "endswith": strings.HasSuffix}

func (o *odata) function(name string) (predicate, error) {
	test, ok := textTests[name]
	if !ok {
		return nil, o.bad("the function %q is not served; contains, startswith and endswith are", name)
	}
	field, _, err := o.literal()
	if err != nil {
		return nil, err
	}
	if !o.mark(',') {
		return nil, o.bad("%s wants a field and a text", name)
	}
	part, _, err := o.literal()
	if err != nil {
		return nil, err
	}
	if !o.mark(')') {
		return nil, o.bad("a parenthesis is open")
	}
	return func(d document) (bool, error) {
		have, err := o.value(d, field)
		return err == nil && have != nil && test(fmt.Sprint(have), part), err
	}, nil
}

// value is a field of a document. A field that no document of the kind has is a fault.
func (o *odata) value(d document, name string) (any, error) {
	top, key, deep := strings.Cut(name, "/")
	for k, v := range d {
		if !strings.EqualFold(k, top) {
			continue
		}
		if !deep {
			return v, nil
		}
		switch m := v.(type) {
		case map[string]string:
			if s, ok := m[key]; ok {
				return s, nil
			}
		case map[string]any:
			return m[key], nil
		case document:
			return m[key], nil
		}
		return nil, nil
	}
	return nil, o.bad("there is no field %q", name)
}

// byField sorts documents by an orderBy: a field, and asc or desc.
func byField(parameter, order string) (func(a, b document) (int, error), error) {
	words := strings.Fields(order)
	if len(words) == 0 {
		return nil, nil
	}
	sign := 1
	if len(words) == 2 && strings.EqualFold(words[1], "desc") {
		sign = -1
	} else if len(words) > 2 || len(words) == 2 && !strings.EqualFold(words[1], "asc") {
		return nil, arm.Invalid(parameter, "The order %q is not served: it is a field, and asc or desc.", order)
	}
	o := &odata{field: parameter}
	return func(a, b document) (int, error) {
		x, err := o.value(a, words[0])
		if err != nil {
			return 0, arm.Invalid(parameter, "There is no field %q to order by.", words[0])
		}
		y, err := o.value(b, words[0])
		if err != nil {
			return 0, err
		}
		switch {
		case x == nil && y == nil:
			return 0, nil
		case x == nil: // what has no value comes last, either way
			return 1, nil
		case y == nil:
			return -1, nil
		}
		return sign * compareWords(fmt.Sprint(x), fmt.Sprint(y)), nil
	}, nil
}
