package jobs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/azureml-go/azureml/internal/gobuild"
)

// GoProgram is a Go main package as a job's code. It is compiled at submission into a static program,
// which is the only file of the snapshot; the command runs it as ./NAME. The same sources give the same
// bytes, so a second submission finds the first one's snapshot and uploads nothing.
type GoProgram struct {
	// Package is a folder ("./cmd/train"), a .go file, or an import path. Required.
	Package string
	// Dir is the folder that Package is relative to. Defaults to the working directory.
	Dir string
	// Name is the program's file name. Defaults to the package's last path element.
	Name string
	// GOOS and GOARCH are the target. Default to what the compute's tags "goos" and "goarch" say, then
	// the workspace's; else linux and amd64, which is what Azure's computes are. Compute "local" is this host.
	GOOS, GOARCH string
	// Tags are build tags.
	Tags []string
}

type platform struct{ os, arch string }

var azurePlatform = platform{"linux", "amd64"}

var programName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// name is the program's file name without the ending that Windows wants.
func (p *GoProgram) name() string {
	if p.Name != "" {
		return p.Name
	}
	path := filepath.ToSlash(p.Package)
	file := path[strings.LastIndexByte(path, '/')+1:]
	if stem, ok := strings.CutSuffix(file, ".go"); ok && stem != "main" {
		return stem
	} else if ok {
		path = strings.TrimSuffix(strings.TrimSuffix(path, file), "/")
	}
	if path == "" || path == "." || path == ".." || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..") {
		dir := filepath.FromSlash(path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(p.Dir, dir)
		}
		if abs, err := filepath.Abs(dir); err == nil {
			path = filepath.ToSlash(abs)
		}
	}
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// validate says what is wrong with the program before anything is built.
func (p *GoProgram) validate() error {
	if p.Package == "" {
		return errors.New("a Go program needs its package, for instance \"./cmd/train\"")
	}
	if n := p.name(); !programName.MatchString(n) {
		return fmt.Errorf("%q cannot be the program's file name: set Name to letters, digits, '_', '-' and '.'", n)
	}
	if strings.HasPrefix(p.Package, ".") || filepath.IsAbs(p.Package) {
		path := p.Package
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.Dir, path)
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("no Go package at %s: %w", path, err)
		}
	}
	return nil
}

// command is what the job runs: blob snapshots lose the executable bit, so it is set again first.
func (p *GoProgram) command(c string) (string, error) {
	run := "./" + p.name()
	if strings.TrimSpace(c) == "" {
		c = run
	}
	if !strings.Contains(c, p.name()) {
		return "", fmt.Errorf("the command does not run the Go program: it would be %q", run)
	}
	prefix := "chmod +x " + run + " && "
	if strings.HasPrefix(c, prefix) {
		return c, nil
	}
	return prefix + c, nil
}

// build compiles the program into a fresh folder for the snapshot. The caller calls remove when it is
// uploaded.
func (p *GoProgram) build(ctx context.Context, on platform) (dir string, remove func() error, err error) {
	if p.GOOS != "" {
		on.os = p.GOOS
	}
	if p.GOARCH != "" {
		on.arch = p.GOARCH
	}
	parent, err := os.MkdirTemp("", "azureml-code-")
	if err != nil {
		return "", nil, err
	}
	remove = func() error { return os.RemoveAll(parent) }
	dir = filepath.Join(parent, "code")
	out := filepath.Join(dir, p.name())
	if on.os == "windows" {
		out += ".exe"
	}
	if err := gobuild.Build(ctx, gobuild.Options{Program: p.Package, Dir: p.Dir, GOOS: on.os, GOARCH: on.arch, Output: out, Tags: p.Tags}); err != nil {
		return "", nil, errors.Join(err, remove())
	}
	return dir, remove, nil
}
