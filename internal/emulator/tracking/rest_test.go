package tracking

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// api is a client of a handler.
type api struct {
	t *testing.T
	h http.Handler
}

// raw sends a request and returns the answer.
func (a *api) raw(method, path string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	return w
}

// call sends JSON to the 2.0 API and returns the status and the answer.
func (a *api) call(method, path string, body any) (int, map[string]any) {
	a.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(a.t, err)
		r = bytes.NewReader(b)
	}
	w := a.raw(method, "/api/2.0/mlflow/"+path, r, "Content-Type", "application/json")
	var answer map[string]any
	require.NoError(a.t, json.Unmarshal(w.Body.Bytes(), &answer), w.Body.String())
	return w.Code, answer
}

// ok is call for what must succeed.
func (a *api) ok(method, path string, body any) map[string]any {
	a.t.Helper()
	status, answer := a.call(method, path, body)
	require.Equal(a.t, http.StatusOK, status, "%v", answer)
	return answer
}

// refused is call for what must be refused, with a code.
func (a *api) refused(code, method, path string, body any) {
	a.t.Helper()
	status, answer := a.call(method, path, body)
	require.GreaterOrEqual(a.t, status, 400)
	require.Equal(a.t, code, answer["error_code"], "%v", answer)
}

func (a *api) run(experiment string, tags ...Tag) string {
	a.t.Helper()
	answer := a.ok("POST", "runs/create", map[string]any{"experiment_id": experiment, "tags": tags})
	return answer["run"].(map[string]any)["info"].(map[string]any)["run_id"].(string)
}

type object = map[string]any

// A job's token writes to the job's run and what is below it, and to nothing else.
func TestTokenOfARun(t *testing.T) {
	s := open(t, t.TempDir())
	all := &api{t, s.Handler(ws, HandlerOptions{User: "me"})}
	job := all.run("0")
	other := all.run("0")
	own := &api{t, s.Handler(ws, HandlerOptions{User: "job", RunLimit: job})}

	own.ok("POST", "runs/log-metric", object{"run_id": job, "key": "m", "value": 1, "timestamp": 1})
	own.ok("POST", "runs/set-tag", object{"run_id": job, "key": "t", "value": "v"})
	own.ok("POST", "runs/update", object{"run_id": job, "status": "FINISHED"})
	child := own.run("0")
	got := all.ok("GET", "runs/get?run_id="+child, nil)
	require.Contains(t, fmt.Sprint(got["run"]), "map[key:mlflow.parentRunId value:"+job+"]")
	grandchild := own.run("0", Tag{"mlflow.parentRunId", child})
	own.ok("POST", "runs/log-batch", object{"run_id": grandchild, "params": []Tag{{"a", "b"}}})
	own.ok("GET", "runs/get?run_id="+other, nil)
	own.ok("POST", "experiments/create", object{"name": "made by a job"})

	for _, r := range []struct {
		method, path string
		body         object
	}{
		{"POST", "runs/log-metric", object{"run_id": other, "key": "m", "value": 1, "timestamp": 1}}, {"POST", "runs/log-batch", object{"run_id": other, "tags": []Tag{{"a", "b"}}}}, {"POST", "runs/log-parameter", object{"run_id": other, "key": "a", "value": "b"}},
		{"POST", "runs/set-tag", object{"run_id": other, "key": "a", "value": "b"}}, {"POST", "runs/delete-tag", object{"run_id": other, "key": "mlflow.runName"}}, {"POST", "runs/update", object{"run_id": other, "status": "FAILED"}},
		{"POST", "runs/delete", object{"run_id": other}}, {"POST", "runs/restore", object{"run_id": other}}, {"POST", "runs/log-inputs", object{"run_id": other, "datasets": []object{}}}, {"POST", "runs/outputs", object{"run_id": other, "models": []object{{"model_id": "m"}}}},
		{"POST", "runs/create", object{"experiment_id": "0", "tags": []Tag{{"mlflow.parentRunId", other}}}}, {"POST", "experiments/delete", object{"experiment_id": "0"}}, {"POST", "experiments/update", object{"experiment_id": "0", "new_name": "x"}},
		{"POST", "experiments/set-experiment-tag", object{"experiment_id": "0", "key": "a", "value": "b"}}, {"POST", "logged-models", object{"experiment_id": "0", "source_run_id": other}}, {"POST", "traces/delete-traces", object{"experiment_id": "0", "max_timestamp_millis": 5}},
		{"POST", "traces/link-to-run", object{"run_id": other, "trace_ids": []string{"x"}}}, {"DELETE", "registered-models/delete", object{"name": "x"}}, {"POST", "registered-models/rename", object{"name": "x", "new_name": "y"}}, {"DELETE", "model-versions/delete", object{"name": "x", "version": "1"}},
	} {
		own.refused(PermissionDenied, r.method, r.path, r.body)
	}

	// Artifacts: its own, and those of others once they are registered.
	const proxy = "/api/2.0/mlflow-artifacts/artifacts/"
	put := func(a *api, path string) int { return a.raw("PUT", proxy+path, strings.NewReader("x")).Code }
	require.Equal(t, 200, put(own, "0/"+job+"/artifacts/a"))
	require.Equal(t, 200, put(own, "0/"+child+"/artifacts/a"))
	require.Equal(t, 200, put(own, "0/traces/tr-1/artifacts/traces.json"))
	require.Equal(t, 200, put(all, "0/"+other+"/artifacts/model/MLmodel"))
	require.Equal(t, 403, put(own, "0/"+other+"/artifacts/a"))
	require.Equal(t, 403, put(own, "elsewhere/a"))
	require.Equal(t, 403, own.raw("DELETE", proxy+"0/"+other+"/artifacts/model", nil).Code)
	read := func() int { return own.raw("GET", proxy+"0/"+other+"/artifacts/model/MLmodel", nil).Code }
	require.Equal(t, 403, read())
	own.refused(PermissionDenied, "GET", "artifacts/list?run_id="+other, nil)
	own.ok("POST", "registered-models/create", object{"name": "reg"})
	own.refused(PermissionDenied, "POST", "model-versions/create", object{"name": "reg", "source": "runs:/" + other + "/model", "run_id": other})
	own.ok("POST", "model-versions/create", object{"name": "reg", "source": "runs:/" + job + "/a", "run_id": job})
	all.ok("POST", "model-versions/create", object{"name": "reg", "source": "mlflow-artifacts:/0/" + other + "/artifacts/model", "run_id": other})
	require.Equal(t, 200, read())
	own.ok("GET", "artifacts/list?path=model&run_id="+other, nil)
	own.refused(PermissionDenied, "GET", "artifacts/list?run_id="+other, nil)
	own.ok("POST", "model-versions/create", object{"name": "reg", "source": "runs:/" + other + "/model", "run_id": other})

	// Logged models are the run's that made them.
	model := own.ok("POST", "logged-models", object{"experiment_id": "0", "name": "m"})["model"].(object)["info"].(object)
	require.Equal(t, job, model["source_run_id"])
	id := model["model_id"].(string)
	own.ok("PATCH", "logged-models/"+id, object{"model_id": id, "status": 2})
	require.Equal(t, 200, put(own, "0/models/"+id+"/artifacts/MLmodel"))
	foreign := all.ok("POST", "logged-models", object{"experiment_id": "0", "source_run_id": other})["model"].(object)["info"].(object)["model_id"].(string)
	own.refused(PermissionDenied, "PATCH", "logged-models/"+foreign, object{"model_id": foreign, "status": 2})
	require.Equal(t, 403, put(own, "0/models/"+foreign+"/artifacts/MLmodel"))
	unowned := all.ok("POST", "logged-models", object{"experiment_id": "0"})["model"].(object)["info"].(object)["model_id"].(string)
	own.refused(PermissionDenied, "DELETE", "logged-models/"+unowned, nil)
}

func TestAddressesOfArtifacts(t *testing.T) {
	s := open(t, t.TempDir())
	a := &api{t, s.Handler(ws, HandlerOptions{ArtifactURI: func(experiment, run string) string {
		return "azureml://host/experiments/" + experiment + "/runs/" + run + "/artifacts"
	}})}
	run := a.run("0")
	info := a.ok("GET", "runs/get?run_id="+run, nil)["run"].(object)["info"].(object)
	shown := "azureml://host/experiments/0/runs/" + run + "/artifacts"
	require.Equal(t, shown, info["artifact_uri"])
	require.Equal(t, shown, a.ok("GET", "artifacts/list?run_id="+run, nil)["root_uri"])
	require.Equal(t, 200, a.raw("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/"+run+"/artifacts/model/x", strings.NewReader("hello")).Code)
	r, err := s.blobs.Open(t.Context(), "mlflow", "artifacts", "ExperimentRun/dcid."+run+"/model/x")
	require.NoError(t, err, "artifacts are where run history finds them")
	require.NoError(t, r.Close())

	// Whatever way a model's source is written, its files are found.
	a.ok("POST", "registered-models/create", object{"name": "reg"})
	for i, source := range []string{shown + "/model", "runs:/" + run + "/model", "azureml://artifacts/ExperimentRun/dcid." + run + "/model", "mlflow-artifacts:/0/" + run + "/artifacts/model", "models:/reg/1"} {
		a.ok("POST", "model-versions/create", object{"name": "reg", "source": source, "run_id": run})
		w := a.raw("GET", fmt.Sprintf("/model-versions/get-artifact?name=reg&version=%d&path=x", i+1), nil)
		require.Equal(t, "hello", w.Body.String(), source)
		require.Equal(t, "attachment; filename=x", w.Header().Get("Content-Disposition"))
	}
	local := a.ok("POST", "experiments/create", object{"name": "local", "artifact_location": "s3://bucket/x"})["experiment_id"].(string)
	away := a.run(local)
	require.Equal(t, "s3://bucket/x/"+away+"/artifacts", a.ok("GET", "runs/get?run_id="+away, nil)["run"].(object)["info"].(object)["artifact_uri"])
	a.refused(InvalidParameter, "GET", "artifacts/list?run_id="+away, nil)
	nested := a.ok("POST", "experiments/create", object{"name": "nested", "artifact_location": "mlflow-artifacts:/a/b/c"})["experiment_id"].(string)
	deep := a.run(nested)
	require.Equal(t, 200, a.raw("PUT", "/api/2.0/mlflow-artifacts/artifacts/a/b/c/"+deep+"/artifacts/x", strings.NewReader("deep")).Code)
	_, err = s.blobs.Stat(t.Context(), "mlflow", "artifacts", "ExperimentRun/dcid."+deep+"/x")
	require.NoError(t, err)
}

// Ways out of the artifacts' folder lead nowhere.
func TestPathsOfArtifacts(t *testing.T) {
	s := open(t, t.TempDir())
	a := &api{t, s.Handler(ws, HandlerOptions{})}
	run := a.run("0")
	root := "/api/2.0/mlflow-artifacts/artifacts/0/" + run + "/artifacts/"
	for _, p := range []string{"..", "../x", "a/../../x", "%2e%2e/x", "%252e%252e%252fx", "..%2fx", "a/%2e%2e/%2e%2e/x", "./x", "a/", "", "%23x", "%00", "a%00b"} {
		for _, method := range []string{"PUT", "GET", "DELETE"} {
			r := httptest.NewRequest(method, "/", strings.NewReader("x"))
			r.URL.RawPath, r.URL.Path = root+p, root+strings.NewReplacer("%2e", ".", "%2f", "/", "%25", "%", "%23", "#", "%00", "\x00").Replace(p)
			w := httptest.NewRecorder()
			a.h.ServeHTTP(w, r)
			require.Less(t, w.Code, 500, "%s %s", method, p)
			if method == "PUT" && !strings.Contains(p, "%00") {
				require.Equal(t, 400, w.Code, "%s %s", method, p)
			}
		}
	}
	require.Equal(t, 200, a.raw("PUT", root+"a%2Fb/c%20d", strings.NewReader("x")).Code)
	files := a.ok("GET", "artifacts/list?path=a/b&run_id="+run, nil)["files"].([]any)
	require.Equal(t, "a/b/c d", files[0].(object)["path"])
}

func TestPartsOfArtifacts(t *testing.T) {
	s := open(t, t.TempDir())
	a := &api{t, s.Handler(ws, HandlerOptions{})}
	run := a.run("0")
	dir := "0/" + run + "/artifacts/big"
	made := func() object {
		w := a.raw("POST", "/api/2.0/mlflow-artifacts/mpu/create/"+dir, strings.NewReader(`{"path": "file.bin", "num_parts": 3}`), "Content-Type", "application/json", "Authorization", "Bearer x")
		require.Equal(t, 200, w.Code, w.Body)
		var o object
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &o))
		return o
	}
	upload := made()
	var parts []object
	for i, c := range upload["credentials"].([]any) {
		part := c.(object)
		require.Equal(t, object{"Authorization": "Bearer x"}, part["headers"])
		w := a.raw("PUT", part["url"].(string), strings.NewReader(strings.Repeat(fmt.Sprint(i), 1000)))
		require.Equal(t, 200, w.Code, w.Body)
		parts = append(parts, object{"part_number": part["part_number"], "etag": w.Header().Get("ETag"), "url": part["url"]})
	}
	complete := func(id any, parts []object) int {
		b, err := json.Marshal(object{"path": "file.bin", "upload_id": id, "parts": parts})
		require.NoError(t, err)
		return a.raw("POST", "/api/2.0/mlflow-artifacts/mpu/complete/"+dir, bytes.NewReader(b), "Content-Type", "application/json").Code
	}
	require.Equal(t, 404, complete("nothing", parts))
	require.Equal(t, 400, complete(upload["upload_id"], []object{{"part_number": 1, "etag": "wrong"}}))
	require.Equal(t, 200, complete(upload["upload_id"], parts))
	require.Equal(t, 404, complete(upload["upload_id"], parts), "it is over")
	whole := strings.Repeat("0", 1000) + strings.Repeat("1", 1000) + strings.Repeat("2", 1000)
	require.Equal(t, whole, a.raw("GET", "/api/2.0/mlflow-artifacts/artifacts/"+dir+"/file.bin", nil).Body.String())
	w := a.raw("GET", "/api/2.0/mlflow-artifacts/artifacts/"+dir+"/file.bin", nil, "Range", "bytes=999-1000")
	require.Equal(t, 206, w.Code)
	require.Equal(t, "01", w.Body.String())
	w = a.raw("GET", "/api/2.0/mlflow-artifacts/presigned/"+dir+"/file.bin", nil)
	require.Contains(t, w.Body.String(), `"file_size":3000`)

	aborted := made()
	require.Equal(t, 200, a.raw("PUT", aborted["credentials"].([]any)[0].(object)["url"].(string), strings.NewReader("x")).Code)
	w = a.raw("POST", "/api/2.0/mlflow-artifacts/mpu/abort/"+dir, strings.NewReader(fmt.Sprintf(`{"path": "file.bin", "upload_id": %q}`, aborted["upload_id"])), "Content-Type", "application/json")
	require.Equal(t, 200, w.Code)
	left := 0
	for range s.blobs.List(t.Context(), "mlflow", "artifacts", uploadFolder) {
		left++
	}
	require.Zero(t, left, "parts are gone")
	for _, body := range []string{`{"path": "x"}`, `{"path": "x", "num_parts": 0}`, `{"path": "x", "num_parts": 10001}`, `{"num_parts": 1}`} {
		require.Equal(t, 400, a.raw("POST", "/api/2.0/mlflow-artifacts/mpu/create/"+dir, strings.NewReader(body), "Content-Type", "application/json").Code, body)
	}
}

func TestLimitsOfBodies(t *testing.T) {
	s := open(t, t.TempDir())
	a := &api{t, s.Handler(ws, HandlerOptions{})}
	run := a.run("0")
	long := fmt.Sprintf(`{"run_id": %q, "tags": [{"key": "t", "value": %q}]}`, run, strings.Repeat("x", 1_000_000))
	for _, body := range []io.Reader{strings.NewReader(long), io.MultiReader(strings.NewReader(long))} { // with a length and without
		w := a.raw("POST", "/api/2.0/mlflow/runs/log-batch", body, "Content-Type", "application/json")
		require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
		require.Contains(t, w.Body.String(), "at most 1000000 bytes")
	}
	w := a.raw("POST", "/api/2.0/mlflow/runs/set-tag", io.MultiReader(strings.NewReader(`{"run_id": "`), zeros(maxBody)), "Content-Type", "application/json")
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	for _, body := range []string{"\xff", `{"run_id": "` + "\xff" + `"}`, "{", "[]", "5", `"x"`, "null", ""} {
		w := a.raw("POST", "/api/2.0/mlflow/runs/log-batch", strings.NewReader(body), "Content-Type", "application/json")
		require.Equal(t, http.StatusBadRequest, w.Code, body)
		require.Contains(t, w.Body.String(), `"error_code":"INVALID_PARAMETER_VALUE"`)
	}
}

func zeros(n int64) io.Reader { return io.LimitReader(endless{}, n) }

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

// What Azure has and MLflow does not.
func TestDialect(t *testing.T) {
	s := open(t, t.TempDir())
	a := &api{t, s.Handler(ws, HandlerOptions{})}
	run := a.run("0")
	w := a.raw("POST", "/api/2.0/preview/mlflow/runs/log-batch-async", strings.NewReader(fmt.Sprintf(`{"run_id": %q, "metrics": [{"key": "m", "value": 2, "timestamp": 1}], "params": [{"key": "p", "value": "1"}]}`, run)), "Content-Type", "application/json")
	require.JSONEq(t, `{"batch_tracking_id": ""}`, w.Body.String())
	w = a.raw("GET", "/api/2.0/preview/mlflow/runs/get-run-data-status?batch_tracking_id=&run_id="+run, nil)
	require.JSONEq(t, `{"is_complete": true}`, w.Body.String())
	r, err := s.Run(t.Context(), ws, run)
	require.NoError(t, err)
	require.Equal(t, 2.0, r.Metrics["m"].Value)
	require.Equal(t, "OK", a.raw("GET", "/health", nil).Body.String())
	require.Equal(t, Version, a.raw("GET", "/version", nil).Body.String())
	require.Contains(t, a.raw("GET", "/api/3.0/mlflow/server-info", nil).Body.String(), `"store_type":"SqlStore"`)
	require.Equal(t, 200, a.raw("HEAD", "/api/2.0/mlflow/runs/get?run_id="+run, nil).Code)
	for _, path := range []string{"/api/3.0/mlflow/gateway/endpoints/list", "/api/2.0/mlflow/webhooks", "/api/3.0/mlflow/scorers/list", "/api/3.0/mlflow/scorers/list", "/x", "/"} {
		w := a.raw("GET", path, nil)
		require.Equal(t, 404, w.Code, path)
		require.Contains(t, w.Body.String(), `"error_code":"ENDPOINT_NOT_FOUND"`)
	}
}

// Workspaces share a folder and nothing else.
func TestWorkspacesAreApart(t *testing.T) {
	s := open(t, t.TempDir())
	one, two := &api{t, s.Handler("one", HandlerOptions{})}, &api{t, s.Handler("two", HandlerOptions{})}
	run := one.run("0")
	two.refused(DoesNotExist, "GET", "runs/get?run_id="+run, nil)
	one.ok("POST", "registered-models/create", object{"name": "m"})
	two.ok("POST", "registered-models/create", object{"name": "m"})
	require.Equal(t, one.ok("POST", "experiments/create", object{"name": "e"}), two.ok("POST", "experiments/create", object{"name": "e"}))
	require.Empty(t, two.ok("POST", "runs/search", object{"experiment_ids": []string{"0"}}))
	model := one.ok("POST", "logged-models", object{"experiment_id": "0"})["model"].(object)["info"].(object)["model_id"].(string)
	two.refused(DoesNotExist, "GET", "logged-models/"+model, nil)
	w := one.raw("POST", "/api/3.0/mlflow/traces", strings.NewReader(`{"trace": {"trace_info": {"trace_id": "tr-1", "trace_location": {"type": 1, "mlflow_experiment": {"experiment_id": "0"}}}}}`), "Content-Type", "application/json")
	require.Equal(t, 200, w.Code, w.Body)
	require.Equal(t, 404, two.raw("GET", "/api/3.0/mlflow/traces/tr-1", nil).Code)
	require.Equal(t, 200, one.raw("GET", "/api/3.0/mlflow/traces/tr-1", nil).Code)
}
