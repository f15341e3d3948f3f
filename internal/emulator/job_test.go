package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func command(text string) map[string]any {
	return map[string]any{"properties": map[string]any{"jobType": "Command", "command": text, "environmentId": DefaultScope.AssetID("environments", "sklearn-1.5", "1"), "computeId": DefaultScope.Child("computes", "cpu-cluster"), "experimentName": "exp", "tags": map[string]any{"a": "b"}}}
}

// ended waits for a job.
func (c *client) ended(name string) document {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		d := c.do("GET", at("jobs", name), nil).want(200).doc()
		switch d.text("properties", "status") {
		case "Completed", "Failed", "Canceled":
			return d
		}
		require.True(c.t, time.Now().Before(end), "it takes too long")
	}
}

func needShell(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		if _, err := exec.LookPath("sh"); err != nil {
			t.Skip("neither bash nor sh is here to run jobs with")
		}
	}
}

func TestJobs(t *testing.T) {
	needShell(t)
	s := open(t, Options{})
	c := outside(t, s)
	job := command("echo hello; echo row > ${{outputs.o}}/rows.csv")
	job["properties"].(map[string]any)["outputs"] = map[string]any{"o": map[string]any{"jobOutputType": "uri_folder"}}
	d := c.do("PUT", at("jobs", "one"), job).want(201).doc()
	require.Equal(t, DefaultScope.Child("jobs", "one"), d.text("id"))
	require.NotEmpty(t, d.text("properties", "status"))
	d = c.ended("one")
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.NotEmpty(t, d.text("properties", "services", "Studio", "endpoint"))

	h := "/history/v1.0" + DefaultScope.ID()
	details := c.do("GET", h+"/runs/one/details", nil).want(200).doc()
	require.Equal(t, "Completed", details.text("status"))
	log := details.text("logFiles", "user_logs/std_log.txt")
	require.True(t, strings.HasPrefix(log, c.base+"/"+DefaultScope.Account()+"/azureml/"), log)
	open := *c
	open.token = ""
	r := open.do("GET", log, nil).want(200)
	require.Contains(t, string(r.body), "hello")
	open.do("GET", strings.Split(log, "?")[0], nil)
	require.NotEqual(t, 200, open.do("GET", strings.Split(log, "?")[0], nil).status, "without its signature")
	require.NotEqual(t, 200, open.do("GET", strings.Replace(log, "std_log.txt", "other.txt", 1), nil).status, "another file")

	data := c.do("POST", h+"/rundata", map[string]any{"runId": "one", "selectRunMetadata": true}).want(200).doc()
	asset := data.text("runMetadata", "outputs", "o", "assetId")
	uris := c.do("POST", "/data/v1.0"+DefaultScope.ID()+"/dataversion/batchGetResolvedUris", map[string]any{"values": []any{asset}}).want(200).doc()
	require.Contains(t, uris.text("values", asset, "uri"), "/datastores/workspaceblobstore/paths/azureml/one/o")
	c.do("PUT", at("data", "from-job", "versions", "1"), map[string]any{"properties": map[string]any{"dataType": "uri_folder", "dataUri": "azureml://jobs/one/outputs/o"}}).want(201)
	model := c.do("PUT", at("models", "from-job", "versions", "1"), map[string]any{"properties": map[string]any{"modelUri": "azureml://jobs/one/outputs/o/paths/x"}}).want(201).doc()
	require.Contains(t, model.text("properties", "modelUri"), "/datastores/workspaceblobstore/paths/azureml/one/o/x")
	require.Equal(t, "one", model.text("properties", "jobName"))

	// Metadata by a second PUT, by run history, and by PATCH.
	c.do("PUT", at("jobs", "one"), command("echo other")).want(409)
	shown := c.do("GET", at("jobs", "one"), nil).want(200).doc()
	shown.props()["displayName"], shown.props()["isArchived"] = "renamed", true
	c.do("PUT", at("jobs", "one"), map[string]any{"properties": shown.props()}).want(200)
	shown = c.do("GET", at("jobs", "one"), nil).want(200).doc()
	require.Equal(t, "renamed", shown.text("properties", "displayName"))
	require.Empty(t, c.do("GET", at("jobs"), nil).want(200).doc()["value"])
	c.do("PATCH", h+"/experiments/exp/runs/one", map[string]any{"hidden": false, "displayName": "again", "description": "words", "tags": map[string]any{"c": "d"}, "properties": map[string]any{"p": "q"}}).want(200)
	shown = c.do("GET", at("jobs", "one"), nil).want(200).doc()
	require.Equal(t, "again", shown.text("properties", "displayName"))
	require.Equal(t, "words", shown.text("properties", "description"))
	require.Equal(t, "b", shown.text("properties", "tags", "a"), "tags merge")
	require.Equal(t, "d", shown.text("properties", "tags", "c"))
	require.Equal(t, "q", shown.text("properties", "properties", "p"))
	c.do("PATCH", h+"/experiments/other/runs/one", map[string]any{"hidden": true}).want(404)
	for query, n := range map[string]int{"": 1, "&jobType=Command": 1, "&jobType=Sweep": 0, "&tag=a": 1, "&tag=a%3Db": 1, "&tag=a%3Dx": 0, "&properties=p%3Dq": 1, "&properties=p%3Dx": 0, "&scheduled=true": 0, "&listViewType=ArchivedOnly": 0} {
		require.Len(t, c.do("GET", at("jobs")+query, nil).want(200).doc()["value"], n, query)
	}

	// Artifacts.
	a := h + "/experiments/exp/runs/one/artifacts"
	list := c.do("GET", a, nil).want(200).doc()
	require.Contains(t, string(mustJSON(t, list)), "user_logs/std_log.txt")
	made := c.do("POST", a+"/batch/metadata", map[string]any{"paths": []any{map[string]any{"path": "outputs/x y.txt"}, map[string]any{"path": "../out"}}}).want(200).doc()
	require.NotNil(t, made.at("errors", "../out"))
	to := made.text("artifactContentInformation", "outputs/x y.txt", "contentUri")
	put := open.request("PUT", to, "content")
	put.Header.Set("x-ms-blob-type", "BlockBlob")
	res, err := open.send(put)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusCreated, res.StatusCode)
	from := c.do("GET", a+"/contentinfo?path=outputs/x%20y.txt", nil).want(200).doc().text("contentUri")
	require.Equal(t, "content", string(open.do("GET", from, nil).want(200).body))
	require.Equal(t, "content", string(c.do("GET", a+"/content?path=outputs/x%20y.txt", nil).want(200).body))
	require.Len(t, c.do("GET", a+"/path?path=outputs", nil).want(200).doc()["value"], 1)
	c.do("GET", a+"/contentinfo?path=none", nil).want(404)
	c.do("GET", a+"/contentinfo?path=../../x", nil).want(400)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

func TestAJobIsCanceled(t *testing.T) {
	needShell(t)
	s := open(t, Options{})
	c := inside(t, s)
	c.do("PUT", at("jobs", "long"), command("sleep 100")).want(201)
	require.Eventually(t, func() bool {
		return c.do("GET", at("jobs", "long"), nil).doc().text("properties", "status") == "Running"
	}, 20*time.Second, 10*time.Millisecond)
	c.do("DELETE", at("jobs", "long"), nil).want(409)
	busy := c.do("GET", at("computes", "cpu-cluster"), nil).want(200).doc()
	require.Equal(t, 1, intOf(busy.at("properties", "properties", "nodeStateCounts", "runningNodeCount")))
	require.Len(t, c.do("POST", DefaultScope.Child("computes", "cpu-cluster", "listNodes")+version, nil).want(200).doc()["nodes"], 1)
	c.do("DELETE", at("computes", "cpu-cluster"), nil).want(409)
	c.do("POST", DefaultScope.Child("jobs", "long", "cancel")+version, nil).want(200)
	require.Equal(t, "Canceled", c.ended("long").text("properties", "status"))
	c.do("POST", DefaultScope.Child("jobs", "long", "cancel")+version, nil).want(200)
	c.do("DELETE", at("jobs", "long"), nil).want(200)
	c.do("GET", at("jobs", "long"), nil).want(404)
	c.do("POST", DefaultScope.Child("jobs", "none", "cancel")+version, nil).want(404)
}

func TestWhatAJobsTokenOpens(t *testing.T) {
	needShell(t)
	s := open(t, Options{})
	c := inside(t, s)
	c.do("PUT", at("jobs", "one"), command(`echo "token=$MLFLOW_TRACKING_TOKEN uri=$MLFLOW_TRACKING_URI"; sleep 100`)).want(201)
	var token string
	require.Eventually(t, func() bool {
		d := c.do("GET", "https://"+arm.APIHost+"/history/v1.0"+DefaultScope.ID()+"/runs/one/details", nil).doc()
		log := d.text("logFiles", "user_logs/std_log.txt")
		if log == "" {
			return false
		}
		res, err := c.send(c.with("Authorization", "").request("GET", log, nil))
		require.NoError(t, err)
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		_, after, ok := strings.Cut(string(b), "token=")
		token, _, _ = strings.Cut(after, " ")
		return ok && token != ""
	}, 20*time.Second, 10*time.Millisecond)
	job := outside(t, s)
	job.token = token
	job.do("GET", at("jobs", "one"), nil).want(200)
	job.do("GET", at("jobs"), nil).want(403)
	job.do("PUT", at("jobs", "two"), command("true")).want(403)
	job.do("POST", "/api/2.0/mlflow/runs/log-metric", map[string]any{"run_id": "one", "key": "m", "value": 1, "timestamp": 1}).want(200)
	c.do("POST", DefaultScope.Child("jobs", "one", "cancel")+version, nil).want(200)
	c.ended("one")
	require.Equal(t, 401, job.do("GET", at("jobs", "one"), nil).status, "the token ends with its run")
	m := c.do("POST", "https://"+arm.APIHost+"/metric/v2.0"+DefaultScope.ID()+"/runs/one/full", map[string]any{"metricName": "m"}).want(200).doc()
	require.Len(t, m["value"], 1)
}
