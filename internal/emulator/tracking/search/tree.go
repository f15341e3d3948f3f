package search

import (
	"errors"
	"slices"
	"strings"
)

// class is what a group of tokens stands for.
type class int

const (
	token class = iota // not a group
	statement
	identifier
	identifierList
	parenthesis
	brackets
	comparison
	operation
	function
	typedLiteral
	commentGroup
	where
	over
	caseGroup
	ifGroup
	forGroup
	begin
	assignment
	values
	plainList
)

// node is a token, or a group of nodes.
type node struct {
	class  class
	kind   kind
	value  string // the text
	normal string // the text, upper case for keywords
	nodes  []*node
}

func newToken(k kind, value string) *node {
	n := &node{kind: k, value: value, normal: value}
	if n.keyword() {
		n.normal = strings.ToUpper(value)
	}
	return n
}

func (n *node) keyword() bool { return n.kind.in(kindKeyword) }
func (n *node) blank() bool   { return n.kind.in(kindWhitespace) }
func (n *node) group() bool   { return n.class != token }

// is reports whether the token has this type and one of these values. Those of
// keywords are compared without regard to case.
func (n *node) is(k kind, values ...string) bool {
	return n != nil && n.class == token && n.kind == k && slices.Contains(values, n.normal)
}

// any tells nodes by class or by exact type.
func (n *node) any(classes []class, kinds ...kind) bool {
	return n != nil && (n.group() && slices.Contains(classes, n.class) || n.class == token && slices.Contains(kinds, n.kind))
}

// next is the first node behind i that is not blank.
func (n *node) next(i int) (int, *node) {
	for i++; i < len(n.nodes); i++ {
		if !n.nodes[i].blank() {
			return i, n.nodes[i]
		}
	}
	return -1, nil
}

// prev is the first node before i that is not blank.
func (n *node) prev(i int) (int, *node) {
	for i--; i >= 0; i-- {
		if !n.nodes[i].blank() {
			return i, n.nodes[i]
		}
	}
	return -1, nil
}

// find is the first node from i on that f takes.
func (n *node) find(i int, f func(*node) bool) (int, *node) {
	for ; i < len(n.nodes); i++ {
		if f(n.nodes[i]) {
			return i, n.nodes[i]
		}
	}
	return -1, nil
}

// fold replaces the nodes from one place to another, inclusive, by a group. With
// extend a first node of that class takes the others in.
func (n *node) fold(c class, from, to int, extend bool) *node {
	members := slices.Clone(n.nodes[from : to+1])
	g := members[0]
	if extend && (g.class == c || c == plainList && g.group()) {
		g.nodes = append(g.nodes, members[1:]...)
		for _, m := range members[1:] {
			g.value += m.value
		}
	} else {
		g = &node{class: c, nodes: members}
		for _, m := range members {
			g.value += m.value
		}
	}
	g.normal = g.value
	n.nodes = slices.Replace(n.nodes, from, to+1, g)
	return g
}

// parse cuts a text into statements and groups each one's tokens.
func parse(text string) ([]*node, error) {
	statements := split(lex(text))
	for _, s := range statements {
		if err := group(s); err != nil {
			return nil, err
		}
	}
	return statements, nil
}

// split cuts at semicolons outside parentheses.
func split(tokens []*node) []*node {
	var all []*node
	current := &node{class: statement}
	level := 0
	ended := false
	for _, t := range tokens {
		if ended && !t.blank() && !t.kind.in(kindSingle) {
			all = append(all, current)
			current, level, ended = &node{class: statement}, 0, false
		}
		switch {
		case t.is(kindPunct, "("):
			level++
		case t.is(kindPunct, ")"):
			level--
		}
		current.nodes = append(current.nodes, t)
		current.value += t.value
		if t.is(kindPunct, ";") && level <= 0 || t.kind == kindKeyword && strings.Fields(t.value)[0] == "GO" {
			ended = true
		}
	}
	if slices.ContainsFunc(current.nodes, func(t *node) bool { return !t.blank() }) {
		all = append(all, current)
	}
	return all
}

// What sqlparse takes at most, against input that is made to be slow.
const (
	maxDepth  = 100
	maxTokens = 10000
)

var errTooLarge = errors.New("too many tokens")
