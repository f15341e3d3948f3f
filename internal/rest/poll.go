package rest

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

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
)

// Begin sends a call that begins a long-running operation and gives the poller that follows it, in any of Azure's ways:
// Azure-AsyncOperation, Location, the resource's provisioningState, or, where the service gives no address at all, the
// resource itself (Call.Watch, and the absence of what is deleted). decode gets the document that the operation ends
// with, empty if there is none.
//
// The wait between polls is what the service asks for, else Options.PollInterval, else what PollUntilDone is given.
func Begin[T any](ctx context.Context, c *Client, call *Call, decode func(raw json.RawMessage) (T, error)) (p *runtime.Poller[T], err error) {
	op := &operation[T]{client: c, call: *call, decode: decode}
	if call.ResumeToken != "" {
		p, err = runtime.NewPollerFromResumeToken(call.ResumeToken, c.pipeline, &runtime.NewPollerFromResumeTokenOptions[T]{Handler: op, Tracer: c.tracer})
		if err == nil {
			err = op.check()
		}
		if err != nil {
			return nil, WithOp(call.Op, fmt.Errorf("resuming: %w", err))
		}
		return p, nil
	}
	ctx, end := c.span(ctx, call.Op)
	defer func() { end(err) }()
	u, err := c.address(ctx, call)
	if err != nil {
		return nil, WithOp(call.Op, err)
	}
	resp, err := c.sendTo(ctx, call, u, false)
	if err != nil {
		return nil, err
	}
	if err := op.begin(u, resp); err != nil {
		return nil, WithOp(call.Op, err)
	}
	p, err = runtime.NewPoller(resp, c.pipeline, &runtime.NewPollerOptions[T]{Handler: op, Tracer: c.tracer})
	return p, WithOp(call.Op, err)
}

// Nothing decodes the result of an operation that ends with nothing.
func Nothing(json.RawMessage) (azureml.Done, error) { return azureml.Done{}, nil }

// The ways to follow an operation.
const (
	byStatus   = "status"   // Azure-AsyncOperation: a document with status
	byLocation = "location" // 202 until it is done
	byState    = "state"    // the resource's provisioningState
	byAbsence  = "absence"  // the resource is gone
	byWatch    = "watch"    // Call.Settled
)

// The states of an operation; the service's own word for what is neither.
const (
	running   = "InProgress"
	succeeded = "Succeeded"
	failed    = "Failed"
)

// operation is the polling handler. What has a JSON tag is the resume token.
type operation[T any] struct {
	Way      string `json:"way"`
	URL      string `json:"url"`      // what is polled
	Resource string `json:"resource"` // the address of the first request
	Location string `json:"location,omitempty"`
	Method   string `json:"method"`
	State    string `json:"state"`

	client *Client
	call   Call
	decode func(json.RawMessage) (T, error)
	last   *http.Response // the answer that ended it
}

// begin reads the first answer.
func (o *operation[T]) begin(u *url.URL, resp *http.Response) error {
	o.Method, o.Resource, o.State, o.last = o.call.method(), u.String(), running, resp
	raw, err := runtime.Payload(resp)
	if err != nil {
		return err
	}
	if link := resp.Header.Get("Azure-AsyncOperation"); link != "" {
		o.Way = byStatus
		if o.URL, err = o.link(u, "Azure-AsyncOperation", link); err != nil {
			return err
		}
	}
	if link := resp.Header.Get("Location"); link != "" && (o.Way != "" || resp.StatusCode == http.StatusAccepted) {
		if o.Location, err = o.link(u, "Location", link); err != nil {
			return err
		}
		if o.Way == "" {
			o.Way, o.URL = byLocation, o.Location
		}
	}
	state := provisioningState(raw)
	changes := o.Method == http.MethodPut || o.Method == http.MethodPatch
	switch {
	case o.Way == byStatus && changes && state != "" && ended(state) && resp.StatusCode != http.StatusAccepted:
		o.State = state // ended within the request
	case o.Way != "":
	case changes && state != "":
		o.Way, o.URL, o.State = byState, o.Resource, state
	case changes && resp.StatusCode == http.StatusAccepted:
		o.Way, o.URL = byState, o.Resource
	case resp.StatusCode == http.StatusAccepted && o.Method == http.MethodDelete:
		o.Way, o.URL = byAbsence, o.Resource
	case resp.StatusCode == http.StatusAccepted && o.call.Watch != "" && o.call.Settled != nil:
		o.Way = byWatch
		w := o.call
		w.Path, w.Method = o.call.Watch, http.MethodGet
		a, err := o.client.address(context.Background(), &w) // sends nothing: the plane is known by now
		if err != nil {
			return err
		}
		o.URL = a.String()
	default:
		o.State = succeeded
	}
	o.pace(resp)
	return nil
}

func (o *operation[T]) link(at *url.URL, what, link string) (string, error) {
	u, err := o.client.follow(&o.call, at, what, link)
	if err != nil {
		return "", fmt.Errorf("the service took the call, but it cannot be followed: %w", err)
	}
	return u.String(), nil
}

// check looks at what a resume token says.
func (o *operation[T]) check() error {
	switch o.Way {
	case byStatus, byLocation, byState, byAbsence, byWatch:
	default:
		return errors.New("the token is of another kind of poller")
	}
	if o.Way == byWatch && o.call.Settled == nil {
		return errors.New("the token is of another operation")
	}
	named := []string{o.URL, o.Resource}
	if o.Location != "" {
		named = append(named, o.Location)
	}
	for _, a := range named {
		u, err := url.Parse(a)
		if err != nil || u.Host == "" {
			return errors.New("the token names no address")
		}
		if !o.client.trust.allows(u) {
			return &hostError{host: u.Scheme + "://" + u.Host}
		}
	}
	return nil
}

// pace puts the configured interval where azcore's poller looks for the service's.
func (o *operation[T]) pace(resp *http.Response) {
	if d := o.client.options.PollInterval; d > 0 && !o.Done() && resp.Header.Get("Retry-After") == "" && RetryAfter(resp, o.client.options.Clock.Now()) == 0 {
		resp.Header.Set("Retry-After-Ms", strconv.FormatInt(max(1, int64(d/time.Millisecond)), 10))
	}
}

// Done is part of runtime.PollingHandler.
func (o *operation[T]) Done() bool { return ended(o.State) }

// Poll is part of runtime.PollingHandler.
func (o *operation[T]) Poll(ctx context.Context) (*http.Response, error) {
	resp, err := o.get(ctx, o.URL)
	if err != nil {
		var e *Error
		if o.Way == byAbsence && errors.As(err, &e) && e.Status == http.StatusNotFound {
			o.State, o.last = succeeded, nil
			return empty(http.StatusNoContent), nil
		}
		return nil, err
	}
	raw, err := runtime.Payload(resp)
	if err != nil {
		return nil, WithOp(o.call.Op, err)
	}
	state := running
	switch o.Way {
	case byStatus:
		var doc struct {
			Status string `json:"status"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil || doc.Status == "" {
			return nil, WithOp(o.call.Op, errors.New("the operation's document carries no status"))
		}
		state = doc.Status
	case byLocation:
		if link := resp.Header.Get("Location"); link != "" && resp.StatusCode == http.StatusAccepted {
			at, _ := url.Parse(o.URL) // it was parsed before
			if o.URL, err = o.link(at, "Location", link); err != nil {
				return nil, WithOp(o.call.Op, err)
			}
		}
		switch s := provisioningState(raw); {
		case resp.StatusCode == http.StatusAccepted:
		case s != "":
			state = s
		default:
			state = succeeded
		}
	case byState:
		if state = provisioningState(raw); state == "" {
			state = succeeded
		}
	case byAbsence:
		if s := provisioningState(raw); strings.EqualFold(s, failed) {
			state = s
		}
	case byWatch:
		done, err := o.call.Settled(raw)
		if err != nil {
			return nil, WithOp(o.call.Op, err)
		}
		if done {
			state = succeeded
		}
	}
	o.State, o.last = state, resp
	o.pace(resp)
	return resp, nil
}

// Result is part of runtime.PollingHandler.
func (o *operation[T]) Result(ctx context.Context, out *T) error {
	if !strings.EqualFold(o.State, succeeded) && !strings.EqualFold(o.State, "Completed") {
		err := o.failure()
		if o.call.Explain != nil {
			err = o.call.Explain(ctx, err)
		}
		return err
	}
	raw, err := o.final(ctx)
	if err != nil {
		return err
	}
	v, err := o.decode(raw)
	if err != nil {
		return WithOp(o.call.Op, err)
	}
	*out = v
	return nil
}

// final is the document that the operation ends with.
func (o *operation[T]) final(ctx context.Context) (json.RawMessage, error) {
	if r := o.call.Result; r != nil {
		var raw json.RawMessage
		one := *r
		one.Out = &raw
		err := o.client.Do(ctx, &one)
		return raw, err
	}
	changes := o.Method == http.MethodPut || o.Method == http.MethodPatch
	var raw []byte
	var err error
	if o.last != nil {
		if raw, err = runtime.Payload(o.last); err != nil {
			return nil, WithOp(o.call.Op, err)
		}
	}
	from := ""
	switch {
	case o.Method == http.MethodDelete:
		return nil, nil
	case o.Way == byStatus && changes && !o.ownDocument():
		from = o.Resource
	case o.Way == byStatus && o.Location != "" && !changes:
		from = o.Location
	case o.Way == byLocation && changes && len(bytes.TrimSpace(raw)) == 0:
		from = o.Resource
	}
	if from == "" {
		return raw, nil
	}
	resp, err := o.get(ctx, from)
	if err != nil {
		return nil, err
	}
	raw, err = runtime.Payload(resp)
	return raw, WithOp(o.call.Op, err)
}

// ownDocument reports whether the last answer is the resource itself: the operation ended within its first request.
func (o *operation[T]) ownDocument() bool {
	return o.last != nil && o.last.Request != nil && o.last.Request.Method == o.Method
}

// failure is the error of an operation that ended badly.
func (o *operation[T]) failure() error {
	resp := o.last
	if resp == nil {
		resp = empty(http.StatusOK)
	}
	err := newError(o.call.Op, resp, false)
	var e *Error
	if errors.As(err, &e) && e.Code == "" {
		e.Code = "Operation" + o.State
		if e.Message == "" || strings.HasPrefix(e.Message, "{") {
			e.Message = "the operation ended in the state " + o.State
		}
		e.response.ErrorCode = e.Code
	}
	return err
}

func (o *operation[T]) get(ctx context.Context, address string) (*http.Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, WithOp(o.call.Op, cleanError(err))
	}
	return o.client.sendTo(ctx, &Call{Op: o.call.Op, Plane: o.call.Plane}, u, false)
}

func ended(state string) bool {
	switch strings.ToLower(state) {
	case "succeeded", "failed", "canceled", "cancelled", "completed":
		return true
	}
	return false
}

func provisioningState(raw []byte) string {
	var doc struct {
		Properties struct {
			ProvisioningState string `json:"provisioningState"`
		} `json:"properties"`
	}
	if json.Unmarshal(raw, &doc) != nil {
		return ""
	}
	return doc.Properties.ProvisioningState
}

func empty(status int) *http.Response {
	return &http.Response{StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(nil))}
}
