package rest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/tracing"
)

// StorageScope is what a token for blobs is asked for.
const StorageScope = "https://storage.azure.com/.default"

// Options is how a client reaches its world. The zero value is the public cloud.
type Options struct {
	// ClientOptions are azcore's. Logging.IncludeBody is not honoured: bodies carry keys and signatures.
	// APIVersion, if set, is for all groups of operations that take one.
	azcore.ClientOptions
	// Endpoint is the base address of the resource manager. Defaults to the cloud's. It is https, or http of a literal
	// loopback address, which then stands for all services and takes a [StaticToken] only.
	Endpoint string
	// RegistryDiscovery is the base address at which registries are looked up. Defaults to the cloud's, or to a loopback Endpoint.
	RegistryDiscovery string
	// APIVersions overrides the api-version of single groups of operations.
	APIVersions map[string]string
	// PollInterval is the wait between polls of an operation whose service asks for none. Defaults to what PollUntilDone is given.
	PollInterval time.Duration
	// Clock defaults to the machine's.
	Clock Clock
	// Logger gets a debug record for each request and a warning for each that is sent again. Defaults to none.
	Logger *slog.Logger
	// HashCache is the folder where the hashes of trees are remembered. Defaults to azureml-go/hashes in os.UserCacheDir; "-"
	// remembers none.
	HashCache string
}

// Client sends the calls of one workspace. It is safe for use by many goroutines.
type Client struct {
	id       ID
	cred     azcore.TokenCredential
	base     *url.URL
	place    place
	registry *url.URL
	trust    *trust
	versions map[string]string
	pipeline runtime.Pipeline
	tracer   tracing.Tracer
	options  Options
	found    *discoveries
}

// New makes a client. It sends nothing.
func New(id ID, cred azcore.TokenCredential, o *Options) (*Client, error) {
	if o == nil {
		o = &Options{}
	}
	c := &Client{id: id, cred: cred, options: *o, found: newDiscoveries()}
	for _, f := range []struct{ name, value string }{{"Subscription", id.Subscription}, {"ResourceGroup", id.ResourceGroup}, {"Name", id.Name}} {
		if strings.TrimSpace(f.value) == "" || strings.ContainsAny(f.value, "/\\?#") {
			return nil, fmt.Errorf("rest: ID.%s: %q is no name", f.name, f.value)
		}
	}
	var err error
	if c.place, err = where(o.Cloud); err != nil {
		return nil, err
	}
	address := o.Endpoint
	if address == "" {
		address = c.place.arm
	}
	if c.base, err = baseURL("Options.Endpoint", address); err != nil {
		return nil, err
	}
	if c.Local() && cred != nil && !IsStatic(cred) {
		return nil, fmt.Errorf("rest: Options.Endpoint: %s is plain http: only the static token of a local workspace goes there, not a %T", c.base.Host, cred)
	}
	if !c.Local() && cred == nil {
		return nil, errors.New("rest: a credential is needed")
	}
	c.trust = newTrust(c.base, c.place.inference)
	discovery := o.RegistryDiscovery
	switch {
	case discovery != "":
	case c.Local():
		discovery = c.base.String()
	default:
		discovery = c.place.registry
	}
	if discovery != "" {
		if c.registry, err = baseURL("Options.RegistryDiscovery", discovery); err != nil {
			return nil, err
		}
		if _, err = c.trust.learn(c.registry.String()); err != nil {
			return nil, fmt.Errorf("rest: Options.RegistryDiscovery: %s is another host than the loopback address of the resource manager", c.registry.Host)
		}
	}
	if c.versions, err = versionTable(o.APIVersion, o.APIVersions); err != nil {
		return nil, err
	}
	if c.options.Clock == nil {
		c.options.Clock = systemClock{}
	}
	if c.options.Logger == nil {
		c.options.Logger = slog.New(slog.DiscardHandler)
	}
	if c.options.Transport == nil {
		c.options.Transport = defaultTransport()
	}
	c.options.Transport = &cleanTransport{c.options.Transport}
	c.options.Logging.IncludeBody = false
	c.pipeline = c.newPipeline()
	c.tracer = o.TracingProvider.NewTracer("azureml-go", Version)
	if c.tracer.Enabled() {
		c.tracer.SetAttributes(tracing.Attribute{Key: "az.namespace", Value: provider})
	}
	return c, nil
}

func (c *Client) newPipeline() runtime.Pipeline {
	co := c.options.ClientOptions
	retry := newRetryPolicy(co.Retry, c.options.Clock, c.options.Logger)
	call := append([]policy.Policy{newUserAgentPolicy(co.Telemetry), runtime.NewRequestIDPolicy()}, co.PerCallPolicies...)
	co.PerCallPolicies, co.APIVersion, co.Telemetry.Disabled = nil, "", true
	return runtime.NewPipeline("azureml-go", Version, runtime.PipelineOptions{
		PerCall: append(call, retry),
		PerRetry: []policy.Policy{
			&authPolicy{cred: c.cred, trust: c.trust, allowHTTP: c.Local(), byScope: map[string]*runtime.BearerTokenPolicy{}},
			&logPolicy{logger: c.options.Logger, clock: c.options.Clock},
		},
	}, &co)
}

// ID is the workspace.
func (c *Client) ID() ID { return c.id }

// Local reports whether the resource manager is a loopback http address.
func (c *Client) Local() bool { return c.base.Scheme == "http" }

// Endpoint is the base address of the resource manager, without a slash at its end.
func (c *Client) Endpoint() string { return c.base.String() }

// ARMScope is what tokens for the resource manager and the regional services are asked for.
func (c *Client) ARMScope() string { return scopeOf(c.place.audience) }

// MLScope is what tokens for scoring, batch jobs and x-azureml-token are asked for.
func (c *Client) MLScope() string { return scopeOf(c.place.ml) }

// Credential is the caller's; nil for a local workspace without authentication.
func (c *Client) Credential() azcore.TokenCredential { return c.cred }

// Token gets a token of the caller for a scope; "" for a local workspace without authentication.
func (c *Client) Token(ctx context.Context, scope string) (string, error) {
	if c.cred == nil {
		return "", nil
	}
	t, err := c.cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	if err != nil {
		return "", fmt.Errorf("getting a token for %s: %w", scope, cleanError(err))
	}
	return t.Token, nil
}

// Clock is the configured clock.
func (c *Client) Clock() Clock { return c.options.Clock }

// Logger is the configured logger, never nil.
func (c *Client) Logger() *slog.Logger { return c.options.Logger }

// Transport is what requests are sent with, never nil.
func (c *Client) Transport() policy.Transporter { return c.options.Transport }

// HashCache is the folder where the hashes of trees are remembered; "" when they are not.
func (c *Client) HashCache() string {
	switch dir := c.options.HashCache; dir {
	case "-":
		return ""
	case "":
		base, err := os.UserCacheDir()
		if err != nil { // no home: nothing is remembered
			return ""
		}
		return filepath.Join(base, "azureml-go", "hashes")
	default:
		return dir
	}
}

// PollInterval is the configured interval, 0 if none.
func (c *Client) PollInterval() time.Duration { return c.options.PollInterval }

// StorageOptions are for the blob client: the same transport, retries, logging and tracing; an address with a signature
// never gets a token.
func (c *Client) StorageOptions() azcore.ClientOptions {
	co := c.options.ClientOptions
	co.APIVersion = ""
	co.PerRetryPolicies = append(append([]policy.Policy{}, co.PerRetryPolicies...), stripPolicy{})
	return co
}
