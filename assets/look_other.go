//go:build !linux

package assets

import (
	"io/fs"
	"os"
)

// look asks for the attributes of an entry of a folder.
func (f *File) look(_ *os.File, de fs.DirEntry) error {
	info, err := de.Info()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() { // it was a file a moment ago
		return &ChangedError{Path: f.Path}
	}
	f.stamped(info)
	return nil
}
