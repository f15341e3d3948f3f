package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestAzureMLflow runs MLflow's plug-in for Azure ML, with a release of mlflow
// that it works with, against the local workspace. AZUREML_PYTHON_MLFLOW2
// names the interpreter of its environment.
func TestAzureMLflow(t *testing.T) {
	if p := os.Getenv("AZUREML_PYTHON_MLFLOW2"); p != "" {
		t.Setenv("AZUREML_PYTHON", p)
	}
	py := python(t, "azureml.mlflow", "mlflow.pyfunc")
	s := localServer(t)
	out := run(t, []string{"PYTHONWARNINGS=ignore"}, t.TempDir(), py, filepath.Join(root(t), "internal/conformance/azuremlflow/dialect.py"), s.URL, s.Token, s.SubscriptionID, s.ResourceGroup, s.WorkspaceName)
	testifies(t, &witness{Name: "azureml-mlflow", Version: versionOf(t, py, "azureml-mlflow") + " with mlflow " + versionOf(t, py, "mlflow"), What: "the local workspace, over HTTP", Unit: "checks", Operations: passes(number(t, regexp.MustCompile(`(\d+) passed`), out))})
}
