package tracking

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"database/sql"
	"encoding/hex"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/otlp"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// Attributes of spans.
const (
	spanInputs  = "mlflow.spanInputs"
	spanOutputs = "mlflow.spanOutputs"
	spanUsage   = "mlflow.chat.tokenUsage"
	spanCost    = "mlflow.llm.cost"
	spanTag     = "mlflow.traceTag."
)

// exportSpans: POST /v1/traces, OpenTelemetry's protocol.
func exportSpans(c *call) error {
	if len(c.r.Header.Values("X-Mlflow-Experiment-Id")) == 0 {
		return &Error{Code: BadRequest, Status: http.StatusUnprocessableEntity, Message: "The header x-mlflow-experiment-id is missing.",
			detail: []byte(`[{"type":"missing","loc":["header","x-mlflow-experiment-id"],"msg":"Field required","input":null}]`)}
	}
	media, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	media = strings.TrimSpace(media)
	if media != "application/x-protobuf" && media != "application/json" {
		shown := c.r.Header.Get("Content-Type")
		if shown == "" {
			shown = "None"
		}
		return detailed(BadRequest, http.StatusBadRequest, "Invalid Content-Type: "+shown+". Expected: application/x-protobuf or application/json")
	}
	body, err := c.body(maxBody)
	if err != nil {
		return err
	}
	if body, err = decompress(body, c.r.Header.Get("Content-Encoding")); err != nil {
		return err
	}
	read := otlp.Proto
	if media == "application/json" {
		read = otlp.JSON
	}
	spans, found, err := read(body)
	switch {
	case err == otlp.ErrSpan:
		return detailed(BadRequest, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		return detailed(BadRequest, http.StatusBadRequest, err.Error())
	case !found:
		return detailed(BadRequest, http.StatusBadRequest, "Invalid OpenTelemetry format - no spans found")
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		ids, err := c.logSpans(tx, space, c.r.Header.Get("X-Mlflow-Experiment-Id"), spans)
		run := c.r.Header.Get("X-Mlflow-Run-Id")
		if err != nil || run == "" {
			return err
		}
		if r, err := c.run(tx, space, run); err != nil || c.allowed(tx, space, r) != nil {
			return nil // spans count even if they belong to no run
		}
		return link(tx, space, ids, "run", run)
	})
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/x-protobuf")
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// decompress undoes a Content-Encoding.
func decompress(body []byte, encoding string) ([]byte, error) {
	var r io.Reader
	var err error
	switch encoding = strings.ToLower(encoding); encoding {
	case "":
		return body, nil
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		if r, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
			r, err = flate.NewReader(bytes.NewReader(body)), nil
		}
	default:
		return nil, detailed(BadRequest, http.StatusBadRequest, "Unsupported Content-Encoding: "+encoding)
	}
	var plain []byte
	if err == nil {
		plain, err = io.ReadAll(io.LimitReader(r, maxBody+1))
	}
	if err != nil {
		return nil, detailed(BadRequest, http.StatusBadRequest, "Failed to decompress "+encoding+" payload")
	}
	if len(plain) > maxBody {
		return nil, &http.MaxBytesError{Limit: maxBody}
	}
	return plain, nil
}

// spanRow is a span with what is stored of it.
type spanRow struct {
	*otlp.Span
	content *request.Object
}

// attribute is a text attribute of the span, "" for none.
func (s *spanRow) attribute(key string) string {
	text, _ := s.attributes().Values[key].(string)
	return text
}

func (s *spanRow) attributes() *request.Object {
	o, _ := s.content.Values["attributes"].(*request.Object)
	return o
}

// loose is an attribute without the quotes of JSON.
func (s *spanRow) loose(key string) string {
	text := s.attribute(key)
	if v, err := request.Parse([]byte(text)); err == nil && text != "" {
		if s, ok := v.(string); ok {
			return s
		}
		return request.Repr(v)
	}
	return text
}

// logSpans stores spans and makes the traces that are not there. It returns the
// traces whose root is among the spans.
func (s *Store) logSpans(tx *sql.Tx, space int64, experiment string, spans []*otlp.Span) (completed []string, err error) {
	byTrace := map[string][]*spanRow{}
	var order []string
	for _, span := range spans {
		id := span.TraceID()
		if byTrace[id] == nil {
			order = append(order, id)
		}
		byTrace[id] = append(byTrace[id], &spanRow{span, span.Content()})
	}
	for _, id := range order {
		if err := s.logTrace(tx, space, experiment, id, byTrace[id]); err != nil {
			return nil, err
		}
		for _, row := range byTrace[id] {
			if len(row.Parent) == 0 {
				completed = append(completed, id)
				break
			}
		}
	}
	return completed, nil
}

// logTrace stores spans of one trace.
func (s *Store) logTrace(tx *sql.Tx, space int64, experiment, id string, rows []*spanRow) error {
	first, last := int64(math.MaxInt64), int64(0)
	var root *spanRow
	for _, row := range rows {
		first, last = min(first, int64(row.Start/1_000_000)), max(last, int64(row.End/1_000_000))
		if len(row.Parent) == 0 {
			root = row
		}
	}
	t, err := findTrace(tx, space, id)
	if err != nil {
		return err
	}
	fresh := t == nil
	if fresh {
		e, err := s.experiment(tx, space, experiment)
		if err != nil {
			return err
		}
		t = &trace{id: id, time: first}
		t.State = stateRunning
		if err := t.insert(tx, space, e); err != nil {
			return err
		}
	}
	stored := rows
	if !fresh {
		if stored, err = storedWith(tx, t.tid, rows); err != nil {
			return err
		}
	}
	if err := t.account(rows, stored, first, last); err != nil {
		return err
	}
	if root != nil {
		t.rooted(root)
	}
	t.Tags = setTagOf(t.Tags, Tag{tagSpansAt, spansHere})
	t.fromResource(rows)
	if root != nil {
		t.fromRoot(root)
	}
	if err := t.save(tx); err != nil {
		return err
	}
	return storeSpans(tx, t.tid, rows)
}

// unhex reads an id that the service wrote.
func unhex(id string) []byte {
	b, err := hex.DecodeString(id)
	if err != nil {
		return nil
	}
	return b
}

func storeSpans(tx *sql.Tx, tid int64, rows []*spanRow) error {
	for _, row := range rows {
		parent := sql.NullString{String: row.ParentID(), Valid: len(row.Parent) > 0}
		_, err := tx.Exec(`INSERT INTO tracking_spans (tid, span_id, parent, start, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET parent = excluded.parent, start = excluded.start, body = excluded.body`,
			tid, row.SpanID(), parent, int64(min(row.Start, math.MaxInt64)), request.PrintText(row.content))
		if err != nil {
			return err
		}
	}
	return nil
}

// storedWith are the spans that a trace has, with those that come now.
func storedWith(tx *sql.Tx, tid int64, rows []*spanRow) ([]*spanRow, error) {
	all := rows
	now := map[string]bool{}
	for _, row := range rows {
		now[row.SpanID()] = true
	}
	err := eachRow(tx, `SELECT span_id, coalesce(parent, ''), body FROM tracking_spans WHERE tid = ?`, []any{tid}, func(scan func(...any) error) error {
		var id, parent, body string
		if err := scan(&id, &parent, &body); err != nil || now[id] {
			return err
		}
		v, err := request.Parse([]byte(body))
		content, ok := v.(*request.Object)
		if err == nil && ok {
			all = append(all, &spanRow{&otlp.Span{ID: unhex(id), Parent: unhex(parent)}, content})
		}
		return nil
	})
	return all, err
}

// account sets the times, usage, cost, session and user that spans tell of. What
// was said of the whole trace counts more.
func (t *trace) account(rows, stored []*spanRow, first, last int64) error {
	session, user := "", ""
	for _, row := range rows {
		if session == "" {
			if session = row.loose("session.id"); session == "" {
				session = row.loose("gen_ai.conversation.id")
			}
		}
		if user == "" {
			user = row.loose("user.id")
		}
	}
	usage, cost := sumUp(metaUsage, spanUsage, rows), sumUp(metaCost, spanCost, rows)
	final := tagValue(t.Metadata, metaFinal) != nil && (session != "" || usage != nil || cost != nil)
	if !final {
		begin := min(t.time, first)
		if last > 0 {
			end := last
			if t.Duration != nil {
				end = max(end, t.time+*t.Duration)
			}
			d := end - begin
			t.Duration = &d
		}
		t.time = begin
	}
	for _, sum := range []struct {
		key, attribute string
		now            *request.Object
	}{{metaUsage, spanUsage, usage}, {metaCost, spanCost, cost}} {
		if sum.now != nil && (!final || tagValue(t.Metadata, sum.key) == nil) {
			t.addTotals(sum.key, sumUp(sum.key, sum.attribute, stored))
		}
	}
	if session != "" && tagValue(t.Metadata, metaSession) == nil {
		if err := t.setMetadata([]Tag{{metaSession, session}}); err != nil {
			return err
		}
	}
	if user != "" && tagValue(t.Metadata, metaUser) == nil {
		t.Metadata = setTagOf(t.Metadata, Tag{metaUser, user})
	}
	return nil
}

// sumUp adds what spans tell of usage or cost; a parent's account holds for what is
// below it. It is nil when there is none.
func sumUp(key, attribute string, rows []*spanRow) *request.Object {
	told := map[string]*request.Object{}
	parents := map[string]string{}
	for _, row := range rows {
		id := row.SpanID()
		parents[id] = row.ParentID()
		if v, err := request.Parse([]byte(row.attribute(attribute))); err == nil {
			if o, ok := v.(*request.Object); ok {
				told[id] = o
			}
		}
	}
	var sum *request.Object
	for id, o := range told {
		above := false
		for p, n := parents[id], 0; p != "" && n < len(parents) && !above; p, n = parents[p], n+1 {
			above = told[p] != nil
		}
		if above {
			continue
		}
		if sum == nil {
			sum = &request.Object{}
			for _, name := range totals[key][:3] {
				sum.Set(name, 0.0)
			}
		}
		for _, name := range totals[key] {
			if n, ok := number(o.Values[name]); ok {
				had, _ := sum.Values[name].(float64)
				sum.Set(name, had+n)
			}
		}
	}
	return sum
}

// rooted sets what the root span tells of the trace.
func (t *trace) rooted(root *spanRow) {
	if t.State == stateRunning || t.State == stateUnknown {
		t.State = stateOK
		if root.Status == otlp.Error {
			t.State = stateError
		}
	}
	if text := root.attribute(spanInputs); t.Request == nil && text != "" {
		p := preview(text, "user")
		t.Request = &p
	}
	if text := root.attribute(spanOutputs); t.Response == nil && text != "" {
		p := preview(text, "assistant")
		t.Response = &p
	}
}

// fromResource makes tags of what the spans' process tells of itself.
func (t *trace) fromResource(rows []*spanRow) {
	for _, row := range rows {
		if row.Resource == nil || len(row.Resource.Keys) == 0 {
			continue
		}
		for _, key := range row.Resource.Keys {
			if strings.HasPrefix(key, "telemetry.sdk.") || strings.HasPrefix(key, "mlflow.") {
				continue
			}
			text, ok := row.Resource.Values[key].(string)
			if !ok {
				text = request.Print(row.Resource.Values[key])
			}
			if tag, err := checkTraceTag(Tag{key, text}); err == nil {
				t.Tags = setTagOf(t.Tags, tag)
			}
		}
		return
	}
}

// fromRoot sets the tags that the root span carries.
func (t *trace) fromRoot(root *spanRow) {
	for _, key := range root.attributes().Keys {
		name, ok := strings.CutPrefix(key, spanTag)
		if !ok {
			continue
		}
		if tag, err := checkTraceTag(Tag{name, root.loose(key)}); err == nil {
			t.Tags = setTagOf(t.Tags, tag)
		}
	}
}
