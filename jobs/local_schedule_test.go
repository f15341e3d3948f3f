package jobs_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

func TestLocalSchedule(t *testing.T) {
	shell(t)
	w := open(t)
	c := w.Client.Schedules
	say := &jobs.CommandComponent{Command: "echo scheduled", Environment: host}
	s := &jobs.Schedule{
		Name: "mornings", DisplayName: "each morning", Tags: map[string]string{"a": "b"},
		Trigger: jobs.Every(1, jobs.Week).At(6, 15).On(jobs.Monday, jobs.Friday).In("W. Europe Standard Time"),
		Action: &jobs.ScheduledJob{Job: &jobs.PipelineJob{
			Compute: "cpu-cluster", Experiment: "scheduled", Jobs: jobs.Nodes{"say": &jobs.CommandNode{Component: say}},
		}},
	}
	p, err := c.BeginCreate(t.Context(), s, nil)
	require.NoError(t, err)
	made, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, s.Trigger, made.Trigger)
	require.Equal(t, "Succeeded", made.ProvisioningState)
	action, ok := made.Action.(*jobs.ScheduledJob)
	require.True(t, ok, "%T", made.Action)
	pipeline, ok := action.Job.(*jobs.PipelineJob)
	require.True(t, ok, "%T", action.Job)
	require.Len(t, pipeline.Jobs, 1)

	off, err := c.BeginDisable(t.Context(), "mornings", nil)
	require.NoError(t, err)
	now, err := off.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.False(t, *now.Enabled)
	count := func(view jobs.ScheduleView) (n int) {
		for _, err := range c.All(t.Context(), view) {
			require.NoError(t, err)
			n++
		}
		return n
	}
	require.Equal(t, []int{0, 1, 1}, []int{count(""), count(jobs.DisabledOnly), count(jobs.AllSchedules)})
	on, err := c.BeginEnable(t.Context(), "mornings", nil)
	require.NoError(t, err)
	now, err = on.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.True(t, *now.Enabled)

	gone, err := c.BeginDelete(t.Context(), "mornings", nil)
	require.NoError(t, err)
	_, err = gone.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	_, err = c.Get(t.Context(), "mornings")
	require.ErrorIs(t, err, azureml.ErrNotFound)
}

func TestLocalComponents(t *testing.T) {
	c := open(t).Client.Components
	one := &jobs.CommandComponent{
		Name: "greet", Description: "says hello", Tags: map[string]string{"a": "b"}, Command: "echo ${{inputs.who}}", Environment: host,
		Inputs: jobs.ComponentInputs{"who": {Type: jobs.ParameterString, Default: "world"}, "n": {Type: jobs.ParameterInteger, Default: 3, Min: 1}},
	}
	first, err := c.Create(t.Context(), one, nil)
	require.NoError(t, err)
	got, ok := first.(*jobs.CommandComponent)
	require.True(t, ok, "%T", first)
	require.Equal(t, []string{"greet", "1"}, []string{got.Name, got.Version})
	same, err := c.Create(t.Context(), one, &jobs.ComponentOptions{SkipUnchanged: true})
	require.NoError(t, err)
	require.Equal(t, first.ComponentRef(), same.ComponentRef())
	changed := *one
	changed.Command = "echo hi ${{inputs.who}}"
	second, err := c.Create(t.Context(), &changed, &jobs.ComponentOptions{SkipUnchanged: true})
	require.NoError(t, err)
	require.Equal(t, "2", second.(*jobs.CommandComponent).Version)

	latest, err := c.GetByLabel(t.Context(), "greet", "latest")
	require.NoError(t, err)
	require.Equal(t, second.ComponentRef(), latest.ComponentRef())
	id, err := c.Resolve(t.Context(), azureml.Ref("azureml:greet@latest"), nil)
	require.NoError(t, err)
	require.Equal(t, string(second.ComponentRef()), id)

	require.NoError(t, c.Archive(t.Context(), "greet", "2"))
	var versions []string
	for v, err := range c.Versions(t.Context(), "greet", nil) {
		require.NoError(t, err)
		versions = append(versions, v.(*jobs.CommandComponent).Version)
	}
	require.Equal(t, []string{"1"}, versions)
	require.NoError(t, c.Restore(t.Context(), "greet", "2"))
	var all []string
	for s, err := range c.All(t.Context(), nil) {
		require.NoError(t, err)
		all = append(all, s.Name)
	}
	require.Equal(t, []string{"greet"}, all)
	require.NoError(t, c.Delete(t.Context(), "greet", "1"))
	_, err = c.Get(t.Context(), "greet", "1")
	require.ErrorIs(t, err, azureml.ErrNotFound)
}

// A prompt flow is registered with its snapshot's address.
func TestLocalFlow(t *testing.T) {
	c, dir := open(t).Client.Components, t.TempDir()
	write(t, filepath.Join(dir, "chat", ".promptflow", "flow.tools.json"), "{}")
	write(t, filepath.Join(dir, "chat", "flow.dag.yaml"), "$schema: https://azuremlschemas.azureedge.net/promptflow/latest/Flow.schema.json\nnodes: []\n")
	flow, err := jobs.LoadComponent(filepath.Join(dir, "chat", "flow.dag.yaml"))
	require.NoError(t, err)
	made, err := c.Create(t.Context(), flow, nil)
	require.NoError(t, err)
	f, ok := made.(*jobs.FlowComponent)
	require.True(t, ok, "%T", made)
	require.Equal(t, []string{"chat", "1"}, []string{f.Name, f.Version})
	require.True(t, strings.HasPrefix(f.Definition, "https://") && strings.HasSuffix(f.Definition, "/flow.dag.yaml"), f.Definition)
}
