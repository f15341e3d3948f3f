package blob

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
)

// Reader reads one state of a blob: it is not disturbed by what is written
// meanwhile. Of a live blob it reads the part that was there when it was opened.
// It must be closed.
type Reader struct {
	*Item
	s        *Service
	ticket   int64
	data     []byte
	parts    []part
	segments []segment // the block list, when there is one
	offset   int64
	file     *os.File // of parts[open]
	open     int
	record   *record
	closed   bool
}

// part is one file of a content.
type part struct {
	file        string
	start, size int64 // within the content
}

// Open opens a blob for reading. Errors: store.ErrNotFound.
func (s *Service) Open(ctx context.Context, account, container, name string) (*Reader, error) {
	a := address{account, container, name}
	r, err := s.openReader(ctx, a)
	if err != nil {
		return nil, a.fault("open", err)
	}
	return r, nil
}

func (s *Service) openReader(ctx context.Context, a address) (*Reader, error) {
	r := &Reader{s: s, ticket: s.trash.enter()}
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		var err error
		if r.record, err = s.findRecord(tx, a); err != nil {
			return err
		}
		return r.locate(tx)
	})
	if err != nil {
		s.leave(r.ticket)
		return nil, err
	}
	r.Item = &r.record.Item
	return r, nil
}

// locate finds where the content is.
func (r *Reader) locate(tx *sql.Tx) error {
	rec := r.record
	switch rec.place {
	case inRow:
		return tx.QueryRow(`SELECT data FROM blob_contents WHERE blob = ?`, rec.id).Scan(&r.data)
	case inFile:
		r.parts = []part{{file: rec.file, size: rec.Size}}
		return nil
	}
	var err error
	if r.segments, err = committedSegments(tx, rec); err != nil {
		return err
	}
	var start int64
	for _, seg := range r.segments {
		if seg.size > 0 {
			r.parts = append(r.parts, part{seg.file, start, seg.size})
			start += seg.size
		}
	}
	return nil
}

// committedSegments reads a blob's block list.
func committedSegments(tx *sql.Tx, r *record) ([]segment, error) {
	if r == nil || r.place != inSegments {
		return nil, nil
	}
	rows, err := tx.Query(`SELECT block, file, size FROM blob_segments WHERE blob = ? ORDER BY seq`, r.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []segment
	for rows.Next() {
		var seg segment
		if err := rows.Scan(&seg.block, &seg.file, &seg.size); err != nil {
			return nil, err
		}
		all = append(all, seg)
	}
	return all, rows.Err()
}

// at opens the file that holds the byte at the offset and returns it, positioned,
// with the number of bytes that it holds from there. The offset is below Size.
func (r *Reader) at(offset int64) (*os.File, int64, error) {
	i := sort.Search(len(r.parts), func(i int) bool { return r.parts[i].start+r.parts[i].size > offset })
	p := r.parts[i]
	if r.file == nil || r.open != i {
		if err := r.shut(); err != nil {
			return nil, 0, err
		}
		f, err := os.Open(r.s.path(p.file))
		if err != nil {
			return nil, 0, err
		}
		r.file, r.open = f, i
	}
	if _, err := r.file.Seek(offset-p.start, io.SeekStart); err != nil {
		return nil, 0, err
	}
	return r.file, p.start + p.size - offset, nil
}

func (r *Reader) shut() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file = nil
	return f.Close()
}

// Read reads on from the offset.
func (r *Reader) Read(b []byte) (int, error) {
	if r.closed {
		return 0, os.ErrClosed
	}
	if r.offset >= r.Size {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	if r.parts == nil {
		n := copy(b, r.data[r.offset:])
		r.offset += int64(n)
		return n, nil
	}
	f, left, err := r.at(r.offset)
	if err != nil {
		return 0, err
	}
	n, err := f.Read(b[:min(int64(len(b)), left)])
	r.offset += int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the row promises more
	}
	return n, err
}

// WriteTo writes the rest to w, without a copy in memory where the system can.
func (r *Reader) WriteTo(w io.Writer) (int64, error) { return r.copyTo(w, r.Size-r.offset) }

// copyTo writes n bytes from the offset on, n within the content.
func (r *Reader) copyTo(w io.Writer, n int64) (written int64, err error) {
	if r.closed {
		return 0, os.ErrClosed
	}
	for n > 0 {
		var m int64
		if r.parts == nil {
			var k int
			k, err = w.Write(r.data[r.offset : r.offset+n])
			m = int64(k)
		} else {
			f, left, openErr := r.at(r.offset)
			if openErr != nil {
				return written, openErr
			}
			m, err = io.CopyN(w, f, min(n, left))
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
		}
		r.offset += m
		written += m
		n -= m
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Seek moves the offset, which may be beyond the end.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.offset
	case io.SeekEnd:
		offset += r.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("blob: seek %q: negative offset %d", r.Name, offset)
	}
	r.offset = offset
	return offset, nil
}

// Close gives up the files. Closing twice is not an error.
func (r *Reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.shut()
	r.s.leave(r.ticket)
	return err
}
