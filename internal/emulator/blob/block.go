package blob

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// blockAge is how long Azure keeps blocks that nobody commits.
const blockAge = 7 * 24 * time.Hour

// dropOldBlocks forgets blocks that were not committed for a week.
func (s *Service) dropOldBlocks(tx *sql.Tx) error {
	files, err := column[string](tx, `DELETE FROM blob_blocks WHERE created < ? RETURNING file`, s.now().Add(-blockAge).UnixNano())
	if err != nil {
		return err
	}
	return throwAway(tx, files)
}

// stage keeps a block for a later list, over one of the same id.
func (s *Service) stage(ctx context.Context, a address, block string, c *content, check func(old *record) error) error {
	var files []string
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		container, err := findContainer(tx, a)
		if err != nil {
			return err
		}
		old, err := s.findRecord(tx, a)
		if err != nil && !errors.Is(err, errBlobNotFound) {
			return err
		}
		if err := check(old); err != nil {
			return err
		}
		if old != nil && !old.block() {
			return errBlobType
		}
		var other string
		err = tx.QueryRow(`SELECT block FROM blob_blocks WHERE container = ? AND name = ? LIMIT 1`, container, a.blob).Scan(&other)
		if err == nil && base64Length(other) != base64Length(block) {
			return errBlockID // Azure wants all ids of a blob to have one length
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		files, err = column[string](tx, `SELECT file FROM blob_blocks WHERE container = ? AND name = ? AND block = ?`, container, a.blob, block)
		if err != nil {
			return err
		}
		if err := throwAway(tx, files); err != nil {
			return err
		}
		s.known.wait(stagedKey{container, a.blob})
		_, err = tx.Exec(`INSERT INTO blob_blocks (container, name, block, file, size, created) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (container, name, block) DO UPDATE SET file = excluded.file, size = excluded.size, created = excluded.created`,
			container, a.blob, block, c.file, c.size, s.now().UnixNano())
		return err
	})
	if err != nil {
		s.drop(c)
		return err
	}
	s.discard(files)
	return nil
}

// base64Length is how many bytes a valid base64 text stands for.
func base64Length(text string) int {
	return base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(text, "=")))
}

// stagedBlocks reads the blocks of a blob that are not committed.
func stagedBlocks(tx *sql.Tx, container int64, name string) ([]segment, error) {
	rows, err := tx.Query(`SELECT block, file, size FROM blob_blocks WHERE container = ? AND name = ? ORDER BY block`, container, name)
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

// listed is an entry of a block list that is to be committed.
type listed struct {
	from  string // Committed, Uncommitted or Latest
	block string
}

// resolve finds the blocks of a list.
func resolve(tx *sql.Tx, container int64, name string, old *record, list []listed) (segments []segment, size int64, err error) {
	if old != nil && !old.block() {
		return nil, 0, errBlobType
	}
	committed, err := committedSegments(tx, old)
	if err != nil {
		return nil, 0, err
	}
	staged, err := stagedBlocks(tx, container, name)
	if err != nil {
		return nil, 0, err
	}
	before, staging := byBlock(committed), byBlock(staged)
	segments = make([]segment, 0, len(list))
	for _, l := range list {
		var seg segment
		ok := false
		if l.from != "Committed" {
			seg, ok = staging[l.block]
		}
		if !ok && l.from != "Uncommitted" {
			seg, ok = before[l.block]
		}
		if !ok {
			return nil, 0, errBlockList
		}
		segments = append(segments, seg)
		size += seg.size
	}
	return segments, size, nil
}

func byBlock(segments []segment) map[string]segment {
	m := make(map[string]segment, len(segments))
	for _, seg := range segments {
		m[seg.block] = seg
	}
	return m
}
