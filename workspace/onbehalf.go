package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// OnBehalfOfOptions are the choices of NewOnBehalfOfCredential. Nil is fine.
type OnBehalfOfOptions struct {
	azcore.ClientOptions
	// Clock tells the time. Defaults to time.Now.
	Clock func() time.Time
}

// ErrNoUserIdentity says that the program does not run in a job with the identity of the user who submitted it.
var ErrNoUserIdentity = errors.New("no identity of a user is here: it is on Azure ML's computes, in jobs whose identity is the user's (azureml.Identity{User: &azureml.UserIdentity{}}; YAML: identity: {type: user_identity})")

// OnBehalfOfCredential gets tokens of the user who submitted the job that the program runs in, from the compute's own
// token service (the variable OBO_ENDPOINT), as azure-ai-ml's AzureMLOnBehalfOfCredential does. It is safe for concurrent
// use; tokens are kept until five minutes before they end.
type OnBehalfOfCredential struct {
	endpoint *url.URL
	pipeline runtime.Pipeline
	clock    func() time.Time

	mu     sync.Mutex
	tokens map[string]azcore.AccessToken // by resource
}

// NewOnBehalfOfCredential makes the credential. Outside such a job it is ErrNoUserIdentity.
func NewOnBehalfOfCredential(o *OnBehalfOfOptions) (*OnBehalfOfCredential, error) {
	if o == nil {
		o = &OnBehalfOfOptions{}
	}
	at := os.Getenv("OBO_ENDPOINT")
	if at == "" {
		return nil, fmt.Errorf("workspace: on behalf of: %w", ErrNoUserIdentity)
	}
	u, err := url.Parse(at)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("workspace: on behalf of: OBO_ENDPOINT is no http address")
	}
	c := &OnBehalfOfCredential{endpoint: u, clock: o.Clock, tokens: map[string]azcore.AccessToken{}}
	if c.clock == nil {
		c.clock = time.Now
	}
	c.pipeline = runtime.NewPipeline("azureml", "", runtime.PipelineOptions{}, &o.ClientOptions)
	return c, nil
}

// refreshBefore is how long before its end a token is asked for anew.
const refreshBefore = 5 * time.Minute

// GetToken implements azcore.TokenCredential. It takes one scope (GET OBO_ENDPOINT?resource=…).
func (c *OnBehalfOfCredential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if len(o.Scopes) != 1 {
		return azcore.AccessToken{}, fmt.Errorf("workspace: on behalf of: want one scope, got %d", len(o.Scopes))
	}
	resource := strings.TrimSuffix(o.Scopes[0], "/.default")
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tokens[resource]; ok && c.clock().Before(t.ExpiresOn.Add(-refreshBefore)) {
		return t, nil
	}
	t, err := c.request(ctx, resource)
	if err != nil {
		return azcore.AccessToken{}, fmt.Errorf("workspace: on behalf of: token for %s: %w", resource, err)
	}
	c.tokens[resource] = t
	return t, nil
}

func (c *OnBehalfOfCredential) request(ctx context.Context, resource string) (azcore.AccessToken, error) {
	u := *c.endpoint
	q := u.Query()
	q.Set("resource", resource)
	u.RawQuery = q.Encode()
	req, err := runtime.NewRequest(ctx, http.MethodGet, u.String())
	if err != nil {
		return azcore.AccessToken{}, err
	}
	asked := c.clock()
	resp, err := c.pipeline.Do(req)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return azcore.AccessToken{}, runtime.NewResponseError(resp)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return tokenOf(b, asked)
}

// number takes a JSON number or its text, as the service sends either.
type number int64

func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*n = number(v)
	return err
}

// tokenOf reads the service's answer. What is wrong with one is said without its content, which is secret.
func tokenOf(b []byte, asked time.Time) (azcore.AccessToken, error) {
	var a struct {
		AccessToken string  `json:"access_token"`
		Token       string  `json:"token"`
		ExpiresOn   *number `json:"expires_on"`
		ExpiresIn   *number `json:"expires_in"`
		Expires     string  `json:"expiresOn"`
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return azcore.AccessToken{}, errors.New("the answer is not the JSON of a token")
	}
	t := azcore.AccessToken{Token: a.AccessToken}
	if t.Token == "" {
		t.Token = a.Token
	}
	switch {
	case a.ExpiresOn != nil:
		t.ExpiresOn = time.Unix(int64(*a.ExpiresOn), 0)
	case a.ExpiresIn != nil:
		t.ExpiresOn = asked.Add(time.Duration(*a.ExpiresIn) * time.Second)
	case a.Expires != "":
		at, err := time.Parse(time.RFC3339, a.Expires)
		if err != nil {
			return azcore.AccessToken{}, errors.New("the token's end is not a time")
		}
		t.ExpiresOn = at
	default:
		return azcore.AccessToken{}, errors.New("the answer does not say when the token ends")
	}
	if t.Token == "" {
		return azcore.AccessToken{}, errors.New("the answer holds no token")
	}
	return t, nil
}
