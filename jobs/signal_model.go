package jobs

import (
	"context"
	"fmt"
	"maps"

	"github.com/azureml-go/azureml/internal/wire"
)

// DataDriftSignal tells how far the model's inputs have drifted.
type DataDriftSignal struct {
	// Production and Reference default to what the target's deployment collects.
	Production   *MonitorData      `yaml:"production_data" json:"productionData"`
	Reference    *MonitorData      `yaml:"reference_data" json:"referenceData"`
	Features     Features          `yaml:"features" json:"features"`
	FeatureTypes map[string]string `yaml:"feature_type_override" json:"featureDataTypeOverride"`
	Segment      *DataSegment      `yaml:"data_segment" json:"dataSegment"`
	Thresholds   DriftThresholds   `yaml:"metric_thresholds" json:"metricThresholds"`
	Alert        Alerting          `yaml:"alert_enabled" json:"mode,keep"`
	Properties   map[string]any    `yaml:"properties" json:"properties"`
}

var dataDriftSignal = wire.Layout{Name: "data drift signal", YAML: wire.Fixed{"type": "data_drift"}, REST: wire.Fixed{"signalType": "DataDrift"}}

// WireLayout places the fields.
func (DataDriftSignal) WireLayout() *wire.Layout { return &dataDriftSignal }

func (s *DataDriftSignal) checkSignal(c *checker) {
	c.production("production_data", s.Production)
	c.monitorData("reference_data", s.Reference)
}

func (s *DataDriftSignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	var err error
	if out.Production, err = w.production(ctx, s.Production, w.inputs, ModelInputs); err != nil {
		return nil, err
	}
	out.Reference, err = w.reference(ctx, s.Reference, w.inputs, ModelInputs)
	return &out, err
}

// PredictionDriftSignal tells how far the model's outputs have drifted.
type PredictionDriftSignal struct {
	// Production and Reference default to what the target's deployment collects.
	Production *MonitorData    `yaml:"production_data" json:"productionData"`
	Reference  *MonitorData    `yaml:"reference_data" json:"referenceData"`
	Thresholds DriftThresholds `yaml:"metric_thresholds" json:"metricThresholds"`
	Alert      Alerting        `yaml:"alert_enabled" json:"mode,keep"`
	Properties map[string]any  `yaml:"properties" json:"properties"`
}

var predictionDriftSignal = wire.Layout{
	Name: "prediction drift signal", YAML: wire.Fixed{"type": "prediction_drift"},
	REST: wire.Fixed{"signalType": "PredictionDrift", "modelType": "classification"},
}

// WireLayout places the fields.
func (PredictionDriftSignal) WireLayout() *wire.Layout { return &predictionDriftSignal }

func (s *PredictionDriftSignal) checkSignal(c *checker) {
	c.production("production_data", s.Production)
	c.monitorData("reference_data", s.Reference)
}

func (s *PredictionDriftSignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	var err error
	if out.Production, err = w.production(ctx, s.Production, w.outputs, ModelOutputs); err != nil {
		return nil, err
	}
	out.Reference, err = w.reference(ctx, s.Reference, w.outputs, ModelOutputs)
	return &out, err
}

// DataQualitySignal tells how much of the model's inputs is bad.
type DataQualitySignal struct {
	// Production and Reference default to what the target's deployment collects.
	Production   *MonitorData      `yaml:"production_data" json:"productionData"`
	Reference    *MonitorData      `yaml:"reference_data" json:"referenceData"`
	Features     Features          `yaml:"features" json:"features"`
	FeatureTypes map[string]string `yaml:"feature_type_override" json:"featureDataTypeOverride"`
	Thresholds   QualityThresholds `yaml:"metric_thresholds" json:"metricThresholds"`
	Alert        Alerting          `yaml:"alert_enabled" json:"mode,keep"`
	Properties   map[string]any    `yaml:"properties" json:"properties"`
}

var dataQualitySignal = wire.Layout{Name: "data quality signal", YAML: wire.Fixed{"type": "data_quality"}, REST: wire.Fixed{"signalType": "DataQuality"}}

// WireLayout places the fields.
func (DataQualitySignal) WireLayout() *wire.Layout { return &dataQualitySignal }

func (s *DataQualitySignal) checkSignal(c *checker) {
	c.production("production_data", s.Production)
	c.monitorData("reference_data", s.Reference)
}

func (s *DataQualitySignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	var err error
	if out.Production, err = w.production(ctx, s.Production, w.inputs, ModelInputs); err != nil {
		return nil, err
	}
	out.Reference, err = w.reference(ctx, s.Reference, w.inputs, ModelInputs)
	return &out, err
}

// FeatureAttributionSignal tells how far the weights of features have drifted.
type FeatureAttributionSignal struct {
	// Production are the model's inputs and outputs. They default to what the target's deployment collects.
	Production []*MonitorData `yaml:"production_data" json:"productionData"`
	// Reference is required.
	Reference  *MonitorData          `yaml:"reference_data,required" json:"referenceData"`
	Thresholds AttributionThresholds `yaml:"metric_thresholds,required" json:"metricThreshold,keep"`
	Alert      Alerting              `yaml:"alert_enabled" json:"mode,keep"`
	Properties map[string]any        `yaml:"-" json:"properties"`
}

// AttributionThresholds is the limit of how far weights have drifted.
type AttributionThresholds struct {
	NormalizedDiscountedCumulativeGain *float64 `yaml:"normalized_discounted_cumulative_gain" json:"value"`
}

var attributionThresholds = wire.Layout{Name: "thresholds", At: wire.Table{"normalized_discounted_cumulative_gain": "threshold/value"}, REST: wire.Fixed{"metric": "normalizedDiscountedCumulativeGain"}}

// WireLayout places the fields.
func (AttributionThresholds) WireLayout() *wire.Layout { return &attributionThresholds }

var featureAttributionSignal = wire.Layout{
	Name: "feature attribution drift signal", YAML: wire.Fixed{"type": "feature_attribution_drift"},
	REST: wire.Fixed{"signalType": "FeatureAttributionDrift"},
}

// WireLayout places the fields.
func (FeatureAttributionSignal) WireLayout() *wire.Layout { return &featureAttributionSignal }

func (s *FeatureAttributionSignal) checkSignal(c *checker) {
	for i, d := range s.Production {
		c.production(fmt.Sprintf("production_data[%d]", i), d)
		for name := range d.Columns {
			switch name {
			case "prediction", "prediction_probability", "correlation_id":
			default:
				c.add(fmt.Sprintf("production_data[%d].data_column_names.%s", i, name), "is none of prediction, prediction_probability, correlation_id")
			}
		}
	}
	if s.Reference == nil {
		c.add("reference_data", "is required")
	}
	c.monitorData("reference_data", s.Reference)
}

func (s *FeatureAttributionSignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	given := s.Production
	if len(given) == 0 {
		given = []*MonitorData{nil, nil}
	}
	out.Production = nil
	for i, d := range given {
		of, context := w.inputs, ModelInputs
		if i == 1 {
			of, context = w.outputs, ModelOutputs
		}
		d, err := w.production(ctx, d, of, context)
		if err != nil {
			return nil, err
		}
		out.Production = append(out.Production, d)
	}
	var err error
	out.Reference, err = w.reference(ctx, s.Reference, "", "")
	return &out, err
}

// PerformanceSignal compares what the model says with what turned out to be true.
type PerformanceSignal struct {
	// Production and Reference are required.
	Production *MonitorData          `yaml:"production_data,required" json:"-"`
	Reference  *MonitorData          `yaml:"reference_data,required" json:"referenceData"`
	Thresholds PerformanceThresholds `yaml:"metric_thresholds,required" json:"-"`
	Segment    *DataSegment          `yaml:"data_segment" json:"dataSegment"`
	Alert      Alerting              `yaml:"alert_enabled" json:"mode,keep"`
	Properties map[string]any        `yaml:"properties" json:"properties"`
}

// performanceProperty holds all thresholds.
const performanceProperty = "azureml.modelmonitor.model_performance_thresholds"

var performanceSignal = wire.Layout{Name: "model performance signal", YAML: wire.Fixed{"type": "model_performance"}, REST: wire.Fixed{"signalType": "ModelPerformance"}}

// WireLayout places the fields.
func (PerformanceSignal) WireLayout() *wire.Layout { return &performanceSignal }

// AfterEncodeWire writes the thresholds: services have a field for the first, and a property for all.
func (s PerformanceSignal) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() == wire.YAML {
		return nil
	}
	if s.Production != nil {
		d, err := e.Value(s.Production)
		if err != nil {
			return err
		}
		m["productionData"] = []any{d}
	}
	if t := s.Thresholds.first(); t != nil {
		m["metricThreshold"] = t
	}
	props := maps.Clone(s.Properties)
	if props == nil {
		props = map[string]any{}
	}
	props[performanceProperty] = s.Thresholds.text()
	m["properties"] = props
	return nil
}

// AfterDecodeWire reads the thresholds.
func (s *PerformanceSignal) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.YAML {
		return
	}
	if at := n.Get("productionData"); at != nil && at.Kind == wire.Sequence && len(at.Items) > 0 {
		s.Production = new(MonitorData)
		d.Into(at.Items[0], s.Production)
	}
	if text, ok := s.Properties[performanceProperty].(string); ok {
		if t, ok := parsePerformance(text); ok {
			s.Thresholds = t
			s.Properties = maps.Clone(s.Properties)
			delete(s.Properties, performanceProperty)
			return
		}
	}
	model, _ := n.Get("metricThreshold", "modelType").Str() // absent: a classification's
	metric, _ := n.Get("metricThreshold", "metric").Str()
	s.Thresholds.put(model, metric, numberOf(n.Get("metricThreshold", "threshold", "value")))
}

func (s *PerformanceSignal) checkSignal(c *checker) {
	if s.Production == nil {
		c.add("production_data", "is required")
	}
	if s.Reference == nil {
		c.add("reference_data", "is required")
	}
	if s.Thresholds.first() == nil {
		c.add("metric_thresholds", "a threshold is required")
	}
	c.production("production_data", s.Production)
	c.monitorData("reference_data", s.Reference)
}

func (s *PerformanceSignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	var err error
	if out.Production, err = w.production(ctx, s.Production, "", ModelOutputs); err != nil {
		return nil, err
	}
	out.Reference, err = w.reference(ctx, s.Reference, "", GroundTruth)
	return &out, err
}
