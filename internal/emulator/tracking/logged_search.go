package tracking

import (
	"database/sql"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// loggedSearch is a search of logged models.
type loggedSearch struct {
	experiments []string
	filter      string
	clauses     []search.Clause
	datasets    []datasetOf
	orders      []loggedOrder
	limit       int
	offset      int
}

// datasetOf selects values by the data set that they were found with. An empty
// name or digest selects any.
type datasetOf struct{ name, digest string }

func (d datasetOf) has(x *modelMetric) bool {
	return (d.name == "" || x.dataset.String == d.name) && (d.digest == "" || x.datasetDigest.String == d.digest)
}

type loggedOrder struct {
	field     string
	ascending bool
	dataset   datasetOf
	metric    string // of orders by a metric
	attribute string // of all others
}

// readLoggedSearch reads the request.
func readLoggedSearch(m *request.Message) (*loggedSearch, error) {
	q := &loggedSearch{experiments: m.Texts("experiment_ids"), filter: m.Text("filter"), limit: int(m.Int("max_results"))}
	for _, d := range m.List("datasets") {
		if d.Text("dataset_name") == "" {
			return nil, invalidf("`dataset_name` in the `datasets` clause must be specified.")
		}
		q.datasets = append(q.datasets, datasetOf{d.Text("dataset_name"), d.Text("dataset_digest")})
	}
	for _, o := range m.List("order_by") {
		q.orders = append(q.orders, loggedOrder{field: o.Text("field_name"), ascending: o.Flag("ascending"), dataset: datasetOf{o.Text("dataset_name"), o.Text("dataset_digest")}})
	}
	if err := q.page(m.Text("page_token")); err != nil {
		return nil, err
	}
	if q.limit == 0 {
		q.limit = 100
	}
	if q.limit < 0 {
		return nil, invalidf("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", q.limit)
	}
	var err error
	if q.clauses, err = search.Logged(q.filter); err != nil {
		return nil, err
	}
	return q, q.checkOrders()
}

func (q *loggedSearch) checkOrders() error {
	for i := range q.orders {
		o := &q.orders[i]
		entity, name, dotted := strings.Cut(o.field, ".")
		if !dotted {
			attribute, ok := search.LoggedAttributes[o.field]
			if !ok {
				return &Error{Code: InvalidParameter, Message: "Invalid order by field name: " + o.field, class: "ATTRIBUTE_NOT_FOUND"}
			}
			o.attribute = attribute
		} else if entity != "metrics" {
			return invalidf("Invalid order by field name: %s. Only metrics are supported.", o.field)
		}
		o.metric = name
	}
	return nil
}

// sense is what a page token repeats of the search.
func (q *loggedSearch) sense() (experiments []any, filter, orders any) {
	for _, e := range q.experiments {
		experiments = append(experiments, e)
	}
	if q.filter != "" {
		filter = q.filter
	}
	var list []any
	for _, o := range q.orders {
		item := &request.Object{}
		item.Set("field_name", o.field)
		item.Set("ascending", o.ascending)
		item.Set("dataset_name", textOrNone(o.dataset.name))
		item.Set("dataset_digest", textOrNone(o.dataset.digest))
		list = append(list, item)
	}
	if list != nil {
		orders = list
	}
	return experiments, filter, orders
}

func textOrNone(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// token is the token of the page that begins at an offset.
func (q *loggedSearch) token(offset int) string {
	experiments, filter, orders := q.sense()
	o := &request.Object{}
	o.Set("experiment_ids", experiments)
	o.Set("filter_string", filter)
	o.Set("order_by", orders)
	o.Set("offset", int64(offset))
	return base64.StdEncoding.EncodeToString([]byte(request.Print(o)))
}

// page reads a page token, which must be of the same search.
func (q *loggedSearch) page(token string) error {
	if token == "" {
		return nil
	}
	raw, err := decodeToken(token)
	if err != nil {
		return err
	}
	v, err := request.Parse(raw)
	o, ok := v.(*request.Object)
	if err != nil || !ok {
		return invalidf("Invalid page token: %s.", token)
	}
	experiments, filter, orders := q.sense()
	had := func(key string) any {
		if v := o.Values[key]; v != "" {
			return v
		}
		return nil
	}
	for _, same := range []struct {
		what, name string
		want, have any
	}{
		{"Experiment IDs in the page token do not match the requested experiment IDs.", "", any(experiments), o.Values["experiment_ids"]},
		{"Filter string in the page token does not match the requested filter string.", "text", filter, had("filter_string")},
		{"Order by in the page token does not match the requested order by.", "", orders, had("order_by")},
	} {
		if request.Dumps(same.want) == request.Dumps(same.have) {
			continue
		}
		show := request.Repr
		if same.name == "text" {
			show = func(v any) string {
				if s, ok := v.(string); ok {
					return s
				}
				return request.Repr(v)
			}
		}
		return invalidf("%s Expected: %s. Found: %s", same.what, show(same.want), show(same.have))
	}
	offset, _ := o.Values["offset"].(int64)
	q.offset = int(max(0, min(offset, 1<<40)))
	return nil
}

// run finds the page of models, with their metrics, and the next page's token.
func (q *loggedSearch) run(tx *sql.Tx, space int64) ([]*loggedModel, string, error) {
	ids, err := experimentIDs(q.experiments)
	if err != nil || len(ids) == 0 {
		return nil, "", err
	}
	args := []any{space, active}
	for _, id := range ids {
		args = append(args, id)
	}
	ofMetrics := len(q.datasets) > 0 || slices.ContainsFunc(q.clauses, func(c search.Clause) bool { return c.Entity == search.Metric }) ||
		slices.ContainsFunc(q.orders, func(o loggedOrder) bool { return o.attribute == "" })
	var all []*loggedModel
	err = eachRow(tx, `SELECT `+loggedColumns+` WHERE e.ws = ? AND l.stage = ? AND e.id IN (?`+strings.Repeat(", ?", len(ids)-1)+`)`, args, func(scan func(...any) error) error {
		m, err := scanLogged(scan)
		if err == nil {
			all = append(all, m)
		}
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if ofMetrics {
		for _, m := range all {
			if err := m.loadMetrics(tx, space); err != nil {
				return nil, "", err
			}
		}
	}
	all = slices.DeleteFunc(all, func(m *loggedModel) bool { return !q.finds(m) })
	slices.SortStableFunc(all, q.compare)
	all = all[min(q.offset, len(all)):]
	token := ""
	if len(all) > q.limit {
		all, token = all[:q.limit], q.token(q.offset+q.limit)
	}
	if !ofMetrics {
		for _, m := range all {
			if err := m.loadMetrics(tx, space); err != nil {
				return nil, "", err
			}
		}
	}
	return all, token, nil
}

// finds reports whether a model is among those that are searched for.
func (q *loggedSearch) finds(m *loggedModel) bool {
	byMetric := false
	for _, c := range q.clauses {
		if c.Entity == search.Metric {
			byMetric = true
			if !q.anyMetric(m, func(x *modelMetric) bool { return x.name == c.Key && holds(c, x.value) }) {
				return false
			}
		} else if !holds(c, m.value(c.Entity, c.Key)) {
			return false
		}
	}
	return byMetric || len(q.datasets) == 0 || q.anyMetric(m, func(*modelMetric) bool { return true })
}

// anyMetric reports whether there is a value of the data sets that f holds for.
func (q *loggedSearch) anyMetric(m *loggedModel, f func(x *modelMetric) bool) bool {
	for i := range m.metrics {
		x := &m.metrics[i]
		of := len(q.datasets) == 0 || slices.ContainsFunc(q.datasets, func(d datasetOf) bool { return d.has(x) })
		if of && f(x) {
			return true
		}
	}
	return false
}

// compare orders two models; by default the newest comes first.
func (q *loggedSearch) compare(a, b *loggedModel) int {
	created, id := false, false
	for _, o := range q.orders {
		created, id = created || o.attribute == "creation_timestamp_ms", id || o.attribute == "model_id"
		if c := compareValues(o.of(a), o.of(b), o.ascending); c != 0 {
			return c
		}
	}
	if c := compareValues(a.created, b.created, false); c != 0 && !created {
		return c
	}
	if !id {
		return strings.Compare(a.id, b.id)
	}
	return 0
}

// of is what a model is ordered by: of a metric, the latest value.
func (o *loggedOrder) of(m *loggedModel) any {
	switch o.attribute {
	case "":
	case "status":
		return m.Status
	case "experiment_id":
		return m.experiment
	default:
		return m.value(search.Attribute, o.attribute)
	}
	var last *modelMetric
	for i := range m.metrics {
		x := &m.metrics[i]
		if x.name == o.metric && o.dataset.has(x) && (last == nil || x.after(last)) {
			last = x
		}
	}
	if last == nil {
		return nil
	}
	return last.value
}

func (x *modelMetric) after(y *modelMetric) bool {
	if x.time != y.time {
		return x.time > y.time
	}
	if x.step != y.step {
		return x.step > y.step
	}
	return x.run < y.run
}
