package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestRetryTable(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	truncated := func(r *http.Request) (*http.Response, error) {
		resp, err := say(200, "")(r)
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"a":`), errReader{io.ErrUnexpectedEOF}))
		return resp, err
	}
	faults := map[string]func(*http.Request) (*http.Response, error){
		"429 with Retry-After":    say(429, `{}`, "Retry-After: 2"),
		"429 with retry-after-ms": say(429, `{}`, "retry-after-ms: 20"),
		"429":                     say(429, `{}`),
		"503 with Retry-After":    say(503, `{}`, "Retry-After: 2"),
		"503":                     say(503, `{}`),
		"500":                     say(500, `{}`),
		"502":                     say(502, `{}`),
		"504 with Retry-After":    say(504, `{}`, "Retry-After: 2"),
		"408":                     say(408, `{}`),
		"409":                     say(409, `{}`),
		"dial":                    fail(dial),
		"reset":                   fail(reset),
		"truncated":               truncated,
	}
	type want struct {
		attempts int
		unknown  bool
	}
	again, no := want{attempts: 2}, want{attempts: 1}
	lost := want{attempts: 1, unknown: true}
	safe := map[string]want{
		"429 with Retry-After": again, "429 with retry-after-ms": again, "429": again, "503 with Retry-After": again, "503": again,
		"500": again, "502": again, "504 with Retry-After": again, "408": again, "409": no, "dial": again, "reset": again, "truncated": again,
	}
	unsafe := map[string]want{
		"429 with Retry-After": again, "429 with retry-after-ms": again, "429": no, "503 with Retry-After": again, "503": lost,
		"500": lost, "502": lost, "504 with Retry-After": lost, "408": no, "409": no, "dial": again, "reset": lost, "truncated": lost,
	}
	for name, fault := range faults {
		for _, m := range []struct {
			method     string
			idempotent bool
			want       want
		}{
			{"GET", false, safe[name]}, {"HEAD", false, safe[name]}, {"PUT", false, safe[name]}, {"DELETE", false, safe[name]},
			{"POST", true, safe[name]}, {"PATCH", true, safe[name]}, {"POST", false, unsafe[name]}, {"PATCH", false, unsafe[name]},
		} {
			t.Run(fmt.Sprintf("%s %s idempotent=%v", name, m.method, m.idempotent), func(t *testing.T) {
				c, s := newTestClient(t, nil, fault, say(200, `{}`))
				call := &Call{Op: `jobs: try "x"`, Method: m.method, Path: c.Path("jobs", "x"), Group: "jobs", Idempotent: m.idempotent}
				if m.method != "GET" && m.method != "HEAD" {
					call.Body = map[string]string{"k": "v"}
				}
				err := c.Do(t.Context(), call)
				require.Len(t, s.sent, m.want.attempts, "%v", err)
				if m.want.attempts == 2 {
					require.NoError(t, err)
					require.Equal(t, s.sent[0].body, s.sent[1].body, "the body is sent again whole")
					return
				}
				require.ErrorContains(t, err, `jobs: try "x": `)
				require.Equal(t, m.want.unknown, errors.Is(err, azureml.ErrOutcomeUnknown), "%v", err)
				require.Equal(t, m.want.unknown, strings.Contains(err.Error(), "outcome is unknown"), "%v", err)
			})
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestRetryWaitsAsAsked(t *testing.T) {
	clock := newTestClock()
	date := clock.now.Add(10 * time.Second).Format(http.TimeFormat)
	c, _ := newTestClient(t, &Options{Clock: clock},
		say(429, ``, "Retry-After: 7"), say(503, ``, "retry-after-ms: 250", "Retry-After: 9"), say(429, ``, "Retry-After: "+date), say(200, `{}`))
	require.NoError(t, c.Do(t.Context(), &Call{Path: c.Path(), Group: "workspaces"}))
	require.Equal(t, []time.Duration{7 * time.Second, 250 * time.Millisecond, 10*time.Second - 7250*time.Millisecond}, clock.waits)
}

func TestRetryGivesUp(t *testing.T) {
	clock := newTestClock()
	c, s := newTestClient(t, &Options{Clock: clock}, say(500, `{"error":{"code":"Boom","message":"m"}}`))
	require.ErrorContains(t, c.Do(t.Context(), &Call{Path: c.Path(), Group: "workspaces"}), "500 Boom: m")
	require.Len(t, s.sent, 4)
	require.Len(t, clock.waits, 3)
	for i := 1; i < 3; i++ {
		require.Greater(t, clock.waits[i], clock.waits[i-1], "the wait grows")
	}

	c, s = newTestClient(t, &Options{ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}}, say(500, ``))
	require.Error(t, c.Do(t.Context(), &Call{Path: c.Path(), Group: "workspaces"}))
	require.Len(t, s.sent, 1)

	c, s = newTestClient(t, nil, say(429, ``, "Retry-After: 3600"))
	require.Error(t, c.Do(t.Context(), &Call{Path: c.Path(), Group: "workspaces"}))
	require.Len(t, s.sent, 1, "a wait above MaxRetryDelay is not waited for")
}

// A caller's own retry options in the context must not make azcore's policy repeat what ours does not.
func TestRetryOptionsOfContext(t *testing.T) {
	c, s := newTestClient(t, nil, say(500, ``))
	ctx := policy.WithRetryOptions(t.Context(), policy.RetryOptions{MaxRetries: 5, RetryDelay: time.Nanosecond})
	require.ErrorIs(t, c.Do(ctx, &Call{Method: "POST", Path: c.Path("x"), Group: "jobs"}), azureml.ErrOutcomeUnknown)
	require.Len(t, s.sent, 1)
}

func TestRetryEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c, s := newTestClient(t, nil, func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	})
	err := c.Do(ctx, &Call{Method: "POST", Path: c.Path("x"), Group: "jobs"})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, azureml.ErrOutcomeUnknown)
	require.Len(t, s.sent, 1)
}

// The same over sockets, where the client sees whether bytes were written.
func TestRetryOverSockets(t *testing.T) {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := func(t *testing.T, url string) *Client {
		c, err := New(testID, StaticToken("t"), &Options{
			Endpoint: url, Clock: newTestClock(), ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: transport}},
		})
		require.NoError(t, err)
		return c
	}
	var hits atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}))
	defer server.Close()
	c := client(t, server.URL)
	err := c.Do(t.Context(), &Call{Method: "POST", Path: c.Path("x"), Group: "jobs", Body: []byte(`{}`)})
	require.ErrorIs(t, err, azureml.ErrOutcomeUnknown)
	require.EqualValues(t, 1, hits.Load(), "a POST whose answer was lost is sent once")
	hits.Store(0)
	require.Error(t, c.Do(t.Context(), &Call{Method: "PUT", Path: c.Path("x"), Group: "jobs", Body: []byte(`{}`)}))
	require.EqualValues(t, 4, hits.Load())

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	clock := newTestClock()
	c = client(t, closed)
	c.options.Clock = clock
	c.pipeline = c.newPipeline()
	err = c.Do(t.Context(), &Call{Method: "POST", Path: c.Path("x"), Group: "jobs", Body: []byte(`{}`)})
	require.Error(t, err)
	require.NotErrorIs(t, err, azureml.ErrOutcomeUnknown, "nothing was written")
	require.Len(t, clock.waits, 3, "and so it was tried again")
}

func TestTryTimeout(t *testing.T) {
	slow := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	o := &Options{ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{TryTimeout: time.Millisecond}}}
	c, s := newTestClient(t, o, slow, slow, say(200, `{"a":1}`))
	var out struct{ A int }
	require.NoError(t, c.Do(t.Context(), &Call{Path: c.Path("x"), Group: "jobs", Out: &out}))
	require.Equal(t, 1, out.A)
	require.Len(t, s.sent, 3)
}
