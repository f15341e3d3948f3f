package assets

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// ModelPackage asks for an environment that holds a model with all that it takes to serve it: see ModelClient.BeginPackage.
type ModelPackage struct {
	// Model is what is packaged: azureml:NAME:VERSION, or an id. In az it stands beside the file, not in it.
	Model azureml.Ref `yaml:"-" json:"-"`
	// Target is the environment that is made: NAME, or azureml:NAME:VERSION. Required.
	Target PackageTarget `yaml:"target_environment,required" json:"targetEnvironmentId"`
	// Base is the environment that it is made from. MLflow models need none.
	Base   *PackageBase  `yaml:"base_environment_source" json:"baseEnvironmentSource"`
	Server PackageServer `yaml:"inferencing_server,required" json:"inferencingServer"`
	// Configuration says how the model comes into the environment.
	Configuration *PackageConfiguration `yaml:"model_configuration" json:"modelConfiguration"`
	Inputs        []PackageInput        `yaml:"inputs" json:"inputs"`
	Tags          map[string]string     `yaml:"tags,typed" json:"tags"`
	Variables     map[string]string     `yaml:"environment_variables,text" json:"environmentVariables"`
}

var modelPackageLayout = wire.Layout{Name: "model package"}

// WireLayout names the kind.
func (ModelPackage) WireLayout() *wire.Layout { return &modelPackageLayout }

// PackageTarget is the name of an environment to be made.
type PackageTarget string

// EncodeWire writes it.
func (t PackageTarget) EncodeWire(*wire.Encoding) (any, error) { return string(t), nil }

// DecodeWire reads a name, or a mapping with one.
func (t *PackageTarget) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if n != nil && n.Kind == wire.Mapping && d.Spelling() == wire.YAML {
		var m struct {
			Name string `yaml:"name,required" json:"-"`
		}
		d.Into(n, &m)
		*t = PackageTarget(m.Name)
		return
	}
	if s, ok := d.Text(n); ok {
		*t = PackageTarget(s)
	}
}

// PackageBase is an environment to begin with.
type PackageBase struct {
	// Type is environment_asset.
	Type     string      `yaml:"type,required" json:"baseEnvironmentSourceType"`
	Resource azureml.Ref `yaml:"resource_id" json:"resourceId"`
}

// PackageServer is the program that serves the model. Exactly one field is set.
type PackageServer struct {
	Online *AzureMLServer   `yaml:"azureml_online" json:"AzureMLOnline"`
	Batch  *AzureMLServer   `yaml:"azureml_batch" json:"AzureMLBatch"`
	Custom *InferenceServer `yaml:"custom" json:"Custom"`
	Triton *InferenceServer `yaml:"triton" json:"Triton"`
	Other  wire.Raw
}

var packageServer = wire.Union{YAML: "type", REST: "serverType"}

// WireUnion says how the kinds are told apart.
func (PackageServer) WireUnion() *wire.Union { return &packageServer }

// AzureMLServer is the service's own server. MLflow models need no code.
type AzureMLServer struct {
	Code *PackageCode `yaml:"code_configuration" json:"codeConfiguration"`
}

// PackageCode is a script with the functions init and run.
type PackageCode struct {
	// Code is a folder here, which is uploaded, or a reference.
	Code          string `yaml:"code,local" json:"codeId"`
	ScoringScript string `yaml:"scoring_script" json:"scoringScript"`
}

// InferenceServer is a server of its own, with its routes.
type InferenceServer struct {
	Inference *PackageInference `yaml:"inference_configuration" json:"inferenceConfiguration"`
}

// PackageInference are the routes of a server.
type PackageInference struct {
	Liveness    *Route `yaml:"liveness_route" json:"livenessRoute"`
	Readiness   *Route `yaml:"readiness_route" json:"readinessRoute"`
	Scoring     *Route `yaml:"scoring_route" json:"scoringRoute"`
	EntryScript string `yaml:"entry_script" json:"entryScript"`
	// Configuration is taken from YAML and not sent: the service has no place for it.
	Configuration map[string]any `yaml:"configuration" json:"-"`
}

// PackageConfiguration says how the model comes into the environment.
type PackageConfiguration struct {
	// Mode is copy (into the image) or download (when it starts).
	Mode      PackageMode `yaml:"mode" json:"mode"`
	MountPath string      `yaml:"mount_path" json:"mountPath"`
}

// PackageMode is a way for a model to come into an environment.
type PackageMode string

// The ways.
const (
	CopyModel     PackageMode = "copy"
	DownloadModel PackageMode = "download"
)

var packageModes = wire.SameEnum("copy", "download")

// WireEnum lists the spellings.
func (PackageMode) WireEnum() *wire.Enum { return packageModes }

// PackageInput is a file or folder beside the model.
type PackageInput struct {
	Type      PackageInputType `yaml:"type" json:"inputType"`
	Mode      PackageInputMode `yaml:"mode" json:"mode"`
	MountPath string           `yaml:"mount_path" json:"mountPath"`
	Path      PackagePath      `yaml:"path" json:"path"`
}

// PackageInputType is uri_file or uri_folder.
type PackageInputType string

var packageInputTypes = wire.PascalEnum("uri_file", "uri_folder")

// WireEnum lists the spellings.
func (PackageInputType) WireEnum() *wire.Enum { return packageInputTypes }

// PackageInputMode is read_only_mount or download.
type PackageInputMode string

var packageInputModes = wire.PascalEnum("read_only_mount", "download")

// WireEnum lists the spellings.
func (PackageInputMode) WireEnum() *wire.Enum { return packageInputModes }

// PackagePath is where an input is. One field is set.
type PackagePath struct {
	ID      *PackagePathID      `yaml:"path_id" json:"PathId"`
	URL     *PackagePathURL     `yaml:"url" json:"Url"`
	Version *PackagePathVersion `yaml:"path_version" json:"PathVersion"`
	Other   wire.Raw
}

var packagePath = wire.Union{YAML: "input_path_type", REST: "inputPathType", Pick: func(n *wire.Node) string {
	if s, given := n.Get("input_path_type").Str(); given && wire.Nearest(s, []string{"path_id", "url", "path_version"}) == "" {
		return s
	}
	switch { // the keys decide, as in the reference
	case n.Has("url"):
		return "url"
	case n.Has("resource_name"), n.Has("resource_version"):
		return "path_version"
	case n.Has("resource_id"), !n.Has("input_path_type"):
		return "path_id"
	}
	return ""
}}

// WireUnion says how the kinds are told apart.
func (PackagePath) WireUnion() *wire.Union { return &packagePath }

// PackagePathID is an asset's id.
type PackagePathID struct {
	ResourceID string `yaml:"resource_id" json:"resourceId"`
}

// PackagePathURL is any address.
type PackagePathURL struct {
	URL string `yaml:"url" json:"url"`
}

// PackagePathVersion is an asset of the workspace.
type PackagePathVersion struct {
	Name    string `yaml:"resource_name" json:"resourceName"`
	Version string `yaml:"resource_version" json:"resourceVersion"`
}

// code is the server's script, nil when it has none.
func (p *ModelPackage) code() *PackageCode {
	for _, s := range []*AzureMLServer{p.Server.Online, p.Server.Batch} {
		if s != nil {
			return s.Code
		}
	}
	return nil
}

func (p *ModelPackage) check(f *faults) {
	if p.Target == "" {
		f.add("target_environment", "is required: the name of the environment that is made")
	}
	if s := p.Server; s.Online == nil && s.Batch == nil && s.Custom == nil && s.Triton == nil && s.Other == nil {
		f.add("inferencing_server", "is required: azureml_online, azureml_batch, custom or triton")
	}
	if c := p.code(); c != nil && c.Code != "" && c.ScoringScript == "" {
		f.add("inferencing_server.code_configuration.scoring_script", "is required: the path in the folder of a script with the functions init and run")
	}
}

// Validate says what is wrong with the package, as azureml.Faults. It makes no call.
func (p *ModelPackage) Validate() error {
	var f faults
	p.check(&f)
	return f.err("")
}
