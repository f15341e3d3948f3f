//go:build unix

package local

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
)

// containerOwner is the owner of a container that is killed.
func containerOwner(dir string) error {
	ctx := context.Background()
	lw, err := Start(ctx, &Options{Dir: dir, Environments: Container})
	if err != nil {
		return err
	}
	if _, err := lw.Client.Jobs.Submit(ctx, jobs.Command("echo ready; sleep 600").Named("doomed").In(inImage()), nil); err != nil {
		return err
	}
	for line, err := range lw.Client.Jobs.Logs(ctx, "doomed", nil) {
		if err != nil {
			return err
		}
		if strings.Contains(line, "ready") {
			break
		}
	}
	fmt.Println("acknowledged")
	select {}
}

func TestContainerAfterSIGKILL(t *testing.T) {
	t.Parallel()
	e := engine(t)
	for _, mode := range []Environments{Container, Host} {
		dir := filepath.Join(t.TempDir(), "ws")
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "LOCAL_TEST_OWNER="+dir, "LOCAL_TEST_CONTAINERS=1")
		c.Stderr = os.Stderr
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan(), "the owner ended early")
		require.NoError(t, c.Process.Signal(syscall.SIGKILL))
		require.Error(t, c.Wait())
		require.NotEmpty(t, left(t, e, "doomed"), "the container goes on without its owner")

		w, err := Start(t.Context(), &Options{Dir: dir, Environments: mode})
		require.NoError(t, err)
		require.Empty(t, left(t, e, "doomed"))
		run, err := w.Client.Jobs.Get(t.Context(), "doomed")
		require.NoError(t, err)
		require.Equal(t, jobs.Failed, run.Status)
		require.Contains(t, run.Error.Message, "local workspace ended while the job was Running")
		require.NoError(t, w.Close())
		require.NoFileExists(t, filepath.Join(dir, "jobs", "engine.json"))
	}
}

// scorer answers each file with what is in it.
const scorer = `#!/bin/sh
echo '{"ready":true}'
while read -r line; do
	f=$(printf '%s' "$line" | sed 's/.*"files":\["\([^"]*\)"\].*/\1/')
	echo "{\"results\":[\"$(cat "$f") in $(cat /proc/1/comm)\"]}"
done
`

func TestContainerKinds(t *testing.T) {
	t.Parallel()
	w, _ := contained(t)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "ENV", "environment: {image: "+testImage+"}")), 0o600))
	}
	write("scorer/score", scorer)
	write("pipeline.yml", `type: pipeline
settings: {default_compute: azureml:cpu-cluster}
outputs: {rows: {type: uri_folder, mode: upload}}
jobs:
  make:
    type: command
    ENV
    command: "[ -x /bin/busybox ] && for i in 1 2 3; do echo row$i >${{outputs.files}}/$i.txt; done"
    outputs: {files: {type: uri_folder}}
  score:
    type: parallel
    inputs: {files: {type: uri_folder, path: "${{parent.jobs.make.outputs.files}}"}}
    outputs: {rows: "${{parent.outputs.rows}}"}
    input_data: ${{inputs.files}}
    mini_batch_size: "1"
    max_concurrency_per_instance: 2
    resources: {instance_count: 1}
    task: {type: run_function, code: scorer, entry_script: score, append_row_to: "${{outputs.rows}}", ENV}
`)
	pipeline, err := jobs.Load(filepath.Join(dir, "pipeline.yml"))
	require.NoError(t, err)
	run, err := done(t, w, pipeline)
	require.NoError(t, err, logOf(t, w, run.Name))
	to := t.TempDir()
	_, err = w.Client.Jobs.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "rows"})
	require.NoError(t, err)
	rows := ""
	require.NoError(t, filepath.WalkDir(to, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rows += string(b)
		return err
	}))
	require.Equal(t, "row1 in sh\nrow2 in sh\nrow3 in sh\n", rows)

	// Processes of a distributed job meet on loopback, each in a container of its own: the second waits for the word of the first.
	_, err = done(t, w, jobs.Command(`if [ $RANK = 0 ]; then echo "hello of $WORLD_SIZE" | nc -l -p $MASTER_PORT -w 60; else until nc $MASTER_ADDR $MASTER_PORT </dev/null | grep hello; do sleep 0.2; done; fi`).
		Named("spread").In(inImage()).Nodes(2, jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 1}}))
	require.NoError(t, err)
	_, err = w.Client.Jobs.Submit(t.Context(), jobs.Command("true").In(inImage()).Nodes(2, jobs.Distribution{Ray: &jobs.Ray{}}), nil)
	require.ErrorContains(t, err, "Ray is not run in containers here")

	// A trial's metric goes to the workspace over the port.
	trial := jobs.Command(`t=$(date +%s)000; wget -q -O - --header "Authorization: Bearer $MLFLOW_TRACKING_TOKEN" --header "Content-Type: application/json" --post-data "{\"run_id\":\"$MLFLOW_RUN_ID\",\"key\":\"score\",\"value\":${{search_space.x}},\"timestamp\":$t,\"step\":0}" "$MLFLOW_TRACKING_URI/api/2.0/mlflow/runs/log-metric"`).In(inImage()).On("cpu-cluster")
	sweep, err := done(t, w, jobs.Sweep(trial).Choice("x", 1, 2).Grid().Maximize("score").Trials(2).Named("swept"))
	require.NoError(t, err)
	require.Equal(t, jobs.Completed, sweep.Status)
}
