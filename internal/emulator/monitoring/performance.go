package monitoring

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Answers are what a model said and what was true, row by row.
type Answers struct{ Said, True *Column }

// Join brings the rows of two tables together that have the same value in a column of each. Rows without such a value, or
// without a counterpart, are left out. Columns that both have are the left one's.
func Join(left, right *Table, leftKey, rightKey string) (*Table, error) {
	l, r := left.Column(leftKey), right.Column(rightKey)
	for key, t := range map[string]*Table{leftKey: left, rightKey: right} {
		if t.Column(key) == nil {
			return nil, fmt.Errorf("there is no column %q to join the rows by; the columns are: %s", key, strings.Join(t.Names(), ", "))
		}
	}
	at := map[string][]int{}
	for i := range right.Rows {
		if k, ok := r.text(i); ok {
			at[k] = append(at[k], i)
		}
	}
	var a, b []int
	for i := range left.Rows {
		if k, ok := l.text(i); ok {
			for _, j := range at[k] {
				a, b = append(a, i), append(b, j)
			}
		}
	}
	if len(a) == 0 {
		return nil, fmt.Errorf("no row of the one has the %s of a row of the other (%s)", leftKey, rightKey)
	}
	out := left.take(a)
	for _, c := range right.take(b).Columns {
		if out.Column(c.Name) == nil {
			out.Columns = append(out.Columns, c)
		}
	}
	return out, nil
}

// Performance tells how well a model does. Rows in which either is null are left out.
func Performance(a Answers, limits []Limit) ([]Metric, error) {
	t := (&Table{Rows: len(a.Said.Null), Columns: []*Column{{Name: "said", Type: a.Said.Type, Null: a.Said.Null, Numbers: a.Said.Numbers, Texts: a.Said.Texts}, {Name: "true", Type: a.True.Type, Null: a.True.Null, Numbers: a.True.Numbers, Texts: a.True.Texts}}}).complete()
	if t.Rows == 0 {
		return nil, fmt.Errorf("there is no row with both a prediction and the truth")
	}
	said, truth := t.Columns[0], t.Columns[1]
	var out []Metric
	for _, l := range limits {
		v := 0.0
		switch l.Metric {
		case Accuracy, Precision, Recall:
			v = classified(l.Metric, labels(said), labels(truth))
		case AbsoluteError, SquaredError, RootSquaredError:
			if !said.Type.number() || !truth.Type.number() {
				return nil, fmt.Errorf("%s is computed of numbers; the predictions are of type %s, the truth of type %s", l.Metric, said.Type, truth.Type)
			}
			v = missed(l.Metric, said.Numbers, truth.Numbers)
		default:
			return nil, fmt.Errorf("the metric %q is not one of a model's performance", l.Metric)
		}
		out = append(out, Metric{Name: l.Metric, Value: v, Threshold: l.Threshold})
	}
	return append(out, Metric{Name: ProductionRows, Value: float64(t.Rows)}), nil
}

// labels are a column's values as classes: 1 and 1.0 are one, and so are truths however they are written.
func labels(c *Column) []string {
	out := make([]string, len(c.Null))
	for i := range out {
		v, _ := c.text(i) // there are no nulls
		if f, err := strconv.ParseFloat(v, 64); err == nil && c.Type.number() {
			v = strconv.FormatFloat(f, 'g', -1, 64)
		}
		if c.Type == Boolean {
			v = strings.ToLower(v)
		}
		out[i] = v
	}
	return out
}

// classified is the share of right answers, or the mean over all classes of each one's precision or recall, 0 for a class
// of which there is none to divide by.
func classified(metric string, said, truth []string) float64 {
	hits, as, of := map[string]float64{}, map[string]float64{}, map[string]float64{}
	right := 0.0
	for i := range said {
		as[said[i]]++
		of[truth[i]]++
		if said[i] == truth[i] {
			hits[said[i]]++
			right++
		}
	}
	if metric == Accuracy {
		return right / float64(len(said))
	}
	by := as
	if metric == Recall {
		by = of
	}
	classes := maps.Clone(as)
	maps.Copy(classes, of)
	sum := 0.0
	for _, c := range slices.Sorted(maps.Keys(classes)) {
		if by[c] > 0 {
			sum += hits[c] / by[c]
		}
	}
	return sum / float64(len(classes))
}

func missed(metric string, said, truth []float64) float64 {
	sum := 0.0
	for i := range said {
		d := said[i] - truth[i]
		if metric == AbsoluteError {
			sum += math.Abs(d)
		} else {
			sum += d * d
		}
	}
	sum /= float64(len(said))
	if metric == RootSquaredError {
		return math.Sqrt(sum)
	}
	return sum
}
