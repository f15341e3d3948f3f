package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// folder makes a data asset of a folder.
func (w *world) folder(name, at string) string {
	w.put("keep/empty", "")
	return w.document("data", name, map[string]any{"dataType": "uri_folder", "dataUri": w.address(at)})
}

func (w *world) address(at string) string { return "https://acct." + arm.BlobSuffix + "/models/" + at }

// with sets, or takes away, one of a deployment's properties.
func with(t *testing.T, properties json.RawMessage, name string, value any) json.RawMessage {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(properties, &m))
	m[name] = value
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return b
}

func (w *world) collector(more map[string]any, names ...string) map[string]any {
	all := map[string]any{}
	for _, n := range names {
		all[n] = map[string]any{"dataCollectionMode": "enabled", "dataId": w.folder(n, "mdc/ep/blue/"+n)}
	}
	c := map[string]any{"collections": all}
	for k, v := range more {
		c[k] = v
	}
	return map[string]any{"dataCollector": c}
}

// lines are the events below a folder, and the names of its files.
func (w *world) lines(at string) (events []map[string]any, files []string) {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	for item, err := range w.blobs.List(ctx, "acct", "models", at) {
		require.NoError(w.t, err)
		files = append(files, item.Name)
		r, err := w.blobs.Open(ctx, "acct", "models", item.Name)
		require.NoError(w.t, err)
		var b bytes.Buffer
		_, err = io.Copy(&b, r)
		require.NoError(w.t, err)
		require.NoError(w.t, r.Close())
		for l := range strings.Lines(b.String()) {
			var m map[string]any
			require.NoError(w.t, json.Unmarshal([]byte(l), &m), l)
			events = append(events, m)
		}
	}
	return events, files
}

func (w *world) call(body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/score?x=1", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer key")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.h.ServeScore(answer, r, sc, "ep")
	return answer
}

func TestPayloadsAreCollected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := props("me", w.collector(map[string]any{"rollingRate": "Minute", "requestLogging": map[string]any{"captureHeaders": []any{"X-User-Kind", "Data"}}}, "request", "response"))
	require.NoError(t, w.h.Check(t.Context(), sc, p))
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", p, 1))
	before := time.Now().UTC().Truncate(time.Second)
	require.Equal(t, 200, w.call("{\"rows\":\n [1,2]}", "Content-Type", "application/json", "X-Request-Id", "r1", "X-User-Kind", "gold", "Data", "no").Code)
	require.Equal(t, http.StatusFailedDependency, w.call("bad").Code)
	require.Equal(t, 200, w.call("\xff\xfe\x00").Code)
	large := `"` + strings.Repeat("x", maxInline) + `"`
	require.Equal(t, 200, w.call(large).Code)
	w.h.Remove(sc, "ep", "blue")

	in, files := w.lines("mdc/ep/blue/request/")
	require.Len(t, in, 4)
	for _, f := range files {
		require.Regexp(t, `^mdc/ep/blue/request/\d{4}/\d\d/\d\d/\d\d/\d\d/[0-9a-f-]{36}\.jsonl$`, f)
	}
	first := in[0]
	require.Equal(t, map[string]any{"rows": []any{1.0, 2.0}}, first["data"])
	at, err := time.Parse(time.RFC3339, first["time"].(string))
	require.NoError(t, err)
	require.False(t, at.Before(before))
	delete(first, "time")
	delete(first, "data")
	require.Len(t, first["id"], 36)
	delete(first, "id")
	require.Equal(t, map[string]any{
		"specversion": "1.0", "source": sc.Child("onlineEndpoints", "ep", "deployments", "blue"), "type": "azureml.inference.request", "datacontenttype": "application/json",
		"path": "/score?x=1", "method": "POST", "correlationid": "r1", "xrequestid": "r1", "xuserkind": "gold", "contentrange": "bytes 0-15/16",
	}, first)
	require.Equal(t, "bad", in[1]["data"])
	require.Equal(t, "true", in[2]["datainblob"])
	out, _ := w.lines("mdc/ep/blue/response/")
	require.Len(t, out, 4)
	require.Equal(t, "r1", out[0]["correlationid"])
	require.Equal(t, "me:{\"rows\":\n [1,2]}", out[0]["data"])
	require.Equal(t, "bad rows\n", out[1]["data"], "what failed is collected too")
	require.Equal(t, in[1]["correlationid"], out[1]["correlationid"])
	require.NotEmpty(t, in[1]["correlationid"])
	url := in[3]["dataref"].(string)
	name, ok := strings.CutPrefix(url, "https://acct."+arm.BlobSuffix+"/models/")
	require.True(t, ok, url)
	require.Regexp(t, `^mdc/ep/blue/\d{4}/`, name)
	item, err := w.blobs.Stat(t.Context(), "acct", "models", name)
	require.NoError(t, err)
	require.EqualValues(t, len(large), item.Size)
}

func TestCollectorSamplesAndCloses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	more := w.collector(nil, "request", "response")
	all := more["dataCollector"].(map[string]any)["collections"].(map[string]any)
	for _, c := range all {
		c.(map[string]any)["samplingRate"] = 0.5
	}
	all["off"] = map[string]any{"dataCollectionMode": "Disabled"}
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", props("me", more), 1))
	const n = 200
	for range n {
		require.Equal(t, 200, w.call("1").Code)
	}
	require.NoError(t, w.h.Close())
	in, files := w.lines("mdc/ep/blue/request/")
	require.NotEmpty(t, files)
	out, _ := w.lines("mdc/ep/blue/response/")
	require.Greater(t, len(in), n/5)
	require.Less(t, len(in), n*4/5)
	ids := func(events []map[string]any) (ids []any) {
		for _, e := range events {
			ids = append(ids, e["correlationid"])
		}
		return ids
	}
	require.Equal(t, ids(in), ids(out), "a request that is kept has its response")
}

func TestCollectorRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := w.document("data", "file", map[string]any{"dataType": "uri_file", "dataUri": "https://acct." + arm.BlobSuffix + "/models/f"})
	outside := w.document("data", "outside", map[string]any{"dataType": "uri_folder", "dataUri": "https://example.org/f/"})
	one := func(c map[string]any) map[string]any {
		c["dataCollectionMode"] = "Enabled"
		return map[string]any{"collections": map[string]any{"request": c}}
	}
	for target, c := range map[string]map[string]any{
		"properties.dataCollector":                                        {"eventHub": "x"},
		"properties.dataCollector.rollingRate":                            {"rollingRate": "Week"},
		"properties.dataCollector.collections.request.dataId":             one(map[string]any{"dataId": file}),
		"properties.dataCollector.collections.request.dataId ":            one(map[string]any{"dataId": outside}),
		"properties.dataCollector.collections.request.dataId  ":           one(map[string]any{"dataId": "azureml:none:1"}),
		"properties.dataCollector.collections.request.samplingRate":       one(map[string]any{"samplingRate": 2}),
		"properties.dataCollector.collections.request.dataCollectionMode": {"collections": map[string]any{"request": map[string]any{"dataCollectionMode": "perhaps"}}},
	} {
		err := w.h.Check(t.Context(), sc, props("me", map[string]any{"dataCollector": c}))
		require.Error(t, err, target)
		require.Equal(t, strings.TrimSpace(target), arm.As(err).Target, "%v", err)
	}
	p := &plan{mlflow: true, collect: &collecting{collections: map[string]*collection{"model_inputs": {name: "model_inputs"}}}}
	require.NoError(t, p.checkCollector())
	p.collect.collections["mine"] = &collection{name: "mine"}
	require.ErrorContains(t, p.checkCollector(), `"mine"`)
}

// variables are those that a deployment's program finds its collector by.
func variables(t *testing.T, env []string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		m[k] = v
	}
	return m
}

func TestProgramCollects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.h.Apply(t.Context(), sc, "ep", "blue", props("me", w.collector(nil, "Model_Inputs", "request")), 1))
	env := variables(t, w.h.deployment(sc, "ep", "blue").env)
	config, err := os.ReadFile(env["AZUREML_MDC_CONFIG_PATH"])
	require.NoError(t, err)
	require.JSONEq(t, `{"runMode":"cloud","collections":{"model_inputs":{"enabled":true,"sampleRatePercentage":100},"request":{"enabled":true,"sampleRatePercentage":100}}}`, string(config))
	post := func(kind, body string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+env["AZUREML_MDC_HOST"]+":"+env["AZUREML_MDC_PORT"]+"/modeldata/log", strings.NewReader(body))
		require.NoError(t, err)
		for k, v := range map[string]string{
			"Content-Type": "application/json", "trace-id": "b25cb9e2-1a14-4d76-9a4b-0e0d5cbe8f57", "ce-type": "azureml.inference." + kind, "ce-time": "1700000000", "ce-agent": "a/1",
			"ce-collect-data-type": "pandas.core.frame.DataFrame", "ce-x-request-id": "r7", "ce-model-version": "default",
		} {
			r.Header.Set(k, v)
		}
		resp, err := w.h.client.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, 202, post("model_inputs", `[{"a":1}]`))
	require.Equal(t, 400, post("request", `[]`), "the endpoint writes it")
	require.Equal(t, 400, post("others", `[]`))
	w.h.Remove(sc, "ep", "blue")
	all, files := w.lines("mdc/ep/blue/Model_Inputs/")
	require.Len(t, all, 1)
	require.Regexp(t, `^mdc/ep/blue/Model_Inputs/\d{4}/\d\d/\d\d/\d\d/[0-9a-f-]{36}\.jsonl$`, files[0])
	require.Equal(t, map[string]any{
		"specversion": "1.0", "id": "b25cb9e2-1a14-4d76-9a4b-0e0d5cbe8f57", "source": sc.Child("onlineEndpoints", "ep", "deployments", "blue"), "type": "azureml.inference.Model_Inputs",
		"datacontenttype": "application/json", "time": "2023-11-14T22:13:20Z", "data": []any{map[string]any{"a": 1.0}}, "correlationid": "r7", "xrequestid": "r7",
		"agent": "a/1", "collectdatatype": "pandas.core.frame.DataFrame", "modelversion": "default", "contentrange": "bytes 0-8/9",
	}, all[0])
}
