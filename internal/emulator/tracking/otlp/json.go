package otlp

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// JSON reads an export request as the protocol has it in JSON.
func JSON(b []byte) (spans []*Span, found bool, err error) {
	v, err := request.Parse(b)
	o, ok := v.(*request.Object)
	if err != nil || !ok {
		return nil, false, ErrFormat
	}
	r := &reader{}
	for _, rs := range r.list(o, "resourceSpans", "resource_spans") {
		found = true
		resource := r.attributes(r.object(get(rs, "resource")))
		for _, ss := range r.list(rs, "scopeSpans", "scope_spans") {
			for _, s := range r.list(ss, "spans") {
				span := r.span(s)
				span.Resource = resource
				spans = append(spans, span)
			}
		}
	}
	if r.bad {
		return nil, found, ErrFormat
	}
	return spans, found, checkAll(spans)
}

// reader reads JSON and remembers that something was not what it should be.
type reader struct{ bad bool }

// get is a member by one of its names.
func get(o *request.Object, names ...string) any {
	for _, n := range names {
		if v, ok := o.Values[n]; ok {
			return v
		}
	}
	return nil
}

func (r *reader) object(v any) *request.Object {
	o, ok := v.(*request.Object)
	if !ok {
		r.bad = r.bad || v != nil
		return &request.Object{}
	}
	return o
}

func (r *reader) list(o *request.Object, names ...string) (all []*request.Object) {
	v := get(o, names...)
	list, ok := v.([]any)
	r.bad = r.bad || !ok && v != nil
	for _, item := range list {
		sub, ok := item.(*request.Object)
		if !ok {
			r.bad = true
			continue
		}
		all = append(all, sub)
	}
	return all
}

func (r *reader) text(v any) string {
	s, ok := v.(string)
	r.bad = r.bad || !ok && v != nil
	return s
}

func (r *reader) id(v any) []byte {
	b, err := hex.DecodeString(r.text(v))
	r.bad = r.bad || err != nil
	return b
}

// number reads what may be a text too.
func (r *reader) number(v any) uint64 {
	switch v := v.(type) {
	case nil:
		return 0
	case int64:
		if v >= 0 {
			return uint64(v)
		}
	case string:
		if n, ok := py.Int(v); ok && n >= 0 {
			return uint64(n)
		}
	}
	r.bad = true
	return 0
}

func (r *reader) span(o *request.Object) *Span {
	s := &Span{Trace: r.id(get(o, "traceId")), ID: r.id(get(o, "spanId")), Parent: r.id(get(o, "parentSpanId")), Name: r.text(get(o, "name")),
		Start: r.number(get(o, "startTimeUnixNano", "start_time_unix_nano")), End: r.number(get(o, "endTimeUnixNano", "end_time_unix_nano")), Attributes: r.attributes(o)}
	status := r.object(get(o, "status"))
	s.Message = r.text(get(status, "message"))
	switch code := get(status, "code").(type) {
	case nil:
	case int64:
		s.Status = code
	case string:
		s.Status = map[string]int64{"STATUS_CODE_OK": OK, "STATUS_CODE_ERROR": Error}[code]
	default:
		r.bad = true
	}
	for _, e := range r.list(o, "events") {
		s.Events = append(s.Events, Event{Name: r.text(get(e, "name")), Time: r.number(get(e, "timeUnixNano", "time_unix_nano")), Attributes: r.attributes(e)})
	}
	for _, l := range r.list(o, "links") {
		link := Link{Attributes: r.attributes(l)}
		var err error
		for name, id := range map[string]*[]byte{"traceId": &link.Trace, "spanId": &link.ID} {
			// Ids of links are base64, as of all bytes; but hexadecimal ones are common.
			text := r.text(get(l, name))
			if *id, err = hex.DecodeString(text); err != nil {
				*id, err = base64.StdEncoding.DecodeString(text)
			}
			r.bad = r.bad || err != nil
		}
		s.Links = append(s.Links, link)
	}
	return s
}

func (r *reader) attributes(o *request.Object) *request.Object {
	all := &request.Object{}
	for _, kv := range r.list(o, "attributes") {
		all.Set(r.text(get(kv, "key")), r.value(get(kv, "value"), 0))
	}
	return all
}

func (r *reader) value(v any, depth int) any {
	o := r.object(v)
	if depth > maxDepth {
		r.bad = true
		return nil
	}
	for _, key := range o.Keys {
		v := o.Values[key]
		switch key {
		case "stringValue", "string_value", "bytesValue", "bytes_value":
			return r.text(v)
		case "boolValue", "bool_value":
			b, ok := v.(bool)
			r.bad = r.bad || !ok
			return b
		case "intValue", "int_value":
			switch v := v.(type) {
			case int64:
				return v
			case string:
				if n, ok := py.Int(v); ok {
					return n
				}
			}
			r.bad = true
		case "doubleValue", "double_value":
			switch v := v.(type) {
			case float64:
				return v
			case int64:
				return float64(v)
			case string:
				if f, ok := py.Float(v); ok {
					return f
				}
			}
			r.bad = true
		case "arrayValue", "array_value":
			list := []any{}
			for _, item := range r.list(r.object(v), "values") {
				list = append(list, r.value(item, depth+1))
			}
			return list
		case "kvlistValue", "kvlist_value":
			sub := &request.Object{}
			for _, kv := range r.list(r.object(v), "values") {
				sub.Set(r.text(get(kv, "key")), r.value(get(kv, "value"), depth+1))
			}
			return sub
		}
	}
	return nil
}
