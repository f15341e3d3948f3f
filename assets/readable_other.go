//go:build !unix

package assets

import (
	"errors"
	"io/fs"
	"os"
)

// openToAll says that a mode tells who may read.
func openToAll(fs.FileMode) bool { return false }

// readable asks whether a file could be opened.
func readable(path string) error {
	f, err := os.Open(path)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	if err != nil {
		return err
	}
	return f.Close()
}
