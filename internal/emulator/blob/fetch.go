package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
)

// parallelFiles is how many files FetchFolder writes at a time.
const parallelFiles = 8

// Fetch writes a blob to a file, whose folder is made. Blobs have no
// executable bit: mode says whether the file gets one. Errors:
// store.ErrNotFound, for a folder's mark too.
func (s *Service) Fetch(ctx context.Context, account, container, name, to string, mode os.FileMode) error {
	r, err := s.Open(ctx, account, container, name)
	if err != nil {
		return err
	}
	defer r.Close()
	if r.Folder() {
		return address{account, container, name}.fault("fetch", errBlobNotFound) // as a file
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// FetchFolder writes what lies below a folder to dir and returns how many
// files there were. A name that leads out of dir is an error.
func (s *Service) FetchFolder(ctx context.Context, account, container, folder, dir string, mode os.FileMode) (int, error) {
	prefix := strings.TrimSuffix(folder, "/")
	if prefix != "" {
		prefix += "/"
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelFiles)
	n := 0
	for it, err := range s.List(gctx, account, container, prefix) {
		if err != nil {
			return n, errors.Join(g.Wait(), err)
		}
		rel := filepath.FromSlash(strings.TrimPrefix(it.Name, prefix))
		if rel == "" || strings.HasSuffix(it.Name, "/") || it.Folder() {
			continue // a marker of a folder
		}
		if !filepath.IsLocal(rel) {
			return n, errors.Join(g.Wait(), fmt.Errorf("blob: the name %q leads out of its folder", it.Name))
		}
		n++
		g.Go(func() error { return s.Fetch(gctx, account, container, it.Name, filepath.Join(dir, rel), mode) })
	}
	return n, g.Wait()
}
