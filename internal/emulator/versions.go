package emulator

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// apiVersions are those that the resource provider registers, oldest first.
var apiVersions = []string{
	"2018-11-19", "2019-05-01", "2019-06-01", "2019-10-01", "2019-11-01", "2020-01-01", "2020-02-18-preview", "2020-03-01", "2020-04-01", "2020-05-01-preview",
	"2020-05-15-preview", "2020-06-01", "2020-08-01", "2020-09-01-preview", "2021-01-01", "2021-03-01-preview", "2021-04-01", "2021-07-01", "2022-01-01-preview",
	"2022-02-01-preview", "2022-05-01", "2022-06-01-preview", "2022-10-01", "2022-10-01-preview", "2022-12-01-preview", "2023-02-01-preview", "2023-04-01",
	"2023-04-01-preview", "2023-06-01-preview", "2023-08-01-preview", "2023-10-01", "2024-01-01-preview", "2024-04-01", "2024-04-01-preview", "2024-07-01-preview",
	"2024-10-01", "2024-10-01-preview", "2025-01-01-preview", "2025-04-01", "2025-04-01-preview", "2025-06-01", "2025-07-01-preview", "2025-09-01", "2025-10-01-preview",
	"2025-12-01",
}

// frontEndVersions are known besides them behind mferp/managementfrontend.
var frontEndVersions = []string{"2020-09-01-dataplanepreview", "2021-10-01-dataplanepreview"}

// resourcesVersions are those of Microsoft.Resources: groups, deployments, subscriptions.
var resourcesVersions = []string{
	"2016-06-01", "2018-05-01", "2019-05-01", "2019-10-01", "2020-01-01", "2020-06-01", "2020-10-01", "2021-01-01", "2021-04-01", "2022-09-01", "2022-12-01", "2023-07-01",
	"2024-03-01", "2024-07-01", "2024-11-01", "2025-03-01", "2025-04-01",
}

// Oldest api-versions that know a group of kinds.
const (
	sinceWorkspaces = "2018-11-19"
	sinceAssets     = "2021-03-01-preview"
	sinceSchedules  = "2022-06-01-preview"
	sinceRegistries = "2022-10-01-preview"
	sinceFeatures   = "2023-02-01-preview"
	sinceNetwork    = "2023-04-01-preview"
	sinceServerless = "2024-01-01-preview"
	sinceHosts      = "2024-10-01-preview"
	sinceResources  = "resources" // any of resourcesVersions
	sinceAny        = "any"       // other providers, whose versions are not known here: any date
)

// known gives the api-versions of a route.
func known(since string, frontEnd bool) []string {
	switch since {
	case "":
		return nil
	case sinceResources:
		return resourcesVersions
	}
	out := apiVersions[slices.IndexFunc(apiVersions, func(v string) bool { return v >= since }):]
	if frontEnd {
		out = append(slices.Clone(frontEndVersions), out...)
	}
	return out
}

// checkVersion refuses a missing or unknown api-version in ARM's words.
func checkVersion(rt *route, version string, frontEnd bool) error {
	if rt.since == "" {
		return nil
	}
	if version == "" {
		return arm.BadRequest("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	if rt.since == sinceAny {
		if len(version) < 10 || version[4] != '-' || version[7] != '-' {
			return arm.BadRequest("InvalidApiVersionParameter", "The api-version '%s' is invalid.", version)
		}
		return nil
	}
	if all := known(rt.since, frontEnd); !slices.ContainsFunc(all, func(v string) bool { return strings.EqualFold(v, version) }) {
		return arm.BadRequest("NoRegisteredProviderFound", "No registered resource provider found for location '%s' and API version '%s' for type '%s'. The supported api-versions are '%s'.",
			arm.Region, version, rt.kind, strings.Join(all, ", "))
	}
	return nil
}
