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
	p := &paths{root: root, values: map[string]string{}}
	parts := map[string]*string{"wd": &p.code, "inputs": &p.inputs, "outputs": &p.outputs, "tmp": &p.temp}
	for name, to := range parts {
		*to = filepath.Join(root, name)
	}
	p.logs = p.temp
	if e.takeSpare(root) {
		return p, nil
	}
	if err := freshDir(root); err != nil {
		return nil, err
	}
	for _, to := range parts {
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

// maxSpares is how many folders of ended jobs are kept, empty, for others:
// making and removing folders is a good part of what a short job costs.
const maxSpares = 16

// takeSpare makes an empty folder of an ended job the one of another.
func (e *Engine) takeSpare(root string) bool {
	if _, err := os.Lstat(root); err == nil { // a job of the same name was deleted: its folder may be a spare
		for range cap(e.spares) {
			select {
			case spare := <-e.spares:
				e.discard(spare)
			default:
			}
		}
		return false
	}
	select {
	case spare := <-e.spares:
		if os.Rename(spare, root) == nil {
			return true
		}
		e.discard(spare)
	default:
	}
	return false
}

func (e *Engine) discard(spare string) {
	if err := os.RemoveAll(spare); err != nil {
		e.log.Warn("the folder of an ended job could not be removed", "error", err)
	}
}

// leave removes what a job left in its folder, and the folder itself unless it
// can serve another.
func (e *Engine) leave(p *paths) error {
	if len(e.spares) < cap(e.spares) && p.empty() {
		select {
		case e.spares <- p.root:
			return nil
		default:
		}
	}
	return os.RemoveAll(p.root)
}

// empty empties the job's folders and says whether they are as they were made.
func (p *paths) empty() bool {
	entries, err := os.ReadDir(p.root)
	if err != nil || len(entries) != 4 {
		return false
	}
	for _, dir := range []string{p.code, p.inputs, p.outputs, p.temp} {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			return false
		}
		inside, err := os.ReadDir(dir)
		if err != nil {
			return false
		}
		for _, e := range inside {
			if os.Remove(filepath.Join(dir, e.Name())) == nil {
				continue // a file, or an empty folder
			}
			if os.RemoveAll(filepath.Join(dir, e.Name())) != nil {
				return false
			}
		}
	}
	return true
}
