package endpoints

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// BatchEndpoint is an address that takes files to work through, and makes a job of its default deployment for them.
type BatchEndpoint struct {
	azureml.Meta
	// Name is part of the address: 3 to 32 letters, digits and dashes, unique in the region.
	Name        string             `yaml:"name,required" json:"name,ro"`
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags,typed" json:"tags,keep"`
	Properties  map[string]string  `yaml:"properties,typed" json:"properties,keep"`
	// Location is the workspace's, whatever it says.
	Location string `yaml:"location" json:"location"`
	// AuthMode is aad_token, the only one that batch endpoints have.
	AuthMode BatchAuthMode `yaml:"auth_mode" json:"authMode,default=aad_token"`
	Defaults BatchDefaults `yaml:"defaults" json:"defaults"`
	// Identity is read and not sent: the reference does not send it either.
	Identity *azureml.ResourceIdentity `yaml:"identity" json:"identity,ro"`

	// ScoringURI is where jobs are asked for.
	ScoringURI        string `yaml:"scoring_uri,ro" json:"scoringUri,ro"`
	SwaggerURI        string `yaml:"openapi_uri,ro" json:"swaggerUri,ro"`
	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	doc               wire.Document
}

// BatchDefaults are what a request gets that does not say.
type BatchDefaults struct {
	// Deployment is the name of the deployment that is asked.
	Deployment string `yaml:"deployment_name" json:"deploymentName"`
}

var batchEndpoint = wire.Layout{
	Name: "batch endpoint",
	Base: "properties",
	At:   wire.Table{"name": "/name", "tags": "/tags", "location": "/location", "identity": "/identity"},
}

// WireLayout says where REST nests differently.
func (BatchEndpoint) WireLayout() *wire.Layout { return &batchEndpoint }

// WireDocument gives access to the document that was read.
func (e *BatchEndpoint) WireDocument() *wire.Document { return &e.doc }

// BatchAuthMode is how a batch endpoint knows who asks.
type BatchAuthMode string

// BatchAADToken is the caller's own Entra token.
const BatchAADToken BatchAuthMode = "aad_token"

// The reference sends aadToken, and the service answers AADToken.
var batchAuthModes = wire.CamelEnum(string(BatchAADToken), "key", "aml_token")

// WireEnum is the table of spellings.
func (BatchAuthMode) WireEnum() *wire.Enum { return batchAuthModes }

func (e *BatchEndpoint) check(op string) error {
	var f faults
	f.name("name", e.Name)
	return f.err(op)
}
