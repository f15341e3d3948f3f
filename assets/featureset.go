package assets

import (
	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// FeatureSet is a set of features of a feature store, and how they are made of a source.
type FeatureSet struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Version     string            `yaml:"version,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags"`
	// Properties carry the specification. Create sets them.
	Properties    map[string]string `yaml:"-" json:"properties"`
	Specification Specification     `yaml:"specification,required" json:"specification"`
	// Entities that the features belong to: azureml:NAME:VERSION. Required.
	Entities []string `yaml:"entities,required" json:"entities"`
	// Stage defaults to Development.
	Stage           Stage            `yaml:"stage" json:"stage,default=Development"`
	Materialization *Materialization `yaml:"materialization_settings" json:"materializationSettings"`

	Archived          bool   `yaml:"-" json:"isArchived,ro"`
	ProvisioningState string `yaml:"-" json:"provisioningState,ro"`
	// LatestVersion and NextVersion are set in lists of feature sets.
	LatestVersion string `yaml:"latest_version,ro" json:"latestVersion,ro"`
	NextVersion   string `yaml:"-" json:"nextVersion,ro"`

	doc wire.Document
}

// Specification is where a feature set's FeatureSetSpec.yaml is.
type Specification struct {
	// Path is a folder here, which is uploaded, or an address: azureml://datastores/NAME/paths/PATH.
	Path string `yaml:"path,required,local" json:"path"`
}

// Stage is where an asset is in its life.
type Stage string

// The stages.
const (
	Development   Stage = "Development"
	Production    Stage = "Production"
	ArchivedStage Stage = "Archived"
)

var stages = wire.SameEnum(string(Development), string(Production), string(ArchivedStage))

// WireEnum lists the spellings.
func (Stage) WireEnum() *wire.Enum { return stages }

// Materialization says when, where and by what features are computed in advance.
type Materialization struct {
	Schedule     *Recurrence              `yaml:"schedule" json:"schedule"`
	Notification *Notification            `yaml:"notification" json:"notification"`
	Resource     *MaterializationResource `yaml:"resource" json:"resource"`
	// Spark are the settings of the Spark session.
	Spark map[string]any `yaml:"spark_configuration" json:"sparkConfiguration"`
	// Offline and Online are the stores that features are kept in.
	Offline bool `yaml:"offline_enabled" json:"-"`
	Online  bool `yaml:"online_enabled" json:"-"`
}

// MaterializationResource is the machine that computes features.
type MaterializationResource struct {
	InstanceType string `yaml:"instance_type,required" json:"instanceType"`
}

// The names of the stores together, by Offline and Online.
var storeTypes = map[[2]bool]string{
	{false, false}: "None", {true, false}: "Offline", {false, true}: "Online", {true, true}: "OnlineAndOffline",
}

// AfterEncodeWire names the stores by one word in REST.
func (m Materialization) AfterEncodeWire(e *wire.Encoding, to map[string]any) error {
	if e.Spelling() == wire.REST {
		to["storeType"] = storeTypes[[2]bool{m.Offline, m.Online}]
	}
	return nil
}

// AfterDecodeWire reads that word.
func (m *Materialization) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	name, _ := n.Get("storeType").Str()
	for stores, word := range storeTypes {
		if word == name {
			m.Offline, m.Online = stores[0], stores[1]
		}
	}
}

var featureSetLayout = wire.Layout{Name: "feature set", Base: "properties"}

// WireLayout says where REST nests differently.
func (FeatureSet) WireLayout() *wire.Layout { return &featureSetLayout }

// WireDocument keeps what was read.
func (s *FeatureSet) WireDocument() *wire.Document { return &s.doc }

// AfterDecodeWire takes name and version from the id.
func (s *FeatureSet) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &s.Name, &s.Version)
}

func (s *FeatureSet) check(f *faults) {
	f.asset(s.Name, s.Version)
	if s.Version == "" {
		f.add("version", "is required")
	}
	if s.Specification.Path == "" {
		f.add("specification.path", "is required: the folder of FeatureSetSpec.yaml")
	}
	if s.Stage != "" {
		if _, ok := stages.Parse(string(s.Stage)); !ok {
			f.add("stage", "%q is none of Development, Production, Archived", string(s.Stage))
		}
	}
}

// Validate says what is wrong with the feature set, as azureml.Faults. It makes no call and does not read the specification.
func (s *FeatureSet) Validate() error {
	var f faults
	s.check(&f)
	return f.err("")
}

// FeatureStoreEntity is something that features belong to, known by columns that they are joined by.
type FeatureStoreEntity struct {
	azureml.Meta
	Name        string            `yaml:"name,required" json:"-"`
	Version     string            `yaml:"version,required" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags" json:"tags"`
	Properties  map[string]string `yaml:"properties" json:"properties,keep"`
	// Columns are the join keys. Required.
	Columns []IndexColumn `yaml:"index_columns,required" json:"indexColumns"`
	// Stage defaults to Development.
	Stage Stage `yaml:"stage" json:"stage,default=Development"`

	Archived          bool   `yaml:"-" json:"isArchived,ro"`
	ProvisioningState string `yaml:"-" json:"provisioningState,ro"`
	// LatestVersion and NextVersion are set in lists of entities.
	LatestVersion string `yaml:"latest_version,ro" json:"latestVersion,ro"`
	NextVersion   string `yaml:"-" json:"nextVersion,ro"`

	doc wire.Document
}

// IndexColumn is a join key.
type IndexColumn struct {
	Name string     `yaml:"name,required" json:"columnName"`
	Type ColumnType `yaml:"type,required" json:"dataType"`
}

// ColumnType is the type of a column's values.
type ColumnType string

// The types.
const (
	StringColumn   ColumnType = "string"
	IntegerColumn  ColumnType = "integer"
	LongColumn     ColumnType = "long"
	FloatColumn    ColumnType = "float"
	DoubleColumn   ColumnType = "double"
	BinaryColumn   ColumnType = "binary"
	DatetimeColumn ColumnType = "datetime"
	BooleanColumn  ColumnType = "boolean"
)

var columnTypes = wire.PascalEnum("string", "integer", "long", "float", "double", "binary", "datetime", "boolean")

// WireEnum lists the spellings.
func (ColumnType) WireEnum() *wire.Enum { return columnTypes }

var featureStoreEntityLayout = wire.Layout{Name: "feature store entity", Base: "properties"}

// WireLayout says where REST nests differently.
func (FeatureStoreEntity) WireLayout() *wire.Layout { return &featureStoreEntityLayout }

// WireDocument keeps what was read.
func (e *FeatureStoreEntity) WireDocument() *wire.Document { return &e.doc }

// AfterDecodeWire takes name and version from the id.
func (e *FeatureStoreEntity) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &e.Name, &e.Version)
}

// Validate says what is wrong with the entity, as azureml.Faults. It makes no call.
func (e *FeatureStoreEntity) Validate() error {
	var f faults
	f.asset(e.Name, e.Version)
	if e.Version == "" {
		f.add("version", "is required")
	}
	if len(e.Columns) == 0 {
		f.add("index_columns", "is required: the columns that features are joined by")
	}
	return f.err("")
}
