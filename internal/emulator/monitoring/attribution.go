package monitoring

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Rows from which on a part of them is looked at: to learn from, as the service does, and to explain.
const (
	mostLearned   = 10_000
	mostExplained = 1_000
)

// Importance is how much a feature has to do with the target.
type Importance struct {
	Feature string
	Kind    string
	Value   float64
}

// Importances learns what the features say of a target by boosted trees, and gives the mean of the absolute Shapley values of
// each feature, in the order of the features. What the service computes is that of a second model that copies the first one:
// its values differ somewhat, the order of features that matter seldom.
func Importances(ctx context.Context, t *Table, target string, features []string, classification bool, override map[string]string) ([]Importance, error) {
	y := t.Column(target)
	if y == nil {
		return nil, fmt.Errorf("there is no column %q, the target; the columns are: %s", target, strings.Join(t.Names(), ", "))
	}
	t = t.pick(func(row int) bool { return !y.Null[row] })
	if t.Rows > mostLearned {
		t = t.take(spread(t.Rows, mostLearned))
	}
	if t.Rows < 2*leastRows {
		return nil, fmt.Errorf("%d rows with a target are too few to learn what the features say of it; %d are needed", t.Rows, 2*leastRows)
	}
	y = t.Column(target)
	values, classes := y.Numbers, 0
	if classification {
		values, classes = classesOf(y)
		if classes < 2 {
			return nil, fmt.Errorf("the target %q has one value alone", target)
		}
	} else if !y.Type.number() {
		return nil, fmt.Errorf("the target %q of a regression is of type %s", target, y.Type)
	}
	m := matrixOf(t, features, override)
	e := boost(m, values, classes, func() bool { return ctx.Err() != nil })
	sums := make([]float64, len(features))
	explained := spread(t.Rows, min(t.Rows, mostExplained))
	w := newWays()
	one := make([]float64, len(features))
	for _, row := range explained {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, trees := range e.trees {
			clear(one)
			for _, t := range trees {
				t.shapley(m, row, w, one)
			}
			for f, v := range one {
				sums[f] += math.Abs(v) / float64(len(explained))
			}
		}
	}
	out := make([]Importance, len(features))
	for f, n := range features {
		kind := Numerical
		if m.category[f] {
			kind = Categorical
		}
		out[f] = Importance{Feature: n, Kind: kind, Value: sums[f]}
	}
	return out, nil
}

// spread are n of some rows, evenly among them.
func spread(rows, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i * rows / n
	}
	return out
}

func classesOf(c *Column) ([]float64, int) {
	names := labels(c)
	known := slices.Compact(slices.Sorted(slices.Values(names)))
	out := make([]float64, len(names))
	for i, n := range names {
		at, _ := slices.BinarySearch(known, n) // it is among them
		out[i] = float64(at)
	}
	return out, len(known)
}

// attributionDrift compares the importances of two tables' features for the same target.
func attributionDrift(ctx context.Context, c *Comparison, target string, classification bool) ([]Metric, error) {
	var features []string
	for _, n := range c.Reference.Names() {
		if n != target && n != correlation && c.Production.Column(n) != nil {
			features = append(features, n)
		}
	}
	if len(features) == 0 {
		return nil, fmt.Errorf("no common features are found: the reference data has %s; the production data has %s", typed(c.Reference), typed(c.Production))
	}
	slices.Sort(features)
	var of [2][]Importance
	for i, t := range []*Table{c.Reference, c.Production} {
		var err error
		if of[i], err = Importances(ctx, t, target, features, classification, c.Override); err != nil {
			return nil, fmt.Errorf("the %s data: %w", []string{"reference", "production"}[i], err)
		}
	}
	relevance, scores := make([]float64, len(features)), make([]float64, len(features))
	for i := range features {
		relevance[i], scores[i] = of[0][i].Value, of[1][i].Value
	}
	var out []Metric
	for _, l := range c.Limits {
		out = append(out, Metric{Name: l.Metric, Value: cumulativeGain(relevance, scores), Threshold: l.Threshold})
	}
	for i, name := range []string{"BaselineFeatureImportance", "ProductionFeatureImportance"} {
		for _, f := range of[i] {
			out = append(out, Metric{Name: name, Group: f.Feature, Kind: f.Kind, Value: f.Value})
		}
	}
	return append(out, rows(c.Reference.Rows, c.Production.Rows)...), nil
}
