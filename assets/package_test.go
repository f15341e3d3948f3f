package assets

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func TestPackageKind(t *testing.T) {
	wiretest.Kind[ModelPackage](t, wiretest.Value(func(t *rapid.T) PackageTarget {
		return PackageTarget(rapid.SampledFrom([]string{"env", "azureml:env:1"}).Draw(t, "target"))
	}))
}

// The body is the one that the reference SDK was recorded to send, but for the ids and for values that are no text.
func TestPackageBody(t *testing.T) {
	p := &ModelPackage{}
	require.NoError(t, wire.LoadYAML([]byte(`
base_environment_source: {type: environment_asset, resource_id: "azureml://registries/azureml/environments/x/versions/3"}
target_environment: azureml:env_x:5
inferencing_server:
  type: custom
  inference_configuration: {entry_script: x.py, configuration: {a: b}}
model_configuration: {mode: Download, mount_path: /x}
inputs:
- {type: uri_folder, mode: read_only_mount, mount_path: /m, path: {input_path_type: path_id, resource_id: "azureml:/subscriptions/x"}}
- {type: uri_file, mode: download, path: {input_path_type: url, url: "https://x/y"}}
- {type: uri_file, path: {resource_name: n, resource_version: "1"}}
tags: {a: 1}
environment_variables: {X: 1}`), "p.yml", p, nil))
	require.JSONEq(t, `{"baseEnvironmentSource":{"baseEnvironmentSourceType":"environment_asset","resourceId":"azureml://registries/azureml/environments/x/versions/3"},
		"environmentVariables":{"X":"1"},"inferencingServer":{"inferenceConfiguration":{"entryScript":"x.py"},"serverType":"Custom"},
		"inputs":[{"inputType":"UriFolder","mode":"ReadOnlyMount","mountPath":"/m","path":{"inputPathType":"PathId","resourceId":"azureml:/subscriptions/x"}},
		{"inputType":"UriFile","mode":"Download","path":{"inputPathType":"Url","url":"https://x/y"}},
		{"inputType":"UriFile","path":{"inputPathType":"PathVersion","resourceName":"n","resourceVersion":"1"}}],
		"modelConfiguration":{"mode":"download","mountPath":"/x"},"tags":{"a":"1"},"targetEnvironmentId":"azureml:env_x:5"}`, body(t, p))
}

func TestPackageFaults(t *testing.T) {
	for text, want := range map[string]string{
		"target_environment: t":                                                                                     `required field "inferencing_server"`,
		"inferencing_server: {type: azureml_online}":                                                                `required field "target_environment"`,
		"target_environment: {nam: t}\ninferencing_server: {type: azureml_online}":                                  `did you mean "name"?`,
		"target_environment: t\ninferencing_server: {type: azureml}":                                                "p.yml:2:28: inferencing_server.type",
		"target_environment: t\ninferencing_server: {type: custom, code_configuration: {}}":                         "code_configuration: unknown field",
		"target_environment: t\ninferencing_server: {type: custom}\nmodel_configuration: {mode: move}":              "model_configuration.mode",
		"target_environment: t\ninferencing_server: {type: custom}\ninputs: [{path: {input_path_type: elsewhere}}]": "input_path_type",
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "p.yml", &ModelPackage{}, nil), want, text)
	}
	require.ErrorContains(t, (&ModelPackage{Target: "t", Server: PackageServer{Online: &AzureMLServer{&PackageCode{Code: "x"}}}}).Validate(), "scoring_script: is required")
	w := newWorld(t)
	_, err := NewModelClient(w.c).BeginPackage(t.Context(), &ModelPackage{}, nil)
	require.ErrorContains(t, err, "no model is given")
}

func TestPackaging(t *testing.T) {
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"score.py": "def init(): pass"})
	var sent string
	w.also = func(rw http.ResponseWriter, r *http.Request) bool {
		answer := `{"location":"eastus","properties":{"workspaceId":"guid"}}`
		switch {
		case strings.HasSuffix(r.URL.Path, "/package"):
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			sent = string(body)
			answer = `{"targetEnvironmentId":"azureml://locations/eastus/workspaces/guid/environments/pkg/versions/4","buildState":"Succeeded"}`
		case !strings.HasSuffix(r.URL.Path, "/workspaces/w"):
			return false
		}
		_, err := rw.Write([]byte(answer))
		require.NoError(t, err)
		return true
	}
	p, err := NewModelClient(w.c).BeginPackage(t.Context(), &ModelPackage{
		Model: "azureml:m:1", Target: "pkg", Base: &PackageBase{Type: "environment_asset", Resource: "azureml:e:1"},
		Server: PackageServer{Online: &AzureMLServer{&PackageCode{dir, "score.py"}}},
	}, nil)
	require.NoError(t, err)
	made, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, PackagedModel{azureml.Ref("azureml://locations/eastus/workspaces/guid/environments/pkg/versions/4"), "pkg", "4", "Succeeded", "", ""}, *made)
	require.Contains(t, sent, `"resourceId":"azureml://subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/environments/e/versions/1"`)
	require.Contains(t, sent, `"codeId":"azureml://subscriptions/s/`)
	require.Contains(t, sent, `"targetEnvironmentId":"azureml://locations/eastus/workspaces/guid/environments/pkg"`)
}
