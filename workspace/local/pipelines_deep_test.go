//go:build unix

package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

func shell(command string) *jobs.CommandBuilder {
	return jobs.Command(command).In(&assets.Environment{Image: "host"})
}

// below lists all runs under a job, however deep, by "outer/inner".
func (p *performed) below(of, path string) map[string]*jobs.Run {
	p.Helper()
	out := map[string]*jobs.Run{}
	for r, err := range p.ws.Client.Jobs.Children(p.Context(), of) {
		require.NoError(p, err)
		run, err := p.ws.Client.Jobs.Get(p.Context(), r.Name)
		require.NoError(p, err)
		out[path+r.DisplayName] = run
		for k, v := range p.below(r.Name, path+r.DisplayName+"/") {
			out[k] = v
		}
	}
	return out
}

func (p *performed) start(b *pipeline.Builder) {
	p.Helper()
	job, err := b.Build()
	require.NoError(p, err)
	p.run, err = p.ws.Client.Jobs.Submit(p.Context(), job, &jobs.SubmitOptions{NoGit: true})
	require.NoError(p, err)
}

// A pipeline in a pipeline in a pipeline is canceled, with a sweep, a loop, a
// step that waits for its compute and a program that left its group.
func TestPipelineIsCanceledThreeDeep(t *testing.T) {
	p := &performed{T: t, ws: grounds(t), dir: t.TempDir()}
	at := func(name string) string { return filepath.Join(p.dir, name) }
	third := pipeline.New("third")
	third.Step("deep", shell("(setsid sh -c 'echo $$ >"+at("pid")+"; exec sleep 600' &) ; sleep 600"))
	third.Step("waits", shell("touch "+at("waits"))).On("single")
	second := pipeline.New("second")
	second.Step("inner", third)
	second.Step("sweep", jobs.Sweep(shell("touch "+at("trial${{inputs.x}}")+"; sleep 600").Input("x", jobs.Literal(0))).Choice("x", 1, 2, 3).Grid().Maximize("m").Trials(3).Concurrent(1))
	first := pipeline.New("first").On("cpu-cluster")
	first.Step("holds", shell("touch "+at("holds")+"; sleep 600")).On("single")
	first.Step("done", shell("true"))
	first.Step("outer", second)
	first.ParallelFor("each", first.Step("body", shell("touch "+at("body${{inputs.i}}")+"; sleep 600").Input("i", jobs.Literal(0))), jobs.Inputs{"i": jobs.Literal(1)}, jobs.Inputs{"i": jobs.Literal(2)})
	p.start(first)
	p.until("all runs that can", func() bool {
		for _, f := range []string{"pid", "holds", "trial1", "body1", "body2"} {
			if _, err := os.Stat(at(f)); err != nil {
				return false
			}
		}
		runs := p.below(p.run.Name, "")
		return runs["done"].Status == jobs.Completed && (runs["outer/inner/waits"] != nil || p.noted("waits") != "")
	})
	require.NoError(t, p.ws.Client.Jobs.Cancel(t.Context(), p.run.Name))
	p.wait()
	require.ErrorIs(t, p.err, jobs.ErrCanceled)
	require.ErrorContains(t, p.err, "has ended as Canceled: canceled by the caller")
	require.Equal(t, jobs.Canceled, p.run.Status)
	runs := p.below(p.run.Name, "")
	for _, name := range []string{"outer", "outer/inner", "outer/inner/deep", "outer/sweep", "outer/sweep/sweep_0", "holds", "body_0", "body_1"} {
		r := runs[name]
		require.NotNil(t, r, name)
		require.Equal(t, jobs.Canceled, r.Status, name)
		require.False(t, r.Start.IsZero() || r.End.IsZero(), name)
	}
	require.NotContains(t, runs, "outer/sweep/sweep_1")
	require.Equal(t, jobs.Completed, runs["done"].Status)
	if _, err := os.Stat("/proc/self"); err == nil {
		p.until("what left its group has ended", func() bool {
			line, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(p.noted("pid")), "cmdline"))
			return err != nil || len(line) == 0
		})
	}
}

// Fields of a step are bound to inputs: its limits, its nodes, its compute.
func TestPipelineStepsFieldsAreBound(t *testing.T) {
	p := &performed{T: t, ws: grounds(t), dir: t.TempDir()}
	b := pipeline.New("bound").ContinueOnFailure(true)
	seconds := b.Input("seconds", jobs.Literal(1))
	b.Step("slow", shell("sleep 600")).Bind("limits.timeout", seconds).On("cpu-cluster")
	b.Step("wide", shell("echo $RANK >>"+filepath.Join(p.dir, "ranks")).Nodes(1, jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 1}})).
		Bind("resources.instance_count", b.Input("nodes", jobs.Literal(2))).
		Bind("distribution.process_count_per_instance", b.Input("processes", jobs.Literal(2))).
		Bind("compute", b.Input("compute", jobs.Literal("cpu-cluster")))
	inner := pipeline.New("inner").On("cpu-cluster")
	inner.Step("slow", shell("sleep 600")).Bind("limits.timeout", inner.Input("limit", jobs.Literal(3600)))
	b.Step("inner", inner).In("limit", seconds)
	b.Step("trials", jobs.Sweep(shell("sleep 600; echo ${{inputs.x}}").Input("x", jobs.Literal(0))).Choice("x", 1).Grid().Maximize("m").Trials(1)).Bind("limits.trial_timeout", seconds).On("cpu-cluster")
	p.start(b)
	p.wait()
	require.Equal(t, jobs.Failed, p.run.Status)
	runs := p.below(p.run.Name, "")
	for _, name := range []string{"slow", "inner/slow", "trials/trials_0"} {
		require.Equal(t, jobs.Canceled, runs[name].Status, name)
		require.ErrorContains(t, runs[name].Error, "longer than its limit of PT1S", name)
	}
	require.Equal(t, jobs.Completed, runs["wide"].Status)
	require.Len(t, strings.Fields(p.noted("ranks")), 4)
}
