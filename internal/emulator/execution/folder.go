package execution

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// paths are the places of one job on disk, and the values that its command and
// variables get for them.
type paths struct {
	root, code, inputs, outputs, logs, temp string
	values                                  map[string]string           // "inputs.x", "outputs.y"
	mounted                                 map[string]map[string]stamp // of outputs: the files that were there before
	stale                                   map[string]bool             // empty folders below inputs and outputs that the folder's former job had
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
	if e.takeSpare(p) {
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

// spare is the folder of an ended job.
type spare struct {
	root  string
	stale []string // empty folders of inputs and outputs, by their places in it
}

// takeSpare makes the folder of an ended job the one of another.
func (e *Engine) takeSpare(p *paths) bool {
	if _, err := os.Lstat(p.root); err == nil { // a job of the same name was deleted: its folder may be a spare
		for range cap(e.spares) {
			select {
			case spare := <-e.spares:
				e.remove(spare.root)
			default:
			}
		}
		return false
	}
	select {
	case spare := <-e.spares:
		if os.Rename(spare.root, p.root) == nil {
			p.stale = map[string]bool{}
			for _, name := range spare.stale {
				p.stale[filepath.Join(p.root, name)] = true
			}
			return true
		}
		e.remove(spare.root)
	default:
	}
	return false
}

// fresh removes what the folder's former job had and this one has not.
func (p *paths) fresh(s *commandSpec) error {
	for dir := range p.stale {
		k := filepath.Base(dir)
		_, in := s.Inputs[k]
		_, out := s.Outputs[k]
		if in && filepath.Dir(dir) == p.inputs || out && filepath.Dir(dir) == p.outputs {
			continue
		}
		if err := os.Remove(dir); err != nil {
			return err
		}
	}
	return nil
}

// mkdir makes the folder of an input or output.
func (p *paths) mkdir(dir string) error {
	if p.stale[dir] {
		return nil
	}
	return os.MkdirAll(dir, 0o700)
}

// remove removes the folder of an ended job, and what its program protected in it. What cannot be removed is no fault of the job's.
func (e *Engine) remove(root string) {
	err := os.RemoveAll(root)
	if errors.Is(err, fs.ErrPermission) {
		_ = filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				err = os.Chmod(at, 0o700) //nolint:gosec // a folder, for its owner alone
			}
			return err
		}) // what could not be opened is told below
		err = os.RemoveAll(root)
	}
	for wait := 10 * time.Millisecond; err != nil && runtime.GOOS == "windows" && wait < time.Second; wait *= 2 {
		time.Sleep(wait) // processes that were just ended hold their files a little longer
		err = os.RemoveAll(root)
	}
	if err != nil {
		e.log.Warn("the folder of an ended job could not be removed", "error", err)
	}
}

// leave removes what a job left in its folder, and the folder itself unless it
// can serve another.
func (e *Engine) leave(p *paths) {
	if len(e.spares) < cap(e.spares) {
		if stale, ok := p.empty(); ok {
			select {
			case e.spares <- spare{p.root, stale}:
				return
			default:
			}
		}
	}
	e.remove(p.root)
}

// empty empties the job's folders and says whether they are as they were made,
// and which empty ones of inputs and outputs are left.
func (p *paths) empty() (stale []string, ok bool) {
	entries, err := os.ReadDir(p.root)
	if err != nil || len(entries) != 4 {
		return nil, false
	}
	for _, dir := range []string{p.code, p.inputs, p.outputs, p.temp} {
		info, err := os.Lstat(dir)
		if err != nil || !asMade(info) {
			return nil, false
		}
		inside, err := os.ReadDir(dir)
		if err != nil {
			return nil, false
		}
		for _, e := range inside {
			at := filepath.Join(dir, e.Name())
			if (dir == p.inputs || dir == p.outputs) && len(stale) < maxStale && emptied(at) {
				rel, err := filepath.Rel(p.root, at)
				if err != nil {
					return nil, false
				}
				stale = append(stale, rel)
				continue
			}
			if os.Remove(at) == nil {
				continue // a file, or an empty folder
			}
			if os.RemoveAll(at) != nil {
				return nil, false
			}
		}
	}
	return stale, true
}

// maxStale is how many empty folders a spare has.
const maxStale = 8

func asMade(info os.FileInfo) bool { return info.IsDir() && info.Mode().Perm() == 0o700 }

// emptied removes the files of a folder and says that it is as it was made.
func emptied(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !asMade(info) {
		return false
	}
	inside, err := os.ReadDir(dir)
	if err != nil || len(inside) > maxStale {
		return false
	}
	for _, e := range inside {
		if e.IsDir() || os.Remove(filepath.Join(dir, e.Name())) != nil {
			return false
		}
	}
	return true
}
