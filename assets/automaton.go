package assets

import (
	"slices"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// maxStates bounds the memory of an automaton (a state takes about 1 KiB). Past it, states are made anew each time.
const maxStates = 4096

// An automaton runs all rules of an ignore list over a path at once. It is a set of positions for each rule; the sets that
// occur are kept, so that a walk costs a table look-up for each rune of a name: the state of a folder is computed once and
// continued for each entry. Safe for concurrent use.
type automaton struct {
	positions []position
	closures  [][]int32
	exclude   []bool // for each rule, false when negated
	start     *state

	mu     sync.Mutex
	states map[string]*state
}

// A state is what the automaton knows after a prefix of a path.
type state struct {
	set []int32
	// last is the last rule that matches the path if it ends here, or -1.
	last int32
	// seal is the last rule that excludes whatever follows, or -1.
	seal int32
	// hope is the last negated rule that a longer path could still match, or -1.
	hope int32

	ascii [utf8.RuneSelf]atomic.Pointer[state]
	other map[rune]*state // guarded by automaton.mu
}

func newAutomaton(lines []string) (*automaton, *lineError) {
	a := &automaton{states: map[string]*state{}}
	asm := assembler{skips: map[int]int{}}
	var starts []int32
	for n, line := range lines {
		at := len(asm.positions)
		asm.rule = int32(len(a.exclude))
		exclude, ok, err := asm.pattern(line)
		if err != nil {
			return nil, &lineError{line: n + 1, text: line, err: err}
		}
		if !ok {
			continue
		}
		starts = append(starts, int32(at))
		a.exclude = append(a.exclude, exclude)
		asm.one(opAccept)
	}
	a.positions = asm.positions
	a.closures = make([][]int32, len(a.positions))
	for i := len(a.positions) - 1; i >= 0; i-- {
		c := []int32{int32(i)}
		if a.positions[i].loop {
			c = append(c, a.closures[i+1]...)
		}
		if to, ok := asm.skips[i]; ok {
			c = append(c, a.closures[to]...)
		}
		slices.Sort(c)
		a.closures[i] = slices.Compact(c)
	}
	var first []int32
	for _, s := range starts {
		first = append(first, a.closures[s]...)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.start = a.state(first)
	return a, nil
}

// state gives the state for a set of positions. The caller holds mu.
func (a *automaton) state(set []int32) *state {
	slices.Sort(set)
	set = slices.Compact(set)
	key := make([]byte, 0, 4*len(set))
	for _, i := range set {
		key = append(key, byte(i), byte(i>>8), byte(i>>16), byte(i>>24))
	}
	if s, ok := a.states[string(key)]; ok {
		return s
	}
	s := &state{set: slices.Clone(set), last: -1, seal: -1, hope: -1}
	for _, i := range set {
		p := &a.positions[i]
		if p.op == opAccept {
			s.last = max(s.last, p.rule)
		} else if !a.exclude[p.rule] {
			s.hope = max(s.hope, p.rule)
		} else if p.op == opDot && p.loop && a.positions[i+1].op == opAccept {
			s.seal = max(s.seal, p.rule)
		}
	}
	if len(a.states) < maxStates {
		a.states[string(key)] = s
	}
	return s
}

func (a *automaton) step(s *state, r rune) *state {
	if r < utf8.RuneSelf {
		if n := s.ascii[r].Load(); n != nil {
			return n
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if r >= utf8.RuneSelf {
		if n := s.other[r]; n != nil {
			return n
		}
	}
	var set []int32
	for _, i := range s.set {
		p := &a.positions[i]
		if !p.matches(r) {
			continue
		}
		if p.loop {
			set = append(set, a.closures[i]...)
		} else {
			set = append(set, a.closures[i+1]...)
		}
	}
	n := a.state(set)
	if r < utf8.RuneSelf {
		s.ascii[r].Store(n)
	} else if len(a.states) < maxStates {
		if s.other == nil {
			s.other = map[rune]*state{}
		}
		s.other[r] = n
	}
	return n
}

// run continues s with text. A byte that is no UTF-8 counts as a rune of its own that no pattern can name.
func (a *automaton) run(s *state, text string) *state {
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			s = a.step(s, rune(c))
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			r = 0xdc00 + rune(text[i])
		}
		s = a.step(s, r)
		i += n
	}
	return s
}

// excludes says whether the path that is s followed by name is excluded: the last rule that matches decides. As in Python,
// "$" also matches before a newline at the very end.
func (a *automaton) excludes(s *state, name string) bool {
	var last int32
	if n := len(name) - 1; n >= 0 && name[n] == '\n' {
		before := a.run(s, name[:n])
		last = max(before.last, a.step(before, '\n').last)
	} else {
		last = a.run(s, name).last
	}
	return last >= 0 && a.exclude[last]
}

// sealed says whether every path below the folder is excluded, s being the state after the folder's path and a slash: a rule
// that excludes has come to its final ".*", and no later negated rule can match any more. (That the rule matches the path
// with its slash is not enough: a bracket expression may have taken the slash. Names that hold a newline are not
// considered: "." does not match it.)
func (a *automaton) sealed(s *state) bool { return s.seal >= 0 && s.hope < s.seal }
