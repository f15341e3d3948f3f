package assets

import (
	"fmt"

	"github.com/azureml-go/azureml/internal/wire"
)

// specFile is the file that describes a feature set, in its specification's folder.
const specFile = "FeatureSetSpec.yaml"

// FeatureSetSpec is the content of FeatureSetSpec.yaml.
type FeatureSetSpec struct {
	Source         FeatureSource     `yaml:"source,required" json:"source"`
	Transformation *FeatureTransform `yaml:"feature_transformation_code" json:"featureTransformationCode"`
	Features       []FeatureSpec     `yaml:"features,required" json:"features"`
	Columns        []IndexColumn     `yaml:"index_columns" json:"indexColumns"`
	SourceLookback *Delay            `yaml:"source_lookback" json:"sourceLookback"`
	JoinLookback   *Delay            `yaml:"temporal_join_lookback" json:"temporalJoinLookback"`
	Other          map[string]any    `yaml:"-" json:"-" extra:""`
}

// FeatureSource is the table that features are made of.
type FeatureSource struct {
	// Type is parquet, csv, mltable, deltatable, custom, featureset and so on.
	Type      string           `yaml:"type,required" json:"type"`
	Path      string           `yaml:"path" json:"path"`
	Timestamp *TimestampColumn `yaml:"timestamp_column" json:"timestampColumn"`
	// Delay is how late rows come.
	Delay *Delay `yaml:"source_delay" json:"sourceDelay"`
	// Code and Args are those of custom sources.
	Code *SourceCode       `yaml:"source_process_code" json:"source_process_code"`
	Args map[string]string `yaml:"kwargs" json:"-"`
}

// TimestampColumn is the column that says when a row was.
type TimestampColumn struct {
	Name   string `yaml:"name,required" json:"name"`
	Format string `yaml:"format" json:"format"`
}

// SourceCode is what reads a custom source.
type SourceCode struct {
	Path  string `yaml:"path,required" json:"path"`
	Class string `yaml:"process_class,required" json:"process_class"`
}

// FeatureTransform is the code that makes features.
type FeatureTransform struct {
	Path  string `yaml:"path" json:"Path"`
	Class string `yaml:"transformer_class" json:"TransformerClass"`
}

// FeatureSpec is one feature.
type FeatureSpec struct {
	Name        string            `yaml:"name,required" json:"FeatureName"`
	Type        string            `yaml:"type,required" json:"DataType"`
	Description string            `yaml:"description,empty" json:"Description"`
	Tags        map[string]string `yaml:"tags" json:"Tags"`
}

// Delay is a time of days, hours and minutes.
type Delay struct {
	Days    *int `yaml:"days" json:"Days"`
	Hours   *int `yaml:"hours" json:"Hours"`
	Minutes *int `yaml:"minutes" json:"Minutes"`
}

// parseSpec reads a FeatureSetSpec.yaml, whose name is for faults, and gives what a feature set carries of it.
func parseSpec(data []byte, file string) (*FeatureSetSpec, string, error) {
	n, err := wire.ParseYAML(data, file, "")
	if err != nil {
		return nil, "", err
	}
	if n.Kind != wire.Mapping {
		return nil, "", fmt.Errorf("%s holds %s, not a mapping", file, n.Kind)
	}
	s := &FeatureSetSpec{}
	if err := wire.LoadNode(n, s, nil); err != nil {
		return nil, "", err
	}
	props, err := s.properties(n)
	return s, props, err
}

// AfterDecodeWire reports what the type of the source does not allow.
func (s *FeatureSetSpec) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	own := s.Source.Type == "featureset"
	switch given := len(s.Columns) > 0; {
	case own && given:
		d.At("index_columns").Fault(n.Get("index_columns"), "a source of the type featureset has its own; leave it out")
	case !own && !given && n.Get("source", "type") != nil:
		d.Fault(n, "the required field %q is missing: a source of the type %s needs it", "index_columns", s.Source.Type)
	}
}

// AfterDecodeWire reports what the type does not allow.
func (s *FeatureSource) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if s.Type == "" {
		return
	}
	needs, bars := []string{"timestamp_column", "path"}, []string{"kwargs", "source_process_code"}
	switch s.Type {
	case "custom":
		needs, bars = []string{"timestamp_column", "kwargs", "source_process_code"}, []string{"path"}
	case "featureset":
		needs, bars = []string{"path"}, []string{"timestamp_column", "source_delay", "source_process_code"}
	}
	empty := func(key string) bool {
		at := n.Get(key)
		return at.IsNull() || at.Text == "" && at.IsScalar() || at.Kind == wire.Mapping && len(at.Entries) == 0
	}
	for _, key := range needs {
		if empty(key) {
			d.Fault(n, "a source of the type %s needs %q", s.Type, key)
		}
	}
	for _, key := range bars {
		if !empty(key) {
			d.At(key).Fault(n.Get(key), "a source of the type %s does not have it", s.Type)
		}
	}
}

// properties is the text that a feature set carries of its specification: JSON as Python writes it, in the order of the
// fields. Custom sources' arguments are not in it, nor anything else that only the file says. n is the file's document.
func (s *FeatureSetSpec) properties(n *wire.Node) (string, error) {
	source := pairs{{"type", s.Source.Type}, {"path", s.Source.Path}}
	if t := s.Source.Timestamp; t != nil {
		source.add("timestampColumn", pairs{{"name", t.Name}, {"format", t.Format}})
	}
	source.add("sourceDelay", s.Source.Delay.pairs())
	if c := s.Source.Code; c != nil {
		source.add("source_process_code", pairs{{"path", c.Path}, {"process_class", c.Class}})
	}
	all := pairs{{"source", source}}
	if t := s.Transformation; t != nil {
		all.add("featureTransformationCode", pairs{{"Path", t.Path}, {"TransformerClass", t.Class}})
	}
	features := make([]pairs, len(s.Features))
	for i, f := range s.Features {
		features[i] = pairs{{"FeatureName", f.Name}, {"DataType", f.Type}, {"Description", f.Description}}
		if f.Tags != nil {
			tags := pairs{}
			for _, e := range n.Get("features").Items[i].Get("tags").Entries { // in their order
				tags = append(tags, pair{e.Key, always(f.Tags[e.Key])})
			}
			features[i].add("Tags", tags)
		}
	}
	all.add("features", features)
	if s.Columns != nil {
		columns := make([]pairs, len(s.Columns))
		for i, c := range s.Columns {
			columns[i] = pairs{{"ColumnName", c.Name}, {"DataType", string(c.Type)}}
		}
		all.add("indexColumns", columns)
	}
	all.add("sourceLookback", s.SourceLookback.pairs())
	all.add("temporalJoinLookback", s.JoinLookback.pairs())
	b, err := all.json(nil)
	return string(b), err
}

func (d *Delay) pairs() any {
	if d == nil {
		return nil
	}
	out := pairs{}
	for _, u := range []struct {
		name string
		n    *int
	}{{"Days", d.Days}, {"Hours", d.Hours}, {"Minutes", d.Minutes}} {
		if u.n != nil {
			out.add(u.name, *u.n)
		}
	}
	return out
}

// pairs is a JSON object whose order counts. What is nil or "" is not written.
type pairs []pair

type pair struct {
	key   string
	value any
}

// always is a string that is written even if it is empty.
type always string

func (p *pairs) add(key string, value any) { *p = append(*p, pair{key, value}) }

func (p pairs) json(b []byte) ([]byte, error) {
	b = append(b, '{')
	first := true
	for _, x := range p {
		if x.value == nil || x.value == "" {
			continue
		}
		if !first {
			b = append(b, ", "...)
		}
		first = false
		key, err := wire.PythonJSON(x.key)
		if err != nil {
			return nil, err
		}
		b = append(append(b, key...), ": "...)
		switch v := x.value.(type) {
		case pairs:
			b, err = v.json(b)
		case []pairs:
			b = append(b, '[')
			for i, y := range v {
				if i > 0 {
					b = append(b, ", "...)
				}
				if b, err = y.json(b); err != nil {
					return nil, err
				}
			}
			b = append(b, ']')
		default:
			if t, ok := v.(always); ok {
				v = string(t)
			}
			var plain []byte
			plain, err = wire.PythonJSON(v)
			b = append(b, plain...)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}
