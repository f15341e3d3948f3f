package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Plane is where a call goes and which token it carries.
type Plane int

const (
	// ARM is the resource manager. Path begins with a slash.
	ARM Plane = iota
	// API is the workspace's regional host, found by discovery, with the token of the resource manager. Path begins with a slash.
	API
	// ML carries a token for Azure ML itself, to the regional host (Path begins with a slash) or to a scoring address.
	ML
	// Registry is the host of Call.Registry, found by discovery. Path is below its management front end.
	Registry
	// RegistryAPI is the regional host of Call.Registry's primary region, with a token for Azure ML. Path begins with a slash.
	RegistryAPI
	// Raw is any address, without a token: discovery documents, addresses with a signature, or with the endpoint's own
	// key in Header.
	Raw
)

// Call is one request. It may be sent more than once: nothing in it is changed by sending.
type Call struct {
	Op         string // what an error begins with: `jobs: get "x"`
	Method     string // defaults to GET
	Plane      Plane
	Path       string     // escaped path; an absolute address for Raw, and possibly for ML
	Query      url.Values // api-version is added
	Group      string     // group of the api-version table; "" or a group without version adds none
	Header     http.Header
	Body       any    // nil, bytes, an io.ReadSeeker, a wire kind, or anything that encoding/json takes
	Out        any    // nil, *json.RawMessage, *[]byte, or a pointer to decode into
	Idempotent bool   // POST and PATCH that do no more when sent twice; other methods are idempotent anyway
	Registry   string // name of the registry, for its planes

	// Items names the list in a page. Defaults to "value".
	Items string
	// Continue is the query parameter that takes a page's continuationToken, for services that give no nextLink.
	Continue string

	// ResumeToken makes Begin continue an operation that an earlier poller began, and send nothing.
	ResumeToken string
	// Watch is the path of the resource to look at while an accepted operation gives no address to poll; Settled then
	// says from the resource whether it has ended.
	Watch   string
	Settled func(resource json.RawMessage) (bool, error)
	// Explain adds to the error of an operation that failed what else can be found out. Defaults to nothing.
	Explain func(ctx context.Context, err error) error
	// Result is read at the end of an operation that succeeded, in place of what the operation itself answers.
	Result *Call
}

func (c *Call) method() string {
	if c.Method == "" {
		return http.MethodGet
	}
	return c.Method
}

func (c *Call) repeatable() bool {
	switch c.method() {
	case http.MethodPost, http.MethodPatch:
		return c.Idempotent
	}
	return true
}

// Do sends the call and decodes the answer into Out.
func (c *Client) Do(ctx context.Context, call *Call) (err error) {
	ctx, end := c.span(ctx, call.Op)
	defer func() { end(err) }()
	resp, err := c.send(ctx, call, false)
	if err != nil {
		return err
	}
	raw, err := runtime.Payload(resp)
	if err == nil {
		err = decode(raw, call.Out)
	}
	return WithOp(call.Op, err)
}

// Stream sends the call and gives the answer with its body unread. The caller closes it.
func (c *Client) Stream(ctx context.Context, call *Call) (resp *http.Response, err error) {
	ctx, end := c.span(ctx, call.Op)
	defer func() { end(err) }()
	return c.send(ctx, call, true)
}

// span begins a trace span named by the call, without the resource.
func (c *Client) span(ctx context.Context, op string) (context.Context, func(error)) {
	name, _, _ := strings.Cut(op, ` "`)
	if name == "" {
		name = "azureml"
	}
	return runtime.StartSpan(ctx, name, c.tracer, nil)
}

// send makes the request, sends it, and turns everything but success into an error that begins with the call's Op.
func (c *Client) send(ctx context.Context, call *Call, stream bool) (*http.Response, error) {
	u, err := c.address(ctx, call)
	if err != nil {
		return nil, WithOp(call.Op, err)
	}
	return c.sendTo(ctx, call, u, stream)
}

func (c *Client) sendTo(ctx context.Context, call *Call, u *url.URL, stream bool) (*http.Response, error) {
	req, err := runtime.NewRequest(ctx, call.method(), u.String())
	if err != nil {
		return nil, WithOp(call.Op, cleanError(err))
	}
	h := req.Raw().Header
	h.Set("Accept", "application/json")
	for k, vs := range call.Header {
		h[http.CanonicalHeaderKey(k)] = vs
	}
	body, err := encode(call.Body, call.Path)
	if err != nil {
		return nil, WithOp(call.Op, err)
	}
	if body != nil {
		ct := h.Get("Content-Type")
		if ct == "" {
			ct = "application/json"
		}
		if err := req.SetBody(nopClose{body}, ct); err != nil {
			return nil, WithOp(call.Op, err)
		}
	}
	req.SetOperationValue(repeatable(call.repeatable()))
	req.SetOperationValue(c.authorization(call.Plane))
	if stream {
		req.SetOperationValue(streaming(true))
		runtime.SkipBodyDownload(req)
	}
	resp, err := c.pipeline.Do(req)
	if err != nil {
		if resp != nil && resp.Body != nil {
			_ = resp.Body.Close() // its loss is what err says
		}
		return nil, WithOp(call.Op, cleanError(err))
	}
	if resp.StatusCode/100 != 2 {
		return nil, newError(call.Op, resp, outcomeUnknown(c, call, resp))
	}
	return resp, nil
}

// outcomeUnknown reports whether a failed call that is not idempotent may have taken effect.
func outcomeUnknown(c *Client, call *Call, resp *http.Response) bool {
	if call.repeatable() || resp.StatusCode < 500 {
		return false
	}
	return resp.StatusCode != http.StatusServiceUnavailable || RetryAfter(resp, c.options.Clock.Now()) == 0
}

func (c *Client) authorization(p Plane) authorization {
	switch p {
	case Raw:
		return authorization{}
	case ML, RegistryAPI:
		return authorization{scope: c.MLScope(), scoring: true}
	}
	return authorization{scope: c.ARMScope()}
}

// address is the whole address of a call.
func (c *Client) address(ctx context.Context, call *Call) (*url.URL, error) {
	var version string
	var err error
	if call.Group != "" {
		if version, err = c.APIVersion(call.Group); err != nil {
			return nil, err
		}
	}
	absolute := call.Plane == Raw || call.Plane == ML && !strings.HasPrefix(call.Path, "/")
	if !absolute {
		if err := checkPath(call.Path); err != nil {
			return nil, err
		}
	}
	var base string
	switch call.Plane {
	case ARM:
		base = c.base.String()
	case API, ML:
		if !absolute {
			base, err = c.DataPlane(ctx)
		}
	case Registry:
		base, err = c.registryBase(ctx, call.Registry)
	case RegistryAPI:
		base, err = c.registryAPI(ctx, call.Registry)
	case Raw:
	default:
		err = fmt.Errorf("unknown plane %d", call.Plane)
	}
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(base + call.Path)
	if err != nil {
		return nil, cleanError(err)
	}
	if u.Host == "" || u.User != nil {
		return nil, errors.New("the address has no host, or a user name")
	}
	if len(call.Query) > 0 || version != "" {
		q := u.Query()
		for k, vs := range call.Query {
			q[k] = vs
		}
		if version != "" && !q.Has("api-version") {
			q.Set("api-version", version)
		}
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// nopClose keeps the pipeline from closing a body between tries, or one that is the caller's.
type nopClose struct{ io.ReadSeeker }

func (nopClose) Close() error { return nil }
