package compute

import (
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// Compute is one of *Cluster, *Instance, *Kubernetes, *VirtualMachine, *SynapseSpark, and *Other for kinds that this
// version does not know. A type switch tells them apart.
type Compute interface {
	// ComputeName is the name in the workspace.
	ComputeName() string
	// Provision is what the service says of making the compute; zero before it was read.
	Provision() Provisioning
	// Kind is the service's word for what it is: AmlCompute, ComputeInstance, Kubernetes …
	Kind() string
}

var _ = wire.RegisterSum[Compute](&wire.Sum{
	Name: "compute", YAML: "type", REST: "properties/computeType",
	Arms: []wire.Arm{
		wire.ArmOf[Cluster]("amlcompute", "AmlCompute"), wire.ArmOf[Instance]("computeinstance", "ComputeInstance"),
		wire.ArmOf[Kubernetes]("kubernetes", "Kubernetes"), wire.ArmOf[VirtualMachine]("virtualmachine", "VirtualMachine"),
		wire.ArmOf[SynapseSpark]("synapsespark", "SynapseSpark"),
	},
	Unknown: func() any { return new(Other) },
})

// Provisioning is what the service says of making a compute.
type Provisioning struct {
	// State is Creating, Updating, Deleting, Succeeded, Failed, Canceled or Unknown.
	State string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	// Errors are why it is Failed.
	Errors []wire.Raw `yaml:"provisioning_errors,ro" json:"provisioningErrors,ro"`
	// Attached tells whether the machines were made elsewhere.
	Attached bool `yaml:"-" json:"isAttachedCompute,ro"`
	// CreatedOn and ModifiedOn are when the compute was made and changed.
	CreatedOn  time.Time `yaml:"created_on,ro" json:"createdOn,ro"`
	ModifiedOn time.Time `yaml:"-" json:"modifiedOn,ro"`
}

// Network is where a compute's nodes are.
type Network struct {
	// VNet is the name of a virtual network in the workspace's resource group. Not needed when Subnet is an id.
	VNet string `yaml:"vnet_name" json:"-"`
	// Subnet is a name in VNet, or the subnet's resource id.
	Subnet string `yaml:"subnet" json:"id"`
}

// Access says whether something is open.
type Access string

// The accesses.
const (
	Enabled  Access = "enabled"
	Disabled Access = "disabled"
)

var accesses = wire.PascalEnum(string(Enabled), string(Disabled), "not_specified")

// EncodeWire writes a boolean in YAML and a word in REST.
func (a Access) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() != wire.YAML && e.Spelling() != wire.Spec {
		if a == "" {
			return "NotSpecified", nil
		}
		return accesses.RESTValue(string(a)), nil
	}
	if a == "" {
		return wire.Omit, nil
	}
	return a == Enabled, nil
}

// DecodeWire reads either.
func (a *Access) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.YAML && d.Spelling() != wire.Spec {
		s, _ := n.Str()
		if v, ok := accesses.Parse(s); ok && v != "not_specified" {
			*a = Access(v)
		}
		return
	}
	open := false
	d.Into(n, &open)
	*a = Disabled
	if open {
		*a = Enabled
	}
}

// Other is a compute of a kind that this version does not know: AKS, Databricks, HDInsight, DataFactory, DataLakeAnalytics.
// It can be read, deleted and detached. Raw is its whole document.
type Other struct {
	Raw wire.Raw `yaml:"-" json:"."`
	doc wire.Document
}

var other = wire.Layout{Name: "compute"}

// WireLayout is empty: Raw is the document.
func (Other) WireLayout() *wire.Layout { return &other }

// WireDocument gives access to the document that was read.
func (o *Other) WireDocument() *wire.Document { return &o.doc }

// ComputeName is the name in the workspace.
func (o *Other) ComputeName() string {
	s, _ := o.Raw["name"].(string)
	return s
}

// Kind is the service's word for what it is.
func (o *Other) Kind() string {
	p, _ := o.Raw["properties"].(map[string]any)
	s, _ := p["computeType"].(string)
	return s
}

// Provision is what the service says of making it.
func (o *Other) Provision() Provisioning {
	p, _ := o.Raw["properties"].(map[string]any)
	s, _ := p["provisioningState"].(string)
	return Provisioning{State: s}
}
