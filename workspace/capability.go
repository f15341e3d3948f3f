package workspace

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// CapabilityHost gives the agents of a hub or project the connections that they work with.
type CapabilityHost struct {
	azureml.Meta
	Name        string `yaml:"name,required" json:"name,ro"`
	Description string `yaml:"description,empty" json:"description"`
	// HostKind defaults to Agents, the only kind.
	HostKind string `yaml:"capability_host_kind" json:"capabilityHostKind,default=Agents"`
	// VectorStores are names of connections of the type ConnectionAISearch.
	VectorStores []string `yaml:"vector_store_connections" json:"vectorStoreConnections"`
	// AIServices are names of connections of the type ConnectionAIServices or ConnectionAzureOpenAI. A project needs some.
	AIServices []string `yaml:"ai_services_connections" json:"aiServicesConnections"`
	// Storage are names of connections to storage. Those of a project default to its own blob store.
	Storage []string `yaml:"storage_connections" json:"storageConnections"`
	// ThreadStorage are names of connections to databases of Cosmos DB.
	ThreadStorage     []string `yaml:"thread_storage_connections" json:"threadStorageConnections"`
	ProvisioningState string   `yaml:"-" json:"provisioningState,ro"`

	doc wire.Document
}

var capabilityHost = wire.Layout{Name: "capability host", Base: "properties", At: wire.Table{"name": "/name"}}

// WireLayout says where REST nests differently.
func (CapabilityHost) WireLayout() *wire.Layout { return &capabilityHost }

// WireDocument gives access to the document that was read.
func (h *CapabilityHost) WireDocument() *wire.Document { return &h.doc }

// CapabilityHostsClient makes and finds the capability hosts of a hub or project. It is safe for use by many goroutines.
type CapabilityHostsClient struct{ rest *rest.Client }

func (c *CapabilityHostsClient) call(verb, name, method string) *rest.Call {
	return &rest.Call{Op: fmt.Sprintf("capability hosts: %s %q", verb, name), Method: method, Group: "capabilityHosts", Path: c.rest.Path("capabilityHosts", name)}
}

// Get reads a capability host (CapabilityHosts_Get).
func (c *CapabilityHostsClient) Get(ctx context.Context, name string) (*CapabilityHost, error) {
	return rest.Ask[CapabilityHost](ctx, c.rest, c.call("get", name, http.MethodGet))
}

// BeginCreate makes a capability host (Workspaces_Get, CapabilityHosts_CreateOrUpdate). h is not changed.
func (c *CapabilityHostsClient) BeginCreate(ctx context.Context, h *CapabilityHost, o *BeginOptions) (*runtime.Poller[*CapabilityHost], error) {
	if h == nil {
		return nil, fmt.Errorf("capability hosts: create: the capability host is nil")
	}
	call := c.call("create", h.Name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		w, err := (&WorkspacesClient{rest: c.rest}).Get(ctx, "")
		if err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		sent := *h
		if err := sent.complete(w).Err(); err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		call.Body = &sent
	}
	return rest.Begin(ctx, c.rest, call, rest.As[CapabilityHost])
}

// complete fills in what the workspace decides.
func (h *CapabilityHost) complete(w *Workspace) azureml.Faults {
	var f azureml.Faults
	add := func(field, format string, a ...any) {
		f = append(f, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	}
	if h.Name == "" {
		add("name", "is required")
	}
	switch kind := Kind(strings.ToLower(string(w.Kind))); kind {
	case Hub:
	case Project:
		if h.AIServices == nil {
			add("ai_services_connections", "is required in a project: names of connections to Azure OpenAI or AI services")
		}
		if len(h.Storage) == 0 {
			h.Storage = []string{w.Name + "/" + assets.BlobStore}
		}
	default:
		add("", "the workspace %s is of the kind %q; hubs and projects have capability hosts", w.Name, kind)
	}
	return f
}

// BeginDelete deletes a capability host (CapabilityHosts_Delete).
func (c *CapabilityHostsClient) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	call := c.call("delete", name, http.MethodDelete)
	call.ResumeToken = o.token()
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}
