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
	Description   string             `yaml:"description,empty" json:"description"`
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
	// NetworkACLs are the addresses that may come in while PublicNetworkAccess is Enabled.
	NetworkACLs *NetworkACLs `yaml:"network_acls" json:"networkAcls"`
	// DatastoresAuthMode is accessKey or identity: how the default datastores are opened.
	DatastoresAuthMode string          `yaml:"system_datastores_auth_mode" json:"systemDatastoresAuthMode"`
	DataIsolation      bool            `yaml:"enable_data_isolation" json:"enableDataIsolation"`
	ManagedNetwork     *ManagedNetwork `yaml:"managed_network" json:"managedNetwork"`
	// ProvisionNetwork makes the managed network with the workspace, not with the first compute in it.
	ProvisionNetwork bool `yaml:"provision_network_now" json:"provisionNetworkNow"`
	// AllowRoleAssignment lets the workspace's identity have roles for the whole resource group. Defaults to true.
	AllowRoleAssignment *bool        `yaml:"allow_roleassignment_on_rg" json:"allowRoleAssignmentOnRG"`
	Serverless          *Serverless  `yaml:"serverless_compute" json:"serverlessComputeSettings"`
	CustomerKey         *CustomerKey `yaml:"customer_managed_key" json:"encryption"`

	// Hub is the id of a project's hub. It makes the workspace a project.
	Hub string `yaml:"hub_id" json:"hubResourceId"`
	// OldHub is Hub by the name that it had.
	OldHub string `yaml:"workspace_hub" json:"-"`
	// DefaultResourceGroup is the id of the group that a hub's projects are made in.
	DefaultResourceGroup string `yaml:"default_resource_group" json:"defaultResourceGroup"`
	// HubStorageAccounts are the ids of further accounts of a hub.
	HubStorageAccounts []string `yaml:"-" json:"hubStorageAccounts"`

	// Runtime is what a feature store computes features with.
	Runtime ComputeRuntime `yaml:"compute_runtime" json:"computeRuntime"`
	// OfflineStore and OnlineStore keep the computed features. Without an OfflineStore one is made.
	OfflineStore *MaterializationStore `yaml:"offline_store" json:"-"`
	OnlineStore  *MaterializationStore `yaml:"online_store" json:"-"`
	// MaterializationIdentity computes features. Without one it is made.
	MaterializationIdentity *MaterializationIdentity `yaml:"materialization_identity" json:"-"`
	// OfflineConnection and OnlineConnection are names of connections to the stores.
	OfflineConnection string `yaml:"-" json:"offlineConnection"`
	OnlineConnection  string `yaml:"-" json:"onlineConnection"`

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
	Associated []string `yaml:"associated_workspaces,ro" json:"associatedWorkspaces,ro"`

	doc wire.Document
}

var workspaceLayout = wire.Layout{
	Name: "workspace",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "kind": "/kind", "location": "/location", "tags": "/tags", "identity": "/identity",
		"default_resource_group": "workspaceHubConfig/defaultWorkspaceResourceGroup", "HubStorageAccounts": "workspaceHubConfig/additionalWorkspaceStorageAccounts",
		"compute_runtime": "featureStoreSettings/computeRuntime", "OfflineConnection": "featureStoreSettings/offlineStoreConnectionName",
		"OnlineConnection": "featureStoreSettings/onlineStoreConnectionName",
	},
}

// WireLayout says where REST nests differently.
func (Workspace) WireLayout() *wire.Layout { return &workspaceLayout }

// WireDocument gives access to the document that was read.
func (w *Workspace) WireDocument() *wire.Document { return &w.doc }

// AfterDecodeWire takes the resource group from the id, and reports what a kind of workspace does not have.
func (w *Workspace) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		w.rules(d, n)
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

var kinds = wire.NewEnum("default", "Default", "hub", "Hub", "project", "Project", "featurestore", "FeatureStore")

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

// NetworkACLs are the addresses that may come in from the internet.
type NetworkACLs struct {
	DefaultAction ACLAction `yaml:"default_action,required" json:"defaultAction"`
	IPRules       []IPRule  `yaml:"ip_rules,null" json:"ipRules"`
}

// IPRule is an address or range: 10.0.0.0/24.
type IPRule struct {
	Value string `yaml:"value,required" json:"value"`
}

// ACLAction is what happens to addresses that no rule names.
type ACLAction string

// The actions.
const (
	Allow ACLAction = "Allow"
	Deny  ACLAction = "Deny"
)

var aclActions = wire.SameEnum(string(Allow), string(Deny))

// WireEnum is the table of spellings.
func (ACLAction) WireEnum() *wire.Enum { return aclActions }

// ManagedNetwork is a virtual network that the service keeps for the workspace.
type ManagedNetwork struct {
	// IsolationMode is disabled, allow_internet_outbound or allow_only_approved_outbound. Required.
	IsolationMode IsolationMode `yaml:"isolation_mode,required" json:"isolationMode"`
	// FirewallSKU is standard or basic. Defaults to standard.
	FirewallSKU FirewallSKU           `yaml:"firewall_sku" json:"firewallSku,default=standard"`
	NetworkID   string                `yaml:"network_id,ro" json:"networkId,ro"`
	Rules       OutboundRules         `yaml:"outbound_rules" json:"outboundRules,keep"`
	Status      *ManagedNetworkStatus `yaml:"-" json:"status,ro"`
}

var managedNetwork = wire.Layout{IgnoreUnknown: true}

// WireLayout lets further keys pass, as the reference does.
func (ManagedNetwork) WireLayout() *wire.Layout { return &managedNetwork }

// IsolationMode is what a managed network lets out.
type IsolationMode string

// The modes.
const (
	NoIsolation               IsolationMode = "disabled"
	AllowInternetOutbound     IsolationMode = "allow_internet_outbound"
	AllowOnlyApprovedOutbound IsolationMode = "allow_only_approved_outbound"
)

var isolationModes = wire.PascalEnum(string(NoIsolation), string(AllowInternetOutbound), string(AllowOnlyApprovedOutbound))

// WireEnum is the table of spellings.
func (IsolationMode) WireEnum() *wire.Enum { return isolationModes }

// FirewallSKU is the size of a managed network's firewall.
type FirewallSKU string

var firewallSKUs = wire.PascalEnum("standard", "basic")

// WireEnum is the table of spellings.
func (FirewallSKU) WireEnum() *wire.Enum { return firewallSKUs }

// ManagedNetworkStatus says whether a managed network is there.
type ManagedNetworkStatus struct {
	// Status is Active or Inactive.
	Status     string `yaml:"-" json:"status"`
	SparkReady bool   `yaml:"-" json:"sparkReady"`
}

// Serverless is where serverless jobs run.
type Serverless struct {
	// Subnet is a resource id.
	Subnet     string `yaml:"custom_subnet,null" json:"serverlessComputeCustomSubnet"`
	NoPublicIP bool   `yaml:"no_public_ip" json:"serverlessComputeNoPublicIP,keep"`
}

// CustomerKey encrypts with a key of the customer. The resources of CosmosDBID, StorageID and SearchID are used instead of
// those that the service makes.
type CustomerKey struct {
	// Status is Enabled or Disabled. Defaults to Enabled.
	Status string `yaml:"-" json:"status,default=Enabled"`
	// KeyVault is a resource id, KeyURI an address in it.
	KeyVault   string `yaml:"key_vault" json:"keyVaultArmId"`
	KeyURI     string `yaml:"key_uri" json:"keyIdentifier"`
	CosmosDBID string `yaml:"cosmosdb_id" json:"cosmosDbResourceId"`
	StorageID  string `yaml:"storage_id" json:"storageAccountResourceId"`
	SearchID   string `yaml:"search_id" json:"searchAccountResourceId"`
	// Identity is the client id that opens the vault.
	Identity string `yaml:"-" json:"identityClientId"`
}

var customerKey = wire.Layout{At: wire.Table{
	"key_vault": "keyVaultProperties/keyVaultArmId", "key_uri": "keyVaultProperties/keyIdentifier", "Identity": "keyVaultProperties/identityClientId",
}}

// WireLayout says where REST nests differently.
func (CustomerKey) WireLayout() *wire.Layout { return &customerKey }

// ComputeRuntime is what a feature store computes features with.
type ComputeRuntime struct {
	SparkVersion string `yaml:"spark_runtime_version" json:"sparkRuntimeVersion"`
}

// MaterializationStore keeps computed features.
type MaterializationStore struct {
	// Type is azure_data_lake_gen2 for the offline store, redis for the online one.
	Type string `yaml:"type,required" json:"-"`
	// Target is a resource id: of a container of a storage account, of a cache.
	Target string `yaml:"target,required" json:"-"`
}

// MaterializationIdentity is a managed identity that computes features.
type MaterializationIdentity struct {
	ResourceID  string `yaml:"resource_id" json:"-"`
	ClientID    string `yaml:"client_id" json:"-"`
	PrincipalID string `yaml:"principal_id" json:"-"`
}

// Notebook is the workspace's notebook service.
type Notebook struct {
	Host        string `yaml:"-" json:"fqdn"`
	ResourceID  string `yaml:"-" json:"resourceId"`
	PrivateLink bool   `yaml:"-" json:"isPrivateLinkEnabled"`
}
