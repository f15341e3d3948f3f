//go:build unix

package execution

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/emulator/table"
)

// Whatever its rows and however it is cut, every row of a table is in exactly one
// mini-batch, in order; none has rows of two files; and rows of one key stay together.
func TestCutRowsProperty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		at := filepath.Join(dir, fmt.Sprint(n))
		require.NoError(t, os.MkdirAll(at, 0o700))
		cell := rapid.StringMatching(`[ab"; \n,é]{0,4}`)
		delimiter := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delimiter")
		d, err := table.Parse(fmt.Appendf(nil, "paths: [{folder: .}]\ntransformations: [{read_delimited: {delimiter: %q, support_multi_line: true, empty_as_string: true}}]\n", delimiter))
		require.NoError(t, err)
		rows := &mltable{Definition: d}
		var want [][]string
		for f := range rapid.IntRange(1, 3).Draw(t, "files") {
			var b strings.Builder
			w := csv.NewWriter(&b)
			w.Comma = []rune(delimiter)[0]
			require.NoError(t, w.Write([]string{"key", "v"}))
			for r := range rapid.IntRange(0, 12).Draw(t, "rows") {
				row := []string{rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "key"), fmt.Sprint(f, r) + cell.Draw(t, "cell")}
				require.NoError(t, w.Write(row))
				want = append(want, row)
			}
			w.Flush()
			path := filepath.Join(at, fmt.Sprint("in", f))
			require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
			rows.files = append(rows.files, table.File{Path: path, Name: fmt.Sprint("in", f)})
		}
		c := &cutter{table: rows, dir: at, size: int64(rapid.IntRange(1, 60).Draw(t, "size"))}
		if rapid.Bool().Draw(t, "keyed") {
			c.keys = []string{"key"}
		}
		batches, err := c.cut(t.Context())
		require.NoError(t, err)
		var got [][]string
		keys := map[string]bool{}
		for i, b := range batches {
			require.Equal(t, i, b.Index)
			f, err := os.Open(b.Files[0])
			require.NoError(t, err)
			r := csv.NewReader(f)
			r.Comma = []rune(delimiter)[0]
			rows, err := r.ReadAll()
			require.NoError(t, err)
			require.NoError(t, f.Close())
			require.Equal(t, []string{"key", "v"}, rows[0])
			require.Len(t, rows[1:], b.items)
			for _, row := range rows[1:] {
				if c.keys == nil { // the first character is the file's number
					require.Equal(t, rows[1][1][0], row[1][0], "a mini-batch is of one file, unless it is a partition")
				}
			}
			if c.keys != nil {
				require.False(t, keys[b.Partition["key"]], "one mini-batch for each key")
				keys[b.Partition["key"]] = true
				for _, row := range rows[1:] {
					require.Equal(t, b.Partition["key"], row[0])
				}
			}
			got = append(got, rows[1:]...)
		}
		if c.keys != nil { // the order is that of the keys' first rows
			order := map[string]int{}
			for _, row := range want {
				if _, ok := order[row[0]]; !ok {
					order[row[0]] = len(order)
				}
			}
			slices.SortStableFunc(want, func(a, b []string) int { return order[a[0]] - order[b[0]] })
		}
		require.Equal(t, want, got)
	})
}

// Files are cut into runs of the size that was asked for.
func TestFileBatchesProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		files := rapid.SliceOf(rapid.String()).Draw(t, "files")
		size := int64(rapid.IntRange(1, 9).Draw(t, "size"))
		var got []string
		batches := fileBatches(files, size)
		for i, b := range batches {
			require.Equal(t, len(b.Files), b.items)
			if i < len(batches)-1 {
				require.Len(t, b.Files, int(size))
			}
			got = append(got, b.Files...)
		}
		require.Equal(t, len(files), len(got))
		require.True(t, slices.Equal(files, got))
	})
}

// A value is one argument whatever characters it has, and words come back from quotes.
func FuzzArguments(f *testing.F) {
	f.Add("--a ${{inputs.x}} 'b c'", "va lue")
	f.Add(`--a="${{ inputs.x }}/y" $[[--n ${{inputs.none}}]] \"`, `"'\`)
	f.Add("x\x000\x00", "y")
	f.Fuzz(func(t *testing.T, text, value string) {
		words, err := shellWords("'" + strings.ReplaceAll(text, "'", `'\''`) + "'")
		require.NoError(t, err)
		require.Equal(t, []string{text}, words)
		if strings.ContainsAny(value, "\x00") {
			return
		}
		got, err := expandArguments("--v ${{inputs.x}}", map[string]string{"inputs.x": value})
		require.NoError(t, err)
		require.Equal(t, []string{"--v", value}, got)
		_, serr := splitArguments(text) // must not panic, and finds the same faults as expanding
		_, xerr := expandArguments(text, map[string]string{})
		if serr != nil && xerr == nil && !strings.Contains(text, "${{") {
			require.NoError(t, serr)
		}
	})
}

// An MLTable that anybody writes is read or refused, and names no file above its own folder.
func FuzzMLTable(f *testing.F) {
	f.Add("paths:\n- file: ../../etc/passwd\ntransformations:\n- read_delimited:\n    delimiter: ';'\n")
	f.Add("paths:\n- pattern: '**/*.c[sv'\ntransformations: [take: 3, {extract_columns_from_partition_format: {partition_format: '{a}/{b}.csv'}}]\n")
	f.Add("paths: [{folder: .}, 3]\ntransformations: {a: 1}\n")
	dir := f.TempDir()
	require.NoError(f, os.WriteFile(filepath.Join(dir, "a.csv"), []byte("x\n1\n"), 0o600))
	j := &job{rec: &Record{}, e: &Engine{}}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "://") || strings.Contains(text, "azureml:") || strings.Contains(text, "/subscriptions/") {
			return // what lies elsewhere needs a whole engine
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "MLTable"), []byte(text), 0o600))
		read, err := j.readTable(dir, filepath.Join(dir, "remote"))
		if err != nil {
			return
		}
		for _, file := range read.files {
			rel, err := filepath.Rel(dir, file.Path)
			require.NoError(t, err)
			require.True(t, filepath.IsLocal(rel), file.Path)
		}
	})
}
