package otlp

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// maxDepth bounds values inside of values.
const maxDepth = 64

// field is one field of a message.
type field struct {
	number int
	value  uint64 // of numbers
	bytes  []byte // of all else
}

// each calls f for the fields of a message and reports whether it is one.
func each(b []byte, f func(field) bool) bool {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return false
		}
		b = b[n:]
		x := field{number: int(tag >> 3)}
		switch tag & 7 {
		case 0:
			v, n := binary.Uvarint(b)
			if n <= 0 {
				return false
			}
			x.value, b = v, b[n:]
		case 1:
			if len(b) < 8 {
				return false
			}
			x.value, b = binary.LittleEndian.Uint64(b), b[8:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return false
			}
			x.bytes, b = b[n:n+int(size)], b[n+int(size):]
		case 5:
			if len(b) < 4 {
				return false
			}
			x.value, b = uint64(binary.LittleEndian.Uint32(b)), b[4:]
		default:
			return false
		}
		if !f(x) {
			return false
		}
	}
	return true
}

// Proto reads an ExportTraceServiceRequest. When it has no resource spans at all,
// the list is nil and found is false.
func Proto(b []byte) (spans []*Span, found bool, err error) {
	ok := each(b, func(x field) bool {
		if x.number != 1 {
			return true
		}
		found = true
		return resourceSpans(x.bytes, &spans)
	})
	if !ok {
		return nil, found, ErrFormat
	}
	return spans, found, checkAll(spans)
}

func checkAll(spans []*Span) error {
	for _, s := range spans {
		if err := s.check(); err != nil {
			return err
		}
	}
	return nil
}

func resourceSpans(b []byte, spans *[]*Span) bool {
	from := len(*spans)
	resource := &request.Object{}
	ok := each(b, func(x field) bool {
		switch x.number {
		case 1:
			return each(x.bytes, func(x field) bool { return x.number != 1 || attribute(x.bytes, resource, 0) })
		case 2:
			return each(x.bytes, func(x field) bool {
				if x.number != 2 {
					return true
				}
				s := &Span{Attributes: &request.Object{}}
				*spans = append(*spans, s)
				return s.read(x.bytes)
			})
		}
		return true
	})
	for _, s := range (*spans)[from:] {
		s.Resource = resource
	}
	return ok
}

func (s *Span) read(b []byte) bool {
	return each(b, func(x field) bool {
		switch x.number {
		case 1:
			s.Trace = x.bytes
		case 2:
			s.ID = x.bytes
		case 4:
			s.Parent = x.bytes
		case 5:
			s.Name = string(x.bytes)
			return utf8.Valid(x.bytes)
		case 7:
			s.Start = x.value
		case 8:
			s.End = x.value
		case 9:
			return attribute(x.bytes, s.Attributes, 0)
		case 11:
			e := Event{Attributes: &request.Object{}}
			ok := each(x.bytes, func(x field) bool {
				switch x.number {
				case 1:
					e.Time = x.value
				case 2:
					e.Name = string(x.bytes)
					return utf8.Valid(x.bytes)
				case 3:
					return attribute(x.bytes, e.Attributes, 0)
				}
				return true
			})
			s.Events = append(s.Events, e)
			return ok
		case 13:
			l := Link{Attributes: &request.Object{}}
			ok := each(x.bytes, func(x field) bool {
				switch x.number {
				case 1:
					l.Trace = x.bytes
				case 2:
					l.ID = x.bytes
				case 4:
					return attribute(x.bytes, l.Attributes, 0)
				}
				return true
			})
			s.Links = append(s.Links, l)
			return ok
		case 15:
			return each(x.bytes, func(x field) bool {
				switch x.number {
				case 2:
					s.Message = string(x.bytes)
					return utf8.Valid(x.bytes)
				case 3:
					s.Status = int64(x.value)
				}
				return true
			})
		}
		return true
	})
}

// attribute reads a key with its value into an object.
func attribute(b []byte, into *request.Object, depth int) bool {
	var key string
	var v any
	ok := each(b, func(x field) bool {
		switch x.number {
		case 1:
			key = string(x.bytes)
			return utf8.Valid(x.bytes)
		case 2:
			var ok bool
			v, ok = value(x.bytes, depth+1)
			return ok
		}
		return true
	})
	into.Set(key, v)
	return ok
}

// value reads an AnyValue.
func value(b []byte, depth int) (v any, ok bool) {
	if depth > maxDepth {
		return nil, false
	}
	ok = each(b, func(x field) bool {
		switch x.number {
		case 1:
			v = string(x.bytes)
			return utf8.Valid(x.bytes)
		case 2:
			v = x.value != 0
		case 3:
			v = int64(x.value)
		case 4:
			v = math.Float64frombits(x.value)
		case 5:
			list := []any{}
			ok := each(x.bytes, func(x field) bool {
				if x.number != 1 {
					return true
				}
				item, ok := value(x.bytes, depth+1)
				list = append(list, item)
				return ok
			})
			v = list
			return ok
		case 6:
			o := &request.Object{}
			ok := each(x.bytes, func(x field) bool { return x.number != 1 || attribute(x.bytes, o, depth+1) })
			v = o
			return ok
		case 7:
			v = base64.StdEncoding.EncodeToString(x.bytes)
		}
		return true
	})
	return v, ok
}
