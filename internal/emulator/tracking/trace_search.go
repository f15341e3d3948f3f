package tracking

import (
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

var searchTraceChecks = []request.Check{
	request.May("filter", request.IsText), request.May("max_results", request.IsInt, request.AtMost(500)), request.May("order_by", request.IsList, request.IsTexts), request.May("page_token", request.IsText),
}

// searchTraces: POST 3.0 mlflow/traces/search.
func searchTraces(c *call) error {
	m, err := c.read("SearchTraces", append([]request.Check{request.Need("locations", request.IsList)}, searchTraceChecks...)...)
	if err != nil {
		return err
	}
	var experiments []string
	for _, l := range m.List("locations") {
		if l.Has("mlflow_experiment") {
			experiments = append(experiments, l.Sub("mlflow_experiment").Text("experiment_id"))
		}
	}
	return c.searchTraces(m, experiments, (*trace).write)
}

// searchOldTraces: GET 2.0 mlflow/traces.
func searchOldTraces(c *call) error {
	m, err := c.read("SearchTracesOld", append([]request.Check{request.Need("experiment_ids", request.IsList, request.IsTexts)}, searchTraceChecks...)...)
	if err != nil {
		return err
	}
	return c.searchTraces(m, m.Texts("experiment_ids"), (*trace).writeOld)
}

func (c *call) searchTraces(m *request.Message, experiments []string, write func(*trace, *out)) error {
	var dotted []string
	for _, e := range experiments {
		if strings.Contains(e, ".") {
			dotted = append(dotted, e)
		}
	}
	if shown := strings.Join(dotted, ", "); dotted != nil {
		if py.Len(shown) > 20 {
			shown = py.Truncate(shown, 20) + "..."
		}
		return invalidf("Locations must be a list of experiment IDs. Found invalid experiment IDs: %s.", shown)
	}
	limit := m.Int("max_results")
	if limit < 1 {
		return invalidf("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", limit)
	}
	ids, err := experimentIDs(experiments)
	if err != nil {
		return err
	}
	q := &traceQuery{limit: int(limit)}
	if q.orders, err = search.TraceOrders(m.Texts("order_by")); err != nil {
		return err
	}
	if q.filter, err = search.Traces(m.Text("filter")); err != nil {
		return err
	}
	if err := q.check(); err != nil {
		return err
	}
	if q.offset, err = page(m.Text("page_token")); err != nil {
		return err
	}
	var all []*trace
	err = c.view(func(tx *sql.Tx, space int64) error {
		all, err = q.run(tx, space, ids)
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.list("traces", len(all), func(i int) { o.item(func() { write(all[i], o) }) })
		if len(all) == q.limit {
			o.str("next_page_token", nextToken(q.offset+q.limit))
		}
	})
}

// errEnough ends a query.
var errEnough = errors.New("tracking: enough")

// traceQuery is a search of traces.
type traceQuery struct {
	filter        []search.Clause
	orders        []search.Order
	offset, limit int
}

// check refuses what cannot be compared.
func (q *traceQuery) check() error {
	for _, o := range q.orders {
		if o.Entity == search.Metadata && totals[o.Key] != nil {
			return invalidf("Ordering by reserved metadata '%s' is not supported because it is represented by multiple columns.", o.Key)
		}
	}
	for _, c := range q.filter {
		if c.Entity == search.Metadata && totals[c.Key] != nil && !slices.Contains([]string{"=", "!=", "IS NULL", "IS NOT NULL"}, c.Op) {
			return invalidf("Comparator '%s' is not supported for reserved metadata '%s'. Only '=', '!=', 'IS NULL', and 'IS NOT NULL' are supported.", c.Op, c.Key)
		}
	}
	return nil
}

// run finds the page. Traces are read as they began, the last first; in that order
// there is no need to read them all.
func (q *traceQuery) run(tx *sql.Tx, space int64, ids []int64) ([]*trace, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	args := []any{space}
	for _, id := range ids {
		args = append(args, id)
	}
	var spans []search.Clause
	linked := map[int]map[int64]bool{}
	for i, c := range q.filter {
		kind, ok := linkOf(c)
		if c.Entity == search.Span {
			spans = append(spans, c)
		}
		if !ok {
			continue
		}
		linked[i] = map[int64]bool{}
		err := eachRow(tx, `SELECT tid FROM tracking_links WHERE kind = ? AND target = ?`, []any{kind, c.Value}, func(scan func(...any) error) error {
			var tid int64
			err := scan(&tid)
			linked[i][tid] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var all []*trace
	err := eachRow(tx, `SELECT `+traceColumns+` WHERE e.ws = ? AND e.id IN (?`+strings.Repeat(", ?", len(ids)-1)+`) ORDER BY t.time DESC, t.trace_id`, args, func(scan func(...any) error) error {
		if len(q.orders) == 0 && len(all) >= q.offset+q.limit {
			return errEnough
		}
		t, err := scanTrace(scan)
		if err != nil {
			return err
		}
		for i, c := range q.filter {
			if c.Entity != search.Span && !t.holds(c, linked[i]) {
				return nil
			}
		}
		if len(spans) > 0 {
			ok, err := anySpan(tx, t.tid, spans)
			if err != nil || !ok {
				return err
			}
		}
		all = append(all, t)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	sortBy(all, q.orders, (*trace).value)
	all = all[min(q.offset, len(all)):]
	return all[:min(q.limit, len(all))], nil
}

// linkOf tells whether a clause asks for links, and of which kind.
func linkOf(c search.Clause) (kind string, ok bool) {
	switch {
	case c.Entity == search.Tag && c.Key == search.LinkedPrompts:
		return "prompt", true
	case c.Entity == search.Metadata && c.Key == search.SourceRun && c.Op == "=":
		return "run", true
	}
	return "", false
}

// holds reports whether a clause holds for a trace.
func (t *trace) holds(c search.Clause, linked map[int64]bool) bool {
	switch {
	case linked[t.tid]:
		return true
	case c.Entity == search.Tag && c.Key == search.LinkedPrompts:
		return false
	case c.Entity == search.Issue:
		return slices.ContainsFunc(t.Assessments, func(a *assessment) bool { return a.Kind == issue && a.Name == c.Value })
	case c.Entity == search.Feedback || c.Entity == search.Expectation:
		some := slices.ContainsFunc(t.Assessments, func(a *assessment) bool {
			return a.Valid && a.Kind == string(c.Entity) && a.Name == c.Key && (c.Op == "IS NULL" || a.holds(c))
		})
		return some != (c.Op == "IS NULL")
	}
	return holds(c, t.value(c.Entity, c.Key))
}

// holds compares an assessment's value, which is JSON: texts with and without quotes.
func (a *assessment) holds(c search.Clause) bool {
	want, isText := c.Value.(string)
	switch c.Op {
	case "IS NOT NULL":
		return true
	case "=", "!=":
		same := a.Value == want || a.Value == request.Print(want)
		return isText && same == (c.Op == "=")
	case "LIKE", "ILIKE", "RLIKE":
		return holdsText(c.Op, a.Value, want)
	}
	v, err := request.Parse([]byte(a.Value))
	f, ok := number(v)
	value, isNumber := number(c.Value)
	return err == nil && ok && isNumber && holdsNumber(c.Op, f, value)
}

// anySpan reports whether one span of a trace matches all clauses.
func anySpan(tx *sql.Tx, tid int64, clauses []search.Clause) (bool, error) {
	bodies, err := spansOf(tx, tid)
	if err != nil {
		return false, err
	}
	for _, body := range bodies {
		v, err := request.Parse([]byte(body))
		content, ok := v.(*request.Object)
		if err != nil || !ok {
			continue
		}
		if !slices.ContainsFunc(clauses, func(c search.Clause) bool { return !spanHolds(c, content, body) }) {
			return true, nil
		}
	}
	return false, nil
}

// spanHolds reports whether a clause holds for a span. Attributes are looked for in
// the text of the whole span, as MLflow does.
func spanHolds(c search.Clause, content *request.Object, body string) bool {
	if name, ok := strings.CutPrefix(c.Key, "attributes."); ok {
		want, _ := c.Value.(string)
		name = strings.Trim(name, "`")
		if c.Op != "RLIKE" {
			return holdsText(c.Op, body, `%"`+name+`"`+want+`%`)
		}
		prefix, suffix := `"\\".*`, ""
		if rest, ok := strings.CutPrefix(want, "^"); ok {
			want, prefix = rest, `"\\"`
		}
		if rest, ok := strings.CutSuffix(want, "$"); ok {
			want, suffix = rest, `\\"`
		}
		return holdsText(c.Op, body, `"`+name+`": `+prefix+want+suffix)
	}
	return holds(c, spanValue(content, body, c.Key))
}

func spanValue(content *request.Object, body, key string) any {
	switch key {
	case search.SpanContent:
		return body
	case "name":
		return content.Values["name"]
	case "status":
		status, _ := content.Values["status"].(*request.Object)
		code, _ := status.Values["code"].(string)
		return strings.TrimPrefix(code, "STATUS_CODE_")
	}
	attributes, _ := content.Values["attributes"].(*request.Object)
	text, _ := attributes.Values["mlflow.spanType"].(string)
	if v, err := request.Parse([]byte(text)); err == nil {
		return v
	}
	return "UNKNOWN"
}
