package rest

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
)

// trust is the set of origins that a token of the caller may be sent to.
type trust struct {
	arm       origin
	local     bool   // the resource manager is a loopback http address: nothing else is trusted
	inference string // suffix of the hosts of scoring addresses
	mu        sync.RWMutex
	known     map[origin]struct{}
}

func newTrust(arm *url.URL, inference string) *trust {
	o := originOf(arm)
	return &trust{arm: o, local: arm.Scheme == "http", inference: inference, known: map[origin]struct{}{o: {}}}
}

// learn adds an address that discovery named. Beside a loopback resource manager only its own address is taken.
func (t *trust) learn(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("discovery names %q, which is no address", redactText(address))
	}
	o := originOf(u)
	if o == t.arm {
		return u, nil
	}
	if t.local || o.scheme != "https" {
		return nil, fmt.Errorf("discovery names %s://%s, to which no token may be sent", u.Scheme, u.Host)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[o] = struct{}{}
	return u, nil
}

// allows reports whether a token may be sent to u.
func (t *trust) allows(u *url.URL) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	_, ok := t.known[originOf(u)]
	return ok
}

// allowsScoring reports whether a token for Azure ML itself may be sent to u: hosts that are trusted anyway, and the
// inference hosts of the cloud. Keys and tokens of one endpoint are not bound by it.
func (t *trust) allowsScoring(u *url.URL) bool {
	if t.allows(u) {
		return true
	}
	return !t.local && u.Scheme == "https" && t.inference != "" && strings.HasSuffix(strings.ToLower(u.Hostname()), t.inference)
}
