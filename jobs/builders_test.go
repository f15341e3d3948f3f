package jobs

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

// Builders fill the same structs, and building again gives the same, apart from each other.
func TestBuildersAreRepeatable(t *testing.T) {
	b := Sweep(&CommandJob{Command: "x ${{inputs.a}}", Environment: azureml.Ref("azureml:e:1"), Inputs: Inputs{"a": Literal(1)}}).
		RandInt("a", 3).Minimize("loss").Grid().Trials(2).Tag("k", "v")
	one, err := b.Build()
	require.NoError(t, err)
	two, err := b.Build()
	require.NoError(t, err)
	require.Equal(t, one, two)
	require.Equal(t, "x ${{search_space.a}}", one.Trial.Command)
	require.Empty(t, one.Inputs, "the hyperparameter takes the place of the input")
	one.Tags["k"], one.SearchSpace["b"] = "other", Choice(1)
	three, err := b.Build()
	require.NoError(t, err)
	require.Equal(t, two, three)

	_, err = Sweep(Sweep(nil)).Build()
	require.ErrorContains(t, err, "trial: the trial is a command")
	_, err = Sweep(&CommandJob{Command: "x", Environment: azureml.Ref("azureml:e:1")}).Choice("a", 1).Maximize("m").Trials(1).
		Bandit(Bandit{}).MedianStopping(MedianStopping{}).TruncationSelection(TruncationSelection{}).Maximize("n").Choice("a", 2).Build()
	for _, want := range []string{"one of them", "a sweep has one policy", "0 is not from 1 to 99", "is set twice, to maximize", "search_space.a: is given twice"} {
		require.ErrorContains(t, err, want)
	}
}

// What builders keep is reported by the calls that take them, with everything else.
func TestCallsTakeBuilders(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	_, err := c.Submit(t.Context(), Sweep(Command("x").In(azureml.Ref("azureml:gone:1"))).Trials(-1), nil)
	require.ErrorContains(t, err, "limits.max_total_trials: -1 trials are none")
	require.ErrorContains(t, err, `the workspace has no environment "gone:1"`)
	_, err = c.Submit(t.Context(), Spark("nowhere", "x.py").Driver(0, ""), nil)
	require.ErrorContains(t, err, "there is no folder nowhere")
	require.ErrorContains(t, err, "0 cores are none")

	schedules := NewScheduleClient(c.rest)
	_, err = schedules.BeginCreate(t.Context(), OnSchedule("n", Cron("* *")).Run(Sweep(Command("x"))), nil)
	require.ErrorContains(t, err, "has 2 fields")
	require.ErrorContains(t, err, "create_job: a Sweep job cannot be scheduled")
	_, err = schedules.BeginCreate(t.Context(), OnSchedule("n", Cron("0 2 * * *")).Watch(WatchDeployment("blue").Signal("s", nil)), nil)
	require.ErrorContains(t, err, "create_monitor.monitoring_signals.s: the signal is nil")
	require.ErrorContains(t, err, "is no deployment")
	_, err = OnSchedule("n", Every(1, Day)).Rerun("a").Rerun("b").Build()
	require.ErrorContains(t, err, "a schedule does one thing")
	_, err = schedules.BeginCreate(t.Context(), (*ScheduleBuilder)(nil), nil)
	require.ErrorContains(t, err, "the schedule is nil")
	require.Empty(t, w.calls("PUT "), "nothing is made of what is wrong")
}

func TestParallelBuilderIsAComponent(t *testing.T) {
	w := newWorld(t)
	w.echo(testWorkspace + "/components/")
	w.echo(testWorkspace + "/jobs/")
	code := t.TempDir()
	writeFile(t, filepath.Join(code, "score.py"), "def run(batch): return batch")
	w.answer("GET "+testWorkspace+"/codes/c/versions/1", map[string]any{"id": testWorkspace + "/codes/c/versions/1"})
	c, _ := w.client()
	b := Parallel("score.py").In(azureml.Ref("azureml:e:1")).Over("images").MiniBatch("1kb").AppendRow("scores").Named("score", "2")
	made, err := NewComponentClient(c.rest).Create(t.Context(), b, nil)
	require.NoError(t, err)
	require.EqualValues(t, testWorkspace+"/components/score/versions/2", made.ComponentRef())
	sent := w.calls("PUT " + testWorkspace + "/components/score/versions/2")
	require.Len(t, sent, 1)

	_, err = c.Submit(t.Context(), &PipelineJob{
		Settings: PipelineSettings{DefaultCompute: "serverless"}, Inputs: Inputs{"images": URIFolder("azureml:i:1")},
		Jobs: Nodes{"score": &ParallelNode{Component: b, Inputs: Inputs{"images": Literal("${{parent.inputs.images}}")}}},
	}, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	_, err = NewComponentClient(c.rest).Create(t.Context(), Parallel("").Over("a").Over("a").Concurrent(0), nil)
	for _, want := range []string{"the entry script is required", "input_data: is set twice", "0 is less than 1", "an environment is required"} {
		require.ErrorContains(t, err, want)
	}
}

// A hyperparameter takes the place of the input however the reference to it is written.
func TestSweptInputsInAnySpelling(t *testing.T) {
	j, err := Sweep(Command("x ${{ inputs.lr }} [--again ${{inputs.lr }}] ${{inputs.lr2}}").In(azureml.Ref("azureml:e:1")).Input("lr", Literal(1)).Input("lr2", Literal(2))).
		Uniform("lr", 0, 1).Minimize("loss").Trials(1).Build()
	require.NoError(t, err)
	require.Equal(t, "x ${{search_space.lr}} [--again ${{search_space.lr}}] ${{inputs.lr2}}", j.Trial.Command)
}

// A setting of Spark's may be of any kind, and be said twice.
func TestSparkSettingsOfAnyKind(t *testing.T) {
	_, err := Spark(".", "x.py").Conf("a", []string{"x"}).Conf("a", []string{"x"}).Conf("b", map[string]any{"k": 1}).Conf("b", map[string]any{"k": 2}).Build()
	require.ErrorContains(t, err, "conf.b: is set twice, to map[k:1] and map[k:2]")
	require.NotContains(t, err.Error(), "conf.a")
}

// A recurrence acts at each of its minutes in each of its hours; times that are not all of these are no recurrence.
func TestTimesOfARecurrence(t *testing.T) {
	build := func(r *RecurrenceTrigger) error {
		_, err := OnSchedule("s", r).Rerun("job").Build()
		return err
	}
	half := Every(1, Day).At(8, 0).At(9, 30)
	require.ErrorContains(t, build(half), "8:00 and 9:30 cannot be told by one recurrence, which acts at each of its minutes in each of its hours: 8:00, 8:30, 9:00, 9:30")
	require.NoError(t, build(half.At(9, 0).At(8, 30)))
	require.Equal(t, Every(1, Day).At(8, 0).At(9, 0), Every(1, Day).At(8, 0).At(9, 0).At(8, 0))
	require.ErrorContains(t, build(Every(1, Day).At(24, 0)), "schedule.hours: 24 is not from 0 to 23")
	require.ErrorContains(t, build(Every(1, Day).At(3, 60)), "schedule.minutes: 60 is not from 0 to 59")
	require.ErrorContains(t, build(Every(1, Month).OnDays(32)), "schedule.month_days: 32 is not from -1 to 31")
}
