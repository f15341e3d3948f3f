package workspace

import (
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Connection is the address of something outside the workspace, with the credentials for it.
type Connection struct {
	azureml.Meta
	Name        string         `yaml:"name,required" json:"name,ro"`
	Type        ConnectionType `yaml:"type,required" json:"category"`
	Description string         `yaml:"description" json:"-"`
	// Target is the address. Types of connections have names of their own for it in YAML: url, endpoint, azure_endpoint,
	// api_base. ConnectionOpenAI and ConnectionSerp need none.
	Target string `yaml:"target" json:"target"`
	// Credentials are refused or replaced by AAD where the type does not take them. The services answer them without
	// secrets: see ConnectionsClient.Secrets.
	Credentials ConnectionCredentials `yaml:"credentials" json:"credentials"`
	// Shared lets the other projects of a hub use the connection. Defaults to true.
	Shared *bool `yaml:"is_shared" json:"isSharedToAll,default=true"`
	// Metadata are further settings. Values are text for the services.
	Metadata map[string]any `yaml:"metadata" json:"metadata,keep"`
	// Tags are sent with Metadata, which wins.
	Tags map[string]any `yaml:"tags" json:"-"`

	// APIVersion is that of ConnectionAzureOpenAI.
	APIVersion string `yaml:"api_version" json:"-"`
	// ResourceID is the resource of ConnectionAzureOpenAI and, where it is required, of ConnectionAIServices.
	ResourceID string `yaml:"resource_id" json:"-"`
	// Account and Container are those of ConnectionBlob, which requires them.
	Account   string `yaml:"account_name" json:"-"`
	Container string `yaml:"container_name" json:"-"`

	// Group is what the service counts the type among: Azure, AzureAI, Database, File, …
	Group string `yaml:"-" json:"group,ro"`
	// CreatedBy is the id of the workspace that made the connection, for one that a project has from its hub.
	CreatedBy string `yaml:"-" json:"createdByWorkspaceArmId,ro"`
	// Expires is when the credentials end.
	Expires time.Time `yaml:"-" json:"expiryTime"`

	doc wire.Document
}

var connectionLayout = wire.Layout{Name: "connection", Base: "properties", At: wire.Table{"name": "/name", "credentials": "."}}

// WireLayout says where REST nests differently.
func (Connection) WireLayout() *wire.Layout { return &connectionLayout }

// WireDocument gives access to the document that was read.
func (c *Connection) WireDocument() *wire.Document { return &c.doc }

// ConnectionType is what a connection leads to.
type ConnectionType string

// The types of connections. Others that services answer are kept as they are spelt.
const (
	ConnectionGit               ConnectionType = "git"
	ConnectionContainerRegistry ConnectionType = "container_registry"
	ConnectionPythonFeed        ConnectionType = "python_feed"
	ConnectionS3                ConnectionType = "s3"
	ConnectionSnowflake         ConnectionType = "snowflake"
	ConnectionAzureSQL          ConnectionType = "azure_sql_db"
	ConnectionSynapse           ConnectionType = "azure_synapse_analytics"
	ConnectionMySQL             ConnectionType = "azure_my_sql_db"
	ConnectionPostgres          ConnectionType = "azure_postgres_db"
	ConnectionCustom            ConnectionType = "custom"
	ConnectionDataLakeGen2      ConnectionType = "azure_data_lake_gen2"
	ConnectionBlob              ConnectionType = "azure_blob"
	ConnectionOneLake           ConnectionType = "azure_one_lake"
	ConnectionAzureOpenAI       ConnectionType = "azure_open_ai"
	ConnectionAIServices        ConnectionType = "azure_ai_services"
	ConnectionAISearch          ConnectionType = "azure_ai_search"
	ConnectionContentSafety     ConnectionType = "azure_content_safety"
	ConnectionSpeech            ConnectionType = "azure_speech_services"
	ConnectionAPIKey            ConnectionType = "api_key"
	ConnectionOpenAI            ConnectionType = "open_ai"
	ConnectionSerp              ConnectionType = "serp"
	ConnectionServerless        ConnectionType = "serverless"
)

var connectionTypes = wire.NewEnum(
	"git", "Git", "container_registry", "ContainerRegistry", "python_feed", "PythonFeed", "s3", "S3", "snowflake", "Snowflake",
	"azure_sql_db", "AzureSqlDb", "azure_synapse_analytics", "AzureSynapseAnalytics", "azure_my_sql_db", "AzureMySqlDb",
	"azure_postgres_db", "AzurePostgresDb", "custom", "CustomKeys", "azure_data_lake_gen2", "ADLSGen2", "azure_blob", "AzureBlob",
	"azure_one_lake", "AzureOneLake", "azure_open_ai", "AzureOpenAi", "azure_ai_services", "AIServices",
	"azure_ai_search", "CognitiveSearch", "azure_content_safety", "CognitiveService", "azure_speech_services", "CognitiveService",
	"api_key", "ApiKey", "open_ai", "OpenAi", "serp", "Serp", "serverless", "Serverless",
)

// WireEnum is the table of spellings.
func (ConnectionType) WireEnum() *wire.Enum { return connectionTypes }

// category is the type's name in REST.
func (t ConnectionType) category() string {
	s, _ := connectionTypes.RESTValue(string(t)).(string) // all values of the table are text
	return s
}

// cognitiveKinds tell apart what REST calls CognitiveService, in the metadata Kind.
var cognitiveKinds = map[ConnectionType]string{ConnectionContentSafety: "Content Safety", ConnectionSpeech: "speech"}

// metadataFields are the fields that stand in a type's metadata in REST.
func (c *Connection) metadataFields() map[string]*string {
	switch c.Type {
	case ConnectionAzureOpenAI:
		return map[string]*string{"ApiVersion": &c.APIVersion, "ResourceId": &c.ResourceID}
	case ConnectionAIServices:
		return map[string]*string{"ResourceId": &c.ResourceID}
	case ConnectionBlob:
		return map[string]*string{"AccountName": &c.Account, "ContainerName": &c.Container}
	}
	return nil
}

// AfterEncodeWire puts tags and the fields of single types into the metadata.
func (c Connection) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		return nil
	}
	meta := map[string]any{}
	for _, more := range []map[string]any{c.Tags, c.Metadata} {
		for k, v := range more {
			x, err := e.Value(v)
			if err != nil {
				return err
			}
			if x == wire.Omit { // null
				x = nil
			}
			meta[k] = x
		}
	}
	for k, v := range c.metadataFields() {
		if *v != "" {
			meta[k] = *v
		}
	}
	if kind := cognitiveKinds[c.Type]; kind != "" {
		meta["Kind"] = kind
	}
	if _, given := meta["ApiType"]; !given && c.Type == ConnectionAzureOpenAI {
		meta["ApiType"] = "Azure"
	}
	m["metadata"] = meta
	return nil
}

// AfterDecodeWire takes the fields of single types out of the metadata.
func (c *Connection) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	if c.Type.category() == ConnectionSpeech.category() {
		kind, _ := c.Metadata["Kind"].(string)
		c.Type = ConnectionType(ConnectionSpeech.category())
		for t, k := range cognitiveKinds {
			if strings.EqualFold(k, kind) {
				c.Type = t
				delete(c.Metadata, "Kind")
			}
		}
	}
	for k, field := range c.metadataFields() {
		if s, ok := c.Metadata[k].(string); ok {
			*field = s
			delete(c.Metadata, k)
		}
	}
	if c.Type == ConnectionAzureOpenAI && c.Metadata["ApiType"] == "Azure" {
		delete(c.Metadata, "ApiType")
	}
	if len(c.Metadata) == 0 {
		c.Metadata = nil
	}
}
