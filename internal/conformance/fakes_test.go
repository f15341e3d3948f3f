package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4/fake"
	"github.com/stretchr/testify/require"
)

// fakes are Microsoft's fake servers for its generated client, made to serve a
// client that is not generated: they choose by the name of the operation, which
// the generated client puts into the context, so that name is found here from
// method and path, by the generated client's own source.
type fakes struct {
	t          *testing.T
	servers    http.RoundTripper
	operations map[string][]fakeOperation // by method
	tried      []operation
	began      map[string]string // by path
}

type fakeOperation struct {
	path   []string
	client string // JobsClient
	name   string // createOrUpdate
}

var goRequest = regexp.MustCompile(`^func \(client \*(\w+)\) (\w+)CreateRequest\(`)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newFakes(t *testing.T, source string, srv *fake.ServerFactory) *fakes {
	f := &fakes{t: t, servers: transport(fake.NewServerFactoryTransport(srv).Do), operations: map[string][]fakeOperation{}, began: map[string]string{}}
	files, err := filepath.Glob(filepath.Join(source, "*_client.go"))
	require.NoError(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		var op fakeOperation
		for line := range strings.Lines(string(b)) {
			if m := goRequest.FindStringSubmatch(line); m != nil {
				op = fakeOperation{client: m[1], name: m[2]}
			}
			if m := goPath.FindStringSubmatch(line); m != nil {
				op.path = strings.Split(strings.Trim(strings.ToLower(m[1]), "/"), "/")
			}
			if m := goMethod.FindStringSubmatch(line); m != nil && op.path != nil {
				f.operations[strings.ToUpper(m[1])] = append(f.operations[strings.ToUpper(m[1])], op)
			}
		}
	}
	require.NotEmpty(t, f.operations)
	return f
}

var fakePage = regexp.MustCompile(`/fake_page_\d+$`)

// Do answers the discovery of services itself, and gives everything else to the fake that has it.
func (f *fakes) Do(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/history/") { // not the resource manager's
		return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: readCloser(""), Request: r}, nil
	}
	if strings.HasSuffix(r.URL.Path, "/discovery") {
		return answer(r, `{"api":"https://eastus.api.azureml.ms"}`), nil
	}
	path := strings.TrimSuffix(r.URL.Path, "/get/fake/status")
	path = fakePage.ReplaceAllString(path, "")
	parts := strings.Split(strings.Trim(strings.ToLower(path), "/"), "/")
	if path != r.URL.Path && f.began[path] != "" { // a poll of what began otherwise
		return f.serve(r, path, f.began[path])
	}
	var last error
	for _, op := range f.operations[r.Method] {
		if !matches(op.path, parts) {
			continue
		}
		upper := strings.ToUpper(op.name[:1]) + op.name[1:]
		for _, name := range []string{upper, "Begin" + upper, "New" + upper + "Pager"} {
			resp, err := f.serve(r, path, op.client+"."+name)
			if err == nil {
				f.began[path] = op.client + "." + name
				return resp, nil
			}
			if last == nil || strings.Contains(last.Error(), "unhandled API") {
				last = err
			}
		}
	}
	return nil, fmt.Errorf("no fake of Microsoft's answers %s %s: %w", r.Method, r.URL.Path, last)
}

// serve gives a request the name of its operation, where the fake servers look for it, and makes Azure's answers of
// theirs: an error that they return instead of an answer, and an operation that goes on, which they mark for azcore alone.
func (f *fakes) serve(r *http.Request, path, api string) (*http.Response, error) {
	resp, err := f.servers.RoundTrip(r.WithContext(context.WithValue(r.Context(), runtime.CtxAPINameKey{}, api)))
	var refused *azcore.ResponseError
	if errors.As(err, &refused) && refused.RawResponse != nil {
		resp = refused.RawResponse
		resp.Header.Set("X-Ms-Error-Code", refused.ErrorCode)
		return resp, nil
	}
	if err == nil && resp.Header.Get("Fake-Poller-Status") == "InProgress" {
		at := *r.URL
		at.Path = path + "/get/fake/status"
		resp.StatusCode = http.StatusAccepted
		resp.Header.Set("Location", at.String())
		resp.Header.Set("Retry-After-Ms", "1")
	}
	if err == nil && resp.Header.Get("Fake-Poller-Status") == "Succeeded" && resp.StatusCode == http.StatusAccepted {
		resp.StatusCode = http.StatusOK
	}
	return resp, err
}

func matches(template, parts []string) bool {
	if len(template) != len(parts) {
		return false
	}
	for i, p := range parts {
		if !segmentLike(template[i], p) {
			return false
		}
	}
	return true
}

func answer(r *http.Request, body string) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: readCloser(body), Request: r}
}

// one is an answer, pages are a list's, and long is that of an operation that is asked about twice before it ends, with a status that Microsoft's client takes.
func one[T any](v T) (r azfake.Responder[T], e azfake.ErrorResponder) {
	r.SetResponse(http.StatusOK, v, nil)
	return r, e
}

func pages[T any](all ...T) (r azfake.PagerResponder[T]) {
	for _, p := range all {
		r.AddPage(http.StatusOK, p, nil)
	}
	return r
}

func long[T any](status int, v T) (r azfake.PollerResponder[T], e azfake.ErrorResponder) {
	r.AddNonTerminalResponse(http.StatusAccepted, nil)
	r.AddNonTerminalResponse(http.StatusAccepted, nil)
	r.SetTerminalResponse(status, v, nil)
	return r, e
}

func refusal[T any](status int, code string) (r azfake.Responder[T], e azfake.ErrorResponder) {
	e.SetResponseError(status, code)
	return r, e
}

// check is one thing that our client does with the fakes.
func (f *fakes) check(name string, do func() error) {
	o := operation{Name: name, Outcome: passed, Calls: 1}
	if err := do(); err != nil {
		o.Outcome, o.Detail = failed, err.Error()
	}
	f.tried = append(f.tried, o)
}

type noCredential struct{}

func (noCredential) GetToken(context.Context, policyTokenOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: "x", ExpiresOn: farAway}, nil
}
