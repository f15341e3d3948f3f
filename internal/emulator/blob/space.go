package blob

import (
	"context"
	"errors"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// errNoSpace is not retried by clients, as 500 and 503 are: the disk stays full.
var errNoSpace = fault(507, "InsufficientStorage", "There is no space left on the disk of the local workspace: nothing was kept of this request.")

// diskFull reports whether an error is that of a disk without space.
func diskFull(err error) bool {
	for _, code := range fullCodes {
		if errors.Is(err, code) {
			return true
		}
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == sqlite3.SQLITE_FULL
}

type noSpaceKey struct{}

// WithoutSpace marks a request's context: what it writes finds the disk full.
func WithoutSpace(ctx context.Context) context.Context {
	return context.WithValue(ctx, noSpaceKey{}, true)
}

// space fails when the context says that the disk is full.
func space(ctx context.Context, path string) error {
	if ctx.Value(noSpaceKey{}) == nil {
		return nil
	}
	return &os.PathError{Op: "write", Path: path, Err: fullCodes[0]}
}

// ExpiredSAS is the refusal of a signature whose time is over.
func ExpiredSAS() *Error {
	return errAuthentication.because("Signature not valid in the specified time frame: it has expired.")
}
