//go:build unix

package local_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// The measures of pipelines on a local workspace:
//
//	bash .ci/run pipelines
//
// or go test -run '^$' -bench Pipelines -benchtime 1x ./workspace/local. Each
// goes through the client, as users' programs do, with state as durable as it
// is for them. What a ratio is of is measured beside it, in the same run.

// load says what else the machine does.
func load(b *testing.B) {
	b.Helper()
	if text, err := os.ReadFile("/proc/loadavg"); err == nil {
		b.Logf("%d cores; load before: %s", runtime.NumCPU(), strings.Join(strings.Fields(string(text))[:3], " "))
	}
}

// bar reports a figure, and fails when it is beyond its bound and AZUREML_BARS
// is 1: absolute figures are those of an idle machine.
func bar(b *testing.B, value, most float64, unit string) {
	b.Helper()
	b.ReportMetric(value, unit)
	if value > most && os.Getenv("AZUREML_BARS") == "1" {
		b.Errorf("%.2f %s; wanted: %.2f at most", value, unit, most)
	}
}

// seed makes the steps of each pipeline differ from all others: none is reused.
var seed int

// noops builds layers of steps that run the program true, each of which reads
// from one of the layer before.
func noops(layers, width int, environment azureml.Ref) (*jobs.PipelineJob, error) {
	seed++
	p := pipeline.New("no-ops").On("cpu-cluster")
	first := jobs.Command("true ${{inputs.n}}").In(environment).Input("n", jobs.Literal(0)).Output("o", jobs.OutputFolder())
	next := jobs.Command("true ${{inputs.n}}").In(environment).Input("n", jobs.Literal(0)).Input("i", jobs.URIFolder("")).Output("o", jobs.OutputFolder())
	steps := make([]*pipeline.Step, layers*width)
	for i := range steps {
		if i < width {
			steps[i] = p.Step(fmt.Sprintf("s%d", i), first)
		} else {
			steps[i] = p.Step(fmt.Sprintf("s%d", i), next).In("i", steps[i-width].Out("o"))
		}
		steps[i].Set("n", seed*1_000_000+i)
	}
	return p.Build()
}

// measured is a workspace with a cluster of so many nodes, and an environment.
func measured(b *testing.B, nodes int) (*local.Workspace, azureml.Ref) {
	b.Helper()
	w, err := local.Start(b.Context(), &local.Options{Dir: b.TempDir(), Computes: []local.Compute{{Name: "cpu-cluster", Nodes: nodes}}})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, w.Close()) })
	return w, "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
}

// plays submits a pipeline and waits for it; it returns how long both took.
func plays(b *testing.B, ws *workspace.Client, j *jobs.PipelineJob) (submitted, ended time.Duration) {
	b.Helper()
	began := time.Now()
	r, err := ws.Jobs.Submit(b.Context(), j, &jobs.SubmitOptions{NoGit: true})
	require.NoError(b, err)
	submitted = time.Since(began)
	r, err = ws.Jobs.Wait(b.Context(), r.Name, &jobs.WaitOptions{Poll: 50 * time.Millisecond})
	require.NoError(b, err)
	require.Equal(b, jobs.Completed, r.Status)
	return submitted, time.Since(began)
}

// shellOf is the shell that jobs get.
func shellOf(b *testing.B) string {
	b.Helper()
	for _, sh := range []string{"bash", "sh"} {
		if p, err := exec.LookPath(sh); err == nil {
			return p
		}
	}
	b.Fatal("there is no shell")
	return ""
}

// BenchmarkPipelinesOverhead runs a chain of 200 steps: overhead-ms is the
// median of their times, from one's end to the next one's, beyond the median of
// the process alone.
func BenchmarkPipelinesOverhead(b *testing.B) {
	load(b)
	w, env := measured(b, 1)
	sh := shellOf(b)
	var over []float64
	for b.Loop() {
		j, err := noops(200, 1, env)
		require.NoError(b, err)
		r, err := w.Client.Jobs.Submit(b.Context(), j, &jobs.SubmitOptions{NoGit: true})
		require.NoError(b, err)
		_, err = w.Client.Jobs.Wait(b.Context(), r.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
		require.NoError(b, err)
		var ends []time.Time
		for c, err := range w.Client.Jobs.Children(b.Context(), r.Name) {
			require.NoError(b, err)
			ends = append(ends, c.End)
		}
		slices.SortFunc(ends, time.Time.Compare)
		require.Len(b, ends, 200)
		var each, alone []time.Duration
		for i := range ends[1:] {
			each = append(each, ends[i+1].Sub(ends[i]))
		}
		for range 100 {
			began := time.Now()
			require.NoError(b, exec.Command(sh, "-c", "true").Run())
			alone = append(alone, time.Since(began))
		}
		slices.Sort(each)
		slices.Sort(alone)
		over = append(over, (each[len(each)/2]-alone[len(alone)/2]).Seconds()*1e3)
	}
	slices.Sort(over)
	bar(b, over[len(over)/2], 5, "overhead-ms")
}

// used is the processor's time that this process has taken; its children's does
// not count.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPipelinesWide runs 1,000 steps in layers of 50 on 8 nodes, and the
// same processes by xargs -P 8. cpu-ms is what this process takes of the processors for a step.
func BenchmarkPipelinesWide(b *testing.B) {
	load(b)
	const layers, width = 20, 50
	w, env := measured(b, 8)
	sh := shellOf(b)
	var ratios []float64
	var ours, theirs, cpu time.Duration
	for b.Loop() {
		j, err := noops(layers, width, env)
		require.NoError(b, err)
		before := used(b)
		_, took := plays(b, w.Client, j)
		cpu += used(b) - before
		ours += took
		cmd := exec.Command("xargs", "-P", "8", "-n", "1", sh, "-c", "true")
		cmd.Stdin = strings.NewReader(strings.Repeat("x\n", layers*width))
		began := time.Now()
		require.NoError(b, cmd.Run())
		xargs := time.Since(began)
		theirs += xargs
		ratios = append(ratios, took.Seconds()/xargs.Seconds())
	}
	slices.Sort(ratios)
	b.ReportMetric(ours.Seconds()*1e3/float64(b.N)/(layers*width), "ms/step")
	b.ReportMetric(theirs.Seconds()*1e3/float64(b.N)/(layers*width), "xargs-ms/step")
	b.ReportMetric(cpu.Seconds()*1e3/float64(b.N)/(layers*width), "cpu-ms/step")
	bar(b, ratios[len(ratios)/2], 1.5, "ratio")
}

// BenchmarkPipelinesLarge builds and submits a graph of 10,000 steps; it is
// cancelled then.
func BenchmarkPipelinesLarge(b *testing.B) {
	load(b)
	w, env := measured(b, 1)
	var build, submit time.Duration
	for b.Loop() {
		began := time.Now()
		j, err := noops(200, 50, env)
		require.NoError(b, err)
		build += time.Since(began)
		began = time.Now()
		r, err := w.Client.Jobs.Submit(b.Context(), j, &jobs.SubmitOptions{NoGit: true})
		require.NoError(b, err)
		submit += time.Since(began)
		require.NoError(b, w.Client.Jobs.Cancel(b.Context(), r.Name))
		_, err = w.Client.Jobs.Wait(b.Context(), r.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
		require.Error(b, err)
	}
	bar(b, build.Seconds()*1e3/float64(b.N), 100, "build-ms")
	bar(b, submit.Seconds()/float64(b.N), 2, "submit-s")
}

// BenchmarkPipelinesMemory lets a process of its own serve the workspace that
// 10,000 steps of one pipeline run in: peak-MB is the most memory that it held
// (VmHWM), end-MB what it holds when all have ended and a client has listed
// them. The steps' processes do not count. Linux only.
func BenchmarkPipelinesMemory(b *testing.B) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		b.Skip("memory is read from /proc")
	}
	load(b)
	for b.Loop() {
		self, err := os.Executable()
		require.NoError(b, err)
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), "LOCAL_TEST_SERVES="+b.TempDir())
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, cmd.Start())
		var address, token string
		_, err = fmt.Fscan(out, &address, &token)
		require.NoError(b, err)
		env := azureml.Ref("azureml://registries/azureml/environments/sklearn-1.5/labels/latest")
		b.Setenv("AZUREML_DEV_URL_MFE", address)
		b.Setenv("AZUREML_LOCAL_TOKEN", token)
		b.Setenv("REGISTRY_DISCOVERY_ENDPOINT_URL", address+"/")
		b.Setenv("AZUREML_ARM_SUBSCRIPTION", "00000000-0000-0000-0000-00000000a2e0")
		b.Setenv("AZUREML_ARM_RESOURCEGROUP", "local")
		b.Setenv("AZUREML_ARM_WORKSPACE_NAME", "local")
		ws, err := workspace.FromEnvironment(b.Context(), nil)
		require.NoError(b, err)
		j, err := noops(200, 50, env)
		require.NoError(b, err)
		began := time.Now()
		r, err := ws.Jobs.Submit(b.Context(), j, &jobs.SubmitOptions{NoGit: true})
		require.NoError(b, err)
		_, err = ws.Jobs.Wait(b.Context(), r.Name, nil)
		require.NoError(b, err)
		took := time.Since(began)
		n := 0
		for _, err := range ws.Jobs.All(b.Context(), nil) {
			require.NoError(b, err)
			n++
		}
		b.Logf("10,000 steps in %s; %d jobs listed at the top", took.Round(time.Millisecond), n)
		bar(b, mebibytes(b, cmd.Process.Pid, "VmHWM"), 150, "peak-MB")
		bar(b, mebibytes(b, cmd.Process.Pid, "VmRSS"), 150, "end-MB")
		require.NoError(b, cmd.Process.Signal(syscall.SIGINT))
		require.NoError(b, cmd.Wait())
	}
}

// mebibytes is a line of a process's status.
func mebibytes(b *testing.B, pid int, field string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			require.NoError(b, err)
			return kib / 1024
		}
	}
	b.Fatalf("no %s", field)
	return 0
}
