package assets

import (
	"context"
	"crypto/md5"
	"errors"
	"io"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// A volume is a store of named files: a blob container (which a Data Lake is too) or a file share. Names have slashes.
// Errors that mean the same in all of them are errTaken and errMoved; the others are storageErrors.
type volume interface {
	// list gives what lies below a prefix.
	list(ctx context.Context, prefix string) ([]remote, error)
	// stat gives one file or folder; nil when there is none.
	stat(ctx context.Context, name string) (*remote, error)
	// put writes a file of up to pieceSize in one go, and keeps its MD5.
	put(ctx context.Context, name string, data []byte, sum [md5.Size]byte, c condition) error
	// stage begins a file of more than pieceSize.
	stage(ctx context.Context, name string, size, piece int64, c condition) (stage, error)
	// mark sets a file's or folder's metadata.
	mark(ctx context.Context, name string, m map[string]string) error
	// open reads n bytes at an offset of a file that is still as r says, else errMoved. sum is the MD5 of the bytes
	// where the service gave it.
	open(ctx context.Context, r *remote, at, n int64) (body io.ReadCloser, sum []byte, err error)
	// remove deletes a file that is still as r says, else errMoved. One that is gone already is fine.
	remove(ctx context.Context, r *remote) error
}

// A stage is a large file on its way: pieces come in any order, and commit makes it visible.
type stage interface {
	// piece sends one piece, or finds it there from an earlier try.
	piece(ctx context.Context, i int, at int64, data []byte) error
	// commit makes a file of the pieces. errLost means that pieces are gone, and that all must be sent again.
	commit(ctx context.Context, sum []byte, c condition) error
}

// A condition is what must hold of the file that is written: that there is none, or that it is the one with the tag.
type condition struct {
	absent bool
	etag   azcore.ETag
}

var (
	errTaken = errors.New("somebody else wrote it in between")
	errMoved = errors.New("it changed")
	errLost  = errors.New("the service has dropped pieces that were sent")
)

// A remote is a file in a volume, or a folder where the volume has such.
type remote struct {
	name   string
	size   int64
	etag   azcore.ETag
	md5    []byte
	folder bool // a folder of a hierarchical account or share, or a marker for one
	meta   map[string]*string
}
