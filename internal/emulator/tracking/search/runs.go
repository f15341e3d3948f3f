package search

import (
	"slices"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

var runKeys = []string{"artifact_uri", "end_time", "run_id", "run_name", "start_time", "status", "user_id", "created", "Created"}

var runs = &grammar{
	attributes: append(slices.Clone(runKeys), "run name", "Run name", "Run Name"),
	orders:     runKeys,
	numeric:    []string{"start_time", "end_time", "created", "Created"},
	lists:      []string{"run_id"},
	nullable: func(e Entity, key string) error {
		if e != Tag && e != Param {
			return faultf("IS NULL / IS NOT NULL is only supported for tags and params, not for '%s' '%s'", e, key)
		}
		return nil
	},
}

// RunKey is an attribute's own name: created is start_time.
func RunKey(key string) string {
	switch key {
	case "created", "Created":
		return "start_time"
	case "run name", "Run name", "Run Name":
		return "run_name"
	}
	return key
}

// Runs reads a filter of runs. Attributes have their own names; values of metrics
// are float64.
func Runs(filter string) ([]Clause, error) {
	all, err := runs.clauses(filter)
	if err != nil {
		return nil, err
	}
	for i := range all {
		c := &all[i]
		numeric := c.Entity == Attribute && slices.Contains(runs.numeric, c.Key)
		if c.Entity == Attribute {
			c.Key = RunKey(c.Key)
		}
		if err := c.checkRun(numeric); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *Clause) checkRun(numeric bool) error {
	valid, closing := stringOps, "'"
	switch {
	case c.Entity == Metric:
		valid, closing = numericOps, ""
	case c.Entity == Param:
		valid = keyedOps
	case c.Entity == Tag:
		valid, closing = keyedOps, ""
	case c.Entity == Dataset:
		closing = ""
	case numeric:
		if !slices.Contains(numericOps, c.Op) {
			return faultf("Invalid comparator '%s' not one of '%s", c.Op, py.Set(stringOps...))
		}
		return nil
	}
	if !slices.Contains(valid, c.Op) {
		return faultf("Invalid comparator '%s' not one of '%s%s", c.Op, py.Set(valid...), closing)
	}
	return c.checkList()
}

// checkList refuses a list with another operator than IN, and IN without one.
func (c *Clause) checkList() error {
	_, isList := c.Value.([]string)
	if isList != (c.Op == "IN" || c.Op == "NOT IN") {
		return faultf("Invalid comparator '%s' for the value of '%s'", c.Op, c.Key)
	}
	return nil
}

// RunOrders reads the order_by of a search of runs.
func RunOrders(items []string) ([]Order, error) {
	all, err := runs.each(items, RunKey)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.Entity == Dataset {
			return nil, faultf("Invalid identifier type '%s'", o.Entity)
		}
	}
	return all, nil
}
