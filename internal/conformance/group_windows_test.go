package conformance

import "os/exec"

func group(*exec.Cmd) {}

func end(c *exec.Cmd) { _ = c.Process.Kill() } // it may have ended
