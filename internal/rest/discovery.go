package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Workspace is what the client itself needs to know of its workspace. It does not change.
type Workspace struct {
	GUID         string
	Location     string
	DiscoveryURL string
	TrackingURI  string // azureml://HOST/mlflow/v1.0/subscriptions/…
	TenantID     string
	Document     json.RawMessage // the whole resource, as first read
}

// RegistryInfo is where a registry is.
type RegistryInfo struct {
	Name              string   `json:"registryName"`
	TenantID          string   `json:"tenantId"`
	PrimaryRegion     string   `json:"primaryRegion"`
	Regions           []string `json:"regions"`
	Subscription      string   `json:"subscriptionId"`
	ResourceGroup     string   `json:"resourceGroup"`
	ManagedName       string   `json:"workspaceName"`
	ResourceProviders string   `json:"primaryRegionResourceProviderUri"`
}

// Path is the registry's ARM path followed by the segments.
func (r *RegistryInfo) Path(segments ...string) string {
	return join(join("", "subscriptions", r.Subscription, "resourceGroups", r.ResourceGroup, "providers", provider, "registries", r.Name), segments...)
}

// discoveries caches what was found. turn lets one caller ask while the others wait, each with its own context.
type discoveries struct {
	turn       chan struct{}
	workspace  *Workspace
	services   map[string]string
	registries map[string]*RegistryInfo
}

func newDiscoveries() *discoveries {
	return &discoveries{turn: make(chan struct{}, 1), registries: map[string]*RegistryInfo{}}
}

func (d *discoveries) lock(ctx context.Context) (func(), error) {
	select {
	case d.turn <- struct{}{}:
		return func() { <-d.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Workspace reads the workspace once (Workspaces_Get) and remembers it.
func (c *Client) Workspace(ctx context.Context) (*Workspace, error) {
	unlock, err := c.found.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return c.workspace(ctx)
}

func (c *Client) workspace(ctx context.Context) (*Workspace, error) {
	if c.found.workspace != nil {
		return c.found.workspace, nil
	}
	var raw json.RawMessage
	err := c.Do(ctx, &Call{Op: fmt.Sprintf("workspace: get %q", c.id.Name), Path: c.Path(), Group: "workspaces", Out: &raw})
	if err != nil {
		return nil, err
	}
	var doc struct {
		Location   string `json:"location"`
		Properties struct {
			WorkspaceID       string `json:"workspaceId"`
			DiscoveryURL      string `json:"discoveryUrl"`
			MLFlowTrackingURI string `json:"mlFlowTrackingUri"`
			TenantID          string `json:"tenantId"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, fmt.Errorf("workspace: get %q: decoding the answer: %w", c.id.Name, err)
	}
	p := doc.Properties
	c.found.workspace = &Workspace{
		GUID: p.WorkspaceID, Location: doc.Location, DiscoveryURL: p.DiscoveryURL,
		TrackingURI: p.MLFlowTrackingURI, TenantID: p.TenantID, Document: raw,
	}
	return c.found.workspace, nil
}

// Services is the workspace's discovery document: base addresses by service, without a slash at their end. It is read
// once, without a token. Only addresses to which tokens may be sent are in it.
func (c *Client) Services(ctx context.Context) (map[string]string, error) {
	unlock, err := c.found.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if c.found.services != nil {
		return c.found.services, nil
	}
	w, err := c.workspace(ctx)
	if err != nil {
		return nil, err
	}
	op := fmt.Sprintf("workspace: discover %q", c.id.Name)
	u, err := url.Parse(w.DiscoveryURL)
	switch {
	case w.DiscoveryURL == "":
		return nil, fmt.Errorf("%s: the workspace names no discovery address", op)
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("%s: the discovery address %q is none", op, redactText(w.DiscoveryURL))
	case u.Scheme != "https" && originOf(u) != c.trust.arm:
		return nil, fmt.Errorf("%s: the discovery address %s://%s is not https", op, u.Scheme, u.Host)
	}
	var named map[string]any
	if err := c.Do(ctx, &Call{Op: op, Plane: Raw, Path: w.DiscoveryURL, Out: &named}); err != nil {
		return nil, err
	}
	services := map[string]string{}
	var faults []error
	for name, v := range named {
		s, ok := v.(string)
		if !ok || !strings.Contains(s, "://") {
			continue
		}
		if a, err := c.trust.learn(s); err == nil {
			services[name] = a.String()
		} else if name == "api" {
			faults = append(faults, err)
		}
	}
	if services["api"] == "" {
		return nil, fmt.Errorf("%s: %w", op, errors.Join(append(faults, errors.New("the discovery document names no usable api address"))...))
	}
	c.found.services = services
	return services, nil
}

// DataPlane is the base address of the workspace's regional services, without a slash at its end.
func (c *Client) DataPlane(ctx context.Context) (string, error) {
	s, err := c.Services(ctx)
	if err != nil {
		return "", err
	}
	return s["api"], nil
}

// RegistryInfo looks a registry up (registrymanagement/v1.0/registries/{name}/discovery) and remembers it.
func (c *Client) RegistryInfo(ctx context.Context, name string) (*RegistryInfo, error) {
	op := fmt.Sprintf("registry: discover %q", name)
	unlock, err := c.found.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	key := strings.ToLower(name)
	if r := c.found.registries[key]; r != nil {
		return r, nil
	}
	if c.registry == nil {
		return nil, fmt.Errorf("%s: no address of registry discovery is configured for this cloud", op)
	}
	path := join("/registrymanagement/v1.0/registries", name, "discovery")
	if err := checkPath(path); err != nil {
		return nil, WithOp(op, err)
	}
	u, err := url.Parse(c.registry.String() + path + "?api-version=v1.0")
	if err != nil {
		return nil, WithOp(op, cleanError(err))
	}
	resp, err := c.sendTo(ctx, &Call{Op: op}, u, false)
	if err != nil {
		return nil, err
	}
	r := &RegistryInfo{}
	if err := decodeBody(resp, r); err != nil {
		return nil, WithOp(op, err)
	}
	a, err := c.trust.learn(r.ResourceProviders)
	if err != nil {
		return nil, WithOp(op, err)
	}
	r.ResourceProviders = a.String()
	if r.Name == "" {
		r.Name = name
	}
	c.found.registries[key] = r
	return r, nil
}

// registryBase is where the management front end of a registry is.
func (c *Client) registryBase(ctx context.Context, name string) (string, error) {
	r, err := c.RegistryInfo(ctx, name)
	if err != nil {
		return "", err
	}
	return r.ResourceProviders + "/mferp/managementfrontend", nil
}
