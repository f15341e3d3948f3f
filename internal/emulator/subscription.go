package emulator

import (
	"database/sql"
	"errors"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

func subscriptionRoutes() []route {
	get := func(pattern, typ, op string, h func(*call) error) route {
		return read1(pattern, typ, op, sinceResources, h)
	}
	return []route{
		{plane: planeARM, method: http.MethodGet, pattern: "/metadata/endpoints", kind: "metadata", operation: "Metadata_Endpoints", since: sinceAny, open: true, handle: metadata},
		get("/subscriptions", "subscriptions", "Subscriptions_List", listSubscriptions),
		get(pSub, "subscriptions", "Subscriptions_Get", func(c *call) error { return c.reply(http.StatusOK, subscription(c.v["sub"])) }),
		get(pSub+"/resourcegroups", "resourceGroups", "ResourceGroups_List", listGroups),
		get(pRG, "resourceGroups", "ResourceGroups_Get", func(c *call) error { return c.group(http.StatusOK) }),
		{plane: planeARM, method: http.MethodPut, pattern: pRG, kind: "resourceGroups", operation: "ResourceGroups_CreateOrUpdate", since: sinceResources, body: true, handle: putGroup},
		get("/subscriptions/{sub}/providers/{namespace}", "providers", "Providers_Get", func(c *call) error {
			return c.reply(http.StatusOK, document{"id": c.path(), "namespace": c.v["namespace"], "registrationState": "Registered", "resourceTypes": []any{}})
		}),
		read1("/providers/"+arm.Provider+"/operations", "operations", "Operations_List", sinceWorkspaces, listOperations),
		{plane: planeARM, method: http.MethodPut, pattern: pRG + "/providers/Microsoft.Resources/deployments/{deployment}", kind: "deployments", operation: "Deployments_CreateOrUpdate", since: sinceResources, body: true, lro: styleAsync, handle: putTemplate},
		get(pRG+"/providers/Microsoft.Resources/deployments/{deployment}", "deployments", "Deployments_Get", getTemplate),
		get(pRG+"/deployments/{deployment}/operations", "deployments/operations", "DeploymentOperations_List", templateOperations),
		get(pRG+"/providers/Microsoft.Resources/deployments/{deployment}/operations", "deployments/operations", "DeploymentOperations_List", templateOperations),
		{plane: planeARM, method: http.MethodGet, pattern: pRG + "/providers/{namespace}/{type}/{resource}", kind: "resources", operation: "Resources_Get", since: sinceAny, handle: getForeign},
		{plane: planeARM, method: http.MethodDelete, pattern: pRG + "/providers/{namespace}/{type}/{resource}", kind: "resources", operation: "Resources_Delete", since: sinceAny, handle: deleteForeign},
		read1(pRP+"/virtualclusters", "virtualclusters", "VirtualClusters_List", sinceAny, emptyList),
	}
}

// metadata is the list of clouds: this one, under Azure's name.
func metadata(c *call) error {
	return c.reply(http.StatusOK, []any{document{
		"name": "AzureCloud", "portal": "https://portal.azure.com", "resourceManager": "https://" + arm.ARMHost + "/",
		"authentication": map[string]any{"loginEndpoint": "https://login.microsoftonline.com/", "audiences": []any{"https://management.core.windows.net/", "https://management.azure.com/"}, "tenant": "common", "identityProvider": "AAD"},
		"suffixes":       map[string]any{"storage": arm.StorageSuffix, "acrLoginServer": "azurecr.io", "keyVaultDns": "vault.azure.net"},
	}})
}

func subscription(id string) document {
	return document{"id": "/subscriptions/" + id, "subscriptionId": id, "displayName": "local", "state": "Enabled", "tenantId": arm.Tenant}
}

func listSubscriptions(c *call) error {
	seen := map[string]bool{}
	value := []any{}
	c.s.mu.Lock()
	for _, sc := range c.s.workspaces {
		if !seen[strings.ToLower(sc.Subscription)] {
			seen[strings.ToLower(sc.Subscription)] = true
			value = append(value, subscription(sc.Subscription))
		}
	}
	c.s.mu.Unlock()
	return c.reply(http.StatusOK, document{"value": value})
}

const typeGroup = "Microsoft.Resources/resourceGroups"

func groupAt(sub, name string) string { return "/subscriptions/" + sub + "/resourceGroups/" + name }

// group answers a resource group. Any is there: a local workspace does not keep who made it.
func (c *call) group(status int) error {
	d, err := c.s.get(c.ctx(), groupAt(c.v["sub"], c.v["rg"]))
	if errors.Is(err, store.ErrNotFound) {
		d = document{"location": arm.Region, "tags": map[string]any{}}
	} else if err != nil {
		return err
	}
	d["id"], d["name"], d["type"] = groupAt(c.v["sub"], c.v["rg"]), c.v["rg"], typeGroup
	d.props()["provisioningState"] = "Succeeded"
	return c.reply(status, d)
}

func putGroup(c *call) error {
	d, err := c.document()
	if err != nil {
		return err
	}
	if d.text("location") == "" {
		return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	d.only("location", "tags")
	b, err := encode(d)
	if err != nil {
		return err
	}
	created := false
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		created, err = store.Put(tx, &store.Document{ID: groupAt(c.v["sub"], c.v["rg"]), Type: typeGroup, Parent: "/subscriptions/" + c.v["sub"], Body: b})
		return err
	}); err != nil {
		return err
	}
	if created {
		return c.group(http.StatusCreated)
	}
	return c.group(http.StatusOK)
}

func listGroups(c *call) error {
	seen := map[string]bool{}
	value := []any{}
	add := func(name, location string) {
		if !seen[strings.ToLower(name)] {
			seen[strings.ToLower(name)] = true
			value = append(value, document{"id": groupAt(c.v["sub"], name), "name": name, "type": typeGroup, "location": location, "properties": map[string]any{"provisioningState": "Succeeded"}})
		}
	}
	if err := c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Parent: "/subscriptions/" + c.v["sub"], Type: typeGroup})
		if err != nil {
			return err
		}
		for _, sd := range all {
			d, err := read(sd)
			if err != nil {
				return err
			}
			add(sd.ID[strings.LastIndexByte(sd.ID, '/')+1:], d.text("location"))
		}
		return nil
	}); err != nil {
		return err
	}
	c.s.mu.Lock()
	for _, sc := range c.s.workspaces {
		if strings.EqualFold(sc.Subscription, c.v["sub"]) {
			add(sc.ResourceGroup, arm.Region)
		}
	}
	c.s.mu.Unlock()
	return c.reply(http.StatusOK, document{"value": value})
}

func listOperations(c *call) error {
	value := []any{}
	for _, r := range c.s.table.routes() {
		value = append(value, document{"name": arm.Provider + "/" + r.Kind + "/" + r.Method, "display": map[string]any{"provider": "Microsoft Machine Learning Services", "resource": r.Kind, "operation": r.Operation, "description": r.Method + " " + r.Path}, "isDataAction": false})
	}
	return c.slice("value", value)
}

// getForeign answers for resources of other providers that templates name: they are not there, and only what a workspace is made of is said to be.
func getForeign(c *call) error {
	if !strings.EqualFold(c.v["namespace"], "Microsoft.Storage") || !strings.EqualFold(c.v["type"], "storageAccounts") || !c.s.hasAccount(c.v["resource"]) {
		return arm.NotFound("resource", c.path())
	}
	return c.reply(http.StatusOK, document{
		"id": c.path(), "name": c.v["resource"], "type": "Microsoft.Storage/storageAccounts", "location": arm.Region, "kind": "StorageV2", "sku": map[string]any{"name": "Standard_LRS", "tier": "Standard"},
		"properties": map[string]any{"provisioningState": "Succeeded", "isHnsEnabled": false, "primaryEndpoints": map[string]any{"blob": "https://" + c.v["resource"] + "." + arm.BlobSuffix + "/"}},
	})
}

// deleteForeign has nothing to delete: resources of other providers do not exist here.
func deleteForeign(c *call) error {
	if strings.EqualFold(c.v["namespace"], arm.Provider) {
		return arm.NotFound("resource type", c.v["type"])
	}
	return c.empty(http.StatusNoContent)
}

// fold takes case and separators off a word.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}
