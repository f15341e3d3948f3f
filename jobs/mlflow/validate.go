package mlflow

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// MLflow's limits. Lengths are in characters.
const (
	maxKey        = 250
	maxParamValue = 6000
	maxTagValue   = 8000
	maxBatch      = 1000 // values, parameters and tags of one request together
	maxBatchPairs = 100  // parameters, and tags, of one request
	maxBatchBody  = 1_000_000
)

var keyCharacters = regexp.MustCompile(`^[/\p{L}\p{N}_.\- :]*$`)

// checkKey holds a metric's, parameter's or tag's name to MLflow's rules. Servers check too; here it is
// known before the value has left, and one bad name does not take a whole batch with it.
func checkKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("a name is empty")
	case !utf8.ValidString(key):
		return fmt.Errorf("name %q is not UTF-8", key)
	case len(key) > maxKey && utf8.RuneCountInString(key) > maxKey:
		return fmt.Errorf("name %.60q… is longer than %d characters", key, maxKey)
	case plainKey(key):
		return nil
	case !keyCharacters.MatchString(key):
		return fmt.Errorf("name %q: letters, digits, _ - . : / and space are allowed", key)
	case path.Clean(key) != key || key == "." || strings.HasPrefix(key, "..") || strings.HasPrefix(key, "/"):
		return fmt.Errorf("name %q is taken for a path by servers, and this one would lead elsewhere: no leading /, no . or .. segments, no //", key)
	}
	return nil
}

// plainKey holds for nearly all names: one word.
func plainKey(key string) bool {
	for i := range len(key) {
		c := key[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func (m *Metric) check() error {
	if err := checkKey(m.Key); err != nil {
		return fmt.Errorf("metric: %w", err)
	}
	if m.Time.Before(time.UnixMilli(0)) && !m.Time.IsZero() {
		return fmt.Errorf("metric %q: its time %v is before 1970", m.Key, m.Time)
	}
	return nil
}

// fit holds a value to a length: cuts it, or refuses it when the client is told to.
func (c *Client) fit(what, key, value string, limit int) (string, error) {
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("%s %q: its value is not UTF-8", what, key)
	}
	if len(value) <= limit || utf8.RuneCountInString(value) <= limit {
		return value, nil
	}
	if c.keepLong {
		return "", fmt.Errorf("%s %q: its value is longer than %d characters", what, key, limit)
	}
	c.log.Warn("mlflow: a value was cut", "kind", what, "key", key, "limit", limit)
	n := 0
	for i := range value {
		if n == limit {
			return value[:i], nil
		}
		n++
	}
	return value, nil
}
