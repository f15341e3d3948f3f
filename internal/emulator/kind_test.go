package emulator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// TestEveryKindIsKept puts, gets, lists and deletes one resource of each kind, in process and over the port.
func TestEveryKindIsKept(t *testing.T) {
	p := func(v map[string]any) map[string]any { return map[string]any{"location": "eastus", "properties": v} }
	kinds := []struct {
		path string
		body map[string]any
	}{
		{DefaultScope.Child("computes", "abc"), amlCompute()},
		{DefaultScope.Child("connections", "abc"), p(map[string]any{"authType": "ApiKey", "category": "AzureOpenAI", "target": "https://x", "credentials": map[string]any{"key": "secret"}})},
		{DefaultScope.Child("schedules", "abc"), p(map[string]any{"trigger": map[string]any{"triggerType": "Cron", "expression": "0 0 * * *"}, "action": map[string]any{"actionType": "CreateJob", "jobDefinition": map[string]any{"jobType": "Command"}}})},
		{DefaultScope.Child("batchEndpoints", "abc"), p(map[string]any{})},
		{DefaultScope.Child("onlineEndpoints", "def"), p(map[string]any{"authMode": "Key"})},
		{DefaultScope.Child("serverlessEndpoints", "ghi"), p(map[string]any{"modelSettings": map[string]any{"modelId": "azureml://registries/azureml/models/x"}})},
		{DefaultScope.Child("marketplaceSubscriptions", "abc"), p(map[string]any{"modelId": "azureml://registries/azureml/models/x"})},
		{DefaultScope.Child("capabilityHosts", "abc"), p(map[string]any{})},
		{DefaultScope.Child("outboundRules", "abc"), p(map[string]any{"type": "FQDN", "destination": "example.com"})},
		{DefaultScope.Child("privateEndpointConnections", "abc"), p(map[string]any{"privateLinkServiceConnectionState": map[string]any{"status": "Approved"}})},
		{DefaultScope.Child("featurestoreEntities", "abc", "versions", "1"), p(map[string]any{"indexColumns": []any{map[string]any{"columnName": "a", "dataType": "String"}}})},
		{DefaultScope.Child("datastores", "abc"), p(map[string]any{"datastoreType": "OneLake", "oneLakeWorkspaceName": "w", "artifact": map[string]any{"artifactType": "LakeHouse"}, "credentials": map[string]any{"credentialsType": "None"}})},
		{"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/abc", p(map[string]any{"regionDetails": []any{}})},
	}
	for _, make := range []func(*testing.T, *Server) *client{inside, outside} {
		s := open(t, Options{})
		c := make(t, s)
		for _, k := range kinds {
			r := c.do("PUT", k.path+"?api-version=2025-01-01-preview", k.body)
			require.Contains(t, []int{200, 201, 202}, r.status, "%s: %s", k.path, r.body)
			d := c.do("GET", strings.ToUpper(k.path)+"?api-version=2025-01-01-preview", nil).want(200).doc()
			require.Equal(t, k.path, d.text("id"))
			for f, v := range k.body["properties"].(map[string]any) {
				if f == "credentials" && strings.Contains(k.path, "connections") {
					require.Nil(t, d.at("properties", f))
					continue
				}
				want, err := encode(v)
				require.NoError(t, err)
				if _, object := v.(map[string]any); !object {
					got, err := encode(d.at("properties", f))
					require.NoError(t, err)
					require.Equal(t, string(want), string(got), "%s %s", k.path, f)
				}
			}
			list := c.do("GET", k.path[:strings.LastIndexByte(k.path, '/')]+"?api-version=2025-01-01-preview", nil).want(200)
			require.Contains(t, string(list.body), k.path)
		}
		secrets := c.do("POST", DefaultScope.Child("connections", "abc", "listsecrets")+"?api-version=2024-04-01-preview", nil).want(200).doc()
		require.Equal(t, "secret", secrets.text("properties", "credentials", "key"))
		c.do("PUT", DefaultScope.Child("batchEndpoints", "def")+version, p(map[string]any{})).want(409)
		c.do("POST", DefaultScope.Child("serverlessEndpoints", "ghi", "listKeys")+version, nil).want(200)
		for _, k := range kinds {
			r := c.do("DELETE", k.path+"?api-version=2025-01-01-preview", nil)
			require.Contains(t, []int{200, 202}, r.status, "%s: %s", k.path, r.body)
			c.do("GET", k.path+"?api-version=2025-01-01-preview", nil).want(404)
			c.do("DELETE", k.path+"?api-version=2025-01-01-preview", nil).want(204)
		}
		require.NoError(t, s.Close())
	}
}

func TestComputeInstances(t *testing.T) {
	c := inside(t, open(t, Options{Computes: []Compute{{Name: "box", Instance: true}, {Name: "pair", Nodes: 2}}}))
	c.do("GET", at("computes", "cpu-cluster"), nil).want(404)
	state := func() string {
		return c.do("GET", at("computes", "box"), nil).want(200).doc().text("properties", "properties", "state")
	}
	require.Equal(t, "Running", state())
	require.Equal(t, 1, c.s.slots(DefaultScope, "box"))
	require.Equal(t, 2, c.s.slots(DefaultScope, "PAIR"))
	require.Equal(t, 0, c.s.slots(DefaultScope, "none"))
	c.do("POST", DefaultScope.Child("computes", "box", "stop")+version, nil).want(202)
	require.Equal(t, "Stopped", state())
	require.Equal(t, -1, c.s.slots(DefaultScope, "box"))
	c.do("POST", DefaultScope.Child("computes", "box", "start")+version, nil).want(202)
	require.Equal(t, "Running", state())
	c.do("POST", DefaultScope.Child("computes", "pair", "stop")+version, nil).want(400)
	c.do("PATCH", at("computes", "pair"), map[string]any{"properties": map[string]any{"properties": map[string]any{"scaleSettings": map[string]any{"maxNodeCount": 5}}}}).want(200)
	require.Equal(t, 5, c.s.slots(DefaultScope, "pair"))
	c.do("PUT", at("computes", "pair"), map[string]any{"location": "eastus", "properties": map[string]any{"computeType": "ComputeInstance", "properties": map[string]any{"vmSize": "x"}}}).want(400)
}

func TestWorkspaces(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	sc := arm.Scope{Subscription: "Sub", ResourceGroup: "Group", Workspace: "Second"}
	c.do("PUT", sc.ID()+version, map[string]any{"location": "eastus", "tags": map[string]any{"a": "b"}, "properties": map[string]any{"description": "d"}}).want(200)
	low := arm.Scope{Subscription: "sub", ResourceGroup: "GROUP", Workspace: "second"}
	d := c.do("GET", low.ID()+version, nil).want(200).doc()
	require.Equal(t, sc.ID(), d.text("id"), "its own spelling")
	require.Equal(t, sc.Child("data", "d"), c.do("PUT", low.Child("data", "d")+version, map[string]any{"properties": map[string]any{"dataType": "uri_file"}}).want(201).doc().text("id"))
	require.NotEqual(t, DefaultScope.Account(), sc.Account())
	c.do("PATCH", sc.ID()+version, map[string]any{"tags": map[string]any{"c": "d"}, "properties": map[string]any{"friendlyName": "F"}}).want(200)
	d = c.do("GET", sc.ID()+version, nil).want(200).doc()
	require.Equal(t, "b", d.text("tags", "a"))
	require.Equal(t, "d", d.text("tags", "c"))
	require.Equal(t, "F", d.text("properties", "friendlyName"))
	c.do("PUT", sc.ID()+version, map[string]any{"location": "westus", "properties": map[string]any{}}).want(400)
	list := c.do("GET", "/subscriptions/SUB/providers/Microsoft.MachineLearningServices/workspaces"+version, nil).want(200).doc()
	require.Len(t, list["value"], 1)
	require.Len(t, c.do("GET", "/subscriptions/sub/resourceGroups/other/providers/Microsoft.MachineLearningServices/workspaces"+version, nil).want(200).doc()["value"], 0)
	c.do("DELETE", DefaultScope.ID()+version, nil).want(409)
	_, err := c.poll("DELETE", sc.ID()+version, nil, nil)
	require.NoError(t, err)
	c.do("GET", sc.Child("data", "d")+version, nil).want(404)
	c.do("GET", "/subscriptions/sub/resourceGroups/other?api-version=2020-06-01", nil).want(200)
	c.do("GET", "/subscriptions?api-version=2020-01-01", nil).want(200)
}

func TestRegistries(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	reg := "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/reg"
	c.do("PUT", reg+version, map[string]any{"location": "eastus", "properties": map[string]any{}}).want(201)
	found := c.do("GET", "https://"+arm.APIHost+"/registrymanagement/v1.0/registries/REG/discovery", nil).want(200).doc()
	require.Equal(t, "s", found.text("subscriptionId"))
	front := found.text("primaryRegionResourceProviderUri") + "mferp/managementfrontend"
	const plane = "?api-version=2021-10-01-dataplanepreview"
	ref := map[string]any{"assetId": "azureml://registries/reg/models/m/versions/1", "temporaryDataReferenceType": "TemporaryBlobReference"}
	sas := c.do("PUT", front+reg+"/tempdatarefs/m/versions/1"+plane, ref).want(200).doc().text("blobReferenceForConsumption", "credential", "sasUri")
	base, q, _ := strings.Cut(sas, "?")
	put := c.request("PUT", base+"/m/w.txt?"+q, "weights")
	put.Header.Del("Authorization")
	put.Header.Set("x-ms-blob-type", "BlockBlob")
	res, err := c.send(put)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 201, res.StatusCode)
	d := c.do("PUT", front+reg+"/models/m/versions/1"+plane, map[string]any{"properties": map[string]any{"modelUri": base + "/m"}}).want(201).doc()
	require.Equal(t, "azureml://registries/reg/models/m/versions/1", d.text("id"))
	require.Equal(t, reg+"/models/m/versions/1", c.do("GET", reg+"/models/m/versions/1"+version, nil).want(200).doc().text("id"))
	c.do("PUT", front+reg+"/tempdatarefs/m/versions/1"+plane, ref).want(409)
	read := c.do("POST", front+reg+"/datarefs/m/versions/1"+plane, map[string]any{"assetId": ref["assetId"], "blobUri": base + "/m"}).want(200).doc()
	_, q, _ = strings.Cut(read.text("blobReferenceForConsumption", "credential", "sasUri"), "?")
	open := *c
	open.token = ""
	require.Equal(t, "weights", string(open.do("GET", base+"/m/w.txt?"+q, nil).want(200).body))

	// A workspace's model is shared, with its files.
	c.do("PUT", at("models", "mine", "versions", "1"), map[string]any{"properties": map[string]any{"modelUri": base + "/m"}}).want(201)
	source := "azureml://locations/eastus/workspaces/" + DefaultScope.WorkspaceID() + "/models/mine/versions/1"
	share := map[string]any{"properties": map[string]any{"sourceAssetId": source, "destinationName": "shared", "destinationVersion": "3"}}
	c.do("POST", front+reg+"/import"+plane, share).want(200)
	c.do("POST", front+reg+"/import"+plane, share).want(409)
	uri := c.do("GET", reg+"/models/shared/versions/3"+version, nil).want(200).doc().text("properties", "modelUri")
	require.NotEqual(t, base+"/m", uri)
	require.Equal(t, "weights", string(c.do("GET", uri+"/w.txt", nil).want(200).body))
	c.do("POST", DefaultScope.AssetID("models", "mine", "1")+"/publish"+version, map[string]any{"registryName": "none"}).want(404)
	c.do("GET", arm.CuratedRegistryID+"/environments/any/versions/7"+version, nil).want(200)
	c.do("GET", arm.CuratedRegistryID+version, nil).want(200)
}

func TestIndexes(t *testing.T) {
	c := inside(t, open(t, Options{}))
	base := "https://" + arm.APIHost + "/genericasset" + DefaultScope.Child("indexes")
	next := c.do("POST", base+"/ix:getNextVersion", nil).want(200).doc()
	require.Equal(t, 1, intOf(next["nextVersion"]))
	d := c.do("PUT", base+"/ix/versions/1", map[string]any{"storageUri": "azureml://datastores/workspaceblobstore/paths/x"}).want(200).doc()
	require.Contains(t, d.text("id"), "/indexes/ix/versions/1")
	c.do("PUT", base+"/ix/versions/1", map[string]any{"storageUri": "azureml://datastores/workspaceblobstore/paths/y"}).want(409)
	c.do("PUT", base+"/ix/versions/2", map[string]any{"storageUri": "azureml://datastores/workspaceblobstore/paths/y"}).want(200)
	c.do("PUT", base+"/ix/versions/3", map[string]any{}).want(400)
	require.Equal(t, 3, intOf(c.do("POST", base+"/ix:getNextVersion", nil).want(200).doc()["nextVersion"]))
	require.Equal(t, "2", c.do("GET", base+"/ix", nil).want(200).doc().text("version"))
	require.Len(t, c.do("GET", base+"/ix/versions", nil).want(200).doc()["value"], 2)
	require.Len(t, c.do("GET", base, nil).want(200).doc()["value"], 1)
	c.do("PUT", strings.Replace(base, "/genericasset", "/genericasset/v2.0", 1)+"/ix/versions/1", map[string]any{}).want(404)
}
