package conformance

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestAzurite runs the uploads and downloads of assets against Azurite, the
// storage emulator that Microsoft makes: what passes here does not pass only
// because our own blob service is kind to us.
func TestAzurite(t *testing.T) {
	name := os.Getenv("AZUREML_AZURITE")
	if name == "" {
		name = "azurite"
	}
	exe, err := exec.LookPath(name)
	if err != nil {
		missing(t, "azurite", err.Error())
	}
	port := freePort(t)
	start(t, nil, exe, "--silent", "--skipApiVersionCheck", "--location", t.TempDir(), "--blobHost", "127.0.0.1", "--blobPort", port,
		"--queuePort", freePort(t), "--tablePort", freePort(t))
	waitFor(t, "127.0.0.1:"+port)
	env := []string{"AZUREML_TEST_BLOB_URL=http://127.0.0.1:" + port + "/devstoreaccount1"}
	out := run(t, env, root(t), "go", "test", "-count=1", "-v", "-run", "Transfer|Upload|Download|Code|Data|Model|Environment|Datastore", "./assets")
	version, err := exec.Command(exe, "--version").Output()
	require.NoError(t, err)
	testifies(t, &witness{Name: "Azurite", Version: strings.TrimSpace(string(version)), What: "our uploads and downloads, against it", Unit: "tests", Operations: goTests(out)})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// start runs a server until the test ends.
func start(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	c.Dir = t.TempDir()
	quiet(t, c)
	group(c)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		end(c)
		_ = c.Wait() // it was ended
	})
}

func waitFor(t *testing.T, addr string) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, 5*time.Minute, 100*time.Millisecond, "nothing listens on %s", addr)
}
