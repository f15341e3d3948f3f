package assets

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// drive begins the absolute paths of Windows.
var drive = regexp.MustCompile(`^[A-Za-z]:[/\\]`)

// leaves says whether a name that stays in a folder here would leave it on Windows, where a backslash parts the elements of
// a path: a folder that was downloaded may be carried there.
func leaves(rel string) bool {
	if !strings.Contains(rel, `\`) {
		return drive.MatchString(rel)
	}
	p := path.Clean(strings.ReplaceAll(rel, `\`, "/"))
	return p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") || drive.MatchString(rel)
}

// A target is the folder of a download: which file of it comes from where. Two names that are one to the file system must not
// become one file.
type target struct {
	fold func(string) string
	from map[string]string // by folded path
	dirs map[string]string // the folders above, and a file in each
}

func newTarget(system string) *target {
	t := &target{fold: func(s string) string { return s }, from: map[string]string{}, dirs: map[string]string{}}
	switch system {
	case "windows": // which drops dots and spaces at the end, too
		t.fold = func(s string) string {
			parts := strings.Split(strings.ToLower(s), "/")
			for i := range parts {
				parts[i] = strings.TrimRight(parts[i], ". ")
			}
			return strings.Join(parts, "/")
		}
	case "darwin", "ios":
		t.fold = strings.ToLower
	}
	return t
}

func (t *target) add(rel, from string) error {
	key := t.fold(rel)
	if other, twice := t.from[key]; twice {
		return fmt.Errorf("the blobs %q and %q would be written to the same file; choose among them by Match", other, from)
	}
	t.from[key] = from
	for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
		if _, known := t.dirs[dir]; known {
			break
		}
		t.dirs[dir] = from
	}
	return nil
}

// check refuses a file where a folder is to be: a blob and others whose names go on from its own.
func (t *target) check() error {
	for _, dir := range slices.Sorted(maps.Keys(t.dirs)) {
		if file, ok := t.from[dir]; ok {
			return fmt.Errorf("the blob %q would be a file, and %q needs a folder in its place; choose among them by Match", file, t.dirs[dir])
		}
	}
	return nil
}
