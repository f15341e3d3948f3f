package local

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/jobs/mlflow"
	"github.com/azureml-go/azureml/workspace"
)

// TestMain lets the test binary be the owner that is killed, or one that is measured.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LOCAL_TEST_SERVES"); dir != "" {
		if err := alone(dir); err != nil {
			os.Stderr.WriteString(err.Error() + "\n") //nolint:errcheck // the parent sees that it ended
			os.Exit(1)
		}
		return
	}
	if dir := os.Getenv("LOCAL_TEST_OWNER"); dir != "" {
		own := owner
		if os.Getenv("LOCAL_TEST_CONTAINERS") != "" {
			own = containerOwner
		}
		if err := own(dir); err != nil {
			os.Stderr.WriteString(err.Error() + "\n") //nolint:errcheck // the parent sees that it ended
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

func TestStart(t *testing.T) {
	begin := time.Now()
	w, err := Start(t.Context(), nil)
	require.NoError(t, err)
	t.Logf("start: %s", time.Since(begin))
	defer func() { require.NoError(t, w.Close()) }()
	ws, err := w.Client.Workspaces.Get(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "local", ws.Name)
	n := 0
	for d, err := range w.Client.Datastores.All(t.Context(), nil) {
		require.NoError(t, err)
		require.NotNil(t, d)
		n++
	}
	require.Equal(t, 4, n)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close(), "a second time")
	require.NoDirExists(t, w.Dir)
}

func TestEnviron(t *testing.T) {
	w, err := Start(t.Context(), &Options{ID: workspace.ID{Name: "other"}, Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	vars, err := w.Environ()
	require.NoError(t, err)
	env := map[string]string{}
	for _, v := range vars {
		k, x, _ := strings.Cut(v, "=")
		env[k] = x
	}
	require.Equal(t, "other", env["AZUREML_ARM_WORKSPACE_NAME"])
	for k, v := range env {
		t.Setenv(k, v)
	}
	client := &http.Transport{DisableKeepAlives: true}
	c, err := workspace.FromEnvironment(t.Context(), &workspace.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	ws, err := c.Workspaces.Get(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "other", ws.Name)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, env["MLFLOW_TRACKING_URI"]+"/version", nil)
	require.NoError(t, err)
	res, err := client.RoundTrip(req)
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.NotEmpty(t, b)
	http.DefaultClient.CloseIdleConnections()
	require.DirExists(t, w.Dir)
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	w, err := Start(t.Context(), &Options{Dir: dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	_, err = Start(t.Context(), &Options{Dir: dir})
	require.ErrorContains(t, err, "local: start: ")
	for _, o := range []*Options{{Auth: "maybe"}, {Sync: "never"}, {Environments: "moon"}, {Containers: Containers{Engine: "docker"}}, {Environments: Container, Containers: Containers{Engine: "/nowhere/docker"}}, {Environments: Container, Containers: Containers{Args: []string{"--rm"}}}, {Auth: AuthOff, Listen: "0.0.0.0:0"}, {Listen: "nowhere"}, {Faults: []Fault{{Do: "tea"}}}, {Computes: []Compute{{Name: "a b"}}}} {
		before, err := os.ReadDir(os.TempDir())
		require.NoError(t, err)
		_, err = Start(t.Context(), o)
		require.Error(t, err, "%+v", o)
		after, err := os.ReadDir(os.TempDir())
		require.NoError(t, err)
		require.LessOrEqual(t, count(after), count(before), "a temporary folder was left")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Start(ctx, nil)
	require.ErrorIs(t, err, context.Canceled)
}

func count(entries []os.DirEntry) (n int) {
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "azureml-local-") {
			n++
		}
	}
	return n
}

// TestArtifacts goes run history's way: addresses signed for each file.
func TestArtifacts(t *testing.T) {
	w, err := Start(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, w.Close()) }()
	run, err := w.Client.Tracking.Start(t.Context(), &mlflow.StartOptions{Experiment: "exp/one"})
	require.NoError(t, err)
	require.NoError(t, run.LogMetric(t.Context(), "loss", 0.5, 1))
	require.NoError(t, run.Artifacts().Write(t.Context(), "notes/a b.txt", []byte("words")))
	n := 0
	for f, err := range run.Artifacts().All(t.Context(), "notes") {
		require.NoError(t, err)
		require.Equal(t, "notes/a b.txt", f.Path)
		n++
	}
	require.Equal(t, 1, n)
	b, err := run.Artifacts().Read(t.Context(), "notes/a b.txt")
	require.NoError(t, err)
	require.Equal(t, "words", string(b))
	require.NoError(t, run.End(t.Context(), mlflow.Finished))
	require.NoError(t, w.Client.Tracking.Close())
}
