package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Signal is something that a monitor computes: *DataDriftSignal, *PredictionDriftSignal, *DataQualitySignal,
// *FeatureAttributionSignal, *PerformanceSignal, *CustomSignal, *SafetySignal, *TokenSignal and, of what the service
// answers, *UnknownSignal.
type Signal interface {
	checkSignal(c *checker)
	// resolveSignal gives a copy with ids, and with data where the target's deployment has it.
	resolveSignal(ctx context.Context, w *watch) (Signal, error)
}

var _ = wire.RegisterSum[Signal](&wire.Sum{
	Name: "signal", YAML: "type", REST: "signalType",
	Arms: []wire.Arm{
		wire.ArmOf[DataDriftSignal]("data_drift", "DataDrift"),
		wire.ArmOf[PredictionDriftSignal]("prediction_drift", "PredictionDrift"),
		wire.ArmOf[DataQualitySignal]("data_quality", "DataQuality"),
		wire.ArmOf[FeatureAttributionSignal]("feature_attribution_drift", "FeatureAttributionDrift"),
		wire.ArmOf[PerformanceSignal]("model_performance", "ModelPerformance"),
		wire.ArmOf[CustomSignal]("custom", "Custom"),
		wire.ArmOf[SafetySignal]("generation_safety_quality", "GenerationSafetyQuality"),
		wire.ArmOf[TokenSignal]("generation_token_statistics", "GenerationTokenStatistics"),
	},
	Unknown: func() any { return new(UnknownSignal) },
})

// Alerting tells whether somebody is told when a signal passes its threshold.
type Alerting bool

// EncodeWire writes the mode.
func (a Alerting) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML {
		if !a {
			return wire.Omit, nil
		}
		return true, nil
	}
	if a {
		return "Enabled", nil
	}
	return "Disabled", nil
}

// DecodeWire reads the mode.
func (a *Alerting) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.YAML {
		var on bool
		d.Into(n, &on)
		*a = Alerting(on)
		return
	}
	s, _ := n.Str() // anything else is no "Enabled"
	*a = s == "Enabled"
}

// Features are the features that a signal looks at: all, the most important, or some by name.
type Features struct {
	All   bool
	Top   int
	Names []string
}

// EncodeWire writes the features.
func (f Features) EncodeWire(e *wire.Encoding) (any, error) {
	names := make([]any, len(f.Names))
	for i, s := range f.Names {
		names[i] = s
	}
	file := e.Spelling() == wire.YAML
	switch {
	case f.Names != nil && file:
		return names, nil
	case f.Names != nil:
		return map[string]any{"filterType": "FeatureSubset", "features": names}, nil
	case f.Top != 0 && file:
		return map[string]any{"top_n_feature_importance": f.Top}, nil
	case f.Top != 0:
		return map[string]any{"filterType": "TopNByAttribution", "top": f.Top}, nil
	case f.All && file:
		return allFeatures, nil
	case f.All:
		return map[string]any{"filterType": "AllFeatures"}, nil
	}
	return wire.Omit, nil
}

const allFeatures = "all_features"

// DecodeWire reads the features.
func (f *Features) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*f = Features{}
	if d.Spelling() != wire.YAML {
		switch kind, _ := n.Get("filterType").Str(); kind { // absent: none of these
		case "AllFeatures":
			f.All = true
		case "TopNByAttribution":
			d.Into(n.Get("top"), &f.Top)
		case "FeatureSubset":
			d.Into(n.Get("features"), &f.Names)
		}
		return
	}
	if n.Kind == wire.Sequence {
		d.Into(n, &f.Names)
		return
	}
	if s, ok := n.Str(); ok && strings.EqualFold(s, allFeatures) {
		f.All = true
		return
	}
	if top := n.Get("top_n_feature_importance"); top != nil && len(n.Entries) == 1 {
		d.At("top_n_feature_importance").Into(top, &f.Top)
		return
	}
	if n.Kind == wire.Mapping && len(n.Entries) == 0 {
		f.Top = 10
		return
	}
	d.Fault(n, "wants %s, a list of names, or a mapping with top_n_feature_importance", allFeatures)
}

// DataSegment is the part of the data in which a feature has some values.
type DataSegment struct {
	Feature string   `yaml:"feature_name" json:"feature"`
	Values  []string `yaml:"feature_values" json:"values"`
}

// UnknownSignal is a signal of a kind that this version does not know, as the service answered it.
type UnknownSignal struct {
	Raw azureml.Raw `yaml:"-" json:"."`
}

// EncodeWire writes what was read.
func (s UnknownSignal) EncodeWire(*wire.Encoding) (any, error) {
	return maps.Clone(map[string]any(s.Raw)), nil
}

// DecodeWire keeps what it reads.
func (s *UnknownSignal) DecodeWire(_ *wire.Decoding, n *wire.Node) {
	if m, ok := n.Tree().(map[string]any); ok {
		s.Raw = m
	}
}

func (s *UnknownSignal) checkSignal(*checker) {}

func (s *UnknownSignal) resolveSignal(context.Context, *watch) (Signal, error) { return s, nil }

// defaultSignals are those of a monitor that names none.
func defaultSignals(t *MonitorTarget) Signals {
	if t != nil && t.Task == QuestionAnswering {
		return Signals{"token-usage-signal": &TokenSignal{}}
	}
	tenth, zero := 0.1, 0.0
	drift := DriftThresholds{Numerical: &NumericalDrift{NormalizedWassersteinDistance: &tenth}, Categorical: &CategoricalDrift{JensenShannonDistance: &tenth}}
	rates := &QualityRates{NullValueRate: &zero, DataTypeErrorRate: &zero, OutOfBoundsRate: &zero}
	return Signals{
		"data-drift-signal":       &DataDriftSignal{Features: Features{All: true}, Thresholds: drift},
		"prediction-drift-signal": &PredictionDriftSignal{Thresholds: drift},
		"data-quality-signal":     &DataQualitySignal{Features: Features{All: true}, Thresholds: QualityThresholds{Numerical: rates, Categorical: rates}},
	}
}

// CustomSignal is computed by a component of one's own.
type CustomSignal struct {
	// Component is "azureml:NAME:VERSION". Required.
	Component azureml.Ref `yaml:"component_id,required" json:"componentId"`
	// Inputs are given to the component as they are, InputData as data of a monitor.
	Inputs    Inputs                  `yaml:"inputs" json:"inputs"`
	InputData map[string]*MonitorData `yaml:"input_data" json:"inputAssets"`
	// Thresholds are required.
	Thresholds []CustomThreshold `yaml:"metric_thresholds,required" json:"metricThresholds"`
	Connection MonitorConnection `yaml:"connection" json:"workspaceConnection,keep"`
	Alert      Alerting          `yaml:"alert_enabled" json:"mode,keep"`
	Properties map[string]any    `yaml:"properties" json:"properties"`
}

// MonitorConnection is what a component needs to reach other services.
type MonitorConnection struct {
	EnvironmentVariables map[string]string `yaml:"environment_variables" json:"environmentVariables"`
	Secrets              map[string]string `yaml:"secret_config" json:"secrets"`
}

var customSignal = wire.Layout{Name: "custom signal", YAML: wire.Fixed{"type": "custom"}, REST: wire.Fixed{"signalType": "Custom"}}

// WireLayout places the fields.
func (CustomSignal) WireLayout() *wire.Layout { return &customSignal }

// AfterDecodeWire takes the paths of the data as they are written: the component reads them, nothing here is uploaded.
func (s *CustomSignal) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.YAML {
		return
	}
	for name, data := range s.InputData {
		if path, ok := n.Get("input_data", name, "input_data", "path").Str(); ok && data != nil {
			data.InputData.Path = path
		}
	}
}

// AfterEncodeWire writes the connection even when it says nothing.
func (s CustomSignal) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.YAML && m["workspaceConnection"] == nil {
		m["workspaceConnection"] = map[string]any{}
	}
	return nil
}

func (s *CustomSignal) checkSignal(c *checker) {
	if s.Component == "" {
		c.add("component_id", "a component is required: azureml:NAME:VERSION")
	}
	for _, name := range slices.Sorted(maps.Keys(s.InputData)) {
		c.monitorData("input_data."+name, s.InputData[name])
	}
	for i, t := range s.Thresholds {
		if t.Metric == "" {
			c.add(fmt.Sprintf("metric_thresholds[%d].metric_name", i), "the name of the metric is required")
		}
	}
}

// resolveSignal turns names into ids. The component and its data travel as NAME:VERSION, as the service wants them.
func (s *CustomSignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	out.Component = short(s.Component)
	var err error
	if len(s.Inputs) > 0 {
		if out.Inputs, err = w.inputsOf(ctx, s.Inputs); err != nil {
			return nil, err
		}
	}
	out.InputData = map[string]*MonitorData{}
	for _, name := range slices.Sorted(maps.Keys(s.InputData)) {
		d := *s.InputData[name]
		if err := w.preprocess(ctx, &d); err != nil {
			return nil, fmt.Errorf("input_data.%s: %w", name, err)
		}
		d.InputData.Path = string(short(azureml.Ref(d.InputData.Path)))
		out.InputData[name] = &d
	}
	return &out, nil
}

// short is a reference without its scheme; addresses stay.
func short(r azureml.Ref) azureml.Ref {
	if rest, ok := strings.CutPrefix(string(r), "azureml:"); ok && !strings.HasPrefix(rest, "//") {
		return azureml.Ref(rest)
	}
	return r
}
