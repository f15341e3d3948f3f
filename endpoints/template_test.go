package endpoints

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

const templateYAML = `
$schema: https://x/deploymentTemplate.schema.json
name: tmpl
version: 3
type: deployment_template
deployment_template_type: managed
display_name: T
description: d
tags: {a: 1}
environment: azureml://registries/r/environments/e/versions/1
environment_variables: {X: "1"}
request_settings: {request_timeout_ms: 90500, max_concurrent_requests_per_instance: 4}
liveness_probe: {initial_delay: 10, period: 5, timeout: 3, success_threshold: 1, failure_threshold: 2, scheme: https, method: GET, path: /h, port: 8080}
instance_count: 1
default_instance_type: Standard_NC
allowed_instance_types: [Standard_NC, Standard_ND]
scoring_port: 8000
scoring_path: /score
model_mount_path: /models
accelerator_maps: [{accelerator_type: H100, number_of_accelerators_per_model_instance: 2, default: true},{accelerator_type: H200, number_of_accelerators_per_model_instance: 1}]
`

// templateBody is what the reference's _to_rest_object gives for it, but for type, name and version, which the client
// adds, and a tag that is text.
const templateBody = `{"displayName":"T","description":"d","deploymentTemplateType":"managed","tags":{"a":1},
	"environmentId":"azureml://registries/r/environments/e/versions/1","environmentVariables":{"X":"1"},"modelMountPath":"/models",
	"requestSettings":{"maxConcurrentRequestsPerInstance":4,"requestTimeout":"PT1M30.5S"},
	"livenessProbe":{"failureThreshold":2,"successThreshold":1,"timeout":"PT3S","period":"PT5S","initialDelay":"PT10S","scheme":"https","httpMethod":"GET","path":"/h","port":8080},
	"defaultInstanceType":"Standard_NC","instanceCount":1,"scoringPath":"/score","scoringPort":8000,
	"allowedInstanceTypes":["Standard_NC","Standard_ND"],"allowedInstanceType":["Standard_NC","Standard_ND"],
	"acceleratorMaps":[{"acceleratorType":"H100","numberOfAcceleratorsPerModelInstance":2,"default":true},{"acceleratorType":"H200","numberOfAcceleratorsPerModelInstance":1}]}`

func TestTemplateKind(t *testing.T) { wiretest.Kind[DeploymentTemplate](t) }

func TestTemplateYAMLToREST(t *testing.T) {
	d := &DeploymentTemplate{}
	require.NoError(t, wire.LoadYAML([]byte(templateYAML), "t.yml", d, nil))
	require.Equal(t, "3", d.Version)
	require.JSONEq(t, templateBody, body(t, d))
	d = &DeploymentTemplate{}
	require.NoError(t, wire.LoadYAML([]byte("name: t\nversion: '1'\nenvironment: azureml:e:1"), "", d, nil))
	require.JSONEq(t, `{"environmentId":"e:1"}`, body(t, d))
	for text, want := range map[string]string{
		"name: t": `required field "version"`,
		"name: t\nversion: 1\nenvironment: {image: x}":             "t.yml:3:14: environment: wants a string",
		"name: t\nversion: 1\nstage: Production":                   "stage: unknown field",
		"name: t\nversion: 1\naccelerator_maps: [{default: true}]": "accelerator_type",
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "t.yml", &DeploymentTemplate{}, nil), want, text)
	}
	require.ErrorContains(t, (&DeploymentTemplate{Version: "a/b"}).Validate(), `"a/b" is no version`)
}

// An item of a list has its settings below properties, as text.
func TestTemplateOfAList(t *testing.T) {
	d, err := decodeTemplate([]byte(`{"id":"azureml://registries/r/deploymenttemplates/tmpl/versions/7","later":1,"properties":{
		"instanceCount":"2","scoringPort":"8000","allowedInstanceType":"['A', 'B']","environmentId":"azureml://x",
		"livenessProbe":"{'initialDelay': 'PT10S', 'path': None, 'port': 80}","tags":"{\"a\": \"b\"}","requestSettings":{"requestTimeout":"PT5S"}}}`))
	require.NoError(t, err)
	require.Equal(t, []any{"tmpl", "7", 2, 8000, []string{"A", "B"}, azureml.Ref("azureml://x"), map[string]string{"a": "b"}},
		[]any{d.Name, d.Version, d.InstanceCount, d.ScoringPort, d.InstanceTypes, d.Environment, d.Tags})
	require.Equal(t, []any{80, "", "PT10S", "PT5S"}, []any{d.Liveness.Port, d.Liveness.Path, wire.FormatDuration(d.Liveness.InitialDelay), wire.FormatDuration(d.Requests.Timeout)})
}

// templateWorld is a registry's asset service with one template in two versions.
func templateWorld(t *testing.T) (*TemplateClient, map[string]map[string]any, *[]string) {
	const at = "/genericasset/v2.0/subscriptions/s/resourceGroups/rg/providers/Microsoft.MachineLearningServices/registries/r/deploymenttemplates"
	docs := map[string]map[string]any{}
	for _, v := range []string{"9", "10"} {
		docs["/tmpl/versions/"+v] = map[string]any{"id": "azureml://registries/r/deploymenttemplates/tmpl/versions/" + v, "name": "tmpl", "version": v, "stage": "Development", "unknown": "kept"}
	}
	var calls []string
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var out any
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, "/registrymanagement/"):
			out = map[string]any{"registryName": "r", "primaryRegion": "eastus", "subscriptionId": "s", "resourceGroup": "rg", "primaryRegionResourceProviderUri": srv.URL + "/"}
		case strings.HasSuffix(path, "/workspaces/w"):
			out = map[string]any{"location": "eastus", "properties": map[string]any{"discoveryUrl": srv.URL + "/discovery"}}
		case strings.HasPrefix(path, "/discovery"):
			out = map[string]any{"api": srv.URL}
		case path == at:
			value := []any{}
			for _, d := range docs {
				value = append(value, d)
			}
			out = map[string]any{"value": value}
		default:
			key := strings.TrimPrefix(path, at)
			calls = append(calls, r.Method+" "+key+" "+r.URL.Query().Get("api-version"))
			if r.Method == http.MethodPost {
				raw, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				var d map[string]any
				require.NoError(t, json.Unmarshal(raw, &d))
				d["id"] = "azureml://registries/r/deploymenttemplates" + key
				docs[key] = d
			}
			if r.Method == http.MethodDelete {
				delete(docs, key)
			}
			out = docs[key]
			if docs[key] == nil && r.Method != http.MethodDelete {
				w.WriteHeader(http.StatusNotFound)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		require.NoError(t, json.NewEncoder(w).Encode(out))
	}))
	t.Cleanup(srv.Close)
	c, err := rest.New(rest.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, rest.StaticToken("t"), &rest.Options{Endpoint: srv.URL})
	require.NoError(t, err)
	t.Cleanup(c.CloseIdleConnections)
	return NewTemplateClient(c), docs, &calls
}

func TestTemplates(t *testing.T) {
	c, docs, calls := templateWorld(t)
	latest, err := c.Get(t.Context(), "r", "tmpl", "")
	require.NoError(t, err)
	require.Equal(t, "10", latest.Version)
	_, err = c.Get(t.Context(), "r", "none", "1")
	require.ErrorIs(t, err, azureml.ErrNotFound)

	made, err := c.Create(t.Context(), "r", &DeploymentTemplate{Name: "new", Version: "1", Description: "d"})
	require.NoError(t, err)
	require.Equal(t, "d", made.Description)
	require.Equal(t, map[string]any{"id": made.ID, "name": "new", "version": "1", "type": "deploymenttemplates", "description": "d"}, docs["/new/versions/1"])

	archived, err := c.Archive(t.Context(), "r", "tmpl", "9")
	require.NoError(t, err)
	require.Equal(t, assets.ArchivedStage, archived.Stage)
	require.Equal(t, "kept", docs["/tmpl/versions/9"]["unknown"])
	restored, err := c.Restore(t.Context(), "r", "tmpl", "9")
	require.NoError(t, err)
	require.Equal(t, assets.Development, restored.Stage)

	require.NoError(t, c.Delete(t.Context(), "r", "tmpl", ""))
	require.NotContains(t, docs, "/tmpl/versions/10")
	n := 0
	for d, err := range c.All(t.Context(), "r", nil) {
		require.NoError(t, err)
		require.NotEmpty(t, d.Name)
		n++
	}
	require.Equal(t, 2, n)
	require.Contains(t, *calls, "POST /new/versions/1 2026-05-01-preview")
}
