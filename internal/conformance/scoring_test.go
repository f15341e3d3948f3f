package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace/local"
)

// tally collects what a witness did, one operation for each subtest.
type tally []operation

func (y *tally) run(t *testing.T, name string, f func(t *testing.T)) {
	outcome := failed
	if t.Run(name, f) {
		outcome = passed
	}
	*y = append(*y, operation{Name: name, Outcome: outcome, Calls: 1})
}

func ended[T any](t *testing.T, p *runtime.Poller[T], err error) T {
	t.Helper()
	require.NoError(t, err)
	v, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	return v
}

// deploy makes an endpoint with one deployment that gets all the requests.
func deploy(t *testing.T, lw *local.Workspace, d *endpoints.OnlineDeployment) {
	t.Helper()
	p, err := lw.Client.Online.BeginCreate(t.Context(), &endpoints.OnlineEndpoint{Name: d.Endpoint}, nil)
	ended(t, p, err)
	d.InstanceType, d.InstanceCount = "Standard_DS3_v2", 1
	pd, err := lw.Client.Online.BeginCreateDeployment(t.Context(), d, nil)
	made := ended(t, pd, err)
	require.Equal(t, "Succeeded", made.ProvisioningState)
	p, err = lw.Client.Online.BeginUpdateTraffic(t.Context(), d.Endpoint, endpoints.Traffic{d.Name: 100}, nil)
	ended(t, p, err)
}

// withPrograms starts a local workspace that finds an interpreter's programs first.
func withPrograms(t *testing.T, py string) *local.Workspace {
	t.Helper()
	t.Setenv("PATH", filepath.Dir(py)+string(os.PathListSeparator)+os.Getenv("PATH"))
	lw, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lw.Close()) })
	return lw
}

// serverFile writes how a workspace is reached by other languages.
func serverFile(t *testing.T, lw *local.Workspace) string {
	t.Helper()
	url, err := lw.URL()
	require.NoError(t, err)
	b, err := json.Marshal(server{URL: url, Token: lw.Token(), SubscriptionID: lw.ID().Subscription, ResourceGroup: lw.ID().ResourceGroup, WorkspaceName: lw.ID().Name})
	require.NoError(t, err)
	at := filepath.Join(t.TempDir(), "server.json")
	require.NoError(t, os.WriteFile(at, b, 0o600))
	return at
}

// invoke asks an endpoint through Python's azure-ai-ml.
func invoke(t *testing.T, server, endpoint, request string) string {
	t.Helper()
	py := python(t, "azure.ai.ml")
	at := filepath.Join(t.TempDir(), "request.json")
	require.NoError(t, os.WriteFile(at, []byte(request), 0o600))
	out := run(t, []string{"PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=127.0.0.1", "HOME=" + t.TempDir()}, t.TempDir(), py, filepath.Join(root(t), "internal/conformance/azureaiml/invoke.py"), server, endpoint, at)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

// versionOf is the version of a module in an interpreter's environment.
func versionOf(t *testing.T, py, module string) string {
	t.Helper()
	b, err := exec.Command(py, "-c", "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))", module).Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

// TestInferenceServer serves scoring scripts by azureml-inference-server-http,
// which Azure's own images run. AZUREML_PYTHON_INFERENCE names the interpreter
// of its environment.
func TestInferenceServer(t *testing.T) {
	reference := os.Getenv("AZUREML_PYTHON")
	if p := os.Getenv("AZUREML_PYTHON_INFERENCE"); p != "" {
		t.Setenv("AZUREML_PYTHON", p)
	}
	py := python(t, "azureml_inference_server_http", "inference_schema")
	t.Setenv("AZUREML_PYTHON", reference)
	lw := withPrograms(t, py)
	online := lw.Client.Online
	model := filepath.Join(t.TempDir(), "weights.json")
	require.NoError(t, os.WriteFile(model, []byte("[1, 10, 100]"), 0o600))
	environment := &assets.Environment{Image: "mcr.microsoft.com/azureml/minimal-py312-inference:latest"}
	var y tally
	y.run(t, "a script with raw requests is deployed", func(t *testing.T) {
		deploy(t, lw, &endpoints.OnlineDeployment{
			Name: "blue", Endpoint: "weighted", Environment: environment,
			Model: &assets.Model{Name: "weights", Version: "1", Path: model}, Code: &endpoints.CodeConfiguration{Code: jobs.Folder("scoring"), ScoringScript: "score.py"},
		})
	})
	y.run(t, "our client scores", func(t *testing.T) {
		a, err := online.Score(t.Context(), "weighted", map[string]any{"data": [][]int{{1, 2, 3}, {0, 0, 1}}}, nil)
		require.NoError(t, err)
		require.JSONEq(t, "[321, 100]", string(a.Body))
		require.Equal(t, "blue", a.Deployment)
		require.Equal(t, "2", a.Header.Get("x-scored"))
	})
	y.run(t, "a status of the script", func(t *testing.T) {
		_, err := online.Score(t.Context(), "weighted", map[string]any{"data": [][]int{{1}}}, nil)
		var se *endpoints.ScoreError
		require.ErrorAs(t, err, &se)
		require.Equal(t, 422, se.ModelStatus)
		require.ErrorContains(t, err, "a row needs 3 values")
	})
	y.run(t, "azure-ai-ml invokes", func(t *testing.T) {
		require.JSONEq(t, "[12]", invoke(t, serverFile(t, lw), "weighted", `{"data":[[2,1,0]]}`))
	})
	y.run(t, "the log", func(t *testing.T) {
		log, err := online.Logs(t.Context(), "weighted", "blue", nil)
		require.NoError(t, err)
		require.Contains(t, log, "Azure ML Inferencing HTTP server")
		require.Contains(t, log, "init read 3 weights")
	})
	y.run(t, "a script with a schema", func(t *testing.T) {
		deploy(t, lw, &endpoints.OnlineDeployment{Name: "blue", Endpoint: "typed", Environment: environment, Code: &endpoints.CodeConfiguration{Code: jobs.Folder("scoring"), ScoringScript: "typed.py"}})
		a, err := online.Score(t.Context(), "typed", map[string]any{"words": []string{"one", "three"}}, nil)
		require.NoError(t, err)
		require.JSONEq(t, `{"lengths":[3,5]}`, string(a.Body))
		_, err = online.Score(t.Context(), "typed", map[string]any{"words": []string{}}, nil)
		var se *endpoints.ScoreError
		require.ErrorAs(t, err, &se)
	})
	testifies(t, &witness{Name: "azureml-inference-server-http", Version: versionOf(t, py, "azureml-inference-server-http"), What: "a deployment of the local workspace", Unit: "cases", Operations: y})
}

// TestMLflowModels deploys a scikit-learn model without a scoring script: it is
// served by `mlflow models serve`.
func TestMLflowModels(t *testing.T) {
	py := python(t, "mlflow", "sklearn")
	dir := filepath.Join(t.TempDir(), "wine")
	out, err := exec.Command(py, filepath.Join(root(t), "internal/conformance/scoring/train.py"), dir).Output()
	require.NoError(t, err)
	var rows struct {
		Columns     []string    `json:"columns"`
		Data        [][]float64 `json:"data"`
		Predictions []float64   `json:"predictions"`
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &rows))
	require.Len(t, rows.Predictions, len(rows.Data))
	lw := withPrograms(t, py)
	var y tally
	y.run(t, "the model is registered and deployed", func(t *testing.T) {
		m, err := lw.Client.Models.Create(t.Context(), &assets.Model{Name: "wine", Version: "1", Type: assets.MLflowModel, Path: dir}, nil)
		require.NoError(t, err)
		require.Equal(t, assets.MLflowModel, m.Type)
		deploy(t, lw, &endpoints.OnlineDeployment{Name: "blue", Endpoint: "wine", Model: azureml.Ref("azureml:wine:1")})
	})
	index := []int{}
	for i := range rows.Data {
		index = append(index, i)
	}
	frame := map[string]any{"columns": rows.Columns, "index": index, "data": rows.Data}
	same := func(t *testing.T, body []byte) {
		t.Helper()
		var all []float64
		if json.Unmarshal(body, &all) != nil {
			var in struct{ Predictions []float64 }
			require.NoError(t, json.Unmarshal(body, &in), string(body))
			all = in.Predictions
		}
		require.Equal(t, rows.Predictions, all)
	}
	for _, field := range []string{"input_data", "dataframe_split"} { // Azure's body and MLflow's
		y.run(t, "our client scores with "+field, func(t *testing.T) {
			a, err := lw.Client.Online.Score(t.Context(), "wine", map[string]any{field: frame}, nil)
			require.NoError(t, err)
			same(t, a.Body)
		})
	}
	y.run(t, "azure-ai-ml invokes", func(t *testing.T) {
		b, err := json.Marshal(map[string]any{"input_data": frame})
		require.NoError(t, err)
		same(t, []byte(invoke(t, serverFile(t, lw), "wine", string(b))))
	})
	y.run(t, "columns that the model does not have", func(t *testing.T) {
		_, err := lw.Client.Online.Score(t.Context(), "wine", map[string]any{"input_data": map[string]any{"columns": []string{"none"}, "data": [][]float64{{1}}}}, nil)
		var se *endpoints.ScoreError
		require.ErrorAs(t, err, &se)
		require.ErrorContains(t, err, "alcohol")
	})
	testifies(t, &witness{Name: "MLflow models (scikit-learn)", Version: versionOf(t, py, "mlflow"), What: "a deployment of the local workspace", Unit: "cases", Operations: y})
}
