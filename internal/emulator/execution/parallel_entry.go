package execution

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/container"
)

// driver runs an entry script in Python: init, run for each mini-batch, shutdown.
//
//go:embed parallel_driver.py
var driver []byte

// entryPoint is what a worker runs.
type entryPoint struct {
	// script is the entry script in Python, "" for a program or a model without script.
	script string
	// program speaks the protocol of endpoints/serve's RunBatch itself.
	program string
	// mlflow scores with an MLflow model that has no script.
	mlflow bool
}

// programMark begins the first line of the script that endpoints/serve's
// BatchCode writes, and is followed by the name of the program beside it.
const programMark = "# azureml-batch-program: "

// entry finds out what a step's entry script is.
func (e *Engine) entry(ctx context.Context, sc arm.Scope, p *parallelPlan) (*entryPoint, error) {
	if p.TaskType == "model" {
		return &entryPoint{mlflow: true}, nil
	}
	if !strings.EqualFold(filepath.Ext(p.EntryScript), ".py") {
		return &entryPoint{program: p.EntryScript}, nil
	}
	name, err := e.programBeside(ctx, sc, p.parallelSpec)
	if name != "" || err != nil {
		return &entryPoint{program: name}, err
	}
	return &entryPoint{script: p.EntryScript}, nil
}

// runnable refuses an entry script that this machine cannot run. An environment
// that is made when the job runs is asked then.
func (e *Engine) runnable(ctx context.Context, sc arm.Scope, p *parallelPlan) error {
	x, err := e.entry(ctx, sc, p)
	if err != nil || x.program != "" {
		return err
	}
	if _, venv := e.Environments.(*Venv); venv || e.contained() != nil {
		return nil
	}
	if _, err = x.python(ctx, BaseEnv(e.PassEnv), p); err != nil {
		return arm.Invalid("", "%s", reason(err))
	}
	return nil
}

// reason is an error without the code that a job's has.
func reason(err error) string {
	var j *JobError
	if errors.As(err, &j) {
		return j.Message
	}
	return err.Error()
}

// programBeside reads the mark of a script that only passes mini-batches on.
func (e *Engine) programBeside(ctx context.Context, sc arm.Scope, s *parallelSpec) (string, error) {
	loc, err := e.Resolver.Resolve(ctx, sc, s.CodeID, arm.Codes)
	if err != nil {
		return "", err
	}
	r, err := e.Blobs.Open(ctx, loc.Account, loc.Container, scriptBlob(loc, s.EntryScript))
	if err != nil {
		return "", err
	}
	defer r.Close()
	line, err := bufio.NewReader(io.LimitReader(r, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), programMark)
	if !ok {
		return "", nil
	}
	return filepath.ToSlash(filepath.Join(filepath.Dir(s.EntryScript), name)), nil
}

// python is the interpreter that the script is run with, when it has the modules
// that the step needs.
func (x *entryPoint) python(ctx context.Context, env []string, p *parallelPlan) (string, error) {
	py := findIn(env, "python3", "python")
	if py == "" {
		return "", userError("an entry script in Python needs Python, and neither python3 nor python is in PATH; a Go program needs none (endpoints/serve)")
	}
	need := map[string]string{}
	if x.mlflow {
		need["mlflow"] = "an MLflow model without an entry script is scored by the package mlflow"
	} else if p.tabular() {
		need["pandas"] = "mini-batches of rows are pandas data frames"
	}
	for _, m := range sorted(need) {
		ok, err := hasModule(ctx, py, env, m)
		if err != nil {
			return "", err
		}
		if !ok {
			return "", userError("%s, and %s has no module %s", need[m], py, m)
		}
	}
	return py, nil
}

// findIn looks a program up in the PATH of a list of variables.
func findIn(env []string, names ...string) string {
	for _, v := range env {
		path, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, name := range names {
			for _, dir := range filepath.SplitList(path) {
				if !filepath.IsAbs(dir) {
					continue
				}
				at := filepath.Join(dir, name)
				if runtime.GOOS == "windows" {
					at += ".exe"
				}
				if p, err := exec.LookPath(at); err == nil {
					return p
				}
			}
		}
	}
	return ""
}

// hasModule asks an interpreter whether it finds a module, without importing it.
func hasModule(ctx context.Context, python string, env []string, module string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)", module)
	c.Env = env
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s was asked for the module %s: %w", python, module, err)
	}
	return true, nil
}

// pythonInside runs the interpreter of an image.
const pythonInside = `for p in python3 python; do command -v $p >/dev/null 2>&1 && exec $p "$@"; done
echo 'an entry script in Python needs Python, and the image has neither python3 nor python' >&2
exit 127`

// commandLine is the program and its arguments that a worker starts. Everything
// is in the job's folder by now.
func (x *entryPoint) commandLine(ctx context.Context, prepared *Prepared, paths *paths, p *parallelPlan, args []string) (string, []string, error) {
	args = append(args[:len(args):len(args)], "--logging_level", p.level)
	if x.program != "" {
		at := filepath.Join(paths.code, filepath.FromSlash(x.program))
		if !filepath.IsLocal(filepath.FromSlash(x.program)) {
			return "", nil, userError("the entry script %q is not below the code's folder", x.program)
		}
		if err := os.Chmod(at, 0o700); err != nil { // blobs have no executable bit
			return "", nil, userError("the entry script: %v", err)
		}
		if prepared.Image != "" {
			at = container.Inside(at)
		}
		return at, args, nil
	}
	at := filepath.Join(paths.temp, "driver.py")
	if err := os.WriteFile(at, driver, 0o600); err != nil {
		return "", nil, err
	}
	script := "mlflow"
	if !x.mlflow {
		script = filepath.Join(paths.code, filepath.FromSlash(x.script))
	}
	if prepared.Image != "" {
		return "sh", append([]string{"-c", pythonInside, "sh", container.Inside(at), container.Inside(script)}, args...), nil
	}
	py, err := x.python(ctx, prepared.Env, p)
	if err != nil {
		return "", nil, err
	}
	return py, append([]string{at, script}, args...), nil
}
