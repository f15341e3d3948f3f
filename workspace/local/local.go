package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azureml-go/azureml/internal/emulator"
	"github.com/azureml-go/azureml/workspace"
)

// Workspace is a local workspace that runs. Safe for use by many goroutines.
type Workspace struct {
	// Client reaches it in this process, without a port.
	Client *workspace.Client
	// Dir holds its state.
	Dir string

	server    *emulator.Server
	temporary bool
	close     sync.Once
	closed    error
}

// Start opens a local workspace and returns when it can be used. Jobs that were running when the folder's last owner died are Failed by then, and their processes gone;
// deployments start again in the background. ctx bounds the start alone.
//
// Errors: the folder is in use by another process, whose id the error names; Options that are not possible; an address that cannot be listened on.
func Start(ctx context.Context, o *Options) (*Workspace, error) {
	w, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("local: start: %w", err)
	}
	return w, nil
}

func start(ctx context.Context, o *Options) (_ *Workspace, err error) {
	if o == nil {
		o = &Options{}
	}
	for _, c := range []struct {
		field string
		value string
		known [3]string
	}{{"Auth", string(o.Auth), [3]string{"", string(AuthOn), string(AuthOff)}}, {"Sync", string(o.Sync), [3]string{"", string(Normal), string(Full)}}} {
		if c.value != c.known[0] && c.value != c.known[1] && c.value != c.known[2] {
			return nil, fmt.Errorf("Options.%s: %q is neither %s nor %s", c.field, c.value, c.known[1], c.known[2])
		}
	}
	w := &Workspace{}
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "azureml-local-"); err != nil {
			return nil, err
		}
		w.temporary, w.Dir = true, dir
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.server, err = emulator.Open(ctx, o.server(dir)); err != nil {
		return nil, err
	}
	w.Dir = w.server.Dir()
	if o.Listen != "" {
		if _, err := w.server.Listen(o.Listen); err != nil {
			return nil, err
		}
	}
	co := &workspace.Options{ClientOptions: azcore.ClientOptions{Transport: w.Transport()}, Logger: o.Logger}
	w.Client, err = workspace.New(w.ID(), w.Credential(), co)
	return w, err
}

// ID names the workspace.
func (w *Workspace) ID() workspace.ID {
	sc := w.server.Scope()
	return workspace.ID{Subscription: sc.Subscription, ResourceGroup: sc.ResourceGroup, Name: sc.Workspace}
}

// Credential is what Client uses, for further clients of one's own.
func (w *Workspace) Credential() azcore.TokenCredential {
	return workspace.StaticToken(w.server.Token())
}

// Token is the bearer token that opens the workspace. It differs for each folder and stays as long as the folder does.
func (w *Workspace) Token() string { return w.server.Token() }

// Transport carries requests to Azure's hosts into the workspace, for further clients of one's own: those of Microsoft's modules take it in azcore.ClientOptions.
// It is an http.RoundTripper too.
func (w *Workspace) Transport() policy.Transporter { return w.server.Transport() }

// URL is the address of the port, "http://127.0.0.1:1234". It opens the port when it is not open yet.
func (w *Workspace) URL() (string, error) {
	u, err := w.server.BaseURL()
	if err != nil {
		return "", fmt.Errorf("local: url: %w", err)
	}
	return u, nil
}

// Environ are the variables, as "NAME=value", with which other programs find the workspace: those that workspace.FromEnvironment and azure-ai-ml read, and MLflow's.
// It opens the port when it is not open yet. They hold the token.
func (w *Workspace) Environ() ([]string, error) {
	u, err := w.URL()
	if err != nil {
		return nil, err
	}
	id := w.ID()
	return []string{
		"AZUREML_DEV_URL_MFE=" + u,
		"AZUREML_LOCAL_TOKEN=" + w.Token(),
		"AZUREML_ARM_SUBSCRIPTION=" + id.Subscription,
		"AZUREML_ARM_RESOURCEGROUP=" + id.ResourceGroup,
		"AZUREML_ARM_WORKSPACE_NAME=" + id.Name,
		"REGISTRY_DISCOVERY_ENDPOINT_URL=" + u + "/",
		"MLFLOW_TRACKING_URI=" + u,
		"MLFLOW_TRACKING_TOKEN=" + w.Token(),
	}, nil
}

// Close ends jobs and deployments, with all their processes, and gives the folder up; a temporary one is removed. What ran is Canceled;
// commands that waited for a compute run when the folder is started again. Closing twice is not an error.
func (w *Workspace) Close() error {
	w.close.Do(func() {
		if w.server != nil {
			w.closed = w.server.Close()
		}
		if w.temporary {
			w.closed = errors.Join(w.closed, os.RemoveAll(w.Dir))
		}
		if w.closed != nil {
			w.closed = fmt.Errorf("local: close: %w", w.closed)
		}
	})
	return w.closed
}
