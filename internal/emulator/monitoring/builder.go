package monitoring

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// cell is one value as it was read.
type cell struct {
	kind   Type // "" is null; textual is a text of which no type is known
	number float64
	text   string
}

// textual is a value of a file that says no types.
const textual Type = "?"

// builder gathers rows of several files; what a column holds is known when all are there.
type builder struct {
	rows    int
	columns []*gathered
	at      map[string]*gathered
	parts   map[string]bool // columns with values that have parts: they are no features
}

type gathered struct {
	name  string
	cells []cell // those missing at the end are null
}

func (b *builder) column(name string) *gathered {
	if c := b.at[name]; c != nil {
		return c
	}
	if b.at == nil {
		b.at = map[string]*gathered{}
	}
	c := &gathered{name: name}
	b.at[name] = c
	b.columns = append(b.columns, c)
	return c
}

// set puts a value into the row that is being gathered.
func (b *builder) set(name string, v cell) {
	c := b.column(name)
	for len(c.cells) < b.rows {
		c.cells = append(c.cells, cell{})
	}
	c.cells = append(c.cells[:b.rows], v)
}

// leave leaves a column out of the table.
func (b *builder) leave(name string) {
	if b.parts == nil {
		b.parts = map[string]bool{}
	}
	b.parts[name] = true
}

func (b *builder) next() { b.rows++ }

// table decides what the columns hold.
func (b *builder) table() *Table {
	t := &Table{Rows: b.rows}
	for _, g := range b.columns {
		if b.parts[g.name] {
			continue
		}
		for len(g.cells) < b.rows {
			g.cells = append(g.cells, cell{})
		}
		t.Columns = append(t.Columns, g.column())
		g.cells = nil
	}
	return t
}

func (g *gathered) column() *Column {
	kind := g.kind()
	c := &Column{Name: g.name, Type: kind, Null: make([]bool, len(g.cells))}
	if kind.number() {
		c.Numbers = make([]float64, len(g.cells))
	} else {
		c.Texts = make([]string, len(g.cells))
	}
	for i, v := range g.cells {
		switch {
		case v.kind == "" || v.kind == textual && v.text == "":
			c.Null[i] = true
		case c.Numbers == nil:
			c.Texts[i] = v.word(kind)
		default:
			n := v.number
			if v.kind == textual {
				n, _ = strconv.ParseFloat(strings.TrimSpace(v.text), 64) // kind tried it
			}
			c.Numbers[i], c.Null[i] = n, math.IsNaN(n)
		}
	}
	return c
}

func (v cell) word(of Type) string {
	switch {
	case v.kind.number():
		return strconv.FormatFloat(v.number, 'g', -1, 64)
	case of == Boolean:
		return strings.ToLower(strings.TrimSpace(v.text))
	}
	return v.text
}

// kind is the narrowest type that takes all values.
func (g *gathered) kind() Type {
	kind := Type("")
	for _, v := range g.cells {
		k := v.kind
		if k == textual {
			if v.text == "" {
				continue
			}
			k = typeOf(v.text)
		}
		switch {
		case k == "" || k == kind:
		case kind == "":
			kind = k
		case k.number() && kind.number():
			kind = Double
		default:
			return String
		}
	}
	if kind == "" {
		return String
	}
	return kind
}

// typeOf is the type of a value in a file that says none.
func typeOf(text string) Type {
	text = strings.TrimSpace(text)
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Long
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(text, "xX_pP") && (!math.IsInf(f, 0) || strings.ContainsAny(text, "iI")) {
		return Double
	}
	switch strings.ToLower(text) {
	case "true", "false":
		return Boolean
	}
	if isTime(text) {
		return Timestamp
	}
	return String
}

var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00", time.DateOnly}

func isTime(text string) bool {
	if len(text) < len(time.DateOnly) || text[4] != '-' {
		return false
	}
	for _, l := range timeLayouts {
		if _, err := time.Parse(l, text); err == nil {
			return true
		}
	}
	return false
}

// jsonCell is a value of a row of JSON; ok is false of objects and lists, which are no features.
func jsonCell(raw json.RawMessage) (c cell, ok bool, err error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return cell{}, false, err
	}
	if f, number := v.(float64); number && !strings.ContainsAny(string(raw), ".eE") {
		return cell{kind: Long, number: f}, true, nil
	}
	switch v.(type) {
	case map[string]any, []any:
		return cell{}, false, nil
	}
	c, ok = cellOf(v)
	return c, ok, nil
}
