package blob

import "golang.org/x/sys/windows"

// fullCodes are the system's words for a disk without space.
var fullCodes = []error{windows.ERROR_DISK_FULL, windows.ERROR_HANDLE_DISK_FULL, windows.ERROR_DISK_QUOTA_EXCEEDED}
