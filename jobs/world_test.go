package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/internal/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testWorkspace = "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
	testHistory   = "/history/v1.0" + testWorkspace
)

// world is a transport that answers from handlers by "METHOD path"; what has none is 404. It knows the workspace, and has
// every version of an asset and every datastore but those called gone.
type world struct {
	t    testing.TB
	mu   sync.Mutex
	on   map[string]http.HandlerFunc
	wild map[string]http.HandlerFunc // by the beginning of "METHOD path"
	sent []sentCall
	// fail, when set, is asked before a request is answered.
	fail func(r *http.Request) error
}

var worldHas = regexp.MustCompile(`/workspaces/ws/(?:(?:data|models|environments|components)/[^/]+/versions/[^/]+|datastores/[^/]+)$`)

type sentCall struct {
	method, path string
	query        string
	header       http.Header
	body         map[string]any
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, on: map[string]http.HandlerFunc{}, wild: map[string]http.HandlerFunc{}}
	w.answer("GET "+testWorkspace, map[string]any{"location": "eastus", "properties": map[string]any{"discoveryUrl": "https://eastus.api.azureml.ms/discovery", "workspaceId": "g"}})
	w.answer("GET /discovery", map[string]any{"api": "https://eastus.api.azureml.ms"})
	return w
}

func (w *world) handle(route string, f http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on[route] = f
}

func (w *world) answer(route string, doc any) {
	w.handle(route, func(rw http.ResponseWriter, _ *http.Request) { writeJSON(rw, http.StatusOK, doc) })
}

func writeJSON(rw http.ResponseWriter, status int, doc any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	if err := json.NewEncoder(rw).Encode(doc); err != nil {
		panic(err)
	}
}

func (w *world) Do(r *http.Request) (*http.Response, error) {
	call := sentCall{method: r.Method, path: r.URL.Path, query: r.URL.RawQuery, header: r.Header.Clone()}
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		if len(b) > 0 {
			if err := json.Unmarshal(b, &call.body); err != nil {
				return nil, fmt.Errorf("%s %s: %w: %s", r.Method, r.URL, err, b)
			}
		}
	}
	w.mu.Lock()
	w.sent = append(w.sent, call)
	f, fail := w.on[r.Method+" "+r.URL.Path], w.fail
	for prefix, any := range w.wild {
		if f == nil && strings.HasPrefix(r.Method+" "+r.URL.Path, prefix) {
			f = any
		}
	}
	w.mu.Unlock()
	if f == nil && r.Method == http.MethodGet && worldHas.MatchString(r.URL.Path) && !strings.Contains(r.URL.Path, "/gone") && !strings.Contains(r.URL.Path, "/azureml_anonymous/") {
		f = func(rw http.ResponseWriter, r *http.Request) {
			writeJSON(rw, http.StatusOK, map[string]any{"id": r.URL.Path})
		}
	}
	if fail != nil {
		if err := fail(r); err != nil {
			return nil, err
		}
	}
	rec := httptest.NewRecorder()
	if f == nil {
		writeJSON(rec, http.StatusNotFound, map[string]any{"error": map[string]any{"code": "UserError", "message": r.Method + " " + r.URL.Path + " is not there"}})
	} else {
		f(rec, r)
	}
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

// echo answers what is put below a path with what was put, under its id.
func (w *world) echo(path string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wild["PUT "+path] = func(rw http.ResponseWriter, r *http.Request) {
		var doc map[string]any
		if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
			panic(err)
		}
		doc["id"], doc["name"] = r.URL.Path, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		writeJSON(rw, http.StatusCreated, doc)
	}
}

// calls are the requests sent so far, as "METHOD path".
func (w *world) calls(prefix string) (out []sentCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.sent {
		if strings.HasPrefix(c.method+" "+c.path, prefix) {
			out = append(out, c)
		}
	}
	return out
}

// clock moves only when somebody sleeps, or moves it.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	onStep func(time.Time) // called after each sleep
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.now = c.now.Add(d)
	now, f := c.now, c.onStep
	c.mu.Unlock()
	if f != nil {
		f(now)
	}
	return ctx.Err()
}

type fakeCredential struct{}

func (fakeCredential) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "token for " + strings.Join(o.Scopes, " "), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (w *world) client() (*Client, *clock) {
	w.t.Helper()
	clk := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	return w.clientWith(w, clk), clk
}

// fakeJob is a job of the world whose state and logs a test moves.
type fakeJob struct {
	w      *world
	mu     sync.Mutex
	name   string
	status Status
	logs   map[string]string
	err    any
	ranges []string // what was asked of the logs
}

func (w *world) job(name string, status Status) *fakeJob {
	j := &fakeJob{w: w, name: name, status: status, logs: map[string]string{}}
	w.handle("GET "+testWorkspace+"/jobs/"+name, func(rw http.ResponseWriter, _ *http.Request) {
		j.mu.Lock()
		defer j.mu.Unlock()
		writeJSON(rw, http.StatusOK, map[string]any{"id": testWorkspace + "/jobs/" + name, "name": name, "properties": map[string]any{
			"jobType": "Command", "command": "x", "environmentId": "azureml:e:1", "experimentName": "exp", "status": j.status, "displayName": name,
			"tags": map[string]any{"a": "b"}, "properties": map[string]any{"p": "q"},
		}})
	})
	w.handle("GET "+testHistory+"/runs/"+name+"/details", func(rw http.ResponseWriter, _ *http.Request) {
		j.mu.Lock()
		defer j.mu.Unlock()
		files := map[string]string{}
		for f := range j.logs {
			files[f] = "https://acct.blob.core.windows.net/logs/" + name + "/" + f + "?sig=secret"
		}
		writeJSON(rw, http.StatusOK, map[string]any{"runId": name, "status": j.status, "logFiles": files, "error": j.err,
			"startTimeUtc": "2026-01-01T00:00:05.1234567+00:00", "endTimeUtc": "2026-01-01T00:01:05.1234567+00:00"})
	})
	return j
}

func (j *fakeJob) set(status Status) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.status = status
}

// write adds to a log file.
func (j *fakeJob) write(file, text string) {
	j.mu.Lock()
	old, there := j.logs[file]
	j.logs[file] = old + text
	j.mu.Unlock()
	if !there {
		j.serve(file)
	}
}

func (j *fakeJob) serve(file string) {
	j.w.handle("GET /logs/"+j.name+"/"+file, func(rw http.ResponseWriter, r *http.Request) {
		require.Empty(j.w.t, r.Header.Get("Authorization"), "a signed address never sees a token")
		j.mu.Lock()
		text := j.logs[file]
		j.ranges = append(j.ranges, file+" "+r.Header.Get("Range"))
		j.mu.Unlock()
		var from, to int
		if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); n < 2 {
			to = len(text) - 1
		}
		if from >= len(text) {
			rw.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(text)))
			rw.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		to = min(to, len(text)-1)
		rw.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(text)))
		rw.WriteHeader(http.StatusPartialContent)
		if _, err := io.WriteString(rw, text[from:to+1]); err != nil {
			panic(err)
		}
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// clientWith is a client on another transport.
func (w *world) clientWith(tr policy.Transporter, clk *clock) *Client {
	o := &rest.Options{Clock: clk}
	o.Transport = tr
	o.Retry.MaxRetries = -1 // what is tested here are the jobs' own
	r, err := rest.New(rest.ID{Subscription: "00000000-0000-0000-0000-0000000000aa", ResourceGroup: "rg", Name: "ws"}, fakeCredential{}, o)
	require.NoError(w.t, err)
	return NewClient(r)
}

// writeFile makes a file, and its folder.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}
