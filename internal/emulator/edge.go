package emulator

import (
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// edge rewrites addresses between Azure's, which documents carry, and the listener's, which the caller used. Only strings that begin with an address are rewritten, so that
// commands and texts stay as they are. A nil edge rewrites nothing.
type edge struct {
	host    string   // "127.0.0.1:1234", as the caller wrote it
	aliases []string // other spellings that may come in
	account func(name string) bool
}

func (s *Server) edgeOf(r *http.Request) *edge {
	if inProcess(r.Context()) {
		return nil
	}
	e := &edge{host: r.Host, aliases: []string{r.Host}, account: s.hasAccount}
	if local, err := localAddress(r); err == nil {
		e.aliases = append(e.aliases, local.String())
		if local.Addr().IsLoopback() {
			e.aliases = append(e.aliases, "localhost:"+portOf(local))
		}
	}
	return e
}

func (e *edge) base() string { return "http://" + e.host }

// out rewrites a decoded document for the caller, in place where it can.
func (e *edge) out(v any) any {
	switch v := v.(type) {
	case string:
		return e.outText(v)
	case map[string]any:
		for k, x := range v {
			v[k] = e.out(x)
		}
		if e.ours(v, arm.StorageSuffix, "https") {
			v["endpoint"], v["protocol"] = e.host, "http"
		}
	case document:
		e.out(map[string]any(v))
	case []any:
		for i, x := range v {
			v[i] = e.out(x)
		}
	}
	return v
}

// ours recognises a datastore in one of our accounts by its endpoint.
func (e *edge) ours(v map[string]any, endpoint, protocol string) bool {
	at, _ := v["endpoint"].(string)
	by, _ := v["protocol"].(string)
	account, _ := v["accountName"].(string)
	return account != "" && strings.EqualFold(at, endpoint) && (by == "" || strings.EqualFold(by, protocol)) && e.account(account)
}

// outText rewrites one string.
func (e *edge) outText(s string) string {
	if e == nil {
		return s
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme != "https" && scheme != "azureml" {
		return s
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, tail := strings.ToLower(rest[:end]), rest[end:]
	if scheme == "azureml" {
		if host == arm.APIHost && strings.HasPrefix(tail, "/mlflow/") {
			return e.base() + tail
		}
		return s
	}
	switch {
	case host == arm.ARMHost || host == arm.APIHost || host == arm.RegistryHost:
		return e.base() + tail
	case strings.HasSuffix(host, "."+arm.InferenceHost):
		return e.base() + "/endpoints/" + strings.TrimSuffix(host, "."+arm.InferenceHost) + tail
	}
	if a, p, ok := storageHost(host); ok && e.account(a) {
		if p != blob.Blobs {
			a += "." + string(p)
		}
		return e.base() + "/" + a + tail
	}
	return s
}

// in rewrites a decoded document of the caller.
func (e *edge) in(v any) any {
	switch v := v.(type) {
	case string:
		return e.inText(v)
	case map[string]any:
		for k, x := range v {
			v[k] = e.in(x)
		}
		for _, a := range e.aliases {
			if e.endpoint(v, a) {
				v["endpoint"], v["protocol"] = arm.StorageSuffix, "https"
			}
		}
	case []any:
		for i, x := range v {
			v[i] = e.in(x)
		}
	}
	return v
}

// endpoint says whether a datastore names this listener. Its account may be new.
func (e *edge) endpoint(v map[string]any, host string) bool {
	at, _ := v["endpoint"].(string)
	_, account := v["accountName"].(string)
	return account && strings.EqualFold(at, host)
}

func (e *edge) inText(s string) string {
	if e == nil {
		return s
	}
	rest, ok := strings.CutPrefix(s, "http://")
	if !ok {
		return s
	}
	for _, a := range e.aliases {
		tail, ok := strings.CutPrefix(rest, a)
		if !ok || tail != "" && tail[0] != '/' && tail[0] != '?' {
			continue
		}
		first, after, _ := strings.Cut(strings.TrimPrefix(tail, "/"), "/")
		low, _, _ := strings.Cut(strings.ToLower(first), "?")
		switch {
		case low == "h":
			return "https://" + after
		case low == "endpoints":
			name, more, slash := strings.Cut(after, "/")
			if slash {
				more = "/" + more
			}
			return "https://" + name + "." + arm.InferenceHost + more
		case low == "mlflow":
			return "azureml://" + arm.APIHost + tail
		case apiRoots[low]:
			return "https://" + arm.APIHost + tail
		case strings.Contains(low, "."):
			if account, p, ok := storageSegment(low); ok && e.account(account) {
				return "https://" + account + "." + string(p) + "." + arm.StorageSuffix + tail[1+len(first):]
			}
		case e.account(low):
			return "https://" + low + "." + arm.BlobSuffix + tail[1+len(first):]
		}
		return "https://" + arm.ARMHost + tail
	}
	return s
}
