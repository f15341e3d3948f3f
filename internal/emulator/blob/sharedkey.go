package blob

import (
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// clockSkew is how far a signed request's date may be from the present.
const clockSkew = 15 * time.Minute

// sharedKey checks a request that is signed with the account's key: credential is
// ACCOUNT:SIGNATURE.
func (q *request) sharedKey(key, credential string) error {
	account, signature, ok := strings.Cut(credential, ":")
	if !ok || account != q.account {
		return errAuthentication
	}
	date := q.Header.Get("X-Ms-Date")
	if date == "" {
		date = q.Header.Get("Date")
	}
	// The machine's clock and not the service's: a client does not follow a test's.
	sent, err := http.ParseTime(date)
	if err != nil || time.Since(sent).Abs() > clockSkew {
		return errAuthentication.because("The date header in the request is incorrect.")
	}
	resources := []string{q.URL.EscapedPath()}
	if path, cut := strings.CutPrefix(q.URL.EscapedPath(), "/"+q.account); cut {
		// As signed for a host that is the account's own.
		resources = append(resources, "/"+strings.TrimPrefix(path, "/"))
	}
	if sent, _, _ := strings.Cut(q.RequestURI, "?"); strings.HasPrefix(sent, "/") && sent != resources[0] {
		resources = append(resources, sent) // as it was sent to an address that names the service
	}
	for _, headers := range canonicalHeaders(q.Header) {
		for _, path := range resources {
			if equal(signature, sign(key, q.stringToSign(headers, "/"+account+path+canonicalQuery(q.URL.RawQuery)))) {
				return nil
			}
		}
	}
	return errAuthentication.because("The MAC signature found in the HTTP request is not the same as any computed signature.")
}

func (q *request) stringToSign(headers, resource string) string {
	h := q.Header
	length := ""
	if q.ContentLength > 0 {
		length = strconv.FormatInt(q.ContentLength, 10)
	}
	date := ""
	if h.Get("X-Ms-Date") == "" {
		date = h.Get("Date")
	}
	return strings.Join([]string{
		q.Method, h.Get("Content-Encoding"), h.Get("Content-Language"), length, h.Get("Content-MD5"), h.Get("Content-Type"), date,
		h.Get("If-Modified-Since"), h.Get("If-Match"), h.Get("If-None-Match"), h.Get("If-Unmodified-Since"), h.Get("Range"),
		headers + resource,
	}, "\n")
}

// canonicalHeaders is the x-ms- headers, each with a newline, in the two orders
// that clients use: the service's, in which hyphens hardly count, and the bytes'.
func canonicalHeaders(h http.Header) []string {
	var names []string
	for name := range h {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-ms-") {
			names = append(names, name)
		}
	}
	text := func() string {
		var b strings.Builder
		for _, name := range names {
			b.WriteString(strings.ToLower(name) + ":" + strings.Join(h[name], ",") + "\n")
		}
		return b.String()
	}
	slices.SortFunc(names, func(a, b string) int { return compareHeaders(strings.ToLower(a), strings.ToLower(b)) })
	forms := []string{text()}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	if plain := text(); plain != forms[0] {
		forms = append(forms, plain)
	}
	return forms
}

// compareHeaders orders names as the service does: by letters and digits, and only
// when those are equal by where the hyphens are.
func compareHeaders(a, b string) int {
	if c := strings.Compare(headerWeights(a), headerWeights(b)); c != 0 {
		return c
	}
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '-':
			return 1
		case b[i] == '-':
			return -1
		}
	}
	return len(a) - len(b)
}

// headerWeights is a name without its hyphens, with the underscore before digits.
func headerWeights(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '-':
			return -1
		case '_':
			return '!'
		}
		return r
	}, name)
}

// canonicalQuery is the parameters, decoded and sorted, each after a newline.
func canonicalQuery(raw string) string {
	values := map[string][]string{}
	for _, one := range strings.Split(raw, "&") {
		if one == "" {
			continue
		}
		// What does not unescape was refused before.
		name, value, _ := parameter(one)
		values[name] = append(values[name], value)
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	sort.Strings(names)
	var b strings.Builder
	for _, name := range names {
		sort.Strings(values[name])
		b.WriteString("\n" + name + ":" + strings.Join(values[name], ","))
	}
	return b.String()
}
