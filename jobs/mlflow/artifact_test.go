package mlflow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// broken gives some bytes and then the fault of a lost connection.
type broken struct {
	io.Reader
}

func (b broken) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (broken) Close() error { return nil }

// A download that breaks off goes on where it was, with ranges and without.
func TestDownloadGoesOn(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	for _, ranges := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			n := 0
			c := open(t, "http://server", Options{Transport: transport(func(req *http.Request) (*http.Response, error) {
				n++
				from, status := 0, 200
				if r := req.Header.Get("Range"); r != "" && ranges {
					if _, err := fmt.Sscanf(r, "bytes=%d-", &from); err != nil {
						return nil, err
					}
					require.Equal(t, `"1"`, req.Header.Get("If-Match"))
					status = 206
				}
				resp := answer(req, status, string(content[from:]), "ETag", `"1"`)
				if n < 4 {
					resp.Body = broken{bytes.NewReader(content[from:min(len(content), n*3000)])}
				}
				return resp, nil
			})})
			b, err := c.Artifacts("mlflow-artifacts:/0/r/artifacts").Read(t.Context(), "x")
			require.NoError(t, err)
			require.Equal(t, content, b)
			require.Equal(t, 4, n)
		})
	}
}

// A download that never gets on ends, and leaves no half a file.
func TestDownloadBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := open(t, "http://server", Options{Retry: Retry{Max: 2}, Transport: transport(func(req *http.Request) (*http.Response, error) {
			if strings.Contains(req.URL.RawQuery, "path=") {
				return answer(req, 200, `{"files":[{"path":"f","is_dir":false,"file_size":"10"}]}`), nil
			}
			resp := answer(req, 200, "0123456789")
			resp.Body = broken{strings.NewReader("")}
			return resp, nil
		})})
		dir := t.TempDir()
		_, err := c.Artifacts("mlflow-artifacts:/0/r/artifacts").Download(t.Context(), "", dir)
		require.ErrorContains(t, err, "broke off")
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, entries)
	})
}

// A server that lists names which lead out of the folder is not followed.
func TestListedNames(t *testing.T) {
	for _, name := range []string{"../x", "/x", "a/../../x", `..\x`, "..", "a/b"} {
		c := open(t, "http://server", Options{Transport: transport(func(req *http.Request) (*http.Response, error) {
			b, err := json.Marshal(map[string]any{"files": []any{map[string]any{"path": name}}})
			return answer(req, 200, string(b)), err
		})})
		_, err := c.Artifacts("mlflow-artifacts:/0/r/artifacts").Download(t.Context(), "", t.TempDir())
		require.Error(t, err, name)
	}
}

// An upload reads its file anew for each attempt; a file that cannot be read is no fault of the network.
func TestUploadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		c := open(t, "http://server/prefix", Options{Transport: transport(func(req *http.Request) (*http.Response, error) {
			b, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, string(b))
			require.Equal(t, "/prefix/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/dir/a%20b.txt", req.URL.EscapedPath())
			require.Equal(t, int64(len(b)), req.ContentLength)
			if len(bodies) < 3 {
				return answer(req, 503, ""), nil
			}
			return answer(req, 200, "{}"), nil
		})})
		a := c.Artifacts("mlflow-artifacts:/0/r/artifacts")
		require.NoError(t, a.Text(t.Context(), "dir/a b.txt", "text"))
		require.Equal(t, []string{"text", "text", "text"}, bodies)
		require.NoError(t, a.Text(t.Context(), "dir/a b.txt", ""))
		boom := errors.New("boom")
		err := a.put(t.Context(), []upload{{path: "dir/a b.txt", size: 4, open: func() (io.ReadSeekCloser, error) { return nil, boom }}})
		require.ErrorIs(t, err, boom)
	})
}

// Databricks signs an address for each file; the credential does not go there.
func TestSignedArtifacts(t *testing.T) {
	for uri, signer := range map[string]string{"databricks://adb-1.azuredatabricks.net": "credentials-for-", "https://server": "presigned-"} {
		blobs := map[string][]byte{}
		c := open(t, uri, Options{Token: "T", Retry: Retry{Max: -1}, Transport: transport(func(req *http.Request) (*http.Response, error) {
			var body []byte
			if req.Body != nil {
				var err error
				if body, err = io.ReadAll(req.Body); err != nil {
					return nil, err
				}
			}
			if req.URL.Host == "bucket" {
				require.Empty(t, req.Header.Get("Authorization"))
				require.Equal(t, "v", req.Header.Get("x-h"))
				if req.Method == "PUT" {
					blobs[strings.TrimPrefix(req.URL.Path, "/")] = body
					return answer(req, 200, ""), nil
				}
				return answer(req, 200, string(blobs[strings.TrimPrefix(req.URL.Path, "/")])), nil
			}
			require.Equal(t, "Bearer T", req.Header.Get("Authorization"))
			switch _, route, _ := strings.Cut(req.URL.Path, "/api/2.0/mlflow/"); {
			case route == "runs/get":
				return answer(req, 200, `{"run":{"info":{"run_id":"r","artifact_uri":"s3://bucket/x"}}}`), nil
			case route == "artifacts/list":
				return answer(req, 200, `{"root_uri":"s3://bucket/x","files":[{"path":"a/b.txt","is_dir":false,"file_size":1},{"path":"a/c","is_dir":true}]}`), nil
			case strings.HasPrefix(route, "artifacts/credentials-for-"):
				var in struct {
					Path []string `json:"path"`
				}
				require.NoError(t, json.Unmarshal(body, &in))
				return answer(req, 200, `{"credential_infos":[{"path":"`+in.Path[0]+`","signed_uri":"https://bucket/`+in.Path[0]+`?sig=1","type":"AWS_PRESIGNED_URL","headers":[{"name":"x-h","value":"v"}]}]}`), nil
			case strings.HasPrefix(route, "artifacts/presigned-"):
				var in map[string]string
				require.NoError(t, json.Unmarshal(body, &in))
				return answer(req, 200, `{"presigned_url":"https://bucket/`+in["path"]+`?sig=1","headers":{"x-h":"v"}}`), nil
			}
			return answer(req, 404, ""), nil
		})})
		a := c.Runs.Handle("r").Artifacts()
		require.NoError(t, a.Text(t.Context(), "a/b.txt", "hello"), signer)
		b, err := c.Artifacts("runs:/r/a").Read(t.Context(), "b.txt")
		require.NoError(t, err)
		require.Equal(t, "hello", string(b))
		list, err := a.children(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, []FileInfo{{Path: "a/b.txt", Size: 1}, {Path: "a/c", IsDir: true, Size: -1}}, list)
		require.ErrorIs(t, a.Remove(t.Context(), "a"), ErrUnsupported)
	}
}

func TestLocalArtifacts(t *testing.T) {
	dir := t.TempDir()
	c := open(t, "http://server", Options{})
	a := c.Artifacts("file://" + filepath.ToSlash(dir))
	require.NoError(t, a.Text(t.Context(), "a/b.txt", "hello"))
	list, err := a.children(t.Context(), "")
	require.NoError(t, err)
	require.Equal(t, []FileInfo{{Path: "a", IsDir: true, Size: -1}}, list)
	b, err := a.Read(t.Context(), "a/b.txt")
	require.NoError(t, err)
	require.Equal(t, "hello", string(b))
	_, err = a.Read(t.Context(), "none")
	require.ErrorIs(t, err, ErrNotFound)
	written, err := a.Download(t.Context(), "a", t.TempDir())
	require.NoError(t, err)
	require.Len(t, written, 1)
	require.NoError(t, a.Remove(t.Context(), "a"))
	list, err = a.children(t.Context(), "a")
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestModelFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, modelFile), []byte("flavors:\n  sklearn:\n    pickled_model: model.pkl\nmodel_uuid: abc\nextra: kept\n"), 0o666))
	m := &Model{
		Dir: dir, Flavors: map[string]map[string]any{"go": {"program": "score", "rate": 1e-05, "whole": 2.0, "big": 1e22, "list": []string{"yes", "1e3"}}},
		Signature:    &Signature{Inputs: []Field{Column("a", Double)}},
		InputExample: map[string]any{"a": 1.5}, Metadata: map[string]any{"k": []int{1}},
	}
	require.NoError(t, WriteModel(m))
	text, err := os.ReadFile(filepath.Join(dir, modelFile))
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(text, &doc))
	require.Equal(t, "kept", doc["extra"])
	require.Equal(t, "abc", doc["model_uuid"])
	flavors := doc["flavors"].(map[string]any)
	require.Contains(t, flavors, "sklearn")
	require.Equal(t, 1e-05, flavors["go"].(map[string]any)["rate"])
	require.Equal(t, []any{"yes", "1e3"}, flavors["go"].(map[string]any)["list"])
	require.Contains(t, string(text), "rate: 1.0e-05", "with a point, for YAML 1.1")
	require.Equal(t, `[{"type":"double","name":"a","required":true}]`, doc["signature"].(map[string]any)["inputs"])

	for _, bad := range []*Signature{{Inputs: []Field{{Name: "a"}}}, {Inputs: []Field{Column("a", Double), Tensor("b", "float32", -1)}}} {
		require.Error(t, WriteModel(&Model{Dir: dir, Signature: bad}))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, modelFile), []byte("\t: broken"), 0o666))
	require.Error(t, WriteModel(&Model{Dir: dir}))
}

func TestSignatureRoundTrip(t *testing.T) {
	for _, f := range []Field{Column("a", String), {Name: "b", Type: Long, Optional: true}, Tensor("t", "float32", -1, 3), Tensor("", "int64")} {
		b, err := json.Marshal(f)
		require.NoError(t, err)
		var back Field
		require.NoError(t, json.Unmarshal(b, &back))
		if f.Shape == nil && f.DType != "" {
			f.Shape = []int{}
		}
		require.Equal(t, f, back)
	}
	b, err := json.Marshal(ParamField{Name: "n", Type: Long, Default: []any{1.0}, Shape: []int{-1}})
	require.NoError(t, err)
	require.JSONEq(t, `{"name":"n","default":[1],"shape":[-1],"type":"long"}`, string(b))
	var p ParamField
	require.NoError(t, json.Unmarshal(b, &p))
	require.Equal(t, []int{-1}, p.Shape)
}
