package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/azureml-go/azureml/internal/gobuild"
)

// ContextOptions of Context. The zero value is what Azure runs.
type ContextOptions struct {
	// Dir is the folder that program is relative to. Defaults to the working directory.
	Dir string
	// GOOS and GOARCH are what the program is built for. Default to linux and
	// amd64; workspace.Client.Platform says what a workspace's deployments run on.
	GOOS, GOARCH string
	// Base is the image that the program is put on. It must have /bin/sh.
	// Defaults to DefaultBase.
	Base string
	// Output is the folder to write to; it must not exist or be empty.
	// Defaults to a new temporary one, which the caller removes.
	Output string
	// Files are further files and folders that are copied beside the program.
	Files []string
	// Port and the routes. Default as those of Options.
	Port                       int
	Score, Liveness, Readiness string
}

// DefaultBase is an image of Microsoft's own registry, which builds in Azure
// reach without a detour: a Linux with a shell and certificates.
const DefaultBase = "mcr.microsoft.com/azurelinux/base/core:3.0"

// BuildContext is a folder that an image is built of, and the routes that its
// server has: what an environment with inference_config needs.
type BuildContext struct {
	Dir        string // holds Dockerfile and the program
	Dockerfile string // "Dockerfile", relative to Dir
	Port       int
	Score      string
	Liveness   string
	Readiness  string
}

// Blobs have no executable bit, and not every builder knows COPY --chmod: the
// program is made executable when the container starts.
var dockerfile = template.Must(template.New("Dockerfile").Parse(`FROM {{.Base}}
WORKDIR /app
COPY . /app/
ENV PORT={{.Port}}
EXPOSE {{.Port}}
ENTRYPOINT ["/bin/sh", "-c", "chmod +x /app/{{.Name}} && exec /app/{{.Name}}"]
`))

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// Context builds a Go scoring server and writes its build context. program is a
// main package: a folder ("./cmd/score") or an import path. Its files and its
// Dockerfile are the same bytes each time for the same sources.
func Context(ctx context.Context, program string, o *ContextOptions) (_ *BuildContext, err error) {
	var c ContextOptions
	if o != nil {
		c = *o
	}
	for _, d := range []struct {
		to    *string
		value string
	}{
		{&c.GOOS, "linux"}, {&c.GOARCH, "amd64"}, {&c.Base, DefaultBase},
		{&c.Score, DefaultScore}, {&c.Liveness, DefaultLiveness}, {&c.Readiness, DefaultReadiness},
	} {
		if *d.to == "" {
			*d.to = d.value
		}
	}
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	name := path.Base(strings.TrimSuffix(filepath.ToSlash(program), ".go"))
	if !plainName.MatchString(name) || strings.EqualFold(name, "Dockerfile") {
		name = "server"
	}
	for field, p := range map[string]string{"Score": c.Score, "Liveness": c.Liveness, "Readiness": c.Readiness} {
		if !strings.HasPrefix(p, "/") {
			return nil, fmt.Errorf("serve: context of %q: %s must begin with /, got %q", program, field, p)
		}
	}
	if c.Output == "" {
		if c.Output, err = os.MkdirTemp("", "azureml-serve-"); err != nil {
			return nil, err
		}
		defer func() {
			if err != nil {
				err = errors.Join(err, os.RemoveAll(c.Output))
			}
		}()
	} else if left, err := os.ReadDir(c.Output); err == nil && len(left) > 0 {
		return nil, fmt.Errorf("serve: context of %q: Output %s is not empty", program, c.Output)
	}
	if err := gobuild.Build(ctx, gobuild.Options{Program: program, Dir: c.Dir, GOOS: c.GOOS, GOARCH: c.GOARCH, Output: filepath.Join(c.Output, name)}); err != nil {
		return nil, fmt.Errorf("serve: context of %q: %w", program, err)
	}
	var b strings.Builder
	if err := dockerfile.Execute(&b, map[string]any{"Base": c.Base, "Port": c.Port, "Name": name}); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(c.Output, "Dockerfile"), []byte(b.String()), 0o644); err != nil {
		return nil, err
	}
	for _, f := range c.Files {
		if err := copyBeside(c.Dir, f, c.Output); err != nil {
			return nil, fmt.Errorf("serve: context of %q: Files: %w", program, err)
		}
	}
	return &BuildContext{Dir: c.Output, Dockerfile: "Dockerfile", Port: c.Port, Score: c.Score, Liveness: c.Liveness, Readiness: c.Readiness}, nil
}

func copyBeside(dir, file, to string) error {
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	target := filepath.Join(to, filepath.Base(file))
	if _, err := os.Stat(target); err == nil {
		return fmt.Errorf("%s is there twice", filepath.Base(file))
	}
	if info.IsDir() {
		return os.CopyFS(target, os.DirFS(file))
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(target, b, info.Mode().Perm())
}
