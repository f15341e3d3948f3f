package monitoring

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Type is what a column holds, in the words that Spark has for it.
type Type string

// The types.
const (
	Long      Type = "long"
	Double    Type = "double"
	Boolean   Type = "boolean"
	String    Type = "string"
	Timestamp Type = "timestamp"
)

func (t Type) number() bool { return t == Long || t == Double }

// Column is a table's: numbers of Long and Double, texts of the rest.
type Column struct {
	Name    string
	Type    Type
	Null    []bool
	Numbers []float64
	Texts   []string
}

// Table is rows by columns. Each column has as many values as there are rows.
type Table struct {
	// Collected is true of rows that a data collector of a deployment wrote.
	Collected bool
	Rows      int
	Columns   []*Column
}

// Column finds a column by its name; nil when there is none.
func (t *Table) Column(name string) *Column {
	i := slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return t.Columns[i]
}

// Names lists the columns.
func (t *Table) Names() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// text is a value as categories are told apart; ok is false of null.
func (c *Column) text(row int) (text string, ok bool) {
	switch {
	case c.Null[row]:
		return "", false
	case c.Type == Long:
		return strconv.FormatInt(int64(c.Numbers[row]), 10), true
	case c.Type == Double:
		return strconv.FormatFloat(c.Numbers[row], 'g', -1, 64), true
	}
	return c.Texts[row], true
}

// pick leaves the rows that keep says.
func (t *Table) pick(keep func(row int) bool) *Table {
	var rows []int
	for i := range t.Rows {
		if keep(i) {
			rows = append(rows, i)
		}
	}
	return t.take(rows)
}

// take gives these rows, in this order.
func (t *Table) take(rows []int) *Table {
	out := &Table{Rows: len(rows)}
	for _, c := range t.Columns {
		n := &Column{Name: c.Name, Type: c.Type, Null: make([]bool, len(rows))}
		if c.Type.number() {
			n.Numbers = make([]float64, len(rows))
		} else {
			n.Texts = make([]string, len(rows))
		}
		for i, r := range rows {
			n.Null[i] = c.Null[r]
			if n.Numbers != nil {
				n.Numbers[i] = c.Numbers[r]
			} else {
				n.Texts[i] = c.Texts[r]
			}
		}
		out.Columns = append(out.Columns, n)
	}
	return out
}

// choose leaves these columns, which must be there.
func (t *Table) choose(names []string) *Table {
	out := &Table{Rows: t.Rows}
	for _, n := range names {
		out.Columns = append(out.Columns, t.Column(n))
	}
	return out
}

// complete leaves the rows that have no null.
func (t *Table) complete() *Table {
	return t.pick(func(row int) bool {
		return !slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Null[row] })
	})
}

// Segment leaves the rows in which a column has one of some values.
func (t *Table) Segment(column string, values []string) (*Table, error) {
	c := t.Column(column)
	if c == nil {
		return nil, fmt.Errorf("there is no column %q to take a segment by; the columns are: %s", column, strings.Join(t.Names(), ", "))
	}
	return t.pick(func(row int) bool {
		v, ok := c.text(row)
		return ok && slices.Contains(values, v)
	}), nil
}

// distinct is the share of different values, null being one.
func (c *Column) distinct() float64 {
	seen := map[string]bool{}
	for i := range c.Null {
		if v, ok := c.text(i); ok {
			seen[v] = true
		} else {
			seen["\x00null"] = true
		}
	}
	return float64(len(seen)) / float64(len(c.Null))
}

// few is the share of different values below which whole numbers are categories.
const few = 0.05

// categorical says whether a column is treated as categories; override is "", numerical or categorical, by the column's name.
func (c *Column) categorical(override map[string]string) bool {
	switch strings.ToLower(override[c.Name]) {
	case "categorical":
		return true
	case "numerical":
		return false
	}
	switch c.Type {
	case Double:
		return false
	case Long:
		return len(c.Null) > 0 && c.distinct() < few
	}
	return true
}

// values are the numbers of a column without nulls.
func (c *Column) values() []float64 {
	out := make([]float64, 0, len(c.Null))
	for i, null := range c.Null {
		if !null {
			out = append(out, c.Numbers[i])
		}
	}
	return out
}

// counts are how often each value of a column occurs.
func (c *Column) counts() map[string]int {
	out := map[string]int{}
	for i := range c.Null {
		if v, ok := c.text(i); ok {
			out[v]++
		}
	}
	return out
}

// extremes are the least and the greatest number of a column.
func (c *Column) extremes() (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for i, null := range c.Null {
		if !null {
			low, high, ok = min(low, c.Numbers[i]), max(high, c.Numbers[i]), true
		}
	}
	return low, high, ok
}
