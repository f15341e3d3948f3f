package jobs

import "github.com/azureml-go/azureml/internal/wire"

// AutoMLSweep says how AutoML goes through a search space.
type AutoMLSweep struct {
	// Sampling chooses the next hyperparameters. Required.
	Sampling SamplingType `yaml:"sampling_algorithm,required" json:"samplingAlgorithm"`
	// EarlyTermination ends trials that do badly. Defaults to none.
	EarlyTermination EarlyTermination `yaml:"early_termination" json:"earlyTermination"`
}

// EncodeWire writes the algorithm as files name it, in REST too.
func (s AutoMLSweep) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(s)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = map[string]any{}
	}
	if e.Spelling() != wire.YAML && s.Sampling != "" {
		name := string(s.Sampling)
		if y, ok := samplingTypes.Parse(name); ok {
			name = y
		}
		key := "sampling_algorithm"
		if e.Spelling() == wire.REST {
			key = "samplingAlgorithm"
		}
		m[key] = name
	}
	if p, ok := m["early_termination"].(map[string]any); ok && e.Spelling() == wire.Spec {
		s.EarlyTermination.fill(p)
	}
	return m, nil
}

// fill adds what a step's policy says though it is zero.
func (t EarlyTermination) fill(m map[string]any) {
	zero := map[string]any{"delay_evaluation": int64(0), "evaluation_interval": int64(0)}
	switch {
	case t.Bandit != nil:
		zero["slack_amount"], zero["slack_factor"] = 0.0, 0.0
	case t.MedianStopping != nil:
		zero["evaluation_interval"] = int64(1)
	}
	for k, v := range zero {
		if _, ok := m[k]; !ok {
			m[k] = v
		}
	}
}

// DecodeWire reads the algorithm's name, or a mapping with it as type.
func (s *AutoMLSweep) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = AutoMLSweep{}
	if at := n.Get("sampling_algorithm"); at != nil && at.Kind == wire.Mapping && d.Spelling() != wire.REST {
		for _, e := range at.Entries {
			if e.Key != "type" {
				d.At("sampling_algorithm").At(e.Key).Fault(e.At, "AutoML's sampling has a type alone")
			}
		}
		t := at.Get("type")
		if t == nil {
			d.At("sampling_algorithm").Fault(at, "the required field %q is missing", "type")
			t = wire.StringNode(string(RandomSampling), at)
		}
		n = n.With("sampling_algorithm", t)
	}
	d.Plain(n, s)
}
