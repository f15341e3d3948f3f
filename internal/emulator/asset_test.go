package emulator

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func TestVersionsCount(t *testing.T) {
	c := inside(t, open(t, Options{}))
	c.do("GET", at("data", "d"), nil).want(404)
	r := c.do("PUT", at("data", "d", "versions", "1"), map[string]any{"properties": map[string]any{"dataType": "URI_File", "dataUri": "azureml://datastores/workspaceblobstore/paths/x/y.csv", "tags": map[string]any{"n": 1.50}}}).want(201)
	d := r.doc()
	require.Equal(t, "uri_file", d.text("properties", "dataType"))
	require.Equal(t, DefaultScope.DatastoreURI("workspaceblobstore", "x/y.csv"), d.text("properties", "dataUri"), "short forms are written out")
	require.Equal(t, DefaultScope.AssetID("data", "d", "1"), d.text("id"))
	require.NotEmpty(t, d.text("systemData", "createdAt"))
	require.NotEmpty(t, r.header.Get("ETag"))
	require.Contains(t, string(r.body), `"n":1.5`, "numbers stay as they are")
	container := c.do("GET", at("data", "d"), nil).want(200).doc()
	require.Equal(t, "1", container.text("properties", "latestVersion"))
	require.Equal(t, "2", container.text("properties", "nextVersion"))
	require.Equal(t, "uri_file", container.text("properties", "dataType"))
	c.do("PUT", at("data", "d", "versions", "7"), dataset("https://example.com/x")).want(201)
	c.do("PUT", at("data", "d", "versions", "abc"), dataset("https://example.com/y")).want(201)
	container = c.do("GET", at("DATA", "D"), nil).want(200).doc()
	require.Equal(t, "abc", container.text("properties", "latestVersion"))
	require.Equal(t, "8", container.text("properties", "nextVersion"))
	c.do("DELETE", at("data", "d", "versions", "abc"), nil).want(200)
	c.do("DELETE", at("data", "d", "versions", "abc"), nil).want(204)
	require.Equal(t, "7", c.do("GET", at("data", "d"), nil).want(200).doc().text("properties", "latestVersion"))
	c.do("DELETE", at("data", "d", "versions", "7"), nil).want(200)
	require.Equal(t, "8", c.do("GET", at("data", "d"), nil).want(200).doc().text("properties", "nextVersion"), "a version is not given again")
	c.do("PUT", at("data", "d"), map[string]any{"properties": map[string]any{"dataType": "uri_file", "description": "words", "latestVersion": "99"}}).want(200)
	container = c.do("GET", at("data", "d"), nil).want(200).doc()
	require.Equal(t, "words", container.text("properties", "description"))
	require.Equal(t, "1", container.text("properties", "latestVersion"))
	c.do("DELETE", at("data", "d"), nil).want(200)
	c.do("GET", at("data", "d", "versions", "1"), nil).want(404)
}

func TestContentOfAVersionStays(t *testing.T) {
	c := inside(t, open(t, Options{}))
	props := func(kv ...any) map[string]any {
		p := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			p[kv[i].(string)] = kv[i+1]
		}
		return map[string]any{"properties": p}
	}
	for _, k := range []struct {
		path          string
		first, second map[string]any
	}{
		{at("data", "d", "versions", "1"), dataset("https://example.com/x"), dataset("https://example.com/y")},
		{at("models", "m", "versions", "1"), props("modelUri", "https://example.com/x"), props("modelUri", "https://example.com/y")},
		{at("codes", "c", "versions", "1"), props("codeUri", "https://example.com/x"), props("codeUri", "https://example.com/y")},
		{at("environments", "e", "versions", "1"), props("image", "a"), props("image", "b")},
		{at("components", "c", "versions", "1"), props("componentSpec", map[string]any{"type": "command", "command": "a", "environment": "azureml:sklearn-1.5:1"}), props("componentSpec", map[string]any{"type": "command", "command": "b", "environment": "azureml:sklearn-1.5:1"})},
	} {
		c.do("PUT", k.path, k.first).want(201)
		c.do("PUT", k.path, k.second).want(409)
		again := document(k.first).clone()
		again.props()["description"] = "words"
		c.do("PUT", k.path, again).want(200)
		require.Equal(t, "words", c.do("GET", k.path, nil).want(200).doc().text("properties", "description"))
	}
	e := c.do("PUT", at("models", "m", "versions", "1"), props("modelUri", "https://example.com/y")).want(409).doc()
	require.Equal(t, "UserError", e.text("error", "code"))
	require.Equal(t, "Asset paths cannot be updated.", e.text("error", "message"))
	c.do("PUT", at("data", "d", "versions", "2"), props("dataType", "uri_folder", "dataUri", "https://example.com/z")).want(400)
}

// azure-ai-ml's components.get(NAME), without a version, asks for this one.
func TestDefaultVersionOfAComponent(t *testing.T) {
	c := inside(t, open(t, Options{}))
	c.do("GET", at("components", "c", "versions", "azureml_default"), nil).want(404)
	for _, v := range []string{"1", "2"} {
		c.do("PUT", at("components", "c", "versions", v), map[string]any{"properties": map[string]any{"componentSpec": map[string]any{"type": "command", "command": "echo " + v, "environment": "azureml:sklearn-1.5:1"}}}).want(201)
	}
	d := c.do("GET", at("components", "c", "versions", "azureml_default"), nil).want(200).doc()
	require.Equal(t, "2", d.text("name"))
	require.Equal(t, "echo 2", d.text("properties", "componentSpec", "command"))
}

func TestWhatARMRefuses(t *testing.T) {
	c := inside(t, open(t, Options{}))
	p := func(v map[string]any) map[string]any { return map[string]any{"location": "eastus", "properties": v} }
	for name, k := range map[string]struct {
		path   string
		body   any
		status int
	}{
		"no type":             {at("data", "d", "versions", "1"), p(map[string]any{"dataUri": "https://example.com"}), 400},
		"unknown type":        {at("data", "d", "versions", "1"), p(map[string]any{"dataType": "uri_cloud", "dataUri": "https://example.com"}), 400},
		"no uri":              {at("data", "d", "versions", "1"), p(map[string]any{"dataType": "uri_file"}), 400},
		"a local path":        {at("data", "d", "versions", "1"), p(map[string]any{"dataType": "uri_file", "dataUri": "./x"}), 400},
		"no such datastore":   {at("data", "d", "versions", "1"), p(map[string]any{"dataType": "uri_file", "dataUri": "azureml://datastores/none/paths/x"}), 404},
		"no such job":         {at("models", "m", "versions", "1"), p(map[string]any{"modelUri": "azureml://jobs/none/outputs/o"}), 404},
		"unknown model":       {at("models", "m", "versions", "1"), p(map[string]any{"modelUri": "https://example.com", "modelType": "x"}), 400},
		"image and build":     {at("environments", "e", "versions", "1"), p(map[string]any{"image": "a", "build": map[string]any{"contextUri": "https://example.com"}}), 400},
		"no image":            {at("environments", "e", "versions", "1"), p(map[string]any{}), 400},
		"a reserved name":     {at("environments", "AzureML-mine", "versions", "1"), p(map[string]any{"image": "a"}), 400},
		"no spec":             {at("components", "c", "versions", "1"), p(map[string]any{}), 400},
		"unknown component":   {at("components", "c", "versions", "1"), p(map[string]any{"componentSpec": map[string]any{"type": "x"}}), 400},
		"no such environment": {at("components", "c", "versions", "1"), p(map[string]any{"componentSpec": map[string]any{"type": "command", "command": "a", "environment": "azureml:none:1"}}), 404},
		"no datastore type":   {at("datastores", "d"), p(map[string]any{"credentials": map[string]any{"credentialsType": "None"}}), 400},
		"no account":          {at("datastores", "d"), p(map[string]any{"datastoreType": "AzureBlob", "containerName": "c", "credentials": map[string]any{"credentialsType": "None"}}), 400},
		"unknown credentials": {at("datastores", "d"), p(map[string]any{"datastoreType": "AzureBlob", "accountName": "a", "containerName": "c", "credentials": map[string]any{"credentialsType": "x"}}), 400},
		"unknown compute":     {at("computes", "abc"), p(map[string]any{"computeType": "Toaster"}), 400},
		"no size":             {at("computes", "abc"), p(map[string]any{"computeType": "AmlCompute", "properties": map[string]any{}}), 400},
		"impossible scale":    {at("computes", "abc"), p(map[string]any{"computeType": "AmlCompute", "properties": map[string]any{"vmSize": "x", "scaleSettings": map[string]any{"minNodeCount": 3, "maxNodeCount": 2}}}), 400},
		"a bad name":          {at("computes", "1abc"), amlCompute(), 400},
		"no auth mode":        {at("onlineEndpoints", "ep1"), p(map[string]any{}), 400},
		"no location":         {at("onlineEndpoints", "ep1"), map[string]any{"properties": map[string]any{"authMode": "Key"}}, 400},
		"unknown auth mode":   {at("onlineEndpoints", "ep1"), p(map[string]any{"authMode": "Password"}), 400},
		"a bad endpoint name": {at("onlineEndpoints", "-ep"), p(map[string]any{"authMode": "Key"}), 400},
		"traffic to nobody":   {at("onlineEndpoints", "ep1"), p(map[string]any{"authMode": "Key", "traffic": map[string]any{"blue": 100}}), 400},
		"no such endpoint":    {at("onlineEndpoints", "none", "deployments", "blue"), p(map[string]any{"endpointComputeType": "Managed"}), 404},
		"no trigger":          {at("schedules", "s"), p(map[string]any{"action": map[string]any{"actionType": "CreateJob"}}), 400},
		"unknown trigger":     {at("schedules", "s"), p(map[string]any{"trigger": map[string]any{"triggerType": "Sun"}, "action": map[string]any{"actionType": "CreateJob"}}), 400},
		"no category":         {at("connections", "abc"), p(map[string]any{"authType": "None"}), 400},
		"unknown auth":        {at("connections", "abc"), p(map[string]any{"authType": "x", "category": "y"}), 400},
		"unknown rule":        {at("outboundRules", "r"), p(map[string]any{"type": "Carrier"}), 400},
		"no job type":         {at("jobs", "j"), p(map[string]any{}), 400},
		"unknown job type":    {at("jobs", "j"), p(map[string]any{"jobType": "Nap"}), 400},
		"no columns":          {at("featurestoreEntities", "e", "versions", "1"), p(map[string]any{}), 400},
		"no entity":           {at("featuresets", "f", "versions", "1"), p(map[string]any{"entities": []any{"azureml:none:1"}, "specification": map[string]any{"path": "azureml://datastores/workspaceblobstore/paths/x"}}), 404},
		"no workspace":        {arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "none"}.Child("data", "d", "versions", "1") + version, dataset("https://example.com"), 404},
		"no place":            {arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "ws1"}.ID() + version, map[string]any{"properties": map[string]any{}}, 400},
		"a project of no hub": {arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "ws1"}.ID() + version, map[string]any{"location": "eastus", "kind": "Project"}, 400},
	} {
		r := c.do("PUT", k.path, k.body)
		require.Equal(t, k.status, r.status, "%s: %s", name, r.body)
		require.NotEmpty(t, r.code(), name)
		require.NotEmpty(t, r.doc().text("error", "message"), name)
	}
	e := c.do("PUT", at("data", "d", "versions", "1"), map[string]any{"properties": map[string]any{"dataType": "uri_file"}}).doc()
	require.Equal(t, "properties.dataUri", e.text("error", "target"))
}

func TestPreconditions(t *testing.T) {
	c := inside(t, open(t, Options{}))
	path := at("data", "d", "versions", "1")
	c.with("If-Match", "*").do("PUT", path, dataset("https://example.com/x")).want(412)
	tag := c.with("If-None-Match", "*").do("PUT", path, dataset("https://example.com/x")).want(201).header.Get("ETag")
	c.with("If-None-Match", "*").do("PUT", path, dataset("https://example.com/x")).want(412)
	c.with("If-Match", tag).do("PUT", path, dataset("https://example.com/x")).want(200)
	c.with("If-Match", tag).do("PUT", path, dataset("https://example.com/x")).want(412)
	c.with("If-Match", tag).do("DELETE", path, nil).want(412)
	c.do("GET", path, nil).want(200)
}

func TestOneOfManyWins(t *testing.T) {
	c := inside(t, open(t, Options{}))
	var wg sync.WaitGroup
	status := make([]int, 12)
	for i := range status {
		wg.Go(func() {
			status[i] = c.do("PUT", at("data", "d", "versions", "1"), dataset(fmt.Sprint("https://example.com/", i))).status
		})
	}
	wg.Wait()
	won := 0
	for _, s := range status {
		if s == 201 {
			won++
			continue
		}
		require.Equal(t, 409, s)
	}
	require.Equal(t, 1, won)
}

func TestCodeIsFoundByItsHash(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	upload := c.do("POST", DefaultScope.AssetID("codes", "abc", "1")+"/startPendingUpload"+version, map[string]any{"pendingUploadType": "TemporaryBlobReference"}).want(200).doc()
	sas := upload.text("blobReferenceForConsumption", "credential", "sasUri")
	require.True(t, strings.HasPrefix(sas, upload.text("blobReferenceForConsumption", "blobUri")+"?"))
	base, query, _ := strings.Cut(sas, "?")
	req := c.request("PUT", base+"/src/a.py?"+query, "print(1)")
	req.Header.Del("Authorization")
	req.Header.Set("x-ms-blob-type", "BlockBlob")
	res, err := c.send(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 201, res.StatusCode)
	body := map[string]any{"properties": map[string]any{"codeUri": base + "/src", "isAnonymous": true, "properties": map[string]any{"hash_sha256": "ff00", "hash_version": 202208}}}
	list := DefaultScope.Child("codes", "fresh-name", "versions") + version + "&hash=FF00&hashVersion=202208"
	require.Empty(t, c.do("GET", list, nil).want(200).doc()["value"])
	c.do("PUT", at("codes", "abc", "versions", "1"), body).want(201)
	found := c.do("GET", list, nil).want(200).doc()["value"].([]any)
	require.Len(t, found, 1)
	require.Equal(t, DefaultScope.AssetID("codes", "abc", "1"), document(found[0].(map[string]any)).text("id"))
	c.do("PUT", at("codes", "other", "versions", "1"), body).want(201)
	require.Len(t, c.do("GET", list, nil).want(200).doc()["value"], 1, "the first one stays")
	c.do("DELETE", at("codes", "abc", "versions", "1"), nil).want(200)
	require.Empty(t, c.do("GET", list, nil).want(200).doc()["value"])
	c.do("PUT", at("codes", "other", "versions", "1"), body).want(200)
	require.Len(t, c.do("GET", list, nil).want(200).doc()["value"], 1)
}

func TestDatastores(t *testing.T) {
	c := inside(t, open(t, Options{}))
	c.do("PUT", at("datastores", "mine"), map[string]any{"properties": map[string]any{"datastoreType": "AzureBlob", "accountName": "myaccount", "containerName": "some-container", "isDefault": true, "credentials": map[string]any{"credentialsType": "AccountKey", "secrets": map[string]any{"secretsType": "AccountKey", "key": "c2VjcmV0"}}}}).want(201)
	r := c.do("GET", at("datastores", "mine"), nil).want(200)
	require.NotContains(t, string(r.body), "c2VjcmV0")
	require.Equal(t, "core.windows.net", r.doc().text("properties", "endpoint"))
	def := c.do("GET", at("datastores")+"&isDefault=true", nil).want(200).doc()["value"].([]any)
	require.Len(t, def, 1)
	require.Equal(t, "mine", def[0].(map[string]any)["name"])
	c.do("DELETE", at("datastores", "mine"), nil).want(400)
	c.do("DELETE", at("datastores", "workspaceblobstore"), nil).want(400)
	secrets := DefaultScope.Child("datastores", "mine") + "/listSecrets" + version
	require.NotEmpty(t, c.do("POST", secrets, nil).want(200).doc().text("key"))
	require.Equal(t, "Sas", c.do("POST", secrets, map[string]any{"expirableSecret": true}).want(200).doc().text("secretsType"))
	c.do("PUT", at("datastores", "open"), map[string]any{"properties": map[string]any{"datastoreType": "AzureBlob", "accountName": "myaccount", "containerName": "some-container", "credentials": map[string]any{"credentialsType": "None"}}}).want(201)
	c.do("POST", strings.Replace(secrets, "mine", "open", 1), nil).want(400)

	o := outside(t, c.s)
	d := o.do("GET", at("datastores", "workspaceblobstore"), nil).want(200).doc()
	require.Equal(t, strings.TrimPrefix(o.base, "http://"), d.text("properties", "endpoint"))
	require.Equal(t, "http", d.text("properties", "protocol"))
	o.do("PUT", at("datastores", "workspaceblobstore"), map[string]any{"properties": d.props()}).want(200)
	require.Equal(t, "core.windows.net", c.do("GET", at("datastores", "workspaceblobstore"), nil).want(200).doc().text("properties", "endpoint"))
}

func TestModelOfARun(t *testing.T) {
	c := inside(t, open(t, Options{}))
	d := c.do("PUT", at("models", "m", "versions", "1"), map[string]any{"properties": map[string]any{"modelType": "mlflow_model", "modelUri": "runs:/r1/model"}}).want(201).doc()
	require.Equal(t, DefaultScope.DatastoreURI(arm.ArtifactStore, "ExperimentRun/dcid.r1/model"), d.text("properties", "modelUri"))
	require.Equal(t, "r1", d.text("properties", "jobName"))
}

func TestPipelineNamesItsComponentInShort(t *testing.T) {
	c := inside(t, open(t, Options{}))
	put := func(name string, spec map[string]any) {
		c.do("PUT", at("components", name, "versions", "1"), map[string]any{"properties": map[string]any{"componentSpec": spec}}).want(201)
	}
	put("say", map[string]any{"name": "say", "version": "1", "type": "command", "command": "echo 1", "environment": "azureml://registries/azureml/environments/sklearn-1.5/versions/3"})
	put("pipe", map[string]any{"name": "pipe", "version": "1", "type": "pipeline", "jobs": map[string]any{"a": map[string]any{"type": "command", "componentId": DefaultScope.AssetID("components", "say", "1")}}})
	for name, id := range map[string]string{"short": "pipe:1", "label": "pipe@latest", "long": DefaultScope.AssetID("components", "pipe", "1")} {
		c.do("PUT", at("jobs", name), map[string]any{"properties": map[string]any{"jobType": "Pipeline", "componentId": id}}).want(201)
	}
	require.Contains(t, string(c.do("PUT", at("jobs", "none"), map[string]any{"properties": map[string]any{"jobType": "Pipeline", "componentId": "pipe:2"}}).want(400).body), "was not found")
}
