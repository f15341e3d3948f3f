package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// operationPoll is the time between polls of a cancellation or deletion when neither the service nor the
// client's options say one.
const operationPoll = 2 * time.Second

// CancelOptions are the choices of BeginCancel.
type CancelOptions struct {
	// ResumeToken continues what an earlier poller began.
	ResumeToken string
}

// BeginCancel asks for the end of a job (Jobs_Cancel). The operation is done when the service has taken the
// request; the job itself ends later: see Wait.
func (c *Client) BeginCancel(ctx context.Context, name string, o *CancelOptions) (*runtime.Poller[azureml.Done], error) {
	call := &rest.Call{
		Op: fmt.Sprintf("jobs: cancel %q", name), Method: http.MethodPost, Idempotent: true, Group: "otherJobs", Path: c.rest.Path("jobs", name, "cancel"),
	}
	if o != nil {
		call.ResumeToken = o.ResumeToken
	}
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

// Cancel asks for the end of a job and returns when the service has taken the request (Jobs_Cancel).
func (c *Client) Cancel(ctx context.Context, name string) error {
	p, err := c.BeginCancel(ctx, name, nil)
	if err != nil {
		return err
	}
	_, err = p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: operationPoll})
	return err
}

// CancelTagged cancels every job that carries the tag, "key" or "key=value", and has not ended (Jobs_List,
// Jobs_Cancel). It gives the names of those it has cancelled, and goes on past those that refuse.
func (c *Client) CancelTagged(ctx context.Context, tag string) ([]string, error) {
	if tag == "" {
		return nil, errors.New("jobs: cancel tagged: the tag is empty: that would be every job")
	}
	var names []string
	var errs []error
	for run, err := range c.All(ctx, &AllOptions{Tag: tag}) {
		if err != nil {
			return names, errors.Join(append(errs, err)...)
		}
		if run.Status.Ended() {
			continue
		}
		if err := c.Cancel(ctx, run.Name); err != nil {
			errs = append(errs, err)
			continue
		}
		names = append(names, run.Name)
	}
	return names, errors.Join(errs...)
}

// DeleteOptions are the choices of BeginDelete.
type DeleteOptions struct {
	// ResumeToken continues what an earlier poller began.
	ResumeToken string
}

// BeginDelete removes a job that has ended from the workspace (Jobs_Delete). What it wrote stays in storage.
func (c *Client) BeginDelete(ctx context.Context, name string, o *DeleteOptions) (*runtime.Poller[azureml.Done], error) {
	call := &rest.Call{Op: fmt.Sprintf("jobs: delete %q", name), Method: http.MethodDelete, Group: "otherJobs", Path: c.rest.Path("jobs", name)}
	if o != nil {
		call.ResumeToken = o.ResumeToken
	}
	return rest.Begin(ctx, c.rest, call, rest.Nothing)
}

// Delete removes a job and waits until it is gone (Jobs_Delete).
func (c *Client) Delete(ctx context.Context, name string) error {
	p, err := c.BeginDelete(ctx, name, nil)
	if err != nil {
		return err
	}
	_, err = p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: operationPoll})
	return err
}
