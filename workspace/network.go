package workspace

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml/internal/rest"
)

// Finding is something that a diagnosis says.
type Finding struct {
	Code string `json:"code"`
	// Level is Information, Warning or Error.
	Level   string `json:"level"`
	Message string `json:"message"`
}

// Diagnosis is what is wrong with the resources that a workspace depends on. Empty lists are good.
type Diagnosis struct {
	Routes              []Finding `json:"userDefinedRouteResults"`
	SecurityRules       []Finding `json:"networkSecurityRuleResults"`
	ResourceLocks       []Finding `json:"resourceLockResults"`
	DNS                 []Finding `json:"dnsResolutionResults"`
	StorageAccount      []Finding `json:"storageAccountResults"`
	KeyVault            []Finding `json:"keyVaultResults"`
	ContainerRegistry   []Finding `json:"containerRegistryResults"`
	ApplicationInsights []Finding `json:"applicationInsightsResults"`
	Other               []Finding `json:"otherResults"`
}

// All yields every finding with what it is about.
func (d *Diagnosis) All() iter.Seq2[string, Finding] {
	return func(yield func(string, Finding) bool) {
		for _, part := range []struct {
			about string
			list  []Finding
		}{
			{"routes", d.Routes}, {"security rules", d.SecurityRules}, {"resource locks", d.ResourceLocks}, {"DNS", d.DNS},
			{"storage account", d.StorageAccount}, {"key vault", d.KeyVault}, {"container registry", d.ContainerRegistry},
			{"application insights", d.ApplicationInsights}, {"other", d.Other},
		} {
			for _, f := range part.list {
				if !yield(part.about, f) {
					return
				}
			}
		}
	}
}

// BeginDiagnose looks at the resources that a workspace depends on (Workspaces_Diagnose).
func (c *WorkspacesClient) BeginDiagnose(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[*Diagnosis], error) {
	type none struct{}
	value := map[string]none{}
	for _, part := range []string{"udr", "nsg", "resourceLock", "dnsResolution", "storageAccount", "keyVault", "containerRegistry", "applicationInsights", "others"} {
		value[part] = none{}
	}
	call := c.action("diagnose", name, "diagnose", map[string]any{"value": value}, o)
	return rest.Begin(ctx, c.rest, call, func(raw json.RawMessage) (*Diagnosis, error) {
		out, err := rest.As[struct{ Value Diagnosis }](raw)
		if err != nil {
			return nil, err
		}
		return &out.Value, nil
	})
}

// Dependency is a group of addresses that a workspace must reach.
type Dependency struct {
	Category  string               `json:"category"`
	Endpoints []DependencyEndpoint `json:"endpoints"`
}

// DependencyEndpoint is one of them.
type DependencyEndpoint struct {
	Domain string `json:"domainName"`
	Ports  []struct {
		Port int `json:"port"`
	} `json:"endpointDetails"`
}

// Dependencies lists the addresses that a workspace must reach (Workspaces_ListOutboundNetworkDependenciesEndpoints).
func (c *WorkspacesClient) Dependencies(ctx context.Context, name string) ([]Dependency, error) {
	var out struct {
		Value []struct {
			Dependency
			Properties *Dependency `json:"properties"`
		} `json:"value"`
	}
	call := c.call("list dependencies of", name, "outboundNetworkDependenciesEndpoints")
	call.Out = &out
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	list := make([]Dependency, 0, len(out.Value))
	for _, v := range out.Value {
		if v.Properties != nil {
			list = append(list, *v.Properties)
		} else {
			list = append(list, v.Dependency)
		}
	}
	return list, nil
}

// PrivateLinkResource is something of a workspace that a private endpoint can lead to.
type PrivateLinkResource struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		Group   string   `json:"groupId"`
		Members []string `json:"requiredMembers"`
		Zones   []string `json:"requiredZoneNames"`
	} `json:"properties"`
}

// PrivateLinkResources yields what private endpoints can lead to (PrivateLinkResources_List).
func (c *WorkspacesClient) PrivateLinkResources(ctx context.Context, name string) iter.Seq2[*PrivateLinkResource, error] {
	return rest.All(ctx, c.rest, c.call("list private link resources of", name, "privateLinkResources"), rest.As[PrivateLinkResource])
}

// PrivateEndpointConnection is a private endpoint that leads to a workspace.
type PrivateEndpointConnection struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Properties struct {
		PrivateEndpoint struct {
			ID string `json:"id"`
		} `json:"privateEndpoint"`
		State struct {
			// Status is Pending, Approved, Rejected, Disconnected or Timeout.
			Status      string `json:"status"`
			Description string `json:"description"`
		} `json:"privateLinkServiceConnectionState"`
		ProvisioningState string `json:"provisioningState"`
	} `json:"properties"`
}

// PrivateEndpointConnections yields the private endpoints that lead to a workspace (PrivateEndpointConnections_List).
func (c *WorkspacesClient) PrivateEndpointConnections(ctx context.Context, name string) iter.Seq2[*PrivateEndpointConnection, error] {
	return rest.All(ctx, c.rest, c.call("list private endpoint connections of", name, "privateEndpointConnections"), rest.As[PrivateEndpointConnection])
}

// Feature is something that is turned on for a workspace.
type Feature struct {
	ID          string `json:"id"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

// Features yields what is turned on for a workspace (WorkspaceFeatures_List).
func (c *WorkspacesClient) Features(ctx context.Context, name string) iter.Seq2[*Feature, error] {
	return rest.All(ctx, c.rest, c.call("list features of", name, "features"), rest.As[Feature])
}
