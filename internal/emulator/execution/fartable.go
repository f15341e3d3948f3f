package execution

import (
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/table"
)

// far hashes what an MLTable names beyond its own folder: who reads the table reads that, too. "" is nothing.
func (c *contents) far(ctx context.Context, uri string) (string, error) {
	loc, err := c.e.resolve(ctx, c.sc, uri, arm.Data)
	if err != nil && c.unknown {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	r, err := c.e.Blobs.Open(ctx, loc.Account, loc.Container, path.Join(loc.Path, "MLTable"))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return "", err
	}
	var doc struct {
		Paths []map[string]string `yaml:"paths"`
	}
	if yaml.Unmarshal(b, &doc) != nil {
		return "", nil // whoever reads it is told
	}
	var all strings.Builder
	for _, p := range doc.Paths {
		for kind, at := range p {
			if !elsewhere(at) {
				continue
			}
			if g, err := table.ParseGlob(at); kind == "pattern" && err == nil {
				at = g.Folder
			}
			h, err := c.of(ctx, at, arm.Data)
			if _, wrong := errors.AsType[*arm.Error](err); wrong {
				h, err = "nothing", nil // an address that leads nowhere: whoever reads it is told
			}
			if err != nil {
				return "", err
			}
			all.WriteString(at + "\n" + h + "\n")
		}
	}
	return all.String(), nil
}
