package monitoring

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func limit(v float64) *float64 { return &v }

// said keeps what a comparison says.
type said []string

func (s *said) say(format string, args ...any) { *s = append(*s, fmt.Sprintf(format, args...)) }

func values(metrics []Metric) map[string]float64 {
	out := map[string]float64{}
	for _, m := range metrics {
		out[m.Name+" "+m.Group] = m.Value
	}
	return out
}

func TestDriftChoosesFeatures(t *testing.T) {
	t.Parallel()
	var s said
	few := make([]float64, 100) // whole numbers, of which two differ: categories
	for i := range few {
		few[i] = float64(i % 2)
	}
	many := make([]float64, 100)
	for i := range many {
		many[i] = float64(i)
	}
	long := func(name string, of []float64) *Column {
		return &Column{Name: name, Type: Long, Null: make([]bool, len(of)), Numbers: of}
	}
	r := tableOf(long("few", few), long("many", many), numbers("typed", many...), texts("alone", make([]string, 100)...))
	p := tableOf(long("few", few), long("many", many), long("typed", many))
	c := &Comparison{Reference: r, Production: p, Say: s.say, Limits: []Limit{{Numerical, KolmogorovSmirnov, limit(0.05)}, {Categorical, ChiSquared, nil}}}
	got, err := Drift(c)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"TwoSampleKolmogorovSmirnovTest many": 1, "PearsonsChiSquaredTest few": 1, "BaselineRowCount ": 100, "TargetRowCount ": 100}, values(got))
	require.Equal(t, said{"The column typed is of type double in the reference data and of type long in the production data, and is left out.", "The column alone is in the reference data alone and is left out."}, s)
	c.Override, s = map[string]string{"few": "numerical", "typed": "Numerical"}, nil
	got, err = Drift(c)
	require.NoError(t, err)
	require.Contains(t, values(got), "TwoSampleKolmogorovSmirnovTest few")
	require.Contains(t, values(got), "TwoSampleKolmogorovSmirnovTest typed")
	c.Features = []string{"gone"}
	_, err = Drift(c)
	require.ErrorContains(t, err, `no column "gone"`)
	c.Features, c.Override = []string{"alone"}, nil
	_, err = Drift(c)
	require.ErrorContains(t, err, `the production data has no column "alone"`)

	// Rows with a null do not count.
	r = tableOf(numbers("x", 1, 2, 3), texts("s", "a", "b", "c"))
	r.Columns[1].Null[0] = true
	got, err = Drift(&Comparison{Reference: r, Production: tableOf(numbers("x", 2, 3), texts("s", "b", "c")), Say: s.say, Limits: []Limit{{Numerical, WassersteinDistance, limit(0.1)}}})
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"NormalizedWassersteinDistance x": 0, "BaselineRowCount ": 2, "TargetRowCount ": 2}, values(got))
	_, err = kolmogorovSmirnov(make([]float64, maxSample), []float64{1})
	require.ErrorContains(t, err, "fewer than 10000 rows")
	require.Equal(t, 0.0, jensenShannon(histogram([]float64{5, 5}, edges([]float64{5}, []float64{5})), []int{3}), "of one value alone")
}

func TestQuality(t *testing.T) {
	t.Parallel()
	r, err := Read(t.Context(), []File{file(t, "r.csv", "age,pay,job,ok\n20,1.5,a,true\n30,2.5,b,false\n,3.5,a,true\n40,4.5,b,true\n")})
	require.NoError(t, err)
	p, err := Read(t.Context(), []File{file(t, "p.csv", "age,pay,job,ok\n20,abc,a,true\n300,1.0,c,maybe\n,,,\n,9,b,false\n25,2.5,b,yes\n")})
	require.NoError(t, err)
	var s said
	c := &Comparison{Reference: r, Production: p, Say: s.say}
	for _, kind := range []string{Numerical, Categorical} {
		for _, m := range metricsOf[DataQuality][kind] {
			c.Limits = append(c.Limits, Limit{kind, m, limit(0.1)})
		}
	}
	got, err := Quality(c)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{
		"NullValueRate age": 0.4, "NullValueRate pay": 0.2, "NullValueRate job": 0.2, "NullValueRate ok": 0.2,
		// pay is text in the production data: the null takes the first of the most frequent texts, abc.
		"DataTypeErrorRate age": 0, "DataTypeErrorRate pay": 0.4, "DataTypeErrorRate job": 0, "DataTypeErrorRate ok": 0.2,
		"OutOfBoundsRate age": 0.2, "OutOfBoundsRate pay": 0.4, "OutOfBoundsRate job": 0.2,
		"BaselineRowCount ": 4, "TargetRowCount ": 5,
	}, values(got))
	for _, m := range got {
		if m.Name == NullRate && m.Group == "age" {
			require.InDelta(t, 0.35, *m.Threshold, 1e-9, "what is beyond the reference data's own rate")
			require.True(t, m.Breached())
		}
	}
}

func TestBreached(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]bool{WassersteinDistance: {false, true}, ChiSquared: {true, false}, KolmogorovSmirnov: {true, false}, Accuracy: {true, false}, RootSquaredError: {false, true}, "std": {false, true}} {
		for i, v := range []float64{0.1, 0.9} {
			m := Metric{Name: name, Value: v, Threshold: limit(0.5)}
			require.Equal(t, want[i], m.Breached(), "%s %v", name, v)
			m.Threshold = nil
			require.False(t, m.Breached())
		}
	}
}

func parsed(t *testing.T, text string) *Signal {
	t.Helper()
	s, err := Parse(json.RawMessage(text))
	require.NoError(t, err)
	return s
}

const some = `{"uri":"azureml:x:1"}`

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	limits := `"metricThresholds":[{"dataType":"Numerical","metric":"jensenShannonDistance","threshold":{"value":0.1}}]`
	for text, want := range map[string]string{
		`{"signalType":"GenerationSafetyQuality"}`:                                              "signalType: The local workspace computes no GenerationSafetyQuality signals: it is judged by a language model",
		`{"signalType":"GenerationTokenStatistics"}`:                                            "Application Insights",
		`{"signalType":"Weather"}`:                                                              `"Weather" is unknown`,
		`{"signalType":"DataDrift"}`:                                                            "productionData",
		`{"signalType":"DataDrift","productionData":` + some + `}`:                              "referenceData",
		`{"signalType":"DataDrift","productionData":` + some + `,"referenceData":` + some + `}`: "metricThresholds",
		`{"signalType":"DataDrift","productionData":{"uri":"a","inputDataType":"Trailing"},"referenceData":` + some + `,` + limits + `}`:                                                         "productionData[0].windowSize",
		`{"signalType":"DataDrift","productionData":` + some + `,"referenceData":{"uri":"a","inputDataType":"Static","windowStart":"x"},` + limits + `}`:                                         "referenceData.windowStart",
		`{"signalType":"DataDrift","productionData":` + some + `,"referenceData":` + some + `,"metricThresholds":[{"dataType":"Numerical","metric":"pearsonsChiSquaredTest"}]}`:                  "metricThresholds[0].metric",
		`{"signalType":"DataDrift","productionData":` + some + `,"referenceData":` + some + `,"metricThresholds":[{"dataType":"Odd","metric":"x"}]}`:                                             "metricThresholds[0].dataType",
		`{"signalType":"DataDrift","productionData":` + some + `,"referenceData":` + some + `,"features":{"filterType":"TopNByAttribution","top":2},` + limits + `}`:                             "name it, as referenceData.columns.target",
		`{"signalType":"DataDrift","productionData":` + some + `,"referenceData":` + some + `,"featureDataTypeOverride":{"a":"odd"},` + limits + `}`:                                             "featureDataTypeOverride.a",
		`{"signalType":"ModelPerformance","productionData":[` + some + `],"referenceData":` + some + `,"metricThreshold":{"metric":"Accuracy","threshold":{"value":0.9}}}`:                       "columns.prediction",
		`{"signalType":"FeatureAttributionDrift","productionData":[` + some + `],"referenceData":` + some + `,"metricThreshold":{"metric":"normalizedDiscountedCumulativeGain","threshold":{}}}`: "columns.target",
		`{"signalType":"Custom"}`: "componentId",
		`{"signalType":"Custom","componentId":"a:1","workspaceConnection":{"secrets":{"K":"v"}}}`: "workspaceConnection.secrets",
	} {
		_, err := Parse(json.RawMessage(text))
		require.ErrorContains(t, err, want, text)
	}
}

func TestComputeSignals(t *testing.T) {
	t.Parallel()
	var s said
	// Predictions under another name than what they are compared with.
	got, err := parsed(t, `{"signalType":"PredictionDrift","productionData":{"uri":"a","columns":{"prediction":"p"}},"referenceData":{"uri":"b","columns":{"target":"y"}},
		"metricThresholds":[{"dataType":"Categorical","metric":"JensenShannonDistance","threshold":{"value":0.1}}]}`).Compute(t.Context(), Tables{[]*Table{tableOf(texts("p", "a", "b"), texts("q", "c", "d"))}, tableOf(texts("y", "c", "d"), numbers("x", 1, 2))}, "classification", s.say)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"JensenShannonDistance p": 1, "BaselineRowCount ": 2, "TargetRowCount ": 2}, values(got))

	// A segment, and the collector's ids are no feature.
	of := &Table{Rows: 3, Collected: true, Columns: []*Column{numbers("x", 1, 2, 9), texts("s", "a", "a", "b"), texts(correlation, "1", "2", "3")}}
	got, err = parsed(t, `{"signalType":"DataDrift","productionData":`+some+`,"referenceData":`+some+`,"dataSegment":{"feature":"s","values":["a"]},"features":{"filterType":"FeatureSubset","features":["x"]},
		"metricThresholds":[{"dataType":"Numerical","metric":"normalizedWassersteinDistance","threshold":{"value":0.1}}]}`).Compute(t.Context(), Tables{[]*Table{of}, of}, "", s.say)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"NormalizedWassersteinDistance x": 0, "BaselineRowCount ": 2, "TargetRowCount ": 2}, values(got))

	// What the model said and what was true, joined by ids; all thresholds are in a property.
	perf := parsed(t, `{"signalType":"ModelPerformance","mode":"Enabled","productionData":[{"uri":"a","columns":{"prediction":"p","correlation_id":"id"}}],"referenceData":{"uri":"b","columns":{"target":"p","correlation_id":"cid"}},
		"metricThreshold":{"metric":"Accuracy","modelType":"Classification","threshold":{"value":0.9}},
		"properties":{"azureml.modelmonitor.model_performance_thresholds":"[{\"modelType\":\"classification\",\"metric\":\"Accuracy\",\"threshold\":{\"value\":0.9}}, {\"metric\":\"Recall\",\"threshold\":{\"value\":0.5}}]"}}`)
	require.True(t, perf.Alerts())
	got, err = perf.Compute(t.Context(), Tables{[]*Table{tableOf(texts("id", "1", "2", "3", "4"), texts("p", "a", "a", "b", "b"))}, tableOf(texts("cid", "4", "3", "2", "9"), texts("p", "b", "a", "a", "b"))}, "classification", s.say)
	require.NoError(t, err)
	require.InDelta(t, 2.0/3, values(got)["Accuracy "], 1e-9)
	require.InDelta(t, 0.75, values(got)["Recall "], 1e-9)
	require.True(t, got[0].Breached())
	got, err = parsed(t, `{"signalType":"ModelPerformance","productionData":[{"uri":"a","columns":{"prediction":"p","target":"y"}}],"metricThresholds":[{"metric":"RootMeanSquaredError","threshold":{"value":1}},{"metric":"MeanAbsoluteError","threshold":{"value":1}}]}`).
		Compute(t.Context(), Tables{Production: []*Table{tableOf(numbers("p", 1, 2), numbers("y", 1, 4))}}, "regression", s.say)
	require.NoError(t, err)
	require.InDelta(t, 1.41421356, values(got)["RootMeanSquaredError "], 1e-8)
	require.InDelta(t, 1, values(got)["MeanAbsoluteError "], 1e-9)

	// The most important features, and how their importance has moved.
	data, err := Read(t.Context(), []File{{Path: "testdata/importance.csv", Shown: "importance.csv"}})
	require.NoError(t, err)
	data = data.take(spread(data.Rows, 200))
	inputs := data.choose([]string{"amount", "age", "noise", "kind", "hour", "value"})
	s = nil
	got, err = parsed(t, `{"signalType":"DataDrift","productionData":`+some+`,"referenceData":{"uri":"b","columns":{"target_column":"value"}},"features":{"filterType":"TopNByAttribution","top":2},
		"metricThresholds":[{"dataType":"Numerical","metric":"populationStabilityIndex","threshold":{"value":0.1}},{"dataType":"Categorical","metric":"populationStabilityIndex","threshold":{"value":0.1}}]}`).
		Compute(t.Context(), Tables{[]*Table{inputs}, inputs}, "regression", s.say)
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"PopulationStabilityIndex amount": 0, "PopulationStabilityIndex kind": 0, "BaselineRowCount ": 200, "TargetRowCount ": 200}, values(got))
	require.Equal(t, said{"The 2 most important features of 5 are: amount, kind."}, s)
	ids := make([]string, data.Rows)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	seen := &Table{Rows: data.Rows, Columns: append(data.choose([]string{"amount", "age", "noise", "kind", "hour"}).Columns, texts("cid", ids...))}
	answers := numbers("p", slices.Clone(data.Column("value").Numbers)...)
	attribution := parsed(t, `{"signalType":"FeatureAttributionDrift","productionData":[{"uri":"a","columns":{"correlation_id":"cid"}},{"uri":"c","columns":{"correlation_id":"cid","prediction":"p"}}],"referenceData":{"uri":"b","columns":{"target":"value"}},
		"metricThreshold":{"metric":"normalizedDiscountedCumulativeGain","threshold":{"value":0.9}}}`)
	got, err = attribution.Compute(t.Context(), Tables{[]*Table{seen, tableOf(texts("cid", ids...), answers)}, inputs}, "regression", s.say)
	require.NoError(t, err)
	require.InDelta(t, 1, values(got)["NormalizedDiscountedCumulativeGain "], 1e-9)
	require.Len(t, got, 1+2*5+2)
	copy(answers.Numbers, data.Column("noise").Numbers) // now it goes by the noise
	got, err = attribution.Compute(t.Context(), Tables{[]*Table{seen, tableOf(texts("cid", ids...), answers)}, inputs}, "regression", s.say)
	require.NoError(t, err)
	require.Less(t, values(got)["NormalizedDiscountedCumulativeGain "], 0.9)
	require.True(t, got[0].Breached())

	given, err := parsed(t, `{"signalType":"Custom","componentId":"a:1","metricThresholds":[{"metric":"std","threshold":{"value":2}}]}`).Given(tableOf(texts("metric_name", "std", "std", "n"), numbers("metric_value", 1, 3, 7), texts("group", "a", "b", "")))
	require.NoError(t, err)
	require.Equal(t, []bool{false, true, false}, []bool{given[0].Breached(), given[1].Breached(), given[2].Breached()})
	text, err := Report("mine", Custom, given, func(Metric) string { return "" })
	require.NoError(t, err)
	require.JSONEq(t, `{"signalName":"mine","signalType":"Custom","version":"1.0.0","metrics":{"std":{"groups":{"a":{"value":1,"threshold":2},"b":{"value":3,"threshold":2}}},"n":{"value":7}}}`, string(text))
}

func TestWindow(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 3, 10, 6, 30, 0, 0, time.UTC)
	s, err := (&Data{Window: "Trailing", Size: "P7D", Offset: "P1D"}).Span(at)
	require.Nil(t, err)
	require.Equal(t, Span{at.AddDate(0, 0, -8), at.AddDate(0, 0, -1)}, s)
	files := []File{{Shown: "in/2024/03/02/05/a.jsonl"}, {Shown: "in/2024/03/02/06/a.jsonl"}, {Shown: "in/2024/03/09/06/a.jsonl"}, {Shown: "in/2024/03/09/07/a.jsonl"}, {Shown: "in/readme.jsonl"}}
	left, dated := s.Within(files)
	require.True(t, dated)
	require.Equal(t, files[1:3], left)
	left, dated = s.Within([]File{{Shown: "in/all.csv"}})
	require.False(t, dated)
	require.Len(t, left, 1)
	s, err = (&Data{Window: "Static", Start: "2024-03-01T00:00:00.000Z", End: "2024-03-02"}).Span(at)
	require.Nil(t, err)
	require.Equal(t, 24*time.Hour, s.End.Sub(s.Start))
}
