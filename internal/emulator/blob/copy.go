package blob

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// accountHost is a host that is one account's.
var accountHost = regexp.MustCompile(`^([a-z0-9]{3,24})\.(?:blob|dfs|file)\.`)

// accountSegment is the first segment of a path on a loopback port, where it says the service too.
var accountSegment = regexp.MustCompile(`(?i)^/([a-z0-9]{3,24})\.(?:blob|dfs|file)/`)

// named is the path, with the account, of an address of this service; host says
// that the account was the host's.
func (q *request) named(u *url.URL) (path string, host bool) {
	path = u.EscapedPath()
	if m := accountHost.FindStringSubmatch(u.Host); m != nil {
		return "/" + m[1] + path, true
	}
	return accountSegment.ReplaceAllString(path, "/$1/"), false
}

// source finds what x-ms-copy-source names, a blob of this service, and checks that
// the caller may read it.
func (q *request) source() (*Reader, error) {
	text := q.Header.Get("X-Ms-Copy-Source")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, invalidHeader("x-ms-copy-source", text)
	}
	path, host := q.named(u)
	if !host && u.Host != q.Host {
		return nil, fault(400, "CannotVerifyCopySource", "Could not verify the copy source: the local workspace copies from its own blob service only, not from %q.", u.Host)
	}
	a, err := parsePath(path)
	if err != nil || a.blob == "" {
		return nil, invalidHeader("x-ms-copy-source", redact(u))
	}
	v, err := parseQuery(u.RawQuery)
	if err != nil {
		return nil, err
	}
	if v.get("snapshot") != "" || v.get("versionid") != "" {
		return nil, refused("Copying a snapshot or a version")
	}
	if err := q.mayRead(a, v, u.Scheme == "https"); err != nil {
		return nil, err
	}
	c, err := readConditions(q.Header, "x-ms-source-")
	if err != nil {
		return nil, err
	}
	r, err := q.s.openReader(q.Context(), a)
	if missing(err) {
		return nil, fault(404, "CannotVerifyCopySource", "The specified blob does not exist.")
	}
	if err != nil {
		return nil, err
	}
	if err := c.source(r.record); err != nil {
		// The reader has read nothing.
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

// mayRead checks that the source's signature, or the request's own authority, is
// enough to read the source.
func (q *request) mayRead(a address, v query, secure bool) error {
	if v.get("sig") == "" {
		if q.grant.all && (a.account == q.account || trusted(q.Context())) {
			return nil
		}
		return fault(403, "CannotVerifyCopySource", "Could not verify the copy source: the source URL carries no signature.")
	}
	key, err := q.s.Key(q.Context(), a.account)
	if errors.Is(err, store.ErrNotFound) {
		return fault(403, "CannotVerifyCopySource", "Could not verify the copy source: there is no account %q here.", a.account)
	}
	if err == nil {
		var g grant
		g, err = q.s.checkSAS(key, v, target{address: a, secure: secure, remote: q.RemoteAddr, protocol: sourceProtocol(v)}, operation{kind: 'o'})
		if err == nil && !g.can("r") {
			err = errPermission
		}
	}
	if err != nil {
		return fault(403, "CannotVerifyCopySource", "Could not verify the copy source: %s", failure(err).Message)
	}
	return nil
}

// sourceProtocol is the protocol that a source's signature is of.
func sourceProtocol(v query) Protocol {
	if r := v.get("sr"); r == "s" || r == "f" || !strings.Contains(v.get("ss"), "b") && strings.Contains(v.get("ss"), "f") {
		return Files
	}
	return Blobs
}

// redact is a URL without its query, which may be a signature.
func redact(u *url.URL) string {
	c := *u
	c.RawQuery, c.User = "", nil
	return c.String()
}

// copyBlob serves Copy Blob and Copy Blob From URL. The copy is done when it answers.
func copyBlob(q *request) error {
	w, err := q.newWrite(false)
	if err != nil {
		return err
	}
	from, err := q.source()
	if err != nil {
		return err
	}
	// Closing a file that was read loses nothing.
	defer func() { _ = from.Close() }()
	if err := q.s.duplicate(q.Context(), from, w); err != nil {
		return err
	}
	src := from.record
	w.kind, w.contentType, w.md5 = src.kind, src.ContentType, src.MD5
	tier := w.headers.Tier
	w.headers = src.headers
	if tier != "" {
		w.headers.Tier = tier
	}
	switch w.kind {
	case liveBlob:
		w.kind = appendBlob
	case shareFile:
		w.kind = blockBlob
	}
	if w.metadata == nil {
		w.metadata = src.Metadata
	}
	u, err := url.Parse(q.Header.Get("X-Ms-Copy-Source"))
	if err != nil {
		return err
	}
	w.headers.Copy = &copied{ID: requestID(), Source: redact(u), Time: q.s.now().UnixNano()}
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.w.Header().Set("X-Ms-Copy-Id", w.headers.Copy.ID)
	q.w.Header().Set("X-Ms-Copy-Status", "success")
	q.written(http.StatusAccepted, r)
	return nil
}

// abortCopy serves Abort Copy Blob: no copy is ever pending.
func abortCopy(*request) error { return errNoPendingCopy }

// putBlobFromURL serves Put Blob From URL.
func putBlobFromURL(q *request) error {
	w, err := q.newWrite(false)
	if err != nil {
		return err
	}
	from, err := q.source()
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	c, err := q.takeFromURL(from, from.Size, intake{length: from.Size, md5: true, crc: true})
	if err != nil {
		return err
	}
	w.take(c)
	if q.Header.Get("X-Ms-Copy-Source-Blob-Properties") != "false" {
		w.inherit(from.record)
	}
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.sums(c)
	q.written(http.StatusCreated, r)
	return nil
}

// inherit fills in what the request did not say from the source.
func (w *write) inherit(src *record) {
	if w.contentType == "" {
		w.contentType = src.ContentType
	}
	for to, from := range map[*string]string{&w.headers.Encoding: src.headers.Encoding, &w.headers.Language: src.headers.Language,
		&w.headers.Disposition: src.headers.Disposition, &w.headers.Cache: src.headers.Cache} {
		if *to == "" {
			*to = from
		}
	}
}

// bodyFromURL receives the range of the source that a Put Block From URL or an
// Append Block From URL asks for.
func (q *request) bodyFromURL() (*content, error) {
	from, err := q.source()
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	first, n := int64(0), from.Size
	if text := q.Header.Get("X-Ms-Source-Range"); text != "" {
		begin, end, ok := parseRange(text)
		if !ok || begin >= from.Size {
			return nil, errRange
		}
		first, n = begin, min(end, from.Size-1)-begin+1
	}
	if _, err := from.Seek(first, io.SeekStart); err != nil {
		return nil, err
	}
	return q.takeFromURL(from, n, intake{length: n, crc: true, file: true})
}

// takeFromURL receives n bytes of the source and checks the sums that came with the
// request.
func (q *request) takeFromURL(from *Reader, n int64, in intake) (*content, error) {
	wantMD5, err := headerSum(q.Header, "x-ms-source-content-md5", 16, errInvalidMD5)
	if err != nil {
		return nil, err
	}
	wantCRC, err := headerSum(q.Header, "x-ms-source-content-crc64", 8, errInvalidCRC64)
	if err != nil {
		return nil, err
	}
	in.md5 = in.md5 || wantMD5 != nil
	c, err := q.s.receive(reader{q.Context(), io.LimitReader(from, n)}, in)
	if err != nil {
		return nil, err
	}
	if wantMD5 != nil && !bytes.Equal(wantMD5, c.md5) {
		err = errMD5
	}
	if wantCRC != nil && binary.LittleEndian.Uint64(wantCRC) != c.crc {
		err = errCRC64
	}
	if err != nil {
		q.s.drop(c)
		return nil, err
	}
	return c, nil
}

// duplicate makes the write's content the reader's, by links to its files where
// that can be: contents do not change. The files of append blobs do.
func (s *Service) duplicate(ctx context.Context, from *Reader, w *write) error {
	src := from.record
	if src.place == inRow || src.kind != blockBlob {
		c, err := s.receive(reader{ctx, from}, intake{length: src.Size, file: src.kind != blockBlob})
		if err != nil {
			return err
		}
		w.take(c)
		return nil
	}
	if src.place == inFile {
		file, err := s.link(src.file)
		if err != nil {
			return err
		}
		w.take(&content{file: file, size: src.Size})
		return nil
	}
	w.place, w.size = inSegments, src.Size
	linked := map[string]string{}
	for _, seg := range from.segments {
		file, ok := linked[seg.file]
		if !ok {
			var err error
			if file, err = s.link(seg.file); err != nil {
				s.dropFiles(w.fresh)
				return err
			}
			linked[seg.file] = file
			w.fresh = append(w.fresh, file)
		}
		w.segments = append(w.segments, segment{seg.block, file, seg.size})
	}
	return nil
}

// link gives a file a second name, or a copy where there are no links.
func (s *Service) link(file string) (string, error) {
	name, err := s.files.name()
	if err != nil {
		return "", err
	}
	if os.Link(s.path(file), s.path(name)) != nil {
		return name, s.copyFile(file, name)
	}
	if s.files.sync {
		err = syncFolder(filepath.Dir(s.path(name)))
	}
	return name, err
}

func (s *Service) copyFile(from, to string) error {
	in, err := os.Open(s.path(from))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(s.path(to), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		// The first error is the one to tell.
		_ = out.Close()
		return err
	}
	return s.files.keep(out, to)
}
