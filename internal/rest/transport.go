package rest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// cleanTransport sends requests and takes secrets out of the errors of sending, so that everything above it
// (azcore's own log and trace policies too) sees clean ones only.
type cleanTransport struct{ inner policy.Transporter }

func (t *cleanTransport) Do(req *http.Request) (*http.Response, error) {
	resp, err := t.inner.Do(req)
	if err != nil {
		return nil, cleanError(err)
	}
	if w, ok := req.Context().Value(watchKey{}).(*watch); ok {
		w.answered.Store(true)
	}
	return resp, nil
}

// CloseIdleConnections passes the wish on.
func (t *cleanTransport) CloseIdleConnections() {
	if c, ok := t.inner.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// CloseIdleConnections closes the connections that wait to be used again, if the transport keeps any.
func (c *Client) CloseIdleConnections() {
	if t, ok := c.options.Transport.(*cleanTransport); ok {
		t.CloseIdleConnections()
	}
}

// defaultTransport is shared by all clients that bring none, so that connections are reused between them.
var defaultTransport = sync.OnceValue(func() policy.Transporter {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          512,
			WriteBufferSize:       32 << 10, // a small file goes with its headers in one write
			MaxIdleConnsPerHost:   256,      // as many as an upload of small files keeps busy: else each would open its own
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ExpectContinueTimeout: time.Second,
		},
		CheckRedirect: checkRedirect,
	}
})

// checkRedirect follows what carries no secret header, over https, and nothing else: net/http takes Authorization off
// when the host changes, but keeps it for subdomains and knows nothing of x-azureml-token.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) >= 5 {
		return errors.New("stopped after 5 redirects")
	}
	if originOf(req.URL) == originOf(first.URL) {
		return nil
	}
	if req.URL.Scheme != "https" {
		return fmt.Errorf("a redirect to %s://%s was refused", req.URL.Scheme, req.URL.Host)
	}
	for _, h := range secretHeaders {
		if first.Header.Get(h) != "" {
			return fmt.Errorf("a redirect to %s was refused: the request carries a token", req.URL.Host)
		}
	}
	return nil
}
