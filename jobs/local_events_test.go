package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// flaky resets one connection in four before the request is answered.
type flaky struct {
	w  *local.Workspace
	mu sync.Mutex
	r  *rand.Rand
}

func (f *flaky) Do(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	reset := f.r.IntN(4) == 0
	f.mu.Unlock()
	if reset {
		return nil, fmt.Errorf("read tcp: %w", syscall.ECONNRESET)
	}
	return f.w.Transport().Do(r)
}

const chattyFile = `
type: pipeline
settings: {default_compute: cpu-cluster, continue_on_step_failure: true}
jobs:
  left: {type: command, command: 'for i in $(seq 40); do echo left $i; sleep 0.005; done; echo x > ${{outputs.out}}/x', environment: {image: host}, outputs: {out: {type: uri_folder}}}
  right: {type: command, command: 'for i in $(seq 40); do echo right $i; sleep 0.005; done', environment: {image: host}}
  bad: {type: command, command: echo bad 1; exit 3, environment: {image: host}}
  after: {type: command, command: 'ls ${{inputs.in}} && echo after 1', environment: {image: host}, inputs: {in: '${{parent.jobs.left.outputs.out}}'}}
`

// A pipeline is followed by clients that are started anew again and again, on connections that break: every line is told once.
func TestLocalEventsOfPipeline(t *testing.T) {
	shell(t)
	lw := open(t)
	spec, err := jobs.Load(write(t, t.TempDir()+"/pipeline.yml", chattyFile))
	require.NoError(t, err)
	run, err := lw.Client.Jobs.Submit(t.Context(), spec, &jobs.SubmitOptions{NoGit: true})
	require.NoError(t, err)
	lines, ends, errs := map[string][]string{}, map[string]jobs.Status{}, map[string]string{}
	cursor := ""
	transport := &flaky{w: lw, r: rand.New(rand.NewPCG(3, 4))}
	for readers := 0; ends[run.Name] == ""; readers++ {
		o := &workspace.Options{}
		o.Transport = transport
		o.Retry.MaxRetries = -1
		client, err := workspace.New(lw.ID(), lw.Credential(), o)
		require.NoError(t, err)
		take := 13
		for e, err := range client.Jobs.Events(t.Context(), run.Name, &jobs.EventsOptions{After: cursor, Poll: 5 * time.Millisecond}) {
			require.NoError(t, err)
			name := e.Step
			switch e.Kind {
			case jobs.LogLine:
				lines[name] = append(lines[name], e.Line)
			case jobs.ErrorRaised:
				errs[name] = e.Err.Message
			case jobs.StatusChanged:
				if require.Empty(t, ends[e.Job], "%s %s after its end", e.Job, e.Status); e.Status.Ended() {
					ends[e.Job] = e.Status
				}
			}
			cursor = e.Cursor.String()
			if take--; take == 0 {
				break
			}
		}
	}
	for child, err := range lw.Client.Jobs.Children(t.Context(), run.Name) {
		require.NoError(t, err)
		require.Equal(t, child.Status, ends[child.Name], child.Name)
	}
	for _, side := range []string{"left", "right"} {
		var want []string
		for i := range 40 {
			want = append(want, fmt.Sprintf("%s %d", side, i+1))
		}
		require.Equal(t, want, own(lines[side]))
	}
	require.Equal(t, []string{"x", "after 1"}, own(lines["after"]), "%v", errs)
	require.Equal(t, []string{"bad 1"}, own(lines["bad"]))
	require.Contains(t, errs["bad"], "3")
	require.Len(t, ends, 5)

	var all []string
	file := ""
	for line, err := range lw.Client.Jobs.Logs(t.Context(), run.Name, &jobs.LogsOptions{File: func(name string) { file = name }}) {
		require.NoError(t, err)
		if strings.HasSuffix(file, "/user_logs/std_log.txt") {
			all = append(all, line)
		}
	}
	require.Len(t, own(all), 40+40+2+1)
}
