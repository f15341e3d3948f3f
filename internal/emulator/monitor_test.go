package emulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// monitorOf is a schedule of a monitor that acts each hour.
func monitorOf(signals o) o {
	return o{"properties": o{"trigger": cron("0 * * * *"), "action": o{"actionType": "CreateMonitor", "monitorDefinition": o{
		"computeConfiguration":     o{"computeType": "ServerlessSpark", "instanceType": "standard_e4s_v3", "runtimeVersion": "3.4", "computeIdentity": o{"computeIdentityType": "AmlToken"}},
		"monitoringTarget":         o{"taskType": "classification"},
		"alertNotificationSetting": o{"alertNotificationType": "Email", "emailNotificationSetting": o{"emailOn": []any{"JobFailed"}, "emails": []any{"a@example.org", "b@example.org"}}},
		"signals":                  signals,
	}}}}
}

func fixed(at, kind string, columns o) o {
	return o{"inputDataType": "Fixed", "jobInputType": kind, "uri": at, "columns": columns}
}

func limits(kind string, of ...any) (out []any) {
	for i := 0; i < len(of); i += 2 {
		out = append(out, o{"dataType": kind, "metric": of[i], "threshold": o{"value": of[i+1]}})
	}
	return out
}

// signalValues reads what a monitor's job has put out of a signal.
func (c *client) signalValues(job, step, signal string) document {
	c.t.Helper()
	var v map[string]any
	require.NoError(c.t, json.Unmarshal([]byte(c.blobText("azureml/"+job+"/"+step+"/signals/"+signal+".json")), &v))
	return v
}

// childNamed is the run of a job's step.
func (c *client) childNamed(job, step string) document {
	c.t.Helper()
	for _, v := range c.do("GET", "https://"+arm.APIHost+"/history/v1.0"+DefaultScope.ID()+"/runs/"+job+"/children", nil).want(200).doc()["value"].([]any) {
		if d := document(v.(map[string]any)); d.text("displayName") == step {
			return d
		}
	}
	require.Fail(c.t, "no such step", step)
	return nil
}

func (c *client) log(run string) string {
	c.t.Helper()
	r, err := c.s.blobs.Open(c.t.Context(), DefaultScope.Account(), arm.ArtifactContainer, arm.RunPrefix(run)+"/user_logs/std_log.txt")
	require.NoError(c.t, err)
	defer r.Close()
	var b strings.Builder
	_, err = r.WriteTo(&b)
	require.NoError(c.t, err)
	return b.String()
}

func TestMonitorComputesItsSignals(t *testing.T) {
	t.Parallel()
	clk := newClock()
	c := inside(t, open(t, Options{Clock: clk.Now}))
	var train, seen strings.Builder
	train.WriteString("age,job,y\n")
	for i := range 100 {
		fmt.Fprintf(&train, "%d.5,%s,%d\n", 20+i%40, []string{"a", "b"}[i%2], i%2)
	}
	for h := range 3 { // as a deployment's collector writes, an hour in each folder
		seen.Reset()
		for i := range 20 {
			fmt.Fprintf(&seen, `{"specversion":"1.0","data":[{"age":%d.5,"job":"%s"}],"correlationid":"%d-%d"}`+"\n", 20+40*h+i, []string{"a", "c"}[i%2], h, i)
		}
		c.blob(fmt.Sprintf("seen/2026/03/01/%02d/x.jsonl", 11+h), seen.String())
	}
	c.blob("train/train.csv", train.String())
	c.do("PUT", at("data", "seen", "versions", "1"), o{"properties": o{"dataType": "uri_folder", "dataUri": paths("seen/")}}).want(201)
	c.blob("said/said.csv", "id,p\n1,yes\n2,no\n3,yes\n")
	c.blob("truth/MLTable", "paths: [{file: ./truth.txt}]\ntransformations: [{read_delimited: {delimiter: ';', header: all_files_same_headers}}]\n")
	c.blob("truth/truth.txt", "key;y\n1;yes\n2;yes\n4;yes\n")
	production := o{"inputDataType": "Trailing", "windowSize": "PT1H", "windowOffset": "P0D", "jobInputType": "uri_folder", "uri": "azureml:seen:1"}
	c.do("PUT", at("schedules", "watch"), monitorOf(o{
		"My drift": o{"signalType": "DataDrift", "mode": "Enabled", "productionData": production, "referenceData": fixed(paths("train/train.csv"), "uri_file", o{"target": "y"}),
			"features": o{"filterType": "AllFeatures"}, "metricThresholds": append(limits("Numerical", "normalizedWassersteinDistance", 0.1), limits("Categorical", "jensenShannonDistance", 0.9)...)},
		"quality": o{"signalType": "DataQuality", "mode": "Disabled", "productionData": production, "referenceData": fixed(paths("train/train.csv"), "uri_file", nil),
			"metricThresholds": append(limits("Numerical", "nullValueRate", 0, "outOfBoundsRate", 0), limits("Categorical", "outOfBoundsRate", 0.6)...)},
		"performance": o{"signalType": "ModelPerformance", "mode": "Enabled", "productionData": []any{fixed(paths("said/"), "uri_folder", o{"prediction": "p", "correlation_id": "id"})},
			"referenceData": fixed(paths("truth/"), "mltable", o{"target": "y", "correlation_id": "key"}), "metricThreshold": o{"modelType": "Classification", "metric": "Accuracy", "threshold": o{"value": 0.4}}},
	})).want(201)
	clk.Move(time.Hour) // 13:00: the hours 12 and 13 are the window
	job := c.started("watch", 1)[0]
	d := c.ended(job)
	require.Equal(t, "Completed", d.text("properties", "status"))
	require.Equal(t, []string{"watch-20260301T130000Z", "Pipeline", "watch", "watch"}, []string{job, d.text("properties", "jobType"), d.text("properties", "experimentName"), d.text("properties", "properties", scheduleProperty)})

	drift := c.signalValues(job, "my_drift", "My drift")
	require.Equal(t, []string{"My drift", "DataDrift", "1.0.0"}, []string{drift.text("signalName"), drift.text("signalType"), drift.text("version")})
	require.Equal(t, 40.0, drift.at("metrics", "TargetRowCount", "value"), "two of the three hours")
	require.Equal(t, 100.0, drift.at("metrics", "BaselineRowCount", "value"))
	require.Greater(t, drift.at("metrics", "NormalizedWassersteinDistance", "groups", "age", "value"), 1.0)
	require.Equal(t, 0.1, drift.at("metrics", "NormalizedWassersteinDistance", "groups", "age", "threshold"))
	require.InDelta(t, 0.7071, drift.at("metrics", "JensenShannonDistance", "groups", "job", "value"), 0.01)
	quality := c.signalValues(job, "quality", "quality")
	require.Equal(t, 0.0, quality.at("metrics", "NullValueRate", "groups", "age", "value"))
	require.Equal(t, 0.5, quality.at("metrics", "OutOfBoundsRate", "groups", "job", "value"))
	performance := c.signalValues(job, "performance", "performance")
	require.Equal(t, 0.5, performance.at("metrics", "Accuracy", "value"))

	// Its run has the metrics, and the log and the tags say what was breached and that nobody was written to.
	run := c.childNamed(job, "My drift").text("runId")
	log := c.log(run)
	require.Contains(t, log, "NormalizedWassersteinDistance of age is")
	require.Contains(t, log, "which is breached")
	require.Contains(t, log, "The local workspace sends no mail; Azure would write to a@example.org,b@example.org.")
	require.Contains(t, c.log(c.childNamed(job, "performance").text("runId")), "All metrics are within their thresholds.")
	require.Contains(t, c.log(c.childNamed(job, "quality").text("runId")), "Nobody is told: the signal's alerts are not enabled.")
	require.Contains(t, d.text("properties", "tags", "azureml.modelmonitor.threshold.breached.My drift"), `"group":"age"`)
	require.Equal(t, "a@example.org,b@example.org", d.text("properties", "tags", "azureml.notification.email.address"))
	require.Empty(t, d.text("properties", "tags", "azureml.modelmonitor.threshold.breached.quality"))
	r, err := c.s.tracking.Run(t.Context(), DefaultScope.Key(), run)
	require.NoError(t, err)
	require.NotEmpty(t, r.Tags["azureml_modelmonitor_threshold_breached"])
	keys := map[string]float64{}
	for _, m := range r.Metrics {
		keys[m.Key] = m.Value
	}
	require.Contains(t, keys, "NormalizedWassersteinDistance/age")
	require.Equal(t, 40.0, keys["TargetRowCount"])

	// The next tick's values are added to the runs that keep them over time.
	series := drift.text("metrics", "NormalizedWassersteinDistance", "groups", "age", "timeseries", "runId")
	clk.Move(time.Hour)
	next := c.started("watch", 2)[1]
	require.Equal(t, "Completed", c.ended(next).text("properties", "status"))
	require.Equal(t, 20.0, c.signalValues(next, "my_drift", "My drift").at("metrics", "TargetRowCount", "value"))
	history := c.do("GET", "https://"+arm.APIHost+"/mlflow/v1.0"+DefaultScope.ID()+"/api/2.0/mlflow/metrics/get-history?run_id="+series+"&metric_key=value", nil).want(200).doc()
	require.Len(t, history["metrics"], 2)
	one, err := c.s.tracking.Run(t.Context(), DefaultScope.Key(), series)
	require.NoError(t, err)
	require.Equal(t, "age", one.Tags["azureml.group_0"])
	parent, err := c.s.tracking.Run(t.Context(), DefaultScope.Key(), one.Parent)
	require.NoError(t, err)
	require.Equal(t, "watch - Metrics", parent.Name)

	// No data in the window: the job fails and says so; the others are computed all the same.
	clk.Move(10 * time.Hour)
	last := c.started("watch", 3)[2]
	require.Equal(t, "Failed", c.ended(last).text("properties", "status"))
	require.Contains(t, c.log(c.childNamed(last, "My drift").text("runId")), "there is no data between 2026-03-01T23:00:00Z and 2026-03-02T00:00:00Z")
	require.Equal(t, 0.5, c.signalValues(last, "performance", "performance").at("metrics", "Accuracy", "value"))
}

func TestMonitorRunsComponents(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	c := inside(t, open(t, Options{Clock: clk.Now}))
	c.blob("raw/rows.csv", "x\n1\n2\n3\n")
	component := func(name string, inputs, outputs o, line string) {
		c.do("PUT", at("components", name, "versions", "1"), o{"properties": o{"componentSpec": o{
			"name": name, "version": "1", "type": "command", "inputs": inputs, "outputs": outputs, "command": line, "environment": DefaultScope.AssetID("environments", "sklearn-1.5", "1"),
		}}}).want(201)
	}
	text := o{"type": "string"}
	component("prep", o{"data_window_start": text, "data_window_end": text, "input_data": o{"type": "uri_folder"}}, o{"preprocessed_input_data": o{"type": "mltable"}},
		`cp ${{inputs.input_data}}/rows.csv ${{outputs.preprocessed_input_data}}/t.csv; echo "${{inputs.data_window_start}} ${{inputs.data_window_end}}"; printf 'paths: [{file: ./t.csv}]\ntransformations: [read_delimited]\n' > ${{outputs.preprocessed_input_data}}/MLTable`)
	component("mine", o{"rows": o{"type": "mltable"}, "count_threshold": o{"type": "number"}, "extra": text}, o{"signal_metrics": o{"type": "uri_folder"}},
		`n=$(wc -l < ${{inputs.rows}}/t.csv); printf '{"metric_name":"count","metric_value":%d,"group":"all","threshold_value":${{inputs.count_threshold}}}\n{"metric_name":"other","metric_value":1}\n' $n > ${{outputs.signal_metrics}}/m.jsonl; echo ${{inputs.extra}} $WHO`)
	rows := o{"inputDataType": "Trailing", "windowSize": "P7D", "windowOffset": "P1D", "jobInputType": "uri_folder", "uri": paths("raw/"), "preprocessingComponentId": DefaultScope.AssetID("components", "prep", "1")}
	c.do("PUT", at("schedules", "own"), monitorOf(o{
		"custom": o{"signalType": "Custom", "mode": "Enabled", "componentId": "mine:1", "inputAssets": o{"rows": rows}, "inputs": o{"extra": o{"jobInputType": "literal", "value": "more"}},
			"metricThresholds": []any{o{"metric": "count", "threshold": o{"value": 3}}}, "workspaceConnection": o{"environmentVariables": o{"WHO": "me"}}},
		"drift": o{"signalType": "DataDrift", "productionData": rows, "referenceData": fixed(paths("raw/"), "uri_folder", nil), "featureDataTypeOverride": o{"x": "categorical"}, "metricThresholds": limits("Categorical", "populationStabilityIndex", 0.1)},
	})).want(201)
	clk.Move(time.Hour)
	job := c.started("own", 1)[0]
	require.Equal(t, "Completed", c.ended(job).text("properties", "status"))
	v := c.signalValues(job, "custom", "custom")
	require.Equal(t, []any{4.0, 3.0}, []any{v.at("metrics", "count", "groups", "all", "value"), v.at("metrics", "count", "groups", "all", "threshold")})
	require.Equal(t, 1.0, v.at("metrics", "other", "value"))
	require.Equal(t, 0.0, c.signalValues(job, "drift", "drift").at("metrics", "PopulationStabilityIndex", "groups", "x", "value"))
	require.Contains(t, c.log(c.childNamed(job, "drift_production_data").text("runId")), "2026-02-21T13:00:00Z 2026-02-28T13:00:00Z")
	require.Contains(t, c.log(c.childNamed(job, "custom_compute_metrics").text("runId")), "more me")
	d := c.ended(job)
	require.Contains(t, d.text("properties", "tags", "azureml.modelmonitor.threshold.breached.custom"), `"metric_name":"count"`)

	// Components that are not there are the tick's fault, and are said.
	c.do("PUT", at("schedules", "own"), monitorOf(o{"custom": o{"signalType": "Custom", "componentId": "gone:1", "metricThresholds": []any{}}})).want(200)
	clk.Move(time.Hour)
	failed := c.started("own", 2)[1]
	require.Equal(t, "Failed", c.ended(failed).text("properties", "status"))
	details := c.do("GET", "https://"+arm.APIHost+"/history/v1.0"+DefaultScope.ID()+"/runs/"+failed+"/details", nil).want(200).doc()
	require.Contains(t, details.text("error", "error", "message"), "gone")
}

func TestMonitorRefusals(t *testing.T) {
	t.Parallel()
	c := inside(t, open(t, Options{}))
	for want, signals := range map[string]o{
		"monitorDefinition.signals\"": {},
		"signals.safety.signalType":   {"safety": o{"signalType": "GenerationSafetyQuality"}},
		"asks none":                   {"safety": o{"signalType": "GenerationSafetyQuality"}},
		"Application Insights":        {"tokens": o{"signalType": "GenerationTokenStatistics"}},
		"signals.d.referenceData":     {"d": o{"signalType": "DataDrift", "productionData": fixed("azureml:a:1", "mltable", nil)}},
	} {
		require.Contains(t, string(c.do("PUT", at("schedules", "bad"), monitorOf(signals)).want(400).body), want)
	}
	c.do("GET", at("schedules", "bad"), nil).want(404)
}
