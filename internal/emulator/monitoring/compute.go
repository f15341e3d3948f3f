package monitoring

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Tables are what a signal is computed of.
type Tables struct {
	// Production are the tables of productionData, in its order.
	Production []*Table
	Reference  *Table // nil where the definition names none
}

// Compute computes a signal. task is what the model does, classification or regression; say is told what is left out.
func (s *Signal) Compute(ctx context.Context, t Tables, task string, say func(format string, args ...any)) ([]Metric, error) {
	limits, err := s.Limits()
	if err != nil {
		return nil, err
	}
	classification := !strings.EqualFold(task, "regression")
	if s.Kind == ModelPerformance {
		return s.performance(t, limits)
	}
	c := &Comparison{Reference: t.Reference, Production: t.Production[0], Override: s.Override, Limits: limits, Say: say}
	if s.Kind == AttributionDrift {
		if err := s.attributed(t, c); err != nil {
			return nil, err
		}
		c.Reference, c.Production = s.withoutIDs(c.Reference, s.Reference), s.withoutIDs(c.Production, s.Production[0])
		if err := s.segment(c); err != nil {
			return nil, err
		}
		return attributionDrift(ctx, c, s.target(), classification)
	}
	c.Reference, c.Production = s.withoutIDs(c.Reference, s.Reference), s.withoutIDs(c.Production, s.Production[0])
	if err := s.segment(c); err != nil {
		return nil, err
	}
	switch s.Kind {
	case PredictionDrift:
		if err := s.predictions(c); err != nil {
			return nil, err
		}
		return Drift(c)
	case DataQuality:
		if err := s.choose(ctx, c, classification); err != nil {
			return nil, err
		}
		return Quality(c)
	}
	if err := s.choose(ctx, c, classification); err != nil {
		return nil, err
	}
	return Drift(c)
}

// withoutIDs takes the ids of requests out of a table: they are no feature.
func (s *Signal) withoutIDs(t *Table, d *Data) *Table {
	id := d.column("correlation_id", "")
	return t.choose(slices.DeleteFunc(t.Names(), func(n string) bool { return n == id || t.Collected && n == correlation }))
}

func (s *Signal) segment(c *Comparison) (err error) {
	if s.DataSegment == nil || s.DataSegment.Feature == "" {
		return nil
	}
	for what, t := range map[string]**Table{"reference": &c.Reference, "production": &c.Production} {
		if *t, err = (*t).Segment(s.DataSegment.Feature, s.DataSegment.Values); err != nil {
			return fmt.Errorf("the %s data: %w", what, err)
		}
		if (*t).Rows == 0 {
			return fmt.Errorf("the %s data has no row in which %s is one of: %s", what, s.DataSegment.Feature, strings.Join(s.DataSegment.Values, ", "))
		}
	}
	return nil
}

// choose finds the features that count.
func (s *Signal) choose(ctx context.Context, c *Comparison, classification bool) error {
	switch f := s.Filter; {
	case f == nil:
		return nil
	case strings.EqualFold(f.Type, "FeatureSubset"):
		c.Features = f.Features
	case strings.EqualFold(f.Type, "TopNByAttribution"):
		top := f.Top
		if top <= 0 {
			top = 10
		}
		target := s.target()
		var features []string
		for _, n := range c.Reference.Names() {
			if n != target && c.Production.Column(n) != nil {
				features = append(features, n)
			}
		}
		if len(features) > top {
			all, err := Importances(ctx, c.Reference, target, features, classification, s.Override)
			if err != nil {
				return fmt.Errorf("the most important features: %w", err)
			}
			slices.SortStableFunc(all, func(a, b Importance) int {
				switch {
				case a.Value > b.Value:
					return -1
				case a.Value < b.Value:
					return 1
				}
				return 0
			})
			features = nil
			for _, i := range all[:top] {
				features = append(features, i.Feature)
			}
			c.Say("The %d most important features of %d are: %s.", top, len(all), strings.Join(features, ", "))
		}
		c.Features = features
	}
	return nil
}

// predictions brings what the model says and what it is compared with under one name.
func (s *Signal) predictions(c *Comparison) error {
	target, prediction := s.target(), s.Production[0].column("prediction", "")
	if target == "" {
		if prediction != "" {
			c.Features = []string{prediction}
		}
		return nil
	}
	if prediction == "" {
		switch {
		case c.Production.Column(target) != nil:
			prediction = target
		case len(c.Production.Columns) == 1:
			prediction = c.Production.Columns[0].Name
		default:
			return fmt.Errorf("the reference data's target is %s, and which of the production data's columns is compared with it is not said: name it as productionData.columns.prediction; the columns are: %s", target, strings.Join(c.Production.Names(), ", "))
		}
	}
	r, p := c.Reference.Column(target), c.Production.Column(prediction)
	if r == nil {
		return fmt.Errorf("the reference data has no column %q; it has: %s", target, strings.Join(c.Reference.Names(), ", "))
	}
	if p == nil {
		return fmt.Errorf("the production data has no column %q; it has: %s", prediction, strings.Join(c.Production.Names(), ", "))
	}
	named := *r
	named.Name = prediction
	c.Reference, c.Production = &Table{Rows: c.Reference.Rows, Columns: []*Column{&named}}, &Table{Rows: c.Production.Rows, Columns: []*Column{p}}
	return nil
}

// attributed joins what the model saw with what it said, and names that as the target.
func (s *Signal) attributed(t Tables, c *Comparison) error {
	said := s.Production[len(s.Production)-1]
	prediction := said.column("prediction", "")
	table := t.Production[0]
	if len(t.Production) == 2 {
		left, right := keyOf(s.Production[0], t.Production[0]), keyOf(said, t.Production[1])
		if left == "" || right == "" {
			return fmt.Errorf("the model's inputs and outputs are joined by ids: name their columns, as productionData[0].columns.correlation_id and productionData[1].columns.correlation_id")
		}
		if prediction == "" {
			var others []string
			for _, n := range t.Production[1].Names() {
				if n != right && n != said.column("prediction_probability", "") {
					others = append(others, n)
				}
			}
			if len(others) != 1 {
				return fmt.Errorf("which column has the predictions is not said: name it, as productionData[1].columns.prediction; the columns are: %s", strings.Join(t.Production[1].Names(), ", "))
			}
			prediction = others[0]
		}
		p := t.Production[1].Column(prediction)
		if p == nil {
			return fmt.Errorf("the model's outputs have no column %q; they have: %s", prediction, strings.Join(t.Production[1].Names(), ", "))
		}
		of := t.Production[0]
		if of.Column(prediction) != nil && prediction != left {
			of = of.choose(slices.DeleteFunc(of.Names(), func(n string) bool { return n == prediction }))
		}
		joined, err := Join(of, t.Production[1].choose(slices.Compact([]string{right, prediction})), left, right)
		if err != nil {
			return fmt.Errorf("the model's inputs and outputs: %w", err)
		}
		table = joined
	}
	if prediction == "" {
		prediction = s.target()
	}
	p := table.Column(prediction)
	if p == nil {
		return fmt.Errorf("the production data has no column %q, the predictions; it has: %s", prediction, strings.Join(table.Names(), ", "))
	}
	out := &Table{Rows: table.Rows}
	for _, col := range table.Columns {
		if col.Name != s.target() && col.Name != prediction {
			out.Columns = append(out.Columns, col)
		}
	}
	named := *p
	named.Name = s.target()
	c.Production = &Table{Rows: table.Rows, Columns: append(out.Columns, &named)}
	return nil
}

// keyOf is the column of ids of data: the one that is named, or the collector's.
func keyOf(d *Data, t *Table) string {
	k := d.column("correlation_id", "")
	if k == "" && t.Column(correlation) != nil {
		k = correlation
	}
	return k
}

func (s *Signal) performance(t Tables, limits []Limit) ([]Metric, error) {
	said := s.Production[0]
	table, truth := t.Production[0], said.column("target", "")
	prediction := said.column("prediction", "")
	if t.Reference != nil {
		left, right := keyOf(said, table), keyOf(s.Reference, t.Reference)
		if left == "" || right == "" {
			return nil, fmt.Errorf("the predictions and the truth are joined by ids: name their columns, as productionData[0].columns.correlation_id and referenceData.columns.correlation_id")
		}
		truth = s.Reference.column("target", "")
		ref := t.Reference
		if c := ref.Column(truth); c != nil && table.Column(truth) != nil { // of one name, the truth is the reference's
			table = table.choose(slices.DeleteFunc(table.Names(), func(n string) bool { return n == truth && n != prediction && n != left }))
		}
		const own = "\x00truth"
		if c := ref.Column(truth); c != nil {
			named := *c
			named.Name = own
			ref = &Table{Rows: ref.Rows, Columns: append(slices.Clone(ref.Columns), &named)}
		} else {
			return nil, fmt.Errorf("the reference data has no column %q, the truth; it has: %s", truth, strings.Join(ref.Names(), ", "))
		}
		joined, err := Join(table, ref, left, right)
		if err != nil {
			return nil, fmt.Errorf("the predictions and the truth: %w", err)
		}
		table, truth = joined, own
	}
	if s.DataSegment != nil && s.DataSegment.Feature != "" {
		var err error
		if table, err = table.Segment(s.DataSegment.Feature, s.DataSegment.Values); err != nil {
			return nil, err
		}
	}
	a := Answers{Said: table.Column(prediction), True: table.Column(truth)}
	if a.Said == nil || a.True == nil {
		return nil, fmt.Errorf("the columns %s and %s are needed; there are: %s", prediction, strings.TrimPrefix(truth, "\x00"), strings.Join(table.Names(), ", "))
	}
	return Performance(a, limits)
}

// Given reads the metrics that a component of one's own has computed: rows with metric_name, metric_value and, if there are
// any, group, group_dimension and threshold_value. Thresholds that it does not give are the definition's.
func (s *Signal) Given(t *Table) ([]Metric, error) {
	name, value := t.Column("metric_name"), t.Column("metric_value")
	if name == nil || value == nil {
		return nil, fmt.Errorf("the component's output signal_metrics has the columns metric_name and metric_value; here it has: %s", strings.Join(t.Names(), ", "))
	}
	if !value.Type.number() {
		return nil, fmt.Errorf("the column metric_value is of type %s and not a number", value.Type)
	}
	limits := map[string]*float64{}
	for _, l := range s.Thresholds {
		limits[l.Metric] = l.Threshold.Value
	}
	var out []Metric
	for i := range t.Rows {
		n, ok := name.text(i)
		if !ok || value.Null[i] {
			continue
		}
		m := Metric{Name: n, Value: value.Numbers[i], Threshold: limits[n]}
		var groups []string
		for _, k := range []string{"group", "group_dimension"} {
			if c := t.Column(k); c != nil {
				if g, ok := c.text(i); ok && g != "" && !(k == "group_dimension" && strings.EqualFold(g, "aggregate")) {
					groups = append(groups, g)
				}
			}
		}
		m.Group = strings.Join(groups, "/")
		if c := t.Column("threshold_value"); c != nil && c.Type.number() && !c.Null[i] {
			limit := c.Numbers[i]
			m.Threshold = &limit
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the component's output signal_metrics has no metrics")
	}
	return out, nil
}
