package wire

import (
	"fmt"
	"strings"
)

// An Expression is `${{…}}`, without the braces and blanks: inputs.lr, parent.jobs.train.outputs.model.
type Expression string

func (e Expression) String() string { return "${{" + string(e) + "}}" }

// Input is x of inputs.x. Names may have dots.
func (e Expression) Input() (name string, ok bool) { return e.after("inputs.") }

// Output is x of outputs.x.
func (e Expression) Output() (name string, ok bool) { return e.after("outputs.") }

// SearchSpace is x of search_space.x.
func (e Expression) SearchSpace() (name string, ok bool) { return e.after("search_space.") }

// ParentInput is x of parent.inputs.x.
func (e Expression) ParentInput() (name string, ok bool) { return e.after("parent.inputs.") }

// ParentOutput is x of parent.outputs.x.
func (e Expression) ParentOutput() (name string, ok bool) { return e.after("parent.outputs.") }

// Job is n of parent.jobs.n, parent.jobs.n.outputs.o and parent.jobs.n.inputs.i.
func (e Expression) Job() (node string, ok bool) {
	s, ok := e.after("parent.jobs.")
	if !ok {
		return "", false
	}
	node, rest, dotted := strings.Cut(s, ".")
	if node == "" || dotted && !strings.HasPrefix(rest, "outputs.") && !strings.HasPrefix(rest, "inputs.") {
		return "", false
	}
	return node, true
}

// JobOutput is n and o of parent.jobs.n.outputs.o.
func (e Expression) JobOutput() (node, output string, ok bool) {
	s, ok := e.after("parent.jobs.")
	if !ok {
		return "", "", false
	}
	node, output, ok = strings.Cut(s, ".outputs.")
	return node, output, ok && node != "" && output != "" && !strings.Contains(node, ".")
}

// JobInput is n and i of parent.jobs.n.inputs.i.
func (e Expression) JobInput() (node, input string, ok bool) {
	s, ok := e.after("parent.jobs.")
	if !ok {
		return "", "", false
	}
	node, input, ok = strings.Cut(s, ".inputs.")
	return node, input, ok && node != "" && input != "" && !strings.Contains(node, ".")
}

func (e Expression) after(prefix string) (string, bool) {
	s, ok := strings.CutPrefix(string(e), prefix)
	return s, ok && s != ""
}

// ParseExpression reads a text that is one expression and nothing else.
func ParseExpression(s string) (Expression, bool) {
	s = strings.TrimSpace(s)
	inner, ok := strings.CutPrefix(s, "${{")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "}}")
	inner = strings.TrimSpace(inner)
	if !ok || inner == "" || strings.ContainsAny(inner, "{}$") {
		return "", false
	}
	return Expression(inner), true
}

// A FoundExpression is an expression in a text.
type FoundExpression struct {
	Expression
	Start, End int  // bytes of the text
	Optional   bool // it stands in an optional group: it needs no value
}

// FindExpressions lists the expressions in a text, those of optional groups too: `[--flag ${{inputs.x}}]` in a job and
// `$[[--flag ${{inputs.x}}]]` in a component.
func FindExpressions(s string) []FoundExpression {
	var out []FoundExpression
	for _, p := range textParts(s) {
		out = append(out, p.found...)
	}
	return out
}

// ExpandText puts values in the place of expressions. An optional group of which a value is missing goes away with its
// brackets; others lose the brackets alone. An expression outside of groups whose value is missing is an error that names
// it, together with all others.
func ExpandText(s string, value func(Expression) (string, bool)) (string, error) {
	var b strings.Builder
	var missing []string
	for _, p := range textParts(s) {
		text, ok := p.expand(s, value)
		switch {
		case ok:
			b.WriteString(text)
		case p.optional:
		default:
			for _, f := range p.found {
				if _, has := value(f.Expression); !has {
					missing = append(missing, f.String())
				}
			}
		}
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("no value for %s", strings.Join(missing, ", "))
	}
	return b.String(), nil
}

// A textPart is a stretch of text: an optional group's inside, or what stands between groups.
type textPart struct {
	start, end int // of what is kept
	found      []FoundExpression
	optional   bool
}

func (p textPart) expand(s string, value func(Expression) (string, bool)) (string, bool) {
	var b strings.Builder
	at := p.start
	for _, f := range p.found {
		v, ok := value(f.Expression)
		if !ok {
			return "", false
		}
		b.WriteString(s[at:f.Start])
		b.WriteString(v)
		at = f.End
	}
	b.WriteString(s[at:p.end])
	return b.String(), true
}

func textParts(s string) []textPart {
	found := scanExpressions(s)
	var parts []textPart
	at, next := 0, 0
	plain := func(end int) {
		var fs []FoundExpression
		for next < len(found) && found[next].End <= end {
			fs = append(fs, found[next])
			next++
		}
		if end > at || len(fs) > 0 {
			parts = append(parts, textPart{start: at, end: end, found: fs})
		}
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "$[["):
			n := strings.Index(s[i:], "]]")
			if n < 0 {
				i = len(s)
				continue
			}
			plain(i)
			end := i + n
			g := textPart{start: i + 3, end: end, optional: true}
			for next < len(found) && found[next].End <= end {
				f := found[next]
				f.Optional = true
				g.found = append(g.found, f)
				next++
			}
			parts = append(parts, g)
			at, i = end+2, end+2
		case s[i] == '[':
			end, f := jobGroup(s, i, found[next:])
			if end < 0 {
				i++
				continue
			}
			plain(i)
			e := *f
			e.Optional = true
			parts = append(parts, textPart{start: i + 1, end: end, found: []FoundExpression{e}, optional: true})
			next++
			at, i = end+1, end+1
		default:
			i++
		}
	}
	plain(len(s))
	return parts
}

// jobGroup reads `[--flag ${{inputs.x}}]`: letters, digits, dots, hyphens and blanks, then one input, then the bracket. It
// gives the place of the closing bracket, or -1. Anything else in brackets is the shell's.
func jobGroup(s string, i int, found []FoundExpression) (int, *FoundExpression) {
	for k := range found {
		f := &found[k]
		if f.Start < i {
			continue
		}
		if _, input := f.Input(); !input || f.End >= len(s) || s[f.End] != ']' || k > 0 && found[0].Start > i {
			return -1, nil
		}
		for _, c := range s[i+1 : f.Start] {
			if !isWord(c) && c != '.' && c != '-' && c != ' ' && c != '\t' && c != '\n' {
				return -1, nil
			}
		}
		return f.End, f
	}
	return -1, nil
}

func isWord(c rune) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func scanExpressions(s string) []FoundExpression {
	var out []FoundExpression
	for i := 0; ; {
		k := strings.Index(s[i:], "${{")
		if k < 0 {
			return out
		}
		start := i + k
		n := strings.Index(s[start:], "}}")
		if n < 0 {
			return out
		}
		end := start + n + 2
		if e, ok := ParseExpression(s[start:end]); ok && expressionName(string(e)) {
			out = append(out, FoundExpression{Expression: e, Start: start, End: end})
			i = end
			continue
		}
		i = start + 3
	}
}

// expressionName tells whether it is a path: words and hyphens between dots, at least two parts.
func expressionName(s string) bool {
	dots := 0
	last := rune('.')
	for i, c := range s {
		switch {
		case c == '.':
			if last == '.' {
				return false
			}
			dots++
		case !isWord(c) && (c != '-' || i == 0):
			return false
		}
		last = c
	}
	return dots > 0 && last != '.'
}
