package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/jobs"
)

// Files without $schema, as people write them.
func TestLoadTellsKindsByKeys(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]any{
		"command: echo\nenvironment: {image: x}\n":                                                                                       new(jobs.CommandJob),
		"type: command\ncommand: echo\nenvironment: azureml:e:1\nname: j\n":                                                              new(jobs.CommandJob),
		"type: command\ncommand: echo ${{inputs.x}}\nenvironment: azureml:e:1\ninputs: {x: 3, d: {path: azureml:d:1}}\n":                 new(jobs.CommandJob),
		"type: command\ncommand: echo\nenvironment: azureml:e:1\nname: c\nversion: 1\n":                                                  new(jobs.CommandComponent),
		"type: command\ncommand: echo ${{inputs.x}}\nenvironment: azureml:e:1\nname: c\ninputs: {x: {type: number}}\n":                   new(jobs.CommandComponent),
		"type: pipeline\nname: c\ninputs: {x: {type: uri_file, optional: true}}\njobs: {a: {type: command, component: 'azureml:c:1'}}\n": new(jobs.PipelineComponent),
		"name: s\ntrigger: {type: cron, expression: '0 0 * * *'}\ncreate_job: azureml:j\n":                                               new(jobs.Schedule),
		"name: epp\nauth_mode: key\n":                                                       new(endpoints.OnlineEndpoint),
		"name: epp\ntraffic: {blue: 100}\n":                                                 new(endpoints.OnlineEndpoint),
		"name: epp\ndefaults: {deployment_name: d}\n":                                       new(endpoints.BatchEndpoint),
		"name: f\nversion: '1'\nindex_columns: [{name: id, type: string}]\n":                new(assets.FeatureStoreEntity),
		"name: dep\nendpoint_name: epp\nmodel: azureml:m:1\ninstance_type: x\n":             new(endpoints.OnlineDeployment),
		"name: dep\nendpoint_name: epp\ntype: pipeline\ncomponent: azureml:c:1\n":           new(endpoints.PipelineBatchDeployment),
		"name: dep\nendpoint_name: epp\ntype: pipeline\njob_definition: azureml:some-job\n": new(endpoints.PipelineBatchDeployment),
	} {
		e, err := Load(yamlFile(t, text), nil)
		require.NoError(t, err, text)
		require.IsType(t, want, e, text)
	}
	// An endpoint of Entra's tokens may be of either kind.
	_, err := Load(yamlFile(t, "name: epp\nauth_mode: aad_token\n"), nil)
	require.ErrorContains(t, err, "add the $schema")
}
