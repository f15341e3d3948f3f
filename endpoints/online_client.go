package endpoints

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// OnlineClient makes, finds and asks online endpoints and their deployments. It is safe for use by many goroutines.
type OnlineClient struct {
	rest *rest.Client
	deps *dependencies
}

// NewOnlineClient makes the client on the workspace's shared one.
func NewOnlineClient(c *rest.Client) *OnlineClient {
	return &OnlineClient{rest: c, deps: newDependencies(c)}
}

func online(verb, endpoint string) string {
	return fmt.Sprintf("online endpoints: %s %q", verb, endpoint)
}

// Get reads an endpoint (OnlineEndpoints_Get).
func (c *OnlineClient) Get(ctx context.Context, name string) (*OnlineEndpoint, error) {
	return rest.Ask[OnlineEndpoint](ctx, c.rest, &rest.Call{Op: online("get", name), Path: c.rest.Path("onlineEndpoints", name), Group: "onlineEndpoints"})
}

// OnlineListOptions choose endpoints.
type OnlineListOptions struct {
	// ComputeType is Managed, Kubernetes or AzureMLCompute.
	ComputeType string
	// Tags and Properties are "key" or "key=value", with commas between them.
	Tags       string
	Properties string
	// OrderBy is CreatedAtDesc, CreatedAtAsc, UpdatedAtDesc or UpdatedAtAsc.
	OrderBy string
}

// All yields the endpoints of the workspace (OnlineEndpoints_List).
func (c *OnlineClient) All(ctx context.Context, o *OnlineListOptions) iter.Seq2[*OnlineEndpoint, error] {
	q := url.Values{}
	if o != nil {
		for k, v := range map[string]string{"computeType": o.ComputeType, "tags": o.Tags, "properties": o.Properties, "orderBy": o.OrderBy} {
			if v != "" {
				q.Set(k, v)
			}
		}
	}
	return rest.All(ctx, c.rest, &rest.Call{
		Op: "online endpoints: list", Path: c.rest.Path("onlineEndpoints"), Query: q, Group: "onlineEndpoints",
	}, rest.As[OnlineEndpoint])
}

// BeginCreate makes an endpoint, or changes one that exists (OnlineEndpoints_CreateOrUpdate). e is not changed. What the
// service said of an endpoint that was read, and the struct does not know, is kept.
func (c *OnlineClient) BeginCreate(ctx context.Context, e *OnlineEndpoint, o *BeginOptions) (*runtime.Poller[*OnlineEndpoint], error) {
	return c.put(ctx, "create", e, o)
}

// BeginUpdate changes an endpoint (OnlineEndpoints_CreateOrUpdate), mostly one that was read.
func (c *OnlineClient) BeginUpdate(ctx context.Context, e *OnlineEndpoint, o *BeginOptions) (*runtime.Poller[*OnlineEndpoint], error) {
	return c.put(ctx, "update", e, o)
}

func (c *OnlineClient) put(ctx context.Context, verb string, e *OnlineEndpoint, o *BeginOptions) (*runtime.Poller[*OnlineEndpoint], error) {
	if e == nil {
		return nil, fmt.Errorf("online endpoints: %s: the endpoint is nil", verb)
	}
	call := &rest.Call{
		Op: online(verb, e.Name), Method: http.MethodPut, Path: c.rest.Path("onlineEndpoints", strings.ToLower(e.Name)), Group: "onlineEndpoints", ResumeToken: o.token(),
	}
	if call.ResumeToken == "" {
		if err := e.check(call.Op); err != nil {
			return nil, err
		}
		w, err := c.rest.Workspace(ctx)
		if err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		sent := *e
		sent.Location, sent.Traffic, sent.MirrorTraffic = w.Location, e.Traffic.sent(), e.MirrorTraffic.sent()
		if sent.Compute != "" {
			sent.Compute = azureml.Ref(computeID(c.rest, sent.Compute))
		}
		if sent.Identity == nil {
			sent.Identity = &azureml.ResourceIdentity{Type: azureml.SystemAssigned}
		}
		call.Body = &sent
	}
	return rest.Begin(ctx, c.rest, call, rest.As[OnlineEndpoint])
}

// computeID is the id of a compute that a reference names; ids and virtual clusters stay as they are.
func computeID(c *rest.Client, ref azureml.Ref) string {
	name := strings.TrimPrefix(string(ref), "azureml:")
	if strings.Contains(name, "/") {
		return name
	}
	return c.Path("computes", name)
}

// BeginUpdateTraffic shares the requests of an endpoint out anew (OnlineEndpoints_Get, OnlineEndpoints_CreateOrUpdate) and
// leaves everything else as it is.
func (c *OnlineClient) BeginUpdateTraffic(ctx context.Context, name string, t Traffic, o *BeginOptions) (*runtime.Poller[*OnlineEndpoint], error) {
	if o.token() != "" {
		return c.put(ctx, "update traffic of", &OnlineEndpoint{Name: name}, o)
	}
	var f faults
	f.name("name", name)
	t.check("traffic.", 100, f.add)
	if err := f.err(online("update traffic of", name)); err != nil {
		return nil, err
	}
	e, err := c.Get(ctx, name)
	if err != nil {
		return nil, rest.WithOp(online("update traffic of", name), err)
	}
	e.Traffic = t
	return c.put(ctx, "update traffic of", e, o)
}

// BeginDelete deletes an endpoint with all its deployments (OnlineEndpoints_Delete).
func (c *OnlineClient) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, &rest.Call{
		Op: online("delete", name), Method: http.MethodDelete, Path: c.rest.Path("onlineEndpoints", name), Group: "onlineEndpoints", ResumeToken: o.token(),
	}, rest.Nothing)
}

// Keys are the two keys of an endpoint. They are secrets.
type Keys struct {
	Primary   string `json:"primaryKey"`
	Secondary string `json:"secondaryKey"`
}

// String keeps the keys out of what is printed.
func (Keys) String() string { return "endpoint keys (redacted)" }

// GoString is String.
func (k Keys) GoString() string { return k.String() }

// Keys reads the keys of an endpoint whose AuthMode is Key (OnlineEndpoints_ListKeys).
func (c *OnlineClient) Keys(ctx context.Context, name string) (*Keys, error) {
	return rest.Ask[Keys](ctx, c.rest, &rest.Call{
		Op: online("list keys of", name), Method: http.MethodPost, Path: c.rest.Path("onlineEndpoints", name, "listKeys"), Group: "onlineEndpoints", Idempotent: true,
	})
}

// KeyType is one of the two keys.
type KeyType string

// The keys.
const (
	PrimaryKey   KeyType = "Primary"
	SecondaryKey KeyType = "Secondary"
)

// RegenerateOptions are the choices of a new key.
type RegenerateOptions struct {
	BeginOptions
	// Value is the new key. Defaults to one that the service makes.
	Value string
}

// BeginRegenerateKey gives an endpoint a new key (OnlineEndpoints_RegenerateKeys). The old one is refused from then on.
func (c *OnlineClient) BeginRegenerateKey(ctx context.Context, name string, key KeyType, o *RegenerateOptions) (*runtime.Poller[azureml.Done], error) {
	call := &rest.Call{
		Op: online("regenerate key of", name), Method: http.MethodPost, Path: c.rest.Path("onlineEndpoints", name, "regenerateKeys"), Group: "onlineEndpoints",
	}
	body, err := regeneration(call.Op, key, o)
	if err != nil {
		return nil, err
	}
	call.Body = body
	if o != nil {
		call.ResumeToken = o.ResumeToken
	}
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

func regeneration(op string, key KeyType, o *RegenerateOptions) (map[string]string, error) {
	if key != PrimaryKey && key != SecondaryKey {
		return nil, rest.WithOp(op, azureml.Faults{{Field: "key", Message: fmt.Sprintf("%q is no key; Primary and Secondary are", key)}})
	}
	body := map[string]string{"keyType": string(key)}
	if o != nil && o.Value != "" {
		body["keyValue"] = o.Value
	}
	return body, nil
}

// Token is a token of an endpoint whose AuthMode is AMLToken. It is a secret.
type Token struct {
	AccessToken string
	Type        string // Bearer
	Expires     time.Time
	// RefreshAfter is when a new one should be got.
	RefreshAfter time.Time
}

// String keeps the token out of what is printed.
func (t Token) String() string {
	return "endpoint token (redacted), good until " + t.Expires.UTC().Format(time.RFC3339)
}

// GoString is String.
func (t Token) GoString() string { return t.String() }

// UnmarshalJSON reads the service's times, which are seconds since 1970.
func (t *Token) UnmarshalJSON(b []byte) error {
	var r struct {
		AccessToken  string `json:"accessToken"`
		Type         string `json:"tokenType"`
		Expires      int64  `json:"expiryTimeUtc"`
		RefreshAfter int64  `json:"refreshAfterTimeUtc"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	*t = Token{AccessToken: r.AccessToken, Type: r.Type, Expires: time.Unix(r.Expires, 0), RefreshAfter: time.Unix(r.RefreshAfter, 0)}
	return nil
}

// Token gets a token for an endpoint whose AuthMode is AMLToken (OnlineEndpoints_GetToken).
func (c *OnlineClient) Token(ctx context.Context, name string) (*Token, error) {
	return rest.Ask[Token](ctx, c.rest, &rest.Call{
		Op: online("get token of", name), Method: http.MethodPost, Path: c.rest.Path("onlineEndpoints", name, "token"), Group: "onlineEndpoints", Idempotent: true,
	})
}
