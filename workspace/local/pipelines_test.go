//go:build unix

package local_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace/local"
)

// The pipelines of these tests are files as their users write them, with real
// programs, submitted through the client. All run side by side on one workspace.

// flow is one pipeline and what must come of it.
type flow struct {
	// files lie beside the pipeline's. ENV in them, and in yaml, is an
	// environment; DIR a folder that the test and the programs share.
	files map[string]string
	yaml  string
	fails string             // in the error of a pipeline that is to fail
	check func(p *performed) // of what became of it
}

const head = "type: pipeline\nexperiment_name: flows\n"

// performed is a pipeline that has ended.
type performed struct {
	*testing.T
	ws  *local.Workspace
	dir string // shared with the programs
	run *jobs.Run
	err error
}

// grounds are where the pipelines run: a cluster of eight nodes, one of one.
func grounds(t *testing.T) *local.Workspace {
	t.Helper()
	return groundsIn(t, t.TempDir())
}

func groundsIn(t *testing.T, dir string) *local.Workspace {
	t.Helper()
	w, err := local.Start(t.Context(), &local.Options{Dir: dir, Computes: []local.Compute{{Name: "cpu-cluster", Nodes: 8}, {Name: "single", Nodes: 1}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

// perform runs flows, each as a test of its own.
func perform(t *testing.T, flows map[string]flow) {
	w := grounds(t)
	t.Run("flows", func(t *testing.T) { // the workspace is closed when all have ended
		for name, f := range flows {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if _, err := exec.LookPath("python3"); err != nil && strings.Contains(f.yaml+strings.Join(values(f.files), ""), "python3") {
					t.Skip("python3 is not in PATH")
				}
				p := &performed{T: t, ws: w, dir: t.TempDir()}
				file := p.write(f.files, f.yaml)
				p.play(file)
				if f.fails == "" {
					require.NoError(t, p.err)
					require.Equal(t, jobs.Completed, p.run.Status)
				} else {
					require.ErrorContains(t, p.err, f.fails)
				}
				if f.check != nil {
					f.check(p)
				}
			})
		}
	})
}

func values(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// write puts the pipeline and its files into a folder and returns the pipeline's.
func (p *performed) write(files map[string]string, yaml string) string {
	p.Helper()
	at := p.TempDir()
	text := strings.NewReplacer("ENV", "environment: {image: host}", "DIR", p.dir)
	for name, content := range files {
		path := filepath.Join(at, name)
		require.NoError(p, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(p, os.WriteFile(path, []byte(text.Replace(content)), 0o600))
	}
	file := filepath.Join(at, "pipeline.yml")
	if !strings.HasPrefix(yaml, "settings:") {
		yaml = "settings: {default_compute: azureml:cpu-cluster}\n" + yaml
	}
	require.NoError(p, os.WriteFile(file, []byte(text.Replace(head+yaml)), 0o600))
	return file
}

// play submits a pipeline's file and waits for its end.
func (p *performed) play(file string) {
	p.Helper()
	p.submit(file)
	p.wait()
}

func (p *performed) submit(file string) {
	p.Helper()
	spec, err := jobs.Load(file)
	require.NoError(p, err)
	p.run, err = p.ws.Client.Jobs.Submit(p.Context(), spec, &jobs.SubmitOptions{NoGit: true})
	require.NoError(p, err)
}

func (p *performed) wait() {
	p.Helper()
	run, err := p.ws.Client.Jobs.Wait(p.Context(), p.run.Name, &jobs.WaitOptions{Poll: 20 * time.Millisecond})
	if p.err = err; run != nil {
		p.run = run
	}
	if _, failed := errors.AsType[*jobs.FailedError](err); err != nil && !failed {
		require.NoError(p, err)
	}
	if p.run, err = p.ws.Client.Jobs.Get(p.Context(), p.run.Name); err != nil {
		require.NoError(p, err)
	}
}

// steps are the runs right below a job, by the names they show.
func (p *performed) steps(of string) map[string]*jobs.Run {
	p.Helper()
	out := map[string]*jobs.Run{}
	for r, err := range p.ws.Client.Jobs.Children(p.Context(), of) {
		require.NoError(p, err)
		out[r.DisplayName] = r
	}
	return out
}

func (p *performed) step(name string) *jobs.Run {
	p.Helper()
	r := p.steps(p.run.Name)[name]
	require.NotNil(p, r, "the step %s has no run", name)
	return r
}

// out is the content of a file of an output of the pipeline.
func (p *performed) out(output, file string) string { return p.of(p.run.Name, output, file) }

// of is the same of any job.
func (p *performed) of(job, output, file string) string {
	p.Helper()
	to := p.TempDir()
	_, err := p.ws.Client.Jobs.Download(p.Context(), job, to, &jobs.DownloadOptions{Output: output})
	require.NoError(p, err)
	b, err := os.ReadFile(filepath.Join(to, "named-outputs", output, file))
	require.NoError(p, err)
	return string(b)
}

// noted is what programs wrote to a file of the folder they share with the test.
func (p *performed) noted(file string) string {
	b, err := os.ReadFile(filepath.Join(p.dir, file))
	if errors.Is(err, os.ErrNotExist) {
		return ""
	}
	require.NoError(p, err)
	return string(b)
}

// follows asserts that one step began when another had ended.
func (p *performed) follows(later, earlier string) {
	p.Helper()
	require.False(p, p.step(later).Start.Before(p.step(earlier).End), "%s follows %s", later, earlier)
}

// until waits for what programs wrote.
func (p *performed) until(what string, f func() bool) {
	p.Helper()
	require.Eventually(p, f, 30*time.Second, 10*time.Millisecond, what)
}
