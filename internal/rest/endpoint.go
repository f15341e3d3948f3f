package rest

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// ServiceML is the key under which a [cloud.Configuration] may name the audience of Azure ML (Audience) and the base
// address of registry discovery (Endpoint).
const ServiceML cloud.ServiceName = "azureMachineLearning"

// place is what differs from cloud to cloud.
type place struct {
	arm       string // base address of the resource manager
	audience  string // audience of its tokens
	ml        string // audience of scoring and of x-azureml-token
	registry  string // base address of registry discovery
	inference string // what hosts of scoring addresses end with
}

// places are the public and the sovereign clouds, by host of their authority.
var places = map[string]place{
	"login.microsoftonline.com": {
		arm: "https://management.azure.com", audience: "https://management.azure.com", ml: "https://ml.azure.com",
		registry: "https://eastus.api.azureml.ms/", inference: ".inference.ml.azure.com",
	},
	"login.chinacloudapi.cn": {
		arm: "https://management.chinacloudapi.cn", audience: "https://management.chinacloudapi.cn", ml: "https://ml.azure.cn",
		registry: "https://chinaeast2.api.ml.azure.cn/", inference: ".inference.ml.azure.cn",
	},
	"login.microsoftonline.us": {
		arm: "https://management.usgovcloudapi.net", audience: "https://management.usgovcloudapi.net", ml: "https://ml.azure.us",
		registry: "https://usgovarizona.api.ml.azure.us/", inference: ".inference.ml.azure.us",
	},
}

// where finds the addresses and audiences of a cloud. The zero Configuration is the public cloud.
func where(c cloud.Configuration) (place, error) {
	authority := c.ActiveDirectoryAuthorityHost
	if authority == "" {
		authority = cloud.AzurePublic.ActiveDirectoryAuthorityHost
	}
	u, err := url.Parse(authority)
	if err != nil || u.Host == "" {
		return place{}, fmt.Errorf("rest: Options.Cloud: the authority %q is no address", authority)
	}
	p, known := places[strings.ToLower(u.Host)]
	arm := c.Services[cloud.ResourceManager]
	if arm.Endpoint != "" && strings.TrimSuffix(arm.Endpoint, "/") != p.arm {
		p.arm, p.audience = arm.Endpoint, arm.Audience
		if p.audience == "" {
			p.audience = p.arm
		}
	}
	ml := c.Services[ServiceML]
	if ml.Audience != "" {
		p.ml = ml.Audience
	}
	if ml.Endpoint != "" {
		p.registry = ml.Endpoint
	}
	if p.arm == "" || p.ml == "" {
		return place{}, fmt.Errorf("rest: Options.Cloud: the authority %q belongs to no known cloud: set the services %q and %q", authority, cloud.ResourceManager, ServiceML)
	}
	if !known || p.inference == "" {
		if u, err := url.Parse(p.ml); err == nil {
			p.inference = ".inference." + u.Host
		}
	}
	return p, nil
}

func scopeOf(audience string) string { return strings.TrimRight(audience, "/") + "/.default" }

// baseURL checks an address that bearer tokens will be sent to: https, or http of a literal loopback address.
// Names are not taken for loopback, localhost neither: what they resolve to is not ours to know.
func baseURL(field, address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	switch {
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("rest: %s: %q is no absolute address", field, redactText(address))
	case u.User != nil:
		return nil, fmt.Errorf("rest: %s: the address of %s carries a user name", field, u.Host)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("rest: %s: the address of %s carries a query", field, u.Host)
	case u.Scheme == "https":
		return u, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("rest: %s: http is allowed for a literal loopback address (127.0.0.1, [::1]) only, %s needs https", field, u.Host)
	}
	return nil, fmt.Errorf("rest: %s: the scheme %q is not https", field, u.Scheme)
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Zone() == "" && a.Unmap().IsLoopback()
}

// origin is scheme, host and port, in one spelling.
type origin struct{ scheme, host string }

func originOf(u *url.URL) origin {
	scheme, host, port := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return origin{scheme, net.JoinHostPort(strings.TrimSuffix(host, "."), port)}
}
