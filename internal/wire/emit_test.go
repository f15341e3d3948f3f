package wire

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Any text is read back as it was, in PyYAML's style and in that of DumpYAML, as a value, a key and an item.
func TestAnyTextIsReadBack(t *testing.T) {
	piece := rapid.SampledFrom([]string{" ", "\n", "a", "word", "'", `"`, ": ", " #", "-", "é", "😀", "\u2028", "\u0085", "\t", "\x00", "yes", "1", "long long long long long long long long long long", "|", "\r", "\ufeff"})
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(piece, 0, 30).Draw(t, "pieces"), "")
		tree := map[string]any{"k": s, "l": []any{s, map[string]any{"m": s}}, s + "x": "v"}
		for _, e := range []*emitter{{}, {unicode: true, literal: true}} {
			n, err := orderedNode(tree, func(m map[string]any) []string { return sortedKeys(m) })
			require.NoError(t, err)
			text, err := e.document(n)
			require.NoError(t, err)
			back, err := ParseYAML(text, "", "")
			require.NoError(t, err, "%s", text)
			require.Equal(t, tree, back.Tree(), "%s", text)
		}
	})
}

func TestScalarsAtTheRoot(t *testing.T) {
	for in, want := range map[any]string{"a": "a\n...\n", int64(1): "1\n...\n", "yes": "'yes'\n", nil: "null\n...\n", 1e300: "1.0e+300\n...\n"} {
		got, err := EmitYAML(in)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	_, err := EmitYAML(struct{}{})
	require.Error(t, err)
}
