package assets

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// anonymousEnvironment is the name of environments that are defined where they are used.
const anonymousEnvironment = "CliV2AnonymousEnvironment"

// An Environment is what a job or deployment runs in: a ready image, an image with conda packages on it, or a build context.
type Environment struct {
	azureml.Meta
	// Name is required, except where the environment stands inside a job or deployment: it is then anonymous, and its
	// version is a hash of what it says.
	Name string `yaml:"name" json:"-"`
	// Version is chosen by the service when it is missing: the newest one is updated where that is possible.
	Version     string            `yaml:"version,text" json:"-"`
	Description string            `yaml:"description" json:"description"`
	Tags        map[string]string `yaml:"tags,typed" json:"tags"`
	Properties  map[string]string `yaml:"-" json:"properties"`
	// Image is a ready image. Give either it or Build.
	Image string `yaml:"image" json:"image"`
	Build *Build `yaml:"build" json:"build"`
	// Conda are the packages that are put on the image.
	Conda  Conda  `yaml:"conda_file" json:"condaFile"`
	OSType OSType `yaml:"os_type" json:"osType"`
	// InferenceConfig are the routes of a scoring server that the image brings.
	InferenceConfig *InferenceConfig `yaml:"inference_config" json:"inferenceConfig"`
	// Datastore is where a local build context is uploaded. Defaults to the workspace's blob store.
	Datastore  string      `yaml:"datastore" json:"-"`
	AutoDelete *AutoDelete `yaml:"auto_delete_setting" json:"autoDeleteSetting"`

	Anonymous bool `yaml:"-" json:"isAnonymous,keep"`
	Archived  bool `yaml:"-" json:"isArchived,keep"`
	// Type is Curated or UserCreated.
	Type string `yaml:"-" json:"environmentType,ro"`
	// LatestVersion and NextVersion are set in lists of environments.
	LatestVersion string `yaml:"latest_version,ro" json:"latestVersion,ro"`
	NextVersion   string `yaml:"-" json:"nextVersion,ro"`

	doc wire.Document
}

// Build is a Docker build context.
type Build struct {
	// Path is a folder here, or an address.
	Path string `yaml:"path,local" json:"contextUri"`
	// Dockerfile is its path in the context. Defaults to Dockerfile.
	Dockerfile string `yaml:"dockerfile_path" json:"dockerfilePath"`
}

// OSType is the operating system of an environment.
type OSType string

// The operating systems. Services take Linux when none is given.
const (
	Linux   OSType = "linux"
	Windows OSType = "windows"
)

var osTypes = wire.SameEnum("linux", "windows")

// WireEnum lists the spellings.
func (OSType) WireEnum() *wire.Enum { return osTypes }

// InferenceConfig are the routes of a scoring server. All three are required.
type InferenceConfig struct {
	Liveness  *Route `yaml:"liveness_route,required" json:"livenessRoute"`
	Readiness *Route `yaml:"readiness_route,required" json:"readinessRoute"`
	Scoring   *Route `yaml:"scoring_route,required" json:"scoringRoute"`
}

// Route is one route of a scoring server.
type Route struct {
	Path string `yaml:"path,required" json:"path"`
	Port int    `yaml:"port,required" json:"port"`
}

// AutoDelete makes the service delete an asset some time after it was created or last used.
type AutoDelete struct {
	Condition DeleteCondition `yaml:"condition" json:"condition"`
	// Value is a number of days: "30d".
	Value string `yaml:"value,text" json:"value"`
}

// DeleteCondition is what AutoDelete counts from.
type DeleteCondition string

// The conditions.
const (
	CreatedGreaterThan      DeleteCondition = "created_greater_than"
	LastAccessedGreaterThan DeleteCondition = "last_accessed_greater_than"
)

var deleteConditions = wire.CamelEnum("created_greater_than", "last_accessed_greater_than")

// WireEnum lists the spellings.
func (DeleteCondition) WireEnum() *wire.Enum { return deleteConditions }

var environmentLayout = wire.Layout{Name: "environment", Base: "properties"}

// WireLayout says where REST nests differently.
func (Environment) WireLayout() *wire.Layout { return &environmentLayout }

// WireDocument keeps what was read.
func (e *Environment) WireDocument() *wire.Document { return &e.doc }

// AfterDecodeWire takes name and version from the id.
func (e *Environment) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &e.Name, &e.Version)
	if id, ok := n.Get("id").Str(); ok && d.Spelling() == wire.YAML { // inside a job or deployment it is that environment
		e.ID = strings.TrimPrefix(id, "azureml:")
	}
	if d.Spelling() == wire.YAML && (n.Has("channels") || n.Has("dependencies")) {
		d.Fault(n, "this is a conda specification, not an environment: name its file in conda_file")
	}
}

// EnvironmentRef is the environment's id when it is registered, else "".
func (e *Environment) EnvironmentRef() azureml.Ref { return azureml.Ref(e.ID) }

// EnvironmentSource is what a job or deployment takes as its environment: an azureml.Ref to one that exists, or an
// *Environment that is made when it is submitted.
type EnvironmentSource interface{ EnvironmentRef() azureml.Ref }

var _ = wire.RegisterSum[EnvironmentSource](&wire.Sum{
	Name: "environment",
	Arms: []wire.Arm{wire.ArmOf[Environment]("", "")},
	Text: func(d *wire.Decoding, n *wire.Node, s string) (any, bool) {
		return referenceText(d, n, s, "an environment")
	},
	Pick: func(*wire.Decoding, *wire.Node) any { return &Environment{} },
})

// check says what is wrong with the environment before anything is sent.
func (e *Environment) check(f *faults) {
	if e.Name != "" {
		f.asset(e.Name, e.Version)
	} else if e.Version != "" {
		f.add("version", "a version needs a name; without one the environment is anonymous, and its version a hash")
	}
	switch {
	case e.Image == "" && e.Build == nil:
		f.add("image", "give an image, or a build context in build")
	case e.Image != "" && e.Build != nil:
		f.add("build", "give either an image or a build context, not both")
	}
	if e.Build != nil {
		if !e.Conda.IsZero() {
			f.add("conda_file", "conda packages are put on an image; a build context installs its own")
		}
		if e.Build.Path == "" {
			f.add("build.path", "is required: a folder with a Dockerfile, or an address")
		}
	}
	if c := e.InferenceConfig; c != nil {
		for name, r := range map[string]*Route{"liveness_route": c.Liveness, "readiness_route": c.Readiness, "scoring_route": c.Scoring} {
			if r == nil || r.Path == "" || r.Port <= 0 || r.Port > 65535 {
				f.add("inference_config."+name, "wants a path such as /score, and a port")
			}
		}
	}
	if e.Datastore != "" && e.Build == nil {
		f.add("datastore", "has no use without a build context")
	}
}

// anonymousVersion is the version of an anonymous environment: the hash that azure-ai-ml computes, so that both clients find
// each other's. objectHash is that of a local build context.
func (e *Environment) anonymousVersion(objectHash string) (string, error) {
	s := ""
	if e.Build != nil {
		s = sha(objectHash)
		if e.Build.Dockerfile != "" {
			s = interleave(s, sha(e.Build.Dockerfile))
		}
		return sha(s), nil
	}
	s = sha(e.Image)
	if e.InferenceConfig != nil {
		text, err := e.InferenceConfig.python()
		if err != nil {
			return "", err
		}
		s = interleave(s, sha(text))
	}
	if !e.Conda.IsZero() {
		conda, err := e.Conda.resolve()
		if err != nil {
			return "", err
		}
		s = interleave(s, sha(conda.Text))
	}
	return sha(s), nil
}

func sha(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// interleave puts sep between all characters of s. The reference calls Python's sep.join(s) where it surely meant to append;
// the result is a key that other clients look up, so it is kept.
func interleave(sep, s string) string { return strings.Join(strings.Split(s, ""), sep) }

// python is PyYAML's dump of the reference's own objects, which goes into the hash.
func (c *InferenceConfig) python() (string, error) {
	const module = "!!python/object:azure.ai.ml._restclient.arm_ml_service.models._models."
	var b strings.Builder
	b.WriteString(module + "InferenceContainerProperties\n_data:\n")
	for _, r := range []struct {
		name  string
		route *Route
	}{{"livenessRoute", c.Liveness}, {"readinessRoute", c.Readiness}, {"scoringRoute", c.Scoring}} {
		if r.route == nil {
			continue
		}
		text, err := wire.EmitYAML(map[string]any{"path": r.route.Path, "port": int64(r.route.Port)})
		if err != nil {
			return "", err
		}
		b.WriteString("  " + r.name + ": " + module + "Route\n    _data:\n")
		for line := range strings.Lines(string(text)) {
			b.WriteString("      " + line)
		}
	}
	return b.String(), nil
}
