package wire

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// A Fault is one thing wrong with a document: where it stands and what would be right.
type Fault struct {
	File    string // as given by the caller, "" for a document without a file
	Line    int    // from 1; 0 when the place is not known (an override, a value made in Go)
	Column  int
	Field   string // path in the document, such as jobs.train.limits.timeout
	Message string
	Cause   error // what it comes from, for errors.Is and errors.As; nil when there is no more to say
}

func (f *Fault) Error() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		b.WriteByte(':')
	}
	if f.Line > 0 {
		if f.File == "" {
			b.WriteString("line ")
		}
		b.WriteString(strconv.Itoa(f.Line))
		b.WriteByte(':')
		if f.Column > 0 {
			b.WriteString(strconv.Itoa(f.Column))
			b.WriteByte(':')
		}
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if f.Field != "" {
		b.WriteString(f.Field)
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	return b.String()
}

// Faults are all faults of a document, in the order in which they stand there. A nil Faults is no error: use Err.
type Faults []*Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, x := range f {
		lines[i] = x.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.As the cause.
func (f *Fault) Unwrap() error { return f.Cause }

// Unwrap gives errors.As each single fault.
func (f Faults) Unwrap() []error {
	out := make([]error, len(f))
	for i, x := range f {
		out[i] = x
	}
	return out
}

// Err is nil when there are no faults, else the faults sorted by place; files stay in the order in which they were met.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	met := map[string]int{}
	for _, x := range f {
		if _, known := met[x.File]; !known {
			met[x.File] = len(met)
		}
	}
	slices.SortStableFunc(f, func(a, b *Fault) int {
		return cmp.Or(cmp.Compare(met[a.File], met[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return f
}

// FaultsOf collects the faults inside err, whatever wraps them.
func FaultsOf(err error) Faults {
	if fs, ok := errors.AsType[Faults](err); ok {
		return fs
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		return Faults{f}
	}
	return nil
}
