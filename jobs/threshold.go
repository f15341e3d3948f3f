package jobs

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// limit is a threshold by the name of its metric.
type limit struct {
	name  string
	value **float64
}

// threshold is a limit as services spell it.
func threshold(metric string, value float64) map[string]any {
	return map[string]any{"metric": metric, "threshold": map[string]any{"value": value}}
}

// setLimit finds the limit of a metric in what a service answers.
func setLimit(limits []limit, n *wire.Node, name func(string) string) {
	metric, _ := n.Get("metric").Str() // absent: no metric has that name
	for _, l := range limits {
		if strings.EqualFold(name(l.name), metric) {
			*l.value = numberOf(n.Get("threshold", "value"))
		}
	}
}

// numberOf is a node's number, nil when it has none.
func numberOf(n *wire.Node) *float64 {
	if n == nil {
		return nil
	}
	var f float64
	switch v := n.Value.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case string: // 1e-3 is text in YAML 1.1
		var err error
		if f, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil {
			return nil
		}
	default:
		return nil
	}
	return &f
}

// camel spells a name in camel case: "null_value_rate" is "nullValueRate".
func camel(s string) string {
	parts := strings.Split(s, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}

// DriftThresholds are limits of drift. Services take one for numbers and one for categories: the first that is set.
type DriftThresholds struct {
	Numerical   *NumericalDrift   `yaml:"numerical" json:"-"`
	Categorical *CategoricalDrift `yaml:"categorical" json:"-"`
}

// NumericalDrift is a limit of how far numbers have drifted.
type NumericalDrift struct {
	JensenShannonDistance          *float64 `yaml:"jensen_shannon_distance" json:"-"`
	NormalizedWassersteinDistance  *float64 `yaml:"normalized_wasserstein_distance" json:"-"`
	PopulationStabilityIndex       *float64 `yaml:"population_stability_index" json:"-"`
	TwoSampleKolmogorovSmirnovTest *float64 `yaml:"two_sample_kolmogorov_smirnov_test" json:"-"`
}

// CategoricalDrift is a limit of how far categories have drifted.
type CategoricalDrift struct {
	JensenShannonDistance    *float64 `yaml:"jensen_shannon_distance" json:"-"`
	PopulationStabilityIndex *float64 `yaml:"population_stability_index" json:"-"`
	PearsonsChiSquaredTest   *float64 `yaml:"pearsons_chi_squared_test" json:"-"`
}

func (d *NumericalDrift) limits() []limit {
	return []limit{
		{"jensen_shannon_distance", &d.JensenShannonDistance}, {"normalized_wasserstein_distance", &d.NormalizedWassersteinDistance},
		{"population_stability_index", &d.PopulationStabilityIndex}, {"two_sample_kolmogorov_smirnov_test", &d.TwoSampleKolmogorovSmirnovTest},
	}
}

func (d *CategoricalDrift) limits() []limit {
	return []limit{
		{"jensen_shannon_distance", &d.JensenShannonDistance}, {"population_stability_index", &d.PopulationStabilityIndex},
		{"pearsons_chi_squared_test", &d.PearsonsChiSquaredTest},
	}
}

// limited are structs of limits.
type limited interface{ limits() []limit }

// listed writes limits by kind of data; first leaves all but the first of each out.
func listed(first bool, kinds ...limited) []any {
	out := []any{}
	for i, k := range kinds {
		for _, l := range k.limits() {
			if *l.value == nil || first && **l.value == 0 {
				continue
			}
			t := threshold(camel(l.name), **l.value)
			t["dataType"] = []string{"Numerical", "Categorical"}[i]
			out = append(out, t)
			if first {
				break
			}
		}
	}
	return out
}

// EncodeWire writes the limits.
func (t DriftThresholds) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML {
		return e.Plain(t)
	}
	if t.Numerical == nil && t.Categorical == nil {
		return wire.Omit, nil
	}
	num, cat := t.Numerical, t.Categorical
	if num == nil {
		num = &NumericalDrift{}
	}
	if cat == nil {
		cat = &CategoricalDrift{}
	}
	return listed(true, num, cat), nil
}

// DecodeWire reads the limits.
func (t *DriftThresholds) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*t = DriftThresholds{}
	if d.Spelling() == wire.YAML {
		d.Plain(n.Without("data_type", "threshold"), t) // both are of no account
		return
	}
	for _, item := range n.Items {
		switch kind, _ := item.Get("dataType").Str(); kind { // absent: neither
		case "Numerical":
			if t.Numerical == nil {
				t.Numerical = &NumericalDrift{}
			}
			setLimit(t.Numerical.limits(), item, camel)
		case "Categorical":
			if t.Categorical == nil {
				t.Categorical = &CategoricalDrift{}
			}
			setLimit(t.Categorical.limits(), item, camel)
		}
	}
}

// QualityThresholds are limits of bad data, for numbers and for categories.
type QualityThresholds struct {
	Numerical   *QualityRates `yaml:"numerical" json:"-"`
	Categorical *QualityRates `yaml:"categorical" json:"-"`
}

// QualityRates are limits of the share of bad values.
type QualityRates struct {
	NullValueRate     *float64 `yaml:"null_value_rate" json:"-"`
	DataTypeErrorRate *float64 `yaml:"data_type_error_rate" json:"-"`
	OutOfBoundsRate   *float64 `yaml:"out_of_bounds_rate" json:"-"`
}

func (q *QualityRates) limits() []limit {
	return []limit{{"null_value_rate", &q.NullValueRate}, {"data_type_error_rate", &q.DataTypeErrorRate}, {"out_of_bounds_rate", &q.OutOfBoundsRate}}
}

// EncodeWire writes the limits.
func (t QualityThresholds) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML {
		return e.Plain(t)
	}
	if t.Numerical == nil && t.Categorical == nil {
		return wire.Omit, nil
	}
	num, cat := t.Numerical, t.Categorical
	if num == nil {
		num = &QualityRates{}
	}
	if cat == nil {
		cat = &QualityRates{}
	}
	return listed(false, num, cat), nil
}

// DecodeWire reads the limits.
func (t *QualityThresholds) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*t = QualityThresholds{}
	if d.Spelling() == wire.YAML {
		d.Plain(n.Without("data_type", "threshold"), t)
		return
	}
	for _, item := range n.Items {
		into := &t.Numerical
		if kind, _ := item.Get("dataType").Str(); kind == "Categorical" {
			into = &t.Categorical
		}
		if *into == nil {
			*into = &QualityRates{}
		}
		setLimit((*into).limits(), item, camel)
	}
}

// PerformanceThresholds are limits of a model's performance.
type PerformanceThresholds struct {
	Classification *ClassificationThresholds `yaml:"classification" json:"-"`
	Regression     *RegressionThresholds     `yaml:"regression" json:"-"`
}

// ClassificationThresholds are limits for models that classify.
type ClassificationThresholds struct {
	Accuracy  *float64 `yaml:"accuracy" json:"-"`
	Precision *float64 `yaml:"precision" json:"-"`
	Recall    *float64 `yaml:"recall" json:"-"`
}

// RegressionThresholds are limits for models that give numbers.
type RegressionThresholds struct {
	MeanAbsoluteError    *float64 `yaml:"mae" json:"-"`
	MeanSquaredError     *float64 `yaml:"mse" json:"-"`
	RootMeanSquaredError *float64 `yaml:"rmse" json:"-"`
}

func (t *ClassificationThresholds) limits() []limit {
	return []limit{{"Accuracy", &t.Accuracy}, {"Precision", &t.Precision}, {"Recall", &t.Recall}}
}

func (t *RegressionThresholds) limits() []limit {
	return []limit{{"MeanAbsoluteError", &t.MeanAbsoluteError}, {"MeanSquaredError", &t.MeanSquaredError}, {"RootMeanSquaredError", &t.RootMeanSquaredError}}
}

// each calls f with each limit that is set.
func (t PerformanceThresholds) each(f func(model, metric string, value float64)) {
	kinds := map[string]limited{}
	if t.Classification != nil {
		kinds["Classification"] = t.Classification
	}
	if t.Regression != nil {
		kinds["Regression"] = t.Regression
	}
	for _, model := range []string{"Classification", "Regression"} {
		if k, ok := kinds[model]; ok {
			for _, l := range k.limits() {
				if *l.value != nil && **l.value != 0 {
					f(model, l.name, **l.value)
				}
			}
		}
	}
}

// text is all limits as the property of a signal that holds them: services have a field for one alone.
func (t PerformanceThresholds) text() string {
	var all []string
	t.each(func(model, metric string, value float64) {
		all = append(all, fmt.Sprintf(`{"modelType":"%s","metric":"%s","threshold":{"value":%s}}`, strings.ToLower(model), metric, wire.PythonFloat(value)))
	})
	return "[" + strings.Join(all, ", ") + "]"
}

// first is the limit that services have a field for.
func (t PerformanceThresholds) first() (out map[string]any) {
	t.each(func(model, metric string, value float64) {
		if out == nil {
			out = threshold(metric, value)
			out["modelType"] = model
		}
	})
	return out
}

// parsePerformance reads the property that holds all limits.
func parsePerformance(text string) (t PerformanceThresholds, ok bool) {
	var all []struct {
		ModelType string `json:"modelType"`
		Metric    string `json:"metric"`
		Threshold struct {
			Value *float64 `json:"value"`
		} `json:"threshold"`
	}
	if json.Unmarshal([]byte(text), &all) != nil || len(all) == 0 {
		return t, false
	}
	for _, l := range all {
		t.put(l.ModelType, l.Metric, l.Threshold.Value)
	}
	return t, true
}

func (t *PerformanceThresholds) put(model, metric string, value *float64) {
	var limits []limit
	if strings.EqualFold(model, "Regression") {
		if t.Regression == nil {
			t.Regression = &RegressionThresholds{}
		}
		limits = t.Regression.limits()
	} else {
		if t.Classification == nil {
			t.Classification = &ClassificationThresholds{}
		}
		limits = t.Classification.limits()
	}
	for _, l := range limits {
		if strings.EqualFold(l.name, metric) {
			*l.value = value
		}
	}
}
