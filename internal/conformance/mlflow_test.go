package conformance

import (
	"path/filepath"
	"testing"
)

// TestMLflowServer runs the suite of our tracking client against MLflow's own
// server. The same suite runs against the local workspace in `go test ./...`.
func TestMLflowServer(t *testing.T) {
	t.Parallel() // most of its time is waiting
	mlflow := filepath.Join(filepath.Dir(python(t, "mlflow")), "mlflow")
	dir := t.TempDir()
	port := freePort(t)
	start(t, nil, mlflow, "server", "--backend-store-uri", "sqlite:///"+filepath.Join(dir, "mlflow.db"), "--artifacts-destination", filepath.Join(dir, "artifacts"),
		"--host", "127.0.0.1", "--port", port, "--workers", "1")
	waitFor(t, "127.0.0.1:"+port)
	out := run(t, []string{"AZUREML_TEST_MLFLOW_URI=http://127.0.0.1:" + port}, root(t), "go", "test", "-count=1", "-v", "./jobs/mlflow")
	testifies(t, &witness{Name: "MLflow's server", Version: versionOf(t, python(t, "mlflow"), "mlflow"), What: "our tracking client, against it", Unit: "tests", Operations: goTests(out)})
}
