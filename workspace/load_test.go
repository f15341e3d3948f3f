package workspace

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// files are one of each kind, told by $schema or by type and keys.
var files = map[string]any{
	"command: echo\nenvironment: azureml:e:1\ncompute: azureml:c\n": new(jobs.CommandJob),
	"type: sweep\ntrial: {command: 'echo ${{search_space.x}}', environment: 'azureml:e:1'}\nsearch_space: {x: {type: choice, values: [1]}}\nsampling_algorithm: grid\nobjective: {goal: minimize, primary_metric: m}\nlimits: {max_total_trials: 1}\n": new(jobs.SweepJob),
	"type: pipeline\njobs: {a: {type: command, component: 'azureml:c:1'}}\n":                      new(jobs.PipelineJob),
	"$schema: x/commandComponent.schema.json\nname: c\ncommand: echo\nenvironment: azureml:e:1\n": new(jobs.CommandComponent),
	"$schema: x/data.schema.json\nname: d\npath: https://x/y\n":                                   new(assets.Data),
	"$schema: x/model.schema.json\nname: m\npath: azureml://jobs/j/outputs/o/paths/p\n":           new(assets.Model),
	"name: e\nimage: i\n": new(assets.Environment),
	"type: azure_blob\nname: b\naccount_name: a\ncontainer_name: c\n":                                                   new(assets.BlobStorage),
	"type: amlcompute\nname: c\n":                                                                                       new(compute.Cluster),
	"$schema: x/managedOnlineEndpoint.schema.json\nname: epp\n":                                                         new(endpoints.OnlineEndpoint),
	"$schema: x/managedOnlineDeployment.schema.json\nname: dep\nendpoint_name: epp\ninstance_type: x\n":                 new(endpoints.OnlineDeployment),
	"$schema: x/batchEndpoint.schema.json\nname: epp\n":                                                                 new(endpoints.BatchEndpoint),
	"type: open_ai\nname: c\napi_key: k\n":                                                                              new(Connection),
	"$schema: x/schedule.schema.json\nname: s\ntrigger: {type: cron, expression: '0 * * * *'}\ncreate_job: azureml:j\n": new(jobs.Schedule),
}

func yamlFile(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "e.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestLoadTellsKinds(t *testing.T) {
	for text, want := range files {
		e, err := Load(yamlFile(t, text), nil)
		require.NoError(t, err, text)
		require.IsType(t, want, e, text)
		out, err := Dump(e)
		require.NoError(t, err, text)
		require.NotEmpty(t, out)
	}
}

func TestLoadOverrides(t *testing.T) {
	e, err := Load(yamlFile(t, "$schema: x/managedOnlineDeployment.schema.json\nname: a\nendpoint_name: b\ninstance_type: x\n"), &LoadOptions{Name: "dep", Endpoint: "epp", Set: []string{"instance_count=3"}})
	require.NoError(t, err)
	d := e.(*endpoints.OnlineDeployment)
	require.Equal(t, []any{"dep", "epp", 3}, []any{d.Name, d.Endpoint, d.InstanceCount})
}

func TestLoadFaults(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "empty",
		"[1]":                                   "a list, not a mapping",
		"a: 1\n":                                "neither $schema nor type and keys say what the file holds",
		"$schema: x/unknown.schema.json\n":      `$schema "x/unknown.schema.json" is not of a kind`,
		"type: amlcompute\nname: c\nsiez: x\n":  `e.yml:3:1: siez: unknown field; did you mean "size"?`,
		"type: amlcompute\nmin_instances: no\n": "name",
	} {
		_, err := Load(yamlFile(t, text), nil)
		require.ErrorContains(t, err, want, text)
	}
	_, err := Load(filepath.Join(t.TempDir(), "none.yml"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = (&Client{}).Apply(t.Context(), 7, nil)
	require.ErrorContains(t, err, "a int cannot be created")
}

// FuzzLoad: whatever a file holds is an entity, which can be written and
// encoded without a panic, or an error.
func FuzzLoad(f *testing.F) {
	for text := range files {
		f.Add(text)
	}
	f.Add("$schema: x/schedule.schema.json\ncreate_monitor: {monitoring_signals: {a: {type: data_drift}}}\n")
	f.Add("type: automl\ntask: classification\n")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Load(yamlFile(t, text), nil)
		if err != nil {
			return
		}
		_, _ = Dump(e)        // what cannot be written says so
		_, _ = wire.ToREST(e) // nor what cannot be sent before it is resolved
	})
}
