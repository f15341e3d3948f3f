package workspace

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func vars(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(k string) string { return m[k] }
}

var jobVars = []string{"AZUREML_ARM_SUBSCRIPTION", "s", "AZUREML_ARM_RESOURCEGROUP", "g", "AZUREML_ARM_WORKSPACE_NAME", "w"}

func write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func config(name string) string {
	return `{"subscription_id":"s","resource_group":"g","workspace_name":"` + name + `"}`
}

func TestConfigIsSearchedUpwards(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b", "c")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	find := func() string {
		id, err := idFromEnvironment(deep, vars())
		require.NoError(t, err)
		return id.Name
	}
	_, err := idFromEnvironment(deep, vars())
	require.ErrorContains(t, err, "config.json")
	write(t, filepath.Join(root, "project.json"), config("project"))
	require.Equal(t, "project", find())
	write(t, filepath.Join(root, "config.json"), config("root"))
	require.Equal(t, "root", find())
	write(t, filepath.Join(root, "a", "b", "config.json"), "\ufeff"+config("nearer"))
	require.Equal(t, "nearer", find())
	write(t, filepath.Join(root, "aml_config", "config.json"), config("aml"))
	require.Equal(t, "aml", find())
	write(t, filepath.Join(root, "a", ".azureml", "config.json"), `{"Scope":"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/scoped"}`)
	require.Equal(t, "scoped", find())

	id, err := idFromEnvironment(deep, vars(jobVars...))
	require.NoError(t, err)
	require.Equal(t, "scoped", id.Name, "the file goes before the variables")
	for _, where := range []string{"AZUREML_RUN_ID", "AZUREML_DEV_URL_MFE"} {
		id, err = idFromEnvironment(deep, vars(append([]string{where, "x"}, jobVars...)...))
		require.NoError(t, err)
		require.Equal(t, ID{"s", "g", "w"}, id, "but not where the variables say where the workspace is")
	}
}

func TestConfigFaults(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	for text, fault := range map[string]string{
		`{`: "not the JSON", `{}`: "workspace_name is missing", `{"subscription_id":"s","resource_group":"g"}`: "workspace_name is missing",
		`{"Scope":"/subscriptions/s"}`: "no id of a workspace", `[]`: "not the JSON",
	} {
		write(t, path, text)
		_, err := idFromEnvironment(dir, vars())
		require.ErrorContains(t, err, fault)
		require.ErrorContains(t, err, path)
	}
	_, err := idFromEnvironment(t.TempDir(), vars(jobVars[:2]...))
	require.EqualError(t, err, "AZUREML_ARM_RESOURCEGROUP, AZUREML_ARM_WORKSPACE_NAME is not set, but its companions are")
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(config("w")))
	f.Add([]byte(`{"Scope":"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := parseConfig(data)
		if err == nil && (id.Subscription == "" || id.ResourceGroup == "" || id.Name == "") {
			t.Fatalf("an incomplete id of %q", data)
		}
	})
}

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

func reply(r *http.Request, status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func TestFromEnvironmentConnections(t *testing.T) {
	empty := t.TempDir()
	var got *http.Request
	o := &Options{Dir: empty, ClientOptions: azcore.ClientOptions{Transport: answer(func(r *http.Request) (*http.Response, error) {
		got = r
		return reply(r, 200, `{}`)
	})}}
	local := append([]string{"AZUREML_DEV_URL_MFE", "http://127.0.0.1:9999/", "AZUREML_LOCAL_TOKEN", "tok"}, jobVars...)
	c, err := fromEnvironment(t.Context(), o, vars(local...))
	require.NoError(t, err)
	require.Equal(t, ID{"s", "g", "w"}, c.ID())
	_, err = c.rest.Workspace(t.Context())
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:9999/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w?api-version=2024-10-01-preview", got.URL.String())
	require.Equal(t, "Bearer tok", got.Header.Get("Authorization"))

	c, err = fromEnvironment(t.Context(), o, vars(append([]string{"AZUREML_DEV_URL_MFE", "http://[::1]:9999"}, jobVars...)...))
	require.NoError(t, err)
	_, err = c.rest.Workspace(t.Context())
	require.NoError(t, err)
	require.Empty(t, got.Header.Get("Authorization"), "no token, no header")

	for _, bad := range []string{"http://localhost:9999", "http://example.com", "http://10.1.2.3", "ftp://127.0.0.1", "127.0.0.1:80"} {
		_, err = fromEnvironment(t.Context(), o, vars(append([]string{"AZUREML_DEV_URL_MFE", bad, "AZUREML_LOCAL_TOKEN", "tok"}, jobVars...)...))
		require.ErrorContains(t, err, "Options.Endpoint", bad)
	}

	// A local token is no credential for Azure: over https the default credential is used.
	c, err = fromEnvironment(t.Context(), o, vars(append([]string{"AZUREML_DEV_URL_MFE", "https://proxy.example", "AZUREML_LOCAL_TOKEN", "tok"}, jobVars...)...))
	require.NoError(t, err)
	require.NotEqual(t, StaticToken("tok"), c.rest.Credential())
	require.IsType(t, c.rest.Credential(), mustDefault(t))
}

func mustDefault(t *testing.T) azcore.TokenCredential {
	c, err := defaultCredential(azcore.ClientOptions{})
	require.NoError(t, err)
	return c
}

func TestCloudByName(t *testing.T) {
	none := azcore.ClientOptions{Transport: answer(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was asked", r.URL)
		return reply(r, 500, ``)
	})}
	for name, want := range map[string]cloud.Configuration{"": cloud.AzurePublic, "AzureCloud": cloud.AzurePublic, "azurechinacloud": cloud.AzureChina, "AzureUSGovernment": cloud.AzureGovernment} {
		c, err := cloudByName(t.Context(), vars("AZUREML_CURRENT_CLOUD", name), none)
		require.NoError(t, err)
		require.Equal(t, want, c)
	}
	entry := map[string]any{
		"name": "USNat", "portal": "https://portal.azure.eaglex.ic.gov", "resourceManager": "https://management.azure.eaglex.ic.gov/",
		"authentication": map[string]any{"loginEndpoint": "https://login.microsoftonline.eaglex.ic.gov/"},
	}
	list, err := json.Marshal([]any{map[string]any{"name": "Other"}, entry})
	require.NoError(t, err)
	var asked string
	o := azcore.ClientOptions{Transport: answer(func(r *http.Request) (*http.Response, error) {
		asked = r.URL.String()
		require.Empty(t, r.Header.Get("Authorization"))
		return reply(r, 200, string(list))
	})}
	for _, env := range []func(string) string{
		vars("AZUREML_CURRENT_CLOUD", "usnat"),
		vars("ARM_CLOUD_METADATA_URL", "https://management.azure.eaglex.ic.gov/metadata/endpoints?api-version=2019-05-01"),
	} {
		c, err := cloudByName(t.Context(), env, o)
		require.NoError(t, err)
		require.Contains(t, asked, "/metadata/endpoints?api-version=2019-05-01")
		require.Equal(t, "https://login.microsoftonline.eaglex.ic.gov/", c.ActiveDirectoryAuthorityHost)
		require.Equal(t, "https://management.azure.eaglex.ic.gov", c.Services[cloud.ResourceManager].Endpoint)
		require.Equal(t, cloud.ServiceConfiguration{Audience: "https://ml.azure.eaglex.ic.gov", Endpoint: "https://usnatwest.api.ml.azure.eaglex.ic.gov/"}, c.Services[ServiceML])
		w, err := New(ID{"s", "g", "w"}, StaticToken("t"), &Options{ClientOptions: azcore.ClientOptions{Cloud: c}})
		require.NoError(t, err)
		require.Equal(t, "https://management.azure.eaglex.ic.gov/.default", w.rest.ARMScope())
		require.Equal(t, "https://ml.azure.eaglex.ic.gov/.default", w.rest.MLScope())
	}
	_, err = cloudByName(t.Context(), vars("AZUREML_CURRENT_CLOUD", "nowhere"), o)
	require.ErrorContains(t, err, `"nowhere"`)
	_, err = cloudByName(t.Context(), vars("ARM_CLOUD_METADATA_URL", "http://example.com/x"), none)
	require.ErrorContains(t, err, "https")
}
