package workspace_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

func start(t *testing.T) *workspace.Client {
	t.Helper()
	lw, err := local.Start(t.Context(), &local.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lw.Close()) })
	return lw.Client
}

// ended waits for an operation that has begun.
func ended[T any](t *testing.T, p *runtime.Poller[T], err error) T {
	t.Helper()
	require.NoError(t, err)
	v, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	return v
}

func TestWorkspacesAreMadeChangedAndDeleted(t *testing.T) {
	c := start(t)
	ws := c.Workspaces
	p, err := ws.BeginCreate(t.Context(), &workspace.Workspace{Name: "made", Location: "eastus", Tags: map[string]*string{"a": new("b")}}, nil)
	made := ended(t, p, err)
	require.Equal(t, []any{"made", "made", "b"}, []any{made.Name, made.DisplayName, *made.Tags["a"]})
	require.Contains(t, *made.Tags["createdByToolkit"], "azureml-go")
	require.Contains(t, made.KeyVault, "/vaults/madekeyvault")
	require.Contains(t, made.ApplicationInsights, "/components/madeinsights")

	// What exists is updated and keeps its tags.
	p, err = ws.BeginCreate(t.Context(), &workspace.Workspace{Name: "made", Description: "again", Tags: map[string]*string{"c": new("d")}}, nil)
	made = ended(t, p, err)
	require.Equal(t, []any{"again", "b", "d"}, []any{made.Description, *made.Tags["a"], *made.Tags["c"]})
	_, err = ws.BeginUpdate(t.Context(), &workspace.Workspace{Name: "made", ContainerRegistry: "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"}, nil)
	require.ErrorContains(t, err, "container_registry: another one is given")
	p, err = ws.BeginUpdate(t.Context(), &workspace.Workspace{Name: "made", DisplayName: "shown", PublicNetworkAccess: workspace.Disabled}, nil)
	require.Equal(t, "shown", ended(t, p, err).DisplayName)

	_, err = ws.BeginCreate(t.Context(), &workspace.Workspace{Name: "desk", Kind: workspace.Project}, nil)
	require.ErrorContains(t, err, "hub_id: is required")
	p, err = ws.BeginCreate(t.Context(), &workspace.Workspace{Name: "hub", Kind: workspace.Hub, Location: "westus"}, nil)
	hub := ended(t, p, err)
	require.Equal(t, workspace.Hub, hub.Kind)
	require.Empty(t, hub.ApplicationInsights)
	p, err = ws.BeginCreate(t.Context(), &workspace.Workspace{Name: "project", Hub: hub.ID}, nil)
	project := ended(t, p, err)
	require.Equal(t, []any{workspace.Project, "westus", hub.ID}, []any{project.Kind, project.Location, project.Hub})
	_, err = ws.BeginCreate(t.Context(), &workspace.Workspace{Name: "project2", Hub: hub.ID + "x"}, nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)

	d, err := ws.BeginDelete(t.Context(), "made", &workspace.DeleteOptions{Dependents: true, Purge: true})
	ended(t, d, err)
	_, err = ws.Get(t.Context(), "made")
	require.ErrorIs(t, err, azureml.ErrNotFound)
}

func TestFeatureStoresAreMade(t *testing.T) {
	c := start(t)
	p, err := c.Workspaces.BeginCreate(t.Context(), &workspace.Workspace{Name: "features", Kind: workspace.FeatureStoreKind, Location: "eastus"}, nil)
	made := ended(t, p, err)
	require.Equal(t, []any{workspace.FeatureStoreKind, "3.4.0", "identity"}, []any{made.Kind, made.Runtime.SparkVersion, made.DatastoresAuthMode})
	u, err := c.Workspaces.BeginUpdate(t.Context(), &workspace.Workspace{Name: "features", Description: "more", Runtime: workspace.ComputeRuntime{SparkVersion: "3.5"}}, nil)
	made = ended(t, u, err)
	require.Equal(t, []any{"more", "3.5"}, []any{made.Description, made.Runtime.SparkVersion})
}

func TestOutboundRulesOfAWorkspace(t *testing.T) {
	ws := start(t).Workspaces
	p, err := ws.BeginSetOutboundRule(t.Context(), "", &workspace.OutboundRule{Name: "pypi", FQDN: "pypi.org"}, nil)
	require.Equal(t, "pypi.org", ended(t, p, err).FQDN)
	p, err = ws.BeginSetOutboundRule(t.Context(), "", &workspace.OutboundRule{Name: "pe", PrivateEndpoint: &workspace.PrivateEndpointRule{ResourceID: "/r", Subresource: "blob"}}, nil)
	require.Equal(t, "UserDefined", ended(t, p, err).Category)
	got, err := ws.OutboundRule(t.Context(), "", "pe")
	require.NoError(t, err)
	require.Equal(t, []any{"pe", "blob"}, []any{got.Name, got.PrivateEndpoint.Subresource})
	n := 0
	for r, err := range ws.OutboundRules(t.Context(), "") {
		require.NoError(t, err)
		require.NotEmpty(t, r.Name)
		n++
	}
	require.Equal(t, 2, n)
	d, err := ws.BeginRemoveOutboundRule(t.Context(), "", "pypi", nil)
	ended(t, d, err)
	_, err = ws.OutboundRule(t.Context(), "", "pypi")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	_, err = ws.BeginSetOutboundRule(t.Context(), "", &workspace.OutboundRule{Name: "x"}, nil)
	require.ErrorContains(t, err, "destination: is required")
	s, err := ws.BeginProvisionNetwork(t.Context(), "", true, nil)
	require.NotEmpty(t, ended(t, s, err).Status)
}

func TestConnectionsOfAWorkspace(t *testing.T) {
	c := start(t).Connections
	made, err := c.Create(t.Context(), &workspace.Connection{
		Name: "ai", Type: workspace.ConnectionAzureOpenAI, Target: "https://x.openai.azure.com/", APIVersion: "1",
		Credentials: workspace.ConnectionCredentials{APIKey: &workspace.APIKey{Key: "secret"}},
	})
	require.NoError(t, err)
	require.Empty(t, made.Credentials.APIKey.Key, "secrets are not answered")
	_, err = c.Create(t.Context(), &workspace.Connection{Name: "git", Type: workspace.ConnectionGit, Target: "https://github.com/x/y"})
	require.NoError(t, err)

	made.Target = "https://y.openai.azure.com/"
	changed, err := c.Update(t.Context(), made)
	require.NoError(t, err)
	require.Equal(t, "https://y.openai.azure.com/", changed.Target)
	full, err := c.Secrets(t.Context(), "ai")
	require.NoError(t, err)
	require.Equal(t, []string{"secret", "1"}, []string{full.Credentials.APIKey.Key, full.APIVersion}, "the key that was not read is kept")

	var names []string
	for n, err := range c.All(t.Context(), &workspace.ConnectionListOptions{Type: workspace.ConnectionAzureOpenAI}) {
		require.NoError(t, err)
		names = append(names, n.Name)
	}
	require.Equal(t, []string{"ai"}, names)
	for _, err := range c.OpenAIDeployments(t.Context(), "ai") {
		require.NoError(t, err)
	}
	for _, err := range c.OpenAIDeployments(t.Context(), "none") {
		require.ErrorIs(t, err, azureml.ErrNotFound)
	}
	require.NoError(t, c.Delete(t.Context(), "git"))
	_, err = c.Get(t.Context(), "git")
	require.ErrorIs(t, err, azureml.ErrNotFound)
	_, err = c.Create(t.Context(), &workspace.Connection{Name: "blob", Type: workspace.ConnectionBlob, Target: "t"})
	require.ErrorContains(t, err, "account_name: is required")
}

func TestRegistriesTemplatesAndIndexes(t *testing.T) {
	c := start(t)
	p, err := c.Registries.BeginCreate(t.Context(), &workspace.Registry{Name: "shared", Location: "eastus", Regions: []workspace.RegistryRegion{{Location: "eastus"}}}, nil)
	made := ended(t, p, err)
	require.Equal(t, "shared", made.Name)
	_, err = c.Registries.UpdateTags(t.Context(), "shared", map[string]string{"a": "b"})
	require.NoError(t, err)
	got, err := c.Registries.Get(t.Context(), "shared")
	require.NoError(t, err)
	require.Equal(t, "b", got.Tags["a"])
	found := false
	for r, err := range c.Registries.All(t.Context(), nil) {
		require.NoError(t, err)
		found = found || r.Name == "shared"
	}
	require.True(t, found)

	tmpl, err := c.Templates.Create(t.Context(), "shared", &endpoints.DeploymentTemplate{Name: "t", Version: "1", Description: "d"})
	require.NoError(t, err)
	require.Equal(t, []string{"t", "1", "d"}, []string{tmpl.Name, tmpl.Version, tmpl.Description})
	tmpl, err = c.Templates.Archive(t.Context(), "shared", "t", "")
	require.NoError(t, err)
	require.Equal(t, assets.ArchivedStage, tmpl.Stage)

	x, err := c.Indexes.Create(t.Context(), &assets.Index{Name: "docs", Path: "azureml://datastores/workspaceblobstore/paths/docs"}, nil)
	require.NoError(t, err)
	require.Equal(t, "1", x.Version)
	x, err = c.Indexes.GetByLabel(t.Context(), "docs", assets.Latest)
	require.NoError(t, err)
	require.Equal(t, "azureml://datastores/workspaceblobstore/paths/docs", x.Path)

	d, err := c.Registries.BeginDelete(t.Context(), "shared", nil)
	ended(t, d, err)
}

func TestFeaturesOfAFeatureStore(t *testing.T) {
	c := start(t)
	p, err := c.FeatureEntities.BeginCreate(t.Context(), &assets.FeatureStoreEntity{Name: "account", Version: "1", Columns: []assets.IndexColumn{{Name: "id", Type: assets.StringColumn}}}, nil)
	require.Equal(t, assets.Development, ended(t, p, err).Stage)
	a, err := c.FeatureEntities.BeginArchive(t.Context(), "account", "1", nil)
	ended(t, a, err)
	got, err := c.FeatureEntities.Get(t.Context(), "account", "1")
	require.NoError(t, err)
	require.Equal(t, assets.ArchivedStage, got.Stage)
	for range c.FeatureSets.Operations(t.Context(), "sums", "1", nil) {
		require.Fail(t, "there is none")
	}
	_, err = c.FeatureSets.Feature(t.Context(), "sums", "1", "f")
	require.ErrorIs(t, err, azureml.ErrNotFound)
}
