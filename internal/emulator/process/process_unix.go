//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// tree is a process group and what left it.
type tree struct {
	pgid int
	id   string
}

func adopt(cmd *exec.Cmd, id string) (tree, error) {
	return tree{pgid: cmd.Process.Pid, id: id}, nil
}

// interrupt asks the tree to end.
func (t tree) interrupt() bool {
	ok := syscall.Kill(-t.pgid, syscall.SIGTERM) == nil
	if t.id == "" {
		return ok
	}
	for _, pid := range escaped(t.id, t.pgid) {
		ok = syscall.Kill(pid, syscall.SIGTERM) == nil || ok
	}
	return ok
}

// kill ends the tree.
func (t tree) kill() int {
	if t.pgid == 0 {
		return 0
	}
	n := 0
	if syscall.Kill(-t.pgid, syscall.SIGKILL) == nil {
		n++
	}
	return n + killMarked(t.id, t.pgid)
}

// killMarked ends what carries the marker. A process that forks while it is
// looked for is found in the next round.
func killMarked(id string, first int) int {
	n := 0
	if id == "" {
		return n
	}
	for range 10 {
		pids := escaped(id, first)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				n++
			}
		}
	}
	return n
}

func (t tree) close() {}

func sweep(r record) int {
	n := 0
	// The group is ours only while its first process is the one recorded.
	if r.Started != "" && startTime(r.PID) == r.Started && syscall.Kill(-r.PID, syscall.SIGKILL) == nil {
		n++
	}
	return n + killMarked(r.Mark, 0)
}

func signalName(ps *os.ProcessState) string {
	if ws, ok := ps.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return unix.SignalName(ws.Signal())
	}
	return ""
}
