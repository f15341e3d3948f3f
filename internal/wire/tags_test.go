package wire

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// As PyYAML's safe_load takes them; !!binary, !!set and !!omap have no place in these files.
func TestExplicitTags(t *testing.T) {
	for in, want := range map[string]any{
		"!!str 5": "5", `!!int "5"`: int64(5), "!!int 0x1F": int64(31), "!!float 5": 5.0, `!!float "1.5"`: 1.5, "!!bool yes": true, `!!bool "True"`: true,
		"!!null x": nil, "! 5": int64(5), "!!str": "", "!!seq [a]": []any{"a"}, "!!map {a: b}": map[string]any{"a": "b"},
	} {
		n, err := ParseYAML([]byte("k: "+in), "", "")
		require.NoError(t, err, in)
		require.Equal(t, want, n.Get("k").Tree(), in)
	}
	for _, in := range []string{"!!float x", "!!bool x", "!!timestamp x", "!foo a", "!!int", "!!seq {a: b}", "!!map [a]", "!!str [a]", "!!set {a, b}", "!!python/name:x y"} {
		_, err := ParseYAML([]byte("k: "+in), "", "")
		require.Error(t, err, in)
	}
}

func TestPythonRepr(t *testing.T) {
	for want, v := range map[string]any{
		"True": true, "None": nil, "0.25": 0.25, "4": 4, "x": "x", "[1, 'a', None]": []any{int64(1), "a", nil}, "{'a': 1.5}": map[string]any{"a": 1.5},
		`["it's"]`: []any{"it's"}, `['a"b\'c']`: []any{`a"b'c`}, `['\n\x01é\u200b\\']`: []any{"\n\x01é\u200b\\"},
	} {
		require.Equal(t, want, PythonStr(v))
	}
}

func TestListsMergeByIndexWhenNoLengthChanged(t *testing.T) {
	item := func(kv ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i].(string)] = kv[i+1]
		}
		return m
	}
	read := item("l", []any{item("a", 1, "new", true), item("a", 2, "new", false)})
	was := item("l", []any{item("a", 1), item("a", 2)})
	require.Equal(t, item("l", []any{item("a", 1, "new", true), item("a", 5, "new", false)}), Merge(read, was, item("l", []any{item("a", 1), item("a", 5)})))
	require.Equal(t, item("l", []any{item("a", 1)}), Merge(read, was, item("l", []any{item("a", 1)})), "one less: nothing is guessed")
	require.Equal(t, item("l", []any{}), Merge(read, was, item("l", []any{})))
	require.Equal(t, item(), Merge(read, was, item()))
	require.Equal(t, read, Merge(read, was, was))
	require.Equal(t, item("a", 1, "b", item("c", 2)), Merge(item("a", 1), item(), item("b", item("c", 2))))
}

func TestFaultsAreErrorsOneByOne(t *testing.T) {
	fs := Faults{{File: "b", Line: 2, Message: "x"}, {File: "a", Line: 1, Column: 1, Field: "f", Message: "y"}, {File: "b", Line: 1, Message: "z"}}
	err := fmt.Errorf("load: %w", fs.Err())
	require.EqualError(t, err, "load: b:1: z\nb:2: x\na:1:1: f: y")
	f, ok := errors.AsType[*Fault](err)
	require.True(t, ok)
	require.Equal(t, "z", f.Message)
	require.Len(t, FaultsOf(err), 3)
	require.Len(t, FaultsOf(fs[0]), 1)
	require.Nil(t, FaultsOf(errors.New("x")))
	require.NoError(t, Faults(nil).Err())
}
