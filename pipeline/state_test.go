package pipeline_test

import (
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

// Steps within, steps that show another name, and rounds of loops are drawn in their states.
func TestAllStatesAreDrawn(t *testing.T) {
	step := func() *jobs.CommandBuilder { return jobs.Command("true").In(azureml.Ref("azureml:e:1")) }
	inner := pipeline.New("inner").On("c")
	inner.Step("deep", step()).Display("Deep down")
	p := pipeline.New("p").On("c")
	p.Step("nest", inner).Display("The nest")
	p.ParallelFor("each", p.Step("body", step().Input("i", jobs.Literal(0))), jobs.Inputs{"i": jobs.Literal(1)}, jobs.Inputs{"i": jobs.Literal(2)}, jobs.Inputs{"i": jobs.Literal(3)})
	p.OnFinalize(p.Step("fin", step()))
	job, err := p.Build()
	require.NoError(t, err)

	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	run := func(name, display, kind string, s jobs.Status) *jobs.Run {
		return &jobs.Run{Name: name, DisplayName: display, Type: kind, Status: s, Start: at, End: at.Add(4 * time.Millisecond)}
	}
	runs := map[string][]*jobs.Run{
		"top": {run("1", "The nest", "Pipeline", jobs.Failed), run("2", "body_0", "Command", jobs.Completed), run("3", "body_1", "Command", jobs.Failed), run("4", "body_2", "Command", jobs.Running)},
		"1":   {run("5", "Deep down", "Command", jobs.Canceled)},
	}
	list := func(job string) iter.Seq2[*jobs.Run, error] {
		return func(yield func(*jobs.Run, error) bool) {
			for _, r := range runs[job] {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
	states, err := pipeline.AllStates("top", list, at)
	require.NoError(t, err)
	require.Equal(t, jobs.Canceled, states["The nest/Deep down"].Status)
	require.Equal(t, "Completed in 4ms", states["body_0"].String())
	text := pipeline.Draw(job, &pipeline.DrawOptions{States: states}).Mermaid()
	for _, want := range []string{"Deep down · Canceled in 4ms", "command, 3 rounds · Failed in 12ms", "The nest · Failed in 4ms", "command, runs last"} {
		require.Contains(t, text, want)
	}
	broken := func(string) iter.Seq2[*jobs.Run, error] {
		return func(yield func(*jobs.Run, error) bool) { yield(nil, errors.New("away")) }
	}
	_, err = pipeline.AllStates("top", broken, at)
	require.ErrorContains(t, err, "away")
}
