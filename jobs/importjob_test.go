package jobs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

func replaceOnce(t *testing.T, s, from, to string) string {
	t.Helper()
	require.Contains(t, s, from)
	return strings.Replace(s, from, to, 1)
}

func TestImportJob(t *testing.T) {
	t.Setenv(previewFeatures, "true")
	text := "type: import\nname: i\nsource: {type: azuresqldb, connection: 'azureml:c', query: select 1}\noutput: {type: mltable, path: 'azureml://datastores/a/paths/b'}\n"
	var s Spec
	require.NoError(t, wire.LoadYAML([]byte(text), "", &s, &wire.LoadOptions{Private: true}))
	w := newWorld(t)
	w.accept("i")
	c, _ := w.client()
	run, err := c.Submit(t.Context(), s, &SubmitOptions{NoGit: true, Experiment: "e"})
	require.NoError(t, err)
	put := w.calls("PUT ")[0]
	require.Equal(t, "api-version=2025-01-01-preview", put.query)
	require.Equal(t, map[string]any{
		"jobType": "Command", "isArchived": false, "command": "import", "displayName": "i", "experimentName": "e", "computeId": testWorkspace + "/computes/DataFactory",
		"environmentId": testWorkspace + "/environments/AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
		"inputs": map[string]any{
			"type": map[string]any{"jobInputType": "literal", "value": "azuresqldb"}, "connection": map[string]any{"jobInputType": "literal", "value": "azureml:c"},
			"query": map[string]any{"jobInputType": "literal", "value": "select 1"},
		},
		"outputs": map[string]any{"output": map[string]any{"jobOutputType": "mltable", "uri": "azureml://datastores/a/paths/b"}},
		"status":  "NotStarted", // the world's
	}, put.body["properties"])
	j := run.Spec.(*ImportJob)
	require.Equal(t, ImportSource{Type: ImportSQLDB, Connection: "azureml:c", Query: "select 1"}, j.Source)
	require.Empty(t, s.(*ImportJob).Compute, "the job given is not changed")
}

func TestImportJobFaults(t *testing.T) {
	for text, want := range map[string]string{
		"source: {type: s3, connection: c, query: x}\noutput: {}":              "source: files have a path, and no query",
		"source: {type: snowflake, connection: c, path: x}\noutput: {}":        "source: a database has a query, and no path",
		"source: {type: s3, path: x}\noutput: {}":                              `"connection" is missing`,
		"source: {type: s3, connection: c, path: x}":                           `"output" is missing`,
		"source: {type: s3, connection: c, path: x}\noutput: {}\ncompute: cpu": "compute: unknown field",
		"source: {type: oracle, connection: c, query: x}\noutput: {}":          `"oracle" is none of`,
		"source: {type: s3, connection: c, path: x}\noutput: {version: 1}":     "a version needs a name",
		"source: {type: snowflake, connection: c, query: 1}\noutput: {}":       "source.query: wants a string",
	} {
		var s Spec
		require.ErrorContains(t, wire.LoadYAML([]byte("type: import\n"+text), "", &s, &wire.LoadOptions{Private: true}), want, text)
	}
	c := &checker{}
	(&ImportJob{Compute: "cpu", Output: Output{Version: "1"}}).check(t.Context(), c)
	for _, want := range []string{"source: a type is required", "output: a version needs a name", `compute: an import runs on nothing that can be chosen, not on "cpu"`} {
		require.ErrorContains(t, c.faults.Err(), want)
	}
	c = &checker{}
	(&ImportJob{Source: ImportSource{Type: ImportS3}}).check(t.Context(), c)
	require.ErrorContains(t, c.faults.Err(), "a connection is required")
}
