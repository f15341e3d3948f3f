package assets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// A Tree is what a folder (or one file) holds for an upload: the list of its files, and what its hashes need to know.
type Tree struct {
	// Root is the absolute path, links resolved.
	Root string
	// Name is the last element of Root.
	Name string
	// IsFile is set when Root is one file.
	IsFile bool
	// Files are the files that are not ignored. Those of a folder come before those of its folders; within a folder they
	// are in the order of the file system.
	Files []File
	// Size is the sum of the sizes, in bytes.
	Size int64

	root *folder
	// path and options are what Walk was given, for looking again.
	path    string
	options WalkOptions
	// remembered are the files of the cache that hashes of this tree came from.
	remembered []string
}

// A File is one file of a Tree.
type File struct {
	// Path is where its bytes are: absolute, links resolved.
	Path string
	// Name is relative to the root, with slashes. A link keeps its own name. For one file it is the base name.
	Name string
	// Size is in bytes. Mode and Modified are those of the link's target.
	Size     int64
	Mode     fs.FileMode
	Modified time.Time

	changed int64
	inode   uint64
	md5     []byte // of a large file, once it was hashed
}

// A folder is a node of the walk.
type folder struct {
	entries []entry // in the order of the file system
	files   []File
}

// An entry is a file or folder in a folder. Folders that are excluded by their own path count for uploads still (only
// files are tested there), but not for the object hash.
type entry struct {
	name   string
	lower  string
	hashed bool
	file   int // index in the folder's files, then in the tree's; or -1
	dir    *folder
}

// WalkOptions are the choices of Walk.
type WalkOptions struct {
	// Ignore is what to leave out. Defaults to the ignore file in the root of the folder.
	Ignore *Ignore
	// Extra patterns follow those of the ignore file. Not used with Ignore.
	Extra []string
}

// Walk lists a folder or one file. Links are followed; one that leads back to a folder it lies in is an error, as are broken
// links, files that cannot be read, and things that are no files, unless they are ignored. Ignored folders are not entered
// unless a later negated pattern could match below.
func Walk(ctx context.Context, path string, o *WalkOptions) (*Tree, error) {
	if o == nil {
		o = &WalkOptions{}
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("assets: walk: %w", err)
	}
	root, err := realPath(path)
	if err != nil {
		return nil, fmt.Errorf("assets: walk: %w", err)
	}
	t := &Tree{Root: root, Name: filepath.Base(root), path: path, options: *o}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("assets: walk: %s is %s, not a file or folder", path, kind(info.Mode()))
		}
		t.IsFile = true
		f := File{Path: root, Name: t.Name}
		f.stamped(info)
		t.Files, t.Size = []File{f}, f.Size
		return t.readable()
	}
	ignore := o.Ignore
	if ignore == nil {
		if ignore, err = ReadIgnore(root, o.Extra...); err != nil {
			return nil, err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(4, runtime.GOMAXPROCS(0)))
	w := &walker{group: g, ctx: ctx, ignore: ignore, root: root}
	t.root = &folder{}
	top := &place{real: root, scope: ignore.at(root, root)}
	g.Go(func() error { return w.walk(t.root, top) })
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("assets: walk: %w", err)
	}
	t.Files = make([]File, 0, w.files.Load())
	t.collect(t.root, "")
	return t.readable()
}

// again walks once more: something in the tree has changed.
func (t *Tree) again(ctx context.Context) error {
	if t.path == "" {
		return errors.New("assets: walk: the tree was not made by Walk")
	}
	now, err := Walk(ctx, t.path, &t.options)
	if err != nil {
		return err
	}
	*t = *now
	return nil
}

// vanished says whether an error comes of a file that changed or went away since the walk, so that looking again is worth it.
func vanished(err error) bool {
	_, changed := errors.AsType[*ChangedError](err)
	return changed || errors.Is(err, fs.ErrNotExist)
}

func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	return filepath.Abs(real)
}

// collect lists the files as os.walk of the reference does, so that names that differ by case alone keep its order.
func (t *Tree) collect(d *folder, prefix string) {
	for i := range d.entries {
		if e := &d.entries[i]; e.file >= 0 {
			f := &d.files[e.file]
			f.Name = prefix + e.name
			e.file = len(t.Files)
			t.Files = append(t.Files, *f)
			t.Size += f.Size
		}
	}
	d.files = nil
	for i := range d.entries {
		if e := &d.entries[i]; e.dir != nil {
			t.collect(e.dir, prefix+e.name+"/")
		}
	}
}

// Largest lists the n largest files, the largest first.
func (t *Tree) Largest(n int) []File {
	files := slices.Clone(t.Files)
	slices.SortStableFunc(files, func(a, b File) int { return int(min(1, max(-1, b.Size-a.Size))) })
	return files[:min(n, len(files))]
}

type walker struct {
	group  *errgroup.Group
	ctx    context.Context
	ignore *Ignore
	root   string
	files  atomic.Int64
}

// A place is where a walk stands: the real path, the state of the ignore rules there, and the folders above.
type place struct {
	real   string
	scope  scope
	parent *place
}

// walk reads one folder. Folders in it are walked by others while there are workers to spare.
func (w *walker) walk(d *folder, p *place) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(p.real)
	if err != nil {
		return err
	}
	next, err := w.list(f, d, p)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	w.files.Add(int64(len(d.files)))
	for i := range d.entries {
		dir, to := d.entries[i].dir, next[i]
		if to == nil {
			continue
		}
		if !w.group.TryGo(func() error { return w.walk(dir, to) }) {
			if err := w.walk(dir, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// list takes the names of a folder, and gives by entry the place to go on with.
func (w *walker) list(f *os.File, d *folder, p *place) (map[int]*place, error) {
	list, err := f.ReadDir(-1) // unsorted: the order of the file system
	if err != nil {
		return nil, err
	}
	d.entries = make([]entry, 0, len(list))
	d.files = make([]File, 0, len(list))
	next := map[int]*place{}
	for _, de := range list {
		e, to, err := w.entry(f, de, d, p)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		if to != nil {
			next[len(d.entries)] = to
		}
		d.entries = append(d.entries, *e)
	}
	return next, nil
}

// entry looks at one name in a folder. It gives nil for what counts neither for an upload nor for the object hash, and the
// place to go on with when it is a folder that is to be entered.
func (w *walker) entry(in *os.File, de fs.DirEntry, d *folder, p *place) (*entry, *place, error) {
	name := de.Name()
	path := p.real + string(filepath.Separator) + name
	if len(p.real) > 0 && os.IsPathSeparator(p.real[len(p.real)-1]) { // the root of the file system
		path = p.real + name
	}
	mode := de.Type()
	excluded := p.scope.excludes(name)
	if excluded && mode.IsRegular() {
		return nil, nil, nil
	}
	real, linked := path, false
	var info fs.FileInfo
	if mode&(fs.ModeSymlink|fs.ModeIrregular) != 0 { // a junction of Windows is irregular
		var err error
		if info, err = os.Stat(path); err != nil {
			if excluded {
				return nil, nil, nil
			}
			return nil, nil, fmt.Errorf("%s is a link that leads nowhere: %w; remove it or add it to %s", path, err, amlIgnore)
		}
		if real, err = realPath(path); err != nil {
			return nil, nil, err
		}
		mode, linked = info.Mode(), true
	}
	e := &entry{name: name, lower: pythonLower(name), hashed: !excluded, file: -1}
	switch {
	case mode.IsDir():
		next := &place{real: real, parent: p}
		if linked {
			// The reference tests what lies in a linked folder by its real path, as seen from the ignore file.
			next.scope = w.ignore.at(w.root, real)
		} else {
			next.scope = p.scope.enter(name)
		}
		if !utf8.ValidString(name) && !next.scope.sealed() {
			return nil, nil, badName(path)
		}
		e.dir = &folder{}
		if next.scope.sealed() {
			if excluded {
				return nil, nil, nil
			}
			return e, nil, nil
		}
		if linked && next.loops() {
			if excluded || p.scope.enter(name).sealed() {
				return nil, nil, nil
			}
			return nil, nil, fmt.Errorf("%s leads back to a folder that it lies in; remove the link or add it to %s", path, amlIgnore)
		}
		return e, next, nil
	case excluded:
		return nil, nil, nil
	case !mode.IsRegular():
		return nil, nil, fmt.Errorf("%s is %s, not a file; remove it or add it to %s", path, kind(mode), amlIgnore)
	}
	if !utf8.ValidString(name) {
		return nil, nil, badName(path)
	}
	file := File{Path: real}
	if info != nil {
		file.stamped(info)
	} else if err := file.look(in, de); err != nil {
		return nil, nil, err
	}
	e.file = len(d.files)
	d.files = append(d.files, file)
	return e, nil, nil
}

func badName(path string) error {
	return fmt.Errorf("the name of %q is not UTF-8, which blob names must be; rename it or add it to %s", path, amlIgnore)
}

// loops says whether one of the folders above lies in this one, or is it.
func (p *place) loops() bool {
	for up := p.parent; up != nil; up = up.parent {
		if rel, err := filepath.Rel(p.real, up.real); err == nil && filepath.IsLocal(rel) {
			return true
		}
	}
	return false
}

func kind(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "of type " + strings.TrimRight(m.Type().String(), "-")
}
