package execution

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// stamp tells a file that was not touched.
type stamp struct {
	size int64
	at   time.Time
}

func stampOf(i fs.FileInfo) stamp { return stamp{i.Size(), i.ModTime()} }

// mounts is true of an output whose program sees what is at its address already:
// one that is mounted at an address of its user's choice. An address with the name
// of the job, or of its pipeline, is new.
func mounts(o *output, name string) bool {
	return o.URI != "" && (o.Mode == "" || o.Mode == "ReadWriteMount") && fixed(cmp.Or(o.Place, o.URI), name)
}

// fixed is true of an address that is the same for all jobs.
func fixed(uri, output string) bool {
	return arm.ExpandOutput(uri, "a", output) == arm.ExpandOutput(uri, "b", output)
}

// mount brings what is at an output's address to where the program writes, and
// returns the files.
func (e *Engine) mount(ctx context.Context, loc *arm.Location, o *output, at string) (map[string]stamp, error) {
	if o.Type == "uri_file" {
		err := e.Blobs.Fetch(ctx, loc.Account, loc.Container, loc.Path, at, 0o600)
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return nil, err // one file is kept in any case
	}
	n, err := e.Blobs.FetchFolder(ctx, loc.Account, loc.Container, strings.TrimSuffix(loc.Path, "/"), at, 0o600)
	if err != nil || n == 0 {
		return nil, err
	}
	was := map[string]stamp{}
	return was, filepath.WalkDir(at, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(at, p)
		if err == nil {
			was[filepath.ToSlash(rel)] = stampOf(info)
		}
		return err
	})
}

// unmount deletes what the program deleted.
func (e *Engine) unmount(ctx context.Context, loc *arm.Location, at string, was map[string]stamp) error {
	for name := range was {
		if _, err := os.Lstat(filepath.Join(at, filepath.FromSlash(name))); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := e.Blobs.Delete(ctx, loc.Account, loc.Container, path.Join(loc.Path, name)); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
