package assets

import (
	"cmp"
	"context"
	"path/filepath"
	"strings"

	"golang.org/x/sync/semaphore"
)

const (
	uploadFolder = "LocalUpload"     // where uploads lie in a datastore
	legacyFolder = "az-ml-artifacts" // where old clients put them

	// pieceSize is the size of a block of an upload, and of a range of a download; what is no larger goes in one request.
	pieceSize = 4 << 20
	// maxBlocks is how many blocks a blob can have.
	maxBlocks = 50_000
	// memory bounds the content that a transfer holds.
	memory = 40 << 20
)

// Upload is what an upload made, or found there.
type Upload struct {
	// Datastore is where the bytes are; "" when they went to an address with a signature.
	Datastore string
	// Path is the file or folder in the container: LocalUpload/HASH/NAME.
	Path string
	// URL is its address, unescaped, without a signature.
	URL string
	// IsFile tells one file from a folder.
	IsFile bool
	// Files and Bytes are those of the local tree.
	Files int
	Bytes int64
	// Reused is set when a complete upload was there already. Name and Version are then what it was uploaded for.
	Reused        bool
	Name, Version string

	indicator string
	hash      string
}

// ShortURI is azureml://datastores/NAME/paths/PATH.
func (u *Upload) ShortURI() string { return shortURI(u.Datastore, u.Path) }

func shortURI(datastore, path string) string {
	return "azureml://datastores/" + datastore + "/paths/" + path
}

// placed is where the upload of a tree goes: prefix/NAME. dest is the place of each file, and first the file that carries the
// confirmation, into which go name and version.
func (b *box) placed(t *Tree, prefix, name, version string) (up *Upload, first *File, dest func(*File) string) {
	top := t.Name
	if prefix != "" {
		top = prefix + "/" + t.Name
	}
	dest = func(f *File) string {
		if t.IsFile {
			return top
		}
		return top + "/" + f.Name
	}
	up = &Upload{Path: top, URL: b.blobURL(top), IsFile: t.IsFile, Files: len(t.Files), Bytes: t.Size, Name: name, Version: version}
	first = &t.Files[0]
	for i := range t.Files {
		f := &t.Files[i]
		if cmp.Or(strings.Compare(filepath.ToSlash(f.Path), filepath.ToSlash(first.Path)), strings.Compare(dest(f), dest(first))) < 0 {
			first = f
		}
	}
	b.indicate(up, dest(first))
	return up, first, dest
}

// upload sends the tree to prefix/NAME, unless the confirmation there says that it is complete. name and version go into
// the confirmation.
func (b *box) upload(ctx context.Context, t *Tree, prefix, name, version string, tr transfer) (*Upload, error) {
	if len(t.Files) == 0 {
		return nil, emptyFolder(t)
	}
	up, first, dest := b.placed(t, prefix, name, version)
	there, err := b.confirmed(ctx, up)
	if err != nil || up.Reused {
		return up, err
	}
	u := &uploader{box: b, room: semaphore.NewWeighted(memory), progress: tr.progress}
	if there { // a broken upload: what is right of it stays
		if u.have, err = b.index(ctx, up.Path); err != nil {
			return nil, err
		}
	}
	jobs := make([]sending, 0, len(t.Files))
	jobs = append(jobs, sending{first, dest(first), condition{absent: !there}}) // the first tells the next try that there was one
	for i := range t.Files {
		if f := &t.Files[i]; f != first {
			jobs = append(jobs, sending{f, dest(f), condition{absent: !there}})
		}
	}
	tr.progress.begin(PhaseUpload, len(t.Files), t.Size)
	if err := u.all(ctx, jobs, tr.limit(len(t.Files), t.Size)); err != nil {
		return nil, err
	}
	tr.progress.begin(PhaseConfirm, len(t.Files), t.Size)
	if err := b.confirm(ctx, up.indicator, name, version); err != nil {
		return nil, err
	}
	tr.progress.add(len(t.Files), t.Size)
	return up, nil
}
