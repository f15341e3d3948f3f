package serving

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/process"
)

// deployment is a running one: its servers, their logs, and what waits for them.
type deployment struct {
	host           *Host
	sc             arm.Scope
	endpoint, name string
	spec           *spec
	plan           *plan
	dir            string
	log, initLog   *logFile
	sink           *sink  // nil when nothing is collected
	agent          *agent // nil when the program collects nothing

	ctx    context.Context
	cancel context.CancelFunc

	command []string
	workdir string
	env     []string

	instances []*instance
	next      atomic.Uint64
	gate      *gate
	timeout   time.Duration
}

// launch brings model, code and image to dir and starts the servers.
func (h *Host) launch(ctx context.Context, sc arm.Scope, endpoint, name string, s *spec, p *plan, dir string) (*deployment, error) {
	d := &deployment{host: h, sc: sc, endpoint: endpoint, name: name, spec: s, plan: p, dir: dir}
	var err error
	if d.log, err = openLog(filepath.Join(dir, "server.log"), h.Clock); err != nil {
		return nil, err
	}
	if d.initLog, err = openLog(filepath.Join(dir, "init.log"), h.Clock); err != nil {
		return nil, errors.Join(err, d.log.close())
	}
	if err := d.provision(ctx); err != nil {
		d.stopCollecting()
		return nil, errors.Join(describe(err, d.initLog), d.log.close(), d.initLog.close())
	}
	rs := s.RequestSettings
	wait, err := duration(rs.MaxQueueWait, 500*time.Millisecond)
	if err != nil {
		return nil, err
	}
	if d.timeout, err = duration(rs.RequestTimeout, 5*time.Second); err != nil {
		return nil, err
	}
	d.gate = newGate(max(rs.MaxConcurrentRequestsPerInstance, 1)*s.Instances, wait)
	d.ctx, d.cancel = context.WithCancel(h.ctx)
	if p.note != "" {
		d.log.line("%s", p.note)
	}
	for i := range s.Instances {
		in := &instance{d: d, index: i, fixed: p.ready.Port, ready: make(chan struct{}), gone: make(chan struct{})}
		d.instances = append(d.instances, in)
		h.wg.Go(in.supervise)
	}
	return d, nil
}

// provision makes the folder that the servers start from.
func (d *deployment) provision(ctx context.Context) error {
	env := append([]string(nil), d.host.BaseEnv...)
	if d.plan.model != nil {
		dir, err := d.fetchModel(ctx)
		if err != nil {
			return fmt.Errorf("the model could not be fetched: %w", err)
		}
		env = append(env, "AZUREML_MODEL_DIR="+dir)
	}
	d.workdir = d.dir
	switch p := d.plan; {
	case p.image != nil:
		root := filepath.Join(d.dir, "image")
		if err := d.buildImage(ctx, root); err != nil {
			return err
		}
		d.command = append(append([]string(nil), p.image.entrypoint...), p.image.cmd...)
		for _, e := range p.image.env {
			env = append(env, mapPaths(e, root))
		}
		for i, a := range d.command {
			d.command[i] = mapPaths(a, root)
		}
		d.workdir = filepath.Join(root, filepath.FromSlash(p.image.workdir))
		if err := os.MkdirAll(d.workdir, 0o700); err != nil {
			return err
		}
	case p.code != nil:
		code := filepath.Join(d.dir, "code")
		if _, err := d.fetchFolder(ctx, p.code, code); err != nil {
			return fmt.Errorf("the code could not be fetched: %w", err)
		}
		script := filepath.Join(code, filepath.FromSlash(p.script))
		if !filepath.IsLocal(filepath.FromSlash(p.script)) {
			return fmt.Errorf("the scoring script %q leads out of its folder", p.script)
		}
		if _, err := os.Stat(script); err != nil {
			return fmt.Errorf("the scoring script %q is not in the code", p.script)
		}
		run, err := writeRunner(d.dir)
		if err != nil {
			return err
		}
		for _, a := range p.command {
			d.command = append(d.command, strings.NewReplacer(scriptMark, script, runnerMark, run).Replace(a))
		}
		d.workdir = code
		env = append(env, "AML_APP_ROOT="+code, "PYTHONUNBUFFERED=1")
	case p.mlflow:
		d.command = []string{"mlflow", "models", "serve", "--env-manager", "local", "--host", "127.0.0.1", "--port", portMark, "--model-uri", d.modelRoot()}
	default:
		d.command = p.command
	}
	if d.plan.script != "" {
		env = append(env, "AZUREML_ENTRY_SCRIPT="+d.plan.script)
	}
	env = append(env, "AZUREML_LOCAL_DEPLOYMENT="+d.endpoint+"/"+d.name)
	more, err := d.startCollecting()
	if err != nil {
		return fmt.Errorf("the data collector could not be started: %w", err)
	}
	env = append(env, more...)
	for k, v := range d.spec.Variables {
		if v != nil {
			env = append(env, k+"="+fmt.Sprint(v))
		}
	}
	d.env = env
	return nil
}

// spawn starts one server on a port.
func (d *deployment) spawn(in *instance, port int) (*process.Process, error) {
	text := strconv.Itoa(port)
	args := make([]string, len(d.command))
	for i, a := range d.command {
		args[i] = strings.ReplaceAll(a, portMark, text)
	}
	path := args[0]
	if path == "/bin/sh" && runtime.GOOS == "windows" {
		path = "sh"
	}
	if !strings.ContainsAny(path, `/\`) {
		found, err := exec.LookPath(path)
		if err != nil {
			return nil, fmt.Errorf("%s is not in PATH", path)
		}
		path = found
	}
	in.fixed = d.plan.ready.Port
	if in.fixed != 0 && !portFree(in.fixed) {
		in.fixed = 0
		d.log.line("port %d is in use on this machine: the server must listen on the one in PORT", d.plan.ready.Port)
	}
	env := append(d.env[:len(d.env):len(d.env)], "PORT="+text)
	d.log.line("server %d: %s", in.index, strings.Join(args, " "))
	return process.Start(process.Spec{
		ID: processID(d, in.index), Path: path, Args: args[1:], Dir: d.workdir, Env: env,
		Stdout: d.log.f, Stderr: d.log.f, Record: d.host.records(),
	})
}

func processID(d *deployment, i int) string {
	clean := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}
	return strings.Map(clean, filepath.Base(d.dir)) + "." + strconv.Itoa(i)
}

func portFree(port int) bool {
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// crashLimit is how often a server may end before its deployment, which was
// never ready, is given up.
const crashLimit = 3

// ready returns when every server answers its readiness route, or says why
// that will not come.
func (d *deployment) ready(ctx context.Context) error {
	limit := 10 * time.Minute
	if p := d.spec.ReadinessProbe; p != nil && p.FailureThreshold > 0 {
		period, err := duration(p.Period, 10*time.Second)
		if err != nil {
			return err
		}
		delay, err := duration(p.InitialDelay, 10*time.Second)
		if err != nil {
			return err
		}
		limit = delay + time.Duration(p.FailureThreshold)*period
	}
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, in := range d.instances {
		for waiting := true; waiting; {
			select {
			case <-in.ready:
				waiting = false
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-d.ctx.Done():
				return errors.New("serving: the local workspace was closed")
			case <-deadline.C:
				return describe(userFault("the server did not answer %s within %s", d.plan.ready.Path, limit), d.log)
			case <-tick.C:
				in.mu.Lock()
				crashes, last := in.crashes, in.last
				in.mu.Unlock()
				if crashes >= crashLimit {
					return describe(userFault("the server %s, %d times, before it was ready", last, crashes), d.log)
				}
			}
		}
	}
	return nil
}

func userFault(format string, args ...any) error {
	return arm.BadRequest("ResourceNotReady", "User container has crashed or does not become ready: "+format, args...)
}

// stop ends the servers and forgets the folder.
func (d *deployment) stop() {
	done := make(chan struct{})
	for _, in := range d.instances {
		go func() { in.stop(); done <- struct{}{} }()
	}
	for range d.instances {
		<-done
	}
	d.cancel()
	for _, in := range d.instances {
		<-in.gone
	}
	d.stopCollecting()
	err := errors.Join(d.log.close(), d.initLog.close(), os.RemoveAll(d.dir))
	if err != nil {
		d.host.Logger.Warn("a deployment's folder could not be removed", "deployment", d.endpoint+"/"+d.name, "error", err)
	}
}
