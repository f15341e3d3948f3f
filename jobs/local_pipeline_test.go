package jobs_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
)

const pipelineFile = `
type: pipeline
display_name: two steps
experiment_name: tests
settings: {default_compute: azureml:cpu-cluster}
inputs:
  rows: {type: uri_file, path: rows.csv}
  times: 2
outputs:
  total: {type: uri_folder}
jobs:
  double:
    type: command
    code: code
    command: sh double.sh ${{inputs.rows}} ${{inputs.times}} ${{outputs.out}}/rows.csv
    environment: {image: host}
    inputs: {rows: "${{parent.inputs.rows}}", times: "${{parent.inputs.times}}"}
    outputs: {out: {type: uri_folder}}
  count:
    type: command
    component: count.yml
    inputs: {data: "${{parent.jobs.double.outputs.out}}"}
    outputs: {result: "${{parent.outputs.total}}"}
`

const countFile = `
type: command
name: count_rows
version: 1
inputs: {data: {type: uri_folder}, label: {type: string, default: rows}}
outputs: {result: {type: uri_folder}}
command: echo "${{inputs.label}} $(cat ${{inputs.data}}/rows.csv | wc -l | tr -d ' ')" > ${{outputs.result}}/count.txt
environment: {image: host}
`

func TestLocalPipeline(t *testing.T) {
	shell(t)
	c, dir := open(t).Client.Jobs, t.TempDir()
	write(t, filepath.Join(dir, "rows.csv"), "a\nb\nc\n")
	write(t, filepath.Join(dir, "count.yml"), countFile)
	write(t, filepath.Join(dir, "code", "double.sh"), "for i in $(seq $2); do cat $1; done > $3\n")
	file := write(t, filepath.Join(dir, "pipeline.yml"), pipelineFile)
	spec, err := jobs.Load(file, "display_name=renamed")
	require.NoError(t, err)
	run := done(t, c, spec)
	require.Equal(t, "renamed", run.DisplayName)
	require.Equal(t, "Pipeline", run.Type)

	steps := map[string]*jobs.Run{}
	for child, err := range c.Children(t.Context(), run.Name) {
		require.NoError(t, err)
		steps[child.DisplayName] = child
	}
	require.Len(t, steps, 2)
	for name, s := range steps {
		require.Equal(t, jobs.Completed, s.Status, name)
		require.Equal(t, run.Name, s.Parent)
	}
	to := t.TempDir()
	_, err = c.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "total"})
	require.NoError(t, err)
	require.Equal(t, "rows 6\n", read(t, to, "named-outputs", "total", "count.txt"))

	back, err := c.Get(t.Context(), run.Name)
	require.NoError(t, err)
	p, ok := back.Spec.(*jobs.PipelineJob)
	require.True(t, ok, "%T", back.Spec)
	require.Len(t, p.Jobs, 2)
	node, ok := p.Jobs["count"].(*jobs.CommandNode)
	require.True(t, ok)
	require.Equal(t, "${{parent.jobs.double.outputs.out}}", node.Inputs["data"].Text())
	require.Equal(t, "${{parent.outputs.total}}", node.Outputs["result"].Path)
}

// A pipeline made in Go has its steps' components made in Go.
func TestLocalPipelineInGo(t *testing.T) {
	shell(t)
	w := open(t)
	say := &jobs.CommandComponent{
		Command: "echo ${{inputs.word}} > ${{outputs.out}}/word.txt", Environment: host,
		Inputs:  jobs.ComponentInputs{"word": {Type: jobs.ParameterString}},
		Outputs: jobs.ComponentOutputs{"out": {Type: string(jobs.TypeURIFolder)}},
	}
	join := &jobs.CommandComponent{
		Name: "join_words", Command: "cat ${{inputs.a}}/word.txt ${{inputs.b}}/word.txt > ${{outputs.all}}/words.txt", Environment: host,
		Inputs:  jobs.ComponentInputs{"a": {Type: string(jobs.TypeURIFolder)}, "b": {Type: string(jobs.TypeURIFolder)}},
		Outputs: jobs.ComponentOutputs{"all": {Type: string(jobs.TypeURIFolder)}},
	}
	made, err := w.Client.Components.Create(t.Context(), join, nil)
	require.NoError(t, err)
	p := &jobs.PipelineJob{
		Compute: "cpu-cluster", Inputs: jobs.Inputs{"first": jobs.Literal("hello")},
		Outputs: jobs.Outputs{"all": {}},
		Jobs: jobs.Nodes{
			"a": &jobs.CommandNode{Component: say, Inputs: jobs.Inputs{"word": jobs.Literal("${{parent.inputs.first}}")}},
			"b": &jobs.CommandNode{Component: say, Inputs: jobs.Inputs{"word": jobs.Literal("world")}},
			"both": &jobs.CommandNode{
				Component: made.ComponentRef(),
				Inputs:    jobs.Inputs{"a": jobs.Literal("${{parent.jobs.a.outputs.out}}"), "b": jobs.Literal("${{parent.jobs.b.outputs.out}}")},
				Outputs:   jobs.Outputs{"all": {Path: "${{parent.outputs.all}}"}},
			},
		},
	}
	run := done(t, w.Client.Jobs, p)
	to := t.TempDir()
	_, err = w.Client.Jobs.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "all"})
	require.NoError(t, err)
	require.Equal(t, "hello\nworld\n", read(t, to, "named-outputs", "all", "words.txt"))
	require.Empty(t, say.ID, "what was submitted is not changed")
	require.Same(t, say, p.Jobs["a"].(*jobs.CommandNode).Component)
}

func TestLocalPipelineFails(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	bad := &jobs.CommandComponent{Command: "echo broken; exit 4", Environment: host}
	run, err := c.Submit(t.Context(), &jobs.PipelineJob{Compute: "cpu-cluster", Jobs: jobs.Nodes{"bad": &jobs.CommandNode{Component: bad}}}, nil)
	require.NoError(t, err)
	_, err = c.Wait(t.Context(), run.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
	_, ok := errors.AsType[*jobs.FailedError](err)
	require.True(t, ok, "%v", err)
}

func TestLocalGoCode(t *testing.T) {
	w := open(t)
	job := jobs.Command("./trial -x ${{inputs.x}} -out ${{outputs.out}}").GoCode("./testdata/trial").In(host).
		Input("x", jobs.Literal(0.5)).Output("out", jobs.OutputFolder())
	run := done(t, w.Client.Jobs, job)
	to := t.TempDir()
	_, err := w.Client.Jobs.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "out"})
	require.NoError(t, err)
	require.Equal(t, "0.5\n", read(t, to, "named-outputs", "out", "x.txt"))
	tracked, err := w.Client.Tracking.Runs.Get(t.Context(), run.Name)
	require.NoError(t, err)
	require.InDelta(t, 2.25, tracked.Data.Metrics["loss"].Value, 1e-9)

	again := done(t, w.Client.Jobs, job)
	require.Equal(t, code(t, run), code(t, again), "the same program is one snapshot")
}

func code(t *testing.T, run *jobs.Run) string {
	t.Helper()
	spec, ok := run.Spec.(*jobs.CommandJob)
	require.True(t, ok, "%T", run.Spec)
	return string(spec.Code.Ref)
}

func TestLocalSweep(t *testing.T) {
	w := open(t)
	job := &jobs.SweepJob{
		Trial: jobs.Trial{
			Command: "./trial -x ${{search_space.x}} -out ${{outputs.out}}", Code: jobs.Code{Go: &jobs.GoProgram{Package: "./testdata/trial"}}, Environment: host,
		},
		SearchSpace: jobs.SearchSpace{"x": jobs.Choice(1, 2, 3)},
		Sampling:    jobs.Sampling{Type: jobs.GridSampling},
		Objective:   jobs.Objective{Goal: jobs.Minimize, PrimaryMetric: "loss"},
		Limits:      jobs.SweepLimits{MaxTotalTrials: 3, MaxConcurrentTrials: 3},
		Outputs:     jobs.Outputs{"out": jobs.OutputFolder()},
		Compute:     "cpu-cluster",
	}
	run := done(t, w.Client.Jobs, job)
	var said []string
	for child, err := range w.Client.Jobs.Children(t.Context(), run.Name) {
		require.NoError(t, err)
		for line, err := range w.Client.Jobs.Logs(t.Context(), child.Name, nil) {
			require.NoError(t, err)
			if strings.HasPrefix(line, "trial ") {
				said = append(said, line)
			}
		}
	}
	require.ElementsMatch(t, []string{"trial 1", "trial 2", "trial 3"}, said)
	to := t.TempDir()
	_, err := w.Client.Jobs.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "out"})
	require.NoError(t, err)
	require.Equal(t, "2\n", read(t, to, "named-outputs", "out", "x.txt"), "of the best trial")
}
