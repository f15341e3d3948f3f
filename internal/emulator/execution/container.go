package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/container"
)

// Container runs jobs in containers of their environments' images.
type Container struct {
	Engine *container.Engine

	mu    sync.Mutex
	locks map[string]chan struct{}
}

// Check refuses environments without an image.
func (c *Container) Check(env *Environment) *arm.Error {
	const field = "properties.environmentId"
	switch {
	case env.Image == "" && env.Build == "":
		return arm.Invalid(field, "environment %s: it names neither an image nor a build context, and jobs run in containers here", env)
	case strings.HasPrefix(env.Image, "-") || strings.ContainsAny(env.Image, " \t\r\n"):
		return arm.Invalid(field, "environment %s: %q is not an image's name", env, env.Image)
	case env.Image == "" && env.CondaFile != "":
		return arm.Invalid(field, "environment %s: a conda file needs an image to be installed into, not a build context", env)
	}
	if _, _, err := env.Packages(); err != nil {
		return arm.Invalid(field, "environment %s: %v", env, err)
	}
	return nil
}

// Prepare gives the variables alone; the image is the job's to get ready.
func (c *Container) Prepare(_ context.Context, env *Environment, _ string, base []string, _ io.Writer) (*Prepared, error) {
	return &Prepared{Env: base, Image: env.Image}, nil
}

// contained is the mode when jobs run in containers; nil otherwise.
func (e *Engine) contained() *Container {
	c, _ := e.Environments.(*Container)
	return c
}

// lock keeps two jobs from making the same image at once. It is given up when ctx ends.
func (c *Container) lock(ctx context.Context, image string) (unlock func(), err error) {
	c.mu.Lock()
	if c.locks == nil {
		c.locks = map[string]chan struct{}{}
	}
	l := c.locks[image]
	if l == nil {
		l = make(chan struct{}, 1)
		c.locks[image] = l
	}
	c.mu.Unlock()
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// imageLog is where Azure writes how an image was made.
const imageLog = "azureml-logs/20_image_build_log.txt"

// lateLog is a job's own log that is there from its first line on.
type lateLog struct {
	j *job
	l *executionLog
}

func (w *lateLog) Write(p []byte) (int, error) {
	if w.l == nil {
		l, err := w.j.ownLog(imageLog)
		if err != nil {
			return 0, err
		}
		w.l = l
	}
	return w.l.f.Write(p)
}

func (w *lateLog) finish() error {
	if w.l == nil {
		return nil
	}
	return w.l.finish()
}

// image makes the environment's image ready and returns its name.
func (j *job) image(c *Container, env *Environment, p *paths) (name string, err error) {
	log := &lateLog{j: j}
	defer func() { err = errors.Join(err, log.finish()) }()
	switch {
	case env.Build != "":
		name, err = j.buildContext(c, env, p, log)
	case strings.TrimSpace(env.CondaFile) != "":
		name, err = j.buildConda(c, env, p, log)
	default:
		name, err = env.Image, c.pull(j.ctx, env.Image, log)
	}
	if err == nil {
		return name, nil
	}
	if cause := context.Cause(j.ctx); cause != nil {
		return "", cause
	}
	if log.l != nil {
		return "", userError("environment %s: %v. Please check log file '%s' for details.", env, err, imageLog)
	}
	return "", userError("environment %s: %v", env, err)
}

// pull fetches an image that is not there.
func (c *Container) pull(ctx context.Context, image string, log io.Writer) error {
	unlock, err := c.lock(ctx, image)
	if err != nil {
		return err
	}
	defer unlock()
	if c.Engine.Has(ctx, image) {
		return nil
	}
	fmt.Fprintf(log, "Pulling %s\n", image)
	return c.Engine.Pull(ctx, image, log)
}

func (j *job) buildConda(c *Container, env *Environment, p *paths, log io.Writer) (string, error) {
	if err := c.pull(j.ctx, env.Image, log); err != nil {
		return "", err
	}
	id, err := c.Engine.ID(j.ctx, env.Image)
	if err != nil {
		return "", err
	}
	hash := container.CondaHash(env.Image, id, env.CondaFile)
	return container.Tag(hash), c.build(j.ctx, hash, log, func() (string, string, error) {
		dir := filepath.Join(p.temp, "image")
		for name, text := range map[string]string{"Dockerfile": container.Dockerfile(env.Image, hash), container.CondaFile: env.CondaFile} {
			if err := writeFile(filepath.Join(dir, filepath.FromSlash(name)), strings.NewReader(text)); err != nil {
				return dir, "", err
			}
		}
		return dir, "Dockerfile", nil
	})
}

func (j *job) buildContext(c *Container, env *Environment, p *paths, log io.Writer) (string, error) {
	loc, err := j.e.resolve(j.ctx, j.rec.Scope, env.Build, arm.Data)
	if err != nil {
		return "", fmt.Errorf("the build context: %w", err)
	}
	dir := filepath.Join(p.temp, "image")
	defer os.RemoveAll(dir)
	if _, err := j.e.fetch(j.ctx, loc, dir, false); err != nil {
		return "", fmt.Errorf("the build context: %s", reason(err))
	}
	// Blobs have no executable bit, and entry points and scripts want one.
	if err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(at, 0o755)
	}); err != nil {
		return "", err
	}
	file := env.Dockerfile
	if file == "" {
		file = "Dockerfile"
	}
	if !filepath.IsLocal(filepath.FromSlash(file)) || !isFile(filepath.Join(dir, filepath.FromSlash(file))) {
		return "", fmt.Errorf("the build context has no file %s", file)
	}
	hash, err := container.ContextHash(dir, file)
	if err != nil {
		return "", err
	}
	return container.Tag(hash), c.build(j.ctx, hash, log, func() (string, string, error) { return dir, file, nil })
}

// build makes an image that is not there, once for all who want it.
func (c *Container) build(ctx context.Context, hash string, log io.Writer, source func() (dir, dockerfile string, err error)) error {
	tag := container.Tag(hash)
	unlock, err := c.lock(ctx, tag)
	if err != nil {
		return err
	}
	defer unlock()
	if c.Engine.Has(ctx, tag) {
		return nil
	}
	dir, file, err := source()
	defer os.RemoveAll(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "Building image %s\n", tag)
	if err := c.Engine.Build(ctx, tag, file, dir, log); err != nil {
		return fmt.Errorf("the image could not be built: %w", err)
	}
	return nil
}

// containerFaults refuses, at submission, what does not work in containers.
func (e *Engine) containerFaults(s *commandSpec) []*arm.Error {
	c := e.contained()
	if c == nil {
		return nil
	}
	var out []*arm.Error
	if args, err := s.dockerArgs(); err != nil {
		out = append(out, arm.Invalid("properties.resources.dockerArgs", "%v", err))
	} else if flag, ok := container.CheckArgs(args); !ok {
		out = append(out, arm.Invalid("properties.resources.dockerArgs", "%s is the workspace's own to say", flag))
	}
	if d := s.Distribution; d != nil {
		const at = "properties.distribution.distributionType"
		switch {
		case d.Type == "Ray":
			out = append(out, arm.Invalid(at, "a distribution of type Ray is not run in containers here; Options.Environments Host or Venv run it"))
		case c.Engine.Machine && (s.nodes() > 1 || d.ProcessCountPerInstance > 1 || d.WorkerCount+d.ParameterServerCount > 1):
			out = append(out, arm.Invalid(at, "several processes in containers need this machine's own network, and %s runs them in a virtual machine", c.Engine.Version))
		}
	}
	return out
}

// dockerArgs are the engine's arguments that the job names.
func (s *commandSpec) dockerArgs() ([]string, error) {
	if s.Resources == nil {
		return nil, nil
	}
	if len(s.Resources.DockerArgsList) > 0 {
		return s.Resources.DockerArgsList, nil
	}
	return split(s.Resources.DockerArgs)
}

// sharedMemory is what Azure gives a container when the job does not say.
const sharedMemory = "2g"

// shm is the size of shared memory; "" where other arguments say it.
func (s *commandSpec) shm(args []string) string {
	for _, a := range args {
		if strings.HasPrefix(a, "--ipc") || strings.HasPrefix(a, "--shm-size") {
			return ""
		}
	}
	if s.Resources != nil && s.Resources.ShmSize != "" {
		return strings.ToLower(s.Resources.ShmSize)
	}
	return sharedMemory
}

// UnmarshalJSON reads dockerArgs, which old and new clients spell as a list or a line.
func (r *resources) UnmarshalJSON(b []byte) error {
	type plain resources
	var raw struct {
		plain
		DockerArgs json.RawMessage `json:"dockerArgs"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*r = resources(raw.plain)
	if len(raw.DockerArgs) == 0 || json.Unmarshal(raw.DockerArgs, &r.DockerArgs) == nil {
		return nil
	}
	return json.Unmarshal(raw.DockerArgs, &r.DockerArgsList)
}
