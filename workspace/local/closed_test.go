//go:build unix

package local_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace/local"
)

// Who follows a job is told at once when the workspace is closed, and so is who asks later.
func TestClosedWorkspaceAnswersNobody(t *testing.T) {
	w, err := local.Start(t.Context(), nil)
	require.NoError(t, err)
	run, err := w.Client.Jobs.Submit(t.Context(), shell("sleep 600").On("cpu-cluster"), &jobs.SubmitOptions{NoGit: true})
	require.NoError(t, err)
	ended, waited := make(chan error, 1), make(chan error, 1)
	following := make(chan struct{}, 100)
	go func() {
		var last error
		for _, err := range w.Client.Jobs.Events(t.Context(), run.Name, &jobs.EventsOptions{Poll: 10 * time.Millisecond}) {
			last = err
			following <- struct{}{}
		}
		ended <- last
	}()
	go func() {
		_, err := w.Client.Jobs.Wait(t.Context(), run.Name, &jobs.WaitOptions{Poll: 10 * time.Millisecond})
		waited <- err
	}()
	<-following
	require.NoError(t, w.Close())
	begun := time.Now()
	for _, c := range []chan error{ended, waited} {
		select {
		case err := <-c:
			if err != nil { // or the job's end was seen
				require.ErrorContains(t, err, run.Name)
			}
		case <-time.After(time.Minute):
			require.Fail(t, "followers hang")
		}
	}
	_, err = w.Client.Jobs.Get(t.Context(), run.Name)
	require.ErrorContains(t, err, "the local workspace is closed")
	require.Less(t, time.Since(begun), time.Minute)
}
