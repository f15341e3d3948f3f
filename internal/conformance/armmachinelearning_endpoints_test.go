package conformance

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/stretchr/testify/require"
)

// serveEcho is a scoring server: this program, started as the container of a deployment.
func serveEcho() {
	http.HandleFunc("/live", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/score", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body) // the caller sees what is missing
	})
	fmt.Println("echoing on", os.Getenv("PORT"))
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

func (a *armClient) onlineEndpoints() {
	for _, name := range []string{"first", "second", "third"} {
		d := a.in("OnlineEndpoints.BeginCreateOrUpdate", name, `{"location":"eastus","tags":{"a":"b"},"identity":{"type":"SystemAssigned"},"properties":{"authMode":"Key","description":"d"}}`)
		require.Equal(a, "Succeeded", d.at("properties.provisioningState"))
	}
	require.NotEmpty(a, a.in("OnlineEndpoints.Get", "first").at("properties.scoringUri"))
	require.ElementsMatch(a, []string{"first", "second", "third"}, a.names(2, "OnlineEndpoints.NewListPager"))
	keys := a.in("OnlineEndpoints.ListKeys", "first")
	require.NotEmpty(a, keys["primaryKey"])
	a.in("OnlineEndpoints.BeginRegenerateKeys", "first", `{"keyType":"Primary"}`)
	require.NotEqual(a, keys["primaryKey"], a.in("OnlineEndpoints.ListKeys", "first")["primaryKey"])
	require.Equal(a, keys["secondaryKey"], a.in("OnlineEndpoints.ListKeys", "first")["secondaryKey"])
	a.fails(400, "UserError", "OnlineEndpoints.GetToken", "first")
	a.in("OnlineEndpoints.BeginCreateOrUpdate", "tokens", `{"location":"eastus","properties":{"authMode":"AMLToken"}}`)
	require.NotEmpty(a, a.in("OnlineEndpoints.GetToken", "tokens")["accessToken"])
	require.Equal(a, "d", a.in("OnlineEndpoints.BeginUpdate", "first", `{"tags":{"c":"d"}}`).at("tags.c"))

	deployment := `{"location":"eastus","sku":{"name":"Default","capacity":1},"properties":{"endpointComputeType":"Managed","environmentId":"azureml:served:1","instanceType":"Standard_DS3_v2","environmentVariables":{"CONFORMANCE_SERVER":"1"}}}`
	a.in("EnvironmentVersions.CreateOrUpdate", "served", "1", `{"properties":{"image":"local/echo:1","inferenceConfig":{"livenessRoute":{"path":"/live","port":80},"readinessRoute":{"path":"/live","port":80},"scoringRoute":{"path":"/score","port":80}}}}`)
	for _, name := range []string{"blue", "green", "red"} {
		d := a.in("OnlineDeployments.BeginCreateOrUpdate", "first", name, deployment)
		require.Equal(a, "Succeeded", d.at("properties.provisioningState"))
	}
	require.Equal(a, "Managed", a.in("OnlineDeployments.Get", "first", "blue").at("properties.endpointComputeType"))
	require.ElementsMatch(a, []string{"blue", "green", "red"}, a.names(2, "OnlineDeployments.NewListPager", "first"))
	require.Contains(a, a.in("OnlineDeployments.GetLogs", "first", "blue", `{"tail":10}`)["content"], "echoing on")
	a.names(1, "OnlineDeployments.NewListSKUsPager", "first", "blue")
	a.in("OnlineDeployments.BeginUpdate", "first", "blue", `{"sku":{"name":"Default","capacity":2}}`)
	require.EqualValues(a, 2, a.in("OnlineDeployments.Get", "first", "blue").at("sku.capacity"))
	a.in("OnlineDeployments.BeginDelete", "first", "red")
	a.fails(404, "ResourceNotFound", "OnlineDeployments.Get", "first", "red")
	a.fails(404, "ResourceNotFound", "OnlineDeployments.BeginCreateOrUpdate", "first", "bad", `{"location":"eastus","properties":{"endpointComputeType":"Managed","model":"azureml:nothing:1"}}`)
	a.in("OnlineEndpoints.BeginDelete", "first")
	a.fails(404, "ResourceNotFound", "OnlineEndpoints.Get", "first")
}

func (a *armClient) batchEndpoints() {
	for _, name := range []string{"files", "tables", "rows"} {
		a.in("BatchEndpoints.BeginCreateOrUpdate", name, `{"location":"eastus","properties":{"authMode":"AADToken","description":"d"}}`)
	}
	require.NotEmpty(a, a.in("BatchEndpoints.Get", "files").at("properties.scoringUri"))
	require.ElementsMatch(a, []string{"files", "tables", "rows"}, a.names(2, "BatchEndpoints.NewListPager"))
	require.NotEmpty(a, a.in("BatchEndpoints.ListKeys", "files")["primaryKey"])
	require.Equal(a, "d", a.in("BatchEndpoints.BeginUpdate", "files", `{"tags":{"c":"d"}}`).at("tags.c"))
	deployment := `{"location":"eastus","properties":{"model":{"referenceType":"Id","assetId":"azureml:sent:1"},"compute":"azureml:cpu-cluster","environmentId":"` + curated + `","miniBatchSize":5,"outputAction":"AppendRow","retrySettings":{"maxRetries":1,"timeout":"PT30S"},"resources":{"instanceCount":1}}}`
	for _, name := range []string{"batch1", "batch2", "batch3"} {
		a.in("BatchDeployments.BeginCreateOrUpdate", "files", name, deployment)
	}
	require.EqualValues(a, 5, a.in("BatchDeployments.Get", "files", "batch1").at("properties.miniBatchSize"))
	require.Len(a, a.names(2, "BatchDeployments.NewListPager", "files"), 3)
	require.Equal(a, "changed", a.in("BatchDeployments.BeginUpdate", "files", "batch1", `{"properties":{"description":"changed"}}`).at("properties.description"))
	a.in("BatchDeployments.BeginDelete", "files", "batch3")
	a.fails(404, "ResourceNotFound", "BatchDeployments.Get", "files", "batch3")
	a.in("BatchEndpoints.BeginDelete", "files")
	a.fails(404, "ResourceNotFound", "BatchEndpoints.Get", "files")
}

func (a *armClient) serverless() {
	model := "azureml://registries/azureml-meta/models/Llama-2-7b"
	a.in("MarketplaceSubscriptions.BeginCreateOrUpdate", "llama", `{"properties":{"modelId":"`+model+`"}}`)
	require.Equal(a, model, a.in("MarketplaceSubscriptions.Get", "llama").at("properties.modelId"))
	require.Equal(a, []string{"llama"}, a.names(1, "MarketplaceSubscriptions.NewListPager"))
	a.in("MarketplaceSubscriptions.BeginDelete", "llama")
	a.fails(404, "ResourceNotFound", "MarketplaceSubscriptions.Get", "llama")
	a.in("ServerlessEndpoints.BeginCreateOrUpdate", "less", `{"location":"eastus","sku":{"name":"Consumption"},"properties":{"authMode":"Key","modelSettings":{"modelId":"`+model+`"}}}`)
	require.Equal(a, model, a.in("ServerlessEndpoints.Get", "less").at("properties.modelSettings.modelId"))
	require.Equal(a, []string{"less"}, a.names(1, "ServerlessEndpoints.NewListPager"))
	keys := a.in("ServerlessEndpoints.ListKeys", "less")
	a.in("ServerlessEndpoints.BeginRegenerateKeys", "less", `{"keyType":"Secondary"}`)
	after := a.in("ServerlessEndpoints.ListKeys", "less")
	require.Equal(a, keys["primaryKey"], after["primaryKey"])
	require.NotEqual(a, keys["secondaryKey"], after["secondaryKey"])
	require.Equal(a, "d", a.in("ServerlessEndpoints.BeginUpdate", "less", `{"tags":{"c":"d"}}`).at("tags.c"))
	a.in("ServerlessEndpoints.BeginDelete", "less")
	a.fails(404, "ResourceNotFound", "ServerlessEndpoints.Get", "less")
}
