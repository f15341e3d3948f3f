//go:build unix

package local_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

// turnFile is the body of loops: it adds to a number and says whether to go on.
const turnFile = `
type: command
name: turn
version: "1"
inputs: {n: {type: integer}}
outputs: {next: {type: integer}, more: {type: boolean, is_control: true}, o: {type: uri_folder}}
ENV
command: "echo $(( ${{inputs.n}} * 2 )) >${{outputs.next}}; [ ${{inputs.n}} -lt 20 ] && echo true >${{outputs.more}} || echo false >${{outputs.more}}; echo ${{inputs.n}} >${{outputs.o}}/n; echo ${{inputs.n}} >>DIR/turns"
`

const askFile = `
type: command
name: ask
version: "1"
inputs: {n: {type: integer}}
outputs: {big: {type: boolean, is_control: true}}
ENV
command: "[ ${{inputs.n}} -gt 10 ] && echo True >${{outputs.big}} || echo False >${{outputs.big}}"
`

const chooseFile = `
outputs: {said: {type: uri_folder}}
jobs:
  ask: {type: command, component: ./ask.yml, inputs: {n: NUMBER}}
  yes_step: {type: command, ENV, command: "echo big >${{outputs.o}}/w; echo yes >>DIR/ran", outputs: {o: "${{parent.outputs.said}}"}}
  no_step: {type: command, ENV, command: "echo small >${{outputs.o}}/w; echo no >>DIR/ran", outputs: {o: "${{parent.outputs.said}}"}}
  after_yes: {type: command, ENV, command: "cat ${{inputs.i}}/w; echo after >>DIR/ran", inputs: {i: "${{parent.jobs.yes_step.outputs.o}}"}}
  choose: {type: if_else, condition: "${{parent.jobs.ask.outputs.big}}", true_block: "${{parent.jobs.yes_step}}", false_block: "${{parent.jobs.no_step}}"}
`

const meetFile = `
type: command
name: meet
version: "1"
inputs: {n: {type: integer}, width: {type: integer}}
outputs: {o: {type: uri_folder}}
ENV
command: "touch DIR/here.${{inputs.n}}; while [ $(ls DIR | grep -c here) -lt ${{inputs.width}} ]; do sleep 0.01; done; echo ${{inputs.n}} >${{outputs.o}}/n"
`

func TestPipelinesOfManyShapes(t *testing.T) {
	t.Setenv("AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED", "true") // control flow in files is a preview, as it is for azure-ai-ml
	perform(t, map[string]flow{
		"independent steps run side by side": {
			files: map[string]string{"meet.yml": meetFile},
			yaml:  "jobs:\n" + strings.Join([]string{meet(1, 6), meet(2, 6), meet(3, 6), meet(4, 6), meet(5, 6), meet(6, 6)}, ""),
			check: func(p *performed) { require.Len(p, p.steps(p.run.Name), 6) },
		},
		"on one node they take turns": {
			yaml: `settings: {default_compute: azureml:single}
jobs:
  a: {type: command, ENV, command: "mkdir DIR/lock && sleep 0.05 && rmdir DIR/lock && echo a >>DIR/order"}
  b: {type: command, ENV, command: "mkdir DIR/lock && sleep 0.05 && rmdir DIR/lock && echo b >>DIR/order"}
  c: {type: command, ENV, command: "mkdir DIR/lock && sleep 0.05 && rmdir DIR/lock && echo c >>DIR/order"}
`,
			check: func(p *performed) { require.Equal(p, "a\nb\nc\n", p.noted("order")) },
		},
		"a step has its own compute and variables": {yaml: `
jobs:
  x: {type: command, ENV, compute: "azureml:single", environment_variables: {LEVEL: "7"}, command: "echo $LEVEL $AZUREML_RUN_ID $AZUREML_ROOT_RUN_ID >DIR/seen"}
`,
			check: func(p *performed) {
				require.Equal(p, "7 "+p.step("x").Name+" "+p.run.Name+"\n", p.noted("seen"))
			},
		},
		"pipelines in pipelines": {
			files: map[string]string{"add.yml": `
type: command
name: add
version: "1"
inputs: {i: {type: uri_folder}, by: {type: integer}}
outputs: {o: {type: uri_folder}}
ENV
command: "echo $(( $(cat ${{inputs.i}}/n) + ${{inputs.by}} )) >${{outputs.o}}/n"
`, "twice.yml": `
type: pipeline
name: twice
version: "1"
inputs: {i: {type: uri_folder}, by: {type: integer, default: 10}}
outputs: {o: {type: uri_folder}}
jobs:
  one: {type: command, component: ./add.yml, inputs: {i: "${{parent.inputs.i}}", by: "${{parent.inputs.by}}"}}
  two: {type: command, component: ./add.yml, inputs: {i: "${{parent.jobs.one.outputs.o}}", by: "${{parent.inputs.by}}"}, outputs: {o: "${{parent.outputs.o}}"}}
`, "start/n": "1\n"},
			yaml: `
inputs: {start: {type: uri_folder, path: start}}
outputs: {end: {type: uri_folder}}
jobs:
  first: {type: pipeline, component: ./twice.yml, inputs: {i: "${{parent.inputs.start}}"}}
  second: {type: pipeline, component: ./twice.yml, inputs: {i: "${{parent.jobs.first.outputs.o}}", by: 100}, outputs: {o: "${{parent.outputs.end}}"}}
`,
			check: func(p *performed) {
				require.Equal(p, "221\n", p.out("end", "n"))
				p.follows("second", "first")
				inner := p.steps(p.step("second").Name)
				require.Len(p, inner, 2)
				require.Equal(p, p.run.Name, inner["two"].Root)
			},
		},
		"if the condition holds":         {files: map[string]string{"ask.yml": askFile}, yaml: strings.ReplaceAll(chooseFile, "NUMBER", "11"), check: chosen("big\n", "yes\nafter\n", 3)},
		"if the condition does not hold": {files: map[string]string{"ask.yml": askFile}, yaml: strings.ReplaceAll(chooseFile, "NUMBER", "10"), check: chosen("small\n", "no\n", 2)},
		"a loop goes on while its body says so": {
			files: map[string]string{"turn.yml": turnFile},
			yaml: `
outputs: {last: {type: uri_folder}}
jobs:
  turn: {type: command, component: ./turn.yml, inputs: {n: 3}, outputs: {o: "${{parent.outputs.last}}"}}
  loop: {type: do_while, body: "${{parent.jobs.turn}}", condition: more, mapping: {next: n}, limits: {max_iteration_count: 10}}
  tell: {type: command, ENV, command: "cat ${{inputs.i}}/n >DIR/told", inputs: {i: "${{parent.jobs.turn.outputs.o}}"}}
`,
			check: func(p *performed) {
				require.Equal(p, "3\n6\n12\n24\n", p.noted("turns"))
				require.Equal(p, "24\n", p.noted("told"))
				require.Equal(p, "24\n", p.out("last", "n"))
			},
		},
		"a loop ends at its limit": {
			files: map[string]string{"turn.yml": turnFile},
			yaml: `
jobs:
  turn: {type: command, component: ./turn.yml, inputs: {n: 1}}
  loop: {type: do_while, body: "${{parent.jobs.turn}}", condition: more, mapping: {next: n}, limits: {max_iteration_count: 2}}
`,
			check: func(p *performed) { require.Equal(p, "1\n2\n", p.noted("turns")) },
		},
		"a step for each item, no more than allowed at a time": {
			files: map[string]string{"square.yml": `
type: command
name: square
version: "1"
inputs: {n: {type: integer}}
outputs: {o: {type: uri_folder}}
ENV
command: "touch DIR/in.${{inputs.n}}; [ $(ls DIR | grep -c '^in') -le 2 ] || exit 9; sleep 0.05; echo $(( ${{inputs.n}} * ${{inputs.n}} )) >${{outputs.o}}/n; rm DIR/in.${{inputs.n}}"
`},
			yaml: `
outputs: {sum: {type: uri_folder}}
jobs:
  square: {type: command, component: ./square.yml}
  each: {type: parallel_for, body: "${{parent.jobs.square}}", items: [{n: 1}, {n: 2}, {n: 3}, {n: 4}, {n: 5}], max_concurrency: 2}
  add: {type: command, ENV, command: "cat ${{inputs.all}}/*/n | tr '\\n' + >${{outputs.o}}/sum", inputs: {all: {type: mltable, path: "${{parent.jobs.each.outputs.o}}"}}, outputs: {o: "${{parent.outputs.sum}}"}}
`,
			check: func(p *performed) { require.Equal(p, "1+4+9+16+25+", p.out("sum", "sum")) },
		},
		"a sweep's best trial feeds the next step": {
			files: map[string]string{"trial.yml": `
type: command
name: trial
version: "1"
inputs: {x: {type: number}}
outputs: {m: {type: uri_folder}}
ENV
code: code
command: "python3 trial.py ${{inputs.x}} ${{outputs.m}}"
`, "code/trial.py": `
import json, os, sys, time, urllib.request
x = float(sys.argv[1])
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": (x - 2) ** 2, "timestamp": int(time.time() * 1000), "step": 0}
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}))
open(sys.argv[2] + "/x", "w").write(sys.argv[1])
`},
			yaml: `
outputs: {best: {type: uri_folder}}
jobs:
  tune:
    type: sweep
    trial: ./trial.yml
    search_space: {x: {type: choice, values: [0, 1.5, 4]}}
    sampling_algorithm: grid
    objective: {goal: minimize, primary_metric: loss}
    limits: {max_total_trials: 3, max_concurrent_trials: 3}
  take: {type: command, ENV, command: "cp ${{inputs.m}}/x ${{outputs.o}}/x", inputs: {m: "${{parent.jobs.tune.outputs.m}}"}, outputs: {o: "${{parent.outputs.best}}"}}
`,
			check: func(p *performed) { require.Equal(p, "1.5", p.out("best", "x")) },
		},
		"a parallel step retries and gathers": {
			files: map[string]string{"rows/1": "1", "rows/2": "2", "rows/3": "3", "code/score.py": `
import os
def init(): pass
def run(files):
    out = []
    for f in files:
        mark = "DIR/tried." + os.path.basename(f)
        if f.endswith("2") and not os.path.exists(mark):
            open(mark, "w").close()
            raise Exception("not yet")
        out.append(int(open(f).read()) * 10)
    return out
`},
			yaml: `
outputs: {all: {type: uri_folder}}
jobs:
  score:
    type: parallel
    mini_batch_size: "1"
    max_concurrency_per_instance: 2
    input_data: ${{inputs.rows}}
    inputs: {rows: {type: uri_folder, path: rows}}
    outputs: {scores: {type: uri_folder}}
    retry_settings: {max_retries: 2, timeout: 60}
    resources: {instance_count: 1}
    task: {type: run_function, code: code, entry_script: score.py, ENV, append_row_to: "${{outputs.scores}}"}
  sort: {type: command, ENV, command: "sort ${{inputs.i}}/parallel_run_step.txt >${{outputs.o}}/rows; python3 --version", inputs: {i: "${{parent.jobs.score.outputs.scores}}"}, outputs: {o: "${{parent.outputs.all}}"}}
`,
			check: func(p *performed) { require.Equal(p, "10\n20\n30\n", p.out("all", "rows")) },
		},
		"a distributed step": {yaml: `
jobs:
  train: {type: command, ENV, resources: {instance_count: 2}, distribution: {type: pytorch, process_count_per_instance: 2}, command: "echo $RANK of $WORLD_SIZE >DIR/rank.$RANK"}
`,
			check: func(p *performed) {
				for _, r := range []string{"0", "1", "2", "3"} {
					require.Equal(p, r+" of 4\n", p.noted("rank."+r))
				}
			},
		},
		"one before all others, one behind": {yaml: `settings: {default_compute: azureml:cpu-cluster, on_init: first, on_finalize: last}
jobs:
  first: {type: command, ENV, command: "echo first >>DIR/order"}
  work: {type: command, ENV, command: "echo work >>DIR/order"}
  last: {type: command, ENV, command: "echo last >>DIR/order"}
`,
			check: func(p *performed) { require.Equal(p, "first\nwork\nlast\n", p.noted("order")) },
		},
	})
}

func meet(n, width int) string {
	s, w := string(rune('0'+n)), string(rune('0'+width))
	return "  m" + s + ": {type: command, component: ./meet.yml, inputs: {n: " + s + ", width: " + w + "}}\n"
}

func chosen(word, ran string, steps int) func(*performed) {
	return func(p *performed) {
		require.Equal(p, word, p.out("said", "w"))
		require.Equal(p, ran, p.noted("ran"))
		require.Len(p, p.steps(p.run.Name), steps, "what was not chosen has no run")
	}
}

// Steps in Go, from source to output, in a pipeline built in Go.
func TestPipelineOfGoSteps(t *testing.T) {
	w := grounds(t)
	host := &assets.Environment{Name: "host", Image: "host"}
	program := func(args string) *jobs.CommandBuilder {
		return jobs.Command("./gostep " + args).GoCode("./testdata/gostep").In(host)
	}
	b := pipeline.New("go").DefaultCompute("cpu-cluster")
	gen := b.Step("gen", program("gen ${{inputs.n}} ${{outputs.o}}").Input("n", jobs.Literal(5)).Output("o", jobs.OutputFolder()))
	sum := b.Step("sum", program("sum ${{inputs.i}} ${{outputs.o}}").Input("i", jobs.URIFolder("azureml://datastores/workspaceblobstore/paths/none/")).Output("o", jobs.OutputFolder())).In("i", gen.Out("o"))
	b.Output("sum", sum.Out("o"))
	job, err := b.Build()
	require.NoError(t, err)
	p := &performed{T: t, ws: w}
	p.run, err = w.Client.Jobs.Submit(t.Context(), job, &jobs.SubmitOptions{NoGit: true})
	require.NoError(t, err)
	p.wait()
	require.NoError(t, p.err)
	require.Equal(t, "15\n", p.out("sum", "n"))
	require.NotEmpty(t, p.step("gen").Name)
}
