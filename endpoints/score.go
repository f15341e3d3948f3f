package endpoints

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/rest"
)

// ScoreOptions are the choices of asking an endpoint.
type ScoreOptions struct {
	// Deployment is asked, whatever the traffic says. Defaults to the one that the traffic chooses.
	Deployment string
	// ContentType of the request. Defaults to application/json.
	ContentType string
	// Header has further headers of the request.
	Header http.Header
	// Repeatable says that the model may be asked twice: the request is sent again after a lost answer or a server's
	// fault. A request is always sent again when the endpoint says that it is too busy and when to come back.
	Repeatable bool
}

// ScorerOptions are the choices of a scorer.
type ScorerOptions struct {
	// Key is used instead of asking the service for the endpoint's key or token.
	Key string
	// AllowHTTP lets the key go to an address that is plain http, as Kubernetes endpoints without a certificate have.
	AllowHTTP bool
}

// Score asks an endpoint (POST to its scoring address): body is bytes, text or an io.Reader, which are sent as they are, or
// anything else that encoding/json takes.
// It asks the service for the endpoint's address and key each time; for many requests, make one Scorer.
// A failure is a *ScoreError.
func (c *OnlineClient) Score(ctx context.Context, endpoint string, body any, o *ScoreOptions) (*Answer, error) {
	return c.Scorer(endpoint, nil).Score(ctx, body, o)
}

// Scorer asks one endpoint again and again. It gets the endpoint's address and its key or token when it is first used,
// and again when they are refused or grow old. It is safe for use by many goroutines.
type Scorer struct {
	c        *OnlineClient
	endpoint string
	options  ScorerOptions
	turn     chan struct{} // one goroutine at a time looks the endpoint up; the others wait with their own contexts
	known    *target       // by whose turn it is
}

// target is where and with what to ask.
type target struct {
	uri, swagger string
	bearer       string    // "" when the caller's own Entra token is used
	refresh      time.Time // zero: good until refused
}

// Scorer makes a scorer. It sends nothing.
func (c *OnlineClient) Scorer(endpoint string, o *ScorerOptions) *Scorer {
	s := &Scorer{c: c, endpoint: endpoint, turn: make(chan struct{}, 1)}
	if o != nil {
		s.options = *o
	}
	return s
}

// Answer is what a model answered.
type Answer struct {
	Body   []byte
	Header http.Header
	// Deployment that answered, where the endpoint says it.
	Deployment string
	// RequestID is the service's.
	RequestID string
}

// Decode reads the answer as JSON.
func (a *Answer) Decode(into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("decoding the model's answer: %w", err)
	}
	return nil
}

// ScoreError is a request that got no answer from the model, or the model's own error. errors.As finds the
// *azcore.ResponseError below it.
type ScoreError struct {
	Endpoint string
	// Status is that of the endpoint: 401 and 403 the credential, 404 the endpoint or deployment, 408 the time was up,
	// 413 the request is too large, 424 the model failed, 429 too many requests wait, 502 and 503 the container is not ready.
	Status int
	// ModelStatus and ModelReason are what the container itself answered; 0 and "" when it did not.
	ModelStatus int
	ModelReason string
	Deployment  string
	RequestID   string
	// Message is the beginning of the answer.
	Message string
	err     error
}

func (e *ScoreError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "online endpoints: score %q: %d %s", e.Endpoint, e.Status, http.StatusText(e.Status))
	if e.Deployment != "" {
		fmt.Fprintf(&b, ", deployment %s", e.Deployment)
	}
	if e.ModelStatus != 0 {
		fmt.Fprintf(&b, ", the model's container answered %d", e.ModelStatus)
		if e.ModelReason != "" {
			b.WriteString(" " + e.ModelReason)
		}
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap gives the error of the call.
func (e *ScoreError) Unwrap() error { return e.err }

// Score asks the endpoint; see OnlineClient.Score.
func (s *Scorer) Score(ctx context.Context, body any, o *ScoreOptions) (*Answer, error) {
	resp, err := s.Stream(ctx, body, o)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end, or err tells
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("online endpoints: score %q: reading the answer: %w", s.endpoint, err)
	}
	return &Answer{Body: b, Header: resp.Header, Deployment: resp.Header.Get("Azureml-Model-Deployment"), RequestID: resp.Header.Get("X-Ms-Request-Id")}, nil
}

// Stream asks the endpoint and gives the answer with its body unread, for models that answer bit by bit.
// The caller closes it.
func (s *Scorer) Stream(ctx context.Context, body any, o *ScoreOptions) (*http.Response, error) {
	if o == nil {
		o = &ScoreOptions{}
	}
	op := online("score", s.endpoint)
	data, err := requestBody(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	h := http.Header{}
	for k, v := range o.Header {
		h[http.CanonicalHeaderKey(k)] = v
	}
	h.Set("Content-Type", "application/json")
	if o.ContentType != "" {
		h.Set("Content-Type", o.ContentType)
	}
	if o.Deployment != "" {
		h.Set("Azureml-Model-Deployment", o.Deployment)
	}
	send := func(ctx context.Context, t *target) (*http.Response, error) {
		return s.send(ctx, &rest.Call{Op: op, Method: http.MethodPost, Path: t.uri, Header: h.Clone(), Body: data, Idempotent: o.Repeatable}, t)
	}
	return s.ask(ctx, op, send)
}

// Swagger reads the endpoint's description of its requests, which the model's server makes (GET swaggerUri).
func (s *Scorer) Swagger(ctx context.Context) ([]byte, error) {
	op := online("read swagger of", s.endpoint)
	resp, err := s.ask(ctx, op, func(ctx context.Context, t *target) (*http.Response, error) {
		if t.swagger == "" {
			return nil, errors.New("the endpoint names no address for it")
		}
		return s.send(ctx, &rest.Call{Op: op, Path: t.swagger, Header: http.Header{}}, t)
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read to its end, or err tells
	b, err := io.ReadAll(resp.Body)
	return b, rest.WithOp(op, err)
}

// ask sends with what is known of the endpoint, and once more with what is found anew when the credential is refused.
func (s *Scorer) ask(ctx context.Context, op string, send func(context.Context, *target) (*http.Response, error)) (*http.Response, error) {
	t, fresh, err := s.target(ctx, op, nil)
	if err != nil {
		return nil, err
	}
	resp, err := send(ctx, t)
	var e *rest.Error
	if errors.As(err, &e) && e.Status == http.StatusUnauthorized && !fresh && s.options.Key == "" {
		// The key was regenerated, or the token ran out: nothing was asked of the model.
		if t, _, err = s.target(ctx, op, t); err != nil {
			return nil, err
		}
		resp, err = send(ctx, t)
	}
	if err != nil {
		return nil, s.failure(op, err)
	}
	return resp, nil
}

func (s *Scorer) send(ctx context.Context, call *rest.Call, t *target) (*http.Response, error) {
	u, err := url.Parse(t.uri)
	if err != nil || u.Host == "" {
		return nil, errors.New("the endpoint's address is none; is a deployment there?")
	}
	if t.bearer == "" {
		call.Plane = rest.ML
		return s.c.rest.Stream(ctx, call)
	}
	if u.Scheme != "https" && !s.options.AllowHTTP && !strings.EqualFold(u.Scheme+"://"+u.Host, s.c.rest.Endpoint()) {
		return nil, fmt.Errorf("%s is not https; ScorerOptions.AllowHTTP sends the key all the same", u.Host)
	}
	call.Plane = rest.Raw
	call.Header.Set("Authorization", "Bearer "+t.bearer)
	return s.c.rest.Stream(ctx, call)
}

// failure makes a ScoreError of an answer that is none.
func (s *Scorer) failure(op string, err error) error {
	var e *rest.Error
	if !errors.As(err, &e) {
		if strings.HasPrefix(err.Error(), op) {
			return err
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	out := &ScoreError{Endpoint: s.endpoint, Status: e.Status, RequestID: e.RequestID, Message: e.Message, err: err}
	if out.Message == "" {
		out.Message = e.Code
	}
	h := e.Header()
	out.Deployment = h.Get("Azureml-Model-Deployment")
	out.ModelReason = h.Get("Ms-Azureml-Model-Error-Reason")
	if n, err := strconv.Atoi(h.Get("Ms-Azureml-Model-Error-Statuscode")); err == nil {
		out.ModelStatus = n
	}
	return out
}

// target finds the endpoint's address and credential. stale is what was refused; fresh is true when it was found just now.
func (s *Scorer) target(ctx context.Context, op string, stale *target) (t *target, fresh bool, err error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, false, fmt.Errorf("%s: %w", op, ctx.Err())
	}
	if t = s.known; t != nil && t != stale && (t.refresh.IsZero() || s.c.rest.Clock().Now().Before(t.refresh)) {
		return t, stale != nil, nil
	}
	e, err := s.c.Get(ctx, s.endpoint)
	if err != nil {
		return nil, false, rest.WithOp(op, err)
	}
	t = &target{uri: e.ScoringURI, swagger: e.SwaggerURI, bearer: s.options.Key}
	switch {
	case s.options.Key != "":
	case e.AuthMode == AMLToken:
		token, err := s.c.Token(ctx, s.endpoint)
		if err != nil {
			return nil, false, rest.WithOp(op, err)
		}
		t.bearer, t.refresh = token.AccessToken, token.RefreshAfter
	case e.AuthMode == AADToken:
	default:
		keys, err := s.c.Keys(ctx, s.endpoint)
		if err != nil {
			return nil, false, rest.WithOp(op, err)
		}
		t.bearer = keys.Primary
	}
	if t.uri == "" {
		return nil, false, fmt.Errorf("%s: the endpoint has no scoring address yet: it is %s", op, e.ProvisioningState)
	}
	s.known = t
	return t, true, nil
}

// requestBody is what the endpoint is sent.
func requestBody(body any) ([]byte, error) {
	switch b := body.(type) {
	case nil:
		return nil, errors.New("the body is nil; an empty one is []byte{}")
	case []byte:
		return b, nil
	case json.RawMessage:
		return b, nil
	case string:
		return []byte(b), nil
	case io.Reader:
		data, err := io.ReadAll(b)
		if err != nil {
			return nil, fmt.Errorf("reading the body: %w", err)
		}
		return data, nil
	}
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		return nil, fmt.Errorf("encoding the body: %w", err)
	}
	return buf.Bytes(), nil
}
