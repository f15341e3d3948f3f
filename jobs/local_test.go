package jobs_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace/local"
)

// open starts a local workspace for a test.
func open(t *testing.T) *local.Workspace {
	t.Helper()
	w, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// shell skips tests whose commands are written for a POSIX shell.
func shell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the commands of this test need a POSIX shell")
	}
}

var host = &assets.Environment{Name: "host", Image: "host"}

// done submits a job and waits for it.
func done(t *testing.T, c *jobs.Client, spec jobs.Spec) *jobs.Run {
	t.Helper()
	run, err := c.Submit(t.Context(), spec, &jobs.SubmitOptions{NoGit: true})
	require.NoError(t, err)
	run, err = c.Wait(t.Context(), run.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
	if failed, ok := errors.AsType[*jobs.FailedError](err); ok {
		t.Logf("log of %s:\n%s", run.Name, strings.Join(failed.Log, "\n"))
	}
	require.NoError(t, err)
	return run
}

// own are the lines that a job wrote itself, without what the local workspace says about its environment.
func own(lines []string) (out []string) {
	for _, l := range lines {
		if !strings.HasPrefix(l, "local workspace: ") {
			out = append(out, l)
		}
	}
	return out
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(data)
}

func TestLocalCommand(t *testing.T) {
	shell(t)
	w := open(t)
	c, dir := w.Client.Jobs, t.TempDir()
	write(t, filepath.Join(dir, "code", "say.sh"), "echo \"hello $1\"\n")
	rows := write(t, filepath.Join(dir, "rows.csv"), "a,b\n1,2\n")
	run := done(t, c, jobs.Command(`sh say.sh ${{inputs.who}}; cat ${{inputs.rows}} > ${{outputs.out}}/copy.csv; echo "$LEVEL"`).
		Code(filepath.Join(dir, "code")).On("cpu-cluster").In(host).
		Input("who", jobs.Literal("world")).Input("rows", jobs.URIFile(rows)).Output("out", jobs.OutputFolder()).
		Env("LEVEL", "7").Tag("team", "a").Experiment("tests"))
	require.Equal(t, jobs.Completed, run.Status)
	require.Equal(t, "tests", run.Experiment)
	require.Equal(t, "a", run.Tags["team"])
	require.False(t, run.Start.IsZero())
	require.False(t, run.End.Before(run.Start))

	var lines []string
	for line, err := range c.Logs(t.Context(), run.Name, nil) {
		require.NoError(t, err)
		lines = append(lines, line)
	}
	require.Contains(t, lines, "hello world")
	require.Contains(t, lines, "7")

	to := t.TempDir()
	_, err := c.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "out"})
	require.NoError(t, err)
	require.Equal(t, "a,b\n1,2\n", read(t, to, "named-outputs", "out", "copy.csv"))
	_, err = c.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{All: true})
	require.NoError(t, err)
	require.Contains(t, read(t, to, "artifacts", "user_logs", "std_log.txt"), "hello world")

	again, err := c.Get(t.Context(), run.Name)
	require.NoError(t, err)
	spec, ok := again.Spec.(*jobs.CommandJob)
	require.True(t, ok, "%T", again.Spec)
	require.Equal(t, jobs.Literal("world"), spec.Inputs["who"])
	require.Equal(t, jobs.Variables{"LEVEL": "7"}, spec.EnvironmentVariables)
}

func TestLocalFailure(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	run, err := c.Submit(t.Context(), jobs.Command("echo before; echo wrong >&2; exit 3").In(host), nil)
	require.NoError(t, err)
	_, err = c.Wait(t.Context(), run.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
	failed, ok := errors.AsType[*jobs.FailedError](err)
	require.True(t, ok, "%v", err)
	require.Contains(t, strings.Join(failed.Log, "\n"), "wrong")
	require.ErrorContains(t, err, "3")
	got, err := c.Get(t.Context(), run.Name)
	require.NoError(t, err)
	require.Equal(t, jobs.Failed, got.Status)
}

// The log that comes with the failure of a distributed job is that of the process that failed.
func TestLocalFailureOfARank(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	job := jobs.Command("if [ $RANK = 1 ]; then echo wrong in $RANK >&2; exit 3; fi; sleep 60").In(host).Nodes(1, jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 2}})
	run, err := c.Submit(t.Context(), job, nil)
	require.NoError(t, err)
	_, err = c.Wait(t.Context(), run.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
	failed, ok := errors.AsType[*jobs.FailedError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "user_logs/std_log_process_01.txt", failed.LogFile)
	require.Contains(t, failed.Log, "wrong in 1")
	for e, err := range c.Events(t.Context(), run.Name, nil) { // of a job that has ended
		require.NoError(t, err)
		require.Equal(t, jobs.Failed, e.Status, "%s %s", e.Kind, e.Line)
	}
}

func TestLocalCancel(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	run, err := c.Submit(t.Context(), jobs.Command("echo begun; sleep 60").In(host).Tag("kind", "sleeper"), nil)
	require.NoError(t, err)
	var cancel error
	for line, err := range c.Logs(t.Context(), run.Name, &jobs.LogsOptions{Poll: 20 * time.Millisecond}) {
		if err != nil {
			break // the job is canceled: its log says no more
		}
		if line == "begun" {
			cancel = c.Cancel(t.Context(), run.Name)
		}
	}
	require.NoError(t, cancel)
	_, err = c.Wait(t.Context(), run.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
	require.ErrorIs(t, err, jobs.ErrCanceled)
}

// Follow reads a log while it grows: lines come as they are written.
func TestLocalFollow(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	gate := filepath.Join(t.TempDir(), "go")
	run, err := c.Submit(t.Context(), jobs.Command("echo one; printf par; while [ ! -f "+gate+" ]; do sleep 0.02; done; echo tial; echo three").In(host), nil)
	require.NoError(t, err)
	var lines []string
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for line, err := range c.Logs(ctx, run.Name, &jobs.LogsOptions{Poll: 20 * time.Millisecond}) {
		require.NoError(t, err)
		lines = append(lines, line)
		if line == "one" {
			write(t, gate, "")
		}
	}
	require.Equal(t, []string{"one", "partial", "three"}, own(lines))
}

func TestLocalEvents(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	run, err := c.Submit(t.Context(), jobs.Command("echo one; echo two").In(host), nil)
	require.NoError(t, err)
	var states []jobs.Status
	var lines []string
	cursor := ""
	for e, err := range c.Events(t.Context(), run.Name, &jobs.EventsOptions{Poll: 20 * time.Millisecond}) {
		require.NoError(t, err)
		if e.Kind == jobs.StatusChanged {
			states = append(states, e.Status)
		}
		if e.Line != "" {
			lines = append(lines, e.Line)
		}
		cursor = e.Cursor.String()
	}
	require.Equal(t, jobs.Completed, states[len(states)-1])
	require.Equal(t, []string{"one", "two"}, own(lines))
	for e, err := range c.Events(t.Context(), run.Name, &jobs.EventsOptions{After: cursor}) {
		require.NoError(t, err)
		require.Empty(t, e.Line, "what the cursor has seen does not come again")
	}
}

func TestLocalManage(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	run := done(t, c, jobs.Command("true").In(host).Named("first"))
	title := "another title"
	up, err := c.Update(t.Context(), run.Name, &jobs.Update{DisplayName: &title, Tags: map[string]string{"a": "b"}})
	require.NoError(t, err)
	require.Equal(t, title, up.DisplayName)
	require.Equal(t, "b", up.Tags["a"])
	require.NoError(t, c.Archive(t.Context(), run.Name))
	require.Empty(t, names(t, c, nil))
	require.Equal(t, []string{"first"}, names(t, c, &jobs.AllOptions{View: jobs.Archived}))
	require.NoError(t, c.Restore(t.Context(), run.Name))
	require.Equal(t, []string{"first"}, names(t, c, &jobs.AllOptions{Tag: "a=b"}))
	require.Empty(t, names(t, c, &jobs.AllOptions{Tag: "a=c"}))
	require.Empty(t, names(t, c, &jobs.AllOptions{Type: "Sweep"}))
	require.NoError(t, c.Delete(t.Context(), run.Name))
	_, err = c.Get(t.Context(), run.Name)
	require.ErrorIs(t, err, azureml.ErrNotFound)
}

func names(t *testing.T, c *jobs.Client, o *jobs.AllOptions) (out []string) {
	t.Helper()
	for run, err := range c.All(t.Context(), o) {
		require.NoError(t, err)
		out = append(out, run.Name)
	}
	return out
}
