package assets

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// The datastores that every workspace has.
const (
	BlobStore     = "workspaceblobstore"     // uploads, outputs of jobs
	ArtifactStore = "workspaceartifactstore" // logs, and what runs record
)

// A Datastore is a place for data that a workspace knows by name: a *BlobStorage, *FileShare, *DataLakeGen1, *DataLakeGen2,
// *OneLake, or *UnknownDatastore.
type Datastore interface {
	// DatastoreName is the name in the workspace.
	DatastoreName() string
	datastore() *datastoreFields
}

// datastoreFields are what all kinds have.
type datastoreFields struct {
	name        string
	credentials *Credentials
}

// BlobStorage is a container of a storage account.
type BlobStorage struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags,keep"`
	Account     string            `yaml:"account_name,required" json:"accountName"`
	Container   string            `yaml:"container_name,required" json:"containerName"`
	// Endpoint is the suffix of the account's host. Defaults to core.windows.net. A loopback address with a port is
	// addressed path style, as Azurite is.
	Endpoint string `yaml:"endpoint" json:"endpoint,default=core.windows.net"`
	// Protocol defaults to https.
	Protocol string `yaml:"protocol" json:"protocol,default=https"`
	// Credentials are the account's: AccountKey or SAS. Without them the identity of whoever reads is used.
	Credentials Credentials `yaml:"credentials" json:"credentials"`
	IsDefault   bool        `yaml:"-" json:"isDefault,ro"`

	doc wire.Document
}

// FileShare is a share of Azure Files.
type FileShare struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags,keep"`
	Account     string            `yaml:"account_name,required" json:"accountName"`
	Share       string            `yaml:"file_share_name,required" json:"fileShareName"`
	Endpoint    string            `yaml:"endpoint" json:"endpoint,default=core.windows.net"`
	Protocol    string            `yaml:"protocol" json:"protocol,default=https"`
	Credentials Credentials       `yaml:"credentials" json:"credentials"`
	IsDefault   bool              `yaml:"-" json:"isDefault,ro"`

	doc wire.Document
}

// DataLakeGen2 is a file system of an account with a hierarchical namespace.
type DataLakeGen2 struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags,keep"`
	Account     string            `yaml:"account_name,required" json:"accountName"`
	FileSystem  string            `yaml:"filesystem,required" json:"filesystem"`
	Endpoint    string            `yaml:"endpoint" json:"endpoint,default=core.windows.net"`
	Protocol    string            `yaml:"protocol" json:"protocol,default=https"`
	// Credentials are a service principal or certificate.
	Credentials Credentials `yaml:"credentials" json:"credentials"`
	IsDefault   bool        `yaml:"-" json:"isDefault,ro"`

	doc wire.Document
}

// DataLakeGen1 is a store of Azure Data Lake Storage Gen1.
type DataLakeGen1 struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags,keep"`
	Store       string            `yaml:"store_name,required" json:"storeName"`
	Credentials Credentials       `yaml:"credentials" json:"credentials"`
	IsDefault   bool              `yaml:"-" json:"isDefault,ro"`

	doc wire.Document
}

// OneLake is a lakehouse of Microsoft Fabric.
type OneLake struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags,keep"`
	Workspace   string            `yaml:"one_lake_workspace_name,required" json:"oneLakeWorkspaceName"`
	Endpoint    string            `yaml:"endpoint,required" json:"endpoint"`
	Artifact    OneLakeArtifact   `yaml:"artifact,required" json:"artifact"`
	Credentials Credentials       `yaml:"credentials" json:"credentials"`
	IsDefault   bool              `yaml:"-" json:"isDefault,ro"`

	doc wire.Document
}

// OneLakeArtifact is what a OneLake datastore points at.
type OneLakeArtifact struct {
	Name string `yaml:"name,required" json:"artifactName"`
	// Type defaults to lake_house, the only one.
	Type ArtifactType `yaml:"type" json:"artifactType,default=LakeHouse"`
}

// ArtifactType is the type of a OneLake artifact.
type ArtifactType string

// LakeHouse is the only type.
const LakeHouse ArtifactType = "lake_house"

var artifactTypes = wire.NewEnum("lake_house", "LakeHouse")

// WireEnum lists the spellings.
func (ArtifactType) WireEnum() *wire.Enum { return artifactTypes }

// UnknownDatastore is a kind that this version has no words for. Raw is its document.
type UnknownDatastore struct {
	Raw wire.Raw `yaml:"-" json:"."`

	doc wire.Document
}

var (
	blobStorageLayout  = wire.Layout{Name: "blob datastore", Base: "properties", YAML: wire.Fixed{"type": "azure_blob"}, REST: wire.Fixed{"datastoreType": "AzureBlob"}}
	fileShareLayout    = wire.Layout{Name: "file datastore", Base: "properties", YAML: wire.Fixed{"type": "azure_file"}, REST: wire.Fixed{"datastoreType": "AzureFile"}}
	dataLakeGen1Layout = wire.Layout{Name: "Data Lake Gen1 datastore", Base: "properties", YAML: wire.Fixed{"type": "azure_data_lake_gen1"}, REST: wire.Fixed{"datastoreType": "AzureDataLakeGen1"}}
	dataLakeGen2Layout = wire.Layout{Name: "Data Lake Gen2 datastore", Base: "properties", YAML: wire.Fixed{"type": "azure_data_lake_gen2"}, REST: wire.Fixed{"datastoreType": "AzureDataLakeGen2"}}
	oneLakeLayout      = wire.Layout{Name: "OneLake datastore", Base: "properties", YAML: wire.Fixed{"type": "one_lake"}, REST: wire.Fixed{"datastoreType": "OneLake"}}
	unknownLayout      = wire.Layout{Name: "datastore"}
)

var _ = wire.RegisterSum[Datastore](&wire.Sum{
	Name: "datastore", YAML: "type", REST: "properties/datastoreType",
	Arms: []wire.Arm{
		wire.ArmOf[BlobStorage]("azure_blob", "AzureBlob"), wire.ArmOf[FileShare]("azure_file", "AzureFile"),
		wire.ArmOf[DataLakeGen1]("azure_data_lake_gen1", "AzureDataLakeGen1"),
		wire.ArmOf[DataLakeGen2]("azure_data_lake_gen2", "AzureDataLakeGen2"), wire.ArmOf[OneLake]("one_lake", "OneLake"),
	},
	Unknown: func() any { return &UnknownDatastore{} },
})

// WireLayout says where REST nests differently.
func (BlobStorage) WireLayout() *wire.Layout { return &blobStorageLayout }

// WireLayout says where REST nests differently.
func (FileShare) WireLayout() *wire.Layout { return &fileShareLayout }

// WireLayout says where REST nests differently.
func (DataLakeGen1) WireLayout() *wire.Layout { return &dataLakeGen1Layout }

// WireLayout says where REST nests differently.
func (DataLakeGen2) WireLayout() *wire.Layout { return &dataLakeGen2Layout }

// WireLayout says where REST nests differently.
func (OneLake) WireLayout() *wire.Layout { return &oneLakeLayout }

// WireLayout says that the document is kept whole.
func (UnknownDatastore) WireLayout() *wire.Layout { return &unknownLayout }

// WireDocument keeps what was read.
func (s *BlobStorage) WireDocument() *wire.Document { return &s.doc }

// WireDocument keeps what was read.
func (s *FileShare) WireDocument() *wire.Document { return &s.doc }

// WireDocument keeps what was read.
func (s *DataLakeGen1) WireDocument() *wire.Document { return &s.doc }

// WireDocument keeps what was read.
func (s *DataLakeGen2) WireDocument() *wire.Document { return &s.doc }

// WireDocument keeps what was read.
func (s *OneLake) WireDocument() *wire.Document { return &s.doc }

// WireDocument keeps what was read.
func (s *UnknownDatastore) WireDocument() *wire.Document { return &s.doc }

// AfterDecodeWire takes the name from the id.
func (s *BlobStorage) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &s.Name, nil)
}

// AfterDecodeWire takes the name from the id.
func (s *FileShare) AfterDecodeWire(d *wire.Decoding, n *wire.Node) { identify(d, n, &s.Name, nil) }

// AfterDecodeWire takes the name from the id.
func (s *DataLakeGen1) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &s.Name, nil)
}

// AfterDecodeWire takes the name from the id.
func (s *DataLakeGen2) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &s.Name, nil)
}

// AfterDecodeWire takes the name from the id.
func (s *OneLake) AfterDecodeWire(d *wire.Decoding, n *wire.Node) { identify(d, n, &s.Name, nil) }

// DatastoreName is the name in the workspace.
func (s *BlobStorage) DatastoreName() string { return s.Name }

// DatastoreName is the name in the workspace.
func (s *FileShare) DatastoreName() string { return s.Name }

// DatastoreName is the name in the workspace.
func (s *DataLakeGen1) DatastoreName() string { return s.Name }

// DatastoreName is the name in the workspace.
func (s *DataLakeGen2) DatastoreName() string { return s.Name }

// DatastoreName is the name in the workspace.
func (s *OneLake) DatastoreName() string { return s.Name }

// DatastoreName is the name in the workspace.
func (s *UnknownDatastore) DatastoreName() string {
	name, _ := s.Raw["name"].(string)
	return name
}

func (s *BlobStorage) datastore() *datastoreFields {
	return &datastoreFields{s.Name, &s.Credentials}
}

func (s *FileShare) datastore() *datastoreFields {
	return &datastoreFields{s.Name, &s.Credentials}
}

func (s *DataLakeGen1) datastore() *datastoreFields {
	return &datastoreFields{s.Name, &s.Credentials}
}

func (s *DataLakeGen2) datastore() *datastoreFields {
	return &datastoreFields{s.Name, &s.Credentials}
}

func (s *OneLake) datastore() *datastoreFields {
	return &datastoreFields{s.Name, &s.Credentials}
}

func (s *UnknownDatastore) datastore() *datastoreFields {
	return &datastoreFields{name: s.DatastoreName(), credentials: &Credentials{}}
}

// AfterEncodeWire says that there are no credentials.
func (s BlobStorage) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	return noCredentials(e, m)
}

// AfterEncodeWire says that there are no credentials.
func (s FileShare) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	return noCredentials(e, m)
}

// AfterEncodeWire says that there are no credentials.
func (s DataLakeGen1) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	return noCredentials(e, m)
}

// AfterEncodeWire says that there are no credentials.
func (s DataLakeGen2) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	return noCredentials(e, m)
}

// AfterEncodeWire says that there are no credentials.
func (s OneLake) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	return noCredentials(e, m)
}

func noCredentials(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() == wire.REST && m["credentials"] == nil {
		m["credentials"] = e.Tag(map[string]any{"credentialsType": "None"}, "credentialsType")
	}
	return nil
}
