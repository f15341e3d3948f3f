package endpoints

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// ServerlessEndpoint serves a model of the catalogue that is paid for by use; no machines belong to it.
type ServerlessEndpoint struct {
	azureml.Meta
	Name string             `yaml:"name,required" json:"name,ro"`
	Tags map[string]*string `yaml:"tags,text" json:"tags"`
	// ModelID is a model of a registry without version, or one that was fine-tuned:
	// azureml://registries/azureml-meta/models/Llama.
	ModelID string `yaml:"model_id,required" json:"modelId"`
	// AuthMode is Key; the service does not take another, nor is it sent.
	AuthMode AuthMode `yaml:"auth_mode" json:"authMode,ro"`
	// Description and Properties are taken from YAML and not sent: the service has no place for them.
	Description string            `yaml:"description,empty" json:"-"`
	Properties  map[string]string `yaml:"properties,text" json:"-"`

	Location   string            `yaml:"location,ro" json:"location"`
	ScoringURI string            `yaml:"scoring_uri,ro" json:"uri,ro"`
	Headers    map[string]string `yaml:"headers,ro" json:"headers,ro"`
	// State is Online, Suspended, Creating and so on.
	State             string `yaml:"-" json:"endpointState,ro"`
	Subscription      string `yaml:"-" json:"marketplaceSubscriptionId,ro"`
	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	doc               wire.Document
}

var serverlessEndpoint = wire.Layout{
	Name: "serverless endpoint",
	Base: "properties", IgnoreUnknown: true,
	At: wire.Table{
		"name": "/name", "tags": "/tags", "location": "/location", "model_id": "modelSettings/modelId",
		"scoring_uri": "inferenceEndpoint/uri", "headers": "inferenceEndpoint/headers",
	},
	REST: wire.Fixed{"/sku/name": "Consumption"},
}

// WireLayout says where REST nests differently.
func (ServerlessEndpoint) WireLayout() *wire.Layout { return &serverlessEndpoint }

// WireDocument gives access to the document that was read.
func (e *ServerlessEndpoint) WireDocument() *wire.Document { return &e.doc }

// ServerlessClient makes and finds serverless endpoints. It is safe for use by many goroutines.
type ServerlessClient struct{ rest *rest.Client }

// NewServerlessClient makes the client on the workspace's shared one.
func NewServerlessClient(c *rest.Client) *ServerlessClient { return &ServerlessClient{rest: c} }

func (c *ServerlessClient) call(verb, name, method string, more ...string) *rest.Call {
	return &rest.Call{
		Op: fmt.Sprintf("serverless endpoints: %s %q", verb, name), Method: method, Group: "serverlessEndpoints",
		Path: c.rest.Path(append([]string{"serverlessEndpoints", name}, more...)...),
	}
}

// Get reads an endpoint (ServerlessEndpoints_Get).
func (c *ServerlessClient) Get(ctx context.Context, name string) (*ServerlessEndpoint, error) {
	return rest.Ask[ServerlessEndpoint](ctx, c.rest, c.call("get", name, http.MethodGet))
}

// All yields the endpoints of the workspace (ServerlessEndpoints_List).
func (c *ServerlessClient) All(ctx context.Context) iter.Seq2[*ServerlessEndpoint, error] {
	return rest.All(ctx, c.rest, &rest.Call{Op: "serverless endpoints: list", Path: c.rest.Path("serverlessEndpoints"), Group: "serverlessEndpoints"}, rest.As[ServerlessEndpoint])
}

// BeginCreate makes an endpoint, or changes one that exists (ServerlessEndpoints_CreateOrUpdate). e is not changed.
func (c *ServerlessClient) BeginCreate(ctx context.Context, e *ServerlessEndpoint, o *BeginOptions) (*runtime.Poller[*ServerlessEndpoint], error) {
	if e == nil {
		return nil, fmt.Errorf("serverless endpoints: create: the endpoint is nil")
	}
	call := c.call("create", e.Name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		var f faults
		f.name("name", e.Name)
		if e.ModelID == "" {
			f.add("model_id", "is required, such as azureml://registries/azureml-meta/models/NAME")
		}
		if err := f.err(call.Op); err != nil {
			return nil, err
		}
		w, err := c.rest.Workspace(ctx)
		if err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		sent := *e
		sent.Location = w.Location
		call.Body = &sent
	}
	return rest.Begin(ctx, c.rest, call, rest.As[ServerlessEndpoint])
}

// BeginDelete deletes an endpoint (ServerlessEndpoints_Delete).
func (c *ServerlessClient) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	call := c.call("delete", name, http.MethodDelete)
	call.ResumeToken = o.token()
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

// Keys reads the keys of an endpoint (ServerlessEndpoints_ListKeys).
func (c *ServerlessClient) Keys(ctx context.Context, name string) (*Keys, error) {
	call := c.call("list keys of", name, http.MethodPost, "listKeys")
	call.Idempotent = true
	return rest.Ask[Keys](ctx, c.rest, call)
}

// BeginRegenerateKey gives an endpoint a new key and answers both (ServerlessEndpoints_RegenerateKeys).
func (c *ServerlessClient) BeginRegenerateKey(ctx context.Context, name string, key KeyType, o *RegenerateOptions) (*runtime.Poller[*Keys], error) {
	call := c.call("regenerate key of", name, http.MethodPost, "regenerateKeys")
	body, err := regeneration(call.Op, key, o)
	if err != nil {
		return nil, err
	}
	call.Body = body
	if o != nil {
		call.ResumeToken = o.ResumeToken
	}
	return rest.Begin(ctx, c.rest, call, func(raw json.RawMessage) (*Keys, error) {
		if len(raw) == 0 { // some services answer nothing: the keys are read by Keys then
			return &Keys{}, nil
		}
		return rest.As[Keys](raw)
	})
}
