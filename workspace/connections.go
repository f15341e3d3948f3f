package workspace

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// ConnectionsClient makes and finds connections. It is safe for use by many goroutines.
type ConnectionsClient struct{ rest *rest.Client }

func (c *ConnectionsClient) call(verb, name, method string, more ...string) *rest.Call {
	return &rest.Call{
		Op: fmt.Sprintf("connections: %s %q", verb, name), Method: method, Group: "connections", Path: c.rest.Path(append([]string{"connections", name}, more...)...),
	}
}

// Get reads a connection, without secrets (WorkspaceConnections_Get).
func (c *ConnectionsClient) Get(ctx context.Context, name string) (*Connection, error) {
	return rest.Ask[Connection](ctx, c.rest, c.call("get", name, http.MethodGet))
}

// Secrets reads a connection with its secrets (WorkspaceConnections_ListSecrets).
func (c *ConnectionsClient) Secrets(ctx context.Context, name string) (*Connection, error) {
	call := c.call("list secrets of", name, http.MethodPost, "listsecrets")
	call.Idempotent = true
	return rest.Ask[Connection](ctx, c.rest, call)
}

// ConnectionListOptions choose connections.
type ConnectionListOptions struct {
	// Type and Target are the only ones wanted.
	Type   ConnectionType
	Target string
	// Data lists those that are datastores too.
	Data bool
}

// All yields connections, without secrets (WorkspaceConnections_List).
func (c *ConnectionsClient) All(ctx context.Context, o *ConnectionListOptions) iter.Seq2[*Connection, error] {
	call := &rest.Call{Op: "connections: list", Group: "connections", Path: c.rest.Path("connections"), Query: url.Values{}}
	if o != nil {
		if o.Type != "" {
			call.Query.Set("category", o.Type.category())
		}
		if o.Target != "" {
			call.Query.Set("target", o.Target)
		}
		if o.Data {
			call.Query.Set("includeAll", "true")
		}
	}
	return rest.All(ctx, c.rest, call, rest.As[Connection])
}

// Create makes a connection, or replaces one that exists (WorkspaceConnections_Create).
func (c *ConnectionsClient) Create(ctx context.Context, n *Connection) (*Connection, error) {
	return c.send(ctx, "create", http.MethodPut, n)
}

// Update changes a connection, mostly one that was read (WorkspaceConnections_Update). Credentials whose secrets were not
// read are not sent: the connection keeps them.
func (c *ConnectionsClient) Update(ctx context.Context, n *Connection) (*Connection, error) {
	return c.send(ctx, "update", http.MethodPatch, n)
}

func (c *ConnectionsClient) send(ctx context.Context, verb, method string, n *Connection) (*Connection, error) {
	if n == nil {
		return nil, fmt.Errorf("connections: %s: the connection is nil", verb)
	}
	call := c.call(verb, n.Name, method)
	if err := n.Validate(); err != nil {
		return nil, rest.WithOp(call.Op, err)
	}
	body, err := wire.Body(n, call.Path)
	if err != nil {
		return nil, rest.WithOp(call.Op, err)
	}
	if p, ok := body["properties"].(map[string]any); ok && unsaid(p["credentials"]) {
		delete(p, "credentials")
	}
	call.Body, call.Idempotent = body, true
	return rest.Ask[Connection](ctx, c.rest, call)
}

// unsaid tells of an object without values.
func unsaid(x any) bool {
	m, ok := x.(map[string]any)
	for _, v := range m {
		if v != nil && v != "" {
			return false
		}
	}
	return ok || x == nil
}

// Delete removes a connection (WorkspaceConnections_Delete).
func (c *ConnectionsClient) Delete(ctx context.Context, name string) error {
	return c.rest.Do(ctx, c.call("delete", name, http.MethodDelete))
}

// OpenAIDeployment is a model that an Azure OpenAI resource serves.
type OpenAIDeployment struct {
	ID, Name     string
	Model        string
	ModelVersion string
	SKU          string
	SystemData   *azureml.SystemData
	// Connection leads to the resource, whose address is Target.
	Connection, Target string
}

// OpenAIDeployments yields the deployments of the Azure OpenAI resource that a connection leads to (WorkspaceConnections_Get,
// Connection_ListDeployments).
func (c *ConnectionsClient) OpenAIDeployments(ctx context.Context, connection string) iter.Seq2[*OpenAIDeployment, error] {
	call := c.call("list deployments of", connection, http.MethodGet, "deployments")
	return func(yield func(*OpenAIDeployment, error) bool) {
		n, err := c.Get(ctx, connection)
		if err != nil {
			yield(nil, rest.WithOp(call.Op, err))
			return
		}
		type answer struct {
			ID         string `json:"id"`
			Name       string `json:"name"`
			SystemData *azureml.SystemData
			SKU        struct {
				Name string `json:"name"`
			} `json:"sku"`
			Properties struct {
				Model struct {
					Name    string `json:"name"`
					Version string `json:"version"`
				} `json:"model"`
			} `json:"properties"`
		}
		for a, err := range rest.All(ctx, c.rest, call, rest.As[answer]) {
			var d *OpenAIDeployment
			if err == nil {
				d = &OpenAIDeployment{
					ID: a.ID, Name: a.Name, Model: a.Properties.Model.Name, ModelVersion: a.Properties.Model.Version, SKU: a.SKU.Name, SystemData: a.SystemData,
					Connection: connection, Target: n.Target,
				}
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

// Validate says what is wrong with the connection, as azureml.Faults. It makes no call.
func (c *Connection) Validate() error {
	var f azureml.Faults
	add := func(field, message string) {
		f = append(f, &azureml.Fault{Field: field, Message: message})
	}
	if c.Name == "" {
		add("name", "is required")
	}
	if c.Type == "" {
		add("type", "is required, such as "+strings.Join(connectionTypes.Values()[:3], ", "))
	}
	r := ruleOf(c.Type)
	if c.Target == "" && c.Type != ConnectionOpenAI && c.Type != ConnectionSerp {
		add("target", "is required: the address that the connection leads to")
	}
	for _, need := range []struct{ key, value string }{{"account_name", c.Account}, {"container_name", c.Container}, {"ai_services_resource_id", c.ResourceID}} {
		if need.value == "" && slices.Contains(r.required, need.key) {
			add(need.key, "is required for the type "+string(c.Type))
		}
	}
	why := c.Type.refuses(&c.Credentials, r, "")
	if c.doc.ID() != "" || r.storage && c.Credentials.None != nil || r.entra && c.Credentials.AuthType() != "" {
		why = "" // the service had it so, or may take it
	}
	if why != "" {
		add("credentials", why)
	}
	return f.Err()
}
