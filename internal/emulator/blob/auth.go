package blob

import (
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// The refusals of callers.
var (
	errAuthentication   = fault(403, "AuthenticationFailed", "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.")
	errNoAuthentication = fault(401, "NoAuthenticationInformation", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.")
	errBearer           = fault(401, "InvalidAuthenticationInfo", "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.")
	errUnauthorized     = fault(403, "AuthorizationFailure", "This request is not authorized to perform this operation.")
	errPermission       = fault(403, "AuthorizationPermissionMismatch", "This request is not authorized to perform this operation using this permission.")
	errResourceType     = fault(403, "AuthorizationResourceTypeMismatch", "This request is not authorized to perform this operation using this resource type.")
	errServiceType      = fault(403, "AuthorizationServiceMismatch", "This request is not authorized to perform this operation using this service.")
	errProtocol         = fault(403, "AuthorizationProtocolMismatch", "This request is not authorized to perform this operation using this protocol.")
	errSourceIP         = fault(403, "AuthorizationSourceIPMismatch", "This request is not authorized to perform this operation using this source IP.")
	errNoAccount        = fault(404, "ResourceNotFound", "The specified resource does not exist.")
)

// challenge tells clients with a credential where to get a token.
const challenge = "Bearer authorization_uri=https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com"

// grant is what a caller may do.
type grant struct {
	all         bool   // the account's key, or a token
	signature   bool   // a SAS, whose parameters may set headers of the answer
	permissions string // of a SAS
}

func (g grant) can(any string) bool {
	return g.all || strings.ContainsAny(g.permissions, any)
}

// createOnly reports whether the caller may write only what is not there.
func (q *request) createOnly() bool {
	return strings.Contains(q.op.need, "w") && !q.grant.can(strings.ReplaceAll(q.op.need, "c", ""))
}

// authorize finds out who asks, and whether they may.
func (q *request) authorize() (grant, error) {
	key, err := q.s.Key(q.Context(), q.account)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return grant{}, err
	}
	authorization := q.Header.Get("Authorization")
	switch {
	case trusted(q.Context()):
		if !known {
			return grant{}, errNoAccount
		}
		return grant{all: true}, nil
	case q.query.get("sig") != "":
		if !known {
			return grant{}, errAuthentication
		}
		g, err := q.signature(key)
		if err != nil {
			return grant{}, err
		}
		if !g.can(q.op.need) {
			return grant{}, errPermission
		}
		return g, nil
	case strings.HasPrefix(authorization, "SharedKey "):
		if !known {
			return grant{}, errAuthentication
		}
		return grant{all: true}, q.sharedKey(key, strings.TrimPrefix(authorization, "SharedKey "))
	case strings.HasPrefix(authorization, "Bearer "):
		return grant{}, errBearer.with("WWW-Authenticate", challenge)
	case authorization != "":
		return grant{}, errAuthentication
	}
	return grant{}, errNoAuthentication.with("WWW-Authenticate", challenge)
}

// signature checks the request's SAS.
func (q *request) signature(key string) (grant, error) {
	t := target{address: q.address, prefix: q.query.get("prefix"), secure: q.secure(), remote: q.RemoteAddr, protocol: q.protocol}
	if d := q.query.get("directory"); q.protocol == Lake && d != "" {
		t.prefix = strings.Trim(d, "/") + "/"
	}
	return q.s.checkSAS(key, q.query, t, q.op)
}

// target is what a signature is to be good for.
type target struct {
	address
	prefix   string // of a listing
	secure   bool   // over https
	remote   string // the caller's address
	protocol Protocol
}

// checkSAS checks a signature of any kind for an operation on a target. Whether its
// permissions are enough is for the caller to see.
func (s *Service) checkSAS(key string, v query, t target, op operation) (grant, error) {
	sig := v.get("sig")
	good := false
	if v.get("ss") != "" || v.get("srt") != "" {
		good = equal(sig, sign(key, accountText(v.get, t.account)))
	} else {
		resource, ok := signedResource(v, t)
		if !ok {
			return grant{}, errAuthentication.because("Signature did not match: the signed resource %q does not hold what was asked for.", v.get("sr"))
		}
		if v.get("skoid") == "" {
			good = equal(sig, sign(key, serviceText(v.get, resource)))
		} else {
			good = s.delegated(key, v, resource)
		}
	}
	if !good {
		return grant{}, errAuthentication.because("Signature did not match. String to sign used was not the one that was signed.")
	}
	if err := s.inForce(v, t); err != nil {
		return grant{}, err
	}
	if v.get("ss") != "" || v.get("srt") != "" {
		switch {
		case t.protocol == Files && !strings.Contains(v.get("ss"), "f"), t.protocol != Files && !strings.Contains(v.get("ss"), "b"):
			return grant{}, errServiceType
		case op.kind == 0 || !strings.ContainsRune(v.get("srt"), rune(op.kind)):
			return grant{}, errResourceType
		}
	} else if op.account {
		return grant{}, errUnauthorized
	}
	return grant{signature: true, permissions: v.get("sp")}, nil
}

// signedResource is the resource that a service SAS for the target must have signed.
func signedResource(v query, t target) (string, bool) {
	switch v.get("sr") {
	case "s", "f": // of Azure Files
		n := "/file/" + t.account + "/" + t.container
		if v.get("sr") == "f" {
			n += "/" + t.blob
		}
		return n, t.protocol == Files && t.container != "" && (v.get("sr") == "s" || t.blob != "")
	}
	if t.protocol == Files {
		return "", false
	}
	switch v.get("sr") {
	case "c":
		return canonicalName(t.account, t.container, ""), t.container != ""
	case "b":
		return canonicalName(t.account, t.container, t.blob), t.blob != ""
	case "d":
		depth, err := strconv.Atoi(v.get("sdd"))
		if err != nil || depth < 0 || t.container == "" {
			return "", false
		}
		segments := strings.Split(t.blob, "/")
		if t.blob == "" {
			// A listing must be of what is below: "dir" is the prefix of "dir2" too.
			segments = strings.Split(t.prefix, "/")
			segments = segments[:len(segments)-1]
		}
		if len(segments) < depth {
			return "", false
		}
		return canonicalName(t.account, t.container, strings.Join(segments[:depth], "/")), true
	}
	return "", false
}

// inForce checks the terms of a signature that is genuine.
func (s *Service) inForce(v query, t target) error {
	if v.get("sv") < "2015-04-05" {
		return errAuthentication.because("sv: versions before 2015-04-05 are not supported.")
	}
	if v.get("si") != "" {
		return refused("A signature by a stored access policy")
	}
	if v.get("srh") != "" || v.get("srq") != "" {
		return refused("A signature with required headers or parameters")
	}
	now := s.now()
	expiry, err := parseSASTime(v.get("se"))
	if err != nil {
		return errAuthentication.because("se is mandatory and must be a time.")
	}
	start := time.Time{}
	if v.get("st") != "" {
		if start, err = parseSASTime(v.get("st")); err != nil {
			return errAuthentication.because("st must be a time.")
		}
	}
	if now.Before(start) || !now.Before(expiry) {
		return errAuthentication.because("Signature not valid in the specified time frame: Start [%s] - Expiry [%s] - Current [%s]",
			start.Format(http.TimeFormat), expiry.Format(http.TimeFormat), now.Format(http.TimeFormat))
	}
	if v.get("spr") == "https" && !t.secure {
		return errProtocol
	}
	if ip := v.get("sip"); ip != "" && !permittedIP(ip, t.remote) {
		return errSourceIP
	}
	return nil
}

// parseSASTime reads the forms of time that Azure admits in a SAS.
func parseSASTime(text string) (t time.Time, err error) {
	for _, form := range []string{sasTime, "2006-01-02T15:04:05.9999999Z", "2006-01-02T15:04Z", "2006-01-02"} {
		if t, err = time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return t, err
}

// permittedIP reports whether a caller's address is in the range "a" or "a-b".
func permittedIP(permitted, remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	caller, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	low, high, ranged := strings.Cut(permitted, "-")
	if !ranged {
		high = low
	}
	first, err1 := netip.ParseAddr(low)
	last, err2 := netip.ParseAddr(high)
	caller = caller.Unmap()
	return err1 == nil && err2 == nil && first.Compare(caller) <= 0 && caller.Compare(last) <= 0
}

// equal compares signatures in constant time.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
