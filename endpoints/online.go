package endpoints

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// OnlineEndpoint is an address that answers requests, and shares them out among its deployments. With a Compute it runs
// on an attached Kubernetes cluster, otherwise on machines of the service.
type OnlineEndpoint struct {
	azureml.Meta
	// Name is part of the address: 3 to 32 letters, digits and dashes, unique in the region.
	Name        string             `yaml:"name,required" json:"name,ro"`
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags,typed" json:"tags,keep"`
	Properties  map[string]string  `yaml:"properties,typed" json:"properties,keep"`
	// Location is the workspace's, whatever it says.
	Location string `yaml:"location" json:"location"`
	// AuthMode defaults to Key.
	AuthMode AuthMode `yaml:"auth_mode" json:"authMode,default=Key"`
	// Traffic shares requests out among deployments.
	Traffic Traffic `yaml:"traffic" json:"traffic,keep"`
	// MirrorTraffic is the share of requests that a deployment gets a copy of, at most 50; its answers are dropped.
	MirrorTraffic Traffic `yaml:"mirror_traffic" json:"mirrorTraffic,keep"`
	// Identity is that of the endpoint's containers. Defaults to one of its own.
	Identity *azureml.ResourceIdentity `yaml:"identity" json:"identity"`
	// PublicNetworkAccess says whether the endpoint can be asked from outside the workspace's network. Defaults to enabled.
	PublicNetworkAccess NetworkAccess `yaml:"public_network_access" json:"publicNetworkAccess"`
	// Compute is a Kubernetes compute.
	Compute azureml.Ref `yaml:"compute" json:"compute"`

	// ScoringURI is where requests are sent, SwaggerURI where they are described.
	ScoringURI        string `yaml:"scoring_uri,ro" json:"scoringUri,ro"`
	SwaggerURI        string `yaml:"openapi_uri,ro" json:"swaggerUri,ro"`
	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	// Kind is Managed or K8S.
	Kind string `yaml:"kind,ro" json:"kind,ro"`
	doc  wire.Document
}

var onlineEndpoint = wire.Layout{
	Name: "online endpoint",
	Base: "properties",
	At:   wire.Table{"name": "/name", "tags": "/tags", "location": "/location", "identity": "/identity", "kind": "/kind"},
}

// WireLayout says where REST nests differently.
func (OnlineEndpoint) WireLayout() *wire.Layout { return &onlineEndpoint }

// WireDocument gives access to the document that was read.
func (e *OnlineEndpoint) WireDocument() *wire.Document { return &e.doc }

// AfterDecodeWire looks at the traffic.
func (e *OnlineEndpoint) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Strict() {
		e.Traffic.check("", 100, func(name, format string, a ...any) {
			at, where := d.At("traffic"), n.Get("traffic")
			if name != "" {
				at, where = at.At(name), where.Get(name)
			}
			at.Fault(where, format, a...)
		})
	}
}

// AuthMode is how an endpoint knows who asks.
type AuthMode string

// The modes. Key is one of two keys that do not expire, AMLToken a token of the service that does, AADToken the caller's
// own Entra token.
const (
	Key      AuthMode = "key"
	AMLToken AuthMode = "aml_token"
	AADToken AuthMode = "aad_token"
)

var authModes = wire.NewEnum(string(Key), "Key", string(AMLToken), "AMLToken", string(AADToken), "AADToken")

// WireEnum is the table of spellings.
func (AuthMode) WireEnum() *wire.Enum { return authModes }

// NetworkAccess says whether something is open to the public network.
type NetworkAccess string

// The accesses.
const (
	Enabled  NetworkAccess = "enabled"
	Disabled NetworkAccess = "disabled"
)

var networkAccesses = wire.SameEnum(string(Enabled), string(Disabled))

// WireEnum is the table of spellings.
func (NetworkAccess) WireEnum() *wire.Enum { return networkAccesses }

// check finds what the service would refuse.
func (e *OnlineEndpoint) check(op string) error {
	var f faults
	f.name("name", e.Name)
	e.Traffic.check("traffic.", 100, f.add)
	e.MirrorTraffic.check("mirror_traffic.", 50, f.add)
	if _, ok := authModes.Parse(string(e.AuthMode)); !ok && e.AuthMode != "" {
		f.add("auth_mode", "%q is not known; key, aml_token and aad_token are", e.AuthMode)
	}
	if e.Compute != "" && e.PublicNetworkAccess != "" {
		f.add("public_network_access", "is for endpoints on machines of the service, not on Kubernetes")
	}
	return f.err(op)
}
