package search

import (
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// loggedEntity takes entity.key apart.
var loggedEntity = regexp.MustCompile(`^([a-z]+)\.([^\n]+)$`)

// LoggedAttributes are the attributes of logged models by the names that filters
// and orders may use.
var LoggedAttributes = map[string]string{
	"creation_time": "creation_timestamp_ms", "creation_timestamp": "creation_timestamp_ms", "creation_timestamp_ms": "creation_timestamp_ms",
	"last_updated_timestamp": "last_updated_timestamp_ms", "last_updated_timestamp_ms": "last_updated_timestamp_ms",
	"model_id": "model_id", "experiment_id": "experiment_id", "name": "name", "artifact_location": "artifact_location", "status": "status",
	"lifecycle_stage": "lifecycle_stage", "model_type": "model_type", "source_run_id": "source_run_id", "status_message": "status_message",
}

// Logged reads a filter of logged models. Attributes have the names of the stored
// fields; numbers are float64.
func Logged(filter string) ([]Clause, error) {
	if filter == "" {
		return nil, nil
	}
	statements, err := parse(filter)
	if err != nil {
		return nil, faultf("Invalid filter string: %s. %s", py.Repr(filter), err)
	}
	if len(statements) != 1 {
		return nil, faultf("Invalid filter string: %s. Expected a single SQL expression.", py.Repr(filter))
	}
	nodes, err := joinLists(statements[0].nodes, false)
	if err != nil {
		return nil, err
	}
	var out []Clause
	for _, n := range nodes {
		switch {
		case n.class == comparison:
			c, err := loggedClause(n)
			if err != nil {
				return nil, err
			}
			out = append(out, c)
		case !strings.EqualFold(strings.TrimSpace(n.value), "AND"):
			return nil, faultf("Invalid filter string: %s. Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').", py.Repr(filter))
		}
	}
	for i := range out {
		c := &out[i]
		if _, ok := LoggedAttributes[c.Key]; c.Entity == Attribute && !ok {
			return nil, faultf("Invalid attribute: '%s'", c.Key)
		}
		if err, bad := c.Value.(error); bad {
			return nil, err
		}
		if err := c.checkList(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func loggedClause(n *node) (Clause, error) {
	var parts []string
	for _, t := range n.nodes {
		if !t.blank() {
			parts = append(parts, t.value)
		}
	}
	if len(parts) != 3 {
		return Clause{}, faultf("Invalid comparison: %s. Expected a comparison with 3 tokens.", n.value)
	}
	c := Clause{Entity: Attribute, Key: strings.Trim(parts[0], "`"), Op: strings.ToUpper(parts[1])}
	word := "attributes"
	if m := loggedEntity.FindStringSubmatch(parts[0]); m != nil {
		word, c.Key = m[1], strings.Trim(m[2], "`")
	}
	numeric := false
	switch word {
	case "attributes":
		if name, ok := LoggedAttributes[c.Key]; ok {
			c.Key, numeric = name, strings.HasSuffix(name, "timestamp_ms")
		}
	case "metrics":
		c.Entity, numeric = Metric, true
	case "params":
		c.Entity = Param
	case "tags":
		c.Entity = Tag
	default:
		return c, faultf("Invalid entity type: %s. Expected one of ['attributes', 'metrics', 'params', 'tags'].", py.Repr(word))
	}
	ops := []string{"=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"}
	if numeric {
		ops = []string{"<", "<=", ">", ">=", "=", "!="}
	}
	if !slices.Contains(ops, c.Op) {
		return c, faultf("Invalid comparison operator for %s.%s: %s. Expected one of %s.", word, c.Key, py.Repr(c.Op), py.Tuple(ops...))
	}
	switch {
	case numeric:
		f, ok := py.Float(parts[2])
		if !ok {
			return c, faultf("could not convert string to float: %s", py.Repr(parts[2]))
		}
		c.Value = f
	case strings.HasPrefix(parts[2], "(") && strings.HasSuffix(parts[2], ")"):
		items, err := list(parts[2])
		if c.Value = items; err != nil {
			c.Value = err // told when all clauses were read
		}
	default:
		c.Value = strings.Trim(parts[2], "'")
	}
	return c, nil
}
