package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/semaphore"
)

// Download is what a download brought.
type Download struct {
	// Dir is the local folder that it went to. Files are in it, with slashes, in the order of their names.
	Dir   string
	Files []string
	Bytes int64
}

// index lists the blobs of a file or folder by name.
func (b *box) index(ctx context.Context, top string) (map[string]remote, error) {
	list, err := b.listing(ctx, top)
	if err != nil {
		return nil, err
	}
	m := make(map[string]remote, len(list))
	for _, r := range list {
		m[r.name] = r
	}
	return m, nil
}

func (b *box) listing(ctx context.Context, prefix string) ([]remote, error) {
	list, err := b.list(ctx, prefix)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", b.blobURL(prefix), err)
	}
	return list, nil
}

// find gives the blob at a path, or those below it. Unlike the reference it takes no others whose names only begin alike.
func (b *box) find(ctx context.Context, p string) (found []remote, single bool, err error) {
	p = strings.TrimLeft(p, "/")
	if p != "" && !strings.HasSuffix(p, "/") {
		own, err := b.stat(ctx, p)
		if err != nil {
			return nil, false, err
		}
		if own != nil && !own.folder {
			return []remote{*own}, true, nil
		}
		p += "/"
	}
	found, err = b.listing(ctx, p)
	return found, false, err
}

// errNothing says that a download found no blob.
var errNothing = errors.New("nothing is there")

// download brings the file or folder at a path into dir. Files are written under temporary names and renamed; what is there
// already is replaced.
func (b *box) download(ctx context.Context, p, dir string, match *Ignore, tr transfer) (*Download, error) {
	found, single, err := b.find(ctx, p)
	if err != nil {
		return nil, err
	}
	d := &Download{Dir: dir}
	files, folders, err := d.plan(found, p, single, match)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		if len(found) > 0 && match != nil {
			return nil, fmt.Errorf("%s: none of the %d files there matches: %w", b.blobURL(p), len(found)-len(folders), errNothing)
		}
		return nil, fmt.Errorf("%s: %w", b.blobURL(p), errNothing)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir) // writes stay in dir, whatever links are there
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // nothing is buffered in it
	for _, f := range folders {
		if err := root.MkdirAll(filepath.FromSlash(f), 0o755); err != nil {
			return nil, err
		}
	}
	tr.progress.begin(PhaseDownload, len(files), d.Bytes)
	w := &downloader{box: b, root: root, room: semaphore.NewWeighted(memory), progress: tr.progress}
	return d, w.all(ctx, files, d.Files, tr.limit(len(files), d.Bytes))
}

// plan says which file goes where, and refuses names that leave the folder. Folders are those of the service, which may be
// empty.
func (d *Download) plan(found []remote, p string, single bool, match *Ignore) (files []remote, folders []string, err error) {
	prefix := strings.Trim(p, "/")
	if prefix != "" {
		prefix += "/"
	}
	t := newTarget(runtime.GOOS)
	for _, r := range found {
		rel := strings.TrimPrefix(r.name, prefix)
		if single {
			rel = path.Base(r.name)
		}
		rel = strings.TrimLeft(rel, "/")
		if r.folder {
			rel = strings.TrimRight(rel, "/")
			if local := filepath.FromSlash(rel); rel != "" && match == nil && filepath.IsLocal(local) {
				folders = append(folders, rel)
			}
			continue
		}
		if match != nil && !match.Excludes(rel) {
			continue
		}
		local := filepath.FromSlash(rel)
		if rel == "" || !filepath.IsLocal(local) || leaves(rel) {
			return nil, nil, fmt.Errorf("the blob %q would be written outside of %s: nothing was downloaded", r.name, d.Dir)
		}
		rel = filepath.ToSlash(filepath.Clean(local))
		if err := t.add(rel, r.name); err != nil {
			return nil, nil, fmt.Errorf("%w: nothing was downloaded", err)
		}
		files = append(files, r)
		d.Files = append(d.Files, rel)
		d.Bytes += r.size
	}
	if err := t.check(); err != nil {
		return nil, nil, fmt.Errorf("%w: nothing was downloaded", err)
	}
	return files, folders, nil
}

// read gives the content of one small file, or errNothing.
func (b *box) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	r, err := b.stat(ctx, name)
	switch {
	case err != nil:
		return nil, err
	case r == nil || r.folder:
		return nil, fmt.Errorf("%s: %w", b.blobURL(name), errNothing)
	case r.size > limit:
		return nil, fmt.Errorf("%s is larger than %d bytes", b.blobURL(name), limit)
	case r.size == 0:
		return nil, nil
	}
	body, _, err := b.open(ctx, r, 0, r.size)
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // read only
	data := make([]byte, r.size)
	_, err = io.ReadFull(body, data)
	return data, err
}
