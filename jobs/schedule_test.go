package jobs

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func loadSchedule(t *testing.T, text, file string, private bool) *Schedule {
	t.Helper()
	s := new(Schedule)
	require.NoError(t, wire.LoadYAML([]byte(text), file, s, &wire.LoadOptions{Private: private}))
	return s
}

func TestTriggers(t *testing.T) {
	wiretest.Kind[DataWindow](t)
	for text, want := range map[string]string{
		`{type: cron, expression: "15 6 * * 1", start_time: "2024-05-01T08:00:00", end_time: "2025-05-01T08:00:00.5+02:00", time_zone: Pacific Standard Time}`: `{"triggerType": "Cron",
			"expression": "15 6 * * 1", "startTime": "2024-05-01 08:00:00", "endTime": "2025-05-01 08:00:00", "timeZone": "Pacific Standard Time"}`,
		`{type: recurrence, frequency: month, interval: 1, schedule: {hours: 1, minutes: [2, 3], month_days: [1, 15]}}`: `{"triggerType": "Recurrence", "frequency": "month", "interval": 1,
			"schedule": {"hours": [1], "minutes": [2, 3], "monthDays": [1, 15]}, "timeZone": "UTC"}`,
		`{type: recurrence, frequency: Week, interval: 2, schedule: {hours: [], minutes: 0, week_days: friday}}`: `{"triggerType": "Recurrence", "frequency": "week", "interval": 2,
			"schedule": {"hours": [], "minutes": [0], "weekDays": ["friday"]}, "timeZone": "UTC"}`,
		`{type: recurrence, frequency: minute, interval: 30}`: `{"triggerType": "Recurrence", "frequency": "minute", "interval": 30, "schedule": {"hours": [], "minutes": []}, "timeZone": "UTC"}`,
	} {
		s := loadSchedule(t, "name: a\ncreate_job: azureml:x\ntrigger: "+text, "", false)
		m, err := wire.ToREST(s)
		require.NoError(t, err)
		got, err := json.Marshal(m["properties"].(map[string]any)["trigger"])
		require.NoError(t, err)
		require.JSONEq(t, want, string(got), text)
		back := new(Schedule)
		doc, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, wire.FromREST(doc, back))
		again, err := wire.ToREST(back)
		require.NoError(t, err)
		require.Equal(t, m, again)
		dump, err := wire.DumpYAML(s)
		require.NoError(t, err)
		require.Equal(t, s.Trigger, loadSchedule(t, string(dump), "", false).Trigger)
	}
	for text, want := range map[string]string{
		`{type: cron, expression: "1 2 3", start_time: 2024-05-01T08:00:00}`:                 "in quotes",
		`{type: cron, expression: "1 2 3 4 5", start_time: noon}`:                            "no time",
		`{type: recurrence, frequency: year, interval: 1}`:                                   "frequency",
		`{type: recurrence, frequency: day, interval: 1, schedule: {hours: 25, minutes: 0}}`: "0 to 23",
		`{type: recurrence, frequency: day, interval: 1, schedule: {hours: 2}}`:              "minutes",
		`{frequency: day, interval: 1}`:                                                      "type",
	} {
		err := wire.LoadYAML([]byte("name: a\ncreate_job: azureml:x\ntrigger: "+text), "", new(Schedule), nil)
		require.ErrorContains(t, err, want, text)
	}
	require.Equal(t, &RecurrenceTrigger{
		Frequency: Week, Interval: 2, TimeZone: "UTC", Schedule: RecurrencePattern{Hours: []int{6, 18}, Minutes: []int{30}, WeekDays: []WeekDay{Monday}},
	}, Every(2, Week).At(6, 30).At(18, 30).On(Monday).In("UTC"))
	require.Contains(t, Cron("* *").fault(), "5 fields"[2:])
}

const scheduledPipeline = `
type: pipeline
display_name: daily
tags: {a: b}
jobs:
  one: {type: command, component: azureml:one:1, compute: azureml:cpu}
`

func TestScheduledJobs(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "pipe.yml"), scheduledPipeline)
	writeFile(t, filepath.Join(dir, "job.yml"), "type: command\ncommand: echo a\nenvironment: azureml:e:1\n")
	const trigger = "\nname: a\ntrigger: {type: cron, expression: \"1 2 3 4 5\"}\ncreate_job: "
	for text, want := range map[string]string{
		"azureml:old_job": `{"jobType": "Pipeline", "sourceJobId": "old_job", "experimentName": "", "isArchived": false}`,
		"./pipe.yml": `{"jobType": "Pipeline", "isArchived": false, "displayName": "daily", "inputs": {}, "outputs": {}, "properties": {}, "tags": {"a": "b"}, "settings": {"_source": "YAML.JOB"},
			"jobs": {"one": {"_source": "REMOTE.WORKSPACE.COMPONENT", "name": "one", "type": "command", "componentId": "{W}/components/one/versions/1", "computeId": "{W}/computes/cpu"}}}`,
		"{type: pipeline, job: ./pipe.yml, display_name: other, tags: {c: d}, settings: {force_rerun: true}}": `{"jobType": "Pipeline", "isArchived": false, "displayName": "other",
			"inputs": {}, "outputs": {}, "properties": {}, "tags": {"a": "b", "c": "d"}, "settings": {"_source": "YAML.JOB", "force_rerun": true},
			"jobs": {"one": {"_source": "REMOTE.WORKSPACE.COMPONENT", "name": "one", "type": "command", "componentId": "{W}/components/one/versions/1", "computeId": "{W}/computes/cpu"}}}`,
		"{type: pipeline, job: azureml:old_job, experiment_name: again}": `{"jobType": "Pipeline", "sourceJobId": "old_job", "experimentName": "again", "isArchived": false, "inputs": {}, "outputs": {},
			"properties": {}, "tags": {}, "settings": {"_source": "YAML.JOB"}}`,
	} {
		w := newWorld(t)
		w.pipelines()
		w.echo(testWorkspace + "/schedules/")
		c := w.schedules()
		s := loadSchedule(t, trigger+text, filepath.Join(dir, "schedule.yml"), false)
		p, err := c.BeginCreate(t.Context(), s, nil)
		require.NoError(t, err, text)
		made, err := p.PollUntilDone(t.Context(), nil)
		require.NoError(t, err)
		put := w.calls("PUT " + testWorkspace + "/schedules/")
		require.Len(t, put, 1)
		require.Equal(t, "api-version=2023-06-01-preview", put[0].query)
		got, err := json.Marshal(put[0].body["properties"].(map[string]any)["action"].(map[string]any)["jobDefinition"])
		require.NoError(t, err)
		require.JSONEq(t, strings.ReplaceAll(want, "{W}", testWorkspace), string(got), text)
		again, err := wire.Body(made, testWorkspace+"/schedules/a")
		require.NoError(t, err)
		sent, err := json.Marshal(put[0].body)
		require.NoError(t, err)
		back, err := json.Marshal(again)
		require.NoError(t, err)
		require.JSONEq(t, string(sent), string(back), "what was read is sent again as it was")
	}
	for text, want := range map[string]string{
		"./job.yml":                  "cannot be scheduled",
		"./nowhere.yml":              "nowhere.yml",
		"{job: azureml:x, tags: {}}": "need its type",
		"{type: pipeline, job: [a]}": "job's file",
		"{type: pipeline, job: ./pipe.yml, displayname: a}": "displayname",
	} {
		err := wire.LoadYAML([]byte(trigger+text), filepath.Join(dir, "schedule.yml"), new(Schedule), nil)
		require.ErrorContains(t, err, want, text)
	}
	s := loadSchedule(t, trigger+"./job.yml", filepath.Join(dir, "schedule.yml"), true)
	require.IsType(t, &CommandJob{}, s.Action.(*ScheduledJob).Job)
	require.ErrorContains(t, wire.LoadYAML([]byte("name: a\ntrigger: {type: cron, expression: \"1 2 3 4 5\"}"), "", new(Schedule), nil), "create_job, create_monitor, import_data")
}

func (w *world) schedules() *ScheduleClient {
	o := &rest.Options{Clock: &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	o.Transport = w
	o.Retry.MaxRetries = -1
	r, err := rest.New(rest.ID{Subscription: "00000000-0000-0000-0000-0000000000aa", ResourceGroup: "rg", Name: "ws"}, fakeCredential{}, o)
	require.NoError(w.t, err)
	return NewScheduleClient(r)
}

func TestTrigger(t *testing.T) {
	w := newWorld(t)
	w.handle("POST "+testWorkspace+"/schedules/a/trigger", func(rw http.ResponseWriter, _ *http.Request) {
		writeJSON(rw, http.StatusOK, map[string]any{"jobName": "j", "scheduleActionType": "CreateJob"})
	})
	got, err := w.schedules().Trigger(t.Context(), "a", time.Time{})
	require.NoError(t, err)
	require.Equal(t, &Triggered{JobName: "j", ActionType: "CreateJob"}, got)
	post := w.calls("POST ")
	require.Equal(t, "api-version=2024-01-01-preview", post[0].query)
	require.Equal(t, map[string]any{"scheduleTime": "2026-01-01T00:00:00.000000+00:00"}, post[0].body)
}

func TestDataImport(t *testing.T) {
	w := newWorld(t)
	w.pipelines()
	c, _ := w.client()
	i := &DataImport{Name: "rows", Path: "azureml://datastores/d/paths/in/", Source: External{Type: Database, Connection: "azureml:con", Query: "select 1"}}
	_, err := c.Import(t.Context(), i, &SubmitOptions{NoGit: true})
	require.NoError(t, err)
	props := w.calls("PUT " + testWorkspace + "/jobs/")[0].body["properties"].(map[string]any)
	require.Equal(t, "data_import_rows", props["experimentName"])
	require.Equal(t, map[string]any{"azureml.materializationAssetName": "rows"}, props["properties"])
	require.Equal(t, map[string]any{"data_import_rows": map[string]any{
		"_source": "BUILTIN", "type": "data_transfer", "task": "import_data", "componentId": builtinTransfers + "import_data_database/versions/0.0.1",
		"computeId": testWorkspace + "/computes/serverless", "display_name": "data_import_rows",
		"source":  map[string]any{"type": "database", "connection": "azureml:con", "query": "select 1"},
		"outputs": map[string]any{"sink": map[string]any{"job_output_type": "mltable", "uri": "azureml://datastores/d/paths/in/${{name}}", "name": "rows"}},
	}}, props["jobs"])
	_, err = c.Import(t.Context(), &DataImport{Source: External{Type: FileSystem, Query: "x"}}, nil)
	for _, want := range []string{"name", "path", "source.type", "source.connection"} {
		require.ErrorContains(t, err, want)
	}
}
