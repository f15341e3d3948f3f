package blob

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// folderMark is the metadata by which a blob is a folder, as accounts with a
// hierarchical namespace have it. A folder is there too when something is below
// its name: who writes blobs makes no folders.
const folderMark = "hdi_isfolder"

// folder reports whether the blob stands for a folder.
func (r *record) folder() bool {
	return r != nil && r.Size == 0 && strings.EqualFold(r.Metadata[folderMark], "true")
}

// Folder reports whether the blob stands for a folder and has no content.
func (i *Item) Folder() bool {
	return i.Size == 0 && strings.EqualFold(i.Metadata[folderMark], "true")
}

// visible is metadata without the mark.
func visible(m map[string]string) map[string]string {
	if _, marked := m[folderMark]; !marked {
		return m
	}
	rest := make(map[string]string, len(m))
	for name, value := range m {
		if name != folderMark {
			rest[name] = value
		}
	}
	return rest
}

// marked is metadata with the mark.
func marked(m map[string]string) map[string]string {
	all := make(map[string]string, len(m)+1)
	for name, value := range m {
		all[name] = value
	}
	all[folderMark] = "true"
	return all
}

// parentOf is the folder that a path is in, empty at the top.
func parentOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}

// below reports whether a blob's name begins with the folder's.
func below(tx *sql.Tx, container int64, folder string) (bool, error) {
	var one int
	prefix := folder + "/"
	if folder == "" {
		prefix = ""
	}
	err := tx.QueryRow(`SELECT 1 FROM blobs WHERE container = ? AND name >= ? AND (? = '' OR name < ?) LIMIT 1`, container, prefix, after(prefix), after(prefix)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// pathState is what is known of a path: a blob, a folder with or without a mark, or
// nothing.
type pathState struct {
	container int64
	record    *record // nil for a folder without a mark
	folder    bool
}

// findPath looks a path up. Errors: errContainerNotFound, errBlobNotFound.
func (s *Service) findPath(tx *sql.Tx, a address) (*pathState, error) {
	id, err := findContainer(tx, a)
	if err != nil {
		return nil, err
	}
	if a.blob == "" {
		return &pathState{container: id, folder: true}, nil
	}
	r, err := s.findRecord(tx, a)
	if err == nil {
		return &pathState{id, r, r.folder()}, nil
	}
	if !errors.Is(err, errBlobNotFound) {
		return nil, err
	}
	there, err := below(tx, id, a.blob)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, errBlobNotFound
	}
	return &pathState{id, nil, true}, nil
}

// lookPath is findPath in a view of its own.
func (s *Service) lookPath(ctx context.Context, a address) (p *pathState, err error) {
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		p, err = s.findPath(tx, a)
		return err
	})
	return p, err
}

// markFolders gives each folder above a path its mark. Errors: one of them is a file.
func (s *Service) markFolders(tx *sql.Tx, a address) error {
	for at := parentOf(a.blob); at != ""; at = parentOf(at) {
		up := address{a.account, a.container, at}
		r, err := s.findRecord(tx, up)
		switch {
		case errors.Is(err, errBlobNotFound):
			if err := s.markFolder(tx, up, nil); err != nil {
				return err
			}
		case err != nil:
			return err
		case !r.folder():
			return errParentIsFile
		default:
			return nil // the folders above it have theirs
		}
	}
	return nil
}

// markFolder writes the blob that stands for a folder.
func (s *Service) markFolder(tx *sql.Tx, a address, metadata map[string]string) error {
	w := &write{contentType: defaultContentType, metadata: marked(metadata)}
	w.take(&content{})
	_, err := s.replace(tx, a, w, &record{})
	return err
}

// keepsFolder reports whether a write puts a folder where a file is, or the other
// way round.
func keepsFolder(old *record, folder bool) error {
	if old != nil && old.folder() != folder {
		return errPathType
	}
	return nil
}

var (
	errParentIsFile = fault(409, "PathConflict", "The specified path, or an element of the path, exists and its resource type is invalid for this operation.")
	errPathType     = fault(409, "ResourceTypeMismatch", "The specified resource type does not match the type of the existing resource.")
	errNotEmpty     = fault(409, "DirectoryNotEmpty", "The recursive query parameter value must be true to delete a non-empty directory.")
)

// entries reads a page of what is directly in a folder: files, and folders with or
// without a mark, each once.
func (s *Service) entries(ctx context.Context, a address, container int64, l listing) (found []*record, next string, err error) {
	p, err := s.page(ctx, a, l)
	if err != nil {
		return nil, "", err
	}
	err = s.db.View(ctx, func(tx *sql.Tx) error {
		for _, e := range p.entries {
			if e.record != nil {
				found = append(found, e.record)
				continue
			}
			up := address{a.account, a.container, strings.TrimSuffix(e.prefix, "/")}
			told, err := s.told(tx, up, container, "")
			if err != nil {
				return err
			}
			if !told {
				found = append(found, &record{Item: Item{Account: a.account, Container: a.container, Name: up.blob, Metadata: marked(nil)}})
			}
		}
		return nil
	})
	return found, p.next, err
}
