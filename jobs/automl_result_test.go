package jobs

import (
	"math"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestBest(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	w.answer("GET "+testHistory+"/runs/a/details", map[string]any{"runId": "a", "status": "Running"})
	_, err := c.Best(t.Context(), "a")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.ErrorContains(t, err, `jobs: best trial of "a": it is Running and names no best trial`)

	w.answer("GET "+testHistory+"/runs/a/details", map[string]any{"runId": "a", "status": "Completed", "tags": map[string]any{"automl_best_child_run_id": "a_7"}})
	w.answer("GET "+testWorkspace+"/jobs/a", map[string]any{"name": "a", "properties": map[string]any{"jobType": "AutoML", "experimentName": "e", "status": "Completed"}})
	w.answer("POST "+testHistory+"/rundata", map[string]any{"runMetadata": map[string]any{"runId": "a_7", "status": "Completed", "parentRunId": "a"}})
	w.answer("GET /mlflow/v1.0"+testWorkspace+"/api/2.0/mlflow/runs/get", map[string]any{"run": map[string]any{"data": map[string]any{
		"metrics": []any{map[string]any{"key": "accuracy", "value": 0.5}, map[string]any{"key": "loss", "value": "NaN"}}, "params": []any{map[string]any{"key": "p", "value": "v"}},
	}}})
	page := 0
	w.handle("GET "+testHistory+"/experiments/e/runs/a_7/artifacts", func(rw http.ResponseWriter, r *http.Request) {
		if page++; r.URL.Query().Get("continuationToken") == "" {
			writeJSON(rw, http.StatusOK, map[string]any{"value": []any{map[string]any{"path": "MLmodel"}, map[string]any{"path": "other/MLmodel"}}, "continuationToken": "t"})
			return
		}
		writeJSON(rw, http.StatusOK, map[string]any{"value": []any{map[string]any{"path": "outputs/mlflow-model/MLmodel"}, map[string]any{"path": "outputs/model.pkl"}}})
	})
	best, err := c.Best(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, 2, page)
	require.Equal(t, "a_7", best.Run.Name)
	require.Equal(t, "a", best.Run.Parent)
	require.Equal(t, "e", best.Run.Experiment)
	require.InDelta(t, 0.5, best.Metrics["accuracy"], 0)
	require.True(t, math.IsNaN(best.Metrics["loss"]))
	require.Equal(t, map[string]string{"p": "v"}, best.Parameters)
	require.Equal(t, "azureml://jobs/a_7/outputs/artifacts/paths/outputs/mlflow-model/", best.Model)

	// Sweeps say it otherwise, and their trials need have no model.
	w.answer("GET "+testHistory+"/runs/a/details", map[string]any{"runId": "a", "status": "Completed", "properties": map[string]any{"best_child_run_id": "a_7"}})
	w.answer("GET "+testHistory+"/experiments/e/runs/a_7/artifacts", map[string]any{"value": []any{}})
	best, err = c.Best(t.Context(), "a")
	require.NoError(t, err)
	require.Empty(t, best.Model)
}
