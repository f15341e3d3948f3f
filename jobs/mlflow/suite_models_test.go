package mlflow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/azureml-go/azureml/jobs/mlflow"
	"github.com/stretchr/testify/require"
)

func model(t *testing.T) *mlflow.Model {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "weights.json"), []byte(`[1,2,3]`), 0o666))
	return &mlflow.Model{
		Name: "iris", Dir: dir, Type: "classifier", Params: map[string]string{"depth": "3"}, Tags: map[string]string{"k": "v"},
		Flavors: map[string]map[string]any{"go": {"program": "score", "threshold": 1e-05}},
		Signature: &mlflow.Signature{
			Inputs:  []mlflow.Field{mlflow.Column("a", mlflow.Double), {Name: "b", Type: mlflow.String, Optional: true}},
			Outputs: []mlflow.Field{mlflow.Tensor("t", "float32", -1, 3)},
			Params:  []mlflow.ParamField{{Name: "temp", Type: mlflow.Double, Default: 0.5}},
		},
		InputExample: map[string]any{"a": 1}, Metadata: map[string]any{"from": "a test"},
	}
}

func logModel(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	require.NoError(t, r.LogMetric(ctx, "acc", 0.9, 4))
	m := model(t)
	m.Step = 4
	name := unique("iris")
	info, err := r.LogModel(ctx, m, &mlflow.LogModelOptions{Register: name, RegisterTags: map[string]string{"stage": "test"}})
	require.NoError(t, err)
	require.Equal(t, "1", info.Version.Version)
	require.Equal(t, "READY", info.Version.Status)
	require.Equal(t, r.Info.ID, info.Version.RunID)

	to := t.TempDir()
	written, err := c.Artifacts(info.URI).Download(ctx, "", to)
	require.NoError(t, err)
	require.Len(t, written, 3)
	text, err := os.ReadFile(filepath.Join(to, "MLmodel"))
	require.NoError(t, err)
	require.Contains(t, string(text), "run_id: "+r.Info.ID)
	require.Contains(t, string(text), "threshold: 1.0e-05")
	_, err = os.Stat(filepath.Join(m.Dir, "MLmodel"))
	require.ErrorIs(t, err, os.ErrNotExist, "the folder is not changed")

	// The registered version leads to the same files.
	written, err = c.Artifacts("models:/"+name+"/1").Download(ctx, "", t.TempDir())
	require.NoError(t, err)
	require.Len(t, written, 3)
	if info.ModelID != "" {
		lm, err := c.LoggedModels.Get(ctx, info.ModelID)
		require.NoError(t, err)
		require.Equal(t, mlflow.ModelReady, lm.Status)
		require.Equal(t, "iris", lm.Name)
		require.Equal(t, map[string]string{"depth": "3"}, lm.Params)
		require.NoError(t, r.Refresh(ctx))
		require.Equal(t, []mlflow.ModelOutput{{ModelID: info.ModelID, Step: 4}}, r.Outputs)
		// A run's path names the logged model too.
		v, err := c.Versions.Create(ctx, name, mlflow.NewVersion{Source: "runs:/" + r.Info.ID + "/iris"})
		require.NoError(t, err)
		require.Equal(t, info.ModelID, v.ModelID)
	}
	// Logging again registers the next version.
	info, err = r.LogModel(ctx, m, &mlflow.LogModelOptions{Register: name})
	require.NoError(t, err)
	require.NotEqual(t, "1", info.Version.Version)
}

func modelAsArtifacts(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	name := unique("iris")
	info, err := r.LogModel(ctx, model(t), &mlflow.LogModelOptions{Register: name, AsArtifacts: true})
	require.NoError(t, err)
	require.Equal(t, "runs:/"+r.Info.ID+"/iris", info.URI)
	require.NoError(t, r.Refresh(ctx))
	require.Contains(t, r.Data.Tags["mlflow.log-model.history"], `"iris"`)
	written, err := c.Artifacts("models:/"+name+"/latest").Download(ctx, "", t.TempDir())
	require.NoError(t, err)
	require.Len(t, written, 3)
}

func loggedModels(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	params := map[string]string{}
	for i := range 150 {
		params[fmt.Sprintf("p%d", i)] = "1"
	}
	m, err := c.LoggedModels.Create(ctx, mlflow.NewLoggedModel{ExperimentID: r.Info.ExperimentID, Name: "one", RunID: r.Info.ID, Params: params, Tags: map[string]string{"a": "1"}})
	if err != nil {
		require.ErrorIs(t, err, mlflow.ErrUnsupported)
		return
	}
	require.Len(t, m.Params, 150)
	require.Equal(t, mlflow.ModelPending, m.Status)
	require.NoError(t, c.LoggedModels.SetTags(ctx, m.ID, map[string]string{"b": "2"}))
	require.NoError(t, c.LoggedModels.DeleteTag(ctx, m.ID, "a"))
	require.NoError(t, c.LoggedModels.LogParams(ctx, m.ID, map[string]string{"late": "x"}))
	_, err = c.LoggedModels.Finalize(ctx, m.ID, mlflow.ModelReady)
	require.NoError(t, err)
	m, err = c.LoggedModels.Get(ctx, m.ID)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"b": "2"}, m.Tags)
	require.Equal(t, "x", m.Params["late"])
	require.NoError(t, r.LogBatch(ctx, mlflow.Batch{Metrics: []mlflow.Metric{{Key: "acc", Value: 0.75, ModelID: m.ID}}}))
	two, err := c.LoggedModels.Create(ctx, mlflow.NewLoggedModel{ExperimentID: r.Info.ExperimentID, Name: "two"})
	require.NoError(t, err)
	found := collect(t, c.LoggedModels.All(ctx, []string{r.Info.ExperimentID}, &mlflow.LoggedModelSearch{OrderBy: []mlflow.LoggedModelOrder{{Field: "name", Ascending: true}}, PageSize: 1}))
	require.Len(t, found, 2)
	require.Equal(t, []string{m.ID, two.ID}, []string{found[0].ID, found[1].ID})
	found = collect(t, c.LoggedModels.All(ctx, []string{r.Info.ExperimentID}, &mlflow.LoggedModelSearch{Filter: "metrics.acc > 0.7"}))
	require.Len(t, found, 1)
	require.Equal(t, 0.75, found[0].Metrics[0].Value)
	require.NoError(t, c.LoggedModels.Delete(ctx, two.ID))
	_, err = c.LoggedModels.Get(ctx, two.ID)
	require.ErrorIs(t, err, mlflow.ErrNotFound)
}

func registry(t *testing.T, c *mlflow.Client) {
	ctx, name := t.Context(), unique("model")
	m, err := c.Models.Create(ctx, name, &mlflow.ModelOptions{Description: "first", Tags: map[string]string{"a": "1"}})
	require.NoError(t, err)
	require.Equal(t, name, m.Name)
	_, err = c.Models.Create(ctx, name, nil)
	require.ErrorIs(t, err, mlflow.ErrExists)
	require.NoError(t, c.Models.Ensure(ctx, name))
	_, err = c.Models.Get(ctx, name+"x")
	require.ErrorIs(t, err, mlflow.ErrNotFound)
	for _, bad := range []string{"", " ", "a/b", "a:b"} {
		_, err := c.Models.Create(ctx, bad, nil)
		require.ErrorIs(t, err, mlflow.ErrInvalid, bad)
	}
	r := start(t, c)
	require.NoError(t, r.Artifacts().Text(ctx, "m/MLmodel", "flavors: {}\n"))
	for i := range 3 {
		v, err := c.Versions.Create(ctx, name, mlflow.NewVersion{Source: "runs:/" + r.Info.ID + "/m", Description: fmt.Sprint("v", i+1), Tags: map[string]string{"n": fmt.Sprint(i)}})
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i+1), v.Version)
		require.Equal(t, r.Info.ID, v.RunID)
	}
	require.NoError(t, c.Models.SetTag(ctx, name, "b", "2"))
	require.NoError(t, c.Models.DeleteTag(ctx, name, "a"))
	require.NoError(t, c.Models.Describe(ctx, name, "second"))
	require.NoError(t, c.Models.SetAlias(ctx, name, "champion", "1"))
	require.NoError(t, c.Models.SetAlias(ctx, name, "champion", "2"))
	require.NoError(t, c.Models.SetAlias(ctx, name, "old", "1"))
	require.NoError(t, c.Models.DeleteAlias(ctx, name, "old"))
	m, err = c.Models.Get(ctx, name)
	require.NoError(t, err)
	require.Equal(t, "second", m.Description)
	require.Equal(t, map[string]string{"b": "2"}, m.Tags)
	require.Equal(t, map[string]string{"champion": "2"}, m.Aliases)
	v, err := c.Models.ByAlias(ctx, name, "champion")
	require.NoError(t, err)
	require.Equal(t, "2", v.Version)
	require.ErrorIs(t, c.Models.SetAlias(ctx, name, "v1", "1"), mlflow.ErrInvalid)

	require.NoError(t, c.Versions.SetTag(ctx, name, "1", "x", "y"))
	require.NoError(t, c.Versions.DeleteTag(ctx, name, "1", "n"))
	require.NoError(t, c.Versions.Describe(ctx, name, "1", "changed"))
	v, err = c.Versions.Get(ctx, name, "1")
	require.NoError(t, err)
	require.Equal(t, "changed", v.Description)
	require.Equal(t, map[string]string{"x": "y"}, v.Tags)
	v, err = c.Versions.Transition(ctx, name, "1", "Production", false)
	require.NoError(t, err)
	require.Equal(t, "Production", v.Stage)
	v, err = c.Versions.Transition(ctx, name, "2", "Production", true)
	require.NoError(t, err)
	require.Equal(t, "Production", v.Stage)
	v, err = c.Versions.Get(ctx, name, "1")
	require.NoError(t, err)
	require.Equal(t, "Archived", v.Stage)
	latest, err := c.Models.Latest(ctx, name, "Production")
	require.NoError(t, err)
	require.Len(t, latest, 1)
	require.Equal(t, "2", latest[0].Version)

	for uri, want := range map[string]string{"/1": "1", "/latest": "3", "@champion": "2", "/Production": "2"} {
		v, err := c.Versions.Find(ctx, "models:/"+name+uri)
		require.NoError(t, err, uri)
		require.Equal(t, want, v.Version, uri)
	}
	_, err = c.Versions.Find(ctx, "models:/"+name+"@nobody")
	require.Error(t, err)
	uri, err := c.Versions.DownloadURI(ctx, name, "1")
	require.NoError(t, err)
	require.NotEmpty(t, uri)

	found := collect(t, c.Versions.All(ctx, &mlflow.Search{Filter: "name = '" + name + "'", OrderBy: []string{"version_number DESC"}, PageSize: 2}))
	require.Len(t, found, 3)
	require.Equal(t, "3", found[0].Version)
	models := collect(t, c.Models.All(ctx, &mlflow.Search{Filter: "name LIKE '" + name + "%'", PageSize: 1}))
	require.Len(t, models, 1)

	require.NoError(t, c.Versions.Delete(ctx, name, "3"))
	_, err = c.Versions.Get(ctx, name, "3")
	require.ErrorIs(t, err, mlflow.ErrNotFound)
	if err := c.Models.Rename(ctx, name, name+"-new"); err != nil {
		require.ErrorIs(t, err, mlflow.ErrUnsupported)
	} else {
		name += "-new"
	}
	require.NoError(t, c.Models.Delete(ctx, name))
	_, err = c.Models.Get(ctx, name)
	require.ErrorIs(t, err, mlflow.ErrNotFound)
}
