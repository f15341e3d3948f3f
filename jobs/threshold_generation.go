package jobs

import (
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// SafetyThresholds are limits of what a model writes. Each quality has a score, which every answer should reach, and a
// rate, the share of answers that must.
type SafetyThresholds struct {
	Groundedness, Relevance, Coherence, Fluency, Similarity *QualityThreshold
}

// QualityThreshold is the limit of one quality.
type QualityThreshold struct {
	// PassRate is required.
	PassRate float64
	// Score is from 1 to 5. Defaults to 3.
	Score *float64
}

const defaultScore = 3

type quality struct {
	name  string
	value **QualityThreshold
}

func (t *SafetyThresholds) qualities() []quality {
	return []quality{{"groundedness", &t.Groundedness}, {"relevance", &t.Relevance}, {"coherence", &t.Coherence}, {"fluency", &t.Fluency}, {"similarity", &t.Similarity}}
}

// EncodeWire writes the limits.
func (t SafetyThresholds) EncodeWire(e *wire.Encoding) (any, error) {
	file, list := map[string]any{}, []any{}
	for _, q := range t.qualities() {
		v := *q.value
		if v == nil {
			continue
		}
		m := map[string]any{"aggregated_" + q.name + "_pass_rate": v.PassRate}
		score := float64(defaultScore)
		if v.Score != nil {
			score = *v.Score
			m["acceptable_"+q.name+"_score_per_instance"] = score
		}
		file[q.name] = m
		title := strings.ToUpper(q.name[:1]) + q.name[1:]
		list = append(list, threshold("Acceptable"+title+"ScorePerInstance", score), threshold("Aggregated"+title+"PassRate", v.PassRate))
	}
	if e.Spelling() == wire.YAML {
		return file, nil
	}
	return list, nil
}

// DecodeWire reads the limits.
func (t *SafetyThresholds) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*t = SafetyThresholds{}
	if d.Spelling() == wire.YAML {
		t.file(d, n)
		return
	}
	for _, item := range n.Items {
		metric, _ := item.Get("metric").Str() // absent: no quality has it
		for _, q := range t.qualities() {
			title := strings.ToUpper(q.name[:1]) + q.name[1:]
			score, rate := "Acceptable"+title+"ScorePerInstance", "Aggregated"+title+"PassRate"
			value := numberOf(item.Get("threshold", "value"))
			if metric != score && metric != rate || value == nil {
				continue
			}
			if *q.value == nil {
				*q.value = &QualityThreshold{}
			}
			if metric == score {
				(*q.value).Score = value
			} else {
				(*q.value).PassRate = *value
			}
		}
	}
}

func (t *SafetyThresholds) file(d *wire.Decoding, n *wire.Node) {
	if n.Kind != wire.Mapping {
		d.Fault(n, "wants a mapping of qualities")
		return
	}
	known := map[string]quality{}
	for _, q := range t.qualities() {
		known[q.name] = q
	}
	for _, e := range n.Entries {
		q, ok := known[e.Key]
		if !ok {
			d.At(e.Key).Fault(e.At, "unknown field; known are groundedness, relevance, coherence, fluency and similarity")
			continue
		}
		if e.Value.IsNull() {
			continue
		}
		inside := d.At(e.Key)
		score, rate := "acceptable_"+q.name+"_score_per_instance", "aggregated_"+q.name+"_pass_rate"
		if e.Value.Kind != wire.Mapping {
			inside.Fault(e.Value, "wants a mapping with %s", rate)
			continue
		}
		v := &QualityThreshold{}
		for _, f := range e.Value.Entries {
			value := numberOf(f.Value)
			switch {
			case f.Key != score && f.Key != rate:
				inside.At(f.Key).Fault(f.At, "unknown field; known are %s and %s", rate, score)
			case value == nil:
				inside.At(f.Key).Fault(f.Value, "wants a number")
			case f.Key == score:
				v.Score = value
			default:
				v.PassRate = *value
			}
		}
		if !e.Value.Has(rate) {
			inside.Fault(e.Value, "the required field %q is missing", rate)
		}
		*q.value = v
	}
}

// TokenThresholds are limits of how many tokens a model uses.
type TokenThresholds struct {
	Total, PerGroup float64
}

// EncodeWire writes the limits.
func (t TokenThresholds) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML {
		return map[string]any{"totaltoken": map[string]any{"total_token_count": t.Total, "total_token_count_per_group": t.PerGroup}}, nil
	}
	return []any{threshold("TotalTokenCount", t.Total), threshold("TotalTokenCountPerGroup", t.PerGroup)}, nil
}

// DecodeWire reads the limits.
func (t *TokenThresholds) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*t = TokenThresholds{}
	put := func(total bool, v *float64) {
		if v != nil && total {
			t.Total = *v
		} else if v != nil {
			t.PerGroup = *v
		}
	}
	if d.Spelling() != wire.YAML {
		for _, item := range n.Items {
			metric, _ := item.Get("metric").Str() // absent: neither
			if metric == "TotalTokenCount" || metric == "TotalTokenCountPerGroup" {
				put(metric == "TotalTokenCount", numberOf(item.Get("threshold", "value")))
			}
		}
		return
	}
	at := n.Get("totaltoken")
	if at == nil || at.Kind != wire.Mapping {
		d.Fault(n, "wants totaltoken with total_token_count and total_token_count_per_group")
		return
	}
	for _, e := range at.Entries {
		inside := d.At("totaltoken").At(e.Key)
		v := numberOf(e.Value)
		switch {
		case e.Key != "total_token_count" && e.Key != "total_token_count_per_group":
			inside.Fault(e.At, "unknown field; known are total_token_count and total_token_count_per_group")
		case v == nil:
			inside.Fault(e.Value, "wants a number")
		default:
			put(e.Key == "total_token_count", v)
		}
	}
	if !at.Has("total_token_count_per_group") {
		d.At("totaltoken").Fault(at, "the required field \"total_token_count_per_group\" is missing")
	}
}

// CustomThreshold is the limit of a metric of one's own.
type CustomThreshold struct {
	Metric string   `yaml:"metric_name" json:"metric"`
	Value  *float64 `yaml:"threshold" json:"value"`
}

var customThreshold = wire.Layout{Name: "threshold", At: wire.Table{"threshold": "threshold/value"}}

// WireLayout places the fields.
func (CustomThreshold) WireLayout() *wire.Layout { return &customThreshold }
