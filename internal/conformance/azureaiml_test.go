package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAzureAIML drives the stock azure-ai-ml through every noun against the
// local workspace: azureaiml/main.py says what it does.
func TestAzureAIML(t *testing.T) {
	t.Parallel() // most of its time is waiting
	py := python(t, "azure.ai.ml")
	s := localServer(t)
	dir := t.TempDir()
	server, result := filepath.Join(dir, "server.json"), filepath.Join(dir, "result.json")
	b, err := json.Marshal(s)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(server, b, 0o600))
	// Its caches and settings go to a home of their own.
	env := []string{"HOME=" + dir, "PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=127.0.0.1", "AZURE_EXTENSION_DIR=" + dir}
	run(t, env, dir, py, filepath.Join(root(t), "internal/conformance/azureaiml/main.py"), server, result)
	b, err = os.ReadFile(result)
	require.NoError(t, err)
	var r struct {
		Versions map[string]string
		Methods  []operation
		Steps    []struct{ Step, Outcome, Detail string }
	}
	require.NoError(t, json.Unmarshal(b, &r))
	for _, s := range r.Steps {
		if s.Outcome != passed {
			t.Errorf("%s: %s", s.Step, s.Detail)
		}
	}
	w := &witness{Name: "azure-ai-ml", Version: r.Versions["azure-ai-ml"], What: "the local workspace, over HTTP", Unit: "methods of its operation classes", Operations: r.Methods}
	testifies(t, w)
	require.Len(t, r.Methods, 174, "methods of azure-ai-ml's operation classes")
	require.GreaterOrEqual(t, w.count(passed), 150, "methods that answer as its own entity classes expect")
}
