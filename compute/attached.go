package compute

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// VirtualMachine is an attached machine that is reached by SSH.
type VirtualMachine struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Location    string             `yaml:"location" json:"location"` // The workspace's, whatever it says
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags" json:"tags"`
	// ResourceID is the machine's.
	ResourceID      string  `yaml:"resource_id,required" json:"resourceId"`
	ComputeLocation string  `yaml:"compute_location,ro" json:"computeLocation,ro"`
	SSH             *VMUser `yaml:"ssh_settings" json:"properties"`

	Provisioning
	doc wire.Document
}

// VMUser is who jobs log in as. The service gives no secret back.
type VMUser struct {
	User     string `yaml:"admin_username" json:"username"`
	Password string `yaml:"admin_password" json:"password"`
	// Port defaults to 22.
	Port int `yaml:"ssh_port" json:"sshPort,default=22"`
	// PrivateKeyFile is read when the machine is attached.
	PrivateKeyFile string `yaml:"ssh_private_key_file,local" json:"-"`
	// PrivateKey is the key itself.
	PrivateKey string `yaml:"-" json:"privateKeyData"`
}

// String keeps the secrets out of what is printed.
func (u VMUser) String() string { return "user " + u.User + " (redacted)" }

// GoString is String.
func (u VMUser) GoString() string { return u.String() }

var vmUser = wire.Layout{At: wire.Table{
	"admin_username": "administratorAccount/username", "admin_password": "administratorAccount/password", "PrivateKey": "administratorAccount/privateKeyData",
}}

// WireLayout says where REST nests differently.
func (VMUser) WireLayout() *wire.Layout { return &vmUser }

var virtualMachine = wire.Layout{
	Name: "virtual machine",
	Base: "properties",
	At:   wire.Table{"name": "/name", "location": "/location", "tags": "/tags"},
	YAML: wire.Fixed{"type": "virtualmachine"},
	REST: wire.Fixed{"computeType": "VirtualMachine"},
}

// WireLayout says where REST nests differently.
func (VirtualMachine) WireLayout() *wire.Layout { return &virtualMachine }

// WireDocument gives access to the document that was read.
func (v *VirtualMachine) WireDocument() *wire.Document { return &v.doc }

// ComputeName is the name in the workspace.
func (v *VirtualMachine) ComputeName() string { return v.Name }

// Kind is VirtualMachine.
func (*VirtualMachine) Kind() string { return "VirtualMachine" }

// Provision is what the service says of attaching it.
func (v *VirtualMachine) Provision() Provisioning { return v.Provisioning }

// SynapseSpark is an attached Spark pool of Synapse.
type SynapseSpark struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Location    string             `yaml:"location" json:"location"` // The workspace's, whatever it says
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags" json:"tags"`
	// ResourceID is the pool's.
	ResourceID string                    `yaml:"resource_id,required" json:"resourceId"`
	Identity   *azureml.ResourceIdentity `yaml:"identity" json:"identity"`

	NodeFamily   string     `yaml:"node_family,ro" json:"nodeSizeFamily,ro"`
	NodeSize     string     `yaml:"node_size,ro" json:"nodeSize,ro"`
	NodeCount    int        `yaml:"node_count,ro" json:"nodeCount,ro"`
	SparkVersion string     `yaml:"spark_version,ro" json:"sparkVersion,ro"`
	Scale        *AutoScale `yaml:"scale_settings,ro" json:"autoScaleProperties,ro"`
	Pause        *AutoPause `yaml:"auto_pause_settings,ro" json:"autoPauseProperties,ro"`

	Provisioning
	doc wire.Document
}

// AutoScale is how a pool grows and shrinks.
type AutoScale struct {
	Min     int  `yaml:"min_node_count,ro" json:"minNodeCount,ro"`
	Max     int  `yaml:"max_node_count,ro" json:"maxNodeCount,ro"`
	Enabled bool `yaml:"auto_scale_enabled,ro" json:"enabled,ro"`
}

// AutoPause is when an idle pool stops.
type AutoPause struct {
	DelayMinutes int  `yaml:"delay_in_minutes,ro" json:"delayInMinutes,ro"`
	Enabled      bool `yaml:"auto_pause_enabled,ro" json:"enabled,ro"`
}

var synapse = wire.Layout{
	Name: "Synapse Spark pool",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "location": "/location", "tags": "/tags", "identity": "/identity",
		"node_family": "properties/nodeSizeFamily", "node_size": "properties/nodeSize", "node_count": "properties/nodeCount",
		"spark_version": "properties/sparkVersion", "scale_settings": "properties/autoScaleProperties", "auto_pause_settings": "properties/autoPauseProperties",
	},
	YAML: wire.Fixed{"type": "synapsespark"},
	REST: wire.Fixed{"computeType": "SynapseSpark"},
}

// WireLayout says where REST nests differently.
func (SynapseSpark) WireLayout() *wire.Layout { return &synapse }

// WireDocument gives access to the document that was read.
func (s *SynapseSpark) WireDocument() *wire.Document { return &s.doc }

// ComputeName is the name in the workspace.
func (s *SynapseSpark) ComputeName() string { return s.Name }

// Kind is SynapseSpark.
func (*SynapseSpark) Kind() string { return "SynapseSpark" }

// Provision is what the service says of attaching it.
func (s *SynapseSpark) Provision() Provisioning { return s.Provisioning }
