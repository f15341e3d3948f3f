package table

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rowsOf reads a table's files, which lie beside it, and writes its rows as
// lines of columns=value.
func rowsOf(t *testing.T, definition string, files ...string) (string, error) {
	t.Helper()
	d, err := Parse([]byte(definition))
	if err != nil {
		return "", err
	}
	dir := t.TempDir()
	var list []File
	for i := 0; i < len(files); i += 2 {
		at := filepath.Join(dir, filepath.FromSlash(files[i]))
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o700))
		require.NoError(t, os.WriteFile(at, []byte(files[i+1]), 0o600))
		list = append(list, File{Path: at, Name: files[i]})
	}
	return printed(d, list)
}

func printed(d *Definition, list []File) (string, error) {
	var b strings.Builder
	for r, err := range d.Rows(context.Background(), list) {
		if err != nil {
			return b.String(), err
		}
		for i, k := range r.Columns {
			v := r.Cells[i].Value
			text := Format(v)
			switch KindOf(v) {
			case Null:
				text = "null"
			case Text:
				q, _ := json.Marshal(v)
				text = string(q)
			case Time:
				text = strings.TrimSuffix(text, "+00:00")
			case Float:
				f, _ := AppendJSON(nil, v)
				text = string(f)
			}
			b.WriteString(" "[:btoi(i > 0)] + k + "=" + text)
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

const csvTable = "paths:\n  - pattern: ./*.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n"

// What is wanted here is what Microsoft's package mltable 1.7.0 made of the same tables.
func TestDelimitedAsMLTable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		more  string
		files []string
		want  string
	}{
		"types": {files: []string{"a.csv", "i,f,b,s,d,dt,e,big,lead,sci,tf\n1,1.5,true,x,2020-01-02,2020-01-02 03:04:05,,9223372036854775808,007,1e3,True\n2,2,false,,2021-02-03,2021-01-02T03:04:05Z,,1,08,2E-2,FALSE\n"},
			want: "i=1 f=1.5 b=True s=\"x\" d=2020-01-02T00:00:00 dt=2020-01-02T03:04:05 e=null big=9.223372036854776e+18 lead=7 sci=1000.0 tf=True\n" +
				"i=2 f=2.0 b=False s=null d=2021-02-03T00:00:00 dt=2021-01-02T03:04:05 e=null big=1.0 lead=8 sci=0.02 tf=False\n"},
		"mixed kinds are text":   {files: []string{"a.csv", "a,b,d\n1,1,2020-01-01\n2.5,x,5\n,,\n"}, want: "a=1.0 b=\"1\" d=\"2020-01-01\"\na=2.5 b=\"x\" d=\"5\"\na=null b=null d=null\n"},
		"zeros and ones":         {files: []string{"a.csv", "a,b\n0,T\n1,F\n"}, want: "a=False b=True\na=True b=False\n"},
		"different headers":      {"      header: all_files_different_headers\n", []string{"a.csv", "a,b\n1,2\n", "b.csv", "c,a\n3,4\n"}, "a=1 b=2\nc=3 a=4\n"},
		"header of the first":    {"      header: from_first_file\n", []string{"a.csv", "a,b\n1,2\n", "b.csv", "3,4\n5,6\n"}, "a=1 b=2\na=3 b=4\na=5 b=6\n"},
		"no header":              {"      header: no_header\n", []string{"a.csv", "a,b\n1,2\n"}, "Column1=\"a\" Column2=\"b\"\nColumn1=\"1\" Column2=\"2\"\n"},
		"no inference":           {"      infer_column_types: false\n", []string{"a.csv", "a,b\n1,\n,\"x\"\n"}, "a=\"1\" b=null\na=null b=\"x\"\n"},
		"empty as text":          {"      empty_as_string: true\n", []string{"a.csv", "a,b,c\n1,,\n,\"\",x\n"}, "a=\"1\" b=\"\" c=\"\"\na=\"\" b=\"\" c=\"x\"\n"},
		"quoted and empty":       {files: []string{"a.csv", "a,b,c\n1,,\n,\"\",x\n"}, want: "a=True b=null c=null\na=null b=\"\" c=\"x\"\n"},
		"short and long rows":    {files: []string{"a.csv", "a,b\n1\n1,2,3\n4,5\n\n6,7\n"}, want: "a=1 b=null\na=1 b=2 Column3=3\na=4 b=5\na=6 b=7\n"},
		"lines in quotes":        {"      support_multi_line: true\n", []string{"a.csv", "a,b\n1,\"x\ny\"\n2,z\n"}, "a=1 b=\"x\\ny\"\na=2 b=\"z\"\n"},
		"no lines in quotes":     {files: []string{"a.csv", "a,b\n1,\"x\ny\"\n2,z\n"}, want: "a=\"1\" b=\"\\\"x\"\na=\"y\\\"\" b=null\na=\"2\" b=\"z\"\n"},
		"quotes":                 {files: []string{"a.csv", "a,b\n1,\"x\"\"y\"\n2,z\"z\n3,\"q\"r\n4, \"s\"\n"}, want: "a=1 b=\"x\\\"y\"\na=2 b=\"z\\\"z\"\na=3 b=\"qr\"\na=4 b=\" \\\"s\\\"\"\n"},
		"path":                   {"      include_path_column: true\n", []string{"s/a.csv", "a\n5\n"}, "Path=\"s/a.csv\" a=5\n"},
		"names of columns":       {files: []string{"a.csv", "a,a,, b \n5,6,7,8\n"}, want: "a=5 a_1=6 Column3=7 b=8\n"},
		"blanks":                 {files: []string{"a.csv", "a,b\n 5 , x \n"}, want: "a=5 b=\" x \"\n"},
		"days first, months not": {files: []string{"a.csv", "a,b,c\n1/2/2020,2020/1/2,1/2/2020\n13/2/2020,2020/01/03,1/13/2020\n"}, want: "a=2020-02-01T00:00:00 b=2020-01-02T00:00:00 c=2020-01-02T00:00:00\na=2020-02-13T00:00:00 b=2020-01-03T00:00:00 c=2020-01-13T00:00:00\n"},
		"no numbers":             {files: []string{"a.csv", "a,b,c\nNaN,NA,inf\n1.5,null,-inf\n"}, want: "a=NaN b=\"NA\" c=Infinity\na=1.5 b=\"null\" c=-Infinity\n"},
		"carriage returns, mark": {files: []string{"a.csv", "\xef\xbb\xbfa,b\r\n5,2\r\n3,x\r\n"}, want: "a=5 b=\"2\"\na=3 b=\"x\"\n"},
		"latin1":                 {"      encoding: latin1\n", []string{"a.csv", "a,b\n\xe9,2\n"}, "a=\"é\" b=2\n"},
		"windows1252":            {"      encoding: windows1252\n", []string{"a.csv", "a,b\n\x80,2\n"}, "a=\"€\" b=2\n"},
		"utf16":                  {"      encoding: utf16\n", []string{"a.csv", "\xff\xfea\x00\n\x00\xac\x20\n\x00"}, "a=\"€\"\n"},
		"overrides":              {"      infer_column_types:\n        sample_size: 10\n        column_type_overrides:\n        - columns: a\n          column_type: string\n        - columns: [b]\n          column_type: float\n", []string{"a.csv", "a,b,c\n1,2,3\n4,5,6\n"}, "a=\"1\" b=2.0 c=3\na=\"4\" b=5.0 c=6\n"},
		"empty file":             {files: []string{"a.csv", "a\n5\n", "b.csv", ""}, want: "a=5\n"},
		"beyond the sample":      {"  - skip: 199\n", []string{"a.csv", "a\n" + strings.Repeat("5\n", 200) + "x\n"}, "a=5\na=null\n"},
		"within the sample":      {"  - skip: 198\n", []string{"a.csv", "a\n" + strings.Repeat("5\n", 199) + "x\n"}, "a=\"5\"\na=\"x\"\n"},
		"skip, take":             {"  - skip: 1\n  - take: 2\n", []string{"a.csv", "a\n5\n6\n", "b.csv", "a\n7\n8\n"}, "a=6\na=7\n"},
		"take, skip":             {"  - take: 3\n  - skip: 1\n", []string{"a.csv", "a\n5\n6\n", "b.csv", "a\n7\n8\n"}, "a=6\na=7\n"},
		"keep":                   {"  - keep_columns: [c, a, nope]\n", []string{"a.csv", "a,b,c\n5,6,7\n"}, "a=5 c=7\n"},
		"keep by pattern":        {"  - keep_columns:\n      pattern: '[bc]'\n", []string{"a.csv", "a,b,c\n5,6,7\n"}, "b=6 c=7\n"},
		"drop":                   {"  - drop_columns: b\n", []string{"a.csv", "a,b,c\n5,6,7\n"}, "a=5 c=7\n"},
		"to text":                {"  - convert_column_types:\n    - columns: [f,i,b,d]\n      column_type: string\n", []string{"a.csv", "f,i,b,d\n1.5,3,true,2020-01-02\n1e21,4,false,2020-01-03 04:05:06.5\n"}, "f=\"1.5\" i=\"3\" b=\"True\" d=\"2020-01-02T00:00:00+00:00\"\nf=\"1000000000000000000000\" i=\"4\" b=\"False\" d=\"2020-01-03T04:05:06.500+00:00\"\n"},
		"to numbers":             {"  - convert_column_types:\n    - columns: f\n      column_type: int\n    - columns: i\n      column_type: float\n", []string{"a.csv", "f,i\n1.5,3\n-2.7,4\n"}, "f=1 i=3.0\nf=-2 i=4.0\n"},
		"to times":               {"  - convert_column_types:\n    - columns: v\n      column_type:\n        datetime:\n          formats: ['%d/%m/%Y %I:%M:%S %p', '%Y%m%d']\n", []string{"a.csv", "v\n02/03/2020 1:04:05 PM\n20200405\nx\n"}, "v=2020-03-02T13:04:05\nv=2020-04-05T00:00:00\nv=null\n"},
		"to truth":               {"  - convert_column_types:\n    - columns: v\n      column_type:\n        boolean:\n          true_values: [x]\n          false_values: ['2']\n", []string{"a.csv", "v\nx\n2\ntrue\n"}, "v=True\nv=False\nv=null\n"},
		"to truth, mismatch":     {"  - convert_column_types:\n    - columns: v\n      column_type:\n        boolean:\n          true_values: [x]\n          false_values: ['2']\n          mismatch_as: 'true'\n", []string{"a.csv", "v\nx\n2\nno\n"}, "v=True\nv=False\nv=True\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := rowsOf(t, csvTable+c.more, c.files...)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestFilterAsMLTable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`col("i") > 2`:                       "34",
		`i >= 2 and col("s") == "y"`:         "2",
		`col('s') == 'x' or col('s') == 'z'`: "13",
		`not (col("i") > 2)`:                 "12",
		`col("b") == True`:                   "14",
		`b`:                                  "14",
		`not b`:                              "2",
		`f != 1.5`:                           "24",
		`not s == "x"`:                       "23",
		`i + 1 == 3`:                         "2",
		`i * 2 > f`:                          "124",
		`d > datetime(2020,1,3)`:             "34",
		`-i < -2`:                            "34",
		`i % 2 == 0`:                         "24",
		`i // 2 == 1`:                        "23",
		`i ** 2 == 4`:                        "2",
		`i/2 == 1.5`:                         "3",
		`f > 1 or i > 0`:                     "1234",
		`i == 1 or i == 2 and s == "y"`:      "12",
		`not i == 1 and i < 3`:               "2",
		`col("s").startswith("x")`:           "1",
		`(i + f) * 2 > 5 and d < datetime(2020, 1, 4)`: "2",
		`i>2and i<4`: "3",
		`d >= datetime(2020,1,3,0,0,0) and not(s == "y") `: "3",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := rowsOf(t, csvTable+"  - filter: '"+strings.ReplaceAll(text, "'", "''")+"'\n  - keep_columns: i\n",
				"a.csv", "i,f,s,d,b\n1,1.5,x,2020-01-02,true\n2,2.5,y,2020-01-03,false\n3,,z,2020-01-04,\n4,4.5,,2020-01-05,true\n")
			require.NoError(t, err)
			require.Equal(t, want, strings.NewReplacer("i=", "", "\n", "").Replace(got))
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]string{
		"      delimiter: '||'\n":                         "", // a second delimiter: duplicate key of YAML
		"      sheet: 1\n":                                `read_delimited: "sheet" is not one of`,
		"      header: promote\n":                         `header: "promote" is not one of`,
		"      encoding: utf7\n":                          `encoding: "utf7" is not one of`,
		"  - select_partitions: [1]\n":                    `does not know the transformation "select_partitions"`,
		"  - read_parquet\n":                              "read_parquet: the table is read already",
		"  - take: many\n":                                "take: a number of rows is wanted",
		"  - take_random_sample:\n      probability: 2\n": "probability: want a number from 0 to 1",
		"  - filter: 'a >'\n":                             "wants a value where the expression ends",
		"  - filter: '1 < a < 3'\n":                       "join them by and",
		"  - filter: 'a in [1]'\n":                        `does not understand "in"`,
		"  - filter: 'a > \"x\"'\n":                       "> does not compare the int 5 with the string x",
		"  - filter: 'nope > 1'\n":                        `there is no column "nope"; the columns are: a`,
		"  - filter: 'a'\n":                               "it is neither True nor False, but the int 5",
		"  - drop_columns: a\n":                           "no column is left of: a",
		"  - convert_column_types:\n    - columns: a\n      column_type: stream_info\n":        `column_type "stream_info"`,
		"  - extract_columns_from_partition_format:\n      partition_format: '{d:yyyy/M}/x'\n": "reads times of yyyy, MM, dd, HH, mm, ss only",
		"  - extract_columns_from_partition_format:\n      partition_format: '{d}/x.csv'\n":    `the path "a.csv" does not fit "{d}/x.csv"`,
	} {
		_, err := rowsOf(t, csvTable+more, "a.csv", "a\n5\n")
		require.Error(t, err, more)
		require.Contains(t, err.Error(), want)
	}
	_, err := rowsOf(t, csvTable, "a.csv", "a,b\n5,6\n", "b.csv", "b,a\n5,6\n")
	require.ErrorContains(t, err, "b.csv: its header (b, a) is not that of a.csv (a, b); header: all_files_different_headers reads such files")
	_, err = rowsOf(t, csvTable, "a.csv", "a,b\n\xff,6\n")
	require.ErrorContains(t, err, "the text is not of its encoding")
	for text, want := range map[string]string{
		"paths: []\n":                      "at least one file, folder or pattern is required",
		"paths:\n- file: a\n  folder: b\n": "paths[0] has one of file, folder, pattern",
		"paths:\n- dir: a\n":               `not "dir"`,
		"paths:\n- pattern: 'a{b,c}'\n":    "the wildcards are *, ?, [ab] and **/",
		"paths:\n- file: a\ntransformations:\n- read_delta_lake:\n    version_as_of: 1\n": `does not know the transformation "read_delta_lake"`,
		"paths:\n- file: a\ntransformations:\n- take: 1\n":                                "no read_delimited, read_json_lines or read_parquet stands before it",
		"type: uri_file\npaths:\n- file: a\n":                                             "want mltable",
	} {
		_, err := Parse([]byte(text))
		require.ErrorContains(t, err, want)
	}
}

func TestJSONLines(t *testing.T) {
	t.Parallel()
	const table = "paths:\n  - file: ./a.jsonl\ntransformations:\n  - read_json_lines:\n      include_path_column: false\n"
	got, err := rowsOf(t, table, "a.jsonl", `{"a":1,"b":"x","c":true,"d":null,"e":1.5,"f":"2020-01-02","g":{"h":1},"i":[1,2]}`+"\n\n"+`{"b":"y","a":12345678901234567890}`)
	require.NoError(t, err)
	require.Equal(t, "a=1 b=\"x\" c=True d=null e=1.5 f=\"2020-01-02\" g={\"h\":1} i=[1,2]\nb=\"y\" a=1.2345678901234567e+19\n", got)
	_, err = rowsOf(t, table, "a.jsonl", "{\"a\":1}\nnope\n")
	require.ErrorContains(t, err, "a.jsonl: line 2: ")
	got, err = rowsOf(t, table+"      invalid_lines: drop\n", "a.jsonl", "{\"a\":1}\nnope\n[1]\n{\"a\":2} 3\n{\"a\":4}\n")
	require.NoError(t, err)
	require.Equal(t, "a=1\na=4\n", got)
}

func TestRowAsJSON(t *testing.T) {
	t.Parallel()
	d, err := Of("a.jsonl")
	require.NoError(t, err)
	at := filepath.Join(t.TempDir(), "a.jsonl")
	const line = `{"a":1.50,"b":"\u0041","c":{"d" : 1},"e":null}`
	require.NoError(t, os.WriteFile(at, []byte(line), 0o600))
	for r, err := range d.Rows(context.Background(), []File{{at, "a.jsonl"}}) {
		require.NoError(t, err)
		b, err := r.JSON()
		require.NoError(t, err)
		require.Equal(t, line, string(b))
	}
}

func TestPartitions(t *testing.T) {
	t.Parallel()
	table := func(format string, late bool) string {
		steps := []string{"  - extract_columns_from_partition_format:\n      partition_format: '" + format + "'\n", "  - read_delimited\n"}
		if late {
			steps[0], steps[1] = steps[1], steps[0]
		}
		return "paths:\n  - pattern: ./**/*.csv\ntransformations:\n" + steps[0] + steps[1]
	}
	files := []string{"A/2020/01/x.csv", "a\n5\n", "B/2021/12/y.csv", "a\n6\n"}
	for _, c := range []struct {
		format string
		late   bool
		want   string
	}{
		{"/{s}/{y}/{m}/{n}.csv", false, "s=\"A\" y=2020 m=1 n=\"x\" a=5\ns=\"B\" y=2021 m=12 n=\"y\" a=6\n"},
		{"{s}/{d:yyyy/MM}/{n}.csv", false, "s=\"A\" n=\"x\" d=2020-01-01T00:00:00 a=5\ns=\"B\" n=\"y\" d=2021-12-01T00:00:00 a=6\n"},
		{"{y}/{m}/*.csv", false, "y=2020 m=1 a=5\ny=2021 m=12 a=6\n"},
		{"{s}/{y}/{m}/*", true, "a=5 s=\"A\" y=\"2020\" m=\"01\"\na=6 s=\"B\" y=\"2021\" m=\"12\"\n"},
	} {
		got, err := rowsOf(t, table(c.format, c.late), files...)
		require.NoError(t, err, c.format)
		require.Equal(t, c.want, got, c.format)
	}
	files = []string{"puYear=2015/puMonth=01/p.q.csv", "a\n5\n"}
	for format, want := range map[string]string{
		"/puYear={year}/puMonth={month}": "year=2015 month=1 a=5\n",
		"{y}/{n}.{e}":                    "y=\"puMonth=01\" n=\"p.q\" e=\"csv\" a=5\n",
		"Year={y}":                       "y=2015 a=5\n",
		"puMonth={m}/*.csv":              "m=1 a=5\n",
		"puYear={y}/*/{n}.csv":           "y=2015 n=\"p.q\" a=5\n",
	} {
		got, err := rowsOf(t, table(format, false), files...)
		require.NoError(t, err, format)
		require.Equal(t, want, got, format)
	}
	_, err := rowsOf(t, table("{a}/*.csv", false), files...)
	require.ErrorContains(t, err, `the column "a" is one of its own and one of its path`)
	d, err := Parse([]byte(table("{s}/{d:yyyy/MM}/{n}.csv", false)))
	require.NoError(t, err)
	p, err := d.Partition(File{Name: "./A/2020/01/x.csv"})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"s": "A", "n": "x", "d": "2020-01-01T00:00:00+00:00"}, p)
}

func TestSampleIsSeeded(t *testing.T) {
	t.Parallel()
	read := func(seed string) string {
		got, err := rowsOf(t, csvTable+"  - take_random_sample:\n      probability: 0.2\n      seed: "+seed+"\n", "a.csv", "a\n"+strings.Repeat("5\n6\n7\n", 100))
		require.NoError(t, err)
		return got
	}
	require.Equal(t, read("7"), read("7"))
	require.NotEqual(t, read("7"), read("8"))
	n := strings.Count(read("7"), "\n")
	require.Greater(t, n, 30)
	require.Less(t, n, 90)
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"d/*.csv":     "d/ a.csv b.csv ab.csv",
		"d/[ab].csv":  "d/ a.csv b.csv",
		"d/[!a].csv":  "d/ b.csv",
		"**/*.csv":    " a.csv b.csv ab.csv e/c.csv",
		"d/?.csv":     "d/ a.csv b.csv",
		"d/*/c.csv":   "d/ e/c.csv",
		"d/a.csv":     "d/ a.csv",
		"x/d*/**.csv": "x/",
	} {
		g, err := ParseGlob(pattern)
		require.NoError(t, err)
		got := g.Folder
		for _, f := range []string{"a.csv", "b.csv", "ab.csv", "e/c.csv", "f.tsv"} {
			if g.Match(f) {
				got += " " + f
			}
		}
		require.Equal(t, want, got, pattern)
	}
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{`col("a") > 1 and not b`, `a ** -2 == .5`, `"x".startswith('y')`, `datetime(2020,1,2) < d`, `((a`, `1e+5 % 2`} {
		f.Add(s)
	}
	row := &Row{Columns: []string{"a", "b"}, Cells: []Cell{{Value: int64(1)}, {Value: true}}}
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := parseFilter(s); err == nil {
			_, _ = e.eval(row)
		}
	})
}

func FuzzDelimited(f *testing.F) {
	for _, s := range []string{"a,b\n1,\"x\"\"y\"\n", "a\n\"", "a,a\r\n\n1,2,3", "\xef\xbb\xbfa\n1"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, multi bool) {
		d := &delimited{delimiter: ',', header: "all_files_same_headers", multiLine: multi}
		rows := 0
		_ = d.read(File{Name: "a"}, strings.NewReader(s), func(r *Row) bool {
			require.Len(t, r.Cells, len(r.Columns))
			rows++
			return rows < 1000
		})
	})
}

func FuzzObject(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[1,{}],"a":null}`, `{"a":1e999,"":"\ud800"}`, `{`, `[1]`, `{"a":01}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := object(s)
		if err != nil {
			return
		}
		b, err := r.JSON()
		require.NoError(t, err)
		again, err := object(string(b))
		require.NoError(t, err)
		require.Equal(t, r.Columns, again.Columns)
	})
}
