package tracking

import (
	"cmp"
	"database/sql"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// Runs that are loaded at a time, and those that are written to the client at once.
const (
	loadRuns = 100
	sendRuns = 1000
)

// searchRuns: POST mlflow/runs/search.
func searchRuns(c *call) error {
	m, err := c.read("SearchRuns", request.May("experiment_ids", request.IsList), request.May("filter", request.IsText),
		request.May("max_results", request.IsInt, request.AtMost(50000)), request.May("order_by", request.IsList, request.IsTexts))
	if err != nil {
		return err
	}
	limit := int(m.Int("max_results"))
	if err := maxResults(int64(limit)); err != nil {
		return err
	}
	q := &runQuery{s: c.Store, stages: stages(m.Int("run_view_type"))}
	if q.filter, err = search.Runs(m.Text("filter")); err != nil {
		return err
	}
	if q.orders, err = search.RunOrders(m.Texts("order_by")); err != nil {
		return err
	}
	offset, err := page(m.Text("page_token"))
	if err != nil {
		return err
	}
	ids, err := experimentIDs(m.Texts("experiment_ids"))
	if err != nil {
		return err
	}
	if q.ofMetrics() {
		if err := c.settle(c.ctx()); err != nil {
			return err
		}
	}
	var all []found
	err = c.view(func(tx *sql.Tx, space int64) error {
		q.tx = tx
		all, err = q.search(space, ids, offset+limit+1)
		return err
	})
	if err != nil {
		return err
	}
	all = all[min(offset, len(all)):]
	next := ""
	if len(all) > limit {
		all, next = all[:limit], nextToken(offset+limit)
	}
	return c.sendRuns(all, next)
}

// ofMetrics reports whether latest values are asked for.
func (q *runQuery) ofMetrics() bool {
	return slices.ContainsFunc(q.filter, func(c search.Clause) bool { return c.Entity == search.Metric }) ||
		slices.ContainsFunc(q.orders, func(o search.Order) bool { return o.Entity == search.Metric })
}

// search finds the first runs of several experiments.
func (q *runQuery) search(space int64, ids []int64, limit int) ([]found, error) {
	if err := q.prepare(); err != nil {
		return nil, err
	}
	var all []found
	for _, id := range ids {
		var eid int64
		err := q.tx.QueryRow(`SELECT eid FROM tracking_experiments WHERE ws = ? AND id = ?`, space, id).Scan(&eid)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		some, err := q.run(eid, limit)
		if err != nil {
			return nil, err
		}
		if len(all) == 0 {
			all = some
			continue
		}
		all = append(all, some...)
		down := q.descending()
		slices.SortStableFunc(all, func(a, b found) int { return compareFound(a, b, down) })
		all = all[:min(len(all), limit)]
	}
	return all, nil
}

func compareFound(a, b found, down []bool) int {
	for i := range a.keys {
		c := compareKey(a.keys[i], b.keys[i])
		if i < len(down) && down[i] {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareKey compares as SQLite does: NULL before numbers before texts.
func compareKey(a, b any) int {
	if c := cmp.Compare(keyRank(a), keyRank(b)); c != 0 {
		return c
	}
	if x, ok := a.(string); ok {
		return strings.Compare(x, b.(string))
	}
	x, _ := number(a)
	y, _ := number(b)
	return cmp.Compare(x, y)
}

func keyRank(v any) int {
	switch v.(type) {
	case nil:
		return 0
	case string:
		return 2
	}
	return 1
}

// sendRuns loads runs and answers with them. Long answers are sent in pieces, each
// of its own snapshot, so that they are never in memory as a whole.
func (c *call) sendRuns(all []found, next string) error {
	o := &out{b: make([]byte, 0, 4096)}
	o.open('{')
	if len(all) > 0 {
		o.key("runs")
		o.b = append(o.b, '[')
	}
	c.w.Header().Set("Content-Type", "application/json")
	first, sent := true, false
	for chunk := range slices.Chunk(all, sendRuns) {
		var rows []*runRow
		err := c.view(func(tx *sql.Tx, _ int64) (err error) {
			rows, err = c.loadMany(tx, chunk)
			return err
		})
		if err != nil && sent {
			panic(http.ErrAbortHandler) // the answer has begun
		}
		if err != nil {
			return err
		}
		for _, r := range rows {
			if !first {
				o.b = append(o.b, ',')
			}
			first = false
			o.b = append(o.b, '{')
			r.write(o, withInputs|withOutputs, c.uri)
			o.b = append(o.b, '}')
		}
		if len(all) > sendRuns {
			c.send(o.b)
			o.b = append(o.b[:0], ' ')
			sent = true
		}
	}
	if len(all) > 0 {
		o.b = append(o.b, ']')
	}
	if next != "" {
		o.str("next_page_token", next)
	}
	o.close('}')
	c.send(o.b)
	return nil
}

// loadMany loads runs with their data, in the order given.
func (s *Store) loadMany(tx *sql.Tx, list []found) ([]*runRow, error) {
	fresh, err := tailRunsOf(tx)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]*runRow, len(list))
	for chunk := range slices.Chunk(list, loadRuns) {
		if err := loadChunk(tx, chunk, byID); err != nil {
			return nil, err
		}
	}
	all := make([]*runRow, 0, len(list))
	for _, f := range list {
		r := byID[f.rid]
		if r == nil {
			continue
		}
		if fresh[r.rid] {
			if err := s.withTail(tx, r); err != nil {
				return nil, err
			}
		}
		if r.linked {
			if err := s.loadLinks(tx, r); err != nil {
				return nil, err
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// loadChunk reads the rows of some runs. Missing ids are filled up with 0, so that
// there is one statement for all sizes.
func loadChunk(tx *sql.Tx, chunk []found, into map[int64]*runRow) (err error) {
	ids := make([]any, loadRuns)
	for i := range ids {
		ids[i] = 0
		if i < len(chunk) {
			ids[i] = chunk[i].rid
		}
	}
	rows, err := tx.Query(loadStatement, ids...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := &runRow{}
		if err := rows.Scan(append(r.fields(), &r.tags, &r.params, &r.metrics)...); err != nil {
			return err
		}
		into[r.rid] = r
	}
	return rows.Err()
}

var loadStatement = `SELECT ` + runColumns + `, d.tags, d.params, d.metrics` + fromRuns + `JOIN tracking_run_data d ON d.rid = r.rid WHERE r.rid IN (?` + strings.Repeat(", ?", loadRuns-1) + `)`

// tailRunsOf are the runs that have rows in the tail.
func tailRunsOf(tx *sql.Tx) (runs map[int64]bool, err error) {
	rows, err := tx.Query(`SELECT DISTINCT rid FROM tracking_tail`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	runs = map[int64]bool{}
	for rows.Next() {
		var rid int64
		if err := rows.Scan(&rid); err != nil {
			return nil, err
		}
		runs[rid] = true
	}
	return runs, rows.Err()
}
