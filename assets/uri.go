package assets

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// A location is where data is: a path in a datastore, in an output of a job, among the artifacts of a run, or in a blob
// container by its address.
type location struct {
	datastore                              string
	subscription, resourceGroup, workspace string // of the long form; else this workspace
	job, output                            string
	run                                    string
	address                                *url.URL
	path                                   string
}

var (
	shortDatastore = regexp.MustCompile(`^azureml://datastores/([^/]+)(?:/paths(?:/(.*))?)?$`)
	longDatastore  = regexp.MustCompile(`^azureml://subscriptions/([^/]+)/resource[gG]roups/([^/]+)/workspaces/([^/]+)/datastores/([^/]+)(?:/paths(?:/(.*))?)?$`)
	legacyOutput   = regexp.MustCompile(`^azureml://datastores/([^/]+)/(ExperimentRun/.+)$`)
	jobOutput      = regexp.MustCompile(`^azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths(?:/(.*))?)?$`)
	runArtifact    = regexp.MustCompile(`^runs:/([^/?]+)(?:/(.*))?$`)
	artifactURI    = regexp.MustCompile(`^azureml://artifacts/ExperimentRun/dcid\.([^/]+)(?:/(.*))?$`)
)

// parseLocation reads an address of data.
func parseLocation(uri string) (*location, error) {
	for _, p := range []string{"file:", "folder:"} {
		if rest, ok := strings.CutPrefix(uri, p); ok && strings.Contains(rest, ":/") {
			uri = rest
		}
	}
	if m := legacyOutput.FindStringSubmatch(uri); m != nil {
		return &location{datastore: m[1], path: m[2]}, nil
	}
	if m := shortDatastore.FindStringSubmatch(uri); m != nil {
		return &location{datastore: m[1], path: m[2]}, nil
	}
	if m := longDatastore.FindStringSubmatch(uri); m != nil {
		return &location{subscription: m[1], resourceGroup: m[2], workspace: m[3], datastore: m[4], path: m[5]}, nil
	}
	if m := jobOutput.FindStringSubmatch(uri); m != nil {
		return &location{job: m[1], output: m[2], path: m[3]}, nil
	}
	if m := runArtifact.FindStringSubmatch(uri); m != nil {
		return &location{run: m[1], path: m[2]}, nil
	}
	if m := artifactURI.FindStringSubmatch(uri); m != nil {
		return &location{run: m[1], path: m[2]}, nil
	}
	if strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "http://") {
		u, err := url.Parse(strings.ReplaceAll(uri, " ", "%20")) // the reference writes addresses unescaped
		if err == nil && u.Host != "" && u.User == nil && u.RawQuery == "" {
			return &location{address: u}, nil
		}
	}
	return nil, fmt.Errorf("%q is no address of data: write azureml://datastores/NAME/paths/PATH, azureml://jobs/JOB/outputs/NAME, or the address of a blob", uri)
}

// blob takes the address of a blob apart: account, the account's endpoint, container and path. At a loopback address the
// account is the first part of the path.
func (l *location) blob() (protocol, account, endpoint, container, path string, err error) {
	u := l.address
	p := strings.TrimLeft(u.Path, "/")
	if loopback(u.Host) {
		account, p, _ = strings.Cut(p, "/")
		container, path, _ = strings.Cut(p, "/")
		endpoint = u.Host
	} else {
		host := u.Hostname()
		var service string
		account, host, _ = strings.Cut(host, ".")
		service, endpoint, _ = strings.Cut(host, ".")
		if service != "blob" && service != "dfs" || u.Scheme != "https" {
			return "", "", "", "", "", fmt.Errorf("%s is no address of a storage account", u.Redacted())
		}
		container, path, _ = strings.Cut(p, "/")
	}
	if account == "" || container == "" {
		return "", "", "", "", "", fmt.Errorf("%s names no container", u.Redacted())
	}
	return u.Scheme, account, endpoint, container, path, nil
}
