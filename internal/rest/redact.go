package rest

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

const redacted = "REDACTED"

// plainQuery are the query parameters whose values say nothing secret and help a reader. All others are redacted.
var plainQuery = map[string]bool{
	"api-version": true, "listviewtype": true, "$top": true, "$orderby": true, "count": true, "comp": true, "restype": true,
	"jobtype": true, "kind": true, "computetype": true, "hashversion": true, "prefix": true, "delimiter": true,
}

// RedactURL is the address without user, and with the values of all query parameters that could be secret redacted.
func RedactURL(u *url.URL) string {
	c := *u
	c.User = nil
	if c.RawQuery != "" {
		q := c.Query()
		for k, vs := range q {
			if !plainQuery[strings.ToLower(k)] {
				for i := range vs {
					vs[i] = redacted
				}
			}
		}
		c.RawQuery = q.Encode()
		if len(q) == 0 { // not parsable: nothing of it is safe
			c.RawQuery = redacted
		}
	}
	return c.String()
}

// secrets are the shapes in which signatures, tokens and keys turn up in texts that others wrote.
// Each keeps its first group.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?i)((?:[?&;]|%3f|%26|&amp;|\\u0026|\b)(?:sig|signature)(?:=|%3d))[^&\s"'<>\\;,)]+`),
	regexp.MustCompile(`(?i)\b((?:bearer|sharedkey|sharedaccesssignature)\s+)[A-Za-z0-9._~+/=:-]{6,}`),
	regexp.MustCompile(`(?i)\b((?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd|client_secret|refresh_token|access_token)=)[^;&\s"']+`),
	regexp.MustCompile(`(?i)(\\?"(?:[a-z_]*(?:key|secret|password|pwd|token|saskey|sasuri)|accountKey|primaryKey|secondaryKey|accessToken|refreshToken|sasToken|sasUri|sas_token|account_key|connectionString|Authorization|x-azureml-token)\\?"\s*:\s*\\?")[^"\\]+`),
	regexp.MustCompile(`()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`),
}

// RedactText takes signatures, tokens and keys out of a text.
func RedactText(s string) string { return redactText(s) }

func redactText(s string) string {
	for _, re := range secrets {
		s = re.ReplaceAllString(s, "${1}"+redacted)
	}
	return s
}

// secretHeaders never leave the pipeline inside an error.
var secretHeaders = []string{"Authorization", "X-Azureml-Token", "X-Ms-Authorization-Auxiliary", "Api-Key", "Ocp-Apim-Subscription-Key", "Cookie", "X-Ms-Copy-Source", "X-Ms-Copy-Source-Authorization"}

// cleanRequest is the part of a request that an error may show.
func cleanRequest(r *http.Request) *http.Request {
	if r == nil {
		return nil
	}
	c := *r
	c.Header = r.Header.Clone()
	for _, h := range secretHeaders {
		if c.Header.Get(h) != "" {
			c.Header.Set(h, redacted)
		}
	}
	if u, err := url.Parse(RedactURL(r.URL)); err == nil {
		c.URL = u
	}
	c.Body, c.GetBody, c.Response = nil, nil, nil
	return &c
}

// cleanError takes the address out of an error of net/http, which shows the whole query, and whatever else looks secret.
func cleanError(err error) error {
	if err == nil {
		return nil
	}
	if ue, ok := err.(*url.Error); ok { //nolint:errorlint // what wraps it is kept, and was made from a clean one
		address := redactText(ue.URL)
		if u, perr := url.Parse(ue.URL); perr == nil {
			address = RedactURL(u)
		}
		err = &url.Error{Op: ue.Op, URL: address, Err: cleanError(ue.Err)}
	}
	if text := err.Error(); redactText(text) != text {
		return &cleanedError{text: redactText(text), err: err}
	}
	return err
}

// cleanedError shows a cleaned text and still is what it wraps for errors.Is; errors.As does not reach the original.
type cleanedError struct {
	text string
	err  error
}

func (e *cleanedError) Error() string { return e.text }

func (e *cleanedError) Is(target error) bool { return errors.Is(e.err, target) }

// Timeout keeps the net.Error view of the original.
func (e *cleanedError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.err, &t) && t.Timeout()
}
