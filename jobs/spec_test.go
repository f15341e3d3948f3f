package jobs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

func TestDeclarations(t *testing.T) {
	for _, v := range []any{&CommandJob{}, &SweepJob{}, &SparkJob{}, &UnknownJob{}} {
		require.NoError(t, wire.Check(v), "%T", v)
	}
}

func load(t *testing.T, text string) Spec {
	t.Helper()
	var s Spec
	require.NoError(t, wire.LoadYAML([]byte(text), "", &s, nil))
	return s
}

// toJSON is what goes on the wire, as plain JSON.
func toJSON(t *testing.T, v any) string {
	t.Helper()
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	text, err := json.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

const everyField = `
type: command
name: all
display_name: every field
experiment_name: tests
description: one of each
tags: {team: a, n: "3"}
properties: {origin: here}
command: python run.py ${{inputs.n}} ${{outputs.out}}
environment: azureml:env:1
compute: azureml:cpu-cluster
environment_variables: {LEVEL: "2", N: 3, FLAG: true, EMPTY: ""}
inputs:
  n: 4
  f: 0.25
  whole: 1.0
  small: 1e-07
  s: words
  b: true
  none:
  wrapped: {value: 7}
  folder: {type: uri_folder, mode: ro_mount, path: "azureml://datastores/workspaceblobstore/paths/rows/"}
  table: {type: mltable, mode: eval_mount, path: "azureml:rows:5"}
  model: {type: custom_model, mode: direct, path: "azureml:net@latest"}
  web: {path: "https://example.org/rows.csv", type: uri_file}
outputs:
  out: {type: uri_folder, mode: rw_mount, path: "azureml://datastores/workspaceblobstore/paths/out/"}
  named: {type: uri_file, mode: upload, name: rows-out, version: 4}
  plain: {}
  empty:
limits: {timeout: 7200}
resources: {instance_count: 2, instance_type: Standard_NC24s_v3, shm_size: 16g, docker_args: --ipc=host, locations: [eastus], max_instance_count: 4, properties: {priority: high}}
distribution: {type: pytorch, process_count_per_instance: 4}
queue_settings: {job_tier: spot, priority: high}
identity: {type: user_identity}
services:
  lab: {type: jupyter_lab, nodes: all}
  board: {type: tensor_board, log_dir: logs/tb}
  shell: {type: ssh, ssh_public_keys: ssh-rsa AAAA}
parent_job_name: parent
`

const everyFieldREST = `{"properties": {
	"jobType": "Command", "isArchived": false, "displayName": "every field", "experimentName": "tests", "description": "one of each",
	"tags": {"team": "a", "n": "3"}, "properties": {"origin": "here"},
	"command": "python run.py ${{inputs.n}} ${{outputs.out}}", "environmentId": "azureml:env:1", "computeId": "azureml:cpu-cluster",
	"environmentVariables": {"LEVEL": "2", "N": 3, "FLAG": true, "EMPTY": ""},
	"inputs": {
		"n": {"jobInputType": "literal", "value": "4"}, "f": {"jobInputType": "literal", "value": "0.25"}, "whole": {"jobInputType": "literal", "value": "1.0"},
		"small": {"jobInputType": "literal", "value": "1e-07"}, "s": {"jobInputType": "literal", "value": "words"}, "b": {"jobInputType": "literal", "value": "True"},
		"none": {"jobInputType": "literal"}, "wrapped": {"jobInputType": "literal", "value": "7"},
		"folder": {"jobInputType": "uri_folder", "mode": "ReadOnlyMount", "uri": "azureml://datastores/workspaceblobstore/paths/rows/"},
		"table": {"jobInputType": "mltable", "mode": "EvalMount", "uri": "azureml:rows:5"},
		"model": {"jobInputType": "custom_model", "mode": "Direct", "uri": "azureml:net@latest"},
		"web": {"jobInputType": "uri_file", "uri": "https://example.org/rows.csv"}},
	"outputs": {
		"out": {"jobOutputType": "uri_folder", "mode": "ReadWriteMount", "uri": "azureml://datastores/workspaceblobstore/paths/out/"},
		"named": {"jobOutputType": "uri_file", "mode": "Upload", "assetName": "rows-out", "assetVersion": "4"},
		"plain": {"jobOutputType": "uri_folder"}, "empty": {"jobOutputType": "uri_folder"}},
	"limits": {"jobLimitsType": "Command", "timeout": "PT2H"},
	"resources": {"instanceCount": 2, "instanceType": "Standard_NC24s_v3", "shmSize": "16g", "dockerArgs": "--ipc=host", "locations": ["eastus"], "maxInstanceCount": 4, "properties": {"priority": "high"}},
	"distribution": {"distributionType": "PyTorch", "processCountPerInstance": 4},
	"queueSettings": {"jobTier": "Spot", "priority": 3},
	"identity": {"identityType": "UserIdentity"},
	"services": {
		"lab": {"jobServiceType": "JupyterLab", "nodes": {"nodesValueType": "All"}},
		"board": {"jobServiceType": "TensorBoard", "properties": {"logDir": "logs/tb"}},
		"shell": {"jobServiceType": "SSH", "properties": {"sshPublicKeys": "ssh-rsa AAAA"}}},
	"parentJobName": "parent"}}`

func TestCommandEveryField(t *testing.T) {
	spec := load(t, everyField)
	j, ok := spec.(*CommandJob)
	require.True(t, ok)
	require.JSONEq(t, everyFieldREST, toJSON(t, j))

	// What is written loads again to the same.
	text, err := Dump(j)
	require.NoError(t, err)
	require.Equal(t, spec, load(t, string(text)), string(text))

	// What the service answers means the same.
	var back Spec
	require.NoError(t, wire.FromREST([]byte(everyFieldREST), &back))
	require.JSONEq(t, everyFieldREST, toJSON(t, back))
}

func TestInputSpellings(t *testing.T) {
	for _, c := range []struct {
		in   Input
		want string
	}{
		{Literal(0.01), `{"jobInputType":"literal","value":"0.01"}`},
		{Literal(float32(0.1)), `{"jobInputType":"literal","value":"0.1"}`},
		{Literal(true), `{"jobInputType":"literal","value":"True"}`},
		{Literal(3), `{"jobInputType":"literal","value":"3"}`},
		{Literal(uint8(3)), `{"jobInputType":"literal","value":"3"}`},
		{Literal("x"), `{"jobInputType":"literal","value":"x"}`},
		{Literal(""), `{"jobInputType":"literal","value":""}`},
		{Input{}, `{"jobInputType":"literal"}`},
		{URIFile("azureml:a:1"), `{"jobInputType":"uri_file","uri":"azureml:a:1"}`},
		{URIFolder("azureml:a:1").In(Download), `{"jobInputType":"uri_folder","uri":"azureml:a:1","mode":"Download"}`},
		{Input{Path: "https://x/y"}, `{"jobInputType":"uri_folder","uri":"https://x/y"}`},
		{Input{Path: "${{parent.inputs.a}}", Type: TypeURIFile}, `{"jobInputType":"literal","value":"${{parent.inputs.a}}"}`},
	} {
		m, err := wire.ToREST(&CommandJob{Inputs: Inputs{"x": c.in}})
		require.NoError(t, err)
		text, err := json.Marshal(m["properties"].(map[string]any)["inputs"].(map[string]any)["x"])
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(text))
	}
	_, err := wire.ToREST(&CommandJob{Inputs: Inputs{"x": {Value: "a", Path: "b"}}})
	require.ErrorContains(t, err, "both a literal")
}

func TestYAMLFaults(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown field":       {"comand: x\ncommand: x\nenvironment: azureml:e:1", "comand: unknown field"},
		"no command":          {"environment: azureml:e:1", `"command" is missing`},
		"no environment":      {"command: x", `"environment" is missing`},
		"mode":                {"command: x\nenvironment: azureml:e:1\ninputs: {a: {type: uri_file, path: 'azureml:a:1', mode: eval_mount}}", "inputs.a.mode: eval_mount is for mltable"},
		"bad type":            {"command: x\nenvironment: azureml:e:1\ninputs: {a: {type: uri_fil, path: 'azureml:a:1'}}", "uri_file"},
		"list":                {"command: x\nenvironment: azureml:e:1\ninputs: {a: [1, 2]}", "inputs.a: an input is"},
		"date":                {"command: x\nenvironment: azureml:e:1\ninputs: {a: 2024-01-01}", "inputs.a: an input is"},
		"output version":      {"command: x\nenvironment: azureml:e:1\noutputs: {a: {version: 1}}", "outputs.a.version: a version needs a name"},
		"output text":         {"command: x\nenvironment: azureml:e:1\noutputs: {a: here}", "outputs.a: an output is a mapping"},
		"services":            {"command: x\nenvironment: azureml:e:1\nservices: {a: {type: jupyter_lab, log_dir: x}}", "log_dir is for"},
		"kind":                {"type: comand\ncommand: x", `"comand" is no job`},
		"distribution":        {"command: x\nenvironment: azureml:e:1\ndistribution: {process_count_per_instance: 2}", "type"},
		"git":                 {"command: x\nenvironment: azureml:e:1\ncode: git+https://x/y", "git"},
		"tag that is no text": {"command: x\nenvironment: azureml:e:1\ntags: {n: 3}", "tags.n"},
	} {
		var s Spec
		err := wire.LoadYAML([]byte(c.text), "", &s, nil)
		require.ErrorContains(t, err, c.want, name)
		require.NotEmpty(t, wire.FaultsOf(err), name)
	}
}

func TestLoadTakesPathsFromTheFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub", "src"), 0o777))
	file := filepath.Join(dir, "sub", "job.yml")
	require.NoError(t, os.WriteFile(file, []byte("command: x\ncode: ./src\nenvironment: azureml:e:1\ninputs: {a: {type: uri_file, path: ../rows.csv}}\n"), 0o666))
	s, err := Load(file, "compute=other", "resources.instance_count=2")
	require.NoError(t, err)
	j := s.(*CommandJob)
	require.Equal(t, filepath.Join(dir, "sub", "src"), j.Code.Path)
	require.Equal(t, filepath.Join(dir, "rows.csv"), j.Inputs["a"].Path)
	require.Equal(t, "other", j.Compute)
	require.Equal(t, 2, j.Resources.InstanceCount)
	_, err = Load(filepath.Join(dir, "none.yml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestUnknownKindIsAValue(t *testing.T) {
	raw := `{"id": "/x/jobs/a", "properties": {"jobType": "Labeling", "status": "Running", "labelCategories": {"a": [1, {"b": null}]}}}`
	var s Spec
	require.NoError(t, wire.FromREST([]byte(raw), &s))
	u, ok := s.(*UnknownJob)
	require.True(t, ok)
	require.Contains(t, u.Raw["properties"], "labelCategories")
	_, err := s.job()
	require.Error(t, err)
}

// An update sends back what this version has no words for; a clone under another name does not.
func TestUpdateKeepsWhatIsNotKnown(t *testing.T) {
	id := "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/a"
	raw := `{"id": "` + id + `", "name": "a", "type": "t", "systemData": {"createdBy": "me"}, "properties": {
		"jobType": "Command", "command": "x", "environmentId": "azureml:e:1", "status": "Completed", "isArchived": true, "tags": {"a": "b"}, "later": {"x": [1]},
		"inputs": {"d": {"jobInputType": "uri_file", "uri": "u", "description": "kept"}}, "distribution": {"distributionType": "Slurm", "nodes": 3}}}`
	var s Spec
	require.NoError(t, wire.FromREST([]byte(raw), &s))
	j := s.(*CommandJob)
	require.Equal(t, id, j.ID)
	require.Equal(t, Completed, j.Status)
	j.Tags = map[string]string{"a": "c"}
	body, err := wire.Body(j, id)
	require.NoError(t, err)
	text, err := json.Marshal(body)
	require.NoError(t, err)
	require.JSONEq(t, `{"properties": {"jobType": "Command", "command": "x", "environmentId": "azureml:e:1", "isArchived": true, "tags": {"a": "c"}, "later": {"x": [1]},
		"inputs": {"d": {"jobInputType": "uri_file", "uri": "u", "description": "kept"}}, "distribution": {"distributionType": "Slurm", "nodes": 3}}}`, string(text))

	body, err = wire.Body(j, id+"2")
	require.NoError(t, err)
	require.NotContains(t, body["properties"], "later")
	require.NotContains(t, body["properties"], "status")
	require.Equal(t, false, body["properties"].(map[string]any)["isArchived"])
}

func TestLocalCompute(t *testing.T) {
	j := &CommandJob{Command: "x", Compute: "local", EnvironmentVariables: Variables{"A": "b"}, Environment: azureml.Ref("azureml:e:1")}
	c := j.clone().(*CommandJob)
	c.runHere()
	require.Empty(t, c.Compute)
	require.Equal(t, Variables{"A": "b"}, j.EnvironmentVariables, "the job given is not changed")
	got := toJSON(t, c)
	require.Contains(t, got, `"IsLocal":{"IsLocal":true}`)
	require.Contains(t, got, `"AZUREML_COMPUTE_USE_COMMON_RUNTIME":"true"`)
	var back Spec
	require.NoError(t, wire.FromREST([]byte(got), &back))
	require.Equal(t, "local", back.(*CommandJob).Compute)
}
