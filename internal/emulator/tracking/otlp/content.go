package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// requestID is the attribute that names a span's trace.
const requestID = "mlflow.traceRequestId"

var codes = []string{"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"}

// TraceID is the id that MLflow has for the span's trace.
func (s *Span) TraceID() string { return "tr-" + hex.EncodeToString(s.Trace) }

// SpanID is the span's id in hexadecimal.
func (s *Span) SpanID() string { return hex.EncodeToString(s.ID) }

// ParentID is the parent's id in hexadecimal, "" for a root.
func (s *Span) ParentID() string { return hex.EncodeToString(s.Parent) }

// Content is the span as MLflow stores it: its values are JSON in JSON.
func (s *Span) Content() *request.Object {
	o := &request.Object{}
	o.Set("trace_id", base64.StdEncoding.EncodeToString(s.Trace))
	o.Set("span_id", base64.StdEncoding.EncodeToString(s.ID))
	o.Set("parent_span_id", nil)
	if len(s.Parent) > 0 {
		o.Set("parent_span_id", base64.StdEncoding.EncodeToString(s.Parent))
	}
	o.Set("name", s.Name)
	o.Set("start_time_unix_nano", nanos(s.Start))
	o.Set("end_time_unix_nano", nanos(s.End))
	events := []any{}
	for _, e := range s.Events {
		item := &request.Object{}
		item.Set("name", e.Name)
		item.Set("time_unix_nano", nanos(e.Time))
		item.Set("attributes", e.Attributes)
		events = append(events, item)
	}
	o.Set("events", events)
	status := &request.Object{}
	status.Set("code", codes[0])
	status.Set("message", "")
	switch s.Status {
	case OK:
		status.Set("code", codes[OK])
	case Error:
		status.Set("code", codes[Error])
		status.Set("message", s.Message)
	}
	o.Set("status", status)
	attributes := &request.Object{}
	for _, key := range s.Attributes.Keys {
		attributes.Set(key, encoded(s.Attributes.Values[key]))
	}
	attributes.Set(requestID, request.PrintText(s.TraceID()))
	o.Set("attributes", attributes)
	links := []any{}
	for _, l := range s.Links {
		item := &request.Object{}
		item.Set("trace_id", "tr-"+hex.EncodeToString(l.Trace))
		item.Set("span_id", hex.EncodeToString(l.ID))
		item.Set("attributes", l.Attributes)
		links = append(links, item)
	}
	o.Set("links", links)
	return o
}

// encoded is an attribute's value as JSON. A text that is JSON already, of a text, a
// list or an object, is one that the client has encoded.
func encoded(v any) string {
	if text, ok := v.(string); ok {
		inner, err := request.Parse([]byte(text))
		switch inner.(type) {
		case string, []any, *request.Object:
			if err == nil {
				return text
			}
		}
	}
	return request.PrintText(v)
}

// nanos is a time, or the greatest one.
func nanos(t uint64) int64 { return int64(min(t, math.MaxInt64)) }

// Shown is a stored span as OpenTelemetry's protobuf has it in JSON, with
// protobuf's names.
func Shown(content *request.Object) *request.Object {
	o := &request.Object{}
	set := func(into *request.Object, key string, v any) {
		if v != nil && v != "" && v != int64(0) {
			into.Set(key, v)
		}
	}
	for _, key := range []string{"trace_id", "span_id", "parent_span_id", "name", "start_time_unix_nano", "end_time_unix_nano"} {
		set(o, key, content.Values[key])
	}
	attributes, _ := content.Values["attributes"].(*request.Object)
	loaded := &request.Object{}
	if attributes != nil {
		for _, key := range attributes.Keys {
			text, _ := attributes.Values[key].(string)
			v, err := request.Parse([]byte(text))
			if err != nil {
				v = text
			}
			loaded.Set(key, v)
		}
	}
	pairs(o, loaded)
	events, _ := content.Values["events"].([]any)
	var shown []any
	for _, e := range events {
		if event, ok := e.(*request.Object); ok {
			item := &request.Object{}
			set(item, "time_unix_nano", event.Values["time_unix_nano"])
			set(item, "name", event.Values["name"])
			list, _ := event.Values["attributes"].(*request.Object)
			pairs(item, list)
			shown = append(shown, item)
		}
	}
	if shown != nil {
		o.Set("events", shown)
	}
	if links := shownLinks(content); links != nil {
		o.Set("links", links)
	}
	status := &request.Object{}
	if had, ok := content.Values["status"].(*request.Object); ok {
		set(status, "message", had.Values["message"])
		if code := had.Values["code"]; code != codes[0] {
			set(status, "code", code)
		}
	}
	o.Set("status", status)
	return o
}

func shownLinks(content *request.Object) (shown []any) {
	links, _ := content.Values["links"].([]any)
	for _, l := range links {
		link, ok := l.(*request.Object)
		if !ok {
			continue
		}
		trace, _ := link.Values["trace_id"].(string)
		span, _ := link.Values["span_id"].(string)
		a, errA := hex.DecodeString(strings.TrimPrefix(trace, "tr-"))
		b, errB := hex.DecodeString(span)
		if errA != nil || errB != nil || len(a) > 16 || len(b) > 8 {
			continue
		}
		item := &request.Object{}
		item.Set("trace_id", base64.StdEncoding.EncodeToString(append(make([]byte, 16-len(a)), a...)))
		item.Set("span_id", base64.StdEncoding.EncodeToString(append(make([]byte, 8-len(b)), b...)))
		list, _ := link.Values["attributes"].(*request.Object)
		pairs(item, list)
		shown = append(shown, item)
	}
	return shown
}

// pairs sets the attributes of an object as a list, if there are any.
func pairs(o, attributes *request.Object) {
	if attributes == nil || len(attributes.Keys) == 0 {
		return
	}
	var list []any
	for _, key := range attributes.Keys {
		list = append(list, pair(key, attributes.Values[key]))
	}
	o.Set("attributes", list)
}

func pair(key string, v any) *request.Object {
	kv := &request.Object{}
	kv.Set("key", key)
	if v != nil {
		kv.Set("value", anyValue(v))
	}
	return kv
}

// anyValue is a value with its type told.
func anyValue(v any) *request.Object {
	o := &request.Object{}
	switch v := v.(type) {
	case bool:
		o.Set("bool_value", v)
	case string:
		o.Set("string_value", v)
	case int64:
		o.Set("int_value", v)
	case request.Big:
		o.Set("string_value", string(v))
	case float64:
		switch {
		case math.IsNaN(v):
			o.Set("double_value", "NaN")
		case math.IsInf(v, 0):
			o.Set("double_value", strings.Replace(strconv.FormatFloat(v, 'g', -1, 64), "+", "", 1)+"inity")
		default:
			o.Set("double_value", v)
		}
	case []any:
		list := &request.Object{}
		var items []any
		for _, item := range v {
			items = append(items, anyValue(item))
		}
		if items != nil {
			list.Set("values", items)
		}
		o.Set("array_value", list)
	case *request.Object:
		list := &request.Object{}
		var items []any
		for _, key := range v.Keys {
			items = append(items, pair(key, v.Values[key]))
		}
		if items != nil {
			list.Set("values", items)
		}
		o.Set("kvlist_value", list)
	}
	return o
}
