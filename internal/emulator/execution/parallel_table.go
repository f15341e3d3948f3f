package execution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/table"
)

// mltable is an MLTable file that was read, and the files that it names.
type mltable struct {
	*table.Definition
	files []table.File
}

// readTable reads the file MLTable of a folder and finds the files that it
// names. Those that lie elsewhere are fetched below remote.
func (j *job) readTable(folder, remote string) (*mltable, error) {
	b, err := os.ReadFile(filepath.Join(folder, "MLTable"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, userError("the input is an mltable, and its folder has no file MLTable")
	}
	if err != nil {
		return nil, err
	}
	d, err := table.Parse(b)
	if err != nil {
		return nil, tableFault(err)
	}
	t := &mltable{Definition: d}
	for i, p := range d.Paths {
		if err := j.tablePath(t, folder, filepath.Join(remote, fmt.Sprint(i)), p); err != nil {
			return nil, err
		}
	}
	if len(t.files) == 0 {
		return nil, userError("the MLTable: no file is found at its paths")
	}
	return t, nil
}

func tableFault(err error) error { return userError("the MLTable: %v", err) }

// noRows is an error when an input's mode asks for rows and its MLTable reads none.
func noRows(d *table.Definition, p *parallelPlan) error {
	if d.Format != "" || !p.tabular() || len(p.PartitionKeys) > 0 {
		return nil
	}
	return userError("the MLTable of the input %q has no transformation that reads rows (read_delimited, read_json_lines, read_parquet); its mode direct asks for rows, ro_mount and download for files", p.input)
}

// tableKnown finds what is wrong with the MLTable of a step's input, where it is
// stored already.
func (e *Engine) tableKnown(ctx context.Context, sc arm.Scope, p *parallelPlan) error {
	in := p.Inputs[p.input]
	if in.Type != "mltable" || in.URI == "" {
		return nil
	}
	loc, err := e.Resolver.Resolve(ctx, sc, in.URI, arm.Data)
	if err != nil || loc.URL != "" {
		return nil // an output of a step that has yet to run; inputs that are nowhere are found with the others
	}
	r, err := e.Blobs.Open(ctx, loc.Account, loc.Container, path.Join(loc.Path, "MLTable"))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	d, err := table.Parse(b)
	if err == nil {
		if err = noRows(d, p); err != nil {
			return arm.Invalid("", "%s", reason(err))
		}
		return nil
	}
	return arm.Invalid("", "the MLTable: %v", err)
}

// elsewhere says that a path is a URI or an asset.
func elsewhere(at string) bool {
	return strings.Contains(at, "://") || strings.HasPrefix(at, "/subscriptions/") || strings.HasPrefix(at, "azureml:")
}

// tablePath adds the files of one of the paths.
func (j *job) tablePath(t *mltable, folder, remote string, p table.Path) error {
	far := elsewhere(p.At)
	if !far {
		if clean := path.Clean(p.At); path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || strings.Contains(clean, `\`) || len(clean) > 1 && clean[1] == ':' {
			return userError("the MLTable: the path %s is not below the table's own folder; what lies elsewhere is named by a URI, as azureml://datastores/NAME/paths/…", p.At)
		}
	}
	if p.Kind != "pattern" {
		if !far {
			return t.add(filepath.Join(folder, filepath.FromSlash(path.Clean(p.At))), path.Clean(p.At), nil)
		}
		root, err := j.fetchPath(p.At, remote, p.Kind == "file")
		if err != nil {
			return err
		}
		return t.add(root, p.At, nil)
	}
	at := p.At
	if !far {
		at = path.Clean(at)
	}
	g, err := table.ParseGlob(at)
	if err != nil {
		return tableFault(err)
	}
	root := folder
	if far {
		if strings.HasSuffix(g.Folder, "://") || g.Folder == "" {
			return userError("the MLTable: the pattern %s has wildcards where its store is named", p.At)
		}
		if root, err = j.fetchPath(g.Folder, remote, false); err != nil {
			return err
		}
		return t.add(root, strings.TrimSuffix(g.Folder, "/"), g)
	}
	base := strings.TrimSuffix(g.Folder, "/")
	if base == "" {
		base = "."
	}
	return t.add(filepath.Join(root, filepath.FromSlash(base)), base, g)
}

// fetchPath brings what a URI names to this machine.
func (j *job) fetchPath(uri, to string, file bool) (string, error) {
	loc, err := j.e.Resolver.Resolve(j.ctx, j.rec.Scope, uri, arm.Data)
	if err != nil {
		return "", tableFault(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return "", err
	}
	return j.e.fetch(j.ctx, loc, to, file)
}

// add takes the files at a place, those that fit the pattern if there is one.
func (t *mltable) add(at, shown string, g *table.Glob) error {
	files, err := filesBelow(at)
	if errors.Is(err, fs.ErrNotExist) {
		if g != nil {
			return nil
		}
		return userError("the MLTable: there is nothing at %s", shown)
	}
	if err != nil {
		return err
	}
	for _, f := range files {
		name := shown
		if r, err := filepath.Rel(at, f); err == nil && r != "." {
			if r = filepath.ToSlash(r); r == "MLTable" || g != nil && !g.Match(r) {
				continue
			}
			if name = r; shown != "." {
				name = strings.TrimSuffix(shown, "/") + "/" + r
			}
		}
		t.files = append(t.files, table.File{Path: f, Name: name})
	}
	return nil
}
