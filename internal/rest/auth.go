package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// authorization is what a request carries through the pipeline: the scope of the token it wants, "" for none.
type authorization struct {
	scope   string
	scoring bool // the inference hosts of the cloud are allowed too
}

// authPolicy adds the caller's bearer token, to trusted hosts only.
type authPolicy struct {
	cred      azcore.TokenCredential
	trust     *trust
	allowHTTP bool
	mu        sync.Mutex
	byScope   map[string]*runtime.BearerTokenPolicy
}

func (p *authPolicy) Do(req *policy.Request) (*http.Response, error) {
	var want authorization
	req.OperationValue(&want)
	u := req.Raw().URL
	if want.scope == "" {
		if signed(u) {
			req.Raw().Header.Del("Authorization")
		}
		return req.Next()
	}
	if !p.trust.allows(u) && (!want.scoring || !p.trust.allowsScoring(u)) {
		return nil, &hostError{host: u.Scheme + "://" + u.Host}
	}
	if signed(u) {
		return nil, fatal(fmt.Errorf("an address of %s with a signature gets no token", u.Host))
	}
	if p.cred == nil {
		return req.Next()
	}
	return p.bearer(want.scope).Do(req)
}

func (p *authPolicy) bearer(scope string) *runtime.BearerTokenPolicy {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.byScope[scope]
	if b == nil {
		b = runtime.NewBearerTokenPolicy(p.cred, []string{scope}, &policy.BearerTokenOptions{InsecureAllowCredentialWithHTTP: p.allowHTTP})
		p.byScope[scope] = b
	}
	return b
}

// signed reports whether an address carries a shared access signature.
func signed(u *url.URL) bool { return u.Query().Has("sig") }

// hostError says that a request was not sent because its host is not trusted.
type hostError struct{ host string }

func (e *hostError) Error() string {
	return fmt.Sprintf("%s is neither the resource manager nor a host that discovery named: no request with a token is sent there", e.host)
}

// NonRetriable marks the error for retry policies.
func (e *hostError) NonRetriable() {}

// fatalError is an error that no retry can cure.
type fatalError struct{ error }

func fatal(err error) error { return &fatalError{err} }

func (e *fatalError) Unwrap() error { return e.error }

// NonRetriable marks the error for retry policies.
func (e *fatalError) NonRetriable() {}

// stripPolicy keeps tokens off addresses that carry a signature, in pipelines that are not ours (blob clients).
type stripPolicy struct{}

func (stripPolicy) Do(req *policy.Request) (*http.Response, error) {
	if signed(req.Raw().URL) {
		req.Raw().Header.Del("Authorization")
	}
	return req.Next()
}
