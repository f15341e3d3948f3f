//go:build unix

package execution

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// sweepJob logs what its command says as the metric "score".
func sweepJob(t *testing.T, line string, more m) json.RawMessage {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	p := m{
		"jobType": "Sweep", "computeId": scope.Child(arm.Computes, "cpu"), "experimentName": "exp", "displayName": "sw",
		"trial":             m{"command": line, "environmentId": scope.AssetID(arm.Environments, "env", "1"), "environmentVariables": m{"EXECUTION_TEST_LOG": "1", "EXE": exe}},
		"searchSpace":       m{"x": []any{"choice", []any{[]any{1, 2, 3}}}},
		"samplingAlgorithm": m{"samplingAlgorithmType": "Grid"},
		"objective":         m{"goal": "maximize", "primaryMetric": "score"},
		"limits":            m{"maxTotalTrials": 10, "maxConcurrentTrials": 2},
		"outputs":           m{"o": m{"jobOutputType": "uri_folder", "assetName": "best"}},
	}
	for k, v := range more {
		p[k] = v
	}
	b, err := json.Marshal(p)
	require.NoError(t, err)
	return b
}

func TestSweep(t *testing.T) {
	w := newWorld(t)
	r := w.run("s", sweepJob(t, `"$EXE" score 0 ${{search_space.x}} 0.5; echo ${{search_space.x}} >${{outputs.o}}/x`, nil))
	require.Nil(t, r.Error)
	require.Equal(t, Completed, r.Status)
	children, err := w.e.Children(t.Context(), scope, "s")
	require.NoError(t, err)
	require.Len(t, children, 3)
	for _, c := range children {
		require.Equal(t, Completed, c.Status)
		require.Equal(t, "s", c.Root)
	}
	require.Equal(t, "s_2", r.Properties["best_child_run_id"])
	require.Equal(t, "3", r.Properties["score"])
	require.JSONEq(t, `{"name": "score", "goal": "maximize"}`, r.Properties["primary_metric_config"])
	require.Equal(t, []string{"HyperDrive", "hyperdrive", "dcid.s_2"}, []string{r.Properties["runTemplate"], r.Properties["azureml.runsource"], r.Properties["best_data_container_id"]})
	require.Len(t, w.registered, 1, "the best trial's alone")
	require.Equal(t, "3\n", w.get(scope.BlobContainer(), "azureml/s_2/o/x"))
	require.Equal(t, r.Outputs["o"].URI, scope.DatastoreURI(arm.BlobStore, "azureml/s_2/o/"))
	run, err := w.tracking.Run(t.Context(), scope.Key(), "s_1")
	require.NoError(t, err)
	require.Equal(t, "2", run.Params["x"])
	require.JSONEq(t, `{"x": 2}`, run.Tags["hyperparameters"])
	require.Equal(t, "s", run.Parent)
	require.Equal(t, []string{hyperdriveLog}, r.Logs)
	log := w.get(arm.ArtifactContainer, arm.RunPrefix("s")+"/"+hyperdriveLog)
	for _, line := range []string{
		`[API][INFO]Experiment created`, `[SCHEDULER][INFO]Successfully scheduled a job. Id='s_1', values={"x":2}`, `[GENERATOR][INFO]All combinations of values are sampled, with '3' jobs.`,
		`[CONTROLLER][INFO]Job 's_2' ended as Completed; its best value of score is 3.`, `is 'ExperimentStatus.FINISHED'. The best job is 's_2' with 3.`,
	} {
		require.Contains(t, log, line)
	}
}

func TestSweepPolicyEndsTrials(t *testing.T) {
	w := newWorld(t)
	w.nodes = 3
	r := w.run("s", sweepJob(t, `PAUSE=20ms "$EXE" score $(for i in $(seq 80); do echo ${{search_space.x}}; done)`, m{
		"searchSpace":      m{"x": []any{"choice", []any{[]any{1, 50, 100}}}},
		"limits":           m{"maxTotalTrials": 3, "maxConcurrentTrials": 3},
		"earlyTermination": m{"policyType": "Bandit", "slackFactor": 0.1, "delayEvaluation": 5, "evaluationInterval": 1},
	}))
	require.Equal(t, Completed, r.Status, r.Error)
	require.Equal(t, "s_2", r.Properties["best_child_run_id"])
	for _, n := range []string{"s_0", "s_1"} {
		c, err := w.e.Record(t.Context(), scope, n)
		require.NoError(t, err)
		require.Equal(t, Canceled, c.Status)
		require.Contains(t, c.Reason, "early termination policy")
		require.Regexp(t, `ENFORCER\]\[INFO\]Job '`+n+`' is canceled by the early termination policy; its last value of score is (1|50)\.`, w.get(arm.ArtifactContainer, arm.RunPrefix("s")+"/"+hyperdriveLog))
	}
}

func TestSweepThatFails(t *testing.T) {
	w := newWorld(t)
	r := w.run("s", sweepJob(t, "echo no; exit 3", nil))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "status code 3")
	r = w.run("silent", sweepJob(t, "true", nil))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, `No trial logged the metric "score"`)
}

// The best value is that of a trial that fails: another is the best one.
func TestSweepsBestTrialHasNotFailed(t *testing.T) {
	w := newWorld(t)
	r := w.run("s", sweepJob(t, `"$EXE" score ${{search_space.x}}; echo ${{search_space.x}} >${{outputs.o}}/x; [ ${{search_space.x}} != 3 ]`, m{"limits": m{"maxTotalTrials": 3, "maxConcurrentTrials": 1}}))
	require.Equal(t, Completed, r.Status, r.Error)
	require.Equal(t, "s_1", r.Properties["best_child_run_id"])
	require.Equal(t, "2", r.Properties["score"])
	require.Contains(t, r.Outputs["o"].URI, "azureml/s_1/o/")
	r = w.run("none", sweepJob(t, `"$EXE" score ${{search_space.x}}; false`, nil))
	require.Equal(t, Failed, r.Status)
	require.NotContains(t, r.Properties, "best_child_run_id")
}

func TestSweepCancel(t *testing.T) {
	w := newWorld(t)
	w.submit("s", sweepJob(t, "sleep 600", nil))
	require.Eventually(t, func() bool {
		c, err := w.e.Children(t.Context(), scope, "s")
		return err == nil && len(c) == 2 && c[0].Status == Running
	}, waitFor, tick)
	require.NoError(t, w.e.Cancel(t.Context(), scope, "s", "enough"))
	require.Equal(t, Canceled, w.wait("s").Status)
	c, err := w.e.Children(t.Context(), scope, "s")
	require.NoError(t, err)
	for _, r := range c {
		require.Equal(t, Canceled, r.Status)
	}
}

func TestSweepTimeout(t *testing.T) {
	w := newWorld(t)
	r := w.run("s", sweepJob(t, "sleep 600", m{"limits": m{"maxTotalTrials": 3, "maxConcurrentTrials": 1, "timeout": "PT0.3S"}}))
	require.Equal(t, Canceled, r.Status)
	require.Contains(t, r.Error.Message, "the sweep ran longer")
}

// A trial that runs longer than it may is canceled; the others go on.
func TestTrialTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run("s", sweepJob(t, `"$EXE" score ${{search_space.x}}; [ ${{search_space.x}} = 3 ] && sleep 600; true`, m{"limits": m{"maxTotalTrials": 3, "maxConcurrentTrials": 1, "trialTimeout": "PT3S"}}))
	require.Equal(t, Completed, r.Status, "%v", r.Error)
	c, err := w.e.Record(t.Context(), scope, "s_2")
	require.NoError(t, err)
	require.Equal(t, Canceled, c.Status, "%v", c.Error)
	require.Equal(t, "s_2", r.Properties["best_child_run_id"], "what it logged counts")
}

// One trial that fails is not the sweep's end; with a limit of concurrency no more than so many run.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.nodes = 4
	r := w.run("s", sweepJob(t, `"$EXE" score ${{search_space.x}} && [ ${{search_space.x}} != 3 ]`, m{"limits": m{"maxTotalTrials": 10, "maxConcurrentTrials": 1}}))
	require.Equal(t, Completed, r.Status, "%v", r.Error)
	children, err := w.e.Children(t.Context(), scope, "s")
	require.NoError(t, err)
	require.Len(t, children, 3)
	require.Equal(t, []string{Completed, Completed, Failed}, []string{children[0].Status, children[1].Status, children[2].Status})
	for i, c := range children[1:] {
		require.False(t, c.Created.Before(children[i].Ended), "one after the other")
	}
}

// What the policy has is every trial's values as they come; median stopping and truncation end some of them.
func TestSweepPolicies(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]m{
		"median":     {"policyType": "MedianStopping", "delayEvaluation": 5, "evaluationInterval": 1},
		"truncation": {"policyType": "TruncationSelection", "truncationPercentage": 40, "delayEvaluation": 5, "evaluationInterval": 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.nodes = 3
			// The worst is the slowest, so that there is something to compare it with.
			r := w.run("s", sweepJob(t, `[ ${{search_space.x}} = 1 ] && export PAUSE=100ms; PAUSE=${PAUSE:-10ms} "$EXE" score $(for i in $(seq 60); do echo ${{search_space.x}}; done)`, m{
				"searchSpace": m{"x": []any{"choice", []any{[]any{1, 50, 100}}}}, "limits": m{"maxTotalTrials": 3, "maxConcurrentTrials": 3}, "earlyTermination": policy,
			}))
			require.Equal(t, Completed, r.Status, "%v", r.Error)
			require.Equal(t, "s_2", r.Properties["best_child_run_id"])
			worst, err := w.e.Record(t.Context(), scope, "s_0")
			require.NoError(t, err)
			require.Equal(t, Canceled, worst.Status, "%v", worst.Error)
			best, err := w.e.Record(t.Context(), scope, "s_2")
			require.NoError(t, err)
			require.Equal(t, Completed, best.Status)
		})
	}
}

func TestBadSweeps(t *testing.T) {
	w := newWorld(t)
	for target, more := range map[string]m{
		"properties.searchSpace":             {"searchSpace": m{}},
		"properties.samplingAlgorithm":       {"samplingAlgorithm": m{"samplingAlgorithmType": "Guess"}},
		"properties.objective.goal":          {"objective": m{"goal": "up", "primaryMetric": "score"}},
		"properties.objective.primaryMetric": {"objective": m{"goal": "minimize"}},
		"properties.limits.maxTotalTrials":   {"limits": m{}},
		"properties.limits.trialTimeout":     {"limits": m{"maxTotalTrials": 1, "trialTimeout": "x"}},
		"properties.earlyTermination":        {"earlyTermination": m{"policyType": "Dice"}},
		"properties.trial.environmentId":     {"trial": m{"command": "x", "environmentId": "azureml:nope:1"}},
		"properties.trial.command":           {"trial": m{"command": "${{search_space.y}}", "environmentId": scope.AssetID(arm.Environments, "env", "1")}},
	} {
		err := arm.As(w.e.Check(t.Context(), scope, "s", sweepJob(t, "true", more)))
		require.Equal(t, 400, err.Status)
		require.Equal(t, target, err.Target, strconv.Quote(err.Message))
	}
}
