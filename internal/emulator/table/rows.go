package table

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
)

// File is one file of a table.
type File struct {
	Path string // where it lies
	Name string // how messages, path columns and partition formats call it
}

// Comma separates the values of delimited files; 0 for other formats.
func (d *Definition) Comma() rune {
	if d.delimited == nil {
		return 0
	}
	return d.delimited.delimiter
}

// PartitionColumns are the columns that the paths hold.
func (d *Definition) PartitionColumns() []string {
	if d.partition == nil {
		return nil
	}
	return slices.Clone(d.partition.names)
}

// Partition is what a file's path says of the partition's columns.
func (d *Definition) Partition(f File) (map[string]string, error) {
	if d.partition == nil {
		return nil, nil
	}
	cells, err := d.partition.values(f)
	if err != nil {
		return nil, fmt.Errorf("extract_columns_from_partition_format: %w", err)
	}
	out := map[string]string{}
	for i, k := range d.partition.names {
		out[k] = cells[i].Text()
	}
	return out, nil
}

// Rows reads the rows of files, in their order, transformed. An error ends them.
func (d *Definition) Rows(ctx context.Context, files []File) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		ended := false
		next := sink(func(r *Row) error {
			if !yield(r, nil) {
				ended = true
				return errEnough
			}
			return nil
		})
		for _, s := range slices.Backward(d.steps) {
			next = s(next)
		}
		if err := d.read(ctx, files, next); err != nil && !errors.Is(err, errEnough) && !ended {
			yield(nil, err)
		}
	}
}

// read gives the rows of files to a sink.
func (d *Definition) read(ctx context.Context, files []File, next sink) error {
	if d.Format == "" {
		return errors.New("no transformation reads rows: read_delimited, read_json_lines, read_parquet")
	}
	more, err := d.added(files)
	if err != nil {
		return err
	}
	next = d.widen(files, more, next)
	flush := func() error { return nil }
	var del *delimited
	if d.delimited != nil {
		own := *d.delimited // it remembers the first file's header
		del = &own
		if own.infer {
			next, flush = own.typed(next)
		}
	}
	for i, f := range files {
		if err := d.file(ctx, i, f, del, next); err != nil {
			return err
		}
	}
	return flush()
}

func (d *Definition) file(ctx context.Context, index int, f File, del *delimited, next sink) error {
	var stopped error
	count := 0
	yield := func(r *Row) bool {
		if count++; count%1024 == 0 && ctx.Err() != nil {
			stopped = context.Cause(ctx)
			return false
		}
		r.File = index
		stopped = next(r)
		return stopped == nil
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	in, err := os.Open(f.Path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	switch d.Format {
	case "delimited":
		err = del.read(f, in, yield)
	case "json":
		err = d.json.read(io.Reader(in), yield)
	default:
		err = readParquet(in, yield)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.Name, err)
	}
	return errors.Join(stopped, err, in.Close())
}

// typed makes a sink that finds the types of columns of text from the first rows.
func (r *delimited) typed(next sink) (sink, func() error) {
	var held []*Row
	types := map[string]columnType{}
	decided := false
	apply := func(row *Row) error {
		for i, k := range row.Columns {
			row.Cells[i] = types[k].apply(row.Cells[i])
		}
		return next(row)
	}
	flush := func() error {
		if decided {
			return nil
		}
		decided = true
		values := map[string][]Cell{}
		for _, row := range held {
			for i, k := range row.Columns {
				values[k] = append(values[k], row.Cells[i])
			}
		}
		for k, v := range values {
			types[k] = infer(v)
		}
		for k, t := range r.types {
			types[k] = t
		}
		for _, row := range held {
			if err := apply(row); err != nil {
				return err
			}
		}
		held = nil
		return nil
	}
	return func(row *Row) error {
		if decided {
			return apply(row)
		}
		held = append(held, row)
		if len(held) < r.sample {
			return nil
		}
		return flush()
	}, flush
}

// added are the cells that each file's path gives its rows.
func (d *Definition) added(files []File) ([][]Cell, error) {
	if d.partition == nil {
		return nil, nil
	}
	out := make([][]Cell, len(files))
	for i, f := range files {
		var err error
		if out[i], err = d.partition.values(f); err != nil {
			return nil, fmt.Errorf("extract_columns_from_partition_format: %w", err)
		}
	}
	for k := range d.partition.names {
		if d.late { // as mltable has it
			break
		}
		var column []Cell
		for i := range files {
			column = append(column, out[i][k])
		}
		t := infer(column)
		for i := range files {
			out[i][k] = t.apply(out[i][k])
		}
	}
	return out, nil
}

// widen adds the columns of the path, and the path itself, to rows.
func (d *Definition) widen(files []File, more [][]Cell, next sink) sink {
	if more == nil && d.pathColumn == "" {
		return next
	}
	var from, to []string // the columns as they came last, and what became of them
	return func(r *Row) error {
		var front, back, path []Cell
		var frontNames, backNames []string
		if d.pathColumn != "" {
			path, frontNames = []Cell{{Value: files[r.File].Name}}, []string{d.pathColumn}
		}
		switch {
		case more == nil:
			front = path
		case d.late:
			front, back, backNames = path, more[r.File], d.partition.names
		default:
			front, frontNames = append(slices.Clone(more[r.File]), path...), append(slices.Clone(d.partition.names), frontNames...)
		}
		if to == nil || !same(from, r.Columns) {
			from, to = r.Columns, slices.Concat(frontNames, r.Columns, backNames)
			for i, k := range to {
				if slices.Contains(to[:i], k) {
					return fmt.Errorf("%s: the column %q is one of its own and one of its path", files[r.File].Name, k)
				}
			}
		}
		r.Columns, r.Cells = to, slices.Concat(front, r.Cells, back)
		return next(r)
	}
}
