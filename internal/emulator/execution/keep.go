package execution

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// keeping puts what a program left in a folder into storage.
type keeping struct {
	e                          *Engine
	account, container, prefix string
	root                       string           // of the folder, without links
	was                        map[string]stamp // files that are in storage already, by their names
	g                          *errgroup.Group
	n                          int
	left                       []string // what storage cannot have, and why
}

// keepFolder puts every file below dir under prefix and returns how many there
// were, and what was left out. was are files that are there already. Links count as what they lead to; to folders,
// when those are in dir themselves.
func (e *Engine) keepFolder(ctx context.Context, dir, account, container, prefix string, was map[string]stamp) (int, []string, error) {
	if entries, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return 0, nil, nil
	}
	if err := e.Blobs.EnsureContainer(ctx, account, container); err != nil {
		return 0, nil, err
	}
	k := &keeping{e: e, was: was, account: account, container: container, prefix: prefix}
	var err error
	if k.root, err = filepath.EvalSymlinks(dir); err != nil {
		return 0, nil, fmt.Errorf("keep %s: %w", dir, err)
	}
	k.g, ctx = errgroup.WithContext(ctx)
	k.g.SetLimit(parallelFiles)
	err = k.folder(ctx, k.root, "", nil)
	if errors.Is(err, fs.ErrNotExist) && k.n == 0 {
		err = nil
	}
	if err := errors.Join(err, k.g.Wait()); err != nil {
		return k.n, k.left, fmt.Errorf("keep %s: %w", dir, err)
	}
	return k.n, k.left, nil
}

// folder keeps what is in dir as rel. within are the folders that it is in, links
// among them.
func (k *keeping) folder(ctx context.Context, dir, rel string, within []string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	within = append(within[:len(within):len(within)], dir)
	for _, d := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, name := filepath.Join(dir, d.Name()), path.Join(rel, d.Name())
		if d.IsDir() {
			if err := k.folder(ctx, at, name, within); err != nil {
				return err
			}
			continue
		}
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && d.Type()&fs.ModeSymlink != 0:
			k.left = append(k.left, name+" (a link to nothing)")
		case err != nil:
			return err
		case info.IsDir():
			to, err := filepath.EvalSymlinks(at)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(to, k.root+string(filepath.Separator)) || slices.Contains(within, to) {
				k.left = append(k.left, name+" (a link to a folder outside, or around it)")
			} else if err := k.folder(ctx, to, name, within); err != nil {
				return err
			}
		case !info.Mode().IsRegular():
			k.left = append(k.left, name+" (no file)")
		case k.was[name] == stampOf(info):
			k.n++
		default:
			k.n++
			k.g.Go(func() error {
				_, err := k.e.Blobs.PutFile(ctx, k.account, k.container, path.Join(k.prefix, name), at, nil)
				return err
			})
		}
	}
	return nil
}
