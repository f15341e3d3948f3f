package arm

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// CuratedRegistry is the registry of Microsoft's own environments.
const CuratedRegistry = "azureml"

// CuratedRegistryID is where its assets are addressed.
const CuratedRegistryID = "/subscriptions/00000000-0000-0000-0000-00000000a2e3/resourceGroups/azureml-rg-azureml/providers/" + Provider + "/" + Registries + "/" + CuratedRegistry

const curatedVersion = "1"

// curatedNames are environments that a workspace of Azure lists without anybody having made them; old ones begin with AzureML-.
var curatedNames = []string{
	"acft-hf-nlp-gpu",
	"acpt-pytorch-2.2-cuda12.1",
	"acpt-pytorch-2.8-cuda12.6",
	"ai-ml-automl",
	"ai-ml-automl-dnn",
	"automl-gpu",
	"lightgbm-3.3",
	"minimal-py311-inference",
	"minimal-py312-inference",
	"model-management",
	"python-sdk-v2",
	"responsibleai-tabular",
	"sklearn-1.1",
	"sklearn-1.5",
	"tensorflow-2.16-cuda12",
}

// Curated gives the names that List of a workspace's environments adds.
func Curated() []string { return slices.Clone(curatedNames) }

// IsCurated says whether a workspace knows the environment without anybody having made it.
func IsCurated(name string) bool {
	return slices.ContainsFunc(curatedNames, func(n string) bool { return strings.EqualFold(n, name) }) || strings.HasPrefix(strings.ToLower(name), "azureml-")
}

// CuratedDocument is one version of a curated environment. Its image is a name only: a local workspace runs it on the host.
func CuratedDocument(container, name, version string) *store.Document {
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	id := container + "/" + Versions + "/" + version
	body, err := json.Marshal(map[string]any{
		"id": id, "name": version, "type": Provider + "/workspaces/environments/versions",
		"systemData": map[string]any{
			"createdAt": at.Format(time.RFC3339), "createdBy": "Microsoft", "createdByType": "User",
			"lastModifiedAt": at.Format(time.RFC3339), "lastModifiedBy": "Microsoft", "lastModifiedByType": "User",
		},
		"properties": map[string]any{
			"environmentType": "Curated", "image": "mcr.microsoft.com/azureml/curated/" + strings.ToLower(name) + ":" + version, "osType": "Linux",
			"isAnonymous": false, "isArchived": false, "tags": map[string]any{}, "properties": map[string]any{}, "provisioningState": "Succeeded",
		},
	})
	if err != nil {
		panic(err) // maps of strings and booleans
	}
	return &store.Document{ID: id, Type: Provider + "/workspaces/environments/versions", Parent: container, Body: body, ETag: `"curated"`, Created: at, Modified: at}
}
