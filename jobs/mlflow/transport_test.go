package mlflow

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/azureml-go/azureml"
	"github.com/stretchr/testify/require"
)

// Each fault, on a call that may be repeated and on one that makes a new thing.
func TestRetryTable(t *testing.T) {
	answered := func(status int, header ...string) func(*http.Request) (*http.Response, error) {
		return func(req *http.Request) (*http.Response, error) {
			return answer(req, status, `{"error_code":"X"}`, header...), nil
		}
	}
	lost := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	refused := func(*http.Request) (*http.Response, error) { return nil, errDial }
	for _, row := range []struct {
		name     string
		fault    func(*http.Request) (*http.Response, error)
		get      int // attempts of a read
		create   int // attempts of a create
		unknown  bool
		waitedAt time.Duration // of the read
	}{
		{"429", answered(429), 4, 4, false, 14 * time.Second},
		{"429 with Retry-After", answered(429, "Retry-After", "5"), 4, 4, false, 15 * time.Second},
		{"429 with milliseconds", answered(429, "retry-after-ms", "250"), 4, 4, false, 750 * time.Millisecond},
		{"503", answered(503), 4, 1, true, 14 * time.Second},
		{"503 with Retry-After", answered(503, "Retry-After", "1"), 4, 4, true, 3 * time.Second},
		{"500", answered(500), 4, 1, true, 14 * time.Second},
		{"502", answered(502), 4, 1, true, 14 * time.Second},
		{"504", answered(504), 4, 1, true, 14 * time.Second},
		{"408", answered(408), 4, 1, true, 14 * time.Second},
		{"501", answered(501), 1, 1, false, 0},
		{"400", answered(400), 1, 1, false, 0},
		{"401", answered(401), 1, 1, false, 0},
		{"404", answered(404), 1, 1, false, 0},
		{"no connection", refused, 4, 4, false, 14 * time.Second},
		{"lost answer", lost, 4, 1, true, 14 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := 0
				c := open(t, "http://server", Options{
					Retry:     Retry{Max: 3, Jitter: -1},
					Transport: transport(func(req *http.Request) (*http.Response, error) { n++; return row.fault(req) }),
				})
				start := time.Now()
				_, err := c.Runs.Get(t.Context(), "x")
				require.Error(t, err)
				require.Equal(t, row.get, n, "reads")
				require.Equal(t, row.waitedAt, time.Since(start))
				require.NotErrorIs(t, err, ErrOutcomeUnknown)
				n = 0
				_, err = c.Runs.Create(t.Context(), NewRun{})
				require.Error(t, err)
				require.Equal(t, row.create, n, "creates")
				require.Equal(t, row.unknown, errors.Is(err, ErrOutcomeUnknown), "%v", err)
				require.True(t, strings.HasPrefix(err.Error(), "mlflow: create run"), err.Error())
			})
		})
	}
}

func TestRetryEndsWithSuccessAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := open(t, "http://server", Options{Transport: transport(func(req *http.Request) (*http.Response, error) {
			if n++; n < 3 {
				return answer(req, 503, ""), nil
			}
			return answer(req, 200, `{"run":{"info":{"run_id":"x","start_time":"12","status":"RUNNING"}}}`), nil
		})})
		r, err := c.Runs.Get(t.Context(), "x")
		require.NoError(t, err)
		require.Equal(t, int64(12), r.Info.Start.UnixMilli(), "numbers may be strings")

		n = -1000
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		_, err = c.Runs.Get(ctx, "x")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5*time.Second, time.Since(start))
	})
}

// A server that takes the request and never answers: each attempt has its own time.
func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := open(t, "http://server", Options{Retry: Retry{Max: 2, Timeout: 10 * time.Second, Backoff: time.Second, Jitter: -1}, Transport: transport(func(req *http.Request) (*http.Response, error) {
			n++
			<-req.Context().Done()
			return nil, req.Context().Err()
		})})
		start := time.Now()
		_, err := c.Runs.Get(t.Context(), "x")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3, n)
		require.Equal(t, 33*time.Second, time.Since(start))
	})
}

func TestErrorShapes(t *testing.T) {
	for _, row := range []struct {
		status int
		body   string
		code   string
		is     error
		text   string
	}{
		{404, `{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"Run 'x' not found"}`, CodeDoesNotExist, ErrNotFound, "Run 'x' not found"},
		{400, `{"error_code":"RESOURCE_ALREADY_EXISTS","message":"m"}`, CodeAlreadyExists, ErrExists, "m"},
		{400, `{"error_code":1000}`, CodeInternal, ErrInvalid, ""},
		{404, `<html>not here</html>`, CodeEndpointNotFound, ErrUnsupported, "not here"},
		{405, ``, CodeEndpointNotFound, ErrUnsupported, ""},
		{404, `{"error":{"code":"UserError","message":"no run","innerError":{"code":"NotFound","innerError":{"code":"RunNotFound"}}},"correlation":{},"componentName":"mlflow"}`, CodeDoesNotExist, ErrNotFound, "no run"},
		{401, `{"error":{"code":"AuthorizationError","message":"no"}}`, CodePermissionDenied, ErrUnauthorized, "no"},
		{403, `null`, CodePermissionDenied, ErrForbidden, ""},
		{429, `[1]`, "RESOURCE_EXHAUSTED", ErrThrottled, ""},
		{501, `{}`, CodeNotImplemented, ErrUnsupported, ""},
		{500, "\xff\xfe", CodeInternal, ErrUnavailable, "�"},
	} {
		c := open(t, "http://server", Options{Retry: Retry{Max: -1}, Transport: transport(func(req *http.Request) (*http.Response, error) { return answer(req, row.status, row.body), nil })})
		_, err := c.Runs.Get(t.Context(), "x")
		if row.body != `{"error_code":1000}` {
			require.ErrorIs(t, err, row.is, row.body)
		}
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, row.code, e.Code, row.body)
		require.Contains(t, e.Message, row.text)
		var azure *azcore.ResponseError
		require.ErrorAs(t, err, &azure)
		require.Equal(t, row.status, azure.StatusCode)
		require.True(t, azureml.HasCode(err, row.code))
	}
}

func TestNoAnswerOfMLflow(t *testing.T) {
	c := open(t, "http://server", Options{Transport: transport(func(req *http.Request) (*http.Response, error) { return answer(req, 200, "<html>"), nil })})
	_, err := c.Runs.Get(t.Context(), "x")
	require.ErrorContains(t, err, "not MLflow's")
}

// The credential goes to the configured host, and nowhere else.
func TestCredentialStaysHome(t *testing.T) {
	seen := map[string]string{}
	c := open(t, workspaceURI, Options{Credential: fixedToken("T "), Transport: transport(func(req *http.Request) (*http.Response, error) {
		seen[req.URL.Host] = req.Header.Get("Authorization")
		if strings.HasSuffix(req.URL.Path, "/contentinfo") {
			return answer(req, 200, `{"contentUri":"https://acc.blob.core.windows.net/c/b?sig=secret"}`), nil
		}
		return answer(req, 200, "content"), nil
	})})
	b, err := c.Artifacts("azureml://eastus.api.azureml.ms/mlflow/v2.0/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/experiments/e/runs/r/artifacts").Read(t.Context(), "a/b.txt")
	require.NoError(t, err)
	require.Equal(t, "content", string(b))
	require.Equal(t, "Bearer T https://management.azure.com/.default", seen["eastus.api.azureml.ms"])
	require.Empty(t, seen["acc.blob.core.windows.net"])
	require.Contains(t, seen, "acc.blob.core.windows.net")

	other := open(t, "http://server:1", Options{Token: "secret", Transport: transport(func(req *http.Request) (*http.Response, error) {
		seen[req.URL.Host] = req.Header.Get("Authorization")
		return answer(req, 200, "x"), nil
	})})
	_, err = other.Artifacts("mlflow-artifacts://elsewhere:2/0/r/artifacts").Read(t.Context(), "x")
	require.NoError(t, err)
	require.Empty(t, seen["elsewhere:2"])
	_, err = other.Artifacts("mlflow-artifacts:/0/r/artifacts").Read(t.Context(), "x")
	require.NoError(t, err)
	require.Equal(t, "Bearer secret", seen["server:1"])
}

// An Entra token is not sent in the clear, and on loopback only when that is asked for.
func TestCredentialWantsTLS(t *testing.T) {
	ok := transport(func(req *http.Request) (*http.Response, error) { return answer(req, 200, `{}`), nil })
	for uri, insecure := range map[string]bool{"http://server": true, "http://127.0.0.1:5": false} {
		c := open(t, uri, Options{Credential: fixedToken("T"), InsecureAllowCredentialWithHTTP: insecure, Transport: ok})
		_, err := c.Runs.Get(t.Context(), "x")
		require.ErrorContains(t, err, "without TLS", uri)
	}
	c := open(t, "http://127.0.0.1:5", Options{Credential: fixedToken("T"), InsecureAllowCredentialWithHTTP: true, Transport: ok})
	_, err := c.Runs.Get(t.Context(), "x")
	require.NoError(t, err)
}

// What a failed request says shows no signature.
func TestSignaturesAreNotTold(t *testing.T) {
	c := open(t, workspaceURI, Options{Token: "TOKEN", Retry: Retry{Max: -1}, Transport: transport(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/contentinfo") {
			return answer(req, 200, `{"contentUri":"https://acc.blob.core.windows.net/c/b?sv=1&sig=SECRET"}`), nil
		}
		client := &http.Client{Transport: failing{}}
		return client.Do(req)
	})})
	_, err := c.Artifacts("azureml://artifacts/ExperimentRun/dcid.r").Read(t.Context(), "x")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "SECRET")
	require.NotContains(t, err.Error(), "TOKEN")
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
