package assets

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a byte far behind the content for this process, without waiting. Closing the file unlocks it.
func lockFile(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
}
