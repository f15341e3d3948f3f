package jobs

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

const distillation = `type: distillation
data_generation_type: label_generation
data_generation_task_type: math
training_data: azureml:t:1
validation_data: {type: uri_file, path: 'azureml:v:1'}
teacher_model_endpoint_connection: {type: serverless, name: T, endpoint: "https://x/y", api_key: "k"}
student_model: azureml://registries/azureml-meta/models/L/versions/2
teacher_model_settings:
  inference_parameters: {temperature: 0.1, max_tokens: 1024, deep: {a: [1, x]}, stop: "None"}
  endpoint_request_settings: {request_batch_size: 10, min_endpoint_success_ratio: 1}
prompt_settings: {enable_chain_of_thought: true, max_len_summary: 80}
hyperparameters: {n_epochs: "5"}
resources: {instance_type: Standard_D2_v2}
properties: {mine: "1"}
`

func TestDistillation(t *testing.T) {
	j := load(t, distillation).(*DistillationJob)
	var got struct {
		Properties struct {
			Details    json.RawMessage   `json:"fineTuningDetails"`
			Properties map[string]string `json:"properties"`
		} `json:"properties"`
	}
	require.NoError(t, json.Unmarshal([]byte(toJSON(t, j)), &got))
	require.JSONEq(t, `{"modelProvider": "Custom", "taskType": "ChatCompletion", "model": {"jobInputType": "mlflow_model", "uri": "azureml://registries/azureml-meta/models/L/versions/2"},
		"trainingData": {"jobInputType": "uri_file", "uri": "azureml:t:1"}, "validationData": {"jobInputType": "uri_file", "uri": "azureml:v:1"}, "hyperParameters": {"n_epochs": "5"}}`,
		string(got.Properties.Details))
	require.Equal(t, map[string]string{
		"mine": "1", "azureml.enable_distillation": "True", "azureml.data_generation_type": "label_generation", "azureml.data_generation_task_type": "MATH",
		"azureml.teacher_model.endpoint_name": "T", "azureml.teacher_model.temperature": "0.1", "azureml.teacher_model.max_tokens": "1024", "azureml.teacher_model.deep": "{'a': [1, 'x']}",
		"azureml.teacher_model.stop": "None", "azureml.request_batch_size": "10", "azureml.min_endpoint_success_ratio": "1.0", "azureml.enable_chain_of_thought": "True",
		"azureml.enable_chain_of_density": "False", "azureml.max_len_summary": "80", "azureml.instance_type.data_generation": "Standard_D2_v2",
		"azureml.connection_information": `{"name": "T", "tags": {}, "type": "serverless", "target": "https://x/y", "credentials": {"type": "api_key", "key": "k"}, "is_shared": true, "metadata": {}, "api_key": "k", "endpoint": "https://x/y"}`,
	}, got.Properties.Properties)

	var back Spec
	require.NoError(t, wire.FromREST([]byte(toJSON(t, j)), &back))
	d := back.(*DistillationJob)
	require.Equal(t, map[string]string{"mine": "1"}, d.Properties)
	require.Equal(t, j.Teacher, d.Teacher)
	require.Equal(t, j.Prompt, d.Prompt)
	require.Equal(t, TaskMath, d.Task)
	require.Equal(t, 0.1, d.TeacherSettings.InferenceParameters["temperature"])
	require.JSONEq(t, toJSON(t, j), toJSON(t, d))
}

func TestDistillationFaults(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"training_data: azureml:t:1\n", "", `"training_data" is missing: labels are made for data`},
		{"type: serverless, name: T", "type: serverless", `"name" is missing`},
		{", api_key: \"k\"", "", `"api_key" is missing`},
		{"type: serverless", "type: custom", "endpoint: unknown field; a custom connection has target and credentials"},
		{"type: serverless", "type: git", `"git" is none of`},
		{"math", "maths", `"maths" is none of`},
		{"temperature: 0.1", "temperature: ", "null"},
		{"instance_type: Standard_D2_v2", "instance_types: [x]", "instance_types: unknown field"},
	} {
		var s Spec
		text := replaceOnce(t, distillation, c.from, c.to)
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "", &s, nil), c.want, c.to)
	}
	c := &checker{}
	(&DistillationJob{Generation: GenerateLabels, Teacher: TeacherConnection{Name: "t"}}).check(t.Context(), c)
	for _, want := range []string{"data_generation_task_type", "teacher_model_endpoint_connection: the endpoint's key", "student_model: a model is required", "training_data: data are required to make labels for", "validation_data"} {
		require.ErrorContains(t, c.faults.Err(), want)
	}
	c = &checker{}
	(&DistillationJob{Teacher: TeacherConnection{Type: "x", Name: "t"}}).check(t.Context(), c)
	require.ErrorContains(t, c.faults.Err(), "serverless or custom")
	c = &checker{}
	(&DistillationJob{}).check(t.Context(), c)
	require.ErrorContains(t, c.faults.Err(), "the endpoint's name is required")
}

func TestTeacherCustom(t *testing.T) {
	j := load(t, replaceOnce(t, distillation, `{type: serverless, name: T, endpoint: "https://x/y", api_key: "k"}`,
		`{type: custom, name: T, target: "https://x/y", credentials: {type: api_key, key: k}, is_shared: false, tags: {a: b}, metadata: {c: d}, description: e}`)).(*DistillationJob)
	text, err := j.Teacher.text()
	require.NoError(t, err)
	require.Equal(t, `{"name": "T", "description": "e", "tags": {"a": "b", "c": "d"}, "type": "custom", "target": "https://x/y", "credentials": {"type": "api_key", "key": "k"}, "is_shared": false, "metadata": {"a": "b", "c": "d"}}`, text)
}

func TestDistillationSubmit(t *testing.T) {
	w := newWorld(t)
	w.accept("d")
	c, _ := w.client()
	j := load(t, distillation).(*DistillationJob)
	j.Name, j.Student = "d", MLFlowModel("azureml:m:1")
	run, err := c.Submit(t.Context(), j, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	require.IsType(t, &DistillationJob{}, run.Spec)
	put := w.calls("PUT ")[0]
	require.Equal(t, "api-version=2024-10-01-preview", put.query)
	require.Equal(t, testWorkspace+"/models/m/versions/1", put.body["properties"].(map[string]any)["fineTuningDetails"].(map[string]any)["model"].(map[string]any)["uri"])
	require.Equal(t, map[string]string{"mine": "1"}, j.Properties, "the job given is not changed")
}
