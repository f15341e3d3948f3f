package endpoints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/jobs"
)

// service plays the parts of the service that scoring touches, at one loopback address, and keeps what it was asked.
type service struct {
	*httptest.Server
	mu      sync.Mutex
	mode    string // authMode
	key     string // that the scoring address takes
	listed  string // that listKeys tells; key when ""
	expires time.Time
	asked   []string
	score   http.HandlerFunc
	clock   *fixedClock
}

type fixedClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fixedClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *fixedClock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func (c *fixedClock) Sleep(ctx context.Context, d time.Duration) error { c.add(d); return ctx.Err() }

func newService(t *testing.T, mode string) (*service, *rest.Client) {
	s := &service{mode: mode, key: "the-key", clock: &fixedClock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	s.score = func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("Azureml-Model-Deployment", "blue")
		w.Header().Set("X-Ms-Request-Id", "r-1")
		fmt.Fprintf(w, `{"asked":%s,"deployment":%q,"type":%q}`, b, r.Header.Get("Azureml-Model-Deployment"), r.Header.Get("Content-Type"))
	}
	mux := http.NewServeMux()
	const w = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
	answer := func(pattern string, f func() any) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.note(r)
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(f())
		})
	}
	answer("GET "+w, func() any {
		return map[string]any{"location": "eastus", "properties": map[string]any{"discoveryUrl": s.URL + "/discovery"}}
	})
	answer("GET /discovery", func() any { return map[string]any{"api": s.URL} })
	answer("GET "+w+"/onlineEndpoints/{name}", func() any {
		return map[string]any{"name": "epp", "properties": map[string]any{"authMode": s.mode, "scoringUri": s.URL + "/score", "swaggerUri": s.URL + "/swagger.json"}}
	})
	answer("POST "+w+"/onlineEndpoints/{name}/listKeys", func() any {
		if s.listed != "" {
			return map[string]any{"primaryKey": s.listed}
		}
		return map[string]any{"primaryKey": s.key}
	})
	answer("POST "+w+"/onlineEndpoints/{name}/token", func() any {
		return map[string]any{"accessToken": s.key, "tokenType": "Bearer", "expiryTimeUtc": s.expires.Unix(), "refreshAfterTimeUtc": s.expires.Add(-time.Hour).Unix()}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.note(r)
		if r.Header.Get("Authorization") != "Bearer "+s.key {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		s.score(w, r)
	})
	s.Server = httptest.NewServer(mux)
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); s.Close() })
	c, err := rest.New(rest.ID{Subscription: "sub", ResourceGroup: "rg", Name: "ws"}, rest.StaticToken("static"), &rest.Options{
		Endpoint: s.URL, Clock: s.clock, ClientOptions: azcore.ClientOptions{Transport: &http.Client{Transport: transport}, Retry: policy.RetryOptions{MaxRetries: 2}},
	})
	require.NoError(t, err)
	return s, c
}

func (s *service) note(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
}

func (s *service) took() (a []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, s.asked = s.asked, nil
	return a
}

func TestScoreByKey(t *testing.T) {
	s, c := newService(t, "Key")
	online := NewOnlineClient(c)
	a, err := online.Score(t.Context(), "epp", map[string]any{"data": []int{1, 2}, "text": "a<b"}, &ScoreOptions{Deployment: "green", Header: http.Header{"x-extra": {"1"}}})
	require.NoError(t, err)
	var got struct {
		Asked            map[string]any
		Deployment, Type string
	}
	require.NoError(t, a.Decode(&got))
	require.Equal(t, "green", got.Deployment)
	require.Equal(t, "application/json", got.Type)
	require.Equal(t, "a<b", got.Asked["text"])
	require.Equal(t, "blue", a.Deployment)
	require.Equal(t, "r-1", a.RequestID)
	require.Equal(t, []string{"GET epp", "POST listKeys", "POST score"}, s.took())

	sc := online.Scorer("epp", nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := sc.Score(context.Background(), []byte(`[]`), nil)
			require.NoError(t, err)
		})
	}
	wg.Wait()
	took := s.took()
	require.Len(t, took, 10, "the endpoint is looked up once: %v", took)

	// The key is regenerated: the next request finds the new one.
	s.key = "another-key"
	_, err = sc.Score(t.Context(), strings.NewReader(`[]`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"POST score", "GET epp", "POST listKeys", "POST score"}, s.took())

	// A key that is refused for good is asked for once more, and then the error is told.
	s.listed = "an-old-key"
	_, err = online.Scorer("epp", nil).Score(t.Context(), "[]", nil)
	var se *ScoreError
	require.ErrorAs(t, err, &se)
	require.Equal(t, 401, se.Status)
	require.ErrorIs(t, err, azureml.ErrUnauthorized)
	require.Equal(t, []string{"GET epp", "POST listKeys", "POST score"}, s.took())

	b, err := online.Scorer("epp", &ScorerOptions{Key: "another-key"}).Swagger(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, b)
	require.Equal(t, []string{"GET epp", "GET swagger.json"}, s.took())
}

func TestScoreByTokens(t *testing.T) {
	s, c := newService(t, "AMLToken")
	s.expires = s.clock.Now().Add(2 * time.Hour)
	sc := NewOnlineClient(c).Scorer("epp", nil)
	for range 2 {
		_, err := sc.Score(t.Context(), []byte(`1`), nil)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"GET epp", "POST token", "POST score", "POST score"}, s.took())
	s.clock.add(61 * time.Minute) // past the time to refresh
	s.expires = s.clock.Now().Add(2 * time.Hour)
	_, err := sc.Score(t.Context(), []byte(`1`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"GET epp", "POST token", "POST score"}, s.took())

	s, c = newService(t, "AADToken")
	s.key = "static" // the caller's own
	_, err = NewOnlineClient(c).Score(t.Context(), "epp", []byte(`1`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"GET epp", "POST score"}, s.took())
}

func TestScoreFailures(t *testing.T) {
	s, c := newService(t, "Key")
	sc := NewOnlineClient(c).Scorer("epp", nil)
	fail := func(status int, headers ...string) {
		s.score = func(w http.ResponseWriter, r *http.Request) {
			for _, h := range headers {
				k, v, _ := strings.Cut(h, ": ")
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, "Traceback: division by zero")
		}
	}
	fail(424, "ms-azureml-model-error-statuscode: 500", "ms-azureml-model-error-reason: model_error", "azureml-model-deployment: blue", "x-ms-request-id: r-9")
	_, err := sc.Score(t.Context(), []byte(`1`), nil)
	require.EqualError(t, err, `online endpoints: score "epp": 424 Failed Dependency, deployment blue, the model's container answered 500 model_error: Traceback: division by zero (request r-9)`)
	var se *ScoreError
	require.ErrorAs(t, err, &se)
	require.Equal(t, 500, se.ModelStatus)
	var re *azcore.ResponseError
	require.True(t, errors.As(err, &re))
	require.NotContains(t, fmt.Sprintf("%+v", err), "the-key")

	// A model is not asked twice, unless the caller allows it, or the endpoint says "later".
	for _, x := range []struct {
		status  int
		headers []string
		again   bool
		want    int
	}{
		{500, nil, false, 1}, {502, nil, false, 1}, {503, nil, false, 1}, {429, nil, false, 1},
		{429, []string{"Retry-After: 1"}, false, 3}, {503, []string{"Retry-After: 1"}, false, 3}, {502, nil, true, 3}, {424, nil, true, 1},
	} {
		s.took()
		fail(x.status, x.headers...)
		_, err = sc.Score(t.Context(), []byte(`1`), &ScoreOptions{Repeatable: x.again})
		require.ErrorAs(t, err, &se)
		require.Equal(t, x.status, se.Status)
		require.Len(t, s.took(), x.want, "%+v", x)
	}
	_, err = sc.Score(t.Context(), nil, nil)
	require.ErrorContains(t, err, "nil")
	_, err = sc.Score(t.Context(), make(chan int), nil)
	require.ErrorContains(t, err, "encoding")
	_, err = NewOnlineClient(c).Score(t.Context(), "", []byte(`1`), nil)
	require.ErrorContains(t, err, "a name is empty")
}

// A key goes to a plain http address beyond loopback only when the caller says so.
func TestScoreOverPlainHTTP(t *testing.T) {
	var sent []string
	transport := doer(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.URL.String())
		body := `{"properties":{"authMode":"Key","scoringUri":"http://10.0.0.5/score"},"primaryKey":"k"}`
		return &http.Response{StatusCode: 200, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
	})
	c, err := rest.New(rest.ID{Subscription: "sub", ResourceGroup: "rg", Name: "ws"}, rest.StaticToken("x"), &rest.Options{ClientOptions: azcore.ClientOptions{Transport: transport}})
	require.NoError(t, err)
	online := NewOnlineClient(c)
	_, err = online.Score(t.Context(), "epp", []byte(`1`), nil)
	require.ErrorContains(t, err, "AllowHTTP")
	require.Len(t, sent, 2)
	_, err = online.Scorer("epp", &ScorerOptions{AllowHTTP: true}).Score(t.Context(), []byte(`1`), nil)
	require.NoError(t, err)
	require.Equal(t, "http://10.0.0.5/score", sent[len(sent)-1])
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

func TestBatchRequestBody(t *testing.T) {
	_, c := newService(t, "Key")
	b := NewBatchClient(c)
	m, err := b.request(t.Context(), &BatchRequest{
		Inputs: jobs.Inputs{
			"data": jobs.URIFolder("azureml://datastores/d/paths/p"), "file": jobs.URIFile("https://x/y.csv"), "table": jobs.MLTable("azureml:t:1").In(jobs.Direct),
			"n": jobs.Literal(5), "on": jobs.Literal(true), "asset": jobs.URIFolder("azureml:iris:3"),
		},
		Outputs: jobs.Outputs{"score": {Type: jobs.TypeURIFile, Path: "azureml://datastores/d/paths/out.csv"}},
		JobName: "j", Experiment: "e", InstanceCount: 2, MiniBatchSize: 7, OutputFile: "o.csv", ErrorThreshold: new(0), Retry: &Retry{MaxRetries: new(3), Timeout: 30 * time.Second},
	}, &InvokeOptions{})
	require.NoError(t, err)
	got, err := json.Marshal(m)
	require.NoError(t, err)
	w := "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
	require.JSONEq(t, `{"inputData":{"data":{"jobInputType":"UriFolder","uri":"azureml://datastores/d/paths/p"},"file":{"jobInputType":"UriFile","uri":"https://x/y.csv"},
		"table":{"jobInputType":"MLTable","uri":"`+w+`/data/t/versions/1","mode":"direct"},"n":{"jobInputType":"Literal","value":5},"on":{"jobInputType":"Literal","value":true},
		"asset":{"jobInputType":"UriFolder","uri":"`+w+`/data/iris/versions/3"}},
		"outputData":{"score":{"jobOutputType":"UriFile","uri":"azureml://datastores/d/paths/out.csv"}},"name":"j","properties":{"experimentName":"e"},
		"compute":{"instanceCount":2},"miniBatchSize":7,"outputFileName":"o.csv","errorThreshold":0,"retrySettings":{"maxRetries":3,"timeout":"PT30S"}}`, string(got))
	require.ErrorContains(t, (&BatchRequest{Inputs: jobs.Inputs{"x": {}}}).check("o"), "inputs.x")

	// What is not said about retries is the deployment's, and no retry can be said.
	for want, r := range map[string]*Retry{`{"retrySettings":{"timeout":"PT30S"}}`: {Timeout: 30 * time.Second}, `{"retrySettings":{"maxRetries":0}}`: {MaxRetries: new(0)}} {
		m, err := b.request(t.Context(), &BatchRequest{Retry: r}, &InvokeOptions{})
		require.NoError(t, err)
		got, err := json.Marshal(m)
		require.NoError(t, err)
		require.JSONEq(t, want, string(got))
	}
	err = (&BatchRequest{ErrorThreshold: new(-2), InstanceCount: -1, Retry: &Retry{MaxRetries: new(-1), Timeout: time.Millisecond}}).check("o")
	for _, want := range []string{"error_threshold: is -2", "instance_count: is -1", "retry_settings.max_retries: is -1", "retry_settings.timeout: is 1ms"} {
		require.ErrorContains(t, err, want)
	}
	// A path of here may say so; there is no such file.
	_, err = b.input(t.Context(), jobs.URIFile("file:///nowhere/rows.csv"), &InvokeOptions{})
	require.ErrorContains(t, err, "/nowhere/rows.csv")
}
