package assets_test

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace"
)

// TestFaultOfTheTarget downloads to where a file may not grow beyond 2 MiB, as on a disk
// without space: the error names the file, nothing less than whole is there, and when
// there is space a second call completes it.
func TestFaultOfTheTarget(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	src := s.files(3, 9<<20)
	require.NoError(t, os.WriteFile(filepath.Join(src, "small"), []byte("there is space for this"), 0o644))
	up, err := s.lw.Client.Datastores.Upload(t.Context(), src, nil)
	require.NoError(t, err)
	url, err := s.lw.URL()
	require.NoError(t, err)
	to := filepath.Join(t.TempDir(), "to")
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaultOfTheTargetChild$")
	c.Env = append(os.Environ(), "FULL_URL="+url, "FULL_TOKEN="+s.lw.Token(), "FULL_URI="+up.ShortURI(), "FULL_TO="+to,
		"FULL_SUBSCRIPTION="+s.lw.ID().Subscription, "FULL_GROUP="+s.lw.ID().ResourceGroup, "FULL_NAME="+s.lw.ID().Name)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	s.same(src, to, false)
	_, err = s.ws.Datastores.Download(t.Context(), up.ShortURI(), to, nil)
	require.NoError(t, err)
	s.same(src, to, true)
}

// TestFaultOfTheTargetChild is a process of TestFaultOfTheTarget's, which has the limit.
func TestFaultOfTheTargetChild(t *testing.T) {
	to := os.Getenv("FULL_TO")
	if to == "" {
		t.Skip("this is a part of TestFaultOfTheTarget")
	}
	signal.Ignore(syscall.SIGXFSZ)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 2 << 20, Max: 2 << 20}))
	ws, err := workspace.New(workspace.ID{Subscription: os.Getenv("FULL_SUBSCRIPTION"), ResourceGroup: os.Getenv("FULL_GROUP"), Name: os.Getenv("FULL_NAME")},
		workspace.StaticToken(os.Getenv("FULL_TOKEN")), &workspace.Options{Endpoint: os.Getenv("FULL_URL"), HashCache: "-"})
	require.NoError(t, err)
	_, err = ws.Datastores.Download(t.Context(), os.Getenv("FULL_URI"), to, nil)
	require.ErrorIs(t, err, syscall.EFBIG)
	require.ErrorContains(t, err, "/d0/f")
}
