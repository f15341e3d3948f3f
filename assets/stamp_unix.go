//go:build unix

package assets

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// readInto reads a file into data, which has room for one byte more than the file had. It is the bare system calls: a walk
// over many small files consists of little else.
func readInto(f *File, data []byte) (n int, err error) {
	fail := func(op string, err error) error { return &fs.PathError{Op: op, Path: f.Path, Err: err} }
	fd, err := retried(func() (int, error) { return unix.Open(f.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return 0, fail("open", err)
	}
	defer func() {
		if cerr := unix.Close(fd); cerr != nil && err == nil && !errors.Is(cerr, unix.EINTR) {
			err = fail("close", cerr)
		}
	}()
	for n < len(data) {
		k, err := retried(func() (int, error) { return unix.Read(fd, data[n:]) })
		if err != nil {
			return 0, fail("read", err)
		}
		if n += k; k == 0 || int64(n) == f.Size { // what came later shows in the stamp
			break
		}
	}
	var st unix.Stat_t
	if _, err := retried(func() (int, error) { return 0, unix.Fstat(fd, &st) }); err != nil {
		return 0, fail("stat", err)
	}
	now := rawStamp(&st)
	if !now.same(f.stamp()) {
		return 0, changed(f, now.size)
	}
	if int64(n) != f.Size {
		return 0, changed(f, int64(n))
	}
	return n, nil
}

func retried(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR { //nolint:errorlint // system calls give it bare
			return n, err
		}
	}
}
