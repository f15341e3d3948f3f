package blob

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// protocolVersion answers requests that name none.
const protocolVersion = "2025-11-05"

var versionForm = regexp.MustCompile(`^20\d\d-\d\d-\d\d$`)

// request is one request on its way.
type request struct {
	*http.Request
	s *Service
	w http.ResponseWriter
	address
	protocol Protocol
	op       operation
	query    query
	grant    grant
}

// ServeHTTP serves the blob service's REST protocol at /ACCOUNT/CONTAINER/BLOB.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Ms-Request-Id", requestID())
	h.Set("X-Ms-Version", protocolVersion)
	if id := r.Header.Get("X-Ms-Client-Request-Id"); id != "" && len(id) <= 1024 {
		h.Set("X-Ms-Client-Request-Id", id)
	}
	q := &request{Request: r, s: s, w: w}
	err := q.run()
	if err == nil {
		return
	}
	e := failure(err)
	switch {
	case e == errNoSpace:
		s.log.Error("blob: the disk is full", "operation", q.op.name, "blob", q.address.String(), "error", err)
	case e.Status != http.StatusInternalServerError:
	case r.Context().Err() != nil: // the client went away
		s.log.Debug("blob: request ended", "operation", q.op.name, "error", err)
	default:
		s.log.Error("blob: request failed", "operation", q.op.name, "blob", q.address.String(), "error", err)
	}
	q.answer(e, w, r)
}

// drained is how much of a refused request's body is read.
const drained = 64 << 20

// requestID makes an id for logs; it need not be hard to guess.
func requestID() string {
	var id uuid.UUID
	a, b := rand.Uint64(), rand.Uint64()
	for i := range 8 {
		id[i], id[8+i] = byte(a>>(8*i)), byte(b>>(8*i))
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}

// run finds the operation, checks that it is permitted, and does it.
func (q *request) run() error {
	if v := q.Header.Get("X-Ms-Version"); v != "" {
		if !versionForm.MatchString(v) {
			return invalidHeader("x-ms-version", v)
		}
		q.w.Header().Set("X-Ms-Version", v)
	}
	var err error
	if q.query, err = parseQuery(q.URL.RawQuery); err != nil {
		return err
	}
	if q.address, err = parsePath(q.URL.EscapedPath()); err != nil {
		return err
	}
	q.protocol = q.spoken()
	op, ok := q.choose()
	if !ok {
		return q.unknown()
	}
	q.op = op
	if q.grant, err = q.authorize(); err != nil {
		return err
	}
	if op.serve == nil {
		return refused(op.name)
	}
	if err := q.supported(); err != nil {
		return err
	}
	return op.serve(q)
}

func (q *request) route() route {
	return route{level: q.level(), method: q.Method, restype: q.query.get("restype"), comp: q.query.get("comp")}
}

// unknown refuses a request that is no operation. Who is nobody is not told more.
func (q *request) unknown() error {
	if _, err := q.authorize(); err != nil {
		return err
	}
	if c := q.query.get("comp"); c != "" {
		return invalidParameter("comp", c)
	}
	if q.Method == http.MethodGet || q.Method == http.MethodHead {
		return fault(404, "ResourceNotFound", "The specified resource does not exist.")
	}
	return fault(405, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")
}

// supported refuses what headers and parameters ask for and is not there.
func (q *request) supported() error {
	for name := range q.Header {
		if what, ok := unsupportedHeaders[name]; ok && q.Header.Get(name) != "" && q.Header.Get(name) != "false" {
			return refused(what)
		}
	}
	if q.Header.Get("X-Ms-Lease-Id") != "" {
		return fault(412, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob.")
	}
	if q.query.get("snapshot") != "" {
		return refused("Reading or changing a snapshot")
	}
	if q.query.get("sharesnapshot") != "" {
		return refused("Reading or changing a snapshot of a share")
	}
	if q.query.get("versionid") != "" {
		return refused("Reading or changing a version")
	}
	return nil
}

// parsePath reads /ACCOUNT/CONTAINER/BLOB from an escaped path. What is not given
// is empty; a slash after the container does not make a blob.
func parsePath(escaped string) (a address, err error) {
	parts := strings.SplitN(strings.TrimPrefix(escaped, "/"), "/", 3)
	for i, to := range []*string{&a.account, &a.container, &a.blob} {
		if i == len(parts) {
			break
		}
		if *to, err = url.PathUnescape(parts[i]); err != nil {
			return address{}, errURI
		}
	}
	if a.account == "" || a.container == "" && a.blob != "" {
		return address{}, errURI
	}
	if a.blob != "" {
		if err := checkBlobName(a.blob); err != nil {
			return address{}, err
		}
	}
	return a, nil
}

// query is a request's parameters.
type query map[string]string

func (q query) get(name string) string { return q[name] }

// parseQuery reads parameters; of one that is given twice the first counts.
func parseQuery(raw string) (query, error) {
	q := query{}
	for raw != "" {
		var one string
		one, raw, _ = strings.Cut(raw, "&")
		if one == "" {
			continue
		}
		name, value, err := parameter(one)
		if err != nil {
			return nil, errURI
		}
		if _, ok := q[name]; !ok {
			q[name] = value
		}
	}
	return q, nil
}

// parameter reads NAME=VALUE. A plus is a space, except in what is base64: many
// paste a signature without escaping it.
func parameter(text string) (name, value string, err error) {
	name, value, _ = strings.Cut(text, "=")
	if name, err = url.QueryUnescape(name); err != nil {
		return "", "", err
	}
	name = strings.ToLower(name)
	if name == "sig" || name == "blockid" {
		value, err = url.PathUnescape(value)
	} else {
		value, err = url.QueryUnescape(value)
	}
	return name, value, err
}

// written answers a write that made a new state.
func (q *request) written(status int, r *record) {
	q.stamp(r.ETag, r.Modified)
	q.w.Header().Set("X-Ms-Request-Server-Encrypted", "true")
	q.w.Header().Set("Content-Length", "0")
	q.w.WriteHeader(status)
}

// stamp gives the answer a state's ETag and time.
func (q *request) stamp(etag string, modified time.Time) {
	q.w.Header().Set("ETag", etag)
	q.w.Header().Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
}

// empty answers without a body.
func (q *request) empty(status int) {
	q.w.Header().Set("Content-Length", "0")
	q.w.WriteHeader(status)
}

// missing reports whether an error says that there is no such thing.
func missing(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, fs.ErrNotExist)
}
