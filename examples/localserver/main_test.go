package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace/local"
)

func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, &local.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0"}, out)
		out.Close() //nolint:errcheck // a pipe's end
	}()
	lines := bufio.NewScanner(in)
	require.True(t, lines.Scan())
	var r map[string]string
	require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
	for _, k := range []string{"url", "mlflow_tracking_uri", "token", "subscription_id", "resource_group", "workspace_name", "config_file"} {
		require.NotEmpty(t, r[k], k)
	}
	require.Len(t, r, 7)
	config, err := os.ReadFile(r["config_file"])
	require.NoError(t, err)
	require.Contains(t, string(config), r["workspace_name"])
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	get := func(token string) int {
		req, err := http.NewRequest(http.MethodGet, r["mlflow_tracking_uri"]+"/api/2.0/mlflow/experiments/get?experiment_id=0", nil)
		require.NoError(t, err)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, 200, get(r["token"]))
	require.Equal(t, 401, get(""))
	cancel()
	require.False(t, lines.Scan(), "nothing else on standard output")
	require.NoError(t, <-done)
}

func TestAuthOffIsForLoopbackOnly(t *testing.T) {
	err := serve(t.Context(), &local.Options{Dir: t.TempDir(), Listen: "0.0.0.0:0", Auth: local.AuthOff}, io.Discard)
	require.ErrorContains(t, err, "loopback")
}
