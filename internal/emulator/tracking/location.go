package tracking

import (
	"path/filepath"
	"regexp"
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
	if s == "http" || s == "https" || s == "mlflow-artifacts" && strings.HasPrefix(rest[len(s):], "://") && !strings.HasPrefix(rest[len(s):], ":///") {
		return invalidf("'artifact_location' cannot use the '%s' scheme: the '%s' scheme addresses a host other than the tracking server's configured artifact storage, so the server would connect to the host named in the URI. Set the MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES environment variable on the server to allow it.", s, s)
	}
	if strings.HasPrefix(uri, "runs:") {
		return invalidf("Artifact location cannot be a runs:/ URI. Given: '%s'", uri)
	}
	if py.Len(uri) > maxLocation {
		return invalidf("Invalid artifact path length. The length of the artifact path cannot be greater than %d characters. To configure this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.", maxLocation)
	}
	return nil
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
