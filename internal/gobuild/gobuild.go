// Package gobuild makes a static program of a Go main package, for a job's code snapshot or a
// scoring container's build context. The same sources, toolchain and target give the same bytes,
// so that snapshots and images are found again by their hash.
package gobuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Options says what to build and where to.
type Options struct {
	// Program is the main package: a folder ("./cmd/train", absolute or relative to Dir), a .go
	// file, or an import path that resolves in Dir's module. Required.
	Program string
	// Dir is the folder that Program is relative to. Defaults to the working directory.
	Dir string
	// GOOS and GOARCH name the target. Default to the host's.
	GOOS, GOARCH string
	// Output is the file to write; its folder is made. An existing file is replaced as a whole.
	// Required.
	Output string
	// Tags are build tags.
	Tags []string
	// Env is added to the environment of the go command, after this process's own.
	Env []string
}

// Error is a build that the go command refused.
type Error struct {
	Program string
	Err     error
	Output  string // what the go command printed, the compiler's faults
}

func (e *Error) Error() string {
	s := fmt.Sprintf("gobuild: build %q: %v", e.Program, e.Err)
	if e.Output != "" {
		s += "\n" + e.Output
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ErrNoGo says that there is no go command to build with.
var ErrNoGo = errors.New("the go command is not in PATH; Go is needed to build a program (https://go.dev/dl)")

// ErrNotMain says that the package is not a program.
var ErrNotMain = errors.New("not a main package")

// Build compiles o.Program into o.Output: CGO off, no paths of this machine, no VCS stamp, no symbol
// table. Faults of the code come as *Error with the compiler's words.
func Build(ctx context.Context, o Options) error {
	fail := func(err error, out []byte) error {
		return &Error{Program: o.Program, Err: err, Output: strings.TrimSpace(string(out))}
	}
	if o.Program == "" || o.Output == "" {
		return fail(errors.New("both Program and Output are required"), nil)
	}
	tool, err := exec.LookPath("go")
	if err != nil {
		return fail(ErrNoGo, nil)
	}
	dir, pkg, err := locate(o.Dir, o.Program)
	if err != nil {
		return fail(err, nil)
	}
	output, err := filepath.Abs(o.Output)
	if err != nil {
		return fail(err, nil)
	}
	env := environment(o)
	out, err := run(ctx, tool, dir, env, "list", "-find", "-f", "{{.Name}}", pkg)
	if err != nil {
		return fail(err, out)
	}
	if names := strings.Fields(string(out)); len(names) != 1 || names[0] != "main" {
		return fail(fmt.Errorf("%w: it holds package %s", ErrNotMain, strings.Join(names, ", ")), nil)
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o777); err != nil {
		return fail(err, nil)
	}
	// The go command refuses to overwrite what is not an object file, and an interrupted link leaves
	// half a program: build beside the target and rename.
	work, err := os.MkdirTemp(filepath.Dir(output), ".gobuild-")
	if err != nil {
		return fail(err, nil)
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, filepath.Base(output))
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", made}
	if len(o.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(o.Tags, ","))
	}
	if out, err := run(ctx, tool, dir, env, append(args, pkg)...); err != nil {
		return fail(err, out)
	}
	if err := os.Rename(made, output); err != nil {
		return fail(err, nil)
	}
	return nil
}

// locate gives the folder to run the go command in, and the package's name seen from there. A folder
// is built from inside, so that its own module (or workspace) counts and not the caller's.
func locate(dir, program string) (string, string, error) {
	if dir == "" {
		dir = "."
	}
	path := program
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, program)
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return path, ".", nil
	case err == nil && strings.HasSuffix(path, ".go"):
		return filepath.Dir(path), filepath.Base(path), nil
	case err == nil:
		return "", "", fmt.Errorf("%s is neither a folder nor a .go file", path)
	case filepath.IsAbs(program) || strings.HasPrefix(filepath.ToSlash(program), "./") || strings.HasPrefix(filepath.ToSlash(program), "../"):
		return "", "", err
	case strings.HasPrefix(program, "-") || strings.ContainsAny(program, " *") || strings.Contains(program, "..."):
		return "", "", errors.New("the program is one package, not a pattern")
	}
	return dir, program, nil // an import path
}

func environment(o Options) []string {
	goos, goarch := o.GOOS, o.GOARCH
	if goos == "" {
		goos = runtime.GOOS
	}
	if goarch == "" {
		goarch = runtime.GOARCH
	}
	env := append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
	return append(env, o.Env...)
}

func run(ctx context.Context, tool, dir string, env []string, args ...string) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &stdout, &stderr
	// An interrupted go command removes its own work folder; what does not listen is killed.
	cmd.Cancel = func() error {
		if runtime.GOOS == "windows" {
			return cmd.Process.Kill()
		}
		return cmd.Process.Signal(os.Interrupt)
	}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return stderr.Bytes(), err
	}
	return stdout.Bytes(), nil
}
