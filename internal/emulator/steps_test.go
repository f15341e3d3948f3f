package emulator

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// A job's document with undecoded steps says the same as the decoded one.
func TestUndecodedSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "x", "https://api.azureml.ms/x", "azureml://datastores/d/paths/p", "<a&b>", "\u2028é"})
		props := map[string]any{"jobType": "Pipeline", "properties": map[string]any{"a": text.Draw(t, "a")}, "tags": nil}
		switch rapid.IntRange(0, 3).Draw(t, "steps") {
		case 1:
			props["jobs"] = nil
		case 2:
			props["jobs"] = map[string]any{"s": map[string]any{"type": "command", "inputs": map[string]any{"u": text.Draw(t, "u"), "n": 1.5}}}
		case 3:
			props["jobs"] = map[string]any{}
		}
		body, err := encode(map[string]any{"id": "/x", "name": text.Draw(t, "name"), "properties": props})
		require.NoError(t, err)
		whole, err := read(&store.Document{ID: "/x", Body: body})
		require.NoError(t, err)
		part, err := readJob(&store.Document{ID: "/x", Body: body})
		require.NoError(t, err)
		a, err := encode(whole)
		require.NoError(t, err)
		b, err := encode(part)
		require.NoError(t, err)
		require.JSONEq(t, string(a), string(b))

		e := &edge{host: "127.0.0.1:1", account: func(string) bool { return true }}
		if steps := takeSteps(part); steps != nil {
			got, err := e.outRaw(steps)
			require.NoError(t, err)
			got, err = encode(got)
			require.NoError(t, err)
			want, err := encode(e.out(whole.props()[stepsKey]))
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(got.([]byte))) //nolint:forcetypeassert // encode gives bytes
		}
	})
	_, err := readJob(&store.Document{ID: "/x", Body: json.RawMessage(`[]`)})
	require.ErrorContains(t, err, "the document of /x")
}
