package serving

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// runner serves a scoring script where azureml-inference-server-http is not
// installed: init() and run() as Azure ML calls them.
//
//go:embed runner.py
var runner []byte

// pythonServer is the command that serves a scoring script; the entry script,
// the port and, for the runner, its own place are filled in later.
func pythonServer() ([]string, error) {
	if p, err := exec.LookPath("azmlinfsrv"); err == nil {
		return []string{p, "--entry_script", scriptMark, "--port", portMark}, nil
	}
	for _, name := range []string{"python3", "python"} {
		if p, err := exec.LookPath(name); err == nil {
			return []string{p, runnerMark, scriptMark, portMark}, nil
		}
	}
	return nil, fmt.Errorf("a scoring script needs Python, and neither python3 nor python is in PATH; a Go program serves models without it (endpoints/serve)")
}

// What is known only when a server starts.
const (
	scriptMark = "\x00script"
	portMark   = "\x00port"
	runnerMark = "\x00runner"
)

func writeRunner(dir string) (string, error) {
	at := filepath.Join(dir, "runner.py")
	return at, os.WriteFile(at, runner, 0o600)
}
