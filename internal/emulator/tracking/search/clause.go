package search

import (
	"slices"
	"strings"
)

// joinLists groups what sqlparse leaves apart: comparisons with IN, NOT IN, IS
// NULL and IS NOT NULL, and for traces those of the word timestamp. Blanks go.
func joinLists(nodes []*node, traces bool) ([]*node, error) {
	var in, out []*node
	for _, n := range nodes {
		if !n.blank() {
			in = append(in, n)
		}
	}
	join := func(parts ...*node) {
		g := &node{class: comparison, nodes: parts}
		for _, p := range parts {
			g.value += p.value
		}
		out = append(out, g)
	}
	for i := 0; i < len(in); i++ {
		if len(in)-i < 3 {
			return append(out, in[i:]...), nil
		}
		first := in[i]
		if traces && first.is(kindBuiltin, "timestamp", "timestamp_ms") {
			second, third := in[i+1], in[i+2]
			i += 2
			if second.class == token && second.kind == kindCompare && slices.Contains(numericOps, second.normal) && third.kind == kindInteger {
				join(first, second, third)
				continue
			}
			out = append(out, first, second, third)
		}
		if first.class != identifier {
			out = append(out, first)
			continue
		}
		second, third := in[i+1], in[i+2]
		i += 2
		switch {
		case second.is(kindKeyword, "IN") && third.class == parenthesis:
			join(first, second, third)
			continue
		case second.is(kindKeyword, "IS") && third.is(kindKeyword, "NULL"):
			join(first, newToken(kindKeyword, "IS NULL"))
			continue
		case second.is(kindKeyword, "IS") && third.class == token && third.kind == kindKeyword && third.normal == "NOT NULL":
			join(first, newToken(kindKeyword, "IS NOT NULL"))
			continue
		}
		i++
		if i >= len(in) {
			return append(out, first, second, third), nil
		}
		if fourth := in[i]; second.is(kindKeyword, "NOT") && third.is(kindKeyword, "IN") && fourth.class == parenthesis {
			join(first, newToken(kindKeyword, "NOT IN"), fourth)
		} else {
			out = append(out, first, second, third, fourth)
		}
	}
	return out, nil
}

// grammar is one kind of search.
type grammar struct {
	attributes []string // that filters may name
	orders     []string // attributes that order_by may name
	numeric    []string // attributes that are numbers
	lists      []string // attributes that take a list; nil for all
	// identifier takes a key apart. Defaults to entities with a dot, attributes without.
	identifier func(g *grammar, id string, valid []string) (Entity, string, error)
	// value reads the right side. Defaults to the rules of runs.
	value func(g *grammar, e Entity, key, op string, n *node) (any, error)
	// nullable tells which entities may be compared with IS NULL.
	nullable func(e Entity, key string) error
	// check looks at a clause before the next one is read.
	check  func(c *Clause) error
	plain  bool // what is no comparison is told without quotes
	single bool // one comparison and no AND
	traces bool // the word timestamp may stand on the left
}

// clauses takes a filter apart.
func (g *grammar) clauses(filter string) ([]Clause, error) {
	if filter == "" {
		return nil, nil
	}
	s, err := statementOf(filter)
	if err != nil {
		return nil, err
	}
	nodes, err := joinLists(s.nodes, g.traces)
	if err != nil {
		return nil, err
	}
	var invalid []string
	for _, n := range nodes {
		if n.class == comparison || n.blank() || !g.single && n.is(kindKeyword, "AND") {
			continue
		}
		if g.plain {
			invalid = append(invalid, n.value)
		} else {
			invalid = append(invalid, "'"+n.value+"'")
		}
	}
	if len(invalid) > 0 {
		return nil, faultf("Invalid clause(s) in filter string: %s", strings.Join(invalid, ", "))
	}
	var out []Clause
	for _, n := range nodes {
		if n.class != comparison {
			continue
		}
		c, err := g.clause(n)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

func (g *grammar) clause(n *node) (Clause, error) {
	var parts []*node
	for _, t := range n.nodes {
		if !t.blank() {
			parts = append(parts, t)
		}
	}
	null := len(parts) == 2 && (strings.EqualFold(parts[1].value, "IS NULL") || strings.EqualFold(parts[1].value, "IS NOT NULL"))
	if !null && len(parts) != 3 {
		return Clause{}, faultf("Invalid comparison clause. Expected 3 tokens found %d", len(parts))
	}
	if parts[0].class != identifier && !(g.traces && parts[0].is(kindBuiltin, "timestamp", "timestamp_ms")) {
		return Clause{}, faultf("Invalid comparison clause. Expected 'Identifier' found '%s'", parts[0].value)
	}
	if null && g.nullable == nil {
		return Clause{}, faultf("Invalid comparison clause. Expected 3 tokens found %d", len(parts))
	}
	identify := g.identifier
	if identify == nil {
		identify = dotted
	}
	e, key, err := identify(g, parts[0].value, g.attributes)
	if err != nil {
		return Clause{}, err
	}
	c := Clause{Entity: e, Key: key, Op: strings.ToUpper(parts[1].value), raw: parts[1].value}
	if null {
		return c, g.nullable(e, key)
	}
	read := g.value
	if read == nil {
		read = runValue
	}
	if c.Value, err = read(g, e, key, parts[1].value, parts[2]); err != nil || g.check == nil {
		return c, err
	}
	return c, g.check(&c)
}
