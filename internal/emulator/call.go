package emulator

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// maxBody is the most bytes of a JSON body; larger ones are refused with 413.
const maxBody = 16 << 20

// call is one request to a route.
type call struct {
	s      *Server
	w      http.ResponseWriter
	r      *http.Request
	rt     *route
	v      map[string]string
	sc     arm.Scope // the workspace in the path, in its own spelling; empty when the path has none
	caller caller
	edge   *edge
	self   string // canonical address of the request without its query
	now    time.Time
	mfe    bool // it came by the management front end
}

func (c *call) ctx() context.Context { return c.r.Context() }

// query reads a parameter without regard to the case of its name.
func (c *call) query(name string) string {
	q := c.r.URL.Query()
	if v, ok := q[name]; ok {
		return v[0]
	}
	for k, v := range q {
		if strings.EqualFold(k, name) {
			return v[0]
		}
	}
	return ""
}

// raw reads the body's bytes.
func (c *call) raw() ([]byte, error) {
	from := http.MaxBytesReader(c.w, c.r.Body, maxBody)
	var b []byte
	var err error
	if n := c.r.ContentLength; n > 0 && n <= maxBody {
		b = make([]byte, n)
		var got int
		got, err = io.ReadFull(from, b)
		b = b[:got]
	} else {
		b, err = io.ReadAll(from)
	}
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &arm.Error{Status: http.StatusRequestEntityTooLarge, Code: "RequestContentTooLarge", Message: "The request content exceeded " + strconv.FormatInt(tooLong.Limit, 10) + " bytes."}
	}
	if err != nil {
		return nil, arm.BadRequest("InvalidRequestContent", "The request content could not be read: %s", err)
	}
	return b, nil
}

// body reads the body as any JSON, with Azure's own addresses; nil when there is none.
func (c *call) body() (any, error) {
	b, err := c.raw()
	if err != nil {
		return nil, err
	}
	return c.decoded(b)
}

func (c *call) decoded(b []byte) (any, error) {
	if len(bytes.TrimSpace(b)) == 0 {
		if c.rt.body {
			return nil, arm.BadRequest("InvalidRequestContent", "The request content is empty; a JSON document is needed.")
		}
		return nil, nil
	}
	v, err := decode(b)
	if err != nil {
		return nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", err)
	}
	if c.edge != nil {
		v = c.edge.in(v)
	}
	return v, nil
}

// document reads the body as a JSON object.
func (c *call) document() (document, error) {
	b, err := c.raw()
	if err != nil {
		return nil, err
	}
	return c.documentOf(b)
}

func (c *call) documentOf(b []byte) (document, error) {
	v, err := c.decoded(b)
	if err != nil {
		return nil, err
	}
	switch m := v.(type) {
	case nil:
		return document{}, nil
	case map[string]any:
		return document(m), nil
	}
	return nil, arm.BadRequest("InvalidRequestContent", "The request content must be a JSON object.")
}

// into reads the body into a struct.
func (c *call) into(p any) error {
	v, err := c.body()
	if err != nil || v == nil {
		return err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, p); err != nil {
		return arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", err)
	}
	return nil
}

// reply answers with a JSON document, whose addresses are rewritten for the caller.
func (c *call) reply(status int, v any) error {
	parts, err := c.parts(v)
	if err != nil {
		return err
	}
	length := 0
	for _, b := range parts {
		length += len(b)
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(length))
	h.Set("Cache-Control", "no-cache")
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		for _, b := range parts {
			_, _ = c.w.Write(b) // the caller has gone: nobody is left to tell
		}
	}
	return nil
}

// empty answers without a body.
func (c *call) empty(status int) error {
	if status != http.StatusNoContent {
		c.w.Header().Set("Content-Length", "0")
	}
	c.w.WriteHeader(status)
	return nil
}

// header sets a header whose value is an address.
func (c *call) header(name, address string) { c.w.Header().Set(name, c.edge.outText(address)) }

// fail writes an error, with its messages' addresses as they are.
func (c *call) fail(err error) {
	e := arm.As(plainly(err))
	if e.Status >= 500 {
		c.s.opts.Logger.Error("request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
	}
	e.Write(c.w)
}

// plainly says a refusal of storage in the words of the resource manager.
func plainly(err error) error {
	if b, ok := errors.AsType[*blob.Error](err); ok && b.Status >= 400 && b.Status < 500 {
		return &arm.Error{Status: b.Status, Code: b.Code, Message: b.Message}
	}
	return err
}

// get reads a document. Errors: store.ErrNotFound.
func (s *Server) get(ctx context.Context, id string) (document, error) {
	var d *store.Document
	err := s.db.View(ctx, func(tx *sql.Tx) (err error) {
		d, err = store.Get(tx, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return read(d)
}

// address makes an absolute canonical address of a path with a query.
func address(host, path string, q url.Values) string {
	u := url.URL{Scheme: "https", Host: host, Path: path, RawQuery: q.Encode()}
	return u.String()
}

func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON document")
	}
	return v, nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
