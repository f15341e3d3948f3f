package blob

import (
	"context"
	"crypto/md5"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Live returns a file whose content is the blob's while it is written, opened for
// appending, so that it can be the standard output of a process. Readers see the
// present size. A blob that is not there is made; an append blob goes on growing
// where it ended. The caller closes the file, and calls Finish when nobody writes
// any more. Errors: the name is a block blob's.
func (s *Service) Live(ctx context.Context, account, container, name string) (*os.File, error) {
	a := address{account, container, name}
	f, err := s.live(ctx, a)
	if err != nil {
		return nil, a.fault("live", err)
	}
	return f, nil
}

func (s *Service) live(ctx context.Context, a address) (*os.File, error) {
	if err := checkBlobName(a.blob); err != nil {
		return nil, err
	}
	defer s.grow(a)()
	f, name, err := s.files.create(os.O_WRONLY | os.O_APPEND)
	if err != nil {
		return nil, err
	}
	w := &write{kind: liveBlob, contentType: "text/plain", check: func(old *record) error {
		if old != nil {
			return errBlobExists
		}
		return nil
	}}
	w.take(&content{file: name})
	_, err = s.commit(ctx, a, w)
	if err == nil {
		return f, nil
	}
	if closed := f.Close(); !errors.Is(err, errBlobExists) || closed != nil {
		return nil, errors.Join(err, closed)
	}
	return s.reopen(ctx, a) // it is not the first time
}

// reopen opens the file of an append blob and makes the blob a live one.
func (s *Service) reopen(ctx context.Context, a address) (*os.File, error) {
	r, err := s.find(ctx, a)
	if err != nil {
		return nil, err
	}
	if r.block() {
		return nil, errBlobType
	}
	f, err := os.OpenFile(s.path(r.file), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if r.kind == liveBlob {
		return f, nil
	}
	// What an append that crashed left beyond the size is not part of the blob.
	err = f.Truncate(r.Size)
	if err == nil {
		err = s.db.Update(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE blobs SET kind = ?, md5 = NULL, etag = ? WHERE id = ? AND file = ?`, liveBlob, s.nextETag(), r.id, r.file)
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Finish fixes the size and the hash of a live blob, which is an append blob from
// then on. Finishing twice takes in what was written between. Errors:
// store.ErrNotFound.
func (s *Service) Finish(ctx context.Context, account, container, name string) error {
	a := address{account, container, name}
	if err := s.finish(ctx, a); err != nil {
		return a.fault("finish", err)
	}
	return nil
}

func (s *Service) finish(ctx context.Context, a address) error {
	defer s.grow(a)()
	r, err := s.find(ctx, a)
	if err != nil {
		return err
	}
	if r.block() {
		return errBlobType
	}
	f, err := os.Open(s.path(r.file))
	if err != nil {
		return err
	}
	defer f.Close()
	sum := md5.New()
	size, err := io.Copy(sum, reader{ctx, f})
	if err != nil {
		return err
	}
	if s.db.Full() {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE blobs SET kind = ?, size = ?, md5 = ?, etag = ?, modified = max(modified, ?) WHERE id = ? AND file = ?`,
			appendBlob, size, sum.Sum(nil), s.nextETag(), r.Modified.UnixNano(), r.id, r.file)
		return err
	})
}

// finishLeftovers fixes the size of the live blobs that an earlier process left.
// They get no hash: logs may be long, and a start is to be short.
func (s *Service) finishLeftovers(tx *sql.Tx) error {
	type leftover struct {
		id   int64
		file string
	}
	rows, err := tx.Query(`SELECT id, file FROM blobs WHERE kind = 2`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []leftover
	for rows.Next() {
		var l leftover
		if err := rows.Scan(&l.id, &l.file); err != nil {
			return err
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, l := range all {
		var size, modified int64
		info, err := os.Stat(s.path(l.file))
		switch {
		case err == nil:
			size, modified = info.Size(), info.ModTime().UnixNano()
		case errors.Is(err, fs.ErrNotExist):
			s.log.Warn("blob: the file of a log is gone", "file", l.file)
		default:
			return err
		}
		if _, err := tx.Exec(`UPDATE blobs SET kind = ?, size = ?, etag = ?, modified = max(modified, ?) WHERE id = ?`, appendBlob, size, s.nextETag(), modified, l.id); err != nil {
			return err
		}
	}
	return nil
}

// grow locks the growing of one blob and returns what unlocks it.
func (s *Service) grow(a address) func() {
	h := uint32(2166136261) // FNV-1a
	for _, part := range []string{a.account, a.container, a.blob} {
		for i := range len(part) {
			h = (h ^ uint32(part[i])) * 16777619
		}
	}
	m := &s.growing[h%uint32(len(s.growing))]
	m.Lock()
	return m.Unlock
}
