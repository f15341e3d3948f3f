package execution

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/table"
)

// cutter writes the rows of a table to files, one for each mini-batch: about so
// many bytes each and never of two files, or all rows with the same keys.
// Programs get delimited text or lines of JSON; Python, which makes data frames
// of them, gets values with their types.
type cutter struct {
	table *mltable
	dir   string
	size  int64
	keys  []string
	typed bool // for Python

	comma  rune // of delimited text; 0 for lines of JSON
	out    []*miniBatch
	groups map[string]*rowFile
}

// rowFile is a mini-batch's file while it is written. It is not held open: there
// may be more partitions than a process may have files.
type rowFile struct {
	b      *miniBatch
	source int // the file that its rows are of
	header []string
	held   bytes.Buffer
	bytes  int64
}

// holds is how many bytes are held back before they are written.
const holds = 64 << 10

func (c *cutter) cut(ctx context.Context) ([]*miniBatch, error) {
	c.groups = map[string]*rowFile{}
	c.comma = c.table.Comma()
	var err error
	for r, rerr := range c.table.Rows(ctx, c.table.files) {
		if rerr != nil {
			if err = ctx.Err(); err == nil {
				err = tableFault(rerr)
			}
			break
		}
		if err = c.put(r); err != nil {
			break
		}
	}
	for _, g := range c.groups {
		err = errors.Join(err, g.flush())
	}
	return c.out, err
}

func (g *rowFile) flush() error {
	f, err := os.OpenFile(g.b.Files[0], os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = g.held.WriteTo(f)
	return errors.Join(err, f.Close())
}

// put adds a row to its mini-batch.
func (c *cutter) put(r *table.Row) error {
	shown := c.table.files[r.File].Name
	key, values := "", map[string]string(nil)
	if len(c.keys) > 0 {
		values = map[string]string{}
		for _, k := range c.keys {
			v, ok := r.Cell(k)
			if !ok {
				return userError("partition_keys: %s has no column %q; it has: %s", shown, k, strings.Join(r.Columns, ", "))
			}
			values[k] = v.Text()
		}
		key = partitionKey(c.keys, values)
	}
	g := c.groups[key]
	if g != nil && len(c.keys) == 0 && (g.bytes >= c.size || g.source != r.File) {
		if err := g.flush(); err != nil {
			return err
		}
		g = nil
	}
	if g == nil {
		g = &rowFile{b: &miniBatch{Index: len(c.out), Partition: values}, source: r.File}
		name := fmt.Sprintf("%06d", g.b.Index)
		switch {
		case c.typed:
			g.b.Table, name = &tableFormat{Format: "rows"}, name+".rows"
		case c.comma != 0:
			g.b.Table, name = &tableFormat{Format: "csv", Delimiter: string(c.comma)}, name+".csv"
		default:
			g.b.Table, name = &tableFormat{Format: "json"}, name+".jsonl"
		}
		g.b.Files = []string{filepath.Join(c.dir, name)}
		c.out = append(c.out, g.b)
		c.groups[key] = g
	}
	g.b.items++
	g.bytes += r.Bytes
	switch {
	case c.typed:
		return g.typed(r)
	case c.comma != 0:
		return g.delimited(r, c.comma, shown)
	}
	b, err := r.JSON()
	if err != nil {
		return err
	}
	return g.append(b)
}

// append adds a line.
func (g *rowFile) append(line []byte) error {
	g.held.Write(line)
	g.held.WriteByte('\n')
	if g.held.Len() < holds {
		return nil
	}
	return g.flush()
}

// delimited adds a row as text, and the header before the first.
func (g *rowFile) delimited(r *table.Row, comma rune, shown string) error {
	if g.header == nil {
		g.header = r.Columns
		if err := g.write(r.Columns, comma); err != nil {
			return err
		}
	}
	if !slices.Equal(g.header, r.Columns) {
		return userError("%s has other columns (%s) than the rows of the same mini-batch before it (%s)", shown, strings.Join(r.Columns, ", "), strings.Join(g.header, ", "))
	}
	values := make([]string, len(r.Cells))
	for i, c := range r.Cells {
		values[i] = c.Text()
	}
	return g.write(values, comma)
}

func (g *rowFile) write(values []string, comma rune) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = comma
	if err := w.Write(values); err != nil {
		return err
	}
	w.Flush()
	return g.append(bytes.TrimRight(b.Bytes(), "\n"))
}

// typed adds a row as a list of values, and notes what columns there are and
// what kinds of values they have.
func (g *rowFile) typed(r *table.Row) error {
	f := g.b.Table
	same := len(g.header) == len(r.Columns) && slices.Equal(g.header, r.Columns)
	values := make([]any, len(f.Columns), len(f.Columns)+len(r.Columns))
	for i, k := range r.Columns {
		at := i
		if !same {
			at = slices.IndexFunc(f.Columns, func(c tableColumn) bool { return c.Name == k })
			if at < 0 {
				at = len(f.Columns)
				f.Columns, values = append(f.Columns, tableColumn{Name: k}), append(values, nil)
			}
		}
		v := r.Cells[i].Value
		f.Columns[at].Kind = table.Both(f.Columns[at].Kind, table.KindOf(v))
		values[at] = v
	}
	if !same {
		g.header = make([]string, len(f.Columns))
		for i, c := range f.Columns {
			g.header[i] = c.Name
		}
	}
	line := []byte{'['}
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		var err error
		if line, err = table.AppendJSON(line, v); err != nil {
			return err
		}
	}
	return g.append(append(line, ']'))
}
