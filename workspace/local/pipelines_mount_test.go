//go:build unix

package local_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const addFile = `settings: {default_compute: azureml:cpu-cluster, force_rerun: true}
jobs:
  add:
    type: command
    ENV
    command: "ls ${{outputs.all}} >DIR/seen; echo more >>${{outputs.all}}/log; echo more >>${{outputs.one}}; rm -f ${{outputs.all}}/gone; [ -e ${{outputs.all}}/first ] || touch ${{outputs.all}}/gone ${{outputs.all}}/first; ls ${{outputs.up}} >>DIR/seen; touch ${{outputs.up}}/$AZUREML_RUN_ID"
    outputs:
      all: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/mounted/all}
      one: {type: uri_file, path: azureml://datastores/workspaceblobstore/paths/mounted/one.txt}
      up: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/mounted/up, mode: upload}
`

// What programs find where they write, and leave there besides files.
func TestPipelinesMount(t *testing.T) {
	t.Parallel()
	perform(t, map[string]flow{
		"a mounted output shows what is there": {yaml: addFile, check: func(p *performed) {
			require.Empty(p, p.noted("seen"))
			p.play(p.write(nil, addFile))
			require.NoError(p, p.err)
			require.Equal(p, "first\ngone\nlog\n", p.noted("seen"), "of all; up begins empty")
			p.play(p.write(nil, `
jobs:
  look:
    type: command
    ENV
    command: "(ls ${{inputs.all}}; cat ${{inputs.all}}/log ${{inputs.one}}; ls ${{inputs.up}} | wc -l) >DIR/left"
    inputs:
      all: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/mounted/all}
      one: {type: uri_file, path: azureml://datastores/workspaceblobstore/paths/mounted/one.txt}
      up: {type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/mounted/up}
`))
			require.NoError(p, p.err)
			require.Equal(p, []string{"first", "log", "more", "more", "more", "more", "2"}, strings.Fields(p.noted("left")))
		}},
		"links and pipes among the outputs": {yaml: `
outputs: {o: {type: uri_folder}}
jobs:
  make:
    type: command
    ENV
    command: "cd ${{outputs.o}}; mkdir v1; echo x >v1/f; ln -s v1 latest; ln -s v1/f file; ln -s nowhere broken; ln -s .. around; ln -s /usr outside; mkfifo pipe; mkdir ${{outputs.f}}; echo y >${{outputs.f}}/y"
    outputs: {o: "${{parent.outputs.o}}", f: {type: uri_file}}
  read: {type: command, component: ./read.yml, inputs: {o: "${{parent.jobs.make.outputs.o}}", f: "${{parent.jobs.make.outputs.f}}"}}
`, files: map[string]string{"read.yml": `
type: command
name: read
inputs: {o: {type: uri_folder}, f: {type: uri_folder}}
ENV
command: (cd ${{inputs.o}}; find . -type f | sort; ls ${{inputs.f}}) >DIR/left
`}, check: func(p *performed) {
			require.Equal(p, []string{"./file", "./latest/f", "./v1/f", "y"}, strings.Fields(p.noted("left")))
			left := p.step("make").Properties["azureml.local.notKept"]
			require.Equal(p, "o/around (a link to a folder outside, or around it); o/broken (a link to nothing); o/outside (a link to a folder outside, or around it); o/pipe (no file)", left)
		}},
	})
}
