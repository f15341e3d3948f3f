package execution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

const parallelFiles = 8

// errNothing says that an input is an empty folder.
var errNothing = errors.New("nothing there")

// fetch brings what a location names to dir and returns the path of it: the
// file itself for a single blob, dir for a folder.
func (e *Engine) fetch(ctx context.Context, loc *arm.Location, dir string, single bool) (string, error) {
	if loc.URL != "" {
		return fetchWeb(ctx, loc.URL, dir)
	}
	name := strings.TrimSuffix(loc.Path, "/")
	if !strings.HasSuffix(loc.Path, "/") && name != "" {
		switch item, err := e.Blobs.Stat(ctx, loc.Account, loc.Container, name); {
		case err == nil && item.Folder(): // its content is below it
		case err == nil:
			to := filepath.Join(dir, path.Base(name))
			return to, e.Blobs.Fetch(ctx, loc.Account, loc.Container, name, to, 0o600)
		case !errors.Is(err, store.ErrNotFound):
			return "", err
		}
	}
	if single {
		for _, err := range e.Blobs.List(ctx, loc.Account, loc.Container, name+"/") {
			if err != nil {
				return "", err
			}
			return "", userError("what is at %s is a folder, and the input is of type uri_file", arm.BlobURL(loc.Account, loc.Container, name+"/"))
		}
		return "", userError("there is no file at %s", arm.BlobURL(loc.Account, loc.Container, name))
	}
	n, err := e.Blobs.FetchFolder(ctx, loc.Account, loc.Container, name, dir, 0o600)
	if err == nil && n == 0 {
		err = errors.Join(userError("there is nothing at %s", arm.BlobURL(loc.Account, loc.Container, name+"/")), errNothing)
	}
	return dir, err
}

func writeFile(to string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

func fetchWeb(ctx context.Context, address, dir string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", userError("the address %q: %v", address, err)
	}
	if container := u.User.Username(); container != "" && slices.Contains([]string{"wasbs", "wasb", "abfss", "abfs"}, u.Scheme) {
		// A storage account that is not the workspace's, as Hadoop addresses it: what anybody may read is there for HTTP.
		u = &url.URL{Scheme: "https", Host: strings.Replace(u.Host, ".dfs.", ".blob.", 1), Path: "/" + container + u.Path}
		address = u.String()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", userError("the input could not be fetched: %v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", userError("the input could not be fetched: %s answered %s", u.Redacted(), resp.Status)
	}
	to := filepath.Join(dir, path.Base("/"+u.Path))
	return to, writeFile(to, resp.Body)
}

// keepFolder puts every file below dir under prefix and returns how many there were.
func (e *Engine) keepFolder(ctx context.Context, dir, account, container, prefix string) (int, error) {
	if entries, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return 0, nil
	}
	if err := e.Blobs.EnsureContainer(ctx, account, container); err != nil {
		return 0, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelFiles)
	n := 0
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return ctx.Err()
		}
		info, err := os.Stat(p) // a link counts as what it leads to
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		n++
		g.Go(func() error {
			_, err := e.Blobs.PutFile(ctx, account, container, path.Join(prefix, filepath.ToSlash(rel)), p, nil)
			return err
		})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) && n == 0 {
		err = nil
	}
	if err := errors.Join(err, g.Wait()); err != nil {
		return n, fmt.Errorf("keep %s: %w", dir, err)
	}
	return n, nil
}
