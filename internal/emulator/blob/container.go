package blob

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"time"
)

var containerName = regexp.MustCompile(`^(\$root|\$web|\$logs|[a-z0-9](-?[a-z0-9])*)$`)

// checkContainerName reports what Azure has against a container's name.
func checkContainerName(name string) error {
	if len(name) < 3 || len(name) > 63 {
		return errResourceLength
	}
	if !containerName.MatchString(name) {
		return errResourceName
	}
	return nil
}

// containerRecord is a row of blob_containers.
type containerRecord struct {
	id       int64
	name     string
	etag     int64
	modified time.Time
	metadata map[string]string
	share    bool
}

const containerColumns = `id, name, etag, modified, metadata, share`

func scanContainer(row scanner) (*containerRecord, error) {
	b := &containerRecord{}
	var modified int64
	var metadata string
	if err := row.Scan(&b.id, &b.name, &b.etag, &modified, &metadata, &b.share); err != nil {
		return nil, err
	}
	b.modified = time.Unix(0, modified).UTC()
	var err error
	b.metadata, err = decodeMetadata(metadata)
	return b, err
}

func (b *containerRecord) quotedETag() string { return fmt.Sprintf(`"0x%X"`, b.etag) }

// findContainer returns a container's number. Errors: errContainerNotFound.
func findContainer(tx *sql.Tx, a address) (id int64, err error) {
	err = tx.QueryRow(`SELECT id FROM blob_containers WHERE account = ? AND name = ?`, a.account, a.container).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errContainerNotFound
	}
	return id, err
}

// readContainer reads a container's row. Errors: errContainerNotFound.
func readContainer(tx *sql.Tx, a address) (*containerRecord, error) {
	b, err := scanContainer(tx.QueryRow(`SELECT `+containerColumns+` FROM blob_containers WHERE account = ? AND name = ?`, a.account, a.container))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errContainerNotFound
	}
	return b, err
}

// createContainer makes a container. Errors: errContainerExists.
func (s *Service) createContainer(ctx context.Context, a address, metadata map[string]string, share bool) (*containerRecord, error) {
	b := &containerRecord{name: a.container, etag: s.nextETag(), modified: s.now(), metadata: metadata, share: share}
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`INSERT INTO blob_containers (account, name, etag, modified, metadata, share) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING RETURNING id`, a.account, a.container, b.etag, b.modified.UnixNano(), encodeMetadata(metadata), share).Scan(&b.id)
		if errors.Is(err, sql.ErrNoRows) {
			return errContainerExists
		}
		return err
	})
	if err == nil && share {
		s.shares.Store(a.account+"/"+a.container, true)
	}
	return b, err
}

// EnsureContainer makes the container, and its account, when they are not there.
func (s *Service) EnsureContainer(ctx context.Context, account, container string) error {
	key := account + "/" + container
	if _, ok := s.ensured.Load(key); ok {
		return ctx.Err()
	}
	if _, err := s.EnsureAccount(ctx, account); err != nil {
		return err
	}
	a := address{account: account, container: container}
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		_, err := findContainer(tx, a)
		return err
	})
	if errors.Is(err, errContainerNotFound) {
		if err = checkContainerName(container); err == nil {
			_, err = s.createContainer(ctx, a, nil, false)
		}
	}
	if err != nil && !errors.Is(err, errContainerExists) {
		return a.fault("make container", err)
	}
	s.ensured.Store(key, true)
	return nil
}

// deleteContainer removes a container with all in it.
func (s *Service) deleteContainer(ctx context.Context, a address, check func(*containerRecord) error) error {
	var files []string
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		b, err := readContainer(tx, a)
		if err != nil {
			return err
		}
		if err := check(b); err != nil {
			return err
		}
		files, err = dropBlobs(tx, b.id)
		if err != nil {
			return err
		}
		blocks, err := column[string](tx, `DELETE FROM blob_blocks WHERE container = ? RETURNING file`, b.id)
		if err != nil {
			return err
		}
		files = append(files, blocks...)
		if err := throwAway(tx, blocks); err != nil {
			return err
		}
		s.known.drop(a)
		_, err = tx.Exec(`DELETE FROM blob_containers WHERE id = ?`, b.id)
		return err
	})
	s.ensured.Delete(a.account + "/" + a.container)
	if err == nil {
		s.shares.Delete(a.account + "/" + a.container)
		s.discard(files)
	}
	return err
}

// containers reads a page of an account's containers and where the next one begins.
func (s *Service) containers(ctx context.Context, account string, l listing) (found []*containerRecord, next string, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query(`SELECT `+containerColumns+` FROM blob_containers WHERE account = ? AND name >= ? AND (? = '' OR name < ?) ORDER BY name LIMIT ?`,
			account, max(l.from, l.prefix), after(l.prefix), after(l.prefix), l.limit+1)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			one, err := scanContainer(rows)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		return rows.Err()
	})
	if err == nil && len(found) > l.limit {
		found, next = found[:l.limit], found[l.limit].name
	}
	return found, next, err
}
