package mlflow_test

import (
	"strings"
	"testing"

	"github.com/azureml-go/azureml/jobs/mlflow"
	"github.com/azureml-go/azureml/workspace/local"
	"github.com/stretchr/testify/require"
)

func startLocal(t testing.TB) *local.Workspace {
	t.Helper()
	w, err := local.Start(t.Context(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// TestAgainstLocalRoot speaks to the local workspace as to MLflow's own server: what jobs do.
func TestAgainstLocalRoot(t *testing.T) {
	w := startLocal(t)
	url, err := w.URL()
	require.NoError(t, err)
	suite(t, func(t *testing.T) *mlflow.Client { return connect(t, url, &mlflow.Options{Token: w.Token()}) })
}

// TestAgainstLocalWorkspace speaks to it as to Azure Machine Learning, over the port: the workspace's
// tracking URI, artifacts through run history and signed blobs.
func TestAgainstLocalWorkspace(t *testing.T) {
	w := startLocal(t)
	url, err := w.URL()
	require.NoError(t, err)
	id := w.ID()
	uri := "azureml://" + strings.TrimPrefix(url, "http://") + "/mlflow/v1.0/subscriptions/" + id.Subscription + "/resourceGroups/" + id.ResourceGroup +
		"/providers/Microsoft.MachineLearningServices/workspaces/" + id.Name
	suite(t, func(t *testing.T) *mlflow.Client { return connect(t, uri, &mlflow.Options{Token: w.Token()}) })
}

// TestAgainstLocalInProcess is the workspace's Tracking, without a port.
func TestAgainstLocalInProcess(t *testing.T) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} { // of the spools
		t.Setenv(name, t.TempDir())
	}
	w := startLocal(t)
	suite(t, func(t *testing.T) *mlflow.Client { return w.Client.Tracking })
}

// A program outside of a job finds the local workspace by its variables.
func TestLocalEnvironment(t *testing.T) {
	w := startLocal(t)
	environ, err := w.Environ()
	require.NoError(t, err)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	c, err := mlflow.FromEnvironment(t.Context())
	require.NoError(t, err)
	defer c.Close()
	r, err := c.Start(t.Context(), &mlflow.StartOptions{Experiment: "env"})
	require.NoError(t, err)
	require.NoError(t, r.End(t.Context(), mlflow.Finished))
}
