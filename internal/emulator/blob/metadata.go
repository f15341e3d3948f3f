package blob

import (
	"net/http"
	"strings"
)

// metadataLimit is the most that the names and values of a blob's metadata may
// take, in bytes.
const metadataLimit = 8 << 10

const metadataPrefix = "x-ms-meta-"

// requestMetadata reads metadata from headers. The case of names is lost, as
// net/http does not keep it; they are in lower case then.
func requestMetadata(h http.Header) (map[string]string, error) {
	var m map[string]string
	for name, values := range h {
		if len(name) < len(metadataPrefix) || !strings.EqualFold(name[:len(metadataPrefix)], metadataPrefix) {
			continue
		}
		if m == nil {
			m = map[string]string{}
		}
		m[name[len(metadataPrefix):]] = strings.Join(values, ",")
	}
	return cleanMetadata(m)
}

// cleanMetadata checks names and puts them in lower case.
func cleanMetadata(m map[string]string) (map[string]string, error) {
	if len(m) == 0 {
		return nil, nil
	}
	clean := make(map[string]string, len(m))
	size := 0
	for name, value := range m {
		if name == "" {
			return nil, errMetadataKey
		}
		for i, r := range name {
			if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
				return nil, errMetadata
			}
		}
		size += len(name) + len(value)
		clean[strings.ToLower(name)] = value
	}
	if size > metadataLimit {
		return nil, errMetadataSize
	}
	return clean, nil
}

// writeMetadata puts metadata into an answer. Names keep their spelling on the
// wire: clients that look for them compare the case.
func writeMetadata(h http.Header, m map[string]string) {
	for name, value := range m {
		h[metadataPrefix+name] = []string{value}
	}
}
