package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The versions were computed by azure-ai-ml 1.35.2.
func TestAnonymousEnvironments(t *testing.T) {
	conda, err := EmitYAML(map[string]any{"name": "x", "dependencies": []any{"python=3.9"}})
	require.NoError(t, err)
	inference, err := InferenceDump(Route{"/", 5001}, Route{"/ready", 5001}, Route{"/score", 5001})
	require.NoError(t, err)
	for name, x := range map[string]struct {
		source AnonymousSource
		want   string
	}{
		"image":           {AnonymousSource{Image: "mcr/x"}, "42568494fad94795bd28049f62984f00c0126cf31cce86f8c63588a5cacaa4e6"},
		"conda":           {AnonymousSource{Image: "mcr/x", Conda: string(conda)}, "d22999caeb6fdcad9e6e2f526798d8c12961a500f8790d999f34d0deb989dd2a"},
		"conda inference": {AnonymousSource{Image: "mcr/x", Conda: string(conda), Inference: inference}, "82b08864c67abc750df4cfc6960aa5620b783c42ce404f91ab11db30504c8bbd"},
		"inference":       {AnonymousSource{Image: "mcr.microsoft.com/azureml/minimal-ubuntu20.04-py38-cpu-inference:latest", Inference: inference}, "8c6d5ea82d8847fb5914369465338f52767e6677508d63210e172d1afafdd9cf"},
		"build":           {AnonymousSource{BuildHash: "abc"}, "dfe7a23fefeea519e9bbfdd1a6be94c4b2e4529dd6b7cbea83f9959c2621b13c"},
		"dockerfile":      {AnonymousSource{BuildHash: "be818538f1501688447983138bd302160e041b8c9a3d59632d2ed69b42f4f7b9", Dockerfile: "Dockerfile"}, "35225616cd95c9df0e9faa08aebecaf793760e0218b32c4ea126855484aa12ef"},
	} {
		require.Equal(t, x.want, AnonymousEnvironmentVersion(x.source), name)
	}
}

func TestComponentHashes(t *testing.T) {
	v, err := ParseJSON([]byte(`{"$schema":"https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json","_source":"YAML.COMPONENT",
		"command":"echo ${{inputs.rate}} ${{inputs.rows}} ${{outputs.model}}",
		"environment":"azureml:/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/oracle-rg/providers/Microsoft.MachineLearningServices/workspaces/oracle-ws/environments/sklearn-env/versions/3",
		"inputs":{"rate":{"type":"number"},"rows":{"type":"uri_folder"}},"is_deterministic":true,"name":"sweepable","outputs":{"model":{"type":"mlflow_model"}},"type":"command"}`))
	require.NoError(t, err)
	h, err := ComponentHash(v.(map[string]any))
	require.NoError(t, err)
	require.Equal(t, "b0c6ff9d-adb7-6162-8443-1551553fc58e", h)
	v, err = ParseJSON([]byte(`{"_source":"YAML.JOB","input_data":"${{inputs.t}}","inputs":{"t":{"mode":"direct","type":"mltable"}},"is_deterministic":true,"mini_batch_size":"0",
		"name":"azureml_anonymous","outputs":{"o":{"type":"uri_folder"}},"partition_keys":["a","b"],"task":{
		"code":"azureml:/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/oracle-rg/providers/Microsoft.MachineLearningServices/workspaces/oracle-ws/codes/5a427285-d935-2653-db6b-3a9d6aad8196/versions/1",
		"entry_script":"score.py","environment":"azureml:/subscriptions/00000000-0000-0000-0000-0000000000aa/resourceGroups/oracle-rg/providers/Microsoft.MachineLearningServices/workspaces/oracle-ws/environments/sklearn-env/versions/3",
		"type":"run_function"},"type":"parallel","version":"1"}`))
	require.NoError(t, err)
	h, err = AnonymousComponentVersion(v.(map[string]any))
	require.NoError(t, err)
	require.Equal(t, "b012a5ac-6b6e-1628-79e1-2ac5c4a2bf42", h)
}
