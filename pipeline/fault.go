package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is what sort of fault was found. It is an error: errors.Is(err, pipeline.Cyclic) tells whether Build met one.
type Kind string

// The kinds of faults.
const (
	UnknownPort  Kind = "unknown port"
	MissingInput Kind = "missing input"
	WrongType    Kind = "wrong type"
	WrongValue   Kind = "wrong value"
	Duplicate    Kind = "duplicate"
	InvalidName  Kind = "invalid name"
	Foreign      Kind = "of another pipeline"
	Cyclic       Kind = "cycle"
	Invalid      Kind = "invalid" // anything else that is wrong with a step or the pipeline
)

// Error is the kind's name.
func (k Kind) Error() string { return string(k) }

// Fault is one thing that is wrong with a pipeline.
type Fault struct {
	Kind Kind
	// Step is the step's name, "" for the pipeline itself.
	Step string
	// Port is the input, output or field: "inputs.data".
	Port string
	// Message says what is wrong, and what would be right.
	Message string
	// Cause is what another package found, nil mostly.
	Cause error
}

func (f *Fault) Error() string {
	var b strings.Builder
	if f.Step != "" {
		fmt.Fprintf(&b, "step %q: ", f.Step)
	}
	if f.Port != "" {
		b.WriteString(f.Port + ": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Is tells whether the fault is of a kind.
func (f *Fault) Is(target error) bool { return target == f.Kind }

// Unwrap is the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// Faults lists the faults of an error of Build, in the order of the steps.
func Faults(err error) (out []*Fault) {
	switch e := err.(type) {
	case nil:
	case *Fault:
		out = append(out, e)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = append(out, Faults(inner)...)
		}
	default:
		out = Faults(errors.Unwrap(err))
	}
	return out
}

// list gathers faults, each once.
type list struct{ all []*Fault }

func (l *list) add(k Kind, step, port, format string, a ...any) {
	l.put(&Fault{Kind: k, Step: step, Port: port, Message: fmt.Sprintf(format, a...)})
}

func (l *list) put(f *Fault) {
	if !slices.ContainsFunc(l.all, func(x *Fault) bool { return x.Step == f.Step && x.Port == f.Port && x.Message == f.Message }) {
		l.all = append(l.all, f)
	}
}

// sort brings those from one on into the order of their texts: they were found in a map, and each building tells the same.
func (l *list) sort(from int) {
	slices.SortStableFunc(l.all[from:], func(a, b *Fault) int {
		return cmp.Or(strings.Compare(a.Port, b.Port), strings.Compare(a.Message, b.Message))
	})
}

// at tells whether something is known to be wrong with a port.
func (l *list) at(step, port string) bool {
	return slices.ContainsFunc(l.all, func(x *Fault) bool { return x.Step == step && x.Port == port })
}

func (l *list) err(op string) error {
	if len(l.all) == 0 {
		return nil
	}
	errs := make([]error, len(l.all))
	for i, f := range l.all {
		errs[i] = f
	}
	return fmt.Errorf("%s: %w", op, errors.Join(errs...))
}

// instead says what there is in the place of a name that is not: a name close to it, else all.
func instead[V any](what, name string, have map[string]V) string {
	if len(have) == 0 {
		return fmt.Sprintf("; it has no %ss", what)
	}
	names := slices.Sorted(maps.Keys(have))
	best, at := "", 1<<30
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < at {
			best, at = n, d
		}
	}
	if at <= max(1, len(name)/3) {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	if len(names) > 12 {
		names = append(names[:12], "…")
	}
	return fmt.Sprintf("; its %ss are %s", what, strings.Join(names, ", "))
}

// distance is the number of letters to add, take away, change or swap with their neighbour to make b of a.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := range x {
		row[0] = i + 1
		for j := range y {
			change := 1
			if x[i] == y[j] {
				change = 0
			}
			row[j+1] = min(last[j]+change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
