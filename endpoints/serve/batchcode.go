package serve

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml/internal/gobuild"
)

// driver starts the program and passes mini-batches on, for Azure, whose batch
// deployments call init() and run() of a Python script.
//
//go:embed driver.py
var driver string

// BatchScript is the name of the entry script that BatchCode writes.
const BatchScript = "score.py"

// BatchProgram is the name of the program beside it.
const BatchProgram = "score"

// BatchCodeOptions of BatchCode.
type BatchCodeOptions struct {
	// Dir is the folder that program is relative to. Defaults to the working directory.
	Dir string
	// GOOS and GOARCH are what the program is built for. Default to linux and amd64.
	GOOS, GOARCH string
	// Output is the folder to write to; it must not exist or be empty.
	// Defaults to a new temporary one, which the caller removes.
	Output string
	// Tags are build tags.
	Tags []string
	// Files are further files and folders that are copied beside the program.
	Files []string
}

// BatchCode builds a Go program that calls RunBatch, and writes the code folder
// of a batch deployment or a parallel step with it: the static binary, and an
// entry script in Python that speaks RunBatch's protocol, which needs nothing
// but the Python that Azure's batch images have.
func BatchCode(ctx context.Context, program string, o *BatchCodeOptions) (_ string, err error) {
	var c BatchCodeOptions
	if o != nil {
		c = *o
	}
	if c.GOOS == "" {
		c.GOOS = "linux"
	}
	if c.GOARCH == "" {
		c.GOARCH = "amd64"
	}
	fail := func(err error) (string, error) { return "", fmt.Errorf("serve: batch code of %q: %w", program, err) }
	if c.Output == "" {
		if c.Output, err = os.MkdirTemp("", "azureml-batch-"); err != nil {
			return fail(err)
		}
		defer func() {
			if err != nil {
				os.RemoveAll(c.Output)
			}
		}()
	} else if left, err := os.ReadDir(c.Output); err == nil && len(left) > 0 {
		return fail(fmt.Errorf("the folder %s (Output) is not empty", c.Output))
	}
	name := BatchProgram
	if c.GOOS == "windows" {
		name += ".exe"
	}
	if err := gobuild.Build(ctx, gobuild.Options{Program: program, Dir: c.Dir, GOOS: c.GOOS, GOARCH: c.GOARCH, Output: filepath.Join(c.Output, name), Tags: c.Tags}); err != nil {
		return fail(err)
	}
	script := strings.ReplaceAll(driver, "@PROGRAM@", name)
	if err := os.WriteFile(filepath.Join(c.Output, BatchScript), []byte(script), 0o644); err != nil {
		return fail(err)
	}
	for _, f := range c.Files {
		if err := copyBeside(c.Dir, f, c.Output); err != nil {
			return fail(err)
		}
	}
	return c.Output, nil
}
