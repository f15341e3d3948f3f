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
	server := filepath.Join(t.TempDir(), "server.json")
	b, err := json.Marshal(localServer(t))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(server, b, 0o600))
	r := pythonWitness(t, py, "azureaiml/main.py", server)
	w := &witness{Name: "azure-ai-ml", Version: r.Versions["azure-ai-ml"], What: "the local workspace, over HTTP", Unit: "methods of its operation classes", Operations: r.Methods}
	testifies(t, w)
	require.Len(t, r.Methods, 174, "methods of azure-ai-ml's operation classes")
	require.GreaterOrEqual(t, w.count(passed), 150, "methods that answer as its own entity classes expect")
}
