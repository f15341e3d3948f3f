package rest

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/stretchr/testify/require"
)

type thing struct {
	Name string `json:"name"`
}

func decodeThing(raw json.RawMessage) (*thing, error) {
	t := &thing{}
	if len(raw) == 0 {
		return t, nil
	}
	return t, json.Unmarshal(raw, t)
}

const arm = "https://management.azure.com"

func TestBeginInAllWays(t *testing.T) {
	soon := "retry-after-ms: 1"
	opLink := "Azure-AsyncOperation: " + arm + "/operations/1?api-version=x"
	locLink := "Location: " + arm + "/results/1?api-version=x"
	type steps = []func(*http.Request) (*http.Response, error)
	self := "GET " + arm + wsPath + "/things/a?api-version=2024-01-01-preview"
	for _, x := range []struct {
		name, method string
		steps        steps
		asked        []string // after the first
		want         string
	}{
		{"put, ended at once", "PUT", steps{say(200, `{"name":"a","properties":{"provisioningState":"Succeeded"}}`)}, nil, "a"},
		{"put without any state", "PUT", steps{say(201, `{"name":"a"}`)}, nil, "a"},
		{"put with operation", "PUT", steps{
			say(201, `{"name":"a","properties":{"provisioningState":"Creating"}}`, opLink, soon),
			say(200, `{"status":"InProgress"}`, soon), say(200, `{"status":"Succeeded"}`), say(200, `{"name":"final"}`),
		}, []string{"GET " + arm + "/operations/1?api-version=x", "GET " + arm + "/operations/1?api-version=x", self}, "final"},
		{"put with operation, done already", "PUT", steps{say(201, `{"name":"a","properties":{"provisioningState":"Succeeded"}}`, opLink)}, nil, "a"},
		{"put with state", "PUT", steps{
			say(201, `{"properties":{"provisioningState":"Creating"}}`, soon), say(200, `{"properties":{"provisioningState":"Updating"}}`, soon),
			say(200, `{"name":"b","properties":{"provisioningState":"Succeeded"}}`),
		}, []string{self, self}, "b"},
		{"put accepted with nothing", "PUT", steps{say(202, ``, soon), say(200, `{"name":"b"}`)}, []string{self}, "b"},
		{"patch with location", "PATCH", steps{
			say(202, ``, locLink, soon), say(202, ``, "Location: "+arm+"/results/2", soon), say(200, `{"name":"c"}`),
		}, []string{"GET " + arm + "/results/1?api-version=x", "GET " + arm + "/results/2"}, "c"},
		{"patch with location that ends empty", "PATCH", steps{say(202, ``, locLink, soon), say(204, ``), say(200, `{"name":"c"}`)},
			[]string{"GET " + arm + "/results/1?api-version=x", self}, "c"},
		{"post with location", "POST", steps{say(202, ``, locLink, soon), say(200, `{"name":"d"}`)}, []string{"GET " + arm + "/results/1?api-version=x"}, "d"},
		{"post with both", "POST", steps{say(202, ``, locLink, opLink, soon), say(200, `{"status":"Succeeded"}`), say(200, `{"name":"d"}`)},
			[]string{"GET " + arm + "/operations/1?api-version=x", "GET " + arm + "/results/1?api-version=x"}, "d"},
		{"post, done at once", "POST", steps{say(200, `{"name":"d"}`)}, nil, "d"},
		{"post accepted with nothing", "POST", steps{say(202, ``)}, nil, ""},
		{"delete", "DELETE", steps{say(204, ``)}, nil, ""},
		{"delete with location", "DELETE", steps{say(202, ``, locLink, soon), say(202, ``, soon), say(204, ``)},
			[]string{"GET " + arm + "/results/1?api-version=x", "GET " + arm + "/results/1?api-version=x"}, ""},
		{"delete with operation", "DELETE", steps{say(202, ``, opLink, locLink, soon), say(200, `{"status":"Succeeded"}`)}, []string{"GET " + arm + "/operations/1?api-version=x"}, ""},
		{"delete with nothing", "DELETE", steps{say(202, ``, soon), say(200, `{"properties":{"provisioningState":"Deleting"}}`, soon), say(404, `{}`)}, []string{self, self}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			c, s := newTestClient(t, nil, x.steps...)
			p, err := Begin(t.Context(), c, &Call{Op: `things: do "a"`, Method: x.method, Path: c.Path("things", "a"), Group: "jobs", Body: []byte(`{}`)}, decodeThing)
			require.NoError(t, err)
			got, err := p.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Hour})
			require.NoError(t, err)
			require.Equal(t, x.want, got.Name)
			require.Equal(t, x.asked, append([]string(nil), s.urls()[1:]...))
			require.Len(t, s.sent, len(x.steps))

			// The same, with each step taken by a poller that a token brought back.
			c, s = newTestClient(t, nil, x.steps...)
			call := &Call{Op: `things: do "a"`, Method: x.method, Path: c.Path("things", "a"), Group: "jobs", Body: []byte(`{}`)}
			p, err = Begin(t.Context(), c, call, decodeThing)
			require.NoError(t, err)
			for !p.Done() {
				token, err := p.ResumeToken()
				require.NoError(t, err)
				require.NotContains(t, token, secretToken)
				p, err = Begin(t.Context(), c, &Call{Op: call.Op, ResumeToken: token}, decodeThing)
				require.NoError(t, err)
				_, err = p.Poll(t.Context())
				require.NoError(t, err)
			}
			got, err = p.Result(t.Context())
			require.NoError(t, err)
			require.Equal(t, x.want, got.Name)
			require.Len(t, s.sent, len(x.steps))
		})
	}
}

func TestBeginWatchesTheResource(t *testing.T) {
	c, s := newTestClient(t, nil, say(202, ``, "retry-after-ms: 1"), say(200, `{"properties":{"properties":{"state":"Starting"}}}`, "retry-after-ms: 1"), say(200, `{"name":"ci","properties":{"properties":{"state":"Running"}}}`))
	settled := func(raw json.RawMessage) (bool, error) {
		var d struct {
			Properties struct{ Properties struct{ State string } }
		}
		err := json.Unmarshal(raw, &d)
		return d.Properties.Properties.State == "Running", err
	}
	p, err := Begin(t.Context(), c, &Call{Op: "o", Method: "POST", Path: c.Path("computes", "ci", "start"), Group: "computes", Watch: c.Path("computes", "ci"), Settled: settled}, decodeThing)
	require.NoError(t, err)
	got, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "ci", got.Name)
	require.Equal(t, "GET "+arm+wsPath+"/computes/ci?api-version=2023-08-01-preview", s.urls()[2])
}

func TestBeginFailures(t *testing.T) {
	opLink := "Azure-AsyncOperation: " + arm + "/operations/1"
	for name, x := range map[string]struct {
		steps []func(*http.Request) (*http.Response, error)
		want  string
	}{
		"operation fails": {[]func(*http.Request) (*http.Response, error){
			say(201, `{}`, opLink, "retry-after-ms: 1"),
			say(200, `{"status":"Failed","error":{"code":"BadImage","message":"outer","details":[{"code":"I","message":"pip failed"}]}}`),
		}, `things: create "a": BadImage: pip failed`},
		"operation fails silently": {[]func(*http.Request) (*http.Response, error){
			say(201, `{}`, opLink, "retry-after-ms: 1"), say(200, `{"status":"Canceled"}`),
		}, `things: create "a": OperationCanceled: the operation ended in the state Canceled`},
		"state fails": {[]func(*http.Request) (*http.Response, error){
			say(201, `{"properties":{"provisioningState":"Creating"}}`, "retry-after-ms: 1"),
			say(200, `{"properties":{"provisioningState":"Failed","provisioningErrors":[{"error":{"code":"Quota","message":"no cores left"}}]}}`),
		}, `things: create "a": Quota: no cores left`},
		"first answer":        {[]func(*http.Request) (*http.Response, error){say(400, `{"error":{"code":"Bad","message":"m"}}`)}, `things: create "a": 400 Bad: m`},
		"poll answers":        {[]func(*http.Request) (*http.Response, error){say(201, `{}`, opLink, "retry-after-ms: 1"), say(403, `{"error":{"code":"No","message":"m"}}`)}, `things: create "a": 403 No: m`},
		"poll without status": {[]func(*http.Request) (*http.Response, error){say(201, `{}`, opLink, "retry-after-ms: 1"), say(200, `{}`)}, `no status`},
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := newTestClient(t, nil, x.steps...)
			p, err := Begin(t.Context(), c, &Call{Op: `things: create "a"`, Method: "PUT", Path: c.Path("things", "a"), Group: "jobs", Body: []byte(`{}`)}, decodeThing)
			if err == nil {
				_, err = p.PollUntilDone(t.Context(), nil)
			}
			require.ErrorContains(t, err, x.want)
			if name != "poll without status" {
				var re *azcore.ResponseError
				require.True(t, errors.As(err, &re))
			}
		})
	}
}

func TestBeginRefusesOtherHosts(t *testing.T) {
	for _, link := range []string{"Azure-AsyncOperation: https://evil.example/x", "Location: https://evil.example/x", "Azure-AsyncOperation: http://management.azure.com/x"} {
		c, s := newTestClient(t, nil, say(202, ``, link))
		_, err := Begin(t.Context(), c, &Call{Op: "o", Method: "DELETE", Path: c.Path("things", "a"), Group: "jobs"}, Nothing)
		require.ErrorContains(t, err, "cannot be followed")
		require.Len(t, s.sent, 1)
	}
	// A later Location, and a forged token.
	c, s := newTestClient(t, nil, say(202, ``, "Location: "+arm+"/r/1"), say(202, ``, "Location: https://evil.example/x"))
	p, err := Begin(t.Context(), c, &Call{Op: "o", Method: "DELETE", Path: c.Path("things", "a"), Group: "jobs"}, Nothing)
	require.NoError(t, err)
	token, err := p.ResumeToken()
	require.NoError(t, err)
	_, err = p.Poll(t.Context())
	require.ErrorContains(t, err, "Location")
	require.Len(t, s.sent, 2)
	for _, forged := range []string{
		`{"type":"Done","token":{"way":"location","url":"https://evil.example/x","resource":"https://management.azure.com/y","method":"DELETE","state":"InProgress"}}`,
		`{"type":"Done","token":{"way":"location","url":"","resource":"","method":"DELETE","state":"InProgress"}}`,
		`{"type":"Done","token":{"asyncURL":"https://evil.example/x"}}`, `{"type":"Other","token":{}}`, `{}`, ``, `x`,
	} {
		if forged == "" {
			continue // an empty token is none
		}
		_, err = Begin(t.Context(), c, &Call{Op: "o", ResumeToken: forged}, Nothing)
		require.ErrorContains(t, err, "o: resuming", forged)
	}
	_, err = Begin(t.Context(), c, &Call{Op: "o", ResumeToken: token}, Nothing)
	require.NoError(t, err)
	require.Len(t, s.sent, 2)
}

func TestPollInterval(t *testing.T) {
	c, _ := newTestClient(t, &Options{PollInterval: time.Millisecond}, say(201, `{"properties":{"provisioningState":"Creating"}}`),
		say(200, `{"properties":{"provisioningState":"Creating"}}`), say(200, `{"name":"a","properties":{"provisioningState":"Succeeded"}}`))
	p, err := Begin(t.Context(), c, &Call{Op: "o", Method: "PUT", Path: c.Path("things", "a"), Group: "jobs"}, decodeThing)
	require.NoError(t, err)
	start := time.Now()
	got, err := p.PollUntilDone(t.Context(), nil) // azcore's own default would be 30 s
	require.NoError(t, err)
	require.Equal(t, "a", got.Name)
	require.Less(t, time.Since(start), 20*time.Second)
}

func FuzzResumeToken(f *testing.F) {
	f.Add(`{"type":"Done","token":{"way":"location","url":"https://management.azure.com/x","resource":"https://management.azure.com/y"}}`)
	f.Add(`{"type":"Done","token":{"way":"watch","url":"http://["}}`)
	c, err := New(testID, &realCredential{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if token == "" {
			return
		}
		p, err := Begin(t.Context(), c, &Call{Op: "o", ResumeToken: token}, Nothing)
		if (p == nil) == (err == nil) {
			t.Fatal("either a poller or an error")
		}
	})
}
