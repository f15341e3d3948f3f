package py

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The expectations are what CPython 3.11 prints.
func TestNormpath(t *testing.T) {
	for in, want := range map[string]string{
		"": ".", "a": "a", "a/": "a", "a//b": "a/b", "./a": "a", "a/../b": "b", "../a": "../a", "a/../../b": "../b",
		"/a": "/a", "//a": "//a", "///a": "/a", "/../a": "/a", "..": "..", "a/..": ".", ".": ".", "/": "/", "a/./b/": "a/b",
	} {
		require.Equal(t, want, Normpath(in), "%q", in)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]int64{" 1 ": 1, "+7": 7, "-7": -7, "1_000": 1000, "007": 7} {
		n, ok := Int(in)
		require.True(t, ok, "%q", in)
		require.Equal(t, want, n)
	}
	for _, in := range []string{"", "x", "1.0", "1__0", "_1", "1_", "+-1", "--1", "0x1", "99999999999999999999"} {
		_, ok := Int(in)
		require.False(t, ok, "%q", in)
	}
	for in, want := range map[string]float64{"1": 1, " .5 ": .5, "1.": 1, "1e3": 1000, "inf": math.Inf(1), "-Infinity": math.Inf(-1), "1_0.5": 10.5, "1e999": math.Inf(1)} {
		f, ok := Float(in)
		require.True(t, ok, "%q", in)
		require.Equal(t, want, f)
	}
	for _, in := range []string{"", "x", "0x1p3", "1__0", "_1", "1e", "1,5"} {
		_, ok := Float(in)
		require.False(t, ok, "%q", in)
	}
}

func TestPrinting(t *testing.T) {
	for in, want := range map[float64]string{0: "0.0", 1: "1.0", -2.5: "-2.5", 1e16: "1e+16", 123456789: "123456789.0", 1e-5: "1e-05", 0.0001: "0.0001",
		math.Inf(1): "inf", math.Copysign(0, -1): "-0.0", 0.1: "0.1", math.MaxFloat64: "1.7976931348623157e+308"} {
		require.Equal(t, want, FormatFloat(in))
	}
	require.Equal(t, "nan", FormatFloat(math.NaN()))
	require.Equal(t, `'it'`, Repr("it"))
	require.Equal(t, `"it's"`, Repr("it's"))
	require.Equal(t, `'it\'s "x"'`, Repr(`it's "x"`))
	require.Equal(t, `'a\\b\n\x00é'`, Repr("a\\b\n\x00é"))
	require.Equal(t, `{'a', 'b'}`, Set("b", "a"))
	require.Equal(t, `['b', 'a']`, List("b", "a"))
	require.Equal(t, `('b',)`, Tuple("b"))
}

func TestCharacters(t *testing.T) {
	for _, r := range "aZ_9é٣Ⅷ" {
		require.True(t, IsWord(r), "%q", r)
	}
	for _, r := range "-.$ \u0301" {
		require.False(t, IsWord(r), "%q", r)
	}
	require.Equal(t, "éa", Truncate("éab", 2))
	require.Equal(t, "éa", Truncate("éa", 5))
	require.Equal(t, 3, Len("éab"))
}
