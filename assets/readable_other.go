//go:build !unix

package assets

import (
	"errors"
	"io/fs"
	"os"
)

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
