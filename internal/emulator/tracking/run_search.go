package tracking

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// fewOf is how many rows a clause may select for a search to begin with them
// instead of walking along the order: both take about as long then, among some
// 100,000 runs.
func fewOf(limit int) int { return int(math.Sqrt(float64(limit) * 100_000)) }

// maxPattern is the longest pattern that is taken, in bytes.
const maxPattern = 40000

// runQuery finds the runs of one experiment, as numbers, in order.
type runQuery struct {
	s      *Store
	tx     *sql.Tx
	stages []string
	filter []search.Clause
	orders []search.Order
	keys   map[string]int64 // numbers of the keys of the filter and the orders
}

// part is a piece of SQL with its arguments.
type part struct {
	sql  string
	args []any
}

func (p *part) add(sql string, args ...any) {
	p.sql += sql
	p.args = append(p.args, args...)
}

// prepare looks the keys up and checks the patterns.
func (q *runQuery) prepare() error {
	q.keys = map[string]int64{}
	for _, c := range q.filter {
		if s, ok := c.Value.(string); ok && len(s) > maxPattern {
			return invalidf("The value of '%s' is too long.", c.Key)
		}
		if err := q.lookUp(c.Entity, c.Key); err != nil {
			return err
		}
	}
	for _, o := range q.orders {
		if err := q.lookUp(o.Entity, o.Key); err != nil {
			return err
		}
	}
	return nil
}

func (q *runQuery) lookUp(e search.Entity, key string) (err error) {
	if e == search.Attribute && key == "run_name" {
		key = tagRunName
	} else if e == search.Attribute || e == search.Dataset {
		return nil
	}
	q.keys[key], err = q.s.keyID(q.tx, key)
	return err
}

var runFields = map[string]string{
	"run_id": "r.run_id", "user_id": "r.user", "status": "r.status", "artifact_uri": "r.uri", "start_time": "r.start", "end_time": "r.ended", "run_name": "r.name",
}

// condition is a clause as SQL over the run r.
func (q *runQuery) condition(c search.Clause) part {
	switch c.Entity {
	case search.Metric:
		p := part{sql: "EXISTS (SELECT 1 FROM tracking_latest l WHERE l.rid = r.rid AND l.kid = ? AND ", args: []any{q.keys[c.Key]}}
		p.add(metricCondition("l", c.Op)+")", c.Value)
		return p
	case search.Param:
		return q.keyed("tracking_params", c.Key, c)
	case search.Tag:
		return q.keyed("tracking_tags", c.Key, c)
	case search.Dataset:
		column := "d." + c.Key
		if c.Key == "context" {
			column = "i.context"
		}
		p := part{sql: "EXISTS (SELECT 1 FROM tracking_inputs i JOIN tracking_datasets d ON d.did = i.did WHERE i.rid = r.rid AND "}
		cond := compare(column, c)
		p.add(cond.sql+")", cond.args...)
		return p
	}
	if c.Key == "run_name" {
		return q.keyed("tracking_tags", tagRunName, c)
	}
	return compare(runFields[c.Key], c)
}

// metricCondition compares the latest value; NaN differs from everything.
func metricCondition(table, op string) string {
	if op == "!=" {
		return "(" + table + ".value <> ? OR " + table + ".nan = 1)"
	}
	return "(" + table + ".value " + op + " ? AND " + table + ".nan = 0)"
}

// keyed is a clause on a tag or a parameter.
func (q *runQuery) keyed(table, key string, c search.Clause) part {
	p := part{sql: "EXISTS (SELECT 1 FROM " + table + " t WHERE t.rid = r.rid AND t.kid = ?", args: []any{q.keys[key]}}
	switch c.Op {
	case "IS NULL":
		p.sql = "NOT " + p.sql
	case "IS NOT NULL":
	default:
		cond := compare("t.value", c)
		p.add(" AND "+cond.sql, cond.args...)
	}
	p.add(")")
	return p
}

// compare is a comparison of a column. LIKE is GLOB, which minds the case.
func compare(column string, c search.Clause) part {
	switch v := c.Value.(type) {
	case []string:
		p := part{sql: column + " " + c.Op + " (?" + strings.Repeat(", ?", len(v)-1) + ")"}
		for _, s := range v {
			p.args = append(p.args, s)
		}
		return p
	case string:
		switch c.Op {
		case "LIKE":
			return part{column + " GLOB ?", []any{glob.Replace(v)}}
		case "ILIKE":
			return part{column + " LIKE ?", []any{v}}
		}
	}
	op := c.Op
	if op == "!=" {
		op = "<>"
	}
	return part{column + " " + op + " ?", []any{c.Value}}
}

// glob makes a pattern of LIKE one of GLOB.
var glob = strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]", "%", "*", "_", "?")

// order is an order as SQL terms, with the join that it needs. n tells it from others.
func (q *runQuery) order(n int, o search.Order) (join part, terms []string) {
	direction := ""
	if !o.Ascending {
		direction = " DESC"
	}
	alias := "o" + strconv.Itoa(n)
	table := map[search.Entity]string{search.Metric: "tracking_latest", search.Param: "tracking_params", search.Tag: "tracking_tags"}[o.Entity]
	switch {
	case o.Entity == search.Attribute && o.Key == "end_time":
		return part{}, []string{"r.ended IS NULL", "r.ended" + direction}
	case o.Entity == search.Attribute:
		return part{}, []string{runFields[o.Key] + direction}
	case o.Entity == search.Metric:
		terms = []string{"CASE WHEN " + alias + ".nan = 1 THEN 1 WHEN " + alias + ".value IS NULL THEN 2 ELSE 0 END", "coalesce(" + alias + ".value, 0)" + direction}
	default:
		terms = []string{alias + ".value IS NULL", alias + ".value" + direction}
	}
	join.add(" LEFT JOIN "+table+" "+alias+" ON "+alias+".rid = r.rid AND "+alias+".kid = ?", q.keys[o.Key])
	return join, terms
}

// found is a run with what it is ordered by.
type found struct {
	rid  int64
	keys []any
}

// run returns the first runs of an experiment: at most limit.
func (q *runQuery) run(eid int64, limit int) ([]found, error) {
	driver, at, err := q.driver(eid, fewOf(limit))
	if err != nil {
		return nil, err
	}
	if driver == nil && len(q.orders) > 0 && q.orders[0].Entity == search.Metric && q.keys[q.orders[0].Key] != 0 {
		return q.runByMetric(eid, limit)
	}
	from := part{sql: " FROM tracking_runs r"}
	where := part{sql: " WHERE r.eid = ?", args: []any{eid}}
	if driver != nil {
		from = part{sql: " FROM " + driver.table + " t CROSS JOIN tracking_runs r ON r.rid = t.rid"}
		where.add(" AND "+driver.where.sql, driver.where.args...)
	}
	return q.select_(from, where, nil, q.orders, at, limit)
}

// runByMetric begins with the index of latest values: first the runs that have a
// number, then those that have NaN, then those that have none.
func (q *runQuery) runByMetric(eid int64, limit int) ([]found, error) {
	o := q.orders[0]
	kid := q.keys[o.Key]
	direction := ""
	if !o.Ascending {
		direction = " DESC"
	}
	from := part{sql: " FROM tracking_latest m INDEXED BY tracking_latest_order CROSS JOIN tracking_runs r ON r.rid = m.rid"}
	where := part{sql: " WHERE m.eid = ? AND m.kid = ? AND m.nan = 0", args: []any{eid, kid}}
	numbers, same := true, -1
	for i, c := range q.filter {
		if c.Entity == search.Metric && c.Key == o.Key && c.Op != "!=" {
			where.add(" AND m.value "+c.Op+" ?", c.Value)
			numbers, same = false, i
		}
	}
	all, err := q.select_(from, where, []string{"0", "m.value" + direction}, q.orders[1:], same, limit)
	if err != nil || len(all) >= limit || !numbers {
		return all, err
	}
	where = part{sql: " WHERE m.eid = ? AND m.kid = ? AND m.nan = 1", args: []any{eid, kid}}
	nans, err := q.select_(from, where, []string{"1", "m.value"}, q.orders[1:], -1, limit-len(all))
	if all = append(all, nans...); err != nil || len(all) >= limit {
		return all, err
	}
	from = part{sql: " FROM tracking_runs r"}
	where = part{sql: " WHERE r.eid = ? AND NOT EXISTS (SELECT 1 FROM tracking_latest m WHERE m.rid = r.rid AND m.kid = ?)", args: []any{eid, kid}}
	none, err := q.select_(from, where, []string{"2", "0"}, q.orders[1:], -1, limit-len(all))
	return append(all, none...), err
}

// driver is an index that a search may begin with.
type driver struct {
	table string
	where part
}

// driver finds the clause that selects the fewest runs, if they are few, and its
// place in the filter.
func (q *runQuery) driver(eid int64, few int) (best *driver, at int, err error) {
	at = -1
	for i, c := range q.filter {
		d := q.driverOf(eid, c)
		if d == nil {
			continue
		}
		var n int
		err := q.tx.QueryRow("SELECT count(*) FROM (SELECT 1 FROM "+d.table+" t WHERE "+d.where.sql+" LIMIT ?)", append(slices.Clone(d.where.args), few)...).Scan(&n)
		if err != nil {
			return nil, -1, err
		}
		if n < few {
			best, at, few = d, i, n
		}
	}
	return best, at, nil
}

// driverOf is the index that selects by a clause, nil for none.
func (q *runQuery) driverOf(eid int64, c search.Clause) *driver {
	d := &driver{}
	key := c.Key
	switch {
	case c.Entity == search.Metric && c.Op != "!=":
		return &driver{"tracking_latest", part{"t.eid = ? AND t.kid = ? AND t.nan = 0 AND t.value " + c.Op + " ?", []any{eid, q.keys[key], c.Value}}}
	case c.Entity == search.Attribute && key == "run_id" && (c.Op == "=" || c.Op == "IN"):
		cond := compare("t.run_id", c)
		d.table, d.where = "tracking_runs", part{sql: "t.ws = (SELECT ws FROM tracking_experiments WHERE eid = ?)", args: []any{eid}}
		d.where.add(" AND "+cond.sql, cond.args...)
		return d
	case c.Entity == search.Param:
		d.table = "tracking_params"
	case c.Entity == search.Tag:
		d.table = "tracking_tags"
	case c.Entity == search.Attribute && key == "run_name":
		d.table, key = "tracking_tags", tagRunName
	default:
		return nil
	}
	text, _ := c.Value.(string)
	switch c.Op {
	case "=":
		d.where = part{"t.kid = ? AND substr(t.value, 1, 64) = substr(?, 1, 64) AND t.value = ?", []any{q.keys[key], text, text}}
		return d
	case "LIKE":
		prefix := text
		if i := strings.IndexAny(text, "%_"); i >= 0 {
			prefix = text[:i]
		}
		prefix = py.Truncate(prefix, 64)
		if prefix == "" {
			return nil
		}
		beyond := []byte(prefix)
		beyond[len(beyond)-1]++ // no byte of a text is the greatest
		cond := compare("t.value", c)
		d.where = part{"t.kid = ? AND substr(t.value, 1, 64) >= ? AND substr(t.value, 1, 64) < ?", []any{q.keys[key], prefix, string(beyond)}}
		d.where.add(" AND "+cond.sql, cond.args...)
		return d
	}
	return nil
}

// select_ runs a query. done is the place in the filter of a clause that where has
// already, -1 for none.
func (q *runQuery) select_(from, where part, first []string, orders []search.Order, done, limit int) (all []found, err error) {
	terms := first
	started := false
	for i, o := range orders {
		join, more := q.order(i, o)
		from.add(join.sql, join.args...)
		terms = append(terms, more...)
		started = started || o.Entity == search.Attribute && o.Key == "start_time"
	}
	if !started {
		terms = append(terms, "r.start DESC")
	}
	terms = append(terms, "r.run_id")
	where.add(" AND r.stage IN (?" + strings.Repeat(", ?", len(q.stages)-1) + ")")
	for _, stage := range q.stages {
		where.args = append(where.args, stage)
	}
	for i, c := range q.filter {
		if i != done {
			cond := q.condition(c)
			where.add(" AND "+cond.sql, cond.args...)
		}
	}
	columns := make([]string, len(terms))
	for i, t := range terms {
		columns[i] = strings.TrimSuffix(t, " DESC")
	}
	sorts := slices.DeleteFunc(slices.Clone(terms), func(t string) bool { return t == "0" || t == "1" || t == "2" })
	query := "SELECT r.rid, " + strings.Join(columns, ", ") + from.sql + where.sql + " ORDER BY " + strings.Join(sorts, ", ") + " LIMIT ?"
	rows, err := q.tx.Query(query, append(append(from.args, where.args...), limit)...)
	if err != nil {
		return nil, fmt.Errorf("tracking: search: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		f := found{keys: make([]any, len(terms))}
		into := []any{&f.rid}
		for i := range f.keys {
			into = append(into, &f.keys[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

// descending tells for each key of found whether greater comes first.
func (q *runQuery) descending() []bool {
	var d []bool
	started := false
	for _, o := range q.orders {
		if o.Entity != search.Attribute || o.Key == "end_time" {
			d = append(d, false) // what is not there comes last
		}
		d = append(d, !o.Ascending)
		started = started || o.Entity == search.Attribute && o.Key == "start_time"
	}
	if !started {
		d = append(d, true)
	}
	return append(d, false)
}
