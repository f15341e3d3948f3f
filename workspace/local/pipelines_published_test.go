//go:build unix

package local_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace/local"
)

// What published pipelines do and none of the others.
func TestPipelinesAsPublished(t *testing.T) {
	t.Parallel()
	perform(t, map[string]flow{
		"environments of a registry, by label": {
			files: map[string]string{"hello.yml": `
type: command
name: hello
version: "1"
environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
command: "echo from the file >>DIR/said"
`, "inner.yml": `
type: pipeline
name: inner
version: "1"
jobs:
  one: {type: command, component: ./hello.yml}
  two: {type: command, environment: "azureml://registries/azureml/environments/sklearn-1.5/versions/3", command: "echo from the step >>DIR/said"}
`},
			yaml: `
jobs:
  outside: {type: command, component: ./hello.yml}
  inside: {type: pipeline, component: ./inner.yml}
`,
			check: func(p *performed) {
				require.Contains(p, p.noted("said"), "from the file\n")
				require.Contains(p, p.noted("said"), "from the step\n")
			},
		},
		"folders that stay empty": {
			files: map[string]string{"inner.yml": `
type: pipeline
name: empties
version: "1"
inputs: {i: {type: uri_folder}}
outputs: {o: {type: uri_folder}}
jobs:
  first: {type: command, ENV, command: "ls -d ${{inputs.i}} && [ -z \"$(ls ${{inputs.i}})\" ] && : ${{outputs.o}}", inputs: {i: "${{parent.inputs.i}}"}, outputs: {o: "${{parent.outputs.o}}"}}
`},
			yaml: `
jobs:
  none: {type: command, ENV, command: ": ${{outputs.o}}", outputs: {o: {type: uri_folder}}}
  again: {type: pipeline, component: ./inner.yml, inputs: {i: "${{parent.jobs.none.outputs.o}}"}}
  thrice: {type: pipeline, component: ./inner.yml, inputs: {i: "${{parent.jobs.again.outputs.o}}"}}
  plain: {type: command, ENV, command: "[ -z \"$(ls ${{inputs.i}})\" ]", inputs: {i: "${{parent.jobs.thrice.outputs.o}}"}}
`,
		},
	})
}

// A fault of an environment that several steps share stands under each of them.
func TestSharedFaultsHaveTheirOwnPlaces(t *testing.T) {
	t.Parallel()
	w, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir(), Environments: local.Strict})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	p := &performed{T: t, ws: w, dir: t.TempDir()}
	spec, err := jobs.Load(p.write(nil, "jobs:\n  one: {type: command, ENV, command: a}\n  two: {type: command, ENV, command: b}\n"))
	require.NoError(t, err)
	_, err = w.Client.Jobs.Submit(t.Context(), spec, &jobs.SubmitOptions{NoGit: true})
	require.ErrorContains(t, err, "properties.jobs.one.environmentId: ")
	require.ErrorContains(t, err, "properties.jobs.two.environmentId: ")
}
