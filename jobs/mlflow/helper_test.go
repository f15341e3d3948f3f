package mlflow

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// transport is a scripted server in the process.
type transport func(req *http.Request) (*http.Response, error)

func (f transport) Do(req *http.Request) (*http.Response, error) { return f(req) }

func answer(req *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req}
}

var errDial = &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrClosedPipe}

func open(t *testing.T, uri string, o Options) *Client {
	t.Helper()
	if o.SpoolDir == "" {
		o.SpoolDir = t.TempDir()
	}
	c, err := New(uri, &o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

type fixedToken string

func (f fixedToken) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f) + o.Scopes[0], ExpiresOn: time.Now().Add(time.Hour)}, nil
}

const workspaceURI = "azureml://eastus.api.azureml.ms/mlflow/v1.0/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"

// recorder is a tracking server that stores what log-batch brings.
type recorder struct {
	mu      sync.Mutex
	metrics []Metric
	sizes   []int
	calls   int
	// before may answer instead.
	before func(call int, req *http.Request) (*http.Response, error)
	// after may lose the answer of a batch that was stored.
	after func(call int) error
	bad   func(Metric) bool
}

func (s *recorder) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.calls++
	n := s.calls
	s.mu.Unlock()
	if s.before != nil {
		if resp, err := s.before(n, req); resp != nil || err != nil {
			if req.Body != nil {
				req.Body.Close()
			}
			return resp, err
		}
	}
	var in struct {
		Metrics []Metric `json:"metrics"`
	}
	if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
		return answer(req, 400, `{"error_code":"BAD_REQUEST"}`), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range in.Metrics {
		if s.bad != nil && s.bad(m) {
			return answer(req, 400, `{"error_code":"INVALID_PARAMETER_VALUE","message":"bad `+m.Key+`"}`), nil
		}
	}
	s.metrics = append(s.metrics, in.Metrics...)
	s.sizes = append(s.sizes, len(in.Metrics))
	if s.after != nil {
		if err := s.after(n); err != nil {
			return nil, err
		}
	}
	return answer(req, 200, "{}"), nil
}

func (s *recorder) stored() []Metric {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Metric(nil), s.metrics...)
}

func seconds(n int) string { return strconv.Itoa(n) }
