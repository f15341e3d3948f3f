package jobs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/azureml-go/azureml/internal/wire"
)

// TableFeaturization says how columns become features.
type TableFeaturization struct {
	// Mode defaults to auto.
	Mode                FeaturizationMode `yaml:"mode" json:"mode,default=auto"`
	BlockedTransformers []Transformer     `yaml:"blocked_transformers" json:"blockedTransformers"`
	// ColumnTypes are columns' types where AutoML is not to guess: "Numeric", "Categorical", "DateTime", "Text" …
	ColumnTypes  map[string]string `yaml:"column_name_and_types" json:"columnNameAndTypes"`
	Transformers TransformerParams `yaml:"transformer_params" json:"transformerParams"`
	EnableDNN    *bool             `yaml:"enable_dnn_featurization" json:"enableDnnFeaturization"`
	// DatasetLanguage is a code of three letters, such as "eng".
	DatasetLanguage string `yaml:"dataset_language" json:"datasetLanguage"`
}

// TransformerParams are the parameters of transformers: "imputer", "tf_idf", "hash_one_hot_encoder".
type TransformerParams map[string][]ColumnTransformer

// ColumnTransformer sets a transformer's parameters for some columns.
type ColumnTransformer struct {
	Fields []string `yaml:"fields" json:"fields"`
	// Parameters are text, numbers or nil.
	Parameters map[string]any `yaml:"parameters" json:"parameters"`
}

// AfterDecodeWire refuses parameters that are neither text nor numbers.
func (t *ColumnTransformer) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if !d.Strict() {
		return
	}
	p := n.Get("parameters")
	if p == nil || p.Kind != wire.Mapping {
		return
	}
	for _, e := range p.Entries {
		switch e.Value.Kind {
		case wire.Null, wire.Int, wire.Float, wire.String:
		default:
			d.At("parameters").At(e.Key).Fault(e.Value, "wants text or a number")
		}
	}
}

// EncodeWire writes the transformers as REST or files name them.
func (p TransformerParams) EncodeWire(e *wire.Encoding) (any, error) {
	if len(p) == 0 {
		return wire.Omit, nil
	}
	m := make(map[string]any, len(p))
	for _, k := range slices.Sorted(maps.Keys(p)) {
		key := k
		if y, ok := transformerKeys.Parse(k); ok {
			key = y
			if e.Spelling() == wire.REST {
				key = fmt.Sprint(transformerKeys.RESTValue(y))
			}
		}
		v, err := e.Value(p[k])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		if v == wire.Omit {
			v = []any{}
		}
		m[key] = v
	}
	return m, nil
}

// DecodeWire reads them.
func (p *TransformerParams) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*p = nil
	if n.IsNull() && !d.Strict() {
		return
	}
	var m map[string][]ColumnTransformer
	d.Into(n, &m)
	if m == nil {
		return
	}
	*p = make(TransformerParams, len(m))
	for _, e := range n.Entries {
		key, ok := transformerKeys.Parse(e.Key)
		if !ok {
			key = e.Key
			d.At(e.Key).Fault(e.At, "is no transformer with parameters: imputer, tf_idf or hash_one_hot_encoder")
		}
		(*p)[key] = m[e.Key]
	}
}
