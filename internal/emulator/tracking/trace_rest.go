package tracking

import (
	"database/sql"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/tracking/otlp"
	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// maxLinks bounds the traces that one request links to a run.
const maxLinks = 100

// startTrace: POST 3.0 mlflow/traces: a trace that has ended, or what is known of it.
func startTrace(c *call) error {
	m, err := c.read("StartTrace", request.Need("trace"))
	if err != nil {
		return err
	}
	info := m.Sub("trace").Sub("trace_info")
	fresh := &trace{id: info.Text("trace_id"), time: info.Int("request_time")}
	fresh.Client, fresh.Request, fresh.Response = info.TextPtr("client_request_id"), info.TextPtr("request_preview"), info.TextPtr("response_preview")
	fresh.Duration, fresh.State = info.IntPtr("execution_duration"), info.Int("state")
	if fresh.id == "" {
		return invalidf("A trace needs an id.")
	}
	list := pairs(info, "tags")
	if err := traceName(list); err != nil {
		return err
	}
	for _, t := range list {
		fresh.Tags = setTagOf(fresh.Tags, t)
	}
	metadata := append(pairs(info, "trace_metadata"), Tag{metaFinal, "true"})
	if err := fresh.setMetadata(metadata); err != nil {
		return err
	}
	for _, x := range info.List("assessments") {
		a, err := c.readAssessment(x)
		if err != nil {
			return err
		}
		fresh.Assessments = append(fresh.Assessments, a)
	}
	experiment := info.Sub("trace_location").Sub("mlflow_experiment").Text("experiment_id")
	t := fresh
	err = c.update(func(tx *sql.Tx, space int64) error {
		e, err := c.experiment(tx, space, experiment)
		if err != nil {
			return err
		}
		if err := e.mustBeActive(); err != nil {
			return err
		}
		had, err := findTrace(tx, space, fresh.id)
		if err != nil {
			return err
		}
		if had == nil {
			return fresh.insert(tx, space, e)
		}
		t = had
		return t.merge(tx, fresh, metadata, e)
	})
	if err != nil {
		return err
	}
	return c.answerTrace(t)
}

// merge sets what another account of the same trace says.
func (t *trace) merge(tx *sql.Tx, o *trace, metadata []Tag, e *experiment) error {
	t.eid, t.experiment, t.time = e.eid, e.id, o.time
	t.Duration, t.State, t.Client = o.Duration, o.State, o.Client
	if o.Request != nil {
		t.Request = o.Request
	}
	if o.Response != nil {
		t.Response = o.Response
	}
	for _, tag := range append(o.Tags, Tag{tagArtifactsAt, under(e.location, "traces", t.id, "artifacts")}) {
		t.Tags = setTagOf(t.Tags, tag)
	}
	for _, a := range o.Assessments {
		if i := slices.IndexFunc(t.Assessments, func(had *assessment) bool { return had.ID == a.ID }); i >= 0 {
			t.Assessments[i] = a
		} else {
			t.Assessments = append(t.Assessments, a)
		}
	}
	if err := t.setMetadata(metadata); err != nil {
		return err
	}
	return t.save(tx)
}

// answerTrace answers with a trace's info.
func (c *call) answerTrace(t *trace) error {
	return c.answer(func(o *out) {
		o.object("trace", func() { o.object("trace_info", func() { t.write(o) }) })
	})
}

// getTraceInfo: GET 3.0 mlflow/traces/*.
func getTraceInfo(c *call) error {
	t, err := c.trace(c.vars[0])
	if err != nil {
		return err
	}
	return c.answerTrace(t)
}

func (c *call) trace(id string) (t *trace, err error) {
	err = c.view(func(tx *sql.Tx, space int64) error {
		t, err = traceOf(tx, space, id)
		return err
	})
	return t, err
}

// spansOf reads the spans of a trace: roots first, then as they began.
func spansOf(tx *sql.Tx, tid int64) (all []string, err error) {
	err = eachRow(tx, `SELECT body FROM tracking_spans WHERE tid = ? ORDER BY parent IS NOT NULL, start, span_id`, []any{tid}, func(scan func(...any) error) error {
		var body string
		err := scan(&body)
		all = append(all, body)
		return err
	})
	return all, err
}

// complete reports whether all spans of a trace are there that it tells to have.
func (t *trace) complete(spans int) bool {
	text, _ := tagValue(t.Metadata, metaSizes).(string)
	v, err := request.Parse([]byte(text))
	o, ok := v.(*request.Object)
	if err != nil || !ok {
		return spans > 0
	}
	n, _ := o.Values["num_spans"].(int64)
	return spans > 0 && int64(spans) >= n
}

// writeFull writes a trace with its spans.
func (t *trace) writeFull(o *out, spans []string) {
	o.object("trace_info", func() { t.write(o) })
	o.list("spans", len(spans), func(i int) {
		v, err := request.Parse([]byte(spans[i]))
		content, ok := v.(*request.Object)
		if err != nil || !ok {
			return
		}
		o.comma()
		o.b = append(o.b, request.Print(otlp.Shown(content))...)
	})
}

// Waiting for the spans of a trace that was just made.
const (
	spansWait  = 3 * time.Second
	spansEvery = 100 * time.Millisecond
)

// getTrace: GET 3.0 mlflow/traces/get.
func getTrace(c *call) error {
	m, err := c.read("GetTrace", request.Need("trace_id", request.IsText), request.May("allow_partial", request.IsBool))
	if err != nil {
		return err
	}
	id := m.Text("trace_id")
	for waited := time.Duration(0); ; waited += spansEvery {
		var t *trace
		var spans []string
		err = c.view(func(tx *sql.Tx, space int64) error {
			if t, err = findTrace(tx, space, id); err != nil || t == nil {
				return err
			}
			spans, err = spansOf(tx, t.tid)
			return err
		})
		switch {
		case err != nil:
			return err
		case t == nil:
			return errorf(DoesNotExist, "Trace with ID %s is not found.", id)
		case tagValue(t.Tags, tagSpansAt) != spansHere:
			return errorf(BadRequest, "Trace data not stored in tracking store")
		case m.Flag("allow_partial") || t.complete(len(spans)):
			return c.answer(func(o *out) { o.object("trace", func() { t.writeFull(o, spans) }) })
		case waited >= spansWait:
			return errorf(DoesNotExist, "Trace with ID %s is not fully exported yet, please try again later.", id)
		}
		select {
		case <-c.ctx().Done():
			return c.ctx().Err()
		case <-time.After(spansEvery):
		}
	}
}

// batch reads the request for several traces, and those that there are, in order.
func (c *call) batchOf(tx *sql.Tx, space int64, m *request.Message, scoped bool) ([]*trace, error) {
	var within map[int64]bool
	if scoped {
		within = map[int64]bool{}
		ids, err := experimentIDs(m.Texts("experiment_ids"))
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			within[id] = true
		}
	}
	ids := m.Texts("trace_ids")
	last := map[string]int{}
	for i, id := range ids {
		last[id] = i
	}
	var all []*trace
	for i, id := range ids {
		if last[id] != i {
			continue
		}
		t, err := findTrace(tx, space, id)
		if err != nil {
			return nil, err
		}
		if t != nil && (within == nil || within[t.experiment]) {
			all = append(all, t)
		}
	}
	return all, nil
}

// readBatchOf reads the request of batches of traces.
func (c *call) readBatchOf() (*request.Message, error) {
	return c.read("BatchGetTraces", request.Need("trace_ids", request.IsList, request.IsTexts), request.May("experiment_ids", request.IsList, request.IsTexts))
}

// batchGetTraces: GET 3.0 mlflow/traces/batchGet: those that are complete.
func batchGetTraces(c *call) error {
	m, err := c.readBatchOf()
	if err != nil {
		return err
	}
	o := &out{}
	o.open('{')
	n := 0
	err = c.view(func(tx *sql.Tx, space int64) error {
		all, err := c.batchOf(tx, space, m, m.Given("experiment_ids"))
		if err != nil {
			return err
		}
		for _, t := range all {
			if tagValue(t.Tags, tagSpansAt) != spansHere {
				continue
			}
			spans, err := spansOf(tx, t.tid)
			if err != nil {
				return err
			}
			if !t.complete(len(spans)) {
				continue
			}
			if n++; n == 1 {
				o.key("traces")
				o.b = append(o.b, '[')
			}
			o.item(func() { t.writeFull(o, spans) })
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n > 0 {
		o.close(']')
	}
	o.close('}')
	return c.sendJSON(o)
}

// batchGetInfos: POST 3.0 mlflow/traces/batchGetInfos.
func batchGetInfos(c *call) error {
	m, err := c.readBatchOf()
	if err != nil {
		return err
	}
	var all []*trace
	err = c.view(func(tx *sql.Tx, space int64) error {
		all, err = c.batchOf(tx, space, m, m.Given("experiment_ids"))
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.list("trace_infos", len(all), func(i int) { o.item(func() { all[i].write(o) }) })
	})
}

// changeTrace runs f on a trace and saves it.
func (c *call) changeTrace(id string, f func(t *trace) error) (t *trace, err error) {
	err = c.update(func(tx *sql.Tx, space int64) error {
		if t, err = traceOf(tx, space, id); err != nil {
			return err
		}
		if err := f(t); err != nil {
			return err
		}
		return t.save(tx)
	})
	return t, err
}

// tagTrace: PATCH mlflow/traces/*/tags.
func tagTrace(c *call) error {
	m, err := c.read("SetTraceTag", request.Need("key", request.IsText), request.May("value", request.IsText))
	if err != nil {
		return err
	}
	if err := ownTag(m.Text("key"), "set"); err != nil {
		return err
	}
	tag, err := checkTraceTag(Tag{m.Text("key"), m.Text("value")})
	if err != nil {
		return err
	}
	if _, err := c.changeTrace(c.vars[0], func(t *trace) error {
		t.Tags = setTagOf(t.Tags, tag)
		return nil
	}); err != nil {
		return err
	}
	return c.answer(nil)
}

// untagTrace: DELETE mlflow/traces/*/tags.
func untagTrace(c *call) error {
	m, err := c.read("DeleteTraceTag", request.Need("key", request.IsText))
	if err != nil {
		return err
	}
	key := m.Text("key")
	if err := ownTag(key, "deleted"); err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		t, err := findTrace(tx, space, c.vars[0])
		if err != nil {
			return err
		}
		there := false
		if t != nil {
			t.Tags, there = removeTagOf(t.Tags, key)
		}
		if !there {
			return errorf(DoesNotExist, "No trace tag with key '%s' for trace with ID '%s'", key, c.vars[0])
		}
		return t.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// deleteTraces: POST mlflow/traces/delete-traces.
func deleteTraces(c *call) error {
	m, err := c.read("DeleteTraces", request.Need("experiment_id", request.IsText), request.May("max_timestamp_millis", request.IsInt), request.May("max_traces", request.IsInt), request.May("request_ids", request.IsList, request.IsTexts))
	if err != nil {
		return err
	}
	if err := c.unlimited("delete traces"); err != nil {
		return err
	}
	before, limit, ids := m.IntPtr("max_timestamp_millis"), m.IntPtr("max_traces"), m.Texts("request_ids")
	switch {
	case before == nil && len(ids) == 0:
		return invalidf("Either `max_timestamp_millis` or `trace_ids` must be specified.")
	case before != nil && len(ids) > 0:
		return invalidf("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
	case len(ids) > 0 && limit != nil:
		return invalidf("`max_traces` can't be specified if `trace_ids` is specified.")
	case limit != nil && *limit <= 0:
		return invalidf("`max_traces` must be a positive integer, received %d.", *limit)
	}
	experiment, err := experimentID(m.Text("experiment_id"))
	if err != nil {
		return err
	}
	where, args := `t.ws = ? AND e.id = ?`, []any{0, experiment}
	if before != nil {
		where, args = where+` AND t.time <= ?`, append(args, *before)
	}
	if len(ids) > 0 {
		where += ` AND t.trace_id IN (?` + strings.Repeat(", ?", len(ids)-1) + `)`
		for _, id := range ids {
			args = append(args, id)
		}
	}
	where += ` ORDER BY t.time, t.trace_id`
	if limit != nil {
		where, args = where+` LIMIT ?`, append(args, *limit)
	}
	n := 0
	err = c.update(func(tx *sql.Tx, space int64) error {
		args[0] = space
		var tids []int64
		err := eachRow(tx, `SELECT t.tid FROM tracking_traces t JOIN tracking_experiments e ON e.eid = t.eid WHERE `+where, args, func(scan func(...any) error) error {
			var tid int64
			err := scan(&tid)
			tids = append(tids, tid)
			return err
		})
		for _, tid := range tids {
			for _, table := range []string{"tracking_spans", "tracking_links", "tracking_traces"} {
				if err == nil {
					_, err = tx.Exec(`DELETE FROM `+table+` WHERE tid = ?`, tid)
				}
			}
		}
		n = len(tids)
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.int("traces_deleted", int64(n)) })
}

// linkTraces: POST mlflow/traces/link-to-run.
func linkTraces(c *call) error {
	m, err := c.read("LinkTracesToRun", request.Need("trace_ids", request.IsList, request.IsTexts), request.Need("run_id", request.IsText))
	if err != nil {
		return err
	}
	ids := m.Texts("trace_ids")
	if len(ids) > maxLinks {
		return invalidf("Cannot link more than %d traces to a run in a single request. Provided %d traces.", maxLinks, len(ids))
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		if c.o.RunLimit != "" {
			r, err := c.run(tx, space, m.Text("run_id"))
			if err != nil {
				return err
			}
			if err := c.allowed(tx, space, r); err != nil {
				return err
			}
		}
		return link(tx, space, ids, "run", m.Text("run_id"))
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// link links the traces that there are to something.
func link(tx *sql.Tx, space int64, ids []string, kind, target string) error {
	for _, id := range ids {
		if _, err := tx.Exec(`INSERT OR IGNORE INTO tracking_links (kind, target, tid) SELECT ?, ?, tid FROM tracking_traces WHERE ws = ? AND trace_id = ?`, kind, target, space, id); err != nil {
			return err
		}
	}
	return nil
}

// linkPrompts: POST mlflow/traces/link-prompts.
func linkPrompts(c *call) error {
	m, err := c.read("LinkPrompts", request.Need("trace_id", request.IsText), request.Need("prompt_versions", request.IsList))
	if err != nil {
		return err
	}
	var prompts []string
	for _, p := range m.List("prompt_versions") {
		n, ok := py.Int(p.Text("version"))
		if !ok {
			return invalidf("Parameter 'version' must be an integer, got '%s'.", p.Text("version"))
		}
		prompts = append(prompts, fmt.Sprintf("%s/%d", p.Text("name"), n))
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		t, err := traceOf(tx, space, m.Text("trace_id"))
		for _, p := range prompts {
			if err == nil {
				err = link(tx, space, []string{t.id}, "prompt", p)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// getTraceArtifact: GET ajax-api mlflow/get-trace-artifact, for the user interface.
func getTraceArtifact(c *call) error {
	if !strings.HasPrefix(c.r.URL.Path, "/ajax-api/") {
		return noEndpoint(c.r)
	}
	q := c.r.URL.Query()
	if q.Get("request_id") == "" {
		return errorf(BadRequest, `Request must include the "request_id" query parameter.`)
	}
	var t *trace
	var spans []string
	err := c.view(func(tx *sql.Tx, space int64) (err error) {
		if t, err = findTrace(tx, space, q.Get("request_id")); err != nil {
			return err
		}
		if t == nil {
			return errorf(DoesNotExist, "Trace with ID %s is not found.", q.Get("request_id"))
		}
		spans, err = spansOf(tx, t.tid)
		return err
	})
	if err != nil {
		return err
	}
	file := "traces.json"
	if q.Get("path") != "" {
		name, err := safePath(q.Get("path"))
		if err != nil {
			return err
		}
		file = path.Join("attachments", name)
	} else if tagValue(t.Tags, tagSpansAt) == spansHere {
		c.w.Header().Set("Content-Type", "text/plain")
		c.w.Header().Set("Content-Disposition", "attachment; filename=traces.json")
		c.w.Header().Set("X-Content-Type-Options", "nosniff")
		c.send([]byte(`{"spans":[` + strings.Join(spans, ",") + `]}`))
		return nil
	}
	root, ok := t.artifactsOf()
	if !ok {
		return invalidf("The artifacts of trace '%s' are not kept by this server.", t.id)
	}
	at, err := c.locate(c.ctx(), c.ws, path.Join(root, file))
	if err != nil {
		return err
	}
	return c.sendFile(at, path.Base(file))
}
