package serve

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCollect(t *testing.T) {
	type seen struct{ path, kind, id, body string }
	var mu sync.Mutex
	var all []seen
	agent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		all = append(all, seen{r.URL.Path, r.Header.Get("ce-type"), r.Header.Get("ce-x-request-id"), string(b)})
		mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	defer agent.Close()
	u, err := url.Parse(agent.URL)
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "mdc.json")
	require.NoError(t, os.WriteFile(config, []byte(`{"collections":{"Model_Inputs":{"enabled":true},"off":{"enabled":false},"never":{"enabled":true,"sampleRatePercentage":0},"request":{"enabled":true}}}`), 0o600))
	t.Setenv("AZUREML_MDC_CONFIG_PATH", config)
	t.Setenv("AZUREML_MDC_HOST", u.Hostname())
	t.Setenv("AZUREML_MDC_PORT", u.Port())
	got := make(chan []error, 1)
	base, _, stop := serving(t, func(context.Context, string) (http.Handler, error) {
		return JSON(func(ctx context.Context, in rows) (int, error) {
			list := []map[string]any{{"age": 3}, {"age": nil}}
			got <- []error{
				Collect(ctx, "model_inputs", list), Collect(ctx, "never", list), Collect(ctx, "off", list), Collect(ctx, "request", list), Collect(ctx, "model_inputs", 7),
				Collect(context.Background(), "model_inputs", list),
			}
			return 1, nil
		}), nil
	}, Options{})
	require.Eventually(t, func() bool { status, _ := call(t, http.MethodGet, base+"/ready", ""); return status == 200 }, 20*time.Second, 5*time.Millisecond)
	req, err := http.NewRequest(http.MethodPost, base+"/score", http.NoBody)
	require.NoError(t, err)
	req.Body, req.ContentLength = io.NopCloser(strings.NewReader(`{"rows":[]}`)), -1
	req.Header.Set("X-Request-Id", "r1")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	errs := <-got
	require.NoError(t, errors.Join(errs[0], errs[1]))
	require.ErrorIs(t, errs[2], ErrNotCollected)
	require.ErrorIs(t, errs[3], ErrNotCollected)
	require.ErrorContains(t, errs[4], "a list of objects is wanted")
	require.ErrorContains(t, errs[5], "not one of a scoring call")
	require.NoError(t, stop(), "what is collected is sent before the end")
	require.Equal(t, []seen{{"/modeldata/log", "azureml.inference.model_inputs", "r1", `[{"age":3},{"age":null}]`}}, all)
}

func TestCollectorIsRefused(t *testing.T) {
	t.Setenv("AZUREML_MDC_CONFIG_PATH", filepath.Join(t.TempDir(), "none"))
	err := Run(t.Context(), func(context.Context, string) (http.Handler, error) { return nil, nil }, &Options{Addr: "127.0.0.1:0"})
	require.ErrorContains(t, err, "AZUREML_MDC_CONFIG_PATH")
}
