package workspace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// DeleteOptions are the choices of BeginDelete.
type DeleteOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
	// Dependents deletes the workspace's Application Insights with their Log Analytics, and, but for projects, storage
	// account, key vault and container registry too, with all that is in them.
	Dependents bool
	// Purge deletes for good; else the workspace can be recovered for some time.
	Purge bool
}

// The api-versions that the reference deletes other providers' resources with.
const (
	insightsVersion  = "2015-05-01"
	analyticsVersion = "2015-03-20"
	storageVersion   = "2019-06-01"
	vaultVersion     = "2019-09-01"
	registryVersion  = "2019-05-01"
)

// BeginDelete deletes a workspace (Workspaces_Delete) and, where that is wanted, before it what it depends on
// (Workspaces_Get, Resources_DeleteById). Dependents that are gone already do not matter.
func (c *WorkspacesClient) BeginDelete(ctx context.Context, name string, o *DeleteOptions) (*runtime.Poller[azureml.Done], error) {
	if o == nil {
		o = &DeleteOptions{}
	}
	call := c.call("delete", name)
	call.Method, call.ResumeToken, call.Query = http.MethodDelete, o.ResumeToken, url.Values{"forceToPurge": {strconv.FormatBool(o.Purge)}}
	if o.Dependents && o.ResumeToken == "" {
		if err := c.deleteDependents(ctx, call.Op, name); err != nil {
			return nil, err
		}
	}
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

func (c *WorkspacesClient) deleteDependents(ctx context.Context, op, name string) error {
	w, err := c.Get(ctx, name)
	if err != nil {
		return rest.WithOp(op, err)
	}
	type resource struct{ what, id, version string }
	var list []resource
	if w.ApplicationInsights != "" {
		insights, err := rest.Ask[struct {
			Properties struct {
				Workspace string `json:"WorkspaceResourceId"`
			} `json:"properties"`
		}](ctx, c.rest, c.other(op+": its Application Insights", http.MethodGet, w.ApplicationInsights, insightsVersion))
		switch {
		case err == nil:
			list = append(list, resource{"Log Analytics", insights.Properties.Workspace, analyticsVersion})
		case !errors.Is(err, azureml.ErrNotFound):
			return err
		}
		list = append(list, resource{"Application Insights", w.ApplicationInsights, insightsVersion})
	}
	if w.Kind != Project {
		list = append(list, resource{"storage account", w.StorageAccount, storageVersion}, resource{"key vault", w.KeyVault, vaultVersion}, resource{"container registry", w.ContainerRegistry, registryVersion})
	}
	for _, x := range list {
		if x.id == "" {
			continue
		}
		err := c.rest.Do(ctx, c.other(fmt.Sprintf("%s: its %s", op, x.what), http.MethodDelete, x.id, x.version))
		if err != nil && !errors.Is(err, azureml.ErrNotFound) {
			return err
		}
	}
	return nil
}

// other is a call of another provider's resource.
func (c *WorkspacesClient) other(op, method, id, version string) *rest.Call {
	return &rest.Call{Op: op, Method: method, Path: id, Query: url.Values{"api-version": {version}}}
}

// BeginProvisionNetwork makes a workspace's managed network, with private endpoints for Spark where that is wanted
// (ManagedNetworkProvisions_ProvisionManagedNetwork).
func (c *WorkspacesClient) BeginProvisionNetwork(ctx context.Context, name string, spark bool, o *BeginOptions) (*runtime.Poller[*ManagedNetworkStatus], error) {
	call := c.action("provision network of", name, "provisionManagedNetwork", map[string]any{"includeSpark": spark}, o)
	call.Group = "provisionManagedNetwork"
	return rest.Begin(ctx, c.rest, call, rest.As[ManagedNetworkStatus])
}
