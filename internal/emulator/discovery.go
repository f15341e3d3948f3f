package emulator

import (
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func discoveryRoutes() []route {
	return []route{
		{plane: planeAPI, method: http.MethodGet, pattern: "/discovery", kind: "discovery", operation: "Discovery_Get", open: true, handle: discover},
		{plane: planeAPI, method: http.MethodGet, pattern: "/discovery/workspaces/{guid}", kind: "discovery", operation: "Discovery_GetWorkspace", open: true, handle: discover},
		{plane: planeAPI, method: http.MethodGet, pattern: "/discovery/v1.0" + pW, kind: "discovery", operation: "Discovery_GetWorkspace", open: true, handle: discover},
		{plane: planeAPI, method: http.MethodGet, pattern: "/registrymanagement/v1.0/registries/{registry}/discovery", kind: "registries", operation: "RegistryManagementNonWorkspace_RegistryManagementNonWorkspace", run: true, handle: discoverRegistry},
	}
}

// discover says where the services are: all at one address. It needs no token, as in Azure, and tells nothing else.
func discover(c *call) error {
	api := "https://" + arm.APIHost
	out := document{}
	for _, k := range []string{"api", "catalog", "experimentation", "gallery", "history", "hyperdrive", "labeling", "modelmanagement", "pipelines"} {
		out[k] = api
	}
	out["studio"] = "https://" + arm.StudioHost
	out["local"] = api + "/local" // what no Azure has: see reuse.go
	return c.reply(http.StatusOK, out)
}

func discoverRegistry(c *call) error {
	at, err := c.s.registryID(c.ctx(), c.v["registry"])
	if err != nil {
		return err
	}
	id, err := arm.ParseID(at)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{
		"registryName": id.Name(), "tenantId": arm.Tenant, "primaryRegion": arm.Region, "regions": []any{arm.Region}, "subscriptionId": id.Subscription, "resourceGroup": id.ResourceGroup,
		"workspaceName": nil, "primaryRegionResourceProviderUri": "https://" + arm.RegistryHost + "/",
	})
}

// cutTracking takes the prefix /mlflow/v1.0 or v2.0 and the scope off an escaped path: what is left is a path of MLflow's own server.
func cutTracking(escaped string) (arm.ID, string, bool) {
	p := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	if len(p) < 3 || !strings.EqualFold(p[0], "mlflow") || p[1] != "v1.0" && p[1] != "v2.0" {
		return arm.ID{}, "", false
	}
	for i, x := range p {
		if i > 2 && (strings.EqualFold(p[i-1], arm.Workspaces) || strings.EqualFold(p[i-1], arm.Registries)) && x != "" {
			id, err := arm.ParseID("/" + strings.Join(p[2:i+1], "/"))
			return id, "/" + strings.Join(p[i+1:], "/"), err == nil
		}
	}
	return arm.ID{}, "", false
}
