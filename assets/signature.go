package assets

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

const (
	// renewBefore is how long before its end a signature is replaced, renewPause how long nobody asks for another after
	// one was given: a service whose signatures have ended when they come is not asked for each request.
	renewBefore = 2 * time.Minute
	renewPause  = 30 * time.Second
)

// A signature signs the requests of a storage client. When it ends, in the middle of a transfer too, a fresh one is asked for.
type signature struct {
	now func() time.Time
	// renew asks for a fresh one; nil when nobody gives one.
	renew func(ctx context.Context) (query string, err error)

	mu      sync.Mutex
	query   string
	expires time.Time // zero when it does not say
	asked   time.Time
}

func newSignature(query string, now func() time.Time, renew func(context.Context) (string, error)) *signature {
	s := &signature{now: now, renew: renew}
	s.set(query)
	return s
}

func (s *signature) set(query string) {
	s.query, s.expires = strings.TrimPrefix(query, "?"), time.Time{}
	if q, err := url.ParseQuery(s.query); err == nil {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", "2006-01-02"} {
			if t, err := time.Parse(layout, q.Get("se")); err == nil {
				s.expires = t
				break
			}
		}
	}
}

// current gives the signature, a fresh one when it ends soon. Others wait for the one who asks.
func (s *signature) current(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renew == nil || s.expires.IsZero() || s.now().Before(s.expires.Add(-renewBefore)) || s.now().Sub(s.asked) < renewPause {
		return s.query, nil
	}
	err := s.ask(ctx)
	if err != nil && s.now().Before(s.expires) {
		err = nil // it holds for a while still
	}
	return s.query, err
}

// after gives a signature other than the one that was refused, if there is one.
func (s *signature) after(ctx context.Context, refused string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.query != refused {
		return s.query, true, nil
	}
	if s.renew == nil || s.now().Sub(s.asked) < renewPause {
		return "", false, nil
	}
	err := s.ask(ctx)
	return s.query, s.query != refused, err
}

func (s *signature) ask(ctx context.Context) error {
	s.asked = s.now()
	q, err := s.renew(ctx)
	if err != nil {
		return err
	}
	s.set(q)
	return nil
}

// Do signs a request. One that is refused because the signature has ended is sent again with a fresh one.
func (s *signature) Do(req *policy.Request) (*http.Response, error) {
	ctx := req.Raw().Context()
	q, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	plain := req.Raw().URL.RawQuery
	req.Raw().URL.RawQuery = joinQuery(plain, q)
	resp, err := req.Next()
	if err != nil || resp.StatusCode != http.StatusForbidden || resp.Header.Get("x-ms-error-code") != "AuthenticationFailed" {
		req.Raw().URL.RawQuery = plain // a retry signs again
		return resp, err
	}
	fresh, ok, err := s.after(ctx, q)
	if err != nil || !ok {
		req.Raw().URL.RawQuery = plain
		return resp, nil // the refusal says more
	}
	if err := req.RewindBody(); err != nil {
		return nil, err
	}
	resp.Body.Close() //nolint:errcheck // nothing of it is wanted
	req.Raw().URL.RawQuery = joinQuery(plain, fresh)
	resp, err = req.Next()
	req.Raw().URL.RawQuery = plain
	return resp, err
}

func joinQuery(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}
