//go:build unix

package local

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/jobs/mlflow"
)

// owner is what the killed process does: it registers data, runs a job whose
// processes stay, one of them outside of its process group, and logs a metric
// and an artifact. It says what was acknowledged and waits to be killed.
func owner(dir string) error {
	ctx := context.Background()
	lw, err := Start(ctx, &Options{Dir: filepath.Join(dir, "ws")})
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "data.txt")
	if err := os.WriteFile(file, []byte("kept\n"), 0o600); err != nil {
		return err
	}
	if _, err := lw.Client.Data.Create(ctx, &assets.Data{Name: "kept", Type: assets.URIFile, Path: file}, nil); err != nil {
		return err
	}
	run, err := lw.Client.Jobs.Submit(ctx, jobs.Command(`echo $$ >"`+dir+`/self"; sleep 600 & echo $! >"`+dir+`/child"; (command -v setsid >/dev/null && setsid sh -c 'echo $$ >"`+dir+`/apart"; exec sleep 600' || echo 0 >"`+dir+`/apart") & wait`).
		Named("doomed").In(&assets.Environment{Image: "x"}), nil)
	if err != nil {
		return err
	}
	for {
		r, err := lw.Client.Jobs.Get(ctx, run.Name)
		if err != nil {
			return err
		}
		if _, serr := os.Stat(filepath.Join(dir, "apart")); r.Status == jobs.Running && serr == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	tracked, err := lw.Client.Tracking.Runs.Get(ctx, run.Name)
	if err != nil {
		return err
	}
	for i := range 100 {
		if err := tracked.LogMetric(ctx, "m", float64(i), i); err != nil {
			return err
		}
	}
	if err := tracked.Artifacts().Text(ctx, "note.txt", "acknowledged"); err != nil {
		return err
	}
	fmt.Println("acknowledged")
	select {}
}

func TestAfterSIGKILL(t *testing.T) {
	dir := t.TempDir()
	exe, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), "LOCAL_TEST_OWNER="+dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the owner ended early")
	require.Equal(t, "acknowledged", lines.Text())
	var pids []int
	for _, f := range []string{"self", "child", "apart"} {
		b, err := os.ReadFile(filepath.Join(dir, f))
		require.NoError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(string(b)))
		require.NoError(t, err)
		if n > 0 {
			pids = append(pids, n)
		}
	}
	require.NoError(t, c.Process.Signal(syscall.SIGKILL))
	require.Error(t, c.Wait())

	ctx := t.Context()
	lw, err := Start(ctx, &Options{Dir: filepath.Join(dir, "ws")})
	require.NoError(t, err)
	defer func() { require.NoError(t, lw.Close()) }()
	for _, p := range pids {
		require.Eventually(t, func() bool { return gone(p) }, 10*time.Second, time.Millisecond, "process %d is still there", p)
	}
	run, err := lw.Client.Jobs.Get(ctx, "doomed")
	require.NoError(t, err)
	require.Equal(t, jobs.Failed, run.Status)
	require.Contains(t, run.Error.Message, "local workspace ended while the job was Running")

	data, err := lw.Client.Data.Get(ctx, "kept", "1")
	require.NoError(t, err)
	down, err := lw.Client.Data.Download(ctx, data.Name, data.Version, t.TempDir(), nil)
	require.NoError(t, err)
	require.NotNil(t, down)
	tracked, err := lw.Client.Tracking.Runs.Get(ctx, "doomed")
	require.NoError(t, err)
	require.Equal(t, mlflow.Status("FAILED"), tracked.Info.Status)
	n := 0
	for m, err := range tracked.History(ctx, "m") {
		require.NoError(t, err)
		require.EqualValues(t, n, m.Value)
		n++
	}
	require.Equal(t, 100, n, "every acknowledged value is there")
	b, err := tracked.Artifacts().Read(ctx, "note.txt")
	require.NoError(t, err)
	require.Equal(t, "acknowledged", string(b))
}

// gone is true of a process that has ended, whether or not its parent has
// taken notice.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(b), ") Z ")
}
