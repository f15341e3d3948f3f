package blob

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"
)

// Item is what is known of a blob without reading it.
type Item struct {
	Account, Container, Name string
	Size                     int64 // bytes
	ETag                     string
	MD5                      []byte // nil when the content came in blocks or grows
	ContentType              string
	Created, Modified        time.Time
	Metadata                 map[string]string // names in lower case
}

type kind int

const (
	blockBlob kind = iota
	appendBlob
	liveBlob  // an append blob that a process writes to
	shareFile // a file of a share, whose one file is written in place; for others a block blob
)

type place int

const (
	inRow place = iota
	inFile
	inSegments
)

// headers are the properties of a blob that are seldom set.
type headers struct {
	Encoding    string  `json:"e,omitempty"`
	Language    string  `json:"l,omitempty"`
	Disposition string  `json:"d,omitempty"`
	Cache       string  `json:"c,omitempty"`
	Tier        string  `json:"t,omitempty"`
	Blocks      int     `json:"n,omitempty"` // of an append blob
	Copy        *copied `json:"copy,omitempty"`
	File        *smb    `json:"f,omitempty"`
}

// copied says where a blob was copied from.
type copied struct {
	ID     string `json:"id"`
	Source string `json:"source"`
	Time   int64  `json:"time"`
}

// smb is what Azure Files keeps of a file or directory that its client set.
type smb struct {
	Attributes string `json:"a,omitempty"`
	Created    int64  `json:"c,omitempty"` // nanoseconds since 1970
	Written    int64  `json:"w,omitempty"`
}

// record is a row of blobs.
type record struct {
	Item
	id, container int64
	kind          kind
	place         place
	file          string
	version       int64 // the ETag as a number
	headers       headers
}

const recordColumns = `b.id, b.container, b.name, b.kind, b.place, b.file, b.size, b.etag, b.md5, b.content_type, b.headers, b.metadata, b.created, b.modified`

type scanner interface{ Scan(dest ...any) error }

// scanRecord reads recordColumns. The size of a live blob is its file's; errors:
// fs.ErrNotExist when that is gone.
func (s *Service) scanRecord(row scanner, account, container string) (*record, error) {
	r := &record{}
	var headers, metadata string
	var created, modified int64
	err := row.Scan(&r.id, &r.container, &r.Name, &r.kind, &r.place, &r.file, &r.Size, &r.version, &r.MD5, &r.ContentType, &headers, &metadata, &created, &modified)
	if err != nil {
		return nil, err
	}
	r.Account, r.Container = account, container
	if headers != "{}" {
		if err := json.Unmarshal([]byte(headers), &r.headers); err != nil {
			return nil, fmt.Errorf("headers of %q: %w", r.Name, err)
		}
	}
	if r.Metadata, err = decodeMetadata(metadata); err != nil {
		return nil, fmt.Errorf("metadata of %q: %w", r.Name, err)
	}
	r.Created, r.Modified = time.Unix(0, created).UTC(), time.Unix(0, modified).UTC()
	if r.kind == liveBlob {
		info, err := os.Stat(s.path(r.file))
		if err != nil {
			return nil, err
		}
		r.grow(info)
	}
	r.ETag = r.etag()
	return r, nil
}

// grow takes the size and time of a live blob from its file.
func (r *record) grow(info os.FileInfo) {
	r.Size = info.Size()
	if m := info.ModTime().UTC(); m.After(r.Modified) {
		r.Modified = m
	}
}

// block reports whether the blob service tells the blob as a block blob.
func (r *record) block() bool { return r.kind == blockBlob || r.kind == shareFile }

// etag is the quoted form. A live blob's tells its size, so that it changes with
// what is written.
func (r *record) etag() string {
	if r.kind == liveBlob {
		return fmt.Sprintf(`"0x%X-%X"`, r.version, r.Size)
	}
	return fmt.Sprintf(`"0x%X"`, r.version)
}

// address names a blob, or a container when the blob is empty, or an account.
type address struct{ account, container, blob string }

func (a address) String() string {
	return strings.TrimRight(a.account+"/"+a.container+"/"+a.blob, "/")
}

// findRecord reads a blob's row. Errors: errContainerNotFound, errBlobNotFound.
func (s *Service) findRecord(tx *sql.Tx, a address) (*record, error) {
	r, err := s.scanRecord(tx.QueryRow(`SELECT `+recordColumns+` FROM blob_containers c JOIN blobs b ON b.container = c.id
		WHERE c.account = ? AND c.name = ? AND b.name = ?`, a.account, a.container, a.blob), a.account, a.container)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err := findContainer(tx, a); err != nil {
			return nil, err
		}
		return nil, errBlobNotFound
	}
	if errors.Is(err, fs.ErrNotExist) { // a live blob that was deleted after this view began
		return nil, errBlobNotFound
	}
	return r, err
}

// find is findRecord in a view of its own.
func (s *Service) find(ctx context.Context, a address) (r *record, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		r, err = s.findRecord(tx, a)
		return err
	})
	return r, err
}

// Stat describes a blob. Errors: store.ErrNotFound.
func (s *Service) Stat(ctx context.Context, account, container, name string) (*Item, error) {
	a := address{account, container, name}
	r, err := s.find(ctx, a)
	if err != nil {
		return nil, a.fault("stat", err)
	}
	return &r.Item, nil
}

// fault gives an error of the Go API its call and the blob.
func (a address) fault(call string, err error) error {
	return fmt.Errorf("blob: %s %q: %w", call, a, err)
}

func encodeMetadata(m map[string]string) string {
	if len(m) == 0 {
		return "{}"
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings always encode
	}
	return string(b)
}

func decodeMetadata(text string) (map[string]string, error) {
	if text == "{}" {
		return nil, nil
	}
	var m map[string]string
	return m, json.Unmarshal([]byte(text), &m)
}

func encodeHeaders(h headers) string {
	if h == (headers{}) {
		return "{}"
	}
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return string(b)
}
