package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// searchLevels is how many folders above the first are looked into, as MLClient.from_config does.
const searchLevels = 20

// findConfig looks for the file that names a workspace: .azureml/config.json in dir and the folders above it, then
// aml_config/config.json, then config.json; each also as project.json. It is the order of MLClient.from_config.
func findConfig(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for _, folder := range []string{".azureml", "aml_config", ""} {
		for _, name := range []string{"config.json", "project.json"} {
			at := start
			for range searchLevels + 1 {
				path := filepath.Join(at, folder, name)
				info, err := os.Stat(path)
				if err == nil && info.Mode().IsRegular() {
					return path, nil
				}
				up := filepath.Dir(at)
				if up == at {
					break
				}
				at = up
			}
		}
	}
	return "", fs.ErrNotExist
}

// readConfig reads the workspace that a config.json names, by its three names or by its Scope, an ARM id.
func readConfig(path string) (ID, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return ID{}, err
	}
	id, err := parseConfig(data)
	if err != nil {
		return ID{}, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

func parseConfig(data []byte) (ID, error) {
	var doc struct {
		Scope         string
		Subscription  string `json:"subscription_id"`
		ResourceGroup string `json:"resource_group"`
		Workspace     string `json:"workspace_name"`
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(string(data), "\ufeff")), &doc); err != nil {
		return ID{}, fmt.Errorf("not the JSON of a workspace's config: %w", err)
	}
	if doc.Scope != "" {
		return ParseID(doc.Scope)
	}
	var missing []error
	for _, f := range []struct{ name, value string }{{"subscription_id", doc.Subscription}, {"resource_group", doc.ResourceGroup}, {"workspace_name", doc.Workspace}} {
		if f.value == "" {
			missing = append(missing, fmt.Errorf("%s is missing", f.name))
		}
	}
	return ID{Subscription: doc.Subscription, ResourceGroup: doc.ResourceGroup, Name: doc.Workspace}, errors.Join(missing...)
}

// ParseID reads a workspace's ARM id.
func ParseID(id string) (ID, error) {
	p := strings.Split(strings.Trim(id, "/"), "/")
	want := []string{"subscriptions", "", "resourceGroups", "", "providers", "Microsoft.MachineLearningServices", "workspaces", ""}
	if len(p) != len(want) {
		return ID{}, fmt.Errorf("%q is no id of a workspace", id)
	}
	for i, w := range want {
		if w != "" && !strings.EqualFold(w, p[i]) || w == "" && p[i] == "" {
			return ID{}, fmt.Errorf("%q is no id of a workspace", id)
		}
	}
	return ID{Subscription: p[1], ResourceGroup: p[3], Name: p[7]}, nil
}
