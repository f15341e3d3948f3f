//go:build linux || darwin

package mlflow

import (
	"math"

	"golang.org/x/sys/unix"
)

// readDisk gives the used bytes of a file system, and those free to this user.
func readDisk(path string) (used, free float64) {
	var st unix.Statfs_t
	if unix.Statfs(path, &st) != nil {
		return math.NaN(), math.NaN()
	}
	block := float64(st.Bsize)
	return float64(st.Blocks-st.Bfree) * block, float64(st.Bavail) * block
}
