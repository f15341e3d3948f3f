//go:build unix

package emulator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func TestScheduleInvokesABatchEndpoint(t *testing.T) {
	t.Parallel()
	clk := newClock()
	c := batchWorldAt(t, Options{Clock: clk.Now})
	schedule := func(def o) o {
		return o{"properties": o{"trigger": cron("0 * * * *"), "action": o{"actionType": "InvokeBatchEndpoint", "endpointInvocationDefinition": def}}}
	}
	at1 := at("schedules", "score-hourly")
	c.do("PUT", at1, schedule(o{"endpointName": "files", "deploymentName": "two", "properties": o{
		"inputData":  folderInput("azureml://datastores/workspaceblobstore/paths/in/"),
		"outputData": o{"score": o{"jobOutputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/by/${{name}}.csv"}}, "miniBatchSize": 5,
	}})).want(201)
	clk.Move(time.Hour)
	name := "score-hourly-20260301T130000Z"
	require.Equal(t, []string{name}, c.started("score-hourly", 1))
	d := c.ended(name)
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, "score-hourly", d.text("properties", "properties", scheduleProperty))
	require.Equal(t, name, d.text("properties", "displayName"))
	require.Equal(t, "two", d.text("properties", "properties", batchDeploymentMark))
	require.Equal(t, "seen 0!\nseen 1!\nseen 2!\nseen 3!\nseen 4!\n", c.blobText("by/"+name+".csv"))
	jobs := c.do("GET", at("batchEndpoints", "files", "jobs"), nil).want(200).doc()
	require.Len(t, jobs["value"], 1, "it is a job of the endpoint, too")

	// The endpoint by its id and its default deployment, of which there is none: the tick's job says so.
	c.do("PUT", at1, schedule(o{"EndpointId": DefaultScope.Child("batchEndpoints", "files"), "properties": o{"InputData": folderInput("azureml://datastores/workspaceblobstore/paths/in/")}})).want(200)
	clk.Move(time.Hour)
	require.Equal(t, "Failed", c.ended(c.started("score-hourly", 2)[1]).text("properties", "status"))
	details := c.do("GET", "https://"+arm.APIHost+"/history/v1.0"+DefaultScope.ID()+"/runs/score-hourly-20260301T140000Z/details", nil).want(200).doc()
	require.Contains(t, details.text("error", "error", "message"), "No valid deployments to route to")

	for want, def := range map[string]o{
		"endpointInvocationDefinition.endpointName":                              {"properties": o{}},
		"endpointInvocationDefinition.properties":                                {"endpointName": "files"},
		"endpointInvocationDefinition.properties.inputData.x.jobInputType":       {"endpointName": "files", "properties": o{"inputData": o{"x": o{"jobInputType": "Sheet", "uri": "x"}}}},
		"endpointInvocationDefinition.9965593e-526f-4b89-bb36-761138cf2794":      {"9965593e-526f-4b89-bb36-761138cf2794": nil},
		"endpointInvocationDefinition.properties.outputData.score.jobOutputType": {"endpointName": "files", "properties": o{"outputData": o{"score": o{}}}},
	} {
		require.Contains(t, string(c.do("PUT", at("schedules", "bad"), schedule(def)).want(400).body), want)
	}
}
