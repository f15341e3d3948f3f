//go:build unix

package execution

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// componentOf stores a command component and returns its id.
func (w *world) componentOf(name, line string, inputs, outputs m) string {
	id := scope.AssetID("components", name, "1")
	w.document(id, m{"componentSpec": m{"name": name, "type": "command", "command": line, "environment": "azureml:" + scope.AssetID(arm.Environments, "env", "1"), "inputs": inputs, "outputs": outputs}})
	return id
}

func binding(text string) m { return m{"job_input_type": "literal", "value": text} }

// child is the name of a step's job.
func child(pipeline, step string) string {
	return childName(&Record{Scope: scope, Name: pipeline}, step, -1)
}

func pipelineJob(jobs m, more m) json.RawMessage {
	p := m{"jobType": "Pipeline", "experimentName": "exp", "jobs": jobs, "settings": m{"default_compute": scope.Child(arm.Computes, "cpu")}}
	for k, v := range more {
		p[k] = v
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return b
}

var (
	folder  = m{"type": "uri_folder"}
	integer = m{"type": "integer"}
)

func TestPipeline(t *testing.T) {
	w := newWorld(t)
	gen := w.componentOf("gen", "echo ${{inputs.n}} >${{outputs.o}}/n", m{"n": integer}, m{"o": folder})
	add := w.componentOf("add", "echo $(( $(cat ${{inputs.a}}/n) + $(cat ${{inputs.b}}/n) + ${{inputs.c}} )) $[[${{inputs.none}}]] >${{outputs.o}}/n",
		m{"a": folder, "b": folder, "c": m{"type": "integer", "default": "100"}, "none": m{"type": "string", "optional": true}}, m{"o": folder})
	r := w.run("p", pipelineJob(m{
		"one": m{"type": "command", "componentId": gen, "inputs": m{"n": binding("${{parent.inputs.first}}")}},
		"two": m{"type": "command", "componentId": gen, "inputs": m{"n": binding("2")}},
		"sum": m{"type": "command", "componentId": add, "inputs": m{"a": binding("${{parent.jobs.one.outputs.o}}"), "b": binding("${{parent.jobs.two.outputs.o}}")},
			"outputs": m{"o": m{"type": "literal", "value": "${{parent.outputs.total}}"}}},
	}, m{"inputs": m{"first": m{"jobInputType": "literal", "value": "40"}}, "outputs": m{"total": m{"jobOutputType": "uri_folder", "assetName": "total"}}}))
	require.Nil(t, r.Error)
	require.Equal(t, Completed, r.Status)
	require.Equal(t, "142\n", strings.ReplaceAll(w.get(scope.BlobContainer(), "azureml/p/total/n"), " ", ""))
	require.Equal(t, scope.DatastoreURI(arm.BlobStore, "azureml/p/total/"), r.Outputs["total"].URI)
	require.Len(t, w.registered, 1)
	c, err := w.e.Children(t.Context(), scope, "p")
	require.NoError(t, err)
	require.Len(t, c, 3)
	sum, err := w.e.Record(t.Context(), scope, child("p", "sum"))
	require.NoError(t, err)
	for _, n := range []string{child("p", "one"), child("p", "two")} {
		r, err := w.e.Record(t.Context(), scope, n)
		require.NoError(t, err)
		require.False(t, sum.Started.Before(r.Ended), "a step follows what it reads")
		require.Equal(t, "p", r.Root)
	}
	run, err := w.tracking.Run(t.Context(), scope.Key(), child("p", "sum"))
	require.NoError(t, err)
	require.Equal(t, "sum", run.Name)
	require.Equal(t, "p", run.Parent)
}

func TestNestedPipelineAndSweepStep(t *testing.T) {
	w := newWorld(t)
	exe, err := os.Executable()
	require.NoError(t, err)
	gen := w.componentOf("gen", "echo ${{inputs.n}} >${{outputs.o}}/n", m{"n": integer}, m{"o": folder})
	inner := scope.AssetID("components", "inner", "1")
	w.document(inner, m{"componentSpec": m{"name": "inner", "type": "pipeline", "inputs": m{"k": integer}, "outputs": m{"deep": folder}, "jobs": m{
		"g": m{"type": "command", "componentId": gen, "inputs": m{"n": binding("${{parent.inputs.k}}")}, "outputs": m{"o": m{"type": "literal", "value": "${{parent.outputs.deep}}"}}},
	}}})
	trial := w.componentOf("trial", `"`+exe+`" score $(( $(cat ${{inputs.base}}/n) + ${{inputs.x}} )); echo ${{inputs.x}} >${{outputs.model}}/x`, m{"base": folder, "x": integer}, m{"model": folder})
	r := w.run("p", pipelineJob(m{
		"in": m{"type": "pipeline", "componentId": inner, "inputs": m{"k": binding("5")}},
		"tune": m{"type": "sweep", "trial": m{"componentId": trial}, "inputs": m{"base": binding("${{parent.jobs.in.outputs.deep}}")}, "search_space": m{"x": m{"type": "choice", "values": []int{1, 7, 3}}},
			"sampling_algorithm": "grid", "objective": m{"goal": "maximize", "primary_metric": "score"}, "limits": m{"max_total_trials": 5, "timeout": 60}, "environment_variables": m{"EXECUTION_TEST_LOG": "1"},
			"outputs": m{"model": m{"type": "literal", "value": "${{parent.outputs.best}}"}}},
	}, m{"outputs": m{"best": m{"jobOutputType": "uri_folder"}}}))
	require.Nil(t, r.Error)
	require.Equal(t, Completed, r.Status)
	tune, err := w.e.Record(t.Context(), scope, child("p", "tune"))
	require.NoError(t, err)
	require.Equal(t, "12", tune.Properties["score"])
}

func TestPipelineFailure(t *testing.T) {
	w := newWorld(t)
	bad := w.componentOf("bad", "echo the cause; exit 5", nil, m{"o": folder})
	slow := w.componentOf("slow", "sleep 600", nil, nil)
	quick := w.componentOf("quick", "echo ok >${{outputs.o}}/x", nil, m{"o": folder})
	after := w.componentOf("after", "true", m{"a": folder}, nil)
	jobs := m{
		"bad":   m{"type": "command", "componentId": bad},
		"slow":  m{"type": "command", "componentId": slow},
		"after": m{"type": "command", "componentId": after, "inputs": m{"a": binding("${{parent.jobs.bad.outputs.o}}")}},
	}
	r := w.run("p", pipelineJob(jobs, nil))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "The step bad failed")
	require.Contains(t, r.Error.Message, "the cause")
	s, err := w.e.Record(t.Context(), scope, child("p", "slow"))
	require.NoError(t, err)
	require.Equal(t, Canceled, s.Status)
	_, err = w.e.Record(t.Context(), scope, child("p", "after"))
	require.Error(t, err, "it never began")

	delete(jobs, "slow")
	jobs["quick"] = m{"type": "command", "componentId": quick}
	jobs["then"] = m{"type": "command", "componentId": after, "inputs": m{"a": binding("${{parent.jobs.quick.outputs.o}}")}}
	r = w.run("q", pipelineJob(jobs, m{"settings": m{"default_compute": scope.Child(arm.Computes, "cpu"), "continue_on_step_failure": true}}))
	require.Equal(t, Failed, r.Status)
	then, err := w.e.Record(t.Context(), scope, child("q", "then"))
	require.NoError(t, err)
	require.Equal(t, Completed, then.Status, "what does not depend on the failure goes on")
}

func TestPipelineCancel(t *testing.T) {
	w := newWorld(t)
	slow := w.componentOf("slow", "sleep 600", nil, nil)
	w.submit("p", pipelineJob(m{"a": m{"type": "command", "componentId": slow}, "b": m{"type": "command", "componentId": slow}}, nil))
	require.Eventually(t, func() bool {
		a, err := w.e.Record(t.Context(), scope, child("p", "a"))
		return err == nil && a.Status == Running
	}, waitFor, tick)
	require.NoError(t, w.e.Cancel(t.Context(), scope, "p", "enough"))
	require.Equal(t, Canceled, w.wait("p").Status)
	for _, n := range []string{child("p", "a"), child("p", "b")} {
		require.Equal(t, Canceled, w.wait(n).Status)
	}
}

// Steps that do not depend on each other run side by side, up to the slots.
func TestPipelineWidth(t *testing.T) {
	w := newWorld(t)
	w.nodes = 3
	meet := w.componentOf("meet", `touch "`+w.dir+`/here.${{inputs.n}}"; while [ $(ls "`+w.dir+`" | grep -c here) -lt 3 ]; do sleep 0.01; done`, m{"n": m{"type": "string"}}, nil)
	jobs := m{}
	for _, n := range []string{"a", "b", "c"} {
		jobs[n] = m{"type": "command", "componentId": meet, "inputs": m{"n": binding(n)}}
	}
	require.Equal(t, Completed, w.run("p", pipelineJob(jobs, nil)).Status)
	require.FileExists(t, filepath.Join(w.dir, "here.c"))
}

func TestBadPipelines(t *testing.T) {
	w := newWorld(t)
	c := w.componentOf("c", "true", m{"a": folder}, m{"o": folder})
	ref := func(s string) m { return m{"type": "command", "componentId": c, "inputs": m{"a": binding(s)}} }
	for want, jobs := range map[string]m{
		`there is no step "nope"`:                      {"x": ref("${{parent.jobs.nope.outputs.o}}")},
		`the step "y" has no output "p"`:               {"x": ref("${{parent.jobs.y.outputs.p}}"), "y": ref("${{parent.inputs.d}}")},
		`the pipeline has no input "nope"`:             {"x": ref("${{parent.inputs.nope}}")},
		"x → y → x":                                    {"x": ref("${{parent.jobs.y.outputs.o}}"), "y": ref("${{parent.jobs.x.outputs.o}}")},
		`the component's input "a" is required`:        {"x": m{"type": "command", "componentId": c}},
		`the component has no input "z"`:               {"x": m{"type": "command", "componentId": c, "inputs": m{"a": binding("${{parent.inputs.d}}"), "z": binding("1")}}},
		`the pipeline has no output "out"`:             {"x": m{"type": "command", "componentId": c, "inputs": m{"a": binding("${{parent.inputs.d}}")}, "outputs": m{"o": m{"value": "${{parent.outputs.out}}"}}}},
		`runs no steps of type "flow"`:                 {"x": m{"type": "flow", "componentId": c}},
		"trains no AutoML models":                      {"x": m{"type": "automl", "task": "regression"}},
		"the pipeline has no steps":                    {},
		`The component version "nope:1" was not found`: {"x": m{"type": "command", "componentId": "azureml:nope:1"}},
		"The datastore \"none\" was not found":         {"x": ref("azureml://datastores/none/paths/x")},
	} {
		err := arm.As(w.e.Check(t.Context(), scope, "p", pipelineJob(jobs, m{"inputs": m{"d": m{"jobInputType": "uri_folder", "uri": "azureml://datastores/workspaceblobstore/paths/x"}}})))
		all := err.Message
		for _, d := range err.Details {
			all += "\n" + d.Message
		}
		require.Contains(t, all, want)
		require.Equal(t, 400, err.Status)
	}
}
