package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Has says whether an image is there.
func (e *Engine) Has(ctx context.Context, image string) bool {
	_, err := e.output(ctx, "image", "inspect", "--format", "{{.Id}}", image)
	return err == nil
}

// Pull fetches an image. What the engine says goes to log; errors end with the
// last of it.
func (e *Engine) Pull(ctx context.Context, image string, log io.Writer) error {
	if err := e.told(ctx, log, "pull", image); err != nil {
		return fmt.Errorf("the image %s could not be pulled: %w", image, err)
	}
	return nil
}

// Build makes an image of a folder.
func (e *Engine) Build(ctx context.Context, tag, dockerfile, dir string, log io.Writer) error {
	return e.told(ctx, log, "build", "--tag", tag, "--label", "azureml.local.image=1", "--file", filepath.Join(dir, filepath.FromSlash(dockerfile)), dir)
}

// told runs the engine with what it says going to a log.
func (e *Engine) told(ctx context.Context, log io.Writer, args ...string) error {
	end := &tail{to: log}
	c := exec.CommandContext(ctx, e.Path, args...)
	c.Stdout, c.Stderr = end, end
	c.WaitDelay = 10 * time.Second
	stopGently(c)
	err := c.Run()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if said := end.String(); said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("%s %s: %w", filepath.Base(e.Path), args[0], err)
}

// tail writes through and keeps the end.
type tail struct {
	to io.Writer

	mu  sync.Mutex
	end []byte
}

const tailMost = 4096

// Write is told by one goroutine, or by the two of stdout and stderr.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.end = append(t.end, p...)
	t.end = t.end[max(len(t.end)-tailMost, 0):]
	return t.to.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return lastLines(strings.ReplaceAll(string(t.end), "\r", "\n"))
}

// ID is what an image is known by whatever its names.
func (e *Engine) ID(ctx context.Context, image string) (string, error) {
	out, err := e.output(ctx, "image", "inspect", "--format", "{{.Id}}", image)
	return strings.TrimSpace(out), err
}
