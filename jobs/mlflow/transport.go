package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// call is one request of the REST API.
type call struct {
	op     string // for errors: `get run "x"`
	method string
	path   string // below the API's root: "mlflow/runs/get"
	api    string // "2.0" unless set
	query  url.Values
	body   any // encoded as JSON; []byte goes as it is
	out    any // decoded into, unless nil
	models bool
	// creates marks what makes a new thing each time it is done.
	creates bool
	// once leaves the retries to the caller.
	once bool
}

func (k *call) url(t *target) string {
	api := k.api
	if api == "" {
		api = "2.0"
	}
	u := t.base + "/api/" + api + "/" + k.path
	if len(k.query) > 0 {
		u += "?" + k.query.Encode()
	}
	return u
}

// maxAnswer bounds one JSON answer: a page of 25,000 points is about 3 MB.
const maxAnswer = 256 << 20

// do sends a call, with retries, and decodes its answer.
func (c *Client) do(ctx context.Context, k call) error {
	t := c.tracking
	if k.models {
		t = c.registry
	} else if t.kind == registry {
		return fault(k.op, "%s is a registry: it holds models, no experiments and no runs", t.uri)
	}
	var body []byte
	switch b := k.body.(type) {
	case nil:
	case []byte:
		body = b
	default:
		var err error
		if body, err = json.Marshal(b); err != nil {
			return fmt.Errorf("mlflow: %s: %w", k.op, err)
		}
	}
	header := http.Header{"Accept": {"application/json"}}
	if body != nil {
		header.Set("Content-Type", "application/json")
	}
	answer, err := c.retry(ctx, k.op, retryRules{creates: k.creates, once: k.once}, func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, c.retries.Timeout)
		defer cancel()
		resp, err := c.send(ctx, k.op, k.method, k.url(t), plain, header, func() (io.Reader, int64) { return bytes.NewReader(body), int64(len(body)) })
		if err != nil {
			return nil, err
		}
		return readAnswer(k.op, resp)
	})
	if err != nil {
		return err
	}
	if answer = bytes.TrimSpace(answer); k.out == nil || len(answer) == 0 || string(answer) == "200 OK" {
		return nil
	}
	if err := json.Unmarshal(answer, k.out); err != nil {
		return fmt.Errorf("mlflow: %s: the answer is not MLflow's: %w", k.op, err)
	}
	return nil
}

// readAnswer gives the whole body of a success, and an *Error for anything else.
func readAnswer(op string, resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNoContent {
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return nil, newError(op, resp, body)
	}
	if err != nil {
		return nil, &sentError{err}
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("mlflow: %s: the answer is larger than %d MB", op, maxAnswer>>20)
	}
	return body, nil
}

// sentError is a failure after the request may have reached the server.
type sentError struct{ err error }

func (e *sentError) Error() string { return stripURL(e.err).Error() }
func (e *sentError) Unwrap() error { return e.err }

// unsentError is a failure before anything was sent.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return stripURL(e.err).Error() }
func (e *unsentError) Unwrap() error { return e.err }

// signed says of an address that it authorises by itself: no credential goes along.
const signed, plain = true, false

// send does one attempt. The credential goes along to the configured hosts only.
func (c *Client) send(ctx context.Context, op, method, address string, signed bool, header http.Header, body func() (io.Reader, int64)) (*http.Response, error) {
	var reader io.Reader
	size := int64(0)
	if body != nil {
		reader, size = body()
	}
	if size == 0 && method == http.MethodGet {
		reader = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, address, reader)
	if err != nil {
		return nil, fmt.Errorf("mlflow: %s: %w", op, stripURL(err))
	}
	req.ContentLength = size
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.agent)
	if c.auth != nil && !signed && c.trusts(req.URL) {
		if err := c.auth.authorize(ctx, req); err != nil {
			return nil, fmt.Errorf("mlflow: %s: authorize: %w", op, err)
		}
	}
	resp, err := c.transport.Do(req)
	if err != nil {
		if unsent(err) {
			return nil, &unsentError{err}
		}
		return nil, &sentError{err}
	}
	return resp, nil
}

// trusts tells whether a URL is on a host that the client was configured with.
func (c *Client) trusts(u *url.URL) bool {
	at := u.Scheme + "://" + u.Host
	return strings.EqualFold(at, c.tracking.authority()) || strings.EqualFold(at, c.registry.authority())
}

// unsent holds for errors of dialling: no byte has left.
func unsent(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns)
}

type retryRules struct {
	creates bool // see call.creates
	once    bool
}

// retry repeats f as Options.Retry says.
func (c *Client) retry(ctx context.Context, op string, rules retryRules, f func(context.Context) ([]byte, error)) ([]byte, error) {
	for n := 1; ; n++ {
		answer, err := f(ctx)
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			if rules.creates && isSent(err) {
				return nil, &unknownError{op, context.Cause(ctx)}
			}
			return nil, fmt.Errorf("mlflow: %s: %w", op, context.Cause(ctx))
		}
		again, wait := retriable(err, rules.creates)
		if !again || rules.once || n > c.retries.Max {
			switch {
			case rules.creates && isSent(err):
				return nil, &unknownError{op, err}
			case isTransport(err):
				return nil, fmt.Errorf("mlflow: %s: %w", op, err)
			}
			return nil, err
		}
		if wait == 0 || c.retries.IgnoreRetryAfter {
			wait = c.backoff(n)
		}
		c.log.LogAttrs(ctx, slog.LevelWarn, "mlflow: retrying", slog.String("op", op), slog.Int("attempt", n), slog.Duration("wait", wait), slog.String("cause", err.Error()))
		if err := c.clock.Sleep(ctx, wait); err != nil {
			return nil, fmt.Errorf("mlflow: %s: %w", op, err)
		}
	}
}

// backoff is the wait before repetition n.
func (c *Client) backoff(n int) time.Duration {
	d := c.retries.Backoff << min(n-1, 16)
	if d > maxBackoff || d <= 0 {
		d = maxBackoff
	}
	if c.retries.Jitter > 0 {
		d += rand.N(c.retries.Jitter)
	}
	return d
}

// firstPace is the first wait of what is delivered in the background: a server that stumbles once should
// not hold up a logger for as long as a call of its own would wait.
const firstPace = 250 * time.Millisecond

// pace is backoff for deliveries: it begins lower and comes to the same waits.
func (c *Client) pace(n int) time.Duration {
	first := min(c.retries.Backoff, firstPace)
	d := first << min(n-1, 16)
	if d > maxBackoff || d <= 0 {
		d = maxBackoff
	}
	if j := min(c.retries.Jitter, d); j > 0 {
		d += rand.N(j)
	}
	return d
}

func isTransport(err error) bool {
	var sent *sentError
	var not *unsentError
	return errors.As(err, &sent) || errors.As(err, &not)
}

// isSent tells whether the call may have been done although it failed.
func isSent(err error) bool {
	var sent *sentError
	var e *Error
	return errors.As(err, &sent) || errors.As(err, &e) && e.Status >= 500 && e.Status != 501 || e != nil && e.Status == 408
}

// retriable tells whether to repeat, and the wait that the server asked for.
func retriable(err error, creates bool) (bool, time.Duration) {
	var e *Error
	if errors.As(err, &e) {
		switch e.Status {
		case http.StatusTooManyRequests:
			return true, e.RetryAfter
		case http.StatusServiceUnavailable:
			return !creates || e.RetryAfter > 0, e.RetryAfter
		case 408, 500, 502, 504:
			return !creates, e.RetryAfter
		}
		return false, 0
	}
	var sent *sentError
	if errors.As(err, &sent) {
		return !creates, 0
	}
	var not *unsentError
	return errors.As(err, &not), 0
}

type unknownError struct {
	op  string
	err error
}

func (e *unknownError) Error() string {
	return fmt.Sprintf("mlflow: %s: the outcome is unknown: it may have been done although its answer was lost: %v", e.op, e.err)
}

func (e *unknownError) Unwrap() error        { return e.err }
func (e *unknownError) Is(target error) bool { return target == ErrOutcomeUnknown }

// getJSON and postJSON speak to the services beside MLflow's: run history, artifacts.
func (c *Client) getJSON(ctx context.Context, op, address string, out any) error {
	return c.exchange(ctx, op, http.MethodGet, address, nil, out)
}

func (c *Client) postJSON(ctx context.Context, op, address string, in, out any) error {
	return c.exchange(ctx, op, http.MethodPost, address, in, out)
}

func (c *Client) exchange(ctx context.Context, op, method, address string, in, out any) error {
	header := http.Header{"Accept": {"application/json"}}
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("mlflow: %s: %w", op, err)
		}
		header.Set("Content-Type", "application/json")
	}
	answer, err := c.retry(ctx, op, retryRules{}, func(ctx context.Context) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, c.retries.Timeout)
		defer cancel()
		resp, err := c.send(ctx, op, method, address, plain, header, func() (io.Reader, int64) { return bytes.NewReader(body), int64(len(body)) })
		if err != nil {
			return nil, err
		}
		return readAnswer(op, resp)
	})
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("mlflow: %s: the answer is not understood: %w", op, err)
	}
	return nil
}
