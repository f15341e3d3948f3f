package jobs

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

func loadComponentText(t *testing.T, text, file string) Component {
	t.Helper()
	var c Component
	require.NoError(t, wire.LoadYAML([]byte(text), file, &c, &wire.LoadOptions{Private: true}))
	return c
}

const environmentRef = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"

func TestComponentSpecs(t *testing.T) {
	for name, c := range map[string]struct{ file, spec string }{
		"command": {`
name: train
version: 3
display_name: Train
description: trains
tags: {a: b}
is_deterministic: false
inputs:
  rate: {type: number, default: 0.01, min: 0, max: 1, description: how fast}
  n: {type: integer, default: 3.0, optional: true}
  flag: {type: boolean, default: true}
  mode: {type: string, enum: [a, b], default: 010}
  rows: {type: uri_folder, mode: ro_mount}
  empty: {type: string, optional: false}
outputs: {model: {type: mlflow_model, mode: upload}, done: {type: boolean, odd: 1}}
command: python train.py --rate ${{inputs.rate}} $[[--n ${{inputs.n}}]]
environment: ` + environmentRef + `
resources: {instance_count: 2, odd: {a: 1}}
distribution: {type: mpi, process_count_per_instance: 2}
properties: {p: 1}
odd: [1, {b: null}]
`, `{"name": "train", "version": "3", "type": "command", "display_name": "Train", "description": "trains", "tags": {"a": "b"}, "is_deterministic": false,
	"inputs": {"rate": {"type": "number", "default": "0.01", "min": "0.0", "max": "1.0", "description": "how fast"}, "n": {"type": "integer", "default": "3", "optional": true},
		"flag": {"type": "boolean", "default": "True"}, "mode": {"type": "string", "enum": ["a", "b"], "default": "8.0"}, "rows": {"type": "uri_folder", "mode": "ro_mount"},
		"empty": {"type": "string", "optional": false}},
	"outputs": {"model": {"type": "mlflow_model", "mode": "upload"}, "done": {"type": "boolean"}},
	"command": "python train.py --rate ${{inputs.rate}} $[[--n ${{inputs.n}}]]", "environment": "` + environmentRef + `",
	"resources": {"instance_count": 2}, "distribution": {"type": "mpi", "process_count_per_instance": 2}, "properties": {"p": 1}, "odd": [1, {"b": null}]}`},
		"parallel": {`
type: parallel
name: score
version: "1"
inputs: {rows: {type: mltable}}
outputs: {out: {type: uri_file}}
input_data: ${{inputs.rows}}
mini_batch_size: 10kb
partition_keys: [a, b]
retry_settings: {max_retries: 2, timeout: 60}
task: {type: run_function, entry_script: score.py, environment: ` + environmentRef + `, append_row_to: "${{outputs.out}}"}
`, `{"name": "score", "version": "1", "type": "parallel", "is_deterministic": true, "inputs": {"rows": {"type": "mltable"}}, "outputs": {"out": {"type": "uri_file"}},
	"input_data": "${{inputs.rows}}", "mini_batch_size": "10240", "partition_keys": ["a", "b"], "retry_settings": {"max_retries": 2, "timeout": 60},
	"task": {"type": "run_function", "entry_script": "score.py", "environment": "` + environmentRef + `", "append_row_to": "${{outputs.out}}"}}`},
		"transfer": {`
type: data_transfer
name: copy
version: 1
task: copy_data
data_copy_mode: fail_if_conflict
inputs: {a: {type: uri_folder}}
outputs: {o: {type: uri_folder}}
`, `{"name": "copy", "version": "1", "type": "data_transfer", "is_deterministic": true, "task": "copy_data", "data_copy_mode": "fail_if_conflict",
	"inputs": {"a": {"type": "uri_folder"}}, "outputs": {"o": {"type": "uri_folder"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			k := loadComponentText(t, c.file, "")
			spec, err := wire.ToSpec(k)
			require.NoError(t, err)
			got, err := json.Marshal(spec)
			require.NoError(t, err)
			require.JSONEq(t, c.spec, string(got))

			body, _, _, err := componentBody(k)
			require.NoError(t, err)
			body["id"] = testWorkspace + "/components/x/versions/1"
			raw, err := json.Marshal(body)
			require.NoError(t, err)
			back, err := decodeComponent(raw)
			require.NoError(t, err)
			require.IsType(t, k, back)
			*back.common().name, *back.common().version = *k.common().name, *k.common().version
			again, err := wire.ToSpec(back)
			require.NoError(t, err)
			delete(again, "_source")
			got, err = json.Marshal(again)
			require.NoError(t, err)
			require.JSONEq(t, c.spec, string(got), "what the service answers says the same again")

			dump, err := wire.DumpYAML(k)
			require.NoError(t, err)
			spec2, err := wire.ToSpec(loadComponentText(t, string(dump), ""))
			require.NoError(t, err)
			got, err = json.Marshal(spec2)
			require.NoError(t, err)
			require.JSONEq(t, c.spec, string(got), "what is written loads again")
		})
	}
}

func TestComponentFaults(t *testing.T) {
	for text, want := range map[string]string{
		"inputs: {a: {type: number, default: x}}":       `"x" is no number`,
		"inputs: {a: {type: integer, default: true}}":   "no integer",
		"inputs: {a: {type: uri_file, min: 1}}":         "is for parameters",
		"inputs: {a: {type: string, mode: download}}":   "is for data",
		"inputs: {a: {type: String}}":                   `"String" is none of`,
		"inputs: {a: {type: uri_file, mode: sideways}}": `"sideways" is none of`,
		"outputs: {a: {type: folder}}":                  `"folder" is none of`,
		"inputs: {a: {}}":                               `the required field "type" is missing`,
	} {
		err := wire.LoadYAML([]byte("name: a\ncommand: x\nenvironment: azureml:e:1\n"+text), "", new(CommandComponent), nil)
		require.ErrorContains(t, err, want, text)
	}
	k := &CommandComponent{
		Name: "Big-Name", Version: "a/b", Command: "x ${{inputs.gone}} ${{outputs.gone}}", Code: Folder("nowhere"),
		Inputs: ComponentInputs{"a": {Type: ParameterString}, "A": {Type: ParameterString}, "1": {Type: "x"}},
	}
	c := &checker{}
	k.check(t.Context(), c)
	err := c.faults.Err()
	for _, want := range []string{"Big-Name", `"a/b" cannot be a version`, "inputs.gone", "outputs.gone", "differ in case alone", "inputs.1.type", "there is no folder nowhere", "environment is required"} {
		require.ErrorContains(t, err, want)
	}
}

// Components with the same files beside their code have the same snapshot, however they are put there.
func TestIncludes(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "src", "run.py"), "1")
	writeFile(t, filepath.Join(dir, "src", ".amlignore"), "secret.txt\n*.tmp\n")
	writeFile(t, filepath.Join(dir, "src", "secret.txt"), "1")
	writeFile(t, filepath.Join(dir, "lib", "a", "b.py"), "2")
	writeFile(t, filepath.Join(dir, "lib", "x.tmp"), "3")
	writeFile(t, filepath.Join(dir, "one.py"), "4")
	r := newResolver(nil, "test", &SubmitOptions{})
	list := Includes{IncludePath(filepath.Join(dir, "lib")), IncludePath(filepath.Join(dir, "one.py"))}
	merged, err := r.merge(filepath.Join(dir, "src"), list)
	require.NoError(t, err)
	var files []string
	require.NoError(t, filepath.WalkDir(merged, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(merged, path)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	}))
	require.Equal(t, []string{".amlignore", "lib/a/b.py", "one.py", "run.py"}, files)
	require.NoError(t, r.close())
	require.NoDirExists(t, merged)

	c := &checker{}
	c.includes("additional_includes", Includes{IncludePath(filepath.Join(dir, "gone"))})
	require.ErrorContains(t, c.faults.Err(), "gone")
}

// The step of a pipeline may be a file, whose component has no name of its own there.
func TestStepFromFile(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "parts", "step.yml"), "name: step\nversion: 1\ncommand: python x.py\ncode: ./src\nenvironment: azureml:e:1\noutputs: {o: {type: uri_file}}\n")
	writeFile(t, filepath.Join(dir, "parts", "src", "x.py"), "1")
	text := "type: pipeline\ncompute: azureml:c\njobs: {a: {type: command, component: parts/step.yml, outputs: {o: {mode: upload}}}}"
	j := loadNode(t, text, filepath.Join(dir, "p.yml"), nil)
	k, ok := j.Jobs["a"].(*CommandNode).Component.(*CommandComponent)
	require.True(t, ok)
	require.Empty(t, k.Name)
	require.Equal(t, filepath.Join(dir, "parts", "src"), filepath.Clean(k.Code.Path))
	require.Equal(t, fromYAML, k.made)
	r := &resolver{c: &Client{}}
	h := j.Jobs["a"].node()
	r.declared(nodeHead{component: h.component, outputs: h.outputs})
	require.Equal(t, Output{Type: TypeURIFile, Mode: Upload}, j.Jobs["a"].(*CommandNode).Outputs["o"])

	err := wire.LoadYAML([]byte(strings.Replace(text, "step.yml", "none.yml", 1)), filepath.Join(dir, "p.yml"), new(PipelineJob), nil)
	require.ErrorContains(t, err, "none.yml")
	require.Equal(t, azureml.Ref(""), k.ComponentRef())
}
