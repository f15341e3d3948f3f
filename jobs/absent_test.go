package jobs

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

// Steps and definitions that are nil are told, by Submit too, which works on a copy.
func TestNilStepsAreTold(t *testing.T) {
	one := &CommandNode{Component: azureml.Ref("azureml:k:1")}
	job := &PipelineJob{Settings: PipelineSettings{OnInit: "gone"}, Jobs: Nodes{
		"gone": nil, "typed": (*CommandNode)(nil), "one": one, "two": &CommandNode{Component: (*CommandComponent)(nil), Inputs: Inputs{"a": Literal("${{parent.jobs.one.outputs.o}}")}},
		"three": &CommandNode{Component: azureml.Ref("azureml:k:1"), Inputs: Inputs{"a": Literal("${{parent.jobs.two.outputs.o}}")}},
	}}
	w := newWorld(t)
	c, _ := w.client()
	_, submitted := c.Submit(t.Context(), job, nil)
	for _, err := range []error{Check(job), submitted} {
		for _, want := range []string{"jobs.gone: the step is nil", "jobs.typed: the step is nil", "jobs.two.component: a component is required: the definition is nil", `settings.on_init: there is no step "gone"`} {
			require.ErrorContains(t, err, want)
		}
	}
	require.ErrorContains(t, Check(&PipelineJob{Component: (*PipelineComponent)(nil)}), "component: the component is nil")
	require.ErrorContains(t, CheckComponent((*CommandComponent)(nil)), "the component is nil")
}

// A struct is checked as what builders and files say.
func TestSweepsAreChecked(t *testing.T) {
	j := &SweepJob{
		Trial: Trial{Command: "x", Environment: azureml.Ref("azureml:e:1")}, Sampling: Sampling{Type: "sobol"}, Objective: Objective{"maximise", "auc"},
		Limits:           SweepLimits{MaxTotalTrials: 1, MaxConcurrentTrials: -1},
		EarlyTermination: EarlyTermination{MedianStopping: &MedianStopping{DelayEvaluation: -1}, TruncationSelection: &TruncationSelection{}},
	}
	err := Check(j)
	for _, want := range []string{
		`sampling_algorithm.type: "sobol" is none of`, `objective.goal: "maximise" is neither minimize nor maximize`, "limits.max_concurrent_trials: -1 is negative",
		"early_termination: 2 policies are set", "early_termination.delay_evaluation: -1 is negative", "early_termination.truncation_percentage: 0 is not from 1 to 99",
	} {
		require.ErrorContains(t, err, want)
	}
	j.Sampling = Sampling{Type: GridSampling, Seed: new(3)}
	require.ErrorContains(t, Check(j), "sampling_algorithm: seed, rule and logbase are for random sampling, not grid")
}

const boundSweep = `
type: pipeline
compute: azureml:c
inputs: {n: 3, pct: 20, seconds: 60, goal: minimize, how: random}
jobs:
  tune:
    type: sweep
    trial: {command: "echo ${{inputs.lr}}", environment: "azureml:e:1", inputs: {lr: {type: number}}}
    search_space: {lr: {type: uniform, min_value: 0, max_value: 1}}
    sampling_algorithm: ${{parent.inputs.how}}
    objective: {goal: "${{parent.inputs.goal}}", primary_metric: loss}
    early_termination: {type: truncation_selection, truncation_percentage: "${{parent.inputs.pct}}", evaluation_interval: "${{parent.inputs.n}}"}
    limits: {max_total_trials: "${{parent.inputs.n}}", timeout: "${{parent.inputs.seconds}}"}
`

// What is bound to an input has its value later.
func TestBoundFieldsOfSweepsAreNotMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yml")
	writeFile(t, file, boundSweep)
	job, err := Load(file)
	require.NoError(t, err)
	require.Equal(t, "${{parent.inputs.n}}", job.(*PipelineJob).Jobs["tune"].(*SweepNode).Bindings["limits.max_total_trials"])
	require.NoError(t, Check(job))
}
