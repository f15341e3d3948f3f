package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTrackingLikeMLflow plays raw requests, and then MLflow's own client, against
// MLflow's server and against the tracking service of the local workspace, and
// compares the answers. AZUREML_PYTHON_MLFLOW2 names an interpreter with a client of
// MLflow 2, which is compared too.
func TestTrackingLikeMLflow(t *testing.T) {
	t.Parallel() // most of its time is waiting
	p := python(t, "mlflow", "sklearn", "PIL")
	service := trackingService(t)
	plays := []struct{ name, python, script string }{{"requests", p, "compare.py"}, {"client", p, "client.py"}}
	if old := os.Getenv("AZUREML_PYTHON_MLFLOW2"); old != "" {
		plays = append(plays, struct{ name, python, script string }{"client of MLflow 2", old, "client.py"})
	}
	answers := 0
	for _, play := range plays {
		t.Run(play.name, func(t *testing.T) {
			one, _ := mlflowServer(t, p, "1")
			other := serveTracking(t, service)
			out := run(t, nil, filepath.Join(root(t), "internal", "conformance", "mlflow"), play.python, play.script, one, other)
			answers += number(t, regexp.MustCompile(`(\d+) (?:requests|and \d+ steps), 0 differences`), out)
		})
	}
	if !t.Failed() {
		testifies(t, &witness{Name: "MLflow", Version: versionOf(t, p, "mlflow"), What: "the tracking service, compared with MLflow's own server", Unit: "requests and steps of its client", Operations: passes(answers)})
	}
}

// TestTrackingSpeed times requests against both; it takes minutes, so it runs only
// when AZUREML_SPEED is set.
func TestTrackingSpeed(t *testing.T) {
	if os.Getenv("AZUREML_SPEED") == "" {
		t.Skip("AZUREML_SPEED is not set")
	}
	p := python(t, "mlflow")
	one, db := mlflowServer(t, p, "2")
	other := serveTracking(t, trackingService(t))
	out := run(t, nil, filepath.Join(root(t), "internal", "conformance", "mlflow"), p, "speed.py", one, db, other, "20")
	t.Log("\n" + out)
	// Our client against MLflow's, both on the local workspace's service.
	bench, err := goCommandWith(t, "AZUREML_TEST_MLFLOW_URI="+other, "test", "-run", "xxx", "-bench", "^(BenchmarkLogBatch|BenchmarkLogMetric)$", "-benchtime", "2s", "./jobs/mlflow").CombinedOutput()
	require.NoError(t, err, string(bench))
	for _, of := range []struct{ what, ours, theirs string }{
		{"log_batch, values/s", `BenchmarkLogBatch\S*\s.*?([\d.]+) values/s`, `client log_batch: ([\d.]+) values/s`},
		{"single log calls/s", `BenchmarkLogMetric\S*\s.*?([\d.]+) calls/s`, `client log_metric: ([\d.]+) calls/s`},
	} {
		ours, theirs := figure(t, of.ours, string(bench)), figure(t, of.theirs, out)
		t.Logf("%-22s our client %10.0f   MLflow's %10.0f   %6.1fx", of.what, ours, theirs, ours/theirs)
		require.GreaterOrEqual(t, ours/theirs, 5.0, of.what)
	}
}

// figure is the number that a pattern finds.
func figure(t *testing.T, pattern, out string) float64 {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(out)
	require.NotNil(t, m, "%s\n%s", pattern, out)
	f, err := strconv.ParseFloat(m[1], 64)
	require.NoError(t, err)
	return f
}

// mlflowServer starts MLflow's own server; it returns the address and the database.
func mlflowServer(t *testing.T, python, workers string) (url, db string) {
	t.Helper()
	dir, port := t.TempDir(), freePort(t)
	db = filepath.Join(dir, "mlflow.db")
	start(t, []string{"MLFLOW_DISABLE_TELEMETRY=true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false"}, filepath.Join(filepath.Dir(python), "mlflow"), "server", "--backend-store-uri", "sqlite:///"+db,
		"--artifacts-destination", filepath.Join(dir, "artifacts"), "--host", "127.0.0.1", "--port", port, "--workers", workers)
	waitFor(t, "127.0.0.1:"+port)
	return "http://127.0.0.1:" + port, db
}

// trackingService builds a program that serves a fresh tracking store.
func trackingService(t *testing.T) string {
	t.Helper()
	service := filepath.Join(t.TempDir(), "tracking.test")
	b, err := goCommand(t, "test", "-c", "-o", service, "./internal/emulator/tracking").CombinedOutput()
	require.NoError(t, err, string(b))
	return service
}

// goCommand is the go tool in the project's folder.
func goCommand(t *testing.T, args ...string) *exec.Cmd {
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir = root(t)
	return c
}

func goCommandWith(t *testing.T, env string, args ...string) *exec.Cmd {
	c := goCommand(t, args...)
	c.Env = append(os.Environ(), env)
	return c
}

// serveTracking serves a fresh tracking store until the test ends.
func serveTracking(t *testing.T, service string) (url string) {
	t.Helper()
	addr := "127.0.0.1:" + freePort(t)
	c := exec.Command(service, "-test.run", "TestServeForOthers", "-test.timeout", "1h")
	c.Env = append(os.Environ(), "AZUREML_TRACKING_SERVE="+addr)
	quiet(t, c)
	in, err := c.StdinPipe() // the service ends when this does
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close() // an error means that the service ended by itself
		_ = c.Wait()
	})
	waitFor(t, addr)
	return "http://" + addr
}
