package monitoring

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Quality tells how much of the production data is null, is not of the reference data's types, or lies outside of what the
// reference data has: its range for numbers, its values for texts. A threshold is what the rate may be beyond the reference
// data's own. Nulls take the column's median, or its most frequent text, once they are counted.
func Quality(c *Comparison) ([]Metric, error) {
	names, err := c.named()
	if err != nil {
		return nil, err
	}
	for what, t := range map[string]*Table{"reference": c.Reference, "production": c.Production} {
		if t.Rows == 0 {
			return nil, fmt.Errorf("the %s data has no rows", what)
		}
	}
	var out []Metric
	for _, l := range c.Limits {
		for _, n := range names {
			r, p := c.Reference.Column(n), c.Production.Column(n)
			kind := Categorical
			if o := strings.ToLower(c.Override[n]); o == "numerical" || o == "" && r.Type.number() {
				kind = Numerical
			}
			if kind != l.Kind || l.Metric == BoundsRate && !r.Type.number() && r.Type != String {
				continue
			}
			m := Metric{Name: l.Metric, Group: n, Kind: kind, Value: rate(l.Metric, r, p)}
			if l.Threshold != nil {
				limit := rate(l.Metric, r, r) + *l.Threshold
				m.Threshold = &limit
			}
			out = append(out, m)
		}
	}
	return append(out, rows(c.Reference.Rows, c.Production.Rows)...), nil
}

// named are the columns that both tables have, whatever is in them.
func (c *Comparison) named() ([]string, error) {
	for _, f := range c.Features {
		for what, t := range map[string]*Table{"reference": c.Reference, "production": c.Production} {
			if t.Column(f) == nil {
				return nil, fmt.Errorf("the %s data has no column %q; it has: %s", what, f, strings.Join(t.Names(), ", "))
			}
		}
	}
	if c.Features != nil {
		return c.Features, nil
	}
	var out []string
	for _, n := range c.Reference.Names() {
		if c.Production.Column(n) != nil {
			out = append(out, n)
		} else {
			c.Say("The column %s is in the reference data alone and is left out.", n)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no common columns are found: the reference data has %s; the production data has %s", typed(c.Reference), typed(c.Production))
	}
	return out, nil
}

// rate is a share of bad values, to five places as the service rounds it.
func rate(metric string, reference, production *Column) float64 {
	bad := 0
	switch metric {
	case NullRate:
		for _, null := range production.Null {
			if null {
				bad++
			}
		}
	case TypeErrorRate:
		for _, v := range production.filled() {
			if v != nil && !reference.Type.takes(production.Type, *v) {
				bad++
			}
		}
	case BoundsRate:
		bad = strangers(reference, production)
	}
	return math.Round(float64(bad)/float64(len(production.Null))*1e5) / 1e5
}

// filled are a column's values as text, with nulls filled; nil where there is nothing to fill them with.
func (c *Column) filled() []*string {
	fill := c.usual()
	out := make([]*string, len(c.Null))
	for i := range c.Null {
		if v, ok := c.text(i); ok {
			out[i] = &v
		} else {
			out[i] = fill
		}
	}
	return out
}

// usual is a column's median or most frequent text; nil where it has none.
func (c *Column) usual() *string {
	if !slices.Contains(c.Null, true) {
		return nil
	}
	if c.Type.number() {
		v := slices.Sorted(slices.Values(c.values()))
		if len(v) == 0 {
			return nil
		}
		s := strconv.FormatFloat(v[(len(v)-1)/2], 'g', -1, 64)
		return &s
	}
	if c.Type != String {
		return nil
	}
	counts, best := c.counts(), (*string)(nil)
	for i := range c.Null { // of equals the first
		if v, ok := c.text(i); ok && (best == nil || counts[v] > counts[*best]) {
			best = &v
		}
	}
	return best
}

// wholeNumber is a text that Spark casts to a whole one.
var wholeNumber = regexp.MustCompile(`^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$`)

var truths = []string{"t", "true", "y", "yes", "1", "f", "false", "n", "no", "0"}

// takes says whether a value of another type can be cast to this one, as Spark casts.
func (t Type) takes(of Type, text string) bool {
	if of == t || of != String {
		return true // numbers, truths and moments can be made of each other
	}
	switch t {
	case Double:
		_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		return err == nil
	case Long:
		return wholeNumber.MatchString(text)
	case Boolean:
		return slices.Contains(truths, strings.ToLower(strings.TrimSpace(text)))
	case Timestamp:
		return isTime(strings.TrimSpace(text))
	}
	return true
}

// strangers counts the values outside of what the reference has; those of a wrong type are counted elsewhere.
func strangers(reference, production *Column) int {
	n := 0
	if !reference.Type.number() {
		known := reference.counts()
		for _, v := range production.filled() {
			if v != nil && known[*v] == 0 {
				n++
			}
		}
		return n
	}
	low, high, ok := reference.extremes()
	if !ok {
		return 0
	}
	for _, v := range production.filled() {
		if v == nil || !reference.Type.takes(production.Type, *v) {
			continue
		}
		if x, err := strconv.ParseFloat(strings.TrimSpace(*v), 64); err == nil && (x < low || x > high) {
			n++
		}
	}
	return n
}
