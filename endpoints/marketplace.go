package endpoints

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// MarketplaceSubscription is the consent to the price of a model that another company offers in the catalogue.
type MarketplaceSubscription struct {
	azureml.Meta
	Name string `yaml:"name,required" json:"name,ro"`
	// ModelID is a model of a registry without version.
	ModelID string           `yaml:"model_id,required" json:"modelId"`
	Plan    *MarketplacePlan `yaml:"marketplace_plan,ro" json:"marketplacePlan,ro"`
	// Status is Subscribed, Suspended or Unsubscribed.
	Status            string `yaml:"status,ro" json:"marketplaceSubscriptionStatus,ro"`
	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	doc               wire.Document
}

// MarketplacePlan is what was agreed to.
type MarketplacePlan struct {
	Publisher string `yaml:"publisher_id,ro" json:"publisherId,ro"`
	Offer     string `yaml:"offer_id,ro" json:"offerId,ro"`
	Plan      string `yaml:"plan_id,ro" json:"planId,ro"`
}

var marketplaceSubscription = wire.Layout{Name: "marketplace subscription", Base: "properties", IgnoreUnknown: true, At: wire.Table{"name": "/name"}}

// WireLayout says where REST nests differently.
func (MarketplaceSubscription) WireLayout() *wire.Layout { return &marketplaceSubscription }

// WireDocument gives access to the document that was read.
func (s *MarketplaceSubscription) WireDocument() *wire.Document { return &s.doc }

// MarketplaceClient makes and finds subscriptions. It is safe for use by many goroutines.
type MarketplaceClient struct{ rest *rest.Client }

// NewMarketplaceClient makes the client on the workspace's shared one.
func NewMarketplaceClient(c *rest.Client) *MarketplaceClient { return &MarketplaceClient{rest: c} }

func (c *MarketplaceClient) call(verb, name, method string) *rest.Call {
	return &rest.Call{
		Op: fmt.Sprintf("marketplace subscriptions: %s %q", verb, name), Method: method, Group: "marketplace", Path: c.rest.Path("marketplaceSubscriptions", name),
	}
}

// Get reads a subscription (MarketplaceSubscriptions_Get).
func (c *MarketplaceClient) Get(ctx context.Context, name string) (*MarketplaceSubscription, error) {
	return rest.Ask[MarketplaceSubscription](ctx, c.rest, c.call("get", name, http.MethodGet))
}

// All yields the subscriptions of the workspace (MarketplaceSubscriptions_List).
func (c *MarketplaceClient) All(ctx context.Context) iter.Seq2[*MarketplaceSubscription, error] {
	return rest.All(ctx, c.rest, &rest.Call{Op: "marketplace subscriptions: list", Path: c.rest.Path("marketplaceSubscriptions"), Group: "marketplace"}, rest.As[MarketplaceSubscription])
}

// BeginCreate subscribes to a model (MarketplaceSubscriptions_CreateOrUpdate). s is not changed.
func (c *MarketplaceClient) BeginCreate(ctx context.Context, s *MarketplaceSubscription, o *BeginOptions) (*runtime.Poller[*MarketplaceSubscription], error) {
	if s == nil {
		return nil, fmt.Errorf("marketplace subscriptions: create: the subscription is nil")
	}
	call := c.call("create", s.Name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		var f faults
		if s.Name == "" {
			f.add("name", "is required")
		}
		if s.ModelID == "" {
			f.add("model_id", "is required, such as azureml://registries/azureml-meta/models/NAME")
		}
		if err := f.err(call.Op); err != nil {
			return nil, err
		}
		call.Body = s
	}
	return rest.Begin(ctx, c.rest, call, rest.As[MarketplaceSubscription])
}

// BeginDelete ends a subscription (MarketplaceSubscriptions_Delete).
func (c *MarketplaceClient) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	call := c.call("delete", name, http.MethodDelete)
	call.ResumeToken = o.token()
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}
