package wire

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

type pythonCase struct {
	Tree json.RawMessage `json:"tree"`
	YAML string          `json:"yaml"`
	JSON string          `json:"json"`
}

// pythonTree undoes what the vectors need to carry floats and the order of keys: {"$f": repr}, {"$m": [[key, value], …]}.
func pythonTree(t testing.TB, x any) any {
	switch x := x.(type) {
	case map[string]any:
		if f, ok := x["$f"].(string); ok {
			v, err := strconv.ParseFloat(f, 64)
			require.NoError(t, err)
			return v
		}
		m := map[string]any{}
		for _, p := range x["$m"].([]any) {
			kv := p.([]any)
			m[kv[0].(string)] = pythonTree(t, kv[1])
		}
		return m
	case []any:
		l := make([]any, len(x))
		for i := range x {
			l[i] = pythonTree(t, x[i])
		}
		return l
	case json.Number:
		i, err := x.Int64()
		require.NoError(t, err)
		return i
	}
	return x
}

// The vectors were made by PyYAML 6 and Python's json from random trees; see testdata/README.md.
func TestPythonVectors(t *testing.T) {
	name := "testdata/python.json"
	if v := os.Getenv("WIRE_VECTORS"); v != "" {
		name = v
	}
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	var cases []pythonCase
	require.NoError(t, json.Unmarshal(data, &cases))
	require.NotEmpty(t, cases)
	for i, c := range cases {
		raw, err := ParseJSON(c.Tree)
		require.NoError(t, err)
		tree := pythonTree(t, raw)
		got, err := EmitYAML(tree)
		require.NoError(t, err)
		require.Equal(t, c.YAML, string(got), "case %d: %s", i, c.Tree)
		text, err := PythonJSON(tree)
		require.NoError(t, err)
		require.Equal(t, c.JSON, string(text), "case %d", i)
		back, err := ParseYAML(got, "", "")
		require.NoError(t, err, "case %d: %s", i, got)
		require.Equal(t, tree, back.Tree(), "case %d: %s", i, got)
	}
}

func TestAliasesAsPyYAML(t *testing.T) {
	data, err := os.ReadFile("testdata/anchors.json")
	require.NoError(t, err)
	var cases [][2]string
	require.NoError(t, json.Unmarshal(data, &cases))
	for _, c := range cases {
		n, err := ParseYAML([]byte(c[0]), "", "")
		require.NoError(t, err, c[0])
		got, err := EmitNode(n)
		require.NoError(t, err)
		require.Equal(t, c[1], string(got), c[0])
	}
}
