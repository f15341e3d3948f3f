package workspace

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/jobs/mlflow"
)

// undiscovered stands for the workspace's regional host, which only the service knows. Nothing is ever sent to it: the
// domain is reserved for that (RFC 6761).
const undiscovered = "workspace.invalid"

// newTracking makes the tracking client without a call: its transport asks discovery for the host when it is first used.
func newTracking(c *rest.Client) (*mlflow.Client, error) {
	host := undiscovered
	if c.Local() { // all services of a local workspace are at its one address
		host = strings.TrimPrefix(c.Endpoint(), "http://")
	}
	return mlflow.New("azureml://"+host+"/mlflow/v1.0"+c.Path(), &mlflow.Options{
		Transport: &regional{c}, Credential: c.Credential(), Scope: c.ARMScope(), InsecureAllowCredentialWithHTTP: c.Local(), Clock: c.Clock(), Logger: c.Logger(),
	})
}

// regional sends what is for the workspace's regional host there, wherever that is.
type regional struct{ rest *rest.Client }

func (t *regional) Do(r *http.Request) (*http.Response, error) {
	if r.URL.Host != undiscovered {
		return t.rest.Transport().Do(r)
	}
	base, err := t.rest.DataPlane(r.Context())
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	found := r.Clone(r.Context())
	found.URL.Scheme, found.URL.Host, found.Host = u.Scheme, u.Host, ""
	found.URL.Path, found.URL.RawPath = u.Path+r.URL.Path, ""
	if r.URL.RawPath != "" {
		found.URL.RawPath = u.EscapedPath() + r.URL.RawPath
	}
	return t.rest.Transport().Do(found)
}

// TrackingURI is the MLflow tracking URI of the workspace: what MLFLOW_TRACKING_URI is set to for other programs
// (Workspaces_Get).
func (c *Client) TrackingURI(ctx context.Context) (string, error) {
	w, err := c.rest.Workspace(ctx)
	if err != nil {
		return "", err
	}
	if w.TrackingURI == "" {
		return "", fmt.Errorf("workspace: get %q: the workspace names no tracking URI", c.id.Name)
	}
	return w.TrackingURI, nil
}
