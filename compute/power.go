package compute

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// BeginStart starts an instance (Compute_Start).
func (c *Client) BeginStart(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.power(ctx, "start", name, "Running", o)
}

// BeginStop stops an instance (Compute_Stop). What runs on it ends.
func (c *Client) BeginStop(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.power(ctx, "stop", name, "Stopped", o)
}

// BeginRestart restarts an instance (Compute_Restart).
func (c *Client) BeginRestart(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.power(ctx, "restart", name, "Running", o)
}

// power begins a change of state. The service mostly answers with nothing to poll: then the instance's state is looked at.
func (c *Client) power(ctx context.Context, verb, name, wanted string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	settled := func(raw json.RawMessage) (bool, error) {
		var doc struct {
			Properties struct {
				Properties struct {
					State  string `json:"state"`
					Errors []struct {
						Error struct{ Code, Message string } `json:"error"`
					} `json:"errors"`
				} `json:"properties"`
			} `json:"properties"`
		}
		if err := json.Unmarshal(raw, &doc); err != nil {
			return false, fmt.Errorf("decoding the compute: %w", err)
		}
		switch p := doc.Properties.Properties; p.State {
		case wanted, "": // a compute without a state has no other
			return true, nil
		case "JobRunning":
			return wanted == "Running", nil // one that is to stop has not heard of it yet
		case "Unusable", "CreateFailed", "SetupFailed", "UserSetupFailed":
			if len(p.Errors) > 0 {
				return false, fmt.Errorf("the instance is %s: %s: %s", p.State, p.Errors[0].Error.Code, p.Errors[0].Error.Message)
			}
			return false, fmt.Errorf("the instance is %s", p.State)
		}
		return false, nil
	}
	return rest.Begin(ctx, c.rest, &rest.Call{
		Op: op(verb, name), Method: http.MethodPost, Path: c.rest.Path("computes", name, verb), Group: "computes", Idempotent: true,
		ResumeToken: o.token(), Watch: c.rest.Path("computes", name), Settled: settled,
	}, rest.Nothing)
}

// EnableSSO turns single sign-on of an instance on or off (Compute_UpdateSso).
func (c *Client) EnableSSO(ctx context.Context, name string, on bool) error {
	return c.rest.Do(ctx, &rest.Call{
		Op: op("enable SSO of", name), Method: http.MethodPost, Path: c.rest.Path("computes", name, "enableSso"), Group: "enableSso",
		Idempotent: true, Body: map[string]bool{"enableSSO": on},
	})
}
