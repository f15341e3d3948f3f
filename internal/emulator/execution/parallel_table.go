package execution

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// mltable is an MLTable file that was read: its files, and how rows are read of them.
type mltable struct {
	files  []tableFile
	format *tableFormat // nil when nothing reads rows
	// header is all_files_same_headers, from_first_file, all_files_different_headers or no_header.
	header     string
	keep, drop []string // columns
	pathColumn bool
	take, skip int // take -1 takes all
}

type tableFile struct {
	path, shown string
	partition   map[string]string // by the partition format
}

// readTable reads the file MLTable of a folder and finds the files that it
// names. Those that lie elsewhere are fetched below remote.
func (j *job) readTable(folder, remote string) (*mltable, error) {
	fault := func(format string, args ...any) error {
		return userError("the MLTable: "+format, args...)
	}
	b, err := os.ReadFile(filepath.Join(folder, "MLTable"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, userError("the input is an mltable, and its folder has no file MLTable")
	}
	if err != nil {
		return nil, err
	}
	var doc struct {
		Paths           []map[string]string `yaml:"paths"`
		Transformations []any               `yaml:"transformations"`
	}
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return nil, fault("%v", err)
	}
	t := &mltable{take: -1, header: "all_files_same_headers"}
	format := ""
	for _, x := range doc.Transformations {
		name, args := "", map[string]any{}
		switch x := x.(type) {
		case string:
			name = x
		case map[string]any:
			if len(x) != 1 {
				return nil, fault("a transformation has one name, got %v", x)
			}
			for k, v := range x {
				name = k
				if m, ok := v.(map[string]any); ok {
					args = m
				} else {
					args = map[string]any{"": v}
				}
			}
		default:
			return nil, fault("%v is no transformation", x)
		}
		if name == "extract_columns_from_partition_format" {
			format = fmt.Sprint(firstOf(args, "partition_format", ""))
			continue
		}
		if err := t.transform(name, args); err != nil {
			return nil, fault("%v", err)
		}
	}
	for i, p := range doc.Paths {
		if len(p) != 1 {
			return nil, fault("paths[%d] has one of file, folder, pattern", i)
		}
		for kind, at := range p {
			if err := j.tablePath(t, folder, filepath.Join(remote, fmt.Sprint(i)), kind, at); err != nil {
				return nil, err
			}
		}
	}
	if len(t.files) == 0 {
		return nil, fault("no file is found at its paths")
	}
	if format != "" {
		if err := t.extract(format); err != nil {
			return nil, fault("%v", err)
		}
	}
	return t, nil
}

func firstOf(m map[string]any, keys ...string) any {
	for _, k := range keys {
		if v, ok := m[k]; ok {
			return v
		}
	}
	return ""
}

// tablePath adds the files of one of the paths.
func (j *job) tablePath(t *mltable, folder, remote, kind, at string) error {
	root := folder
	if strings.Contains(at, "://") || strings.HasPrefix(at, "/subscriptions/") || strings.HasPrefix(at, "azureml:") {
		if kind == "pattern" {
			return userError("the MLTable: a pattern is found below the table's own folder only, not at %s", at)
		}
		loc, err := j.e.Resolver.Resolve(j.ctx, j.rec.Scope, at, arm.Data)
		if err != nil {
			return userError("the MLTable: %v", err)
		}
		if err := os.MkdirAll(remote, 0o700); err != nil {
			return err
		}
		if root, err = j.e.fetch(j.ctx, loc, remote, kind == "file"); err != nil {
			return err
		}
		return t.add(root, at)
	}
	rel := filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+at), "/"))
	switch kind {
	case "file", "folder":
		return t.add(filepath.Join(root, rel), at)
	case "pattern":
		re, err := globPattern(filepath.ToSlash(rel))
		if err != nil {
			return userError("the MLTable: pattern %s: %v", at, err)
		}
		all, err := filesBelow(root)
		if err != nil {
			return err
		}
		for _, f := range all {
			if r, err := filepath.Rel(root, f); err == nil && re.MatchString(filepath.ToSlash(r)) && r != "MLTable" {
				t.files = append(t.files, tableFile{path: f, shown: filepath.ToSlash(r)})
			}
		}
		return nil
	}
	return userError("the MLTable: paths have file, folder or pattern, not %q", kind)
}

func (t *mltable) add(at, shown string) error {
	files, err := filesBelow(at)
	if errors.Is(err, fs.ErrNotExist) {
		return userError("the MLTable: there is nothing at %s", shown)
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		name := shown
		if r, err := filepath.Rel(at, f); err == nil && r != "." {
			if r == "MLTable" {
				continue
			}
			name = strings.TrimSuffix(shown, "/") + "/" + filepath.ToSlash(r)
		}
		t.files = append(t.files, tableFile{path: f, shown: name})
	}
	return nil
}

// globPattern makes a regular expression of a pattern with *, ** and ?.
func globPattern(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return regexp.Compile("^" + b.String() + "$")
}

var encodings = []string{"", "utf8", "ascii"}

// transform notes one transformation; those that cannot be honoured are refused by name.
func (t *mltable) transform(name string, args map[string]any) error {
	columns := func() ([]string, error) {
		v := firstOf(args, "columns", "")
		if s, ok := v.(string); ok && s != "" {
			return []string{s}, nil
		}
		list, ok := v.([]any)
		if !ok {
			return nil, fmt.Errorf("%s: a list of columns is wanted, got %v", name, v)
		}
		var out []string
		for _, c := range list {
			out = append(out, fmt.Sprint(c))
		}
		return out, nil
	}
	var err error
	switch name {
	case "read_delimited":
		t.format = &tableFormat{Format: "csv", Delimiter: ","}
		for _, k := range sorted(args) {
			v := args[k]
			switch k {
			case "delimiter":
				t.format.Delimiter = fmt.Sprint(v)
				if r := []rune(t.format.Delimiter); len(r) != 1 || slices.Contains([]rune{'"', '\n', '\r'}, r[0]) {
					return fmt.Errorf("read_delimited: a delimiter is one character, got %q", v)
				}
			case "header":
				t.header = strings.ToLower(fmt.Sprint(v))
				if !slices.Contains([]string{"all_files_same_headers", "from_first_file", "all_files_different_headers", "no_header"}, t.header) {
					return fmt.Errorf("read_delimited: header: %q is unknown", v)
				}
			case "empty_as_string":
			case "infer_column_types":
				t.format.Text = v == false
			case "include_path_column":
				t.pathColumn = v == true
			case "support_multi_line": // quoted lines are read whole in any case
			case "encoding":
				if !slices.Contains(encodings, strings.ToLower(fmt.Sprint(v))) {
					return fmt.Errorf("read_delimited: the local workspace reads utf8 and ascii, not %v", v)
				}
			default:
				return fmt.Errorf("read_delimited: the local workspace does not know %q", k)
			}
		}
	case "read_json_lines":
		t.format = &tableFormat{Format: "json"}
		for k, v := range args {
			if k == "include_path_column" {
				t.pathColumn = v == true
			} else if k == "encoding" && slices.Contains(encodings, strings.ToLower(fmt.Sprint(v))) || k == "invalid_lines" && v == "error" {
				continue
			} else if k != "" || v != nil {
				return fmt.Errorf("read_json_lines: the local workspace does not know %s: %v", k, v)
			}
		}
	case "read_parquet":
		t.format = &tableFormat{Format: "parquet"}
	case "keep_columns":
		t.keep, err = columns()
	case "drop_columns":
		var more []string
		more, err = columns()
		t.drop = append(t.drop, more...)
	case "take", "skip":
		n, ok := firstOf(args, "count", "").(int)
		if !ok || n < 0 {
			return fmt.Errorf("%s: a number of rows is wanted, got %v", name, args)
		}
		if name == "take" {
			t.take = n
		} else {
			t.skip = n
		}
	default:
		return fmt.Errorf("the local workspace does not know the transformation %q; it knows read_delimited, read_json_lines, read_parquet, keep_columns, drop_columns, take, skip, extract_columns_from_partition_format", name)
	}
	if err == nil && t.format != nil && t.format.Format == "parquet" && (t.keep != nil || t.drop != nil || t.take >= 0 || t.skip > 0) {
		err = errors.New("of parquet files the local workspace hands over whole ones, without keep_columns, drop_columns, take and skip")
	}
	return err
}

var partitionColumn = regexp.MustCompile(`\{([^{}:]+)(:[^{}]*)?\}`)

// extract finds the columns that stand in the paths: {store}/{brand}/data.csv.
func (t *mltable) extract(format string) error {
	var b strings.Builder
	at := 0
	var names []string
	literal := func(s string) {
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(s), `\*`, `[^/]*`))
	}
	trimmed := strings.TrimPrefix(format, "/")
	for _, m := range partitionColumn.FindAllStringSubmatchIndex(trimmed, -1) {
		if m[4] >= 0 {
			return fmt.Errorf("partition_format: the local workspace does not read times, as in %s", trimmed[m[0]:m[1]])
		}
		literal(trimmed[at:m[0]])
		b.WriteString(`([^/]+)`)
		names = append(names, trimmed[m[2]:m[3]])
		at = m[1]
	}
	if len(names) == 0 {
		return fmt.Errorf("partition_format: %q names no column in braces", format)
	}
	literal(trimmed[at:])
	re, err := regexp.Compile(`(?:^|/)` + b.String() + `$`)
	if err != nil {
		return err
	}
	for i, f := range t.files {
		m := re.FindStringSubmatch(strings.TrimPrefix(f.shown, "./"))
		if m == nil {
			return fmt.Errorf("partition_format: %q does not fit %s", f.shown, format)
		}
		t.files[i].partition = map[string]string{}
		for k, n := range names {
			t.files[i].partition[n] = m[k+1]
		}
	}
	sort.SliceStable(t.files, func(a, b int) bool { return t.files[a].shown < t.files[b].shown })
	return nil
}
