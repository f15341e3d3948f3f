package search

import (
	"slices"
	"strings"
)

// The grouping passes of sqlparse, in its order. What they do to odd input is
// what MLflow's error messages show.

var (
	operands     = []kind{kindNumber, kindInteger, kindFloat, kindString, kindQuoted, kindSymbol, kindName, kindHolder}
	operandGroup = []class{parenthesis, function, identifier, operation, typedLiteral}
)

func group(s *node) error {
	if err := limits(s, 0); err != nil {
		return err
	}
	groupComments(s)
	for _, m := range matchings {
		if err := groupMatching(s, m, 0); err != nil {
			return err
		}
	}
	groupOver(s)
	groupFunctions(s)
	groupWhere(s)
	if err := groupMiddles(s, period, arrays); err != nil {
		return err
	}
	groupIdentifiers(s)
	groupOrder(s)
	if err := groupMiddles(s, typecasts, tzcasts, typedLiterals, literalUnits, operations, comparisons, as); err != nil {
		return err
	}
	groupAliased(s)
	if err := groupMiddles(s, assignments); err != nil {
		return err
	}
	alignComments(s)
	if err := groupMiddles(s, lists); err != nil {
		return err
	}
	groupValues(s)
	return nil
}

func limits(n *node, depth int) error {
	if depth > maxDepth || len(n.nodes) > maxTokens {
		return errTooLarge
	}
	return nil
}

// matching is a pair of marks that enclose a group.
type matching struct {
	class       class
	kind        kind
	open, close []string
}

var matchings = []matching{
	{brackets, kindPunct, []string{"["}, []string{"]"}},
	{parenthesis, kindPunct, []string{"("}, []string{")"}},
	{caseGroup, kindKeyword, []string{"CASE"}, []string{"END"}},
	{ifGroup, kindKeyword, []string{"IF"}, []string{"END IF"}},
	{forGroup, kindKeyword, []string{"FOR", "FOREACH"}, []string{"END LOOP"}},
	{begin, kindKeyword, []string{"BEGIN"}, []string{"END"}},
}

func groupMatching(n *node, m matching, depth int) error {
	if err := limits(n, depth); err != nil {
		return err
	}
	var opens []int
	for i := 0; i < len(n.nodes); i++ {
		t := n.nodes[i]
		switch {
		case t.blank():
		case t.group() && t.class != m.class:
			if err := groupMatching(t, m, depth+1); err != nil {
				return err
			}
		case t.is(m.kind, m.open...):
			opens = append(opens, i)
		case t.is(m.kind, m.close...) && len(opens) > 0:
			from := opens[len(opens)-1]
			opens = opens[:len(opens)-1]
			n.fold(m.class, from, i, false)
			i = from
		}
	}
	return nil
}

// middle groups what stands around a token, as a comparison does.
type middle struct {
	class      class
	match      func(*node) bool
	prev, next func(*node) bool
	// post tells from where to where the group goes. Defaults to the neighbours.
	post   func(n *node, prev, at, next int) (from, to int)
	extend bool
	flat   bool // groups inside are left alone
}

func groupMiddles(n *node, all ...middle) error {
	for _, m := range all {
		if err := groupMiddle(n, m, 0); err != nil {
			return err
		}
	}
	return nil
}

// groupMiddle goes over the nodes as they were at the beginning, as sqlparse does:
// a node that a group took in is still the next one's neighbour.
func groupMiddle(n *node, m middle, depth int) error {
	if err := limits(n, depth); err != nil {
		return err
	}
	taken, pi := 0, -1
	var prev *node
	for at, t := range slices.Clone(n.nodes) {
		i := at - taken
		if i < 0 || t.blank() {
			continue
		}
		if !m.flat && t.group() && t.class != m.class {
			if err := groupMiddle(t, m, depth+1); err != nil {
				return err
			}
		}
		if m.match(t) {
			ni, next := n.next(i)
			if prev != nil && m.prev(prev) && m.next(next) && !n.delimiter(prev) && !n.delimiter(next) {
				from, to := pi, ni
				if m.post != nil {
					from, to = m.post(n, pi, i, ni)
				}
				prev = n.fold(m.class, from, to, m.extend)
				taken += to - from
				pi = from
				continue
			}
		}
		pi, prev = i, t
	}
	return nil
}

// delimiter reports whether t opens or closes n.
func (n *node) delimiter(t *node) bool {
	switch n.class {
	case parenthesis, brackets, caseGroup, ifGroup, forGroup, begin:
		return t != nil && (t == n.nodes[0] || t == n.nodes[len(n.nodes)-1])
	}
	return false
}

func some(n *node) bool    { return n != nil }
func anything(*node) bool  { return true }
func operand(n *node) bool { return n.any(operandGroup, operands...) }
func typeWord(n *node) bool {
	return n.class == token && n.kind == kindBuiltin || n.is(kindKeyword, "TIMESTAMP")
}

var period = middle{
	class: identifier, extend: true,
	match: func(n *node) bool { return n.is(kindPunct, ".") || n.is(kindOperator, "->", "->>") },
	prev:  func(n *node) bool { return n.any([]class{brackets, identifier}, kindName, kindSymbol) },
	next:  anything,
	post: func(n *node, prev, at, next int) (int, int) {
		if next >= 0 && n.nodes[next].any([]class{brackets, function}, kindName, kindSymbol, kindWildcard, kindQuoted) {
			return prev, next
		}
		return prev, at
	},
}

var arrays = middle{
	class: identifier, extend: true, flat: true,
	match: func(n *node) bool { return n.class == brackets },
	prev:  func(n *node) bool { return n.any([]class{brackets, identifier, function}, kindName, kindSymbol) },
	next:  anything,
	post:  func(_ *node, prev, at, _ int) (int, int) { return prev, at },
}

var typecasts = middle{
	class: identifier, extend: true, prev: some, next: some,
	match: func(n *node) bool { return n.is(kindPunct, "::") },
}

var tzcasts = middle{
	class: identifier, extend: true, prev: some,
	match: func(n *node) bool { return n.kind == kindTZCast },
	next: func(n *node) bool {
		return n != nil && (n.blank() || n.is(kindKeyword, "AS") || n.kind == kindQuoted)
	},
}

var typedLiterals = middle{
	class: typedLiteral, match: typeWord, prev: some,
	next: func(n *node) bool { return n != nil && n.kind == kindQuoted },
	post: func(_ *node, _, at, next int) (int, int) { return at, next },
}

var literalUnits = middle{
	class: typedLiteral, extend: true, prev: some,
	match: func(n *node) bool { return n.class == typedLiteral },
	next:  func(n *node) bool { return n.is(kindKeyword, "DAY", "HOUR", "MINUTE", "MONTH", "SECOND", "YEAR") },
	post:  func(_ *node, _, at, next int) (int, int) { return at, next },
}

func operationPart(n *node) bool {
	return operand(n) || n.any([]class{brackets}) || n.is(kindKeyword, "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP")
}

var operations = middle{
	class: operation, prev: operationPart, next: operationPart,
	match: func(n *node) bool { return n.class == token && (n.kind == kindOperator || n.kind == kindWildcard) },
	post: func(n *node, prev, at, next int) (int, int) {
		n.nodes[at].kind = kindOperator
		return prev, next
	},
}

func comparand(n *node) bool {
	return operand(n) || n != nil && n.keyword() && n.normal == "NULL"
}

var comparisons = middle{
	class: comparison, prev: comparand, next: comparand,
	match: func(n *node) bool { return n.kind == kindCompare },
}

var as = middle{
	class: identifier, extend: true,
	match: func(n *node) bool { return n.keyword() && n.normal == "AS" },
	prev:  func(n *node) bool { return n.normal == "NULL" || !n.keyword() },
	next:  func(n *node) bool { return n != nil && n.kind != kindDML && n.kind != kindDDL && n.kind != kindCTE },
}

var assignments = middle{
	class: assignment, extend: true,
	match: func(n *node) bool { return n.is(kindAssignment, ":=") },
	prev:  notKeyword, next: notKeyword,
	post: func(n *node, prev, _, next int) (int, int) {
		if end, _ := n.find(next+1, func(t *node) bool { return t.is(kindPunct, ";") }); end > 0 {
			next = end
		}
		return prev, next
	},
}

func notKeyword(n *node) bool { return n != nil && n.kind != kindKeyword }

func listed(n *node) bool {
	return n.any([]class{function, caseGroup, identifier, comparison, identifierList, operation}, operands...) ||
		n.any(nil, kindKeyword, kindComment, kindWildcard)
}

var lists = middle{
	class: identifierList, extend: true, prev: listed, next: listed,
	match: func(n *node) bool { return n.is(kindPunct, ",") },
}

// inside runs f on every group below n, but not below groups of a class, then on n.
func inside(n *node, but class, f func(*node)) {
	for _, t := range n.nodes {
		if t.group() && (but == token || t.class != but) {
			inside(t, but, f)
		}
	}
	f(n)
}

func groupIdentifiers(s *node) {
	inside(s, identifier, func(n *node) {
		for i, t := range n.nodes {
			if t.any(nil, kindSymbol, kindName) {
				n.nodes[i] = &node{class: identifier, value: t.value, normal: t.value, nodes: []*node{t}}
			}
		}
	})
}

func groupOver(s *node) {
	inside(s, over, func(n *node) {
		for i := 0; i < len(n.nodes); i++ {
			if !n.nodes[i].is(kindKeyword, "OVER") {
				continue
			}
			ni, next := n.next(i)
			if next != nil && (next.class == parenthesis || next.kind.in(kindName)) {
				n.fold(over, i, ni, false)
			}
		}
	})
}

func groupFunctions(s *node) {
	inside(s, function, func(n *node) {
		var create, table, named bool
		for _, t := range n.nodes {
			switch strings.ToUpper(t.value) {
			case "CREATE":
				create = true
			case "TABLE":
				table = true
			case "AS":
				named = true
			}
		}
		if create && table && !named {
			return
		}
		for i := 0; i < len(n.nodes); i++ {
			if !n.nodes[i].kind.in(kindName) {
				continue
			}
			ni, next := n.next(i)
			if next == nil || next.class != parenthesis {
				continue
			}
			if oi, o := n.next(ni); o != nil && o.class == over {
				ni = oi
			}
			n.fold(function, i, ni, false)
		}
	})
}

func groupWhere(s *node) {
	inside(s, where, func(n *node) {
		for i := 0; i < len(n.nodes); i++ {
			if !n.nodes[i].is(kindKeyword, "WHERE") {
				continue
			}
			end, t := n.find(i+1, func(t *node) bool {
				return t.is(kindKeyword, "ORDER BY", "GROUP BY", "LIMIT", "UNION", "UNION ALL", "EXCEPT", "INTERSECT", "HAVING", "RETURNING", "INTO")
			})
			if t == nil {
				if end = len(n.nodes); n.class == parenthesis || n.class == brackets {
					end--
				}
			}
			if end > i {
				n.fold(where, i, end-1, false)
			}
		}
	})
}

func groupOrder(s *node) {
	inside(s, identifier, func(n *node) {
		for i := 0; i < len(n.nodes); i++ {
			if !n.nodes[i].kind.in(kindOrder) {
				continue
			}
			pi, prev := n.prev(i)
			if prev != nil && (prev.class == identifier || prev.kind.in(kindNumber)) {
				n.fold(identifier, pi, i, false)
				i = pi
			}
		}
	})
}

func groupAliased(s *node) {
	inside(s, token, func(n *node) {
		for i := 0; i < len(n.nodes); i++ {
			t := n.nodes[i]
			if !t.any([]class{parenthesis, function, caseGroup, identifier, operation, comparison}) && !t.kind.in(kindNumber) {
				continue
			}
			if ni, next := n.next(i); next != nil && next.class == identifier {
				n.fold(identifier, i, ni, true)
			}
		}
	})
}

func groupComments(s *node) {
	inside(s, commentGroup, func(n *node) {
		for i := 0; i < len(n.nodes); i++ {
			if !n.nodes[i].kind.in(kindComment) {
				continue
			}
			end, t := n.find(i, func(t *node) bool { return !t.kind.in(kindComment) && t.kind != kindNewline })
			if t == nil {
				return
			}
			n.fold(commentGroup, i, end-1, false)
		}
	})
}

func alignComments(s *node) {
	inside(s, token, func(n *node) {
		for i := 0; i < len(n.nodes); i++ {
			if n.nodes[i].class != commentGroup {
				continue
			}
			pi, prev := n.prev(i)
			if prev != nil && prev.group() {
				n.fold(plainList, pi, i, true)
				i = pi
			}
		}
	})
}

func groupValues(n *node) {
	from, t := n.find(0, func(t *node) bool { return t.is(kindKeyword, "VALUES") })
	end := -1
	for i := from; t != nil; i, t = n.next(i) {
		if t.class == parenthesis {
			end = i
		}
	}
	if end >= 0 {
		n.fold(values, from, end, true)
	}
}
