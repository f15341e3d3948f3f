package workspace

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// RegistriesClient makes and finds registries of the client's resource group and subscription. It is safe for use by many
// goroutines.
type RegistriesClient struct{ rest *rest.Client }

func (c *RegistriesClient) call(verb, name, method string, more ...string) *rest.Call {
	return &rest.Call{
		Op: fmt.Sprintf("registries: %s %q", verb, name), Method: method, Group: "registries",
		Path: rest.Join(c.rest.GroupProviderPath("registries", name), more...),
	}
}

// Get reads a registry (Registries_Get).
func (c *RegistriesClient) Get(ctx context.Context, name string) (*Registry, error) {
	return rest.Ask[Registry](ctx, c.rest, c.call("get", name, http.MethodGet))
}

// RegistryListOptions choose registries.
type RegistryListOptions struct {
	// Subscription lists all groups of the subscription; else the client's group is listed.
	Subscription bool
}

// All yields registries (Registries_List, Registries_ListBySubscription).
func (c *RegistriesClient) All(ctx context.Context, o *RegistryListOptions) iter.Seq2[*Registry, error] {
	call := &rest.Call{Op: "registries: list", Group: "registries", Path: c.rest.GroupProviderPath("registries")}
	if o != nil && o.Subscription {
		call.Path = c.rest.ProviderPath("registries")
	}
	return rest.All(ctx, c.rest, call, rest.As[Registry])
}

// BeginCreate makes a registry, or changes one that exists (Registries_CreateOrUpdate). r is not changed.
func (c *RegistriesClient) BeginCreate(ctx context.Context, r *Registry, o *BeginOptions) (*runtime.Poller[*Registry], error) {
	if r == nil {
		return nil, fmt.Errorf("registries: create: the registry is nil")
	}
	call := c.call("create", r.Name, http.MethodPut)
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		if err := r.Validate(); err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		call.Body = r
	}
	return rest.Begin(ctx, c.rest, call, rest.As[Registry])
}

// UpdateTags replaces the tags of a registry; nothing else of it can be patched but its identity (Registries_Update).
func (c *RegistriesClient) UpdateTags(ctx context.Context, name string, tags map[string]string) (*Registry, error) {
	call := c.call("update", name, http.MethodPatch)
	if tags == nil {
		tags = map[string]string{}
	}
	call.Body, call.Idempotent = map[string]any{"tags": tags}, true
	return rest.Ask[Registry](ctx, c.rest, call)
}

// BeginRemoveRegions takes regions away from a registry (Registries_RemoveRegions). What is in them only is lost.
func (c *RegistriesClient) BeginRemoveRegions(ctx context.Context, r *Registry, o *BeginOptions) (*runtime.Poller[*Registry], error) {
	if r == nil {
		return nil, fmt.Errorf("registries: remove regions: the registry is nil")
	}
	call := c.call("remove regions of", r.Name, http.MethodPost, "removeRegions")
	call.Idempotent = true
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		call.Body = r
	}
	return rest.Begin(ctx, c.rest, call, rest.As[Registry])
}

// BeginDelete deletes a registry with all that is in it (Registries_Delete).
func (c *RegistriesClient) BeginDelete(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	call := c.call("delete", name, http.MethodDelete)
	call.ResumeToken = o.token()
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

// Validate says what is wrong with the registry, as azureml.Faults. It makes no call.
func (r *Registry) Validate() error {
	var f azureml.Faults
	for _, need := range []struct {
		field string
		given bool
	}{{"name", r.Name != ""}, {"location", r.Location != ""}, {"replication_locations", len(r.Regions) > 0}} {
		if !need.given {
			f = append(f, &azureml.Fault{Field: need.field, Message: "is required"})
		}
	}
	for i, region := range r.Regions {
		if region.Storage.Replicas < 0 {
			f = append(f, &azureml.Fault{Field: fmt.Sprintf("replication_locations.%d.storage_config.replication_count", i), Message: "is less than 1"})
		}
	}
	return f.Err()
}
