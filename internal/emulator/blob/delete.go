package blob

import (
	"context"
	"database/sql"
)

// Delete removes a blob. Errors: store.ErrNotFound.
func (s *Service) Delete(ctx context.Context, account, container, name string) error {
	a := address{account, container, name}
	if err := s.remove(ctx, a, func(*record) error { return nil }); err != nil {
		return a.fault("delete", err)
	}
	return nil
}

// remove removes a blob that passes the check.
func (s *Service) remove(ctx context.Context, a address, check func(*record) error) error {
	var files []string
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		r, err := s.findRecord(tx, a)
		if err != nil {
			return err
		}
		if err := check(r); err != nil {
			return err
		}
		files, err = dropBlob(tx, r)
		return err
	})
	if err == nil {
		s.discard(files)
	}
	return err
}

// dropBlob removes a blob's rows and returns the files that they named.
func dropBlob(tx *sql.Tx, r *record) ([]string, error) {
	files, err := namedFiles(tx, r)
	if err != nil {
		return nil, err
	}
	switch r.place {
	case inRow:
		_, err = tx.Exec(`DELETE FROM blob_contents WHERE blob = ?`, r.id)
	case inSegments:
		_, err = tx.Exec(`DELETE FROM blob_segments WHERE blob = ?`, r.id)
	}
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(`DELETE FROM blobs WHERE id = ?`, r.id); err != nil {
		return nil, err
	}
	return files, throwAway(tx, files)
}

// deletedAtOnce is how many blobs one transaction removes: the writer is not to
// stand still for others.
const deletedAtOnce = 1000

// DeletePrefix removes the blobs whose names begin with prefix and returns how many
// there were. Blobs that are written meanwhile may stay. A container that is not
// there has none.
func (s *Service) DeletePrefix(ctx context.Context, account, container, prefix string) (int, error) {
	a := address{account, container, prefix}
	for total := 0; ; {
		var files []string
		var n int
		err := s.db.Update(ctx, func(tx *sql.Tx) error {
			id, err := findContainer(tx, a)
			if err != nil {
				return err
			}
			ids, err := column[int64](tx, `SELECT id FROM blobs WHERE container = ? AND name >= ? AND (? = '' OR name < ?) ORDER BY name LIMIT ?`,
				id, prefix, after(prefix), after(prefix), deletedAtOnce)
			if err != nil {
				return err
			}
			n = len(ids)
			for _, id := range ids {
				r := &record{id: id}
				if err := tx.QueryRow(`SELECT place, file FROM blobs WHERE id = ?`, id).Scan(&r.place, &r.file); err != nil {
					return err
				}
				gone, err := dropBlob(tx, r)
				if err != nil {
					return err
				}
				files = append(files, gone...)
			}
			return nil
		})
		if err == errContainerNotFound {
			return total, nil
		}
		if err != nil {
			return total, a.fault("delete prefix", err)
		}
		s.discard(files)
		if total += n; n < deletedAtOnce {
			return total, nil
		}
	}
}

// dropBlobs removes the rows of all blobs of a container and returns the files
// that they named.
func dropBlobs(tx *sql.Tx, container int64) ([]string, error) {
	files, err := column[string](tx, `SELECT file FROM blobs WHERE container = ?1 AND file <> ''
		UNION SELECT s.file FROM blobs b JOIN blob_segments s ON s.blob = b.id WHERE b.container = ?1`, container)
	if err != nil {
		return nil, err
	}
	for _, q := range []string{
		`DELETE FROM blob_contents WHERE blob IN (SELECT id FROM blobs WHERE container = ?)`,
		`DELETE FROM blob_segments WHERE blob IN (SELECT id FROM blobs WHERE container = ?)`,
		`DELETE FROM blobs WHERE container = ?`,
	} {
		if _, err := tx.Exec(q, container); err != nil {
			return nil, err
		}
	}
	return files, throwAway(tx, files)
}
