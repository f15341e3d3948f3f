package search

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

var evalOrders = []string{"created_time", "last_update_time", "name"}

var evals = &grammar{
	attributes: []string{"created_by", "created_time", "last_update_time", "last_updated_by", "name"},
	orders:     evalOrders,
	numeric:    []string{"created_time", "last_update_time"},
	lists:      []string{"name"},
	identifier: evalIdentifier,
	plain:      true,
	nullable: func(e Entity, key string) error {
		return faultf("IS NULL / IS NOT NULL is only supported for tags and params, not for '%s' '%s'", e, key)
	},
}

func evalIdentifier(_ *grammar, id string, valid []string) (Entity, string, error) {
	word, key, ok := strings.Cut(id, ".")
	switch {
	case !ok && !slices.Contains(valid, word):
		return "", "", faultf("Invalid attribute key '%s' specified. Valid keys are: %s", word, py.Set(valid...))
	case !ok:
		return Attribute, word, nil
	case word != "tags":
		return "", "", faultf("Invalid identifier token '%s' specified", word)
	}
	return Tag, key, nil
}

// EvaluationDatasets reads a filter of evaluation datasets.
func EvaluationDatasets(filter string) ([]Clause, error) {
	all, err := evals.clauses(filter)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if err := c.checkEval(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *Clause) checkEval() error {
	_, isList := c.Value.([]string)
	switch {
	case c.Entity == Tag:
		if !slices.Contains(plainOps, c.Op) {
			return faultf("Invalid comparator for tag: %s", c.Op)
		}
	case slices.Contains(evals.numeric, c.Key):
		if !slices.Contains(numericOps, c.Op) {
			return faultf("Invalid comparator for numeric attribute: %s", c.Op)
		}
		switch v := c.Value.(type) {
		case float64:
			return faultf("Invalid value for numeric attribute '%s': '%s'", c.Key, py.FormatFloat(v))
		case string:
			n, ok := py.Int(v)
			if !ok {
				return faultf("Invalid value for numeric attribute '%s': %s", c.Key, py.Repr(v))
			}
			c.Value = n
		}
	case isList && c.Op != "IN":
		return faultf("List values for 'name' are only supported with the IN comparator.")
	case !slices.Contains(plainOps, c.Op) && !slices.Contains(numericOps, c.Op) && !(c.Key == "name" && c.Op == "IN"):
		return faultf("Invalid comparator for string attribute: %s", c.Op)
	}
	return nil
}

// EvaluationDatasetOrders reads the order_by of a search of evaluation datasets.
func EvaluationDatasetOrders(items []string) ([]Order, error) {
	var all []Order
	for _, item := range items {
		o, err := evals.order(item)
		if err != nil {
			return nil, err
		}
		if o.Entity != Attribute {
			return nil, faultf("Invalid order_by entity: %s", o.Entity)
		}
		all = append(all, o)
	}
	return all, nil
}
