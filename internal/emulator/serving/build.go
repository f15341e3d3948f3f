package serving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// fetchModel brings the model to the folder that AZUREML_MODEL_DIR names: a
// folder keeps its own name below it, as on Azure.
func (d *deployment) fetchModel(ctx context.Context) (string, error) {
	loc := d.plan.model
	dir := filepath.Join(d.dir, "model")
	if loc.URL != "" {
		return "", fmt.Errorf("%s is not in the workspace's storage", loc.URL)
	}
	at := strings.TrimSuffix(loc.Path, "/")
	to := filepath.Join(dir, path.Base("/"+at))
	if !strings.HasSuffix(loc.Path, "/") {
		err := d.host.Blobs.Fetch(ctx, loc.Account, loc.Container, at, to, 0o700)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return dir, err
		}
	}
	n, err := d.fetchFolder(ctx, loc, to)
	if err == nil && n == 0 {
		err = fmt.Errorf("there is nothing at %s", arm.BlobURL(loc.Account, loc.Container, loc.Path))
	}
	return dir, err
}

// modelRoot is the model's own folder.
func (d *deployment) modelRoot() string {
	return filepath.Join(d.dir, "model", path.Base("/"+strings.TrimSuffix(d.plan.model.Path, "/")))
}

// fetchFolder brings a folder. Blobs have no executable bit, and an image's
// programs need one.
func (d *deployment) fetchFolder(ctx context.Context, loc *arm.Location, dir string) (int, error) {
	n, err := d.host.Blobs.FetchFolder(ctx, loc.Account, loc.Container, loc.Path, dir, 0o700)
	d.initLog.line("fetched %d files of %s", n, arm.BlobURL(loc.Account, loc.Container, loc.Path))
	return n, err
}

// buildImage does what the Dockerfile's COPY lines say, below root.
func (d *deployment) buildImage(ctx context.Context, root string) error {
	from := filepath.Join(d.dir, "context")
	if _, err := d.fetchFolder(ctx, d.plan.context, from); err != nil {
		return fmt.Errorf("the build context could not be fetched: %w", err)
	}
	defer os.RemoveAll(from)
	for _, c := range d.plan.image.copies {
		for _, src := range c.sources {
			if err := copyInto(from, src, root, c.to); err != nil {
				return fmt.Errorf("dockerfile line %d: COPY %s: %w", c.line, src, err)
			}
		}
	}
	return nil
}

// copyInto copies one source, which may be a pattern, as COPY does: a folder's
// content, a file under its name or, without a slash at the end, as to.
func copyInto(from, src, root, to string) error {
	rel := filepath.FromSlash(strings.TrimPrefix(path.Clean("/"+src), "/"))
	matches, err := filepath.Glob(filepath.Join(from, rel))
	if err != nil {
		return err
	}
	if len(matches) == 0 {
		return fmt.Errorf("no such file in the build context")
	}
	for _, m := range matches {
		info, err := os.Stat(m)
		if err != nil {
			return err
		}
		target := filepath.Join(root, filepath.FromSlash(path.Clean("/"+to)))
		if info.IsDir() {
			if err := os.CopyFS(target, os.DirFS(m)); err != nil {
				return err
			}
			continue
		}
		if strings.HasSuffix(to, "/") {
			target = filepath.Join(target, filepath.Base(m))
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := copyFile(m, target); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	f, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// absolute is a path of the image in an argument or a variable.
var absolute = regexp.MustCompile(`/[\w.@+\-]+(?:/[\w.@+\-]+)*/?`)

// mapPaths replaces the image's own paths, those that its COPY lines made, by
// where they are on this machine.
func mapPaths(s, root string) string {
	return absolute.ReplaceAllStringFunc(s, func(p string) string {
		here := filepath.Join(root, filepath.FromSlash(p))
		if _, err := os.Stat(here); err != nil {
			return p
		}
		return here
	})
}
