// Package wiretest holds what every kind must pass, whatever its fields: both spellings round trip, an update loses nothing
// that the service said, a clone takes nothing along.
package wiretest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/azureml-go/azureml/internal/wire"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// id is where the documents of these tests were read from.
const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/things/thing"

// Kind checks the declaration of a kind and its properties, with random values. Types whose values have rules of their own
// are given as options.
func Kind[T any](t *testing.T, o ...Option) {
	t.Helper()
	require.NoError(t, wire.Check(*new(T)))
	g := newGenerator(o)
	typ := reflect.TypeFor[T]()
	draw := func(t *rapid.T) *T {
		v := new(T)
		reflect.ValueOf(v).Elem().Set(g.value(t, typ, "", 5, true))
		return v
	}
	t.Run("YAML", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { yamlRoundTrip(t, draw(t)) })
	})
	t.Run("REST", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { restRoundTrip(t, draw(t)) })
	})
	if _, ok := any(new(T)).(wire.Documented); !ok {
		return
	}
	t.Run("unknown fields", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) { keepsUnknown(t, draw(t), draw(t)) })
	})
}

type fataler interface {
	require.TestingT
	Logf(format string, a ...any)
}

func yamlRoundTrip[T any](t fataler, v *T) {
	text, err := wire.DumpYAML(v)
	require.NoError(t, err)
	var back T
	require.NoError(t, wire.LoadYAML(text, "", &back, nil), "%s", text)
	require.Equal(t, *v, back, "%s", text)
}

func encode(t fataler, v any) map[string]any {
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	return plain(t, m)
}

// plain is the tree as a service would see it.
func plain(t fataler, m map[string]any) map[string]any {
	b, err := json.Marshal(m)
	require.NoError(t, err)
	x, err := wire.ParseJSON(b)
	require.NoError(t, err)
	return x.(map[string]any)
}

func read[T any](t fataler, m map[string]any) *T {
	b, err := json.Marshal(m)
	require.NoError(t, err)
	v := new(T)
	require.NoError(t, wire.FromREST(b, v))
	return v
}

func restRoundTrip[T any](t fataler, v *T) {
	m := encode(t, v)
	require.Equal(t, m, encode(t, read[T](t, m)))
}

// keepsUnknown puts fields nobody knows into the document of v, reads it, and updates it, unchanged and changed to next.
func keepsUnknown[T any](t *rapid.T, v, next *T) {
	doc := encode(t, v)
	n := 0
	sprinkle(t, doc, &n)
	want := plain(t, doc)
	doc["id"] = id
	doc["systemData"] = map[string]any{"createdBy": "someone"}

	got := read[T](t, doc)
	body, err := wire.Body(got, id)
	require.NoError(t, err)
	require.Equal(t, want, plain(t, body), "an unchanged entity is sent as it was read")

	twin := *got
	require.True(t, reflect.DeepEqual(*got, twin))
	require.True(t, reflect.DeepEqual(got, read[T](t, doc)), "the same document read twice")

	clone, err := wire.Body(got, id+"2")
	require.NoError(t, err)
	require.Equal(t, encode(t, got), plain(t, clone), "a clone is what the struct says")
	for k := range clone {
		require.NotContains(t, k, unknown)
	}

	// all fields of next, on the document of v
	changed := *next
	*any(&changed).(wire.Documented).WireDocument() = *any(got).(wire.Documented).WireDocument()
	said := encode(t, &changed)
	body, err = wire.Body(&changed, id)
	require.NoError(t, err)
	sent := plain(t, body)
	require.NotContains(t, fmt.Sprint(sent), "\x00")
	again := encode(t, read[T](t, sent))
	require.Equal(t, strip(said), strip(again), "an update says all that the struct says")
	for k := range want {
		if strings.HasPrefix(k, unknown) {
			require.Equal(t, want[k], sent[k], "what nobody knows stays")
		}
	}
}

const unknown = "xUnknown"

// sprinkle adds fields nobody knows to objects at any depth.
func sprinkle(t *rapid.T, x any, n *int) {
	switch x := x.(type) {
	case map[string]any:
		for _, k := range keys(x) {
			sprinkle(t, x[k], n)
		}
		if rapid.Bool().Draw(t, "unknown here") {
			*n++
			x[fmt.Sprintf("%s%d", unknown, *n)] = rapid.SampledFrom([]any{"v", json.Number("1.50"), true, map[string]any{"deep": []any{json.Number("1")}}, []any{}}).Draw(t, "unknown")
		}
	case []any:
		for _, y := range x {
			sprinkle(t, y, n)
		}
	}
}

func keys(m map[string]any) []string {
	return slices.Sorted(maps.Keys(m)) // the order decides what rapid draws
}

// strip takes the unknown fields off: those in a user's own mapping are read as entries.
func strip(x any) any {
	switch x := x.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, v := range x {
			if !strings.HasPrefix(k, unknown) {
				out[k] = strip(v)
			}
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = strip(x[i])
		}
		return out
	}
	return x
}
