package execution

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/container"
	"github.com/azureml-go/azureml/internal/emulator/process"
)

// running is a process of a job: one of this machine, or a container.
type running interface {
	Wait() process.State
	Done() <-chan struct{}
	Terminate(grace time.Duration) process.State
	PID() int
}

// containerEnv is what a container starts from: what the owner passes on by
// name, and nothing that says where things are on this machine.
func containerEnv(pass []string) []string {
	var env []string
	for _, n := range pass {
		if v, ok := os.LookupEnv(n); ok && !secret(n) {
			env = append(env, n+"="+v)
		}
	}
	return env
}

// inside are the paths of a job as its containers have them.
func (p *paths) inside() *paths {
	if container.Inside(p.root) == p.root {
		return p
	}
	c := *p
	c.values = map[string]string{}
	for _, at := range []*string{&c.root, &c.code, &c.inputs, &c.outputs, &c.logs, &c.temp} {
		*at = container.Inside(*at)
	}
	for k, v := range p.values {
		if strings.HasPrefix(v, p.root) {
			v = container.Inside(v)
		}
		c.values[k] = v
	}
	return &c
}

// at is a path of the job as the paths of in have it, which are host or host.inside().
func (in *paths) at(host *paths, path string) string {
	if in == host {
		return path
	}
	return container.Inside(path)
}

// startWords starts one of the processes of a parallel step, in a container when there is an image.
func (j *job) startWords(s *commandSpec, p *paths, prepared *Prepared, spec process.Spec) (running, error) {
	if prepared.Image == "" {
		proc, err := process.Start(spec)
		if err != nil {
			return nil, err // not a nil pointer in an interface
		}
		return proc, nil
	}
	var more []container.Mount
	for i, v := range spec.Env {
		if log, ok := strings.CutPrefix(v, "AZUREML_LOCAL_STDOUT="); ok { // what its prints go to
			more = append(more, container.Mount{From: log, To: container.Inside(log)})
			spec.Env[i] = "AZUREML_LOCAL_STDOUT=" + container.Inside(log)
		}
	}
	return j.contain(s, p, prepared.Image, "", append([]string{spec.Path}, spec.Args...), spec, more...)
}

// mounts are the job's folders in its container: all may be written to but
// inputs that are mounted for reading.
func (p *paths) mounts(s *commandSpec) []container.Mount {
	mount := func(at string, ro bool) container.Mount {
		return container.Mount{From: at, To: container.Inside(at), ReadOnly: ro}
	}
	out := []container.Mount{mount(p.root, false)}
	for _, k := range sorted(s.Inputs) {
		in := s.Inputs[k]
		at := filepath.Join(p.inputs, k)
		if in == nil || in.Type == "literal" || in.Mode != "" && in.Mode != "ReadOnlyMount" {
			continue
		}
		if info, err := os.Stat(at); err == nil && info.IsDir() {
			out = append(out, mount(at, true))
		}
	}
	return out
}

// contain starts one of a job's containers. line is what a shell runs; command
// when it is empty.
func (j *job) contain(s *commandSpec, p *paths, image, line string, command []string, spec process.Spec, more ...container.Mount) (running, error) {
	c := j.e.contained()
	args, err := s.dockerArgs()
	if err != nil {
		return nil, err
	}
	in := p.inside()
	got, err := c.Engine.Start(container.Run{
		Name: "azureml-" + c.Engine.Owner[:min(8, len(c.Engine.Owner))] + "-" + spec.ID, Image: image, Job: j.rec.Name, Dir: in.code, Home: in.temp,
		Mounts: append(p.mounts(s), more...), Env: spec.Env, Shm: s.shm(append(c.Engine.Args[:len(c.Engine.Args):len(c.Engine.Args)], args...)), Args: args, Line: line, Command: command,
	}, spec)
	if err != nil {
		return nil, err // not a nil pointer in an interface
	}
	return got, nil
}
