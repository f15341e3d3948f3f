//go:build unix

package emulator

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// batchScript scores a file as the model's word and the file's content.
const batchScript = `#!/bin/sh
word=$(cat $AZUREML_MODEL_DIR/word.txt)
echo '{"ready":true}'
while read -r line; do
	out=
	for f in $(printf '%s' "$line" | sed 's/.*"files":\[\([^]]*\)\].*/\1/; s/"//g; s/,/ /g'); do
		[ -n "$WAIT" ] && sleep 100
		echo "$word$SIGN" >$AZUREML_BI_OUTPUT_PATH/$(basename $f).out
		out="$out,\"$word $(cat $f)$SIGN\""
	done
	echo "{\"results\":[${out#,}]}"
done
`

// batchWorld has an endpoint, files, with deployments, one and two, of a model and code.
func batchWorld(t *testing.T) *client { return batchWorldAt(t, Options{}) }

func batchWorldAt(t *testing.T, opts Options) *client {
	t.Helper()
	needShell(t)
	c := inside(t, open(t, opts))
	store := "https://" + DefaultScope.Account() + ".blob.core.windows.net/" + DefaultScope.BlobContainer() + "/"
	c.blob("model/word.txt", "seen")
	c.blob("code/score.sh", batchScript)
	for i := range 5 {
		c.blob(fmt.Sprintf("in/%d.txt", i), fmt.Sprint(i))
	}
	c.do("PUT", at("codes", "c", "versions", "1"), o{"properties": o{"codeUri": store + "code"}}).want(201)
	c.do("PUT", at("models", "word", "versions", "1"), o{"properties": o{"modelType": "custom_model", "modelUri": store + "model/word.txt"}}).want(201)
	c.do("PUT", at("data", "rows", "versions", "1"), o{"properties": o{"dataType": "uri_folder", "dataUri": DefaultScope.DatastoreURI(arm.BlobStore, "in/")}}).want(201)
	c.do("PUT", at("batchEndpoints", "files"), o{"location": "eastus", "properties": o{}})
	c.settled(at("batchEndpoints", "files"))
	for name, sign := range map[string]string{"one": "", "two": "!"} {
		c.deploy("files", name, o{
			"model": o{"referenceType": "Id", "assetId": DefaultScope.AssetID("models", "word", "1")}, "codeConfiguration": o{"codeId": DefaultScope.AssetID("codes", "c", "1"), "scoringScript": "score.sh"},
			"environmentId": DefaultScope.AssetID("environments", "sklearn-1.5", "1"), "compute": DefaultScope.Child("computes", "cpu-cluster"), "miniBatchSize": 2, "outputFileName": "out file.csv",
			"environmentVariables": o{"SIGN": sign}, "retrySettings": o{"maxRetries": 0, "timeout": "PT1M"}, "resources": o{"instanceCount": 1}, "loggingLevel": "Debug",
		})
	}
	return c
}

func (c *client) deploy(endpoint, name string, props o) {
	c.t.Helper()
	r := c.do("PUT", at("batchEndpoints", endpoint, "deployments", name), o{"location": "eastus", "properties": props})
	require.Contains(c.t, []int{200, 201}, r.status, string(r.body))
	c.settled(at("batchEndpoints", endpoint, "deployments", name))
}

const scoring = "https://files." + arm.InferenceHost + "/jobs"

func folderInput(uri string) o { return o{"x": o{"jobInputType": "UriFolder", "uri": uri}} }

func TestBatchEndpoint(t *testing.T) {
	t.Parallel()
	c := batchWorld(t)
	require.Equal(t, scoring, c.do("GET", at("batchEndpoints", "files"), nil).want(200).doc().text("properties", "scoringUri"))
	in := folderInput(DefaultScope.AssetID("data", "rows", "1"))
	r := c.do("POST", scoring, o{"properties": o{"inputData": in}}).want(404)
	require.Contains(t, string(r.body), "No valid deployments to route to")
	c.do("PUT", at("batchEndpoints", "files"), o{"location": "eastus", "properties": o{"defaults": o{"deploymentName": "one"}}})
	c.settled(at("batchEndpoints", "files"))

	made := c.do("POST", scoring, o{"properties": o{"inputData": in, "name": "first", "properties": o{"experimentName": "scores"}}}).want(201).doc()
	require.Equal(t, "first", made.text("name"))
	require.Equal(t, "first", made.text("properties", "name"))
	require.Equal(t, "Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs", made.text("type"))
	require.NotEmpty(t, made.text("properties", "interactionEndpoints", "Studio", "endpoint"))
	d := c.ended("first")
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, "Pipeline", d.text("properties", "jobType"))
	require.Equal(t, "scores", d.text("properties", "experimentName"))
	require.Equal(t, "true", d.text("properties", "tags", "azureml.batchrun"))
	require.Equal(t, "azureml.batchjob", d.text("properties", "tags", "azureml.jobtype"))
	require.Equal(t, "seen 0\nseen 1\nseen 2\nseen 3\nseen 4\n", c.blobText("azureml/first/score/out file.csv"))
	require.Equal(t, DefaultScope.DatastoreURI(arm.BlobStore, "azureml/first/score/"), d.text("properties", "outputs", "score", "uri"))
	// The results are the output score of the one child, which is where azure-ai-ml looks.
	h := "https://" + arm.APIHost + "/history/v1.0" + DefaultScope.ID() + "/runs/first"
	children := c.do("GET", h+"/children", nil).want(200).doc()
	require.Len(t, children["value"], 1)
	child := document(children["value"].([]any)[0].(map[string]any))
	require.Equal(t, "batchscoring", child.text("displayName"))
	require.NotEmpty(t, child.text("outputs", "score", "assetId"))

	// Another deployment by its name, one file, another place and file, and other settings.
	put := c.with("azureml-model-deployment", "TWO").do("POST", scoring, o{"properties": o{
		"inputData":  o{"UriFile": o{"jobInputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/in/3.txt"}},
		"outputData": o{"score": o{"jobOutputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/mine/all.csv"}}, "compute": o{"instanceCount": 1}, "miniBatchSize": 1, "errorThreshold": 0,
	}}).want(201).doc()
	require.Regexp(t, "^batchjob-", put.text("name"))
	require.Equal(t, "Completed", c.ended(put.text("name")).text("properties", "status"))
	require.Equal(t, "seen 3!\n", c.blobText("mine/all.csv"))
	old := c.do("POST", scoring, o{"properties": o{"inputData": in, "outputDataset": o{"datastoreId": DefaultScope.Child("datastores", "workspaceblobstore"), "path": "/old/"}, "outputFileName": "o.csv", "miniBatchSize": 5}}).want(201).doc()
	require.Equal(t, "Completed", c.ended(old.text("name")).text("properties", "status"))
	require.Equal(t, 5, strings.Count(c.blobText("old/o.csv"), "\n"))
	require.Equal(t, "seen\n", c.blobText("old/0.txt.out"), "what the script writes itself")

	// As the documentation's REST examples write it, with paths below the datastore's id.
	at := DefaultScope.Child("datastores", "workspaceblobstore") + "/paths/"
	rest := c.do("POST", scoring, o{"Properties": o{"InputData": o{"rows": o{"JobInputType": "UriFolder", "Uri": "azureml:" + at + "in"}}, "OutputData": o{"score": o{"JobOutputType": "UriFile", "Uri": at + "rest/all.csv"}}, "MiniBatchSize": 5}}).want(201).doc()
	require.Equal(t, "Completed", c.ended(rest.text("name")).text("properties", "status"))
	require.Equal(t, 5, strings.Count(c.blobText("rest/all.csv"), "\n"))
	again := c.do("POST", scoring, o{"properties": o{"inputData": in, "outputData": o{"score": o{"jobOutputType": "UriFile", "uri": at + "rest/all.csv"}}}}).want(400)
	require.Contains(t, string(again.body), "Output already exists")
	c.do("POST", scoring, o{"properties": o{"inputData": in, "outputDataset": o{"datastoreId": DefaultScope.Child("datastores", "workspaceblobstore"), "path": "/old/"}, "outputFileName": "o.csv"}}).want(400)

	// The endpoint's and the deployments' jobs, the newest first.
	names := func(path string) (out []string) {
		for _, v := range c.do("GET", path, nil).want(200).doc()["value"].([]any) {
			out = append(out, document(v.(map[string]any)).text("name"))
		}
		return out
	}
	front := "https://" + arm.APIHost + "/mferp/managementfrontend" + DefaultScope.Child("batchEndpoints", "files")
	const dataplane = "/jobs?api-version=2020-09-01-dataplanepreview"
	require.Equal(t, []string{rest.text("name"), old.text("name"), put.text("name"), "first"}, names(front+dataplane))
	require.Equal(t, []string{put.text("name")}, names(front+"/deployments/two"+dataplane))
	require.Equal(t, []string{rest.text("name"), old.text("name"), "first"}, names(front+"/deployments/one"+dataplane))
	c.do("GET", "https://files."+arm.InferenceHost+"/swagger.json", nil).want(200)
}

func TestBatchSummaryOnlyAndCancel(t *testing.T) {
	t.Parallel()
	c := batchWorld(t)
	d := c.do("GET", at("batchEndpoints", "files", "deployments", "two"), nil).want(200).doc()
	p := d.props()
	p["outputAction"] = "SummaryOnly"
	c.deploy("files", "sum", p)
	one := c.with("azureml-model-deployment", "sum").do("POST", scoring, o{"properties": o{"inputData": folderInput(DefaultScope.DatastoreURI(arm.BlobStore, "in/"))}}).want(201).doc().text("name")
	require.Equal(t, "Completed", c.ended(one).text("properties", "status"))
	require.Equal(t, "seen!\n", c.blobText("azureml/"+one+"/score/4.txt.out"))
	_, err := c.s.blobs.Stat(t.Context(), DefaultScope.Account(), DefaultScope.BlobContainer(), "azureml/"+one+"/score/out file.csv")
	require.Error(t, err)
	p["environmentVariables"] = o{"WAIT": "1"}
	c.deploy("files", "slow", p)
	two := c.with("azureml-model-deployment", "slow").do("POST", scoring, o{"properties": o{"inputData": folderInput(DefaultScope.DatastoreURI(arm.BlobStore, "in/"))}}).want(201).doc().text("name")
	c.do("POST", at("jobs", two, "cancel"), nil)
	require.Equal(t, "Canceled", c.ended(two).text("properties", "status"))
}

func TestBatchRepeatability(t *testing.T) {
	t.Parallel()
	c := batchWorld(t).with("azureml-model-deployment", "one")
	body := func(n int) o {
		return o{"properties": o{"inputData": folderInput(DefaultScope.DatastoreURI(arm.BlobStore, "in/")), "miniBatchSize": n}}
	}
	again := c.with("repeatability_request-id", "abc")
	first := again.do("POST", scoring, body(1)).want(201).doc().text("name")
	require.Equal(t, first, again.do("POST", scoring, body(1)).want(200).doc().text("name"))
	require.Contains(t, string(again.do("POST", scoring, body(2)).want(409).body), first)
	require.NotEqual(t, first, c.with("repeatability_request-id", "def").do("POST", scoring, body(1)).want(201).doc().text("name"))
	// Many at once make one job.
	many := make(chan string, 8)
	for range cap(many) {
		go func() {
			i := c.with("repeatability_request-id", "many")
			res, err := i.send(i.request("POST", scoring, body(1)))
			if err != nil {
				many <- err.Error()
				return
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			v, _ := decode(b)
			m, _ := v.(map[string]any)
			if err != nil || m["name"] == nil {
				many <- fmt.Sprint(res.StatusCode, string(b), err)
				return
			}
			many <- fmt.Sprint(m["name"])
		}()
	}
	name := <-many
	for range cap(many) - 1 {
		require.Equal(t, name, <-many)
	}
	for _, v := range c.do("GET", at("batchEndpoints", "files", "jobs"), nil).want(200).doc()["value"].([]any) {
		c.ended(document(v.(map[string]any)).text("name"))
	}
}

func TestBatchRefusals(t *testing.T) {
	t.Parallel()
	c := batchWorld(t).with("azureml-model-deployment", "one")
	in := folderInput(DefaultScope.DatastoreURI(arm.BlobStore, "in/"))
	c.with("azureml-model-deployment", "none").do("POST", scoring, o{"properties": o{"inputData": in}}).want(404)
	anonymous := *c
	anonymous.token = ""
	anonymous.do("POST", scoring, o{"properties": o{"inputData": in}}).want(401)
	c.do("GET", scoring, nil).want(405)
	c.do("POST", scoring+"/x", o{}).want(404)
	for want, props := range map[string]o{
		"takes one input":                                          {},
		"the request has 2: a, b":                                  {"inputData": o{"a": in["x"], "b": in["x"]}},
		`The input type \"Folder\" is unknown`:                     {"inputData": o{"x": o{"jobInputType": "Folder", "uri": "x"}}},
		"An address is required":                                   {"inputData": o{"x": o{"jobInputType": "UriFolder"}}},
		"takes UriFile and UriFolder, not Literal":                 {"inputData": o{"x": o{"jobInputType": "Literal", "value": 3}}},
		"takes UriFile and UriFolder, not MLTable":                 {"inputData": o{"x": o{"jobInputType": "MLTable", "uri": "azureml:rows:1"}}},
		"has the output score alone":                               {"inputData": in, "outputData": o{"other": o{"jobOutputType": "UriFile"}}},
		`Want an ISO 8601 duration of a second or more`:            {"inputData": in, "retrySettings": o{"timeout": "30"}},
		`The data version \"none:1\" was not found`:                {"inputData": folderInput("azureml:none:1")},
		`The datastore \"none\" was not found`:                     {"inputData": folderInput("azureml://datastores/none/paths/x")},
		`nodes are asked for; the compute \"cpu-cluster\" has`:     {"inputData": in, "compute": o{"instanceCount": 9999}},
		`want a whole number from -1`:                              {"inputData": in, "errorThreshold": -7},
		`want the name of a file without a folder, got \"../x.csv`: {"inputData": in, "outputFileName": "../x.csv"},
		`The name \"a b/c\" is not valid for jobs`:                 {"inputData": in, "name": "a b/c"},
		`an output goes to a datastore path`:                       {"inputData": in, "outputData": o{"score": o{"jobOutputType": "UriFile", "uri": "https://example.com/x"}}},
	} {
		r := c.do("POST", scoring, o{"properties": props})
		require.Contains(t, string(r.body), want)
		require.GreaterOrEqual(t, r.status, 400)
		require.Less(t, r.status, 500, string(r.body))
	}
	require.Empty(t, c.do("GET", at("batchEndpoints", "files", "jobs"), nil).want(200).doc()["value"], "nothing was made")
	// A model without a script, and an MLflow model where there is no mlflow.
	d := c.do("GET", at("batchEndpoints", "files", "deployments", "one"), nil).want(200).doc().props()
	delete(d, "codeConfiguration")
	c.deploy("files", "bare", d)
	bare := c.with("azureml-model-deployment", "bare")
	require.Contains(t, string(bare.do("POST", scoring, o{"properties": o{"inputData": in}}).want(400).body), "has no scoring script; only MLflow models are scored without one, and the model is a custom_model")
	store := "https://" + DefaultScope.Account() + ".blob.core.windows.net/" + DefaultScope.BlobContainer() + "/"
	c.blob("flow/MLmodel", "flavors: {}\n")
	c.do("PUT", at("models", "flow", "versions", "1"), o{"properties": o{"modelType": "mlflow_model", "modelUri": store + "flow"}}).want(201)
	d["model"] = o{"referenceType": "Id", "assetId": DefaultScope.AssetID("models", "flow", "1")}
	delete(d, "environmentId")
	c.deploy("files", "flow", d)
	if exec.Command("python3", "-c", "import mlflow").Run() != nil {
		r := c.with("azureml-model-deployment", "flow").do("POST", scoring, o{"properties": o{"inputData": in}}).want(400)
		require.Regexp(t, "is scored by the package mlflow, and .* has no module mlflow|neither python3 nor python is in PATH", string(r.body))
	}
}

func TestBatchPipelineComponent(t *testing.T) {
	t.Parallel()
	c := batchWorld(t)
	env := "azureml:" + DefaultScope.AssetID("environments", "sklearn-1.5", "1")
	c.do("PUT", at("components", "count", "versions", "1"), o{"properties": o{"componentSpec": o{
		"name": "count", "version": "1", "type": "command", "command": "ls ${{inputs.data}} | wc -l | tr -d ' ' >${{outputs.n}}; echo ${{inputs.by}} >>${{outputs.n}}", "environment": env,
		"inputs": o{"data": o{"type": "uri_folder"}, "by": o{"type": "number"}}, "outputs": o{"n": o{"type": "uri_file"}},
	}}}).want(201)
	c.do("PUT", at("components", "pipe", "versions", "1"), o{"properties": o{"componentSpec": o{
		"name": "pipe", "version": "1", "type": "pipeline", "inputs": o{"data": o{"type": "uri_folder"}, "by": o{"type": "number", "default": "2"}}, "outputs": o{"n": o{"type": "uri_file"}},
		"jobs": o{"count": o{"type": "command", "componentId": DefaultScope.AssetID("components", "count", "1"),
			"inputs":  o{"data": o{"job_input_type": "literal", "value": "${{parent.inputs.data}}"}, "by": o{"job_input_type": "literal", "value": "${{parent.inputs.by}}"}},
			"outputs": o{"n": o{"type": "literal", "value": "${{parent.outputs.n}}"}}}},
	}}}).want(201)
	c.deploy("files", "pipe", o{"deploymentConfiguration": o{"deploymentConfigurationType": "PipelineComponent", "componentId": o{"referenceType": "Id", "assetId": DefaultScope.AssetID("components", "pipe", "1")}, "settings": o{"ContinueOnStepFailure": "true", "default_compute": "cpu-cluster"}}})
	p := c.with("azureml-model-deployment", "pipe")
	data := o{"jobInputType": "UriFolder", "uri": "azureml:rows:1"}
	one := p.do("POST", scoring, o{"properties": o{"inputData": o{"data": data, "by": o{"jobInputType": "Literal", "value": 1.5}}, "outputData": o{"n": o{"jobOutputType": "UriFile", "uri": "azureml://datastores/workspaceblobstore/paths/n.txt"}}}}).want(201).doc().text("name")
	d := c.ended(one)
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, "5\n1.5\n", c.blobText("n.txt"))
	require.Equal(t, "azureml.pipelinejob", d.text("properties", "tags", "azureml.jobtype"))
	r := p.do("POST", scoring, o{"properties": o{}}).want(400)
	require.Contains(t, string(r.body), `the component's input \"data\" is required`)
	r = p.do("POST", scoring, o{"properties": o{"inputData": o{"rows": data, "data": data}}}).want(400)
	require.Contains(t, string(r.body), `the component has no input \"rows\"; it has: by, data`)
	// A component of a pipeline that ran has its inputs as defaults.
	c.do("PUT", at("components", "again", "versions", "1"), o{"properties": o{"componentSpec": o{"name": "again", "version": "1", "type": "pipeline", "jobs": o{}, "sourceJobId": one}}}).want(201)
	c.deploy("files", "again", o{"deploymentConfiguration": o{"deploymentConfigurationType": "PipelineComponent", "componentId": o{"referenceType": "Id", "assetId": DefaultScope.AssetID("components", "again", "1")}, "settings": o{"default_compute": "cpu-cluster"}}})
	two := c.with("azureml-model-deployment", "again").do("POST", scoring, o{"properties": o{"inputData": o{"by": o{"jobInputType": "Literal", "value": 2.5}}}}).want(201).doc().text("name")
	d = c.ended(two)
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, "5\n2.5\n", c.blobText("azureml/"+two+"/n"))
	r = p.do("POST", scoring, o{"properties": o{"inputData": o{"data": data, "by": o{"jobInputType": "Literal", "value": true}}}}).want(400)
	require.Contains(t, string(r.body), `\"True\" is no number`)
	c.do("PUT", at("components", "nope", "versions", "1"), o{"properties": o{"componentSpec": o{"name": "nope", "version": "1", "type": "pipeline", "jobs": o{}, "sourceJobId": "nope"}}}).want(404)
	c.do("PUT", at("components", "none", "versions", "1"), o{"properties": o{"componentSpec": o{"name": "none", "version": "1", "type": "pipeline", "jobs": o{}}}}).want(400)
}

func TestBatchDeploymentRefusals(t *testing.T) {
	t.Parallel()
	c := batchWorld(t)
	for want, props := range map[string]o{
		"must be one of AppendRow, SummaryOnly":            {"outputAction": "AppendAll"},
		"must be one of Info, Warning, Debug":              {"loggingLevel": "loud"},
		"properties.miniBatchSize":                         {"miniBatchSize": 0},
		"The value -2 is not a whole number of -1 or more": {"errorThreshold": -2},
		"The value many is not a whole number":             {"resources": o{"instanceCount": "many"}},
		"ISO 8601 duration":                                {"retrySettings": o{"timeout": "30 s"}},
		"the scoring script in the code is required":       {"codeConfiguration": o{"codeId": DefaultScope.AssetID("codes", "c", "1")}},
		"must be one of Model, PipelineComponent":          {"deploymentConfiguration": o{"deploymentConfigurationType": "Flow"}},
		"The component of a pipeline is required":          {"deploymentConfiguration": o{"deploymentConfigurationType": "PipelineComponent"}},
		`The component version \"none:1\" was not found`:   {"deploymentConfiguration": o{"deploymentConfigurationType": "PipelineComponent", "componentId": o{"assetId": "azureml:none:1"}}},
		`The model version \"none:1\" was not found`:       {"model": o{"assetId": "azureml:none:1"}},
	} {
		r := c.do("PUT", at("batchEndpoints", "files", "deployments", "bad"), o{"location": "eastus", "properties": props})
		require.Contains(t, string(r.body), want)
		require.Contains(t, []int{400, 404}, r.status, want)
	}
}
