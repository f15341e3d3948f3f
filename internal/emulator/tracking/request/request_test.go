package request

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]any{
		`1`: int64(1), `-0`: int64(0), `1.0`: 1.0, `1e3`: 1000.0, `1e400`: math.Inf(1), `Infinity`: math.Inf(1), `-Infinity`: math.Inf(-1), `9223372036854775808`: Big("9223372036854775808"),
		`"a\u00e9\n"`: "aé\n", `"\ud83d\ude00"`: "😀", `true`: true, `null`: nil, ` [1, "x"] `: []any{int64(1), "x"}, "\ufeff1": int64(1), `"\ud800"`: "\xed\xa0\x80",
	} {
		got, err := Parse([]byte(in))
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	nan, err := Parse([]byte("NaN"))
	require.NoError(t, err)
	require.True(t, math.IsNaN(nan.(float64)))
	for _, in := range []string{"", "{", `{"a"}`, `[1,]`, `{'a': 1}`, "01", "1.", ".5", `"a`, "\"\n\"", `"\x"`, "nul", "1 2", "\xff", `"\u12"`, strings.Repeat("[", 2000) + strings.Repeat("]", 2000)} {
		_, err := Parse([]byte(in))
		require.Error(t, err, in)
	}
	v, err := Parse([]byte(`{"b": 1, "a": 2, "b": 3}`))
	require.NoError(t, err)
	o := v.(*Object)
	require.Equal(t, []string{"b", "a"}, o.Keys)
	require.Equal(t, int64(3), o.Values["b"])
}

func TestPrint(t *testing.T) {
	v, err := Parse([]byte(`{"b": [1, 2.5, 1e22, true, null, "é\n\u0001😀\""], "a": {}}`))
	require.NoError(t, err)
	require.Equal(t, `{"b": [1, 2.5, 1e+22, true, null, "\u00e9\n\u0001\ud83d\ude00\""], "a": {}}`, Print(v))
	require.Equal(t, `{"b": [1, 2.5, 1e+22, true, null, "é\n\u0001😀\""], "a": {}}`, PrintText(v))
	require.Equal(t, `{"a":{},"b":[1,2.5,1e+22,true,null,"\u00e9\n\u0001\ud83d\ude00\""]}`, Dumps(v))
	require.Equal(t, `{'b': [1, 2.5, 1e+22, True, None, 'é\n\x01😀"'], 'a': {}}`, Repr(v))
}

func object(t require.TestingT, text string) *Object {
	v, err := Parse([]byte(text))
	require.NoError(t, err)
	return v.(*Object)
}

// What protobuf's JSON takes, and what it has read when it does not go on.
func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, in, shown string
		ok              bool
	}{
		{"Metric", `{"key": "k", "value": 1, "timestamp": "5", "step": 2.0}`, "k 1 5 2", true},
		{"Metric", `{"value": "NaN", "key": "k"}`, "k NaN 0 0", true},
		{"Metric", `{"value": "Infinity", "timestamp": 1e3}`, " +Inf 1000 0", true},
		{"Metric", `{"key": "k", "value": "x", "timestamp": 5}`, "k 0 0 0", false},
		{"Metric", `{"key": "k", "timestamp": 1.5, "step": 2}`, "k 0 0 0", false},
		{"Metric", `{"key": null, "value": null, "unknown": {"a": 1}}`, " 0 0 0", true},
		{"Metric", `{"key": 5}`, " 0 0 0", false},
		{"Metric", `{"datasetName": "d", "key": "k"}`, "k 0 0 0", true},
		{"Metric", `{"key": "\ud800"}`, " 0 0 0", false},
		{"Metric", `{"[a.b]": 1, "key": "k"}`, " 0 0 0", false},
	} {
		m, ok := Decode(c.name, object(t, c.in))
		require.Equal(t, c.ok, ok, c.in)
		require.Equal(t, c.shown, fmt.Sprint(m.Text("key"), " ", m.Float("value"), " ", m.Int("timestamp"), " ", m.Int("step")), c.in)
	}
	m, ok := Decode("SearchRuns", object(t, `{"experimentIds": ["1", "2"], "runViewType": "ALL"}`))
	require.True(t, ok)
	require.Equal(t, []string{"1", "2"}, m.Texts("experiment_ids"))
	require.Equal(t, int64(3), m.Int("run_view_type"))
	require.Equal(t, int64(1000), m.Int("max_results"), "a default")
	require.Nil(t, m.IntPtr("max_results"))
	require.True(t, m.Given("experiment_ids"))
	require.False(t, m.Given("filter"))
	m, ok = Decode("TraceInfo", object(t, `{"request_time": "2024-01-02T03:04:05.678Z", "executionDuration": "-1.5s", "tags": {"b": "1", "a": "2"}, "state": "OK"}`))
	require.True(t, ok)
	require.Equal(t, int64(1704164645678), m.Int("request_time"))
	require.Equal(t, int64(-1500), m.Int("execution_duration"))
	require.Equal(t, []string{"b", "a"}, m.Pairs("tags").Keys)
	_, ok = Decode("Assessment", object(t, `{"feedback": {"value": 1}, "expectation": {"value": 2}}`))
	require.False(t, ok, "two of one union")
	m, ok = Decode("UpdateAssessment", object(t, `{"update_mask": "feedback,assessmentName"}`))
	require.True(t, ok)
	require.Equal(t, []string{"feedback", "assessment_name"}, m.Texts("update_mask"))
	_, ok = Decode("LogBatch", object(t, strings.Repeat(`{"metrics": [`, 1)+`1]}`))
	require.False(t, ok)
}

func TestChecks(t *testing.T) {
	check := []Check{Need("run_id", IsText), May("status", IsText), May("end_time", IsInt)}
	for in, want := range map[string]string{
		`{"run_id": "r"}`: "", `{"run_uuid": "r"}`: "", `{"run_id": "r", "end_time": "12"}`: "",
		`{}`: "Missing value for required parameter 'run_id'.", `{"run_id": ""}`: "Missing value for required parameter 'run_id'.",
		`{"run_id": 5}`:                          `Invalid value 5 for parameter 'run_id' supplied:  Hint: Value was of type 'int'.`,
		`{"run_id": "r", "end_time": "x"}`:       `Invalid value "x" for parameter 'end_time' supplied:  Hint: Value was of type 'str'.`,
		`{"run_id": "r", "end_time": [1.5]}`:     `Invalid value [1.5] for parameter 'end_time' supplied:  Hint: Value was of type 'list'.`,
		`{"run_id": "r", "runId": "s"}`:          "Request specifies both 'run_id' and 'runId'",
		`[1]`:                                    "no JSON object",
		`"x"`:                                    "no JSON object",
		`"{\"run_id\": \"twice\"}"`:              "",
		`{"run_id": "r", "status": {"a": true}}`: `Invalid value {"a":true} for parameter 'status' supplied:  Hint: Value was of type 'dict'.`,
	} {
		_, err := Body("UpdateRun", []byte(in), check...)
		if want == "" {
			require.NoError(t, err, in)
		} else {
			require.ErrorContains(t, err, want, in)
		}
	}
	m, err := Query("SearchModelVersions", url.Values{"order_by": {"a", "b"}, "max_results": {"5"}, "other": {"x"}}, May("max_results", IsInt, AtMost(10)))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, m.Texts("order_by"))
	require.Equal(t, int64(5), m.Int("max_results"))
	_, err = Query("SearchModelVersions", url.Values{"max_results": {"11"}}, May("max_results", IsInt, AtMost(10)))
	require.Error(t, err)
	_, err = Query("GetTrace", url.Values{"allow_partial": {"maybe"}})
	require.ErrorContains(t, err, "must be 'true' or 'false'")
	_, err = Body("LogBatch", []byte(`{"metrics": [{"key": "a", "value": 1}]}`), May("metrics", EachHas("metrics", "key", "value", "timestamp")))
	require.ErrorContains(t, err, "Missing value for required parameter 'metrics[0].timestamp'.")
}

// Batches as Python's client writes them take the quick way.
func TestPlainBatchesAreQuick(t *testing.T) {
	body := []byte(`{"run_id": "5f", "metrics": [{"key": "a b/c", "value": 0.25, "timestamp": 1700000000000, "step": 0}, {"key": "n", "value": 1e-07, "timestamp": 1700000000000, "step": -1}], "params": [{"key": "p", "value": "v w"}], "tags": [{"key": "t", "value": ""}]}`)
	require.NotNil(t, (&quick{b: body, keys: map[string]string{}}).batch())
	sameBatch(t, body)
}

// The quick way reads what the slow one reads, or nothing.
func TestQuickBatches(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "loss", "a/b", "é", "\"", "\\u0041", "\n"}), rapid.String())
	number := rapid.OneOf(rapid.SampledFrom([]string{"0", "-0", "1", "-1.5", "1e3", "1E-3", "01", "1.", "+1", "NaN", "Infinity", `"NaN"`, `"5"`, "1e400", "9223372036854775808", "true", "null", "0.1", "123456789012345678"}),
		rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.Float64().Draw(t, "f")) }), rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.Int64().Draw(t, "i")) }))
	quoted := func(t *rapid.T, what string) string {
		b, err := json.Marshal(text.Draw(t, what))
		require.NoError(t, err)
		return string(b)
	}
	rapid.Check(t, func(t *rapid.T) {
		var parts []string
		if rapid.Bool().Draw(t, "has run") {
			parts = append(parts, `"run_id": `+quoted(t, "run"))
		}
		for _, list := range []string{"metrics", "params", "tags"} {
			if !rapid.Bool().Draw(t, "has "+list) {
				continue
			}
			var items []string
			for range rapid.IntRange(0, 4).Draw(t, "n") {
				var fields []string
				for _, f := range rapid.SliceOfN(rapid.SampledFrom([]string{"key", "value", "timestamp", "step", "model_id", "odd"}), 0, 5).Draw(t, "fields") {
					v := number.Draw(t, "number")
					if f == "key" || list != "metrics" || f == "model_id" {
						v = quoted(t, "text")
					}
					fields = append(fields, fmt.Sprintf("%q: %s", f, v))
				}
				items = append(items, "{"+strings.Join(fields, ", ")+"}")
			}
			parts = append(parts, fmt.Sprintf("%q: [%s]", list, strings.Join(items, ", ")))
		}
		sameBatch(t, []byte("{"+strings.Join(parts, ", ")+"}"))
	})
}

func sameBatch(t require.TestingT, body []byte) {
	q := &quick{b: body, keys: map[string]string{}}
	b := q.batch()
	if b == nil {
		return
	}
	slow, err := slowBatch(body)
	require.NoError(t, err, string(body))
	for i := range b.Metrics { // NaN is not equal to itself
		if math.IsNaN(b.Metrics[i].Value) && math.IsNaN(slow.Metrics[i].Value) {
			b.Metrics[i].Value, slow.Metrics[i].Value = 0, 0
		}
	}
	if len(b.Metrics) == 0 {
		b.Metrics = nil
	}
	if len(b.Params) == 0 {
		b.Params = nil
	}
	if len(b.Tags) == 0 {
		b.Tags = nil
	}
	require.Equal(t, slow, b, string(body))
}

func FuzzReadBatch(f *testing.F) {
	f.Add([]byte(`{"run_id": "r", "metrics": [{"key": "a", "value": 1.5, "timestamp": 5, "step": -3}], "params": [{"key": "p", "value": "v"}], "tags": []}`))
	f.Add([]byte(`{"run_id":"r","metrics":[{"key":"a","value":"NaN","timestamp":5},{"value":1e5,"timestamp":1,"key":"é"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) { sameBatch(t, body) })
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.5, "x\u00e9", null, true, NaN]}`, `"\ud83d\ude00"`, "1e5", `{"a": {"a": {}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Parse(b)
		if err != nil {
			return
		}
		for _, text := range []string{Print(v), Dumps(v), PrintText(v)} {
			again, err := Parse([]byte(text))
			require.NoError(t, err, text)
			require.Equal(t, Dumps(v), Dumps(again))
		}
		if o, ok := v.(*Object); ok {
			for name := range types() {
				Decode(name, o)
			}
		}
	})
}
