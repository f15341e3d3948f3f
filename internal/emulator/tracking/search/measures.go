package search

import (
	"slices"
	"strings"
)

// measured is what an aggregation of traces may be filtered by: of which things,
// and, true for those that have keys of their own, by what.
var measured = []struct {
	word   string
	fields []string
	keyed  map[string]bool
}{
	{"trace", []string{"status", "tag", "metadata"}, map[string]bool{"tag": true, "metadata": true}},
	{"span", []string{"name", "status", "type"}, nil},
	{"assessment", []string{"name", "type"}, nil},
}

var measures = &grammar{plain: true, single: true, identifier: measureIdentifier, value: measureValue, check: func(c *Clause) error {
	if c.raw != "=" {
		return faultf("Invalid comparator: '%s', only '=' operator is supported", c.raw)
	}
	return nil
}}

// Measure reads a filter of aggregated traces: one comparison, of a word with a
// field and perhaps a key. The entity is the word with the field, as in trace.tag.
func Measure(filter string) (Clause, error) {
	all, err := measures.clauses(filter)
	if err != nil {
		return Clause{}, err
	}
	if len(all) != 1 {
		return Clause{}, faultf("Invalid filter: '%s'. Expected one filter clause.", filter)
	}
	return all[0], nil
}

func measureIdentifier(_ *grammar, id string, _ []string) (Entity, string, error) {
	parts := strings.SplitN(id, ".", 3)
	if len(parts) < 2 {
		return "", "", faultf("Invalid identifier '%s'. Columns should be specified as 'trace.<key>', 'span.<key>', 'assessment.<key>'.", id)
	}
	word, field := trimBackticks(parts[0]), parts[1]
	for _, m := range measured {
		if m.word != word {
			continue
		}
		switch {
		case !slices.Contains(m.fields, field):
			return "", "", faultf("Invalid entity '%s' specified for view type '%s'. Valid entities are ['%s']", field, word, strings.Join(m.fields, "', '"))
		case m.keyed[field] && len(parts) < 3:
			return "", "", faultf("Filtering by %s requires a key, e.g. '%s.%s.<key> = <value>'", field, word, field)
		case !m.keyed[field] && len(parts) == 3:
			return "", "", faultf("Filtering by %s does not require a key, use '%s.%s' instead", field, word, field)
		}
		key := ""
		if len(parts) == 3 {
			key = trimBackticks(stripQuotes(parts[2]))
		}
		return Entity(word + "." + field), key, nil
	}
	return "", "", faultf("Invalid view type '%s'. Valid values are dict_keys(['trace', 'span', 'assessment'])", word)
}

func measureValue(_ *grammar, e Entity, _, _ string, n *node) (any, error) {
	if n.class == identifier || n.class == token && n.kind == kindQuoted {
		return unquote(n.value)
	}
	_, field, _ := strings.Cut(string(e), ".")
	return nil, faultf("Expected a quoted string value for %s value (e.g. 'my-value'). Got value %s", field, n.value)
}
