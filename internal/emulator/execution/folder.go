package execution

import (
	"crypto/sha256"
	"encoding/hex"
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
	if err := os.RemoveAll(root); err != nil {
		return nil, err
	}
	p := &paths{root: root, values: map[string]string{}}
	for name, to := range map[string]*string{"wd": &p.code, "inputs": &p.inputs, "outputs": &p.outputs, "logs": &p.logs, "tmp": &p.temp} {
		*to = filepath.Join(root, name)
		if err := os.MkdirAll(*to, 0o700); err != nil {
			return nil, err
		}
	}
	return p, nil
}
