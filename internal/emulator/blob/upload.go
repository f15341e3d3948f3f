package blob

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
)

// The most bytes that one request may carry.
const (
	maxPutBlob     = 5000 << 20
	maxPutBlock    = 4000 << 20
	maxAppendBlock = 100 << 20
	maxBlockList   = 16 << 20
)

// putBlob serves Put Blob, and by their headers Copy Blob and Put Blob From URL.
func putBlob(q *request) error {
	source, kind := q.Header.Get("X-Ms-Copy-Source"), q.Header.Get("X-Ms-Blob-Type")
	switch {
	case source != "" && kind == "":
		return copyBlob(q)
	case source != "" && kind == "BlockBlob":
		return putBlobFromURL(q)
	case kind == "BlockBlob":
		return putBlockBlob(q)
	case kind == "AppendBlob":
		return createAppendBlob(q)
	case kind == "PageBlob":
		return refused("Put Blob of a page blob")
	case kind == "":
		return fault(400, "MissingRequiredHeader", "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type.")
	}
	return invalidHeader("x-ms-blob-type", kind)
}

func putBlockBlob(q *request) error {
	w, err := q.newWrite(true)
	if err != nil {
		return err
	}
	stored, err := headerSum(q.Header, "x-ms-blob-content-md5", 16, errInvalidMD5)
	if err != nil {
		return err
	}
	c, err := q.body(maxPutBlob, intake{md5: true, crc: true})
	if err != nil {
		return err
	}
	if stored != nil && !bytes.Equal(stored, c.md5) {
		q.s.drop(c)
		return errMD5
	}
	w.take(c)
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.sums(c)
	q.written(http.StatusCreated, r)
	return nil
}

func createAppendBlob(q *request) error {
	w, err := q.newWrite(true)
	if err != nil {
		return err
	}
	if q.ContentLength != 0 {
		return invalidHeader("Content-Length", strconv.FormatInt(q.ContentLength, 10))
	}
	f, name, err := q.s.files.create(os.O_WRONLY)
	if err != nil {
		return err
	}
	c := &content{file: name}
	if err := q.s.files.keep(f, name); err != nil {
		q.s.drop(c)
		return err
	}
	w.kind = appendBlob
	w.take(c)
	r, err := q.s.commit(q.Context(), q.address, w)
	if err != nil {
		return err
	}
	q.written(http.StatusCreated, r)
	return nil
}

// newWrite reads what a write says besides the content.
func (q *request) newWrite(plain bool) (*write, error) {
	contentType, h, err := q.blobHeaders(plain)
	if err != nil {
		return nil, err
	}
	metadata, err := requestMetadata(q.Header)
	if err != nil {
		return nil, err
	}
	check, err := q.writeCheck()
	if err != nil {
		return nil, err
	}
	return &write{contentType: contentType, headers: h, metadata: metadata, check: check}, nil
}

// body receives the request's body and checks it against the sums that came with
// it. A sum is computed when in asks for it or when it is to be checked.
func (q *request) body(limit int64, in intake) (*content, error) {
	wantMD5, err := headerSum(q.Header, "Content-MD5", 16, errInvalidMD5)
	if err != nil {
		return nil, err
	}
	wantCRC, err := headerSum(q.Header, "x-ms-content-crc64", 8, errInvalidCRC64)
	if err != nil {
		return nil, err
	}
	r, length, err := q.plainBody(limit)
	if err != nil {
		return nil, err
	}
	in.length, in.full = length, space(q.Context(), q.address.String())
	in.md5 = in.md5 || wantMD5 != nil
	in.crc = in.crc || wantCRC != nil
	c, err := q.s.receive(r, in)
	if err != nil {
		return nil, bodyError(err)
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

// plainBody is the body without the framing of a structured message, and its length.
func (q *request) plainBody(limit int64) (io.Reader, int64, error) {
	if q.ContentLength < 0 {
		return nil, 0, errContentLength
	}
	form := q.Header.Get("X-Ms-Structured-Body")
	if form == "" {
		if q.ContentLength > limit {
			return nil, 0, errTooLarge
		}
		return q.Body, q.ContentLength, nil
	}
	if form != structuredForm {
		return nil, 0, invalidHeader("x-ms-structured-body", form)
	}
	text := q.Header.Get("X-Ms-Structured-Content-Length")
	length, err := strconv.ParseInt(text, 10, 64)
	if err != nil || length < 0 {
		return nil, 0, invalidHeader("x-ms-structured-content-length", text)
	}
	if length > limit {
		return nil, 0, errTooLarge
	}
	q.w.Header().Set("X-Ms-Structured-Body", structuredForm)
	return newMessageReader(q.Body, q.ContentLength), length, nil
}

// bodyError tells a body that ended early, which is the client's doing.
func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fault(400, "IncompleteBody", "The request body ended before Content-Length bytes were received.")
	}
	return err
}

// sums answers with the sums of what was received, the MD5 when it was computed.
func (q *request) sums(c *content) {
	if c.md5 != nil {
		q.w.Header().Set("Content-MD5", base64.StdEncoding.EncodeToString(c.md5))
	}
	q.w.Header().Set("X-Ms-Content-Crc64", crcText(c.crc))
}

// crcText is a CRC64 as headers have it.
func crcText(crc uint64) string {
	return base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, crc))
}

// headerSum reads a base64 sum of n bytes from a header, nil when it is not there.
func headerSum(h http.Header, name string, n int, invalid *Error) ([]byte, error) {
	text := h.Get(name)
	if text == "" {
		return nil, nil
	}
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sum) != n {
		return nil, invalid
	}
	return sum, nil
}
