package arm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Names that canonical documents carry. They are Azure's; the HTTP edge rewrites them to the listener's address.
const (
	Provider = "Microsoft.MachineLearningServices"
	Region   = "eastus"

	ARMHost       = "management.azure.com"
	APIHost       = Region + ".api.azureml.ms"
	BlobSuffix    = "blob.core.windows.net"
	StorageSuffix = "core.windows.net"
	InferenceHost = Region + ".inference.ml.azure.com"
	RegistryHost  = "cert-" + Region + ".experiments.azureml.net"
	StudioHost    = "ml.azure.com"

	Tenant = "00000000-0000-0000-0000-00000000a2e1" // the tenant that tokens and workspaces name
	User   = "00000000-0000-0000-0000-00000000a2e2" // the object id of the one caller
)

// Collections under a workspace, in the spelling of canonical ids.
const (
	Workspaces      = "workspaces"
	Registries      = "registries"
	Datastores      = "datastores"
	Computes        = "computes"
	Jobs            = "jobs"
	Schedules       = "schedules"
	Codes           = "codes"
	Data            = "data"
	Models          = "models"
	Environments    = "environments"
	Components      = "components"
	Featuresets     = "featuresets"
	FeatureEntities = "featurestoreEntities"
	Indexes         = "indexes"
	Versions        = "versions"
	Labels          = "labels"
	OnlineEndpoints = "onlineEndpoints"
	BatchEndpoints  = "batchEndpoints"
	Deployments     = "deployments"
)

// DefaultComponentVersion stands for the newest version of a component.
const DefaultComponentVersion = "azureml_default"

// The datastores that each workspace is born with.
const (
	BlobStore     = "workspaceblobstore" // the default datastore
	ArtifactStore = "workspaceartifactstore"
	FileStore     = "workspacefilestore"
	WorkStore     = "workspaceworkingdirectory"
)

// ArtifactContainer is the blob container behind workspaceartifactstore: run artifacts and logs.
const ArtifactContainer = "azureml"

// Scope names a workspace.
type Scope struct{ Subscription, ResourceGroup, Workspace string }

// Key is the workspace's key in every store, case folded: "sub/rg/ws".
func (s Scope) Key() string {
	return strings.ToLower(s.Subscription + "/" + s.ResourceGroup + "/" + s.Workspace)
}

// ID is the workspace's resource id.
func (s Scope) ID() string {
	return "/subscriptions/" + s.Subscription + "/resourceGroups/" + s.ResourceGroup + "/providers/" + Provider + "/" + Workspaces + "/" + s.Workspace
}

// Child is the id of a resource below the workspace: Child("jobs", "j") or Child("data", "d", "versions", "1").
func (s Scope) Child(segments ...string) string {
	return s.ID() + "/" + strings.Join(segments, "/")
}

// AssetID is the id of one version of an asset.
func (s Scope) AssetID(collection, name, version string) string {
	return s.Child(collection, name, Versions, version)
}

// DatastoreURI is the long form of an address in one of the workspace's datastores.
func (s Scope) DatastoreURI(datastore, path string) string {
	return "azureml://subscriptions/" + s.Subscription + "/resourcegroups/" + s.ResourceGroup + "/workspaces/" + s.Workspace + "/datastores/" + datastore + "/paths/" + strings.TrimPrefix(path, "/")
}

// TrackingURI is what the workspace's mlFlowTrackingUri says.
func (s Scope) TrackingURI() string { return "azureml://" + APIHost + "/mlflow/v1.0" + s.ID() }

// StudioURL is the page that the studio of Azure would show for a run.
func (s Scope) StudioURL(run string) string {
	return "https://" + StudioHost + "/runs/" + run + "?wsid=" + s.ID() + "&tid=" + Tenant
}

func (s Scope) sum() []byte {
	h := sha256.Sum256([]byte(s.Key()))
	return h[:]
}

// Account is the workspace's storage account.
func (s Scope) Account() string { return "amllocal" + hex.EncodeToString(s.sum()[:4]) }

// WorkspaceID is the workspace's guid.
func (s Scope) WorkspaceID() string {
	b := append([]byte(nil), s.sum()[4:20]...)
	b[6] = b[6]&0x0f | 0x80 // version 8: made from a hash of our own
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// BlobContainer is the container behind workspaceblobstore.
func (s Scope) BlobContainer() string { return "azureml-blobstore-" + s.WorkspaceID() }

// FileContainer is the container that stands for the share behind workspacefilestore.
func (s Scope) FileContainer() string { return "azureml-filestore-" + s.WorkspaceID() }

// WorkContainer is the container that stands for the share behind workspaceworkingdirectory.
func (s Scope) WorkContainer() string { return "code-" + s.WorkspaceID() }

// RunPrefix is the folder of a run in ArtifactContainer, without a slash at its end.
func RunPrefix(run string) string { return "ExperimentRun/dcid." + run }

// OutputPrefix is where a job's named output lies in the workspace's default datastore when the job names no address, with a slash at its end.
func OutputPrefix(job, output string) string { return "azureml/" + job + "/" + output + "/" }

// BlobURL is the canonical address of a blob, a folder, or (name empty) a container.
func BlobURL(account, container, name string) string {
	u := "https://" + account + "." + BlobSuffix + "/" + container
	if name != "" {
		u += "/" + name
	}
	return u
}
