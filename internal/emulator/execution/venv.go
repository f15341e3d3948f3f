package execution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// Venv makes a Python virtual environment of the conda file's packages with
// uv, once for each list. The image is not provided. A conda package is taken
// from PyPI only when it is the same there; others are refused by name.
type Venv struct {
	// Dir keeps the environments between runs.
	Dir string

	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

// samePackage are conda packages that PyPI has under the same name and with
// the same content.
var samePackage = map[string]bool{}

func init() {
	for _, n := range strings.Fields("numpy pandas scipy scikit-learn matplotlib seaborn requests pyyaml tqdm joblib pillow lightgbm xgboost statsmodels sympy networkx jinja2 flask pytest click plotly h5py pyarrow nltk gensim fastapi uvicorn mlflow azure-identity azure-ai-ml azureml-mlflow") {
		samePackage[n] = true
	}
}

var condaSpec = regexp.MustCompile(`^([\w.\-]+::)?([\w.\-]+)\s*((?:[=<>!~]=?|==).*)?$`)

// requirements turns a conda file into uv's words: a Python version and PyPI requirements.
func requirements(env *Environment) (python string, reqs []string, err error) {
	conda, pip, err := env.Packages()
	if err != nil {
		return "", nil, err
	}
	var refused []string
	for _, c := range conda {
		m := condaSpec.FindStringSubmatch(strings.TrimSpace(c))
		if m == nil {
			refused = append(refused, c)
			continue
		}
		name, version := strings.ToLower(m[2]), strings.TrimSpace(m[3])
		switch {
		case name == "python":
			python = strings.TrimSuffix(strings.TrimLeft(version, "=<>~! "), ".*")
		case name == "pip" || name == "setuptools" || name == "wheel":
		case samePackage[name]:
			if v, ok := strings.CutPrefix(version, "="); ok && !strings.HasPrefix(v, "=") {
				// conda's single = is a prefix match; a build string behind a second = says nothing here
				v, _, _ = strings.Cut(v, "=")
				version = "==" + strings.TrimSuffix(v, ".*") + ".*"
			}
			reqs = append(reqs, name+version)
		default:
			refused = append(refused, c)
		}
	}
	for _, p := range pip {
		p = strings.TrimSpace(p)
		if strings.HasPrefix(p, "-r") || strings.HasPrefix(p, "--requirement") || strings.HasPrefix(p, "-e") || strings.HasPrefix(p, ".") || strings.HasPrefix(p, "/") {
			refused = append(refused, "pip: "+p)
			continue
		}
		reqs = append(reqs, p)
	}
	if len(refused) > 0 {
		return "", nil, fmt.Errorf("uv cannot provide %s: conda packages without a twin on PyPI, files and folders need a container", strings.Join(refused, ", "))
	}
	return python, reqs, nil
}

// Check refuses what uv cannot give, and everything when uv is not there.
func (v *Venv) Check(env *Environment) *arm.Error {
	if env.CondaFile == "" {
		return nil
	}
	if _, _, err := requirements(env); err != nil {
		return arm.Invalid("properties.environmentId", "environment %s: %v", env, err)
	}
	if _, err := exec.LookPath("uv"); err != nil {
		return arm.Invalid("properties.environmentId", "environment %s: its packages need the program uv, which is not in PATH", env)
	}
	return nil
}

// Prepare makes the virtual environment, or finds the one made before.
func (v *Venv) Prepare(ctx context.Context, env *Environment, dir string, base []string, log io.Writer) (*Prepared, error) {
	p, err := (Host{}).Prepare(ctx, &Environment{Name: env.Name, Version: env.Version, Image: env.Image, Build: env.Build}, dir, base, log)
	if err != nil || env.CondaFile == "" {
		return p, err
	}
	python, reqs, err := requirements(env)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(python + "\n" + strings.Join(reqs, "\n")))
	at := filepath.Join(v.Dir, hex.EncodeToString(sum[:8]))
	unlock := v.lock(at)
	defer unlock()
	if _, err := os.Stat(filepath.Join(at, "ready")); errors.Is(err, os.ErrNotExist) {
		if err := v.make(ctx, at, python, reqs, base, log); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	bin := filepath.Join(at, "bin")
	if runtime.GOOS == "windows" {
		bin = filepath.Join(at, "Scripts")
	}
	var out []string
	for _, e := range base {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			e = "PATH=" + bin + string(os.PathListSeparator) + path
		}
		out = append(out, e)
	}
	p.Env = append(out, "VIRTUAL_ENV="+at)
	return p, nil
}

func (v *Venv) make(ctx context.Context, at, python string, reqs, base []string, log io.Writer) error {
	if err := os.RemoveAll(at); err != nil {
		return err
	}
	run := func(args ...string) error {
		c := exec.CommandContext(ctx, "uv", args...)
		c.Env, c.Stdout, c.Stderr = base, log, log
		if err := c.Run(); err != nil {
			return userError("the environment could not be made: uv %s: %v", strings.Join(args, " "), err)
		}
		return nil
	}
	args := []string{"venv", "--quiet", at}
	if python != "" {
		args = append(args, "--python", python)
	}
	if err := run(args...); err != nil {
		return err
	}
	if len(reqs) > 0 {
		if err := run(append([]string{"pip", "install", "--quiet", "--python", at}, reqs...)...); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(at, "ready"), nil, 0o600)
}

// lock keeps two jobs from making the same environment at once.
func (v *Venv) lock(at string) (unlock func()) {
	v.mu.Lock()
	if v.locks == nil {
		v.locks = map[string]*sync.Mutex{}
	}
	l := v.locks[at]
	if l == nil {
		l = &sync.Mutex{}
		v.locks[at] = l
	}
	v.mu.Unlock()
	l.Lock()
	return l.Unlock
}
