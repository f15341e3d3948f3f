package emulator

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// guard refuses what a page in a browser, or a name that was made to point here, could send. It looks at requests that came over the port only.
//
// The Host must be the address that the connection really reached, or localhost: a name of somebody's domain never is. An Origin must be our own, and a fetch must not be
// cross-site, whatever it asks. A POST must not have a media type that a plain form can send, since a form is sent without asking. No answer allows another origin.
func guard(r *http.Request, pl place, known func(name string) bool) error {
	local, err := localAddress(r)
	if err != nil {
		return err
	}
	own := func(host string) bool {
		name, port, err := net.SplitHostPort(host)
		return ownHost(host, local) || err == nil && port == portOf(local) && known(name)
	}
	if !own(r.Host) {
		return arm.Forbidden("The Host header %q is not this server's address.", r.Host)
	}
	if o := r.Header.Get("Origin"); len(r.Header.Values("Origin")) > 0 {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "http" || u.Host == "" || !own(u.Host) {
			return arm.Forbidden("Requests of the origin %q are refused.", o)
		}
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return arm.Forbidden("Cross-site requests are refused.")
	}
	if r.Method == http.MethodOptions {
		return &arm.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "OPTIONS is not served: no other origin is allowed."}
	}
	if formable(r, pl) {
		return &arm.Error{Status: http.StatusUnsupportedMediaType, Code: "UnsupportedMediaType", Message: "The media type " + r.Header.Get("Content-Type") + " is refused: a plain form can send it. Use application/json."}
	}
	return nil
}

// formable says whether a form could have sent the request. Uploads by PUT, which no form can send, may say what they like; scoring answers to its own keys alone.
func formable(r *http.Request, pl place) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return false
	case http.MethodPut:
		if pl.plane == planeBlob || pl.plane == planeTracking || pl.plane == planeAPI && strings.HasPrefix(strings.ToLower(pl.path), "/mlflow/") {
			return false
		}
	}
	if pl.plane == planeScoring {
		return false
	}
	for _, v := range r.Header.Values("Content-Type") {
		t, _, err := mime.ParseMediaType(v)
		if err != nil {
			t = strings.ToLower(strings.TrimSpace(strings.Split(v, ";")[0]))
		}
		switch t {
		case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
			return true
		}
	}
	return false
}

// localAddress is the address that the connection was accepted on.
func localAddress(r *http.Request) (netip.AddrPort, error) {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.AddrPort{}, arm.Forbidden("The connection has no local address.")
	}
	p, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}, arm.Forbidden("The connection's local address cannot be read.")
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port()), nil
}

// ownHost says whether host:port, as a header has it, is the local address or localhost with its port.
func ownHost(host string, local netip.AddrPort) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = strings.Trim(host, "[]"), "80"
	}
	if port != portOf(local) {
		return false
	}
	if strings.EqualFold(name, "localhost") {
		return local.Addr().IsLoopback()
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().WithZone("") == local.Addr().WithZone("")
}

func portOf(a netip.AddrPort) string {
	_, p, _ := net.SplitHostPort(a.String()) // made from an AddrPort
	return p
}
