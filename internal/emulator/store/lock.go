package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// LockedError says that a workspace's folder is open elsewhere.
type LockedError struct {
	Dir string
	// PID is the process that has the folder open, 0 when it could not be read.
	PID int
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("store: open %q: the folder is in use by another process", e.Dir)
	}
	return fmt.Sprintf("store: open %q: the folder is in use by process %d", e.Dir, e.PID)
}

// errHeld is what hold returns for a file that is locked elsewhere.
var errHeld = errors.New("held")

// lock is a file that the operating system locks for this process. The lock goes
// with the process, however it ends; the pid inside is only told to others. The
// file is never removed: a second process might have opened it meanwhile.
type lock struct{ f *os.File }

func acquire(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: open %q: %w", dir, err)
	}
	if err := hold(f); err != nil {
		defer f.Close()
		if errors.Is(err, errHeld) {
			return nil, &LockedError{Dir: dir, PID: holder(f)}
		}
		return nil, fmt.Errorf("store: open %q: lock: %w", dir, err)
	}
	l := &lock{f: f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("store: open %q: lock: %w", dir, err), f.Close())
	}
	return l, nil
}

// sign writes the process's id, for others to tell.
func (l *lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	_, err := l.f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// holder reads the id that sign wrote, 0 when there is none.
func holder(f *os.File) int {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// Close empties the file and gives up the lock.
func (l *lock) Close() error {
	return errors.Join(l.f.Truncate(0), release(l.f), l.f.Close())
}
