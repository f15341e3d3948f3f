package compute

import (
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Cluster is a set of equal machines that grows and shrinks with what is queued for it (AmlCompute).
type Cluster struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Location    string             `yaml:"location" json:"location"` // Defaults to the workspace's
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags" json:"tags"`
	// Size is the kind of machine. Defaults to STANDARD_DS3_V2.
	Size string `yaml:"size" json:"vmSize,default=STANDARD_DS3_V2"`
	// Tier is low_priority for machines that may be taken away. Defaults to dedicated.
	Tier Tier `yaml:"tier" json:"vmPriority"`
	// MinInstances are kept although idle.
	MinInstances int `yaml:"min_instances" json:"minNodeCount,keep"`
	// MaxInstances defaults to 4.
	MaxInstances int `yaml:"max_instances" json:"maxNodeCount,default=4"`
	// IdleTimeBeforeScaleDown defaults to two minutes.
	IdleTimeBeforeScaleDown time.Duration `yaml:"idle_time_before_scale_down,seconds" json:"nodeIdleTimeBeforeScaleDown,default=PT2M"`
	// SSHPublicAccess opens the nodes' SSH port to the public address. The service decides by default.
	SSHPublicAccess Access `yaml:"ssh_public_access_enabled" json:"remoteLoginPortPublicAccess,keep"`
	// SSH is the administrator of the nodes; without it there is none.
	SSH      *Administrator            `yaml:"ssh_settings" json:"userAccountCredentials"`
	Network  *Network                  `yaml:"network_settings" json:"subnet"`
	Identity *azureml.ResourceIdentity `yaml:"identity" json:"identity"`
	// NodePublicIP gives each node a public address. Defaults to true.
	NodePublicIP *bool `yaml:"enable_node_public_ip" json:"enableNodePublicIp,default=true"`

	Provisioning
	// What the cluster does now, as read.
	State *ClusterState `yaml:"-" json:"-"`
	doc   wire.Document
}

// ClusterState is what a cluster does now.
type ClusterState struct {
	// Allocation is Steady or Resizing, since AllocationSince.
	Allocation      string    `yaml:"-" json:"allocationState"`
	AllocationSince time.Time `yaml:"-" json:"allocationStateTransitionTime"`
	CurrentNodes    int       `yaml:"-" json:"currentNodeCount"`
	TargetNodes     int       `yaml:"-" json:"targetNodeCount"`
	// Numbers of nodes.
	Idle      int        `yaml:"-" json:"idleNodeCount"`
	Preparing int        `yaml:"-" json:"preparingNodeCount"`
	Running   int        `yaml:"-" json:"runningNodeCount"`
	Leaving   int        `yaml:"-" json:"leavingNodeCount"`
	Preempted int        `yaml:"-" json:"preemptedNodeCount"`
	Unusable  int        `yaml:"-" json:"unusableNodeCount"`
	Errors    []wire.Raw `yaml:"-" json:"errors"`
}

var clusterState = wire.Layout{At: wire.Table{
	"Idle": "nodeStateCounts/idleNodeCount", "Preparing": "nodeStateCounts/preparingNodeCount", "Running": "nodeStateCounts/runningNodeCount",
	"Leaving": "nodeStateCounts/leavingNodeCount", "Preempted": "nodeStateCounts/preemptedNodeCount", "Unusable": "nodeStateCounts/unusableNodeCount",
}}

// WireLayout says where REST nests differently.
func (ClusterState) WireLayout() *wire.Layout { return &clusterState }

// Tier is how machines are paid for.
type Tier string

// The tiers.
const (
	Dedicated   Tier = "dedicated"
	LowPriority Tier = "low_priority"
)

var tiers = wire.PascalEnum(string(LowPriority), string(Dedicated))

// WireEnum is the table of spellings.
func (Tier) WireEnum() *wire.Enum { return tiers }

// Administrator is the user of a cluster's nodes. The service does not give the password back.
type Administrator struct {
	User     string `yaml:"admin_username" json:"adminUserName"`
	Password string `yaml:"admin_password" json:"adminUserPassword"`
	// PublicKey is a line of authorized_keys.
	PublicKey string `yaml:"ssh_key_value" json:"adminUserSshPublicKey"`
}

// String keeps the password out of what is printed.
func (a Administrator) String() string { return "administrator " + a.User + " (redacted)" }

// GoString is String.
func (a Administrator) GoString() string { return a.String() }

var cluster = wire.Layout{
	Name: "cluster",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "location": "/location", "tags": "/tags", "identity": "/identity",
		"size": "properties/vmSize", "tier": "properties/vmPriority", "min_instances": "properties/scaleSettings/minNodeCount",
		"max_instances": "properties/scaleSettings/maxNodeCount", "idle_time_before_scale_down": "properties/scaleSettings/nodeIdleTimeBeforeScaleDown",
		"ssh_public_access_enabled": "properties/remoteLoginPortPublicAccess", "ssh_settings": "properties/userAccountCredentials",
		"network_settings": "properties/subnet", "enable_node_public_ip": "properties/enableNodePublicIp",
	},
	YAML: wire.Fixed{"type": "amlcompute"},
	REST: wire.Fixed{"computeType": "AmlCompute", "properties/osType": "Linux"},
}

// WireLayout says where REST nests differently.
func (Cluster) WireLayout() *wire.Layout { return &cluster }

// WireDocument gives access to the document that was read.
func (c *Cluster) WireDocument() *wire.Document { return &c.doc }

// ComputeName is the name in the workspace.
func (c *Cluster) ComputeName() string { return c.Name }

// Kind is AmlCompute.
func (*Cluster) Kind() string { return "AmlCompute" }

// Provision is what the service says of making it.
func (c *Cluster) Provision() Provisioning { return c.Provisioning }

// AfterEncodeWire turns local authentication off where nobody was named who could use it.
func (c Cluster) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() == wire.REST {
		m["disableLocalAuth"] = c.SSH == nil
	}
	return nil
}

// AfterDecodeWire reads what the cluster does now.
func (c *Cluster) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	p := n.Get("properties", "properties")
	if d.Spelling() != wire.REST || !p.Has("allocationState") && !p.Has("nodeStateCounts") {
		return
	}
	c.State = &ClusterState{}
	d.Into(p, c.State)
}
