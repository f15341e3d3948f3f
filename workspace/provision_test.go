package workspace

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	oracleSub   = "00000000-0000-0000-0000-0000000000aa"
	oracleGroup = "oracle-rg"
)

// provisioned is the template that makes a workspace of testdata, with the names that the recordings have.
func provisioned(t *testing.T, w *Workspace) []map[string]any {
	t.Helper()
	p := newProvisioning(w, oracleSub, oracleGroup, true)
	p.unique = func() string { return "0ac1e000000040008000000000000001" }
	body, err := p.deployment()
	require.NoError(t, err)
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	var d struct {
		Properties struct {
			Mode     string
			Template struct{ Resources []map[string]any }
		}
	}
	require.NoError(t, json.Unmarshal(raw, &d))
	require.Equal(t, "Incremental", d.Properties.Mode)
	return d.Properties.Template.Resources
}

func ofType(resources []map[string]any, typ string) []map[string]any {
	var out []map[string]any
	for _, r := range resources {
		if r["type"] == typ {
			out = append(out, r)
		}
	}
	return out
}

// lastOf is an id's name.
func lastOf(id any) string {
	s, _ := id.(string)
	return s[strings.LastIndexByte(s, '/')+1:]
}

// The recordings hold the parameters that the reference gives to its own template. What that template makes of them is
// told by its conditions, which are repeated here: a new resource for each option that is "new".
func TestProvisioningMakesWhatTheReferenceMakes(t *testing.T) {
	for _, name := range []string{"minimal", "full", "hub", "managed-network", "network-acls", "project", "feature-store", "feature-store-full"} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile("testdata/workspace-" + name + ".parameters.json")
			require.NoError(t, err)
			var p map[string]any
			require.NoError(t, json.Unmarshal(raw, &p))
			w := loadWorkspace(t, name)
			if w.Location == "" {
				w.Location = "eastus" // of the resource group
			}
			if name == "project" {
				w.PublicNetworkAccess = Enabled // of its hub
			}
			all := provisioned(t, w)
			project := p["kind"] == "project" // has a template of its own, which makes nothing else
			made := func(typ, option string, names ...string) []map[string]any {
				got := ofType(all, typ)
				if p[option] != "new" || project {
					require.Empty(t, got, typ)
					return nil
				}
				require.Len(t, got, len(names), typ)
				for i, n := range names {
					require.Equal(t, p[n], got[i]["name"], typ)
					require.Equal(t, p["location"], got[i]["location"], typ)
				}
				return got
			}
			storage := made("Microsoft.Storage/storageAccounts", "storageAccountOption", "storageAccountName")
			vaults := made("Microsoft.KeyVault/vaults", "keyVaultOption", "keyVaultName")
			for _, r := range append(storage, vaults...) {
				props := r["properties"].(map[string]any)
				require.Equal(t, p["associatedResourcePNA"], props["publicNetworkAccess"])
				require.Equal(t, p["associatedResourcePNA"] == "Disabled", props["networkAcls"] != nil)
			}
			if storage != nil {
				require.Equal(t, p["kind"] == "featurestore", storage[0]["properties"].(map[string]any)["isHnsEnabled"])
			}
			made("Microsoft.OperationalInsights/workspaces", "applicationInsightsOption", "logAnalyticsName")
			for _, r := range made("Microsoft.Insights/components", "applicationInsightsOption", "applicationInsightsName") {
				require.Equal(t, p["logAnalyticsArmId"], r["properties"].(map[string]any)["WorkspaceResourceId"])
			}

			ws := ofType(all, "Microsoft.MachineLearningServices/workspaces")
			require.Len(t, ws, 1)
			props := ws[0]["properties"].(map[string]any)
			require.Equal(t, []any{p["workspaceName"], p["kind"], p["location"], p["friendlyName"], p["description"]}, []any{ws[0]["name"], ws[0]["kind"], ws[0]["location"], props["friendlyName"], props["description"]})
			tags := p["tagValues"].(map[string]any)
			tags["createdByToolkit"] = ws[0]["tags"].(map[string]any)["createdByToolkit"]
			require.Equal(t, tags, ws[0]["tags"])
			require.Contains(t, tags["createdByToolkit"], "azureml-go-")
			identity := p["identity"].(map[string]any)
			require.True(t, strings.EqualFold(identity["type"].(string), ws[0]["identity"].(map[string]any)["type"].(string)), "the reference spells Userassigned")
			require.Equal(t, identity["userAssignedIdentities"], ws[0]["identity"].(map[string]any)["userAssignedIdentities"])
			if project {
				require.Equal(t, p["workspace_hub"], props["hubResourceId"])
				require.NotContains(t, props, "storageAccount")
				return
			}
			require.Equal(t, p["storageAccountName"], lastOf(props["storageAccount"]))
			require.Equal(t, p["keyVaultName"], lastOf(props["keyVault"]))
			if p["applicationInsightsOption"] == "none" {
				require.NotContains(t, props, "applicationInsights")
			} else {
				require.Equal(t, p["applicationInsightsName"], lastOf(props["applicationInsights"]))
			}
			if p["containerRegistryOption"] == "none" {
				require.NotContains(t, props, "containerRegistry")
			} else {
				require.Equal(t, p["containerRegistryName"], lastOf(props["containerRegistry"]))
			}
			require.Equal(t, p["publicNetworkAccess"], props["publicNetworkAccess"])
			told := func(param string, key string) {
				if p[param] == "true" || p[param] == "false" {
					require.Equal(t, p[param] == "true", props[key] == true, key)
					return
				}
				if p[param] == "" {
					require.NotContains(t, props, key)
					return
				}
				require.Equal(t, p[param], props[key], key)
			}
			told("confidential_data", "hbiWorkspace")
			told("imageBuildCompute", "imageBuildCompute")
			told("primaryUserAssignedIdentity", "primaryUserAssignedIdentity")
			told("systemDatastoresAuthMode", "systemDatastoresAuthMode")
			told("provisionNetworkNow", "provisionNetworkNow")
			told("enable_data_isolation", "enableDataIsolation")
			require.Equal(t, p["managedNetwork"], props["managedNetwork"])
			if s := p["serverless_compute_settings"].(map[string]any); len(s) > 0 {
				require.Equal(t, s, props["serverlessComputeSettings"])
			}
			if p["encryption_status"] == "Enabled" {
				require.Equal(t, map[string]any{"status": "Enabled", "keyVaultProperties": map[string]any{"keyVaultArmId": p["cmk_keyvault"], "keyIdentifier": p["resource_cmk_uri"]}}, props["encryption"])
			} else {
				require.NotContains(t, props, "encryption")
			}
			if p["kind"] == "featurestore" {
				sameFeatureStore(t, p, all)
			}
		})
	}
}

func sameFeatureStore(t *testing.T, p map[string]any, all []map[string]any) {
	t.Helper()
	identities := ofType(all, "Microsoft.ManagedIdentity/userAssignedIdentities")
	require.Equal(t, p["materializationIdentityOption"] == "new", len(identities) == 1)
	if len(identities) == 1 {
		require.Equal(t, p["materialization_identity_name"], identities[0]["name"])
	}
	containers := ofType(all, "Microsoft.Storage/storageAccounts/blobServices/containers")
	require.Equal(t, p["offlineStoreStorageAccountOption"] == "new", len(containers) == 1)
	if len(containers) == 1 {
		require.Equal(t, p["offline_store_storage_account_name"].(string)+"/default/"+p["offline_store_container_name"].(string), containers[0]["name"])
	}
	connections := ofType(all, "Microsoft.MachineLearningServices/workspaces/connections")
	want := []any{p["workspaceName"].(string) + "/" + p["offline_store_connection_name"].(string)}
	if online, _ := p["online_store_connection_name"].(string); online != "" {
		want = append(want, p["workspaceName"].(string)+"/"+online)
	}
	var got []any
	for _, c := range connections {
		got = append(got, c["name"])
		require.Equal(t, "ManagedIdentity", c["properties"].(map[string]any)["authType"])
		require.Equal(t, p["materialization_identity_name"], lastOf(c["properties"].(map[string]any)["credentials"].(map[string]any)["resourceId"]))
	}
	require.Equal(t, want, got)
	require.Equal(t, p["offline_store_container_name"], lastOf(connections[0]["properties"].(map[string]any)["target"]))
	if len(connections) > 1 {
		require.Equal(t, p["online_store_resource_id"], connections[1]["properties"].(map[string]any)["target"])
	}
	nested := ofType(all, "Microsoft.Resources/deployments")
	roles := 3 + len(connections) - 1
	require.Len(t, nested, 1+roles, "the workspace again, and roles for it, its storage and the stores")
	again := nested[0]["properties"].(map[string]any)["template"].(map[string]any)["resources"].([]any)[0].(map[string]any)
	settings := again["properties"].(map[string]any)["featureStoreSettings"].(map[string]any)
	require.Equal(t, []any{p["offline_store_connection_name"], p["spark_runtime_version"]}, []any{settings["offlineStoreConnectionName"], settings["computeRuntime"].(map[string]any)["sparkRuntimeVersion"]})
	require.Equal(t, "SystemAssigned,UserAssigned", again["identity"].(map[string]any)["type"])
}

func TestProvisioningEscapes(t *testing.T) {
	w := &Workspace{Name: "w", Location: "l", Description: "[concat('a')]", Tags: map[string]*string{"t": new("[x]")}}
	all := provisioned(t, w)
	ws := ofType(all, "Microsoft.MachineLearningServices/workspaces")[0]
	require.Equal(t, "[[concat('a')]", ws["properties"].(map[string]any)["description"])
	require.Equal(t, "[[x]", ws["tags"].(map[string]any)["t"])
	require.Equal(t, "[subscription().tenantId]", ofType(all, "Microsoft.KeyVault/vaults")[0]["properties"].(map[string]any)["tenantId"])
	require.Equal(t, "w1wskeyvault0ac1e0000000", dependentName("1-ws", "keyvault", "0ac1e00000004000"))
}
