package tracking

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// maxLocation is the longest artifact location that is taken.
const maxLocation = 2048

var scheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]+:`)

// schemeOf is the scheme of a URI, in lower case; "" for a path, be it C:\x.
func schemeOf(uri string) string {
	return strings.ToLower(strings.TrimSuffix(scheme.FindString(uri), ":"))
}

// checkLocation refuses artifact locations that the service would have to connect
// to, and what is none.
func checkLocation(uri string) error {
	s := schemeOf(uri)
	rest, _, fragment := strings.Cut(uri, "#")
	rest, query, _ := strings.Cut(rest, "?")
	if fragment && !strings.HasSuffix(uri, "#") || s == "" && strings.Contains(lastSegment(rest), ";") {
		return invalidf("'artifact_location' URL can't include fragments or params.")
	}
	if strings.Contains(query, "..") {
		return invalidf("Invalid query string")
	}
	if err := checkHost(uri, "artifact_location"); err != nil {
		return err
	}
	if strings.HasPrefix(uri, "runs:") {
		return invalidf("Artifact location cannot be a runs:/ URI. Given: '%s'", uri)
	}
	if py.Len(uri) > maxLocation {
		return invalidf("Invalid artifact path length. The length of the artifact path cannot be greater than %d characters. To configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.", maxLocation)
	}
	return nil
}

// hosted are the schemes of locations that name a host to connect to.
var hosted = []string{"ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"}

// checkHost refuses locations that the service would have to connect to.
func checkHost(uri, field string) error {
	s := schemeOf(uri)
	if !slices.Contains(hosted, s) || s == "mlflow-artifacts" && splitURI(uri).host == "" {
		return nil
	}
	return invalidf("'%s' cannot use the '%s' scheme: the '%s' scheme addresses a host other than the tracking server's configured artifact storage, so the server would connect to the host named in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it.", field, s, s)
}

// parsed is a URI taken apart as Python's urlsplit does.
type parsed struct{ scheme, host, path string }

func splitURI(uri string) parsed {
	uri = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, strings.TrimLeftFunc(uri, func(r rune) bool { return r <= ' ' }))
	var p parsed
	if word := anyScheme.FindString(uri); word != "" {
		p.scheme, uri = strings.ToLower(strings.TrimSuffix(word, ":")), uri[len(word):]
	}
	if rest, ok := strings.CutPrefix(uri, "//"); ok {
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		p.host, uri = rest[:end], rest[end:]
	}
	uri, _, _ = strings.Cut(uri, "#")
	p.path, _, _ = strings.Cut(uri, "?")
	return p
}

var anyScheme = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)

// remote reports whether a URI names a host that is another machine.
func (p parsed) remote() bool {
	host := strings.ToLower(p.host[strings.LastIndexByte(p.host, '@')+1:])
	host, _, _ = strings.Cut(host, ":")
	return host != "" && host != "." && !strings.HasPrefix(host, "localhost") && !strings.HasPrefix(host, "127.0.0.1")
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// absolute makes a relative path absolute, as MLflow does with its own folder.
func absolute(location string) string {
	if schemeOf(location) != "" || filepath.IsAbs(location) || strings.HasPrefix(location, "/") {
		return location
	}
	abs, err := filepath.Abs(location)
	if err != nil {
		return location
	}
	return filepath.ToSlash(abs)
}

// under appends path segments to a location, before its query.
func under(location string, segments ...string) string {
	base, query, found := strings.Cut(location, "?")
	if !strings.HasSuffix(base, ":/") {
		base = strings.TrimRight(base, "/")
	} else {
		base = strings.TrimSuffix(base, "/")
	}
	base += "/" + strings.Join(segments, "/")
	if found {
		return base + "?" + query
	}
	return base
}
