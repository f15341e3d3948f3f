package search

import (
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

var models = &grammar{
	attributes: []string{"name"},
	lists:      []string{"name"},
	identifier: strictAttributeOrTag,
	value:      registryValue,
	plain:      true,
}

// Models reads a filter of registered models.
func Models(filter string) ([]Clause, error) {
	all, err := models.clauses(filter)
	if err != nil {
		return nil, err
	}
	for i := range all {
		c := &all[i]
		if c.Entity == Tag && !slices.Contains(plainOps, c.Op) {
			return nil, faultf("Invalid comparator for tag: %s", c.Op)
		}
		if c.Entity == Attribute && !slices.Contains(stringOps, c.Op) {
			return nil, faultf("Invalid comparator for attribute: %s", c.Op)
		}
		if err := c.checkList(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ModelOrders reads the order_by of a search of registered models: the keys are
// name and last_updated_timestamp, which timestamp is another word for.
func ModelOrders(items []string) ([]Order, error) {
	var all []Order
	for _, item := range items {
		key, ascending, err := orderText(item)
		if err != nil {
			return nil, err
		}
		switch key = strings.TrimFunc(key, py.IsSpace); key {
		case "timestamp":
			key = "last_updated_timestamp"
		case "name", "last_updated_timestamp":
		default:
			return nil, faultf("Invalid order by key '%s' specified. Valid keys are '%s'", key, py.Set("name", "timestamp"))
		}
		if slices.ContainsFunc(all, func(o Order) bool { return o.Key == key }) {
			return nil, faultf("`order_by` contains duplicate fields: %s", py.List(items...))
		}
		all = append(all, Order{Entity: Attribute, Key: key, Ascending: ascending})
	}
	return all, nil
}

var versionOrders = []string{"creation_timestamp", "last_updated_timestamp", "name", "version_number"}

var versions = &grammar{
	attributes: []string{"name", "run_id", "source_path", "version_number"},
	orders:     versionOrders,
	numeric:    []string{"creation_timestamp", "last_updated_timestamp", "version_number"},
	lists:      []string{"name", "run_id"},
	identifier: strictAttributeOrTag,
	value:      registryValue,
	plain:      true,
}

// Versions reads a filter of model versions. Version numbers are int64.
func Versions(filter string) ([]Clause, error) {
	all, err := versions.clauses(filter)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if err := all[i].checkVersion(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (c *Clause) checkVersion() error {
	switch {
	case c.Entity == Tag:
		if !slices.Contains(plainOps, c.Op) {
			return faultf("Invalid comparator for tag: %s", c.Op)
		}
	case c.Key == "version_number":
		if !slices.Contains(numericOps, c.Op) {
			return faultf("Invalid comparator for attribute %s: %s", c.Key, c.Op)
		}
		switch v := c.Value.(type) {
		case float64:
			return faultf("Invalid value for numeric attribute '%s': %s", c.Key, py.FormatFloat(v))
		case string:
			n, ok := py.Int(v)
			if !ok {
				return faultf("Invalid value for numeric attribute '%s': %s", c.Key, py.Repr(v))
			}
			c.Value = n
		}
		return nil
	case !slices.Contains(stringOps, c.Op) || (c.Op == "IN" || c.Op == "NOT IN") && c.Key == "source_path":
		return faultf("Invalid comparator for attribute: %s", c.Op)
	}
	return c.checkList()
}

// VersionOrders reads the order_by of a search of model versions. What stands
// before a dot does not matter: tags.name is name.
func VersionOrders(items []string) ([]Order, error) {
	g := *versions
	g.identifier = attributeOrTag
	var all []Order
	for _, item := range items {
		o, err := g.order(item)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(versionOrders, o.Key) {
			return nil, faultf("Invalid order by key '%s' specified. Valid keys are %s", o.Key, py.Set(versionOrders...))
		}
		o.Entity = Attribute
		if slices.ContainsFunc(all, func(p Order) bool { return p.Key == o.Key }) {
			return nil, faultf("`order_by` contains duplicate fields: %s", py.List(items...))
		}
		all = append(all, o)
	}
	return all, nil
}
