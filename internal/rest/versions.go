package rest

import (
	"fmt"
	"maps"
)

// versions is the api-version of each group of operations: what azure-ai-ml 1.35.2 puts on the wire.
// [Options.APIVersions] overrides single groups.
var versions = map[string]string{
	"workspaces":              "2024-10-01-preview",
	"outboundRules":           "2024-10-01-preview",
	"provisionManagedNetwork": "2024-10-01-preview",
	"datastores":              "2024-10-01-preview",
	"registries":              "2022-10-01-preview",
	"connections":             "2024-04-01-preview",
	"capabilityHosts":         "2025-01-01-preview",

	"computes":         "2023-08-01-preview",
	"usages":           "2023-08-01-preview",
	"quotas":           "2023-08-01-preview",
	"vmSizes":          "2023-08-01-preview",
	"enableSso":        "2024-04-01-preview",
	"updateDataMounts": "2021-01-01",
	"dataMounts":       "2024-01-01-preview",

	"models":       "2023-08-01-preview",
	"evaluators":   "2023-08-01-preview",
	"codes":        "2023-04-01",
	"environments": "2023-04-01-preview",
	"data":         "2023-04-01-preview",
	"components":   "2024-01-01-preview",

	"featuresets":          "2023-10-01",
	"featurestoreEntities": "2023-10-01",
	"features":             "2023-10-01",
	"featureJobs":          "2023-08-01-preview",
	"onlineEndpoints":      "2022-02-01-preview",
	"onlineDeployments":    "2023-04-01-preview",
	"batchEndpoints":       "2023-10-01",
	"batchDeployments":     "2024-01-01-preview",
	"batchPipelines":       "2023-02-01-preview", // deployments of a pipeline component
	"batchJobs":            "2020-09-01-dataplanepreview",
	"serverlessEndpoints":  "2024-01-01-preview",
	"marketplace":          "2024-01-01-preview",
	"jobs":                 "2024-01-01-preview", // get, list; put of pipeline, AutoML and sweep jobs
	"commandJobs":          "2025-01-01-preview",
	"fineTuningJobs":       "2024-10-01-preview",
	"otherJobs":            "2023-04-01-preview", // put of spark and other jobs; cancel, delete
	"schedules":            "2023-06-01-preview",
	"scheduleTrigger":      "2024-01-01-preview",
	"registryAssets":       "2021-10-01-dataplanepreview",
	"deployments":          "2020-06-01", // ARM template deployments, resource groups
	"hubJoin":              "2023-06-01-preview",
	"runHistory":           "v1.0",
	"registryDiscovery":    "v1.0",
	"indexes":              "2024-04-01-preview",
	"deploymentTemplates":  "2026-05-01-preview",
	"privateEndpoints":     "2024-10-01-preview",
	"scoring":              "", // scoring URIs, MLflow and the services whose path carries the version take none
	"mlflow":               "",
	"dataplane":            "",
}

// APIVersion is the api-version that calls of the group carry, "" if they carry none.
func (c *Client) APIVersion(group string) (string, error) {
	v, ok := c.versions[group]
	if !ok {
		return "", fmt.Errorf("no api-version is known for the group %q", group)
	}
	return v, nil
}

func versionTable(all string, own map[string]string) (map[string]string, error) {
	t := maps.Clone(versions)
	if all != "" {
		for g, v := range t {
			switch {
			case v == "", g == "runHistory", g == "registryDiscovery":
			default:
				t[g] = all
			}
		}
	}
	for g, v := range own {
		if _, ok := t[g]; !ok {
			return nil, fmt.Errorf("rest: Options.APIVersions: unknown group %q", g)
		}
		t[g] = v
	}
	return t, nil
}
