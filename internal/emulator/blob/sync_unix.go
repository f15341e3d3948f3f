//go:build unix

package blob

import (
	"errors"
	"os"
)

// syncFolder makes the names in a folder survive the loss of power.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
