package endpoints

import (
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// DeploymentTemplate is a deployment of a registry's models with everything set but the model.
type DeploymentTemplate struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"name,ro"`
	Version     string            `yaml:"version,required,text" json:"version,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,typed" json:"tags"`
	// Stage is Development, Production or Archived.
	Stage assets.Stage `yaml:"-" json:"stage"`
	// Type is taken from YAML and not sent.
	Type string `yaml:"type" json:"-"`
	// TemplateType is managed.
	TemplateType string `yaml:"deployment_template_type" json:"deploymentTemplateType"`
	// Environment is one of the registry: azureml://registries/REGISTRY/environments/NAME/versions/VERSION.
	Environment azureml.Ref       `yaml:"environment" json:"environmentId"`
	Variables   map[string]string `yaml:"environment_variables,text" json:"environmentVariables"`
	// Overrides are the variables that deployments may set otherwise.
	Overrides     []string          `yaml:"-" json:"allowedEnvironmentVariableOverrides"`
	Requests      *TemplateRequests `yaml:"request_settings" json:"requestSettings"`
	Liveness      *TemplateProbe    `yaml:"liveness_probe" json:"livenessProbe"`
	Readiness     *TemplateProbe    `yaml:"readiness_probe" json:"readinessProbe"`
	InstanceCount int               `yaml:"instance_count" json:"instanceCount"`
	// InstanceType is the default among InstanceTypes, the sizes of machines that deployments may have.
	InstanceType  string           `yaml:"default_instance_type" json:"defaultInstanceType"`
	InstanceTypes []string         `yaml:"allowed_instance_types" json:"allowedInstanceTypes"`
	ScoringPath   string           `yaml:"scoring_path" json:"scoringPath"`
	ScoringPort   int              `yaml:"scoring_port" json:"scoringPort"`
	MountPath     string           `yaml:"model_mount_path" json:"modelMountPath"`
	Accelerators  []AcceleratorMap `yaml:"accelerator_maps" json:"acceleratorMaps"`

	doc wire.Document
}

// TemplateRequests bound requests to a deployment.
type TemplateRequests struct {
	Timeout       azureml.Duration `yaml:"request_timeout_ms,ms" json:"requestTimeout"`
	MaxConcurrent int              `yaml:"max_concurrent_requests_per_instance" json:"maxConcurrentRequestsPerInstance"`
}

// TemplateProbe says how a container's health is asked for.
type TemplateProbe struct {
	Probe
	Scheme string `yaml:"scheme" json:"scheme"`
	Method string `yaml:"method" json:"httpMethod"`
	Path   string `yaml:"path" json:"path"`
	Port   int    `yaml:"port" json:"port"`
}

// AcceleratorMap says how many accelerators of a kind an instance of the model needs.
type AcceleratorMap struct {
	// Type is such as H100_80GB.
	Type    string `yaml:"accelerator_type,required" json:"acceleratorType"`
	Number  int    `yaml:"number_of_accelerators_per_model_instance,required" json:"numberOfAcceleratorsPerModelInstance,keep"`
	Default *bool  `yaml:"default" json:"default"`
}

var deploymentTemplate = wire.Layout{Name: "deployment template", At: wire.Table{"name": "/name", "version": "/version"}}

// WireLayout names the kind.
func (DeploymentTemplate) WireLayout() *wire.Layout { return &deploymentTemplate }

// WireDocument gives access to the document that was read.
func (t *DeploymentTemplate) WireDocument() *wire.Document { return &t.doc }

// AfterEncodeWire says the machines twice, as the service wants it, and the environment as it is in the registry.
func (t DeploymentTemplate) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		return nil
	}
	if l, ok := m["allowedInstanceTypes"]; ok {
		m["allowedInstanceType"] = l
	}
	if s, ok := m["environmentId"].(string); ok && !strings.HasPrefix(s, "azureml://") {
		m["environmentId"] = strings.TrimPrefix(s, "azureml:")
	}
	return nil
}

// AfterDecodeWire takes name and version from the id, and machines from the other name that they have.
func (t *DeploymentTemplate) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	if _, rest, ok := strings.Cut(t.ID, "/deploymenttemplates/"); ok {
		if name, version, ok := strings.Cut(rest, "/versions/"); ok {
			t.Name, t.Version = name, version
		}
	}
	if other := n.Get("allowedInstanceType"); t.InstanceTypes == nil && other != nil && other.Kind == wire.Sequence {
		d.Into(other, &t.InstanceTypes)
	}
}

// Validate says what is wrong with the template, as azureml.Faults. It makes no call.
func (t *DeploymentTemplate) Validate() error {
	var f faults
	for _, need := range []struct{ field, value string }{{"name", t.Name}, {"version", t.Version}} {
		switch {
		case need.value == "":
			f.add(need.field, "is required")
		case strings.ContainsAny(need.value, "/\\?#"):
			f.add(need.field, "%q is no %s", need.value, need.field)
		}
	}
	if len(f.list) == 0 {
		return nil
	}
	return f.list
}
