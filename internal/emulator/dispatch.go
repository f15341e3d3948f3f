package emulator

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// plane is one of the services that a server stands for.
type plane int

const (
	planeNone     plane = iota
	planeARM            // the resource manager
	planeAPI            // the regional API: discovery, run history, data, model registry, the management front end
	planeBlob           // storage accounts
	planeTracking       // MLflow at the root
	planeScoring        // online endpoints
)

// place is where a request goes: a plane and the path inside it. In planeBlob the path begins with the account, in planeScoring with the endpoint.
type place struct {
	plane   plane
	path    string
	rawPath string
	// protocol is the storage service that a host is of; empty when the address does not tell.
	protocol blob.Protocol
}

// storageHosts are the suffixes of storage accounts' hosts.
var storageHosts = map[string]blob.Protocol{
	"." + arm.BlobSuffix: blob.Blobs, ".dfs." + arm.StorageSuffix: blob.Lake, ".file." + arm.StorageSuffix: blob.Files,
}

// storageHost tells the account and the service that a host is of.
func storageHost(host string) (account string, p blob.Protocol, ok bool) {
	for suffix, p := range storageHosts {
		if account, ok := strings.CutSuffix(host, suffix); ok && account != "" {
			return account, p, true
		}
	}
	return "", "", false
}

// apiRoots are the first segments of the regional API's paths.
var apiRoots = map[string]bool{
	"discovery": true, "history": true, "metric": true, "data": true, "dataset": true, "modelregistry": true, "artifact": true, "genericasset": true, "mferp": true,
	"registrymanagement": true, "local": true, "rp": true, "mlflow": true, "ux": true,
}

// trackingRoots are the first segments that MLflow's own server has.
var trackingRoots = map[string]bool{"api": true, "ajax-api": true, "health": true, "version": true, "v1": true, "get-artifact": true, "model-versions": true, "graphql": true}

// storageSegment tells the account and the service of a path's first segment that names both: "account.file".
func storageSegment(first string) (account string, p blob.Protocol, ok bool) {
	account, service, _ := strings.Cut(first, ".")
	switch p := blob.Protocol(strings.ToLower(service)); p {
	case blob.Blobs, blob.Lake, blob.Files:
		return account, p, account != ""
	}
	return "", "", false
}

// byPath finds the place of a request that came over the port.
func byPath(u *url.URL) place {
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	p := place{path: u.Path, rawPath: u.RawPath}
	switch low := strings.ToLower(first); {
	case low == "subscriptions" || low == "providers" || low == "metadata" || low == "tenants":
		p.plane = planeARM
	case apiRoots[low]:
		p.plane = planeAPI
	case trackingRoots[low] || low == "":
		p.plane = planeTracking
	case low == "endpoints":
		p.plane = planeScoring
		p.path, p.rawPath = cutSegment(p.path), cutSegment(p.rawPath)
	case low == "h": // /h/HOST/…, any host of Azure
		host, _, _ := strings.Cut(strings.TrimPrefix(p.path[len("/h"):], "/"), "/")
		inner := &url.URL{Path: orSlash(cutSegment(cutSegment(p.path))), RawPath: cutSegment(cutSegment(p.rawPath))}
		return byHost(host, inner)
	default:
		p.plane = planeBlob
		if account, protocol, ok := storageSegment(first); ok { // /ACCOUNT.file/SHARE
			p.protocol = protocol
			p.path, p.rawPath = "/"+account+cutSegment(p.path), cutSegment(p.rawPath)
			if p.rawPath != "" {
				p.rawPath = "/" + account + p.rawPath
			}
		}
		// azure-ai-ml puts a slash behind an account's address that may have one already.
		p.path, p.rawPath = oneSlash(p.path), oneSlash(p.rawPath)
	}
	return p
}

// oneSlash makes one slash of two behind the first segment.
func oneSlash(p string) string {
	rest := cutSegment(p)
	if !strings.HasPrefix(rest, "//") {
		return p
	}
	return p[:len(p)-len(rest)] + rest[1:]
}

// cutSegment takes the first segment off a path.
func cutSegment(p string) string {
	if p == "" {
		return ""
	}
	if i := strings.IndexByte(p[1:], '/'); i >= 0 {
		return p[1+i:]
	}
	return ""
}

func orSlash(p string) string {
	if p == "" {
		return "/"
	}
	return p
}

// byHost finds the place of a request that names one of Azure's hosts.
func byHost(host string, u *url.URL) place {
	host = strings.ToLower(host)
	if h, ok := strings.CutSuffix(host, ":443"); ok {
		host = h
	}
	p := place{path: u.Path, rawPath: u.RawPath}
	under := func(name string) {
		if p.rawPath != "" {
			p.rawPath = "/" + name + p.rawPath
		}
		p.path = "/" + name + orSlash(p.path)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	switch {
	case host == arm.ARMHost:
		p.plane = planeARM
	case host == arm.APIHost || host == arm.RegistryHost:
		p.plane = planeAPI
		if trackingRoots[strings.ToLower(first)] {
			p.plane = planeTracking
		}
	case strings.HasSuffix(host, "."+arm.InferenceHost):
		p.plane = planeScoring
		under(strings.TrimSuffix(host, "."+arm.InferenceHost))
	default:
		if account, protocol, ok := storageHost(host); ok {
			p.plane, p.protocol = planeBlob, protocol
			under(account)
		}
	}
	return p
}

// to is the request as its plane reads it.
func (p place) to(r *http.Request) *http.Request {
	if p.protocol != "" {
		r = r.WithContext(blob.WithProtocol(r.Context(), p.protocol))
	}
	if p.path == r.URL.Path && p.rawPath == r.URL.RawPath {
		return r
	}
	c := *r
	u := *r.URL
	u.Path, u.RawPath = p.path, p.rawPath
	c.URL = &u
	return &c
}
