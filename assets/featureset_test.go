package assets

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func anyClockTime(t *rapid.T) ClockTime {
	return ClockTime(rapid.SampledFrom([]string{"", "2024-05-01T08:00:00", "2024-05-01 08:00:00", "2024-05-01T08:00:00Z"}).Draw(t, "time"))
}

func TestFeatureKinds(t *testing.T) {
	wiretest.Kind[FeatureSet](t, wiretest.Value(anyClockTime))
	wiretest.Kind[FeatureStoreEntity](t)
	wiretest.Kind[Backfill](t)
	require.NoError(t, wire.Check(FeatureSetSpec{}))
}

const setYAML = `name: transactions
version: "1"
description: sums
specification: {path: azureml://datastores/d/paths/spec}
entities: ["azureml:account:1"]
materialization_settings:
  offline_enabled: true
  online_enabled: false
  resource: {instance_type: standard_e8s_v3}
  schedule: {type: recurrence, frequency: day, interval: 1, start_time: "2024-05-01T08:00:00"}
  spark_configuration: {spark.driver.cores: 4}
  notification: {email_on: [JobFailed], emails: [a@example.org]}
tags: {a: b}
`

// The bodies are those that the reference SDK was recorded to send.
func TestFeatureBodies(t *testing.T) {
	s := &FeatureSet{}
	require.NoError(t, wire.LoadYAML([]byte(setYAML), "set.yml", s, nil))
	require.JSONEq(t, `{"properties":{"description":"sums","entities":["azureml:account:1"],"materializationSettings":{"notification":{"emailOn":["JobFailed"],"emails":["a@example.org"]},
		"resource":{"instanceType":"standard_e8s_v3"},"schedule":{"frequency":"day","interval":1,"schedule":{"hours":[],"minutes":[]},"startTime":"2024-05-01 08:00:00","timeZone":"UTC","triggerType":"Recurrence"},
		"sparkConfiguration":{"spark.driver.cores":4},"storeType":"Offline"},"specification":{"path":"azureml://datastores/d/paths/spec"},"stage":"Development","tags":{"a":"b"}}}`, body(t, s))
	e := &FeatureStoreEntity{}
	require.NoError(t, wire.LoadYAML([]byte("name: account\nversion: \"1\"\ndescription: accounts\nindex_columns: [{name: accountID, type: string}]\ntags: {a: b}"), "", e, nil))
	require.JSONEq(t, `{"properties":{"description":"accounts","indexColumns":[{"columnName":"accountID","dataType":"String"}],"properties":{},"stage":"Development","tags":{"a":"b"}}}`, body(t, e))
}

func TestFeatureFaults(t *testing.T) {
	const set, entity = "name: a\nversion: '1'\nspecification: {path: x}\nentities: []\n", "name: a\nversion: '1'\n"
	for _, c := range []struct {
		into       any
		text, want string
	}{
		{&FeatureSet{}, "name: a\nversion: 1\nspecification: {path: x}\nentities: []", "f.yml:2:10: version: wants a string"},
		{&FeatureSet{}, "name: a\nversion: '1'\nentities: []", `required field "specification"`},
		{&FeatureSet{}, "name: a\nversion: '1'\nspecification: {path: x}", `required field "entities"`},
		{&FeatureSet{}, set + "stage: Testing", "stage"},
		{&FeatureSet{}, set + "materialization_settings: {resource: {}}", "instance_type"},
		{&FeatureSet{}, set + "materialization_settings: {schedule: {frequency: day, interval: 1}}", `"type"`},
		{&FeatureSet{}, set + "materialization_settings: {schedule: {type: recurrence, frequency: day, interval: 1, start_time: soon}}", "schedule.start_time"},
		{&FeatureSet{}, set + "materialization_settings: {notification: {email_on: [JobStarted], emails: []}}", "notification.email_on.0"},
		{&FeatureStoreEntity{}, entity, `required field "index_columns"`},
		{&FeatureStoreEntity{}, entity + "index_columns: [{name: x, type: text}]", "f.yml:3:33: index_columns.0.type"},
		{&Backfill{}, "name: a\nversion: '1'\ndata_status: [Some]", "data_status.0"},
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(c.text), "f.yml", c.into, nil), c.want, c.text)
	}
}

// The texts are those of the reference's FeaturesetSpecMetadata for the same files.
func TestFeatureSetSpecs(t *testing.T) {
	for text, want := range map[string]string{
		`$schema: x
extra: 1
source:
  type: custom
  timestamp_column: {name: timestamp, format: "%Y"}
  source_delay: {days: 1}
  source_process_code: {path: ./code, process_class: a.B}
  kwargs: {a: b}
feature_transformation_code: {path: ./c, transformer_class: x.Y}
features:
  - {name: total, type: LONG, description: "a ü sum", tags: {z: b, a: ""}}
  - {name: t2, type: weird}
index_columns:
  - {name: accountID, type: STRING}
source_lookback: {days: 0, hours: 5}
temporal_join_lookback: {minutes: 7}
`: `{"source": {"type": "custom", "timestampColumn": {"name": "timestamp", "format": "%Y"}, "sourceDelay": {"Days": 1}, "source_process_code": {"path": "./code", "process_class": "a.B"}}, "featureTransformationCode": {"Path": "./c", "TransformerClass": "x.Y"}, "features": [{"FeatureName": "total", "DataType": "LONG", "Description": "a \u00fc sum", "Tags": {"z": "b", "a": ""}}, {"FeatureName": "t2", "DataType": "weird"}], "indexColumns": [{"ColumnName": "accountID", "DataType": "string"}], "sourceLookback": {"Days": 0, "Hours": 5}, "temporalJoinLookback": {"Minutes": 7}}`,
		"source: {type: featureset, path: x}\nfeatures: []": `{"source": {"type": "featureset", "path": "x"}, "features": []}`,
		"source: {type: csv, path: x, kwargs: {}, timestamp_column: {name: t}, source_delay: {}}\nfeatures: [{name: x, type: y}]\nindex_columns: [{name: a, type: string}]": `{"source": {"type": "csv", "path": "x", "timestampColumn": {"name": "t"}, "sourceDelay": {}}, "features": [{"FeatureName": "x", "DataType": "y"}], "indexColumns": [{"ColumnName": "a", "DataType": "string"}]}`,
	} {
		_, got, err := parseSpec([]byte(text), "s.yml")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	const columns = "\nindex_columns: [{name: a, type: string}]"
	for text, want := range map[string]string{
		"": "is empty",
		"source: {type: featureset, path: x}\nfeatures: []" + columns:                                                     "s.yml:3:16: index_columns: a source of the type featureset has its own",
		"source: {type: featureset}\nfeatures: []":                                                                        `needs "path"`,
		"source: {type: featureset, path: x, source_delay: {days: 1}}\nfeatures: []":                                      "source.source_delay",
		"source: {type: csv, path: x, timestamp_column: {name: t}}\nfeatures: []":                                         `"index_columns"`,
		"source: {type: csv, path: x}\nfeatures: []" + columns:                                                            `needs "timestamp_column"`,
		"source: {type: csv, path: x, timestamp_column: {name: t}, kwargs: {a: b}}\nfeatures: []" + columns:               "source.kwargs",
		"source: {type: custom, path: x, timestamp_column: {name: t}, kwargs: {a: b}}\nfeatures: []" + columns:            `needs "source_process_code"`,
		"source: {type: csv, path: x, timestamp_column: {name: t}}\nfeatures: [{name: x}]" + columns:                      "features.0",
		"source: {type: csv, path: x, timestamp_column: {name: t}}\nfeatures: []\nindex_columns: [{name: a, type: text}]": "index_columns.0.type",
		"source: {type: csv, path: x, timestamp_column: {name: t, zone: 1}}\nfeatures: []" + columns:                      "source.timestamp_column.zone: unknown field",
		"features: []": `required field "source"`,
	} {
		_, _, err := parseSpec([]byte(text), "s.yml")
		require.ErrorContains(t, err, want, text)
	}
}

func TestFeatureSets(t *testing.T) {
	w := newWorld(t)
	c := NewFeatureSetClient(w.c)
	dir := writeTree(t, map[string]string{specFile: "source: {type: featureset, path: x}\nfeatures: []\n", ".amlignore": "x", ".hidden/y": "y", "code.py": "c"})
	before, err := os.ReadFile(filepath.Join(dir, ".amlignore"))
	require.NoError(t, err)
	set := &FeatureSet{Name: "sums", Version: "1", Specification: Specification{Path: dir}, Entities: []string{"azureml:account:1"}}
	p, err := c.BeginCreate(t.Context(), set, nil)
	require.NoError(t, err)
	made, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Regexp(t, `^azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/workspaceblobstore/paths/LocalUpload/[0-9a-f]{64}/rows$`, made.Specification.Path)
	require.Equal(t, dir, set.Specification.Path, "what was given is not changed")
	after, err := os.ReadFile(filepath.Join(dir, ".amlignore"))
	require.NoError(t, err)
	require.Equal(t, before, after)
	doc := w.doc("featuresets/sums/versions/1")
	require.Equal(t, map[string]any{"featuresetPropertiesVersion": "1", "featuresetProperties": `{"source": {"type": "featureset", "path": "x"}, "features": []}`}, doc["properties"])

	// A specification that is in storage already is read there.
	again := *made
	again.Version, again.Description = "2", "moved"
	p, err = c.BeginCreate(t.Context(), &again, nil)
	require.NoError(t, err)
	_, err = p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, doc["properties"], w.doc("featuresets/sums/versions/2")["properties"])

	_, err = c.BeginRestore(t.Context(), "sums", "1", nil)
	require.ErrorContains(t, err, "it is not archived")
	_, err = c.BeginArchive(t.Context(), "sums", "1", nil)
	require.NoError(t, err)
	require.Equal(t, []any{"Archived", true}, []any{w.doc("featuresets/sums/versions/1")["stage"], w.doc("featuresets/sums/versions/1")["isArchived"]})
	_, err = c.BeginArchive(t.Context(), "sums", "1", nil)
	require.ErrorContains(t, err, "it is archived already")
	_, err = c.BeginRestore(t.Context(), "sums", "1", nil)
	require.NoError(t, err)
	require.Equal(t, "Development", w.doc("featuresets/sums/versions/1")["stage"])

	for _, bad := range []FeatureSet{{}, {Name: "a", Version: "1", Specification: Specification{Path: filepath.Join(dir, "none")}}, {Name: "a", Version: "1", Specification: Specification{Path: filepath.Join(dir, "code.py")}}} {
		calls := len(w.calls)
		_, err := c.BeginCreate(t.Context(), &bad, nil)
		require.Error(t, err)
		require.Len(t, w.calls, calls)
	}
}
