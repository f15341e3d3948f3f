package rest

import (
	"context"
	"io"
	"net/http"
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

// script is a transport that answers in order and keeps what it was sent.
type script struct {
	mu    sync.Mutex
	steps []func(*http.Request) (*http.Response, error)
	sent  []sent
}

type sent struct {
	method, url, body string
	header            http.Header
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	var body string
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	s.mu.Lock()
	s.sent = append(s.sent, sent{r.Method, r.URL.String(), body, r.Header.Clone()})
	var step func(*http.Request) (*http.Response, error)
	switch n := len(s.sent); {
	case n <= len(s.steps):
		step = s.steps[n-1]
	case len(s.steps) > 0:
		step = s.steps[len(s.steps)-1]
	}
	s.mu.Unlock()
	return step(r)
}

func (s *script) urls() (u []string) {
	for _, x := range s.sent {
		u = append(u, x.method+" "+x.url)
	}
	return u
}

// say is an answer with headers given as "Name: value".
func say(status int, body string, headers ...string) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		h := http.Header{"Content-Type": {"application/json"}}
		for _, x := range headers {
			k, v, _ := strings.Cut(x, ": ")
			h.Set(k, v)
		}
		return &http.Response{
			StatusCode: status, Status: http.StatusText(status), Header: h, Request: r,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

func fail(err error) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// testClock never waits and keeps what it was asked to wait for.
type testClock struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
}

func newTestClock() *testClock { return &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = append(c.waits, d)
	c.now = c.now.Add(d)
	return ctx.Err()
}

// realCredential stands for azidentity's: any type that is not a static token.
type realCredential struct {
	mu     sync.Mutex
	scopes []string
}

const secretToken = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJzZWNyZXQifQ.c2lnbmF0dXJlLXNlY3JldA"

func (c *realCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scopes = append(c.scopes, o.Scopes...)
	return azcore.AccessToken{Token: secretToken, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

var testID = ID{Subscription: "00000000-0000-0000-0000-0000000000aa", ResourceGroup: "rg", Name: "ws"}

const wsPath = "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"

func newTestClient(t *testing.T, o *Options, steps ...func(*http.Request) (*http.Response, error)) (*Client, *script) {
	t.Helper()
	s := &script{steps: steps}
	if o == nil {
		o = &Options{}
	}
	if o.Transport == nil {
		o.Transport = s
	}
	if o.Clock == nil {
		o.Clock = newTestClock()
	}
	c, err := New(testID, &realCredential{}, o)
	require.NoError(t, err)
	return c, s
}

// workspaceThenDiscovery are the two answers that discovery asks for.
func workspaceThenDiscovery() []func(*http.Request) (*http.Response, error) {
	return []func(*http.Request) (*http.Response, error){
		say(200, `{"id":"`+wsPath+`","location":"eastus","properties":{"workspaceId":"guid","discoveryUrl":"https://eastus.api.azureml.ms/discovery","mlFlowTrackingUri":"azureml://x","tenantId":"t"}}`),
		say(200, `{"api":"https://eastus.api.azureml.ms","history":"https://eastus.history.azureml.ms/","studio":"https://ml.azure.com","junk":5}`),
	}
}
