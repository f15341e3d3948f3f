package emulator

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// mlflow sends a request to MLflow's API.
func (c *client) mlflow(method, path string, body any) *reply {
	c.t.Helper()
	return c.do(method, "/api/2.0/mlflow/"+path, body)
}

func (c *client) putBlob(container, name, text string) {
	c.t.Helper()
	_, err := c.s.blobs.Put(c.t.Context(), DefaultScope.Account(), container, name, strings.NewReader(text), &blob.PutOptions{})
	require.NoError(c.t, err)
}

func TestOneListOfModels(t *testing.T) {
	t.Parallel()
	c := outside(t, open(t, Options{}))
	run := c.mlflow("POST", "runs/create", map[string]any{"experiment_id": "0"}).want(200).doc().text("run", "info", "run_id")
	c.do("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/"+run+"/artifacts/model/MLmodel", "flavors:\n  sklearn:\n    sklearn_version: 1.5.0\n    code:\n").want(200)
	source := "mlflow-artifacts:/0/" + run + "/artifacts/model"
	c.mlflow("POST", "registered-models/create", map[string]any{"name": "iris", "description": "flowers", "tags": []any{map[string]any{"key": "a", "value": "b"}}}).want(200)
	container := c.do("GET", at("models", "iris"), nil).want(200).doc()
	require.Equal(t, "flowers", container.text("properties", "description"))
	require.Equal(t, "b", container.text("properties", "tags", "a"))
	require.Equal(t, "1", container.text("properties", "nextVersion"))

	v := c.mlflow("POST", "model-versions/create", map[string]any{"name": "iris", "source": source, "run_id": run, "description": "first", "tags": []any{map[string]any{"key": "k", "value": "v"}}}).want(200).doc()
	require.Equal(t, "1", v.text("model_version", "version"))
	d := c.do("GET", at("models", "iris", "versions", "1"), nil).want(200).doc()
	require.Equal(t, "mlflow_model", d.text("properties", "modelType"))
	require.Equal(t, DefaultScope.DatastoreURI(arm.ArtifactStore, arm.RunPrefix(run)+"/model"), d.text("properties", "modelUri"))
	require.Equal(t, "first", d.text("properties", "description"))
	require.Equal(t, "v", d.text("properties", "tags", "k"))
	require.Equal(t, run, d.text("properties", "jobName"))
	require.Equal(t, map[string]any{"data": map[string]any{"sklearn_version": "1.5.0"}}, d.object("properties", "flavors")["sklearn"])
	require.Equal(t, "2", c.do("GET", at("models", "iris"), nil).want(200).doc().text("properties", "nextVersion"))

	t.Log("what the resource manager changes, MLflow shows, and the other way round")
	p := map[string]any{"properties": map[string]any{"modelUri": d.text("properties", "modelUri"), "modelType": "mlflow_model", "description": "changed", "tags": map[string]any{"n": "1"}, "stage": "Production"}}
	c.do("PUT", at("models", "iris", "versions", "1"), p).want(200)
	v = c.mlflow("GET", "model-versions/get?name=iris&version=1", nil).want(200).doc()
	require.Equal(t, "changed", v.text("model_version", "description"))
	require.Equal(t, "Production", v.text("model_version", "current_stage"))
	require.Equal(t, source, v.text("model_version", "source"))
	c.mlflow("POST", "model-versions/transition-stage", map[string]any{"name": "iris", "version": "1", "stage": "archived"}).want(200)
	c.mlflow("POST", "model-versions/set-tag", map[string]any{"name": "iris", "version": "1", "key": "m", "value": "2"}).want(200)
	d = c.do("GET", at("models", "iris", "versions", "1"), nil).want(200).doc()
	require.Equal(t, "Archived", d.text("properties", "stage"))
	require.Equal(t, map[string]any{"n": "1", "m": "2"}, d.object("properties", "tags"))

	t.Log("a model of the resource manager is one of MLflow's, which counts on")
	c.putBlob(DefaultScope.BlobContainer(), "up/model/MLmodel", "flavors: {}")
	c.putBlob(DefaultScope.BlobContainer(), "up/model/data/weights", "1234")
	c.do("PUT", at("models", "iris", "versions", "2"), map[string]any{"properties": map[string]any{"modelUri": "azureml://datastores/workspaceblobstore/paths/up/model", "modelType": "custom_model"}}).want(201)
	c.do("PUT", at("models", "iris", "versions", "zwei"), map[string]any{"properties": map[string]any{"modelUri": "azureml://datastores/workspaceblobstore/paths/up/model"}}).want(201)
	m := c.mlflow("GET", "registered-models/get?name=iris", nil).want(200).doc()
	require.Len(t, m.at("registered_model", "latest_versions"), 2, "the latest of each stage; 'zwei' is none of MLflow's")
	c.mlflow("POST", "registered-models/alias", map[string]any{"name": "iris", "alias": "best", "version": "2"}).want(200)
	require.Equal(t, "2", c.mlflow("GET", "registered-models/alias?name=iris&alias=best", nil).want(200).doc().text("model_version", "version"))
	where := c.mlflow("GET", "model-versions/get-download-uri?name=iris&version=2", nil).want(200).doc().text("artifact_uri")
	require.Equal(t, "mlflow-artifacts:/azureml-models/iris/2", where)
	list := c.do("GET", "/api/2.0/mlflow-artifacts/artifacts?path="+url.QueryEscape("azureml-models/iris/2"), nil).want(200)
	require.JSONEq(t, `{"files":[{"path":"MLmodel","is_dir":false,"file_size":11},{"path":"data","is_dir":true}]}`, string(list.body))
	require.Equal(t, "1234", string(c.do("GET", "/api/2.0/mlflow-artifacts/artifacts/azureml-models/iris/2/data/weights", nil).want(200).body))
	c.do("PUT", "/api/2.0/mlflow-artifacts/artifacts/azureml-models/iris/2/data/weights", "x").want(403)
	c.do("DELETE", "/api/2.0/mlflow-artifacts/artifacts/azureml-models/iris/2/data/weights", nil).want(403)
	v = c.mlflow("POST", "model-versions/create", map[string]any{"name": "iris", "source": source, "run_id": run}).want(200).doc()
	require.Equal(t, "3", v.text("model_version", "version"))

	t.Log("a new name, and the end")
	c.mlflow("POST", "registered-models/rename", map[string]any{"name": "iris", "new_name": "lily"}).want(200)
	c.do("GET", at("models", "iris"), nil).want(404)
	require.Equal(t, "custom_model", c.do("GET", at("models", "lily", "versions", "2"), nil).want(200).doc().text("properties", "modelType"))
	require.Equal(t, "1234", string(c.do("GET", "/api/2.0/mlflow-artifacts/artifacts/azureml-models/lily/2/data/weights", nil).want(200).body))
	c.do("DELETE", at("models", "lily", "versions", "2"), nil).want(200)
	c.mlflow("GET", "model-versions/get?name=lily&version=2", nil).want(404)
	c.mlflow("DELETE", "model-versions/delete", map[string]any{"name": "lily", "version": "3"}).want(200)
	c.do("GET", at("models", "lily", "versions", "3"), nil).want(404)
	c.do("PUT", at("models", "lily", "versions", "2"), map[string]any{"properties": map[string]any{"modelUri": "https://example.com/m"}}).want(201)
	c.mlflow("GET", "model-versions/get?name=lily&version=2", nil).want(200)
	c.do("DELETE", at("models", "LILY"), nil).want(200)
	c.mlflow("GET", "registered-models/get?name=lily", nil).want(404)
	c.mlflow("POST", "registered-models/create", map[string]any{"name": "lily"}).want(200)
	c.mlflow("DELETE", "registered-models/delete", map[string]any{"name": "lily"}).want(200)
	c.do("GET", at("models", "lily"), nil).want(404)
}

func TestModelsOfOneListOnly(t *testing.T) {
	t.Parallel()
	c := outside(t, open(t, Options{}))
	prompt := []any{map[string]any{"key": "mlflow.prompt.is_prompt", "value": "true"}}
	c.mlflow("POST", "registered-models/create", map[string]any{"name": "words", "tags": prompt}).want(200)
	c.do("GET", at("models", "words"), nil).want(404)
	c.do("PUT", at("models", "words", "versions", "1"), map[string]any{"properties": map[string]any{"modelUri": "https://example.com/m"}}).want(409)
	c.do("GET", at("models", "words"), nil).want(404)
	c.mlflow("POST", "registered-models/create", map[string]any{"name": "with blanks"}).want(200)
	c.mlflow("POST", "registered-models/create", map[string]any{"name": "Case"}).want(200)
	c.mlflow("POST", "registered-models/create", map[string]any{"name": "case"}).want(200)
	c.mlflow("DELETE", "registered-models/delete", map[string]any{"name": "case"}).want(200)
	require.Equal(t, "Case", c.do("GET", at("models", "case"), nil).want(200).doc().text("name"))
	names, _ := c.pages(at("models"))
	require.Equal(t, []string{"Case"}, names)
	c.do("PUT", at("models", "CASE", "versions", "1"), map[string]any{"properties": map[string]any{"modelUri": "https://example.com/m"}}).want(201)
	b, err := json.Marshal(c.mlflow("GET", "registered-models/search", nil).want(200).doc())
	require.NoError(t, err)
	require.NotContains(t, string(b), "CASE")
	require.Equal(t, "1", c.mlflow("GET", "model-versions/get?name=Case&version=1", nil).want(200).doc().text("model_version", "version"))
	c.do("PUT", at("models", "anonymous", "versions", "1"), map[string]any{"properties": map[string]any{"modelUri": "https://example.com/m", "isAnonymous": true}}).want(201)
	c.mlflow("GET", "registered-models/get?name=anonymous", nil).want(404)
}
