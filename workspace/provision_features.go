package workspace

import (
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml"
)

// The connections of a feature store to its stores have these names, a dash, and eight digits.
const (
	offlineConnection = "OfflineStoreConnectionName"
	onlineConnection  = "OnlineStoreConnectionName"
)

// The roles of the identity that computes features.
const (
	dataScientist   = "f6c7c914-8db3-469d-8ca1-694a8f32e121" // AzureML Data Scientist
	blobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe" // Storage Blob Data Contributor
	contributor     = "b24988ac-6180-42a0-ab88-20f7382dd24c"
)

var (
	containerID = regexp.MustCompile(`(?i)^/?subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Storage/storageAccounts/([^/]+)/blobServices/default/containers/([^/]+)$`)
	resourceID  = regexp.MustCompile(`(?i)^/?subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.([^/]+)/([^/]+)/([^/]+)`)
)

// featureStore adds what makes a workspace a feature store: the identity that computes features, the stores, connections
// to them, and the roles; and, when the connections are there, the workspace once more, which names them.
func (p *provisioning) featureStore() error {
	w := &p.w
	ws := p.workspaceID()
	var after []string
	identity := ""
	if m := w.MaterializationIdentity; m != nil {
		if !resourceID.MatchString(m.ResourceID) {
			return azureml.Faults{{Field: "materialization_identity.resource_id", Message: fmt.Sprintf("%q is no resource id", m.ResourceID)}}
		}
		identity = m.ResourceID
	} else {
		identity = p.add("Microsoft.ManagedIdentity", "userAssignedIdentities", "2018-11-30", identityName(p.sub, p.group, w.Location, w.Name), map[string]any{"location": w.Location})
		after = append(after, identity)
	}
	offline := ""
	if s := w.OfflineStore; s != nil {
		if !containerID.MatchString(s.Target) {
			return azureml.Faults{{Field: "offline_store.target", Message: fmt.Sprintf("%q is no resource id of a storage account's container", s.Target)}}
		}
		offline = s.Target
	} else {
		offline = p.offlineStore()
		after = append(after, offline)
	}
	suffix := p.unique()[:8]
	connect := func(name, category, target string) string {
		p.add("Microsoft.MachineLearningServices", "workspaces/connections", "2024-04-01-preview", w.Name+"/"+name, map[string]any{
			"dependsOn": texts(append([]string{ws}, after...)),
			"properties": map[string]any{
				"category": category, "target": target, "authType": "ManagedIdentity",
				"credentials": map[string]any{"clientId": expression("reference('" + identity + "', '2018-11-30').clientId"), "resourceId": identity},
			},
		})
		return ws + "/connections/" + name
	}
	settings := map[string]any{"computeRuntime": map[string]any{"sparkRuntimeVersion": w.Runtime.SparkVersion}}
	name := offlineConnection + "-" + suffix
	connected := []string{connect(name, ConnectionDataLakeGen2.category(), offline)}
	settings["offlineStoreConnectionName"] = name
	if s := w.OnlineStore; s != nil {
		if !resourceID.MatchString(s.Target) {
			return azureml.Faults{{Field: "online_store.target", Message: fmt.Sprintf("%q is no resource id", s.Target)}}
		}
		name := onlineConnection + "-" + suffix
		connected = append(connected, connect(name, "Redis", s.Target))
		settings["onlineStoreConnectionName"] = name
	}
	again, err := p.workspace()
	if err != nil {
		return err
	}
	again["type"], again["apiVersion"], again["name"] = "Microsoft.MachineLearningServices/workspaces", workspaceVersion, w.Name
	again["identity"] = map[string]any{"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map[string]any{identity: map[string]any{}}}
	if props, ok := again["properties"].(map[string]any); ok {
		props["featureStoreSettings"] = settings
	}
	p.nested(w.Name+"-deploy-feature-store", "", "", append(append([]string{ws}, after...), connected...), []any{again})
	if p.grant {
		p.roles(identity, ws, after, offline, w.OnlineStore)
	}
	return nil
}

// offlineStore makes a container for computed features, in the workspace's storage account if that is new, else in one of
// its own: the account needs a hierarchical namespace.
func (p *provisioning) offlineStore() string {
	account := p.w.StorageAccount
	made := false
	for _, id := range p.after {
		made = made || id == account
	}
	if !made {
		account = p.storage(p.name("storage"), true)
	}
	name := p.name("container")
	p.add("Microsoft.Storage", "storageAccounts/blobServices/containers", "2021-04-01", account[strings.LastIndexByte(account, '/')+1:]+"/default/"+name, map[string]any{"dependsOn": []any{account}})
	return account + "/blobServices/default/containers/" + name
}

// nested puts a deployment into the template, of another group where one is named.
func (p *provisioning) nested(name, sub, group string, after []string, resources []any) {
	fields := deploymentOf(resources)
	fields["dependsOn"] = texts(after)
	if sub != "" {
		fields["subscriptionId"], fields["resourceGroup"] = sub, group
	}
	p.add("Microsoft.Resources", "deployments", "2020-06-01", name, fields)
}

// role gives the identity a role for a resource.
func (p *provisioning) role(what, identity, scope, role string, after []string) {
	m := resourceID.FindStringSubmatch(scope)
	name := uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(identity+"|"+scope+"|"+role))).String()
	p.nested(what+"-role-assign-"+name, m[1], m[2], after, []any{map[string]any{
		"type": "Microsoft.Authorization/roleAssignments", "apiVersion": "2022-04-01", "name": name, "scope": scope,
		"properties": map[string]any{
			"roleDefinitionId": "/subscriptions/" + m[1] + "/providers/Microsoft.Authorization/roleDefinitions/" + role,
			"principalId":      expression("reference('" + identity + "', '2018-11-30').principalId"), "principalType": "ServicePrincipal",
		},
	}})
}

func (p *provisioning) roles(identity, ws string, after []string, offline string, online *MaterializationStore) {
	all := append([]string{ws}, after...)
	p.role("workspace", identity, ws, dataScientist, all)
	p.role("offline-store", identity, offline, blobContributor, all)
	if resourceID.MatchString(p.w.StorageAccount) {
		p.role("ws-storage", identity, p.w.StorageAccount, blobContributor, all)
	}
	if online != nil {
		p.role("online-store", identity, online.Target, contributor, all)
	}
}

// storeConnection is the connection of a feature store to one of its stores.
func storeConnection(prefix, suffix string, s *MaterializationStore, identity *MaterializationIdentity) *Connection {
	t := ConnectionType(s.Type)
	if t == "redis" {
		t = "Redis"
	}
	return &Connection{
		Name: prefix + "-" + suffix, Type: t, Target: s.Target,
		Credentials: ConnectionCredentials{ManagedIdentity: &ConnectionIdentity{ClientID: identity.ClientID, ResourceID: identity.ResourceID}},
	}
}

// settings is what a body says of a feature store, to be added to.
func settingsOf(body map[string]any) map[string]any {
	props, ok := body["properties"].(map[string]any)
	if !ok {
		props = map[string]any{}
		body["properties"] = props
	}
	have, _ := props["featureStoreSettings"].(map[string]any)
	out := maps.Clone(have)
	if out == nil {
		out = map[string]any{}
	}
	props["featureStoreSettings"] = out
	return out
}
