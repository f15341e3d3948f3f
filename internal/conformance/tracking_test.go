package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTrackingLikeMLflow plays raw requests, and then MLflow's own client, against
// MLflow's server and against the tracking service of the local workspace, and
// compares the answers.
func TestTrackingLikeMLflow(t *testing.T) {
	t.Parallel() // most of its time is waiting
	p := python(t, "mlflow", "sklearn", "PIL")
	service := filepath.Join(t.TempDir(), "tracking.test")
	b, err := goCommand(t, "test", "-c", "-o", service, "./internal/emulator/tracking").CombinedOutput()
	require.NoError(t, err, string(b))
	answers := 0
	for _, script := range []string{"compare.py", "client.py"} {
		t.Run(script, func(t *testing.T) {
			dir := t.TempDir()
			port := freePort(t)
			one, other := "127.0.0.1:"+port, "127.0.0.1:"+freePort(t)
			start(t, []string{"MLFLOW_DISABLE_TELEMETRY=true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false"}, filepath.Join(filepath.Dir(p), "mlflow"), "server", "--backend-store-uri", "sqlite:///"+filepath.Join(dir, "mlflow.db"),
				"--artifacts-destination", filepath.Join(dir, "artifacts"), "--host", "127.0.0.1", "--port", port, "--workers", "1")
			serveTracking(t, service, other)
			waitFor(t, one)
			waitFor(t, other)
			out := run(t, nil, filepath.Join(root(t), "internal", "conformance", "mlflow"), p, script, "http://"+one, "http://"+other)
			answers += number(t, regexp.MustCompile(`(\d+) (?:requests|and \d+ steps), 0 differences`), out)
		})
	}
	if !t.Failed() {
		testifies(t, &witness{Name: "MLflow", Version: versionOf(t, p, "mlflow"), What: "the tracking service, compared with MLflow's own server", Unit: "requests and steps of its client", Operations: passes(answers)})
	}
}

// goCommand is the go tool in the project's folder.
func goCommand(t *testing.T, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = root(t)
	return c
}

// serveTracking serves a fresh tracking store until the test ends.
func serveTracking(t *testing.T, service, addr string) {
	t.Helper()
	c := exec.Command(service, "-test.run", "TestServeForOthers", "-test.timeout", "1h")
	c.Env = append(os.Environ(), "AZUREML_TRACKING_SERVE="+addr)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe() // the service ends when this does
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close() // an error means that the service ended by itself
		_ = c.Wait()
	})
}
