package table

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Path is one of the paths of a table.
type Path struct {
	Kind string // file, folder or pattern
	At   string // relative, or a URI
}

// Definition is a file MLTable that was read.
type Definition struct {
	Paths []Path
	// Format is how rows are read: delimited, json or parquet; "" for a table of files.
	Format string

	delimited  *delimited
	json       *jsonLines
	pathColumn string
	partition  *partitionFormat
	late       bool // the partition's columns stand after the rows' own
	steps      []step
}

// Parse reads a file MLTable. What is not known is refused by name.
func Parse(data []byte) (*Definition, error) {
	var doc struct {
		Type            string              `yaml:"type"`
		Paths           []map[string]string `yaml:"paths"`
		Transformations []any               `yaml:"transformations"`
	}
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if doc.Type != "" && doc.Type != "mltable" {
		return nil, fmt.Errorf("type: want mltable, got %q", doc.Type)
	}
	d := &Definition{}
	for i, p := range doc.Paths {
		if len(p) != 1 {
			return nil, fmt.Errorf("paths[%d] has one of file, folder, pattern", i)
		}
		for kind, at := range p {
			if kind != "file" && kind != "folder" && kind != "pattern" {
				return nil, fmt.Errorf("paths[%d] has one of file, folder, pattern, not %q", i, kind)
			}
			if kind == "pattern" {
				if _, err := ParseGlob(at); err != nil {
					return nil, fmt.Errorf("paths[%d]: %w", i, err)
				}
			}
			d.Paths = append(d.Paths, Path{kind, at})
		}
	}
	if len(d.Paths) == 0 {
		return nil, errors.New("paths: at least one file, folder or pattern is required")
	}
	for i, t := range doc.Transformations {
		name, args, err := transformation(t)
		if err == nil {
			err = d.transform(name, args)
		}
		if err != nil {
			return nil, fmt.Errorf("transformations[%d]: %w", i, err)
		}
	}
	return d, nil
}

// Of is the table of files by the end of a name: .csv, .tsv, .jsonl, .parquet.
func Of(name string) (*Definition, error) {
	d := &Definition{}
	var err error
	switch strings.ToLower(path.Ext(name)) {
	case ".csv":
		err = d.transform("read_delimited", map[string]any{"support_multi_line": true})
	case ".tsv":
		err = d.transform("read_delimited", map[string]any{"delimiter": "\t", "support_multi_line": true})
	case ".jsonl", ".ndjson":
		err = d.transform("read_json_lines", nil)
	case ".parquet", ".pqt":
		err = d.transform("read_parquet", nil)
	default:
		err = fmt.Errorf("%s: tables end in .csv, .tsv, .jsonl or .parquet", name)
	}
	return d, err
}

func transformation(t any) (name string, args any, err error) {
	switch t := t.(type) {
	case string:
		return t, nil, nil
	case map[string]any:
		for k, v := range t {
			if len(t) == 1 {
				return k, v, nil
			}
		}
	}
	return "", nil, fmt.Errorf("one name with its arguments is wanted, got %v", t)
}

const knownTransformations = "read_delimited, read_json_lines, read_parquet, extract_columns_from_partition_format, keep_columns, drop_columns, convert_column_types, filter, take, skip, take_random_sample"

// transform adds one transformation.
func (d *Definition) transform(name string, args any) error {
	m, _ := args.(map[string]any)
	fault := func(err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("%s: %w", name, err)
	}
	if strings.HasPrefix(name, "read_") && (args != nil && m == nil) {
		return fmt.Errorf("%s: want its arguments by name, got %v", name, args)
	}
	switch name {
	case "read_delimited", "read_json_lines", "read_parquet":
		if d.Format != "" {
			return fmt.Errorf("%s: the table is read already", name)
		}
		if len(d.steps) > 0 {
			return fmt.Errorf("%s stands before the transformations of its rows", name)
		}
	case "extract_columns_from_partition_format":
		format, ok := args.(string)
		if m != nil {
			format, ok = m["partition_format"].(string)
		}
		if !ok {
			return fmt.Errorf("%s: partition_format is required", name)
		}
		if d.partition != nil {
			return fmt.Errorf("%s stands once", name)
		}
		var err error
		d.partition, err = parsePartition(format)
		d.late = d.Format != ""
		return fault(err)
	case "keep_columns", "drop_columns", "convert_column_types", "filter", "take", "skip", "take_random_sample":
		if d.Format == "" {
			return fmt.Errorf("%s changes rows, and no read_delimited, read_json_lines or read_parquet stands before it", name)
		}
	default:
		return fmt.Errorf("the local workspace does not know the transformation %q; it knows %s", name, knownTransformations)
	}
	switch name {
	case "read_delimited":
		return fault(d.readDelimited(m))
	case "read_json_lines":
		return fault(d.readJSON(m))
	case "read_parquet":
		d.Format = "parquet"
		if err := onlyKeys(m, "include_path_column", "path_column"); err != nil {
			return fault(err)
		}
		d.pathColumn = pathColumn(m)
		return nil
	case "keep_columns", "drop_columns":
		if v, ok := m["columns"]; ok {
			args = v
		}
		s, err := parseSelector(args)
		if err != nil {
			return fault(err)
		}
		d.steps = append(d.steps, choose(s, name == "keep_columns"))
	case "convert_column_types":
		list, ok := args.([]any)
		if !ok {
			return fmt.Errorf("%s: want a list of columns and column_type, got %v", name, args)
		}
		for _, v := range list {
			c, err := parseConversion(v)
			if err != nil {
				return fault(err)
			}
			d.steps = append(d.steps, convert(c))
		}
	case "filter":
		text, ok := args.(string)
		if !ok {
			return fmt.Errorf("filter: want an expression, got %v", args)
		}
		e, err := parseFilter(text)
		if err != nil {
			return err
		}
		d.steps = append(d.steps, filter(e, text))
	case "take", "skip":
		if v, ok := m["count"]; ok {
			args = v
		}
		n, ok := args.(int)
		if !ok || n < 0 {
			return fmt.Errorf("%s: a number of rows is wanted, got %v", name, args)
		}
		if name == "take" {
			d.steps = append(d.steps, take(n))
		} else {
			d.steps = append(d.steps, skip(n))
		}
	case "take_random_sample":
		if err := onlyKeys(m, "probability", "seed"); err != nil {
			return fault(err)
		}
		p, ok := number(whole(m["probability"]))
		if !ok || p < 0 || p > 1 {
			return fmt.Errorf("%s: probability: want a number from 0 to 1, got %v", name, m["probability"])
		}
		seed, ok := m["seed"].(int)
		if !ok && m["seed"] != nil {
			return fmt.Errorf("%s: seed: want a whole number, got %v", name, m["seed"])
		}
		d.steps = append(d.steps, sample(p, seed))
	}
	return nil
}

// whole makes an int of YAML an int64.
func whole(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v
}

func pathColumn(m map[string]any) string {
	if m["include_path_column"] != true {
		return ""
	}
	if s, ok := m["path_column"].(string); ok && s != "" {
		return s
	}
	return "Path"
}

func encodingOf(m map[string]any) (string, error) {
	e := ""
	if v, ok := m["encoding"]; ok {
		e = strings.ToLower(fmt.Sprint(v))
	}
	_, err := decoded(strings.NewReader(""), e)
	return e, err
}

func (d *Definition) readDelimited(m map[string]any) error {
	if err := onlyKeys(m, "delimiter", "header", "encoding", "support_multi_line", "empty_as_string", "infer_column_types", "include_path_column", "path_column", "partition_size"); err != nil {
		return err
	}
	r := &delimited{delimiter: ',', header: "all_files_same_headers", infer: true, sample: sampleRows, types: map[string]columnType{}}
	if v, ok := m["delimiter"]; ok {
		runes := []rune(fmt.Sprint(v))
		if len(runes) != 1 || slices.Contains([]rune{'"', '\n', '\r'}, runes[0]) {
			return fmt.Errorf("delimiter: the local workspace separates values by one character, got %q", v)
		}
		r.delimiter = runes[0]
	}
	if v, ok := m["header"]; ok {
		r.header = strings.ToLower(fmt.Sprint(v))
		if known := []string{"all_files_same_headers", "from_first_file", "all_files_different_headers", "no_header"}; !slices.Contains(known, r.header) {
			return fmt.Errorf("header: %q is not one of %s", v, strings.Join(known, ", "))
		}
	}
	var err error
	if r.encoding, err = encodingOf(m); err != nil {
		return err
	}
	for key, to := range map[string]*bool{"support_multi_line": &r.multiLine, "empty_as_string": &r.emptyText, "include_path_column": new(bool)} {
		if v, ok := m[key]; ok {
			if *to, ok = v.(bool); !ok {
				return fmt.Errorf("%s: want true or false, got %v", key, v)
			}
		}
	}
	switch v := m["infer_column_types"].(type) {
	case nil:
	case bool:
		r.infer = v
	case map[string]any:
		if err := r.inferred(v); err != nil {
			return fmt.Errorf("infer_column_types: %w", err)
		}
	default:
		return fmt.Errorf("infer_column_types: want true, false, or sample_size and column_type_overrides, got %v", v)
	}
	d.pathColumn = pathColumn(m)
	d.Format, d.delimited = "delimited", r
	return nil
}

func (r *delimited) inferred(m map[string]any) error {
	if err := onlyKeys(m, "sample_size", "column_type_overrides"); err != nil {
		return err
	}
	if v, ok := m["sample_size"]; ok {
		n, ok := v.(int)
		if !ok || n < 1 {
			return fmt.Errorf("sample_size: want a number of rows, got %v", v)
		}
		r.sample = n
	}
	list, ok := m["column_type_overrides"].([]any)
	if !ok && m["column_type_overrides"] != nil {
		return fmt.Errorf("column_type_overrides: want a list, got %v", m["column_type_overrides"])
	}
	for _, v := range list {
		c, err := parseConversion(v)
		if err != nil {
			return fmt.Errorf("column_type_overrides: %w", err)
		}
		if c.columns.pattern != nil || len(c.yes)+len(c.no)+len(c.layouts) > 0 || c.mismatch != nil {
			return fmt.Errorf("column_type_overrides: the local workspace takes names of columns and plain types here; convert_column_types knows the others")
		}
		for _, k := range c.columns.names {
			r.types[k] = columnType{kind: c.to}
		}
	}
	return nil
}

func (d *Definition) readJSON(m map[string]any) error {
	if err := onlyKeys(m, "invalid_lines", "encoding", "include_path_column", "path_column", "partition_size"); err != nil {
		return err
	}
	j := &jsonLines{}
	var err error
	if j.encoding, err = encodingOf(m); err != nil {
		return err
	}
	switch v := m["invalid_lines"]; v {
	case nil, "error":
	case "drop":
		j.drop = true
	default:
		return fmt.Errorf("invalid_lines: %v is not one of error, drop", v)
	}
	d.pathColumn = pathColumn(m)
	d.Format, d.json = "json", j
	return nil
}

// sink takes rows; its error ends the reading.
type sink func(*Row) error

// step makes a sink that changes rows and passes them on. It is made anew for
// each reading.
type step func(next sink) sink

var errEnough = errors.New("enough rows")

func choose(s selector, keep bool) step {
	return func(next sink) sink {
		c := &chooser{s: s, keep: keep}
		return func(r *Row) error {
			out := c.row(r)
			if len(out.Columns) == 0 {
				return fmt.Errorf("no column is left of: %s", strings.Join(r.Columns, ", "))
			}
			return next(out)
		}
	}
}

func convert(c *conversion) step {
	return func(next sink) sink {
		return func(r *Row) error {
			out := *r
			out.Cells = slices.Clone(r.Cells)
			for i, k := range r.Columns {
				if c.columns.has(k) {
					out.Cells[i] = c.convert(r.Cells[i])
				}
			}
			return next(&out)
		}
	}
}

func filter(e expression, text string) step {
	return func(next sink) sink {
		return func(r *Row) error {
			v, err := e.eval(r)
			if err != nil {
				return fmt.Errorf("filter %q: %w", text, err)
			}
			b, ok := v.(bool)
			if !ok && v != nil {
				return fmt.Errorf("filter %q: it is neither True nor False, but %s", text, describe(v))
			}
			if !b {
				return nil
			}
			return next(r)
		}
	}
}

func take(n int) step {
	return func(next sink) sink {
		taken := 0
		return func(r *Row) error {
			if taken >= n {
				return errEnough
			}
			taken++
			if err := next(r); err != nil {
				return err
			}
			if taken == n {
				return errEnough
			}
			return nil
		}
	}
}

func skip(n int) step {
	return func(next sink) sink {
		skipped := 0
		return func(r *Row) error {
			if skipped < n {
				skipped++
				return nil
			}
			return next(r)
		}
	}
}

// sample keeps rows with a probability, the same for the same seed; which they
// are is not what another implementation draws.
func sample(p float64, seed int) step {
	return func(next sink) sink {
		src := rand.New(rand.NewPCG(uint64(seed), 0))
		return func(r *Row) error {
			if src.Float64() >= p {
				return nil
			}
			return next(r)
		}
	}
}
