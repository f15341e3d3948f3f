package compute

import (
	"fmt"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Instance is one machine of one user (ComputeInstance).
type Instance struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Location    string             `yaml:"location" json:"location"` // The workspace's, whatever it says
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags" json:"tags"`
	// Size is the kind of machine.
	Size     string                    `yaml:"size" json:"vmSize"`
	Network  *Network                  `yaml:"network_settings" json:"subnet"`
	Identity *azureml.ResourceIdentity `yaml:"identity" json:"identity"`
	// OnBehalfOf is the user that the instance is for. Defaults to the one who makes it.
	OnBehalfOf *AssignedUser `yaml:"create_on_behalf_of" json:"assignedUser"`
	// SSH is the key of the instance's administrator.
	SSH *InstanceSSH `yaml:"ssh_settings" json:"-"`
	// SSHPublicAccess opens the SSH port to the public address. Defaults to what the service does.
	SSHPublicAccess Access     `yaml:"ssh_public_access_enabled" json:"-"`
	Schedules       *Schedules `yaml:"schedules" json:"schedules"`
	// IdleTimeBeforeShutdown stops an idle instance; zero does not. Whole minutes, at least 15, at most 3 days.
	IdleTimeBeforeShutdown time.Duration `yaml:"idle_time_before_shutdown" json:"idleTimeBeforeShutdown"`
	// IdleMinutes is YAML's other spelling of IdleTimeBeforeShutdown, into which it is read.
	IdleMinutes int `yaml:"idle_time_before_shutdown_minutes" json:"-"`
	// Applications are further web applications, in containers.
	Applications []Application `yaml:"custom_applications" json:"customServices"`
	SetupScripts *SetupScripts `yaml:"setup_scripts" json:"scripts"`
	// NodePublicIP, SingleSignOn and RootAccess default to true, the others to false.
	NodePublicIP       *bool `yaml:"enable_node_public_ip" json:"enableNodePublicIp,default=true"`
	SingleSignOn       *bool `yaml:"enable_sso" json:"enableSSO,default=true"`
	RootAccess         *bool `yaml:"enable_root_access" json:"enableRootAccess,default=true"`
	ReleaseQuotaOnStop bool  `yaml:"release_quota_on_stop" json:"releaseQuotaOnStop,keep"`
	OSPatching         bool  `yaml:"enable_os_patching" json:"enableOSPatching,keep"`

	Provisioning
	// State is Creating, Running, Stopped and so on, as read.
	State string `yaml:"state,ro" json:"state,ro"`
	// Services are the instance's web pages: Jupyter, RStudio, VS Code.
	Services []Service `yaml:"services,ro" json:"applications,ro"`
	// LastOperation is what was done to the instance last.
	LastOperation *InstanceOperation `yaml:"last_operation,ro" json:"lastOperation,ro"`
	// Image says whether the machine's image is the newest.
	Image *ImageVersion `yaml:"os_image_metadata,ro" json:"osImageMetadata,ro"`
	// Addresses are those of the machine.
	Addresses *Addresses `yaml:"-" json:"connectivityEndpoints,ro"`
	// DataMounts are the data that is mounted on the machine.
	DataMounts []wire.Raw `yaml:"-" json:"dataMounts,ro"`
	// Errors are why the instance is unusable.
	Errors []wire.Raw `yaml:"-" json:"errors,ro"`

	idle string // IdleTimeBeforeShutdown as it was written
	doc  wire.Document
}

// AssignedUser is a user of a tenant.
type AssignedUser struct {
	TenantID string `yaml:"user_tenant_id" json:"tenantId"`
	ObjectID string `yaml:"user_object_id" json:"objectId"`
}

// InstanceSSH is how an instance is reached by SSH.
type InstanceSSH struct {
	// PublicKey is a line of authorized_keys.
	PublicKey string `yaml:"ssh_key_value" json:"adminPublicKey"`
	User      string `yaml:"admin_username,ro" json:"adminUserName,ro"`
	Port      int    `yaml:"ssh_port,ro" json:"sshPort,ro"`
}

// Service is a web page of an instance.
type Service struct {
	Name string `yaml:"display_name,ro" json:"displayName,ro"`
	URL  string `yaml:"endpoint_uri,ro" json:"endpointUri,ro"`
}

// InstanceOperation is something that was done to an instance.
type InstanceOperation struct {
	Name    string    `yaml:"operation_name,ro" json:"operationName,ro"`
	Status  string    `yaml:"operation_status,ro" json:"operationStatus,ro"`
	Trigger string    `yaml:"operation_trigger,ro" json:"operationTrigger,ro"`
	Time    time.Time `yaml:"operation_time,ro" json:"operationTime,ro"`
}

// ImageVersion is the version of a machine's image.
type ImageVersion struct {
	Current string `yaml:"current_image_version,ro" json:"currentImageVersion,ro"`
	Latest  string `yaml:"latest_image_version,ro" json:"latestImageVersion,ro"`
	Newest  bool   `yaml:"is_latest_os_image_version,ro" json:"isLatestOsImageVersion,ro"`
}

// Addresses are those of an instance.
type Addresses struct {
	Public  string `yaml:"public_ip_address,ro" json:"publicIpAddress,ro"`
	Private string `yaml:"private_ip_address,ro" json:"privateIpAddress,ro"`
}

var instance = wire.Layout{
	Name: "compute instance",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "location": "/location", "tags": "/tags", "identity": "/identity",
		"size": "properties/vmSize", "network_settings": "properties/subnet", "create_on_behalf_of": "properties/personalComputeInstanceSettings/assignedUser",
		"schedules": "properties/schedules", "idle_time_before_shutdown": "properties/idleTimeBeforeShutdown",
		"custom_applications": "properties/customServices", "setup_scripts": "properties/setupScripts/scripts",
		"enable_node_public_ip": "properties/enableNodePublicIp", "enable_sso": "properties/enableSSO", "enable_root_access": "properties/enableRootAccess",
		"release_quota_on_stop": "properties/releaseQuotaOnStop", "enable_os_patching": "properties/enableOSPatching",
		"state": "properties/state", "services": "properties/applications", "last_operation": "properties/lastOperation",
		"os_image_metadata": "properties/osImageMetadata", "Addresses": "properties/connectivityEndpoints",
		"DataMounts": "properties/dataMounts", "Errors": "properties/errors",
	},
	YAML: wire.Fixed{"type": "computeinstance"},
	REST: wire.Fixed{
		"computeType": "ComputeInstance", "properties/applicationSharingPolicy": "Shared", "properties/computeInstanceAuthorizationType": "personal",
	},
}

// WireLayout says where REST nests differently.
func (Instance) WireLayout() *wire.Layout { return &instance }

// WireDocument gives access to the document that was read.
func (i *Instance) WireDocument() *wire.Document { return &i.doc }

// ComputeName is the name in the workspace.
func (i *Instance) ComputeName() string { return i.Name }

// Kind is ComputeInstance.
func (*Instance) Kind() string { return "ComputeInstance" }

// Provision is what the service says of making it.
func (i *Instance) Provision() Provisioning { return i.Provisioning }

// AfterEncodeWire writes what depends on more than one field: SSH, and the idle time, which the service wants in minutes.
func (i Instance) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	idle := ""
	if d, err := wire.ParseDuration(i.idle); err == nil && d == i.IdleTimeBeforeShutdown {
		idle = i.idle
	} else if d := i.IdleTimeBeforeShutdown; d > 0 && d%time.Minute == 0 {
		idle = fmt.Sprintf("PT%dM", d/time.Minute)
	}
	if e.Spelling() != wire.REST {
		if idle != "" {
			m["idle_time_before_shutdown"] = idle
		}
		return nil
	}
	m["disableLocalAuth"] = i.SSHPublicAccess != Enabled
	p, ok := m["properties"].(map[string]any)
	if !ok {
		return nil
	}
	if idle != "" {
		p["idleTimeBeforeShutdown"] = idle
	}
	if i.SSH != nil || i.SSHPublicAccess != "" {
		ssh := map[string]any{}
		if i.SSH != nil && i.SSH.PublicKey != "" {
			ssh["adminPublicKey"] = i.SSH.PublicKey
		}
		if i.SSHPublicAccess != "" {
			ssh["sshPublicAccess"] = accesses.RESTValue(string(i.SSHPublicAccess))
		}
		p["sshSettings"] = ssh
	}
	return nil
}

// AfterDecodeWire is its counterpart.
func (i *Instance) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.REST {
		p := n.Get("properties", "properties")
		i.idle, _ = p.Get("idleTimeBeforeShutdown").Str()
		if ssh := p.Get("sshSettings"); !ssh.IsNull() {
			i.SSH = &InstanceSSH{}
			d.Into(ssh, i.SSH)
			d.Into(ssh.Get("sshPublicAccess"), &i.SSHPublicAccess)
		}
		return
	}
	i.idle, _ = n.Get("idle_time_before_shutdown").Str()
	if i.IdleMinutes > 0 && i.IdleTimeBeforeShutdown == 0 {
		i.IdleTimeBeforeShutdown = time.Duration(i.IdleMinutes) * time.Minute
	}
	i.IdleMinutes = 0
}
