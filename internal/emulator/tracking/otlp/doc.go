// Package otlp reads spans of OpenTelemetry's protocol, in protobuf and in JSON, and
// writes them as MLflow keeps and shows them.
package otlp

import (
	"errors"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// ErrFormat says that a body is no export request.
var ErrFormat = errors.New("Invalid OpenTelemetry format")

// ErrSpan says that a span has no proper ids.
var ErrSpan = errors.New("Cannot convert OpenTelemetry span to MLflow span")

// Codes of a span's status.
const (
	Unset = 0
	OK    = 1
	Error = 2
)

// Span is a span as it was received. Times are in nanoseconds since 1970.
type Span struct {
	Trace, ID, Parent []byte
	Name              string
	Start, End        uint64
	Status            int64
	Message           string
	Attributes        *request.Object
	Events            []Event
	Links             []Link
	Resource          *request.Object // of the process that it is from
}

// Event is something that happened in a span.
type Event struct {
	Name       string
	Time       uint64
	Attributes *request.Object
}

// Link leads to another span.
type Link struct {
	Trace, ID  []byte
	Attributes *request.Object
}

// check fills ids up and refuses those that are none.
func (s *Span) check() error {
	for _, id := range []struct {
		bytes    *[]byte
		size     int
		required bool
	}{{&s.Trace, 16, true}, {&s.ID, 8, true}, {&s.Parent, 8, false}} {
		b := *id.bytes
		if len(b) == 0 && !id.required {
			continue
		}
		for len(b) > id.size && b[0] == 0 {
			b = b[1:]
		}
		if len(b) == 0 || len(b) > id.size {
			return ErrSpan
		}
		*id.bytes = append(make([]byte, id.size-len(b)), b...)
	}
	return nil
}
