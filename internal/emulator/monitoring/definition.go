package monitoring

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Error is what is wrong with a definition. Field is below the signal.
type Error struct{ Field, Message string }

func (e *Error) Error() string { return e.Field + ": " + e.Message }

func fault(field, format string, args ...any) *Error {
	return &Error{field, fmt.Sprintf(format, args...)}
}

// The kinds of signals that are computed.
const (
	DataDrift        = "DataDrift"
	PredictionDrift  = "PredictionDrift"
	DataQuality      = "DataQuality"
	AttributionDrift = "FeatureAttributionDrift"
	ModelPerformance = "ModelPerformance"
	Custom           = "Custom"
)

// refused says why a kind of signal is not computed.
var refused = map[string]string{
	"GenerationSafetyQuality":   "it is judged by a language model behind a connection, and the local workspace asks none",
	"GenerationTokenStatistics": "it is computed of the traces that Application Insights and the collector keep of a flow, and the local workspace keeps none",
}

// Signal is the definition of a signal, as a monitor's document has it.
type Signal struct {
	Kind string `json:"signalType"`
	// Mode is Enabled when somebody is told of what passes its threshold.
	Mode              string            `json:"mode"`
	NotificationTypes []string          `json:"notificationTypes"` // as newer documents say it
	Production        oneOrMore         `json:"productionData"`
	Reference         *Data             `json:"referenceData"`
	Filter            *filter           `json:"features"`
	Override          map[string]string `json:"featureDataTypeOverride"`
	Importance        struct {
		Target string `json:"targetColumn"`
	} `json:"featureImportanceSettings"`
	DataSegment *struct {
		Feature string   `json:"feature"`
		Values  []string `json:"values"`
	} `json:"dataSegment"`
	Thresholds []threshold    `json:"metricThresholds"`
	Threshold  *threshold     `json:"metricThreshold"`
	Properties map[string]any `json:"properties"`

	// of custom ones
	Component  string                     `json:"componentId"`
	Inputs     map[string]json.RawMessage `json:"inputs"`
	Assets     map[string]*Data           `json:"inputAssets"`
	Connection struct {
		Variables map[string]string `json:"environmentVariables"`
		Secrets   map[string]string `json:"secrets"`
	} `json:"workspaceConnection"`
}

// Data is where a signal's data is and which part of it is looked at.
type Data struct {
	Type          string            `json:"jobInputType"`
	URI           string            `json:"uri"`
	Window        string            `json:"inputDataType"` // Fixed, Static, Trailing or Rolling
	Size          string            `json:"windowSize"`
	Offset        string            `json:"windowOffset"`
	Start         string            `json:"windowStart"`
	End           string            `json:"windowEnd"`
	Columns       map[string]string `json:"columns"`
	Preprocessing string            `json:"preprocessingComponentId"`
}

type oneOrMore []*Data

func (o *oneOrMore) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]*Data)(o))
	}
	var d *Data
	if err := json.Unmarshal(raw, &d); err != nil || d == nil {
		return err
	}
	*o = oneOrMore{d}
	return nil
}

type filter struct {
	Type     string   `json:"filterType"` // AllFeatures, TopNByAttribution or FeatureSubset
	Top      int      `json:"top"`
	Features []string `json:"features"`
}

type threshold struct {
	Kind      string `json:"dataType"`
	Model     string `json:"modelType"`
	Metric    string `json:"metric"`
	Threshold struct {
		Value *float64 `json:"value"`
	} `json:"threshold"`
}

// performanceProperty holds all thresholds of a model's performance; the document has a field for one.
const performanceProperty = "azureml.modelmonitor.model_performance_thresholds"

var metricsOf = map[string]map[string][]string{
	DataDrift: {
		Numerical:   {WassersteinDistance, JensenShannon, PopulationStability, KolmogorovSmirnov},
		Categorical: {JensenShannon, PopulationStability, ChiSquared},
	},
	DataQuality:      {Numerical: {NullRate, TypeErrorRate, BoundsRate}, Categorical: {NullRate, TypeErrorRate, BoundsRate}},
	AttributionDrift: {"": {CumulativeGain}},
	ModelPerformance: {"": {Accuracy, Precision, Recall, AbsoluteError, SquaredError, RootSquaredError}},
}

func init() { metricsOf[PredictionDrift] = metricsOf[DataDrift] }

// Parse reads a signal's definition. Its errors are *Error: what the local workspace cannot compute is refused here.
func Parse(raw json.RawMessage) (*Signal, error) {
	s := &Signal{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fault("", "the signal cannot be read: %v", err)
	}
	for _, k := range []string{DataDrift, PredictionDrift, DataQuality, AttributionDrift, ModelPerformance, Custom} {
		if strings.EqualFold(k, s.Kind) {
			s.Kind = k
			return s, s.check()
		}
	}
	for k, why := range refused {
		if strings.EqualFold(k, s.Kind) {
			return nil, fault("signalType", "The local workspace computes no %s signals: %s.", k, why)
		}
	}
	return nil, fault("signalType", "The signal type %q is unknown; the local workspace computes DataDrift, PredictionDrift, DataQuality, FeatureAttributionDrift, ModelPerformance and Custom.", s.Kind)
}

func (s *Signal) check() error {
	if s.Kind == Custom {
		return s.checkCustom()
	}
	if len(s.Production) == 0 {
		return fault("productionData", "The data of production is required.")
	}
	most := 1
	if s.Kind == AttributionDrift {
		most = 2
	}
	if len(s.Production) > most {
		return fault("productionData", "A signal of type %s has %d of these at the most; there are %d.", s.Kind, most, len(s.Production))
	}
	for i, d := range s.Production {
		if err := d.check(fmt.Sprintf("productionData[%d]", i)); err != nil {
			return err
		}
	}
	if s.Reference == nil && (s.Kind != ModelPerformance || s.Production[0].column("target", "") == "") {
		return fault("referenceData", "The data to compare with is required.")
	}
	if s.Reference != nil {
		if err := s.Reference.check("referenceData"); err != nil {
			return err
		}
	}
	for name, kind := range s.Override {
		if !strings.EqualFold(kind, Numerical) && !strings.EqualFold(kind, Categorical) {
			return fault("featureDataTypeOverride."+name, "%q is neither numerical nor categorical.", kind)
		}
	}
	if _, err := s.Limits(); err != nil {
		return err
	}
	if f := s.Filter; f != nil && strings.EqualFold(f.Type, "TopNByAttribution") && s.target() == "" {
		return fault("features", "Which features are the most important is found by what they say of the target: name it, as referenceData.columns.target.")
	}
	switch s.Kind {
	case AttributionDrift:
		if s.target() == "" {
			return fault("referenceData.columns.target", "The column with the target is required.")
		}
	case ModelPerformance:
		return s.checkPerformance()
	}
	return nil
}

func (s *Signal) checkPerformance() error {
	if s.Production[0].column("prediction", "") == "" {
		return fault("productionData[0].columns.prediction", "The column with the predictions is required.")
	}
	if s.Reference == nil {
		return nil
	}
	if s.Reference.column("target", "") == "" {
		return fault("referenceData.columns.target", "The column with the truth is required.")
	}
	return nil
}

func (s *Signal) checkCustom() error {
	if s.Component == "" {
		return fault("componentId", "A component is required.")
	}
	if len(s.Connection.Secrets) > 0 {
		return fault("workspaceConnection.secrets", "The local workspace has no secrets of connections to give to a component; give what it needs as environment variables.")
	}
	for name, d := range s.Assets {
		if err := d.check("inputAssets." + name); err != nil {
			return err
		}
	}
	for i, t := range s.Thresholds {
		if t.Metric == "" {
			return fault(fmt.Sprintf("metricThresholds[%d].metric", i), "The name of the metric is required.")
		}
	}
	return nil
}

func (d *Data) check(field string) error {
	if d == nil || d.URI == "" {
		return fault(field+".uri", "The data is required.")
	}
	if _, err := d.Span(epoch); err != nil {
		e := *err
		e.Field = field + "." + e.Field
		return &e
	}
	return nil
}

// column is the name of the column that holds something. target_column and the like are other words for it.
func (d *Data) column(what, or string) string {
	for _, k := range []string{what, what + "_column"} {
		if c := d.Columns[k]; c != "" {
			return c
		}
	}
	return or
}

func (s *Signal) target() string {
	if s.Reference != nil {
		if c := s.Reference.column("target", ""); c != "" {
			return c
		}
	}
	return s.Importance.Target
}

// Alerts says whether somebody is to be told of what passes its threshold.
func (s *Signal) Alerts() bool {
	return strings.EqualFold(s.Mode, "Enabled") || slices.ContainsFunc(s.NotificationTypes, func(t string) bool { return strings.EqualFold(t, "AmlNotification") })
}

// Limits are what is computed.
func (s *Signal) Limits() ([]Limit, error) {
	all, field := s.Thresholds, "metricThresholds"
	if s.Threshold != nil {
		all, field = append(slices.Clone(all), *s.Threshold), "metricThreshold"
	}
	if text, _ := s.Properties[performanceProperty].(string); text != "" && s.Kind == ModelPerformance { // absent: ""
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return nil, fault("properties."+performanceProperty, "%v", err)
		}
	}
	if len(all) == 0 {
		return nil, fault(field, "A threshold is required.")
	}
	var out []Limit
	for i, t := range all {
		at := field
		if s.Threshold == nil {
			at = fmt.Sprintf("%s[%d]", field, i)
		}
		kind := ""
		switch {
		case strings.EqualFold(t.Kind, Numerical):
			kind = Numerical
		case strings.EqualFold(t.Kind, Categorical):
			kind = Categorical
		}
		known, ok := metricsOf[s.Kind][kind]
		if !ok {
			return nil, fault(at+".dataType", "%q is neither Numerical nor Categorical.", t.Kind)
		}
		n := slices.IndexFunc(known, func(m string) bool { return strings.EqualFold(m, t.Metric) })
		if n < 0 {
			return nil, fault(at+".metric", "%q is not computed by a signal of type %s; it computes: %s.", t.Metric, s.Kind, strings.Join(known, ", "))
		}
		out = append(out, Limit{Kind: kind, Metric: known[n], Threshold: t.Threshold.Value})
	}
	return out, nil
}
