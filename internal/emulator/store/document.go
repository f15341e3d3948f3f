package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

var documentSteps = []string{`
CREATE TABLE documents (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	key TEXT NOT NULL UNIQUE,     -- the id in lower case
	id TEXT NOT NULL,             -- as it was first written
	type TEXT NOT NULL,
	parent TEXT NOT NULL,         -- as written
	parent_key TEXT NOT NULL,
	body BLOB NOT NULL,
	version INTEGER NOT NULL,
	created INTEGER NOT NULL,     -- nanoseconds since 1970
	modified INTEGER NOT NULL
);
CREATE INDEX documents_parent ON documents (parent_key, type, seq);
CREATE INDEX documents_type ON documents (type, seq);
`}

// Document is a JSON document under an id, as ARM's resources are.
type Document struct {
	// ID compares without regard to case, and keeps the spelling of its first Put.
	ID string
	// Type is free, such as "jobs".
	Type string
	// Parent is the id of the document or collection that this one belongs to, or
	// empty. It compares as ids do, and need not exist.
	Parent string
	// Body is JSON; the store does not look into it.
	Body []byte
	// ETag is a quoted string that changes with every Put.
	ETag              string
	Created, Modified time.Time
	// Seq is the order of creation.
	Seq int64
}

const documentColumns = `seq, id, type, parent, body, version, created, modified`

// Get reads a document. Errors: ErrNotFound.
func Get(tx *sql.Tx, id string) (*Document, error) {
	d, err := scan(tx.QueryRow(`SELECT `+documentColumns+` FROM documents WHERE key = ?`, key(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: get %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("store: get %q: %w", id, err)
	}
	return d, nil
}

// ETag is a document's ETag; its body is not read. Errors: ErrNotFound.
func ETag(tx *sql.Tx, id string) (string, error) {
	var seq, version int64
	err := tx.QueryRow(`SELECT seq, version FROM documents WHERE key = ?`, key(id)).Scan(&seq, &version)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("store: tag of %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("store: tag of %q: %w", id, err)
	}
	return etag(seq, version), nil
}

// Part is the value at a path of SQLite's ("$.properties.tags") in a document's
// body, as JSON; nil when there is none. The rest of the body is not read into
// memory. Errors: ErrNotFound.
func Part(tx *sql.Tx, id, path string) (json.RawMessage, error) {
	var text sql.NullString
	err := tx.QueryRow(`SELECT CAST(body AS TEXT) -> ? FROM documents WHERE key = ?`, path, key(id)).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: part of %q: %w", id, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("store: part of %q: %w", id, err)
	}
	if !text.Valid {
		return nil, nil
	}
	return json.RawMessage(text.String), nil
}

// Put writes a document and reports whether it is new. It sets d's ETag,
// Modified, Created and Seq, and ID to the spelling of the first Put.
func Put(tx *sql.Tx, d *Document) (created bool, err error) {
	if d.ID == "" {
		return false, errors.New("store: put: the document has no id")
	}
	body := d.Body
	if body == nil {
		body = []byte{}
	}
	now := time.Now().UTC()
	var version, first int64
	err = tx.QueryRow(`INSERT INTO documents (key, id, type, parent, parent_key, body, version, created, modified) VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
		ON CONFLICT (key) DO UPDATE SET type = excluded.type, parent = excluded.parent, parent_key = excluded.parent_key,
			body = excluded.body, version = version + 1, modified = excluded.modified
		RETURNING seq, id, version, created`,
		key(d.ID), d.ID, d.Type, d.Parent, key(d.Parent), body, now.UnixNano(), now.UnixNano()).Scan(&d.Seq, &d.ID, &version, &first)
	if err != nil {
		return false, fmt.Errorf("store: put %q: %w", d.ID, err)
	}
	d.ETag, d.Created, d.Modified = etag(d.Seq, version), time.Unix(0, first).UTC(), now
	return version == 1, nil
}

// Delete removes a document and reports whether it was there.
func Delete(tx *sql.Tx, id string) (bool, error) {
	r, err := tx.Exec(`DELETE FROM documents WHERE key = ?`, key(id))
	if err != nil {
		return false, fmt.Errorf("store: delete %q: %w", id, err)
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

// DeleteTree removes a document and all below it, by path and by parent, and
// returns how many there were.
func DeleteTree(tx *sql.Tx, id string) (int, error) {
	if id == "" {
		return 0, errors.New("store: delete tree: the id is empty")
	}
	k := key(id)
	r, err := tx.Exec(`WITH RECURSIVE tree (key) AS (
			SELECT ?1
			UNION SELECT d.key FROM documents d WHERE d.key > ?1 || '/' AND d.key < ?1 || '0' -- '0' follows '/'
			UNION SELECT d.key FROM documents d JOIN tree ON d.parent_key = tree.key
		) DELETE FROM documents WHERE key IN (SELECT key FROM tree)`, k)
	if err != nil {
		return 0, fmt.Errorf("store: delete tree %q: %w", id, err)
	}
	n, err := r.RowsAffected()
	return int(n), err
}

// Query chooses documents.
type Query struct {
	// Parent and Type must match, unless they are empty.
	Parent, Type string
	// After is the Seq of the last document of the page before, 0 for the first
	// page. When Descending, those with a smaller Seq follow.
	After int64
	// Limit is the most documents to return. Defaults to all.
	Limit int
	// Descending returns the newest first.
	Descending bool
}

// List returns documents in the order of their creation.
func List(tx *sql.Tx, q Query) ([]*Document, error) {
	var where []string
	var args []any
	add := func(clause string, arg any) {
		where = append(where, clause)
		args = append(args, arg)
	}
	if q.Parent != "" {
		add(`parent_key = ?`, key(q.Parent))
	}
	if q.Type != "" {
		add(`type = ?`, q.Type)
	}
	order := "seq"
	if q.Descending {
		order = "seq DESC"
	}
	if q.After != 0 {
		if q.Descending {
			add(`seq < ?`, q.After)
		} else {
			add(`seq > ?`, q.After)
		}
	}
	text := `SELECT ` + documentColumns + ` FROM documents`
	if len(where) > 0 {
		text += ` WHERE ` + strings.Join(where, ` AND `)
	}
	text += ` ORDER BY ` + order
	if q.Limit > 0 {
		text += ` LIMIT ?`
		args = append(args, q.Limit)
	}
	rows, err := tx.Query(text, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list: %w", err)
	}
	defer rows.Close()
	var all []*Document
	for rows.Next() {
		d, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("store: list: %w", err)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: list: %w", err)
	}
	return all, nil
}

// scan reads documentColumns.
func scan(row interface{ Scan(dest ...any) error }) (*Document, error) {
	d := &Document{}
	var version, created, modified int64
	if err := row.Scan(&d.Seq, &d.ID, &d.Type, &d.Parent, &d.Body, &version, &created, &modified); err != nil {
		return nil, err
	}
	d.ETag, d.Created, d.Modified = etag(d.Seq, version), time.Unix(0, created).UTC(), time.Unix(0, modified).UTC()
	return d, nil
}

// key is the form in which ids compare.
func key(id string) string { return strings.ToLower(id) }

// etag differs for every state of every document: a document that is deleted and
// made again has another Seq.
func etag(seq, version int64) string { return fmt.Sprintf(`"%x-%x"`, seq, version) }
