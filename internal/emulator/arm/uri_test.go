package arm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseURI(t *testing.T) {
	w := Scope{"s", "g", "w"}
	for in, want := range map[string]URI{
		"azureml:iris:1":                                {Kind: URIAsset, Name: "iris", Version: "1"},
		"azureml:iris:a:b":                              {Kind: URIAsset, Name: "iris", Version: "a:b"},
		"azureml:iris@latest":                           {Kind: URIAsset, Name: "iris", Label: "latest"},
		"azureml:cpu-cluster":                           {Kind: URIAsset, Name: "cpu-cluster"},
		"azureml://datastores/d/paths/a/b/":             {Kind: URIDatastore, Datastore: "d", Path: "a/b/"},
		"azureml://datastores/d/ExperimentRun/dcid.x/y": {Kind: URIDatastore, Datastore: "d", Path: "ExperimentRun/dcid.x/y"},
		"azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a": {Kind: URIDatastore, Scope: w, Datastore: "d", Path: "a"},
		"azureml://jobs/j/outputs/o":                                                                                              {Kind: URIJobOutput, Job: "j", Output: "o"},
		"azureml://jobs/j/outputs/o/paths/model/":                                                                                 {Kind: URIJobOutput, Job: "j", Output: "o", Path: "model/"},
		"azureml://registries/azureml/environments/e/labels/latest":                                                               {Kind: URIAsset, Registry: "azureml", Collection: Environments, Name: "e", Label: "latest"},
		"azureml://registries/r/models/m/versions/3":                                                                              {Kind: URIAsset, Registry: "r", Collection: Models, Name: "m", Version: "3"},
		"azureml://locations/eastus/workspaces/GUID/data/d/versions/1":                                                            {Kind: URIAsset, GUID: "GUID", Collection: Data, Name: "d", Version: "1"},
		"azureml://subscriptions/s/resourcegroups/g/workspaces/w/models/m/versions/1":                                             {Kind: URIAsset, Scope: w, Collection: Models, Name: "m", Version: "1"},
		"azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/d/versions/1":    {Kind: URIAsset, Scope: w, Collection: Data, Name: "d", Version: "1"},
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/environments/e/labels/latest": {Kind: URIAsset, Scope: w, Collection: Environments, Name: "e", Label: "latest"},
		"runs:/r/model": {Kind: URIRun, Job: "r", Path: "model"},
		"azureml://artifacts/ExperimentRun/dcid.r/out/m": {Kind: URIRun, Job: "r", Path: "out/m"},
		"azureml://artifacts/LocalUpload/c/m":            {Kind: URIArtifact, Container: "LocalUpload", Path: "c/m"},
		"https://a.blob.core.windows.net/c/p/q":          {Kind: URIBlob, Account: "a", Container: "c", Path: "p/q", URL: "https://a.blob.core.windows.net/c/p/q"},
		"wasbs://c@a.blob.core.windows.net/p":            {Kind: URIBlob, Account: "a", Container: "c", Path: "p"},
		"https://example.com/x.csv":                      {Kind: URIWeb, URL: "https://example.com/x.csv"},
	} {
		got, err := ParseURI(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for _, bad := range []string{"", "iris", "./data", "azureml:", "azureml:a:", "azureml:a@", "azureml://", "azureml://datastores", "azureml://jobs/j", "azureml://models/m/other/1", "azureml://models/m/versions/", "runs:/", "https://", "azureml:/subscriptions/s"} {
		_, err := ParseURI(bad)
		require.Error(t, err, bad)
	}
}

func FuzzParseURI(f *testing.F) {
	for _, s := range []string{"azureml:a:1", "azureml://datastores/d/paths/p", "azureml://jobs/j/outputs/o/paths/p", "azureml://registries/r/models/m/versions/1", "runs:/r/p", "wasbs://c@a.blob.core.windows.net/p", "https://a.blob.core.windows.net/c", "azureml://artifacts/ExperimentRun/dcid.r/p"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err == nil {
			require.NotEqual(t, URIUnknown, u.Kind)
		}
	})
}
