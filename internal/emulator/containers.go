package emulator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/container"
	"github.com/azureml-go/azureml/internal/emulator/execution"
)

// engineRecord is the file that says which engine has containers of this
// folder. It is there from the start of a server that uses one to its end.
const engineRecord = "engine.json"

type engineUsed struct {
	Path string `json:"path"`
}

// containers ends the containers that a killed server left, and finds the engine
// when jobs are to run in containers; nil when not.
func (s *Server) containers(ctx context.Context) (*container.Engine, error) {
	dir, err := s.folder("jobs")
	if err != nil {
		return nil, err
	}
	at := filepath.Join(dir, engineRecord)
	owner := containerOwner(dir)
	if err := s.sweepLeft(ctx, at, owner); err != nil {
		return nil, err
	}
	if s.opts.Environments != "container" {
		return nil, nil
	}
	e, err := container.Find(ctx, s.opts.Engine)
	if err != nil {
		return nil, err
	}
	e.Owner, e.Args = owner, s.opts.EngineArgs
	b, err := json.Marshal(engineUsed{Path: e.Path})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(at, b, 0o600); err != nil {
		return nil, err
	}
	s.engine = e
	s.opts.Logger.Info("jobs run in containers", "engine", e.Path, "version", e.Version)
	return e, nil
}

// sweepLeft ends what a killed server's engine still runs. An engine that does not answer
// any more runs nothing that could be ended.
func (s *Server) sweepLeft(ctx context.Context, at, owner string) error {
	b, err := os.ReadFile(at)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var used engineUsed
	if err == nil {
		err = json.Unmarshal(b, &used)
	}
	if err != nil {
		s.opts.Logger.Warn("which container engine was used last cannot be read", "file", at, "error", err)
		return nil
	}
	n, err := (&container.Engine{Path: used.Path, Owner: owner}).Sweep(ctx)
	if err != nil {
		s.opts.Logger.Warn("containers of the last run could not be looked for", "engine", used.Path, "error", err)
		return nil
	}
	if n > 0 {
		s.opts.Logger.Info("ended containers of the last run", "containers", n)
	}
	return os.Remove(at)
}

// closeContainers ends what is left when all jobs have ended.
func (s *Server) closeContainers() error {
	if s.engine == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := s.engine.Sweep(ctx); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(s.opts.Dir, "jobs", engineRecord))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// containerOwner is how containers of a folder are told from those of others.
func containerOwner(dir string) string {
	if d, err := filepath.EvalSymlinks(dir); err == nil {
		dir = d
	}
	if d, err := filepath.Abs(dir); err == nil {
		dir = d
	}
	sum := sha256.Sum256([]byte(dir))
	return hex.EncodeToString(sum[:8])
}

// ownName is true of the name that containers give this machine, when there are any.
func (s *Server) ownName(host string) bool {
	return s.engine != nil && s.engine.HostName() != "" && host == s.engine.HostName()
}

// environments is the mode of the options.
func (s *Server) environments(ctx context.Context) (execution.Mode, error) {
	e, err := s.containers(ctx)
	if err != nil {
		return nil, err
	}
	switch s.opts.Environments {
	case "container":
		return &execution.Container{Engine: e}, nil
	case "venv":
		dir, err := s.folder("environments")
		return &execution.Venv{Dir: dir}, err
	case "strict":
		return execution.Strict{}, nil
	}
	return execution.Host{}, nil
}
