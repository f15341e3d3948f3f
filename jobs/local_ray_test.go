package jobs_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
)

// Ray itself, where it is on the machine: two nodes, and a task on the cluster.
func TestLocalRayItself(t *testing.T) {
	shell(t)
	p, err := exec.LookPath("ray")
	if err != nil {
		t.Skip("ray is not in PATH; pip install ray brings it")
	}
	t.Log("with", p)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.py"), `
import ray, sys
ray.init(address="auto")
@ray.remote
def square(x): return x * x
print("sum", sum(ray.get([square.remote(i) for i in range(4)])), "nodes", len([n for n in ray.nodes() if n["Alive"]]))
`)
	c := open(t).Client.Jobs
	run := done(t, c, jobs.Command("python3 main.py").Code(dir).In(host).Nodes(2, jobs.Distribution{Ray: &jobs.Ray{HeadNodeAdditionalArgs: "--num-cpus 1", WorkerNodeAdditionalArgs: "--num-cpus 1"}}))
	var text string
	for l, err := range c.Logs(t.Context(), run.Name, nil) {
		require.NoError(t, err)
		text += l + "\n"
	}
	require.Contains(t, text, "sum 14 nodes 2")
}
