package workspace

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Workspace is a workspace, a hub, a project of a hub, or a feature store, as the service describes it.
type Workspace struct {
	azureml.Meta
	Name          string             `yaml:"name,required" json:"name,ro"`
	Kind          Kind               `yaml:"kind" json:"kind"`
	Location      string             `yaml:"location" json:"location"`
	Tags          map[string]*string `yaml:"tags" json:"tags"`
	DisplayName   string             `yaml:"display_name" json:"friendlyName"`
	Description   string             `yaml:"description" json:"description"`
	ResourceGroup string             `yaml:"resource_group" json:"-"`
	// StorageAccount, KeyVault, ContainerRegistry and ApplicationInsights are the resource ids of what the workspace uses.
	StorageAccount      string `yaml:"storage_account" json:"storageAccount"`
	KeyVault            string `yaml:"key_vault" json:"keyVault"`
	ContainerRegistry   string `yaml:"container_registry" json:"containerRegistry"`
	ApplicationInsights string `yaml:"application_insights" json:"applicationInsights"`
	// HighBusinessImpact makes the service keep less about the workspace.
	HighBusinessImpact bool                      `yaml:"hbi_workspace" json:"hbiWorkspace"`
	Identity           *azureml.ResourceIdentity `yaml:"identity" json:"identity"`
	PrimaryIdentity    string                    `yaml:"primary_user_assigned_identity" json:"primaryUserAssignedIdentity"`
	// ImageBuildCompute is the cluster that builds images when the registry is behind a network.
	ImageBuildCompute string `yaml:"image_build_compute" json:"imageBuildCompute"`
	// PublicNetworkAccess is Enabled or Disabled.
	PublicNetworkAccess NetworkAccess `yaml:"public_network_access" json:"publicNetworkAccess"`
	// DatastoresAuthMode is accessKey or identity: how the default datastores are opened.
	DatastoresAuthMode string          `yaml:"system_datastores_auth_mode" json:"systemDatastoresAuthMode"`
	DataIsolation      bool            `yaml:"enable_data_isolation" json:"enableDataIsolation"`
	ManagedNetwork     *ManagedNetwork `yaml:"managed_network" json:"managedNetwork"`
	Serverless         *Serverless     `yaml:"serverless_compute" json:"serverlessComputeSettings"`
	Encryption         *Encryption     `yaml:"-" json:"encryption"`
	// Hub is the id of a project's hub.
	Hub string `yaml:"hub_id" json:"hubResourceId"`
	// HubDefaults are what projects of a hub get.
	HubDefaults *HubDefaults `yaml:"-" json:"workspaceHubConfig"`
	// FeatureStore is what makes a workspace a feature store.
	FeatureStore *FeatureStore `yaml:"-" json:"featureStoreSettings"`

	// GUID names the workspace in azureml://locations/… addresses.
	GUID string `yaml:"-" json:"workspaceId,ro"`
	// DiscoveryURL is where the addresses of the regional services are listed.
	DiscoveryURL string `yaml:"discovery_url,ro" json:"discoveryUrl,ro"`
	// TrackingURI is for MLflow.
	TrackingURI          string    `yaml:"mlflow_tracking_uri,ro" json:"mlFlowTrackingUri,ro"`
	Notebooks            *Notebook `yaml:"-" json:"notebookInfo,ro"`
	ProvisioningState    string    `yaml:"-" json:"provisioningState,ro"`
	TenantID             string    `yaml:"-" json:"tenantId,ro"`
	PrivateLinks         int       `yaml:"-" json:"privateLinkCount,ro"`
	HierarchicalStorage  bool      `yaml:"-" json:"storageHnsEnabled,ro"`
	ServiceResourceGroup string    `yaml:"-" json:"serviceProvisionedResourceGroup,ro"`
	// Associated are the ids of a hub's projects.
	Associated []string `yaml:"-" json:"associatedWorkspaces,ro"`
	doc        wire.Document
}

var workspaceLayout = wire.Layout{
	Name: "workspace",
	Base: "properties",
	At:   wire.Table{"name": "/name", "kind": "/kind", "location": "/location", "tags": "/tags", "identity": "/identity"},
}

// WireLayout says where REST nests differently.
func (Workspace) WireLayout() *wire.Layout { return &workspaceLayout }

// WireDocument gives access to the document that was read.
func (w *Workspace) WireDocument() *wire.Document { return &w.doc }

// AfterDecodeWire takes the resource group from the id.
func (w *Workspace) AfterDecodeWire(d *wire.Decoding, _ *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	if id, err := ParseID(w.ID); err == nil {
		w.ResourceGroup = id.ResourceGroup
	}
}

// Kind tells workspaces apart.
type Kind string

// The kinds. The zero value is Default.
const (
	Default          Kind = "default"
	Hub              Kind = "hub"
	Project          Kind = "project"
	FeatureStoreKind Kind = "featurestore"
)

var kinds = wire.NewEnum("default", "Default", "hub", "Hub", "project", "Project", "featurestore", "FeatureStore").Open()

// WireEnum is the table of spellings.
func (Kind) WireEnum() *wire.Enum { return kinds }

// NetworkAccess is Enabled or Disabled.
type NetworkAccess string

// The accesses.
const (
	Enabled  NetworkAccess = "Enabled"
	Disabled NetworkAccess = "Disabled"
)

var networkAccesses = wire.SameEnum(string(Enabled), string(Disabled))

// WireEnum is the table of spellings.
func (NetworkAccess) WireEnum() *wire.Enum { return networkAccesses }

// ManagedNetwork is a virtual network that the service keeps for the workspace.
type ManagedNetwork struct {
	// IsolationMode is disabled, allow_internet_outbound or allow_only_approved_outbound.
	IsolationMode IsolationMode `yaml:"isolation_mode" json:"isolationMode"`
	// FirewallSKU is standard or basic.
	FirewallSKU string `yaml:"-" json:"firewallSku"`
	NetworkID   string `yaml:"network_id,ro" json:"networkId,ro"`
	// Rules by name, as the service has them.
	Rules  map[string]wire.Raw   `yaml:"-" json:"outboundRules"`
	Status *ManagedNetworkStatus `yaml:"-" json:"status,ro"`
}

var managedNetwork = wire.Layout{IgnoreUnknown: true}

// WireLayout lets the rules of YAML pass.
func (ManagedNetwork) WireLayout() *wire.Layout { return &managedNetwork }

// IsolationMode is what a managed network lets out.
type IsolationMode string

var isolationModes = wire.PascalEnum("disabled", "allow_internet_outbound", "allow_only_approved_outbound")

// WireEnum is the table of spellings.
func (IsolationMode) WireEnum() *wire.Enum { return isolationModes }

// ManagedNetworkStatus says whether a managed network is there.
type ManagedNetworkStatus struct {
	// Status is Active or Inactive.
	Status     string `yaml:"-" json:"status"`
	SparkReady bool   `yaml:"-" json:"sparkReady"`
}

// Serverless is where serverless jobs run.
type Serverless struct {
	// Subnet is a resource id.
	Subnet     string `yaml:"custom_subnet" json:"serverlessComputeCustomSubnet"`
	NoPublicIP bool   `yaml:"no_public_ip" json:"serverlessComputeNoPublicIP,keep"`
}

// Encryption is by a key of the customer.
type Encryption struct {
	// Status is Enabled or Disabled.
	Status string         `yaml:"-" json:"status"`
	Key    *EncryptionKey `yaml:"-" json:"keyVaultProperties"`
}

// EncryptionKey is a key in a key vault.
type EncryptionKey struct {
	VaultID string `yaml:"-" json:"keyVaultArmId"`
	KeyURI  string `yaml:"-" json:"keyIdentifier"`
	Client  string `yaml:"-" json:"identityClientId"`
}

// HubDefaults are what projects of a hub get.
type HubDefaults struct {
	ResourceGroup   string   `yaml:"-" json:"defaultWorkspaceResourceGroup"`
	StorageAccounts []string `yaml:"-" json:"additionalWorkspaceStorageAccounts"`
}

// FeatureStore is what makes a workspace a feature store.
type FeatureStore struct {
	SparkVersion      string `yaml:"-" json:"sparkVersion"`
	OfflineConnection string `yaml:"-" json:"offlineStoreConnectionName"`
	OnlineConnection  string `yaml:"-" json:"onlineStoreConnectionName"`
}

var featureStore = wire.Layout{At: wire.Table{"SparkVersion": "computeRuntime/sparkRuntimeVersion"}}

// WireLayout says where REST nests differently.
func (FeatureStore) WireLayout() *wire.Layout { return &featureStore }

// Notebook is the workspace's notebook service.
type Notebook struct {
	Host        string `yaml:"-" json:"fqdn"`
	ResourceID  string `yaml:"-" json:"resourceId"`
	PrivateLink bool   `yaml:"-" json:"isPrivateLinkEnabled"`
}
