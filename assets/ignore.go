package assets

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// The names of ignore files, the one that counts when both are there first.
const (
	amlIgnore = ".amlignore"
	gitIgnore = ".gitignore"
)

// Ignore is the list of patterns of an ignore file. Patterns mean what they mean to azure-ai-ml, which differs from git in
// small ways, because the hashes of snapshots depend on them: only the file in the root of the folder counts, only files are
// tested, and the last line that matches a file decides, so a file below an excluded folder can be included again.
// The zero value excludes nothing. Safe for concurrent use.
type Ignore struct {
	// base is the folder that paths are relative to; "" is the folder that is walked.
	base string
	a    *automaton
}

// lineError is a fault in one line of an ignore file.
type lineError struct {
	line int
	text string
	err  error
}

func (e *lineError) Error() string {
	return fmt.Sprintf("line %d: the pattern %q is not valid: %v", e.line, e.text, e.err)
}

func (e *lineError) Unwrap() error { return e.err }

// ParseIgnore reads the text of an ignore file. Extra patterns count as lines after the last.
func ParseIgnore(text []byte, extra ...string) (*Ignore, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !utf8.Valid(text) {
		return nil, errors.New("assets: ignore file: it is not UTF-8 text")
	}
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(text)), "\n")
	for i := range lines {
		lines[i] = strings.TrimRightFunc(lines[i], pythonSpace)
	}
	a, err := newAutomaton(append(lines, extra...))
	if err != nil {
		return nil, fmt.Errorf("assets: ignore file: %w", err)
	}
	return &Ignore{a: a}, nil
}

// ReadIgnore reads .amlignore in the root of a folder, or else .gitignore, or else nothing. Extra patterns count after
// the last line of the file, and without a file too.
func ReadIgnore(dir string, extra ...string) (*Ignore, error) {
	for _, name := range []string{amlIgnore, gitIgnore} {
		file := filepath.Join(dir, name)
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("assets: ignore file: %w", err)
		}
		g, err := ParseIgnore(text, extra...)
		if err != nil {
			return nil, fmt.Errorf("%w (in %s)", err, file)
		}
		// A link is followed before its folder is taken, as the reference does.
		real, err := filepath.EvalSymlinks(file)
		if err != nil {
			return nil, fmt.Errorf("assets: ignore file: %w", err)
		}
		if real, err = filepath.Abs(real); err != nil {
			return nil, fmt.Errorf("assets: ignore file: %w", err)
		}
		g.base = filepath.Dir(real)
		return g, nil
	}
	return ParseIgnore(nil, extra...)
}

// Excludes says whether the file is excluded. The path is relative to the ignore file's folder, with slashes.
func (g *Ignore) Excludes(path string) bool {
	if g == nil || g.a == nil {
		return false
	}
	return g.a.excludes(g.a.start, path)
}

// A scope is an ignore list at one folder of a walk.
type scope struct {
	a *automaton
	s *state
	// foreign folders have no path relative to the ignore file (another drive): all in them is excluded.
	foreign bool
}

// at gives the scope of a folder by its real path, root being the folder that is walked.
func (g *Ignore) at(root, dir string) scope {
	if g == nil || g.a == nil {
		return scope{}
	}
	base := g.base
	if base == "" {
		base = root
	}
	sc := scope{a: g.a, s: g.a.start}
	rel, err := filepath.Rel(base, dir)
	if err != nil {
		sc.foreign = true
		return sc
	}
	if rel != "." {
		sc = sc.enter(filepath.ToSlash(rel))
	}
	return sc
}

func (sc scope) enter(name string) scope {
	if sc.a != nil && !sc.foreign {
		sc.s = sc.a.step(sc.a.run(sc.s, name), '/')
	}
	return sc
}

func (sc scope) excludes(name string) bool {
	return sc.a != nil && (sc.foreign || sc.a.excludes(sc.s, name))
}

func (sc scope) sealed() bool {
	return sc.a != nil && (sc.foreign || sc.a.sealed(sc.s))
}
