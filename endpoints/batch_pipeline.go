package endpoints

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// PipelineBatchDeployment runs a pipeline for what its endpoint is given.
type PipelineBatchDeployment struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Endpoint    string             `yaml:"endpoint_name,required" json:"-"`
	Type        BatchType          `yaml:"type" json:"-"`
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags" json:"tags,keep"`
	Location    string             `yaml:"-" json:"location"`
	// Component is the pipeline's component: an azureml.Ref ("azureml:NAME:VERSION", "azureml:NAME@latest", an id), or a
	// *jobs.PipelineComponent that is registered when the deployment is made.
	Component jobs.ComponentSource `yaml:"component" json:"assetId"`
	// Job is a pipeline job that ran, "azureml:NAME", of which a component is made. Used when there is no Component.
	Job azureml.Ref `yaml:"job_definition" json:"-"`
	// Settings are those of the pipeline's jobs: default_compute, continue_on_step_failure, force_rerun …
	Settings map[string]any `yaml:"settings" json:"settings"`

	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	doc               wire.Document
}

var pipelineBatchDeployment = wire.Layout{
	Name: "batch deployment",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "tags": "/tags", "Location": "/location",
		"component": "deploymentConfiguration/componentId/assetId", "settings": "deploymentConfiguration/settings",
	},
	REST: wire.Fixed{
		"deploymentConfiguration/deploymentConfigurationType": "PipelineComponent", "deploymentConfiguration/componentId/referenceType": "Id",
		// What the reference's older model always sent.
		"errorThreshold": -1, "maxConcurrencyPerInstance": 1, "miniBatchSize": 10, "outputFileName": "predictions.csv",
	},
}

// WireLayout says where REST nests differently.
func (PipelineBatchDeployment) WireLayout() *wire.Layout { return &pipelineBatchDeployment }

// WireDocument gives access to the document that was read.
func (d *PipelineBatchDeployment) WireDocument() *wire.Document { return &d.doc }

// DeploymentName is Name.
func (d *PipelineBatchDeployment) DeploymentName() string { return d.Name }

// EndpointName is Endpoint.
func (d *PipelineBatchDeployment) EndpointName() string { return d.Endpoint }

// AfterEncodeWire names the kind in YAML.
func (d PipelineBatchDeployment) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		m["type"] = "pipeline"
	}
	return nil
}

// AfterDecodeWire takes the endpoint's name from the id.
func (d *PipelineBatchDeployment) AfterDecodeWire(dec *wire.Decoding, _ *wire.Node) {
	if dec.Spelling() == wire.REST {
		d.Endpoint = endpointOf(d.ID)
	}
}

func (d *PipelineBatchDeployment) check(op string) error {
	var f faults
	f.name("name", d.Name)
	f.name("endpoint_name", d.Endpoint)
	if d.Component == nil && d.Job == "" {
		f.add("component", "is required: a pipeline's component, or job_definition")
	}
	return f.err(op)
}

// OtherBatchDeployment is a deployment of a kind that this version does not know. Raw is its whole document.
type OtherBatchDeployment struct {
	Raw wire.Raw `yaml:"-" json:"."`
	doc wire.Document
}

var otherBatchDeployment = wire.Layout{Name: "batch deployment"}

// WireLayout is empty: Raw is the document.
func (OtherBatchDeployment) WireLayout() *wire.Layout { return &otherBatchDeployment }

// WireDocument gives access to the document that was read.
func (o *OtherBatchDeployment) WireDocument() *wire.Document { return &o.doc }

// DeploymentName is the document's name.
func (o *OtherBatchDeployment) DeploymentName() string {
	s, _ := o.Raw["name"].(string)
	return s
}

// EndpointName is taken from the document's id.
func (o *OtherBatchDeployment) EndpointName() string {
	s, _ := o.Raw["id"].(string)
	return endpointOf(s)
}
