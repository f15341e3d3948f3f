package jobs

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

func TestBatchInvocation(t *testing.T) {
	t.Parallel()
	in := &BatchInvocation{
		Endpoint: "files", Deployment: "two", Experiment: "scores", InstanceCount: 2, MiniBatchSize: 5, OutputFile: "o.csv",
		Inputs:  Inputs{"rows": URIFolder("azureml://datastores/d/paths/in/"), "when": Literal("${{creation_context.trigger_time}}")},
		Outputs: Outputs{"score": {Type: TypeURIFile, Path: "azureml://datastores/d/paths/${{name}}.csv"}},
	}
	s, err := OnSchedule("nightly", Cron("0 2 * * *")).Invoke(in).Build()
	require.NoError(t, err)
	m, err := wire.ToREST(s)
	require.NoError(t, err)
	got, err := json.Marshal(m["properties"].(map[string]any)["action"])
	require.NoError(t, err)
	require.JSONEq(t, `{"actionType": "InvokeBatchEndpoint", "endpointInvocationDefinition": {"endpointName": "files", "deploymentName": "two", "properties": {
		"inputData": {"rows": {"jobInputType": "UriFolder", "uri": "azureml://datastores/d/paths/in/"}, "when": {"jobInputType": "Literal", "value": "${{creation_context.trigger_time}}"}},
		"outputData": {"score": {"jobOutputType": "UriFile", "uri": "azureml://datastores/d/paths/${{name}}.csv"}},
		"properties": {"experimentName": "scores"}, "compute": {"instanceCount": 2}, "miniBatchSize": 5, "outputFileName": "o.csv"}}}`, string(got))
	doc, err := json.Marshal(m)
	require.NoError(t, err)
	back := new(Schedule)
	require.NoError(t, wire.FromREST(doc, back))
	require.Equal(t, in, back.Action)

	_, err = wire.DumpYAML(s)
	require.ErrorContains(t, err, "files have no word for it")
	_, err = OnSchedule("x", Cron("0 2 * * *")).Invoke(&BatchInvocation{Inputs: Inputs{"a": {}}}).Build()
	require.ErrorContains(t, err, "invoke_batch_endpoint.endpoint")
	require.ErrorContains(t, err, "invoke_batch_endpoint.inputs.a")
	_, err = OnSchedule("x", Cron("0 2 * * *")).Invoke(nil).Build()
	require.ErrorContains(t, err, "the invocation is nil")
}
