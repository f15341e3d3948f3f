// Package process starts child processes that never outlive their owner: a
// whole tree ends when it is told to, when its first process ends, and, after
// the owner itself was killed, at the owner's next start.
//
// A child is known by three things. Its process group (a job object on
// Windows) holds what it starts. A marker in the environment, which children
// inherit, finds what left the group. A record on disk, written before Start
// returns, lets the next owner find all that again.
package process

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Marker is the environment variable that names a process tree. Its value begins
// with Spec.ID; children inherit it.
const Marker = "AZUREML_LOCAL_PROCESS"

// Spec says what to start.
type Spec struct {
	// ID names the tree. It must be unique among those of one Record folder
	// and may hold only letters, digits, '-', '_' and '.'.
	ID string
	// Path is the program; Args are its arguments without the program itself.
	Path string
	Args []string
	// Dir is the working folder.
	Dir string
	// Env is the whole environment, the marker excepted.
	Env []string
	// Stdin is what the child reads; nil is empty.
	Stdin *os.File
	// Stdout and Stderr are files and not writers, so that no goroutine stands
	// between the child and its log; nil discards.
	Stdout, Stderr *os.File
	// Record is the folder where the tree is recorded for Sweep. Required.
	Record string
	// Shelf has the record's file, when it is of the same folder; nil makes one
	// and removes it.
	Shelf *Shelf
	// Unmarked is of a program whose children are another's, such as a container
	// engine's: what leaves its group is left alone.
	Unmarked bool
}

// State says how a tree ended.
type State struct {
	// Code is the exit code of the first process, -1 when a signal ended it.
	Code int
	// Signal names the signal that ended it, "" when none did.
	Signal string
	// Terminated is true when Terminate ended the tree.
	Terminated bool
	// CPU is user and system time of the first process and those it waited for.
	CPU time.Duration
	// Err is set when waiting itself failed.
	Err error
}

// Success is true when the first process ended by itself with code 0.
func (s State) Success() bool { return s.Err == nil && s.Code == 0 && !s.Terminated }

// String says how the tree ended, in a sentence's words.
func (s State) String() string {
	switch {
	case s.Err != nil:
		return "could not be waited for: " + s.Err.Error()
	case s.Signal != "":
		return "was ended by signal " + s.Signal
	default:
		return fmt.Sprintf("ended with exit code %d", s.Code)
	}
}

// Process is a running tree.
type Process struct {
	id     string
	mark   string // the marker's value
	record string
	shelf  *Shelf
	kept   *os.File // the record's file, from the shelf
	cmd    *exec.Cmd
	tree   tree
	done   chan struct{}
	state  State

	mu         sync.Mutex
	terminated bool
}

// Start starts the tree and records it. The record is on disk when Start
// returns; if it cannot be written the tree is ended and the error returned.
func Start(s Spec) (*Process, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	cmd := exec.Command(s.Path, s.Args...)
	cmd.Dir = s.Dir
	mark := s.marker()
	if cmd.Env = withoutMarker(s.Env); s.Unmarked {
		mark = ""
	} else {
		cmd.Env = append(cmd.Env, Marker+"="+mark)
	}
	if s.Stdin != nil {
		cmd.Stdin = s.Stdin
	} else if f := nothing(); f != nil { // exec would open it for each
		cmd.Stdin = f
	}
	if s.Stdout != nil {
		cmd.Stdout = s.Stdout
	}
	if s.Stderr != nil {
		cmd.Stderr = s.Stderr
	}
	p := &Process{id: s.ID, mark: mark, record: filepath.Join(s.Record, s.ID+".json"), shelf: s.Shelf, cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("process: start %q: %w", s.Path, err)
	}
	return p, nil
}

// marker tells the tree from those of other owners on this machine, who may
// have the same IDs: jobs of two workspaces have the same names easily.
func (s *Spec) marker() string {
	dir, err := filepath.Abs(s.Record)
	if err != nil { // there is no working folder any more
		dir = s.Record
	}
	sum := sha256.Sum256([]byte(dir))
	return s.ID + "." + hex.EncodeToString(sum[:6])
}

// Boot names this boot of the machine; "" where it cannot be known.
func Boot() string { return bootID() }

// mine are the first processes of all trees that have not been waited for: what
// is looked for by its marker is none of them.
var mine sync.Map

// nothing is an empty file that all children share; nil when there is none.
var nothing = sync.OnceValue(func() *os.File {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return nil
	}
	return f
})

func (s *Spec) check() error {
	if s.ID == "" || strings.ContainsFunc(s.ID, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) {
		return fmt.Errorf("process: ID %q: letters, digits, '-', '_' and '.' only", s.ID)
	}
	if s.Record == "" {
		return fmt.Errorf("process: Record is empty")
	}
	return nil
}

func withoutMarker(env []string) []string {
	out := make([]string, 0, len(env)+1)
	for _, e := range env {
		if !strings.HasPrefix(e, Marker+"=") {
			out = append(out, e)
		}
	}
	return out
}

// run starts the child and waits for it on one thread: on Linux the
// parent-death signal goes off when the thread that started the child ends, so
// that thread must live as long as the child.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	prepare(p.cmd)
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	mine.Store(p.cmd.Process.Pid, true)
	t, err := adopt(p.cmd, p.mark)
	if err == nil {
		err = p.enter(record{ID: p.id, Mark: p.mark, PID: p.cmd.Process.Pid, Started: startTime(p.cmd.Process.Pid), Boot: bootID()})
	}
	if err != nil {
		t.kill()
		_ = p.cmd.Process.Kill() // on Windows it may not have come into the tree, and it is suspended
		mine.Delete(p.cmd.Process.Pid)
		p.cmd.Wait() //nolint:errcheck // the child was killed for err, which is what is reported
		t.close()
		started <- err
		return
	}
	p.tree = t
	started <- nil
	// What the first process left behind ends with it. It is looked for before
	// the first process is reaped, while its pid, which is the group's id,
	// cannot be given out again.
	ended(p.cmd.Process.Pid)
	t.kill()
	mine.Delete(p.cmd.Process.Pid) // before it is reaped: then the pid may be another's
	p.finish(p.cmd.Wait())
}

func (p *Process) finish(err error) {
	st := State{Code: -1}
	if ps := p.cmd.ProcessState; ps != nil {
		st.Code, st.Signal = ps.ExitCode(), signalName(ps)
		st.CPU = ps.UserTime() + ps.SystemTime()
	} else {
		st.Err = err
	}
	p.tree.close()
	p.mu.Lock()
	st.Terminated = p.terminated
	p.mu.Unlock()
	if err := p.forget(); err != nil && st.Err == nil {
		st.Err = err
	}
	p.state = st
	close(p.done)
}

// enter writes the tree's record.
func (p *Process) enter(r record) (err error) {
	if p.shelf == nil {
		return writeRecord(p.record, r)
	}
	p.kept, err = p.shelf.put(r)
	return err
}

func (p *Process) forget() error {
	if p.shelf != nil {
		return p.shelf.give(p.kept)
	}
	if err := os.Remove(p.record); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// PID is the first process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the whole tree has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait returns when the whole tree has ended.
func (p *Process) Wait() State {
	<-p.done
	return p.state
}

// Terminate asks the tree to end (SIGTERM), kills it after grace, and returns
// when it is gone. On Windows it is killed at once.
func (p *Process) Terminate(grace time.Duration) State {
	p.mu.Lock()
	p.terminated = true
	p.mu.Unlock()
	if grace > 0 && p.tree.interrupt() {
		t := time.NewTimer(grace)
		defer t.Stop()
		select {
		case <-p.done:
			return p.state
		case <-t.C:
		}
	}
	select {
	case <-p.done: // the group's id may be another's by now
	default:
		p.tree.kill()
	}
	return p.Wait()
}
