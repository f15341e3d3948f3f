package endpoints

import (
	"context"
	"strings"

	"github.com/azureml-go/azureml/internal/rest"
)

// DeploymentError is a deployment that could not be made or changed. errors.As finds the *azcore.ResponseError below it.
type DeploymentError struct {
	Endpoint   string
	Deployment string
	// Log is the end of the log of the container that serves, or of the one that brings the model; "" when neither ran.
	Log string
	err error
}

func (e *DeploymentError) Error() string {
	if e.Log == "" {
		return e.err.Error()
	}
	return e.err.Error() + "\nthe end of the deployment's log:\n" + e.Log
}

// Unwrap gives the error of the operation.
func (e *DeploymentError) Unwrap() error { return e.err }

// lastLines is how much of a log an error carries.
const lastLines = 20

// explain puts the end of the log to the error of a deployment that failed.
func (c *OnlineClient) explain(ctx context.Context, endpoint, name string, err error) error {
	out := &DeploymentError{Endpoint: endpoint, Deployment: name, err: err}
	for _, container := range []Container{InferenceServer, StorageInitializer} {
		log, lerr := c.Logs(ctx, endpoint, name, &LogsOptions{Container: container, Lines: lastLines})
		if log = strings.TrimSpace(log); lerr != nil || log == "" {
			continue // the deployment may not be there at all: its error is what counts
		}
		lines := strings.Split(log, "\n")
		if len(lines) > lastLines {
			lines = lines[len(lines)-lastLines:]
		}
		out.Log = rest.RedactText(strings.Join(lines, "\n"))
		break
	}
	return out
}
