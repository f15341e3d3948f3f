package serving

import (
	"bytes"
	"math/rand/v2"
	"net/http"

	"github.com/google/uuid"
)

// maxRecorded is the largest answer that is collected, in bytes; requests are bounded by maxBody.
const maxRecorded = 32 << 20

// record collects a scoring call: the request at once, and what is written to the answer when collected is called.
func (d *deployment) record(w http.ResponseWriter, r *http.Request, body []byte) (answer http.ResponseWriter, collected func()) {
	s := d.sink
	if s == nil || r.Method == http.MethodGet || r.Method == http.MethodHead || !s.enter() {
		return w, func() {}
	}
	id := ""
	for _, v := range []string{r.Header.Get("X-Request-Id"), r.Header.Get("X-Ms-Client-Request-Id"), r.Header.Get("X-Ms-Request-Id"), w.Header().Get("X-Ms-Request-Id"), uuid.NewString()} {
		if id = v; id != "" {
			break
		}
	}
	if r.Header.Get("X-Request-Id") == "" { // what the program collects of this call has the same id
		r.Header.Set("X-Request-Id", id)
	}
	chance := rand.Float64() // one for both: a request that is kept has its response
	describe := func(e *event, h http.Header) {
		e.add("correlationid", id)
		e.add("xrequestid", id)
		for _, name := range s.headers {
			if v := h.Get(name); v != "" {
				e.add(attributeName(name), v)
			}
		}
		s.add(e)
	}
	wanted := func(name string) *collection {
		if c := s.collections[name]; c != nil && chance < c.rate {
			return c
		}
		return nil
	}
	if c := wanted(requests); c != nil {
		e := newEvent(c, s.clock(), r.Header.Get("Content-Type"), body)
		e.add("path", r.URL.RequestURI())
		e.add("method", r.Method)
		describe(e, r.Header)
	}
	rows := func(c *collection, of func([]byte) ([]byte, error), body []byte) {
		e := newEvent(c, s.clock(), "application/json", body)
		e.rows = of
		e.add("collectdatatype", "pandas.core.frame.DataFrame")
		describe(e, nil)
	}
	ins, outs := wanted(modelInputs), wanted(modelOutputs)
	if !d.plan.mlflow { // its program collects them
		ins, outs = nil, nil
	}
	c := wanted(responses)
	if c == nil && ins == nil && outs == nil {
		return w, s.leave
	}
	kept := &recorded{ResponseWriter: w}
	return kept, func() {
		defer s.leave()
		if kept.over {
			s.log.line("data collector: a response of more than %d bytes is not kept", maxRecorded)
			return
		}
		if c != nil {
			describe(newEvent(c, s.clock(), w.Header().Get("Content-Type"), kept.body.Bytes()), w.Header())
		}
		if kept.status >= 300 { // the model has not scored
			return
		}
		if ins != nil {
			rows(ins, inputRows, body)
		}
		if outs != nil {
			rows(outs, outputRows, kept.body.Bytes())
		}
	}
}

// recorded keeps a copy of an answer.
type recorded struct {
	http.ResponseWriter
	body   bytes.Buffer
	over   bool
	status int
}

func (r *recorded) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorded) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	if r.over = r.over || r.body.Len()+n > maxRecorded; !r.over {
		r.body.Write(b[:n])
	}
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorded) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// nobody takes the answer to a mirrored request.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(b []byte) (int, error) { return len(b), nil }
func (n *nobody) WriteHeader(int)             {}
