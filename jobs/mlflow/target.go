package mlflow

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// kind tells servers apart where they differ: in addresses, artifacts and what they lack.
type kind int

const (
	server     kind = iota // MLflow's own REST: `mlflow server`, the local workspace's root
	azure                  // a workspace of Azure Machine Learning
	registry               // a registry of Azure Machine Learning: models only
	databricks             // Databricks' hosts
)

// target is where a URI leads to.
type target struct {
	uri  string // as given, without query
	base string // what "/api/2.0/mlflow/…" is appended to
	kind kind
	host string // Azure: "https://eastus.api.azureml.ms"
	// scope is Azure's resource: "/subscriptions/…/workspaces/ws" or "…/registries/r".
	scope string
}

var versionSegment = regexp.MustCompile(`^/mlflow/v[0-9]+\.[0-9]+/`)

// parseTarget reads a tracking or registry URI: azureml://HOST/mlflow/v1.0/subscriptions/…, an http or
// https server (its path is the static prefix), databricks or databricks://HOST.
func parseTarget(uri string) (*target, error) {
	t, err := readTarget(uri)
	if err != nil {
		return nil, err
	}
	if u, err := url.Parse(t.base); err != nil || u.Hostname() == "" {
		return nil, fault(fmt.Sprintf("tracking URI %q", redactURI(uri)), "its host is none")
	}
	return t, nil
}

func readTarget(uri string) (*target, error) {
	u, err := url.Parse(strings.TrimSpace(uri))
	if err != nil {
		return nil, fmt.Errorf("mlflow: tracking URI %q: %w", redactURI(uri), stripURL(err))
	}
	fail := func(format string, args ...any) (*target, error) {
		return nil, fault(fmt.Sprintf("tracking URI %q", u.Redacted()), format, args...)
	}
	if u.User != nil {
		return fail("user and password do not belong into the URI; use Options.Username and Password")
	}
	u.RawQuery, u.ForceQuery, u.Fragment = "", false, ""
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	path := u.EscapedPath() // what goes into addresses again
	switch u.Scheme {
	case "http", "https":
		if u.Host == "" {
			return fail("no host")
		}
		t := &target{uri: u.String(), base: u.String(), kind: server}
		// The same address as an azureml URI, spelt with https, is Azure's dialect too.
		if loc := versionSegment.FindString(path); loc != "" && strings.Contains(path, "/subscriptions/") {
			t.azure(u.Scheme+"://"+u.Host, path[len(loc)-1:])
		}
		return t, nil
	case "azureml":
		if u.Host == "" {
			return fail("no host; the form is azureml://REGION.api.azureml.ms/mlflow/v1.0/subscriptions/…/workspaces/NAME")
		}
		loc := versionSegment.FindString(path)
		if loc == "" || !strings.HasPrefix(strings.ToLower(path[len(loc)-1:]), "/subscriptions/") {
			return fail("the form is azureml://REGION.api.azureml.ms/mlflow/v1.0/subscriptions/…/workspaces/NAME")
		}
		scheme := "https"
		if loopback(u.Hostname()) {
			scheme = "http" // the local workspace's listener
		}
		t := &target{uri: u.String()}
		t.azure(scheme+"://"+u.Host, path[len(loc)-1:])
		return t, nil
	case "databricks", "databricks-uc":
		if u.Host == "" {
			return fail("name the host: databricks://adb-123.azuredatabricks.net, or set DATABRICKS_HOST")
		}
		return &target{uri: u.String(), base: "https://" + u.Host, kind: databricks}, nil
	case "":
		if u.Path == "databricks" {
			return fail("name the host: databricks://adb-123.azuredatabricks.net, or set DATABRICKS_HOST")
		}
	}
	return fail("this client speaks to servers: http://, https://, azureml:// or databricks://; files and databases are MLflow's own to open (start `mlflow server` on them)")
}

// azure fills in Azure's dialect. Servers ask for v2.0 of clients that speak MLflow 2 and 3.
func (t *target) azure(host, scope string) {
	t.kind, t.host, t.scope = azure, host, scope
	if !strings.Contains(strings.ToLower(scope), "/workspaces/") {
		t.kind = registry
	}
	t.base = host + "/mlflow/v2.0" + scope
}

func (t *target) authority() string {
	u, err := url.Parse(t.base)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// loopback holds for literal addresses of this machine and the name localhost, nothing that a resolver
// could turn elsewhere.
func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// stripURL takes the URL out of net/url's error: it may carry a password or a signature.
func stripURL(err error) error {
	if e, ok := err.(*url.Error); ok {
		return e.Err
	}
	return err
}

// redactURI keeps what names a place and drops what opens it.
func redactURI(uri string) string {
	if i := strings.IndexAny(uri, "?#"); i >= 0 {
		uri = uri[:i]
	}
	if scheme, rest, ok := strings.Cut(uri, "://"); ok {
		authority, path, _ := strings.Cut(rest, "/")
		if i := strings.LastIndexByte(authority, '@'); i >= 0 {
			authority = authority[i+1:]
		}
		uri = scheme + "://" + authority
		if path != "" {
			uri += "/" + path
		}
	}
	return uri
}
