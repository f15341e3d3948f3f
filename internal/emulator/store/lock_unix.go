//go:build unix

package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// hold locks the file without waiting. The lock belongs to the open file, so that
// a second open in the same process is refused too.
func hold(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}

func release(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }
