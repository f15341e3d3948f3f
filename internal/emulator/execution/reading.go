package execution

import (
	"context"
	"encoding/json"
	"unsafe"
)

// reading is what Check read of a job, for the Submit that follows: a pipeline
// of many steps is read once.
type reading struct {
	raw json.RawMessage
	g   *graph
}

type readingKey struct{}

// WithReading is a context in which Submit takes over what Check read of the
// same properties.
func WithReading(ctx context.Context) context.Context {
	return context.WithValue(ctx, readingKey{}, &reading{})
}

func readingOf(ctx context.Context) *reading {
	r, _ := ctx.Value(readingKey{}).(*reading)
	return r
}

// keep notes a pipeline's graph; those of its nested pipelines come later and
// are left. Nil keeps nothing.
func (r *reading) keep(raw json.RawMessage, g *graph) {
	if r != nil && r.g == nil {
		r.raw, r.g = raw, g
	}
}

// of is the graph of these very properties; nil when it was not read.
func (r *reading) of(raw json.RawMessage) *graph {
	if r == nil || len(raw) == 0 || len(raw) != len(r.raw) || unsafe.SliceData(raw) != unsafe.SliceData(r.raw) {
		return nil
	}
	return r.g
}
