package rest

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

var regionName = regexp.MustCompile(`^[a-z0-9-]+$`)

// registryAPI is the regional host of a registry's primary region: that of the workspace's own services, in that region.
func (c *Client) registryAPI(ctx context.Context, name string) (string, error) {
	r, err := c.RegistryInfo(ctx, name)
	if err != nil {
		return "", err
	}
	own, err := c.DataPlane(ctx)
	if err != nil {
		return "", err
	}
	region := strings.ToLower(strings.ReplaceAll(r.PrimaryRegion, " ", ""))
	u, err := url.Parse(own)
	if err != nil || c.Local() || region == "" {
		return own, err
	}
	if !regionName.MatchString(region) {
		return "", fmt.Errorf("registry: %q: %q is no name of a region", name, r.PrimaryRegion)
	}
	_, suffix, _ := strings.Cut(u.Host, ".")
	u.Host = region + "." + suffix
	if u, err = c.trust.learn(u.String()); err != nil {
		return "", err
	}
	return u.String(), nil
}
