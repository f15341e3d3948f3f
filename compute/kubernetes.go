package compute

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Kubernetes is an attached Kubernetes cluster with the Azure ML extension.
type Kubernetes struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Location    string             `yaml:"location" json:"location"` // The workspace's, whatever it says
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags" json:"tags"`
	// ResourceID is the cluster's: managed or connected by Arc.
	ResourceID string `yaml:"resource_id,required" json:"resourceId"`
	// Namespace is where jobs and deployments run. Defaults to default.
	Namespace string `yaml:"namespace" json:"namespace,default=default"`
	// Settings are further properties, as the service spells them: defaultInstanceType, instanceTypes and so on.
	Settings map[string]any            `yaml:"properties" json:"-"`
	Identity *azureml.ResourceIdentity `yaml:"identity" json:"identity"`

	Provisioning
	doc wire.Document
}

var kubernetes = wire.Layout{
	Name: "Kubernetes compute",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "location": "/location", "tags": "/tags", "identity": "/identity",
		"namespace": "properties/namespace",
	},
	YAML: wire.Fixed{"type": "kubernetes"},
	REST: wire.Fixed{"computeType": "Kubernetes"},
}

// WireLayout says where REST nests differently.
func (Kubernetes) WireLayout() *wire.Layout { return &kubernetes }

// WireDocument gives access to the document that was read.
func (k *Kubernetes) WireDocument() *wire.Document { return &k.doc }

// ComputeName is the name in the workspace.
func (k *Kubernetes) ComputeName() string { return k.Name }

// Kind is Kubernetes.
func (*Kubernetes) Kind() string { return "Kubernetes" }

// Provision is what the service says of attaching it.
func (k *Kubernetes) Provision() Provisioning { return k.Provisioning }

// AfterEncodeWire puts the settings beside the namespace, and says where the cluster is.
func (k Kubernetes) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		return nil
	}
	if k.Location != "" {
		m["computeLocation"] = k.Location
	}
	if p, ok := m["properties"].(map[string]any); ok {
		for name, v := range k.Settings {
			if name != "namespace" {
				p[name] = v
			}
		}
	}
	return nil
}

// AfterDecodeWire takes them apart.
func (k *Kubernetes) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	if p := n.Get("properties", "properties").Without("namespace"); p != nil && len(p.Entries) > 0 {
		d.Into(p, &k.Settings)
	}
}
