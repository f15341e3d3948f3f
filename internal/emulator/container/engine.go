// Package container runs programs in containers, by the command line of an
// engine: docker, podman, or a program that takes their arguments.
package container

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Engine is one that answered. Safe for use by many goroutines.
type Engine struct {
	// Path is its program.
	Path string
	// Podman is true of podman under whatever name, false of docker.
	Podman bool
	// Version is what it says of itself: "podman version 4.3.1".
	Version string
	// Arch is what its containers run, in Go's words: amd64.
	Arch string
	// Rootless is true when root in a container is the engine's owner outside.
	Rootless bool
	// Machine is true when containers run in a virtual machine, whose loopback
	// is not this machine's.
	Machine bool
	// Args are further arguments of its run.
	Args []string
	// Owner names whose containers are made and swept.
	Owner string
}

// answerTime is how long an engine may take to say what it is.
const answerTime = 30 * time.Second

// Find asks the engine at path, or where path is empty docker and then podman,
// and gives the first that answers.
//
// Errors name each that was asked, and why it is of no use.
func Find(ctx context.Context, path string) (*Engine, error) {
	if path != "" {
		at, err := exec.LookPath(path)
		if err != nil {
			return nil, fmt.Errorf("the container engine %q is not there: %w", path, err)
		}
		e, err := ask(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("the container engine %w", err)
		}
		return e, nil
	}
	var why []error
	for _, name := range []string{"docker", "podman"} {
		at, err := exec.LookPath(name)
		if err != nil {
			why = append(why, fmt.Errorf("%s is not in PATH", name))
			continue
		}
		e, err := ask(ctx, at)
		if err == nil {
			return e, nil
		}
		why = append(why, err)
	}
	return nil, fmt.Errorf("no container engine can be used: %w; %w", why[0], why[1])
}

// ask finds out what an engine is.
func ask(ctx context.Context, at string) (*Engine, error) {
	at, err := filepath.Abs(at)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	e := &Engine{Path: at}
	out, err := e.output(ctx, "--version")
	if err != nil {
		return nil, fmt.Errorf("%s does not answer: %w", at, err)
	}
	e.Version = strings.TrimSpace(out)
	e.Podman = strings.HasPrefix(strings.ToLower(e.Version), "podman")
	look := e.docker
	if e.Podman {
		look = e.podman
	}
	if err := look(ctx); err != nil {
		return nil, fmt.Errorf("%s does not answer: %w", at, err)
	}
	return e, nil
}

func (e *Engine) docker(ctx context.Context) error {
	out, err := e.output(ctx, "info", "--format", "{{json .}}")
	var info struct {
		OSType, OperatingSystem, Architecture string
		SecurityOptions, ServerErrors         []string
	}
	if jerr := json.Unmarshal([]byte(out), &info); jerr == nil && len(info.ServerErrors) > 0 {
		return errors.New(strings.Join(info.ServerErrors, "; "))
	} else if err == nil {
		err = jerr
	}
	if err != nil {
		return err
	}
	if info.OSType != "" && info.OSType != "linux" {
		return fmt.Errorf("it runs containers of %s, and environments are of linux", info.OSType)
	}
	e.Arch = arch(info.Architecture)
	e.Rootless = strings.Contains(strings.Join(info.SecurityOptions, " "), "name=rootless")
	e.Machine = runtime.GOOS != "linux" || strings.Contains(info.OperatingSystem, "Docker Desktop")
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		// An old docker without contexts has none that is elsewhere.
		if out, err := e.output(ctx, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"); err == nil {
			host = strings.TrimSpace(out)
		}
	}
	return nearby(host)
}

func (e *Engine) podman(ctx context.Context) error {
	out, err := e.output(ctx, "info", "--format", "json")
	if err != nil {
		return err
	}
	var info struct {
		Host struct {
			Arch            string
			ServiceIsRemote bool
			Security        struct{ Rootless bool }
		}
	}
	if err := json.Unmarshal([]byte(out), &info); err != nil {
		return err
	}
	e.Arch = arch(info.Host.Arch)
	e.Rootless = info.Host.Security.Rootless
	e.Machine = runtime.GOOS != "linux"
	if info.Host.ServiceIsRemote && !e.Machine {
		return errors.New("its service is on another machine, where this one's folders are not")
	}
	return nil
}

// nearby refuses an engine on another machine: it has none of our folders.
func nearby(host string) error {
	u, err := url.Parse(host)
	if err != nil || host == "" {
		return nil //nolint:nilerr // an address that only the engine can read is its own affair
	}
	name := u.Hostname()
	ip := net.ParseIP(name)
	if u.Scheme == "ssh" || u.Scheme == "tcp" && !strings.EqualFold(name, "localhost") && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("it is on another machine (%s), where this one's folders are not", host)
	}
	return nil
}

func arch(said string) string {
	switch strings.ToLower(said) {
	case "x86_64", "amd64":
		return "amd64"
	case "aarch64", "arm64":
		return "arm64"
	case "":
		return runtime.GOARCH
	}
	return said
}

// HostName is what containers call this machine; "" when they have its network.
func (e *Engine) HostName() string {
	switch {
	case !e.Machine:
		return ""
	case e.Podman:
		return "host.containers.internal"
	}
	return "host.docker.internal"
}

// HostNames are all names that engines give this machine.
func HostNames() []string { return []string{"host.docker.internal", "host.containers.internal"} }

// Address is a URL of a listener on this machine's loopback, as containers reach it.
func (e *Engine) Address(base string) string {
	u, err := url.Parse(base)
	if e.HostName() == "" || err != nil {
		return base
	}
	u.Host = net.JoinHostPort(e.HostName(), u.Port())
	return u.String()
}

// output runs the engine and gives what it wrote. Its errors end with what it
// said itself.
func (e *Engine) output(ctx context.Context, args ...string) (string, error) {
	c := exec.CommandContext(ctx, e.Path, args...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	if err == nil {
		return out.String(), nil
	}
	if text := strings.TrimSpace(said.String()); text != "" {
		err = errors.New(lastLines(text))
	}
	if ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return out.String(), fmt.Errorf("%s %s: %w", filepath.Base(e.Path), args[0], err)
}

// lastLines is the end of what an engine said, as one line.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var out []string
	for _, l := range lines[max(len(lines)-5, 0):] {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	text = strings.Join(out, " | ")
	if most := 1500; len(text) > most {
		text = text[len(text)-most:]
	}
	return text
}
