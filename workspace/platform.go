package workspace

import (
	"context"
	"encoding/json"
	"fmt"
)

// Platform is what the workspace's managed machines run programs for, in Go's words: linux and amd64, unless the tags goos
// and goarch of the workspace say otherwise. A local workspace's say what this machine is. It is what serve.Context and
// the like are to build for (Workspaces_Get).
func (c *Client) Platform(ctx context.Context) (goos, goarch string, err error) {
	w, err := c.rest.Workspace(ctx)
	if err != nil {
		return "", "", err
	}
	var doc struct {
		Tags map[string]string `json:"tags"`
	}
	if err := json.Unmarshal(w.Document, &doc); err != nil {
		return "", "", fmt.Errorf("workspace: platform: %w", err)
	}
	goos, goarch = "linux", "amd64"
	if t := doc.Tags["goos"]; t != "" {
		goos = t
	}
	if t := doc.Tags["goarch"]; t != "" {
		goarch = t
	}
	return goos, goarch, nil
}
