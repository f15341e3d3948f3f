package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
)

// repeatable is what a request carries through the pipeline: whether sending it twice does no more than sending it once.
type repeatable bool

// streaming says that the caller reads the body of the answer as it comes.
type streaming bool

// retryPolicy sends a request again where that is safe. It stands in front of azcore's own, which is told to try once:
// azcore's repeats every method after every failure, and asks the machine's clock.
type retryPolicy struct {
	options policy.RetryOptions
	clock   Clock
	logger  *slog.Logger
}

func newRetryPolicy(o policy.RetryOptions, clock Clock, logger *slog.Logger) *retryPolicy {
	switch { // azcore's defaults
	case o.MaxRetries == 0:
		o.MaxRetries = 3
	case o.MaxRetries < 0:
		o.MaxRetries = 0
	}
	switch {
	case o.MaxRetryDelay == 0:
		o.MaxRetryDelay = time.Minute
	case o.MaxRetryDelay < 0:
		o.MaxRetryDelay = math.MaxInt64
	}
	switch {
	case o.RetryDelay == 0:
		o.RetryDelay = 800 * time.Millisecond
	case o.RetryDelay < 0:
		o.RetryDelay = 0
	}
	if o.StatusCodes == nil {
		o.StatusCodes = []int{
			http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		}
	}
	return &retryPolicy{options: o, clock: clock, logger: logger}
}

func (p *retryPolicy) Do(req *policy.Request) (*http.Response, error) {
	var again repeatable
	req.OperationValue(&again)
	ctx := req.Raw().Context()
	for try := int32(1); ; try++ {
		if err := req.RewindBody(); err != nil {
			return nil, err
		}
		resp, w, err := p.once(ctx, req)
		sent := w.wrote(err)
		switch {
		case ctx.Err() != nil && (err != nil || resp == nil):
			return nil, unknown(ctx.Err(), !bool(again) && sent)
		case err == nil && resp.StatusCode < 400:
			return resp, nil
		}
		if !p.worth(resp, w, err) {
			return resp, unknown(err, !bool(again) && sent && err != nil)
		}
		wait := RetryAfter(resp, p.clock.Now())
		if !bool(again) && !refused(resp, err, wait, sent) {
			return resp, unknown(err, sent && err != nil)
		}
		if try > p.options.MaxRetries || wait > p.options.MaxRetryDelay {
			return resp, err
		}
		if wait <= 0 {
			wait = p.backoff(try)
		}
		p.report(ctx, req, resp, err, try, wait)
		runtime.Drain(resp)
		if err := p.clock.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// once sends the request one time.
func (p *retryPolicy) once(ctx context.Context, req *policy.Request) (*http.Response, *watch, error) {
	w := &watch{}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, w.trace()), watchKey{}, w)
	// azcore's retry policy stands behind this one and tries once, whatever the caller's context says.
	ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
	if p.options.TryTimeout <= 0 {
		resp, err := req.Clone(ctx).Next()
		return resp, w, err
	}
	ctx, cancel := context.WithTimeout(ctx, p.options.TryTimeout)
	resp, err := req.Clone(ctx).Next()
	var s streaming
	req.OperationValue(&s)
	if bool(s) && err == nil && resp.StatusCode < 400 {
		resp.Body = &cancelBody{ReadCloser: resp.Body, cancel: cancel}
	} else { // the body is here already
		cancel()
	}
	return resp, w, err
}

// worth reports whether the failure is of a kind that passes.
func (p *retryPolicy) worth(resp *http.Response, w *watch, err error) bool {
	var never interface {
		error
		NonRetriable()
	}
	// An error after an answer is a body that was lost on its way: azcore calls that final for every POST and PATCH.
	if err != nil && !w.answered.Load() && errors.As(err, &never) {
		return false
	}
	if p.options.ShouldRetry != nil {
		return p.options.ShouldRetry(resp, err)
	}
	return err != nil || slices.Contains(p.options.StatusCodes, resp.StatusCode)
}

// refused reports whether a call that is not idempotent certainly took no effect: the service said "later", with a
// time, or nothing was written.
func refused(resp *http.Response, err error, wait time.Duration, sent bool) bool {
	if err != nil {
		return !sent
	}
	return wait > 0 && (resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable)
}

func (p *retryPolicy) backoff(try int32) time.Duration {
	d := float64(p.options.RetryDelay) * (math.Pow(2, float64(try)) - 1) * (0.8 + rand.Float64()/2)
	return time.Duration(min(d, float64(p.options.MaxRetryDelay)))
}

func (p *retryPolicy) report(ctx context.Context, req *policy.Request, resp *http.Response, err error, try int32, wait time.Duration) {
	a := []slog.Attr{
		slog.String("method", req.Raw().Method), slog.String("url", RedactURL(req.Raw().URL)),
		slog.Int("try", int(try)), slog.Duration("wait", wait),
	}
	if err != nil {
		a = append(a, slog.String("error", redactText(err.Error())))
	} else {
		a = append(a, slog.Int("status", resp.StatusCode))
	}
	p.logger.LogAttrs(ctx, slog.LevelWarn, "azureml: request failed, it will be sent again", a...)
}

// RetryAfter is the wait that an answer asks for (retry-after-ms, x-ms-retry-after-ms, Retry-After in seconds or as a
// date), or 0.
func RetryAfter(resp *http.Response, now time.Time) time.Duration {
	if resp == nil {
		return 0
	}
	for _, h := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if n, err := strconv.ParseFloat(resp.Header.Get(h), 64); err == nil && n > 0 && n < 1e12 {
			return time.Duration(n * float64(time.Millisecond))
		}
	}
	v := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 && n < 1e9 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// unknown marks err when the request may have taken effect.
func unknown(err error, is bool) error {
	if err == nil || !is {
		return err
	}
	return &unknownError{err}
}

type unknownError struct{ err error }

func (e *unknownError) Error() string {
	return "the request was sent and its answer was lost, so the outcome is unknown: " + e.err.Error()
}

func (e *unknownError) Unwrap() error { return e.err }

func (e *unknownError) Is(target error) bool { return target == azureml.ErrOutcomeUnknown }

// NonRetriable marks the error for retry policies.
func (e *unknownError) NonRetriable() {}

// watch sees whether a request went out, and whether an answer began.
type watch struct{ traced, written, answered atomic.Bool }

type watchKey struct{}

func (w *watch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:          func(string) { w.traced.Store(true) },
		WroteHeaderField: func(string, []string) { w.written.Store(true) },
		WroteHeaders:     func() { w.written.Store(true) },
		WroteRequest:     func(httptrace.WroteRequestInfo) { w.written.Store(true) },
	}
}

// wrote is false when certainly no byte was written. A transport that does not report counts as having written.
func (w *watch) wrote(err error) bool {
	if w.written.Load() || w.answered.Load() {
		return true
	}
	if w.traced.Load() {
		return false
	}
	var op *net.OpError
	var dns *net.DNSError
	var never interface {
		error
		NonRetriable()
	}
	return (!errors.As(err, &op) || op.Op != "dial") && !errors.As(err, &dns) && !errors.As(err, &never)
}

type cancelBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}
