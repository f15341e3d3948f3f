package execution

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/table"
)

// miniBatch is what one call of run gets.
type miniBatch struct {
	Index int      `json:"index"`
	Files []string `json:"files"`
	// Table is set when the one file holds rows, which Python gets as a data frame.
	Table     *tableFormat      `json:"table,omitempty"`
	Partition map[string]string `json:"partition,omitempty"`
	// Before is how many items the mini-batches before it have.
	Before int `json:"before"`

	items int // files or rows; of tables that only Python can count, 0
}

// tableFormat is how the rows of a mini-batch are written.
type tableFormat struct {
	// Format is csv with a header, json for lines of objects, or rows: lines of
	// lists, one value for each of Columns.
	Format    string        `json:"format"`
	Delimiter string        `json:"delimiter,omitempty"`
	Columns   []tableColumn `json:"columns,omitempty"`
}

type tableColumn struct {
	Name string     `json:"name"`
	Kind table.Kind `json:"kind"`
}

// filesBelow lists the files of a folder in the order of their paths; of a file, itself.
func filesBelow(at string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(at, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(p)
		if err == nil && info.Mode().IsRegular() {
			out = append(out, p)
		}
		return err
	})
	sort.Strings(out)
	return out, err
}

// fileBatches cuts a list of files by their number.
func fileBatches(files []string, size int64) []*miniBatch {
	var out []*miniBatch
	for len(files) > 0 {
		n := len(files)
		if size < int64(n) {
			n = int(size)
		}
		out = append(out, &miniBatch{Index: len(out), Files: files[:n:n], items: n})
		files = files[n:]
	}
	return out
}

// split cuts the step's input, which lies at in. Rows are written to files below
// scratch, with their types where typed is said.
func (j *job) split(p *parallelPlan, in, scratch string, typed bool) ([]*miniBatch, error) {
	if p.Inputs[p.input].Type != "mltable" {
		files, err := filesBelow(in)
		if err != nil {
			return nil, err
		}
		return fileBatches(files, p.size), nil
	}
	t, err := j.readTable(in, filepath.Join(scratch, "remote"))
	if err != nil {
		return nil, err
	}
	rows := p.tabular()
	if err := noRows(t.Definition, p); err != nil {
		return nil, err
	}
	switch {
	case rows && t.Format != "":
		dir := filepath.Join(scratch, "rows")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		c := &cutter{table: t, dir: dir, size: p.size, keys: p.PartitionKeys, typed: typed}
		if c.size == 0 {
			c.size = 1 << 20
		}
		return c.cut(j.ctx)
	case len(p.PartitionKeys) > 0:
		return t.partitions(p.PartitionKeys)
	}
	var files []string
	for _, f := range t.files {
		files = append(files, f.Path)
	}
	return fileBatches(files, max(p.size, 1)), nil
}

// partitions makes a mini-batch of the files that share the values of some
// columns of the partition format.
func (t *mltable) partitions(keys []string) ([]*miniBatch, error) {
	var out []*miniBatch
	known := map[string]*miniBatch{}
	for _, f := range t.files {
		has, err := t.Partition(f)
		if err != nil {
			return nil, tableFault(err)
		}
		values := map[string]string{}
		for _, k := range keys {
			v, ok := has[k]
			if !ok {
				return nil, userError("partition_keys: %q is not a column of the MLTable's partition format; it has: %s", k, strings.Join(t.PartitionColumns(), ", "))
			}
			values[k] = v
		}
		key := partitionKey(keys, values)
		b := known[key]
		if b == nil {
			b = &miniBatch{Index: len(out), Partition: values}
			known[key] = b
			out = append(out, b)
		}
		b.Files = append(b.Files, f.Path)
		b.items++
	}
	return out, nil
}

func partitionKey(keys []string, values map[string]string) string {
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%d:%s", len(values[k]), values[k])
	}
	return b.String()
}
