package rest

import (
	"errors"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestInnermostMessage(t *testing.T) {
	for _, x := range []struct{ body, code, message string }{
		{`{"error":{"code":"NotFound","message":"no job"}}`, "NotFound", "no job"},
		{`{"error":{"code":"UserError","message":"outer","details":[{"code":"A","message":"middle","details":[{"code":"B","message":"the cause"}]}]}}`, "UserError", "the cause"},
		{`{"error":{"code":"E","message":"outer","details":[{"code":"A","message":"one","target":"name"},{"code":"B","message":"two"}]}}`, "E", "name: one; two"},
		{`{"error":{"code":"E","message":"outer","innerError":{"code":"I","innerError":{"code":"J"}}}}`, "E", "outer"},
		{`{"error":{"code":"E","message":"outer","innererror":{"code":"I","message":"deep"}}}`, "E", "deep"},
		{`{"error":{"code":"E","message":"{\"error\":{\"code\":\"F\",\"message\":\"wrapped as text\"}}"}}`, "E", "wrapped as text"},
		{`{"code":"E","message":"bare"}`, "E", "bare"},
		{`{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no run"}`, "RESOURCE_DOES_NOT_EXIST", "no run"},
		{`{"status":"Failed","error":{"code":"BuildFailed","message":"image build failed"}}`, "BuildFailed", "image build failed"},
		{`{"error":"just text"}`, "", "just text"},
		{`{"properties":{"provisioningErrors":[{"error":{"code":"Quota","message":"no cores"}}]}}`, "Quota", "no cores"},
		{`{"error":{"details":null}}`, "", ""},
		{`[]`, "", ""}, {``, "", ""}, {`<html>`, "", ""}, {`{"error":5}`, "", ""},
	} {
		code, message := innermost([]byte(x.body))
		require.Equal(t, x.code, code, x.body)
		require.Equal(t, x.message, message, x.body)
	}
}

func FuzzInnermost(f *testing.F) {
	f.Add([]byte(`{"error":{"code":"E","message":"{\"error\":{\"message\":\"m\"}}","details":[null,{"innerError":{}}]}}`))
	f.Add([]byte(`{"properties":{"provisioningErrors":[null,{"error":null}]}}`))
	f.Fuzz(func(_ *testing.T, body []byte) { innermost(body) })
}

func TestErrorSaysWhatAndWhere(t *testing.T) {
	c, _ := newTestClient(t, nil, say(404, `{"error":{"code":"UserError","message":"outer","details":[{"code":"X","message":"job y is not there"}]}}`, "x-ms-request-id: r-1"))
	err := c.Do(t.Context(), &Call{Op: `jobs: get "y"`, Path: c.Path("jobs", "y"), Group: "jobs"})
	require.EqualError(t, err, `jobs: get "y": 404 UserError: job y is not there (request r-1)`)
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.NotErrorIs(t, err, azureml.ErrConflict)
	require.True(t, azureml.HasCode(err, "usererror"))
	var re *azcore.ResponseError
	require.ErrorAs(t, err, &re)
	require.Equal(t, 404, re.StatusCode)
	require.Equal(t, "UserError", re.ErrorCode)
	var e *Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, "r-1", e.RequestID)

	c, _ = newTestClient(t, nil, say(403, `plain words`, "Content-Type: text/plain"))
	require.EqualError(t, c.Do(t.Context(), &Call{Op: "o", Path: c.Path("jobs"), Group: "jobs"}), "o: 403 Forbidden: plain words")
	c, _ = newTestClient(t, nil, say(403, `<html>words</html>`, "Content-Type: text/html"))
	require.EqualError(t, c.Do(t.Context(), &Call{Op: "o", Path: c.Path("jobs"), Group: "jobs"}), "o: 403 Forbidden")
	c, _ = newTestClient(t, nil, say(403, `words`, "Content-Type: text/html; charset=utf-8"))
	require.EqualError(t, c.Do(t.Context(), &Call{Op: "o", Path: c.Path("jobs"), Group: "jobs"}), "o: 403 Forbidden: words")
}

func TestNamesThatReachElsewhere(t *testing.T) {
	c, s := newTestClient(t, nil, say(200, `{}`))
	for _, name := range []string{"", ".", ".."} {
		require.ErrorContains(t, c.Do(t.Context(), &Call{Op: "jobs: get", Path: c.Path("jobs", name), Group: "jobs"}), "jobs: get: ")
	}
	require.Empty(t, s.sent)
	require.NoError(t, c.Do(t.Context(), &Call{Path: c.Path("jobs", "a/b?c#d %"), Group: "jobs"}))
	require.Equal(t, "GET https://management.azure.com"+wsPath+"/jobs/a%2Fb%3Fc%23d%20%25?api-version=2024-01-01-preview", s.urls()[0])
}

func TestVersions(t *testing.T) {
	c, _ := newTestClient(t, &Options{APIVersions: map[string]string{"jobs": "2030-01-01"}})
	v, err := c.APIVersion("jobs")
	require.NoError(t, err)
	require.Equal(t, "2030-01-01", v)
	_, err = c.APIVersion("nonsense")
	require.ErrorContains(t, err, "nonsense")
	_, err = New(testID, &realCredential{}, &Options{APIVersions: map[string]string{"nonsense": "x"}})
	require.ErrorContains(t, err, "nonsense")
	c, s := newTestClient(t, &Options{ClientOptions: azcore.ClientOptions{APIVersion: "2031-01-01"}}, say(200, `{}`))
	require.NoError(t, c.Do(t.Context(), &Call{Path: c.Path("jobs"), Group: "jobs"}))
	require.Contains(t, s.sent[0].url, "api-version=2031-01-01")
	v, err = c.APIVersion("runHistory")
	require.NoError(t, err)
	require.Equal(t, "v1.0", v)
}

func TestHeadersOfRequests(t *testing.T) {
	c, s := newTestClient(t, &Options{ClientOptions: azcore.ClientOptions{}}, say(200, `{}`))
	c.options.Telemetry.ApplicationID = "my app"
	c.pipeline = c.newPipeline()
	for range 2 {
		require.NoError(t, c.Do(t.Context(), &Call{Path: c.Path("jobs"), Group: "jobs"}))
	}
	h := s.sent[0].header
	require.Regexp(t, `^my/app azureml-go/`+Version+` \(go.+; \w+\)$`, h.Get("User-Agent"))
	require.Equal(t, "application/json", h.Get("Accept"))
	require.NotEmpty(t, h.Get("X-Ms-Client-Request-Id"))
	require.NotEqual(t, h.Get("X-Ms-Client-Request-Id"), s.sent[1].header.Get("X-Ms-Client-Request-Id"))
}

func TestErrorsNameTheField(t *testing.T) {
	t.Parallel()
	_, m := innermost([]byte(`{"error":{"code":"ValidationError","message":"want a number","target":"properties.limits.maxTotalTrials"}}`))
	require.Equal(t, "properties.limits.maxTotalTrials: want a number", m)
	_, m = innermost([]byte(`{"error":{"code":"Conflict","message":"is there","target":"workspace"}}`))
	require.Equal(t, "is there", m)
}
