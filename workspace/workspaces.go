package workspace

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// WorkspacesClient reads workspaces of the client's resource group and subscription. Where a name is "", the client's own
// workspace is meant. It is safe for use by many goroutines.
type WorkspacesClient struct{ rest *rest.Client }

// BeginOptions are the choices of what begins a long-running operation.
type BeginOptions struct {
	// ResumeToken continues what an earlier poller began; nothing is sent.
	ResumeToken string
}

func (o *BeginOptions) token() string {
	if o == nil {
		return ""
	}
	return o.ResumeToken
}

func (c *WorkspacesClient) call(verb, name string, more ...string) *rest.Call {
	if name == "" {
		name = c.rest.ID().Name
	}
	return &rest.Call{
		Op: fmt.Sprintf("workspace: %s %q", verb, name), Group: "workspaces",
		Path: rest.Join(c.rest.GroupProviderPath("workspaces", name), more...),
	}
}

// post is a POST that only reads.
func (c *WorkspacesClient) post(verb, name, action string) *rest.Call {
	call := c.call(verb, name, action)
	call.Method, call.Idempotent = http.MethodPost, true
	return call
}

// Get reads a workspace with its discovery address (Workspaces_Get).
func (c *WorkspacesClient) Get(ctx context.Context, name string) (*Workspace, error) {
	return rest.Ask[Workspace](ctx, c.rest, c.call("get", name))
}

// AllOptions choose workspaces.
type AllOptions struct {
	// Subscription lists all groups of the subscription; else the client's group is listed.
	Subscription bool
	// Kinds defaults to all of them.
	Kinds []Kind
}

// All yields workspaces (Workspaces_ListByResourceGroup, Workspaces_ListBySubscription).
func (c *WorkspacesClient) All(ctx context.Context, o *AllOptions) iter.Seq2[*Workspace, error] {
	if o == nil {
		o = &AllOptions{}
	}
	kinds := make([]string, 0, len(o.Kinds))
	for _, k := range o.Kinds {
		kinds = append(kinds, string(k))
	}
	if len(kinds) == 0 {
		kinds = []string{string(Default), string(Project), string(Hub), string(FeatureStoreKind)}
	}
	call := &rest.Call{
		Op: "workspace: list", Group: "workspaces", Path: c.rest.GroupProviderPath("workspaces"), Query: url.Values{"kind": {strings.Join(kinds, ",")}},
	}
	if o.Subscription {
		call.Path = c.rest.ProviderPath("workspaces")
	}
	return rest.All(ctx, c.rest, call, rest.As[Workspace])
}

// Services are the base addresses of the workspace's regional services, by name: api, history, studio … (the discovery
// document, read once).
func (c *Client) Services(ctx context.Context) (map[string]string, error) {
	s, err := c.rest.Services(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(s))
	for k, v := range s {
		out[k] = v
	}
	return out, nil
}

// Keys are the secrets of a workspace's resources.
type Keys struct {
	StorageKey          string             `json:"userStorageKey"`
	StorageAccount      string             `json:"userStorageArmId"`
	ApplicationInsights string             `json:"appInsightsInstrumentationKey"`
	Registry            *RegistryPasswords `json:"containerRegistryCredentials"`
	Notebooks           *NotebookKeys      `json:"notebookAccessKeys"`
}

// RegistryPasswords open a workspace's container registry.
type RegistryPasswords struct {
	Location  string `json:"location"`
	User      string `json:"username"`
	Passwords []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"passwords"`
}

// NotebookKeys open a workspace's notebook service.
type NotebookKeys struct {
	Primary   string `json:"primaryAccessKey"`
	Secondary string `json:"secondaryAccessKey"`
}

// String keeps the keys out of what is printed.
func (Keys) String() string { return "workspace keys (redacted)" }

// GoString is String.
func (k Keys) GoString() string { return k.String() }

// String keeps the passwords out of what is printed.
func (RegistryPasswords) String() string { return "container registry passwords (redacted)" }

// GoString is String.
func (p RegistryPasswords) GoString() string { return p.String() }

// String keeps the keys out of what is printed.
func (NotebookKeys) String() string { return "notebook keys (redacted)" }

// GoString is String.
func (k NotebookKeys) GoString() string { return k.String() }

// UnmarshalJSON reads both names that the storage account's id has.
func (k *Keys) UnmarshalJSON(b []byte) error {
	type plain Keys
	var r struct {
		plain
		Resource string `json:"userStorageResourceId"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	*k = Keys(r.plain)
	if k.StorageAccount == "" {
		k.StorageAccount = r.Resource
	}
	return nil
}

// Keys reads the secrets of a workspace's resources (Workspaces_ListKeys).
func (c *WorkspacesClient) Keys(ctx context.Context, name string) (*Keys, error) {
	return rest.Ask[Keys](ctx, c.rest, c.post("list keys of", name, "listKeys"))
}

// StorageKey reads the key of a workspace's storage account (Workspaces_ListStorageAccountKeys).
func (c *WorkspacesClient) StorageKey(ctx context.Context, name string) (string, error) {
	type answer struct {
		Key string `json:"userStorageKey"`
	}
	out, err := rest.Ask[answer](ctx, c.rest, c.post("list storage keys of", name, "listStorageAccountKeys"))
	if err != nil {
		return "", err
	}
	return out.Key, nil
}

// NotebookKeys reads the keys of a workspace's notebook service (Workspaces_ListNotebookKeys).
func (c *WorkspacesClient) NotebookKeys(ctx context.Context, name string) (*NotebookKeys, error) {
	return rest.Ask[NotebookKeys](ctx, c.rest, c.post("list notebook keys of", name, "listNotebookKeys"))
}

// NotebookToken opens a workspace's notebook service for some time.
type NotebookToken struct {
	Host         string
	PublicDNS    string
	ResourceID   string
	AccessToken  string
	RefreshToken string
	Type         string
	Scope        string
	ExpiresIn    time.Duration
}

// String keeps the token out of what is printed.
func (NotebookToken) String() string { return "notebook token (redacted)" }

// GoString is String.
func (t NotebookToken) GoString() string { return t.String() }

// UnmarshalJSON reads the service's names and seconds.
func (t *NotebookToken) UnmarshalJSON(b []byte) error {
	var r struct {
		Host         string `json:"hostName"`
		PublicDNS    string `json:"publicDns"`
		ResourceID   string `json:"notebookResourceId"`
		AccessToken  string `json:"accessToken"`
		RefreshToken string `json:"refreshToken"`
		Type         string `json:"tokenType"`
		Scope        string `json:"scope"`
		ExpiresIn    int64  `json:"expiresIn"`
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	*t = NotebookToken{r.Host, r.PublicDNS, r.ResourceID, r.AccessToken, r.RefreshToken, r.Type, r.Scope, time.Duration(r.ExpiresIn) * time.Second}
	return nil
}

// NotebookToken gets a token for a workspace's notebook service (Workspaces_ListNotebookAccessToken).
func (c *WorkspacesClient) NotebookToken(ctx context.Context, name string) (*NotebookToken, error) {
	return rest.Ask[NotebookToken](ctx, c.rest, c.post("get notebook token of", name, "listNotebookAccessToken"))
}

// BeginPrepareNotebooks makes a workspace's notebook service ready (Workspaces_PrepareNotebook).
func (c *WorkspacesClient) BeginPrepareNotebooks(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, c.action("prepare notebooks of", name, "prepareNotebook", nil, o), rest.Nothing)
}

// BeginResyncKeys makes a workspace read the keys of its storage account and registry anew (Workspaces_ResyncKeys).
func (c *WorkspacesClient) BeginResyncKeys(ctx context.Context, name string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return rest.Begin(ctx, c.rest, c.action("resync keys of", name, "resyncKeys", nil, o), rest.Nothing)
}

func (c *WorkspacesClient) action(verb, name, action string, body any, o *BeginOptions) *rest.Call {
	call := c.call(verb, name, action)
	call.Method, call.Idempotent, call.Body, call.ResumeToken = http.MethodPost, true, body, o.token()
	return call
}
