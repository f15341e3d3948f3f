package jobs

import (
	"context"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// ImportJob copies data out of a database or of Amazon's S3 into a datastore. It is a preview feature: files may hold one only
// when AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED is true.
type ImportJob struct {
	azureml.Meta
	Name        string `yaml:"name" json:"name,ro"`
	DisplayName string `yaml:"display_name" json:"displayName"`
	Experiment  string `yaml:"experiment_name" json:"experimentName"`
	Description string `yaml:"description,empty" json:"description"`
	// Tags and Properties are sent when there are some.
	Tags       map[string]string `yaml:"tags,null" json:"tags"`
	Properties map[string]string `yaml:"properties,null" json:"properties"`
	// Source is where the data are. Required.
	Source ImportSource `yaml:"source,required" json:"inputs"`
	// Output is where they go. Required.
	Output   Output   `yaml:"output,required" json:"outputs,keep"`
	Services Services `yaml:"services" json:"-"`

	// Compute and Environment are always the same; they are set when the job is submitted.
	Compute     string      `yaml:"-" json:"computeId"`
	Environment azureml.Ref `yaml:"-" json:"environmentId"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

// importCompute is the name of what runs imports, which is no compute that anybody made.
const (
	importCompute     = "DataFactory"
	importEnvironment = "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu"
)

var importJob = wire.Layout{
	Name: "import job",
	Base: "properties",
	At:   wire.Table{"name": "/name", "output": "outputs/output"},
	YAML: wire.Fixed{"type": "import"},
	REST: wire.Fixed{"jobType": "Command", "isArchived": false, "command": "import"},
}

// WireLayout places the fields.
func (ImportJob) WireLayout() *wire.Layout { return &importJob }

// WireDocument is what the service answered.
func (j *ImportJob) WireDocument() *wire.Document { return &j.doc }

func (j *ImportJob) job() (definition, error) { return defined(j) }

func (j *ImportJob) jobType() string { return "Command" }

func (j *ImportJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: new(azureml.Identity),
	}
}

func (j *ImportJob) clone() definition {
	c := *j
	return &c
}

func (j *ImportJob) check(_ context.Context, c *checker) {
	c.head(j.head())
	c.services(j.Services)
	if f := j.Source.fault(); f != "" {
		c.add("source", "%s", f)
	}
	if f := j.Output.fault(); f != "" {
		c.add("output", "%s", f)
	}
	if j.Compute != "" && !strings.EqualFold(j.Compute[strings.LastIndexByte(j.Compute, '/')+1:], importCompute) {
		c.add("compute", "an import runs on nothing that can be chosen, not on %q", j.Compute)
	}
}

func (j *ImportJob) resolve(_ context.Context, r *resolver) error {
	j.Compute = r.c.id("computes", importCompute)
	j.Environment = azureml.Ref(r.c.id("environments", importEnvironment))
	return nil
}

// ImportType is what data are imported from.
type ImportType string

// The types. S3 has files; the others are databases.
const (
	ImportSQLDB     ImportType = "azuresqldb"
	ImportSynapse   ImportType = "azuresynapseanalytics"
	ImportSnowflake ImportType = "snowflake"
	ImportS3        ImportType = "s3"
)

var importTypes = wire.SameEnum("azuresqldb", "azuresynapseanalytics", "snowflake", "s3")

// WireEnum lists the spellings.
func (ImportType) WireEnum() *wire.Enum { return importTypes }

// ImportSource is where the data of an import are.
type ImportSource struct {
	Type ImportType `yaml:"type,required" json:"type"`
	// Connection is a connection of the workspace.
	Connection string `yaml:"connection,required" json:"connection"`
	// Query is for databases, Path for files.
	Query string `yaml:"query" json:"query"`
	Path  string `yaml:"path" json:"path"`
}

// EncodeWire writes the source as a job's inputs.
func (s ImportSource) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() != wire.REST {
		return e.Plain(s)
	}
	m := map[string]any{}
	for k, v := range map[string]string{"type": string(s.Type), "connection": s.Connection, "query": s.Query, "path": s.Path} {
		if v != "" {
			m[k] = e.Tag(map[string]any{"jobInputType": "literal", "value": v}, "jobInputType")
		}
	}
	return m, nil
}

// DecodeWire reads the source.
func (s *ImportSource) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*s = ImportSource{}
	if d.Spelling() != wire.REST {
		d.Plain(n, s)
		if f := s.fault(); f != "" && d.Strict() && s.Type != "" && s.Connection != "" {
			d.Fault(n, "%s", f)
		}
		return
	}
	for k, p := range map[string]*string{"type": (*string)(&s.Type), "connection": &s.Connection, "query": &s.Query, "path": &s.Path} {
		if v := n.Get(k, "value"); v.IsScalar() {
			d.Into(v, p)
		}
	}
}

func (s ImportSource) fault() string {
	switch {
	case s.Type == "":
		return "a type is required: " + strings.Join(importTypes.Values(), ", ")
	case s.Connection == "":
		return "a connection is required"
	case s.Type == ImportS3 && (s.Path == "" || s.Query != ""):
		return "files have a path, and no query"
	case s.Type != ImportS3 && (s.Query == "" || s.Path != ""):
		return "a database has a query, and no path"
	}
	return ""
}
