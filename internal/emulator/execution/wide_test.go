//go:build unix

package execution

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// A compute without nodes of its own takes a job of any width: one that is wider than the machine has it for itself.
func TestAServerlessJobIsAsWideAsItSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var p m
	require.NoError(t, json.Unmarshal(command("echo $NODE_RANK", m{"resources": m{"instanceCount": 5}, "distribution": m{"distributionType": "PyTorch"}}), &p))
	delete(p, "computeId")
	wide, err := json.Marshal(p)
	require.NoError(t, err)
	require.Equal(t, Completed, w.run("wide", wide).Status)
	require.Equal(t, Completed, w.run("after", command("true", nil)).Status)
}

// Azure's names of computes are the same in upper and lower case.
func TestAComputeIsOneInEitherCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.nodes = -1
	w.submit("j", command("true", m{"computeId": scope.Child(arm.Computes, "CPU")}))
	require.Eventually(t, func() bool { return w.status("j") == Queued }, waitFor, tick)
	_, waiting := w.e.Load(scope, "cpu")
	require.Equal(t, 1, waiting)
	w.nodes = 1
	w.e.ComputeChanged(scope, "cpu")
	require.Equal(t, Completed, w.wait("j").Status)
}

// A compute that takes the name of a deleted one has none of its nodes.
func TestADeletedComputesNodesAreGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, Completed, w.run("j", command("true", nil)).Status)
	scale := Scale{Max: 2, Idle: time.Hour}
	require.Len(t, w.e.Fleet(scope, "cpu", scale).Nodes, 1)
	w.e.ComputeGone(scope, "cpu")
	require.Empty(t, w.e.Fleet(scope, "cpu", scale).Nodes)
	require.Zero(t, w.e.Freed(scope, "cpu"))
}
