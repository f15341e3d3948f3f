package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	armml "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace/local"
)

// TestARMMachineLearning calls every operation of Microsoft's generated client
// on the local workspace, in process, with lists of at most two things a page.
func TestARMMachineLearning(t *testing.T) {
	t.Parallel() // most of its time is waiting
	exe, err := os.Executable()
	require.NoError(t, err)
	lw, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir(), PageSize: 2, Images: map[string][]string{"local/echo:1": {exe}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lw.Close()) })
	a := newARM(t, lw)
	a.workspaces()
	a.connections()
	a.networks()
	a.computes()
	a.datastores()
	a.assets()
	a.published()
	a.features()
	a.jobs()
	a.schedules()
	a.onlineEndpoints()
	a.batchEndpoints()
	a.serverless()
	a.registries()
	a.locations()
	a.strangers(lw)
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4").Output()
	require.NoError(t, err)
	testifies(t, &witness{Name: "armmachinelearning", Version: strings.TrimSpace(string(version)) + " (api-version 2024-04-01)", What: "the local workspace, in process", Unit: "operations of its clients", Operations: a.operations(nil)})
}

// strangers are told what is wrong in ARM's way.
func (a *armClient) strangers(lw *local.Workspace) {
	_, err := a.call("Jobs.NewListPager", a.rg, "nowhere")
	re, ok := errors.AsType[*azcore.ResponseError](err)
	require.True(a, ok, "%v", err)
	require.Equal(a, "404 ResourceNotFound", fmt.Sprint(re.StatusCode, " ", re.ErrorCode))
	for token, code := range map[string]string{"": "AuthenticationFailed", "x": "InvalidAuthenticationToken"} {
		f, err := armml.NewClientFactory(lw.ID().Subscription, fixed(token), &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: lw.Transport()}, DisableRPRegistration: true})
		require.NoError(a, err)
		_, err = f.NewWorkspacesClient().Get(a.Context(), a.rg, a.ws, nil)
		re, ok := errors.AsType[*azcore.ResponseError](err)
		require.True(a, ok, "%v", err)
		require.Equal(a, "401 "+code, fmt.Sprint(re.StatusCode, " ", re.ErrorCode))
	}
}

// fixed is a credential of one token.
type fixed string

func (f fixed) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(f), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// assetKind is an asset with its two bodies; PUTs of some take time.
type assetKind struct{ containers, versions, container, version, changed, other string }

func (a *armClient) assets() {
	for _, k := range []assetKind{
		{"CodeContainers", "CodeVersions", `{"properties":{"description":"d"}}`, `{"properties":{"codeUri":"https://acc.blob.core.windows.net/box/src","tags":{"a":"b"}}}`, `{"properties":{"codeUri":"https://acc.blob.core.windows.net/box/src","description":"changed"}}`, `{"properties":{"codeUri":"https://acc.blob.core.windows.net/box/other"}}`},
		{"DataContainers", "DataVersions", `{"properties":{"dataType":"uri_file"}}`, `{"properties":{"dataType":"uri_file","dataUri":"https://example.org/a.csv","tags":{"a":"b"}}}`, `{"properties":{"dataType":"uri_file","dataUri":"https://example.org/a.csv","description":"changed"}}`, `{"properties":{"dataType":"uri_file","dataUri":"https://example.org/b.csv"}}`},
		{"ModelContainers", "ModelVersions", `{"properties":{}}`, `{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/m","modelType":"custom_model"}}`, `{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/m","modelType":"custom_model","description":"changed"}}`, `{"properties":{"modelUri":"azureml://datastores/workspaceblobstore/paths/n","modelType":"custom_model"}}`},
		{"EnvironmentContainers", "EnvironmentVersions", `{"properties":{}}`, `{"properties":{"image":"mcr.microsoft.com/x:1"}}`, `{"properties":{"image":"mcr.microsoft.com/x:1","description":"changed"}}`, `{"properties":{"image":"mcr.microsoft.com/x:2"}}`},
		{"ComponentContainers", "ComponentVersions", `{"properties":{}}`, component, component, `{"properties":{"componentSpec":{"name":"c","version":"1","type":"command","command":"echo two","environment":"azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest"}}}`},
	} {
		a.asset(k)
	}
}

const component = `{"properties":{"description":"changed","componentSpec":{"name":"c","version":"1","type":"command","command":"echo one","environment":"azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest"}}}`

func (a *armClient) asset(k assetKind) {
	a.Helper()
	require.Equal(a, "first", a.in(k.containers+".CreateOrUpdate", "first", k.container)["name"])
	for _, name := range []string{"second", "third"} {
		a.in(k.versions+".CreateOrUpdate", name, "1", k.version)
	}
	require.Equal(a, "1", a.in(k.containers+".Get", "second").at("properties.latestVersion"))
	require.Subset(a, a.names(2, k.containers+".NewListPager"), []string{"first", "second", "third"})
	for _, v := range []string{"2", "3", "named"} {
		a.in(k.versions+".CreateOrUpdate", "second", v, k.version)
	}
	require.ElementsMatch(a, []string{"1", "2", "3", "named"}, a.names(2, k.versions+".NewListPager", "second"))
	require.Equal(a, "changed", a.in(k.versions+".CreateOrUpdate", "second", "1", k.changed).at("properties.description"))
	require.Equal(a, "changed", a.in(k.versions+".Get", "second", "1").at("properties.description"))
	a.fails(409, map[bool]string{true: "Conflict", false: "UserError"}[k.versions == "EnvironmentVersions"], k.versions+".CreateOrUpdate", "second", "1", k.other)
	a.in(k.versions+".Delete", "second", "3")
	a.fails(404, "ResourceNotFound", k.versions+".Get", "second", "3")
	a.in(k.containers+".Delete", "third")
	a.fails(404, "ResourceNotFound", k.containers+".Get", "third")
}
