package execution

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// paths are the places of one job on disk, and the values that its command and
// variables get for them.
type paths struct {
	root, code, inputs, outputs, logs, temp string
	values                                  map[string]string // "inputs.x", "outputs.y"
}

func (e *Engine) newPaths(r *Record) (*paths, error) {
	sum := sha256.Sum256([]byte(r.Scope.Key()))
	root := filepath.Join(e.Dir, "runs", hex.EncodeToString(sum[:4]), r.Name)
	if err := freshDir(root); err != nil {
		return nil, err
	}
	p := &paths{root: root, values: map[string]string{}, inputs: filepath.Join(root, "inputs"), outputs: filepath.Join(root, "outputs")} // made when there are any
	for name, to := range map[string]*string{"wd": &p.code, "logs": &p.logs, "tmp": &p.temp} {
		*to = filepath.Join(root, name)
		if err := os.Mkdir(*to, 0o700); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// freshDir makes an empty folder, in the place of what a former run left.
func freshDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(dir, 0o700)
	}
	if errors.Is(err, fs.ErrExist) {
		if err = os.RemoveAll(dir); err == nil {
			err = os.Mkdir(dir, 0o700)
		}
	}
	return err
}
