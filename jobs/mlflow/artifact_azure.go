package mlflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// azureStore is the artifacts of a run as Azure Machine Learning's run history has them: it gives signed
// URLs, and the bytes go straight to storage.
type azureStore struct {
	c    *Client
	base string // …/history/v1.0/…/experiments/E/runs/R/artifacts, or …/artifact/v2.0/…/artifacts/ORIGIN/CONTAINER
	root string // below the run's artifacts
}

var (
	runArtifacts   = regexp.MustCompile(`^/(?:mlflow/v[0-9.]+)?(/subscriptions/.+)?/?experiments/([^/]+)/runs/([^/]+)(?:/artifacts(?:/(.*))?)?$`)
	shortArtifacts = regexp.MustCompile(`^/?([^/]+)/([^/]+)(?:/(.*))?$`)
)

// newAzureStore reads azureml://HOST/mlflow/v2.0/SCOPE/experiments/E/runs/R/artifacts/PATH and
// azureml://artifacts/ExperimentRun/dcid.R/PATH.
func (c *Client) newAzureStore(u *url.URL) (store, error) {
	t := c.tracking
	if t.kind != azure {
		return nil, fmt.Errorf("%w: artifacts at %s are reached through the workspace's tracking URI, not through %s", ErrUnsupported, redactURI(u.String()), t.uri)
	}
	if u.Host == "artifacts" {
		m := shortArtifacts.FindStringSubmatch(u.Path)
		if m == nil {
			return nil, fmt.Errorf("artifact URI %s: the form is azureml://artifacts/ORIGIN/CONTAINER/PATH", u)
		}
		base := t.host + "/artifact/v2.0" + t.scope + "/artifacts/" + url.PathEscape(m[1]) + "/" + url.PathEscape(m[2])
		return &azureStore{c: c, base: base, root: strings.Trim(m[3], "/")}, nil
	}
	m := runArtifacts.FindStringSubmatch(u.EscapedPath())
	for i := 2; i < len(m); i++ {
		part, err := url.PathUnescape(m[i])
		if err != nil {
			return nil, err
		}
		m[i] = part
	}
	if m == nil {
		return nil, fmt.Errorf("%w: artifact URI %s: the form is azureml://…/experiments/NAME/runs/ID/artifacts", ErrUnsupported, redactURI(u.String()))
	}
	scope := strings.TrimRight(m[1], "/")
	if scope == "" {
		scope = t.scope
	}
	if !strings.EqualFold(scope, t.scope) {
		return nil, fmt.Errorf("%w: artifact URI %s is of another workspace than %s", ErrUnsupported, redactURI(u.String()), t.uri)
	}
	base := t.host + "/history/v1.0" + t.scope + "/experiments/" + url.PathEscape(m[2]) + "/runs/" + url.PathEscape(m[3]) + "/artifacts"
	return &azureStore{c: c, base: base, root: strings.Trim(m[4], "/")}, nil
}

// artifactBatch is how many paths are asked for at a time.
const artifactBatch = 50

// put asks for signed URLs, fifty at a time, and sends the files there.
// POST …/artifacts/batch/metadata, PUT blob.
func (s *azureStore) put(ctx context.Context, files []upload) error {
	for batch := range slices.Chunk(files, artifactBatch) {
		addresses, err := s.sign(ctx, batch)
		if err != nil {
			return err
		}
		var mu sync.Mutex
		err = parallel(ctx, batch, func(ctx context.Context, u upload) error {
			mu.Lock()
			address := addresses[u.path]
			mu.Unlock()
			err := s.c.putBlob(ctx, address, u)
			if e, ok := asError(err); !ok || e.Status != http.StatusForbidden {
				return err
			}
			// The signature may have ended while its batch was sent: once more with a new one.
			again, fail := s.sign(ctx, []upload{u})
			if fail != nil {
				return errors.Join(err, fail)
			}
			return s.c.putBlob(ctx, again[u.path], u)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// sign gives a URL to write to for each file.
func (s *azureStore) sign(ctx context.Context, files []upload) (map[string]string, error) {
	type pathWire struct {
		Path string `json:"path"`
	}
	var in struct {
		Paths []pathWire `json:"paths"`
	}
	for _, u := range files {
		in.Paths = append(in.Paths, pathWire{path.Join(s.root, u.path)})
	}
	var out struct {
		Content map[string]struct {
			URI string `json:"contentUri"`
		} `json:"artifactContentInformation"`
		Errors map[string]struct {
			Error struct {
				Code    string `json:"code"`
				Message string `json:"message"`
			} `json:"error"`
		} `json:"errors"`
	}
	if err := s.c.postJSON(ctx, "register artifacts", s.base+"/batch/metadata", &in, &out); err != nil {
		return nil, err
	}
	addresses := make(map[string]string, len(files))
	for _, u := range files {
		p := path.Join(s.root, u.path)
		if e, ok := out.Errors[p]; ok && (e.Error.Code != "" || e.Error.Message != "") {
			return nil, fmt.Errorf("%s: %s: %s", u.path, e.Error.Code, e.Error.Message)
		}
		address := out.Content[p].URI
		if address == "" {
			return nil, fmt.Errorf("%s: the service gave no address to write to", u.path)
		}
		addresses[u.path] = address
	}
	return addresses, nil
}

// open asks for a signed URL to read: GET …/artifacts/contentinfo?path=.
func (s *azureStore) open(ctx context.Context, p string) (io.ReadCloser, error) {
	var out struct {
		URI string `json:"contentUri"`
	}
	address := s.base + "/contentinfo?" + url.Values{"path": {path.Join(s.root, p)}}.Encode()
	if err := s.c.getJSON(ctx, "find artifact", address, &out); err != nil {
		return nil, err
	}
	if out.URI == "" {
		return nil, fmt.Errorf("%w: the service gave no address to read from", ErrNotFound)
	}
	return s.c.getFile(ctx, "download", out.URI, signed, http.Header{"X-Ms-Version": {storageVersion}})
}

// list makes folders of the flat list.
func (s *azureStore) list(ctx context.Context, dir string) ([]FileInfo, error) {
	files, err := s.flat(ctx, dir)
	if err != nil {
		return nil, err
	}
	found := map[string]FileInfo{}
	for _, f := range files {
		name, _, folder := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(f.Path, dir), "/"), "/")
		found[name] = FileInfo{Path: path.Join(dir, name), IsDir: folder, Size: -1}
	}
	list := make([]FileInfo, 0, len(found))
	for _, name := range sortedKeys(found) {
		list = append(list, found[name])
	}
	return list, nil
}

// flat gives all files below a folder, as the service lists them: GET …/artifacts.
func (s *azureStore) flat(ctx context.Context, dir string) ([]FileInfo, error) {
	prefix := path.Join(s.root, dir)
	if prefix != "" {
		prefix += "/"
	}
	var list []FileInfo
	for token, first := "", true; first || token != ""; first = false {
		address := s.base
		if token != "" {
			address += "?" + url.Values{"continuationToken": {token}}.Encode()
		}
		var out struct {
			Value []struct {
				Path string `json:"path"`
			} `json:"value"`
			Token string `json:"continuationToken"`
		}
		if err := s.c.getJSON(ctx, "list", address, &out); err != nil {
			return nil, err
		}
		for _, a := range out.Value {
			rest, ok := strings.CutPrefix(a.Path, prefix)
			if !ok || rest == "" {
				continue
			}
			if clean, err := cleanPath(rest); err != nil || clean != rest {
				return nil, fmt.Errorf("the service lists %q, which is no path", a.Path)
			}
			list = append(list, FileInfo{Path: path.Join(dir, rest), Size: -1})
		}
		if out.Token == token && token != "" {
			return nil, errors.New("the service gives the same page again")
		}
		token = out.Token
	}
	slices.SortFunc(list, func(a, b FileInfo) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

func (s *azureStore) remove(context.Context, string) error {
	return fmt.Errorf("%w: Azure Machine Learning keeps a run's artifacts", ErrUnsupported)
}
