package rest

import (
	"fmt"
	"net/url"
	"strings"
)

const provider = "Microsoft.MachineLearningServices"

// ID names a workspace.
type ID struct{ Subscription, ResourceGroup, Name string }

// String is the workspace's ARM id.
func (id ID) String() string {
	return join("", "subscriptions", id.Subscription, "resourceGroups", id.ResourceGroup, "providers", provider, "workspaces", id.Name)
}

// Path is the workspace's ARM path followed by the segments, each escaped.
// An empty segment, "." and ".." are refused when the path is sent.
func (c *Client) Path(segments ...string) string { return join(c.id.String(), segments...) }

// GroupPath is the resource group's ARM path followed by the segments.
func (c *Client) GroupPath(segments ...string) string {
	return join(join("", "subscriptions", c.id.Subscription, "resourceGroups", c.id.ResourceGroup), segments...)
}

// GroupProviderPath is the path of the machine learning provider in the resource group: workspaces, registries.
func (c *Client) GroupProviderPath(segments ...string) string {
	return join(c.GroupPath("providers", provider), segments...)
}

// ProviderPath is the path of the machine learning provider in the subscription: usages, sizes, lists over all groups.
func (c *Client) ProviderPath(segments ...string) string {
	return join(join("", "subscriptions", c.id.Subscription, "providers", provider), segments...)
}

// Join is prefix followed by the segments, each escaped.
func Join(prefix string, segments ...string) string { return join(prefix, segments...) }

func join(prefix string, segments ...string) string {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(prefix, "/"))
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// checkPath refuses what would reach another resource than the one that was named: an empty name turns a get into a
// list, and dots climb.
func checkPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("the path %q does not begin with a slash", path)
	}
	for i, s := range strings.Split(path[1:], "/") {
		switch p, err := url.PathUnescape(s); {
		case err != nil:
			return fmt.Errorf("the path %q is not escaped well", path)
		case p == "":
			return fmt.Errorf("a name is empty (segment %d of %q)", i+1, path)
		case p == "." || p == "..":
			return fmt.Errorf("%q is no name (segment %d of %q)", p, i+1, path)
		}
	}
	return nil
}
