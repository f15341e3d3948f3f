package jobs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

const takesAll = `
type: command
command: ls ${{inputs.rows}}
environment: azureml:e:1
inputs:
  rows: {type: uri_folder}
  file: {type: uri_file, optional: true}
  any: {type: path, optional: true}
  word: {type: string, optional: true}
outputs: {out: {type: uri_file}}
`

// shorthandFile is a pipeline with one step of the component takesAll, whose inputs are given.
func shorthandFile(inputs string) string {
	return "type: pipeline\ncompute: azureml:cpu\njobs:\n  a:\n    type: command\n    component: ./takes.yml\n    inputs: " + inputs + "\n    outputs: {out: {mode: upload}, none: {mode: upload}}\n"
}

func TestShorthandInputs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "takes.yml"), []byte(takesAll), 0o600))
	file := filepath.Join(dir, "pipeline.yml")
	for text, want := range map[string]Inputs{
		"{rows: ./data}":      {"rows": URIFolder(filepath.Join(dir, "data"))},
		"{rows: data}":        {"rows": URIFolder(filepath.Join(dir, "data"))},
		"{rows: azureml:d:1}": {"rows": URIFolder("azureml:d:1")},
		"{rows: d@latest}":    {"rows": URIFolder("azureml:d@latest")},
		"{rows: https://x/y}": {"rows": URIFolder("https://x/y")},
		"{rows: azureml://datastores/d/paths/x, file: a.csv, word: ./data}": {"rows": URIFolder("azureml://datastores/d/paths/x"), "file": URIFile(filepath.Join(dir, "a.csv")), "word": Literal("./data")},
		"{rows: '${{parent.inputs.r}}/x'}":                                  {"rows": Literal("${{parent.inputs.r}}/x")},
		"{rows: {path: azureml:d:1}, word: {value: 3}}":                     {"rows": {Path: "azureml:d:1"}, "word": Literal(3)},
	} {
		j := loadNode(t, shorthandFile(text), file, nil)
		require.Equal(t, want, j.Jobs["a"].(*CommandNode).Inputs, text)
	}
	for text, want := range map[string]string{
		"{rows: 5}":           "pipeline.yml:7:20: jobs.a.inputs.rows: the component takes a uri_folder here: give its path, not 5",
		"{rows: x, any: ./d}": "jobs.a.inputs.any: the component takes any data here: say which, as {type: uri_folder, path: ./d}",
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(shorthandFile(text)), file, new(PipelineJob), nil), want)
	}
}

// What a component does not have is left out; the older forms of bindings are refused.
func TestStepsOfAFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "takes.yml"), []byte(takesAll), 0o600))
	file := filepath.Join(dir, "pipeline.yml")
	w := newWorld(t)
	w.pipelines()
	c, _ := w.client()
	o := &SubmitOptions{NoGit: true, Experiment: "exp", Dir: dir}
	run, err := c.Submit(t.Context(), loadNode(t, shorthandFile("{rows: azureml:d:1}"), file, nil), o)
	require.NoError(t, err)
	require.Equal(t, Outputs{"out": {Type: TypeURIFile, Mode: Upload}}, run.Spec.(*PipelineJob).Jobs["a"].(*CommandNode).Outputs)

	_, err = c.Submit(t.Context(), loadNode(t, shorthandFile("{rows: azureml:d:1, word: '${{inputs.s}}'}"), file, nil), o)
	require.ErrorContains(t, err, "jobs.a.inputs.word: ${{inputs.s}} is the form of earlier versions; write ${{parent.inputs.s}}")
}

// A step in place sees what later steps write, and the pipeline's outputs as they are spelled.
func TestStepsInPlaceSeeLaterOnes(t *testing.T) {
	t.Parallel()
	j := loadNode(t, `
type: pipeline
compute: azureml:cpu
inputs: {group.n: 3}
outputs: {all: {mode: mount}}
jobs:
  first:
    command: ls ${{inputs.x}}
    environment: azureml:e:1
    inputs: {x: "${{parent.jobs.last.outputs.o}}"}
    outputs: {all: "${{parent.outputs.all}}", empty: {}}
  last:
    command: ls
    environment: azureml:e:1
    inputs: {n: "${{parent.inputs.group.n}}"}
    outputs: {o: {type: uri_file, mode: mount}}
`, "", nil)
	first := j.Jobs["first"].(*CommandNode)
	c := first.Component.(*CommandComponent)
	require.Equal(t, ComponentInput{Type: "uri_file"}, c.Inputs["x"])
	require.Equal(t, ComponentOutput{Type: "uri_folder", Mode: "mount"}, c.Outputs["all"])
	require.Equal(t, "mount", j.Jobs["last"].(*CommandNode).Component.(*CommandComponent).Outputs["o"].Mode)
	require.Equal(t, Output{Type: TypeURIFolder}, first.Outputs["empty"])
	body, err := wire.ToREST(j)
	require.NoError(t, err)
	require.Equal(t, "ReadWriteMount", body["properties"].(map[string]any)["outputs"].(map[string]any)["all"].(map[string]any)["mode"])
}

// Keys that a component does not know are taken as the reference takes them; misspelt ones are refused.
func TestUnknownKeysOfComponents(t *testing.T) {
	t.Parallel()
	const parallel = "type: parallel\nname: p\nversion: 1\ntask: {type: run_function, entry_script: s.py, environment: azureml:e:1, odd: 1}\nretry_settings: {timeout: 3, odd: 1}\nresources: {instance_count: 1, odd: 1}\nodd: 1\n"
	for text, has := range map[string]bool{
		takesAll + "odd: 1\n": true,
		parallel:              false,
		takesAll + "environment_variables: {A: odd}\nresources: {odd: 1}\n": false,
	} {
		spec, err := wire.ToSpec(loadComponentText(t, text, ""))
		require.NoError(t, err)
		require.Equal(t, has, strings.Contains(textOf(t, spec), "odd"), text)
	}
	for text, want := range map[string]string{
		takesAll + "is_determinstic: true\n":                           `is_determinstic: unknown field; did you mean "is_deterministic"?`,
		takesAll + "resource: {instance_count: 1}\n":                   `resource: unknown field; did you mean "resources"?`,
		parallel + "mini_batch_sise: 3\n":                              `mini_batch_sise: unknown field; did you mean "mini_batch_size"?`,
		strings.Replace(parallel, "timeout", "timeotu", 1):             `retry_settings.timeotu: unknown field; did you mean "timeout"?`,
		takesAll + "distribution: {type: mpi}\nadditional_include: []": `additional_include: unknown field; did you mean "additional_includes"?`,
	} {
		var c Component
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "c.yml", &c, nil), want)
	}
	step := "type: pipeline\ncompute: azureml:c\njobs:\n  a: {type: parallel, input_data: x, odd: 1, task: {type: run_function, entry_script: s.py, environment: azureml:e:1}}\n"
	require.ErrorContains(t, wire.LoadYAML([]byte(step), "p.yml", new(PipelineJob), nil), "jobs.a.odd: unknown field")
}

func TestEmptyTagsAndReferences(t *testing.T) {
	t.Parallel()
	j := load(t, "command: x\nenvironment: azureml:e:1\ntags: {a: null, b: c}\nproperties: {p: null}\n").(*CommandJob)
	require.Equal(t, map[string]string{"b": "c"}, j.Tags)
	require.Empty(t, j.Properties)
	var s Spec
	require.ErrorContains(t, wire.LoadYAML([]byte("command: x\nenvironment: e:1\n"), "j.yml", &s, nil),
		`j.yml:2:14: environment: "e:1" is no reference to an environment; write azureml:e:1, or define it here`)
	require.NoError(t, wire.LoadYAML([]byte("command: x\nenvironment: {id: 'azureml:/subscriptions/s/e/versions/1', image: i}\n"), "j.yml", &s, nil))
	require.Equal(t, "/subscriptions/s/e/versions/1", string(s.(*CommandJob).Environment.EnvironmentRef()))
}

func textOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
