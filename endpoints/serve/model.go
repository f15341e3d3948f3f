package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// FindFile finds the one file of that base name below a model's folder.
// Azure ML puts a registered folder under its own name below
// AZUREML_MODEL_DIR, so that the depth depends on how the model was
// registered. None, or more than one, is an error that lists what is there.
func FindFile(modelDir, name string) (string, error) {
	if modelDir == "" {
		return "", errors.New("serve: there is no model: AZUREML_MODEL_DIR is not set")
	}
	var found, all []string
	err := filepath.WalkDir(modelDir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if d.Name() == name {
			found = append(found, p)
		}
		if rel, err := filepath.Rel(modelDir, p); err == nil && len(all) < 20 {
			all = append(all, filepath.ToSlash(rel))
		}
		return nil
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("serve: find %q: %w", name, err)
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", fmt.Errorf("serve: the model has no file %q; it has: %s", name, strings.Join(all, ", "))
	}
	return "", fmt.Errorf("serve: the model has more than one file %q: %s", name, strings.Join(found, ", "))
}
