package workspace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// A provisioning is a template of the resource manager that makes a workspace, and beside it what the workspace needs and
// does not name: storage account, key vault, and, but for hubs and projects, Log Analytics and Application Insights.
type provisioning struct {
	w          Workspace
	sub, group string
	// grant gives the identity of a feature store the roles that it computes features with.
	grant bool
	// unique gives 32 hexadecimal digits that are new each time.
	unique func() string

	resources []any
	after     []string // ids that the workspace depends on
}

func newProvisioning(w *Workspace, sub, group string, grant bool) *provisioning {
	return &provisioning{w: *w, sub: sub, group: group, grant: grant, unique: func() string { return hexadecimal(uuid.New()) }}
}

func hexadecimal(u uuid.UUID) string { return strings.ReplaceAll(u.String(), "-", "") }

// deploymentName is that of the deployment that makes a workspace.
func deploymentName(workspace string) string {
	return fmt.Sprintf("%s-%d", workspace, 1+rand.N(10_000_000)) //nolint:gosec // a name
}

// dependentName names what is made for a workspace: letters and digits of its name, what it is, and digits, 24 in all.
func dependentName(workspace, what, digits string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(workspace) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	name := b.String()
	if what == "keyvault" && name != "" && name[0] <= '9' {
		name = "w" + name // a vault's name begins with a letter
	}
	name = name[:min(8, len(name))] + what[:min(8, len(what))] + digits
	return name[:min(24, len(name))]
}

func (p *provisioning) name(what string) string { return dependentName(p.w.Name, what, p.unique()) }

func (p *provisioning) id(provider, kind, name string) string {
	return rest.Join("", "subscriptions", p.sub, "resourceGroups", p.group, "providers", provider, kind, name)
}

func (p *provisioning) workspaceID() string {
	return p.id("Microsoft.MachineLearningServices", "workspaces", p.w.Name)
}

// add puts a resource into the template and gives its id.
func (p *provisioning) add(provider, kind, version, name string, fields map[string]any) string {
	fields["type"], fields["apiVersion"], fields["name"] = provider+"/"+kind, version, name
	p.resources = append(p.resources, fields)
	if strings.Contains(kind, "/") {
		return ""
	}
	return p.id(provider, kind, name)
}

// public is the network access of what is made for the workspace.
func (p *provisioning) public() NetworkAccess {
	if n := p.w.ManagedNetwork; n != nil && (n.IsolationMode == AllowInternetOutbound || n.IsolationMode == AllowOnlyApprovedOutbound) {
		return Disabled
	}
	if p.w.PublicNetworkAccess != "" {
		return p.w.PublicNetworkAccess
	}
	return Enabled
}

// closed is how a resource without public access is reached.
func (p *provisioning) closed(properties map[string]any) map[string]any {
	properties["publicNetworkAccess"] = string(p.public())
	if p.public() == Disabled {
		properties["networkAcls"] = map[string]any{"defaultAction": "deny", "bypass": "AzureServices"}
	}
	return properties
}

func (p *provisioning) tags() map[string]any {
	tags := map[string]any{"createdByToolkit": "azureml-go-" + rest.Version}
	for k, v := range p.w.Tags {
		if v != nil {
			tags[k] = *v
		}
	}
	return tags
}

func (p *provisioning) storage(name string, hierarchical bool) string {
	service := map[string]any{"enabled": true}
	return p.add("Microsoft.Storage", "storageAccounts", "2023-04-01", name, map[string]any{
		"location": p.w.Location, "tags": p.tags(), "kind": "StorageV2", "sku": map[string]any{"name": "Standard_LRS"},
		"properties": p.closed(map[string]any{
			"encryption":               map[string]any{"services": map[string]any{"blob": service, "file": service}, "keySource": "Microsoft.Storage"},
			"supportsHttpsTrafficOnly": true, "allowBlobPublicAccess": false, "isHnsEnabled": hierarchical, "minimumTlsVersion": "TLS1_2",
		}),
	})
}

func (p *provisioning) vault() string {
	return p.add("Microsoft.KeyVault", "vaults", "2023-07-01", p.name("keyvault"), map[string]any{
		"location": p.w.Location, "tags": p.tags(),
		"properties": p.closed(map[string]any{
			"tenantId": expression("subscription().tenantId"), "sku": map[string]any{"name": "standard", "family": "A"}, "accessPolicies": []any{}, "enableRbacAuthorization": true,
		}),
	})
}

// insights makes Log Analytics and Application Insights, in the region that has them.
func (p *provisioning) insights() string {
	location := p.w.Location
	switch strings.ToLower(location) {
	case "westcentralus", "eastus2euap", "centraluseuap":
		location = "southcentralus"
	}
	logs := p.add("Microsoft.OperationalInsights", "workspaces", "2020-08-01", p.name("logalytics"), map[string]any{
		"location": location, "tags": p.tags(), "properties": map[string]any{},
	})
	return p.add("Microsoft.Insights", "components", "2020-02-02-preview", p.name("insights"), map[string]any{
		"location": location, "tags": p.tags(), "kind": "web", "dependsOn": []any{logs},
		"properties": map[string]any{"Application_Type": "web", "WorkspaceResourceId": logs},
	})
}

// deployment is the body that makes the workspace.
func (p *provisioning) deployment() (map[string]any, error) {
	w := &p.w
	if w.DisplayName == "" {
		w.DisplayName = w.Name
	}
	if w.Description == "" {
		w.Description = w.Name
	}
	if w.Identity == nil {
		w.Identity = &azureml.ResourceIdentity{Type: azureml.SystemAssigned}
	}
	if w.PublicNetworkAccess == "" && w.Kind != Project {
		w.PublicNetworkAccess = Enabled
	}
	if w.Kind == FeatureStoreKind {
		w.DatastoresAuthMode = "identity"
		if w.Runtime.SparkVersion == "" {
			w.Runtime.SparkVersion = "3.4.0"
		}
	}
	if w.Kind != Project {
		p.dependencies()
	}
	body, err := p.workspace()
	if err != nil {
		return nil, err
	}
	body["dependsOn"] = texts(p.after)
	p.add("Microsoft.MachineLearningServices", "workspaces", workspaceVersion, w.Name, body)
	if w.Kind == FeatureStoreKind {
		if err := p.featureStore(); err != nil {
			return nil, err
		}
	}
	body, _ = escaped(deploymentOf(p.resources)).(map[string]any) // of an object
	return body, nil
}

// workspaceVersion is the api-version of workspaces in templates.
const workspaceVersion = "2024-10-01-preview"

// dependencies makes what the workspace needs and does not name.
func (p *provisioning) dependencies() {
	w := &p.w
	need := func(id *string, provide func() string) {
		if *id == "" {
			*id = provide()
			p.after = append(p.after, *id)
		}
	}
	need(&w.StorageAccount, func() string { return p.storage(p.name("storage"), w.Kind == FeatureStoreKind) })
	need(&w.KeyVault, p.vault)
	if w.Kind != Hub {
		need(&w.ApplicationInsights, p.insights)
	}
}

// workspace is the workspace as a resource of a template, without what depends on other resources.
func (p *provisioning) workspace() (map[string]any, error) {
	w := p.w
	if n := w.ManagedNetwork; n != nil {
		own := *n
		own.Rules = n.Rules.own()
		w.ManagedNetwork = &own
	}
	body, err := wire.ToREST(&w)
	if err != nil {
		return nil, err
	}
	if props, ok := body["properties"].(map[string]any); ok && w.ManagedNetwork == nil && w.Kind != Project {
		props["managedNetwork"] = map[string]any{"isolationMode": isolationModes.RESTValue(string(NoIsolation)), "outboundRules": map[string]any{}}
	}
	body["tags"], body["kind"] = p.tags(), string(w.Kind)
	if w.Kind == "" {
		body["kind"] = string(Default)
	}
	return body, nil
}

// expression is evaluated by the resource manager.
type expression string

// escaped keeps the resource manager from taking other texts in brackets for expressions.
func escaped(x any) any {
	switch x := x.(type) {
	case expression:
		return "[" + string(x) + "]"
	case string:
		if strings.HasPrefix(x, "[") && strings.HasSuffix(x, "]") {
			return "[" + x
		}
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, v := range x {
			out[k] = escaped(v)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, v := range x {
			out[i] = escaped(v)
		}
		return out
	}
	return x
}

func texts(l []string) []any {
	out := make([]any, len(l))
	for i, s := range slices.Sorted(slices.Values(l)) {
		out[i] = s
	}
	return out
}

// deploymentOf is a deployment of resources that adds to what is there.
func deploymentOf(resources []any) map[string]any {
	return map[string]any{"properties": map[string]any{"mode": "Incremental", "template": map[string]any{
		"$schema":        "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
		"contentVersion": "1.0.0.0", "resources": resources,
	}}}
}

// identityName names the identity that is made for a feature store: the same each time.
func identityName(sub, group, location, workspace string) string {
	var space uuid.UUID
	n := 0
	for _, r := range strings.ToLower(sub[:min(12, len(sub))] + "_" + group[:min(12, len(group))] + "_" + location) {
		if n < len(space) && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9') {
			space[n] = byte(r)
			n++
		}
	}
	return "materialization-uai-" + hexadecimal(uuid.NewMD5(space, []byte(strings.ToLower(workspace))))
}
