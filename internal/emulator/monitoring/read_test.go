package monitoring

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/table"
)

func file(t *testing.T, name, text string) File {
	t.Helper()
	at := filepath.Join(t.TempDir(), filepath.Base(name))
	require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
	return File{Path: at, Shown: name}
}

func (c *Column) shown() []any {
	var out []any
	for i := range c.Null {
		switch {
		case c.Null[i]:
			out = append(out, nil)
		case c.Type.number():
			out = append(out, c.Numbers[i])
		default:
			out = append(out, c.Texts[i])
		}
	}
	return out
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	a := file(t, "a.csv", "\ufeffn,x,flag,when,word,mixed,none\n1,0.5,True,2024-02-29,a,1,\n2,,false,2024-03-01 10:00:00,\"b,c\",x,\n")
	b := file(t, "b.csv", "x,n,extra\n1e3,3,z\nNaN,4,\n")
	got, err := Read(t.Context(), []File{a, b})
	require.NoError(t, err)
	require.Equal(t, 4, got.Rows)
	for name, want := range map[string]struct {
		kind   Type
		values []any
	}{
		"n": {Long, []any{1.0, 2.0, 3.0, 4.0}}, "x": {Double, []any{0.5, nil, 1000.0, nil}}, "flag": {Boolean, []any{"true", "false", nil, nil}},
		"when": {Timestamp, []any{"2024-02-29", "2024-03-01 10:00:00", nil, nil}}, "word": {String, []any{"a", "b,c", nil, nil}},
		"mixed": {String, []any{"1", "x", nil, nil}}, "none": {String, []any{nil, nil, nil, nil}}, "extra": {String, []any{nil, nil, "z", nil}},
	} {
		c := got.Column(name)
		require.Equal(t, want.kind, c.Type, name)
		require.Equal(t, want.values, c.shown(), name)
	}
	_, err = Read(t.Context(), []File{file(t, "s.csv", "a,b\n1\n")})
	require.ErrorContains(t, err, "s.csv: line 2 has 1 values, the header 2")
	_, err = Read(t.Context(), []File{file(t, "s.xlsx", "")})
	require.ErrorContains(t, err, "neither csv, JSON lines nor parquet by its name")
}

func TestReadJSONLines(t *testing.T) {
	t.Parallel()
	got, err := Read(t.Context(), []File{file(t, "a.jsonl", `{"n":1,"x":1,"b":true,"s":"a","o":{"k":1}}`+"\n\n"+`{"x":1.5,"n":2,"s":null}`)})
	require.NoError(t, err)
	require.False(t, got.Collected)
	require.Equal(t, []string{"n", "x", "b", "s"}, got.Names(), "what has parts is no feature")
	require.Equal(t, []Type{Long, Double, Boolean, String}, []Type{got.Columns[0].Type, got.Columns[1].Type, got.Columns[2].Type, got.Columns[3].Type})
	_, err = Read(t.Context(), []File{file(t, "l.json", `[{"a":1}]`)})
	require.ErrorContains(t, err, "an object on each line")

	// As a deployment's collector writes it.
	line := `{"specversion":"1.0","id":"1","type":"azureml.inference.inputs","data":[{"age":30,"job":"x"},{"age":31,"job":"y"}],"correlationid":"abc","time":"2024-02-29T00:00:00Z"}` + "\n" +
		`{"specversion":"1.0","data":"[{\"age\":32,\"job\":null}]","correlationid":"def"}`
	got, err = Read(t.Context(), []File{file(t, "2024/02/29/10/inputs.jsonl", line)})
	require.NoError(t, err)
	require.True(t, got.Collected)
	require.Equal(t, []any{30.0, 31.0, 32.0}, got.Column("age").shown())
	require.Equal(t, []any{"abc_0", "abc_1", "def_0"}, got.Column("correlationid").shown())
	_, err = Read(t.Context(), []File{file(t, "a.jsonl", `{"correlationid":"x","dataref":"https://x/y.json"}`)})
	require.ErrorContains(t, err, "the rows lie at https://x/y.json")
}

func TestReadParquet(t *testing.T) {
	t.Parallel()
	got, err := Read(t.Context(), []File{{Path: "testdata/table.parquet", Shown: "table.parquet"}})
	require.NoError(t, err)
	for name, want := range map[string]struct {
		kind   Type
		values []any
	}{
		"whole": {Long, []any{1.0, 2.0, nil, 4.0}}, "long": {Long, []any{float64(1 << 40), 2.0, 3.0, 4.0}}, "number": {Double, []any{0.5, nil, nil, 2.5}}, "short": {Double, []any{0.5, 1.5, 2.5, 3.5}},
		"truth": {Boolean, []any{"true", "false", nil, "true"}}, "text": {String, []any{"a", "ü", nil, ""}}, "words": {String, []any{"x", "x", "y", "x"}},
		"day": {Timestamp, []any{"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"}}, "moment": {Timestamp, []any{"2024-02-29T12:30:15Z", "2024-02-29T12:30:15Z", "2024-02-29T12:30:15Z", "2024-02-29T12:30:15Z"}},
		"money": {Double, []any{-12.34, -12.34, -12.34, -12.34}},
	} {
		c := got.Column(name)
		require.NotNil(t, c, name)
		require.Equal(t, want.kind, c.Type, name)
		require.Equal(t, want.values, c.shown(), name)
	}
	require.Nil(t, got.Column("list"), "lists are no features")
}

func FuzzRead(f *testing.F) {
	f.Add("a,b\n1,2\n", "csv")
	f.Add(`{"a":1}`, "json")
	f.Add(`{"correlationid":"x","data":[{}]}`, "json")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text, format string) {
		if format != "csv" && format != "json" {
			return
		}
		at := filepath.Join(dir, "x")
		require.NoError(t, os.WriteFile(at, []byte(text), 0o600))
		got, err := Read(t.Context(), []File{{Path: at, Shown: "x." + format}})
		if err != nil {
			return
		}
		for _, c := range got.Columns {
			require.Len(t, c.Null, got.Rows)
			require.Len(t, c.shown(), got.Rows)
		}
	})
}

func TestReadTable(t *testing.T) {
	t.Parallel()
	d, err := table.Parse([]byte("paths: [{file: ./a.csv}]\ntransformations: [{read_delimited: {delimiter: ';'}}, {drop_columns: gone}]\n"))
	require.NoError(t, err)
	f := file(t, "a.csv", "y;x;s;gone\n0;1.5;a;1\n1;;b;2\n")
	got, err := ReadTable(t.Context(), d, []table.File{{Path: f.Path, Name: "a.csv"}})
	require.NoError(t, err)
	require.Equal(t, []string{"y", "x", "s"}, got.Names())
	require.Equal(t, []any{0.0, 1.0}, got.Column("y").shown(), "not truths: the same feature is a number elsewhere")
	require.Equal(t, Long, got.Column("y").Type)
	require.Equal(t, []any{1.5, nil}, got.Column("x").shown())
}
