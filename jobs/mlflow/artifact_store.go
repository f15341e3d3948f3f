package mlflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// newStore finds how artifacts at a URI are reached.
func (c *Client) newStore(uri string) (store, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, fmt.Errorf("artifact URI %q: %w", redactURI(uri), stripURL(err))
	}
	switch u.Scheme {
	case "mlflow-artifacts":
		base := c.tracking.base
		if u.Host != "" {
			scheme := "https"
			if strings.HasPrefix(base, "http://") || loopback(u.Hostname()) {
				scheme = "http"
			}
			base = scheme + "://" + u.Host
		}
		return &proxyStore{c: c, base: base + proxyPath, root: strings.Trim(u.Path, "/")}, nil
	case "http", "https":
		if base, root, ok := strings.Cut(u.Scheme+"://"+u.Host+u.Path, proxyPath+"/artifacts"); ok {
			return &proxyStore{c: c, base: base + proxyPath, root: strings.Trim(root, "/")}, nil
		}
	case "azureml":
		return c.newAzureStore(u)
	case "file", "":
		p := u.Path
		if u.Scheme == "" {
			p = uri
		} else if len(p) > 2 && p[0] == '/' && p[2] == ':' {
			p = p[1:] // file:///C:/…
		}
		if u.Host != "" && u.Host != "localhost" {
			break
		}
		return localStore(filepath.FromSlash(p)), nil
	}
	return nil, fmt.Errorf("%w: artifacts at %s: this client reaches mlflow-artifacts:, azureml:, http(s): of a tracking server, and files of this machine", ErrUnsupported, redactURI(uri))
}

// parallel runs f for each file, some at a time.
func parallel(ctx context.Context, files []upload, f func(ctx context.Context, u upload) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for _, u := range files {
		group.Go(func() error {
			if err := f(ctx, u); err != nil {
				return fmt.Errorf("%s: %w", u.path, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// escapePath escapes the segments of a path for a URL.
func escapePath(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

func contentType(p string) string {
	switch path.Ext(p) {
	case "", ".MLmodel":
		if path.Base(p) == modelFile {
			return "text/plain"
		}
	case ".yaml", ".yml", ".txt", ".csv", ".md":
		return "text/plain"
	}
	if t := mime.TypeByExtension(path.Ext(p)); t != "" {
		return t
	}
	return "application/octet-stream"
}

const proxyPath = "/api/2.0/mlflow-artifacts"

// proxyStore is a tracking server that passes artifacts on: /api/2.0/mlflow-artifacts.
type proxyStore struct {
	c    *Client
	base string // up to mlflow-artifacts
	root string
}

func (s *proxyStore) address(p string) string {
	return s.base + "/artifacts/" + escapePath(path.Join(s.root, p))
}

// put: PUT mlflow-artifacts/artifacts/{path}.
func (s *proxyStore) put(ctx context.Context, files []upload) error {
	return parallel(ctx, files, func(ctx context.Context, u upload) error {
		header := http.Header{"Content-Type": {contentType(u.path)}}
		return s.c.putFile(ctx, "upload", s.address(u.path), plain, header, u, 0, u.size)
	})
}

// open: GET mlflow-artifacts/artifacts/{path}.
func (s *proxyStore) open(ctx context.Context, p string) (io.ReadCloser, error) {
	return s.c.getFile(ctx, "download", s.address(p), plain, nil)
}

// list: GET mlflow-artifacts/artifacts?path=.
func (s *proxyStore) list(ctx context.Context, dir string) ([]FileInfo, error) {
	var out struct {
		Files []fileWire `json:"files"`
	}
	if err := s.c.getJSON(ctx, "list", s.base+"/artifacts?"+url.Values{"path": {path.Join(s.root, dir)}}.Encode(), &out); err != nil {
		return nil, err
	}
	return childrenOf(dir, out.Files)
}

// remove: DELETE mlflow-artifacts/artifacts/{path}.
func (s *proxyStore) remove(ctx context.Context, p string) error {
	return s.c.exchange(ctx, "remove", http.MethodDelete, s.address(p), nil, nil)
}

// fileWire is an entry; servers give its name, or its path below the root.
type fileWire struct {
	Path  string   `json:"path"`
	IsDir bool     `json:"is_dir"`
	Size  *integer `json:"file_size"`
}

// childrenOf makes entries below dir. A folder that is a file lists itself in some servers: that is
// nothing. Names that lead elsewhere are refused.
func childrenOf(dir string, files []fileWire) ([]FileInfo, error) {
	var list []FileInfo
	for _, f := range files {
		name := strings.TrimSuffix(f.Path, "/")
		if clean, err := cleanPath(name); err != nil || clean != name || strings.Contains(name, "/") {
			return nil, fmt.Errorf("the server lists %q, which is no name", f.Path)
		}
		info := FileInfo{Path: path.Join(dir, name), IsDir: f.IsDir, Size: -1}
		if f.Size != nil && !f.IsDir {
			info.Size = int64(*f.Size)
		}
		list = append(list, info)
	}
	if len(list) == 1 && !list[0].IsDir && dir != "" && list[0].Path == path.Join(dir, path.Base(dir)) {
		return nil, nil
	}
	slices.SortFunc(list, func(a, b FileInfo) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// localStore is a folder of this machine: `mlflow server` without proxied artifacts.
type localStore string

func (s localStore) at(p string) string { return filepath.Join(string(s), filepath.FromSlash(p)) }

func (s localStore) put(_ context.Context, files []upload) error {
	for _, u := range files {
		if err := s.copy(u); err != nil {
			return fmt.Errorf("%s: %w", u.path, err)
		}
	}
	return nil
}

func (s localStore) copy(u upload) error {
	r, err := u.open()
	if err != nil {
		return err
	}
	defer r.Close()
	to := s.at(u.path)
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

func (s localStore) open(_ context.Context, p string) (io.ReadCloser, error) {
	f, err := os.Open(s.at(p))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return f, err
}

func (s localStore) list(_ context.Context, dir string) ([]FileInfo, error) {
	entries, err := os.ReadDir(s.at(dir))
	if err != nil {
		if info, stat := os.Stat(s.at(dir)); errors.Is(err, os.ErrNotExist) || stat == nil && !info.IsDir() {
			return nil, nil
		}
		return nil, err
	}
	var list []FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		f := FileInfo{Path: path.Join(dir, e.Name()), IsDir: e.IsDir(), Size: -1}
		if !e.IsDir() {
			f.Size = info.Size()
		}
		list = append(list, f)
	}
	return list, nil
}

func (s localStore) remove(_ context.Context, p string) error { return os.RemoveAll(s.at(p)) }
