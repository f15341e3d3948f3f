package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// ProvisionOptions are the choices of BeginCreate and BeginUpdate.
type ProvisionOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
	// ChangeDependents lets an update give the workspace another container registry or Application Insights: then earlier
	// jobs may not run again, and what deployments wrote is not found.
	ChangeDependents bool
	// NoRoles leaves it to others to give a feature store's identity its roles.
	NoRoles bool
}

func decodeWorkspace(raw json.RawMessage) (*Workspace, error) { return rest.As[Workspace](raw) }

// at is a client of a workspace of that name, in the workspace's own resource group or the client's.
func (c *WorkspacesClient) at(w *Workspace) *rest.Client {
	id := c.rest.ID()
	id.Name = w.Name
	if w.ResourceGroup != "" {
		id.ResourceGroup = w.ResourceGroup
	}
	return c.rest.At(id)
}

// BeginCreate makes a workspace, a hub, a project or a feature store, and what it needs and does not name: a storage account,
// a key vault, and, but for hubs and projects, Application Insights and Log Analytics. All of it is one deployment of a
// template (Deployments_CreateOrUpdate). A workspace that exists is updated, as by BeginUpdate, and keeps its tags
// (Workspaces_Get, Workspaces_Update).
//
// A project gets its hub's region and network access. Where the caller may not deploy, but the project is to be in the
// group that the hub has for projects, it joins the hub (the regional service, hub join). w is not changed.
func (c *WorkspacesClient) BeginCreate(ctx context.Context, w *Workspace, o *ProvisionOptions) (*runtime.Poller[*Workspace], error) {
	if w == nil {
		return nil, errors.New("workspace: create: the workspace is nil")
	}
	if o == nil {
		o = &ProvisionOptions{}
	}
	op := fmt.Sprintf("workspace: create %q", w.Name)
	sent := *w
	if sent.Hub != "" {
		sent.Kind = Project
	}
	if err := sent.Validate(); err != nil {
		return nil, rest.WithOp(op, err)
	}
	r := c.at(&sent)
	call := &rest.Call{Op: op, Method: http.MethodPut, Group: "deployments", Result: &rest.Call{Op: op, Group: "workspaces", Path: r.Path()}, ResumeToken: o.ResumeToken}
	if o.ResumeToken != "" {
		return rest.Begin(ctx, r, call, decodeWorkspace)
	}
	existing, err := rest.Ask[Workspace](ctx, r, &rest.Call{Op: op, Group: "workspaces", Path: r.Path()})
	if err == nil {
		return c.renew(ctx, op, &sent, existing, o)
	}
	if !errors.Is(err, azureml.ErrNotFound) {
		return nil, err
	}
	var hub *Workspace
	if sent.Kind == Project {
		if hub, err = c.hub(ctx, op, &sent); err != nil {
			return nil, err
		}
	}
	if sent.Location == "" {
		if sent.Location, err = groupLocation(ctx, r, op); err != nil {
			return nil, err
		}
	}
	body, err := newProvisioning(&sent, r.ID().Subscription, r.ID().ResourceGroup, !o.NoRoles).deployment()
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	call.Path, call.Body = r.GroupPath("providers", "Microsoft.Resources", "deployments", deploymentName(sent.Name)), body
	p, err := rest.Begin(ctx, r, call, decodeWorkspace)
	if errors.Is(err, azureml.ErrForbidden) && hub != nil && strings.EqualFold(hub.DefaultResourceGroup, rest.Join("", "subscriptions", r.ID().Subscription, "resourceGroups", r.ID().ResourceGroup)) {
		return c.join(ctx, op, &sent, hub)
	}
	return p, err
}

// hub reads a project's hub, and gives the project what hubs decide.
func (c *WorkspacesClient) hub(ctx context.Context, op string, w *Workspace) (*Workspace, error) {
	id, err := ParseID(w.Hub)
	if err != nil {
		return nil, rest.WithOp(op, azureml.Faults{{Field: "hub_id", Message: err.Error()}})
	}
	r := c.rest.At(rest.ID(id))
	hub, err := rest.Ask[Workspace](ctx, r, &rest.Call{Op: op + ": its hub", Group: "workspaces", Path: r.Path()})
	if errors.Is(err, azureml.ErrForbidden) || errors.Is(err, azureml.ErrUnauthorized) {
		c.rest.Logger().Warn("azureml: the project's hub cannot be read; its region and network access are not taken over", "hub", w.Hub)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	w.Location = hub.Location
	if hub.PublicNetworkAccess != "" {
		w.PublicNetworkAccess = hub.PublicNetworkAccess
	}
	return hub, nil
}

// join makes a project in the group that its hub has for projects.
func (c *WorkspacesClient) join(ctx context.Context, op string, w, hub *Workspace) (*runtime.Poller[*Workspace], error) {
	id, err := ParseID(hub.ID)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	if w.Identity == nil {
		w.Identity = &azureml.ResourceIdentity{Type: azureml.SystemAssigned}
	}
	r := c.rest.At(rest.ID(id))
	project := c.at(w)
	return rest.Begin(ctx, r, &rest.Call{
		Op: op, Method: http.MethodPut, Plane: rest.API, Group: "hubJoin", Path: "/rp/workspaces" + r.Path("join", w.Name), Body: w,
		Result: &rest.Call{Op: op, Group: "workspaces", Path: project.Path()},
	}, decodeWorkspace)
}

// groupLocation is the region of a resource group (ResourceGroups_Get).
func groupLocation(ctx context.Context, r *rest.Client, op string) (string, error) {
	g, err := rest.Ask[struct {
		Location string `json:"location"`
	}](ctx, r, &rest.Call{Op: op + ": its resource group", Group: "deployments", Path: r.GroupPath()})
	if err != nil {
		return "", err
	}
	return g.Location, nil
}

// renew updates a workspace that was to be made and exists.
func (c *WorkspacesClient) renew(ctx context.Context, op string, w, existing *Workspace, o *ProvisionOptions) (*runtime.Poller[*Workspace], error) {
	tags := map[string]*string{}
	for k, v := range existing.Tags {
		tags[k] = v
	}
	for k, v := range w.Tags {
		if k != "createdByToolkit" {
			tags[k] = v
		}
	}
	w.Tags = tags
	if w.Identity == nil {
		w.Identity = existing.Identity
	}
	if w.PrimaryIdentity == "" {
		w.PrimaryIdentity = existing.PrimaryIdentity
	}
	return c.update(ctx, op, w, existing, o)
}
