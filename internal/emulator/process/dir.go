package process

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// plain is what a path may hold so that a command that does not quote it works
// as it does on Azure, where paths have no blanks.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./:\\~+=@,-]+$`)

// PlainDir is dir, absolute and made when it is not there, or when a shell would split its name a link to it in the
// folder for temporary files.
func PlainDir(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if plain.MatchString(dir) {
		return dir, nil
	}
	sum := sha256.Sum256([]byte(dir))
	link := filepath.Join(os.TempDir(), "azureml-"+hex.EncodeToString(sum[:8]))
	there := func() bool {
		to, err := os.Readlink(link)
		return err == nil && to == dir
	}
	if there() {
		return link, nil
	}
	if err := os.Symlink(dir, link); err != nil && !there() { // another process may have made it meanwhile
		if runtime.GOOS == "windows" { // links are a privilege there: commands must quote
			return dir, nil
		}
		return "", fmt.Errorf("process: the folder %q has characters that a shell would split, and a link to it could not be made: %w", dir, err)
	}
	return link, nil
}
