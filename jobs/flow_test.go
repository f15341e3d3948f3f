package jobs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// flowDir is a folder with a flow and runs of it.
func flowDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "my-flow", ".promptflow", "flow.tools.json"), "{}")
	writeFile(t, filepath.Join(dir, "my-flow", "flow.dag.yaml"), `
$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json
name: dag_name
version: "4"
display_name: D
description: desc
tags: {a: b}
inputs: {text: {type: string}}
environment_variables: {A: "1", B: "2"}
additional_includes: [../shared]
azureml: {environment: "azureml:env:1", is_deterministic: false}
nodes: []
`)
	writeFile(t, filepath.Join(dir, "shared", "x.py"), "x")
	writeFile(t, filepath.Join(dir, "run.yml"), `
$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Run.schema.json
flow: ./my-flow
name: run_name
version: "7"
variant: ${n.v1}
column_mappings: {text: "${data.text}"}
connections: {llm: {connection: c, deployment_name: d}}
environment_variables: {B: "3"}
data: ./d.jsonl
azureml: {environment: "azureml:env:2"}
`)
	writeFile(t, filepath.Join(dir, "plain.yml"), "$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Run.schema.json\nflow: ./my-flow\n")
	return dir
}

// The hashes are azure-ai-ml's for the same files.
func TestFlow(t *testing.T) {
	dir := flowDir(t)
	for file, want := range map[string]struct {
		name, version, hash string
		vars                map[string]string
	}{
		"my-flow/flow.dag.yaml": {"dag_name", "4", "c4e7df74-2d33-48e2-c279-0cae8fe7fdd4", map[string]string{"A": "1", "B": "2"}},
		"run.yml":               {"run_name", "7", "e0fced76-d319-c7ef-7472-cbb609493a33", map[string]string{"A": "1", "B": "3"}},
		"plain.yml":             {"my_flow", "1", "7beb64f2-8070-e489-dbe0-fe14d7c991d7", map[string]string{"A": "1", "B": "2"}},
	} {
		k, err := LoadComponent(filepath.Join(dir, file))
		require.NoError(t, err, file)
		f, ok := k.(*FlowComponent)
		require.True(t, ok, "%T", k)
		require.Equal(t, want.vars, f.EnvironmentVariables, file)
		require.Len(t, f.AdditionalIncludes, 1)
		require.FileExists(t, filepath.Join(f.AdditionalIncludes[0].path(), "x.py"), file)
		c := &checker{}
		f.check(t.Context(), c)
		require.NoError(t, c.faults.Err())

		f.code, f.Definition = "/codes/c/versions/1", "https://acct/c/flow.dag.yaml"
		body, name, version, err := componentBody(f)
		require.NoError(t, err)
		require.Equal(t, []string{want.name, want.version}, []string{name, version}, file)
		props := body["properties"].(map[string]any)
		require.Equal(t, map[string]any{"client_component_hash": want.hash}, props["properties"], file)
		spec := props["componentSpec"].(map[string]any)
		require.Equal(t, "/codes/c/versions/1", spec["code"])
		require.Equal(t, "https://acct/c/flow.dag.yaml", spec["flow_definition_uri"])
		require.Equal(t, "promptflow_parallel", spec["type"])
		require.NotContains(t, spec, "flow")

		text, err := wire.DumpYAML(f)
		require.NoError(t, err)
		var again Component
		require.NoError(t, wire.LoadYAML(text, filepath.Join(dir, "again.yml"), &again, nil), "%s", text)
		_, name, _, err = componentBody(again)
		require.NoError(t, err)
		require.Equal(t, want.name, name)
	}

	j := loadNode(t, `
type: pipeline
compute: azureml:c
jobs: {f: {type: parallel, component: ./plain.yml, inputs: {data: {type: uri_file, path: "azureml:rows:1"}, text: "${data.text}"}}}
`, filepath.Join(dir, "p.yml"), nil)
	n := j.Jobs["f"].(*ParallelNode)
	require.IsType(t, &FlowComponent{}, n.Component)
	c := &checker{}
	j.check(t.Context(), c)
	require.NoError(t, c.faults.Err())
	spec, err := specOf(n.Component.(Component))
	require.NoError(t, err)
	require.Equal(t, "my_flow", spec["name"], "it keeps the folder's name, though it is anonymous")

	require.NoError(t, os.RemoveAll(filepath.Join(dir, "my-flow", ".promptflow")))
	f := &FlowComponent{Flow: filepath.Join(dir, "my-flow"), Environment: azureml.Ref("azureml:e:1")}
	c = &checker{}
	f.check(t.Context(), c)
	require.ErrorContains(t, c.faults.Err(), "pf flow validate")
}

// A flow that was not made yet, by value, is encoded all the same.
func TestFlowComponentByValue(t *testing.T) {
	_, err := wire.ToREST(FlowComponent{Name: "f"})
	require.NoError(t, err)
	var c Component = &FlowComponent{}
	_, err = wire.ToREST(c)
	require.NoError(t, err)
}
