package container

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// Container is a running one. It has the methods of a process.Process.
type Container struct {
	e          *Engine
	name       string
	client     *process.Process // the engine's run
	terminated atomic.Bool
}

// Start runs a container. Of at, the files and the record count.
func (e *Engine) Start(r Run, at process.Spec) (*Container, error) {
	var salt [4]byte
	rand.Read(salt[:]) //nolint:errcheck // it never fails
	r.Name += "-" + hex.EncodeToString(salt[:])
	args, env := e.arguments(&r, at.Stdin != nil)
	at.Path, at.Args, at.Env, at.Dir, at.Unmarked = e.Path, args, append(os.Environ(), env...), "", true
	p, err := process.Start(at)
	if err != nil {
		return nil, err
	}
	return &Container{e: e, name: r.Name, client: p}, nil
}

// PID is the engine's client.
func (c *Container) PID() int { return c.client.PID() }

// Done is closed when the container has ended.
func (c *Container) Done() <-chan struct{} { return c.client.Done() }

// Wait returns when the container has ended.
func (c *Container) Wait() process.State {
	st := c.client.Wait()
	st.Terminated = st.Terminated || c.terminated.Load()
	return st
}

// pause is how long is waited for a container that is being made.
const pause = 100 * time.Millisecond

// Terminate asks the container to end (SIGTERM to all of its processes), kills it
// after grace, and returns when it is gone.
func (c *Container) Terminate(grace time.Duration) process.State {
	c.terminated.Store(true)
	if grace > 0 {
		c.interrupt(grace)
	}
	select {
	case <-c.Done():
	default:
		c.remove()
		c.client.Terminate(2 * time.Second)
	}
	c.remove() // what was being made when it was removed first
	return c.Wait()
}

func (c *Container) interrupt(grace time.Duration) {
	t := time.NewTimer(grace)
	defer t.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for {
		if _, err := c.e.output(ctx, "kill", "--signal", "TERM", c.name); err == nil {
			select {
			case <-c.Done():
			case <-t.C:
			}
			return
		}
		next := time.NewTimer(pause) // it is not running yet
		select {
		case <-c.Done():
			next.Stop()
			return
		case <-t.C:
			next.Stop()
			return
		case <-next.C:
		}
	}
}

// remove ends the container at once and takes it away. That it is not there is
// as good.
func (c *Container) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	c.e.destroy(ctx, c.name) //nolint:errcheck // the sweep finds what is left
}

func (e *Engine) destroy(ctx context.Context, names ...string) error {
	// podman's rm asks and waits before it kills.
	e.output(ctx, append([]string{"kill", "--signal", "KILL"}, names...)...) //nolint:errcheck // those that do not run any more
	_, err := e.output(ctx, append([]string{"rm", "--force", "--volumes"}, names...)...)
	return err
}

// Sweep ends and removes all containers of the owner and says how many there were.
func (e *Engine) Sweep(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	out, err := e.output(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+label+"="+e.Owner)
	ids := strings.Fields(out)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if err := e.destroy(ctx, ids...); err != nil {
		return 0, err
	}
	return len(ids), nil
}
