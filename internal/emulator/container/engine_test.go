//go:build unix

package container

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// fake puts engines for tests first in PATH and gives their folder.
func fake(t *testing.T, names ...string) string {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	text, err := os.ReadFile("testdata/engine.sh")
	require.NoError(t, err)
	for _, n := range names {
		require.NoError(t, os.WriteFile(filepath.Join(bin, n), text, 0o700))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "images"), 0o700))
	t.Setenv("FAKE_ENGINE", dir)
	t.Setenv("DOCKER_HOST", "")
	path := bin
	for p := range strings.SplitSeq(os.Getenv("PATH"), ":") { // without the machine's own engines
		_, docker := os.Stat(filepath.Join(p, "docker"))
		_, podman := os.Stat(filepath.Join(p, "podman"))
		if docker != nil && podman != nil {
			path += ":" + p
			continue
		}
		tools := t.TempDir()
		entries, err := os.ReadDir(p)
		require.NoError(t, err)
		for _, e := range entries {
			if e.Name() != "docker" && e.Name() != "podman" {
				require.NoError(t, os.Symlink(filepath.Join(p, e.Name()), filepath.Join(tools, e.Name())))
			}
		}
		path += ":" + tools
	}
	t.Setenv("PATH", path)
	return dir
}

func down(t *testing.T, dir, name string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name+".down"), nil, 0o600))
}

func TestFind(t *testing.T) {
	dir := fake(t, "docker", "podman")
	e, err := Find(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, "docker", filepath.Base(e.Path))
	require.False(t, e.Podman)
	require.False(t, e.Rootless)
	require.Equal(t, "arm64", e.Arch)

	e, err = Find(t.Context(), "podman")
	require.NoError(t, err)
	require.True(t, e.Podman && e.Rootless)
	require.Equal(t, "amd64", e.Arch)

	t.Setenv("DOCKER_HOST", "ssh://me@elsewhere")
	_, err = Find(t.Context(), "docker")
	require.ErrorContains(t, err, "it is on another machine (ssh://me@elsewhere)")
	t.Setenv("DOCKER_HOST", "")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "info"), []byte(`{"OSType":"windows"}`), 0o600))
	_, err = Find(t.Context(), "docker")
	require.ErrorContains(t, err, "runs containers of windows")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "info"), []byte(`{"ServerErrors":["no daemon here"]}`), 0o600))
	_, err = Find(t.Context(), "docker")
	require.ErrorContains(t, err, "no daemon here")

	e, err = Find(t.Context(), "")
	require.NoError(t, err)
	require.True(t, e.Podman, "docker does not answer, podman does")

	down(t, dir, "podman")
	_, err = Find(t.Context(), "")
	require.ErrorContains(t, err, "no container engine can be used")
	require.ErrorContains(t, err, "no daemon here")
	require.ErrorContains(t, err, "Cannot connect to the podman daemon")
	_, err = Find(t.Context(), "nerdctl")
	require.ErrorContains(t, err, `the container engine "nerdctl" is not there`)
}

func TestFindNone(t *testing.T) {
	fake(t)
	_, err := Find(t.Context(), "")
	require.ErrorContains(t, err, "docker is not in PATH; podman is not in PATH")
}

// spec is where a container's output goes.
func spec(t *testing.T) process.Spec {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return process.Spec{ID: "j", Stdout: f, Stderr: f, Record: t.TempDir()}
}

func text(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	return string(b)
}

func TestStart(t *testing.T) {
	dir := fake(t, "docker")
	e, err := Find(t.Context(), "")
	require.NoError(t, err)
	e.Owner = "me"
	s := spec(t)
	wd := t.TempDir()
	c, err := e.Start(Run{Name: "a", Image: "i", Job: "job", Dir: wd, Env: []string{"SECRET=42", "PATH=" + os.Getenv("PATH")}, Line: "pwd; echo $SECRET; exit 7"}, s)
	require.NoError(t, err)
	st := c.Wait()
	require.Equal(t, 7, st.Code)
	require.False(t, st.Terminated)
	require.Equal(t, wd+"\n42\n", text(t, s.Stdout))
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	require.NoError(t, err)
	require.NotContains(t, string(asked), "SECRET=42", "what is in the list of processes can be read by others")
	require.Contains(t, string(asked), "\n--env\nSECRET\n")

	// What is asked to end ends with all that it started, and says so.
	s = spec(t)
	c, err = e.Start(Run{Name: "b", Image: "i", Dir: wd, Line: `trap 'echo asked; exit 0' TERM; echo ready; while :; do sleep 0.05; done`}, s)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(text(t, s.Stdout), "ready") }, 30*time.Second, 5*time.Millisecond)
	st = c.Terminate(30 * time.Second)
	require.True(t, st.Terminated)
	require.False(t, st.Success())
	require.Contains(t, text(t, s.Stdout), "asked")

	// What does not is killed.
	s = spec(t)
	c, err = e.Start(Run{Name: "c", Image: "i", Dir: wd, Line: `trap '' TERM; echo ready; while :; do sleep 0.05; done`}, s)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(text(t, s.Stdout), "ready") }, 30*time.Second, 5*time.Millisecond)
	require.True(t, c.Terminate(200*time.Millisecond).Terminated)
}

func TestSweep(t *testing.T) {
	dir := fake(t, "podman")
	e, err := Find(t.Context(), "")
	require.NoError(t, err)
	e.Owner = "me"
	n, err := e.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "left"), []byte("one\ntwo\n"), 0o600))
	n, err = e.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, n)
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	require.NoError(t, err)
	require.Contains(t, string(asked), "label=azureml.local.owner=me\n")
	require.Contains(t, string(asked), "rm\n--force\n--volumes\none\ntwo\n")
}

func TestPull(t *testing.T) {
	fake(t, "docker")
	e, err := Find(t.Context(), "")
	require.NoError(t, err)
	require.False(t, e.Has(t.Context(), "a/b:1"))
	var log strings.Builder
	require.NoError(t, e.Pull(t.Context(), "a/b:1", &log))
	require.Equal(t, "Trying to pull a/b:1\n", log.String())
	require.True(t, e.Has(t.Context(), "a/b:1"))
	err = e.Pull(t.Context(), "a/none:1", &log)
	require.EqualError(t, err, "the image a/none:1 could not be pulled: Trying to pull a/none:1 | manifest of a/none:1 unknown")
}
