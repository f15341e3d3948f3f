package arm

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

var here = Scope{"s", "g", "w"}

func open(t *testing.T) *Resolver {
	t.Helper()
	db, err := store.Open(store.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &Resolver{DB: db, HasAccount: func(a string) bool { return a == here.Account() || a == "mine" }}
}

func (r *Resolver) put(t *testing.T, at string, properties map[string]any) {
	t.Helper()
	id, err := ParseID(at)
	require.NoError(t, err)
	b, err := json.Marshal(map[string]any{"properties": properties})
	require.NoError(t, err)
	require.NoError(t, r.DB.Update(t.Context(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: id.String(), Type: id.Type(), Parent: id.Parent().String(), Body: b})
		return err
	}))
}

func TestResolve(t *testing.T) {
	r := open(t)
	r.put(t, here.ID(), map[string]any{})
	r.put(t, here.Child(Datastores, "ds"), map[string]any{"datastoreType": "AzureBlob", "accountName": "mine", "containerName": "c"})
	r.put(t, here.Child(Datastores, "lake"), map[string]any{"datastoreType": "AzureDataLakeGen1", "storeName": "x"})
	r.put(t, here.AssetID(Data, "iris", "1"), map[string]any{"dataType": "uri_file", "dataUri": "azureml://datastores/ds/paths/LocalUpload/h/iris.csv"})
	r.put(t, here.AssetID(Data, "iris", "2"), map[string]any{"dataType": "uri_folder", "dataUri": "https://mine.blob.core.windows.net/c/two/"})
	r.put(t, here.AssetID(Data, "round", "1"), map[string]any{"dataType": "uri_folder", "dataUri": "azureml:round:1"})
	r.put(t, here.AssetID(Models, "m", "1"), map[string]any{"modelUri": "azureml://jobs/j/outputs/model/paths/inner"})
	r.put(t, here.Child(Jobs, "j"), map[string]any{"outputs": map[string]any{"model": map[string]any{"jobOutputType": "mlflow_model"}, "there": map[string]any{"jobOutputType": "uri_folder", "uri": "azureml://datastores/ds/paths/out/${{name}}/"}}})
	r.put(t, "/subscriptions/s/resourceGroups/g/providers/"+Provider+"/registries/reg", map[string]any{})
	r.put(t, "/subscriptions/s/resourceGroups/g/providers/"+Provider+"/registries/reg/models/m/versions/7", map[string]any{"modelUri": "https://mine.blob.core.windows.net/x/m"})

	for _, c := range []struct {
		uri, kind string
		want      Location
	}{
		{"azureml:iris:1", Data, Location{Account: "mine", Container: "c", Path: "LocalUpload/h/iris.csv", Type: "uri_file", AssetID: here.AssetID(Data, "iris", "1"), Datastore: "ds"}},
		{"azureml:iris@latest", "", Location{Account: "mine", Container: "c", Path: "two/", Type: "uri_folder", AssetID: here.AssetID(Data, "iris", "2")}},
		{"azureml:/subscriptions/S/resourcegroups/G/providers/microsoft.machinelearningservices/workspaces/W/data/IRIS/versions/1", Models, Location{Account: "mine", Container: "c", Path: "LocalUpload/h/iris.csv", Type: "uri_file", AssetID: here.AssetID(Data, "iris", "1"), Datastore: "ds"}},
		{"azureml://locations/eastus/workspaces/" + here.WorkspaceID() + "/data/iris/versions/2", "", Location{Account: "mine", Container: "c", Path: "two/", Type: "uri_folder", AssetID: here.AssetID(Data, "iris", "2")}},
		{"azureml://datastores/ds/paths/a", "", Location{Account: "mine", Container: "c", Path: "a", Datastore: "ds"}},
		{"azureml:m:1", Models, Location{Account: here.Account(), Container: here.BlobContainer(), Path: "azureml/j/model/inner", Type: "custom_model", AssetID: here.AssetID(Models, "m", "1"), Datastore: BlobStore}},
		{"azureml://jobs/j/outputs/model", "", Location{Account: here.Account(), Container: here.BlobContainer(), Path: "azureml/j/model/", Type: "mlflow_model", Datastore: BlobStore}},
		{"azureml://jobs/j/outputs/there", "", Location{Account: "mine", Container: "c", Path: "out/j/", Type: "uri_folder", Datastore: "ds"}},
		{"azureml://jobs/j/outputs/default", "", Location{Account: here.Account(), Container: ArtifactContainer, Path: "ExperimentRun/dcid.j/", Type: "uri_folder", Datastore: ArtifactStore}},
		{"azureml://registries/reg/models/m/versions/7", "", Location{Account: "mine", Container: "x", Path: "m", Type: "custom_model", AssetID: "/subscriptions/s/resourceGroups/g/providers/" + Provider + "/registries/reg/models/m/versions/7"}},
		{"azureml://registries/azureml/environments/anything/labels/latest", "", Location{AssetID: CuratedRegistryID + "/environments/anything/versions/1"}},
		{"azureml:sklearn-1.5@latest", Environments, Location{AssetID: here.AssetID(Environments, "sklearn-1.5", "1")}},
		{"runs:/j/model", "", Location{Account: here.Account(), Container: ArtifactContainer, Path: "ExperimentRun/dcid.j/model", Datastore: ArtifactStore}},
		{"https://other.blob.core.windows.net/c/x", "", Location{URL: "https://other.blob.core.windows.net/c/x"}},
		{"https://example.com/x", "", Location{URL: "https://example.com/x"}},
	} {
		got, err := r.Resolve(context.Background(), here, c.uri, c.kind)
		require.NoError(t, err, c.uri)
		got.Properties = nil
		require.Equal(t, c.want, *got, c.uri)
	}

	for uri, code := range map[string]string{
		"azureml:iris:9": "ResourceNotFound", "azureml:none@latest": "ResourceNotFound", "azureml:iris@other": "ResourceNotFound", "azureml://datastores/none/paths/x": "ResourceNotFound",
		"azureml://datastores/lake/paths/x": "ValidationError", "azureml://jobs/none/outputs/o": "ResourceNotFound", "azureml://jobs/j/outputs/none": "ResourceNotFound",
		"azureml://registries/none/models/m/versions/1": "ResourceNotFound", "azureml:round:1": "ValidationError", "./x": "ValidationError",
	} {
		_, err := r.Resolve(context.Background(), here, uri, Data)
		require.Error(t, err, uri)
		require.Equal(t, code, As(err).Code, uri)
	}
}

func TestErrorWrite(t *testing.T) {
	w := httptest.NewRecorder()
	e := Invalid("properties.command", "no command")
	e.Details = []*Error{NotFound("data", "iris")}
	e.RetryAfter = 1500 * time.Millisecond
	e.Write(w)
	require.Equal(t, 400, w.Code)
	require.Equal(t, "ValidationError", w.Header().Get("x-ms-error-code"))
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Equal(t, "1500", w.Header().Get("retry-after-ms"))
	require.JSONEq(t, `{"error":{"code":"ValidationError","message":"no command","target":"properties.command","details":[{"code":"ResourceNotFound","message":"The data \"iris\" was not found."}]}}`, w.Body.String())
}
