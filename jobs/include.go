package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// Includes are files and folders that are put beside a component's code.
type Includes []Include

// Include is a file or folder here.
type Include struct {
	// Path is relative to the working directory, or to the file that it was read from.
	Path string
	dir  string // of the file
	raw  any    // an artifact of Azure DevOps, which is not fetched
}

// IncludePath is one file or folder.
func IncludePath(path string) Include { return Include{Path: path} }

// EncodeWire writes the path as it was given; a file gets it so that it can be read from anywhere.
func (i Include) EncodeWire(e *wire.Encoding) (any, error) {
	if i.raw != nil {
		return i.raw, nil
	}
	if e.Spelling() == wire.YAML {
		return i.path(), nil
	}
	return i.Path, nil
}

// DecodeWire reads a path.
func (i *Include) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*i = Include{}
	if n.Kind == wire.Mapping {
		i.raw = n.Tree()
		if !d.Private() {
			d.Fault(n, "wants the path of a file or folder; artifacts of Azure DevOps are not fetched")
		}
		return
	}
	i.Path, _ = d.Text(n)
	i.dir = n.Dir()
}

// path is where the file or folder is.
func (i Include) path() string {
	if i.dir == "" || filepath.IsAbs(i.Path) {
		return i.Path
	}
	return filepath.Join(i.dir, filepath.FromSlash(i.Path))
}

// includes checks that all are there.
func (c *checker) includes(field string, list Includes) {
	for n, i := range list {
		at := fmt.Sprintf("%s[%d]", field, n)
		if i.raw != nil {
			c.add(at, "artifacts of Azure DevOps are not fetched; download it and name the folder")
			continue
		}
		if c.bare {
			continue
		}
		if _, err := os.Stat(i.path()); err != nil {
			if zip, ok := strings.CutSuffix(i.path(), ".zip"); ok {
				if info, err := os.Stat(zip); err == nil && info.IsDir() {
					c.add(at, "there is no %s; folders are not packed, name the folder itself", i.path())
					continue
				}
			}
			c.add(at, "there is no file or folder %s", i.path())
		}
	}
}

// componentIgnore is left out of every component's code.
const componentIgnore = "__pycache__"

// componentCode uploads a component's code, with what is to be put beside it.
func (r *resolver) componentCode(ctx context.Context, field string, code Code, command string, list Includes) (Code, string, error) {
	fail := func(err error) (Code, string, error) {
		if r.plan != nil {
			return Code{}, command, r.plan.fault(ctx, field, err)
		}
		return Code{}, "", fmt.Errorf("%s: %w", field, err)
	}
	path := localPath(code.Path)
	switch {
	case code.Go != nil:
		built, command, err := r.compile(ctx, field, code, command, r.on)
		if err != nil {
			return Code{}, "", err
		}
		made, err := r.sendCode(ctx, field, built)
		return made, command, err
	case code.Ref != "":
		id, err := once(r.refs, "code "+string(code.Ref), func() (string, error) { return r.c.codes.Resolve(ctx, code.Ref) })
		if err != nil {
			return fail(err)
		}
		r.plan.asset(field, "code", string(code.Ref), id, "")
		return CodeRef(azureml.Ref(id)), command, nil
	case path == "" && len(list) == 0:
		return Code{}, command, nil
	}
	key := path
	if len(list) > 0 {
		merged, err := r.merge(path, list)
		if err != nil {
			return fail(err)
		}
		r.plan.label(merged, strings.TrimPrefix(path+" with additional includes", " with "))
		path, key = merged, "" // what is merged is found again by its content
	}
	upload := func() (string, error) {
		return r.sendSnapshot(ctx, field, path, componentIgnore)
	}
	var id string
	var err error
	if key == "" {
		id, err = upload()
	} else {
		id, err = once(r.codes, key, upload)
	}
	if err != nil {
		return fail(err)
	}
	return CodeRef(azureml.Ref(id)), command, nil
}

// merge copies code and includes into one folder.
func (r *resolver) merge(code string, list Includes) (string, error) {
	parent, err := os.MkdirTemp("", "azureml-code-")
	if err != nil {
		return "", err
	}
	r.remove = append(r.remove, func() error { return os.RemoveAll(parent) })
	dir := filepath.Join(parent, "code_with_additional_includes")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", err
	}
	var root *ignored
	if code != "" {
		info, err := os.Stat(code)
		if err != nil {
			return "", err
		}
		if !info.IsDir() {
			if err := copyFile(code, filepath.Join(dir, filepath.Base(code))); err != nil {
				return "", err
			}
		} else if root, err = root.with(code); err != nil {
			return "", err
		} else if err := copyTree(code, dir, root); err != nil {
			return "", err
		}
	}
	for _, i := range list {
		src, err := filepath.Abs(i.path())
		if err != nil {
			return "", err
		}
		dst := filepath.Join(dir, filepath.Base(src))
		info, err := os.Stat(src)
		if err != nil {
			return "", err
		}
		// The patterns of the code hold for what is put beside it, as if it stood there.
		at := root.at(filepath.Dir(src))
		if info.IsDir() {
			if at, err = at.with(src); err != nil {
				return "", err
			}
		}
		if err := copyAny(src, dst, info, at); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// ignored are the patterns that hold in a folder: its own and those of the folders above.
type ignored struct {
	patterns *assets.Ignore
	base     string
	above    *ignored
}

func (g *ignored) with(dir string) (*ignored, error) {
	p, err := assets.ReadIgnore(dir, componentIgnore)
	if err != nil {
		return nil, err
	}
	return &ignored{p, dir, g}, nil
}

// at is the same patterns held against paths below another folder.
func (g *ignored) at(base string) *ignored {
	if g == nil {
		return nil
	}
	return &ignored{g.patterns, base, g.above}
}

func (g *ignored) excludes(path string) bool {
	for ; g != nil; g = g.above {
		rel, err := filepath.Rel(g.base, path)
		if err == nil && g.patterns.Excludes(filepath.ToSlash(rel)) {
			return true
		}
	}
	return false
}

func copyAny(src, dst string, info os.FileInfo, g *ignored) error {
	switch {
	case g.excludes(src):
		return nil
	case info.IsDir():
		return copyTree(src, dst, g)
	}
	return copyFile(src, dst)
}

// copyTree copies a folder into another, which may have files already.
func copyTree(src, dst string, g *ignored) error {
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, e := range entries {
		from := filepath.Join(src, e.Name())
		info, err := os.Stat(from) // links are followed
		if err != nil {
			return err
		}
		at := g
		if info.IsDir() {
			if at, err = g.with(from); err != nil {
				return err
			}
		}
		if err := copyAny(from, filepath.Join(dst, e.Name()), info, at); err != nil {
			return err
		}
	}
	return nil
}

func copyFile(src, dst string) error {
	if err := os.MkdirAll(filepath.Dir(dst), 0o777); err != nil {
		return err
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(dst)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
