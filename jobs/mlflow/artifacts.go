package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// FileInfo is an entry of a list of artifacts.
type FileInfo struct {
	Path  string // below the root of the artifacts
	IsDir bool
	Size  int64 // -1 where the server does not say
}

// Artifacts are the files of a run, of a logged model, or below a URI. A handle costs nothing; what it
// leads to is found at the first call.
type Artifacts struct {
	c    *Client
	what string // `run "x"`, for errors
	find func(ctx context.Context) (string, error)
	// run and below say whose artifacts these are, where the server must sign each access.
	run, below string

	mu   sync.Mutex
	root store
}

// store is where artifacts are; paths are below the root, with slashes.
type store interface {
	put(ctx context.Context, files []upload) error
	open(ctx context.Context, path string) (io.ReadCloser, error)
	// list gives the direct children of a folder; nothing for a path that is a file or is not there.
	list(ctx context.Context, dir string) ([]FileInfo, error)
	remove(ctx context.Context, path string) error
}

// upload is one file to be stored.
type upload struct {
	path string
	size int64
	open func() (io.ReadSeekCloser, error)
}

// Artifacts are the run's files.
func (r *Run) Artifacts() *Artifacts {
	return &Artifacts{c: r.c, what: fmt.Sprintf("run %q", r.Info.ID), run: r.Info.ID, find: func(ctx context.Context) (string, error) {
		if r.Info.ArtifactURI != "" {
			return r.Info.ArtifactURI, nil
		}
		read, err := r.c.Runs.Get(ctx, r.Info.ID)
		if err != nil {
			return "", err
		}
		return read.Info.ArtifactURI, nil
	}}
}

// Artifacts are the files below a URI: mlflow-artifacts:/…, azureml://…, runs:/RUN/PATH,
// models:/NAME/VERSION, models:/NAME@ALIAS, models:/MODEL-ID, file://….
func (c *Client) Artifacts(uri string) *Artifacts {
	a := &Artifacts{c: c, what: redactURI(uri), find: func(ctx context.Context) (string, error) { return c.resolve(ctx, uri) }}
	if run, below, err := splitRunURI(uri); err == nil {
		a.run, a.below = run, below
	}
	return a
}

func (a *Artifacts) store(ctx context.Context) (store, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.root != nil {
		return a.root, nil
	}
	uri, err := a.find(ctx)
	if err != nil {
		return nil, err
	}
	s, err := a.c.newStore(uri)
	if errors.Is(err, ErrUnsupported) && a.run != "" && (a.c.tracking.kind == server || a.c.tracking.kind == databricks) {
		s, err = &signedStore{c: a.c, run: a.run, root: a.below}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mlflow: artifacts of %s: %w", a.what, err)
	}
	a.root = s
	return s, nil
}

// cleanPath holds a path to MLflow's rule: relative, with slashes, nothing that leads out.
func cleanPath(p string) (string, error) {
	p = filepath.ToSlash(p)
	if p == "" || p == "." {
		return "", nil
	}
	if path.IsAbs(p) || strings.Contains(p, "\\") || strings.ContainsRune(p, 0) {
		return "", fmt.Errorf("path %q is not a relative one with slashes", p)
	}
	clean := path.Clean(p)
	if clean == ".." || strings.HasPrefix(clean, "../") {
		return "", fmt.Errorf("path %q leads out of the artifacts", p)
	}
	return clean, nil
}

func (a *Artifacts) fault(verb, p string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("mlflow: %s artifact %q of %s: %w", verb, p, a.what, err)
}

// Upload stores a file, or all files below a folder, below the folder dir ("" is the root). A file keeps
// its name; of a folder the content is stored, not the folder. A folder without files is an error.
func (a *Artifacts) Upload(ctx context.Context, local, dir string) error {
	dir, err := cleanPath(dir)
	if err != nil {
		return a.fault("upload", dir, err)
	}
	info, err := os.Stat(local)
	if err != nil {
		return a.fault("upload", local, err)
	}
	var files []upload
	if !info.IsDir() {
		files = []upload{fileUpload(local, path.Join(dir, filepath.Base(local)), info.Size())}
	} else if files, err = folderUploads(local, dir); err != nil {
		return a.fault("upload", local, err)
	}
	if len(files) == 0 {
		return a.fault("upload", local, errors.New("the folder holds no files"))
	}
	return a.put(ctx, files)
}

func fileUpload(local, remote string, size int64) upload {
	return upload{path: remote, size: size, open: func() (io.ReadSeekCloser, error) { return os.Open(local) }}
}

// folderUploads finds the files below a folder. Links are followed to files, as MLflow's client does.
func folderUploads(local, dir string) ([]upload, error) {
	var files []upload
	err := filepath.WalkDir(local, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is not a file", p)
		}
		rel, err := filepath.Rel(local, p)
		if err != nil {
			return err
		}
		files = append(files, fileUpload(p, path.Join(dir, filepath.ToSlash(rel)), info.Size()))
		return nil
	})
	return files, err
}

func (a *Artifacts) put(ctx context.Context, files []upload) error {
	s, err := a.store(ctx)
	if err != nil {
		return err
	}
	if err := s.put(ctx, files); err != nil {
		return fmt.Errorf("mlflow: upload artifacts of %s: %w", a.what, err)
	}
	return nil
}

// Write stores bytes under a path.
func (a *Artifacts) Write(ctx context.Context, p string, content []byte) error {
	clean, err := cleanPath(p)
	if err == nil && clean == "" {
		err = errors.New("the path is empty")
	}
	if err != nil {
		return a.fault("write", p, err)
	}
	return a.put(ctx, []upload{bytesUpload(clean, content)})
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// Text stores a text file.
func (a *Artifacts) Text(ctx context.Context, p, text string) error {
	return a.Write(ctx, p, []byte(text))
}

// JSON stores a value as an indented JSON file.
func (a *Artifacts) JSON(ctx context.Context, p string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return a.fault("write", p, err)
	}
	return a.Write(ctx, p, append(b, '\n'))
}

// Figure stores a picture as PNG, or as JPEG where the path ends so.
func (a *Artifacts) Figure(ctx context.Context, p string, picture image.Image) error {
	var b bytes.Buffer
	var err error
	switch strings.ToLower(path.Ext(p)) {
	case ".png":
		err = png.Encode(&b, picture)
	case ".jpg", ".jpeg":
		err = jpeg.Encode(&b, picture, &jpeg.Options{Quality: 92})
	default:
		err = errors.New("a figure is a .png or .jpg; store other formats with Write")
	}
	if err != nil {
		return a.fault("write", p, err)
	}
	return a.Write(ctx, p, b.Bytes())
}

// All yields the direct children of a folder ("" is the root), by name.
func (a *Artifacts) All(ctx context.Context, dir string) iter.Seq2[FileInfo, error] {
	return func(yield func(FileInfo, error) bool) {
		list, err := a.children(ctx, dir)
		if err != nil {
			yield(FileInfo{}, err)
			return
		}
		for _, f := range list {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (a *Artifacts) children(ctx context.Context, dir string) ([]FileInfo, error) {
	clean, err := cleanPath(dir)
	if err != nil {
		return nil, a.fault("list", dir, err)
	}
	s, err := a.store(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.list(ctx, clean)
	return list, a.fault("list", dir, err)
}

// Walk yields every file below a folder ("" is the root), folders left out.
func (a *Artifacts) Walk(ctx context.Context, dir string) iter.Seq2[FileInfo, error] {
	return func(yield func(FileInfo, error) bool) {
		s, err := a.store(ctx)
		if err != nil {
			yield(FileInfo{}, err)
			return
		}
		flat, ok := s.(interface {
			flat(ctx context.Context, dir string) ([]FileInfo, error)
		})
		if !ok {
			a.walk(ctx, dir, yield)
			return
		}
		clean, err := cleanPath(dir)
		var list []FileInfo
		if err == nil {
			list, err = flat.flat(ctx, clean)
		}
		if err != nil {
			yield(FileInfo{}, a.fault("list", dir, err))
			return
		}
		for _, f := range list {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (a *Artifacts) walk(ctx context.Context, dir string, yield func(FileInfo, error) bool) bool {
	list, err := a.children(ctx, dir)
	if err != nil {
		yield(FileInfo{}, err)
		return false
	}
	for _, f := range list {
		if f.IsDir {
			if f.Path == dir || !a.walk(ctx, f.Path, yield) {
				return false
			}
		} else if !yield(f, nil) {
			return false
		}
	}
	return true
}

// Open streams one file.
func (a *Artifacts) Open(ctx context.Context, p string) (io.ReadCloser, error) {
	clean, err := cleanPath(p)
	if err != nil {
		return nil, a.fault("open", p, err)
	}
	s, err := a.store(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.open(ctx, clean)
	return r, a.fault("open", p, err)
}

// Read gives the bytes of one file.
func (a *Artifacts) Read(ctx context.Context, p string) ([]byte, error) {
	r, err := a.Open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return b, a.fault("read", p, err)
}

// Remove deletes a file, or all below a folder. ErrUnsupported where the server has no such call.
func (a *Artifacts) Remove(ctx context.Context, p string) error {
	clean, err := cleanPath(p)
	if err == nil && clean == "" {
		err = errors.New("the path is empty")
	}
	if err != nil {
		return a.fault("remove", p, err)
	}
	s, err := a.store(ctx)
	if err != nil {
		return err
	}
	return a.fault("remove", p, s.remove(ctx, clean))
}

// transfers is how many files go at a time.
const transfers = 8

// Download fetches a file, or all below a folder ("" is everything), into the local folder, which is
// made: a file under its name, a folder's content with its tree. It gives the files written; when there
// is nothing at the path, that is an error.
func (a *Artifacts) Download(ctx context.Context, p, local string) ([]string, error) {
	base, err := cleanPath(p)
	if err != nil {
		return nil, a.fault("download", p, err)
	}
	var remote []string
	for f, err := range a.Walk(ctx, base) {
		if err != nil {
			return nil, err
		}
		remote = append(remote, f.Path)
	}
	root := base
	if len(remote) == 0 {
		if base == "" {
			return nil, a.fault("download", p, fmt.Errorf("%w: there are no files", ErrNotFound))
		}
		remote, root = []string{base}, parentDir(base) // one file, or nothing
	}
	written := make([]string, len(remote))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(transfers)
	for i, name := range remote {
		rel := strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
		if !filepath.IsLocal(filepath.FromSlash(rel)) {
			return nil, a.fault("download", name, errors.New("its name leads out of the folder"))
		}
		written[i] = filepath.Join(local, filepath.FromSlash(rel))
		group.Go(func() error { return a.fetch(ctx, name, written[i]) })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return written, nil
}

func parentDir(p string) string {
	if dir := path.Dir(p); dir != "." {
		return dir
	}
	return ""
}

// fetch writes one file by way of a temporary name, so that half a file never has the real one.
func (a *Artifacts) fetch(ctx context.Context, name, local string) error {
	r, err := a.Open(ctx, name)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := os.MkdirAll(filepath.Dir(local), 0o777); err != nil {
		return a.fault("download", name, err)
	}
	f, err := os.CreateTemp(filepath.Dir(local), ".download-*")
	if err != nil {
		return a.fault("download", name, err)
	}
	defer os.Remove(f.Name())
	_, err = io.Copy(f, r)
	if err = join(err, f.Chmod(0o644)); err != nil {
		return a.fault("download", name, join(err, f.Close()))
	}
	if err := f.Close(); err != nil {
		return a.fault("download", name, err)
	}
	return a.fault("download", name, os.Rename(f.Name(), local))
}

func bytesUpload(p string, content []byte) upload {
	return upload{path: p, size: int64(len(content)), open: func() (io.ReadSeekCloser, error) { return nopCloser{bytes.NewReader(content)}, nil }}
}
