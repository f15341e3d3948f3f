package assets

import (
	"fmt"
	"strings"
)

// maxNamed is how many files an error names.
const maxNamed = 5

// readable gives the tree, unless there are files in it that cannot be read: better now than when half of the others are
// sent.
func (t *Tree) readable() (*Tree, error) {
	if err := t.unreadable(); err != nil {
		return nil, fmt.Errorf("assets: walk: %w", err)
	}
	return t, nil
}

// unreadable names the files that cannot be read.
func (t *Tree) unreadable() error {
	var named []string
	n := 0
	for i := range t.Files {
		if openToAll(t.Files[i].Mode) {
			continue
		}
		err := readable(t.Files[i].Path)
		if err == nil {
			continue
		}
		if n++; n <= maxNamed {
			named = append(named, fmt.Sprintf("%s (%v)", t.Files[i].Name, err))
		}
	}
	switch {
	case n == 0:
		return nil
	case t.IsFile:
		return fmt.Errorf("%s cannot be read: %w", t.Root, readable(t.Files[0].Path))
	}
	if n > maxNamed {
		named = append(named, fmt.Sprintf("and %d more", n-maxNamed))
	}
	return fmt.Errorf("files of %s cannot be read: %s; make them readable or add them to %s", t.Root, strings.Join(named, ", "), amlIgnore)
}
