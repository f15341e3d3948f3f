package wire_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/azureml-go/azureml/internal/wire"
	"github.com/stretchr/testify/require"
)

type outer struct {
	Name  string            `yaml:"name,required" json:"name"`
	Code  string            `yaml:"code,local" json:"codeId"`
	Inner *inner            `yaml:"inner" json:"inner"`
	Any   map[string]any    `yaml:"any" json:"any"`
	Many  []int             `yaml:"many,single" json:"many"`
	Ver   string            `yaml:"version,text" json:"version"`
	Tags  map[string]string `yaml:"tags" json:"tags"`
	Thing compute           `yaml:"thing" json:"thing"`
	On    bool              `yaml:"on" json:"on"`
	Rate  float64           `yaml:"rate" json:"rate"`
}

type inner struct {
	Path string `yaml:"path,local,required" json:"path"`
	Next *inner `yaml:"next" json:"next"`
	N    int    `yaml:"n" json:"n"`
}

func files(m map[string]string) *LoadOptions {
	return &LoadOptions{ReadFile: func(name string) ([]byte, error) {
		for k, v := range m {
			if abs, err := filepath.Abs(k); err == nil && abs == name {
				return []byte(v), nil
			}
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}}
}

func abs(t *testing.T, p string) string {
	t.Helper()
	a, err := filepath.Abs(filepath.FromSlash(p))
	require.NoError(t, err)
	return a
}

func TestFileReferencesSwitchTheFolder(t *testing.T) {
	var o outer
	err := LoadYAML([]byte("name: x\ncode: ./src\ninner: file:sub/inner.yml\nthing: file:./sub/thing.yml\n"), "a/main.yml", &o, files(map[string]string{
		"a/sub/inner.yml":      "$schema: s\npath: ../data\nnext: file:deep/more.yml\n",
		"a/sub/deep/more.yml":  "path: here.csv\nnext: {path: 'https://x/y'}\n",
		"a/sub/thing.yml":      "type: virtualmachine\nname: n\nresource_id: /r\n",
		"a/sub/not-there.yaml": "",
	}))
	require.NoError(t, err)
	require.Equal(t, abs(t, "a/src"), o.Code)
	require.Equal(t, abs(t, "a/data"), o.Inner.Path)
	require.Equal(t, abs(t, "a/sub/deep/here.csv"), o.Inner.Next.Path)
	require.Equal(t, "https://x/y", o.Inner.Next.Next.Path)
	require.Equal(t, "/r", o.Thing.(*vm).ResourceID)
}

func TestFaultsInNamedFiles(t *testing.T) {
	opts := files(map[string]string{"a/i.yml": "pat: x\nn: many\n", "a/loop.yml": "path: x\nnext: file:loop.yml\n", "a/broken.yml": "a: [\n", "a/back.yml": "path: x\nnext: file:main.yml\n"})
	for in, want := range map[string]string{
		"name: x\ninner: file:i.yml\n":      "a/i.yml:1:1: inner: the required field \"path\" is missing\na/i.yml:1:1: inner.pat: unknown field; did you mean \"path\"?\na/i.yml:2:4: inner.n: wants an integer, not a string (many)",
		"name: x\ninner: file:none.yml\n":   "a/main.yml:2:8: inner: the file " + abs(t, "a/none.yml") + " cannot be read: file does not exist",
		"name: x\ninner: file:loop.yml\n":   "a/loop.yml:2:7: inner.next: the file " + abs(t, "a/loop.yml") + " leads back to itself",
		"name: x\ninner: file:back.yml\n":   "a/back.yml:2:7: inner.next: the file " + abs(t, "a/main.yml") + " leads back to itself",
		"name: x\ninner: file:broken.yml\n": "a/broken.yml:1: inner: did not find expected node content",
		"name: x\ninner: plain.yml\n":       "a/main.yml:2:8: inner: wants a mapping, not a string (plain.yml)",
	} {
		var o outer
		require.EqualError(t, LoadYAML([]byte(in), "a/main.yml", &o, opts), want, in)
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "f.yml: the file is empty",
		"# nothing\n":                  "f.yml: the file is empty",
		"---\n":                        "f.yml: the file is empty",
		"- a\n":                        "f.yml:1:1: the document is a list, not a mapping",
		"name: x\n---\nname: y\n":      "f.yml:2:1: a second document; one file holds one entity",
		"name: x\nname: y\n":           `f.yml:2:1: the key "name" stands here twice, first in line 1`,
		"name: \"x\n":                  "f.yml:2: found unexpected end of stream",
		"name: x\n  b: y\n":            "f.yml:2: mapping values are not allowed in this context",
		"name: \xff\n":                 "f.yml:1: the file is not UTF-8",
		"{{name}}: x\n":                "f.yml:1:1: a key is no text; a placeholder such as {{name}} is to be replaced",
		"name: 2024-13-01\n":           `f.yml:1:7: "2024-13-01" cannot be read as what it looks like; quote it if it is text`,
		"name: !!python/object:x {}\n": "f.yml:1:7: the tag !!python/object:x is not known",
		"a: &a [*a]\n":                 "f.yml:1:8: the alias *a stands inside what it names",
		"name: x\ntags: {no: y, 5: z}": "f.yml:2:8: tags.false: the key is a boolean (no); quote it if it is text\nf.yml:2:15: tags.5: the key is an integer (5); quote it if it is text",
	} {
		var o outer
		require.EqualError(t, LoadYAML([]byte(in), "f.yml", &o, nil), want, in)
	}
	require.NoError(t, LoadYAML([]byte("\xef\xbb\xbfname: x\n"), "", new(outer), nil))
}

func TestAliasesCannotBlowUp(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	var o outer
	err := LoadYAML([]byte(b.String()), "", &o, nil)
	require.ErrorContains(t, err, "aliases make the document larger than")
}

func TestValues(t *testing.T) {
	var o outer
	require.NoError(t, LoadYAML([]byte("name: 'yes'\nversion: 1.10\nmany: 5\n'on': off\nrate: 1\nany: {010: 0x1F, t: 1:30, d: 2024-05-01, s: 1e-3, n: ~}\n"), "", &o, nil))
	require.Equal(t, "1.1", o.Ver, "as Python's str of the float")
	require.Equal(t, []int{5}, o.Many)
	require.False(t, o.On)
	require.InEpsilon(t, 1.0, o.Rate, 0)
	require.Equal(t, int64(31), o.Any["8"])
	require.Equal(t, int64(90), o.Any["t"])
	require.Equal(t, "1e-3", o.Any["s"])
	require.Contains(t, o.Any, "n")
	m, err := ToREST(o)
	require.NoError(t, err)
	require.Equal(t, "2024-05-01", m["any"].(map[string]any)["d"])
	for in, want := range map[string]string{
		"name: yes":         `line 1:7: name: wants a string, not a boolean (yes); quote it if it is text`,
		"name: x\nmany: {}": `line 2:7: many: wants a list, not a mapping`,
		"name: x\nmany: [1, a, 2.5, 99999999999999999999]": "line 2:11: many.1: wants an integer, not a string (a)\nline 2:14: many.2: wants a whole number, not 2.5\nline 2:19: many.3: 99999999999999999999 is too large",
		"name: x\n'on': maybe":                             `line 2:7: on: wants true or false, not a string (maybe)`,
		"name: x\nrate: [1]":                               `line 2:7: rate: wants a number, not a list`,
		"name: x\ntags: {a: 1}":                            `line 2:11: tags.a: wants a string, not an integer (1); quote it if it is text`,
		"name: x\nversion: [1]":                            `line 2:10: version: wants a string, not a list; quote it if it is text`,
		"name: x\nthing: {}":                               `line 2:8: thing: the key "type" is missing, which tells what kind of compute this is: amlcompute or virtualmachine`,
		"name: x\nthing: {type: amlcomputer}":              `line 2:15: thing.type: "amlcomputer" is no compute; known are amlcompute or virtualmachine; did you mean "amlcompute"?`,
		"name: x\nthing: text":                             `line 2:8: thing: wants a mapping, not a string (text)`,
		"nam: x\n? [a]\n: y":                               "line 2:3: a key is no text",
	} {
		var o outer
		require.EqualError(t, LoadYAML([]byte(in), "", &o, nil), want, in)
	}
}

func TestOverrides(t *testing.T) {
	set := func(kv ...string) []Override {
		var out []Override
		for _, s := range kv {
			o, err := ParseOverride(s)
			require.NoError(t, err)
			out = append(out, o)
		}
		return out
	}
	var o outer
	require.NoError(t, LoadYAML([]byte("name: x\nmany: [1, 2]\ninner: {path: a}\n"), "d/f.yml", &o, &LoadOptions{Set: set(
		"name=new", "many.1=7", "many[2]=8", "inner.next.path=./b", "inner.next.n=3", "any.a.b[1].c=deep", "tags={x: '1', y: z}", "version=5", "on=yes", `any.dotted\.key=v`)}))
	require.Equal(t, "new", o.Name)
	require.Equal(t, []int{1, 7, 8}, o.Many)
	require.Equal(t, abs(t, "d/b"), o.Inner.Next.Path)
	require.Equal(t, 3, o.Inner.Next.N)
	require.Equal(t, map[string]any{"a": map[string]any{"b": []any{nil, map[string]any{"c": "deep"}}}, "dotted.key": "v"}, o.Any)
	require.Equal(t, map[string]string{"x": "1", "y": "z"}, o.Tags)
	require.Equal(t, "5", o.Ver)
	require.True(t, o.On)
	for in, want := range map[string]string{
		"name.x=1":    `name.x: the override meets a string (x) where it says "x": what is defined by a reference cannot be changed`,
		"many.first=": `many.first: the override meets a list where it says "first"; items are numbered from 0`,
		"many[0=1":    `override "many[0" has a bracket that does not close`,
		"a..b=1":      `override "a..b" has an empty part`,
		"nme=1":       `nme: unknown field; did you mean "name"?`,
	} {
		err := LoadYAML([]byte("name: x\nmany: [1]\n"), "", new(outer), &LoadOptions{Set: set(in)})
		require.EqualError(t, err, want, in)
	}
	_, err := ParseOverride("novalue")
	require.Error(t, err)
}

func TestNearest(t *testing.T) {
	known := []string{"environment", "environment_variables", "command", "compute", "inputs"}
	for got, want := range map[string]string{"enviroment": "environment", "Command": "command", "input": "inputs", "compte": "compute", "zzz": "", "x": "", "environmentVariables": "environment_variables"} {
		require.Equal(t, want, Nearest(got, known), got)
	}
}

func TestLoadNodeAndExpressionsForRequiredFields(t *testing.T) {
	n, err := ParseYAML([]byte("name: x\ncode: y\n"), "", "/base")
	require.NoError(t, err)
	var o outer
	require.NoError(t, LoadNode(n, &o, &LoadOptions{Set: []Override{{Path: "rate", Value: 2}}}))
	require.Equal(t, filepath.Join("/base", "y"), o.Code)
	require.InEpsilon(t, 2.0, o.Rate, 0)
	require.Error(t, LoadNode(n, &o, &LoadOptions{Set: []Override{{Path: "name.x", Value: 2}}}))

	var b bound
	require.NoError(t, LoadYAML([]byte("n: ${{parent.inputs.n}}\nlist: ${{parent.inputs.l}}\nm: {deep: {n: \"${{parent.inputs.d}}\"}}\n"), "", &b, nil))
	require.Equal(t, Bindings{"n": "${{parent.inputs.n}}", "list": "${{parent.inputs.l}}", "m.deep.n": "${{parent.inputs.d}}"}, b.Bindings)
	m, err := ToREST(b)
	require.NoError(t, err)
	require.JSONEq(t, `{"count":"${{parent.inputs.n}}","list":"${{parent.inputs.l}}","m":{"deep":{"n":"${{parent.inputs.d}}"}}}`, asJSON(t, m))
	text, err := DumpYAML(b)
	require.NoError(t, err)
	var again bound
	require.NoError(t, LoadYAML(text, "", &again, nil), string(text))
	require.Equal(t, b.Bindings, again.Bindings)
}

type bound struct {
	N        int             `yaml:"n,required" json:"count"`
	List     []string        `yaml:"list" json:"list"`
	M        map[string]part `yaml:"m" json:"m"`
	Bindings Bindings
}

type part struct {
	N int `yaml:"n" json:"n"`
}
