package assets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// tableFile is what the file that describes a table is called.
const tableFile = "MLTable"

// tableURIs reads the paths of a table in a folder here. The schema that the reference downloads is not held against it.
func tableURIs(dir string) ([]string, error) {
	file := filepath.Join(dir, tableFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("a folder of the type mltable has a file %s: %w", tableFile, err)
	}
	return parseTable(text, file)
}

// remoteTableURIs reads the paths of a table in the workspace's storage. What cannot be read is left to the service.
func (c *DatastoreClient) remoteTableURIs(ctx context.Context, op, uri string) []string {
	b, at, err := c.locate(ctx, op, strings.TrimSuffix(uri, "/")+"/"+tableFile, 0)
	if err == nil {
		var text []byte
		if text, err = b.read(ctx, at, maxTable); err == nil {
			var uris []string
			if uris, err = parseTable(text, uri); err == nil {
				return uris
			}
		}
	}
	c.c.Logger().Debug("azureml: the table's paths cannot be read", "uri", uri, "error", err)
	return nil
}

// maxTable bounds the file that describes a table, in bytes.
const maxTable = 1 << 20

func parseTable(text []byte, file string) ([]string, error) {
	n, err := wire.ParseYAML(text, file, "")
	if err != nil {
		return nil, err
	}
	paths := n.Get("paths")
	if paths == nil || paths.Kind != wire.Sequence || len(paths.Items) == 0 {
		return nil, fmt.Errorf("%s: paths is required: a list of file, folder or pattern", file)
	}
	var uris []string
	for i, p := range paths.Items {
		found := false
		for _, key := range []string{"file", "folder", "pattern"} {
			if s, ok := p.Get(key).Str(); ok {
				uris, found = append(uris, s), true
				break
			}
		}
		if !found {
			return nil, fmt.Errorf("%s:%d: paths[%d] names no file, folder or pattern", file, p.Line, i)
		}
	}
	return uris, nil
}

// localPath takes the prefixes off a local path.
func localPath(s string) string {
	for _, p := range []string{"file:", "folder:"} {
		if rest, ok := strings.CutPrefix(s, p); ok {
			s = strings.TrimPrefix(rest, "//")
			break
		}
	}
	return filepath.FromSlash(s)
}
