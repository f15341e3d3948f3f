package serving

import (
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRowsOfMLflow(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"input_data":{"columns":["b","a"],"index":[0,1],"data":[[1,"x"],[null,"y"]]}}`: `[{"b":1,"a":"x"},{"b":null,"a":"y"}]`,
		`{"dataframe_split":{"columns":[0],"data":[[1.50]]}}`:                            `[{"0":1.50}]`,
		`{"dataframe_records":[{"a":1}]}`:                                                `[{"a":1}]`,
		`{"input_data":[[1,2]]}`:                                                         "",
		`{"inputs":{"a":[1]}}`:                                                           "",
		`{"input_data":{"columns":["a"],"data":[[1,2]]}}`:                                "",
		`no`: "",
	} {
		got, err := inputRows([]byte(body))
		require.Equal(t, want, string(got), body)
		require.Equal(t, want == "", err != nil, body)
	}
	for body, want := range map[string]string{
		`{"predictions":[1,0.5]}`:         `[{"0":1},{"0":0.5}]`,
		`{"predictions": [[1,2], [3,4]]}`: `[{"0":1,"1":2},{"0":3,"1":4}]`,
		`{"predictions":[{"y":"a"}]}`:     `[{"y":"a"}]`,
		`{"predictions":[]}`:              `[]`,
		`{"predictions":[{"y":1},2]}`:     "",
		`{"predictions":{"y":[1]}}`:       "",
		`[1]`:                             "",
	} {
		got, err := outputRows([]byte(body))
		require.Equal(t, want, string(got), body)
		require.Equal(t, want == "", err != nil, body)
	}
}

func FuzzRowsOfMLflow(f *testing.F) {
	f.Add([]byte(`{"input_data":{"columns":["a"],"data":[[1]]},"predictions":[1,[2]]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, rows := range []func([]byte) ([]byte, error){inputRows, outputRows} {
			if got, err := rows(body); err == nil {
				require.NotEmpty(t, got)
			}
		}
	})
}

// TestMLflowModelCollects serves by a program called mlflow, which answers what the real one would.
func TestMLflowModelCollects(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program mlflow of this test is a shell script")
	}
	w := newWorld(t)
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "mlflow"), []byte("#!/bin/sh\nexec "+w.exe+"\n"), 0o700))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	w.put("m/MLmodel", "")
	model := w.document("models", "m", map[string]any{"modelType": "mlflow_model", "modelUri": w.address("m")})
	p := props("mlflow", w.collector(nil, "model_inputs", "model_outputs"))
	p = with(t, p, "model", model)
	p = with(t, p, "environmentId", nil)
	require.NoError(t, w.h.Check(t.Context(), sc, p))
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", p, 1))
	r := w.call(`{"input_data":{"columns":["a"],"data":[[1],[2]]}}`)
	require.Equal(t, 200, r.Code, r.Body.String())
	require.Equal(t, http.StatusFailedDependency, w.call("bad").Code)
	require.Equal(t, 200, w.call(`{"input_data":[1]}`).Code, "what is no table is scored, and not kept")
	w.h.Remove(sc, "ep", "blue")
	in, _ := w.lines("mdc/ep/blue/model_inputs/")
	require.Len(t, in, 1)
	require.Equal(t, []any{map[string]any{"a": 1.0}, map[string]any{"a": 2.0}}, in[0]["data"])
	out, _ := w.lines("mdc/ep/blue/model_outputs/")
	require.Len(t, out, 2)
	require.Equal(t, []any{map[string]any{"0": 7.0}}, out[0]["data"])
	require.Equal(t, in[0]["correlationid"], out[0]["correlationid"])
}
