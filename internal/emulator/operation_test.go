package emulator

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// pipe is azcore's own pipeline over a client, as Microsoft's modules have it.
func (c *client) pipe() runtime.Pipeline {
	return runtime.NewPipeline("test", "v0", runtime.PipelineOptions{PerCall: []policy.Policy{bearer(c.token)}}, &policy.ClientOptions{
		Transport: transporter(c.send), Retry: policy.RetryOptions{MaxRetries: -1},
	})
}

type bearer string

func (b bearer) Do(r *policy.Request) (*http.Response, error) {
	r.Raw().Header.Set("Authorization", "Bearer "+string(b))
	return r.Next()
}

type transporter func(*http.Request) (*http.Response, error)

func (t transporter) Do(r *http.Request) (*http.Response, error) { return t(r) }

// poll begins an operation and follows it with azcore's poller.
func (c *client) poll(method, path string, body any, o *runtime.NewPollerOptions[map[string]any]) (map[string]any, error) {
	c.t.Helper()
	res, err := c.send(c.request(method, path, body))
	require.NoError(c.t, err)
	p, err := runtime.NewPoller(res, c.pipe(), o)
	if err != nil {
		return nil, err
	}
	return p.PollUntilDone(c.t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Minute})
}

func amlCompute() map[string]any {
	return map[string]any{"location": "eastus", "properties": map[string]any{"computeType": "AmlCompute", "properties": map[string]any{"vmSize": "STANDARD_DS3_V2", "scaleSettings": map[string]any{"maxNodeCount": 2}}}}
}

func TestOperationsInAzuresThreeWays(t *testing.T) {
	for name, make := range map[string]func(*testing.T, *Server) *client{"in process": inside, "over the port": outside} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{OperationDelay: 400 * time.Millisecond}) // long enough to be seen under way on a busy machine
			c := make(t, s)

			// Azure-AsyncOperation: the resource is read at the end.
			r := c.do("PUT", at("computes", "one"), amlCompute()).want(201)
			require.Equal(t, "Creating", r.doc().text("properties", "provisioningState"))
			require.NotEmpty(t, r.header.Get("retry-after-ms"))
			link := r.header.Get("Azure-AsyncOperation")
			require.NotEmpty(t, link)
			require.Empty(t, r.header.Get("Location"))
			require.Equal(t, opRunning, c.do("GET", link, nil).want(200).doc().text("status"))
			require.Equal(t, "Creating", c.do("GET", at("computes", "one"), nil).want(200).doc().text("properties", "provisioningState"))
			got, err := c.poll("PUT", at("computes", "two"), amlCompute(), nil)
			require.NoError(t, err)
			require.Equal(t, "Succeeded", document(got).text("properties", "provisioningState"))
			require.Equal(t, "two", got["name"])
			require.Equal(t, opSucceeded, c.do("GET", link, nil).want(200).doc().text("status"))
			got, err = c.poll("PUT", at("computes", "two"), amlCompute(), nil)
			require.NoError(t, err, "an update")
			require.Equal(t, "two", got["name"])

			// Location: 202 while it runs, then the result.
			other := arm.Scope{Subscription: DefaultScope.Subscription, ResourceGroup: "g", Workspace: "other"}
			r = c.do("PUT", other.ID()+version, map[string]any{"location": "eastus"}).want(202)
			c.do("GET", r.header.Get("Location"), nil).want(202)
			got, err = c.poll("PATCH", other.ID()+version, map[string]any{"tags": map[string]any{"a": "b"}}, &runtime.NewPollerOptions[map[string]any]{FinalStateVia: runtime.FinalStateViaLocation})
			require.NoError(t, err)
			require.Equal(t, "b", document(got).text("tags", "a"))
			_, err = c.poll("DELETE", other.ID()+version, nil, &runtime.NewPollerOptions[map[string]any]{FinalStateVia: runtime.FinalStateViaLocation})
			require.NoError(t, err)
			c.do("GET", other.ID()+version, nil).want(404)
			c.do("DELETE", other.ID()+version, nil).want(204)

			// Both headers.
			r = c.do("DELETE", at("computes", "one"), nil).want(202)
			require.NotEmpty(t, r.header.Get("Azure-AsyncOperation"))
			require.NotEmpty(t, r.header.Get("Location"))
			_, err = c.poll("DELETE", at("computes", "two"), nil, nil)
			require.NoError(t, err)

			// An action with a result.
			got, err = c.poll("POST", DefaultScope.ID()+"/diagnose"+version, map[string]any{"value": map[string]any{}}, &runtime.NewPollerOptions[map[string]any]{FinalStateVia: runtime.FinalStateViaLocation})
			require.NoError(t, err)
			require.Contains(t, got, "value")
		})
	}
}

func TestOperationsFollowTheClock(t *testing.T) {
	now := newClock()
	s := open(t, Options{OperationDelay: time.Hour, Clock: now.Now})
	c := inside(t, s)
	r := c.do("PUT", at("computes", "one"), amlCompute()).want(201)
	link := r.header.Get("Azure-AsyncOperation")
	require.Equal(t, "1", r.header.Get("Retry-After"))
	require.Equal(t, opRunning, c.do("GET", link, nil).want(200).doc().text("status"))
	now.Move(time.Hour)
	d := c.do("GET", link, nil).want(200).doc()
	require.Equal(t, opSucceeded, d.text("status"))
	require.NotEmpty(t, d.text("endTime"))
	require.Equal(t, "Succeeded", c.do("GET", at("computes", "one"), nil).want(200).doc().text("properties", "provisioningState"))
	c.do("GET", strings.Replace(link, "mfeOperationsStatus/", "mfeOperationsStatus/x", 1), nil).want(404)

	c.with(FaultHeader, "operation=0s").do("PUT", at("computes", "two"), amlCompute()).want(201)
	require.Equal(t, "Succeeded", c.do("GET", at("computes", "two"), nil).want(200).doc().text("properties", "provisioningState"), "an operation of its own length")
}

func TestWorkFailsAndSurvives(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	c := inside(t, s)
	c.do("PUT", at("onlineEndpoints", "ep1"), map[string]any{"location": "eastus", "properties": map[string]any{"authMode": "Key"}}).want(201)
	call := &call{s: s, r: (&http.Request{}).WithContext(context.Background()), v: map[string]string{"sub": "s"}, sc: DefaultScope, now: s.opts.Clock()}
	id := DefaultScope.Child(arm.OnlineEndpoints, "ep1")
	o := call.newOperation(id, "Updating")
	o.Work = true
	require.True(t, s.claim(o))
	require.False(t, s.claim(call.newOperation(id, "Updating")))
	require.Equal(t, "ResourceNotReady", c.do("DELETE", at("onlineEndpoints", "ep1"), nil).want(409).code())
	d, err := s.get(t.Context(), id)
	require.NoError(t, err)
	d.props()["provisioningState"] = "Updating"
	parsed, err := arm.ParseID(id)
	require.NoError(t, err)
	sd, err := d.stored(parsed)
	require.NoError(t, err)
	call.sc = DefaultScope
	require.NoError(t, call.keep(sd.ID, d, o))
	require.NoError(t, s.Close()) // as if the work had been under way

	s = open(t, Options{Dir: dir})
	c = inside(t, s)
	got := c.do("GET", "https://management.azure.com"+o.ID+version, nil).want(200).doc()
	require.Equal(t, opFailed, got.text("status"))
	require.NotEmpty(t, got.text("error", "message"))
	require.Equal(t, "Failed", c.do("GET", at("onlineEndpoints", "ep1"), nil).want(200).doc().text("properties", "provisioningState"))
	c.do("GET", "https://management.azure.com"+strings.Replace(o.ID, "mfeOperationsStatus", "mfeOperationResults", 1)+version, nil).want(400)
}

func TestErrorsAreAzcores(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	res, err := c.send(c.request("GET", at("computes", "none"), nil))
	require.NoError(t, err)
	err = runtime.NewResponseError(res)
	var re *azcore.ResponseError
	require.ErrorAs(t, err, &re)
	require.Equal(t, "ResourceNotFound", re.ErrorCode)
	require.Equal(t, 404, re.StatusCode)
}

func TestAPIVersions(t *testing.T) {
	s := open(t, Options{})
	c := inside(t, s)
	require.Equal(t, "MissingApiVersionParameter", c.do("GET", DefaultScope.ID(), nil).want(400).code())
	require.Equal(t, "NoRegisteredProviderFound", c.do("GET", DefaultScope.ID()+"?api-version=2099-01-01", nil).want(400).code())
	require.Equal(t, "NoRegisteredProviderFound", c.do("GET", DefaultScope.Child("schedules")+"?api-version=2019-05-01", nil).want(400).code(), "a version before the kind's first")
	c.do("GET", DefaultScope.ID()+"?API-Version=2023-08-01-PREVIEW", nil).want(200)
	c.do("GET", DefaultScope.Child("models")+"?api-version=2021-10-01-dataplanepreview", nil).want(400)
	c.do("GET", "https://eastus.api.azureml.ms/mferp/managementfrontend"+DefaultScope.Child("models")+"?api-version=2021-10-01-dataplanepreview", nil).want(200)
	for _, v := range strings.Fields("2024-10-01-preview 2022-10-01-preview 2024-04-01-preview 2025-01-01-preview 2023-08-01-preview 2023-04-01 2023-04-01-preview 2022-02-01-preview 2023-10-01 2024-01-01-preview 2023-02-01-preview 2023-06-01-preview 2024-04-01") {
		c.do("GET", DefaultScope.ID()+"?api-version="+v, nil).want(200)
	}
	b, err := json.Marshal(map[string]any{"properties": "x"})
	require.NoError(t, err)
	c.do("PUT", at("datastores", "d"), string(b)).want(400)
	c.do("PUT", at("datastores", "d"), "{").want(400)
	c.do("PUT", at("datastores", "d"), "[]").want(400)
	c.do("PUT", at("datastores", "d"), "{} {}").want(400)
	c.do("PUT", at("datastores", "d"), "").want(400)
	c.do("PATCH", at("datastores", "d"), "{}").want(405)
	c.do("GET", at("nothing", "d"), nil).want(404)
	c.do("PUT", at("datastores", "d"), `{"properties":"`+strings.Repeat("x", maxBody)+`"}`).want(413)
}
