//go:build unix

package assets

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// openToAll is set when everybody may read a file of that mode: then nobody need be asked. (An access list may say otherwise: then
// reading it fails, which it does before anything is sent.)
func openToAll(m fs.FileMode) bool { return m.Perm()&0o444 == 0o444 }

// readable asks whether a file could be opened, without opening it.
func readable(path string) error { return unix.Access(path, unix.R_OK) }
