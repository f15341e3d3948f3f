package emulator

import (
	"regexp"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// rule is what a collection's names must be, as a pattern and in words.
type rule struct {
	pattern *regexp.Regexp
	words   string
}

var (
	assetName    = rule{regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.\-]{0,254}$`), "1 to 255 letters, digits, '-', '_' or '.', beginning with a letter or digit"}
	versionName  = rule{regexp.MustCompile(`^[a-zA-Z0-9_.\-]{1,255}$`), "1 to 255 letters, digits, '-', '_' or '.'"}
	endpointName = rule{regexp.MustCompile(`^[a-zA-Z](?:[a-zA-Z0-9\-]{1,30}[a-zA-Z0-9])$`), "3 to 32 letters, digits or '-', beginning with a letter and ending with a letter or digit"}
	shortName    = rule{regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_\-]{2,32}$`), "3 to 33 letters, digits, '-' or '_', beginning with a letter or digit"}
	looseName    = rule{regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.\- ]{0,254}$`), "1 to 255 letters, digits, '-', '_', '.' or blanks"}
)

var nameRules = map[string]rule{
	arm.Workspaces:               {regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_\-]{1,32}$`), "2 to 33 letters, digits, '-' or '_', beginning with a letter or digit"},
	arm.Registries:               shortName,
	arm.Computes:                 {regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9\-]{1,31}$`), "2 to 32 letters, digits or '-', beginning with a letter"},
	arm.Datastores:               {regexp.MustCompile(`^[a-zA-Z0-9_]{1,255}$`), "1 to 255 letters, digits or '_'"},
	arm.Jobs:                     {regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_\-.]{0,254}$`), "1 to 255 letters, digits, '-', '_' or '.', beginning with a letter or digit"},
	arm.Schedules:                assetName,
	arm.Codes:                    assetName,
	arm.Data:                     assetName,
	arm.Models:                   assetName,
	arm.Environments:             assetName,
	arm.Components:               assetName,
	arm.Featuresets:              assetName,
	arm.FeatureEntities:          assetName,
	arm.Versions:                 versionName,
	arm.OnlineEndpoints:          endpointName,
	arm.BatchEndpoints:           endpointName,
	arm.Deployments:              endpointName,
	"serverlessEndpoints":        {regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9\-]{1,51}$`), "2 to 52 letters, digits or '-', beginning with a letter"},
	"marketplaceSubscriptions":   looseName,
	"connections":                looseName,
	"capabilityHosts":            looseName,
	"outboundRules":              looseName,
	"privateEndpointConnections": looseName,
}

// nameOf refuses a name that breaks its collection's rule.
func nameOf(collection, name string) error {
	r, ok := nameRules[collection]
	if !ok {
		r = looseName
	}
	if r.pattern.MatchString(name) && name != "." && name != ".." {
		return nil
	}
	return arm.Invalid("name", "The name %q is not valid for %s: %s.", name, collection, r.words)
}
