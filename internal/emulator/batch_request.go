package emulator

import (
	"regexp"
	"strings"
)

// The endpoint's service reads names without regard to case: the REST examples of
// its documentation write InputData, JobInputType and Uri.
var (
	batchFields = []string{
		"name", "description", "displayName", "tags", "properties", "inputData", "outputData", "compute", "retrySettings", "errorThreshold", "miniBatchSize", "outputFileName",
		"dataset", "outputDataset", "loggingLevel", "maxConcurrencyPerInstance",
	}
	batchPortFields = []string{"jobInputType", "jobOutputType", "uri", "value", "mode"}
	batchParts      = map[string][]string{
		"compute": {"instanceCount", "instanceType", "target", "isLocal", "location", "properties"}, "retrySettings": {"maxRetries", "timeout"},
		"outputDataset": {"datastoreId", "path"}, "properties": {"experimentName", "displayName"},
	}
)

// named gives the known names of an object their own spelling.
func named(m map[string]any, names []string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		for _, n := range names {
			if strings.EqualFold(k, n) {
				k = n
				break
			}
		}
		out[k] = v
	}
	return out
}

// batchRequestOf is an invocation's properties, in the spelling of the service.
func batchRequestOf(p map[string]any) map[string]any {
	p = named(p, batchFields)
	for k, names := range batchParts {
		if m, ok := p[k].(map[string]any); ok {
			p[k] = named(m, names)
		}
	}
	for _, k := range []string{"inputData", "outputData"} {
		ports, ok := p[k].(map[string]any)
		if !ok {
			continue
		}
		all := make(map[string]any, len(ports))
		for name, v := range ports {
			if one, ok := v.(map[string]any); ok {
				one = named(one, batchPortFields)
				if uri, ok := one["uri"].(string); ok {
					one["uri"] = datastorePath(uri)
				}
				v = one
			}
			all[name] = v
		}
		p[k] = all
	}
	return p
}

var belowDatastore = regexp.MustCompile(`(?i)^(?:azureml:)?(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+/datastores/[^/]+/paths/.*)$`)

// datastorePath turns a path below a datastore's id, which batch endpoints take, into
// an address.
func datastorePath(uri string) string {
	if m := belowDatastore.FindStringSubmatch(uri); m != nil {
		return "azureml:/" + m[1]
	}
	return uri
}
