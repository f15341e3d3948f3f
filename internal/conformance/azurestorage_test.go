package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAzureStorage drives the stock clients of Azure Storage against the local
// workspace: azurestorage's scripts say what they do.
func TestAzureStorage(t *testing.T) {
	for _, w := range []struct{ script, module, name string }{
		{"main.py", "azure.storage.blob", "azure-storage-blob"},
		{"lake.py", "azure.storage.filedatalake", "azure-storage-file-datalake"},
		{"share.py", "azure.storage.fileshare", "azure-storage-file-share"},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel() // most of its time is waiting
			py := python(t, w.module)
			server := filepath.Join(t.TempDir(), "server.json")
			b, err := json.Marshal(localServer(t))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(server, b, 0o600))
			r := pythonWitness(t, py, "azurestorage/"+w.script, server)
			testifies(t, &witness{Name: w.name, Version: r.Versions[w.name], What: "the local workspace, over HTTP", Unit: "methods of its clients", Operations: r.Methods})
		})
	}
}

// pythonResult is what a witness in Python writes.
type pythonResult struct {
	Versions map[string]string
	Methods  []operation
	Steps    []struct{ Step, Outcome, Detail string }
}

// pythonWitness runs one and fails the test for each step that failed.
func pythonWitness(t *testing.T, py, script, server string) *pythonResult {
	t.Helper()
	dir := t.TempDir()
	result := filepath.Join(dir, "result.json")
	// Its caches and settings go to a home of their own.
	env := []string{"HOME=" + dir, "PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=127.0.0.1"}
	run(t, env, dir, py, filepath.Join(root(t), "internal/conformance", script), server, result)
	b, err := os.ReadFile(result)
	require.NoError(t, err)
	var r pythonResult
	require.NoError(t, json.Unmarshal(b, &r))
	for _, s := range r.Steps {
		if s.Outcome != passed {
			t.Errorf("%s: %s", s.Step, s.Detail)
		}
	}
	return &r
}
