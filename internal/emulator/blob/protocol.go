package blob

import (
	"context"
	"net/http"
	"strings"
)

// Protocol is one of the protocols by which the same contents are reached.
type Protocol string

// The protocols. A request whose address does not tell which is meant is told by
// what it asks: the three have few requests in common, and those do the same.
const (
	Blobs Protocol = "blob"
	Lake  Protocol = "dfs"
	Files Protocol = "file"
)

type protocolKey struct{}

// WithProtocol marks a request's context with the protocol that its host speaks.
func WithProtocol(ctx context.Context, p Protocol) context.Context {
	return context.WithValue(ctx, protocolKey{}, p)
}

// spoken finds out which protocol a request speaks.
func (q *request) spoken() Protocol {
	if p, ok := q.Context().Value(protocolKey{}).(Protocol); ok {
		return p
	}
	switch {
	case q.speaksLake():
		return Lake
	case q.speaksFiles():
		return Files
	}
	return Blobs
}

// choose finds the operation that is asked for.
func (q *request) choose() (operation, bool) {
	switch q.protocol {
	case Lake:
		q.blob = strings.Trim(q.blob, "/")
		op, ok := lakeOperations[lakeRoute{q.level(), q.Method, q.lakeWhat()}]
		if !ok { // what lake clients ask of blobs they may ask here
			op, ok = operations[q.route()]
		}
		return op, ok
	case Files:
		q.blob = strings.Trim(q.blob, "/")
		op, ok := fileOperations[q.route()]
		return op, ok
	}
	op, ok := operations[q.route()]
	return op, ok
}

func (q *request) level() level {
	switch {
	case q.blob != "":
		return blobLevel
	case q.container != "":
		return containerLevel
	}
	return serviceLevel
}

// answer sends an error in the protocol's form.
func (q *request) answer(e *Error, w http.ResponseWriter, r *http.Request) {
	e.drain(w, r)
	switch q.protocol {
	case Lake:
		e.writeLake(w, r)
	case Files:
		e.writeFiles(w, r, q.s.now())
	default:
		e.write(w, r, q.s.now())
	}
}

// secure reports whether the request came by https.
func (q *request) secure() bool { return q.TLS != nil || q.URL.Scheme == "https" }
