package blob

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// conditions are a request's If- headers.
type conditions struct {
	match, noneMatch string
	since, unsince   time.Time
}

// readConditions reads conditional headers whose names begin with prefix, "" or
// "x-ms-source-".
func readConditions(h http.Header, prefix string) (c conditions, err error) {
	c.match, c.noneMatch = h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	for name, to := range map[string]*time.Time{prefix + "If-Modified-Since": &c.since, prefix + "If-Unmodified-Since": &c.unsince} {
		if v := h.Get(name); v != "" {
			if *to, err = http.ParseTime(v); err != nil {
				return c, invalidHeader(name, v)
			}
		}
	}
	return c, nil
}

// failed tells which side of the conditions a blob does not meet: match for If-Match
// and If-Unmodified-Since, none for If-None-Match and If-Modified-Since. As in RFC
// 9110, a tag is stronger than a time.
func (c conditions) failed(r *record) (match, none bool) {
	modified := r.Modified.Truncate(time.Second)
	switch {
	case c.match != "":
		match = c.match != "*" && !r.hadTag(c.match)
	case !c.unsince.IsZero():
		match = modified.After(c.unsince)
	}
	switch {
	case c.noneMatch != "":
		none = c.noneMatch == "*" || sameTag(c.noneMatch, r.ETag)
	case !c.since.IsZero():
		none = !modified.After(c.since)
	}
	return match, none
}

// read checks the conditions of a read.
func (c conditions) read(r *record) error {
	match, none := c.failed(r)
	if match {
		return errCondition
	}
	if none {
		return errNotModified.with("ETag", r.ETag)
	}
	return nil
}

// write checks the conditions of a write over old, which may be nil.
func (c conditions) write(old *record) error {
	if old == nil {
		if c.match != "" {
			return errCondition
		}
		return nil
	}
	match, none := c.failed(old)
	if none && c.noneMatch == "*" {
		return errBlobExists
	}
	if match || none {
		return errCondition
	}
	return nil
}

// source checks the conditions on a copy's source.
func (c conditions) source(r *record) error {
	if match, none := c.failed(r); match || none {
		return errSourceCondition
	}
	return nil
}

// writeCheck is what a write must pass in its transaction.
func (q *request) writeCheck() (func(old *record) error, error) {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return nil, err
	}
	createOnly := q.createOnly()
	return func(old *record) error {
		if old != nil && createOnly {
			return errOverwrite
		}
		return c.write(old)
	}, nil
}

// sameTag compares ETags, quoted or not.
func sameTag(a, b string) bool { return bare(a) == bare(b) }

func bare(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}

// hadTag reports whether the tag is the blob's. Of a live blob an earlier tag holds
// too: what it stood for is still there, unchanged, and a reader in ranges goes on.
func (r *record) hadTag(tag string) bool {
	if sameTag(tag, r.ETag) {
		return true
	}
	if r.kind != liveBlob {
		return false
	}
	version, size, ok := strings.Cut(bare(tag), "-")
	n, err := strconv.ParseInt(size, 16, 64)
	return ok && err == nil && version == "0x"+strings.ToUpper(strconv.FormatInt(r.version, 16)) && n <= r.Size
}
