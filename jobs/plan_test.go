package jobs

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
)

// twoSteps is a pipeline of two components that are defined in it.
func twoSteps(t *testing.T) (*PipelineJob, string) {
	code := t.TempDir()
	writeFile(t, filepath.Join(code, "prep.sh"), "echo prep\n")
	prep := &CommandComponent{
		Command: "sh prep.sh ${{outputs.out}}", Code: Folder(code), Environment: azureml.Ref("azureml:e@latest"),
		Outputs: ComponentOutputs{"out": {Type: "uri_folder"}},
	}
	return &PipelineJob{Settings: PipelineSettings{DefaultCompute: "serverless"}, Jobs: Nodes{
		"prep":  &CommandNode{Component: prep},
		"train": &CommandNode{Component: azureml.Ref("azureml:train:3"), Inputs: Inputs{"data": Literal("${{parent.jobs.prep.outputs.out}}")}},
	}}, code
}

// planned is a world that has an environment and answers about reuse.
func planned(t *testing.T) (*world, *Client) {
	w := newWorld(t)
	w.answer("GET "+testWorkspace+"/environments/e/versions", map[string]any{"value": []any{map[string]any{"id": testWorkspace + "/environments/e/versions/7", "name": "7"}}})
	w.wild["GET "+testWorkspace+"/codes/"] = func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, 200, map[string]any{"value": []any{}}) }
	c, _ := w.client()
	return w, c
}

func TestPlanOnAzure(t *testing.T) {
	w, c := planned(t)
	job, code := twoSteps(t)
	p, err := c.Plan(t.Context(), job, &SubmitOptions{NoGit: true, Experiment: "exp"})
	require.NoError(t, err)
	require.Empty(t, p.Problems)
	require.Equal(t, []PlannedStep{{Name: "prep", Decision: DecidedByService}, {Name: "train", Decision: DecidedByService}}, p.Steps)
	require.Len(t, p.Uploads, 1)
	require.Equal(t, "jobs.prep.component.code", p.Uploads[0].Field)
	require.Equal(t, []assets.FilePlan{{Name: "prep.sh", Size: 10, Sent: true}}, p.Uploads[0].Files)
	require.EqualValues(t, 10, p.Bytes())
	kinds := map[string]PlannedAsset{}
	for _, a := range p.Assets {
		kinds[a.Kind+" "+a.Given] = a
	}
	require.Equal(t, "7", kinds["environment azureml:e@latest"].Version)
	require.Equal(t, "3", kinds["component azureml:train:3"].Version)
	require.True(t, kinds["component (defined here)"].New)
	for _, call := range w.sent {
		require.Equal(t, http.MethodGet, call.method, call.path)
	}
	text := p.String()
	for _, want := range []string{"Pipeline " + p.Name + " in experiment exp: 10 B to upload", code, "prep.sh", "no snapshot of this content is there", "decided by the service", "e:7", "register"} {
		require.Contains(t, text, want)
	}
}

// A local workspace is asked what it would decide, with placeholders for what is not there yet.
func TestPlanAsksTheLocalWorkspace(t *testing.T) {
	w, c := planned(t)
	w.answer("GET /discovery", map[string]any{"api": "https://eastus.api.azureml.ms", "local": "https://eastus.api.azureml.ms/local/v1.0"})
	w.answer("POST /local/v1.0"+testWorkspace+"/reuse", map[string]any{"steps": []any{
		map[string]any{"name": "prep", "decision": "run", "reason": "its code is not there yet"},
		map[string]any{"name": "train", "decision": "reuse", "reason": "nothing changed", "run": "old_train"},
	}})
	job, _ := twoSteps(t)
	p, err := c.Plan(t.Context(), job, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	require.Equal(t, []PlannedStep{{"prep", RunStep, "its code is not there yet", ""}, {"train", ReuseStep, "nothing changed", "old_train"}}, p.Steps)
	require.Contains(t, p.String(), "nothing changed (old_train)")
	asked := w.calls("POST ")
	require.Len(t, asked, 1)
	steps, ok := asked[0].body["properties"].(map[string]any)["jobs"].(map[string]any)
	require.True(t, ok)
	require.NotContains(t, steps["prep"], "componentId")
	require.Contains(t, steps["prep"].(map[string]any)["component"].(map[string]any)["code"], "planned:", "what is not there yet is in its place")
	require.Equal(t, testWorkspace+"/components/train/versions/3", steps["train"].(map[string]any)["componentId"])
	require.Empty(t, w.calls("PUT "))

	w.handle("POST /local/v1.0"+testWorkspace+"/reuse", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	_, err = c.Plan(t.Context(), job, nil)
	require.ErrorContains(t, err, "jobs: plan ")
}

// Every problem is in the plan, once, and what can be planned in spite of them is.
func TestPlanWithProblems(t *testing.T) {
	_, c := planned(t)
	code := t.TempDir()
	writeFile(t, filepath.Join(code, "x.sh"), "true\n")
	p, err := c.Plan(t.Context(), Command("sh x.sh ${{inputs.no}}").Code(code).In(azureml.Ref("azureml:gone@latest")).
		Input("rows", URIFile("nowhere.csv")).Input("iris", URIFolder("azureml:gone:1")).Named("my job"), &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	text := p.Problems.Error()
	for _, want := range []string{"name: \"my job\"", "command: ${{inputs.no}}", "environment: ", "inputs.rows.path: there is no file", "inputs.iris.path: the workspace has no data"} {
		require.Equal(t, 1, strings.Count(text, want), "%s in\n%s", want, text)
	}
	require.Len(t, p.Uploads, 1)
	require.Equal(t, Undecided, p.Steps[0].Decision)
	require.Contains(t, p.String(), "PROBLEM")
	_, err = c.Plan(t.Context(), nil, nil)
	require.ErrorContains(t, err, "there is no job")
}

// The plan of a pipeline of 10,000 steps asks for each definition once.
func TestPlanOfLargePipeline(t *testing.T) {
	w, c := planned(t)
	job, _ := twoSteps(t)
	prep := job.Jobs["prep"].(*CommandNode).Component
	for i := range 10_000 {
		job.Jobs[fmt.Sprintf("step_%d", i)] = &CommandNode{Component: prep}
	}
	begin := time.Now()
	p, err := c.Plan(t.Context(), job, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	require.Len(t, p.Steps, 10_002)
	require.Len(t, p.Uploads, 1)
	require.Len(t, p.Assets, 3)
	require.Less(t, len(w.sent), 20)
	t.Logf("10,002 steps planned in %v with %d requests", time.Since(begin).Round(time.Millisecond), len(w.sent))
}

// What a step names, and nothing has, is a problem of the plan and of Submit alike.
func TestStepsNameWhatIsThere(t *testing.T) {
	_, c := planned(t)
	job := &PipelineJob{Settings: PipelineSettings{DefaultCompute: "serverless"}, Jobs: Nodes{
		"gone":  &CommandNode{Component: azureml.Ref("azureml:gone:1")},
		"reads": &CommandNode{Component: azureml.Ref("azureml:train:3"), Inputs: Inputs{"rows": URIFolder("azureml:gone:2")}},
		"fine":  &CommandNode{Component: azureml.Ref("azureml:train:3"), Inputs: Inputs{"rows": URIFolder("${{parent.jobs.reads.outputs.o}}")}},
	}}
	p, err := c.Plan(t.Context(), job, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	_, refused := c.Submit(t.Context(), job, &SubmitOptions{NoGit: true})
	for _, text := range []string{p.Problems.Error(), refused.Error()} {
		require.Contains(t, text, `jobs.gone.component: the workspace has no component "gone:1"`)
		require.Contains(t, text, `jobs.reads.inputs.rows.path: the workspace has no data "gone:2"`)
		require.Equal(t, 2, strings.Count(text, "the workspace has no"), text)
	}
}
