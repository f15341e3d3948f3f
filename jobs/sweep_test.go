package jobs

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

const everySweep = `
type: sweep
trial: {command: "x ${{search_space.lr}} ${{inputs.d}}", environment: azureml:e:1, environment_variables: {A: b}, resources: {instance_count: 2}}
inputs: {d: {type: uri_file, path: "https://example.org/rows.csv"}}
sampling_algorithm: {type: random, seed: 9, rule: sobol, logbase: "10"}
search_space:
  lr: {type: loguniform, min_value: -6, max_value: -1}
  depth: {type: randint, upper: 9}
  a: {type: quniform, min_value: 1, max_value: 9, q: 2}
  b: {type: qloguniform, min_value: 1, max_value: 3, q: 1}
  c: {type: normal, mu: 0, sigma: 1}
  d: {type: qnormal, mu: 5, sigma: 2, q: 1}
  e: {type: lognormal, mu: 0, sigma: 1.5}
  f: {type: qlognormal, mu: 1, sigma: 1, q: 1}
  g: {type: uniform, min_value: 0, max_value: 0.5}
  h: {type: choice, values: [1, x, 0.5, {k: {type: normal, mu: 1, sigma: 2}, l: 3}]}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 8, max_concurrent_trials: 2, timeout: 3600, trial_timeout: 600}
early_termination: {type: bandit, slack_amount: 0.2, evaluation_interval: 1}
`

const everySweepREST = `{"properties": {"jobType": "Sweep", "isArchived": false, "tags": {}, "properties": {}, "outputs": {},
	"trial": {"command": "x ${{search_space.lr}} ${{inputs.d}}", "environmentId": "azureml:e:1", "environmentVariables": {"A": "b"}, "resources": {"instanceCount": 2, "properties": {}}},
	"resources": {"instanceCount": 2, "properties": {}},
	"inputs": {"d": {"jobInputType": "uri_file", "uri": "https://example.org/rows.csv"}},
	"samplingAlgorithm": {"samplingAlgorithmType": "Random", "seed": 9, "rule": "sobol", "logbase": 10},
	"searchSpace": {"lr": ["loguniform", [-6, -1]], "depth": ["randint", [9]], "a": ["quniform", [1, 9, 2]], "b": ["qloguniform", [1, 3, 1]], "c": ["normal", [0, 1]],
		"d": ["qnormal", [5, 2, 1]], "e": ["lognormal", [0, 1.5]], "f": ["qlognormal", [1, 1, 1]], "g": ["uniform", [0, 0.5]],
		"h": ["choice", [[1, "x", 0.5, {"k": ["normal", [1, 2]], "l": 3}]]]},
	"objective": {"goal": "minimize", "primaryMetric": "loss"},
	"limits": {"jobLimitsType": "Sweep", "maxTotalTrials": 8, "maxConcurrentTrials": 2, "timeout": "PT1H", "trialTimeout": "PT10M"},
	"earlyTermination": {"policyType": "Bandit", "slackAmount": 0.2, "slackFactor": 0, "evaluationInterval": 1, "delayEvaluation": 0}}}`

func TestSweepEveryField(t *testing.T) {
	j := load(t, everySweep)
	require.JSONEq(t, everySweepREST, toJSON(t, j))
	text, err := Dump(j)
	require.NoError(t, err)
	require.Equal(t, j, load(t, string(text)), string(text))
	var back Spec
	require.NoError(t, wire.FromREST([]byte(everySweepREST), &back))
	require.JSONEq(t, everySweepREST, toJSON(t, back))
	require.Equal(t, j.(*SweepJob).SearchSpace, back.(*SweepJob).SearchSpace)
}

func TestSweepPolicies(t *testing.T) {
	for text, want := range map[string]string{
		"{type: median_stopping}":                                                            `{"policyType":"MedianStopping","evaluationInterval":1,"delayEvaluation":0}`,
		"{type: MedianStopping, delay_evaluation: 5}":                                        `{"policyType":"MedianStopping","evaluationInterval":1,"delayEvaluation":5}`,
		"{type: truncation_selection, truncation_percentage: 20}":                            `{"policyType":"TruncationSelection","truncationPercentage":20,"evaluationInterval":0,"delayEvaluation":0}`,
		"{type: bandit, slack_factor: 0.1, evaluation_interval: null, delay_evaluation: 10}": `{"policyType":"Bandit","slackFactor":0.1,"slackAmount":0,"evaluationInterval":0,"delayEvaluation":10}`,
	} {
		j := load(t, "type: sweep\ntrial: {command: x, environment: azureml:e:1}\nobjective: {goal: Maximize, primary_metric: m}\nlimits: {max_total_trials: 1}\nsampling_algorithm: Bayesian\nearly_termination: "+text)
		m, err := wire.ToREST(j)
		require.NoError(t, err)
		got, err := json.Marshal(m["properties"].(map[string]any)["earlyTermination"])
		require.NoError(t, err)
		require.JSONEq(t, want, string(got), text)
		require.Equal(t, map[string]any{"samplingAlgorithmType": "Bayesian"}, m["properties"].(map[string]any)["samplingAlgorithm"])
	}
}

func TestSpaceFaults(t *testing.T) {
	for text, want := range map[string]string{
		"{type: uniform, min_value: 1}":                 "max_value",
		"{type: unform, min_value: 1, max_value: 2}":    "uniform",
		"{type: normal, mu: a, sigma: 1}":               "number",
		"{type: normal, mu: 1, sigma: 1, q: 2}":         "unknown field",
		"{type: choice, values: 3}":                     "list",
		"{type: choice, values: [true]}":                "text, a number",
		"[uniform, 1]":                                  "mapping",
		"{type: choice, values: [{a: {type: normal}}]}": "mu",
	} {
		var s Spec
		err := wire.LoadYAML([]byte("type: sweep\ntrial: {command: x, environment: azureml:e:1}\nobjective: {goal: maximize, primary_metric: m}\nlimits: {max_total_trials: 1}\nsearch_space: {lr: "+text+"}"), "", &s, nil)
		require.ErrorContains(t, err, want, text)
	}
	// What is not known is kept as it was.
	raw := `{"properties": {"jobType": "Sweep", "searchSpace": {"x": ["triangular", [1, 2]], "y": ["uniform", ["a"]], "z": {"odd": 1}}}}`
	var s Spec
	require.NoError(t, wire.FromREST([]byte(raw), &s))
	m, err := wire.ToREST(s)
	require.NoError(t, err)
	text, err := json.Marshal(m["properties"].(map[string]any)["searchSpace"])
	require.NoError(t, err)
	require.JSONEq(t, `{"x": ["triangular", [1, 2]], "y": ["uniform", ["a"]], "z": {"odd": 1}}`, string(text))
}

func TestSweepChecks(t *testing.T) {
	j := &SweepJob{
		Trial:       Trial{Command: "x ${{search_space.gone}}", Environment: azureml.Ref("azureml:e:1")},
		SearchSpace: SearchSpace{"a b": Uniform(0, 1), "c": Uniform(2, 1), "d": Choice(), "e": RandInt(0), "f": {Type: "odd"}, "g": Normal(0, -1)},
	}
	c := &checker{}
	j.check(t.Context(), c)
	fields := map[string]bool{}
	for _, f := range c.faults {
		fields[f.Field] = true
	}
	for _, f := range []string{"trial.command", "search_space.a b", "search_space.c", "search_space.d", "search_space.e", "search_space.f", "search_space.g", "objective.goal", "objective.primary_metric", "limits.max_total_trials"} {
		require.True(t, fields[f], f)
	}
}
