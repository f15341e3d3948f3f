package search

import (
	"slices"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

var experimentKeys = []string{"creation_time", "experiment_id", "last_update_time", "name"}

var experiments = &grammar{
	attributes: experimentKeys,
	orders:     experimentKeys,
	numeric:    []string{"creation_time", "last_update_time"},
	lists:      []string{"experiment_id"},
	identifier: attributeOrTag,
	plain:      true,
	nullable: func(e Entity, key string) error {
		if e != Tag {
			return faultf("IS NULL / IS NOT NULL is only supported for tags, not for attribute '%s'", key)
		}
		return nil
	},
}

// Experiments reads a filter of experiments. Ids are int64, or []int64 for IN.
// Operators are compared as they stand: like is none.
func Experiments(filter string) ([]Clause, error) {
	all, err := experiments.clauses(filter)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].checkExperiment(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *Clause) checkExperiment() error {
	switch {
	case c.Op == "IS NULL" || c.Op == "IS NOT NULL":
		return nil
	case c.Entity == Tag:
		if !slices.Contains(plainOps, c.raw) {
			return faultf("Invalid comparator for tag: %s", c.raw)
		}
		return nil
	case c.Key == "experiment_id":
		if !slices.Contains([]string{"=", "!=", "IN", "NOT IN"}, c.raw) {
			return faultf("Invalid comparator for experiment_id: %s", c.raw)
		}
		return c.experimentIDs()
	case c.Key == "name":
		if !slices.Contains(stringOps, c.raw) {
			return faultf("Invalid comparator '%s' not one of '%s'", c.raw, py.Set(stringOps...))
		}
		if !slices.Contains(plainOps, c.raw) {
			return faultf("Invalid comparator for string attribute: %s", c.raw)
		}
		return nil
	}
	if !slices.Contains(numericOps, c.raw) {
		return faultf("Invalid comparator '%s' not one of '%s", c.raw, py.Set(stringOps...))
	}
	if f, isFloat := c.Value.(float64); isFloat {
		return faultf("Invalid value for numeric attribute '%s': '%s'", c.Key, py.FormatFloat(f))
	}
	return nil
}

func (c *Clause) experimentIDs() error {
	if err := c.checkList(); err != nil {
		return err
	}
	var ids []int64
	texts, isList := c.Value.([]string)
	if s, isText := c.Value.(string); isText {
		texts = []string{s}
	}
	for _, s := range texts {
		id, ok := py.Int(s)
		if !ok {
			return faultf("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", s)
		}
		ids = append(ids, id)
	}
	if isList {
		c.Value = ids
	} else {
		c.Value = ids[0]
	}
	return nil
}

// ExperimentOrders reads the order_by of a search of experiments.
func ExperimentOrders(items []string) ([]Order, error) {
	var all []Order
	for _, item := range items {
		o, err := experiments.order(item)
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
