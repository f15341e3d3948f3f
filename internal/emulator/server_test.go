package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// o is a JSON object.
type o = map[string]any

func paths(at string) string { return "azureml://datastores/workspaceblobstore/paths/" + at }

// TestMain lets the test binary be the server that is deployed.
func TestMain(m *testing.M) {
	if os.Getenv("EMULATOR_TEST_SERVER") != "" {
		scoringServer()
		return
	}
	goleak.VerifyTestMain(m)
}

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// open opens a server for a test. Options.Dir defaults to a fresh folder, and operations to none.
func open(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.OperationDelay == 0 {
		o.OperationDelay = -1
	}
	s, err := Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   []byte
	t      *testing.T
}

func (r *reply) doc() document {
	r.t.Helper()
	v, err := decode(r.body)
	require.NoError(r.t, err, string(r.body))
	require.IsType(r.t, map[string]any{}, v)
	return v.(map[string]any)
}

func (r *reply) want(status int) *reply {
	r.t.Helper()
	require.Equal(r.t, status, r.status, string(r.body))
	return r
}

func (r *reply) code() string {
	r.t.Helper()
	return r.doc().text("error", "code")
}

// client sends requests in process, or over the port when base is set.
type client struct {
	t     *testing.T
	s     *Server
	base  string
	token string
	set   http.Header // further headers
}

func inside(t *testing.T, s *Server) *client { return &client{t: t, s: s, token: s.Token()} }

func outside(t *testing.T, s *Server) *client {
	t.Helper()
	base, err := s.Listen("")
	require.NoError(t, err)
	return &client{t: t, s: s, base: base, token: s.Token()}
}

func (c *client) with(k, v string) *client {
	d := *c
	if d.set = c.set.Clone(); d.set == nil {
		d.set = http.Header{}
	}
	d.set.Set(k, v)
	return &d
}

// request makes a request: path may be absolute, else it is one of the resource manager.
func (c *client) request(method, path string, body any) *http.Request {
	c.t.Helper()
	var r io.Reader
	if body != nil {
		if s, ok := body.(string); ok {
			r = strings.NewReader(s)
		} else {
			b, err := json.Marshal(body)
			require.NoError(c.t, err)
			r = bytes.NewReader(b)
		}
	}
	if !strings.Contains(path, "://") {
		if c.base != "" {
			path = c.base + path
		} else {
			path = "https://" + arm.ARMHost + path
		}
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, path, r)
	require.NoError(c.t, err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for k, v := range c.set {
		req.Header[k] = v
	}
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
	}
	return req
}

func (c *client) send(req *http.Request) (*http.Response, error) {
	if c.base == "" {
		return c.s.Transport().Do(req)
	}
	return plainTransport.RoundTrip(req)
}

// plainTransport keeps no connection, so that none outlives its test.
var plainTransport = &http.Transport{DisableKeepAlives: true, DisableCompression: true}

func (c *client) do(method, path string, body any) *reply {
	c.t.Helper()
	res, err := c.send(c.request(method, path, body))
	require.NoError(c.t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	require.NoError(c.t, res.Body.Close())
	return &reply{res.StatusCode, res.Header, b, c.t}
}

const version = "?api-version=2024-04-01"

// at is a path in the workspace at birth, with an api-version.
func at(segments ...string) string { return DefaultScope.Child(segments...) + version }

func TestBirth(t *testing.T) {
	begin := time.Now()
	s := open(t, Options{})
	t.Logf("open: %s", time.Since(begin))
	c := inside(t, s)
	w := c.do("GET", DefaultScope.ID()+version, nil).want(200).doc()
	require.Equal(t, DefaultScope.ID(), w.text("id"))
	require.Equal(t, "local", w.text("name"))
	require.Equal(t, "Microsoft.MachineLearningServices/workspaces", w.text("type"))
	require.Equal(t, "https://eastus.api.azureml.ms/discovery", w.text("properties", "discoveryUrl"))
	require.Equal(t, "azureml://eastus.api.azureml.ms/mlflow/v1.0"+DefaultScope.ID(), w.text("properties", "mlFlowTrackingUri"))
	stores := c.do("GET", at("datastores"), nil).want(200).doc()
	require.Len(t, stores["value"], 4)
	def := c.do("GET", at("datastores")+"&isDefault=true", nil).want(200).doc()
	require.Len(t, def["value"], 1)
	cluster := c.do("GET", at("computes", "cpu-cluster"), nil).want(200).doc()
	require.Equal(t, "AmlCompute", cluster.text("properties", "computeType"))
	require.Positive(t, intOf(cluster.at("properties", "properties", "scaleSettings", "maxNodeCount")))
	require.NotEmpty(t, c.do("GET", at("environments"), nil).want(200).doc()["value"])
	latest := c.do("GET", at("environments", "sklearn-1.5", "versions")+"&$orderBy=createdtime+desc&$top=1", nil).want(200).doc()
	require.Len(t, latest["value"], 1)
	c.do("GET", DefaultScope.ID()+"x"+version, nil).want(404)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "a second time")

	if runtime.GOOS == "windows" { // folders there belong to their owner by their place
		return
	}
	for name, mode := range map[string]os.FileMode{"": 0o700, tokenFile: 0o600} {
		i, err := os.Stat(filepath.Join(s.Dir(), name))
		require.NoError(t, err)
		require.Equal(t, mode, i.Mode().Perm(), name)
	}
}

func TestASecondServerOnTheFolderIsRefused(t *testing.T) {
	s := open(t, Options{})
	_, err := Open(t.Context(), Options{Dir: s.Dir()})
	var locked *store.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, os.Getpid(), locked.PID)
}

func TestAReopenedFolderIsTheSame(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	c := outside(t, s)
	c.do("PUT", at("data", "d", "versions", "1"), map[string]any{"properties": map[string]any{"dataType": "uri_file", "dataUri": c.base + "/" + DefaultScope.Account() + "/x/y"}}).want(201)
	first := c.base
	require.NoError(t, s.Close())

	s = open(t, Options{Dir: dir})
	require.Equal(t, c.token, s.Token(), "the token stays")
	c = outside(t, s)
	require.NotEqual(t, first, c.base)
	uri := c.do("GET", at("data", "d", "versions", "1"), nil).want(200).doc().text("properties", "dataUri")
	require.Equal(t, c.base+"/"+DefaultScope.Account()+"/x/y", uri, "addresses follow the port")
	require.Equal(t, "https://"+DefaultScope.Account()+".blob.core.windows.net/x/y", inside(t, s).do("GET", at("data", "d", "versions", "1"), nil).want(200).doc().text("properties", "dataUri"))
	require.NotEqual(t, s.Token(), open(t, Options{}).Token(), "another folder, another token")
}

func (c *client) blob(name, text string) {
	c.t.Helper()
	_, err := c.s.blobs.Put(c.t.Context(), DefaultScope.Account(), DefaultScope.BlobContainer(), name, strings.NewReader(text), nil)
	require.NoError(c.t, err)
}

func (c *client) blobText(name string) string {
	c.t.Helper()
	r, err := c.s.blobs.Open(c.t.Context(), DefaultScope.Account(), DefaultScope.BlobContainer(), name)
	require.NoError(c.t, err, name)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(c.t, err)
	return string(b)
}
