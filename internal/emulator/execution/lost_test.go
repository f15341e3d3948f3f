//go:build unix

package execution

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// kept is what the next owner would find of a job.
func (w *world) kept(name string) *Record {
	w.t.Helper()
	var r *Record
	require.NoError(w.t, w.db.View(w.t.Context(), func(tx *sql.Tx) (err error) {
		r, err = stored(tx, scope.Key(), name)
		return err
	}))
	return r
}

// A job that is lost with its owner has logs, whose names must be known then.
func TestARunningJobsLogsAreStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := w.componentOf("slow", "echo here; sleep 600", nil, nil)
	w.submit("p", pipelineJob(m{"slow": step1(slow, nil)}, nil))
	step := child("p", "slow")
	require.Eventually(t, func() bool { return w.began(step) && w.kept(step).Status == Running }, waitFor, tick)
	require.Equal(t, []string{"user_logs/std_log.txt"}, w.kept(step).Logs)
	require.Equal(t, []string{pipelineLog}, w.kept("p").Logs)
	require.NoError(t, w.e.Cancel(t.Context(), scope, "p", "enough"))
	require.Equal(t, []string{"user_logs/std_log.txt"}, func() []string { w.wait("p"); return w.kept(step).Logs }(), "each once")
}

// The end of a job is told though what goes with it cannot be stored.
func TestAnEndIsStoredWithoutItsLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run("j", command("true", nil))
	r.Status = Running
	require.NoError(t, w.e.store(t.Context(), r))
	j := &job{e: w.e, ctx: t.Context(), rec: r, closing: func(*sql.Tx) error { return errors.New("the container is gone") }}
	j.end(nil)
	require.Equal(t, Completed, w.kept("j").Status)
}

// Jobs of one name in workspaces of one name are not one tree of processes.
func TestProcessesOfAnotherResourceGroupAreOthers(t *testing.T) {
	t.Parallel()
	mine, other := &Record{Scope: scope, Name: "j"}, &Record{Scope: scope, Name: "j"}
	other.Scope.ResourceGroup = "h"
	require.NotEqual(t, processID(mine, 0), processID(other, 0))
}

// A program may protect what it made; that its folder is hard to remove is not its failure.
func TestAProtectedFolderIsRemoved(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("for root nothing is protected")
	}
	w := newWorld(t)
	r := w.run("j", command("mkdir -p a/b && touch a/b/c && chmod 500 a/b a && chmod 500 ${{outputs.o}}", m{"outputs": m{"o": m{"jobOutputType": "uri_folder"}}}))
	require.Equal(t, Completed, r.Status)
	p, err := w.e.newPaths(r)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(p.root))
}

// A pipeline that ends while its steps are begun ends those too.
func TestAFailureAmongStepsThatBeginEndsTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	quick := w.componentOf("quick", "echo x >${{outputs.o}}/x", nil, m{"o": folder})
	slow := w.componentOf("slow", "sleep 600", nil, nil)
	first := step1(quick, nil)
	first["outputs"] = m{"o": m{"job_output_type": "uri_folder", "name": "asset"}}
	require.Nil(t, w.run("p", pipelineJob(m{"a": first}, nil)).Error)
	w.e.Register = func(context.Context, arm.Scope, Asset) (string, error) { return "", errors.New("no") }
	r := w.run("q", pipelineJob(m{"a": first, "b": step1(slow, nil)}, nil))
	require.Contains(t, r.Error.Message, "could not be registered")
	require.Equal(t, Canceled, w.wait(child("q", "b")).Status)
}

// Of a loop that cannot begin, no round runs.
func TestALoopThatCannotBeginRunsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list := w.componentOf("list", `echo '[{"n": 1}, {"n": [2]}]' >${{outputs.items}}`, nil, m{"items": m{"type": "string"}})
	body := w.componentOf("body", "true", m{"n": integer}, nil)
	r := w.run("p", pipelineJob(m{"list": step1(list, nil), "body": step1(body, nil),
		"each": m{"type": "parallel_for", "body": "${{parent.jobs.body}}", "items": "${{parent.jobs.list.outputs.items}}"}},
		m{"settings": m{"default_compute": scope.Child(arm.Computes, "cpu"), "continue_on_step_failure": true}}))
	require.Contains(t, r.Error.Message, "the item's n cannot be read")
	c, err := w.e.Children(t.Context(), scope, "p")
	require.NoError(t, err)
	require.Len(t, c, 1)
}
