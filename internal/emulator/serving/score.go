package serving

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// DeploymentHeader names a deployment in a request, past the traffic split,
// and in an answer.
const DeploymentHeader = "azureml-model-deployment"

// maxBody is the most that a request may carry; Azure's limit of managed
// endpoints is 1.5 MB for years and 10 MB of late.
const maxBody = 10 << 20

// ServeScore answers a request to an endpoint. The request's path is the one
// inside the endpoint, "/score" above all.
func (h *Host) ServeScore(w http.ResponseWriter, r *http.Request, sc arm.Scope, endpoint string) {
	w.Header().Set("x-ms-request-id", uuid.NewString())
	ep, err := h.Endpoint(r.Context(), sc, endpoint)
	if err != nil {
		plainError(w, arm.As(err).Status, err.Error())
		return
	}
	credential, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || !ep.Authorize(credential) {
		plainError(w, http.StatusUnauthorized, "key_auth_access_denied: the request carries no valid key or token of the endpoint (Authorization: Bearer …)")
		return
	}
	name := r.Header.Get(DeploymentHeader)
	if name == "" {
		if name = choose(ep.Traffic); name == "" {
			plainError(w, http.StatusNotFound, "no deployment of the endpoint has traffic; set traffic or name one in the header "+DeploymentHeader)
			return
		}
	}
	d := h.deployment(sc, endpoint, name)
	if d == nil {
		plainError(w, http.StatusNotFound, "the endpoint has no deployment "+strconv.Quote(name))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			plainError(w, http.StatusRequestEntityTooLarge, "the request is larger than 10 MB")
		}
		return // otherwise the caller has gone
	}
	for copyTo, percent := range ep.Mirror {
		if m := h.deployment(sc, endpoint, copyTo); m != nil && copyTo != name && rand.IntN(100) < percent {
			h.mirror(m, r, body)
		}
	}
	d.serve(w, r, body)
}

func plainError(w http.ResponseWriter, status int, text string) {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	io.WriteString(w, text+"\n") //nolint:errcheck // the caller has gone
}

// choose takes a deployment by its share of the traffic.
func choose(traffic map[string]int) string {
	total := 0
	for _, t := range traffic {
		total += max(t, 0)
	}
	if total == 0 {
		return ""
	}
	at := rand.IntN(total)
	for _, name := range slices.Sorted(maps.Keys(traffic)) {
		if at -= max(traffic[name], 0); at < 0 {
			return name
		}
	}
	return ""
}

// mirror sends a copy whose answer nobody waits for.
func (h *Host) mirror(d *deployment, r *http.Request, body []byte) {
	req := r.Clone(d.ctx)
	h.wg.Go(func() {
		w, collected := d.record(&nobody{http.Header{}}, req, body)
		defer collected()
		resp, err := d.forward(d.ctx, req, body)
		if err != nil {
			d.log.line("a mirrored request failed: %v", err)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		if _, err := io.Copy(w, resp.Body); err != nil {
			d.log.line("a mirrored request failed: %v", err)
		}
	})
}

var errNotReady = errors.New("no server of the deployment is ready")

// serve passes a request on and its answer back, within the deployment's
// limits on how many are under way and how long one takes.
func (d *deployment) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	w, collected := d.record(w, r, body)
	defer collected()
	if !d.gate.enter(r.Context()) {
		plainError(w, http.StatusTooManyRequests, "too many pending requests: the deployment serves "+strconv.Itoa(cap(d.gate.slots))+" at a time (request_settings)")
		return
	}
	defer d.gate.leave()
	ctx, cancel := context.WithTimeout(r.Context(), d.timeout)
	defer cancel()
	w.Header().Set(DeploymentHeader, d.name)
	resp, err := d.forward(ctx, r, body)
	switch {
	case errors.Is(err, errNotReady):
		plainError(w, http.StatusServiceUnavailable, err.Error())
		return
	case errors.Is(err, context.DeadlineExceeded):
		plainError(w, http.StatusRequestTimeout, "upstream request timeout: scoring took longer than "+d.timeout.String()+" (request_settings.request_timeout_ms)")
		return
	case err != nil:
		plainError(w, http.StatusBadGateway, "the server ended the connection: "+err.Error())
		return
	}
	defer resp.Body.Close()
	for _, k := range []string{"Content-Type", "Content-Encoding"} {
		if v := resp.Header.Get(k); v != "" {
			w.Header().Set(k, v)
		}
	}
	for k, v := range resp.Header {
		if strings.HasPrefix(k, "X-") && !strings.HasPrefix(k, "X-Ms-") {
			w.Header()[k] = v
		}
	}
	status := resp.StatusCode
	if status < 200 || status > 299 {
		// Azure answers 424 for what the model's own server refused.
		w.Header().Set("ms-azureml-model-error-statuscode", strconv.Itoa(status))
		w.Header().Set("ms-azureml-model-error-reason", "model_error")
		status = http.StatusFailedDependency
	}
	w.WriteHeader(status)
	if _, err := io.Copy(w, resp.Body); err != nil {
		d.log.line("an answer was cut off: %v", err)
	}
}

// forward sends a request to the next server that is ready.
func (d *deployment) forward(ctx context.Context, r *http.Request, body []byte) (*http.Response, error) {
	start := d.next.Add(1)
	base := ""
	for i := range d.instances {
		if base = d.instances[(int(start)+i)%len(d.instances)].address(); base != "" {
			break
		}
	}
	if base == "" {
		return nil, errNotReady
	}
	path := r.URL.Path
	if path == "/score" || path == "" || path == "/" && r.Method == http.MethodPost {
		path = d.plan.score.Path
		if d.plan.mlflow {
			body = mlflowBody(body)
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = r.URL.RawQuery
	for _, k := range []string{"Content-Type", "Accept", "Content-Encoding", "X-Request-Id", "X-Ms-Client-Request-Id", "X-Ms-Request-Id", "Traceparent", "Tracestate"} {
		if v := r.Header.Get(k); v != "" {
			req.Header.Set(k, v)
		}
	}
	return d.host.client.Do(req)
}

// gate bounds how many requests are under way and how long others wait.
type gate struct {
	slots chan struct{}
	wait  time.Duration
}

func newGate(n int, wait time.Duration) *gate { return &gate{make(chan struct{}, n), wait} }

func (g *gate) enter(ctx context.Context) bool {
	select {
	case g.slots <- struct{}{}:
		return true
	default:
	}
	t := time.NewTimer(g.wait)
	defer t.Stop()
	select {
	case g.slots <- struct{}{}:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

func (g *gate) leave() { <-g.slots }
