package blob

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// rename says what a rename must find.
type rename struct {
	source    func(r *record) error   // nil for a folder without a mark
	target    func(old *record) error // of what is there already
	overwrite bool                    // a file may be replaced
}

var (
	errSourcePath = fault(404, "SourcePathNotFound", "The source path for a rename operation does not exist.")
	errIntoItself = fault(409, "InvalidDestinationPath", "The specified path is below the source of the rename.")
)

// rename gives a path, and all that is below it, another name of the same account.
// It returns the blob's new state, nil for a folder without a mark.
func (s *Service) rename(ctx context.Context, from, to address, o rename) (r *record, err error) {
	if err := checkBlobName(to.blob); err != nil {
		return nil, err
	}
	var files []string
	err = s.db.Update(ctx, func(tx *sql.Tx) error {
		r, files, err = s.renameIn(tx, from, to, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.discard(files)
	return r, nil
}

func (s *Service) renameIn(tx *sql.Tx, from, to address, o rename) (r *record, files []string, err error) {
	src, err := s.findPath(tx, from)
	if errors.Is(err, errBlobNotFound) {
		return nil, nil, errSourcePath
	}
	if err != nil {
		return nil, nil, err
	}
	if src.record != nil && o.source != nil {
		if err := o.source(src.record); err != nil {
			return nil, nil, err
		}
	}
	container, err := findContainer(tx, to)
	if err != nil {
		return nil, nil, err
	}
	if from == to {
		return src.record, nil, nil
	}
	if from.container == to.container && strings.HasPrefix(to.blob, from.blob+"/") {
		return nil, nil, errIntoItself
	}
	if files, err = s.makeWay(tx, container, to, src.folder, o); err != nil {
		return nil, nil, err
	}
	if err := s.markFolders(tx, to); err != nil {
		return nil, nil, err
	}
	now := s.now().UnixNano()
	if src.record != nil {
		if _, err := tx.Exec(`UPDATE blobs SET container = ?, name = ?, etag = ?, modified = ? WHERE id = ?`, container, to.blob, s.nextETag(), now, src.record.id); err != nil {
			return nil, nil, err
		}
	}
	prefix := from.blob + "/"
	_, err = tx.Exec(`UPDATE blobs SET container = ?, name = ? || substr(CAST(name AS BLOB), ?) WHERE container = ? AND name >= ? AND name < ?`,
		container, to.blob+"/", len(prefix)+1, src.container, prefix, after(prefix))
	if err != nil {
		return nil, nil, err
	}
	if src.record == nil {
		return nil, files, nil
	}
	r, err = s.findRecord(tx, to)
	return r, files, err
}

// makeWay removes what is at a rename's target, where that is permitted.
func (s *Service) makeWay(tx *sql.Tx, container int64, to address, folder bool, o rename) ([]string, error) {
	dst, err := s.findPath(tx, to)
	if errors.Is(err, errBlobNotFound) {
		if o.target != nil {
			return nil, o.target(nil)
		}
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if o.target != nil {
		if err := o.target(dst.record); err != nil {
			return nil, err
		}
	}
	there, err := below(tx, container, to.blob)
	switch {
	case err != nil:
		return nil, err
	case there:
		return nil, errNotEmpty
	case dst.folder != folder:
		return nil, errPathType
	case !o.overwrite && !dst.folder:
		return nil, errBlobExists
	}
	return dropBlob(tx, dst.record)
}

// removePath removes a path. Errors: errNotEmpty for a folder with something in it
// unless recursive.
func (s *Service) removePath(ctx context.Context, a address, recursive bool, c conditions) error {
	var files []string
	var more bool
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		p, err := s.findPath(tx, a)
		if err != nil {
			return err
		}
		if p.record != nil {
			if match, none := c.failed(p.record); match || none {
				return errCondition
			}
		}
		if p.folder {
			if more, err = below(tx, p.container, a.blob); err != nil {
				return err
			}
			if more && !recursive {
				return errNotEmpty
			}
		}
		if p.record == nil {
			return nil
		}
		files, err = dropBlob(tx, p.record)
		return err
	})
	if err != nil {
		return err
	}
	s.discard(files)
	if more {
		_, err = s.DeletePrefix(ctx, a.account, a.container, a.blob+"/")
	}
	return err
}
