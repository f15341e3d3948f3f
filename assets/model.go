package assets

import (
	"fmt"
	"os"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// ModelType is the format of a model.
type ModelType string

// The formats of models.
const (
	CustomModel ModelType = "custom_model"
	MLflowModel ModelType = "mlflow_model"
	TritonModel ModelType = "triton_model"
)

var modelTypes = wire.SameEnum("custom_model", "mlflow_model", "triton_model")

// WireEnum lists the spellings.
func (ModelType) WireEnum() *wire.Enum { return modelTypes }

// A Model is a file or folder that a job made or that was uploaded, under a name and version.
type Model struct {
	azureml.Meta
	// Name is required, except where the model stands inside a deployment.
	Name string `yaml:"name" json:"-"`
	// Version defaults to the next number.
	Version     string            `yaml:"version,text" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,text,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,text,null" json:"properties,keep"`
	// Type defaults to CustomModel.
	Type ModelType `yaml:"type" json:"modelType,default=custom_model"`
	// Path is a file or folder here, which is uploaded, or an address: azureml://jobs/JOB/outputs/NAME/paths/PATH,
	// azureml://datastores/NAME/paths/PATH, runs:/RUN/PATH, https://…
	Path  string `yaml:"path,local" json:"modelUri"`
	Stage string `yaml:"stage,empty" json:"stage"`
	// Flavors are those of an MLflow model, with their settings.
	Flavors Flavors `yaml:"flavors" json:"flavors"`
	// Datastore is where a local path is uploaded. Defaults to the workspace's blob store.
	Datastore string `yaml:"datastore" json:"-"`
	// DefaultTemplate and AllowedTemplates are deployment templates of a registry.
	DefaultTemplate  *TemplateRef   `yaml:"default_deployment_template" json:"defaultDeploymentTemplate"`
	AllowedTemplates []TemplateRef  `yaml:"allowed_deployment_templates" json:"allowedDeploymentTemplates"`
	SystemMetadata   map[string]any `yaml:"system_metadata" json:"systemMetadata"`
	AutoDelete       *AutoDelete    `yaml:"-" json:"autoDeleteSetting"`
	// JobName is the job that made it.
	JobName string `yaml:"job_name,ro" json:"jobName"`

	Anonymous bool `yaml:"-" json:"isAnonymous,keep"`
	Archived  bool `yaml:"-" json:"isArchived,keep"`
	// LatestVersion and NextVersion are set in lists of models.
	LatestVersion string `yaml:"latest_version,ro" json:"latestVersion,ro"`
	NextVersion   string `yaml:"-" json:"nextVersion,ro"`

	doc wire.Document
}

// TemplateRef names a deployment template.
type TemplateRef struct {
	AssetID string `yaml:"asset_id" json:"assetId"`
}

// Flavors are the ways to load an MLflow model: flavor → setting → value.
type Flavors map[string]map[string]any

// EncodeWire puts each flavor's settings below data in REST.
func (f Flavors) EncodeWire(e *wire.Encoding) (any, error) {
	if f == nil {
		return wire.Omit, nil
	}
	out := map[string]any{}
	for name, settings := range f {
		m, err := e.Value(settings)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if m == wire.Omit {
			m = map[string]any{}
		}
		if e.Spelling() == wire.REST {
			m = map[string]any{"data": m}
		}
		out[name] = m
	}
	return out, nil
}

// DecodeWire reads them.
func (f *Flavors) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if n.IsNull() {
		return
	}
	if n.Kind != wire.Mapping {
		d.Fault(n, "wants a mapping of flavors")
		return
	}
	*f = Flavors{}
	for _, e := range n.Entries {
		v := e.Value
		if d.Spelling() == wire.REST {
			if v = v.Get("data"); v == nil {
				continue
			}
		}
		if v.Kind != wire.Mapping {
			d.At(e.Key).Fault(v, "wants a mapping of the flavor's settings")
			continue
		}
		(*f)[e.Key], _ = v.Tree().(map[string]any)
	}
}

var modelLayout = wire.Layout{Name: "model", Base: "properties"}

// WireLayout says where REST nests differently.
func (Model) WireLayout() *wire.Layout { return &modelLayout }

// WireDocument keeps what was read.
func (m *Model) WireDocument() *wire.Document { return &m.doc }

// AfterDecodeWire takes name and version from the id.
func (m *Model) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &m.Name, &m.Version)
}

// ModelRef is the model's id when it is registered, else "".
func (m *Model) ModelRef() azureml.Ref { return azureml.Ref(m.ID) }

// ModelSource is what a deployment takes as its model: an azureml.Ref to one that exists, or a *Model that is registered when
// the deployment is made.
type ModelSource interface{ ModelRef() azureml.Ref }

var _ = wire.RegisterSum[ModelSource](&wire.Sum{
	Name: "model",
	Arms: []wire.Arm{wire.ArmOf[Model]("", "")},
	Text: func(d *wire.Decoding, n *wire.Node, s string) (any, bool) { return referenceText(d, n, s, "a model") },
	Pick: func(*wire.Decoding, *wire.Node) any { return &Model{} },
})

func (m *Model) kind() ModelType {
	if t, ok := modelTypes.Parse(string(m.Type)); ok {
		return ModelType(t)
	}
	if m.Type == "" {
		return CustomModel
	}
	return m.Type
}

// check says what is wrong with the model before anything is sent.
func (m *Model) check(f *faults) {
	if m.Name != "" {
		f.asset(m.Name, m.Version)
	} else if m.Version != "" {
		f.add("version", "a version needs a name; without one the model is anonymous")
	}
	t := m.kind()
	if _, ok := modelTypes.Parse(string(t)); !ok {
		f.add("type", "%q is none of custom_model, mlflow_model, triton_model", string(m.Type))
	}
	if m.Path == "" {
		f.add("path", "is required: a file or folder here, or an address such as azureml://jobs/JOB/outputs/NAME/paths/PATH")
		return
	}
	if !wire.IsLocalPath(m.Path) {
		last := m.Path[strings.LastIndexByte(m.Path, '/')+1:]
		if t == MLflowModel && strings.Contains(last, ".") {
			f.add("path", "%s looks like a file; a model of the type mlflow_model is a folder with a file MLmodel", m.Path)
		}
		if m.Name == "" {
			f.add("name", "is required")
		}
		return
	}
	info, err := os.Stat(localPath(m.Path))
	switch {
	case err != nil:
		f.local("path", m.Path, err)
	case t == MLflowModel && !info.IsDir():
		f.add("path", "%s is a file; a model of the type mlflow_model is a folder with a file MLmodel", m.Path)
	}
}

// Validate says what is wrong with the model, its local path included, as azureml.Faults. It makes no call.
func (m *Model) Validate() error {
	var f faults
	m.check(&f)
	return f.err("")
}
