package blob

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// maxFile is the largest file of a share.
	maxFile = 4 << 40
	// maxRange is the most bytes of one Put Range.
	maxRange = 4 << 20
	// smbTime is the form of a file's times.
	smbTime = "2006-01-02T15:04:05.0000000Z"
	// permissionKey stands for the one access that every file has.
	permissionKey = "0*0"
)

// fileState is what a file's headers are made of, with defaults filled in.
func (r *record) fileState() smb {
	s := smb{}
	if r.headers.File != nil {
		s = *r.headers.File
	}
	if s.Attributes == "" {
		s.Attributes = "Archive"
		if r.folder() {
			s.Attributes = "Directory"
		}
	}
	s.Created, s.Written = cmp.Or(s.Created, r.Created.UnixNano()), cmp.Or(s.Written, r.Modified.UnixNano())
	return s
}

// writeFileProperties puts what Azure Files tells of a file or directory into an answer.
func (q *request) writeFileProperties(r *record) {
	h := q.w.Header()
	s := r.fileState()
	h.Set("X-Ms-Type", "File")
	if r.folder() {
		h.Set("X-Ms-Type", "Directory")
	}
	h.Set("X-Ms-File-Attributes", s.Attributes)
	h.Set("X-Ms-File-Creation-Time", time.Unix(0, s.Created).UTC().Format(smbTime))
	h.Set("X-Ms-File-Last-Write-Time", time.Unix(0, s.Written).UTC().Format(smbTime))
	h.Set("X-Ms-File-Change-Time", r.Modified.UTC().Format(smbTime))
	h.Set("X-Ms-File-Permission-Key", permissionKey)
	h.Set("X-Ms-File-Id", fileID(r))
	h.Set("X-Ms-File-Parent-Id", "0")
	h.Set("X-Ms-Server-Encrypted", "true")
	h.Set("X-Ms-Lease-Status", "unlocked")
	h.Set("X-Ms-Lease-State", "available")
	if c := r.headers.Copy; c != nil {
		h.Set("X-Ms-Copy-Id", c.ID)
		h.Set("X-Ms-Copy-Source", c.Source)
		h.Set("X-Ms-Copy-Status", "success")
		h.Set("X-Ms-Copy-Progress", strconv.FormatInt(r.Size, 10)+"/"+strconv.FormatInt(r.Size, 10))
	}
	writeMetadata(h, visible(r.Metadata))
}

// fileState reads the headers that a client sets a file's state by, over what was.
func (q *request) fileState(old *smb) (*smb, error) {
	s := smb{}
	if old != nil {
		s = *old
	}
	if v := q.Header.Get("X-Ms-File-Attributes"); v != "" && !strings.EqualFold(v, "none") && !strings.EqualFold(v, "preserve") {
		s.Attributes = v
	}
	for name, to := range map[string]*int64{"x-ms-file-creation-time": &s.Created, "x-ms-file-last-write-time": &s.Written} {
		switch v := q.Header.Get(name); strings.ToLower(v) {
		case "", "preserve":
		case "now":
			*to = q.s.now().UnixNano()
		default:
			t, err := time.Parse("2006-01-02T15:04:05.9999999Z", v)
			if err != nil {
				return nil, invalidHeader(name, v)
			}
			*to = t.UnixNano()
		}
	}
	if s == (smb{}) {
		return nil, nil
	}
	return &s, nil
}

// fileLength reads x-ms-content-length.
func (q *request) fileLength() (int64, error) {
	text := q.Header.Get("X-Ms-Content-Length")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxFile {
		return 0, invalidHeader("x-ms-content-length", text)
	}
	return n, nil
}

// putFile serves Create File, and by its header Copy File.
func putFile(q *request) error {
	if q.Header.Get("X-Ms-Copy-Source") != "" {
		return copyFile(q)
	}
	switch t := q.Header.Get("X-Ms-Type"); strings.ToLower(t) {
	case "file":
	case "symlink":
		return refused("A symbolic link")
	default:
		return invalidHeader("x-ms-type", t)
	}
	size, err := q.fileLength()
	if err != nil {
		return err
	}
	w, err := q.newFileWrite()
	if err != nil {
		return err
	}
	c, err := q.body(maxRange, intake{inline: maxRange})
	if err != nil {
		return err
	}
	if c.size > size {
		return errRange
	}
	f, name, err := q.s.files.create(os.O_WRONLY)
	if err != nil {
		return err
	}
	c.file = name
	_, err = f.Write(c.data)
	if err == nil {
		err = f.Truncate(size)
	}
	if err = errors.Join(err, q.s.files.keep(f, name)); err != nil {
		q.s.drop(c)
		return err
	}
	sum := w.md5
	w.kind = shareFile
	w.take(&content{file: name, size: size, md5: sum})
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.writeFileProperties(r)
	q.written(http.StatusCreated, r)
	return nil
}

// newFileWrite reads what a request says of a file besides its content, and checks in
// the transaction that the file may be there.
func (q *request) newFileWrite() (*write, error) {
	w := &write{}
	var err error
	if w.contentType, w.headers, w.md5, err = q.lakeHeaders(); err != nil {
		return nil, err
	}
	if w.headers.File, err = q.fileState(nil); err != nil {
		return nil, err
	}
	if w.metadata, err = requestMetadata(q.Header); err != nil {
		return nil, err
	}
	createOnly := q.createOnly()
	w.check = func(old *record) error {
		if old != nil && createOnly {
			return errOverwrite
		}
		return keepsFolder(old, false)
	}
	w.choose = func(tx *sql.Tx, container int64, old *record) error {
		if old == nil {
			if there, err := below(tx, container, q.blob); err != nil || there {
				return errors.Join(err, errPathType)
			}
		}
		return q.s.inFolder(tx, q.address)
	}
	return w, nil
}

// copyFile serves Copy File. The copy is done when it answers.
func copyFile(q *request) error {
	w, err := q.newFileWrite()
	if err != nil {
		return err
	}
	from, err := q.source()
	if err != nil {
		return err
	}
	// Closing a file that was read loses nothing.
	defer func() { _ = from.Close() }()
	c, err := q.s.receive(reader{q.Context(), from}, intake{length: from.Size, file: true})
	if err != nil {
		return err
	}
	c.md5 = from.MD5
	w.kind = shareFile
	w.take(c)
	w.inherit(from.record)
	if w.metadata == nil {
		w.metadata = visible(from.record.Metadata)
	}
	source, _, _ := strings.Cut(q.Header.Get("X-Ms-Copy-Source"), "?")
	w.headers.Copy = &copied{ID: requestID(), Source: source, Time: q.s.now().UnixNano()}
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.w.Header().Set("X-Ms-Copy-Id", w.headers.Copy.ID)
	q.w.Header().Set("X-Ms-Copy-Status", "success")
	q.written(http.StatusAccepted, r)
	return nil
}

// putRange serves Put Range, which writes or clears a part of a file.
func putRange(q *request) error {
	text := cmp.Or(q.Header.Get("X-Ms-Range"), q.Header.Get("Range"))
	first, last, ok := parseRange(text)
	if !ok || last == 1<<63-1 {
		return invalidHeader("x-ms-range", text)
	}
	if q.Header.Get("X-Ms-Copy-Source") != "" {
		return refused("Put Range from a URL")
	}
	n := last - first + 1
	var c *content
	var err error
	switch kind := strings.ToLower(q.Header.Get("X-Ms-Write")); kind {
	case "update":
		c, err = q.body(maxRange, intake{inline: maxRange, crc: q.Header.Get("Content-MD5") == ""})
		if err == nil && c.size != n {
			err = invalidHeader("x-ms-range", text)
		}
	case "clear":
		c = &content{}
	default:
		err = invalidHeader("x-ms-write", kind)
	}
	if err != nil {
		return err
	}
	preserve := strings.EqualFold(q.Header.Get("X-Ms-File-Last-Write-Time"), "preserve")
	r, err := q.s.change(q.Context(), q.address, func(r *record, f *os.File) error {
		if last >= r.Size {
			return errRange
		}
		if r.headers.File != nil && !preserve {
			r.headers.File.Written = 0 // the time of this change
		}
		if c.data != nil {
			_, err := f.WriteAt(c.data, first)
			return err
		}
		return zero(f, first, n)
	})
	if err != nil {
		return err
	}
	if c.data != nil {
		if c.md5 != nil {
			q.w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(c.md5))
		} else {
			q.w.Header().Set("X-Ms-Content-Crc64", crcText(c.crc))
		}
	}
	q.w.Header().Set("X-Ms-File-Last-Write-Time", r.Modified.Format(smbTime))
	q.written(http.StatusCreated, r)
	return nil
}

// zero clears a part of a file.
func zero(f *os.File, first, n int64) error {
	_, err := f.Seek(first, io.SeekStart)
	if err == nil {
		_, err = io.CopyN(f, zeros{}, n)
	}
	return err
}

// zeros reads as nothing but zeros.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// setFileProperties serves Set File Properties and Set Directory Properties: what is
// not given stays, and a length changes the file's.
func setFileProperties(q *request) error {
	contentType, h, sum, err := q.lakeHeaders()
	if err != nil {
		return err
	}
	size := int64(-1)
	if q.Header.Get("X-Ms-Content-Length") != "" {
		if size, err = q.fileLength(); err != nil {
			return err
		}
	}
	set := func(r *record) error {
		w := write{contentType: contentType, headers: h}
		w.keep(r)
		r.ContentType, r.headers = w.contentType, w.headers
		if sum != nil {
			r.MD5 = sum
		}
		r.headers.File, err = q.fileState(r.headers.File)
		return err
	}
	var r *record
	if size < 0 {
		r, err = q.alter(false, set)
	} else {
		r, err = q.s.change(q.Context(), q.address, func(r *record, f *os.File) error {
			if err := set(r); err != nil {
				return err
			}
			r.Size = size
			return f.Truncate(size)
		})
	}
	if err != nil {
		return err
	}
	q.writeFileProperties(r)
	q.written(http.StatusOK, r)
	return nil
}

// change writes to a file of a share in place. do gets the present state and the open
// file, and may set size, properties and headers.
func (s *Service) change(ctx context.Context, a address, do func(r *record, f *os.File) error) (r *record, err error) {
	defer s.grow(a)()
	if err := space(ctx, a.String()); err != nil {
		return nil, err
	}
	if r, err = s.find(ctx, a); err != nil {
		return nil, err
	}
	switch {
	case r.folder():
		return nil, errPathType
	case r.kind == liveBlob:
		return nil, errBlobGrows
	case r.kind != shareFile:
		if r, err = s.ownFile(ctx, a); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(s.path(r.file), os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	err = do(r, f)
	if err == nil && s.files.sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	r.version, r.Modified = s.nextETag(), s.now()
	r.ETag = r.etag()
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		n, err := tx.Exec(`UPDATE blobs SET size = ?, etag = ?, modified = ?, md5 = ?, content_type = ?, headers = ? WHERE id = ? AND file = ?`,
			r.Size, r.version, r.Modified.UnixNano(), r.MD5, r.ContentType, encodeHeaders(r.headers), r.id, r.file)
		if err != nil {
			return err
		}
		if changed, err := n.RowsAffected(); err != nil || changed == 0 {
			return errors.Join(err, errBlobNotFound) // replaced or removed meanwhile
		}
		return nil
	})
	return r, err
}

// ownFile gives a blob whose content never changes one that may: a copy.
func (s *Service) ownFile(ctx context.Context, a address) (*record, error) {
	from, err := s.openReader(ctx, a)
	if err != nil {
		return nil, err
	}
	// Closing a file that was read loses nothing.
	defer func() { _ = from.Close() }()
	c, err := s.receive(reader{ctx, from}, intake{length: from.Size, file: true})
	if err != nil {
		return nil, err
	}
	src := from.record
	c.md5 = src.MD5
	w := &write{kind: shareFile, contentType: src.ContentType, headers: src.headers, metadata: src.Metadata, check: func(old *record) error {
		if old == nil || old.version != src.version {
			return errCondition
		}
		return nil
	}}
	w.take(c)
	return s.commit(ctx, a, w)
}

// listRanges serves List Ranges: all of a file is told as written.
func listRanges(q *request) error {
	if q.query.get("prevsharesnapshot") != "" {
		return refused("List Ranges that differ from a snapshot")
	}
	r, err := q.s.find(q.Context(), q.address)
	if err != nil {
		return err
	}
	first, n, _, err := q.byteRange(r.Size)
	if err != nil {
		return err
	}
	q.stamp(r.ETag, r.Modified)
	q.w.Header().Set("X-Ms-Content-Length", strconv.FormatInt(r.Size, 10))
	var b strings.Builder
	b.WriteString(xmlHeader + "<Ranges>")
	if n > 0 {
		b.WriteString("<Range>")
		element(&b, "Start", strconv.FormatInt(first, 10))
		element(&b, "End", strconv.FormatInt(first+n-1, 10))
		b.WriteString("</Range>")
	}
	b.WriteString("</Ranges>")
	return q.xml(b.String())
}
