//go:build unix && !linux && !darwin

package assets

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Inodes and the times of metadata have other names and types on each of these systems: size and time must do.
func stampOf(info fs.FileInfo) stamp {
	return stamp{size: info.Size(), modified: info.ModTime().UnixNano()}
}

func rawStamp(st *unix.Stat_t) stamp {
	return stamp{size: st.Size, modified: st.Mtim.Nano()}
}
