//go:build unix

package blob

import "syscall"

// fullCodes are the system's words for a disk without space, or without space for its user.
var fullCodes = []error{syscall.ENOSPC, syscall.EDQUOT}
