package conformance

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
)

// log follows a job's log while it grows, and counts what came over the wire.
func (m *moving) log(t *testing.T) {
	mib := m.size(100, 8)
	var fetched counter
	ws := overHTTP(t, localServer(t), &workspace.Options{ClientOptions: azcore.ClientOptions{Transport: &fetched}})
	// Lines of 128 bytes, an eighth of a MiB at a time.
	script := fmt.Sprintf(`i=0; while [ $i -lt %d ]; do head -c 130048 /dev/zero | tr '\0' x | fold -w 127; echo; sleep 0.01; i=$((i+1)); done`, mib*8)
	run, err := ws.Jobs.Submit(t.Context(), jobs.Command(script).Named("grows").In(&assets.Environment{Image: "debian"}).On("cpu-cluster"), nil)
	require.NoError(t, err)
	var written int64
	for line, err := range ws.Jobs.Logs(t.Context(), run.Name, nil) {
		require.NoError(t, err)
		if strings.HasPrefix(line, "x") {
			written += int64(len(line)) + 1
		}
	}
	require.Greater(t, written, int64(mib)<<20*9/10)
	m.found(t, ratio{what: fmt.Sprintf("follow a log of %d MiB", mib), unit: "MiB", ours: float64(fetched.logs.Load()) / (1 << 20), other: float64(written) / (1 << 20), than: "written", within: 1.01})
}

// counter is a transport that counts the bytes of answers that are parts of logs.
type counter struct{ logs atomic.Int64 }

func (c *counter) Do(r *http.Request) (*http.Response, error) {
	a, err := http.DefaultClient.Do(r)
	if err == nil && strings.Contains(r.URL.Path, "user_logs") {
		a.Body = &counted{a.Body, &c.logs}
	}
	return a, err
}

type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}
