package jobs

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

const monitorFile = `
name: watch
trigger: {type: recurrence, frequency: day, interval: 2}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_target: {ml_task: regression, endpoint_deployment_id: "azureml:ep:blue"}
  alert_notification: {emails: [a@example.org]}
  monitoring_signals:
    drift:
      type: data_drift
      reference_data: {input_data: {path: "azureml:ref:1", type: mltable}, data_context: training, data_column_names: {target: y}}
      features: {top_n_feature_importance: 5}
      feature_type_override: {a: categorical}
      data_segment: {feature_name: a, feature_values: [x, "y"]}
      alert_enabled: true
      properties: {k: v}
      metric_thresholds: {numerical: {jensen_shannon_distance: 0.01, normalized_wasserstein_distance: 0.02}, categorical: {pearsons_chi_squared_test: 0.03}}
    quality:
      type: data_quality
      production_data: {input_data: {path: "azureml:prod:1", type: uri_folder}, pre_processing_component: "azureml:prep:1", data_window: {lookback_window_size: P7D}}
      reference_data: {input_data: {path: "azureml:ref:1", type: uri_folder}, pre_processing_component: "azureml:prep:1", data_window: {window_start: "2024-01-01", window_end: "2024-02-01"}}
      features: [a, b]
      metric_thresholds: {numerical: {null_value_rate: 0.1, data_type_error_rate: 0.2}, categorical: {null_value_rate: 0}}
    predictions:
      type: prediction_drift
      metric_thresholds: {categorical: {jensen_shannon_distance: 0.1}}
    attribution:
      type: feature_attribution_drift
      reference_data: {input_data: {path: "azureml:ref:1", type: mltable}, data_column_names: {target: y}}
      metric_thresholds: {normalized_discounted_cumulative_gain: 0.9}
    performance:
      type: model_performance
      production_data: {input_data: {path: "azureml:prod:1", type: uri_folder}, data_column_names: {prediction: p}}
      reference_data: {input_data: {path: "azureml:truth:1", type: uri_folder}, data_context: ground_truth}
      metric_thresholds: {classification: {accuracy: 0.9, recall: 0.7}}
    mine:
      type: custom
      component_id: azureml:my_signal:1
      inputs: {extra: {type: uri_folder, path: "azureml:ref:1", mode: ro_mount}}
      input_data: {prod: {input_data: {type: uri_folder, path: "azureml:prod:1"}, data_window: {lookback_window_size: P30D, lookback_window_offset: P7D}}}
      metric_thresholds: [{metric_name: std, threshold: 2}]
      connection: {environment_variables: {A: b}, secret_config: {K: secret}}
    safety:
      type: generation_safety_quality
      connection_id: azureml:openai
      production_data: [{input_data: {path: "azureml:prompts:1", type: uri_folder}, data_column_names: {prompt_column: q}}]
      sampling_rate: 0.5
      metric_thresholds: {groundedness: {aggregated_groundedness_pass_rate: 0.7}, fluency: {aggregated_fluency_pass_rate: 0.5, acceptable_fluency_score_per_instance: 4}}
    tokens:
      type: generation_token_statistics
      metric_thresholds: {totaltoken: {total_token_count: 5, total_token_count_per_group: 1000}}
`

const monitorREST = `{
	"drift": {"signalType": "DataDrift", "mode": "Enabled", "properties": {"k": "v"}, "dataSegment": {"feature": "a", "values": ["x", "y"]},
		"featureDataTypeOverride": {"a": "categorical"}, "features": {"filterType": "TopNByAttribution", "top": 5},
		"metricThresholds": [{"dataType": "Numerical", "metric": "jensenShannonDistance", "threshold": {"value": 0.01}}, {"dataType": "Categorical", "metric": "pearsonsChiSquaredTest", "threshold": {"value": 0.03}}],
		"productionData": {"dataContext": "model_inputs", "inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": "{W}/data/ep-in/versions/1", "windowOffset": "P0D", "windowSize": "P2D"},
		"referenceData": {"columns": {"target": "y"}, "dataContext": "training", "inputDataType": "Fixed", "jobInputType": "mltable", "uri": "{W}/data/ref/versions/1"}},
	"quality": {"signalType": "DataQuality", "mode": "Disabled", "features": {"features": ["a", "b"], "filterType": "FeatureSubset"},
		"metricThresholds": [{"dataType": "Numerical", "metric": "nullValueRate", "threshold": {"value": 0.1}}, {"dataType": "Numerical", "metric": "dataTypeErrorRate", "threshold": {"value": 0.2}},
			{"dataType": "Categorical", "metric": "nullValueRate", "threshold": {"value": 0}}],
		"productionData": {"inputDataType": "Trailing", "jobInputType": "uri_folder", "preprocessingComponentId": "{W}/components/prep/versions/1", "uri": "{W}/data/prod/versions/1", "windowOffset": "P0D", "windowSize": "P7D"},
		"referenceData": {"inputDataType": "Static", "jobInputType": "uri_folder", "preprocessingComponentId": "{W}/components/prep/versions/1", "uri": "{W}/data/ref/versions/1",
			"windowEnd": "2024-02-01T00:00:00.000Z", "windowStart": "2024-01-01T00:00:00.000Z"}},
	"predictions": {"signalType": "PredictionDrift", "mode": "Disabled", "modelType": "classification", "metricThresholds": [{"dataType": "Categorical", "metric": "jensenShannonDistance", "threshold": {"value": 0.1}}],
		"productionData": {"dataContext": "model_outputs", "inputDataType": "Trailing", "jobInputType": "uri_file", "uri": "{W}/data/ep-out/versions/2", "windowOffset": "P0D", "windowSize": "P2D"},
		"referenceData": {"dataContext": "model_outputs", "inputDataType": "Trailing", "jobInputType": "uri_file", "uri": "{W}/data/ep-out/versions/2", "windowOffset": "P2D", "windowSize": "P4D"}},
	"attribution": {"signalType": "FeatureAttributionDrift", "mode": "Disabled", "metricThreshold": {"metric": "normalizedDiscountedCumulativeGain", "threshold": {"value": 0.9}},
		"productionData": [{"dataContext": "model_inputs", "inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": "{W}/data/ep-in/versions/1", "windowOffset": "P0D", "windowSize": "P2D"},
			{"dataContext": "model_outputs", "inputDataType": "Trailing", "jobInputType": "uri_file", "uri": "{W}/data/ep-out/versions/2", "windowOffset": "P0D", "windowSize": "P2D"}],
		"referenceData": {"columns": {"target": "y"}, "inputDataType": "Fixed", "jobInputType": "mltable", "uri": "{W}/data/ref/versions/1"}},
	"performance": {"signalType": "ModelPerformance", "mode": "Disabled", "metricThreshold": {"metric": "Accuracy", "modelType": "Classification", "threshold": {"value": 0.9}},
		"productionData": [{"columns": {"prediction": "p"}, "inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": "{W}/data/prod/versions/1", "windowOffset": "P0D", "windowSize": "P2D"}],
		"properties": {"azureml.modelmonitor.model_performance_thresholds": "[{\"modelType\":\"classification\",\"metric\":\"Accuracy\",\"threshold\":{\"value\":0.9}}, {\"modelType\":\"classification\",\"metric\":\"Recall\",\"threshold\":{\"value\":0.7}}]"},
		"referenceData": {"dataContext": "ground_truth", "inputDataType": "Fixed", "jobInputType": "uri_folder", "uri": "{W}/data/truth/versions/1"}},
	"mine": {"signalType": "Custom", "mode": "Disabled", "componentId": "my_signal:1", "workspaceConnection": {"environmentVariables": {"A": "b"}, "secrets": {"K": "secret"}},
		"inputs": {"extra": {"jobInputType": "uri_folder", "mode": "ReadOnlyMount", "uri": "{W}/data/ref/versions/1"}}, "metricThresholds": [{"metric": "std", "threshold": {"value": 2}}],
		"inputAssets": {"prod": {"inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": "prod:1", "windowOffset": "P7D", "windowSize": "P30D"}}},
	"safety": {"signalType": "GenerationSafetyQuality", "mode": "Disabled", "samplingRate": 0.5, "workspaceConnectionId": "azureml:openai",
		"metricThresholds": [{"metric": "AcceptableGroundednessScorePerInstance", "threshold": {"value": 3}}, {"metric": "AggregatedGroundednessPassRate", "threshold": {"value": 0.7}},
			{"metric": "AcceptableFluencyScorePerInstance", "threshold": {"value": 4}}, {"metric": "AggregatedFluencyPassRate", "threshold": {"value": 0.5}}],
		"productionData": [{"columns": {"prompt_column": "q"}, "inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": "{W}/data/prompts/versions/1", "windowOffset": "P0D", "windowSize": "P2D"}]},
	"tokens": {"signalType": "GenerationTokenStatistics", "mode": "Disabled", "samplingRate": 0.1,
		"metricThresholds": [{"metric": "TotalTokenCount", "threshold": {"value": 5}}, {"metric": "TotalTokenCountPerGroup", "threshold": {"value": 1000}}],
		"productionData": {"inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": "{W}/data/traces/versions/3", "windowOffset": "P0D", "windowSize": "P7D"}}
}`

// collecting is a world with a deployment that collects what goes in and out.
func collecting(t *testing.T) *world {
	w := newWorld(t)
	collection := func(name, version string) map[string]any {
		return map[string]any{"dataCollectionMode": "Enabled", "dataId": testWorkspace + "/data/" + name + "/versions/" + version}
	}
	w.answer("GET "+testWorkspace+"/onlineEndpoints/ep/deployments/blue", map[string]any{"properties": map[string]any{"dataCollector": map[string]any{"collections": map[string]any{
		"model_inputs": collection("ep-in", "1"), "model_outputs": collection("ep-out", "2"), "app_traces": collection("traces", "3"),
	}}}})
	for path, kind := range map[string]string{"ep-in/versions/1": "uri_folder", "ep-out/versions/2": "uri_file", "traces/versions/3": "uri_folder"} {
		name, _, _ := strings.Cut(path, "/")
		w.answer("GET "+testWorkspace+"/data/"+path, map[string]any{"id": testWorkspace + "/data/" + path, "name": name, "properties": map[string]any{"dataType": kind, "dataUri": "azureml://datastores/d/paths/x"}})
	}
	w.echo(testWorkspace + "/schedules/")
	return w
}

func TestMonitor(t *testing.T) {
	w := collecting(t)
	s := loadSchedule(t, monitorFile, "", false)
	p, err := w.schedules().BeginCreate(t.Context(), s, nil)
	require.NoError(t, err)
	made, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Nil(t, s.Action.(*Monitor).Signals["drift"].(*DataDriftSignal).Production, "what was given is not changed")

	sent := w.calls("PUT ")[0].body
	def := sent["properties"].(map[string]any)["action"].(map[string]any)["monitorDefinition"].(map[string]any)
	got, err := json.Marshal(def["signals"])
	require.NoError(t, err)
	require.JSONEq(t, strings.ReplaceAll(monitorREST, "{W}", testWorkspace), string(got))
	delete(def, "signals")
	got, err = json.Marshal(def)
	require.NoError(t, err)
	require.JSONEq(t, strings.ReplaceAll(`{"computeConfiguration": {"computeType": "ServerlessSpark", "instanceType": "standard_e4s_v3", "runtimeVersion": "3.4", "computeIdentity": {"computeIdentityType": "AmlToken"}},
		"monitoringTarget": {"taskType": "regression", "deploymentId": "{W}/onlineEndpoints/ep/deployments/blue"},
		"alertNotificationSetting": {"alertNotificationType": "Email", "emailNotificationSetting": {"emailOn": ["JobFailed", "JobCompleted"], "emails": ["a@example.org"]}}}`, "{W}", testWorkspace), string(got))

	// What the service answers says the same again.
	again, err := wire.ToREST(&Schedule{Name: made.Name, Trigger: made.Trigger, Action: made.Action})
	require.NoError(t, err)
	signals := again["properties"].(map[string]any)["action"].(map[string]any)["monitorDefinition"].(map[string]any)["signals"]
	got, err = json.Marshal(signals)
	require.NoError(t, err)
	require.JSONEq(t, strings.ReplaceAll(monitorREST, "{W}", testWorkspace), string(got))

	dump, err := wire.DumpYAML(s)
	require.NoError(t, err)
	require.Equal(t, s, loadSchedule(t, string(dump), "", false))
}

func TestMonitorDefaults(t *testing.T) {
	w := collecting(t)
	s := &Schedule{Name: "watch", Trigger: Cron("0 3 * * *"), Action: &Monitor{
		Compute: MonitorCompute{InstanceType: "standard_e4s_v3", RuntimeVersion: "3.5"}, Target: &MonitorTarget{Deployment: "azureml:ep:blue"}, Alert: &MonitorAlert{AzureMonitor: true},
	}}
	_, err := w.schedules().BeginCreate(t.Context(), s, nil)
	require.NoError(t, err)
	def := w.calls("PUT ")[0].body["properties"].(map[string]any)["action"].(map[string]any)["monitorDefinition"].(map[string]any)
	require.Equal(t, map[string]any{"alertNotificationType": "AzureMonitor"}, def["alertNotificationSetting"])
	signals := def["signals"].(map[string]any)
	require.Len(t, signals, 3)
	require.Equal(t, map[string]any{
		"dataContext": "model_inputs", "inputDataType": "Trailing", "jobInputType": "uri_folder", "uri": testWorkspace + "/data/ep-in/versions/1", "windowOffset": "P7D", "windowSize": "P14D",
	}, signals["data-drift-signal"].(map[string]any)["referenceData"])

	w.answer("GET "+testWorkspace+"/onlineEndpoints/ep/deployments/blue", map[string]any{"properties": map[string]any{}})
	_, err = w.schedules().BeginCreate(t.Context(), s, nil)
	require.ErrorContains(t, err, "collects no inputs")

	bad := &Schedule{Name: "a b", Action: &Monitor{
		Compute: MonitorCompute{RuntimeVersion: "3.1"}, Target: &MonitorTarget{Deployment: "ep"},
		Signals: Signals{"x": &PerformanceSignal{}, "y": nil, "z": &DataDriftSignal{Production: &MonitorData{Window: &DataWindow{Start: "2024-01-01", Size: "7 days"}}}},
	}}
	_, err = w.schedules().BeginCreate(t.Context(), bad, nil)
	for _, want := range []string{
		"name", "trigger", "instance_type", `"3.1" is none of 3.4, 3.5`, "endpoint_deployment_id", "x.production_data", "x.metric_thresholds", "y: the signal is nil",
		"z.production_data.input_data", "z.production_data.data_window: data of production moves on", `lookback_window_size`,
	} {
		require.ErrorContains(t, err, want)
	}
}
