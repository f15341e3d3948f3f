package tracking

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestServeForOthers serves a fresh store over HTTP for programs of other languages
// when AZUREML_TRACKING_SERVE is an address: it prints "URL http://…" and ends when
// its standard input does. See internal/conformance/mlflow.
func TestServeForOthers(t *testing.T) {
	addr := os.Getenv("AZUREML_TRACKING_SERVE")
	if addr == "" {
		t.Skip("serves other programs when AZUREML_TRACKING_SERVE is an address")
	}
	s := open(t, t.TempDir())
	account, container := s.opts.Account(ws)
	_, err := s.blobs.EnsureAccount(t.Context(), account)
	require.NoError(t, err)
	require.NoError(t, s.blobs.EnsureContainer(t.Context(), account, container))
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	srv := &http.Server{Handler: s.Handler(ws, HandlerOptions{})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	fmt.Printf("URL http://%s\n", l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	require.NoError(t, err)
	require.NoError(t, srv.Close())
	require.ErrorIs(t, <-done, http.ErrServerClosed)
}
