package assets

import (
	"errors"
	"fmt"
	"strings"
)

// A position is one place in the automaton of an ignore list: it reads one rune, or accepts.
type position struct {
	op   op
	loop bool // stays here after a match, and may be left without one: x*
	r    rune
	set  *runeSet
	rule int32
}

type op uint8

const (
	opRune     op = iota // the rune r
	opSet                // a rune of the bracket expression
	opNotSlash           // [^/]
	opDot                // any rune but a newline, as Python's "."
	opAccept             // the end of rule
)

func (p *position) matches(r rune) bool {
	switch p.op {
	case opRune:
		return r == p.r
	case opSet:
		return p.set.contains(r)
	case opNotSlash:
		return r != '/'
	case opDot:
		return r != '\n'
	}
	return false
}

// A runeSet is a bracket expression. Unlike git's it may match a slash, as Python's does.
type runeSet struct {
	negated bool
	ranges  [][2]rune
}

func (s *runeSet) contains(r rune) bool {
	for _, x := range s.ranges {
		if x[0] <= r && r <= x[1] {
			return !s.negated
		}
	}
	return s.negated
}

// assembler turns patterns into positions. skips holds the optional groups: from the first position past the last.
type assembler struct {
	positions []position
	skips     map[int]int
	rule      int32
}

func (a *assembler) one(o op) { a.positions = append(a.positions, position{op: o, rule: a.rule}) }
func (a *assembler) many(o op) {
	a.positions = append(a.positions, position{op: o, rule: a.rule, loop: true})
}
func (a *assembler) lit(r rune) {
	a.positions = append(a.positions, position{op: opRune, r: r, rule: a.rule})
}

// optional runs f and lets what it wrote be skipped.
func (a *assembler) optional(f func()) {
	start := len(a.positions)
	f()
	a.skips[start] = len(a.positions)
}

// below is "(?:/.*)?": a match on a folder counts for all beneath it.
func (a *assembler) below() {
	a.optional(func() { a.lit('/'); a.many(opDot) })
}

// errNoPattern is what the reference raises for a line such as "!" that leaves no pattern.
var errNoPattern = errors.New("no pattern is left of it")

// pattern adds one line of an ignore file. The shape follows the regular expressions that the reference's pathspec makes,
// piece by piece, since hashes of snapshots depend on it. include is false for a negated line; ok is false for a line that
// does nothing.
func (a *assembler) pattern(line string) (exclude, ok bool, err error) {
	p := strings.TrimFunc(line, pythonSpace)
	if p == "" || p == "/" || p[0] == '#' {
		return false, false, nil
	}
	exclude = true
	if p[0] == '!' {
		exclude, p = false, p[1:]
	}
	segs := strings.Split(p, "/")
	for i := len(segs) - 1; i > 0; i-- { // runs of ** count once
		if segs[i] == "**" && segs[i-1] == "**" {
			segs = append(segs[:i], segs[i+1:]...)
		}
	}
	everythingBelow := len(segs) == 2 && segs[0] == "**" && segs[1] == ""
	switch {
	case segs[0] == "":
		segs = segs[1:]
	case len(segs) == 1 || len(segs) == 2 && segs[1] == "":
		if segs[0] != "**" {
			segs = append([]string{"**"}, segs...)
		}
	}
	if len(segs) == 0 {
		return false, false, errNoPattern
	}
	end := len(segs) - 1
	if segs[end] == "" && end > 0 {
		segs[end] = "**"
	}
	if everythingBelow { // "**/" is all but the files of the root: ^.+/.*$
		a.one(opDot)
		a.many(opDot)
		a.lit('/')
		a.many(opDot)
		return exclude, true, nil
	}
	needSlash := false
	for i, seg := range segs {
		switch {
		case seg == "**" && i == 0 && i == end: // .+
			a.one(opDot)
			a.many(opDot)
		case seg == "**" && i == 0: // (?:.+/)?
			a.optional(func() { a.one(opDot); a.many(opDot); a.lit('/') })
			needSlash = false
		case seg == "**" && i == end: // /.*
			a.lit('/')
			a.many(opDot)
		case seg == "**": // (?:/.+)?
			a.optional(func() { a.lit('/'); a.one(opDot); a.many(opDot) })
			needSlash = true
		default:
			if needSlash {
				a.lit('/')
			}
			if seg == "*" { // [^/]+
				a.one(opNotSlash)
				a.many(opNotSlash)
			} else if err := a.glob(seg); err != nil {
				return false, false, err
			}
			if i == end {
				a.below()
			}
			needSlash = true
		}
	}
	return exclude, true, nil
}

// glob adds one segment of a pattern.
func (a *assembler) glob(seg string) error {
	rs := []rune(seg)
	for i := 0; i < len(rs); i++ {
		switch rs[i] {
		case '\\':
			i++
			if i == len(rs) {
				return errors.New("it ends in a backslash with nothing to escape")
			}
			a.lit(rs[i])
		case '*':
			a.many(opNotSlash)
		case '?':
			a.one(opNotSlash)
		case '[':
			end := bracketEnd(rs, i+1)
			if end < 0 {
				a.lit('[')
				continue
			}
			set, err := bracket(rs[i+1 : end])
			if err != nil {
				return err
			}
			a.positions = append(a.positions, position{op: opSet, set: set, rule: a.rule})
			i = end
		default:
			a.lit(rs[i])
		}
	}
	return nil
}

// bracketEnd is the index of the bracket that closes the expression whose content starts at i, or -1.
func bracketEnd(rs []rune, i int) int {
	if i < len(rs) && rs[i] == '!' {
		i++
	}
	if i < len(rs) && rs[i] == ']' {
		i++
	}
	for ; i < len(rs); i++ {
		if rs[i] == ']' {
			return i
		}
	}
	return -1
}

// bracket reads the content of a bracket expression as Python's re reads it. A backslash is literal.
func bracket(rs []rune) (*runeSet, error) {
	s := &runeSet{}
	if rs[0] == '!' {
		s.negated, rs = true, rs[1:]
	}
	for i := 0; i < len(rs); i++ {
		lo := rs[i]
		if i+1 >= len(rs) || rs[i+1] != '-' {
			s.ranges = append(s.ranges, [2]rune{lo, lo})
			continue
		}
		if i+2 >= len(rs) { // a trailing dash is literal
			s.ranges = append(s.ranges, [2]rune{lo, lo}, [2]rune{'-', '-'})
			break
		}
		hi := rs[i+2]
		if hi < lo {
			return nil, fmt.Errorf("the range %c-%c runs backwards", lo, hi)
		}
		s.ranges = append(s.ranges, [2]rune{lo, hi})
		i += 2
	}
	return s, nil
}

// pythonSpace says whether Python's str.strip would take the rune.
func pythonSpace(r rune) bool {
	switch {
	case r >= '\t' && r <= '\r', r >= 0x1c && r <= ' ':
		return true
	case r < 0x80:
		return false
	case r >= 0x2000 && r <= 0x200a:
		return true
	}
	switch r {
	case 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000:
		return true
	}
	return false
}
