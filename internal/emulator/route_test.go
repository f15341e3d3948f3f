package emulator

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write ROUTES.md anew")

func TestTheTableIsDocumented(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, WriteRoutes(&b))
	if *update {
		require.NoError(t, os.WriteFile("ROUTES.md", b.Bytes(), 0o644))
	}
	page, err := os.ReadFile("ROUTES.md")
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(page), "\r\n", "\n"), b.String(), "run: go test ./internal/emulator -run TestTheTable -update")
}

func TestTheTableIsClear(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range newTable().all {
		key := r.method + " " + strings.ToLower(r.pattern)
		require.False(t, seen[key], "twice: %s", key)
		seen[key] = true
		require.NotEmpty(t, r.operation, key)
		require.NotEmpty(t, r.kind, key)
		require.NotNil(t, r.handle, key)
		if r.plane == planeARM {
			require.NotEmpty(t, r.since, key)
		}
		if r.since != "" && r.since != sinceAny {
			require.NotEmpty(t, known(r.since, false), key)
		}
		if r.method == "GET" {
			require.False(t, r.body, key)
		}
	}
}

// TestRoutesOfTheReferenceSDK finds a route for every request that the recordings of azure-ai-ml hold.
func TestRoutesOfTheReferenceSDK(t *testing.T) {
	table := newTable()
	for line := range strings.Lines(`PUT /subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.MachineLearningServices/registries/{registry}
GET {W}
GET {W}/batchEndpoints/{endpoint}
PUT {W}/batchEndpoints/{endpoint}
PUT {W}/batchEndpoints/{endpoint}/deployments/{deployment}
PUT {W}/capabilityHosts/{name}
GET {W}/codes/{name}/versions
GET {W}/codes/{name}/versions/{version}
PUT {W}/codes/{name}/versions/{version}
POST {W}/codes/{name}/versions/{version}/startPendingUpload
GET {W}/components/{name}
GET {W}/components/{name}/versions
PUT {W}/components/{name}/versions/{version}
GET {W}/computes/{name}
PUT {W}/computes/{name}
PUT {W}/connections/{name}
GET {W}/data/{name}
PUT {W}/data/{name}/versions/{version}
GET {W}/datastores/{name}
PUT {W}/datastores/{name}
POST {W}/datastores/{name}/listSecrets
GET {W}/environments/{name}
GET {W}/environments/{name}/versions
PUT {W}/environments/{name}/versions/{version}
PUT {W}/featuresets/{name}/versions/{version}
PUT {W}/featurestoreEntities/{name}/versions/{version}
PUT {W}/jobs/{name}
PUT {W}/marketplaceSubscriptions/{name}
GET {W}/models/{name}
GET {W}/models/{name}/versions
PUT {W}/models/{name}/versions/{version}
POST {W}/models/{name}/versions/{version}/package
GET {W}/onlineEndpoints/{endpoint}
PUT {W}/onlineEndpoints/{endpoint}
GET {W}/onlineEndpoints/{endpoint}/deployments/{deployment}
PUT {W}/onlineEndpoints/{endpoint}/deployments/{deployment}
PUT {W}/schedules/{name}
PUT {W}/serverlessEndpoints/{name}
GET /subscriptions/{sub}/resourcegroups/{rg}
GET /subscriptions/{sub}/resourcegroups/{rg}/deployments/{deployment}/operations
PUT /subscriptions/{sub}/resourcegroups/{rg}/providers/Microsoft.Resources/deployments/{deployment}
`) {
		method, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		path = strings.ReplaceAll(path, "{W}", pW)
		r, _, _ := table.find(planeARM, method, strings.Split(strings.Trim(path, "/"), "/"))
		require.NotNil(t, r, line)
		require.NotEqual(t, "resources", r.kind, line)
	}
}

func TestMatch(t *testing.T) {
	table := newTable()
	r, v, _ := table.find(planeAPI, "POST", strings.Split("genericasset/subscriptions/s/resourceGroups/g/providers/microsoft.machinelearningservices/workspaces/w/indexes/ix:GETNEXTVERSION", "/"))
	require.NotNil(t, r)
	require.Equal(t, "ix", v["name"])
	_, _, methods := table.find(planeARM, "PATCH", strings.Split(strings.Trim(pW, "/")+"/datastores/d", "/"))
	require.ElementsMatch(t, []string{"GET", "PUT", "DELETE"}, methods)
	for _, p := range []string{"a//b", "a/../b", "a/%2e%2E/b", "a/b%5Cc", "a/%00"} {
		_, err := split(p, planeAPI)
		require.Error(t, err, p)
	}
	_, err := split("a%2Fb", planeARM)
	require.Error(t, err)
	parts, err := split("/a%2Fb/c%20d/", planeAPI)
	require.NoError(t, err)
	require.Equal(t, []string{"a/b", "c d"}, parts)
}
