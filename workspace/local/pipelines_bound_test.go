//go:build unix

package local_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What steps take from their pipeline besides their inputs, and what programs
// find in their variables.
func TestPipelinesBound(t *testing.T) {
	t.Parallel()
	perform(t, map[string]flow{
		"resources, distribution, limits, compute and variables": {
			files: map[string]string{"inner.yml": `
type: pipeline
name: inner
version: 1
inputs:
  word: {type: string}
  where: {type: string, default: serverless}
  nodes: {type: integer, default: 1}
  each: {type: integer, default: 1}
  longest: {type: integer, default: 1}
  size: {type: string, optional: true}
jobs:
  train:
    type: command
    component: ./train.yml
    compute: '${{parent.inputs.where}}'
    resources: {instance_type: '${{parent.inputs.size}}', instance_count: '${{parent.inputs.nodes}}'}
    distribution: {type: pytorch, process_count_per_instance: '${{parent.inputs.each}}'}
    limits: {timeout: '${{parent.inputs.longest}}'}
    environment_variables: {WORD: '${{parent.inputs.word}}', SIZE: '${{parent.inputs.size}}'}
    inputs: {w: '${{parent.inputs.word}}'}
`, "train.yml": `
type: command
name: train
inputs: {w: {type: string}}
ENV
distribution: {type: pytorch, process_count_per_instance: 1}
command: echo "$WORD ${SIZE-none} $WORLD_SIZE" >>DIR/$RANK
`},
			yaml: `
inputs: {word: hello there, where: cpu-cluster, nodes: 2, each: 2, longest: 300}
jobs:
  outer:
    type: pipeline
    component: ./inner.yml
    inputs: {word: "${{parent.inputs.word}}", where: "${{parent.inputs.where}}", nodes: "${{parent.inputs.nodes}}", each: "${{parent.inputs.each}}", longest: "${{parent.inputs.longest}}"}
`,
			check: func(p *performed) {
				for _, rank := range []string{"0", "1", "2", "3"} {
					require.Equal(p, "hello there none 4\n", p.noted(rank))
				}
			},
		},
		"what has no value among what has": {
			files: map[string]string{"inner.yml": `
type: pipeline
name: columns
version: 1
inputs: {one: {type: string}, two: {type: string, optional: true}, where: {type: string, default: serverless}}
jobs:
  say:
    type: command
    compute: ${{parent.inputs.where}}
    component: ./say.yml
    inputs: {cols: "${{parent.inputs.one}},${{parent.inputs.two}},end", alone: "${{parent.inputs.two}}"}
`, "say.yml": `
type: command
name: say
inputs: {cols: {type: string}, alone: {type: string, optional: true}}
ENV
command: echo "${{inputs.cols}}" $[[--alone ${{inputs.alone}}]] >>DIR/said
`},
			yaml: `
jobs:
  a: {type: pipeline, component: ./inner.yml, inputs: {one: x}}
  b: {type: pipeline, component: ./inner.yml, inputs: {one: x, two: y, where: cpu-cluster}}
`,
			check: func(p *performed) {
				said := p.noted("said")
				require.Contains(p, said, "x,,end\n")
				require.Contains(p, said, "x,y,end --alone y\n")
			},
		},
		"inputs and outputs in variables": {yaml: `
inputs: {word: "a 'b' $HOME"}
jobs:
  say:
    type: command
    ENV
    command: 'echo "$GIVEN|$AZUREML_PARAMETER_word|$AZUREML_PARAMETER_count|$OTHER" >DIR/said; [ "$AZUREML_PARAMETER_out" = "$TO" ] && [ "$TO" = ${{outputs.out}} ]'
    environment_variables: {GIVEN: "<${{inputs.word}}>", OTHER: "${{inputs.none}}", TO: "${{outputs.out}}"}
    inputs: {word: "${{parent.inputs.word}}", count: 3}
    outputs: {out: {type: uri_folder}}
`, check: func(p *performed) {
			require.Equal(p, "<a 'b' $HOME>|a 'b' $HOME|3|${{inputs.none}}\n", p.noted("said"))
		}},
		"a trial's values in variables": {yaml: `
jobs:
  tune:
    type: sweep
    search_space: {lr: {type: choice, values: [0.5]}}
    sampling_algorithm: grid
    objective: {goal: minimize, primary_metric: loss}
    limits: {max_total_trials: 1, max_concurrent_trials: 1}
    trial:
      type: command
      inputs: {lr: {type: number}}
      ENV
      command: echo "$AZUREML_SWEEP_lr ${{inputs.lr}}" >DIR/said
`, fails: "No trial logged the metric", check: func(p *performed) { require.Equal(p, "0.5 0.5\n", p.noted("said")) }},
		"a folder where a file is wanted": {yaml: `
jobs:
  make: {type: command, ENV, command: "echo x >${{outputs.o}}/x", outputs: {o: {type: uri_folder}}}
  read: {type: command, component: ./file.yml, inputs: {i: "${{parent.jobs.make.outputs.o}}"}}
`, files: map[string]string{"file.yml": `
type: command
name: file
inputs: {i: {type: uri_file}}
ENV
command: cat ${{inputs.i}}
`}, fails: `the input "i": what is at `, check: func(p *performed) {
			require.True(p, strings.HasSuffix(p.err.Error(), "is a folder, and the input is of type uri_file"), p.err)
		}},
	})
}

// Numbers that no int64 holds are integers to the steps that they are bound to.
func TestPipelinesBigNumbers(t *testing.T) {
	t.Parallel()
	perform(t, map[string]flow{
		"big": {yaml: `
inputs: {l: 12345678901234567890, n: 9223372036854775807}
jobs:
  s: {type: command, ENV, command: "echo ${{inputs.l}} ${{inputs.n}} >DIR/said", inputs: {l: "${{parent.inputs.l}}", n: "${{parent.inputs.n}}"}}
`, check: func(p *performed) { require.Equal(p, "12345678901234567890 9223372036854775807\n", p.noted("said")) }},
		"outputs go to the default datastore": {yaml: `settings: {default_compute: azureml:cpu-cluster, default_datastore: azureml:workspaceworkingdirectory}
outputs: {o: {type: uri_folder}, f: {type: uri_file}}
jobs:
  a: {type: command, ENV, command: "echo 1 >${{outputs.o}}/x; echo 2 >${{outputs.f}}; echo 3 >${{outputs.own}}/y", outputs: {o: "${{parent.outputs.o}}", f: "${{parent.outputs.f}}", own: {type: uri_folder}}}
`, check: func(p *performed) {
			require.Equal(p, "1\n", p.out("o", "x"))
			require.Equal(p, "2\n", p.out("f", "f"))
			for name, o := range p.run.Outputs {
				if name != "default" {
					require.Contains(p, o.Path, "/workspaceworkingdirectory/", name)
				}
			}
		}},
	})
}
