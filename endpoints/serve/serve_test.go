package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type rows struct {
	Rows [][]float64 `json:"rows"`
}

func sum(ctx context.Context, in rows) ([]float64, error) {
	var out []float64
	for i, r := range in.Rows {
		if len(r) == 0 {
			return nil, BadInput("row %d is empty", i)
		}
		s := 0.0
		for _, v := range r {
			s += v
		}
		out = append(out, s)
		switch s {
		case 13:
			panic("unlucky")
		case 14:
			return nil, errors.New("secret detail")
		case 15:
			<-ctx.Done()
			return nil, ctx.Err()
		}
	}
	return out, nil
}

// serving starts a server and returns its address.
func serving(t *testing.T, load Load, o Options) (base string, log *bytes.Buffer, stop func() error) {
	t.Helper()
	client := http.DefaultTransport.(*http.Transport)
	ctx, cancel := context.WithCancel(t.Context())
	at := make(chan net.Addr, 1)
	log = &bytes.Buffer{}
	o.Addr, o.Listening, o.Logger = "127.0.0.1:0", func(a net.Addr) { at <- a }, slog.New(slog.NewTextHandler(log, nil))
	done := make(chan error, 1)
	go func() { done <- Run(ctx, load, &o) }()
	stop = func() error { cancel(); client.CloseIdleConnections(); return <-done }
	return "http://" + (<-at).String(), log, stop
}

func call(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, strings.TrimSpace(string(b))
}

func TestRun(t *testing.T) {
	t.Setenv("AZUREML_MODEL_DIR", "/models/m")
	hold := make(chan struct{})
	base, log, stop := serving(t, func(_ context.Context, dir string) (http.Handler, error) {
		require.Equal(t, "/models/m", dir)
		<-hold
		return JSON(sum), nil
	}, Options{MaxBody: 100, Timeout: 100 * time.Millisecond})
	code, text := call(t, "GET", base+"/", "")
	require.Equal(t, 200, code, "it lives while it loads")
	require.Equal(t, "Healthy", text)
	code, _ = call(t, "GET", base+"/ready", "")
	require.Equal(t, 503, code)
	code, _ = call(t, "POST", base+"/score", `{"rows":[[1]]}`)
	require.Equal(t, 503, code)
	close(hold)
	require.Eventually(t, func() bool { code, _ := call(t, "GET", base+"/ready", ""); return code == 200 }, 5*time.Second, time.Millisecond)
	for _, c := range []struct {
		body string
		code int
		want string
	}{
		{`{"rows":[[1,2],[3]]}`, 200, "[3,3]"},
		{`{"rows":[[]]}`, 400, `{"message":"row 0 is empty"}`},
		{`{"row":[[1]]}`, 400, `unknown field \"row\"`},
		{`{"rows":`, 400, "not what the model takes"},
		{`{"rows":[[1]]} x`, 400, "goes on behind"},
		{`{"rows":[[` + strings.Repeat("1,", 100) + `1]]}`, 413, "larger than 100 bytes"},
		{`{"rows":[[13]]}`, 500, `{"message":"scoring failed"}`},
		{`{"rows":[[14]]}`, 500, `{"message":"scoring failed"}`},
		{`{"rows":[[15]]}`, 503, "took too long"},
	} {
		code, text := call(t, "POST", base+"/score", c.body)
		require.Equal(t, c.code, code, c.body)
		require.Contains(t, text, c.want)
	}
	code, _ = call(t, "GET", base+"/score", "")
	require.Equal(t, 405, code)
	code, _ = call(t, "GET", base+"/nope", "")
	require.Equal(t, 404, code)
	require.NoError(t, stop())
	require.Contains(t, log.String(), "secret detail")
	require.Contains(t, log.String(), "unlucky")
}

// A request is found in the logs of both sides by its ids; a failure of the model is told from one of the way.
func TestRequestIDs(t *testing.T) {
	base, log, stop := serving(t, func(context.Context, string) (http.Handler, error) { return JSON(sum), nil }, Options{})
	require.Eventually(t, func() bool { code, _ := call(t, "GET", base+"/ready", ""); return code == 200 }, 5*time.Second, time.Millisecond)
	ask := func(body string, header ...string) *http.Response {
		req, err := http.NewRequest("POST", base+"/score", strings.NewReader(body))
		require.NoError(t, err)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp
	}
	resp := ask(`{"rows":[[1]]}`, "x-ms-client-request-id", "mine", "x-request-id", "theirs")
	require.Equal(t, []string{"theirs", "mine", "mine"}, []string{resp.Header.Get("x-request-id"), resp.Header.Get("x-ms-client-request-id"), resp.Header.Get("x-ms-request-id")})
	require.NotEmpty(t, resp.Header.Get("x-ms-run-fn-exec-ms"))
	require.Empty(t, resp.Header.Get("x-ms-run-function-failed"))
	resp = ask(`{"rows":[[13]]}`)
	require.Equal(t, "True", resp.Header.Get("x-ms-run-function-failed"))
	require.Len(t, resp.Header.Get("x-request-id"), 32)
	require.Equal(t, 431, ask(`{}`, "x-ms-request-id", strings.Repeat("x", 101)).StatusCode)
	require.NoError(t, stop())
	require.Contains(t, log.String(), "request=theirs")
	require.Contains(t, log.String(), "serve_test.go", "the stack of a panic")
}

func TestLoadFails(t *testing.T) {
	err := Run(t.Context(), func(context.Context, string) (http.Handler, error) { return nil, errors.New("no weights") },
		&Options{Addr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	require.EqualError(t, err, "serve: load the model: no weights")
}

func TestFindFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "model", "b"), 0o755))
	at := filepath.Join(dir, "model", "model.json")
	require.NoError(t, os.WriteFile(at, nil, 0o600))
	got, err := FindFile(dir, "model.json")
	require.NoError(t, err)
	require.Equal(t, at, got)
	_, err = FindFile(dir, "x")
	require.EqualError(t, err, `serve: the model has no file "x"; it has: model/model.json`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.json"), nil, 0o600))
	_, err = FindFile(dir, "model.json")
	require.ErrorContains(t, err, "more than one file")
	_, err = FindFile("", "x")
	require.ErrorContains(t, err, "AZUREML_MODEL_DIR is not set")
}

func TestContext(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "cmd", "score"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cmd", "score", "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "labels.txt"), []byte("a\n"), 0o600))
	out := filepath.Join(t.TempDir(), "ctx")
	b, err := Context(t.Context(), "./cmd/score", &ContextOptions{Dir: dir, Output: out, Files: []string{"labels.txt"}})
	require.NoError(t, err)
	require.Equal(t, &BuildContext{Dir: out, Dockerfile: "Dockerfile", Port: 5001, Score: "/score", Liveness: "/", Readiness: "/ready"}, b)
	text, err := os.ReadFile(filepath.Join(out, "Dockerfile"))
	require.NoError(t, err)
	require.Contains(t, string(text), `ENTRYPOINT ["/bin/sh", "-c", "chmod +x /app/score && exec /app/score"]`)
	require.FileExists(t, filepath.Join(out, "score"))
	require.FileExists(t, filepath.Join(out, "labels.txt"))
	_, err = Context(t.Context(), "./cmd/score", &ContextOptions{Dir: dir, Output: out})
	require.ErrorContains(t, err, "is not empty")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o600))
	_, err = Context(t.Context(), "./cmd/score", &ContextOptions{Dir: dir, Files: []string{"Dockerfile"}})
	require.ErrorContains(t, err, "Dockerfile is there twice")
	_, err = Context(t.Context(), "./none", &ContextOptions{Dir: dir})
	require.ErrorContains(t, err, `serve: context of "./none"`)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"rows":[[1]]}`))
	f.Add([]byte(`{"rows":[[1]]}{`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, status, err := decode[rows](bytes.NewReader(b)); (err == nil) != (status == 0) {
			t.Fatal(status, err)
		}
	})
}
