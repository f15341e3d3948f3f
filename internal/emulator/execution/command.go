package execution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/process"
	"github.com/azureml-go/azureml/internal/wire"
)

// grace is how long a job that is asked to end may take before it is killed.
const grace = 10 * time.Second

// command runs a command job that has its nodes.
func (j *job) command() error {
	s := j.spec
	if s == nil { // of a job that waited for this start
		s = &commandSpec{}
		if err := json.Unmarshal(j.rec.Spec, s); err != nil {
			return err
		}
	}
	return j.process(s, func(p *paths) (string, error) {
		line, err := expand(s.Command, p.values)
		if err != nil {
			return "", userError("the command cannot be expanded: %v", err)
		}
		return line, nil
	})
}

// process runs the processes of a job that has its nodes. command is asked when everything is in its place.
func (j *job) process(s *commandSpec, command func(p *paths) (string, error)) (err error) {
	e, r := j.e, j.rec
	j.experiment = s.experiment()
	j.alter(func(r *Record) {
		r.Outputs = destinations(r.Scope, r.Name, s)
		r.note(map[string]string{"azureml.DevPlatv2": "true", "ProcessInfoFile": "azureml-logs/process_info.json"})
		if s.CodeID != "" {
			r.note(map[string]string{"ContentSnapshotId": fileName(s.CodeID)})
		}
	})
	j.enter(Preparing)
	p, err := e.newPaths(r)
	if err != nil {
		return err
	}
	defer e.leave(p)
	logs, err := j.openLogs(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, logs.finish()) }()
	prepared, err := j.prepare(s, p, logs.files[0])
	if err != nil {
		return j.cause(err)
	}
	shown := p
	if prepared.Image != "" {
		shown = p.inside()
	}
	line, err := command(shown)
	if err != nil {
		return err
	}
	j.enter(Starting)
	procs, revoke, err := j.spawn(s, p, prepared, line, logs)
	defer revoke()
	if err != nil {
		for _, proc := range procs {
			proc.Terminate(0)
		}
		return j.cause(err)
	}
	failure := j.watch(s, procs, logs)
	j.enter(Finalizing)
	// What a job wrote is kept however it ended; a closing engine still may.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), time.Hour)
	defer cancel()
	return errors.Join(failure, j.collect(ctx, s, p, failure == nil))
}

// cause prefers why the job was stopped over what that made fail.
func (j *job) cause(err error) error {
	if c := context.Cause(j.ctx); c != nil {
		return c
	}
	return err
}

// prepare brings everything into the job's folder.
func (j *job) prepare(s *commandSpec, p *paths, log io.Writer) (*Prepared, error) {
	env, err := j.e.environment(j.ctx, j.rec.Scope, s.EnvironmentID)
	if err != nil {
		return nil, err
	}
	base, c := BaseEnv(j.e.PassEnv), j.e.contained()
	if c != nil {
		base = containerEnv(j.e.PassEnv)
	}
	prepared, err := j.e.Environments.Prepare(j.ctx, env, p.root, base, log)
	if err == nil && c != nil {
		prepared.Image, err = j.image(c, env, p)
	}
	if err != nil {
		return nil, err
	}
	if prepared.Note != "" {
		fmt.Fprintln(log, prepared.Note)
	}
	if len(prepared.Missing) > 0 {
		j.alter(func(r *Record) { r.Properties["azureml.local.notProvided"] = strings.Join(prepared.Missing, "; ") })
	}
	return prepared, j.materialise(s, p)
}

// spawn starts the job's processes and stores that it runs. The token that
// they use is ended by the function that is returned, also beside an error.
func (j *job) spawn(s *commandSpec, p *paths, prepared *Prepared, line string, logs *logs) ([]running, func(), error) {
	e, r := j.e, j.rec
	base, err := e.BaseURL()
	if err != nil {
		return nil, func() {}, err
	}
	token, expires, err := e.RunToken(r.Scope, r.Name)
	if err != nil {
		return nil, func() {}, err
	}
	revoke := func() { e.Revoke(r.Scope, r.Name) }
	sh, err := shell()
	if err != nil && prepared.Image == "" {
		return nil, revoke, userError("%v", err)
	}
	in := p
	if prepared.Image != "" {
		in, base = p.inside(), e.contained().Engine.Address(base)
	}
	env := append([]string(nil), prepared.Env...)
	for _, k := range sorted(s.EnvironmentVariables) {
		env = append(env, k+"="+fill(string(s.EnvironmentVariables[k]), in.values))
	}
	env = append(env, s.vars...)
	// The variables of Azure ML win over those of the user, as they do there.
	env = append(env, j.variables(base, token, expires.Unix(), in)...)
	if err := j.begin(logs); err != nil {
		return nil, revoke, err
	}
	var procs []running
	for i, w := range logs.workers {
		id, text := processID(r, i), line
		if w.wrap != nil {
			text = w.wrap(line)
		}
		spec := process.Spec{
			ID: id, Path: sh, Args: []string{"-c", text}, Dir: p.code, Env: append(env[:len(env):len(env)], w.env...),
			Stdout: logs.files[i], Stderr: logs.files[i], Record: e.records(), Shelf: e.shelf,
		}
		proc, err := j.start(s, p, prepared, text, spec)
		if err != nil {
			return procs, revoke, userError("the command could not be started: %v", err)
		}
		procs = append(procs, proc)
	}
	return procs, revoke, nil
}

// start starts one of the job's processes, which runs a line of shell.
func (j *job) start(s *commandSpec, p *paths, prepared *Prepared, line string, spec process.Spec) (running, error) {
	if prepared.Image != "" {
		return j.contain(s, p, prepared.Image, line, nil, spec)
	}
	proc, err := startPlain(spec, line)
	if proc == nil && err == nil {
		proc, err = process.Start(spec)
	}
	if err != nil {
		return nil, err
	}
	return proc, nil
}

// begin stores that the job runs. A step's process does not wait for that: the
// process is on record on its own, and a step that is lost is not begun again.
func (j *job) begin(logs *logs) error {
	now := j.e.Clock()
	r := j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started = now
	})
	for _, w := range logs.workers { // a job that is lost with its owner has its logs
		r.Logs = append(r.Logs, w.log)
	}
	if !r.Driven {
		err := j.e.storeWith(j.ctx, r, logs.record)
		if err == nil {
			logs.committed()
		}
		return err
	}
	logs.begins(r)
	return nil
}

// processID tells the trees of one server apart: workspaces of two resource groups may have one name, and so may their jobs.
func processID(r *Record, i int) string {
	var b strings.Builder
	sum := sha256.Sum256([]byte(r.Scope.Key()))
	for _, c := range r.Scope.Workspace + "." + r.Name + "." + hex.EncodeToString(sum[:4]) + "." + strconv.Itoa(i) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			b.WriteRune(c)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// watch waits for the processes. The first that fails ends the others; so do
// cancel, the timeout and the engine's end.
func (j *job) watch(s *commandSpec, procs []running, logs *logs) error {
	var timeout <-chan struct{}
	if s.Limits != nil && s.Limits.Timeout != "" {
		d, err := wire.ParseDuration(s.Limits.Timeout)
		if err != nil {
			return err
		}
		over, stop := j.e.deadline(j.snapshot().Started, d)
		defer stop()
		timeout = over
	}
	type ended struct {
		i  int
		st process.State
	}
	ends := make(chan ended, len(procs))
	for i, p := range procs {
		go func() { ends <- ended{i, p.Wait()} }()
	}
	var failure error
	stop := j.ctx.Done()
	endAll := func(err error) {
		if failure == nil {
			failure = err
			for _, p := range procs {
				go p.Terminate(grace)
			}
		}
	}
	serving := 0 // workers that end with the others
	for _, w := range logs.workers {
		if w.aside {
			serving++
		}
	}
	done := 0
	for range procs {
		for waiting := true; waiting; {
			select {
			case <-stop:
				stop = nil
				endAll(context.Cause(j.ctx))
			case <-timeout:
				timeout = nil
				endAll(fmt.Errorf("%w: the job ran longer than its limit of %s and was ended", errTimeout, s.Limits.Timeout))
			case end := <-ends:
				waiting = false
				w := logs.workers[end.i]
				if !w.aside {
					done++
				}
				switch over := done == len(procs)-serving; {
				case failure != nil || w.aside && over:
				case !end.st.Success():
					endAll(j.failed(s, end.st, w.log, logs))
				case over && !w.aside:
					for i, p := range procs {
						if w := logs.workers[i]; w.aside {
							go retire(p, w.linger)
						}
					}
				}
			}
		}
	}
	return failure
}

// retire ends a process that served others, after it had the time to end itself.
func retire(p running, linger time.Duration) {
	t := time.NewTimer(linger)
	defer t.Stop()
	select {
	case <-p.Done():
	case <-t.C:
	}
	p.Terminate(grace)
}

// failed says what Azure says of a command that ended badly, with the end of
// the log.
func (j *job) failed(s *commandSpec, st process.State, log string, logs *logs) error {
	if err := logs.settled(); err != nil { // the log cannot be read before
		return err
	}
	program := userProgram(s.Command)
	how := "exited with status code " + strconv.Itoa(st.Code)
	if st.Signal != "" || st.Err != nil {
		how = st.String()
	}
	msg := fmt.Sprintf("Execution failed. User process '%s' %s. Please check log file '%s' for error details.", program, how, log)
	tail := j.tail(log, 20, 4096)
	for strings.HasPrefix(tail, notePrefix) { // what this workspace says itself is no cause
		_, tail, _ = strings.Cut(tail, "\n")
	}
	if tail != "" {
		msg += " Error: " + tail
	}
	return &JobError{Code: "UserError", Message: msg}
}

// notePrefix begins the lines that a local workspace writes into a job's log.
const notePrefix = "local workspace: "

// userProgram is the program that a command runs; where the shell runs several, whichever it was, it is the shell.
func userProgram(command string) string {
	command = strings.TrimSpace(command)
	if first, rest, several := strings.Cut(command, " && "); several && strings.HasPrefix(first, "chmod +x ") {
		command = rest // snapshots lose the executable bit; the program is what follows
	}
	if strings.ContainsAny(command, "&|;\n") {
		if sh, err := shell(); err == nil {
			return strings.TrimSuffix(filepath.Base(sh), ".exe")
		}
	}
	program, _, _ := strings.Cut(command, " ")
	return program
}

// tail is the end of a log: so many lines, and not more than so many bytes.
func (j *job) tail(log string, lines int, bytes int64) string {
	r := j.snapshot()
	account, container, err := j.e.Artifacts(context.WithoutCancel(j.ctx), r.Scope)
	if err != nil {
		return ""
	}
	f, err := j.e.Blobs.Open(context.WithoutCancel(j.ctx), account, container, arm.RunPrefix(r.Name)+"/"+log)
	if err != nil {
		return ""
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	if _, err := f.Seek(max(end-bytes, 0), io.SeekStart); err != nil {
		return ""
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(b), "\r\n"), "\n")
	return strings.TrimSpace(strings.Join(all[max(len(all)-lines, 0):], "\n"))
}
