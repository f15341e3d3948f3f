package execution

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// cutter writes the rows of a table to files, one for each mini-batch: about so
// many bytes each and never of two files, or all rows with the same keys.
type cutter struct {
	table *mltable
	dir   string
	size  int64
	keys  []string

	out     []*miniBatch
	groups  map[string]*rowFile
	first   []string // header of the first file
	skipped int
	taken   int
}

// rowFile is a mini-batch's file while it is written. It is not held open: there
// may be more partitions than a process may have files.
type rowFile struct {
	b      *miniBatch
	source string // the file that its rows are of
	header []string
	held   bytes.Buffer
	bytes  int64
}

// holds is how many bytes are held back before they are written.
const holds = 64 << 10

var errEnough = errors.New("enough rows")

func (c *cutter) cut(ctx context.Context) ([]*miniBatch, error) {
	c.groups = map[string]*rowFile{}
	var err error
	for _, f := range c.table.files {
		if err = ctx.Err(); err != nil {
			break
		}
		switch c.table.format.Format {
		case "csv":
			err = c.delimited(f)
		case "json":
			err = c.jsonLines(f)
		default:
			if len(c.keys) > 0 {
				return nil, userError("partition_keys: the local workspace does not partition parquet files")
			}
			c.out = append(c.out, &miniBatch{Index: len(c.out), Files: []string{f.path}, Table: c.table.format, Partition: f.partition})
		}
		if err != nil {
			break
		}
	}
	if errors.Is(err, errEnough) {
		err = nil
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

// row is one row with its columns; bytes is what it took in its file.
type row struct {
	columns, values []string
	raw             []byte // the line of a row of JSON
	bytes           int64
}

// put adds a row to its mini-batch.
func (c *cutter) put(f tableFile, r row) error {
	if c.skipped < c.table.skip {
		c.skipped++
		return nil
	}
	if c.table.take >= 0 && c.taken >= c.table.take {
		return errEnough
	}
	c.taken++
	if r.raw == nil {
		for _, k := range sorted(f.partition) {
			r.columns, r.values = append(r.columns, k), append(r.values, f.partition[k])
		}
		if c.table.pathColumn {
			r.columns, r.values = append(r.columns, "Path"), append(r.values, f.shown)
		}
	}
	key, values := "", map[string]string(nil)
	if len(c.keys) > 0 {
		values = map[string]string{}
		for _, k := range c.keys {
			v, err := r.value(f, k)
			if err != nil {
				return err
			}
			values[k] = v
		}
		key = partitionKey(c.keys, values)
	}
	if r.raw == nil {
		if err := c.choose(&r); err != nil {
			return err
		}
	}
	g := c.groups[key]
	if g != nil && len(c.keys) == 0 && (g.bytes >= c.size || g.source != f.path) {
		if err := g.flush(); err != nil {
			return err
		}
		g = nil
	}
	if g == nil {
		g = &rowFile{b: &miniBatch{Index: len(c.out), Table: c.table.format, Partition: values}, source: f.path, header: r.columns}
		ext := ".csv"
		if r.raw != nil {
			ext = ".jsonl"
		}
		g.b.Files = []string{filepath.Join(c.dir, fmt.Sprintf("%06d%s", g.b.Index, ext))}
		c.out = append(c.out, g.b)
		c.groups[key] = g
		if r.raw == nil {
			if err := g.write(c.table.format, r.columns); err != nil {
				return err
			}
		}
	}
	if r.raw == nil && !slices.Equal(g.header, r.columns) {
		return userError("%s has other columns (%s) than the rows of the same mini-batch before it (%s)", f.shown, strings.Join(r.columns, ", "), strings.Join(g.header, ", "))
	}
	g.b.items++
	g.bytes += r.bytes
	if r.raw != nil {
		return g.append(r.raw)
	}
	return g.write(c.table.format, r.values)
}

func (r *row) value(f tableFile, column string) (string, error) {
	if v, ok := f.partition[column]; ok {
		return v, nil
	}
	if r.raw != nil {
		var m map[string]any
		if err := json.Unmarshal(r.raw, &m); err != nil {
			return "", err
		}
		if v, ok := m[column]; ok {
			return fmt.Sprint(v), nil
		}
		return "", userError("partition_keys: a row of %s has no column %q; it has: %s", f.shown, column, strings.Join(sorted(m), ", "))
	}
	i := slices.Index(r.columns, column)
	if i < 0 || i >= len(r.values) {
		return "", userError("partition_keys: %s has no column %q; it has: %s", f.shown, column, strings.Join(r.columns, ", "))
	}
	return r.values[i], nil
}

// choose leaves the columns that keep_columns and drop_columns leave.
func (c *cutter) choose(r *row) error {
	if c.table.keep == nil && c.table.drop == nil {
		return nil
	}
	for _, k := range append(slices.Clone(c.table.keep), c.table.drop...) {
		if !slices.Contains(r.columns, k) {
			return userError("the MLTable: there is no column %q; the columns are: %s", k, strings.Join(r.columns, ", "))
		}
	}
	var columns, values []string
	for i, k := range r.columns {
		if (c.table.keep == nil || slices.Contains(c.table.keep, k)) && !slices.Contains(c.table.drop, k) {
			columns, values = append(columns, k), append(values, r.values[i])
		}
	}
	r.columns, r.values = columns, values
	return nil
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

func (g *rowFile) write(format *tableFormat, values []string) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = []rune(format.Delimiter)[0]
	if err := w.Write(values); err != nil {
		return err
	}
	w.Flush()
	return g.append(bytes.TrimRight(b.Bytes(), "\n"))
}

var byteOrderMark = []byte("\xef\xbb\xbf")

func (c *cutter) delimited(f tableFile) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	if mark, err := in.Peek(3); err == nil && bytes.Equal(mark, byteOrderMark) {
		_, _ = in.Discard(3) // they were just read
	}
	r := csv.NewReader(in)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = []rune(c.table.format.Delimiter)[0], true, -1, false
	var header []string
	last := int64(0)
	for n := 0; ; n++ {
		values, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return userError("%s: %v", f.shown, err)
		}
		took := r.InputOffset() - last
		last = r.InputOffset()
		if header == nil {
			switch {
			case c.table.header == "no_header":
				header = numbered(len(values))
			case c.table.header == "from_first_file" && c.first != nil:
				header = c.first
			default:
				header = values
				if c.first == nil {
					c.first = header
				}
				continue
			}
		}
		if len(values) != len(header) {
			return userError("%s: row %d has %d values, the header %d", f.shown, n, len(values), len(header))
		}
		if err := c.put(f, row{columns: header, values: values, bytes: took}); err != nil {
			return err
		}
	}
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("Column%d", i+1)
	}
	return out
}

func (c *cutter) jsonLines(f tableFile) error {
	file, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		took := int64(len(line))
		line = bytes.TrimSpace(bytes.TrimPrefix(line, byteOrderMark))
		if len(line) > 0 {
			if line, err = c.reshape(f, line); err != nil {
				return userError("%s: line %d: %v", f.shown, n, err)
			}
			if err := c.put(f, row{raw: line, bytes: took}); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
	}
}

// reshape changes the columns of a row of JSON where the table asks for it.
func (c *cutter) reshape(f tableFile, line []byte) ([]byte, error) {
	t := c.table
	var m map[string]json.RawMessage
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, err
	}
	if t.keep == nil && t.drop == nil && !t.pathColumn && len(f.partition) == 0 {
		return line, nil
	}
	for k := range m {
		if t.keep != nil && !slices.Contains(t.keep, k) || slices.Contains(t.drop, k) {
			delete(m, k)
		}
	}
	more := map[string]string{}
	for k, v := range f.partition {
		more[k] = v
	}
	if t.pathColumn {
		more["Path"] = f.shown
	}
	for k, v := range more {
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		m[k] = b
	}
	return json.Marshal(m)
}
