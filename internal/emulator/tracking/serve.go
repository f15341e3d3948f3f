package tracking

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// Version is the version of MLflow that the service is compatible with.
const Version = "3.17.2"

// maxBody bounds JSON bodies, in bytes; those of batches have a limit of their own.
const maxBody = 64 << 20

// HandlerOptions are the settings of one way into a workspace.
type HandlerOptions struct {
	// User is the user of runs that are made without one.
	User string
	// RunLimit, when it is set, is the one run that may be written to, with its
	// descendants: the caller has that run's token.
	RunLimit string
	// ArtifactURI makes the artifact URI that runs are shown with, of those whose
	// artifacts the workspace keeps. Defaults to mlflow-artifacts:/….
	ArtifactURI func(experiment, run string) string
}

// Handler serves the workspace's REST API: /api/2.0/…, /api/3.0/…, /ajax-api/…,
// /v1/traces, /get-artifact, /health and /version.
func (s *Store) Handler(ws string, o HandlerOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{Store: s, ws: ws, o: o, w: w, r: r}
		c.serve()
	})
}

// call is one request.
type call struct {
	*Store
	ws   string
	o    HandlerOptions
	w    http.ResponseWriter
	r    *http.Request
	vars []string // what the route's stars stand for
}

func (c *call) ctx() context.Context { return c.r.Context() }

func (c *call) serve() {
	h, err := c.route()
	if err == nil {
		err = h(c)
	}
	if err == nil || c.ctx().Err() != nil && errors.Is(err, c.ctx().Err()) {
		return
	}
	c.fail(err)
}

// fail answers with an error.
func (c *call) fail(err error) {
	if e, ok := errors.AsType[*request.Error](err); ok {
		err = invalidf("%s", e.Message)
	}
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = &Error{Code: InvalidParameter, Status: http.StatusRequestEntityTooLarge, Message: tooLarge(big.Limit)}
	}
	e := asError(err)
	if e.Code == InternalError {
		c.opts.Logger.Error("tracking: a request failed", "method", c.r.Method, "path", c.r.URL.Path, "error", err)
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(e.status())
	c.send(e.body())
}

// send writes an answer's body. A client that is gone needs none.
func (c *call) send(b []byte) { _, _ = c.w.Write(b) }

// answer writes a JSON object with what f writes in it.
func (c *call) answer(f func(o *out)) error {
	o := &out{b: make([]byte, 0, 512)}
	o.b = append(o.b, '{')
	if f != nil {
		f(o)
	}
	o.b = append(o.b, '}')
	c.w.Header().Set("Content-Type", "application/json")
	c.send(o.b)
	return nil
}

// body reads the request's body, up to a limit.
func (c *call) body(limit int64) ([]byte, error) {
	if c.r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	return io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, limit))
}

// typed refuses bodies of POST and PUT that are not said to be JSON.
func (c *call) typed() error {
	if c.r.Method != http.MethodPost && c.r.Method != http.MethodPut {
		return nil
	}
	ct, ok := c.r.Header["Content-Type"]
	if !ok {
		return invalidf("Bad Request. Content-Type header is missing.")
	}
	if media, _, _ := strings.Cut(ct[0], ";"); media != "application/json" {
		return invalidf("Bad Request. Content-Type must be one of ['application/json'].")
	}
	return nil
}

// read reads the request as a message: the query of a GET, else the body.
func (c *call) read(name string, checks ...request.Check) (*request.Message, error) {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		if q := c.r.URL.Query(); len(q) > 0 {
			return request.Query(name, q, checks...)
		}
	}
	if err := c.typed(); err != nil {
		return nil, err
	}
	b, err := c.body(maxBody)
	if err != nil {
		return nil, err
	}
	return request.Body(name, b, checks...)
}

// view reads in one snapshot.
func (c *call) view(f func(tx *sql.Tx, space int64) error) error {
	return c.Store.read(c.ctx(), c.ws, f)
}

// update writes in one transaction.
func (c *call) update(f func(tx *sql.Tx, space int64) error) error {
	return c.Store.write(c.ctx(), c.ws, f)
}

// runID is the run that a message names by one of two fields.
func runID(m *request.Message) string {
	if id := m.Text("run_id"); id != "" {
		return id
	}
	return m.Text("run_uuid")
}

// uri shows a run's artifact URI.
func (c *call) uri(experiment, run, uri string) string {
	if c.o.ArtifactURI != nil && strings.HasPrefix(uri, "mlflow-artifacts:") {
		return c.o.ArtifactURI(experiment, run)
	}
	return uri
}

// writable finds a run that the caller may write to.
func (c *call) writable(tx *sql.Tx, space int64, id string) (*runRow, error) {
	r, err := c.run(tx, space, id)
	if err != nil {
		return nil, err
	}
	if err := c.allowed(tx, space, r); err != nil {
		return nil, err
	}
	return r, mustBeActive(id, r.stage)
}

// maxDepth bounds the generations between a run and the one that a token is for.
const maxDepth = 64

// allowed refuses runs that are not the token's, nor below it.
func (c *call) allowed(tx *sql.Tx, space int64, r *runRow) error {
	if c.o.RunLimit == "" || r.id == c.o.RunLimit {
		return nil
	}
	parent := r.parent
	for range maxDepth {
		if !parent.Valid {
			break
		}
		if parent.String == c.o.RunLimit {
			return nil
		}
		err := tx.QueryRow(`SELECT parent FROM tracking_runs WHERE ws = ? AND run_id = ?`, space, parent.String).Scan(&parent)
		if errors.Is(err, sql.ErrNoRows) {
			break
		}
		if err != nil {
			return err
		}
	}
	return errorf(PermissionDenied, "The token of run '%s' does not allow to write to run '%s'.", c.o.RunLimit, r.id)
}

// unlimited refuses what a run's token does not allow at all.
func (c *call) unlimited(what string) error {
	if c.o.RunLimit != "" {
		return errorf(PermissionDenied, "The token of run '%s' does not allow to %s.", c.o.RunLimit, what)
	}
	return nil
}

func tooLarge(limit int64) string {
	if limit == maxBatchBody {
		return "Batched logging API requests must be at most 1000000 bytes."
	}
	return "The request's body is too large."
}

// page reads a page token: where the page begins.
func page(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	raw, err := decodeToken(token)
	if err != nil {
		return 0, err
	}
	v, err := request.Parse(raw)
	if err != nil {
		return 0, invalidf("Invalid page token, decoded value=%s", py.Bytes(raw))
	}
	o, ok := v.(*request.Object)
	if !ok {
		return 0, invalidf("Invalid page token, parsed value=%s", request.Dumps(v))
	}
	var offset int64
	switch n := o.Values["offset"].(type) {
	case int64:
		offset = n
	case float64:
		offset = int64(n)
	case string:
		if n != "" {
			if offset, ok = py.Int(n); !ok {
				return 0, invalidf("Invalid page token, not stringable %s", n)
			}
		}
	}
	if offset == 0 {
		return 0, invalidf("Invalid page token, parsed value=%s", request.Dumps(v))
	}
	if offset < 0 || offset > 1<<40 {
		return 0, nil // a database takes it for the beginning
	}
	return int(offset), nil
}

// tags reads a list of tags.
func tags(list []*request.Message) []Tag {
	var all []Tag
	for _, m := range list {
		all = append(all, Tag{m.Text("key"), m.Text("value")})
	}
	return all
}

// maxResults refuses sizes of pages that are none.
func maxResults(n int64) error {
	if n < 1 {
		return invalidf("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", n)
	}
	if n > 50000 {
		return invalidf("Invalid value %d for parameter 'max_results' supplied. It must be at most 50000", n)
	}
	return nil
}

// stages are those that a view shows.
func stages(view int64) []string {
	switch view {
	case 2:
		return []string{deleted}
	case 3:
		return []string{active, deleted}
	}
	return []string{active}
}

func inStage(view int64, stage string) bool { return slices.Contains(stages(view), stage) }

// rawJSON encodes what the service itself made.
func rawJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("tracking: " + err.Error()) // structs of strings and numbers always encode
	}
	return b
}
