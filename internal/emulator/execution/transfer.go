package execution

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

const parallelFiles = 8

// errNothing says that an input is an empty folder.
var errNothing = errors.New("nothing there")

// errNoFile says that the file of an input is not there.
var errNoFile = errors.New("no file")

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
		return "", errors.Join(userError("there is no file at %s", arm.BlobURL(loc.Account, loc.Container, name)), errNoFile)
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
