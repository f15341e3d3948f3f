package jobs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

const tuningHead = "type: finetuning\ntask: text_completion\nmodel: {path: 'azureml://registries/azureml-meta/models/L/versions/8', type: custom_model}\n"

func TestFineTuning(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "job.yml")
	require.NoError(t, os.WriteFile(file, []byte(tuningHead+`model_provider: custom
compute: azureml:gpu
training_data: train.jsonl
validation_data: {path: valid.jsonl}
hyperparameters: {learning_rate: "0.1", none: }
resources: {instance_types: [A, B]}
queue_settings: {job_tier: standard}
outputs: {registered_model: {type: mlflow_model, name: m}}
`), 0o666))
	s, err := Load(file)
	require.NoError(t, err)
	j := s.(*FineTuningJob)
	require.Equal(t, URIFile(filepath.Join(dir, "train.jsonl")), j.TrainingData)
	require.Equal(t, URIFile(filepath.Join(dir, "valid.jsonl")), j.ValidationData)
	j.TrainingData.Path, j.ValidationData.Path = "azureml:t:1", "azureml:v:1"
	require.JSONEq(t, `{"properties": {"jobType": "FineTuning", "isArchived": false, "computeId": "gpu", "tags": {}, "properties": {}, "resources": {"instanceTypes": ["A", "B"]},
		"queueSettings": {"jobTier": "Standard"}, "outputs": {"registered_model": {"jobOutputType": "mlflow_model", "assetName": "m"}},
		"fineTuningDetails": {"modelProvider": "Custom", "taskType": "textCompletion", "model": {"jobInputType": "mlflow_model", "uri": "azureml://registries/azureml-meta/models/L/versions/8"},
			"trainingData": {"jobInputType": "uri_file", "uri": "azureml:t:1"}, "validationData": {"jobInputType": "uri_file", "uri": "azureml:v:1"},
			"hyperParameters": {"learning_rate": "0.1", "none": null}}}}`, toJSON(t, j))

	o := load(t, tuningHead+"model_provider: azure_open_ai\ntraining_data: azureml:t:1\nhyperparameters: {n_epochs: 3, batch_size: '8', learning_rate_multiplier: 1}\ncompute: x\n").(*OpenAIFineTuningJob)
	require.JSONEq(t, `{"properties": {"jobType": "FineTuning", "isArchived": false, "tags": {}, "properties": {}, "outputs": {},
		"fineTuningDetails": {"modelProvider": "AzureOpenAI", "taskType": "textCompletion", "model": {"jobInputType": "mlflow_model", "uri": "azureml://registries/azureml-meta/models/L/versions/8"},
			"trainingData": {"jobInputType": "uri_file", "uri": "azureml:t:1"}, "hyperParameters": {"nEpochs": 3, "batchSize": 8, "learningRateMultiplier": 1}}}}`, toJSON(t, o))
}

// One job type of the service stands for several kinds.
func TestJobsAreToldApart(t *testing.T) {
	for doc, want := range map[string]Spec{
		`{"properties": {"jobType": "FineTuning", "fineTuningDetails": {"modelProvider": "AzureOpenAI"}}}`:                               &OpenAIFineTuningJob{},
		`{"properties": {"jobType": "FineTuning", "fineTuningDetails": {"modelProvider": "Custom"}}}`:                                    &FineTuningJob{},
		`{"properties": {"jobType": "FineTuning", "fineTuningDetails": {"modelProvider": "Another"}}}`:                                   &UnknownJob{},
		`{"properties": {"jobType": "FineTuning", "fineTuningDetails": {}, "properties": {"azureml.enable_distillation": "True"}}}`:      &DistillationJob{},
		`{"properties": {"jobType": "FineTuning", "fineTuningDetails": {}, "properties": {"azureml.enable_distillation": "False"}}}`:     &FineTuningJob{},
		`{"properties": {"jobType": "Command", "command": "import", "computeId": "/subscriptions/s/workspaces/w/computes/DataFactory"}}`: &ImportJob{},
		`{"properties": {"jobType": "Command", "command": "x", "computeId": "/subscriptions/s/workspaces/w/computes/MyDataFactory"}}`:    &CommandJob{},
		`{"properties": {"jobType": "command", "command": "x"}}`:                                                                         &CommandJob{},
		`{"properties": {"jobType": "Labeling"}}`:                                                                                        &UnknownJob{},
		`{}`: &UnknownJob{},
	} {
		var s Spec
		require.NoError(t, wire.FromREST([]byte(doc), &s))
		require.IsType(t, want, s, doc)
	}
}

func TestFineTuningFaults(t *testing.T) {
	for text, want := range map[string]string{
		tuningHead:                           `"model_provider" is missing: azure_open_ai or custom`,
		tuningHead + "model_provider: other": "4:17: model_provider: is none of azure_open_ai, custom",
		tuningHead + "model_provider: custom\ninputs: {}":                                                    "inputs: unknown field",
		tuningHead + "model_provider: custom\nhyperparameters: {a: 1}":                                       "hyperparameters.a: wants a string",
		tuningHead + "model_provider: custom\nresources: {instance_type: A}":                                 `instance_type: unknown field; did you mean "instance_types"?`,
		tuningHead + "model_provider: custom\ntraining_data: {type: mltable, path: 'azureml:a:1'}":           `training_data.type: "mltable" is none of uri_file or uri_folder`,
		tuningHead + "model_provider: custom\ntraining_data: 3":                                              "training_data: wants a path, or a mapping",
		tuningHead + "model_provider: azure_open_ai\nhyperparameters: {epochs: 1}":                           "hyperparameters.epochs: unknown field",
		"type: finetuning\nmodel_provider: custom\ntask: chat\nmodel: azureml:m:1":                           "model: wants a mapping with path and type: mlflow_model",
		"type: finetuning\nmodel_provider: custom\ntask: chat\nmodel: {type: uri_file, path: 'azureml:m:1'}": `model.type: "uri_file" is none of mlflow_model`,
		"type: finetuning\nmodel_provider: custom\ntask: chat_completion":                                    `"model" is missing`,
		"type: distillation": `"data_generation_type" is missing`,
		"type: import\nsource: {type: s3, connection: c, path: /a}\noutput: {}": "type: import jobs are a preview feature; set AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED=true",
	} {
		var s Spec
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "", &s, nil), want, text)
	}
}

func TestFineTuningSubmit(t *testing.T) {
	w := newWorld(t)
	w.accept("f")
	c, _ := w.client()
	bad := []Spec{
		&FineTuningJob{Name: "f", Task: "x", Model: MLFlowModel("./local"), TrainingData: Literal("x"), ValidationData: MLTable("azureml:a:1")},
		&OpenAIFineTuningJob{Name: "f", Task: TuneChatCompletion, Model: URIFile("azureml:a:1"), ValidationData: Input{Type: TypeURIFile}},
	}
	wants := [][]string{
		{`task: "x" is none of`, "model.path: ./local is no model of a registry", "training_data: wants a file", "validation_data.type: is uri_file, not mltable"},
		{"model.type: wants a model", "training_data: data are required", "validation_data.path: a path is required"},
	}
	for i, j := range bad {
		_, err := c.Submit(t.Context(), j, nil)
		for _, want := range wants[i] {
			require.ErrorContains(t, err, want)
		}
	}
	w.answer("GET "+testWorkspace+"/computes/gpu", map[string]any{})
	j := &FineTuningJob{Name: "f", Task: TuneChatCompletion, Model: Input{Path: "azureml:m:3"}, TrainingData: Input{Path: "azureml:t:1"}, Compute: "gpu"}
	_, err := c.Submit(t.Context(), j, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	put := w.calls("PUT ")
	require.Equal(t, "api-version=2024-10-01-preview", put[0].query)
	p := put[0].body["properties"].(map[string]any)
	require.Equal(t, "gpu", p["computeId"], "the service wants a name here")
	d := p["fineTuningDetails"].(map[string]any)
	require.Equal(t, map[string]any{"jobInputType": "mlflow_model", "uri": testWorkspace + "/models/m/versions/3"}, d["model"])
	require.Equal(t, map[string]any{"jobInputType": "uri_file", "uri": testWorkspace + "/data/t/versions/1"}, d["trainingData"])
}
