//go:build unix

package assets

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks a file for this process, without waiting. Closing it unlocks it.
func lockFile(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
