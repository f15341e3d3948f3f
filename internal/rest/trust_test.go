package rest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

func TestEndpointRules(t *testing.T) {
	for _, x := range []struct {
		endpoint string
		static   bool
		fault    string
	}{
		{"https://management.azure.com", false, ""},
		{"https://management.azure.com/", true, ""},
		{"https://proxy.example:8443/arm", false, ""},
		{"http://127.0.0.1:8080", true, ""},
		{"http://127.9.8.7:8080/", true, ""},
		{"http://[::1]:8080", true, ""},
		{"http://127.0.0.1:8080", false, "static token"},
		{"http://[::1]:8080", false, "static token"},
		{"http://localhost:8080", true, "literal loopback"},
		{"http://127.0.0.1.evil.example", true, "literal loopback"},
		{"http://[fe80::1%25lo]:80", true, "literal loopback"},
		{"http://10.0.0.1", true, "literal loopback"},
		{"http://management.azure.com", false, "literal loopback"},
		{"ftp://127.0.0.1", true, "not https"},
		{"management.azure.com", false, "no absolute address"},
		{"https://user:pw@management.azure.com", false, "user name"},
		{"https://management.azure.com?sig=abc", false, "query"},
	} {
		var cred azcore.TokenCredential = &realCredential{}
		if x.static {
			cred = StaticToken("t")
		}
		_, err := New(testID, cred, &Options{Endpoint: x.endpoint})
		if x.fault == "" {
			require.NoError(t, err, x.endpoint)
			continue
		}
		require.ErrorContains(t, err, x.fault, x.endpoint)
		require.NotContains(t, err.Error(), "pw@")
		require.NotContains(t, err.Error(), "abc")
	}
	_, err := New(testID, nil, nil)
	require.ErrorContains(t, err, "credential")
	_, err = New(testID, nil, &Options{Endpoint: "http://127.0.0.1:1"})
	require.NoError(t, err, "a local workspace may be without authentication")
	_, err = New(testID, StaticToken("t"), &Options{Endpoint: "http://127.0.0.1:1", RegistryDiscovery: "https://eastus.api.azureml.ms"})
	require.ErrorContains(t, err, "RegistryDiscovery")
	_, err = New(testID, &realCredential{}, &Options{RegistryDiscovery: "http://eastus.api.azureml.ms"})
	require.ErrorContains(t, err, "https")
	for _, id := range []ID{{}, {"s", "g", ""}, {"s", "g/../h", "w"}, {"s", "g", "w?x"}} {
		_, err = New(id, &realCredential{}, nil)
		require.ErrorContains(t, err, "rest: ID.", "%v", id)
	}
}

func TestClouds(t *testing.T) {
	for _, x := range []struct {
		cloud       cloud.Configuration
		arm, scope  string
		ml, scoring string
	}{
		{cloud.Configuration{}, "https://management.azure.com", "https://management.azure.com/.default", "https://ml.azure.com/.default", "https://e.eastus.inference.ml.azure.com/score"},
		{cloud.AzurePublic, "https://management.azure.com", "https://management.azure.com/.default", "https://ml.azure.com/.default", "https://e.eastus.inference.ml.azure.com/score"},
		{cloud.AzureChina, "https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default", "https://ml.azure.cn/.default", "https://e.chinaeast2.inference.ml.azure.cn/score"},
		{cloud.AzureGovernment, "https://management.usgovcloudapi.net", "https://management.usgovcloudapi.net/.default", "https://ml.azure.us/.default", "https://e.usgovarizona.inference.ml.azure.us/score"},
		{cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.example/", Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: "https://arm.example", Audience: "https://aud.example/"}, ServiceML: {Audience: "https://ml.example"},
		}}, "https://arm.example", "https://aud.example/.default", "https://ml.example/.default", "https://e.here.inference.ml.example/score"},
	} {
		c, err := New(testID, &realCredential{}, &Options{ClientOptions: azcore.ClientOptions{Cloud: x.cloud}})
		require.NoError(t, err)
		require.Equal(t, x.arm, c.Endpoint())
		require.Equal(t, x.scope, c.ARMScope())
		require.Equal(t, x.ml, c.MLScope())
		u, err := url.Parse(x.scoring)
		require.NoError(t, err)
		require.True(t, c.trust.allowsScoring(u))
		require.False(t, c.trust.allows(u), "a token for the resource manager does not go to a scoring host")
		u.Scheme = "http"
		require.False(t, c.trust.allowsScoring(u))
	}
	_, err := New(testID, &realCredential{}, &Options{ClientOptions: azcore.ClientOptions{Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: "https://login.example/"}}})
	require.ErrorContains(t, err, "no known cloud")
}

func TestBearerGoesToTrustedHostsOnly(t *testing.T) {
	c, s := newTestClient(t, nil, append(workspaceThenDiscovery(), say(200, `{}`))...)
	require.NoError(t, c.Do(t.Context(), &Call{Plane: API, Path: "/history/v1.0" + c.Path("runs", "x"), Group: "runHistory"}))
	require.Equal(t, []string{
		"GET https://management.azure.com" + wsPath + "?api-version=2024-10-01-preview",
		"GET https://eastus.api.azureml.ms/discovery",
		"GET https://eastus.api.azureml.ms/history/v1.0" + wsPath + "/runs/x?api-version=v1.0",
	}, s.urls())
	require.Equal(t, "Bearer "+secretToken, s.sent[0].header.Get("Authorization"))
	require.Empty(t, s.sent[1].header.Get("Authorization"), "discovery is asked without a token")
	require.Equal(t, "Bearer "+secretToken, s.sent[2].header.Get("Authorization"))

	for _, address := range []string{"https://evil.example/score", "https://evil-inference.ml.azure.com.example/score", "http://e.eastus.inference.ml.azure.com/score", "https://inference.ml.azure.com.evil.example/"} {
		before := len(s.sent)
		err := c.Do(t.Context(), &Call{Op: `batch: invoke "e"`, Method: "POST", Plane: ML, Path: address, Body: []byte(`{}`)})
		require.ErrorContains(t, err, "no request with a token is sent there", address)
		require.NotErrorIs(t, err, azureml.ErrOutcomeUnknown)
		require.Len(t, s.sent, before, "nothing was sent")
	}
	require.NoError(t, c.Do(t.Context(), &Call{Method: "POST", Plane: ML, Path: "https://e.eastus.inference.ml.azure.com/jobs", Body: []byte(`{}`)}))
}

func TestSignedAddressesGetNoToken(t *testing.T) {
	c, s := newTestClient(t, nil, say(200, `{}`))
	sas := "https://acct.blob.core.windows.net/c/b?sv=2024&sig=c2VjcmV0"
	require.NoError(t, c.Do(t.Context(), &Call{Plane: Raw, Path: sas}))
	require.NoError(t, c.Do(t.Context(), &Call{Plane: Raw, Path: sas, Header: http.Header{"Authorization": {"Bearer x"}}}))
	for _, r := range s.sent {
		require.Empty(t, r.header.Get("Authorization"))
		require.Equal(t, sas, r.url, "the signed query is not touched")
	}
	so := c.StorageOptions()
	pl := runtime.NewPipeline("azblob", "v1", runtime.PipelineOptions{PerRetry: []policy.Policy{
		runtime.NewBearerTokenPolicy(&realCredential{}, []string{StorageScope}, nil),
	}}, &so)
	for address, want := range map[string]string{sas: "", "https://acct.blob.core.windows.net/c/b": "Bearer " + secretToken} {
		req, err := runtime.NewRequest(t.Context(), "GET", address)
		require.NoError(t, err)
		_, err = pl.Do(req)
		require.NoError(t, err)
		require.Equal(t, want, s.sent[len(s.sent)-1].header.Get("Authorization"))
	}
}

func TestDiscoveryIsChecked(t *testing.T) {
	ws := func(discovery string) func(*http.Request) (*http.Response, error) {
		return say(200, `{"location":"eastus","properties":{"discoveryUrl":"`+discovery+`"}}`)
	}
	for _, x := range []struct {
		discovery, document, fault string
	}{
		{"", "", "no discovery address"},
		{"http://eastus.api.azureml.ms/discovery", "", "not https"},
		{"https://eastus.api.azureml.ms/discovery", `{"api":"http://eastus.api.azureml.ms"}`, "to which no token may be sent"},
		{"https://eastus.api.azureml.ms/discovery", `{"history":"https://eastus.api.azureml.ms"}`, "no usable api"},
		{"https://eastus.api.azureml.ms/discovery", `{"api":"https://u:p@eastus.api.azureml.ms"}`, "no address"},
	} {
		c, _ := newTestClient(t, nil, ws(x.discovery), say(200, x.document))
		_, err := c.DataPlane(t.Context())
		require.ErrorContains(t, err, x.fault)
	}
	s := &script{steps: []func(*http.Request) (*http.Response, error){ws("http://127.0.0.1:8080/discovery"), say(200, `{"api":"https://eastus.api.azureml.ms"}`)}}
	c, err := New(testID, StaticToken("t"), &Options{Endpoint: "http://127.0.0.1:8080", ClientOptions: azcore.ClientOptions{Transport: s}})
	require.NoError(t, err)
	_, err = c.DataPlane(t.Context())
	require.ErrorContains(t, err, "no token may be sent", "a loopback workspace keeps everything at its own address")
}

func TestDiscoveryIsCached(t *testing.T) {
	c, s := newTestClient(t, nil, workspaceThenDiscovery()...)
	for range 3 {
		base, err := c.DataPlane(t.Context())
		require.NoError(t, err)
		require.Equal(t, "https://eastus.api.azureml.ms", base)
	}
	w, err := c.Workspace(t.Context())
	require.NoError(t, err)
	require.Equal(t, "guid", w.GUID)
	require.Len(t, s.sent, 2)
}

func TestRegistryDiscovery(t *testing.T) {
	c, s := newTestClient(t, nil,
		say(200, `{"registryName":"azureml","primaryRegion":"eastus","subscriptionId":"sub","resourceGroup":"reg-rg","primaryRegionResourceProviderUri":"https://cert-eastus.experiments.azureml.net/"}`), say(200, `{}`))
	r, err := c.RegistryInfo(t.Context(), "azureml")
	require.NoError(t, err)
	require.NoError(t, c.Do(t.Context(), &Call{Plane: Registry, Registry: "azureml", Path: r.Path("environments", "e", "versions", "1"), Group: "registryAssets"}))
	require.Equal(t, []string{
		"GET https://eastus.api.azureml.ms/registrymanagement/v1.0/registries/azureml/discovery?api-version=v1.0",
		"GET https://cert-eastus.experiments.azureml.net/mferp/managementfrontend/subscriptions/sub/resourceGroups/reg-rg/providers/Microsoft.MachineLearningServices/registries/azureml/environments/e/versions/1?api-version=2021-10-01-dataplanepreview",
	}, s.urls())
}

func TestRedirects(t *testing.T) {
	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, "other "+r.Header.Get("Authorization"))
	}))
	defer other.Close()
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, "first "+r.Header.Get("Authorization"))
		http.Redirect(w, r, other.URL+"/x?sig=c2VjcmV0", http.StatusTemporaryRedirect)
	}))
	defer first.Close()
	c, err := New(testID, StaticToken("tok"), &Options{Endpoint: first.URL, Clock: newTestClock(), ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{MaxRetries: -1}}})
	require.NoError(t, err)
	err = c.Do(t.Context(), &Call{Path: c.Path("x"), Group: "jobs"})
	require.ErrorContains(t, err, "redirect")
	require.NotContains(t, err.Error(), "c2VjcmV0")
	require.Equal(t, []string{"first Bearer tok"}, got)
	defaultTransport().(*http.Client).CloseIdleConnections()
}
