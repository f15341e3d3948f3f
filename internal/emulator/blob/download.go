package blob

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/minio/crc64nvme"
)

// rangeSumLimit is the largest range whose sum is told, as in Azure.
const rangeSumLimit = 4 << 20

// getBlob serves Get Blob and Get Blob Properties.
func getBlob(q *request) error {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return err
	}
	if q.Method == http.MethodHead {
		r, err := q.s.find(q.Context(), q.address)
		if err != nil {
			return err
		}
		if err := c.read(r); err != nil {
			return err
		}
		q.writeProperties(r)
		q.wholeMD5(r, "Content-MD5")
		q.w.Header().Set("Content-Length", strconv.FormatInt(r.Size, 10))
		q.w.WriteHeader(http.StatusOK)
		return nil
	}
	reader, err := q.s.openReader(q.Context(), q.address)
	if err != nil {
		return err
	}
	// Closing a file that was read loses nothing.
	defer func() { _ = reader.Close() }()
	r := reader.record
	if err := c.read(r); err != nil {
		return err
	}
	first, n, ranged, err := q.byteRange(r.Size)
	if err != nil {
		return err
	}
	if _, err := reader.Seek(first, io.SeekStart); err != nil {
		return err
	}
	q.writeProperties(r)
	status := http.StatusOK
	if ranged {
		status = http.StatusPartialContent
		q.w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, first+n-1, r.Size))
		q.wholeMD5(r, "x-ms-blob-content-md5")
	} else {
		q.wholeMD5(r, "Content-MD5")
	}
	return q.send(status, reader, n, ranged)
}

// send writes n bytes from the reader as the request wants them.
func (q *request) send(status int, reader *Reader, n int64, ranged bool) error {
	h := q.w.Header()
	if form := q.Header.Get("X-Ms-Structured-Body"); form != "" {
		if form != structuredForm {
			return invalidHeader("x-ms-structured-body", form)
		}
		h.Set("X-Ms-Structured-Body", structuredForm)
		h.Set("X-Ms-Structured-Content-Length", strconv.FormatInt(n, 10))
		h.Set("Content-Length", strconv.FormatInt(messageLength(n), 10))
		q.w.WriteHeader(status)
		q.sent(writeMessage(q.w, reader, n))
		return nil
	}
	wantMD5 := q.Header.Get("X-Ms-Range-Get-Content-Md5") == "true"
	wantCRC := q.Header.Get("X-Ms-Range-Get-Content-Crc64") == "true"
	h.Set("Content-Length", strconv.FormatInt(n, 10))
	if !wantMD5 && !wantCRC {
		q.w.WriteHeader(status)
		_, err := reader.copyTo(q.w, n)
		q.sent(err)
		return nil
	}
	if !ranged || n > rangeSumLimit || wantMD5 && wantCRC {
		return fault(400, "OutOfRangeInput", "One of the request inputs is out of range: a sum is told of a range of at most 4 MiB, and one kind of sum at a time.")
	}
	var part bytes.Buffer
	if _, err := reader.copyTo(&part, n); err != nil {
		return err
	}
	if wantMD5 {
		sum := md5.Sum(part.Bytes())
		h.Set("Content-MD5", base64.StdEncoding.EncodeToString(sum[:]))
	} else {
		h.Set("X-Ms-Content-Crc64", crcText(crc64nvme.Checksum(part.Bytes())))
	}
	q.w.WriteHeader(status)
	_, err := part.WriteTo(q.w)
	q.sent(err)
	return nil
}

// sent notes that an answer broke off: its header is gone, and a connection that
// ends early tells the client.
func (q *request) sent(err error) {
	if err != nil {
		q.s.log.Debug("blob: answer broke off", "blob", q.address.String(), "error", err)
	}
}

// wholeMD5 tells the whole blob's MD5, when there is one.
func (q *request) wholeMD5(r *record, header string) {
	if q.protocol == Files && header == "x-ms-blob-content-md5" {
		header = "x-ms-content-md5"
	}
	if len(r.MD5) > 0 {
		q.w.Header().Set(header, base64.StdEncoding.EncodeToString(r.MD5))
	}
}

// byteRange reads x-ms-range, else Range, for a blob of the size. Errors: a range
// that begins beyond the end.
func (q *request) byteRange(size int64) (first, n int64, ranged bool, err error) {
	text := q.Header.Get("X-Ms-Range")
	if text == "" {
		text = q.Header.Get("Range")
	}
	first, last, ok := parseRange(text)
	if !ok {
		return 0, size, false, nil
	}
	if first >= size {
		return 0, 0, false, errRange.with("Content-Range", fmt.Sprintf("bytes */%d", size))
	}
	last = min(last, size-1)
	return first, last - first + 1, true, nil
}

// parseRange reads bytes=A-B and bytes=A-. Other forms are ignored, as Azure does.
func parseRange(text string) (first, last int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes=")
	if !ok {
		return 0, 0, false
	}
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		return 0, 0, false
	}
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil || first < 0 || from[0] == '+' {
		return 0, 0, false
	}
	if to == "" {
		return first, 1<<63 - 1, true
	}
	last, err = strconv.ParseInt(to, 10, 64)
	if err != nil || last < first || to[0] == '+' {
		return 0, 0, false
	}
	return first, last, true
}

// deleteBlob serves Delete Blob.
func deleteBlob(q *request) error {
	c, err := readConditions(q.Header, "")
	if err != nil {
		return err
	}
	if t := q.query.get("deletetype"); t != "" {
		return refused("Permanent deletion")
	}
	switch snapshots := q.Header.Get("X-Ms-Delete-Snapshots"); snapshots {
	case "", "include":
	case "only": // there are none
		if _, err := q.s.find(q.Context(), q.address); err != nil {
			return err
		}
		q.empty(http.StatusAccepted)
		return nil
	default:
		return invalidHeader("x-ms-delete-snapshots", snapshots)
	}
	err = q.s.remove(q.Context(), q.address, func(r *record) error {
		if match, none := c.failed(r); match || none {
			return errCondition
		}
		return nil
	})
	if err != nil {
		return err
	}
	q.w.Header().Set("X-Ms-Delete-Type-Permanent", "true")
	q.empty(http.StatusAccepted)
	return nil
}
