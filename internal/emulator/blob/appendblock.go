package blob

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
)

// appendInline is the largest appended block that is held in memory.
const appendInline = 4 << 20

// putAppendBlock serves Append Block and Append Block From URL.
func putAppendBlock(q *request) error {
	check, err := q.appendCheck()
	if err != nil {
		return err
	}
	var c *content
	if q.Header.Get("X-Ms-Copy-Source") != "" {
		c, err = q.bodyFromURL()
	} else {
		c, err = q.body(maxAppendBlock, intake{crc: q.Header.Get("Content-MD5") == "", inline: appendInline})
	}
	if err != nil {
		return err
	}
	defer q.s.drop(c) // its bytes are copied
	if c.size == 0 {
		return invalidHeader("Content-Length", "0")
	}
	r, offset, err := q.s.extend(q, c, check)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("X-Ms-Blob-Append-Offset", strconv.FormatInt(offset, 10))
	h.Set("X-Ms-Blob-Committed-Block-Count", strconv.Itoa(r.headers.Blocks))
	q.sums(c)
	q.written(http.StatusCreated, r)
	return nil
}

// appendCheck reads the conditions of an append. They get the blob and the size of
// what is to be appended.
func (q *request) appendCheck() (func(r *record, n int64) error, error) {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return nil, err
	}
	position, limit := int64(-1), int64(-1)
	for name, to := range map[string]*int64{"x-ms-blob-condition-appendpos": &position, "x-ms-blob-condition-maxsize": &limit} {
		if v := q.Header.Get(name); v != "" {
			if *to, err = strconv.ParseInt(v, 10, 64); err != nil || *to < 0 {
				return nil, invalidHeader(name, v)
			}
		}
	}
	return func(r *record, n int64) error {
		match, none := c.failed(r)
		switch {
		case r.kind == liveBlob:
			return errBlobGrows
		case r.kind != appendBlob:
			return errBlobType
		case match || none:
			return errCondition
		case position >= 0 && position != r.Size:
			return errAppendPosition
		case limit >= 0 && r.Size+n > limit:
			return errMaxSize
		case r.headers.Blocks >= maxBlocks:
			return fault(409, "BlockCountExceedsLimit", "The committed block count cannot exceed the maximum limit of %d blocks.", maxBlocks)
		}
		return nil
	}, nil
}

// extend writes bytes behind an append blob's end and then makes them part of it.
// Bytes that a crash leaves between the two are overwritten by the next append.
func (s *Service) extend(q *request, c *content, check func(r *record, n int64) error) (r *record, offset int64, err error) {
	defer s.grow(q.address)()
	before, err := s.find(q.Context(), q.address)
	if err != nil {
		return nil, 0, err
	}
	if err := check(before, c.size); err != nil {
		return nil, 0, err
	}
	if err := s.writeBehind(before, c); err != nil {
		return nil, 0, err
	}
	err = s.db.Update(q.Context(), func(tx *sql.Tx) error {
		if r, err = s.findRecord(tx, q.address); err != nil {
			return err
		}
		if err := check(r, c.size); err != nil {
			return err
		}
		if r.file != before.file || r.Size != before.Size {
			return errCondition // replaced meanwhile
		}
		r.Size += c.size
		r.headers.Blocks++
		r.version, r.Modified = s.nextETag(), s.now()
		r.ETag, r.MD5 = r.etag(), nil
		_, err := tx.Exec(`UPDATE blobs SET size = ?, headers = ?, etag = ?, modified = ?, md5 = NULL WHERE id = ?`, r.Size, encodeHeaders(r.headers), r.version, r.Modified.UnixNano(), r.id)
		return err
	})
	return r, before.Size, err
}

// writeBehind writes a content at the end of a blob's file.
func (s *Service) writeBehind(r *record, c *content) error {
	f, err := os.OpenFile(s.path(r.file), os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var source io.Reader = bytes.NewReader(c.data)
	if c.file != "" {
		from, err := os.Open(s.path(c.file))
		if err != nil {
			return errors.Join(err, f.Close())
		}
		defer from.Close()
		source = from
	}
	_, err = f.Seek(r.Size, io.SeekStart)
	if err == nil {
		_, err = io.Copy(f, source)
	}
	if err == nil && s.files.sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
