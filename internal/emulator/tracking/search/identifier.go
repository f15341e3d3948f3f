package search

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

var (
	numericOps = []string{">", ">=", "!=", "=", "<", "<="}
	stringOps  = []string{"!=", "=", "LIKE", "ILIKE", "IN", "NOT IN"}
	keyedOps   = []string{"!=", "=", "LIKE", "ILIKE", "IS NULL", "IS NOT NULL"}
	plainOps   = []string{"!=", "=", "LIKE", "ILIKE"}

	datasetKeys = []string{"name", "digest", "context"}
)

// entityNames are the words before the dot in searches of runs.
var entityNames = map[string]Entity{
	"metric": Metric, "metrics": Metric,
	"parameter": Param, "parameters": Param, "param": Param, "params": Param,
	"tag": Tag, "tags": Tag,
	"attribute": Attribute, "attr": Attribute, "attributes": Attribute, "run": Attribute,
	"dataset": Dataset, "datasets": Dataset,
}

func badKey(key string, valid []string) error {
	return faultf("Invalid attribute key '%s' specified. Valid keys are '%s'", key, py.Set(valid...))
}

// dotted reads an identifier of runs: entity.key, or an attribute.
func dotted(_ *grammar, id string, valid []string) (Entity, string, error) {
	word, key, ok := strings.Cut(id, ".")
	e := Attribute
	if !ok {
		key = word
	} else {
		word = trimBackticks(word)
		if e, ok = entityNames[word]; !ok {
			return "", "", faultf("Invalid entity type '%s'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']", word)
		}
	}
	key = trimBackticks(stripQuotes(key))
	switch {
	case e == Attribute && !slices.Contains(valid, key):
		return "", "", badKey(key, valid)
	case e == Dataset && !slices.Contains(datasetKeys, key):
		return "", "", faultf("Invalid dataset key '%s' specified. Valid keys are '%s'", key, py.Set(datasetKeys...))
	}
	return e, key, nil
}

// attributeOrTag reads an identifier of experiments: an attribute or a tag.
func attributeOrTag(_ *grammar, id string, valid []string) (Entity, string, error) {
	word, key, ok := strings.Cut(id, ".")
	e := Attribute
	switch {
	case !ok:
		key = word
	case word == "tag" || word == "tags":
		e = Tag
	case word != "attribute":
		return "", "", faultf("Invalid entity type '%s'. Valid entity types are ('attribute', 'tag', 'tags')", word)
	}
	key = trimBackticks(stripQuotes(key))
	if e == Attribute && !slices.Contains(valid, key) {
		return "", "", badKey(key, valid)
	}
	return e, key, nil
}

// strictAttributeOrTag is attributeOrTag with attributes that may not be quoted,
// as the model registry has them.
func strictAttributeOrTag(g *grammar, id string, valid []string) (Entity, string, error) {
	word, key, ok := strings.Cut(id, ".")
	if !ok {
		key = word
	}
	if (!ok || word == "attribute") && !slices.Contains(valid, key) {
		return "", "", badKey(key, valid)
	}
	return attributeOrTag(g, id, valid)
}

// runValue reads the right side of a clause about runs.
func runValue(g *grammar, e Entity, key, _ string, n *node) (any, error) {
	text := n.class == identifier || n.class == token && n.kind == kindQuoted
	number := n.class == token && (n.kind == kindInteger || n.kind == kindFloat)
	switch e {
	case Metric:
		if !number {
			return nil, faultf("Expected numeric value type for metric. Found %s", n.value)
		}
		return float(n)
	case Param, Tag:
		if !text {
			return nil, faultf("Expected a quoted string value for %s (e.g. 'my-value'). Got value %s", e, n.value)
		}
		return unquote(n.value)
	case Attribute:
		switch {
		case slices.Contains(g.numeric, key):
			if !number {
				return nil, faultf("Expected numeric value type for numeric attribute: %s. Found %s", key, n.value)
			}
			return numeric(n)
		case text:
			return unquote(n.value)
		case n.class == parenthesis:
			return g.list(key, n)
		}
		return nil, faultf("Expected a quoted string value for attributes. Got value %s", n.value)
	}
	switch {
	case text:
		return unquote(n.value)
	case n.class == parenthesis:
		return list(n.value)
	}
	return nil, faultf("Expected a quoted string value for dataset attributes. Got value %s", n.value)
}

// registryValue reads the right side of a clause about registered models and, with
// numbers, their versions.
func registryValue(g *grammar, e Entity, key, _ string, n *node) (any, error) {
	text := n.class == identifier || n.class == token && n.kind == kindQuoted
	switch {
	case text:
		return unquote(n.value)
	case e == Tag:
		return nil, faultf("Expected a quoted string value for %s (e.g. 'my-value'). Got value %s", e, n.value)
	case n.class == parenthesis:
		return g.list(key, n)
	case g.numeric != nil && n.class == token && (n.kind == kindInteger || n.kind == kindFloat):
		if !slices.Contains(g.numeric, key) {
			return nil, faultf("Only the '%s' attributes support comparison with numeric values.", py.Set(g.numeric...))
		}
		return numeric(n)
	}
	return nil, faultf("Expected a quoted string value or a list of quoted string values for attributes. Got value %s", n.value)
}

// list reads a list where the attribute takes one.
func (g *grammar) list(key string, n *node) (any, error) {
	if g.lists != nil && !slices.Contains(g.lists, key) {
		return nil, faultf("Only %s attributes support comparison with a list of quoted string values.", py.List(slices.Sorted(slices.Values(g.lists))...))
	}
	return list(n.value)
}

// numeric is an int64 or a float64.
func numeric(n *node) (any, error) {
	if n.kind == kindFloat {
		return float(n)
	}
	v, ok := py.Int(n.value)
	if !ok {
		return float(n) // beyond 64 bits: compared as what is nearest
	}
	return v, nil
}

func float(n *node) (any, error) {
	v, ok := py.Float(n.value)
	if !ok {
		return nil, faultf("Expected numeric value type for metric. Found %s", n.value)
	}
	return v, nil
}
