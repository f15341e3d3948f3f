package monitoring

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Comparison is two tables and how they are read.
type Comparison struct {
	Reference, Production *Table
	// Override says of features by their names that they are numerical or categorical.
	Override map[string]string
	// Features are those that count. Nil are all that both tables have.
	Features []string
	Limits   []Limit
	// Say is told what is left out and why.
	Say func(format string, args ...any)
}

// common are the columns that both tables have in the same type; whole numbers and others are not of one type.
func (c *Comparison) common() ([]string, error) {
	var out []string
	for _, r := range c.Reference.Columns {
		p := c.Production.Column(r.Name)
		switch {
		case c.Features != nil && !slices.Contains(c.Features, r.Name):
		case p == nil && c.Features != nil:
			return nil, fmt.Errorf("the production data has no column %q; it has: %s", r.Name, strings.Join(c.Production.Names(), ", "))
		case p == nil:
			c.Say("The column %s is in the reference data alone and is left out.", r.Name)
		case p.Type != r.Type && c.Override[r.Name] == "":
			c.Say("The column %s is of type %s in the reference data and of type %s in the production data, and is left out.", r.Name, r.Type, p.Type)
		default:
			out = append(out, r.Name)
		}
	}
	for _, f := range c.Features {
		if c.Reference.Column(f) == nil {
			return nil, fmt.Errorf("the reference data has no column %q; it has: %s", f, strings.Join(c.Reference.Names(), ", "))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no common columns of the same type are found: the reference data has %s; the production data has %s", typed(c.Reference), typed(c.Production))
	}
	return out, nil
}

func typed(t *Table) string {
	var out []string
	for _, c := range t.Columns {
		out = append(out, c.Name+" ("+string(c.Type)+")")
	}
	return strings.Join(out, ", ")
}

// Drift tells how far the features' distributions are apart. Rows with a null are left out.
func Drift(c *Comparison) ([]Metric, error) {
	names, err := c.common()
	if err != nil {
		return nil, err
	}
	kinds := map[string]string{}
	for _, n := range names {
		kinds[n] = Numerical
		if c.Reference.Column(n).categorical(c.Override) {
			kinds[n] = Categorical
		} else if r, p := c.Reference.Column(n), c.Production.Column(n); !r.Type.number() || !p.Type.number() {
			return nil, fmt.Errorf("the column %q is of type %s in the reference data and of type %s in the production data, and cannot be numerical", n, r.Type, p.Type)
		}
	}
	r, p := c.Reference.choose(names).complete(), c.Production.choose(names).complete()
	for what, t := range map[string]*Table{"reference": r, "production": p} {
		if t.Rows == 0 {
			return nil, fmt.Errorf("the %s data has no row without a null among: %s", what, strings.Join(names, ", "))
		}
	}
	var out []Metric
	for _, l := range c.Limits {
		for _, n := range names {
			if kinds[n] != l.Kind {
				continue
			}
			v, err := drifted(l, r.Column(n), p.Column(n))
			if err != nil {
				return nil, fmt.Errorf("the column %q: %w", n, err)
			}
			out = append(out, Metric{Name: l.Metric, Group: n, Kind: l.Kind, Value: v, Threshold: l.Threshold})
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(c.Limits, func(l Limit) bool { return l.Kind == kinds[n] }) {
			c.Say("The column %s is %s, of which the signal has no threshold, and is left out.", n, strings.ToLower(kinds[n]))
		}
	}
	return append(out, rows(r.Rows, p.Rows)...), nil
}

func drifted(l Limit, r, p *Column) (float64, error) {
	if l.Kind == Categorical {
		a, b := tallies(r, p)
		switch l.Metric {
		case JensenShannon:
			return jensenShannon(a, b), nil
		case PopulationStability:
			return populationStability(a, b), nil
		case ChiSquared:
			return chiSquared(a, b), nil
		}
		return 0, fmt.Errorf("%s is not computed of categories", l.Metric)
	}
	a, b := r.values(), p.values()
	switch l.Metric {
	case WassersteinDistance:
		if len(a) < 2 {
			return 0, fmt.Errorf("the reference data has one row, and so no standard deviation")
		}
		return normalizedWasserstein(a, b), nil
	case KolmogorovSmirnov:
		return kolmogorovSmirnov(a, b)
	}
	e := edges(a, b)
	switch x, y := histogram(a, e), histogram(b, e); l.Metric {
	case JensenShannon:
		return jensenShannon(x, y), nil
	case PopulationStability:
		return populationStability(x, y), nil
	}
	return 0, fmt.Errorf("%s is not computed of numbers", l.Metric)
}

// tallies are the counts of the values that either column has, in one order.
func tallies(r, p *Column) (reference, production []int) {
	a, b := r.counts(), p.counts()
	all := maps.Clone(a)
	maps.Copy(all, b)
	for _, v := range slices.Sorted(maps.Keys(all)) {
		reference, production = append(reference, a[v]), append(production, b[v])
	}
	return reference, production
}
