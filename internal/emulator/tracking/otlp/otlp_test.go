package otlp

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"testing"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/stretchr/testify/require"
)

// message builds protobuf: each part is one field.
func message(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func tag(n, wire uint64) []byte { return binary.AppendUvarint(nil, n<<3|wire) }

func bytesField(n uint64, v []byte) []byte {
	return append(binary.AppendUvarint(tag(n, 2), uint64(len(v))), v...)
}

func textField(n uint64, s string) []byte { return bytesField(n, []byte(s)) }
func varint(n, v uint64) []byte           { return binary.AppendUvarint(tag(n, 0), v) }
func fixed64(n, v uint64) []byte          { return binary.LittleEndian.AppendUint64(tag(n, 1), v) }

func keyValue(n uint64, key string, value []byte) []byte {
	return bytesField(n, message(textField(1, key), bytesField(2, value)))
}

var (
	traceID = []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")
	spanID  = []byte("\x00\x00\x00\x00\x00\x00\x00\x01")
)

// full is an export request with one span that has everything.
func full() []byte {
	span := message(
		bytesField(1, traceID), bytesField(2, spanID), textField(3, "state"), bytesField(4, []byte("\x02")), textField(5, "née"), varint(6, 2),
		fixed64(7, 1_700_000_000_000_000_000), fixed64(8, 1_700_000_001_000_000_000),
		keyValue(9, "s", textField(1, "x\"y")), keyValue(9, "b", varint(2, 1)), keyValue(9, "i", varint(3, math.MaxUint64)), keyValue(9, "d", fixed64(4, math.Float64bits(2.5))),
		keyValue(9, "l", bytesField(5, message(bytesField(1, varint(3, 1)), bytesField(1, textField(1, "two"))))), keyValue(9, "m", bytesField(6, keyValue(1, "k", varint(2, 0)))), keyValue(9, "raw", bytesField(7, []byte{0, 255})), keyValue(9, "nothing", nil),
		varint(10, 3),
		bytesField(11, message(fixed64(1, 5), textField(2, "event"), keyValue(3, "e", varint(3, 7)))),
		bytesField(13, message(bytesField(1, traceID), bytesField(2, spanID), keyValue(4, "l", varint(3, 8)))),
		bytesField(15, message(textField(2, "broken"), varint(3, 2))), append(tag(16, 5), 0, 0, 0, 0))
	resource := message(keyValue(1, "service.name", textField(1, "svc")), varint(2, 0))
	return bytesField(1, message(bytesField(1, resource), bytesField(2, message(bytesField(1, textField(1, "scope")), bytesField(2, span))), textField(3, "schema")))
}

const stored = `{"trace_id": "AAECAwQFBgcICQoLDA0ODw==", "span_id": "AAAAAAAAAAE=", "parent_span_id": "AAAAAAAAAAI=", "name": "née", "start_time_unix_nano": 1700000000000000000, "end_time_unix_nano": 1700000001000000000, ` +
	`"events": [{"name": "event", "time_unix_nano": 5, "attributes": {"e": 7}}], "status": {"code": "STATUS_CODE_ERROR", "message": "broken"}, ` +
	`"attributes": {"s": "\"x\\\"y\"", "b": "true", "i": "-1", "d": "2.5", "l": "[1, \"two\"]", "m": "{\"k\": false}", "raw": "\"AP8=\"", "nothing": "null", "mlflow.traceRequestId": "\"tr-000102030405060708090a0b0c0d0e0f\""}, ` +
	`"links": [{"trace_id": "tr-000102030405060708090a0b0c0d0e0f", "span_id": "0000000000000001", "attributes": {"l": 8}}]}`

const shown = `{"trace_id": "AAECAwQFBgcICQoLDA0ODw==", "span_id": "AAAAAAAAAAE=", "parent_span_id": "AAAAAAAAAAI=", "name": "née", "start_time_unix_nano": 1700000000000000000, "end_time_unix_nano": 1700000001000000000, ` +
	`"attributes": [{"key": "s", "value": {"string_value": "x\"y"}}, {"key": "b", "value": {"bool_value": true}}, {"key": "i", "value": {"int_value": -1}}, {"key": "d", "value": {"double_value": 2.5}}, ` +
	`{"key": "l", "value": {"array_value": {"values": [{"int_value": 1}, {"string_value": "two"}]}}}, {"key": "m", "value": {"kvlist_value": {"values": [{"key": "k", "value": {"bool_value": false}}]}}}, {"key": "raw", "value": {"string_value": "AP8="}}, {"key": "nothing"}, ` +
	`{"key": "mlflow.traceRequestId", "value": {"string_value": "tr-000102030405060708090a0b0c0d0e0f"}}], "events": [{"time_unix_nano": 5, "name": "event", "attributes": [{"key": "e", "value": {"int_value": 7}}]}], ` +
	`"links": [{"trace_id": "AAECAwQFBgcICQoLDA0ODw==", "span_id": "AAAAAAAAAAE=", "attributes": [{"key": "l", "value": {"int_value": 8}}]}], "status": {"message": "broken", "code": "STATUS_CODE_ERROR"}}`

func TestProto(t *testing.T) {
	spans, found, err := Proto(full())
	require.NoError(t, err)
	require.True(t, found)
	require.Len(t, spans, 1)
	require.Equal(t, "svc", spans[0].Resource.Values["service.name"])
	content := spans[0].Content()
	require.Equal(t, stored, request.PrintText(content))
	require.Equal(t, shown, request.PrintText(Shown(content)))
	_, found, err = Proto(nil)
	require.NoError(t, err)
	require.False(t, found)
	for i := range full() { // what is cut off is refused, or another span
		_, _, err := Proto(full()[:i])
		if i > 0 {
			require.Error(t, err, i)
		}
	}
}

func TestJSON(t *testing.T) {
	spans, found, err := JSON([]byte(`{"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "svc"}}]}, "scopeSpans": [{"spans": [{
		"traceId": "000102030405060708090a0b0c0d0e0f", "spanId": "0000000000000001", "parentSpanId": "0000000000000002", "name": "née", "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": 1700000001000000000, "kind": 2,
		"attributes": [{"key": "s", "value": {"stringValue": "x\"y"}}, {"key": "b", "value": {"boolValue": true}}, {"key": "i", "value": {"intValue": "-1"}}, {"key": "d", "value": {"doubleValue": 2.5}}, {"key": "l", "value": {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "two"}]}}},
			{"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": false}}]}}}, {"key": "raw", "value": {"bytesValue": "AP8="}}, {"key": "nothing"}],
		"events": [{"timeUnixNano": "5", "name": "event", "attributes": [{"key": "e", "value": {"intValue": "7"}}]}], "links": [{"traceId": "AAECAwQFBgcICQoLDA0ODw==", "spanId": "0000000000000001", "attributes": [{"key": "l", "value": {"intValue": 8}}]}],
		"status": {"code": "STATUS_CODE_ERROR", "message": "broken"}}]}]}]}`))
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, stored, request.PrintText(spans[0].Content()))
	for in, want := range map[string]error{
		"{": ErrFormat, "[]": ErrFormat, `{"resourceSpans": 5}`: ErrFormat, `{"resourceSpans": [5]}`: ErrFormat, `{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz"}]}]}]}`: ErrFormat,
		`{"resourceSpans": [{"scopeSpans": [{"spans": [{"spanId": "01"}]}]}]}`:                                                               ErrSpan,
		`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "010203040506070809"}]}]}]}`:                              ErrSpan,
		`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "startTimeUnixNano": -1}]}]}]}`:                     ErrFormat,
		`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "attributes": [{"key": 5}]}]}]}]}`:                  ErrFormat,
		`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "status": {"code": []}}]}]}]}`:                      ErrFormat,
		`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "attributes": [{"value": {"intValue": []}}]}]}]}]}`: ErrFormat,
	} {
		_, _, err := JSON([]byte(in))
		require.Equal(t, want, err, in)
	}
}

func FuzzProto(f *testing.F) {
	f.Add(full())
	f.Fuzz(func(t *testing.T, b []byte) { usable(t, Proto, b) })
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "01", "spanId": "02", "attributes": [{"key": "a", "value": {"arrayValue": {"values": [{"doubleValue": "NaN"}]}}}]}]}]}]}`))
	f.Fuzz(func(t *testing.T, b []byte) { usable(t, JSON, b) })
}

// usable: whatever is read can be stored and shown.
func usable(t *testing.T, read func([]byte) ([]*Span, bool, error), b []byte) {
	spans, _, err := read(b)
	if err != nil {
		return
	}
	for _, s := range spans {
		text := request.PrintText(s.Content())
		v, err := request.Parse([]byte(text))
		require.NoError(t, err)
		_, err = request.Parse([]byte(request.Print(Shown(v.(*request.Object)))))
		require.NoError(t, err)
		_, err = base64.StdEncoding.DecodeString(v.(*request.Object).Values["trace_id"].(string))
		require.NoError(t, err)
	}
}
