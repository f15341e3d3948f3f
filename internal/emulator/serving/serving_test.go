package serving

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// TestMain lets the test binary be the server that is deployed.
func TestMain(m *testing.M) {
	if os.Getenv("SERVING_TEST_SERVER") != "" {
		server()
		return
	}
	goleak.VerifyTestMain(m)
}

func server() {
	var crashes atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, r *http.Request) {})
	mux.HandleFunc("POST /invocations", func(w http.ResponseWriter, r *http.Request) {
		if b, _ := io.ReadAll(r.Body); string(b) == "bad" {
			http.Error(w, "bad rows", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, `{"predictions":[7]}`)
	})
	mux.HandleFunc("POST /score", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch string(b) {
		case "crash":
			crashes.Add(1)
			fmt.Println("crashing")
			os.Exit(7)
		case "bad":
			http.Error(w, "bad rows", http.StatusBadRequest)
		case "slow":
			time.Sleep(time.Minute)
		case "model":
			m, err := os.ReadFile(filepath.Join(os.Getenv("AZUREML_MODEL_DIR"), "m", "weights"))
			fmt.Fprint(w, string(m), err)
		default:
			fmt.Fprintf(w, "%s:%s", os.Getenv("WHO"), b)
		}
	})
	if os.Getenv("WHO") == "broken" {
		fmt.Println("cannot load the model")
		os.Exit(1)
	}
	fmt.Println("serving", os.Getenv("WHO"))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() { <-ctx.Done(); os.Exit(0) }()
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux) //nolint:errcheck // the test sees that it is gone
}

var sc = arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "w"}

type world struct {
	t        *testing.T
	h        *Host
	db       *store.DB
	blobs    *blob.Service
	endpoint Endpoint
	exe      string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(store.Options{Dir: dir})
	require.NoError(t, err)
	blobs, err := blob.New(db, filepath.Join(dir, "blobs"), nil)
	require.NoError(t, err)
	exe, err := os.Executable()
	require.NoError(t, err)
	w := &world{t: t, db: db, blobs: blobs, exe: exe}
	w.endpoint = Endpoint{Authorize: func(c string) bool { return c == "key" }, Traffic: map[string]int{"blue": 100}}
	w.h, err = New(Deps{
		Blobs: blobs, Resolver: &arm.Resolver{DB: db}, Dir: dir, Clock: time.Now, BaseEnv: []string{"PATH=" + os.Getenv("PATH")},
		Images:   map[string][]string{"test/server:1": {exe}},
		Endpoint: func(context.Context, arm.Scope, string) (*Endpoint, error) { e := w.endpoint; return &e, nil },
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, w.h.Close())
		require.NoError(t, blobs.Close())
		require.NoError(t, db.Close())
	})
	w.document("environments", "ready", map[string]any{"image": "test/server:1"})
	return w
}

func (w *world) document(collection, name string, properties map[string]any) string {
	id := sc.AssetID(collection, name, "1")
	body, err := json.Marshal(map[string]any{"id": id, "properties": properties})
	require.NoError(w.t, err)
	require.NoError(w.t, w.db.Update(w.t.Context(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: id, Type: collection, Parent: strings.TrimSuffix(id, "/versions/1"), Body: body})
		return err
	}))
	return id
}

func (w *world) put(name, content string) {
	ctx := w.t.Context()
	_, err := w.blobs.EnsureAccount(ctx, "acct")
	require.NoError(w.t, err)
	require.NoError(w.t, w.blobs.EnsureContainer(ctx, "acct", "models"))
	_, err = w.blobs.Put(ctx, "acct", "models", name, strings.NewReader(content), nil)
	require.NoError(w.t, err)
}

func props(who string, more map[string]any) json.RawMessage {
	p := map[string]any{
		"environmentId":        sc.AssetID("environments", "ready", "1"),
		"environmentVariables": map[string]any{"SERVING_TEST_SERVER": 1, "WHO": who},
	}
	for k, v := range more {
		p[k] = v
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) score(body, deployment string) (int, string, http.Header) {
	r := httptest.NewRequest(http.MethodPost, "/score", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	if deployment != "" {
		r.Header.Set(DeploymentHeader, deployment)
	}
	rec := httptest.NewRecorder()
	w.h.ServeScore(rec, r, sc, "ep")
	return rec.Code, rec.Body.String(), rec.Header()
}

func TestScore(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	w.put("models/m/weights", "42")
	model := w.document("models", "m", map[string]any{"modelUri": arm.BlobURL("acct", "models", "models/m"), "modelType": "custom_model"})
	require.NoError(t, w.h.Apply(ctx, sc, "ep", "blue", props("blue", map[string]any{"model": model}), 2))
	require.NoError(t, w.h.Apply(ctx, sc, "ep", "green", props("green", nil), 1))

	code, body, head := w.score("rows", "")
	require.Equal(t, 200, code)
	require.Equal(t, "blue:rows", body)
	require.Equal(t, "blue", head.Get(DeploymentHeader))
	_, body, _ = w.score("rows", "green")
	require.Equal(t, "green:rows", body)
	_, body, _ = w.score("model", "")
	require.Equal(t, "42<nil>", body)
	code, body, head = w.score("bad", "")
	require.Equal(t, http.StatusFailedDependency, code)
	require.Equal(t, "bad rows\n", body)
	require.Equal(t, "400", head.Get("ms-azureml-model-error-statuscode"))
	code, _, _ = w.score("x", "red")
	require.Equal(t, 404, code)

	w.endpoint.Traffic = map[string]int{"blue": 50, "green": 50}
	seen := map[string]int{}
	for range 60 {
		_, body, _ := w.score("x", "")
		seen[body]++
	}
	require.Len(t, seen, 2)
	w.endpoint.Traffic = nil
	code, _, _ = w.score("x", "")
	require.Equal(t, 404, code)

	r := httptest.NewRequest(http.MethodPost, "/score", nil)
	r.Header.Set("Authorization", "Bearer wrong")
	rec := httptest.NewRecorder()
	w.h.ServeScore(rec, r, sc, "ep")
	require.Equal(t, 401, rec.Code)

	log, err := w.h.Logs(sc, "ep", "green", "", 100)
	require.NoError(t, err)
	require.Contains(t, log, "serving green\n")
	init, err := w.h.Logs(sc, "ep", "blue", "StorageInitializer", 100)
	require.NoError(t, err)
	require.Contains(t, init, "fetched 1 files")
	w.h.Remove(sc, "ep", "green")
	_, err = w.h.Logs(sc, "ep", "green", "", 1)
	require.Equal(t, 404, arm.As(err).Status)
}

func TestACrashIsRestarted(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", props("blue", nil), 1))
	code, _, _ := w.score("crash", "")
	require.Equal(t, http.StatusBadGateway, code)
	require.Eventually(t, func() bool { code, _, _ := w.score("x", ""); return code == 200 }, 20*time.Second, 20*time.Millisecond)
	log, err := w.h.Logs(sc, "ep", "blue", "InferenceServer", 0)
	require.NoError(t, err)
	require.Contains(t, log, "ended with exit code 7; it is started again")
}

func TestADeploymentThatNeverBecomesReady(t *testing.T) {
	w := newWorld(t)
	err := w.h.Apply(t.Context(), sc, "ep", "blue", props("broken", nil), 1)
	require.ErrorContains(t, err, "ended with exit code 1, 3 times, before it was ready")
	require.ErrorContains(t, err, "cannot load the model")
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	more := map[string]any{"requestSettings": map[string]any{"requestTimeout": "PT0.3S", "maxQueueWait": "PT0.01S", "maxConcurrentRequestsPerInstance": 1}}
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", props("blue", more), 1))
	slow := make(chan int)
	go func() { code, _, _ := w.score("slow", ""); slow <- code }()
	require.Eventually(t, func() bool { code, _, _ := w.score("x", ""); return code == http.StatusTooManyRequests }, 5*time.Second, time.Millisecond)
	require.Equal(t, http.StatusRequestTimeout, <-slow)
}

// The build context of a Go server, as endpoints/serve writes it.
func TestBuildContext(t *testing.T) {
	w := newWorld(t)
	exe, err := os.ReadFile(w.exe)
	require.NoError(t, err)
	w.put("ctx/score", string(exe))
	w.put("ctx/Dockerfile", "FROM gcr.io/distroless/static\nWORKDIR /app\nCOPY score /app/score\nENV SERVING_TEST_SERVER=1 WHO=built\nENTRYPOINT [\"/app/score\"]\n")
	config := map[string]any{"livenessRoute": route{"/", 5001}, "readinessRoute": route{"/", 5001}, "scoringRoute": route{"/score", 5001}}
	env := w.document("environments", "built", map[string]any{"build": map[string]any{"contextUri": arm.BlobURL("acct", "models", "ctx/")}, "inferenceConfig": config})
	p, err := json.Marshal(map[string]any{"environmentId": env})
	require.NoError(t, err)
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", p, 1))
	_, body, _ := w.score("rows", "")
	require.Equal(t, "built:rows", body)
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.put("ctx/Dockerfile", "FROM x\nRUN make\n")
	config := map[string]any{"scoringRoute": route{"/score", 5001}}
	run := w.document("environments", "run", map[string]any{"build": map[string]any{"contextUri": arm.BlobURL("acct", "models", "ctx/")}, "inferenceConfig": config})
	img := w.document("environments", "img", map[string]any{"image": "unknown/image"})
	for want, p := range map[string]map[string]any{
		"dockerfile line 2: RUN":                        {"environmentId": run},
		"the image unknown/image of environment":        {"environmentId": img},
		"there is nothing to serve":                     {},
		`The model version "none@latest" was not found`: {"model": "azureml:none@latest"},
		"properties.requestSettings.requestTimeout":     {"environmentId": img, "requestSettings": map[string]any{"requestTimeout": "soon"}},
	} {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		err = w.h.Check(t.Context(), sc, b)
		require.Error(t, err, want)
		e := arm.As(err)
		require.Contains(t, e.Error(), want)
		require.Equal(t, 400, e.Status, want)
	}
}

func TestRestore(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.h.Restore(t.Context(), sc, "ep", "blue", props("blue", nil), 1))
	require.Eventually(t, func() bool { code, _, _ := w.score("x", ""); return code == 200 }, 20*time.Second, 10*time.Millisecond)
}
