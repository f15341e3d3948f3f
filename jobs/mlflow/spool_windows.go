package mlflow

import (
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a file until it is closed or its process ends. The locked byte lies far behind the
// data: Windows' locks would keep readers out.
func lockFile(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 1 << 30}
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
}
