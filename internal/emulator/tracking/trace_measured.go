package tracking

import (
	"database/sql"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// Attributes of spans that name the model.
const (
	spanModel    = "mlflow.llm.model"
	spanProvider = "mlflow.llm.provider"

	maxModelName = 500
)

// measured is one thing that a measure is taken of: a trace, a span or an
// assessment. What a thing lacks is nil.
type measured struct {
	time       int64 // milliseconds
	dimensions map[string]any
	value      any
}

// run puts all that the query is about into groups.
func (q *measureQuery) run(tx *sql.Tx, space int64, ids []int64, g *groups) error {
	if len(ids) == 0 {
		return nil
	}
	args := []any{space}
	for _, id := range ids {
		args = append(args, id)
	}
	linked := map[int64]bool{}
	for _, c := range q.filters {
		if c.Entity != "trace.metadata" || c.Key != search.SourceRun {
			continue
		}
		err := eachRow(tx, `SELECT tid FROM tracking_links WHERE kind = 'run' AND target = ?`, []any{c.Value}, func(scan func(...any) error) error {
			var tid int64
			err := scan(&tid)
			linked[tid] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	return eachRow(tx, `SELECT `+traceColumns+` WHERE e.ws = ? AND e.id IN (?`+strings.Repeat(", ?", len(ids)-1)+`)`, args, func(scan func(...any) error) error {
		t, err := scanTrace(scan)
		if err != nil || !q.takes(t, linked) {
			return err
		}
		switch q.view {
		case viewSpans:
			return q.addSpans(tx, t, g)
		case viewAssessments:
			q.addAssessments(t, g)
		default:
			q.add(g, t.measured(q.measure.name))
		}
		return nil
	})
}

// takes reports whether the filters of traces hold for one.
func (q *measureQuery) takes(t *trace, linked map[int64]bool) bool {
	for _, c := range q.filters {
		var has any
		switch c.Entity {
		case "trace.status":
			has = traceStates[t.State]
		case "trace.tag":
			has = tagValue(t.Tags, c.Key)
		case "trace.metadata":
			has = tagValue(t.Metadata, c.Key)
			if c.Key == search.SourceRun && linked[t.tid] {
				has = c.Value
			}
		default:
			continue
		}
		if has != c.Value {
			return false
		}
	}
	return true
}

// within reports whether a time is in the range that is asked for.
func (q *measureQuery) within(ms int64) bool {
	return (q.from == nil || ms >= *q.from) && (q.to == nil || ms <= *q.to)
}

// add counts one thing.
func (q *measureQuery) add(g *groups, m measured) {
	if m.value == nil || !q.within(m.time) {
		return
	}
	q.group(g, m)
}

func (q *measureQuery) group(g *groups, m measured) {
	var dims []string
	for _, d := range q.dimensions {
		s, ok := m.dimensions[d].(string)
		if !ok {
			return
		}
		dims = append(dims, s)
	}
	bucket := int64(0)
	if q.interval > 0 {
		bucket = floorDiv(m.time, q.interval) * q.interval
	}
	p := g.of(bucket, dims)
	if session, ok := m.value.(string); ok {
		if p.sessions[session] {
			return
		}
		p.sessions[session] = true
	}
	if v, ok := number(m.value); ok {
		p.values = append(p.values, v)
	}
	p.count++
}

// measured is a trace by a measure.
func (t *trace) measured(name string) measured {
	m := measured{time: t.time, dimensions: map[string]any{"trace_name": tagValue(t.Tags, search.TraceName), "trace_status": traceStates[t.State]}}
	switch name {
	case "trace_count":
		m.value = true
	case "session_count":
		m.value = tagValue(t.Metadata, metaSession)
	case "latency":
		if t.Duration != nil {
			m.value = *t.Duration
		}
	default:
		text, _ := tagValue(t.Metadata, metaUsage).(string)
		if v, err := request.Parse([]byte(text)); err == nil {
			if o, ok := v.(*request.Object); ok {
				m.value = o.Values[name]
			}
		}
	}
	return m
}

// addSpans counts the spans of a trace. Costs are told by the times of spans, the
// rest by those of traces; buckets always by those of spans.
func (q *measureQuery) addSpans(tx *sql.Tx, t *trace, g *groups) error {
	costs := strings.HasSuffix(q.measure.name, "_cost")
	if !costs && !q.within(t.time) {
		return nil
	}
	bodies, err := spansOf(tx, t.tid)
	if err != nil {
		return err
	}
	for _, body := range bodies {
		v, err := request.Parse([]byte(body))
		content, ok := v.(*request.Object)
		if err != nil || !ok || slices.ContainsFunc(q.filters, func(c search.Clause) bool {
			key, ok := strings.CutPrefix(string(c.Entity), "span.")
			return ok && spanValue(content, body, key) != c.Value
		}) {
			continue
		}
		begin, _ := nanosOf(content.Values["start_time_unix_nano"])
		m := measured{time: floorDiv(begin, 1e6), dimensions: map[string]any{
			"span_name": content.Values["name"], "span_status": spanValue(content, body, "status"), "span_type": spanValue(content, body, "type"),
			"span_model_name": modelName(content, spanModel), "span_model_provider": modelName(content, spanProvider),
		}}
		switch q.measure.name {
		case "span_count":
			m.value = true
		case "latency":
			if end, ok := nanosOf(content.Values["end_time_unix_nano"]); ok {
				m.value = floorDiv(end-begin, 1e6)
			}
		default:
			if o, ok := attributeOf(content, spanCost).(*request.Object); ok {
				if f, ok := number(o.Values[q.measure.name]); ok && f-f == 0 {
					m.value = f
				}
			}
		}
		if m.value != nil && (!costs || q.within(m.time)) {
			q.group(g, m)
		}
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// nanosOf is a time of a span.
func nanosOf(v any) (int64, bool) {
	switch v := v.(type) {
	case string:
		return py.Int(v)
	case int64:
		return v, true
	}
	return 0, false
}

// attributeOf is an attribute of a span, which is stored as JSON.
func attributeOf(content *request.Object, key string) any {
	attributes, _ := content.Values["attributes"].(*request.Object)
	if attributes == nil {
		return nil
	}
	text, _ := attributes.Values[key].(string)
	if v, err := request.Parse([]byte(text)); err == nil {
		return v
	}
	return nil
}

// modelName is a name of a model, or nil.
func modelName(content *request.Object, key string) any {
	if s, ok := attributeOf(content, key).(string); ok {
		return py.Truncate(s, maxModelName)
	}
	return nil
}

// addAssessments counts what is valid of what was said of a trace.
func (q *measureQuery) addAssessments(t *trace, g *groups) {
	for _, a := range t.Assessments {
		if !a.Valid || slices.ContainsFunc(q.filters, func(c search.Clause) bool {
			return c.Entity == "assessment.name" && c.Value != a.Name || c.Entity == "assessment.type" && c.Value != a.Kind
		}) {
			continue
		}
		m := measured{time: t.time, dimensions: map[string]any{"assessment_name": a.Name, "assessment_value": a.Value}, value: true}
		if q.measure.name == "assessment_value" {
			m.value = a.figure()
		}
		q.add(g, m)
	}
}

// figure is an assessment as a number: yes and true are 1. What is none is nil.
func (a *assessment) figure() any {
	v, err := request.Parse([]byte(a.Value))
	if err != nil {
		return nil
	}
	switch v := v.(type) {
	case bool:
		if v {
			return 1.0
		}
		return 0.0
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "yes":
			return 1.0
		case "no":
			return 0.0
		}
	}
	if f, ok := number(v); ok && f-f == 0 {
		return f
	}
	return nil
}
