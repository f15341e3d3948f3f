package endpoints

import (
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// OnlineDeployment is a model with what runs it, on some machines behind an online endpoint.
type OnlineDeployment struct {
	azureml.Meta
	// Name has 3 to 32 letters, digits and dashes.
	Name string `yaml:"name,required" json:"name,ro"`
	// Endpoint is the name of the endpoint, which exists.
	Endpoint string `yaml:"endpoint_name,required" json:"-"`
	// Type defaults to Managed.
	Type        ComputeType        `yaml:"type" json:"endpointComputeType,default=Managed"`
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags,typed" json:"tags,keep"`
	Properties  map[string]any     `yaml:"properties" json:"properties,keep"`
	Location    string             `yaml:"-" json:"location"`
	// Model is a reference, or a *assets.Model that is registered when the deployment is made.
	Model assets.ModelSource `yaml:"model" json:"model"`
	// Code is what scores. MLflow models, and environments with a server of their own, need none.
	Code *CodeConfiguration `yaml:"code_configuration" json:"codeConfiguration"`
	// Environment is a reference, or a *assets.Environment that is registered when the deployment is made.
	Environment assets.EnvironmentSource `yaml:"environment" json:"environmentId"`
	Variables   map[string]string        `yaml:"environment_variables,typed" json:"environmentVariables,keep"`
	// ModelMountPath is where the model is in the container. Defaults to a folder that AZUREML_MODEL_DIR names.
	ModelMountPath string `yaml:"model_mount_path" json:"modelMountPath"`
	// InstanceType is the size of a machine; on Kubernetes the name of an instance type.
	InstanceType string `yaml:"instance_type" json:"instanceType"`
	// InstanceCount is the number of machines. Defaults to what the service takes, which is 1.
	InstanceCount int              `yaml:"instance_count" json:"capacity"`
	Scale         ScaleSettings    `yaml:"scale_settings" json:"scaleSettings"`
	Requests      *RequestSettings `yaml:"request_settings" json:"requestSettings"`
	Liveness      *Probe           `yaml:"liveness_probe" json:"livenessProbe"`
	Readiness     *Probe           `yaml:"readiness_probe" json:"readinessProbe"`
	Resources     *ContainerLimits `yaml:"resources" json:"containerResourceRequirements"` // Kubernetes only
	AppInsights   bool             `yaml:"app_insights_enabled" json:"appInsightsEnabled,keep"`
	Egress        NetworkAccess    `yaml:"egress_public_network_access" json:"egressPublicNetworkAccess"` // Managed only
	Private       bool             `yaml:"private_network_connection" json:"privateNetworkConnection"`    // Managed only
	DataCollector *DataCollector   `yaml:"data_collector" json:"dataCollector"`

	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	doc               wire.Document
}

var onlineDeployment = wire.Layout{
	Name: "online deployment",
	Base: "properties",
	At:   wire.Table{"name": "/name", "tags": "/tags", "Location": "/location", "instance_count": "/sku/capacity"},
	REST: wire.Fixed{"/sku/name": "Default"},
}

// WireLayout says where REST nests differently.
func (OnlineDeployment) WireLayout() *wire.Layout { return &onlineDeployment }

// WireDocument gives access to the document that was read.
func (d *OnlineDeployment) WireDocument() *wire.Document { return &d.doc }

// AfterEncodeWire says a private connection twice, as the service wants it.
func (d OnlineDeployment) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if p, ok := m["properties"].(map[string]any); ok && d.Private && e.Spelling() == wire.REST {
		p["private-network-connection"] = true
	}
	return nil
}

// AfterDecodeWire takes the endpoint's name from the id.
func (d *OnlineDeployment) AfterDecodeWire(dec *wire.Decoding, n *wire.Node) {
	if dec.Spelling() == wire.REST {
		d.Endpoint = endpointOf(d.ID)
		return
	}
	if dec.Strict() && d.InstanceType == "" && d.Type != Kubernetes {
		dec.At("instance_type").Fault(n, "is required for managed deployments, such as Standard_DS3_v2")
	}
}

// ComputeType is what a deployment runs on.
type ComputeType string

// The types.
const (
	Managed    ComputeType = "managed"
	Kubernetes ComputeType = "kubernetes"
)

var computeTypes = wire.PascalEnum(string(Managed), string(Kubernetes))

// WireEnum is the table of spellings.
func (ComputeType) WireEnum() *wire.Enum { return computeTypes }

// CodeConfiguration is a folder with a script that has the functions init and run.
type CodeConfiguration struct {
	// Code is a folder here, or uploaded before.
	Code jobs.Code `yaml:"code" json:"codeId"`
	// ScoringScript is its path in the folder.
	ScoringScript string `yaml:"scoring_script" json:"scoringScript"`
}

// ScaleSettings say who changes the number of machines. The zero value leaves it to the service.
type ScaleSettings struct {
	// Default keeps InstanceCount.
	Default *DefaultScale `yaml:"default" json:"Default"`
	// TargetUtilization grows and shrinks with the load. Kubernetes only.
	TargetUtilization *TargetUtilization `yaml:"target_utilization" json:"TargetUtilization"`
	Other             wire.Raw           `yaml:"-" json:"*"`
}

var scaleSettings = wire.Union{YAML: "type", REST: "scaleType"}

// WireUnion describes the one-of.
func (ScaleSettings) WireUnion() *wire.Union { return &scaleSettings }

// DefaultScale has no fields.
type DefaultScale struct{}

// TargetUtilization is autoscaling by load.
type TargetUtilization struct {
	MinInstances    int           `yaml:"min_instances" json:"minInstances"`
	MaxInstances    int           `yaml:"max_instances" json:"maxInstances"`
	PollingInterval time.Duration `yaml:"polling_interval,seconds" json:"pollingInterval"`
	// Percentage is the load of CPUs that is aimed at.
	Percentage int `yaml:"target_utilization_percentage" json:"targetUtilizationPercentage"`
}

// RequestSettings bound requests to a deployment.
type RequestSettings struct {
	// Timeout defaults to 5 s, and is at most 180 s on managed endpoints.
	Timeout time.Duration `yaml:"request_timeout_ms,ms" json:"requestTimeout"`
	// MaxConcurrent is how many requests an instance works on at once. Defaults to 1.
	MaxConcurrent int `yaml:"max_concurrent_requests_per_instance" json:"maxConcurrentRequestsPerInstance"`
	// MaxQueueWait is how long a request waits for its turn.
	MaxQueueWait time.Duration `yaml:"max_queue_wait_ms,ms" json:"maxQueueWait"`
}

// Probe says how a container's health is asked for.
type Probe struct {
	InitialDelay     time.Duration `yaml:"initial_delay,seconds" json:"initialDelay"`
	Period           time.Duration `yaml:"period,seconds" json:"period"`
	Timeout          time.Duration `yaml:"timeout,seconds" json:"timeout"`
	SuccessThreshold int           `yaml:"success_threshold" json:"successThreshold"`
	FailureThreshold int           `yaml:"failure_threshold" json:"failureThreshold"`
}

// ContainerLimits are what a container gets on Kubernetes.
type ContainerLimits struct {
	Requests *ContainerResources `yaml:"requests" json:"containerResourceRequests"`
	Limits   *ContainerResources `yaml:"limits" json:"containerResourceLimits"`
}

// ContainerResources are quantities as Kubernetes writes them: "0.5", "1Gi".
type ContainerResources struct {
	CPU    string `yaml:"cpu" json:"cpu"`
	Memory string `yaml:"memory" json:"memory"`
	// GPU is a number of devices. YAML may call it nvidia.com/gpu.
	GPU string `yaml:"gpu" json:"gpu"`
}

// EncodeWire writes the fields.
func (r ContainerResources) EncodeWire(e *wire.Encoding) (any, error) { return e.Plain(r) }

// DecodeWire reads the fields, the device also by its name in Kubernetes.
func (r *ContainerResources) DecodeWire(d *wire.Decoding, n *wire.Node) {
	const device = "nvidia.com/gpu"
	if n.Has(device) {
		n = n.With("gpu", n.Get(device)).Without(device)
	}
	d.Plain(n, r)
}

// check finds what the service would refuse.
func (d *OnlineDeployment) check(op string) error {
	var f faults
	f.name("name", d.Name)
	f.name("endpoint_name", d.Endpoint)
	managed := d.Type != Kubernetes
	if managed && d.InstanceType == "" {
		f.add("instance_type", "is required for managed deployments, such as Standard_DS3_v2")
	}
	if d.InstanceCount < 0 {
		f.add("instance_count", "is %d; 1 or more is wanted", d.InstanceCount)
	}
	if managed && d.Scale.TargetUtilization != nil {
		f.add("scale_settings.type", "target_utilization is for Kubernetes; managed deployments are scaled by Azure Monitor")
	}
	if managed && d.Resources != nil {
		f.add("resources", "is for Kubernetes; a managed deployment gets what instance_type has")
	}
	if !managed && (d.Egress != "" || d.Private) {
		f.add("egress_public_network_access", "is for managed deployments")
	}
	checkCode(&f, d.Code)
	d.DataCollector.check(&f)
	return f.err(op)
}
