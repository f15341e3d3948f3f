//go:build unix

package execution

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// forced pipelines run all their steps: no-op steps without parameters are alike.
var forced = m{"settings": m{"default_compute": scope.Child(arm.Computes, "cpu"), "force_rerun": true}}

// layered is a graph of no-op steps: each of a layer reads from one of the layer before.
func (w *world) layered(layers, width int) m {
	first := w.componentOf("first", "true", nil, m{"o": folder})
	next := w.componentOf("next", "true", m{"i": folder}, m{"o": folder})
	jobs := m{}
	for l := range layers {
		for i := range width {
			s := m{"type": "command", "componentId": first}
			if l > 0 {
				s = m{"type": "command", "componentId": next, "inputs": m{"i": binding(fmt.Sprintf("${{parent.jobs.s%02d_%02d.outputs.o}}", l-1, (i*7+l)%width))}}
			}
			jobs[fmt.Sprintf("s%02d_%02d", l, i)] = s
		}
	}
	return jobs
}

// BenchmarkSteps runs 1,000 no-op steps in layers of 50 on 8 nodes, and the
// same processes by xargs: ratio is the one time over the other, and
// overhead-ms the median of a step's time, from its start to its end, beyond
// that of its process.
func BenchmarkSteps(b *testing.B) {
	const layers, width = 20, 50
	w := newWorld(b)
	w.nodes = 8
	jobs := w.layered(layers, width)
	sh, err := shell()
	require.NoError(b, err)
	var ours, theirs time.Duration
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprintf("p%d", i)
		begin := time.Now()
		w.submit(name, pipelineJob(jobs, forced))
		r, err := w.e.Wait(b.Context(), scope, name)
		require.NoError(b, err)
		ours += time.Since(begin)
		require.Nil(b, r.Error)
		require.Equal(b, Completed, r.Status)

		cmd := exec.Command("xargs", "-P", "8", "-I{}", sh, "-c", "true")
		cmd.Stdin = strings.NewReader(strings.Repeat("x\n", layers*width))
		begin = time.Now()
		require.NoError(b, cmd.Run())
		theirs += time.Since(begin)
	}
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(float64(ours.Milliseconds())/float64(b.N)/(layers*width), "ms/step")
	b.ReportMetric(float64(theirs.Milliseconds())/float64(b.N)/(layers*width), "xargs-ms/step")
}

// BenchmarkStepOverhead runs a chain of no-op steps, so that no step waits for
// another's node: overhead-ms is the median time of a step beyond that of
// starting the same process.
func BenchmarkStepOverhead(b *testing.B) {
	w := newWorld(b)
	jobs := w.layered(100, 1)
	sh, err := shell()
	require.NoError(b, err)
	var over []float64
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprintf("p%d", i)
		w.submit(name, pipelineJob(jobs, forced))
		began := time.Now()
		r, err := w.e.Wait(b.Context(), scope, name)
		require.NoError(b, err)
		require.Equal(b, Completed, r.Status)
		each := time.Since(began) / 100
		var alone []time.Duration
		for range 50 {
			begin := time.Now()
			require.NoError(b, exec.Command(sh, "-c", "true").Run())
			alone = append(alone, time.Since(begin))
		}
		slices.Sort(alone)
		over = append(over, (each-alone[25]).Seconds()*1e3)
	}
	slices.Sort(over)
	b.ReportMetric(over[len(over)/2], "overhead-ms")
}

// BenchmarkSubmitPipeline checks and stores a graph of 10,000 steps.
func BenchmarkSubmitPipeline(b *testing.B) {
	w := newWorld(b)
	w.nodes = 1
	hold := w.componentOf("hold", "sleep 600", nil, m{"o": folder})
	jobs := w.layered(200, 50)
	for k, s := range jobs {
		if strings.HasPrefix(k, "s00_") {
			s.(m)["componentId"] = hold
		}
	}
	spec := pipelineJob(jobs, forced)
	for i := 0; b.Loop(); i++ {
		name := fmt.Sprintf("p%d", i)
		begin := time.Now()
		w.submit(name, spec)
		b.ReportMetric(time.Since(begin).Seconds(), "s/submit")
		b.StopTimer()
		require.NoError(b, w.e.Cancel(b.Context(), scope, name, "enough"))
		w.wait(name)
		b.StartTimer()
	}
}
