package jobs

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

const automlHead = "type: automl\ntraining_data: {path: 'azureml:rows:1', type: mltable, mode: direct}\n"

// What files make of each task.
func TestAutoMLTasks(t *testing.T) {
	data := `"trainingData": {"jobInputType": "mltable", "uri": "azureml:rows:1"}`
	for name, c := range map[string]struct{ text, want string }{
		"classification defaults": {"task: classification\ntarget_column_name: y",
			`{"taskType": "Classification", "logVerbosity": "Info", "primaryMetric": "AUCWeighted", "targetColumnName": "y", ` + data + `}`},
		"classification": {`
task: classification
target_column_name: y
positive_label: "1"
primary_metric: norm_macro_recall
log_verbosity: debug
validation_data_size: 0.2
n_cross_validations: 3
weight_column_name: w
cv_split_column_names: [s]
test_data_size: 0.1
limits: {timeout_minutes: 60, trial_timeout_minutes: 10, max_trials: 5, max_concurrent_trials: 2, max_cores_per_trial: -1, enable_early_termination: false, exit_score: 0, max_nodes: 2}
featurization:
  blocked_transformers: [LabelEncoder, wo_e_target_encoder]
  column_name_and_types: {a: Numeric}
  transformer_params: {Imputer: [{fields: [a], parameters: {strategy: median, n: 0}}]}
training:
  enable_stack_ensemble: true
  enable_dnn_training: no
  ensemble_model_download_timeout_minutes: 5
  allowed_training_algorithms: [light_gbm, XGBoostClassifier]
  training_mode: non_distributed
  stack_ensemble_settings: {stack_meta_learner_type: logistic_regression_cv, stack_meta_learner_train_percentage: 0.3, stack_meta_learner_kwargs: {c: 1}}`,
			`{"taskType": "Classification", "logVerbosity": "Debug", "primaryMetric": "NormMacroRecall", "targetColumnName": "y", "positiveLabel": "1", ` + data + `,
			"validationDataSize": 0.2, "nCrossValidations": {"mode": "Custom", "value": 3}, "weightColumnName": "w", "cvSplitColumnNames": ["s"], "testDataSize": 0.1,
			"limitSettings": {"timeout": "PT1H", "trialTimeout": "PT10M", "maxTrials": 5, "maxConcurrentTrials": 2, "maxCoresPerTrial": -1, "enableEarlyTermination": false, "exitScore": 0,
				"maxNodes": 2, "sweepConcurrentTrials": 0, "sweepTrials": 0},
			"featurizationSettings": {"mode": "auto", "blockedTransformers": ["LabelEncoder", "WoETargetEncoder"], "columnNameAndTypes": {"a": "Numeric"},
				"transformerParams": {"Imputer": [{"fields": ["a"], "parameters": {"strategy": "median", "n": 0}}]}},
			"trainingSettings": {"enableStackEnsemble": true, "enableDnnTraining": false, "ensembleModelDownloadTimeout": "PT5M", "allowedTrainingAlgorithms": ["LightGBM", "XGBoostClassifier"],
				"trainingMode": "NonDistributed", "stackEnsembleSettings": {"stackMetaLearnerType": "LogisticRegressionCV", "stackMetaLearnerTrainPercentage": 0.3, "stackMetaLearnerKWargs": {"c": 1}}}}`},
		"regression": {"task: regression\ntarget_column_name: y\nn_cross_validations: AUTO\ntraining: {blocked_training_algorithms: [knn]}",
			`{"taskType": "Regression", "logVerbosity": "Info", "primaryMetric": "NormalizedRootMeanSquaredError", "targetColumnName": "y", ` + data + `,
			"nCrossValidations": {"mode": "Auto"}, "trainingSettings": {"blockedTrainingAlgorithms": ["KNN"]}}`},
		"forecasting": {`
task: forecasting
target_column_name: y
forecasting: {time_column_name: t, forecast_horizon: 12, time_series_id_column_names: store, target_lags: [1, 2], target_rolling_window_size: auto, seasonality: 7, frequency: D,
  feature_lags: auto, use_stl: season, short_series_handling_config: pad, target_aggregate_function: sum, country_or_region_for_holidays: US, cv_step_size: 2, features_unknown_at_forecast_time: [a, b]}`,
			`{"taskType": "Forecasting", "logVerbosity": "Info", "primaryMetric": "NormalizedRootMeanSquaredError", "targetColumnName": "y", ` + data + `,
			"forecastingSettings": {"timeColumnName": "t", "forecastHorizon": {"mode": "Custom", "value": 12}, "timeSeriesIdColumnNames": ["store"], "targetLags": {"mode": "Custom", "values": [1, 2]},
				"targetRollingWindowSize": {"mode": "Auto"}, "seasonality": {"mode": "Custom", "value": 7}, "frequency": "D", "featureLags": "auto", "useStl": "season",
				"shortSeriesHandlingConfig": "pad", "targetAggregateFunction": "sum", "countryOrRegionForHolidays": "US", "cvStepSize": 2, "featuresUnknownAtForecastTime": ["a", "b"]}}`},
		"one lag": {"task: forecasting\ntarget_column_name: y\nforecasting: {target_lags: 3}",
			`{"taskType": "Forecasting", "logVerbosity": "Info", "primaryMetric": "NormalizedRootMeanSquaredError", "targetColumnName": "y", ` + data + `,
			"forecastingSettings": {"targetLags": {"mode": "Custom", "values": [3]}}}`},
		"image classification": {`
task: image_classification
target_column_name: y
test_data: {path: 'azureml:t:1', type: mltable}
training_parameters: {model_name: vitb16r224, learning_rate_scheduler: WarmupCosine, early_stopping: false, random_seed: 0, warmup_cosine_lr_cycles: 0.5, step_lr_gamma: 1}
limits: {timeout_minutes: 60, max_trials: 4}
sweep: {sampling_algorithm: {type: random}, early_termination: {type: bandit, slack_factor: 0.2, delay_evaluation: 6}}
search_space:
  - model_name: seresnext
    learning_rate: {type: uniform, min_value: 0.00001, max_value: 1.0}
    momentum: {type: qloguniform, min_value: -5, max_value: 1e-1, q: 1}
    weight_decay: 1
    nesterov: {type: choice, values: [true, no]}
    training_crop_size: {type: choice, values: [224, 256]}
    number_of_epochs: {type: randint, upper: 7}
    learning_rate_scheduler: {type: choice, values: [step, WarmupCosine]}
  - model_name: {type: choice, values: [a, 'b,c']}
    beta1: {type: choice, values: [1, 0.5]}`,
			`{"taskType": "ImageClassification", "logVerbosity": "Info", "primaryMetric": "Accuracy", "targetColumnName": "y", ` + data + `,
			"modelSettings": {"modelName": "vitb16r224", "learningRateScheduler": "WarmupCosine", "earlyStopping": false, "randomSeed": 0, "warmupCosineLRCycles": 0.5, "stepLRGamma": 1},
			"limitSettings": {"timeout": "PT1H", "maxTrials": 4},
			"sweepSettings": {"samplingAlgorithm": "random", "earlyTermination": {"policyType": "Bandit", "slackFactor": 0.2, "slackAmount": 0, "evaluationInterval": 0, "delayEvaluation": 6}},
			"searchSpace": [{"modelName": "seresnext", "learningRate": "uniform(0.00001,1.0)", "momentum": "qloguniform(-5,0.1,1)", "weightDecay": "1.0", "nesterov": "choice(True,False)",
				"trainingCropSize": "choice(224,256)", "numberOfEpochs": "randint(7)", "learningRateScheduler": "choice('step','warmup_cosine')"},
				{"modelName": "choice('a','b,c')", "beta1": "choice(1.0,0.5)"}]}`},
		"image multilabel": {"task: image_classification_multilabel\ntarget_column_name: y",
			`{"taskType": "ImageClassificationMultilabel", "logVerbosity": "Info", "primaryMetric": "IOU", "targetColumnName": "y", ` + data + `}`},
		"object detection": {"task: image_object_detection\ntarget_column_name: y\ntraining_parameters: {model_size: extra_large, tile_grid_size: 3x2, log_training_metrics: enable, nms_iou_threshold: 0.5}",
			`{"taskType": "ImageObjectDetection", "logVerbosity": "Info", "primaryMetric": "MeanAveragePrecision", "targetColumnName": "y", ` + data + `,
			"modelSettings": {"modelSize": "ExtraLarge", "tileGridSize": "3x2", "logTrainingMetrics": "Enable", "nmsIouThreshold": 0.5}}`},
		"instance segmentation": {"task: image_instance_segmentation\ntarget_column_name: y\nsearch_space: [{min_size: {type: quniform, min_value: 600, max_value: 800, q: 100}}]",
			`{"taskType": "ImageInstanceSegmentation", "logVerbosity": "Info", "primaryMetric": "MeanAveragePrecision", "targetColumnName": "y", ` + data + `,
			"searchSpace": [{"minSize": "quniform(600,800,100)"}]}`},
		"text classification": {"task: text_classification\ntarget_column_name: y\nfeaturization: {dataset_language: deu}\ntraining_parameters: {learning_rate_scheduler: constant_with_warmup, warmup_ratio: 0}\nsearch_space: [{warmup_ratio: {type: uniform, min_value: 0.0, max_value: 0.1}}]\nlimits: {max_trials: 3, trial_timeout_minutes: 30}",
			`{"taskType": "TextClassification", "logVerbosity": "Info", "primaryMetric": "Accuracy", "targetColumnName": "y", ` + data + `, "featurizationSettings": {"datasetLanguage": "deu"},
			"fixedParameters": {"learningRateScheduler": "ConstantWithWarmup", "warmupRatio": 0}, "searchSpace": [{"warmupRatio": "uniform(0.0,0.1)"}],
			"limitSettings": {"maxTrials": 3, "maxNodes": 1, "trialTimeout": "PT30M"}}`},
		"text multilabel": {"task: text_classification_multilabel\ntarget_column_name: y\nprimary_metric: accuracy",
			`{"taskType": "TextClassificationMultilabel", "logVerbosity": "Info", "targetColumnName": "y", ` + data + `, "limitSettings": {"maxTrials": 1, "maxNodes": 1}}`},
		"text NER": {"task: text_ner\ntarget_column_name: y",
			`{"taskType": "TextNER", "logVerbosity": "Info", ` + data + `, "limitSettings": {"maxTrials": 1, "maxNodes": 1}}`},
	} {
		j := load(t, automlHead+c.text)
		m, err := wire.ToREST(j)
		require.NoError(t, err, name)
		got, err := json.Marshal(m["properties"].(map[string]any)["taskDetails"])
		require.NoError(t, err)
		require.JSONEq(t, c.want, string(got), name)

		text, err := Dump(j)
		require.NoError(t, err, name)
		require.Equal(t, j, load(t, string(text)), "%s: %s", name, text)

		whole := toJSON(t, j)
		var back Spec
		require.NoError(t, wire.FromREST([]byte(whole), &back), name)
		require.JSONEq(t, whole, toJSON(t, back), name)
	}
}

func TestAutoMLEnvelope(t *testing.T) {
	j := load(t, automlHead+`
task: text_ner
name: n
display_name: d
compute: azureml:gpu
tags: {a: b}
outputs: {best_model: {type: mlflow_model}}
resources: {instance_count: 2, instance_type: STANDARD_NC6, shm_size: 2g, docker_args: [a, b], properties: {x: {y: z}}}
queue_settings: {job_tier: premium, priority: high}
identity: {type: managed}
environment_id: e
environment_variables: {A: b}`)
	require.JSONEq(t, `{"properties": {"jobType": "AutoML", "isArchived": false, "displayName": "d", "computeId": "gpu", "tags": {"a": "b"}, "properties": {},
		"outputs": {"best_model": {"jobOutputType": "uri_folder"}}, "resources": {"instance_count": 2, "instance_type": "STANDARD_NC6", "shm_size": "2g", "docker_args": ["a", "b"]},
		"queueSettings": {"job_tier": "premium", "priority": "high"}, "identity": {"identityType": "Managed"}, "environmentId": "e", "environmentVariables": {"A": "b"},
		"taskDetails": {"taskType": "TextNER", "logVerbosity": "Info", "trainingData": {"jobInputType": "mltable", "uri": "azureml:rows:1"}, "limitSettings": {"maxTrials": 1, "maxNodes": 1}}}}`,
		strings.Replace(toJSON(t, j), `"computeId":"azureml:gpu"`, `"computeId":"gpu"`, 1))
}

// A job that was read is updated in REST's own words, and keeps what nobody knows.
func TestAutoMLUpdate(t *testing.T) {
	id := "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/jobs/a"
	raw := `{"id": "` + id + `", "name": "a", "properties": {"jobType": "AutoML", "isArchived": true, "resources": {"instanceCount": 2, "later": 1}, "queueSettings": {"jobTier": "Spot"},
		"outputs": {"best_model": {"jobOutputType": "mlflow_model", "uri": "u"}}, "tags": {}, "status": "Running",
		"taskDetails": {"taskType": "ImageObjectDetection", "targetColumnName": "y", "primaryMetric": "MeanAveragePrecision", "trainingData": {"jobInputType": "mltable", "uri": "u", "mode": "EvalMount"},
			"searchSpace": [{"modelName": "choice(\"a\", 'b')", "learningRate": "uniform(0.1, 0.2)", "newParameter": "choice(1)", "imageSize": "600"}], "later": {"x": 1}}}}`
	var s Spec
	require.NoError(t, wire.FromREST([]byte(raw), &s))
	j := s.(*AutoMLJob)
	task := j.Task.(*ObjectDetectionTask)
	require.Equal(t, []DetectionSpace{{"model_name": Choice("a", "b"), "learning_rate": Uniform(0.1, 0.2), "image_size": Constant(600)}}, task.SearchSpace)
	require.Equal(t, 2, j.Resources.InstanceCount)
	require.Equal(t, TypeMLFlowModel, j.Outputs["best_model"].Type)
	j.Tags = map[string]string{"a": "b"}
	body, err := wire.Body(j, id)
	require.NoError(t, err)
	got, err := json.Marshal(body)
	require.NoError(t, err)
	require.JSONEq(t, `{"properties": {"jobType": "AutoML", "isArchived": true, "resources": {"instanceCount": 2, "later": 1}, "queueSettings": {"jobTier": "Spot"},
		"outputs": {"best_model": {"jobOutputType": "mlflow_model", "uri": "u"}}, "tags": {"a": "b"},
		"taskDetails": {"taskType": "ImageObjectDetection", "targetColumnName": "y", "primaryMetric": "MeanAveragePrecision", "trainingData": {"jobInputType": "mltable", "uri": "u", "mode": "EvalMount"},
			"searchSpace": [{"modelName": "choice(\"a\", 'b')", "learningRate": "uniform(0.1, 0.2)", "newParameter": "choice(1)", "imageSize": "600"}], "later": {"x": 1}}}}`, string(got))

	raw = `{"properties": {"jobType": "AutoML", "taskDetails": {"taskType": "Clustering", "k": 3}}}`
	require.NoError(t, wire.FromREST([]byte(raw), &s))
	require.Equal(t, "Clustering", s.(*AutoMLJob).Task.(*UnknownAutoMLTask).Raw["taskType"])
	require.Contains(t, toJSON(t, s), `"k":3`)
}

func TestAutoMLFaults(t *testing.T) {
	for text, want := range map[string]string{
		"target_column_name: y":                                                                                                                         `the key "task" is missing`,
		"task: clasification\ntarget_column_name: y":                                                                                                    `3:7: task: "clasification" is no AutoML task`,
		"task: classification":                                                                                                                          `"target_column_name" is missing`,
		"task: classification\ntarget_column_name: y\nprimary_metric: iou":                                                                              `5:17: primary_metric: "iou" is none of`,
		"task: classification\ntarget_column_name: y\nlimit: {}":                                                                                        `limit: unknown field; did you mean "limits"?`,
		"task: classification\ntarget_column_name: y\nforecasting: {}":                                                                                  "forecasting: unknown field",
		"task: classification\ntarget_column_name: y\nlimits: {max_trials: x}":                                                                          "limits.max_trials: wants an integer",
		"task: classification\ntarget_column_name: y\nvalidation_data: azureml:rows:1":                                                                  "validation_data: wants a mapping with path and type: mltable",
		"task: classification\ntarget_column_name: y\nn_cross_validations: many":                                                                        "n_cross_validations: wants a whole number, or auto",
		"task: classification\ntarget_column_name: y\nn_cross_validations: -1":                                                                          "n_cross_validations: -1 is negative",
		"task: classification\ntarget_column_name: y\ninputs: {}":                                                                                       "inputs: unknown field",
		"task: classification\ntarget_column_name: y\nenvironment_variables: {A: 1}":                                                                    "environment_variables.A: wants a string",
		"task: classification\ntarget_column_name: y\nfeaturization: {transformer_params: {scaler: []}}":                                                "is no transformer with parameters",
		"task: classification\ntarget_column_name: y\nfeaturization: {transformer_params: {imputer: [{fields: [a], parameters: {s: true}}]}}":           "parameters.s: wants text or a number",
		"task: classification\ntarget_column_name: y\ntraining: {allowed_training_algorithms: [elastic_net]}":                                           `"elastic_net" is none of`,
		"task: forecasting\ntarget_column_name: y\nforecasting: {target_lags: {a: 1}}":                                                                  "forecasting.target_lags: wants a whole number, a list of them, or auto",
		"task: forecasting\ntarget_column_name: y\nforecasting: {time_series_id_column_names: 3}":                                                       "wants a column's name",
		"task: image_classification\ntarget_column_name: y\ntraining_parameters: {box_score_threshold: 1}":                                              "training_parameters.box_score_threshold: is no parameter of this task",
		"task: image_object_detection\ntarget_column_name: y\ntraining_parameters: {weighted_loss: 1}":                                                  "training_parameters.weighted_loss: is no parameter of this task",
		"task: image_object_detection\ntarget_column_name: y\ntest_data_size: 0.1":                                                                      "test_data_size: unknown field",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{lerning_rate: 1}]":                                                          `search_space.0.lerning_rate: is no parameter of this task; did you mean "learning_rate"?`,
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{model_name: 3}]":                                                            "search_space.0.model_name: wants text",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{training_crop_size: {type: uniform, min_value: 1, max_value: 2}}]":          "uniform makes no whole numbers",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{training_crop_size: {type: quniform, min_value: 1.5, max_value: 2, q: 1}}]": "min_value: wants a whole number",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{model_name: {type: uniform, min_value: 1, max_value: 2}}]":                  "it takes a choice, not uniform",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{optimizer: {type: choice, values: [sgd, foo]}}]":                            "search_space.0.optimizer.values.1: wants one of none, sgd, adam, adamw",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{learning_rate: {type: even}}]":                                              "search_space.0.learning_rate.type: wants one of choice",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{learning_rate: {type: uniform, min_value: 1, q: 1}}]":                       `"max_value" is missing`,
		"task: image_classification\ntarget_column_name: y\nsearch_space: [{learning_rate: {type: choice, values: 3}}]":                                 "wants a list of values",
		"task: image_classification\ntarget_column_name: y\nsearch_space: [3]":                                                                          "search_space.0: wants a mapping of parameters",
		"task: image_classification\ntarget_column_name: y\nsweep: {early_termination: {type: bandit}}":                                                 `"sampling_algorithm" is missing`,
		"task: image_classification\ntarget_column_name: y\nsweep: {sampling_algorithm: {type: random, seed: 3}}":                                       "AutoML's sampling has a type alone",
		"task: text_classification\ntarget_column_name: y\nsearch_space: [{number_of_epochs: {type: quniform, min_value: 1, max_value: 2, q: 1}}]":      "choice and randint do",
		"task: text_classification\ntarget_column_name: y\nvalidation_data_size: 0.1":                                                                   "validation_data_size: unknown field",
		"task: text_ner\nprimary_metric: auc_weighted":                                                                                                  `"auc_weighted" is none of accuracy`,
	} {
		var s Spec
		err := wire.LoadYAML([]byte(automlHead+text), "", &s, nil)
		require.ErrorContains(t, err, want, text)
		require.NotEmpty(t, wire.FaultsOf(err), text)
	}
}

func TestAutoMLBuilder(t *testing.T) {
	b := AutoMLForecasting(MLTable("azureml:rows:1"), "y", "t").Named("n").Display("d").Describe("e").Experiment("x").Tag("a", "b").On("cpu").
		Validate(MLTable("azureml:v:1")).Test(MLTable("azureml:w:1")).Metric("R2Score").Trials(10, 2).Nodes(3).Timeout(time.Hour).TrialTimeout(10*time.Minute).
		Output("best_model", OutputModel()).As(azureml.Identity{User: &azureml.UserIdentity{}}).Resources(azureml.Resources{InstanceCount: 2}).Queue(Queue{Tier: TierSpot}).
		With(func(t AutoMLTask) { t.(*ForecastingTask).Forecasting.Horizon = Auto })
	j, err := b.Build()
	require.NoError(t, err)
	require.Equal(t, &AutoMLJob{
		Name: "n", DisplayName: "d", Description: "e", Experiment: "x", Tags: map[string]string{"a": "b"}, Compute: "cpu", Outputs: Outputs{"best_model": OutputModel()},
		Identity: azureml.Identity{User: &azureml.UserIdentity{}}, Resources: &azureml.Resources{InstanceCount: 2}, Queue: &Queue{Tier: TierSpot},
		Task: &ForecastingTask{
			TrainingData: MLTable("azureml:rows:1"), ValidationData: MLTable("azureml:v:1"), TestData: MLTable("azureml:w:1"), Target: "y", Metric: MetricR2Score,
			Forecasting: &Forecast{TimeColumn: "t", Horizon: Auto}, Limits: &TableLimits{MaxTrials: 10, MaxConcurrentTrials: 2, MaxNodes: 3, Timeout: time.Hour, TrialTimeout: 10 * time.Minute},
		},
	}, j)
	again, err := b.Build()
	require.NoError(t, err)
	require.Equal(t, j, again)

	given := &TextClassificationTask{TrainingData: MLTable("azureml:rows:1"), Target: "y"}
	_, err = AutoML(given).Trials(3, 1).Metric("accuracy").Build()
	require.NoError(t, err)
	require.Zero(t, given.Limits, "the task given is not changed")

	for _, b := range []*AutoMLBuilder{
		AutoMLClassification(MLTable("azureml:a:1"), "y"), AutoMLRegression(MLTable("azureml:a:1"), "y"), AutoMLImageClassification(MLTable("azureml:a:1"), "y"),
		AutoMLImageMultilabel(MLTable("azureml:a:1"), "y"), AutoMLObjectDetection(MLTable("azureml:a:1"), "y"), AutoMLInstanceSegmentation(MLTable("azureml:a:1"), "y"),
		AutoMLTextClassification(MLTable("azureml:a:1"), "y"), AutoMLTextMultilabel(MLTable("azureml:a:1"), "y"), AutoMLTextNER(MLTable("azureml:a:1")),
	} {
		_, err := b.Trials(2, 1).Timeout(time.Hour).Build()
		require.NoError(t, err)
	}

	_, err = AutoMLImageClassification(URIFile("azureml:a:1"), "").Named("a b").Test(MLTable("azureml:a:1")).Nodes(2).TrialTimeout(time.Minute).Timeout(time.Second).Metric("iou").Trials(-1, 0).
		Tag("a", "b").Tag("a", "c").Output("x y", Output{}).Output("v", Output{Version: "1"}).With(func(t AutoMLTask) {
		i := t.(*ImageClassificationTask)
		i.Parameters = &ImageParameters{TileGridSize: "3x2"}
		i.Sweep = &AutoMLSweep{}
		i.SearchSpace = []ImageClassificationSpace{{"foo": Choice(1), "learning_rate": Space{}, "model_name": Choice(3), "momentum": Uniform(2, 1), "optimizer": Constant("x"), "beta1": Choice("x")}}
	}).Build()
	var faults azureml.Faults
	require.ErrorAs(t, err, &faults)
	var fields []string
	for _, f := range faults {
		fields = append(fields, f.Field)
	}
	require.ElementsMatch(t, []string{
		"name", "test_data", "limits.max_nodes", "limits.trial_timeout_minutes", "limits.timeout_minutes", "primary_metric", "limits.max_trials", "tags.a", "outputs.x y", "outputs.v",
		"target_column_name", "training_data.type", "training_parameters.tile_grid_size", "sweep.sampling_algorithm", "search_space.0.foo", "search_space.0.learning_rate",
		"search_space.0.model_name", "search_space.0.momentum", "search_space.0.optimizer", "search_space.0.beta1",
	}, fields)

	_, err = AutoML(nil).Metric("x").Trials(1, 1).Build()
	require.ErrorContains(t, err, "a task is required")
	_, err = (*AutoMLBuilder)(nil).Build()
	require.Error(t, err)
}

func TestAutoMLChecks(t *testing.T) {
	for want, task := range map[string]AutoMLTask{
		"training_data: a table is required":                 &RegressionTask{Target: "y"},
		"training_data: is a table":                          &RegressionTask{Target: "y", TrainingData: Literal("x")},
		"n_cross_validations: 1 folds":                       &RegressionTask{Target: "y", TrainingData: MLTable("azureml:a:1"), CrossValidations: 1},
		"limits.timeout_minutes: 1s is not in whole minutes": &RegressionTask{Target: "y", TrainingData: MLTable("azureml:a:1"), Limits: &TableLimits{Timeout: time.Second}},
		"knn is blocked as well": &RegressionTask{Target: "y", TrainingData: MLTable("azureml:a:1"),
			Training: &TableTraining[RegressionAlgorithm]{AllowedAlgorithms: []RegressionAlgorithm{"knn"}, BlockedAlgorithms: []RegressionAlgorithm{"knn"}}},
		`"lassolar" is no algorithm for this task; did you mean "lasso_lars"?`: &RegressionTask{Target: "y", TrainingData: MLTable("azureml:a:1"),
			Training: &TableTraining[RegressionAlgorithm]{AllowedAlgorithms: []RegressionAlgorithm{"lassolar"}}},
		"forecasting.seasonality: -3 is negative": &ForecastingTask{Target: "y", TrainingData: MLTable("azureml:a:1"), Forecasting: &Forecast{Seasonality: -3}},
		"validation_data_size: -1 is negative":    &ObjectDetectionTask{Target: "y", TrainingData: MLTable("azureml:a:1"), ValidationDataSize: -1},
		"primary_metric: \"x\" is none of":        &TextNERTask{TrainingData: MLTable("azureml:a:1"), Metric: "x"},
		"limits.trial_timeout_minutes":            &TextNERTask{TrainingData: MLTable("azureml:a:1"), Limits: TextLimits{TrialTimeout: -time.Minute}},
		"there is no file or folder":              &TextNERTask{TrainingData: MLTable(filepath.Join(t.TempDir(), "none"))},
		"cannot be submitted":                     &UnknownAutoMLTask{},
	} {
		c := &checker{}
		(&AutoMLJob{Task: task}).check(t.Context(), c)
		require.ErrorContains(t, c.faults.Err(), want)
	}
	c := &checker{}
	(&AutoMLJob{}).check(t.Context(), c)
	require.ErrorContains(t, c.faults.Err(), "a task is required: classification, regression")
}

// Tables are resolved, all references before anything is uploaded.
func TestAutoMLSubmit(t *testing.T) {
	w := newWorld(t)
	w.accept("a")
	c, _ := w.client()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "MLTable"), []byte("paths: []\n"), 0o666))
	j := &AutoMLJob{Name: "a", Compute: "cpu", Task: &ClassificationTask{TrainingData: MLTable(dir), ValidationData: MLTable("azureml:gone@latest"), Target: "y"}}
	_, err := c.Submit(t.Context(), j, nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
	require.ErrorContains(t, err, "validation_data: ")
	for _, s := range w.calls("") {
		require.Equal(t, http.MethodGet, s.method, s.path)
	}
	j.Task = &ClassificationTask{TrainingData: MLTable("azureml:rows:3"), ValidationData: MLTable("azureml://datastores/d/paths/p"), Target: "y"}
	run, err := c.Submit(t.Context(), j, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	require.IsType(t, &AutoMLJob{}, run.Spec)
	require.Equal(t, "azureml:rows:3", j.Task.(*ClassificationTask).TrainingData.Path, "the job given is not changed")
	put := w.calls("PUT ")
	require.Len(t, put, 1)
	require.Equal(t, "api-version=2024-01-01-preview", put[0].query)
	p := put[0].body["properties"].(map[string]any)
	require.Equal(t, testWorkspace+"/computes/cpu", p["computeId"])
	require.Equal(t, map[string]any{"jobInputType": "mltable", "uri": testWorkspace + "/data/rows/versions/3"}, p["taskDetails"].(map[string]any)["trainingData"])
}
