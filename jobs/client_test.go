package jobs

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestGet(t *testing.T) {
	w := newWorld(t)
	w.job("a", Running)
	c, _ := w.client()
	run, err := c.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "exp", run.Experiment)
	require.Equal(t, map[string]string{"a": "b"}, run.Tags)
	require.Equal(t, time.Date(2026, 1, 1, 0, 0, 5, 123456700, time.UTC), run.Start)
	require.Equal(t, "x", run.Spec.(*CommandJob).Command)
	require.Equal(t, time.Minute, run.Duration(time.Time{}))
	_, err = c.Get(t.Context(), "none")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.ErrorContains(t, err, `jobs: get "none"`)
	_, err = c.Get(t.Context(), "")
	require.ErrorContains(t, err, "a name is empty")
}

// The resource manager answers a pipeline's child without properties.
func TestGetChild(t *testing.T) {
	w := newWorld(t)
	w.answer("GET "+testWorkspace+"/jobs/child", map[string]any{"id": testWorkspace + "/jobs/child", "name": "child", "properties": nil})
	w.answer("GET "+testHistory+"/runs/child/details", map[string]any{"runId": "child", "status": "Completed", "parentRunId": "p", "rootRunId": "p", "runType": "azureml.StepRun",
		"tags": map[string]any{"n": 3, "z": nil}, "warnings": []any{map[string]any{"message": "careful"}}})
	c, _ := w.client()
	run, err := c.Get(t.Context(), "child")
	require.NoError(t, err)
	require.Nil(t, run.Spec)
	require.Equal(t, Completed, run.Status)
	require.Equal(t, "p", run.Parent)
	require.Equal(t, map[string]string{"n": "3", "z": ""}, run.Tags)
	require.Equal(t, []string{"careful"}, run.Warnings)
}

func TestAll(t *testing.T) {
	w := newWorld(t)
	page := 0
	w.handle("GET "+testWorkspace+"/jobs", func(rw http.ResponseWriter, r *http.Request) {
		doc := map[string]any{"value": []any{map[string]any{"name": "a", "properties": map[string]any{"jobType": "Command", "status": "Completed"}}, map[string]any{"name": "b", "properties": map[string]any{"jobType": "Later", "status": "Running"}}}}
		if page++; page == 1 {
			doc["nextLink"] = "https://management.azure.com" + testWorkspace + "/jobs?api-version=x&$skip=2"
		}
		writeJSON(rw, http.StatusOK, doc)
	})
	c, _ := w.client()
	n := 0
	for run, err := range c.All(t.Context(), &AllOptions{Type: "Command", Tag: "a=b", ScheduleID: "s"}) {
		require.NoError(t, err)
		require.NotNil(t, run.Spec)
		n++
	}
	require.Equal(t, 4, n)
	q := w.calls("GET " + testWorkspace + "/jobs")[0].query
	require.Equal(t, "api-version=2024-01-01-preview&jobType=Command&listViewType=ActiveOnly&scheduleId=s&scheduled=true&tag=a%3Db", q)
}

func TestChildren(t *testing.T) {
	w := newWorld(t)
	w.handle("GET "+testHistory+"/runs/p/children", func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("$continuationtoken") == "" {
			writeJSON(rw, http.StatusOK, map[string]any{"value": []any{map[string]any{"runId": "c1", "status": "Running", "displayName": "prep", "hidden": true}}, "continuationToken": "t"})
			return
		}
		writeJSON(rw, http.StatusOK, map[string]any{"value": []any{map[string]any{"runId": "c2", "status": "Queued", "runType": "azureml.HyperDriveRun"}}})
	})
	c, _ := w.client()
	names := func(o *AllOptions) (out []string) {
		for run, err := range c.All(t.Context(), o) {
			require.NoError(t, err)
			out = append(out, run.Name)
		}
		return out
	}
	require.Equal(t, []string{"c2"}, names(&AllOptions{Parent: "p"}))
	require.Equal(t, []string{"c1"}, names(&AllOptions{Parent: "p", View: Archived}))
	require.Equal(t, []string{"c1", "c2"}, names(&AllOptions{Parent: "p", View: AnyView}))
}

func TestUpdate(t *testing.T) {
	w := newWorld(t)
	w.job("a", Completed)
	c, _ := w.client()
	w.answer("PATCH "+testHistory+"/experiments/exp/runs/a", map[string]any{})
	_, err := c.Update(t.Context(), "a", &Update{DisplayName: new("new"), Tags: map[string]string{"k": "v"}})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"displayName": "new", "tags": map[string]any{"k": "v"}}, w.calls("PATCH ")[0].body)
	require.Empty(t, w.calls("PUT "))

	_, err = c.Update(t.Context(), "a", nil)
	require.ErrorContains(t, err, "nothing to change")

	// Where run history refuses, the job is put as it was, with the change.
	w.handle("PATCH "+testHistory+"/experiments/exp/runs/a", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) })
	w.accept("a")
	_, err = c.Update(t.Context(), "a", &Update{Description: new("text"), Tags: map[string]string{"k": "v"}})
	require.NoError(t, err)
	put := w.calls("PUT ")[0]
	require.Equal(t, "api-version=2025-01-01-preview", put.query)
	props := put.body["properties"].(map[string]any)
	require.Equal(t, map[string]any{"a": "b", "k": "v"}, props["tags"])
	require.Equal(t, "text", props["description"])
	require.Equal(t, "x", props["command"])
}

func TestArchive(t *testing.T) {
	w := newWorld(t)
	w.job("a", Completed)
	c, _ := w.client()
	w.answer("PATCH "+testHistory+"/experiments/exp/runs/a", map[string]any{})
	require.NoError(t, c.Archive(t.Context(), "a"))
	require.NoError(t, c.Restore(t.Context(), "a"))
	calls := w.calls("PATCH ")
	require.Equal(t, map[string]any{"hidden": true}, calls[0].body)
	require.Equal(t, map[string]any{"hidden": false}, calls[1].body)
}

func TestCancelAndDelete(t *testing.T) {
	w := newWorld(t)
	polls := 0
	w.handle("POST "+testWorkspace+"/jobs/a/cancel", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Location", "https://management.azure.com/operations/1")
		rw.Header().Set("Retry-After-Ms", "1")
		rw.WriteHeader(http.StatusAccepted)
	})
	w.handle("GET /operations/1", func(rw http.ResponseWriter, _ *http.Request) {
		if polls++; polls < 3 {
			rw.Header().Set("Location", "https://management.azure.com/operations/1")
			rw.Header().Set("Retry-After-Ms", "1")
			rw.WriteHeader(http.StatusAccepted)
			return
		}
		writeJSON(rw, http.StatusOK, map[string]any{})
	})
	w.handle("DELETE "+testWorkspace+"/jobs/a", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) })
	c, _ := w.client()
	require.NoError(t, c.Cancel(t.Context(), "a"))
	require.Equal(t, 3, polls)
	require.NoError(t, c.Delete(t.Context(), "a"))
	require.ErrorIs(t, c.Cancel(t.Context(), "none"), azureml.ErrNotFound)

	w.answer("GET "+testWorkspace+"/jobs", map[string]any{"value": []any{
		map[string]any{"name": "a", "properties": map[string]any{"jobType": "Command", "status": "Running"}},
		map[string]any{"name": "b", "properties": map[string]any{"jobType": "Command", "status": "Completed"}},
	}})
	names, err := c.CancelTagged(t.Context(), "team=x")
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names)
	_, err = c.CancelTagged(t.Context(), "")
	require.Error(t, err)
}

func TestServices(t *testing.T) {
	w := newWorld(t)
	w.answer("GET "+testHistory+"/runs/a/serviceinstances/1", map[string]any{"instances": map[string]any{
		"lab":  map[string]any{"type": "JupyterLab", "port": 8888, "status": "Running", "endpoint": "https://x"},
		"odd":  map[string]any{"type": "Later", "port": "12", "error": map[string]any{"error": map[string]any{"message": "broken"}}},
		"none": nil,
	}})
	c, _ := w.client()
	s, err := c.Services(t.Context(), "a", &ServicesOptions{Node: 1})
	require.NoError(t, err)
	require.Equal(t, Services{"lab": {Type: JupyterLab, Port: 8888, Status: "Running", Endpoint: "https://x"}, "odd": {Type: "Later", Port: 12, Message: "broken"}}, s)
}

// Where outputs are: what run history resolves, what the job says, and the known places.
func TestOutputPlaces(t *testing.T) {
	w := newWorld(t)
	w.job("a", Completed)
	w.answer("POST "+testHistory+"/rundata", map[string]any{"runMetadata": map[string]any{"runId": "a", "outputs": map[string]any{
		"rows": map[string]any{"assetId": "d1", "type": "uri_folder"}, "net": map[string]any{"assetId": "m1", "type": "MLFlowModel"}}}})
	w.answer("POST /data/v1.0"+testWorkspace+"/dataversion/batchGetResolvedUris", map[string]any{"values": map[string]any{"d1": map[string]any{"uri": "azureml://rows", "type": "uri_folder"}}})
	w.answer("POST /modelregistry/v1.0"+testWorkspace+"/models/batchGetResolvedUris", map[string]any{"values": map[string]any{"m1": map[string]any{"path": "azureml://net"}}})
	w.answer("GET "+testWorkspace+"/datastores", map[string]any{"value": []any{map[string]any{"name": "workspaceblobstore", "id": testWorkspace + "/datastores/workspaceblobstore", "properties": map[string]any{"datastoreType": "AzureBlob"}}}})
	c, _ := w.client()
	run, err := c.Get(t.Context(), "a")
	require.NoError(t, err)
	run.Outputs = Outputs{"given": {Path: "azureml://given"}, "pattern": {Path: "azureml://x/${{name}}"}}
	places, err := c.outputs(t.Context(), "op", run, nil)
	require.NoError(t, err)
	require.Equal(t, map[string][]string{
		"rows": {"azureml://rows"}, "net": {"azureml://net"}, "given": {"azureml://given"},
		"default": {"azureml://datastores/workspaceartifactstore/paths/ExperimentRun/dcid.a/"},
		"pattern": {"azureml://datastores/workspaceblobstore/paths/azureml/a/pattern/", "azureml://datastores/workspaceblobstore/paths/dataset/a/pattern/"},
	}, places)
	require.Equal(t, []any{"d1"}, w.calls("POST /data/")[0].body["values"])
	uri, err := c.OutputURI(t.Context(), "a", "net")
	require.NoError(t, err)
	require.Equal(t, "azureml://net", uri)

	w.job("b", Running)
	_, err = c.Download(t.Context(), "b", t.TempDir(), nil)
	require.ErrorContains(t, err, "it is Running")
	_, err = c.Download(t.Context(), "b", "", nil)
	require.ErrorContains(t, err, "not named")
}
