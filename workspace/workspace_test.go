package workspace

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

const (
	someSub   = "/subscriptions/00000000-0000-0000-0000-0000000000aa"
	someGroup = someSub + "/resourceGroups/rg"
)

// anyWorkspace is one whose fields go together.
func anyWorkspace(t *rapid.T) Workspace {
	word := rapid.StringMatching(`[a-z]{3,8}`)
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	w := Workspace{Name: word.Draw(t, "name"), Kind: Kind(rapid.SampledFrom(kinds.Values()).Draw(t, "kind"))}
	if flag("said") {
		w.Location, w.DisplayName, w.Description, w.ResourceGroup = word.Draw(t, "location"), word.Draw(t, "display"), word.Draw(t, "description"), word.Draw(t, "group")
		w.Tags = map[string]*string{"a": new(word.Draw(t, "tag"))}
		w.HighBusinessImpact = true
	}
	if flag("resources") && w.Kind != Project {
		w.StorageAccount = someGroup + "/providers/Microsoft.Storage/storageAccounts/" + word.Draw(t, "account")
		w.KeyVault = someGroup + "/providers/Microsoft.KeyVault/vaults/" + word.Draw(t, "vault")
		w.CustomerKey = &CustomerKey{KeyVault: w.KeyVault, KeyURI: "https://kv.vault.azure.net/keys/k/1", CosmosDBID: word.Draw(t, "db")}
	}
	if flag("identity") {
		w.Identity = &azureml.ResourceIdentity{Type: azureml.UserAssigned, UserAssigned: azureml.UserAssignedIdentities{{ResourceID: word.Draw(t, "identity")}}}
	}
	if flag("network") {
		w.PublicNetworkAccess = Disabled
		w.ManagedNetwork = &ManagedNetwork{IsolationMode: AllowOnlyApprovedOutbound, FirewallSKU: "basic", Rules: OutboundRules{
			{Name: "a", FQDN: word.Draw(t, "host")}, {Name: "b", ServiceTag: &ServiceTagRule{Tag: "t", Protocol: "TCP", Ports: "80"}},
			{Name: "c", PrivateEndpoint: &PrivateEndpointRule{ResourceID: "r", Subresource: "blob", Spark: flag("spark")}, FQDNs: []string{"x"}},
		}}
	}
	switch w.Kind {
	case FeatureStoreKind:
		w.Runtime.SparkVersion = "3.4"
		w.OfflineStore = &MaterializationStore{"azure_data_lake_gen2", "t"}
		w.MaterializationIdentity = &MaterializationIdentity{ResourceID: "r"}
		return w
	case Project:
		w.Hub = someGroup + "/providers/Microsoft.MachineLearningServices/workspaces/hub"
	case Hub:
		w.DefaultResourceGroup = someGroup
	}
	if flag("more") {
		w.NetworkACLs = &NetworkACLs{DefaultAction: Deny, IPRules: []IPRule{{"10.0.0.0/24"}}}
		w.Serverless = &Serverless{Subnet: someGroup + "/providers/Microsoft.Network/virtualNetworks/n/subnets/s", NoPublicIP: flag("ip")}
		w.DatastoresAuthMode, w.DataIsolation, w.ProvisionNetwork, w.AllowRoleAssignment = "identity", true, true, new(flag("roles"))
	}
	return w
}

func TestWorkspaceKind(t *testing.T) { wiretest.Kind[Workspace](t, wiretest.Value(anyWorkspace)) }

func loadWorkspace(t *testing.T, name string) *Workspace {
	t.Helper()
	var o *wire.LoadOptions
	if name == "feature-store" || name == "feature-store-full" { // as Load does by the $schema
		o = &wire.LoadOptions{Set: []wire.Override{{Path: "kind", Value: "featurestore"}}}
	}
	data, err := os.ReadFile("testdata/workspace-" + name + ".yml")
	require.NoError(t, err)
	w := &Workspace{}
	require.NoError(t, wire.LoadYAML(data, name+".yml", w, o))
	return w
}

func TestWorkspaceYAML(t *testing.T) {
	w := loadWorkspace(t, "full")
	require.JSONEq(t, `{"location":"westeurope","tags":{"a":"b"},
		"identity":{"type":"UserAssigned","userAssignedIdentities":{"`+someGroup+`/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one":{}}},
		"properties":{"friendlyName":"Full","description":"a workspace","hbiWorkspace":true,"storageAccount":"`+someGroup+`/providers/Microsoft.Storage/storageAccounts/st",
		"containerRegistry":"`+someGroup+`/providers/Microsoft.ContainerRegistry/registries/acr","keyVault":"`+someGroup+`/providers/Microsoft.KeyVault/vaults/kv",
		"applicationInsights":"`+someGroup+`/providers/Microsoft.Insights/components/ai","publicNetworkAccess":"Disabled","imageBuildCompute":"builder",
		"encryption":{"status":"Enabled","keyVaultProperties":{"keyVaultArmId":"`+someGroup+`/providers/Microsoft.KeyVault/vaults/kv","keyIdentifier":"https://kv.vault.azure.net/keys/k/1"}},
		"systemDatastoresAuthMode":"identity","enableDataIsolation":true,"allowRoleAssignmentOnRG":true,
		"primaryUserAssignedIdentity":"`+someGroup+`/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one",
		"serverlessComputeSettings":{"serverlessComputeCustomSubnet":"`+someGroup+`/providers/Microsoft.Network/virtualNetworks/net/subnets/sub","serverlessComputeNoPublicIP":true}}}`, restBody(t, w))

	w = loadWorkspace(t, "managed-network")
	require.JSONEq(t, `{"location":"eastus","properties":{"provisionNetworkNow":true,"managedNetwork":{"isolationMode":"AllowOnlyApprovedOutbound","firewallSku":"Basic","outboundRules":{
		"pypi":{"type":"FQDN","category":"UserDefined","destination":"example.org"},
		"tag":{"type":"ServiceTag","category":"UserDefined","destination":{"serviceTag":"DataFactory","protocol":"TCP","portRanges":"80, 8080-8089"}},
		"pe":{"type":"PrivateEndpoint","category":"UserDefined","destination":{"serviceResourceId":"`+someGroup+`/providers/Microsoft.Storage/storageAccounts/st","subresourceTarget":"blob","sparkEnabled":true}}}}}}`, restBody(t, w))

	w = loadWorkspace(t, "hub")
	require.Equal(t, []any{Hub, someSub + "/resourceGroups/other"}, []any{w.Kind, w.DefaultResourceGroup})
	require.JSONEq(t, `{"kind":"Hub","location":"eastus","properties":{"friendlyName":"Hub","workspaceHubConfig":{"defaultWorkspaceResourceGroup":"`+someSub+`/resourceGroups/other"}}}`, restBody(t, w))
	require.Equal(t, Deny, loadWorkspace(t, "network-acls").NetworkACLs.DefaultAction)
	require.Equal(t, Project, loadWorkspace(t, "project").Kind)
	w = loadWorkspace(t, "feature-store-full")
	require.Equal(t, []any{"3.4", "redis", FeatureStoreKind}, []any{w.Runtime.SparkVersion, w.OnlineStore.Type, w.Kind})

	// The name that hub_id had.
	w = &Workspace{}
	require.NoError(t, wire.LoadYAML([]byte("name: w\nworkspace_hub: "+someGroup+"/providers/Microsoft.MachineLearningServices/workspaces/h"), "", w, nil))
	require.Equal(t, []any{Project, ""}, []any{w.Kind, w.OldHub})
}

func TestWorkspaceFaults(t *testing.T) {
	for text, want := range map[string]string{
		"location: x":            `required field "name"`,
		"name: w\nkind: desk":    "kind",
		"name: w\nkind: project": `"hub_id"`,
		"name: w\nhub_id: x":     "w.yml:2:1: hub_id: a workspace of the kind default does not have it",
		"name: w\nkind: hub\noffline_store: {type: a, target: b}":                                                                  "offline_store: a workspace of the kind hub does not have it",
		"name: w\nkind: featurestore\nserverless_compute: {}":                                                                      "serverless_compute",
		"name: w\nkind: featurestore\nonline_store: {type: sql, target: b}":                                                        "online_store.type: is redis",
		"name: w\nstorage_account: /subscriptions/<S>/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a":              "w.yml:2:18: storage_account: is no resource id",
		"name: w\ncustomer_managed_key: {key_uri: https://<KV>.vault.azure.net/k}":                                                 "key_uri: is no address",
		"name: w\nnetwork_acls: {default_action: Deny}":                                                                            "needs ip_rules",
		"name: w\nnetwork_acls: {default_action: Refuse}":                                                                          "default_action",
		"name: w\nserverless_compute: {custom_subnet: sub}":                                                                        "is no resource id of a subnet",
		"name: w\nmanaged_network: {}":                                                                                             "isolation_mode",
		"name: w\nmanaged_network: {isolation_mode: open}":                                                                         "isolation_mode",
		"name: w\nmanaged_network: {isolation_mode: disabled, outbound_rules: [{name: a}]}":                                        "destination",
		"name: w\nmanaged_network: {isolation_mode: disabled, outbound_rules: [{name: a, destination: {protocol: TCP}}]}":          "service_tag",
		"name: w\nmanaged_network: {isolation_mode: disabled, outbound_rules: [{name: a, destination: {service_resource_id: x}}]}": "subresource_target",
		"name: w\npublic_network_access: perhaps":                                                                                  "public_network_access",
		"name: w\nlocatoin: x": `did you mean "location"?`,
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "w.yml", &Workspace{}, nil), want, text)
	}
	require.ErrorContains(t, (&Workspace{Kind: Project, StorageAccount: someGroup + "/providers/a.b/c/d"}).Validate(), "a project has its hub's")
}

// What the service answers of a managed network is read, rules of types that nobody knows too.
func TestOutboundRuleAnswers(t *testing.T) {
	w := &Workspace{}
	doc := `{"id":"/W","name":"w","properties":{"managedNetwork":{"isolationMode":"AllowInternetOutbound","firewallSku":"Standard","networkId":"n","status":{"status":"Active","sparkReady":true},"outboundRules":{
		"req":{"type":"PrivateEndpoint","category":"Required","status":"Active","destination":{"serviceResourceId":"r","subresourceTarget":"blob","sparkEnabled":false,"sparkStatus":"Inactive"}},
		"new":{"type":"AddressRange","category":"UserDefined","range":"x"},
		"mine":{"type":"FQDN","category":"UserDefined","destination":"h","parentRuleNames":["p"]}}}}}`
	require.NoError(t, wire.FromREST([]byte(doc), w))
	rules := map[string]OutboundRule{}
	for _, r := range w.ManagedNetwork.Rules {
		rules[r.Name] = r
	}
	require.Equal(t, OutboundRule{Name: "req", PrivateEndpoint: &PrivateEndpointRule{ResourceID: "r", Subresource: "blob"}, Category: "Required", Status: "Active"}, rules["req"])
	require.Equal(t, []any{"h", []string{"p"}}, []any{rules["mine"].FQDN, rules["mine"].Parents})
	require.Equal(t, "x", rules["new"].Other["range"])
	require.Len(t, w.ManagedNetwork.Rules.own(), 2)
	w.Description = "d"
	body, err := wire.Body(w, "/W")
	require.NoError(t, err)
	m := body["properties"].(map[string]any)["managedNetwork"].(map[string]any)["outboundRules"].(map[string]any)
	require.Equal(t, "x", m["new"].(map[string]any)["range"])
	require.Equal(t, "Inactive", m["req"].(map[string]any)["destination"].(map[string]any)["sparkStatus"])
}
