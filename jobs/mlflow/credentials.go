package mlflow

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// authorizer puts the credential on a request.
type authorizer interface {
	authorize(ctx context.Context, req *http.Request) error
}

type basicAuth struct{ user, password string }

func (a basicAuth) authorize(_ context.Context, req *http.Request) error {
	req.SetBasicAuth(a.user, a.password)
	return nil
}

type bearer string

func (a bearer) authorize(_ context.Context, req *http.Request) error {
	req.Header.Set("Authorization", "Bearer "+string(a))
	return nil
}

// tokenAuth keeps the token of a credential until shortly before it expires.
type tokenAuth struct {
	credential azcore.TokenCredential
	scope      string
	insecure   bool // loopback without TLS is allowed
	clock      Clock

	mu     sync.Mutex
	cached azcore.AccessToken
}

// tokenMargin is how long before its end a token is no longer used.
const tokenMargin = 5 * time.Minute

func (a *tokenAuth) authorize(ctx context.Context, req *http.Request) error {
	if req.URL.Scheme != "https" && !(a.insecure && loopback(req.URL.Hostname())) {
		return errors.New("a credential is not sent without TLS")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cached.Token == "" || !a.clock.Now().Add(tokenMargin).Before(a.cached.ExpiresOn) {
		token, err := a.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{a.scope}})
		if err != nil {
			return err
		}
		a.cached = token
	}
	req.Header.Set("Authorization", "Bearer "+a.cached.Token)
	return nil
}

// newAuthorizer picks among the ways of Options; nil is an open server.
func (o *Options) newAuthorizer(clock Clock) authorizer {
	switch {
	case o.Username != "" && o.Password != "":
		return basicAuth{o.Username, o.Password}
	case o.Token != "":
		return bearer(o.Token)
	case o.Credential != nil:
		scope := o.Scope
		if scope == "" {
			scope = "https://management.azure.com/.default"
		}
		return &tokenAuth{credential: o.Credential, scope: scope, insecure: o.InsecureAllowCredentialWithHTTP, clock: clock}
	}
	return nil
}
