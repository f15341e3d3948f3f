package table

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// selector chooses columns: by name, or by a regular expression.
type selector struct {
	names   []string
	pattern *regexp.Regexp
	invert  bool
}

func parseSelector(v any) (selector, error) {
	m, ok := v.(map[string]any)
	if !ok {
		s := selector{names: texts(v)}
		if len(s.names) == 0 || slices.Contains(s.names, "") {
			return s, fmt.Errorf("a column, or a list of columns is wanted, got %v", v)
		}
		return s, nil
	}
	if err := onlyKeys(m, "pattern", "ignore_case", "invert"); err != nil {
		return selector{}, err
	}
	p, ok := m["pattern"].(string)
	if !ok {
		return selector{}, fmt.Errorf("columns by pattern want a pattern, got %v", v)
	}
	if m["ignore_case"] == true {
		p = "(?i)" + p
	}
	re, err := regexp.Compile(p)
	if err != nil {
		return selector{}, err
	}
	return selector{pattern: re, invert: m["invert"] == true}, nil
}

func (s selector) has(column string) bool {
	if s.pattern == nil {
		return slices.Contains(s.names, column)
	}
	return s.pattern.MatchString(column) != s.invert
}

// chooser keeps the columns of rows that it was told to keep, and remembers
// which these are.
type chooser struct {
	s       selector
	keep    bool
	columns []string // the rows' that it last saw
	at      []int
	kept    []string
}

func (c *chooser) row(r *Row) *Row {
	if c.columns == nil || !same(c.columns, r.Columns) {
		c.columns, c.at, c.kept = r.Columns, nil, []string{}
		for i, k := range r.Columns {
			if c.s.has(k) == c.keep {
				c.at, c.kept = append(c.at, i), append(c.kept, k)
			}
		}
	}
	out := *r
	out.Columns = c.kept
	out.Cells = make([]Cell, len(c.at))
	for i, k := range c.at {
		out.Cells[i] = r.Cells[k]
	}
	return &out
}

// same is whether two lists of columns are equal, told fast where they are one.
func same(a, b []string) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0] || slices.Equal(a, b))
}

func onlyKeys(m map[string]any, known ...string) error {
	for k := range m {
		if !slices.Contains(known, k) {
			return fmt.Errorf("%q is not one of %s", k, strings.Join(known, ", "))
		}
	}
	return nil
}
