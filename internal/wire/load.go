package wire

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// LoadOptions are the choices of LoadYAML; nil is fine.
type LoadOptions struct {
	// Set are overrides, applied in order to the document before it is read.
	Set []Override
	// ReadFile reads the files that the document names. Defaults to os.ReadFile.
	ReadFile func(name string) ([]byte, error)
	// Dir is the folder that relative paths start from when there is no file name. Defaults to leaving them as they are.
	Dir string
	// Private lets in what the reference refuses unless its private features are on: control flow nodes, import jobs.
	Private bool
}

// LoadYAML reads a document into the kind (or sealed interface of kinds) that into points to. file names it in faults,
// and its folder is where relative paths start; "" is a document without a file. All faults of the document and of the
// files that it names come back at once, as Faults.
func LoadYAML(data []byte, file string, into any, o *LoadOptions) error {
	n, l, err := prepare(data, file, o)
	if err != nil {
		return err
	}
	return l.decode(n, into)
}

// LoadNode is LoadYAML for a document that ParseYAML has read.
func LoadNode(n *Node, into any, o *LoadOptions) error {
	l := newLoader(o)
	n = l.override(n, o)
	if err := l.faults.Err(); err != nil {
		return err
	}
	return l.decode(n, into)
}

func prepare(data []byte, file string, o *LoadOptions) (*Node, *loader, error) {
	l := newLoader(o)
	dir, err := baseDir(file)
	if err != nil {
		return nil, nil, err
	}
	if file == "" && o != nil {
		dir = o.Dir
	}
	n, err := ParseYAML(data, file, dir)
	if err != nil {
		return nil, nil, err
	}
	if n.Kind == Null {
		return nil, nil, Faults{{File: file, Message: "the file is empty"}}
	}
	if n.Kind != Mapping {
		return nil, nil, Faults{{File: file, Line: n.Line, Column: n.Column, Message: "the document is " + n.describe() + ", not a mapping"}}
	}
	if file != "" {
		l.stack = append(l.stack, clean(file))
	}
	n = l.override(n, o)
	if err := l.faults.Err(); err != nil {
		return nil, nil, err
	}
	return n, l, nil
}

type loader struct {
	read    func(string) ([]byte, error)
	faults  Faults
	missed  int      // faults of readings that are not strict
	stack   []string // the outermost file
	opened  int
	hints   int
	private bool
}

// maxFiles bounds the files that one document may name, those of its files included.
const maxFiles = 1000

// maxHints bounds the unknown fields of a document that a right name is looked up for.
const maxHints = 200

func newLoader(o *LoadOptions) *loader {
	l := &loader{read: os.ReadFile}
	if o != nil {
		l.private = o.Private
		if o.ReadFile != nil {
			l.read = o.ReadFile
		}
	}
	return l
}

func (l *loader) decode(n *Node, into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("wire: %T is no pointer", into)
	}
	d := &Decoding{sp: YAML, strict: true, load: l}
	d.value(n, v.Elem())
	return l.faults.Err()
}

func clean(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil { // no working directory; the name alone has to do
		return filepath.Clean(name)
	}
	return abs
}

// open reads another file, for a reading of YAML only: what a service answers opens nothing. Its relative paths start from its own folder.
func (l *loader) open(d *Decoding, at *Node, path string) *Node {
	if d.sp != YAML || !d.strict {
		l.missed++
		return nil
	}
	name := at.LocalPath(path)
	full := clean(name)
	if slices.Contains(l.stack, full) || l.chain(at, full) {
		d.Fault(at, "the file %s leads back to itself", name)
		return nil
	}
	if l.opened++; l.opened > maxFiles {
		if l.opened == maxFiles+1 {
			d.Fault(at, "more than %d files", maxFiles)
		}
		return nil
	}
	data, err := l.read(full)
	if err != nil {
		why := err
		if pe, ok := errors.AsType[*os.PathError](err); ok {
			why = pe.Err
		}
		d.Fault(at, "the file %s cannot be read: %v", name, why)
		return nil
	}
	shown := name
	if at.File() != "" && !filepath.IsAbs(at.File()) { // as the outer file is named
		if rel, err := filepath.Rel(at.Dir(), full); err == nil {
			shown = filepath.Join(filepath.Dir(at.File()), rel)
		}
	}
	n, err := ParseYAML(data, shown, filepath.Dir(full))
	if err != nil {
		fs := FaultsOf(err)
		for _, f := range fs {
			f.Field = strings.Join(d.path, ".")
		}
		l.faults = append(l.faults, fs...)
		return nil
	}
	n.file.from = at.file
	n.file.full = full
	return n
}

// chain tells whether the file stands among those that led to a node.
func (l *loader) chain(at *Node, full string) bool {
	for f := at.file; f != nil; f = f.from {
		if f.full == full {
			return true
		}
	}
	return false
}
