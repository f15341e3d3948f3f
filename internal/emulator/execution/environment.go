package execution

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// Environment is what a job asks to run in.
type Environment struct {
	ID, Name, Version string
	Image             string
	CondaFile         string
	Build             string // address of a Docker build context
	Dockerfile        string // in the build context; "" is Dockerfile
	Variables         map[string]string

	parse      sync.Once
	conda, pip []string // of the conda file, once it was parsed
	fault      error
}

// String is name:version.
func (e *Environment) String() string {
	if e.Name == "" {
		return "(none)"
	}
	return e.Name + ":" + e.Version
}

// Mode is how environments are honoured.
type Mode interface {
	// Check refuses, at submission, what cannot be honoured.
	Check(env *Environment) *arm.Error
	// Prepare makes the environment ready in dir and says how a job runs in it.
	// What takes time writes to log.
	Prepare(ctx context.Context, env *Environment, dir string, base []string, log io.Writer) (*Prepared, error)
}

// Prepared is an environment that is ready.
type Prepared struct {
	// Env is the variables that a job starts from.
	Env []string
	// Note is the log's first line: what the environment names and the job does not get.
	Note string
	// Missing lists the same for the job's properties.
	Missing []string
	// Image is what its containers run; "" is none: it runs on this machine.
	Image string
}

// environment reads what the job's environmentId names. "" is no environment.
func (e *Engine) environment(ctx context.Context, sc arm.Scope, id string) (*Environment, error) {
	if id == "" {
		return &Environment{}, nil
	}
	m := memoryOf(ctx)
	if m != nil {
		m.mu.Lock()
		env := m.read[id]
		m.mu.Unlock()
		if env != nil {
			return env, nil
		}
	}
	loc, err := e.resolve(ctx, sc, id, arm.Environments)
	if err != nil {
		return nil, err
	}
	var p struct {
		Image     string
		CondaFile string
		Build     *struct{ ContextURI, DockerfilePath string }
	}
	if err := json.Unmarshal(loc.Properties, &p); err != nil {
		return nil, fmt.Errorf("environment %q: %w", id, err)
	}
	env := &Environment{ID: loc.AssetID, Image: p.Image, CondaFile: p.CondaFile}
	env.Name, env.Version = loc.Asset()
	if p.Build != nil {
		env.Build, env.Dockerfile = p.Build.ContextURI, p.Build.DockerfilePath
	}
	if m != nil {
		m.mu.Lock()
		m.read[id] = env
		m.mu.Unlock()
	}
	return env, nil
}

// Packages lists what the conda file asks for: conda's own by their match
// specifications, then pip's lines.
func (e *Environment) Packages() (conda, pip []string, err error) {
	e.parse.Do(func() { e.conda, e.pip, e.fault = e.packages() })
	return slices.Clone(e.conda), slices.Clone(e.pip), e.fault
}

func (e *Environment) packages() (conda, pip []string, err error) {
	if strings.TrimSpace(e.CondaFile) == "" {
		return nil, nil, nil
	}
	var f struct {
		Dependencies []any `yaml:"dependencies"`
	}
	if err := yaml.NewDecoder(bytes.NewReader([]byte(e.CondaFile))).Decode(&f); err != nil {
		return nil, nil, fmt.Errorf("conda file: %w", err)
	}
	for _, d := range f.Dependencies {
		switch d := d.(type) {
		case string:
			conda = append(conda, d)
		case map[string]any:
			for k, v := range d {
				lines, ok := v.([]any)
				if k != "pip" || !ok {
					return nil, nil, fmt.Errorf("conda file: dependencies: %q: only pip has a list of its own", k)
				}
				for _, l := range lines {
					pip = append(pip, fmt.Sprint(l))
				}
			}
		default:
			return nil, nil, fmt.Errorf("conda file: dependencies: %v is neither a package nor pip's list", d)
		}
	}
	return conda, pip, nil
}

// Host runs jobs with what is on this machine. It refuses nothing, and says
// what the environment names and the job does not get.
type Host struct{}

// Check refuses a conda file that cannot be read.
func (Host) Check(env *Environment) *arm.Error {
	if _, _, err := env.Packages(); err != nil {
		return arm.Invalid("properties.environmentId", "environment %s: %v", env, err)
	}
	return nil
}

// Prepare passes the host's variables on.
func (Host) Prepare(_ context.Context, env *Environment, _ string, base []string, _ io.Writer) (*Prepared, error) {
	conda, pip, err := env.Packages()
	if err != nil {
		return nil, err
	}
	p := &Prepared{Env: base}
	if env.Image != "" {
		p.Missing = append(p.Missing, "image "+env.Image)
	}
	if env.Build != "" {
		p.Missing = append(p.Missing, "image built from "+env.Build)
	}
	if n := append(conda, pip...); len(n) > 0 {
		p.Missing = append(p.Missing, "packages "+strings.Join(n, ", "))
	}
	if len(p.Missing) > 0 {
		p.Note = fmt.Sprintf(notePrefix+"environment %s runs on the host; not provided: %s", env, strings.Join(p.Missing, "; "))
	}
	return p, nil
}

// Strict refuses every environment that names something the host does not
// give: an image, a build context, packages.
type Strict struct{}

// Check refuses by name.
func (Strict) Check(env *Environment) *arm.Error {
	p, err := Host{}.Prepare(context.Background(), env, "", nil, io.Discard)
	if err != nil {
		return arm.Invalid("properties.environmentId", "environment %s: %v", env, err)
	}
	if len(p.Missing) > 0 {
		return arm.Invalid("properties.environmentId", "environment %s: the local workspace is strict and the host does not provide: %s", env, strings.Join(p.Missing, "; "))
	}
	return nil
}

// Prepare passes the host's variables on.
func (Strict) Prepare(ctx context.Context, env *Environment, dir string, base []string, log io.Writer) (*Prepared, error) {
	return Host{}.Prepare(ctx, env, dir, base, log)
}
