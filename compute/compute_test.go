package compute

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDeclarations(t *testing.T) {
	for _, k := range []any{Cluster{}, Instance{}, Kubernetes{}, VirtualMachine{}, SynapseSpark{}, Other{}} {
		require.NoError(t, wire.Check(k), "%T", k)
	}
}

func restBody(t *testing.T, v any) string {
	t.Helper()
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}

// The YAML files and bodies are those that the reference SDK was recorded with; names and locations are resolved before
// encoding and so are given here as they are.
func TestYAMLToREST(t *testing.T) {
	for _, name := range []string{"cluster-full", "cluster-minimal", "cluster-identity", "instance-full", "instance-minimal", "kubernetes", "synapse", "vm"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/" + name + ".yml")
			require.NoError(t, err)
			want, err := os.ReadFile("testdata/" + name + ".json")
			require.NoError(t, err)
			var c Compute
			require.NoError(t, wire.LoadYAML(data, name+".yml", &c, nil))
			require.JSONEq(t, string(want), restBody(t, c))

			// What the service answers reads to the same compute, and an update of it sends the same body.
			var back Compute
			require.NoError(t, wire.FromREST(want, &back))
			require.IsType(t, c, back)
			// A state that was written is sent as it is spelt in YAML; the default is not: both mean the same.
			same := strings.ReplaceAll(string(want), `"status": "Enabled"`, `"status": "enabled"`)
			require.JSONEq(t, same, restBody(t, back))

			// The YAML that is written loads to the same.
			out, err := wire.DumpYAML(c)
			require.NoError(t, err)
			var again Compute
			require.NoError(t, wire.LoadYAML(out, name+".yml", &again, nil), "%s", out)
			require.JSONEq(t, string(want), restBody(t, again))
		})
	}
}
