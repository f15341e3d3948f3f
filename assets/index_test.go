package assets

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func TestIndexKind(t *testing.T) {
	wiretest.Kind[Index](t)
	x := &Index{}
	require.NoError(t, wire.LoadYAML([]byte("name: idx\nversion: 3\npath: azureml://datastores/d/paths/p\ndescription: d\ntags: {a: 1}\nproperties: {p: q}\nstage: Production"), "", x, nil))
	require.JSONEq(t, `{"stage":"Production","storageUri":"azureml://datastores/d/paths/p","description":"d","tags":{"a":1},"properties":{"p":"q"}}`, body(t, x))
	for text, want := range map[string]string{
		"name: idx": `required field "path"`, "path: x": `required field "name"`, "name: idx\npath: x\nproperties: {a: 1}": "i.yml:3:17: properties.a: wants a string",
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "i.yml", &Index{}, nil), want, text)
	}
}

func TestIndexes(t *testing.T) {
	w := newWorld(t)
	c := NewIndexClient(w.c)
	docs := map[string]map[string]any{}
	w.also = func(rw http.ResponseWriter, r *http.Request) bool {
		var out any
		_, key, generic := strings.Cut(r.URL.Path, "/genericasset/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/indexes")
		switch {
		case strings.HasSuffix(r.URL.Path, "/workspaces/w"):
			out = map[string]any{"location": "eastus", "properties": map[string]any{"discoveryUrl": "http://" + r.Host + "/discovery"}}
		case strings.HasPrefix(r.URL.Path, "/discovery"):
			out = map[string]any{"api": "http://" + r.Host}
		case !generic:
			return false
		case strings.HasSuffix(key, ":getNextVersion"):
			out = map[string]any{"nextVersion": 4}
		case key == "", strings.HasSuffix(key, "/versions"):
			value := []any{}
			for _, d := range docs {
				value = append(value, d)
			}
			out = map[string]any{"value": value}
		case r.Method == http.MethodPut:
			raw, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			var d map[string]any
			require.NoError(t, json.Unmarshal(raw, &d))
			d["id"] = "azureml://locations/eastus/workspaces/guid/indexes" + key
			docs[key], out = d, d
		case docs[key] == nil && !strings.HasSuffix(key, "/docs"):
			rw.WriteHeader(http.StatusNotFound)
		default:
			out = docs["/docs/versions/4"]
		}
		rw.Header().Set("Content-Type", "application/json")
		require.NoError(t, json.NewEncoder(rw).Encode(out))
		return true
	}
	dir := writeTree(t, map[string]string{"index.faiss": "f"})
	made, err := c.Create(t.Context(), &Index{Name: "docs", Path: dir}, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"docs", "4", "Development"}, []string{made.Name, made.Version, made.Stage})
	require.Regexp(t, `^azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/LocalUpload/[0-9a-f]{64}/rows$`, made.Path)

	docs["/docs/versions/4"]["unknown"] = "kept"
	got, err := c.GetByLabel(t.Context(), "docs", Latest)
	require.NoError(t, err)
	got.Description = "more"
	_, err = c.Create(t.Context(), got, nil)
	require.NoError(t, err)
	require.Equal(t, []any{"kept", "more"}, []any{docs["/docs/versions/4"]["unknown"], docs["/docs/versions/4"]["description"]})
	clone := *got
	clone.Version = "5"
	_, err = c.Create(t.Context(), &clone, nil)
	require.NoError(t, err)
	require.NotContains(t, docs["/docs/versions/5"], "unknown")

	_, err = c.Get(t.Context(), "docs", "77")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	for _, list := range []int{0, 1} {
		n := 0
		seq := c.All(t.Context())
		if list == 1 {
			seq = c.Versions(t.Context(), "docs", nil)
		}
		for x, err := range seq {
			require.NoError(t, err)
			require.Equal(t, "docs", x.Name)
			n++
		}
		require.Equal(t, 2, n)
	}
	_, err = c.Create(t.Context(), &Index{Name: "a b"}, nil)
	require.ErrorContains(t, err, "is no name")
}
