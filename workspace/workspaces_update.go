package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/google/uuid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// patched are the properties that an update can change.
var patched = []string{
	"description", "friendlyName", "publicNetworkAccess", "systemDatastoresAuthMode", "imageBuildCompute", "primaryUserAssignedIdentity", "managedNetwork",
	"featureStoreSettings", "serverlessComputeSettings", "containerRegistry", "applicationInsights", "allowRoleAssignmentOnRG", "networkAcls",
}

// refusedTags are tags of old workspaces that the service does not take back.
var refusedTags = []string{"AttachKeyVaultToWorkspace", "AttachAppInsightsToWorkspace"}

// BeginUpdate changes a workspace (Workspaces_Get, Workspaces_Update): what w says of tags, identity, description, display
// name, network, serverless compute, the cluster that builds images, how datastores are opened, the stores of a feature
// store, and the address of the customer's key. Fields that are empty stay as they are. Another container registry or other
// Application Insights need ProvisionOptions.ChangeDependents. w is not changed.
func (c *WorkspacesClient) BeginUpdate(ctx context.Context, w *Workspace, o *ProvisionOptions) (*runtime.Poller[*Workspace], error) {
	if w == nil {
		return nil, errors.New("workspace: update: the workspace is nil")
	}
	if o == nil {
		o = &ProvisionOptions{}
	}
	op := fmt.Sprintf("workspace: update %q", w.Name)
	r := c.at(w)
	if o.ResumeToken != "" {
		return rest.Begin(ctx, r, &rest.Call{Op: op, Method: http.MethodPatch, Group: "workspaces", Path: r.Path(), ResumeToken: o.ResumeToken}, decodeWorkspace)
	}
	existing, err := rest.Ask[Workspace](ctx, r, &rest.Call{Op: op, Group: "workspaces", Path: r.Path()})
	if err != nil {
		return nil, err
	}
	sent := *w
	return c.update(ctx, op, &sent, existing, o)
}

func (c *WorkspacesClient) update(ctx context.Context, op string, w, existing *Workspace, o *ProvisionOptions) (*runtime.Poller[*Workspace], error) {
	if err := w.faults().Err(); err != nil {
		return nil, rest.WithOp(op, err)
	}
	var f azureml.Faults
	for _, d := range []struct{ field, now, was, what string }{
		{"container_registry", w.ContainerRegistry, existing.ContainerRegistry, "earlier jobs may not run again"},
		{"application_insights", w.ApplicationInsights, existing.ApplicationInsights, "what deployments wrote is not found any more"},
	} {
		if d.now != "" && !strings.EqualFold(d.now, d.was) && !o.ChangeDependents {
			f = append(f, &azureml.Fault{Field: d.field, Message: "another one is given than the workspace has: " + d.what + "; confirm it by ProvisionOptions.ChangeDependents"})
		}
	}
	if err := f.Err(); err != nil {
		return nil, rest.WithOp(op, err)
	}
	body, err := patchOf(w, existing)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	r := c.at(w)
	if existing.Kind == FeatureStoreKind {
		if err := c.updateStores(ctx, op, r, w, existing, body, o); err != nil {
			return nil, err
		}
	}
	return rest.Begin(ctx, r, &rest.Call{Op: op, Method: http.MethodPatch, Group: "workspaces", Path: r.Path(), Body: body, Idempotent: true}, decodeWorkspace)
}

// patchOf is the body of an update.
func patchOf(w, existing *Workspace) (map[string]any, error) {
	told := *w
	if n := w.ManagedNetwork; n != nil {
		own := *n
		own.Rules = n.Rules.own()
		told.ManagedNetwork = &own
	}
	all, err := wire.ToREST(&told)
	if err != nil {
		return nil, err
	}
	body, props := map[string]any{}, map[string]any{}
	have, _ := all["properties"].(map[string]any) // absent when nothing is said
	for _, key := range patched {
		if v, ok := have[key]; ok {
			props[key] = v
		}
	}
	if k := w.CustomerKey; k != nil && k.KeyURI != "" {
		props["encryption"] = map[string]any{"keyVaultProperties": map[string]any{"keyIdentifier": k.KeyURI}}
	}
	if w.PublicNetworkAccess == Disabled || w.PublicNetworkAccess == "" && existing.PublicNetworkAccess == Disabled {
		props["networkAcls"] = map[string]any{"defaultAction": string(Allow)} // rules are for public access
	}
	if tags, ok := all["tags"].(map[string]any); ok {
		tags = maps.Clone(tags)
		for _, t := range refusedTags {
			delete(tags, t)
		}
		body["tags"] = tags
	}
	if identity, ok := all["identity"].(map[string]any); ok {
		body["identity"] = withoutOld(identity, existing.Identity)
	}
	if len(props) > 0 {
		body["properties"] = props
	}
	return body, nil
}

// withoutOld takes the identities off that a workspace has and is to lose: the service wants them as null.
func withoutOld(identity map[string]any, old *azureml.ResourceIdentity) map[string]any {
	if old == nil || len(old.UserAssigned) == 0 {
		return identity
	}
	out := maps.Clone(identity)
	users := map[string]any{}
	if have, ok := identity["userAssignedIdentities"].(map[string]any); ok {
		users = maps.Clone(have)
	}
	for _, u := range old.UserAssigned {
		kept := false
		for id := range users {
			kept = kept || strings.EqualFold(id, u.ResourceID)
		}
		if !kept {
			users[u.ResourceID] = nil
		}
	}
	out["userAssignedIdentities"] = users
	return out
}

// updateStores gives a feature store connections to other stores, and its identity the roles for them.
func (c *WorkspacesClient) updateStores(ctx context.Context, op string, r *rest.Client, w, existing *Workspace, body map[string]any, o *ProvisionOptions) error {
	identity := w.MaterializationIdentity
	changed := identity != nil
	if existing.Identity != nil && len(existing.Identity.UserAssigned) > 0 {
		u := existing.Identity.UserAssigned[0]
		changed = changed && !strings.EqualFold(identity.ResourceID, u.ResourceID)
		if identity == nil {
			identity = &MaterializationIdentity{ResourceID: u.ResourceID, ClientID: u.ClientID, PrincipalID: u.PrincipalID}
		}
	}
	connections := &ConnectionsClient{rest: r}
	settings := settingsOf(body)
	suffix := hexadecimal(uuid.New())[:8]
	granting := newProvisioning(w, r.ID().Subscription, r.ID().ResourceGroup, true)
	for _, s := range []struct {
		store            *MaterializationStore
		field, had       string
		prefix, property string
		what, role       string
	}{
		{w.OfflineStore, "offline_store", existing.OfflineConnection, offlineConnection, "offlineStoreConnectionName", "offline-store", blobContributor},
		{w.OnlineStore, "online_store", existing.OnlineConnection, onlineConnection, "onlineStoreConnectionName", "online-store", contributor},
	} {
		target, was := "", ""
		if s.had != "" {
			old, err := connections.Get(ctx, s.had)
			if err != nil {
				return rest.WithOp(op, err)
			}
			was = old.Target
			settings[s.property] = s.had
		}
		if target = was; s.store != nil {
			target = s.store.Target
		}
		if s.store != nil && identity == nil {
			return rest.WithOp(op, azureml.Faults{{Field: s.field, Message: "needs a materialization_identity"}})
		}
		if s.store != nil && !strings.EqualFold(target, was) {
			n := storeConnection(s.prefix, suffix, s.store, identity)
			if _, err := connections.Create(ctx, n); err != nil {
				return rest.WithOp(op, err)
			}
			settings[s.property] = n.Name
		}
		if target != "" && identity != nil && (changed || !strings.EqualFold(target, was)) && resourceID.MatchString(target) {
			granting.role(s.what, identity.ResourceID, target, s.role, nil)
		}
	}
	if w.Runtime.SparkVersion == "" && existing.Runtime.SparkVersion != "" {
		settings["computeRuntime"] = map[string]any{"sparkRuntimeVersion": existing.Runtime.SparkVersion}
	}
	if identity == nil {
		return nil
	}
	body["identity"] = withoutOld(map[string]any{
		"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map[string]any{identity.ResourceID: map[string]any{}},
	}, existing.Identity)
	if changed {
		granting.role("workspace", identity.ResourceID, r.Path(), dataScientist, nil)
	}
	if o.NoRoles || len(granting.resources) == 0 {
		return nil
	}
	p, err := rest.Begin(ctx, r, &rest.Call{
		Op: op + ": roles", Method: http.MethodPut, Group: "deployments", Path: r.GroupPath("providers", "Microsoft.Resources", "deployments", deploymentName(w.Name)),
		Body: escaped(deploymentOf(granting.resources)),
	}, rest.Nothing)
	if err != nil {
		return err
	}
	_, err = p.PollUntilDone(ctx, nil)
	return err
}
