package tracking

import (
	"database/sql"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// Limits of reading histories.
const (
	bulkRuns      = 100
	bulkValues    = 25000
	intervalPoint = 2500
)

// logMetric: POST mlflow/runs/log-metric.
func logMetric(c *call) error {
	m, err := c.read("LogMetric", needRun, request.Need("key", request.IsText), request.Need("value", request.IsFloat), request.Need("timestamp", request.IsInt),
		request.May("step", request.IsInt), request.May("model_id", request.IsText), request.May("dataset_name", request.IsText), request.May("dataset_digest", request.IsText))
	if err != nil {
		return err
	}
	x := Metric{m.Text("key"), m.Float("value"), m.Int("timestamp"), m.Int("step"), m.Text("model_id"), m.Text("dataset_name"), m.Text("dataset_digest")}
	if err := x.checkDataset(); err != nil {
		return err
	}
	if err := checkMetric(&x, ""); err != nil {
		return err
	}
	return c.logBatch(runID(m), &batch{metrics: []Metric{x}})
}

// logBatch makes a batch durable and answers.
func (c *call) logBatch(run string, b *batch) error {
	if err := c.log(c.ctx(), c.ws, run, b, c.allowed); err != nil {
		return err
	}
	return c.answer(nil)
}

// logBatch: POST mlflow/runs/log-batch.
func logBatch(c *call) error {
	run, b, err := c.readBatch()
	if err != nil {
		return err
	}
	return c.logBatch(run, b)
}

// readBatch reads and checks a batch.
func (c *call) readBatch() (run string, b *batch, err error) {
	if err := c.typed(); err != nil {
		return "", nil, err
	}
	body, err := c.body(maxBatchBody)
	if err != nil {
		return "", nil, err
	}
	q, err := request.ReadBatch(body)
	if err != nil {
		return "", nil, err
	}
	if err := checkRunID(q.RunID); err != nil {
		return "", nil, err
	}
	b = &batch{metrics: make([]Metric, len(q.Metrics))}
	for i, m := range q.Metrics {
		b.metrics[i] = Metric(m)
		if err := b.metrics[i].checkDataset(); err != nil {
			return "", nil, err
		}
	}
	for _, p := range q.Params {
		b.params = append(b.params, Tag(p))
	}
	for _, t := range q.Tags {
		b.tags = append(b.tags, Tag(t))
	}
	if err := b.check(); err != nil {
		return "", nil, err
	}
	if err := checkBatch(len(b.metrics), len(b.params), len(b.tags)); err != nil {
		return "", nil, err
	}
	return q.RunID, b, uniqueParams(b.params)
}

// uniqueParams refuses a batch with a parameter that is there twice.
func uniqueParams(params []Tag) error {
	seen := map[string]bool{}
	var twice []string
	for _, p := range params {
		if seen[p.Key] {
			twice = append(twice, p.Key)
		}
		seen[p.Key] = true
	}
	if len(twice) > 0 {
		return invalidf("Duplicate parameter keys have been submitted: %s. Please ensure the request contains only one param value per param key.", py.List(twice...))
	}
	return nil
}

// logBatchAsync: POST preview/mlflow/runs/log-batch-async, which Azure has. The
// batch is durable when it answers, so that there is nothing to wait for.
func logBatchAsync(c *call) error {
	run, b, err := c.readBatch()
	if err != nil {
		return err
	}
	if err := c.log(c.ctx(), c.ws, run, b, c.allowed); err != nil {
		return err
	}
	return c.answer(func(o *out) { o.str("batch_tracking_id", "") })
}

// runDataStatus: GET preview/mlflow/runs/get-run-data-status.
func runDataStatus(c *call) error {
	m, err := c.read("AsyncStatus", needRun)
	if err != nil {
		return err
	}
	err = c.view(func(tx *sql.Tx, space int64) error {
		_, err := c.run(tx, space, m.Text("run_id"))
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.bool("is_complete", true) })
}

// ridOf is the number of a run, 0 when there is none.
func ridOf(tx *sql.Tx, space int64, id string) (rid int64, err error) {
	err = tx.QueryRow(`SELECT coalesce(max(rid), 0) FROM tracking_runs WHERE ws = ? AND run_id = ?`, space, id).Scan(&rid)
	return rid, err
}

// settled is the number of a run, 0 for none, after its values were moved.
func (c *call) settled(id string) (rid int64, err error) {
	err = c.view(func(tx *sql.Tx, space int64) error {
		rid, err = ridOf(tx, space, id)
		return err
	})
	if err == nil && rid != 0 && c.tail.noted(rid) > 0 {
		err = c.move(c.ctx(), rid)
	}
	return rid, err
}

// getHistory: GET mlflow/metrics/get-history.
func getHistory(c *call) error {
	m, err := c.read("GetMetricHistory", needRun, request.Need("metric_key", request.IsText), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	limit := -1
	if n := m.IntPtr("max_results"); n != nil {
		if *n <= 0 {
			return invalidf("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer.", *n)
		}
		limit = int(*n)
	}
	offset, err := page(m.Text("page_token"))
	if err != nil {
		return err
	}
	rid, err := c.settled(runID(m))
	if err != nil {
		return err
	}
	var ps []points.Point
	var more bool
	if rid != 0 {
		err = c.view(func(tx *sql.Tx, _ int64) error {
			ps, more, err = c.history(tx, rid, m.Text("metric_key"), offset, limit)
			return err
		})
	}
	if err != nil {
		return err
	}
	o := &out{b: make([]byte, 0, 64+(72+len(m.Text("metric_key")))*len(ps))}
	o.open('{')
	writePoints(o, m.Text("metric_key"), "", ps)
	if more {
		o.str("next_page_token", nextToken(offset+limit))
	}
	o.close('}')
	return c.sendJSON(o)
}

func (c *call) sendJSON(o *out) error {
	c.w.Header().Set("Content-Type", "application/json")
	c.send(o.b)
	return nil
}

// writePoints writes the list metrics.
func writePoints(o *out, key, run string, ps []points.Point) {
	if len(ps) == 0 {
		return
	}
	o.key("metrics")
	o.b = append(o.b, '[')
	appendPoints(o, key, run, ps)
	o.b = append(o.b, ']')
}

// appendPoints writes values of a key, with the run's id when it is given.
func appendPoints(o *out, key, run string, ps []points.Point) {
	head := appendString([]byte(`{"key":`), key)
	head = append(head, `,"value":`...)
	tail := []byte{'}'}
	if run != "" {
		tail = append(appendString([]byte(`,"run_id":`), run), '}')
	}
	for _, p := range ps {
		o.comma()
		o.b = append(o.b, head...)
		o.b = appendFloat(o.b, p.Value)
		o.b = appendTimes(o.b, p)
		o.b = append(o.b, tail...)
	}
}

func appendTimes(b []byte, p points.Point) []byte {
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, p.Time, 10)
	b = append(b, `,"step":`...)
	return strconv.AppendInt(b, p.Step, 10)
}

// getHistoryBulk: GET ajax-api mlflow/metrics/get-history-bulk.
func getHistoryBulk(c *call) error {
	if !strings.HasPrefix(c.r.URL.Path, "/ajax-api/") {
		return noEndpoint(c.r)
	}
	q := c.r.URL.Query()
	runs := q["run_id"]
	if len(runs) == 0 {
		return invalidf("GetMetricHistoryBulk request must specify at least one run_id.")
	}
	if len(runs) > bulkRuns {
		return invalidf("GetMetricHistoryBulk request cannot specify more than %d run_ids. Received %d run_ids.", bulkRuns, len(runs))
	}
	if !q.Has("metric_key") {
		return invalidf("GetMetricHistoryBulk request must specify a metric_key.")
	}
	limit := int64(bulkValues)
	if q.Has("max_results") {
		n, ok := py.Int(q.Get("max_results"))
		if !ok {
			return invalidf("Invalid value %s for parameter 'max_results' supplied.", request.Dumps(q.Get("max_results")))
		}
		limit = min(n, bulkValues)
	}
	if limit < 0 {
		limit = bulkValues
	}
	runs = slices.Compact(slices.Sorted(slices.Values(runs)))
	o := &out{}
	o.b = append(o.b, `{"metrics":[`...)
	for _, run := range runs {
		rid, err := c.settled(run)
		if err != nil {
			return err
		}
		if rid == 0 || limit == 0 {
			continue
		}
		err = c.view(func(tx *sql.Tx, _ int64) error {
			ps, _, err := c.history(tx, rid, q.Get("metric_key"), 0, int(limit))
			limit -= int64(len(ps))
			appendPoints(o, q.Get("metric_key"), run, ps)
			return err
		})
		if err != nil {
			return err
		}
	}
	o.b = append(o.b, ']', '}')
	return c.sendJSON(o)
}

// getHistoryInterval: GET mlflow/metrics/get-history-bulk-interval.
func getHistoryInterval(c *call) error {
	m, err := c.read("GetMetricHistoryBulkInterval",
		request.Need("run_ids", request.IsList, request.IsTexts, request.FewerThan(bulkRuns, "GetMetricHistoryBulkInterval request must specify at most 100 run_ids. Received %d run_ids.")),
		request.Need("metric_key", request.IsText), request.May("start_step", request.IsInt), request.May("end_step", request.IsInt),
		request.May("max_results", request.IsInt, request.Within(1, intervalPoint, "max_results must be between 1 and 2500.")))
	if err != nil {
		return err
	}
	q := c.r.URL.Query()
	limit, start, end := int64(intervalPoint), int64(0), int64(0)
	hasStart, hasEnd := q.Has("start_step"), q.Has("end_step")
	for _, p := range []struct {
		name string
		into *int64
	}{{"max_results", &limit}, {"start_step", &start}, {"end_step", &end}} {
		if !q.Has(p.name) {
			continue
		}
		n, ok := py.Int(q.Get(p.name))
		if !ok {
			return invalidf("Invalid value %s for parameter '%s' supplied.", request.Dumps(q.Get(p.name)), p.name)
		}
		*p.into = n
	}
	if hasStart != hasEnd {
		return invalidf("If either start step or end step are specified, both must be specified.")
	}
	if start > end {
		return invalidf("end_step must be greater than start_step. Found start_step=%d and end_step=%d.", start, end)
	}
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead {
		return noEndpoint(c.r)
	}
	o := &out{}
	o.open('{')
	var any bool
	for _, run := range m.Texts("run_ids") {
		rid, err := c.settled(run)
		if err != nil {
			return err
		}
		if rid == 0 {
			continue
		}
		var ps []points.Point
		err = c.view(func(tx *sql.Tx, _ int64) error {
			ps, _, err = c.history(tx, rid, m.Text("metric_key"), 0, -1)
			return err
		})
		if err != nil {
			return err
		}
		if hasStart {
			ps = slices.DeleteFunc(ps, func(p points.Point) bool { return p.Step < start || p.Step > end })
		}
		slices.SortFunc(ps, points.CompareStep)
		ps = points.Sample(ps, int(limit))
		if len(ps) > 0 && !any {
			o.b = append(o.b, `"metrics":[`...)
			any = true
		}
		appendPoints(o, m.Text("metric_key"), run, ps)
	}
	if any {
		o.b = append(o.b, ']')
	}
	o.close('}')
	return c.sendJSON(o)
}
