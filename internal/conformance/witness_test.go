package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// missing skips a test for lack of a program, or fails it where that is required.
func missing(t *testing.T, program, why string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("AZUREML_REQUIRE"), ","), program) {
		t.Fatalf("%s is required (AZUREML_REQUIRE) and missing: %s", program, why)
	}
	t.Skipf("%s is missing: %s", program, why)
}

// python is an interpreter that has the named modules; AZUREML_PYTHON names it.
func python(t *testing.T, modules ...string) string {
	t.Helper()
	p := os.Getenv("AZUREML_PYTHON")
	if p == "" {
		p = "python3"
	}
	p, err := exec.LookPath(p)
	if err != nil {
		missing(t, "python", err.Error())
	}
	find := "import importlib.util, sys\nfor m in sys.argv[1:]:\n    if importlib.util.find_spec(m) is None: sys.exit('no module ' + m)"
	if out, err := exec.Command(p, append([]string{"-c", find}, modules...)...).CombinedOutput(); err != nil {
		missing(t, "python", strings.TrimSpace(string(out)))
	}
	return p
}

// root is the project's folder.
func root(t *testing.T) string {
	t.Helper()
	r, err := filepath.Abs("../..")
	require.NoError(t, err)
	return r
}

// oracle is the folder of recordings; AZUREML_ORACLE names it.
func oracle(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("AZUREML_ORACLE")
	if dir == "" {
		dir = filepath.Join(root(t), "..", "shared", "oracle")
	}
	if _, err := os.Stat(filepath.Join(dir, "compare.py")); err != nil {
		missing(t, "oracle", err.Error())
	}
	abs, err := filepath.Abs(dir)
	require.NoError(t, err)
	return abs
}

// programs holds what was built, by package; TestMain removes the folder.
var programs struct {
	sync.Mutex
	dir   string
	built map[string]string
}

// program builds one of the project's commands, once, and returns its path.
func program(t *testing.T, pkg string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if at, ok := programs.built[pkg]; ok {
		return at
	}
	if programs.dir == "" {
		dir, err := os.MkdirTemp("", "azureml-programs")
		require.NoError(t, err)
		programs.dir, programs.built = dir, map[string]string{}
	}
	out := filepath.Join(programs.dir, filepath.Base(pkg))
	c := exec.Command("go", "build", "-o", out, pkg)
	c.Dir = root(t)
	b, err := c.CombinedOutput()
	require.NoError(t, err, string(b))
	programs.built[pkg] = out
	return out
}

// server is a local workspace in a process of its own, as other languages use it.
type server struct {
	URL            string `json:"url"`
	Tracking       string `json:"mlflow_tracking_uri"`
	Token          string `json:"token"`
	SubscriptionID string `json:"subscription_id"`
	ResourceGroup  string `json:"resource_group"`
	WorkspaceName  string `json:"workspace_name"`
	ConfigFile     string `json:"config_file"`
}

// localServer starts examples/localserver and reads the one line it prints.
func localServer(t *testing.T, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, program(t, "./examples/localserver"), append([]string{"-dir", t.TempDir()}, args...)...)
	quiet(t, c)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 20 * time.Second
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		cancel()
		_ = c.Wait() // the context ended it
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var s server
	require.NoError(t, json.Unmarshal(line, &s))
	return &s
}

// run runs a command with more variables, and fails the test when it fails. Only
// then it shows what it printed, the end of it: the whole would bury the fault.
func run(t *testing.T, env []string, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	c.Dir = dir
	b, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, theEnd(string(b)))
	}
	return string(b)
}

// shownLines is how much of an output is shown when a test fails.
const shownLines = 60

// theEnd is what of an output tells the fault: the faults that go test names, and
// the last lines.
func theEnd(out string) string {
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	cut := max(len(lines)-shownLines, 0)
	var shown []string
	for _, l := range lines[:cut] {
		if strings.Contains(l, "--- FAIL") || strings.Contains(l, "Error:") {
			shown = append(shown, l)
		}
	}
	shown = append(shown[:min(len(shown), shownLines)], lines[cut:]...)
	for i, l := range shown {
		if len(l) > 1000 {
			shown[i] = l[:1000] + " …"
		}
	}
	return strings.Join(shown, "\n")
}

// quiet keeps what a program prints in a file, and shows the end of it when the test fails.
func quiet(t *testing.T, c *exec.Cmd) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), filepath.Base(c.Path)+".log"))
	require.NoError(t, err)
	c.Stderr = f
	t.Cleanup(func() {
		_ = f.Close() // it is read again below
		if !t.Failed() {
			return
		}
		if b, err := os.ReadFile(f.Name()); err == nil && len(b) > 0 {
			t.Logf("the end of what %s said:\n%s", filepath.Base(c.Path), theEnd(string(b)))
		}
	})
}
