package blob

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

func decodeBase64(text string) ([]byte, error) { return base64.StdEncoding.DecodeString(text) }

func encodeBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// newLakeWrite reads what a request says of a path besides its content.
func (q *request) newLakeWrite() (*write, error) {
	check, err := q.writeCheck()
	if err != nil {
		return nil, err
	}
	w := &write{check: check}
	if w.contentType, w.headers, w.md5, err = q.lakeHeaders(); err != nil {
		return nil, err
	}
	w.metadata, _, err = q.lakeMetadata()
	return w, err
}

// lakeCreate serves Create of a file or a directory.
func lakeCreate(q *request) error {
	w, err := q.newLakeWrite()
	if err != nil {
		return err
	}
	folder := q.query.get("resource") == "directory"
	md5 := w.md5
	w.take(&content{md5: md5})
	conditions := w.check
	w.check = func(old *record) error {
		if err := conditions(old); err != nil {
			return err
		}
		return keepsFolder(old, folder)
	}
	w.choose = func(tx *sql.Tx, container int64, old *record) error {
		if !folder && old == nil {
			if there, err := below(tx, container, q.blob); err != nil || there {
				return cmp.Or(err, error(errPathType))
			}
		}
		return q.s.markFolders(tx, q.address)
	}
	if folder {
		w.metadata = marked(w.metadata)
	}
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.written(http.StatusCreated, r)
	return nil
}

// lakeBlock is the id of the block that was appended at a position.
func lakeBlock(position int64) string { return encodeBase64(fmt.Sprintf("lake%020d", position)) }

// lakePosition is the position in a block's id; false for a block that Put Block made.
func lakePosition(block string) (int64, bool) {
	raw, err := decodeBase64(block)
	if err != nil || len(raw) != 24 || !bytes.HasPrefix(raw, []byte("lake")) {
		return 0, false
	}
	n, err := strconv.ParseInt(string(raw[4:]), 10, 64)
	return n, err == nil
}

// position reads the parameter of that name.
func (q *request) position() (int64, error) {
	text := q.query.get("position")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, invalidParameter("position", text)
	}
	return n, nil
}

// lakeAppend serves the action append: the data is kept until a flush makes it part
// of the file. Appends may come in any order, and twice.
func lakeAppend(q *request) error {
	at, err := q.position()
	if err != nil {
		return err
	}
	c, err := q.body(maxPutBlock, intake{file: true, crc: q.Header.Get("Content-MD5") == ""})
	if err != nil {
		return err
	}
	if c.size == 0 {
		q.s.drop(c)
		return invalidHeader("Content-Length", "0")
	}
	size := c.size
	err = q.s.stage(q.Context(), q.address, lakeBlock(at), c, func(old *record) error {
		switch {
		case old == nil:
			return errBlobNotFound
		case old.folder():
			return errPathType
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.md5 != nil {
		q.w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(c.md5))
	} else {
		q.w.Header().Set("X-Ms-Content-Crc64", crcText(c.crc))
	}
	q.w.Header().Set("X-Ms-Request-Server-Encrypted", "true")
	if strings.EqualFold(q.query.get("flush"), "true") {
		r, err := q.flush(at + size)
		if err != nil {
			return err
		}
		q.stamp(r.ETag, r.Modified)
	}
	q.empty(http.StatusAccepted)
	return nil
}

// lakeFlush serves the action flush.
func lakeFlush(q *request) error {
	to, err := q.position()
	if err != nil {
		return err
	}
	r, err := q.flush(to)
	if err != nil {
		return err
	}
	q.written(http.StatusOK, r)
	return nil
}

var errFlushPosition = fault(400, "InvalidFlushPosition", "The uploaded data is not contiguous or the position query parameter value is not equal to the length of the file after appending the uploaded data.")

// flush makes what was appended up to a position part of the file.
func (q *request) flush(to int64) (*record, error) {
	w, err := q.newLakeWrite()
	if err != nil {
		return nil, err
	}
	head, before, err := q.rowToFile()
	if err != nil {
		return nil, err
	}
	if head != nil {
		w.fresh = append(w.fresh, head.file)
	}
	w.place = inSegments
	w.choose = func(tx *sql.Tx, container int64, old *record) error {
		if old == nil {
			return errBlobNotFound
		}
		if old.folder() {
			return errPathType
		}
		if !old.block() {
			return errBlobType
		}
		switch {
		case old.place == inFile:
			w.segments = []segment{{lakeBlock(0), old.file, old.Size}}
		case old.place == inSegments:
			if w.segments, err = committedSegments(tx, old); err != nil {
				return err
			}
		case old.Size > 0:
			if head == nil || old.version != before {
				return errCondition // replaced meanwhile
			}
			w.segments = []segment{{lakeBlock(0), head.file, old.Size}}
		}
		w.size = old.Size
		staged, err := stagedBlocks(tx, container, q.blob)
		if err != nil {
			return err
		}
		slices.SortFunc(staged, func(a, b segment) int { // by position: equal lengths sort as their texts
			x, _ := lakePosition(a.block)
			y, _ := lakePosition(b.block)
			return cmp.Compare(x, y)
		})
		for _, seg := range staged {
			if at, ok := lakePosition(seg.block); ok && at == w.size && at < to {
				w.segments, w.size = append(w.segments, seg), w.size+seg.size
			}
		}
		if w.size != to {
			return errFlushPosition
		}
		w.keep(old)
		return nil
	}
	return q.s.commit(q.Context(), q.address, w)
}

// keep takes from the present state what the request did not say.
func (w *write) keep(old *record) {
	w.contentType = cmp.Or(w.contentType, old.ContentType)
	h := old.headers
	h.Encoding, h.Language = cmp.Or(w.headers.Encoding, h.Encoding), cmp.Or(w.headers.Language, h.Language)
	h.Disposition, h.Cache = cmp.Or(w.headers.Disposition, h.Disposition), cmp.Or(w.headers.Cache, h.Cache)
	w.headers = h
	if w.metadata == nil {
		w.metadata = old.Metadata
	}
}

// rowToFile copies a content that is in its row to a file, so that more can follow
// it, and gives the state that it is of. It gives nil when there is nothing to copy.
func (q *request) rowToFile() (*content, int64, error) {
	r, err := q.s.openReader(q.Context(), q.address)
	if err != nil {
		return nil, 0, err
	}
	// Closing what was read loses nothing.
	defer func() { _ = r.Close() }()
	if r.record.place != inRow || r.Size == 0 {
		return nil, 0, nil
	}
	c, err := q.s.receive(r, intake{length: r.Size, file: true})
	return c, r.record.version, err
}

// lakeSetProperties serves the action setProperties.
func lakeSetProperties(q *request) error {
	contentType, h, sum, err := q.lakeHeaders()
	if err != nil {
		return err
	}
	metadata, given, err := q.lakeMetadata()
	if err != nil {
		return err
	}
	r, err := q.alter(false, func(r *record) error {
		w := write{contentType: contentType, headers: h}
		w.keep(r)
		r.ContentType, r.headers = w.contentType, w.headers
		if sum != nil {
			r.MD5 = sum
		}
		if given {
			if r.folder() {
				metadata = marked(metadata)
			}
			r.Metadata = metadata
		}
		return nil
	})
	if err != nil {
		return err
	}
	q.written(http.StatusOK, r)
	return nil
}

// lakeDelete serves Delete of a path, a directory with all that is below it when the
// request says recursive.
func lakeDelete(q *request) error {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return err
	}
	recursive := strings.EqualFold(q.query.get("recursive"), "true")
	if err := q.s.removePath(q.Context(), q.address, recursive, c); err != nil {
		return err
	}
	q.empty(http.StatusOK)
	return nil
}

// lakeRename serves Rename: the path and all that is below it get other names, in
// one step.
func lakeRename(q *request) error {
	text := q.Header.Get("X-Ms-Rename-Source")
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(u.EscapedPath(), "/") {
		return invalidHeader("x-ms-rename-source", text)
	}
	path := u.EscapedPath()
	// azdatalake sends the path of the whole address, which on a loopback port begins with the account.
	if rest, ok := strings.CutPrefix(path, "/"+q.account+"/"); ok && strings.Contains(strings.Trim(rest, "/"), "/") {
		path = "/" + rest
	}
	from, err := parsePath("/" + q.account + path)
	if from.blob = strings.Trim(from.blob, "/"); err != nil || from.blob == "" {
		return fault(400, "InvalidRenameSourcePath", "The source path for a rename operation is invalid.")
	}
	v, err := parseQuery(u.RawQuery)
	if err != nil {
		return err
	}
	if err := q.mayMove(from, v); err != nil {
		return err
	}
	source, err := readConditions(q.Header, "x-ms-source-")
	if err != nil {
		return err
	}
	check, err := q.writeCheck()
	if err != nil {
		return err
	}
	r, err := q.s.rename(q.Context(), from, q.address, rename{source: source.source, target: check, overwrite: true})
	if err != nil {
		return err
	}
	if r == nil { // a folder without a mark
		q.empty(http.StatusCreated)
		return nil
	}
	q.written(http.StatusCreated, r)
	return nil
}

// mayMove checks that the caller may take the source away: by the source's own
// signature, else by the request's, which must hold for it too.
func (q *request) mayMove(from address, v query) error {
	if q.grant.all {
		return nil
	}
	if v.get("sig") == "" {
		v = q.query
	}
	key, err := q.s.Key(q.Context(), from.account)
	if err != nil {
		return err
	}
	g, err := q.s.checkSAS(key, v, target{address: from, secure: q.secure(), remote: q.RemoteAddr, protocol: q.protocol}, operation{kind: 'o'})
	if err == nil && !g.can("mwd") {
		err = errPermission
	}
	return err
}
