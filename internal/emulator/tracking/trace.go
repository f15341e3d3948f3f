package tracking

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// Keys of traces' tags and metadata.
const (
	tagSpansAt       = "mlflow.trace.spansLocation"
	tagArchiveAt     = "mlflow.trace.archiveLocation"
	tagArchiveFailed = "mlflow.trace.archivalFailure"
	tagArtifactsAt   = "mlflow.artifactLocation"

	metaFinal   = "mlflow.trace.infoFinalized"
	metaSession = "mlflow.trace.session"
	metaUser    = "mlflow.trace.user"
	metaUsage   = "mlflow.trace.tokenUsage"
	metaCost    = "mlflow.trace.cost"
	metaSizes   = "mlflow.trace.sizeStats"

	spansHere = "TRACKING_STORE"
)

// Limits of what traces are shown with, in characters.
const (
	maxTraceMeta  = 250
	maxTraceKey   = 250
	maxTraceValue = 4096
)

// States of traces, by their number.
var traceStates = []string{"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"}

const (
	stateUnknown = 0
	stateOK      = 1
	stateError   = 2
	stateRunning = 3
)

// trace is a row of tracking_traces.
type trace struct {
	tid, eid   int64
	experiment int64
	id         string
	time       int64
	traceBody
}

type traceBody struct {
	Client      *string       `json:"client,omitempty"`
	Request     *string       `json:"request,omitempty"`
	Response    *string       `json:"response,omitempty"`
	Duration    *int64        `json:"duration,omitempty"`
	State       int64         `json:"state"`
	Metadata    []Tag         `json:"metadata,omitempty"`
	Tags        []Tag         `json:"tags,omitempty"`
	Assessments []*assessment `json:"assessments,omitempty"`
}

const traceColumns = `t.tid, t.eid, e.id, t.trace_id, t.time, t.body FROM tracking_traces t JOIN tracking_experiments e ON e.eid = t.eid`

func scanTrace(scan func(...any) error) (*trace, error) {
	t := &trace{}
	var body []byte
	if err := scan(&t.tid, &t.eid, &t.experiment, &t.id, &t.time, &body); err != nil {
		return nil, err
	}
	return t, json.Unmarshal(body, &t.traceBody)
}

// findTrace finds a trace, nil for none.
func findTrace(tx *sql.Tx, space int64, id string) (*trace, error) {
	t, err := scanTrace(tx.QueryRow(`SELECT `+traceColumns+` WHERE t.ws = ? AND t.trace_id = ?`, space, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return t, err
}

func traceOf(tx *sql.Tx, space int64, id string) (*trace, error) {
	t, err := findTrace(tx, space, id)
	if err == nil && t == nil {
		err = errorf(DoesNotExist, "Trace with ID '%s' not found.", id)
	}
	return t, err
}

// insert makes the trace, in an experiment.
func (t *trace) insert(tx *sql.Tx, space int64, e *experiment) error {
	t.eid, t.experiment = e.eid, e.id
	t.Tags = setTagOf(t.Tags, Tag{tagArtifactsAt, under(e.location, "traces", t.id, "artifacts")})
	r, err := tx.Exec(`INSERT INTO tracking_traces (ws, trace_id, eid, time, body) VALUES (?, ?, ?, ?, ?)`, space, t.id, t.eid, t.time, string(rawJSON(t.traceBody)))
	if err != nil {
		return err
	}
	t.tid, err = r.LastInsertId()
	return err
}

func (t *trace) save(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE tracking_traces SET eid = ?, time = ?, body = ? WHERE tid = ?`, t.eid, t.time, string(rawJSON(t.traceBody)), t.tid)
	return err
}

// write writes the trace's info.
func (t *trace) write(o *out) {
	o.str("trace_id", t.id)
	o.ptr("client_request_id", t.Client)
	o.object("trace_location", func() {
		o.str("type", "MLFLOW_EXPERIMENT")
		o.object("mlflow_experiment", func() { o.str("experiment_id", strconv.FormatInt(t.experiment, 10)) })
	})
	o.ptr("request_preview", t.Request)
	o.ptr("response_preview", t.Response)
	o.str("request_time", timestamp(t.time))
	if t.Duration != nil {
		o.str("execution_duration", seconds(*t.Duration))
	}
	o.str("state", traceStates[t.State])
	writeMap(o, "trace_metadata", t.Metadata, maxTraceMeta, maxTraceMeta)
	o.list("assessments", len(t.Assessments), func(i int) { o.item(func() { t.Assessments[i].write(o, t.id) }) })
	writeMap(o, "tags", t.Tags, maxTraceKey, maxTraceValue)
}

// writeMap writes tags as a map, cut to a length.
func writeMap(o *out, name string, list []Tag, maxKey, maxValue int) {
	if len(list) == 0 {
		return
	}
	o.object(name, func() {
		for _, t := range list {
			o.comma()
			o.b = appendString(o.b, py.Truncate(t.Key, maxKey))
			o.b = append(o.b, ':')
			o.b = appendString(o.b, py.Truncate(t.Value, maxValue))
		}
	})
}

// writeOld writes the trace's info as it was before MLflow 3.
func (t *trace) writeOld(o *out) {
	o.str("request_id", t.id)
	o.str("experiment_id", strconv.FormatInt(t.experiment, 10))
	o.int("timestamp_ms", t.time)
	var duration int64
	if t.Duration != nil {
		duration = *t.Duration
	}
	o.int("execution_time_ms", duration)
	state := traceStates[t.State]
	if t.State == stateUnknown {
		state = "TRACE_STATUS_UNSPECIFIED"
	}
	o.str("status", state)
	writeTags(o, "request_metadata", cut(t.Metadata, maxTraceMeta, maxTraceMeta))
	writeTags(o, "tags", cut(t.Tags, maxTraceKey, maxTraceValue))
}

func cut(list []Tag, maxKey, maxValue int) []Tag {
	short := make([]Tag, len(list))
	for i, t := range list {
		short[i] = Tag{py.Truncate(t.Key, maxKey), py.Truncate(t.Value, maxValue)}
	}
	return short
}

// timestamp is a time as protobuf has it in JSON.
func timestamp(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	if ms%1000 == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000Z")
}

// seconds is a duration as protobuf has it in JSON.
func seconds(ms int64) string {
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	s := sign + strconv.FormatInt(ms/1000, 10)
	if ms%1000 != 0 {
		s += "." + strconv.FormatInt(1000+ms%1000, 10)[1:]
	}
	return s + "s"
}

// setMetadata merges metadata. Usage and cost are kept as MLflow shows them.
func (t *trace) setMetadata(list []Tag) error {
	for _, m := range list {
		switch m.Key {
		case metaSession:
			if err := tooLong("Session ID", maxTraceMeta, m.Value); err != nil {
				return err
			}
		case metaUsage, metaCost:
			v, err := request.Parse([]byte(m.Value))
			o, ok := v.(*request.Object)
			if err != nil || !ok {
				continue
			}
			t.addTotals(m.Key, o)
			continue
		}
		t.Metadata = setTagOf(t.Metadata, m)
	}
	return nil
}

// totals are the keys of usage and of cost, in order.
var totals = map[string][]string{
	metaUsage: {"input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr"},
	metaCost:  {"input_cost", "output_cost", "total_cost"},
}

// addTotals sets what an object has of the usage or the cost.
func (t *trace) addTotals(key string, o *request.Object) {
	had := &request.Object{}
	if text, ok := tagValue(t.Metadata, key).(string); ok {
		if v, err := request.Parse([]byte(text)); err == nil {
			had, _ = v.(*request.Object)
		}
	}
	sum := &request.Object{}
	for _, name := range totals[key] {
		v, ok := total(key, o.Values[name])
		if !ok {
			v, ok = total(key, had.Values[name])
		}
		if ok {
			sum.Set(name, v)
		}
	}
	if len(sum.Keys) > 0 {
		t.Metadata = setTagOf(t.Metadata, Tag{key, request.Print(sum)})
	}
}

// total is a number of usage or cost.
func total(key string, v any) (any, bool) {
	if s, ok := v.(string); ok {
		if n, ok := py.Int(s); ok {
			v = n
		} else if f, ok := py.Float(s); ok {
			v = f
		}
	}
	f, ok := number(v)
	switch {
	case !ok || f != f || f-f != 0:
		return nil, false
	case key == metaCost:
		return f, true
	case f != float64(int64(f)):
		return nil, false
	}
	return int64(f), true
}

// value is what filters and orders compare, but for spans and assessments.
func (t *trace) value(e search.Entity, key string) any {
	switch e {
	case search.Tag:
		return tagValue(t.Tags, key)
	case search.Metadata:
		return tagValue(t.Metadata, key)
	}
	switch key {
	case "request_id":
		return t.id
	case "timestamp_ms":
		return t.time
	case "execution_time_ms":
		if t.Duration == nil {
			return nil
		}
		return *t.Duration
	case "end_time_ms":
		if t.Duration == nil {
			return t.time
		}
		return t.time + *t.Duration
	case "status":
		return traceStates[t.State]
	case "client_request_id":
		if t.Client == nil {
			return nil
		}
		return *t.Client
	case "experiment_id":
		return t.experiment
	}
	return nil
}

// checkTraceTag refuses tags that no trace can have, and cuts the value.
func checkTraceTag(t Tag) (Tag, error) {
	if err := checkName(t.Key, "key"); err != nil {
		return t, err
	}
	if err := tooLong("key", maxKey, t.Key); err != nil {
		return t, err
	}
	t.Value = py.Truncate(t.Value, maxTagValue)
	if t.Key == search.TraceName {
		return t, tooLong("Trace name", maxTraceValue, t.Value)
	}
	return t, nil
}

// ownTag refuses the tags that only the service sets.
func ownTag(key, operation string) error {
	switch {
	case key == tagSpansAt, key == tagArchiveAt, key == tagArchiveFailed && operation == "set":
		return invalidf("Tag '%s' is immutable and cannot be %s on a trace.", key, operation)
	}
	return nil
}

// preview is the beginning of what a trace got or gave: of messages, the last one
// of a role.
func preview(text, role string) string {
	const limit = 1000
	content := ""
	if v, err := request.Parse([]byte(text)); err == nil {
		if list := messagesOf(v); len(list) > 0 {
			last := list[len(list)-1]
			for i := len(list) - 1; i >= 0; i-- {
				if list[i].Values["role"] == role {
					last = list[i]
					break
				}
			}
			content = messageText(last)
		}
	}
	if content == "" {
		content = text
	}
	if py.Len(content) <= limit {
		return content
	}
	return py.Truncate(content, limit-3) + "..."
}

func messagesOf(v any) []*request.Object {
	o, ok := v.(*request.Object)
	if !ok {
		return nil
	}
	all := func(v any) (list []*request.Object) {
		items, _ := v.([]any)
		for _, item := range items {
			if m, ok := item.(*request.Object); ok && m.Values["role"] != nil && m.Values["content"] != nil {
				list = append(list, m)
			}
		}
		return list
	}
	for _, key := range []string{"messages", "input", "output"} {
		if items, ok := o.Values[key].([]any); ok && len(items) > 0 {
			return all(items)
		}
		if choices, ok := o.Values["choices"].([]any); key == "messages" && ok && len(choices) > 0 {
			if choice, ok := choices[0].(*request.Object); ok {
				if list := all([]any{choice.Values["message"]}); len(list) > 0 {
					return list
				}
			}
		}
	}
	return messagesOf(o.Values["request"])
}

func messageText(m *request.Object) string {
	switch content := m.Values["content"].(type) {
	case string:
		return content
	case []any:
		for _, part := range content {
			switch part := part.(type) {
			case string:
				return part
			case *request.Object:
				if kind := part.Values["type"]; kind == "text" || kind == "output_text" {
					s, _ := part.Values["text"].(string)
					return s
				}
			}
		}
	}
	return ""
}

// traceName is the name of a trace for its tag, checked.
func traceName(list []Tag) error {
	name, _ := tagValue(list, search.TraceName).(string)
	return tooLong("Trace name", maxTraceValue, name)
}

// artifactsOf is the artifact path of a trace's files.
func (t *trace) artifactsOf() (string, bool) {
	uri, _ := tagValue(t.Tags, tagArtifactsAt).(string)
	p, ok := proxied(uri)
	return strings.Trim(p, "/"), ok
}
