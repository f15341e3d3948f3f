package emulator

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// collect posts rows to the deployment's collector, as azureml-ai-monitoring does.
func collect(collection, rows, id string) error {
	r, err := http.NewRequest(http.MethodPost, "http://"+os.Getenv("AZUREML_MDC_HOST")+":"+os.Getenv("AZUREML_MDC_PORT")+"/modeldata/log", strings.NewReader(rows))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("ce-type", "azureml.inference."+collection)
	r.Header.Set("ce-x-request-id", id)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		b, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %s", resp.Status, b)
	}
	return nil
}

// TestMonitorSeesWhatADeploymentCollects deploys, scores, and lets a monitor look at what was collected.
func TestMonitorSeesWhatADeploymentCollects(t *testing.T) {
	t.Parallel()
	exe, err := os.Executable()
	require.NoError(t, err)
	clk := newClock()
	c := outside(t, open(t, Options{Clock: clk.Now, Images: map[string][]string{"test/server:1": {exe}}}))
	c.do("PUT", at("environments", "ready", "versions", "1"), o{"properties": o{"image": "test/server:1"}}).want(201)
	const folder = "modelDataCollector/epc/blue/model_inputs"
	c.do("PUT", at("data", "epc-blue-model_inputs", "versions", "1"), o{"properties": o{"dataType": "uri_folder", "dataUri": paths(folder)}}).want(201)
	c.do("PUT", at("onlineEndpoints", "epc"), o{"location": "eastus", "properties": o{"authMode": "Key"}}).want(201)
	d := deployment("collects")
	d["properties"].(map[string]any)["dataCollector"] = o{"rollingRate": "hour", "collections": o{
		"model_inputs": o{"dataCollectionMode": "enabled", "dataId": DefaultScope.AssetID("data", "epc-blue-model_inputs", "1")},
		"request":      o{"dataCollectionMode": "enabled"},
	}}
	blue := at("onlineEndpoints", "epc", "deployments", "blue")
	_, err = c.poll("PUT", blue, d, nil)
	require.NoError(t, err)
	require.Equal(t, "Enabled", c.do("GET", blue, nil).want(200).doc().text("properties", "dataCollector", "collections", "request", "dataCollectionMode"))
	key := c.do("POST", DefaultScope.Child("onlineEndpoints", "epc", "listKeys")+version, nil).want(200).doc().text("primaryKey")
	for i := range 20 {
		x := *c
		x.token = key
		r := x.with("azureml-model-deployment", "blue").with("x-request-id", fmt.Sprint("r", i)).do("POST", "/endpoints/epc/score", fmt.Sprintf(`[{"age":%d.5}]`, 20+i))
		require.Equal(t, 200, r.status, string(r.body))
	}
	for _, name := range []string{"model_inputs", "request"} { // the default folder is the one of the asset
		require.Eventually(t, func() bool {
			return strings.Count(c.collectedText("modelDataCollector/epc/blue/"+name+"/2026/03/01/12/"), "\n") == 20
		}, 20*time.Second, 10*time.Millisecond, name)
	}
	var train strings.Builder
	train.WriteString("age\n")
	for i := range 100 {
		fmt.Fprintf(&train, "%d.5\n", 20+i%40)
	}
	c.blob("train/train.csv", train.String())
	c.do("PUT", at("schedules", "watch"), monitorOf(o{"drift": o{
		"signalType": "DataDrift", "mode": "Enabled",
		"productionData":   o{"inputDataType": "Trailing", "windowSize": "PT1H", "windowOffset": "P0D", "jobInputType": "uri_folder", "uri": "azureml:epc-blue-model_inputs:1"},
		"referenceData":    fixed(paths("train/train.csv"), "uri_file", nil),
		"metricThresholds": limits("Numerical", "normalizedWassersteinDistance", 0.1),
	}})).want(201)
	clk.Move(time.Hour)
	job := c.started("watch", 1)[0]
	require.Equal(t, "Completed", c.ended(job).text("properties", "status"))
	values := c.signalValues(job, "drift", "drift")
	require.Equal(t, 20.0, values.at("metrics", "TargetRowCount", "value"))
	require.Greater(t, values.at("metrics", "NormalizedWassersteinDistance", "groups", "age", "value"), 0.1)

	d["properties"].(map[string]any)["dataCollector"] = o{"rollingRate": "fortnight", "collections": o{}}
	c.do("PUT", blue, d).want(400)
}

// collectedText is the text of all blobs below a folder of the default datastore.
func (c *client) collectedText(folder string) string {
	c.t.Helper()
	loc, err := c.s.resolver.Resolve(c.t.Context(), DefaultScope, paths(folder), "")
	require.NoError(c.t, err)
	var b strings.Builder
	for item, err := range c.s.blobs.List(c.t.Context(), loc.Account, loc.Container, loc.Path) {
		require.NoError(c.t, err)
		r, err := c.s.blobs.Open(c.t.Context(), loc.Account, loc.Container, item.Name)
		require.NoError(c.t, err)
		_, err = r.WriteTo(&b)
		require.NoError(c.t, err)
		require.NoError(c.t, r.Close())
	}
	return b.String()
}
