package mlflow

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// signedStore is the artifacts of a run that lie in a cloud's storage this client has no key to: the
// server signs an address for each file. Databricks does so in a call of its own, MLflow's server since
// 3.17 for the stores that can.
type signedStore struct {
	c    *Client
	run  string
	root string // below the run's artifacts
}

// signedURL is an address and the headers that its signature wants.
type signedURL struct {
	url    string
	kind   string // AZURE_SAS_URI, AWS_PRESIGNED_URL, GCP_SIGNED_URL, AZURE_ADLS_GEN2_SAS_URI; "" for a plain PUT
	header http.Header
}

// signedBatch is how many paths are asked for at a time.
const signedBatch = 100

// put: POST mlflow/artifacts/credentials-for-write, or presigned-upload-url.
func (s *signedStore) put(ctx context.Context, files []upload) error {
	for batch := range slices.Chunk(files, signedBatch) {
		paths := make([]string, len(batch))
		for i, u := range batch {
			paths[i] = u.path
		}
		addresses, err := s.sign(ctx, "write", paths)
		if err != nil {
			return err
		}
		if err := parallel(ctx, batch, func(ctx context.Context, u upload) error { return s.putOne(ctx, addresses[u.path], u) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *signedStore) putOne(ctx context.Context, to signedURL, u upload) error {
	switch to.kind {
	case "AZURE_SAS_URI":
		return s.c.putBlob(ctx, to.url, u)
	case "", "AWS_PRESIGNED_URL", "GCP_SIGNED_URL":
		return s.c.putFile(ctx, "upload", to.url, signed, to.header, u, 0, u.size)
	}
	return fmt.Errorf("%w: storage of kind %s", ErrUnsupported, to.kind)
}

// sign gives the addresses of files, by path.
func (s *signedStore) sign(ctx context.Context, what string, paths []string) (map[string]signedURL, error) {
	if s.c.tracking.kind == databricks {
		return s.signDatabricks(ctx, what, paths)
	}
	route := "presigned-upload-url"
	if what == "read" {
		route = "presigned-download-url"
	}
	out := make(map[string]signedURL, len(paths))
	for _, p := range paths {
		var answer struct {
			URL     string            `json:"presigned_url"`
			Headers map[string]string `json:"headers"`
		}
		op := fmt.Sprintf("sign artifact %q of run %q", p, s.run)
		body := map[string]any{"run_id": s.run, "path": path.Join(s.root, p)}
		if err := s.c.do(ctx, call{op: op, method: "POST", path: "mlflow/artifacts/" + route, body: body, out: &answer}); err != nil {
			return nil, err
		}
		if answer.URL == "" {
			return nil, fault(op, "the server gave no address")
		}
		header := http.Header{}
		for k, v := range answer.Headers {
			header.Set(k, v)
		}
		out[p] = signedURL{url: answer.URL, header: header}
	}
	return out, nil
}

func (s *signedStore) signDatabricks(ctx context.Context, what string, paths []string) (map[string]signedURL, error) {
	full := make([]string, len(paths))
	for i, p := range paths {
		full[i] = path.Join(s.root, p)
	}
	out := make(map[string]signedURL, len(paths))
	op := fmt.Sprintf("sign artifacts of run %q", s.run)
	for token, first := "", true; first || token != ""; first = false {
		body := map[string]any{"run_id": s.run, "path": full}
		if token != "" {
			body["page_token"] = token
		}
		var answer struct {
			Infos []struct {
				Path    string `json:"path"`
				URL     string `json:"signed_uri"`
				Type    string `json:"type"`
				Headers []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
				} `json:"headers"`
			} `json:"credential_infos"`
			Next string `json:"next_page_token"`
		}
		if err := s.c.do(ctx, call{op: op, method: "POST", path: "mlflow/artifacts/credentials-for-" + what, body: body, out: &answer}); err != nil {
			return nil, err
		}
		for _, i := range answer.Infos {
			header := http.Header{}
			for _, h := range i.Headers {
				header.Set(h.Name, h.Value)
			}
			if at := slices.Index(full, i.Path); at >= 0 {
				out[paths[at]] = signedURL{url: i.URL, kind: i.Type, header: header}
			}
		}
		if answer.Next == token && token != "" {
			break
		}
		token = answer.Next
	}
	for _, p := range paths {
		if out[p].url == "" {
			return nil, fault(op, "the server gave no address for %q", p)
		}
	}
	return out, nil
}

// open: POST mlflow/artifacts/credentials-for-read, or presigned-download-url.
func (s *signedStore) open(ctx context.Context, p string) (io.ReadCloser, error) {
	addresses, err := s.sign(ctx, "read", []string{p})
	if err != nil {
		return nil, err
	}
	return s.c.getFile(ctx, "download", addresses[p].url, signed, addresses[p].header)
}

// list: GET mlflow/artifacts/list.
func (s *signedStore) list(ctx context.Context, dir string) ([]FileInfo, error) {
	full := path.Join(s.root, dir)
	var found []fileWire
	for token, first := "", true; first || token != ""; first = false {
		q := url.Values{"run_id": {s.run}}
		if full != "" {
			q.Set("path", full)
		}
		if token != "" {
			q.Set("page_token", token)
		}
		var answer struct {
			Files []fileWire `json:"files"`
			Next  string     `json:"next_page_token"`
		}
		op := fmt.Sprintf("list artifacts of run %q", s.run)
		if err := s.c.do(ctx, call{op: op, method: "GET", path: "mlflow/artifacts/list", query: q, out: &answer}); err != nil {
			return nil, err
		}
		for _, f := range answer.Files {
			if f.Path == full && !f.IsDir {
				return nil, nil // a file lists itself
			}
			if full != "" {
				f.Path = strings.TrimPrefix(f.Path, full+"/")
			}
			found = append(found, f)
		}
		if answer.Next == token && token != "" {
			return nil, fault(op, "the server gives the same page again")
		}
		token = answer.Next
	}
	return childrenOf(dir, found)
}

func (s *signedStore) remove(context.Context, string) error {
	return fmt.Errorf("%w: the server signs no deletions", ErrUnsupported)
}
