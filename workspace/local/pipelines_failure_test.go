//go:build unix

package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
)

func TestPipelinesThatFail(t *testing.T) {
	t.Setenv("AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED", "true")
	perform(t, map[string]flow{
		"a step fails: its log's end is the pipeline's error, and what runs is ended": {yaml: `
jobs:
  bad: {type: command, ENV, command: "while [ ! -e DIR/slow ]; do sleep 0.01; done; echo the cause >&2; exit 5", outputs: {o: {type: uri_folder}}}
  slow: {type: command, ENV, command: "touch DIR/slow; sleep 600"}
  after: {type: command, ENV, command: "touch DIR/after", inputs: {i: "${{parent.jobs.bad.outputs.o}}"}}
`,
			fails: "the cause",
			check: func(p *performed) {
				require.ErrorContains(p, p.err, "The step bad failed")
				require.Equal(p, jobs.Failed, p.run.Status)
				require.Contains(p, p.run.Error.Message, "the cause")
				require.Equal(p, jobs.Failed, p.step("bad").Status)
				require.Equal(p, jobs.Canceled, p.step("slow").Status)
				require.NotContains(p, p.steps(p.run.Name), "after")
				require.Empty(p, p.noted("after"))
			},
		},
		"with continue_on_step_failure the others go on": {yaml: `settings: {default_compute: azureml:cpu-cluster, continue_on_step_failure: true}
jobs:
  bad: {type: command, ENV, command: "exit 3", outputs: {o: {type: uri_folder}}}
  worse: {type: command, ENV, command: "exit 4"}
  after: {type: command, ENV, command: "true", inputs: {i: "${{parent.jobs.bad.outputs.o}}"}}
  good: {type: command, ENV, command: "sleep 0.2; echo ok >${{outputs.o}}/x", outputs: {o: {type: uri_folder}}}
  then: {type: command, ENV, command: "cp ${{inputs.i}}/x DIR/x", inputs: {i: "${{parent.jobs.good.outputs.o}}"}}
`,
			fails: "The step bad failed",
			check: func(p *performed) {
				require.ErrorContains(p, p.err, "The step worse failed")
				require.Equal(p, "ok\n", p.noted("x"))
				require.Equal(p, jobs.Completed, p.step("then").Status)
				require.NotContains(p, p.steps(p.run.Name), "after")
			},
		},
		"a step inside a pipeline inside fails": {
			files: map[string]string{"inner.yml": `
type: pipeline
name: inner
version: "1"
jobs:
  deep: {type: command, ENV, command: "echo down here; exit 9"}
`},
			yaml:  "jobs:\n  outer: {type: pipeline, component: ./inner.yml}\n",
			fails: "down here",
			check: func(p *performed) {
				require.ErrorContains(p, p.err, "The step outer failed: The step deep failed")
			},
		},
		"a step does not write the file that another reads": {
			yaml: `
jobs:
  mute: {type: command, ENV, command: "true ${{outputs.o}}", outputs: {o: {type: uri_file}}}
  reads: {type: command, ENV, command: "cat ${{inputs.i}}", inputs: {i: {type: uri_file, path: "${{parent.jobs.mute.outputs.o}}"}}}
`,
			fails: "the step mute has not written it: there is no file at",
		},
		"a step that takes too long": {
			yaml:  "jobs:\n  slow: {type: command, ENV, limits: {timeout: 1}, command: \"sleep 600\"}\n",
			fails: "longer than its limit",
		},
		"a step leaves its condition out": {
			files: map[string]string{"mute.yml": "type: command\nname: mute\nversion: \"1\"\noutputs: {more: {type: boolean, is_control: true}}\nENV\ncommand: \"true\"\n"},
			yaml: `
jobs:
  mute: {type: command, component: ./mute.yml}
  loop: {type: do_while, body: "${{parent.jobs.mute}}", condition: more, mapping: {}, limits: {max_iteration_count: 3}}
`,
			fails: `the output "more" has no value`,
		},
		"a loop's round fails": {
			files: map[string]string{"odd.yml": "type: command\nname: odd\nversion: \"1\"\ninputs: {n: {type: integer}}\nENV\ncommand: \"[ ${{inputs.n}} != 2 ]\"\n"},
			yaml: `
jobs:
  odd: {type: command, component: ./odd.yml}
  each: {type: parallel_for, body: "${{parent.jobs.odd}}", items: [{n: 1}, {n: 2}, {n: 3}], max_concurrency: 1}
`,
			fails: "The step odd failed",
			check: func(p *performed) { require.NotContains(p, p.steps(p.run.Name), "odd_2", "no round begins behind it") },
		},
	})
}

func TestPipelineIsCanceledInTheMiddle(t *testing.T) {
	p := &performed{T: t, ws: grounds(t), dir: t.TempDir()}
	file := p.write(map[string]string{"inner.yml": `
type: pipeline
name: inner
version: "1"
jobs:
  deep: {type: command, ENV, command: "echo $$ >DIR/deep; sleep 600 & echo $! >DIR/grandchild; wait"}
`}, `
jobs:
  done: {type: command, ENV, command: "true"}
  runs: {type: command, ENV, compute: "azureml:single", command: "touch DIR/runs; sleep 600", outputs: {o: {type: uri_folder}}}
  outer: {type: pipeline, component: ./inner.yml}
  later: {type: command, ENV, command: "touch DIR/later", inputs: {i: "${{parent.jobs.runs.outputs.o}}"}}
`)
	p.submit(file)
	p.until("the steps run", func() bool {
		_, err := os.Stat(filepath.Join(p.dir, "runs"))
		done := p.steps(p.run.Name)["done"]
		return err == nil && p.noted("grandchild") != "" && done != nil && done.Status == jobs.Completed
	})
	behind := p.write(nil, "jobs:\n  waits: {type: command, ENV, compute: \"azureml:single\", command: \"touch DIR/waits\"}\n")
	q := &performed{T: t, ws: p.ws, dir: p.dir}
	q.submit(behind)
	p.until("the other pipeline's step is queued", func() bool { s := q.steps(q.run.Name)["waits"]; return s != nil && s.Status == jobs.Queued })
	for _, x := range []*performed{q, p} {
		require.NoError(t, x.ws.Client.Jobs.Cancel(t.Context(), x.run.Name))
		x.wait()
		require.Equal(t, jobs.Canceled, x.run.Status)
	}
	require.Equal(t, jobs.Canceled, q.step("waits").Status)
	require.Equal(t, jobs.Completed, p.step("done").Status)
	require.Equal(t, jobs.Canceled, p.step("runs").Status)
	require.Equal(t, jobs.Canceled, p.step("outer").Status)
	require.Equal(t, jobs.Canceled, p.steps(p.step("outer").Name)["deep"].Status)
	require.NotContains(t, p.steps(p.run.Name), "later")
	require.Empty(t, p.noted("waits"))
	if _, err := os.Stat("/proc/self"); err == nil {
		for _, f := range []string{"deep", "grandchild"} {
			p.until(f+" has ended with the pipeline", func() bool { // one that waits to be reaped has no command line any more
				line, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(p.noted(f)), "cmdline"))
				return err != nil || len(line) == 0
			})
		}
	}
}

// What no local workspace runs is refused by name, before anything runs.
func TestPipelinesThatAreRefused(t *testing.T) {
	w := grounds(t)
	for want, yaml := range map[string]string{
		"trains no AutoML models": `
jobs:
  auto: {type: automl, task: regression, primary_metric: r2_score, target_column_name: y, training_data: {type: mltable, path: "azureml://datastores/workspaceblobstore/paths/t/"}, compute: "azureml:cpu-cluster", limits: {max_trials: 1}}
`,
		"reaches no databases": `
jobs:
  fetch: {type: data_transfer, task: import_data, source: {type: database, query: select 1, connection: "azureml:sql"}, outputs: {sink: {type: mltable}}}
`,
	} {
		p := &performed{T: t, ws: w, dir: t.TempDir()}
		spec, err := jobs.Load(p.write(nil, yaml))
		require.NoError(t, err)
		_, err = w.Client.Jobs.Submit(t.Context(), spec, &jobs.SubmitOptions{NoGit: true})
		require.ErrorContains(t, err, want)
	}
}
