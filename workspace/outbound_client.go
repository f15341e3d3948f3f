package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// ruleResource is a rule as a resource of its own.
type ruleResource struct {
	azureml.Meta
	Name string       `yaml:"-" json:"name,ro"`
	Rule OutboundRule `yaml:"-" json:"properties"`

	doc wire.Document
}

var ruleResourceLayout = wire.Layout{Name: "outbound rule"}

// WireLayout names the kind.
func (ruleResource) WireLayout() *wire.Layout { return &ruleResourceLayout }

// WireDocument gives access to the document that was read.
func (r *ruleResource) WireDocument() *wire.Document { return &r.doc }

func decodeRule(raw json.RawMessage) (*OutboundRule, error) {
	r, err := rest.As[ruleResource](raw)
	if err != nil {
		return nil, err
	}
	r.Rule.Name = r.Name
	return &r.Rule, nil
}

// rule is a call of a rule; without a rule's name of the list.
func (c *WorkspacesClient) rule(verb, workspace, rule, method string) *rest.Call {
	segs := []string{"outboundRules"}
	if rule != "" {
		segs = append(segs, rule)
	}
	call := c.call(verb, workspace, segs...)
	call.Op = fmt.Sprintf("outbound rules: %s %q", verb, rule)
	if rule == "" {
		call.Op = "outbound rules: " + verb
	}
	call.Method, call.Group = method, "outboundRules"
	return call
}

// OutboundRule reads a rule of a workspace's managed network (ManagedNetworkSettingsRule_Get).
func (c *WorkspacesClient) OutboundRule(ctx context.Context, workspace, name string) (*OutboundRule, error) {
	if name == "" {
		return nil, errors.New("outbound rules: get: the name is missing")
	}
	var raw json.RawMessage
	call := c.rule("get", workspace, name, http.MethodGet)
	call.Out = &raw
	if err := c.rest.Do(ctx, call); err != nil {
		return nil, err
	}
	r, err := decodeRule(raw)
	return r, rest.WithOp(call.Op, err)
}

// OutboundRules yields the rules of a workspace's managed network, the service's own too (ManagedNetworkSettingsRule_List).
func (c *WorkspacesClient) OutboundRules(ctx context.Context, workspace string) iter.Seq2[*OutboundRule, error] {
	return rest.All(ctx, c.rest, c.rule("list", workspace, "", http.MethodGet), decodeRule)
}

// BeginSetOutboundRule makes or changes a rule of a workspace's managed network (ManagedNetworkSettingsRule_CreateOrUpdate).
func (c *WorkspacesClient) BeginSetOutboundRule(ctx context.Context, workspace string, r *OutboundRule, o *BeginOptions) (*runtime.Poller[*OutboundRule], error) {
	if r == nil || r.Name == "" {
		return nil, errors.New("outbound rules: set: the rule has no name")
	}
	call := c.rule("set", workspace, r.Name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		if r.FQDN == "" && r.ServiceTag == nil && r.PrivateEndpoint == nil && r.Other == nil {
			return nil, rest.WithOp(call.Op, azureml.Faults{{Field: "destination", Message: "is required: a host, a service tag or a private endpoint"}})
		}
		call.Body = &ruleResource{Rule: *r}
	}
	return rest.Begin(ctx, c.rest, call, decodeRule)
}

// BeginRemoveOutboundRule removes a rule of a workspace's managed network (ManagedNetworkSettingsRule_Delete).
func (c *WorkspacesClient) BeginRemoveOutboundRule(ctx context.Context, workspace, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	if name == "" {
		return nil, errors.New("outbound rules: remove: the name is missing")
	}
	call := c.rule("remove", workspace, name, http.MethodDelete)
	call.ResumeToken = o.token()
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}
