package jobs

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/wire"
)

func loadPipeline(t *testing.T, text string) *PipelineJob {
	t.Helper()
	return load(t, "type: pipeline\nsettings: {default_compute: azureml:cpu}\ninputs: {rows: {type: mltable, path: 'azureml:rows:1'}, n: 3}\noutputs: {g: {type: mlflow_model}}\njobs:\n"+text).(*PipelineJob)
}

func nodeJSON(t *testing.T, j *PipelineJob, name string) string {
	t.Helper()
	m, err := wire.ToREST(j)
	require.NoError(t, err)
	text, err := json.Marshal(m["properties"].(map[string]any)["jobs"].(map[string]any)[name])
	require.NoError(t, err)
	return string(text)
}

// A step is the file's own mapping, but for its outputs.
func TestAutoMLNode(t *testing.T) {
	for text, want := range map[string]string{
		`  a:
    type: automl
    task: forecasting
    target_column_name: y
    training_data: ${{parent.inputs.rows}}
    validation_data: {path: 'azureml:rows:1', type: mltable}
    n_cross_validations: ${{parent.inputs.n}}
    forecasting: {time_column_name: t, forecast_horizon: '${{parent.inputs.n}}', target_lags: 3, seasonality: auto, time_series_id_column_names: s}
    limits: {max_trials: '${{parent.inputs.n}}', timeout_minutes: 30, exit_score: 0.5}
    featurization: {blocked_transformers: [LabelEncoder], transformer_params: {Imputer: [{fields: [a]}]}}
    training: {allowed_training_algorithms: [TCNForecaster], training_mode: NonDistributed, enable_stack_ensemble: false}
    outputs: {best_model: {type: mlflow_model, mode: upload}, g: "${{parent.outputs.g}}"}
    identity: {type: managed, client_id: c}
    resources: {instance_count: 2}
    queue_settings: {job_tier: spot}
    compute: azureml:gpu
    tags: {a: b}`: `{"type": "automl", "task": "forecasting", "name": "a", "target_column_name": "y", "training_data": "${{parent.inputs.rows}}", "primary_metric": "normalized_root_mean_squared_error",
			"log_verbosity": "info", "validation_data": {"path": "azureml:rows:1", "type": "mltable"}, "n_cross_validations": "${{parent.inputs.n}}",
			"forecasting": {"time_column_name": "t", "forecast_horizon": "${{parent.inputs.n}}", "target_lags": 3, "seasonality": "auto", "time_series_id_column_names": "s"},
			"limits": {"max_trials": "${{parent.inputs.n}}", "timeout_minutes": 30, "exit_score": 0.5},
			"featurization": {"blocked_transformers": ["label_encoder"], "transformer_params": {"imputer": [{"fields": ["a"]}]}},
			"training": {"allowed_training_algorithms": ["tcn_forecaster"], "training_mode": "non_distributed", "enable_stack_ensemble": false},
			"outputs": {"best_model": {"job_output_type": "mlflow_model", "mode": "Upload"}, "g": {"type": "literal", "value": "${{parent.outputs.g}}"}},
			"identity": {"type": "managed_identity", "client_id": "c"}, "resources": {"instance_count": 2}, "queue_settings": {"job_tier": "spot"}, "compute": "azureml:gpu", "tags": {"a": "b"}}`,
		`  a:
    type: automl
    task: image_object_detection
    target_column_name: y
    training_data: ${{parent.inputs.rows}}
    training_parameters: {learning_rate: 1e-3, optimizer: adamw, model_size: extra_large}
    search_space: [{model_name: {type: choice, values: [yolov5]}, momentum: {type: uniform, min_value: 0.0, max_value: 1}}]
    sweep: {sampling_algorithm: grid, early_termination: {type: bandit, slack_factor: 0.1}}`: `{"type": "automl", "task": "image_object_detection", "name": "a", "target_column_name": "y",
			"training_data": "${{parent.inputs.rows}}", "primary_metric": "mean_average_precision", "log_verbosity": "info",
			"training_parameters": {"learning_rate": 0.001, "optimizer": "adamw", "model_size": "extra_large"},
			"search_space": [{"model_name": "choice('yolov5')", "momentum": "uniform(0.0,1)"}],
			"sweep": {"sampling_algorithm": "grid", "early_termination": {"type": "bandit", "slack_factor": 0.1, "slack_amount": 0, "delay_evaluation": 0, "evaluation_interval": 0}}}`,
		`  a:
    type: automl
    task: text_ner
    training_data: ${{parent.inputs.rows}}
    search_space: [{model_name: {type: choice, values: [x]}, number_of_epochs: 3}]
    sweep: {sampling_algorithm: random, early_termination: {type: median_stopping}}`: `{"type": "automl", "task": "text_ner", "name": "a", "training_data": "${{parent.inputs.rows}}",
			"primary_metric": "accuracy", "limits": {"max_trials": 1, "max_nodes": 1}, "search_space": [{"model_name": {"type": "choice", "values": ["x"]}, "number_of_epochs": 3}],
			"sweep": {"sampling_algorithm": "random", "early_termination": {"type": "median_stopping", "delay_evaluation": 0, "evaluation_interval": 1}}}`,
	} {
		j := loadPipeline(t, text)
		got := nodeJSON(t, j, "a")
		require.JSONEq(t, want, got)

		dumped, err := Dump(j)
		require.NoError(t, err)
		require.Equal(t, j, load(t, string(dumped)), string(dumped))

		whole := toJSON(t, j)
		var back Spec
		require.NoError(t, wire.FromREST([]byte(whole), &back))
		require.JSONEq(t, whole, toJSON(t, back))
	}
}

// Whatever a step says is read again.
func TestAutoMLNodeRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := &AutoMLNode{Outputs: Outputs{"best_model": OutputModel()}, Compute: rapid.SampledFrom([]string{"", "cpu", "${{parent.inputs.c}}"}).Draw(t, "compute"), Tags: anyTags(t, "tags")}
		space := anySpace(t, detectionSpace)
		switch rapid.IntRange(0, 2).Draw(t, "task") {
		case 0:
			n.Task = &ObjectDetectionTask{TrainingData: anyTable(t), Target: "y", SearchSpace: []DetectionSpace{space}, Sweep: &AutoMLSweep{Sampling: GridSampling}}
		case 1:
			n.Task = &TextClassificationTask{TrainingData: Literal("${{parent.inputs.rows}}"), Target: "y", SearchSpace: []TextSpace{anySpace(t, textSpace)}}
		case 2:
			n.Task = &ForecastingTask{TrainingData: anyTable(t), Target: "y", Forecasting: &Forecast{TargetLags: Lags{Values: []int{1, 2}}, SeriesColumns: Columns{"a", "b"}, Horizon: Auto}}
		}
		m, err := wire.ToNode(n)
		if err != nil {
			t.Fatal(err)
		}
		var back AutoMLNode
		if err := wire.FromNode(m, &back); err != nil {
			t.Fatal(err)
		}
		again, err := wire.ToNode(&back)
		if err != nil {
			t.Fatal(err)
		}
		require.Equal(t, m, again)
	})
}

func TestAutoMLNodeOfJob(t *testing.T) {
	j, err := AutoMLClassification(MLTable("azureml:rows:1"), "y").On("cpu").Tag("a", "b").Output("best_model", OutputModel()).Build()
	require.NoError(t, err)
	n := j.Node()
	n.Task.(*ClassificationTask).Target = "z"
	require.Equal(t, "y", j.Task.(*ClassificationTask).Target, "the job is not changed")
	m, err := wire.ToNode(n)
	require.NoError(t, err)
	require.Equal(t, "cpu", m["compute"], "not resolved yet")
	require.Equal(t, "accuracy", m["primary_metric"])
	require.Equal(t, map[string]any{"best_model": map[string]any{"job_output_type": "mlflow_model"}}, m["outputs"])
	require.NotNil(t, (&AutoMLJob{}).Node())
}

func TestAutoMLNodeChecks(t *testing.T) {
	j := &PipelineJob{Compute: "cpu", Inputs: Inputs{"rows": MLTable("azureml:rows:1")}, Jobs: Nodes{
		"a": &AutoMLNode{Task: &ClassificationTask{TrainingData: Literal("${{parent.inputs.rows}}"), ValidationData: Literal("${{parent.inputs.gone}}")}},
		"b": &AutoMLNode{},
		"c": &AutoMLNode{Task: &TextNERTask{TrainingData: Literal("${{parent.jobs.a.outputs.best_model}}"), Metric: "x"}},
	}}
	c := &checker{}
	j.check(t.Context(), c)
	err := c.faults.Err()
	require.ErrorContains(t, err, "jobs.a.target_column_name")
	require.ErrorContains(t, err, "${{parent.inputs.gone}}: the pipeline has no such input")
	require.ErrorContains(t, err, "jobs.b.task")
	require.ErrorContains(t, err, `jobs.c.primary_metric: "x" is none of accuracy`)
	require.NotContains(t, err.Error(), "jobs.c.training_data")
}

func TestAutoMLNodeSubmit(t *testing.T) {
	w := newWorld(t)
	w.accept("p")
	c, _ := w.client()
	j := &PipelineJob{Name: "p", Compute: "cpu", Inputs: Inputs{"rows": MLTable("azureml:rows:1")}, Jobs: Nodes{
		"a": &AutoMLNode{Task: &RegressionTask{TrainingData: Literal("${{parent.inputs.rows}}"), ValidationData: MLTable("azureml:v:2"), Target: "y"}, Compute: "cpu"},
	}}
	_, err := c.Submit(t.Context(), j, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	put := w.calls("PUT ")
	require.Len(t, put, 1)
	n := put[0].body["properties"].(map[string]any)["jobs"].(map[string]any)["a"].(map[string]any)
	require.Equal(t, "azureml:"+testWorkspace+"/computes/cpu", n["compute"])
	require.Equal(t, "${{parent.inputs.rows}}", n["training_data"])
	require.Equal(t, testWorkspace+"/data/v/versions/2", n["validation_data"].(map[string]any)["path"])
	require.Equal(t, "azureml:v:2", j.Jobs["a"].(*AutoMLNode).Task.(*RegressionTask).ValidationData.Path, "the job given is not changed")
}
