package table

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// expression is a filter's: it has a value for each row. A value of null is what
// null makes of an operation, as in SQL.
type expression interface {
	eval(r *Row) (any, error)
}

// parseFilter reads an expression such as col("a") > 1 and not (b == "x").
func parseFilter(text string) (expression, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("filter %q: it is no text in UTF-8", text)
	}
	p := &filterParser{rest: text}
	p.next()
	e := p.or()
	if p.err == nil && p.token != "" {
		p.fault("does not understand %q", p.token)
	}
	if p.err != nil {
		return nil, fmt.Errorf("filter %q: %w", text, p.err)
	}
	return e, nil
}

type filterParser struct {
	rest  string
	token string // "" at the end
	value any    // of a literal
	name  bool   // the token is a name
	err   error
	depth int
}

func (p *filterParser) fault(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("the local workspace "+format+"; it knows columns, numbers, texts, True, False, datetime(…), arithmetic, comparisons, and, or, not, .startswith(…)", args...)
	}
}

func isLetter(r rune) bool { return r == '_' || unicode.IsLetter(r) }

// next reads the next token.
func (p *filterParser) next() {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	p.token, p.value, p.name = "", nil, false
	if p.rest == "" || p.err != nil {
		return
	}
	take := func(n int) { p.token, p.rest = p.rest[:n], p.rest[n:] }
	c := rune(p.rest[0])
	switch {
	case c >= '0' && c <= '9' || c == '.' && len(p.rest) > 1 && p.rest[1] >= '0' && p.rest[1] <= '9':
		n := 0
		for n < len(p.rest) && (strings.ContainsRune("0123456789.", rune(p.rest[n])) || strings.ContainsRune("eE", rune(p.rest[n])) && n+1 < len(p.rest) && strings.ContainsRune("0123456789+-", rune(p.rest[n+1])) || strings.ContainsRune("+-", rune(p.rest[n])) && strings.ContainsRune("eE", rune(p.rest[n-1]))) {
			n++
		}
		take(n)
		if v, err := strconv.ParseInt(p.token, 10, 64); err == nil {
			p.value = v
		} else if v, err := strconv.ParseFloat(p.token, 64); err == nil {
			p.value = v
		} else {
			p.fault("reads no number in %q", p.token)
		}
	case c == '"' || c == '\'':
		var b strings.Builder
		for i := 1; i < len(p.rest); i++ {
			switch ch := p.rest[i]; {
			case ch == p.rest[0]:
				p.value = b.String()
				take(i + 1)
				return
			case ch == '\\' && i+1 < len(p.rest):
				i++
				switch p.rest[i] {
				case '\\', '"', '\'':
					b.WriteByte(p.rest[i])
				case 'n':
					b.WriteByte('\n')
				case 't':
					b.WriteByte('\t')
				default:
					p.fault("does not know the escape \\%c", p.rest[i])
				}
			default:
				b.WriteByte(ch)
			}
		}
		p.fault("finds a text that does not end: %s", p.rest)
	default:
		n := 0
		for i, r := range p.rest {
			if !isLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
				break
			}
			n = i + len(string(r))
		}
		if n > 0 {
			take(n)
			p.name = true
			return
		}
		for _, op := range []string{"==", "!=", ">=", "<=", "//", "**"} {
			if strings.HasPrefix(p.rest, op) {
				take(2)
				return
			}
		}
		take(len(string([]rune(p.rest)[:1])))
	}
}

func (p *filterParser) is(tokens ...string) bool {
	return p.err == nil && p.value == nil && slices.Contains(tokens, p.token)
}

func (p *filterParser) want(token string) {
	if !p.is(token) {
		p.fault("wants %q where %q stands", token, p.token)
	}
	p.next()
}

func (p *filterParser) left(of func() expression, ops ...string) expression {
	e := of()
	for p.is(ops...) {
		op := p.token
		p.next()
		e = &operation{op: op, args: []expression{e, of()}}
	}
	return e
}

func (p *filterParser) or() expression {
	// Brackets and signs nest; an expression that nests without end is none.
	if p.depth++; p.depth > 200 {
		p.fault("reads no expression that nests as deep")
		return nil
	}
	defer func() { p.depth-- }()
	return p.left(p.and, "or")
}
func (p *filterParser) and() expression { return p.left(p.not, "and") }

func (p *filterParser) not() expression {
	if p.is("not") {
		if p.depth++; p.depth > 200 {
			p.fault("reads no expression that nests as deep")
			return nil
		}
		defer func() { p.depth-- }()
		p.next()
		return &operation{op: "not", args: []expression{p.not()}}
	}
	e := p.sum()
	if compare := []string{"==", "!=", "<", "<=", ">", ">="}; p.is(compare...) {
		op := p.token
		p.next()
		e = &operation{op: op, args: []expression{e, p.sum()}}
		if p.is(compare...) {
			p.fault("knows no chain of comparisons; join them by and")
		}
	}
	return e
}

func (p *filterParser) sum() expression     { return p.left(p.product, "+", "-") }
func (p *filterParser) product() expression { return p.left(p.sign, "*", "/", "//", "%") }

func (p *filterParser) sign() expression {
	if p.is("-") {
		if p.depth++; p.depth > 200 {
			p.fault("reads no expression that nests as deep")
			return nil
		}
		defer func() { p.depth-- }()
		p.next()
		return &operation{op: "-", args: []expression{literal{int64(0)}, p.sign()}}
	}
	e := p.primary()
	if p.is("**") {
		p.next()
		e = &operation{op: "**", args: []expression{e, p.sign()}}
	}
	return e
}

func (p *filterParser) primary() expression {
	var e expression
	switch {
	case p.err != nil:
		return nil
	case p.value != nil:
		e = literal{p.value}
		p.next()
		return e
	case p.is("("):
		p.next()
		e = p.or()
		p.want(")")
	case p.name:
		name := p.token
		p.next()
		e = p.named(name)
	default:
		if p.token == "" {
			p.fault("wants a value where the expression ends")
		} else {
			p.fault("does not understand %q", p.token)
		}
		return nil
	}
	for p.is(".") {
		p.next()
		method := p.token
		p.next()
		if method != "startswith" && method != "endswith" {
			p.fault("does not know .%s()", method)
			return nil
		}
		args := p.arguments()
		if len(args) != 1 {
			p.fault("wants one text in .%s()", method)
			return nil
		}
		e = &operation{op: method, args: []expression{e, args[0]}}
	}
	return e
}

func (p *filterParser) arguments() []expression {
	p.want("(")
	var out []expression
	for p.err == nil && !p.is(")") {
		out = append(out, p.or())
		if !p.is(",") {
			break
		}
		p.next()
	}
	p.want(")")
	return out
}

func (p *filterParser) named(name string) expression {
	switch {
	case name == "True" || name == "False":
		return literal{name == "True"}
	case name == "None" || name == "and" || name == "or" || name == "not" || name == "in" || name == "is":
		p.fault("does not understand %q", name)
		return nil
	case !p.is("("):
		return column(name)
	case name == "col":
		args := p.arguments()
		if len(args) == 1 {
			if l, ok := args[0].(literal); ok {
				if s, ok := l.value.(string); ok {
					return column(s)
				}
			}
		}
		p.fault(`wants a column's name in quotes in col("…")`)
	case name == "datetime":
		args := p.arguments()
		parts := []int{0, 1, 1, 0, 0, 0, 0}
		if len(args) < 3 || len(args) > 7 {
			p.fault("wants datetime(year, month, day, …)")
			return nil
		}
		for i, a := range args {
			l, _ := a.(literal)
			n, ok := l.value.(int64)
			if !ok {
				p.fault("wants whole numbers in datetime(year, month, day, …)")
				return nil
			}
			parts[i] = int(n)
		}
		return literal{time.Date(parts[0], time.Month(parts[1]), parts[2], parts[3], parts[4], parts[5], parts[6]*1000, time.UTC)}
	default:
		p.fault("does not know the function %q", name)
	}
	return nil
}

type literal struct{ value any }

func (l literal) eval(*Row) (any, error) { return l.value, nil }

type column string

func (c column) eval(r *Row) (any, error) {
	cell, ok := r.Cell(string(c))
	if !ok {
		return nil, &columnError{string(c), r.Columns}
	}
	return cell.Value, nil
}

// columnError is a column that a row does not have.
type columnError struct {
	column  string
	columns []string
}

func (e *columnError) Error() string {
	return fmt.Sprintf("there is no column %q; the columns are: %s", e.column, strings.Join(e.columns, ", "))
}

type operation struct {
	op   string
	args []expression
}

func (o *operation) eval(r *Row) (any, error) {
	a, err := o.args[0].eval(r)
	if err != nil {
		return nil, err
	}
	switch o.op {
	case "not":
		b, ok := a.(bool)
		if !ok && a != nil {
			return nil, fmt.Errorf("not wants True or False, got %s", describe(a))
		}
		if a == nil {
			return nil, nil
		}
		return !b, nil
	case "and", "or":
		return o.logic(a, r)
	}
	b, err := o.args[1].eval(r)
	if err != nil || a == nil || b == nil {
		return nil, err
	}
	switch o.op {
	case "startswith", "endswith":
		x, ok := a.(string)
		y, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, fmt.Errorf(".%s wants texts, got %s and %s", o.op, describe(a), describe(b))
		}
		if o.op == "startswith" {
			return strings.HasPrefix(x, y), nil
		}
		return strings.HasSuffix(x, y), nil
	case "==", "!=", "<", "<=", ">", ">=":
		return compare(o.op, a, b)
	}
	return arithmetic(o.op, a, b)
}

// logic is and and or of three values: null may be either.
func (o *operation) logic(a any, r *Row) (any, error) {
	decides := o.op == "or"
	if a == decides {
		return decides, nil
	}
	b, err := o.args[1].eval(r)
	if err != nil {
		return nil, err
	}
	for _, v := range []any{a, b} {
		if _, ok := v.(bool); !ok && v != nil {
			return nil, fmt.Errorf("%s wants True or False, got %s", o.op, describe(v))
		}
	}
	if b == decides {
		return decides, nil
	}
	if a == nil || b == nil {
		return nil, nil
	}
	return !decides, nil
}

func describe(v any) string { return fmt.Sprintf("the %s %s", KindOf(v), Format(v)) }

func compare(op string, a, b any) (any, error) {
	n := 0
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok {
			return nil, fmt.Errorf("%s does not compare %s with %s", op, describe(a), describe(b))
		}
		n = strings.Compare(x, y)
	case time.Time:
		y, ok := b.(time.Time)
		if !ok {
			return nil, fmt.Errorf("%s does not compare %s with %s; datetime(2020, 1, 31) is a date", op, describe(a), describe(b))
		}
		n = x.Compare(y)
	case bool:
		y, ok := b.(bool)
		if !ok || op != "==" && op != "!=" {
			return nil, fmt.Errorf("%s does not compare %s with %s", op, describe(a), describe(b))
		}
		n = btoi(x) - btoi(y)
	case int64:
		if y, ok := b.(int64); ok {
			n = 1 - 2*btoi(x < y) - btoi(x == y)
			break
		}
		return floats(op, a, b)
	default:
		return floats(op, a, b)
	}
	switch op {
	case "==":
		return n == 0, nil
	case "!=":
		return n != 0, nil
	case "<":
		return n < 0, nil
	case "<=":
		return n <= 0, nil
	case ">":
		return n > 0, nil
	}
	return n >= 0, nil
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case Decimal:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil
	}
	return 0, false
}

func floats(op string, a, b any) (any, error) {
	x, ok := number(a)
	y, ok2 := number(b)
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s does not compare %s with %s", op, describe(a), describe(b))
	}
	switch op {
	case "==":
		return x == y, nil
	case "!=":
		return x != y, nil
	case "<":
		return x < y, nil
	case "<=":
		return x <= y, nil
	case ">":
		return x > y, nil
	}
	return x >= y, nil
}

func arithmetic(op string, a, b any) (any, error) {
	x, ok := number(a)
	y, ok2 := number(b)
	if s, is := a.(string); is && op == "+" {
		if t, is := b.(string); is {
			return s + t, nil
		}
	}
	if !ok || !ok2 {
		return nil, fmt.Errorf("%s wants numbers, got %s and %s", op, describe(a), describe(b))
	}
	m, whole := a.(int64)
	n, whole2 := b.(int64)
	whole = whole && whole2
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, errors.New("division by zero")
	}
	switch op {
	case "+":
		if whole {
			return m + n, nil
		}
		return x + y, nil
	case "-":
		if whole {
			return m - n, nil
		}
		return x - y, nil
	case "*":
		if whole {
			return m * n, nil
		}
		return x * y, nil
	case "/":
		return x / y, nil
	case "//":
		if whole {
			return int64(math.Floor(x / y)), nil
		}
		return math.Floor(x / y), nil
	case "%":
		if whole {
			return ((m % n) + n) % n, nil
		}
		return x - y*math.Floor(x/y), nil
	}
	return math.Pow(x, y), nil
}
