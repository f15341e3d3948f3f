package tracking

import (
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// What measures are taken of.
const (
	viewTraces      = 1
	viewSpans       = 2
	viewAssessments = 3
)

// Aggregations, by their numbers in MLflow's protocol.
const (
	aggregateCount = iota + 1
	aggregateSum
	aggregateAverage
	aggregatePercentile
	aggregateMin
	aggregateMax
)

var aggregateNames = []string{"", "COUNT", "SUM", "AVG", "PERCENTILE", "MIN", "MAX"}

// measure is what can be measured: how it is aggregated, and by what it is grouped.
type measure struct {
	name       string
	aggregates []int64
	dimensions []string
}

var (
	counts     = []int64{aggregateCount}
	durations  = []int64{aggregateAverage, aggregateMin, aggregateMax, aggregatePercentile}
	quantities = []int64{aggregateSum, aggregateAverage, aggregateMin, aggregateMax, aggregatePercentile}
	byModel    = []string{"span_model_name", "span_model_provider"}
)

var measures = map[int64][]measure{
	viewTraces: {
		{"trace_count", counts, []string{"trace_name", "trace_status"}},
		{"session_count", counts, nil},
		{"latency", durations, []string{"trace_name"}},
		{"input_tokens", quantities, []string{"trace_name"}},
		{"output_tokens", quantities, []string{"trace_name"}},
		{"total_tokens", quantities, []string{"trace_name"}},
		{"cache_read_input_tokens", quantities, []string{"trace_name"}},
		{"cache_creation_input_tokens", quantities, []string{"trace_name"}},
	},
	viewSpans: {
		{"span_count", counts, []string{"span_model_name", "span_model_provider", "span_name", "span_status", "span_type"}},
		{"latency", durations, []string{"span_name", "span_status"}},
		{"input_cost", quantities, byModel},
		{"output_cost", quantities, byModel},
		{"total_cost", quantities, byModel},
	},
	viewAssessments: {
		{"assessment_count", counts, []string{"assessment_name", "assessment_value"}},
		{"assessment_value", durations, []string{"assessment_name"}},
	},
}

// aggregate is one figure that is asked for.
type aggregate struct {
	kind       int64
	percentile float64
	name       string
}

// measureQuery is what a client asks to measure.
type measureQuery struct {
	view       int64
	measure    measure
	aggregates []aggregate
	dimensions []string
	filters    []search.Clause
	interval   int64 // milliseconds
	from, to   *int64
}

// measureTraces: POST 3.0 mlflow/traces/metrics: figures over traces, their spans or
// their assessments, by group.
func measureTraces(c *call) error {
	m, err := c.read("QueryTraceMetrics", request.Need("experiment_ids", request.IsList, request.IsTexts), request.Need("view_type"), request.Need("metric_name", request.IsText),
		request.Need("aggregations", request.IsList), request.May("dimensions", request.IsList, request.IsTexts), request.May("filters", request.IsList, request.IsTexts),
		request.May("time_interval_seconds", request.IsInt), request.May("start_time_ms", request.IsInt), request.May("end_time_ms", request.IsInt), request.May("max_results", request.IsInt), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	q, err := readMeasure(m)
	if err != nil {
		return err
	}
	ids, err := experimentIDs(m.Texts("experiment_ids"))
	if err != nil {
		return err
	}
	g := &groups{byKey: map[string]*group{}}
	err = c.view(func(tx *sql.Tx, space int64) error { return q.run(tx, space, ids, g) })
	if err != nil {
		return err
	}
	points := q.points(g)
	if n := m.Int("max_results"); n >= 0 {
		points = points[:min(int64(len(points)), n)]
	}
	return c.answer(func(o *out) {
		o.list("data_points", len(points), func(i int) { o.item(func() { points[i].write(o, q) }) })
	})
}

func readMeasure(m *request.Message) (*measureQuery, error) {
	q := &measureQuery{view: m.Int("view_type"), dimensions: m.Texts("dimensions"), from: m.IntPtr("start_time_ms"), to: m.IntPtr("end_time_ms")}
	known, ok := measures[q.view]
	if !ok {
		return nil, invalidf("view_type must be one of ['TRACES', 'SPANS', 'ASSESSMENTS'], got '%d'", q.view)
	}
	for _, a := range m.List("aggregations") {
		g := aggregate{kind: a.Int("aggregation_type"), percentile: a.Float("percentile_value")}
		switch {
		case g.kind < aggregateCount || g.kind > aggregateMax:
			return nil, invalidf("Invalid aggregation type %d.", g.kind)
		case g.kind != aggregatePercentile && a.Has("percentile_value"):
			return nil, invalidf("Percentile value is only allowed for PERCENTILE aggregation type, got %s", aggregateNames[g.kind])
		case g.kind == aggregatePercentile && !a.Has("percentile_value"):
			return nil, invalidf("Percentile value is required for PERCENTILE aggregation")
		case g.kind == aggregatePercentile && !(g.percentile >= 0 && g.percentile <= 100):
			return nil, invalidf("Percentile value must be between 0 and 100, got %s", appendFloat(nil, g.percentile))
		}
		if g.name = aggregateNames[g.kind]; g.kind == aggregatePercentile {
			g.name = "P" + string(appendFloat(nil, g.percentile))
		}
		q.aggregates = append(q.aggregates, g)
	}
	if len(q.aggregates) == 0 {
		return nil, invalidf("Missing value for required parameter 'aggregations'. At least one aggregation is needed.")
	}
	name := m.Text("metric_name")
	i := slices.IndexFunc(known, func(k measure) bool { return k.name == name })
	if i < 0 {
		var names []string
		for _, k := range known {
			names = append(names, k.name)
		}
		return nil, invalidf("metric_name must be one of %s, got '%s'", quotedList(names), name)
	}
	q.measure = known[i]
	var bad, good []string
	for _, a := range q.aggregates {
		if word := aggregateNames[a.kind]; !slices.Contains(q.measure.aggregates, a.kind) && !slices.Contains(bad, word) {
			bad = append(bad, word)
		}
	}
	if bad != nil {
		for _, k := range q.measure.aggregates {
			good = append(good, aggregateNames[k])
		}
		return nil, invalidf("Found invalid aggregation_type(s): %s. Supported aggregation types: %s", sortedList(bad), sortedList(good))
	}
	for _, d := range q.dimensions {
		if !slices.Contains(q.measure.dimensions, d) && !slices.Contains(bad, d) {
			bad = append(bad, d)
		}
	}
	if bad != nil {
		return nil, invalidf("Found invalid dimension(s): %s. Supported dimensions: %s", sortedList(bad), sortedList(q.measure.dimensions))
	}
	if seconds := m.Int("time_interval_seconds"); seconds != 0 {
		if q.from == nil || q.to == nil {
			return nil, invalidf("start_time_ms and end_time_ms are required if time_interval_seconds is set")
		}
		if seconds < 0 || seconds > math.MaxInt64/1000 {
			return nil, invalidf("Invalid value %d for parameter 'time_interval_seconds' supplied. It must be a positive integer", seconds)
		}
		q.interval = seconds * 1000
	}
	for _, f := range m.Texts("filters") {
		clause, err := search.Measure(f)
		if err != nil {
			return nil, err
		}
		word, _, _ := strings.Cut(string(clause.Entity), ".")
		switch {
		case word == "span" && q.view != viewSpans:
			return nil, invalidf("Filtering by span is only supported for SPANS view type, got %s", viewNames[q.view])
		case word == "assessment" && q.view != viewAssessments:
			return nil, invalidf("Filtering by assessment is only supported for ASSESSMENTS view type, got %s", viewNames[q.view])
		}
		q.filters = append(q.filters, clause)
	}
	return q, nil
}

var viewNames = []string{"", "TRACES", "SPANS", "ASSESSMENTS"}

// quotedList is a list as Python prints it.
func quotedList(list []string) string {
	if len(list) == 0 {
		return "[]"
	}
	return "['" + strings.Join(list, "', '") + "']"
}

func sortedList(list []string) string { return quotedList(slices.Sorted(slices.Values(list))) }

// group is what is measured together.
type group struct {
	bucket   int64
	dims     []string
	values   []float64
	count    int64
	sessions map[string]bool
}

type groups struct {
	byKey map[string]*group
	list  []*group
}

func (g *groups) of(bucket int64, dims []string) *group {
	key := strconv.FormatInt(bucket, 10) + "\x00" + strings.Join(dims, "\x00")
	found := g.byKey[key]
	if found == nil {
		found = &group{bucket: bucket, dims: dims, sessions: map[string]bool{}}
		g.byKey[key] = found
		g.list = append(g.list, found)
	}
	return found
}

// points are the groups in order, those with a figure to tell.
func (q *measureQuery) points(g *groups) []*group {
	if q.interval == 0 && len(q.dimensions) == 0 {
		g.of(0, nil) // the one group of everything is there even when nothing is in it
	}
	all := slices.DeleteFunc(g.list, func(p *group) bool { return p.count == 0 && q.aggregates[0].kind != aggregateCount })
	slices.SortStableFunc(all, func(a, b *group) int {
		if a.bucket != b.bucket {
			if a.bucket < b.bucket {
				return -1
			}
			return 1
		}
		return slices.Compare(a.dims, b.dims)
	})
	return all
}

func (p *group) write(o *out, q *measureQuery) {
	o.str("metric_name", q.measure.name)
	if q.interval > 0 || len(p.dims) > 0 {
		o.object("dimensions", func() {
			if q.interval > 0 {
				o.str("time_bucket", time.UnixMilli(p.bucket).UTC().Format("2006-01-02T15:04:05+00:00"))
			}
			for i, d := range p.dims {
				o.text(q.dimensions[i], d)
			}
		})
	}
	o.object("values", func() {
		told := map[string]bool{}
		for _, a := range q.aggregates {
			if !told[a.name] {
				told[a.name] = true
				o.float(a.name, p.figure(a))
			}
		}
	})
}

// figure aggregates. Percentiles are interpolated, as MLflow's SQLite does.
func (p *group) figure(a aggregate) float64 {
	if a.kind == aggregateCount {
		return float64(p.count)
	}
	sum := 0.0
	for _, v := range p.values {
		sum += v
	}
	switch a.kind {
	case aggregateSum:
		return sum
	case aggregateAverage:
		return sum / float64(len(p.values))
	case aggregateMin:
		return slices.Min(p.values)
	case aggregateMax:
		return slices.Max(p.values)
	}
	sorted := slices.Sorted(slices.Values(p.values))
	at := a.percentile / 100 * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
