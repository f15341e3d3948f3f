package emulator

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

var trackedFields = []string{"location", "tags", "identity", "sku", "kind"}

var workspaceKind = &kind{
	word: "workspace", envelope: trackedFields, state: true, bare: true, put: styleLocation, patch: styleLocation, del: styleLocation,
	check: checkWorkspace,
	frozen: func(old, doc document) error {
		return same(old, doc, "WorkspacePropertyImmutable", "location", "kind", "properties.storageAccount", "properties.hbiWorkspace")
	},
	before: func(c *call, ch *change) error {
		sc, _ := ch.id.Scope()
		return c.s.ground(c.ctx(), sc)
	},
	stored: func(c *call, tx *sql.Tx, ch *change) error {
		sc, _ := ch.id.Scope()
		return putStores(tx, sc, c.now)
	},
	after: func(c *call, ch *change) {
		if sc, ok := ch.id.Scope(); ok {
			c.s.settled(sc)
		}
	},
	removing: removingWorkspace,
	removed: func(c *call, _ *sql.Tx, id arm.ID) error {
		sc, _ := id.Scope()
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		delete(c.s.workspaces, sc.Key())
		return nil
	},
	filter: workspacesByKind,
}

func workspaceRoutes() []route {
	const typ = "workspaces"
	none := sinceWorkspaces
	rs := []route{
		{plane: planeARM, method: http.MethodGet, pattern: pW, kind: typ, operation: "Workspaces_Get", since: none, run: true, handle: workspaceKind.get},
		{plane: planeARM, method: http.MethodPut, pattern: pW, kind: typ, operation: "Workspaces_CreateOrUpdate", since: none, body: true, lro: styleLocation, handle: workspaceKind.create},
		{plane: planeARM, method: http.MethodPatch, pattern: pW, kind: typ, operation: "Workspaces_Update", since: none, body: true, lro: styleLocation, handle: workspaceKind.update},
		{plane: planeARM, method: http.MethodDelete, pattern: pW, kind: typ, operation: "Workspaces_Delete", since: none, lro: styleLocation, handle: workspaceKind.remove},
		read1(pGP+"/workspaces", typ, "Workspaces_ListByResourceGroup", none, listWorkspaces),
		read1(pRP+"/workspaces", typ, "Workspaces_ListBySubscription", none, listWorkspaces),
		post(pW+"/listKeys", typ, "Workspaces_ListKeys", none, styleNone, workspaceKeys),
		post(pW+"/listStorageAccountKeys", typ, "Workspaces_ListStorageAccountKeys", none, styleNone, storageKeys),
		post(pW+"/resyncKeys", typ, "Workspaces_ResyncKeys", none, styleLocation, func(c *call) error { return c.action(nil) }),
		post(pW+"/diagnose", typ, "Workspaces_Diagnose", none, styleLocation, diagnose),
		post(pW+"/prepareNotebook", typ, "Workspaces_PrepareNotebook", none, styleLocation, noNotebooks),
		post(pW+"/listNotebookAccessToken", typ, "Workspaces_ListNotebookAccessToken", none, styleNone, noNotebooks),
		post(pW+"/listNotebookKeys", typ, "Workspaces_ListNotebookKeys", none, styleNone, noNotebooks),
		read1(pW+"/outboundNetworkDependenciesEndpoints", typ, "Workspaces_ListOutboundNetworkDependenciesEndpoints", none, emptyList),
		read1(pW+"/features", typ+"/features", "WorkspaceFeatures_List", none, emptyList),
		read1(pW+"/privateLinkResources", typ+"/privateLinkResources", "PrivateLinkResources_List", none, emptyList),
		{plane: planeAPI, method: http.MethodPut, pattern: "/rp/workspaces" + pW + "/join/{project}", kind: typ, operation: "Workspaces_Join", body: true, handle: joinHub},
	}
	return rs
}

func emptyList(c *call) error { return c.reply(http.StatusOK, document{"value": []any{}}) }

// guid makes a stable guid of a text.
func guid(text string) string {
	h := sha256.Sum256([]byte(text))
	h[6], h[8] = h[6]&0x0f|0x80, h[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", h[0:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// workspaceDocument completes what the caller said of a workspace with what the service says.
func workspaceDocument(sc arm.Scope, d document) document {
	p := d.props()
	put := func(k string, v any) {
		if p[k] == nil || p[k] == "" {
			p[k] = v
		}
	}
	put("friendlyName", sc.Workspace)
	put("description", "")
	put("storageAccount", storageAccountID(sc))
	put("publicNetworkAccess", "Enabled")
	put("hbiWorkspace", false)
	p["workspaceId"] = sc.WorkspaceID()
	p["discoveryUrl"] = "https://" + arm.APIHost + "/discovery"
	p["mlFlowTrackingUri"] = sc.TrackingURI()
	p["tenantId"] = arm.Tenant
	p["privateLinkCount"] = 0
	p["storageHnsEnabled"] = false
	p["provisioningState"] = "Succeeded"
	if d["kind"] == nil {
		d["kind"] = "Default"
	}
	if d["sku"] == nil {
		d["sku"] = map[string]any{"name": "Basic", "tier": "Basic"}
	}
	tags, ok := d["tags"].(map[string]any)
	if !ok {
		tags = map[string]any{}
		d["tags"] = tags
	}
	// Programs that are built for the workspace's machines are built for this one.
	for k, v := range map[string]string{"goos": runtime.GOOS, "goarch": runtime.GOARCH} {
		if tags[k] == nil {
			tags[k] = v
		}
	}
	identified(d, sc.ID())
	return d
}

// storageAccountID is the workspace's own account: documents may name another, whose data would not be here.
func storageAccountID(sc arm.Scope) string {
	return "/subscriptions/" + sc.Subscription + "/resourceGroups/" + sc.ResourceGroup + "/providers/Microsoft.Storage/storageAccounts/" + sc.Account()
}

// identified gives an identity of the system's assigning its principal, as the service does; SystemAssigned when there is none.
func identified(d document, id string) {
	m := d.object("identity")
	if m == nil {
		m = map[string]any{"type": "SystemAssigned"}
		d["identity"] = m
	}
	if t, _ := m["type"].(string); strings.Contains(strings.ToLower(t), "systemassigned") {
		m["principalId"], m["tenantId"] = guid("principal "+strings.ToLower(id)), arm.Tenant
	}
	if users, ok := m["userAssignedIdentities"].(map[string]any); ok {
		for u := range users {
			users[u] = map[string]any{"principalId": guid("principal " + strings.ToLower(u)), "clientId": guid("client " + strings.ToLower(u))}
		}
	}
}

var workspaceKinds = []string{"Default", "Hub", "Project", "FeatureStore"}

func checkWorkspace(c *call, ch *change) error {
	if ch.old == nil {
		if ch.doc.text("location") == "" {
			return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
		}
		if err := ch.parentsOf(c); err != nil {
			return err
		}
	}
	if ch.doc["kind"] != nil {
		k, err := ch.doc.oneOf("kind", workspaceKinds...)
		if err != nil {
			return err
		}
		if k != "Default" {
			ch.doc["kind"] = strings.ToLower(k)
		}
	}
	if old := ch.old; old != nil && !ch.patch {
		for _, k := range []string{"kind", "sku", "location"} { // a PUT of a workspace that exists keeps what it does not say
			if ch.doc[k] == nil && old[k] != nil {
				ch.doc[k] = old[k]
			}
		}
		for _, k := range []string{"storageAccount", "hbiWorkspace"} {
			if p := ch.doc.props(); p[k] == nil {
				p[k] = old.at("properties", k)
			}
		}
	}
	sc, _ := ch.id.Scope()
	workspaceDocument(sc, ch.doc)
	if hub := ch.doc.text("properties", "hubResourceId"); hub != "" {
		if _, err := c.find(hub, "hub workspace", hub); err != nil {
			return err
		}
	}
	if k := ch.doc.text("kind"); strings.EqualFold(k, "featurestore") && ch.doc.object("properties", "featureStoreSettings") == nil {
		ch.doc.props()["featureStoreSettings"] = map[string]any{"computeRuntime": map[string]any{"sparkRuntimeVersion": "3.4"}}
	}
	return nil
}

// parentsOf refuses a workspace whose project names no hub.
func (ch *change) parentsOf(*call) error {
	if strings.EqualFold(ch.doc.text("kind"), "Project") && ch.doc.text("properties", "hubResourceId") == "" {
		return arm.Invalid("properties.hubResourceId", "A workspace of kind project must name its hub.")
	}
	return nil
}

// same refuses a change of a field, named by its path in dots, that both documents say.
func same(old, doc document, code string, fields ...string) error {
	for _, f := range fields {
		path := strings.Split(f, ".")
		a, b := old.at(path...), doc.at(path...)
		if a == nil || b == nil {
			continue
		}
		x, y := fmt.Sprint(a), fmt.Sprint(b)
		if !strings.EqualFold(x, y) {
			return &arm.Error{Status: http.StatusBadRequest, Code: code, Target: f, Message: fmt.Sprintf("The field %s cannot be changed from %q to %q.", f, x, y)}
		}
	}
	return nil
}

func removingWorkspace(c *call, id arm.ID, _ document) (func(ctx context.Context) error, error) {
	sc, _ := id.Scope()
	if sc.Key() == c.s.opts.Scope.Key() {
		return nil, arm.Conflict("WorkspaceInUse", "The workspace %q is the one that this local workspace was started with; it ends with it.", sc.Workspace)
	}
	return func(ctx context.Context) error { return c.s.clear(ctx, sc) }, nil
}

func listWorkspaces(c *call) error {
	keep, err := workspacesByKind(c)
	if err != nil {
		return err
	}
	prefix := strings.ToLower("/subscriptions/" + c.v["sub"] + "/")
	if rg := c.v["rg"]; rg != "" {
		prefix += strings.ToLower("resourcegroups/" + rg + "/")
	}
	return c.list(listing{typ: typeWorkspace, keep: func(d document) (bool, error) {
		if !strings.HasPrefix(strings.ToLower(d.text("id")), prefix) {
			return false, nil
		}
		if keep == nil {
			return true, nil
		}
		return keep(d)
	}, show: func(d document) (document, error) { return workspaceKind.present(c, d) }})
}

func workspacesByKind(c *call) (func(document) (bool, error), error) {
	kinds := c.query("kind")
	if kinds == "" {
		return nil, nil
	}
	want := map[string]bool{}
	for k := range strings.SplitSeq(kinds, ",") {
		want[strings.ToLower(strings.TrimSpace(k))] = true
	}
	return func(d document) (bool, error) { return want[strings.ToLower(d.text("kind"))], nil }, nil
}

func workspaceKeys(c *call) error {
	key, err := c.s.blobs.Key(c.ctx(), c.sc.Account())
	if err != nil {
		return err
	}
	name := "userStorageResourceId"
	if c.query("api-version") >= "2024-07" {
		name = "userStorageArmId" // newer versions call it so
	}
	return c.reply(http.StatusOK, document{"userStorageKey": key, name: storageAccountID(c.sc), "notebookAccessKeys": map[string]any{}})
}

func storageKeys(c *call) error {
	key, err := c.s.blobs.Key(c.ctx(), c.sc.Account())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"userStorageKey": key})
}

// diagnose finds nothing: there is no network, vault or registry whose state could be told.
func diagnose(c *call) error {
	if _, err := c.document(); err != nil {
		return err
	}
	v := map[string]any{}
	for _, k := range []string{"userDefinedRouteResults", "networkSecurityRuleResults", "resourceLockResults", "dnsResolutionResults", "storageAccountResults", "keyVaultResults", "containerRegistryResults", "applicationInsightsResults", "otherResults"} {
		v[k] = []any{}
	}
	return c.action(document{"value": v})
}

func noNotebooks(*call) error {
	return arm.BadRequest("NotebooksNotSupported", "A local workspace has no notebook service.")
}

func joinHub(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	if body["location"] == nil {
		body["location"] = arm.Region
	}
	body["kind"] = "Project"
	body.props()["hubResourceId"] = c.sc.ID()
	id, err := arm.ParseID(arm.Scope{Subscription: c.sc.Subscription, ResourceGroup: c.sc.ResourceGroup, Workspace: c.v["project"]}.ID())
	if err != nil {
		return err
	}
	return workspaceKind.save(c, id, body, false)
}

// clear ends all that runs in a workspace.
func (s *Server) clear(ctx context.Context, sc arm.Scope) error {
	var docs []*store.Document
	if err := s.db.View(ctx, func(tx *sql.Tx) error {
		endpoints, err := store.List(tx, store.Query{Parent: sc.ID(), Type: typeWorkspace + "/" + arm.OnlineEndpoints})
		if err != nil {
			return err
		}
		for _, e := range endpoints {
			d, err := store.List(tx, store.Query{Parent: e.ID, Type: typeWorkspace + "/" + arm.OnlineEndpoints + "/" + arm.Deployments})
			if err != nil {
				return err
			}
			docs = append(docs, d...)
		}
		jobs, err := store.List(tx, store.Query{Parent: sc.ID(), Type: typeWorkspace + "/" + arm.Jobs})
		docs = append(docs, jobs...)
		return err
	}); err != nil {
		return err
	}
	var errs []error
	for _, d := range docs {
		id, err := arm.ParseID(d.ID)
		if err != nil {
			return err
		}
		if in := id.Inner(); len(in) == 2 {
			s.online.Remove(sc, in[0].Name, in[1].Name)
			continue
		}
		errs = append(errs, s.endJob(ctx, sc, id.Name(), "the workspace is being deleted"))
	}
	return errors.Join(errs...)
}
