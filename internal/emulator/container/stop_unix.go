//go:build unix

package container

import (
	"os/exec"
	"syscall"
)

// stopGently lets the engine take away what it was making.
func stopGently(c *exec.Cmd) { c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) } }
