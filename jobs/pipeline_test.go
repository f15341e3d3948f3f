package jobs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// The steps of this file, and the versions of the components that are made of them, are those that azure-ai-ml sends.
const stepsFile = `
type: pipeline
display_name: steps
compute: azureml:cpu
settings: {default_datastore: azureml:blobs, force_rerun: false, odd: 1}
inputs:
  word: hello world
  data: {type: uri_folder, path: "azureml://datastores/d/paths/a"}
  empty: ""
  group.n: 3
outputs:
  kept: {type: uri_folder, mode: upload}
jobs:
  a:
    command: echo hello ${{inputs.hello_string}}
    environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
    inputs: {hello_string: "${{parent.inputs.word}}"}
  bb:
    type: command
    command: echo "world" >> ${{outputs.world_output}}/world.txt
    environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
    outputs: {world_output: }
    limits: {timeout: 60}
    identity: {type: managed}
  c:
    command: echo ${{inputs.world_input}}/world.txt
    environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
    inputs: {world_input: "${{parent.jobs.bb.outputs.world_output}}"}
    environment_variables: {LEVEL: 2}
    queue_settings: {job_tier: spot}
  d:
    type: data_transfer
    task: copy_data
    data_copy_mode: merge_with_overwrite
    compute: azureml:cpu
    inputs: {a: "${{parent.inputs.data}}", b: "${{parent.inputs.data}}"}
    outputs: {o: {type: uri_folder, name: copied, version: 2}}
  e:
    type: command
    component: azureml:there:4
    resources: {instance_count: "${{parent.inputs.group.n}}"}
    odd: 1
    outputs: {out: "${{parent.outputs.kept}}"}
`

const anonymousPath = testWorkspace + "/components/azureml_anonymous/versions/"

func loadNode(t *testing.T, text, file string, o *wire.LoadOptions) *PipelineJob {
	t.Helper()
	j := new(PipelineJob)
	require.NoError(t, wire.LoadYAML([]byte(text), file, j, o))
	return j
}

func (w *world) pipelines() {
	w.answer("GET "+testWorkspace+"/computes/cpu", map[string]any{"properties": map[string]any{"computeType": "AmlCompute"}})
	w.echo(testWorkspace + "/components/")
	w.echo(testWorkspace + "/jobs/")
	w.echo(testWorkspace + "/environments/")
}

func TestPipelineBody(t *testing.T) {
	w := newWorld(t)
	w.pipelines()
	c, _ := w.client()
	j := loadNode(t, stepsFile, "", nil)
	run, err := c.Submit(t.Context(), j, &SubmitOptions{NoGit: true, Experiment: "exp", Dir: t.TempDir()})
	require.NoError(t, err)
	require.IsType(t, &CommandComponent{}, j.Jobs["a"].(*CommandNode).Component, "what was submitted is not changed")

	var made []string
	for _, c := range w.calls("PUT " + testWorkspace + "/components/") {
		made = append(made, strings.TrimPrefix(c.path, anonymousPath))
	}
	require.Equal(t, []string{ // in the order of the file
		"d777d5da-79c0-7f35-44fb-26f745b151bb", "5f602e9b-71f9-96f9-4454-59b89646a7ff", "e3811618-7383-afdd-f987-df86437fc52e", "967d1a2b-2a58-9c71-2340-12405b789057",
	}, made)
	put := w.calls("PUT " + testWorkspace + "/jobs/")
	require.Len(t, put, 1)
	require.NotEmpty(t, put[0].header.Get("X-Azureml-Token"))
	props := put[0].body["properties"].(map[string]any)
	require.Equal(t, map[string]any{
		"_source": "YAML.JOB", "default_datastore": testWorkspace + "/datastores/blobs", "force_rerun": false, "odd": 1.0,
	}, props["settings"])
	require.Equal(t, map[string]any{
		"word":    map[string]any{"jobInputType": "literal", "value": "hello world"},
		"data":    map[string]any{"jobInputType": "uri_folder", "uri": "azureml://datastores/d/paths/a"},
		"group.n": map[string]any{"jobInputType": "literal", "value": "3"},
	}, props["inputs"])
	text, err := json.Marshal(props["jobs"])
	require.NoError(t, err)
	require.JSONEq(t, replaceAll(stepsBody, map[string]string{"{C}": anonymousPath, "{W}": testWorkspace}), string(text))

	// What the service answers says the same again.
	back, ok := run.Spec.(*PipelineJob)
	require.True(t, ok, "%T", run.Spec)
	require.Equal(t, wire.Bindings{"resources.instance_count": "${{parent.inputs.group.n}}"}, back.Jobs["e"].(*CommandNode).Bindings)
	require.Equal(t, Output{Type: TypeURIFolder, Name: "copied", Version: "2"}, back.Jobs["d"].(*DataTransferNode).Outputs["o"])
	again, err := wire.ToREST(back)
	require.NoError(t, err)
	text, err = json.Marshal(again["properties"].(map[string]any)["jobs"])
	require.NoError(t, err)
	require.JSONEq(t, replaceAll(stepsBody, map[string]string{"{C}": anonymousPath, "{W}": testWorkspace}), string(text))
}

// A pipeline that is written to a file loads again as the same pipeline.
func TestPipelineFile(t *testing.T) {
	for name, text := range map[string]string{"steps": stepsFile, "control": controlFile, "kinds": kindsFile} {
		t.Run(name, func(t *testing.T) {
			o := &wire.LoadOptions{Private: true}
			first := loadNode(t, text, "", o)
			dump, err := wire.DumpYAML(first)
			require.NoError(t, err)
			second := loadNode(t, string(dump), "", o)
			again, err := wire.DumpYAML(second)
			require.NoError(t, err)
			require.Equal(t, string(dump), string(again))
			one, err := wire.ToREST(withIDs(first))
			require.NoError(t, err)
			two, err := wire.ToREST(withIDs(second))
			require.NoError(t, err)
			for _, m := range []map[string]any{one, two} { // a component that was in place is a step's component then
				for _, j := range m["properties"].(map[string]any)["jobs"].(map[string]any) {
					step := j.(map[string]any)
					delete(step, "_source")
					if text, ok := step["items"].(string); ok { // a file is written in alphabetical order
						var items any
						require.NoError(t, json.Unmarshal([]byte(text), &items))
						step["items"] = items
					}
				}
			}
			require.Equal(t, one, two)
		})
	}
}

// withIDs stands in for registering the components.
func withIDs(j *PipelineJob) *PipelineJob {
	c := j.clone().(*PipelineJob)
	for name, n := range c.Jobs {
		if h := n.node(); h.component != nil {
			if _, ok := (*h.component).(Component); ok {
				*h.component = azureml.Ref("/made/of/" + name)
			}
		}
	}
	return c
}

const controlFile = `
type: pipeline
compute: azureml:cpu
inputs: {rows: {type: uri_folder, path: "azureml:rows:1"}, go: true}
jobs:
  turn: {type: command, component: azureml:turn:1, inputs: {rows: "${{parent.inputs.rows}}"}}
  again:
    type: do_while
    body: ${{parent.jobs.turn}}
    condition: ${{parent.jobs.turn.outputs.more}}
    mapping: {"${{parent.jobs.turn.outputs.out}}": "${{parent.jobs.turn.inputs.rows}}", b: [rows, other]}
    limits: {max_iteration_count: 5}
  each_body: {type: command, component: azureml:turn:1, inputs: {rows: "${{parent.inputs.rows}}"}}
  each:
    type: parallel_for
    body: ${{parent.jobs.each_body}}
    items: [{rate: 0.1, data: {type: uri_file, path: "azureml://datastores/d/paths/x"}}, {data: {type: uri_file, path: "azureml://datastores/d/paths/y"}, rate: 0.2}]
    max_concurrency: 2
  named_body: {type: command, component: azureml:turn:1}
  named:
    type: parallel_for
    body: ${{parent.jobs.named_body}}
    items: {zwei: {b: 1, a: x}, eins: {b: true, a: "${{parent.inputs.go}}"}}
  left: {type: command, component: azureml:turn:1}
  right: {type: command, component: azureml:turn:1}
  choose: {type: if_else, condition: "${{parent.inputs.go}}", true_block: "${{parent.jobs.left}}", false_block: ["${{parent.jobs.right}}"]}
  surely: {type: if_else, condition: true, true_block: ["${{parent.jobs.left}}", "${{parent.jobs.right}}"]}
`

func TestControlFlow(t *testing.T) {
	require.ErrorContains(t, wire.LoadYAML([]byte(controlFile), "", new(PipelineJob), nil), "AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED")
	j := loadNode(t, controlFile, "", &wire.LoadOptions{Private: true})
	m, err := wire.ToREST(j)
	require.NoError(t, err)
	steps := m["properties"].(map[string]any)["jobs"].(map[string]any)
	for name, want := range map[string]string{
		"again": `{"_source": "YAML.JOB", "type": "do_while", "body": "${{parent.jobs.turn}}", "condition": "more",
			"mapping": {"out": ["rows"], "b": ["rows", "other"]}, "limits": {"max_iteration_count": 5}}`,
		"each": `{"_source": "YAML.JOB", "type": "parallel_for", "body": "${{parent.jobs.each_body}}", "max_concurrency": 2,
			"items": "[{\"data\": {\"job_input_type\": \"uri_file\", \"uri\": \"azureml://datastores/d/paths/x\"}, \"rate\": 0.1}, {\"data\": {\"job_input_type\": \"uri_file\", \"uri\": \"azureml://datastores/d/paths/y\"}, \"rate\": 0.2}]"}`,
		"named": `{"_source": "YAML.JOB", "type": "parallel_for", "body": "${{parent.jobs.named_body}}",
			"items": "{\"zwei\": {\"b\": 1, \"a\": \"x\"}, \"eins\": {\"b\": true, \"a\": \"${{parent.inputs.go}}\"}}"}`,
		"choose": `{"_source": "YAML.JOB", "type": "if_else", "condition": "${{parent.inputs.go}}", "true_block": "${{parent.jobs.left}}", "false_block": "${{parent.jobs.right}}"}`,
		"surely": `{"_source": "YAML.JOB", "type": "if_else", "condition": true, "true_block": ["${{parent.jobs.left}}", "${{parent.jobs.right}}"]}`,
	} {
		text, err := json.Marshal(steps[name])
		require.NoError(t, err)
		require.JSONEq(t, want, string(text), name)
	}
	back := new(PipelineJob)
	text, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, wire.FromREST(text, back))
	require.Equal(t, []Inputs{
		{"rate": {Value: 0.1}, "data": {Type: TypeURIFile, Path: "azureml://datastores/d/paths/x"}},
		{"rate": {Value: 0.2}, "data": {Type: TypeURIFile, Path: "azureml://datastores/d/paths/y"}},
	}, back.Jobs["each"].(*ParallelForNode).Items.List)
	again, err := wire.ToREST(back)
	require.NoError(t, err)
	require.Equal(t, m, again)
	check := &checker{}
	j.check(t.Context(), check)
	require.NoError(t, check.faults.Err())
}

const kindsFile = `
type: pipeline
settings: {default_compute: serverless, continue_on_step_failure: true, on_init: begin}
inputs: {rows: {type: mltable, path: "azureml:rows:1"}, n: 3}
outputs: {scores: }
jobs:
  begin: {type: command, component: azureml:begin:1}
  tune:
    type: sweep
    trial:
      command: python train.py --lr ${{inputs.lr}}
      environment: azureml:env:1
      inputs: {lr: {type: number}}
    search_space: {lr: {type: uniform, min_value: 0.1, max_value: 1}}
    sampling_algorithm: random
    objective: {goal: minimize, primary_metric: loss}
    early_termination: {type: median_stopping, evaluation_interval: 2}
    limits: {max_total_trials: 4, timeout: 60}
  score:
    type: parallel
    mini_batch_size: 10kb
    input_data: ${{inputs.rows}}
    max_concurrency_per_instance: "${{parent.inputs.n}}"
    resources: {instance_count: 2}
    inputs: {rows: {type: mltable, path: "azureml:rows:1", mode: eval_mount}}
    outputs: {out: {type: uri_file}}
    task: {type: run_function, entry_script: score.py, environment: azureml:env:1, append_row_to: "${{outputs.out}}"}
  spark:
    type: spark
    component: azureml:spark:1
    resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
    conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 1, spark.executor.memory: 2g, spark.executor.instances: 1}
  bring:
    type: data_transfer
    task: import_data
    source: {type: database, connection: "azureml:con", stored_procedure: p, stored_procedure_params: [{name: a, value: 1, type: Int32}]}
    outputs: {sink: {type: mltable, path: "azureml://datastores/d/paths/in"}}
  inner:
    type: pipeline
    component:
      type: pipeline
      inputs: {n: {type: integer, default: 1}}
      jobs:
        deep: {type: command, component: azureml:deep:1, inputs: {n: "${{parent.inputs.n}}"}}
`

func TestPipelineFaults(t *testing.T) {
	component := &CommandComponent{
		Command: "echo ${{inputs.a}}", Environment: azureml.Ref("azureml:e:1"),
		Inputs:  ComponentInputs{"a": {Type: ParameterString}, "b": {Type: ParameterString, Optional: ptr(true)}},
		Outputs: ComponentOutputs{"o": {Type: "uri_folder"}},
	}
	step := func(in string) *CommandNode {
		return &CommandNode{Component: component, Inputs: Inputs{"a": Literal(in)}}
	}
	j := &PipelineJob{
		Inputs:   Inputs{"x": Literal(1)},
		Settings: PipelineSettings{OnInit: "one", OnFinalize: "nowhere"},
		Jobs: Nodes{
			"unknown": step("${{parent.inputs.y}}"), "port": step("${{parent.jobs.unknown.outputs.p}}"), "gone": step("${{parent.jobs.away.outputs.o}}"),
			"one": step("${{parent.jobs.two.outputs.o}}"), "two": step("${{parent.jobs.one.outputs.o}}"), "self": step("${{parent.jobs.self.outputs.o}}"),
			"less": &CommandNode{Component: component}, "bare": &CommandNode{},
			"bound":   &CommandNode{Component: component, Inputs: Inputs{"a": Literal("v")}, Outputs: Outputs{"o": {Path: "${{parent.outputs.z}}"}}},
			"no-dash": step("v"),
		},
	}
	c := &checker{}
	j.check(t.Context(), c)
	got := map[string]string{}
	for _, f := range c.faults {
		got[f.Field] += f.Message + ";"
	}
	for field, want := range map[string]string{
		"jobs.unknown.inputs.a": "the pipeline has no such input; its inputs are x", "jobs.port.inputs.a": `the step "unknown" has no such output; its outputs are o`,
		"jobs.gone.inputs.a": `there is no step "away"`, "jobs": "the steps wait for each other: one → two → one", "jobs.self.inputs.a": "would wait for itself",
		"jobs.less.inputs.a": "the component needs this input", "jobs.bare.component": "a component is required", "jobs.bound.outputs.o": "the pipeline has no such output",
		"jobs.no-dash.name": "cannot be a step's name", "jobs.one.compute": "a compute is required", "settings.on_finalize": `there is no step "nowhere"`,
		"settings.on_init": "connected",
	} {
		require.Contains(t, got[field], want, field)
	}
}

// The steps of a branch wait for it: they cannot say which way it goes.
func TestBranchesThatWaitForTheirSteps(t *testing.T) {
	err := Check(&PipelineJob{Jobs: Nodes{
		"a":  &CommandNode{Compute: "c", Component: azureml.Ref("azureml:k:1")},
		"if": &IfElseNode{Condition: "${{parent.jobs.a.outputs.o}}", FalseBlock: Block{"${{parent.jobs.a}}"}},
	}})
	require.ErrorContains(t, err, "jobs: the steps wait for each other: a → if → a")
}

func ptr[T any](v T) *T { return &v }

const stepsBody = `{
	"a": {"_source": "YAML.JOB", "name": "a", "type": "command", "componentId": "{C}d777d5da-79c0-7f35-44fb-26f745b151bb",
		"inputs": {"hello_string": {"job_input_type": "literal", "value": "${{parent.inputs.word}}"}}},
	"bb": {"_source": "YAML.JOB", "name": "bb", "type": "command", "componentId": "{C}5f602e9b-71f9-96f9-4454-59b89646a7ff",
		"limits": {"job_limits_type": "Command", "timeout": "PT1M"},
		"identity": {"identity_type": "Managed"}},
	"c": {"_source": "YAML.JOB", "name": "c", "type": "command", "componentId": "{C}e3811618-7383-afdd-f987-df86437fc52e",
		"inputs": {"world_input": {"job_input_type": "literal", "value": "${{parent.jobs.bb.outputs.world_output}}"}},
		"environment_variables": {"LEVEL": 2}, "queue_settings": {"job_tier": "Spot"}},
	"d": {"_source": "YAML.JOB", "name": "d", "type": "data_transfer", "task": "copy_data", "data_copy_mode": "merge_with_overwrite",
		"componentId": "{C}967d1a2b-2a58-9c71-2340-12405b789057", "computeId": "{W}/computes/cpu",
		"inputs": {"a": {"job_input_type": "literal", "value": "${{parent.inputs.data}}"}, "b": {"job_input_type": "literal", "value": "${{parent.inputs.data}}"}},
		"outputs": {"o": {"job_output_type": "uri_folder", "name": "copied", "version": "2"}}},
	"e": {"_source": "REMOTE.WORKSPACE.COMPONENT", "name": "e", "type": "command", "componentId": "{W}/components/there/versions/4",
		"resources": {"instance_count": "${{parent.inputs.group.n}}"}, "odd": 1,
		"outputs": {"out": {"type": "literal", "value": "${{parent.outputs.kept}}"}}}
}`

func replaceAll(s string, with map[string]string) string {
	for from, to := range with {
		s = strings.ReplaceAll(s, from, to)
	}
	return s
}
