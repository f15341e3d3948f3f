package blob

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"
)

// PutOptions are what a blob gets besides its bytes.
type PutOptions struct {
	// ContentType defaults to application/octet-stream.
	ContentType string
	// Metadata names are letters, digits and underscores; their case is lost.
	Metadata map[string]string
}

// Put writes a block blob of all that r gives, over what was there. The new
// content is there when Put returns, and none of it when it fails.
func (s *Service) Put(ctx context.Context, account, container, name string, r io.Reader, o *PutOptions) (*Item, error) {
	a := address{account, container, name}
	item, err := s.put(ctx, a, r, -1, o)
	if err != nil {
		return nil, a.fault("put", err)
	}
	return item, nil
}

// PutFile is Put of a file. The blob has its own copy: the file may change
// afterwards.
func (s *Service) PutFile(ctx context.Context, account, container, name, path string, o *PutOptions) (*Item, error) {
	a := address{account, container, name}
	f, err := os.Open(path)
	if err != nil {
		return nil, a.fault("put", err)
	}
	defer f.Close()
	item, err := s.put(ctx, a, f, -1, o)
	if err != nil {
		return nil, a.fault("put", err)
	}
	return item, nil
}

func (s *Service) put(ctx context.Context, a address, r io.Reader, length int64, o *PutOptions) (*Item, error) {
	if o == nil {
		o = &PutOptions{}
	}
	if err := checkBlobName(a.blob); err != nil {
		return nil, err
	}
	metadata, err := cleanMetadata(o.Metadata)
	if err != nil {
		return nil, err
	}
	c, err := s.receive(reader{ctx, r}, intake{length: length, md5: true})
	if err != nil {
		return nil, err
	}
	w := &write{contentType: o.ContentType, metadata: metadata}
	w.take(c)
	rec, err := s.commit(ctx, a, w)
	if err != nil {
		return nil, err
	}
	return &rec.Item, nil
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

// maxName is the longest name of a blob, in characters.
const maxName = 1024

// checkBlobName reports what the service has against a blob's name. Names never
// become paths, so that `..` is a name like others.
func checkBlobName(name string) error {
	if name == "" || !utf8.ValidString(name) {
		return errURI
	}
	for _, r := range name {
		if r == 0 {
			return errURI
		}
	}
	if utf8.RuneCountInString(name) > maxName {
		return errResourceLength
	}
	return nil
}

// defaultContentType is what Azure gives blobs that were written without one.
const defaultContentType = "application/octet-stream"

// write is a new state of a blob.
type write struct {
	kind        kind
	place       place
	content     *content // unless place is inSegments
	segments    []segment
	fresh       []string // files that no row names yet
	size        int64
	md5         []byte
	contentType string
	headers     headers
	metadata    map[string]string
	// check is asked in the transaction, with the present state, nil when there is none.
	check func(old *record) error
	// choose, when set, is asked after check and sets place, segments and size: a
	// block list can be resolved in the transaction only.
	choose func(tx *sql.Tx, container int64, old *record) error
	// Set by replace: what was known of the container, the blob whose waiting blocks
	// were dropped, and that rows were written.
	epoch    int
	unstaged *stagedKey
	written  bool
}

// take makes a received content the write's.
func (w *write) take(c *content) {
	w.content, w.place, w.size, w.md5 = c, c.place(), c.size, c.md5
	if c.file != "" {
		w.fresh = append(w.fresh, c.file)
	}
}

// segment is one block of a committed list.
type segment struct {
	block, file string
	size        int64
}

// commit makes a write the blob's state, durably, or leaves nothing of it.
func (s *Service) commit(ctx context.Context, a address, w *write) (*record, error) {
	r := &record{kind: w.kind, headers: w.headers}
	if err := space(ctx, a.String()); err != nil {
		s.dropFiles(w.fresh)
		return nil, err
	}
	replace := s.replaceGrouped
	if w.choose != nil { // it may be long, and asks when others of the group have written
		replace = s.replaceAlone
	}
	files, err := replace(ctx, a, w, r)
	if err != nil {
		s.dropFiles(w.fresh)
		return nil, err
	}
	s.known.keep(a, r.container, w.epoch)
	s.discard(files)
	return r, nil
}

// replace writes the rows of a blob's new state and returns the files that none
// names any more. Of a write that it refuses it has written nothing.
func (s *Service) replace(tx *sql.Tx, a address, w *write, r *record) (files []string, err error) {
	if r.container, w.epoch, err = s.containerOf(tx, a); err != nil {
		return nil, err
	}
	var old *record
	made := false
	if w.choose == nil && (w.check == nil || w.check(nil) == nil) { // most blobs are new
		w.state(s, a, r)
		w.written = true
		if made, err = r.insert(tx); err != nil {
			return nil, err
		}
	}
	if !made {
		w.written = false
		if old, err = s.present(tx, a, r.container); err != nil {
			return nil, err
		}
	}
	if w.check != nil {
		if err := w.check(old); err != nil {
			return nil, err
		}
	}
	if w.choose != nil {
		if err := w.choose(tx, r.container, old); err != nil {
			return nil, err
		}
	}
	if !made {
		w.state(s, a, r)
	}
	w.written = true
	if old != nil {
		if files, err = namedFiles(tx, old); err != nil {
			return nil, err
		}
	}
	if key := (stagedKey{r.container, a.blob}); s.known.waits(key) {
		blocks, err := column[string](tx, `DELETE FROM blob_blocks WHERE container = ? AND name = ? RETURNING file`, r.container, a.blob)
		if err != nil {
			return nil, err
		}
		s.known.gone(key)
		w.unstaged = &key
		files = append(files, blocks...)
	}
	files = without(files, w.segments)
	if err := throwAway(tx, files); err != nil {
		return nil, err
	}
	if !made {
		if err := r.overwrite(tx); err != nil {
			return nil, err
		}
	}
	return files, writeContent(tx, r, old, w)
}

// present reads a blob's row in an update; nil when there is none.
func (s *Service) present(tx *sql.Tx, a address, container int64) (*record, error) {
	old, err := s.scanRecord(tx.QueryRow(`SELECT `+recordColumns+` FROM blobs b WHERE b.container = ? AND b.name = ?`, container, a.blob), a.account, a.container)
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, fs.ErrNotExist) { // a log whose file was lost is no reason to refuse
		return nil, nil
	}
	return old, err
}

// state makes r the row that the write asks for.
func (w *write) state(s *Service, a address, r *record) {
	if w.contentType == "" {
		w.contentType = defaultContentType
	}
	now := s.now()
	r.Item = Item{Account: a.account, Container: a.container, Name: a.blob, Size: w.size, MD5: w.md5, ContentType: w.contentType, Created: now, Modified: now, Metadata: w.metadata}
	r.headers, r.place, r.version = w.headers, w.place, s.nextETag()
	if w.content != nil {
		r.file = w.content.file
	}
	r.ETag = r.etag()
}

const insertBlob = `INSERT INTO blobs (container, name, kind, place, file, size, etag, md5, content_type, headers, metadata, created, modified)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT `

func (r *record) columns() []any {
	at := r.Created.UnixNano()
	return []any{r.container, r.Name, r.kind, r.place, r.file, r.Size, r.version, r.MD5, r.ContentType, encodeHeaders(r.headers), encodeMetadata(r.Metadata), at, at}
}

// insert writes the row, unless there is one of the name, and reports whether it
// did. It is told by a result and not by rows, which cost more than the insert.
func (r *record) insert(tx *sql.Tx) (bool, error) {
	res, err := tx.Exec(insertBlob+`DO NOTHING`, r.columns()...)
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return false, err
	}
	r.id, err = res.LastInsertId()
	return err == nil, err
}

// overwrite writes the row over the one of the name, whose id it keeps.
func (r *record) overwrite(tx *sql.Tx) error {
	return tx.QueryRow(insertBlob+`(container, name) DO UPDATE SET kind = excluded.kind, place = excluded.place, file = excluded.file, size = excluded.size,
		etag = excluded.etag, md5 = excluded.md5, content_type = excluded.content_type, headers = excluded.headers,
		metadata = excluded.metadata, created = excluded.created, modified = excluded.modified RETURNING id`, r.columns()...).Scan(&r.id)
}

// writeContent writes the rows that hold or name the bytes, over those of old.
func writeContent(tx *sql.Tx, r, old *record, w *write) error {
	if old != nil && old.place == inSegments {
		if _, err := tx.Exec(`DELETE FROM blob_segments WHERE blob = ?`, r.id); err != nil {
			return err
		}
	}
	if old != nil && old.place == inRow && r.place != inRow {
		if _, err := tx.Exec(`DELETE FROM blob_contents WHERE blob = ?`, r.id); err != nil {
			return err
		}
	}
	switch r.place {
	case inRow:
		data := w.content.data
		if data == nil {
			data = []byte{}
		}
		_, err := tx.Exec(`INSERT INTO blob_contents (blob, data) VALUES (?, ?) ON CONFLICT (blob) DO UPDATE SET data = excluded.data`, r.id, data)
		return err
	case inSegments:
		for i, seg := range w.segments {
			if _, err := tx.Exec(`INSERT INTO blob_segments (blob, seq, block, file, size) VALUES (?, ?, ?, ?, ?)`, r.id, i, seg.block, seg.file, seg.size); err != nil {
				return err
			}
		}
	}
	return nil
}

// namedFiles are the files that a blob's rows name.
func namedFiles(tx *sql.Tx, r *record) ([]string, error) {
	switch r.place {
	case inFile:
		return []string{r.file}, nil
	case inSegments:
		return column[string](tx, `SELECT DISTINCT file FROM blob_segments WHERE blob = ?`, r.id)
	}
	return nil, nil
}

// without returns the files that no segment names.
func without(files []string, segments []segment) []string {
	if len(files) == 0 || len(segments) == 0 {
		return files
	}
	kept := make(map[string]bool, len(segments))
	for _, seg := range segments {
		kept[seg.file] = true
	}
	var rest []string
	for _, file := range files {
		if !kept[file] {
			rest = append(rest, file)
		}
	}
	return rest
}
