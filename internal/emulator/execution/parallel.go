package execution

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/process"
)

// parallel runs a parallel step that has its nodes: it cuts the input into
// mini-batches and has them scored by processes, so many on each node.
func (j *job) parallel() (err error) {
	e, r := j.e, j.snapshot()
	s := &parallelSpec{}
	if err := json.Unmarshal(r.Spec, s); err != nil {
		return err
	}
	plan, err := s.plan()
	if err != nil {
		return err
	}
	c := s.asCommand(plan)
	j.experiment = s.experiment()
	j.alter(func(r *Record) {
		r.Outputs = destinations(r.Scope, r.Name, c)
		r.note(map[string]string{"azureml.DevPlatv2": "true", "azureml.parallelrun": "true"})
		if s.CodeID != "" {
			r.Properties["ContentSnapshotId"] = fileName(s.CodeID)
		}
	})
	j.enter(Preparing)
	paths, err := e.newPaths(r)
	if err != nil {
		return err
	}
	defer e.remove(paths.root)
	logs, err := j.parallelLogs()
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, logs.finish())
		if plan.copyLogs && r.Parent != "" {
			err = errors.Join(err, logs.copyTo(context.WithoutCancel(j.ctx), r.Parent))
		}
	}()
	failure := j.parallelRun(plan, c, paths, logs)
	if failure != nil {
		failure = j.cause(failure)
		logs.progress("the run ended: %s", reason(failure))
	} else {
		logs.progress("the run succeeded")
	}
	j.enter(Finalizing)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), time.Hour)
	defer cancel()
	return errors.Join(failure, j.collect(ctx, c, paths, failure == nil))
}

// parallelFailed says what Azure says of a parallel run that failed by its
// script's fault.
func (j *job) parallelFailed(err error) error {
	var failure *JobError
	if !errors.As(err, &failure) || failure.Code != "UserError" {
		return err
	}
	log := parallelLog
	for _, l := range j.snapshot().Logs {
		if l == errorLog {
			log = l
		}
	}
	return userError("Execution failed. The parallel run ended with an error. Please check log file '%s' for error details. Error: %s", log, failure.Message)
}

// parallelRun does the work between the job's preparation and its end.
func (j *job) parallelRun(plan *parallelPlan, c *commandSpec, paths *paths, logs *parallelLogs) error {
	std, err := logs.open(parallelLog)
	if err != nil {
		return err
	}
	prepared, err := j.prepare(c, paths, std)
	if err != nil {
		return err
	}
	env, err := j.parallelEnv(plan, c, paths, prepared)
	if err != nil {
		return err
	}
	defer env.revoke()
	x, err := j.e.entry(j.ctx, j.rec.Scope, plan)
	if err != nil {
		return err
	}
	args, err := expandArguments(plan.Arguments, paths.values)
	if err != nil {
		return userError("the program arguments cannot be expanded: %v", err)
	}
	program, args, err := x.commandLine(j.ctx, prepared, paths, plan, args)
	if err != nil {
		return err
	}
	if plan.monitors {
		logs.note("local workspace: resource_monitor_interval: the use of resources is not written down here")
	}
	batches, err := j.split(plan, paths.values["inputs."+plan.input], filepath.Join(paths.root, "minibatches"), x.program == "")
	if err != nil {
		return err
	}
	if len(batches) == 0 {
		return userError("the input %q has nothing to be cut into mini-batches", plan.input)
	}
	for i, b := range batches[1:] {
		b.Before = batches[i].Before + batches[i].items
	}
	j.enter(Starting)
	logs.progress("%d mini-batches, %d nodes with %d processes each", len(batches), plan.nodes(), plan.perNode)
	now := j.e.Clock()
	if err := j.e.store(j.ctx, j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started = now
	})); err != nil {
		return err
	}
	p := &pool{j: j, plan: plan, batches: batches, logs: logs}
	p.start = func(id string, more []string, stderr *os.File) (*scorer, error) {
		return startScorer(j.scorerSpec(id, program, args, paths.code, append(env.vars[:len(env.vars):len(env.vars)], more...), stderr), func(spec process.Spec) (running, error) {
			return j.startWords(c, paths, prepared, spec)
		})
	}
	if plan.output == "" {
		return j.parallelFailed(p.run())
	}
	at := filepath.Join(paths.temp, "rows")
	f, err := os.Create(at)
	if err != nil {
		return err
	}
	p.rows = bufio.NewWriterSize(f, 64<<10)
	err = j.parallelFailed(p.run())
	if err = errors.Join(err, p.rows.Flush(), f.Close()); err != nil {
		return err
	}
	// Only a run that succeeded leaves its rows.
	to := paths.values["outputs."+plan.output]
	if outputOf(c, plan.output).Type != "uri_file" {
		name := plan.AppendRowFile
		if name == "" {
			name = defaultAppendRowFile
		}
		to = filepath.Join(to, name)
	}
	return os.Rename(at, to)
}

// parallelEnv are the variables of a run's processes. revoke ends their token.
type parallelEnv struct {
	vars   []string
	revoke func()
}

func (j *job) parallelEnv(plan *parallelPlan, c *commandSpec, paths *paths, prepared *Prepared) (*parallelEnv, error) {
	e, r := j.e, j.snapshot()
	env, in := append([]string(nil), prepared.Env...), paths
	if prepared.Image != "" {
		in = paths.inside()
	}
	for _, k := range sorted(c.EnvironmentVariables) {
		env = append(env, k+"="+fill(string(c.EnvironmentVariables[k]), in.values))
	}
	if plan.ModelID != "" {
		dir, err := j.fetchModel(plan.ModelID, filepath.Join(paths.root, "model"))
		if err != nil {
			return nil, err
		}
		env = append(env, "AZUREML_MODEL_DIR="+in.at(paths, dir))
	}
	if out := plan.outputFolder(in); out != "" {
		env = append(env, "AZUREML_BI_OUTPUT_PATH="+out)
	}
	env = append(env, "AZUREML_LOCAL_INPUT="+in.values["inputs."+plan.input])
	if plan.tabular() {
		env = append(env, "AZUREML_LOCAL_ROWS=1")
	}
	base, err := e.BaseURL()
	if err != nil {
		return nil, err
	}
	if prepared.Image != "" {
		base = e.contained().Engine.Address(base)
	}
	token, expires, err := e.RunToken(r.Scope, r.Name)
	if err != nil {
		return nil, err
	}
	return &parallelEnv{vars: append(env, j.variables(base, token, expires.Unix(), in)...), revoke: func() { e.Revoke(r.Scope, r.Name) }}, nil
}

// outputFolder is the folder that scripts write to themselves: that of the rows,
// else that of the only output.
func (p *parallelPlan) outputFolder(paths *paths) string {
	name := p.output
	if name == "" && len(p.Outputs) == 1 {
		name = sorted(p.Outputs)[0]
	}
	o := outputOf(&p.commandSpec, name)
	at := paths.values["outputs."+name]
	if name == "" || o.Mode == "Direct" {
		return ""
	}
	if o.Type == "uri_file" {
		return filepath.Dir(at)
	}
	return at
}

// fetchModel brings a model to the folder that AZUREML_MODEL_DIR names: a folder
// keeps its own name below it, as on Azure.
func (j *job) fetchModel(id, dir string) (string, error) {
	loc, err := j.e.Resolver.Resolve(j.ctx, j.rec.Scope, id, arm.Models)
	if err != nil {
		return "", err
	}
	if loc.URL != "" {
		return "", fmt.Errorf("the model %s is not in the workspace's storage", loc.URL)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	at := strings.TrimSuffix(loc.Path, "/")
	single := !strings.HasSuffix(loc.Path, "/")
	if single {
		if _, err := j.e.Blobs.Stat(j.ctx, loc.Account, loc.Container, at); err != nil {
			single = false
		}
	}
	to := dir
	if !single {
		to = filepath.Join(dir, path.Base("/"+at))
	}
	_, err = j.e.fetch(j.ctx, loc, to, single)
	return dir, err
}
