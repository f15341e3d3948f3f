package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

const goldenWorkspace = "/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/oracle-rg/providers/Microsoft.MachineLearningServices/workspaces/oracle-ws"

// service has everything that is asked for, echoes what is put, and knows code by its hash: as the recorder's service did.
type service struct {
	mu  sync.Mutex
	put map[string]any
}

var codeHash = regexp.MustCompile(`^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12}).*`)

func (s *service) Do(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	answer := func(doc any) { _ = json.NewEncoder(rec).Encode(doc) } // into memory: it cannot fail
	path := r.URL.Path
	switch {
	case r.Method == http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err != nil {
			return nil, err
		}
		s.mu.Lock()
		s.put[path] = doc
		s.mu.Unlock()
		echo := map[string]any{"id": path, "name": path[strings.LastIndexByte(path, '/')+1:]}
		for k, v := range doc {
			echo[k] = v
		}
		answer(echo)
	case strings.HasSuffix(path, "/codes/"+filepath.Base(filepath.Dir(path))+"/versions"):
		id := goldenWorkspace + "/codes/" + codeHash.ReplaceAllString(r.URL.Query().Get("hash"), "$1-$2-$3-$4-$5") + "/versions/1"
		answer(map[string]any{"value": []any{map[string]any{"id": id, "name": "1", "properties": map[string]any{"codeUri": "https://x/y"}}}})
	case strings.HasSuffix(path, "/workspaces/oracle-ws"):
		answer(map[string]any{"location": "eastus", "properties": map[string]any{"discoveryUrl": "https://eastus.api.azureml.ms/discovery"}})
	case path == "/discovery":
		answer(map[string]any{"api": "https://eastus.api.azureml.ms"})
	case strings.HasSuffix(path, "/components/there/versions/4"):
		answer(map[string]any{"id": path, "properties": map[string]any{"componentSpec": map[string]any{"type": "command", "command": "true", "name": "there", "version": "4"}}})
	default:
		answer(map[string]any{"id": path, "name": filepath.Base(path), "properties": map[string]any{"computeType": "AmlCompute"}})
	}
	resp := rec.Result()
	resp.Request = r
	return resp, nil
}

type anyone struct{}

func (anyone) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "t", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// submit sends a job, and gives what was put by path.
func submit(t testing.TB, spec jobs.Spec) map[string]any {
	t.Helper()
	s := &service{put: map[string]any{}}
	o := &rest.Options{}
	o.Transport = s
	c, err := rest.New(rest.ID{Subscription: "00000000-0000-0000-0000-0000000000aa", ResourceGroup: "oracle-rg", Name: "oracle-ws"}, anyone{}, o)
	require.NoError(t, err)
	_, err = jobs.NewClient(c).Submit(t.Context(), spec, &jobs.SubmitOptions{NoGit: true})
	require.NoError(t, err)
	return s.put
}

// What is sent for a pipeline is what azure-ai-ml sends for the same one, built with its DSL: testdata/dsl says how the bodies
// were recorded.
func TestWhatIsSentIsWhatTheReferenceSends(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job, err := shape(t).Build()
			require.NoError(t, err)
			again, err := shape(t).Build()
			require.NoError(t, err)
			require.Equal(t, job, again, "building is repeatable")
			text, err := os.ReadFile(filepath.Join("testdata", "dsl", "golden", name+".json"))
			require.NoError(t, err)
			var want map[string]any
			require.NoError(t, json.Unmarshal(text, &want))
			if name == "automl" { // the DSL says of an AutoML step that it has no tags; files do not, and neither does this library
				step := want[jobPath(want)].(map[string]any)["properties"].(map[string]any)["jobs"].(map[string]any)["search"].(map[string]any)
				for _, key := range []string{"properties", "tags", "training"} {
					require.Empty(t, step[key])
					delete(step, key)
				}
			}
			require.Equal(t, ordered(t, want), ordered(t, submit(t, job)))
		})
	}
}

func jobPath(puts map[string]any) string {
	for path := range puts {
		if strings.Contains(path, "/jobs/") {
			return path
		}
	}
	return ""
}

// ordered is a body as text, with the job under a name that does not change and the items of loops, which are JSON in a text,
// in one order.
func ordered(t *testing.T, puts map[string]any) string {
	t.Helper()
	out := map[string]any{}
	for path, body := range puts {
		if i := strings.Index(path, "/jobs/"); i >= 0 {
			path = path[:i] + "/jobs/NAME"
		}
		b, err := json.Marshal(body)
		require.NoError(t, err)
		var doc any
		require.NoError(t, json.Unmarshal(b, &doc))
		out[strings.TrimPrefix(path, goldenWorkspace)] = items(t, doc)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(out))
	return strings.ReplaceAll(b.String(), goldenWorkspace, "{W}")
}

func items(t *testing.T, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if text, ok := x.(string); ok && k == "items" {
				var list any
				require.NoError(t, json.Unmarshal([]byte(text), &list))
				v[k] = list
				continue
			}
			v[k] = items(t, x)
		}
	case []any:
		for i, x := range v {
			v[i] = items(t, x)
		}
	}
	return v
}

// A pipeline that was built is written to a file, and what is read from the file is the same pipeline.
func TestFilesSayTheSame(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job, err := shape(t).Build()
			require.NoError(t, err)
			text, err := jobs.Dump(job)
			require.NoError(t, err)
			back := new(jobs.PipelineJob)
			require.NoError(t, wire.LoadYAML(text, "", back, &wire.LoadOptions{Private: true}), "%s", text)
			second, err := jobs.Dump(back)
			require.NoError(t, err)
			require.Equal(t, string(text), string(second))
			require.Len(t, back.Jobs, len(job.Jobs))
			require.Equal(t, stepsOnly(t, submit(t, job)), stepsOnly(t, submit(t, back)))
		})
	}
}

// stepsOnly is the job's body without what says how the pipeline was written: components of files have no names, and their
// versions follow from what they say.
func stepsOnly(t *testing.T, puts map[string]any) string {
	t.Helper()
	for path := range puts {
		if strings.Contains(path, "/components/") {
			delete(puts, path)
		}
	}
	for _, step := range puts[jobPath(puts)].(map[string]any)["properties"].(map[string]any)["jobs"].(map[string]any) {
		if m := step.(map[string]any); m["type"] == "pipeline" { // its hash has in it how its steps were written
			require.Contains(t, m["componentId"], "/azureml_anonymous/versions/")
			delete(m, "componentId")
		}
	}
	return regexp.MustCompile(`"_source": "[^"]*",?`).ReplaceAllString(ordered(t, puts), "")
}
