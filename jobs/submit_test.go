package jobs

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
)

// accept makes the world take any job and answer it.
func (w *world) accept(name string) {
	w.answer("GET "+testWorkspace+"/computes/cpu", map[string]any{"properties": map[string]any{"computeType": "AmlCompute"}})
	w.handle("PUT "+testWorkspace+"/jobs/"+name, func(rw http.ResponseWriter, r *http.Request) {
		call := w.calls("PUT " + testWorkspace + "/jobs/")
		doc := call[len(call)-1].body
		props := doc["properties"].(map[string]any)
		props["status"] = "NotStarted"
		doc["id"], doc["name"] = testWorkspace+"/jobs/"+name, name
		writeJSON(rw, http.StatusCreated, doc)
	})
}

func TestSubmit(t *testing.T) {
	w := newWorld(t)
	w.accept("a")
	c, _ := w.client()
	in := Inputs{"lr": Literal(0.5)}
	j := &CommandJob{
		Name: "a", Command: "x {inputs.lr}", Environment: azureml.Ref("azureml:e:1"), Compute: "cpu", Inputs: in,
		Identity: azureml.Identity{User: &azureml.UserIdentity{}},
	}
	run, err := c.Submit(t.Context(), j, &SubmitOptions{Dir: t.TempDir(), NoGit: true, Experiment: "exp"})
	require.NoError(t, err)
	require.Equal(t, NotStarted, run.Status)
	require.Equal(t, "a", run.Name)
	require.IsType(t, &CommandJob{}, run.Spec)
	require.Empty(t, j.Experiment, "the job given is not changed")
	require.Equal(t, azureml.Ref("azureml:e:1"), j.Environment)

	put := w.calls("PUT ")
	require.Len(t, put, 1)
	require.Equal(t, "api-version=2025-01-01-preview", put[0].query)
	require.Equal(t, "token for https://ml.azure.com/.default", put[0].header.Get("X-Azureml-Token"))
	require.Equal(t, map[string]any{"properties": map[string]any{
		"jobType": "Command", "isArchived": false, "command": "x ${{inputs.lr}}", "displayName": "a", "experimentName": "exp",
		"environmentId": testWorkspace + "/environments/e/versions/1", "computeId": testWorkspace + "/computes/cpu",
		"environmentVariables": map[string]any{}, "tags": map[string]any{}, "properties": map[string]any{}, "outputs": map[string]any{},
		"inputs": map[string]any{"lr": map[string]any{"jobInputType": "literal", "value": "0.5"}}, "identity": map[string]any{"identityType": "UserIdentity"},
		"status": "NotStarted", // the world's
	}}, map[string]any{"properties": put[0].body["properties"]})
}

func TestSubmitNamesJobs(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	j := &CommandJob{Command: "x", Environment: azureml.Ref("azureml:e:1")}
	_, err := c.Submit(t.Context(), j, &SubmitOptions{Dir: t.TempDir()})
	require.ErrorContains(t, err, "404")
	put := w.calls("PUT ")
	require.Len(t, put, 1)
	name := put[0].path[strings.LastIndexByte(put[0].path, '/')+1:]
	require.Regexp(t, `^[a-z]+_[a-z]+_[a-z0-9]{10}$`, name)
	require.Equal(t, name, put[0].body["properties"].(map[string]any)["displayName"])
	require.Equal(t, "001", put[0].body["properties"].(map[string]any)["experimentName"])
	require.Empty(t, put[0].header.Get("X-Azureml-Token"))
	require.Empty(t, j.Name)
}

// Everything that is wrong comes at once, names its field, and nothing is sent but look-ups.
func TestSubmitFaults(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.Mkdir(empty, 0o777))
	file := filepath.Join(dir, "rows.csv")
	require.NoError(t, os.WriteFile(file, []byte("a,b"), 0o666))
	j := &CommandJob{
		Name: "bad name", Command: "x ${{inputs.none}} ${{outputs.gone}} [${{inputs.optional}}] ${{inputs.unset}}", Code: Folder(empty), Compute: "missing",
		Inputs: Inputs{
			"data": URIFolder(filepath.Join(dir, "nowhere")), "1st": Literal(1), "kind": URIFolder(file), "folder": URIFile(dir), "both": {Value: 1, Path: "x"},
			"odd": {Value: []int{1}}, "unset": {}, "optional": {},
		},
		Outputs:  Outputs{"out put": {}, "v": {Version: "1"}},
		Limits:   &CommandLimits{Timeout: 1500 * time.Millisecond},
		Services: Services{"s": {Type: JupyterLab, Nodes: "one"}},
	}
	_, err := c.Submit(t.Context(), j, nil)
	require.ErrorContains(t, err, `jobs: submit "bad name": `)
	want := map[string]string{
		"name": "letters, digits", "code": "is empty", "environment": "required", "compute": `no compute "missing"`, "inputs.1st": "letters, digits",
		"inputs.data.path": "no file or folder", "inputs.kind.path": "use uri_file", "inputs.folder.path": "use uri_folder", "inputs.both": "both a literal", "inputs.odd": "[]int",
		"outputs.out put": "letters, digits", "outputs.v": "a version needs a name", "limits.timeout": "whole seconds", "services.s": "nodes is",
	}
	got := map[string]string{}
	var faults azureml.Faults
	require.ErrorAs(t, err, &faults)
	var command []string
	for _, f := range faults {
		if f.Field == "command" {
			command = append(command, f.Message)
			continue
		}
		got[f.Field] = f.Message
	}
	for field, part := range want {
		require.Contains(t, got[field], part, field)
		delete(got, field)
	}
	require.Empty(t, got)
	require.Len(t, command, 3)
	require.Contains(t, command[0], "${{inputs.none}} is no input of the job; its inputs are ")
	require.Contains(t, command[1], "${{inputs.unset}} has no value")
	require.Contains(t, command[2], "${{outputs.gone}} is no output of the job")
	for _, s := range w.calls("") {
		require.Equal(t, http.MethodGet, s.method, s.path)
	}

	_, err = c.Submit(t.Context(), &CommandJob{}, nil)
	require.ErrorContains(t, err, "command: a command is required")
	_, err = c.Submit(t.Context(), nil, nil)
	require.ErrorContains(t, err, "there is no job")
	_, err = c.Submit(t.Context(), (*CommandJob)(nil), nil)
	require.ErrorContains(t, err, "nil")
	_, err = c.Submit(t.Context(), &UnknownJob{}, nil)
	require.ErrorContains(t, err, "cannot be submitted")
	require.Error(t, c.Validate(t.Context(), j, nil))
}

// A label that does not exist stops a submission before anything is uploaded.
func TestSubmitResolvesBeforeItUploads(t *testing.T) {
	w := newWorld(t)
	w.accept("a")
	w.answer("GET "+testWorkspace+"/environments/e/versions", map[string]any{"value": []any{map[string]any{"id": testWorkspace + "/environments/e/versions/3"}}})
	c, _ := w.client()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.py"), []byte("1"), 0o666))
	j := &CommandJob{Name: "a", Command: "x", Code: Folder(dir), Environment: azureml.Ref("azureml:e@latest"), Compute: "cpu", Inputs: Inputs{"d": URIFolder("azureml:gone@latest"), "f": URIFolder(dir)}}
	_, err := c.Submit(t.Context(), j, nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.ErrorContains(t, err, "inputs.d")
	for _, s := range w.calls("") {
		require.Equal(t, http.MethodGet, s.method, s.path)
	}
}

func TestBuilder(t *testing.T) {
	b := Command("./train --lr ${{inputs.lr}}").Named("n").GoCode("./cmd/train").On("cpu").In(azureml.Ref("azureml:e:1")).
		Input("lr", Literal(0.01)).Output("model", OutputModel()).Env("A", "b").Tag("t", "u").Experiment("e").Display("d").Describe("text").
		Timeout(time.Hour).Nodes(2, Distribution{MPI: &MPI{ProcessCountPerInstance: 1}}).Service("lab", Service{Type: JupyterLab}).
		Queue(Queue{Tier: TierSpot}).As(azureml.Identity{AMLToken: &azureml.AMLTokenIdentity{}})
	j, err := b.Build()
	require.NoError(t, err)
	require.Equal(t, &CommandJob{
		Name: "n", Command: "./train --lr ${{inputs.lr}}", Code: Code{Go: &GoProgram{Package: "./cmd/train"}}, Compute: "cpu", Environment: azureml.Ref("azureml:e:1"),
		Inputs: Inputs{"lr": Literal(0.01)}, Outputs: Outputs{"model": OutputModel()}, EnvironmentVariables: Variables{"A": "b"}, Tags: map[string]string{"t": "u"},
		Experiment: "e", DisplayName: "d", Description: "text", Limits: &CommandLimits{Timeout: time.Hour}, Resources: &azureml.Resources{InstanceCount: 2},
		Distribution: Distribution{MPI: &MPI{ProcessCountPerInstance: 1}}, Services: Services{"lab": {Type: JupyterLab}}, Queue: &Queue{Tier: TierSpot},
		Identity: azureml.Identity{AMLToken: &azureml.AMLTokenIdentity{}},
	}, j)
	again, err := b.Build()
	require.NoError(t, err)
	require.Equal(t, j, again)
	again.Inputs["lr"] = Literal(1)
	require.Equal(t, Literal(0.01), j.Inputs["lr"], "each build is its own")

	_, err = Command("x").Named("a b").Code("a").GoCode("b").Input("a", Literal(1)).Input("a", Literal(2)).Input("b c", Literal(1)).Output("o", Output{Version: "1"}).
		Env("", "x").Env("k", "1").Env("k", "2").Timeout(-1).Nodes(0, Distribution{}).Service("s", Service{LogDir: "x"}).GoProgram(nil).Tag("a", "1").Tag("a", "2").Build()
	var faults azureml.Faults
	require.ErrorAs(t, err, &faults)
	require.Len(t, faults, 12, "%v", err)

	c, _ := newWorld(t).client()
	_, err = c.Submit(t.Context(), Command("x").Named("a b"), nil)
	require.ErrorContains(t, err, "name: ")
}

func TestGoCodePlatform(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	r := &resolver{c: c, op: "t", o: &SubmitOptions{}}
	w.answer("GET "+testWorkspace+"/computes/cpu", map[string]any{"properties": map[string]any{}})
	w.answer("GET "+testWorkspace+"/computes/arm", map[string]any{"tags": map[string]any{"goos": "linux", "goarch": "arm64"}, "properties": map[string]any{}})
	for compute, want := range map[string]platform{"cpu": azurePlatform, "azureml:arm": {"linux", "arm64"}, "": azurePlatform, "serverless": azurePlatform} {
		p, err := r.platform(t.Context(), compute)
		require.NoError(t, err)
		require.Equal(t, want, p, compute)
	}
	w.answer("GET "+testWorkspace, map[string]any{"tags": map[string]any{"goos": "darwin", "goarch": "arm64"}, "properties": map[string]any{}})
	c, _ = w.client()
	p, err := (&resolver{c: c, op: "t"}).platform(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, platform{"darwin", "arm64"}, p)
}

func TestComputeIDs(t *testing.T) {
	c, _ := newWorld(t).client()
	r := &resolver{c: c}
	for in, want := range map[string]string{
		"": "", "cpu": testWorkspace + "/computes/cpu", "azureml:cpu": testWorkspace + "/computes/cpu", testWorkspace + "/computes/cpu": testWorkspace + "/computes/cpu",
		"azureml:" + testWorkspace + "/computes/cpu": testWorkspace + "/computes/cpu", "serverless": testWorkspace + "/computes/serverless", "<Enter>": testWorkspace + "/computes/<Enter>",
		"${{parent.inputs.c}}": "${{parent.inputs.c}}", "/subscriptions/other/x/computes/y": "/subscriptions/other/x/computes/y",
		"azureml:virtualclusters/vc": strings.TrimSuffix(testWorkspace, "workspaces/ws") + "virtualclusters/vc",
	} {
		require.Equal(t, want, r.compute(in), in)
	}
}

func TestYAMLEnvironmentIsAnonymous(t *testing.T) {
	j := load(t, "command: x\nenvironment: {name: e, version: 3, image: ubuntu}").(*CommandJob)
	require.Equal(t, &assets.Environment{Image: "ubuntu"}, j.Environment)
}
