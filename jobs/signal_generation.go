package jobs

import (
	"context"
	"fmt"

	"github.com/azureml-go/azureml/internal/wire"
)

// SafetySignal judges what a model writes.
type SafetySignal struct {
	// Production are the prompts and answers.
	Production []*MonitorData `yaml:"production_data" json:"productionData"`
	// Connection is that of the model that judges, "azureml:NAME".
	Connection string `yaml:"connection_id" json:"workspaceConnectionId"`
	// SamplingRate is the share of answers that is looked at, above 0 and at most 1.
	SamplingRate *float64         `yaml:"sampling_rate" json:"samplingRate"`
	Thresholds   SafetyThresholds `yaml:"metric_thresholds,required" json:"metricThresholds,keep"`
	Alert        Alerting         `yaml:"alert_enabled" json:"mode,keep"`
	Properties   map[string]any   `yaml:"properties" json:"properties"`
}

var safetySignal = wire.Layout{
	Name: "generation safety and quality signal", YAML: wire.Fixed{"type": "generation_safety_quality"},
	REST: wire.Fixed{"signalType": "GenerationSafetyQuality"},
}

// WireLayout places the fields.
func (SafetySignal) WireLayout() *wire.Layout { return &safetySignal }

func (s *SafetySignal) checkSignal(c *checker) {
	for i, d := range s.Production {
		c.production(fmt.Sprintf("production_data[%d]", i), d)
	}
	c.rate(s.SamplingRate)
	for _, q := range s.Thresholds.qualities() {
		if *q.value != nil {
			return
		}
	}
	c.add("metric_thresholds", "a threshold is required: of groundedness, relevance, coherence, fluency or similarity")
}

func (c *checker) rate(r *float64) {
	if r != nil && (*r <= 0 || *r > 1) {
		c.add("sampling_rate", "%v is not above 0 and at most 1", *r)
	}
}

func (s *SafetySignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out := *s
	out.Production = nil
	for i, d := range s.Production {
		d, err := w.production(ctx, d, "", "")
		if err != nil {
			return nil, fmt.Errorf("production_data[%d]: %w", i, err)
		}
		out.Production = append(out.Production, d)
	}
	return &out, nil
}

// TokenSignal counts the tokens that a model uses.
type TokenSignal struct {
	// Production defaults to the traces that the target's deployment collects.
	Production *MonitorData `yaml:"production_data" json:"productionData"`
	// SamplingRate is the share of answers that is looked at, above 0 and at most 1. Defaults to 0.1.
	SamplingRate *float64 `yaml:"sampling_rate" json:"samplingRate,default=0.1"`
	// Thresholds default to 0.
	Thresholds TokenThresholds `yaml:"metric_thresholds" json:"metricThresholds,keep"`
	Alert      Alerting        `yaml:"alert_enabled" json:"mode,keep"`
	Properties map[string]any  `yaml:"properties" json:"properties"`
}

var tokenSignal = wire.Layout{
	Name: "generation token statistics signal", YAML: wire.Fixed{"type": "generation_token_statistics"},
	REST: wire.Fixed{"signalType": "GenerationTokenStatistics"},
}

// WireLayout places the fields.
func (TokenSignal) WireLayout() *wire.Layout { return &tokenSignal }

func (s *TokenSignal) checkSignal(c *checker) {
	c.production("production_data", s.Production)
	c.rate(s.SamplingRate)
}

func (s *TokenSignal) resolveSignal(ctx context.Context, w *watch) (Signal, error) {
	out, d := *s, s.Production
	if d == nil && w.traces != "" {
		var err error
		if d, err = w.collected(ctx, w.traces, ""); err != nil {
			return nil, fmt.Errorf("production_data: %w", err)
		}
		d.Window = &DataWindow{Size: "P7D", Offset: "P0D"}
	}
	var err error
	out.Production, err = w.production(ctx, d, "", "traces")
	return &out, err
}
