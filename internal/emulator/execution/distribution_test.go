//go:build unix

package execution

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// fakeRay puts a ray in PATH whose nodes do nothing until they are ended, and which keeps what it was called with.
func fakeRay(t *testing.T) (calls string) {
	t.Helper()
	dir := t.TempDir()
	script := `#!/bin/sh
case "$1" in
status) for f in "` + dir + `"/node.*; do [ -e "$f" ] && echo " 1 node_$f"; done; exit 0;;
start) echo "$@ env $RAY_ADDRESS" >> "` + dir + `/calls"; : > "` + dir + `/node.$$"; trap 'echo "down $*" >> "` + dir + `/calls"; exit 0' TERM; echo ray up; while :; do sleep 0.05; done;;
esac
`
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ray"), []byte(script), 0o700))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return filepath.Join(dir, "calls")
}

func (w *world) logOf(job, file string) string {
	w.t.Helper()
	return w.get(arm.ArtifactContainer, arm.RunPrefix(job)+"/user_logs/"+file)
}

func TestRay(t *testing.T) {
	calls := fakeRay(t)
	w := newWorld(t)
	spec := m{"distribution": m{"distributionType": "Ray", "port": 26379, "includeDashboard": false, "headNodeAdditionalArgs": "--head --num-cpus 2", "workerNodeAdditionalArgs": "--resources '{\"a\": 1}'"}, "resources": m{"instanceCount": 2}}
	r := w.run("r", command("echo at $RAY_ADDRESS of $AZUREML_NODE_COUNT rank $NODE_RANK", spec))
	require.Equal(t, Completed, r.Status, "%v", r.Error)
	require.Len(t, r.Logs, 2)
	require.Contains(t, w.logOf("r", "std_log_process_00.txt"), "at 127.0.0.1:26379 of 2 rank 0\n")
	require.NotContains(t, w.logOf("r", "std_log_process_01.txt"), "at 127", "the command runs on the head alone")
	b, err := os.ReadFile(calls)
	require.NoError(t, err)
	head, worker, ok := strings.Cut(string(b), "\n")
	require.True(t, ok)
	require.True(t, strings.HasPrefix(head, "start --block --node-ip-address=127.0.0.1 --disable-usage-stats --head --port=26379 --include-dashboard=false --dashboard-host=127.0.0.1 --dashboard-port="), head)
	require.True(t, strings.HasSuffix(head, " --num-cpus 2 env "), head)
	require.True(t, strings.HasPrefix(worker, "start --block --node-ip-address=127.0.0.1 --disable-usage-stats --address=127.0.0.1:26379 --resources {\"a\": 1} env \n"), worker)

	r = w.run("s", command("echo gone wrong; exit 4", spec))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "status code 4")
	require.Contains(t, r.Error.Message, "gone wrong")
}

func TestRayIsRefusedWhereItIsNot(t *testing.T) {
	t.Setenv("PATH", "/usr/bin:/bin")
	w := newWorld(t)
	err := arm.As(w.e.Check(t.Context(), scope, "j", command("x", m{"distribution": m{"distributionType": "Ray"}})))
	require.Equal(t, "properties.distribution.distributionType", err.Target)
	require.Contains(t, err.Message, "program ray")
}

// Parameter servers serve for ever and end with the workers.
func TestParameterServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run("p", command(`case "$TF_CONFIG" in *'"type":"ps"'*) echo serving; sleep 600;; *) echo worked;; esac`,
		m{"distribution": m{"distributionType": "TensorFlow", "workerCount": 2, "parameterServerCount": 1}, "resources": m{"instanceCount": 2}}))
	require.Equal(t, Completed, r.Status, "%v", r.Error)
	require.Contains(t, w.logOf("p", "std_log_ps_00.txt"), "serving")
	require.Contains(t, w.logOf("p", "std_log_worker_01.txt"), "worked")
}

func TestMPIVariables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run("m", command("echo $OMPI_COMM_WORLD_RANK/$OMPI_COMM_WORLD_SIZE local $OMPI_COMM_WORLD_LOCAL_RANK/$OMPI_COMM_WORLD_LOCAL_SIZE hosts $AZ_BATCH_HOST_LIST master $AZ_BATCHAI_MPI_MASTER_NODE $AZ_BATCH_MASTER_NODE",
		m{"distribution": m{"distributionType": "Mpi", "processCountPerInstance": 2}, "resources": m{"instanceCount": 2}}))
	require.Equal(t, Completed, r.Status)
	for rank := range 4 {
		require.Contains(t, w.logOf("m", fmt.Sprintf("std_log_process_%02d.txt", rank)), fmt.Sprintf("%d/4 local %d/2 hosts 127.0.0.1,127.0.0.1 master 127.0.0.1 127.0.0.1:", rank, rank%2))
	}
}

// Without a count there are as many TensorFlow workers as nodes, parameter servers or not.
func TestTensorFlowWorkersByDefault(t *testing.T) {
	t.Parallel()
	w, err := workers(&commandSpec{Distribution: &distribution{Type: "TensorFlow", ParameterServerCount: 1}, Resources: &resources{InstanceCount: 2}})
	require.NoError(t, err)
	var logs []string
	for _, x := range w {
		logs = append(logs, x.log)
	}
	require.Equal(t, []string{"user_logs/std_log_worker_00.txt", "user_logs/std_log_worker_01.txt", "user_logs/std_log_ps_00.txt"}, logs)
}
