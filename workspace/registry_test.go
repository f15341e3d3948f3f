package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func TestRegistryBodies(t *testing.T) {
	golden[Registry](t, "registry-full", nil)
	golden[Registry](t, "registry-regions", nil)
	golden[CapabilityHost](t, "capability-host", nil)
}

const (
	anAccount  = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"
	containers = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/c"
)

func TestRegistryKind(t *testing.T) {
	wiretest.Kind[Registry](t,
		wiretest.Value(func(t *rapid.T) RegistryStorage {
			if rapid.Bool().Draw(t, "own") {
				return RegistryStorage{Accounts: []string{anAccount}}
			}
			return RegistryStorage{
				Hierarchical: rapid.Bool().Draw(t, "hns"), Type: StorageType(rapid.SampledFrom(storageTypes.Values()).Draw(t, "type")),
				Replicas: rapid.IntRange(1, 3).Draw(t, "replicas"),
			}
		}),
		wiretest.Value(func(t *rapid.T) RegistryContainers {
			return rapid.SampledFrom([]RegistryContainers{{}, {ID: containers}, {SKU: "premium"}}).Draw(t, "containers")
		}))
	wiretest.Kind[CapabilityHost](t)
}

func TestRegistryOwnAccounts(t *testing.T) {
	r := &Registry{}
	require.NoError(t, wire.LoadYAML([]byte("name: r\nlocation: l\nreplication_locations:\n- location: l\n  storage_config: ["+anAccount+"]\ncontainer_registry: "+containers+"\ntags: {n: 1}"), "", r, nil))
	require.JSONEq(t, `{"location":"l","identity":{"type":"SystemAssigned"},"tags":{"n":1},"properties":{"managedResourceGroupTags":{"n":1},"regionDetails":[{"location":"l",
		"acrDetails":[{"userCreatedAcrAccount":{"armResourceId":{"resourceId":"`+containers+`"}}}],
		"storageAccountDetails":[{"userCreatedStorageAccount":{"armResourceId":{"resourceId":"`+anAccount+`"}}}]}]}}`, restBody(t, r))
}

func TestRegistryAnswer(t *testing.T) {
	r := &Registry{}
	require.NoError(t, wire.FromREST([]byte(`{"id":"/R","name":"r","location":"eastus","identity":{"type":"SystemAssigned","principalId":"p"},"sku":{"name":"Basic","tier":"Basic"},"tags":{"a":"b"},
		"properties":{"discoveryUrl":"https://d","mlFlowRegistryUri":"azureml://m","managedResourceGroup":{"resourceId":"/g"},"later":1,"intellectualPropertyPublisher":"me",
		"regionDetails":[{"location":"eastus","acrDetails":[{"systemCreatedAcrAccount":{"acrAccountName":"x","acrAccountSku":"Premium","armResourceId":{"resourceId":"/acr"}}}],
		"storageAccountDetails":[{"systemCreatedStorageAccount":{"storageAccountType":"Standard_LRS","storageAccountHnsEnabled":true,"armResourceId":{"resourceId":"/s1"},"storageAccountName":"n"}}]}]}}`), r))
	require.Equal(t, []any{"r", "Basic", "/g", "azureml://m", "https://d", "me", "/acr"}, []any{r.Name, r.SKU, r.ManagedResourceGroup, r.TrackingURI, r.DiscoveryURL, r.Property.Publisher, r.Containers.Made})
	require.Equal(t, RegistryStorage{Hierarchical: true, Type: StandardLRS, Replicas: 1, Made: []string{"/s1"}}, r.Regions[0].Storage)
	r.Regions = append(r.Regions, RegistryRegion{Location: "westus"})
	body, err := wire.Body(r, "/R")
	require.NoError(t, err)
	require.Len(t, body["properties"].(map[string]any)["regionDetails"], 2)
}

func TestRegistryFaults(t *testing.T) {
	for text, want := range map[string]string{
		"name: r\nreplication_locations: [{location: l}]": `required field "location"`,
		"name: r\nlocation: l":                            `required field "replication_locations"`,
		"name: r\nlocation: l\nreplication_locations: [{location: l, storage_config: {replication_count: 0}}]":       "r.yml:3:75: replication_locations.0.storage_config.replication_count: 0 is less than 1",
		"name: r\nlocation: l\nreplication_locations: [{location: l, storage_config: {storage_account_type: gold}}]": "storage_account_type",
		"name: r\nlocation: l\nreplication_locations: [{location: l, storage_config: [account]}]":                    "is no resource id of a storage account",
		"name: r\nlocation: l\nreplication_locations: [{location: l}]\ncontainer_registry: mine":                     "r.yml:4:21: container_registry: \"mine\" is no resource id",
		"name: r\nlocation: l\nreplication_locations: [{location: l}]\ncontainer_registry: {}":                       "acr_account_sku",
		"name: r\nlocation: l\nreplication_locations: [{location: l}]\ncontainer_registry: {acr_account_sku: basic}": "container_registry.acr_account_sku",
		"name: r\nlocation: l\nreplication_locations: [{location: l}]\npublic_network_acces: Enabled":                `did you mean "public_network_access"?`,
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "r.yml", &Registry{}, nil), want, text)
	}
}

func TestCapabilityHostCompletes(t *testing.T) {
	h := &CapabilityHost{Name: "h", AIServices: []string{"ai"}}
	require.NoError(t, h.complete(&Workspace{Name: "p", Kind: Project}).Err())
	require.Equal(t, []string{"p/workspaceblobstore"}, h.Storage)
	require.ErrorContains(t, (&CapabilityHost{Name: "h"}).complete(&Workspace{Kind: "Project"}).Err(), "ai_services_connections: is required")
	require.ErrorContains(t, (&CapabilityHost{}).complete(&Workspace{Name: "w", Kind: Default}).Err(), "hubs and projects")
	require.NoError(t, (&CapabilityHost{Name: "h"}).complete(&Workspace{Kind: "Hub"}).Err())
}
