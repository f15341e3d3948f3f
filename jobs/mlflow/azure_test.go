package mlflow

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const azureScope = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"

// storage is run history and the blob service, as far as artifacts go.
type storage struct {
	mu       sync.Mutex
	blobs    map[string][]byte
	blocks   map[string][]byte
	requests []string
	sizes    []int // of batches
	expired  map[string]bool
}

func (s *storage) Do(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body) // a test's own bytes
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, req.Method+" "+req.URL.Path)
	if req.URL.Host == "acc.blob.core.windows.net" {
		return s.blob(req, body), nil
	}
	if req.Header.Get("Authorization") != "Bearer T" {
		return answer(req, 401, ""), nil
	}
	q := req.URL.Query()
	switch {
	case strings.HasSuffix(req.URL.Path, "/artifacts/batch/metadata"), strings.Contains(req.URL.Path, "/artifacts/LocalUpload/"):
		var in struct {
			Paths []struct {
				Path string `json:"path"`
			} `json:"paths"`
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return answer(req, 400, ""), nil
		}
		s.sizes = append(s.sizes, len(in.Paths))
		content, faults := map[string]any{}, map[string]any{}
		for _, p := range in.Paths {
			if strings.Contains(p.Path, "refused") {
				faults[p.Path] = map[string]any{"error": map[string]any{"code": "UserError", "message": "no such place"}}
				continue
			}
			content[p.Path] = map[string]any{"contentUri": "https://acc.blob.core.windows.net/c/" + url.PathEscape(p.Path) + "?sv=1&sig=a%2Fb%3D"}
		}
		b, err := json.Marshal(map[string]any{"artifactContentInformation": content, "errors": faults})
		return answer(req, 200, string(b)), err
	case strings.HasSuffix(req.URL.Path, "/artifacts/contentinfo"):
		return answer(req, 200, `{"contentUri":"https://acc.blob.core.windows.net/c/`+url.PathEscape(q.Get("path"))+`?sv=1&sig=a%2Fb%3D"}`), nil
	case strings.HasSuffix(req.URL.Path, "/artifacts"):
		var value []map[string]string
		names := slices.Sorted(maps.Keys(s.blobs))
		next := ""
		if q.Get("continuationToken") == "" && len(names) > 1 {
			names, next = names[:1], "second"
		} else if len(names) > 1 {
			names = names[1:]
		}
		for _, n := range names {
			value = append(value, map[string]string{"path": n})
		}
		b, err := json.Marshal(map[string]any{"value": value, "continuationToken": next})
		return answer(req, 200, string(b)), err
	}
	return answer(req, 404, `{"error":{"code":"NotFound","message":"no route"}}`), nil
}

func (s *storage) blob(req *http.Request, body []byte) *http.Response {
	name := strings.TrimPrefix(req.URL.Path, "/c/")
	q := req.URL.Query()
	if q.Get("sig") != "a/b=" || req.Header.Get("Authorization") != "" {
		return answer(req, 403, "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>m</Message></Error>")
	}
	if s.expired[name] {
		delete(s.expired, name)
		return answer(req, 403, "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>expired</Message></Error>")
	}
	switch {
	case req.Method == "GET":
		b, ok := s.blobs[name]
		if !ok {
			return answer(req, 404, "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>m</Message></Error>", "x-ms-error-code", "BlobNotFound")
		}
		return answer(req, 200, string(b), "ETag", `"1"`)
	case q.Get("comp") == "block":
		s.blocks[q.Get("blockid")] = body
	case q.Get("comp") == "blocklist":
		var all []byte
		for _, part := range strings.Split(string(body), "<Latest>")[1:] {
			id, _, _ := strings.Cut(part, "<")
			all = append(all, s.blocks[id]...)
		}
		s.blobs[name] = all
	case req.Header.Get("X-Ms-Blob-Type") == "BlockBlob":
		s.blobs[name] = body
	default:
		return answer(req, 400, "")
	}
	return answer(req, 201, "")
}

func azureArtifacts(t *testing.T, s *storage) *Artifacts {
	c := open(t, workspaceURI, Options{Token: "T", Transport: s, Retry: Retry{Max: -1}})
	return c.Artifacts("azureml://eastus.api.azureml.ms/mlflow/v2.0" + azureScope + "/experiments/exp/runs/r1/artifacts")
}

func TestAzureArtifacts(t *testing.T) {
	s := &storage{blobs: map[string][]byte{}, blocks: map[string][]byte{}, expired: map[string]bool{"tree/x/7.txt": true}}
	a := azureArtifacts(t, s)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "x"), 0o777))
	for i := range 60 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "x", fmt.Sprintf("%d.txt", i)), fmt.Append(nil, i), 0o666))
	}
	require.NoError(t, a.Upload(t.Context(), dir, "tree"))
	require.Equal(t, []int{50, 10, 1}, s.sizes, "fifty at a time; the expired signature is asked for again")
	require.Equal(t, "7", string(s.blobs["tree/x/7.txt"]))
	require.Len(t, s.blobs, 60)
	require.Contains(t, s.requests, "POST /history/v1.0"+azureScope+"/experiments/exp/runs/r1/artifacts/batch/metadata")

	list, err := a.children(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []FileInfo{{Path: "tree", IsDir: true, Size: -1}}, list)
	to := t.TempDir()
	written, err := a.Download(t.Context(), "tree", to)
	require.NoError(t, err)
	require.Len(t, written, 60)
	b, err := os.ReadFile(filepath.Join(to, "x", "42.txt"))
	require.NoError(t, err)
	require.Equal(t, "42", string(b))

	require.ErrorContains(t, a.Text(t.Context(), "refused.txt", "x"), "no such place")
	_, err = a.Read(t.Context(), "nowhere")
	require.ErrorIs(t, err, ErrNotFound)
	require.ErrorIs(t, a.Remove(t.Context(), "tree"), ErrUnsupported)
}

func TestAzureLargeFileGoesInBlocks(t *testing.T) {
	s := &storage{blobs: map[string][]byte{}, blocks: map[string][]byte{}}
	a := azureArtifacts(t, s)
	content := make([]byte, singlePut+5)
	content[singlePut+4], content[blockSize] = 7, 8
	require.NoError(t, a.Write(t.Context(), "big.bin", content))
	require.Len(t, s.blocks, 3)
	require.Equal(t, content, s.blobs["big.bin"])
}

func TestAzureArtifactURIs(t *testing.T) {
	c := open(t, workspaceURI, Options{Token: "T"})
	for uri, want := range map[string]string{
		"azureml://eastus.api.azureml.ms/mlflow/v2.0" + azureScope + "/experiments/e x/runs/r/artifacts/a/b": "/history/v1.0" + azureScope + "/experiments/e%20x/runs/r/artifacts|a/b",
		"azureml://experiments/e/runs/r/artifacts":                                                           "", // the host is missing
		"azureml://h/experiments/e/runs/r":                                                                   "/history/v1.0" + azureScope + "/experiments/e/runs/r/artifacts|",
		"azureml://artifacts/ExperimentRun/dcid.r/a":                                                         "/artifact/v2.0" + azureScope + "/artifacts/ExperimentRun/dcid.r|a",
		"azureml://artifacts/ExperimentRun":                                                                  "",
		"azureml://h/mlflow/v2.0/subscriptions/other/experiments/e/runs/r/artifacts":                         "",
		"s3://bucket/x":  "",
		"dbfs:/x":        "",
		"file://host/x":  "",
		"https://host/x": "",
	} {
		s, err := c.newStore(uri)
		if want == "" {
			require.Error(t, err, uri)
			continue
		}
		require.NoError(t, err, uri)
		base, root, _ := strings.Cut(want, "|")
		require.Equal(t, "https://eastus.api.azureml.ms"+base, s.(*azureStore).base)
		require.Equal(t, root, s.(*azureStore).root)
	}
	plain := open(t, "http://server", Options{})
	_, err := plain.newStore("azureml://h/experiments/e/runs/r")
	require.ErrorIs(t, err, ErrUnsupported)
}

// A local folder becomes a model version: uploaded as LocalUpload, then named by that.
func TestAzureRegistersLocalFolder(t *testing.T) {
	s := &storage{blobs: map[string][]byte{}, blocks: map[string][]byte{}}
	var source string
	c := open(t, workspaceURI, Options{Token: "T", Transport: transport(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/model-versions/create") {
			var in map[string]string
			if err := json.NewDecoder(req.Body).Decode(&in); err != nil {
				return nil, err
			}
			source = in["source"]
			return answer(req, 200, `{"model_version":{"name":"m","version":3,"status":"READY"}}`), nil
		}
		return s.Do(req)
	})})
	dir := filepath.Join(t.TempDir(), "mod el")
	require.NoError(t, os.MkdirAll(dir, 0o777))
	_, err := c.Versions.Create(t.Context(), "m", NewVersion{Source: dir})
	require.ErrorIs(t, err, os.ErrNotExist, "no MLmodel")
	require.NoError(t, WriteModel(&Model{Dir: dir}))
	v, err := c.Versions.Create(t.Context(), "m", NewVersion{Source: dir})
	require.NoError(t, err)
	require.Equal(t, "3", v.Version)
	require.Regexp(t, `^azureml://artifacts/LocalUpload/[0-9]{12}-[0-9a-f]{8}/mod%20el$`, source)
	require.Len(t, s.blobs, 1)
	_, err = c.Versions.Create(t.Context(), "m", NewVersion{Source: dir, RunID: "r"})
	require.ErrorContains(t, err, "exclude")
}

// Azure Machine Learning has no logged models: the model goes below the run's artifacts.
func TestAzureLogModelFallsBack(t *testing.T) {
	s := &storage{blobs: map[string][]byte{}, blocks: map[string][]byte{}}
	var noted string
	c := open(t, workspaceURI, Options{Token: "T", Transport: transport(func(req *http.Request) (*http.Response, error) {
		switch {
		case strings.HasSuffix(req.URL.Path, "/runs/get"):
			return answer(req, 200, `{"run":{"info":{"run_id":"r1","experiment_id":"guid","artifact_uri":"azureml://eastus.api.azureml.ms/mlflow/v2.0`+azureScope+`/experiments/exp/runs/r1/artifacts"}}}`), nil
		case strings.HasSuffix(req.URL.Path, "/runs/log-model"):
			b, err := io.ReadAll(req.Body)
			noted = string(b)
			return answer(req, 200, `{}`), err
		}
		return s.Do(req)
	})})
	info, err := c.Runs.Handle("r1").LogModel(t.Context(), &Model{Name: "m", InputExample: []int{1}}, nil)
	require.NoError(t, err)
	require.Equal(t, "runs:/r1/m", info.URI)
	require.Contains(t, noted, `artifact_path`)
	require.Contains(t, string(s.blobs["m/MLmodel"]), "artifact_path: m")
	require.Equal(t, "[1]", string(s.blobs["m/input_example.json"]))
}

func jwt(expires time.Time) string {
	return "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, expires.Unix())) + ".sig"
}

func TestRunTokenIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clearEnvironment(t)
		first, second := jwt(time.Now().Add(5*time.Minute)), jwt(time.Now().Add(time.Hour))
		for k, v := range map[string]string{
			"MLFLOW_TRACKING_URI": workspaceURI, "MLFLOW_TRACKING_TOKEN": first, "MLFLOW_RUN_ID": "r1", "AZUREML_RUN_ID": "r1", "MLFLOW_EXPERIMENT_ID": "guid", "MLFLOW_EXPERIMENT_NAME": "exp",
		} {
			t.Setenv(k, v)
		}
		var renewals []time.Duration
		var used []string
		start := time.Now()
		fail := true
		c, err := FromEnvironment(t.Context(), &Options{Retry: Retry{Max: -1}, Transport: transport(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/history/v1.0"+azureScope+"/experimentids/guid/runs/r1/token" {
				renewals = append(renewals, time.Since(start))
				if fail {
					fail = false
					return answer(req, 500, ""), nil
				}
				require.Equal(t, "Bearer "+first, req.Header.Get("Authorization"))
				return answer(req, 200, `{"token":"`+second+`","expiryTimeUtc":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)+`"}`), nil
			}
			used = append(used, req.Header.Get("Authorization"))
			return answer(req, 200, `{"run":{"info":{"run_id":"r1","status":"RUNNING"}}}`), nil
		})})
		require.NoError(t, err)
		r, err := c.Start(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, "r1", r.Info.ID)
		time.Sleep(10 * time.Minute)
		require.NoError(t, r.End(t.Context(), Finished))
		require.NoError(t, r.Refresh(t.Context()))
		require.Equal(t, []time.Duration{210 * time.Second, 240 * time.Second}, renewals)
		require.Equal(t, []string{"Bearer " + first, "Bearer " + second}, used, "the job's own run is not updated")
		require.NoError(t, c.Close())
	})
}

// A client that nobody closes ends its renewal with its context.
func TestRunTokenRenewalEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clearEnvironment(t)
		t.Setenv("MLFLOW_TRACKING_URI", workspaceURI)
		t.Setenv("MLFLOW_TRACKING_TOKEN", jwt(time.Now().Add(time.Hour)))
		t.Setenv("MLFLOW_RUN_ID", "r")
		t.Setenv("MLFLOW_EXPERIMENT_NAME", "e")
		ctx, cancel := context.WithCancel(t.Context())
		_, err := FromEnvironment(ctx)
		require.NoError(t, err)
		cancel()
		synctest.Wait()
	})
}
