package endpoints

import (
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// BatchDeployment is one of *ModelBatchDeployment and *PipelineBatchDeployment, or *OtherBatchDeployment for a kind that
// this version does not know.
type BatchDeployment interface {
	// DeploymentName and EndpointName say which it is.
	DeploymentName() string
	EndpointName() string
}

var _ = wire.RegisterSum[BatchDeployment](&wire.Sum{
	Name: "batch deployment", YAML: "type", Default: "model", REST: "properties/deploymentConfiguration/deploymentConfigurationType",
	Arms: []wire.Arm{
		wire.ArmOf[ModelBatchDeployment]("model", "Model"), wire.ArmOf[PipelineBatchDeployment]("pipeline", "PipelineComponent"),
	},
	Unknown: func() any { return new(OtherBatchDeployment) },
	Pick: func(d *wire.Decoding, n *wire.Node) any {
		if d.Spelling() == wire.REST {
			switch kind, _ := n.Get("properties", "deploymentConfiguration", "deploymentConfigurationType").Str(); kind {
			case "", "Model":
				return new(ModelBatchDeployment)
			case "PipelineComponent":
				return new(PipelineBatchDeployment)
			}
			return new(OtherBatchDeployment)
		}
		kind, _ := n.Get("type").Str()
		switch kind = strings.ToLower(kind); {
		case kind == "pipeline", kind == "" && (n.Has("component") || n.Has("job_definition")):
			return new(PipelineBatchDeployment)
		case kind != "" && kind != "model":
			d.At("type").Fault(n.Get("type"), "is %q; model and pipeline are known", kind)
		}
		return new(ModelBatchDeployment)
	},
})

// ModelBatchDeployment gives files to a model, some at a time, on the nodes of a cluster.
type ModelBatchDeployment struct {
	azureml.Meta
	Name        string             `yaml:"name,required" json:"name,ro"`
	Endpoint    string             `yaml:"endpoint_name,required" json:"-"`
	Type        BatchType          `yaml:"type" json:"-"`
	Description string             `yaml:"description,empty" json:"description"`
	Tags        map[string]*string `yaml:"tags,typed" json:"tags,keep"`
	Properties  map[string]string  `yaml:"properties,text" json:"properties,keep"`
	Location    string             `yaml:"-" json:"location"`
	// Model is a reference, or a *assets.Model that is registered when the deployment is made.
	Model assets.ModelSource `yaml:"model" json:"-"`
	// Code is what scores: a folder with a script of the functions init and run, or a Go program that calls
	// serve.RunBatch (jobs.Code.Go), which is compiled for the workspace's machines. MLflow models need none.
	Code *CodeConfiguration `yaml:"code_configuration" json:"codeConfiguration"`
	// Environment is a reference, or a *assets.Environment that is registered when the deployment is made.
	Environment assets.EnvironmentSource `yaml:"environment" json:"environmentId"`
	Variables   map[string]string        `yaml:"environment_variables,typed" json:"environmentVariables"`
	// Compute is the cluster.
	Compute azureml.Ref `yaml:"compute" json:"compute"`
	// Resources are the nodes of one job.
	Resources *azureml.Resources `yaml:"resources" json:"resources"`
	// MiniBatchSize is how many files a call of the scoring script gets. Defaults to the service's 10.
	MiniBatchSize int `yaml:"mini_batch_size" json:"miniBatchSize"`
	// MaxConcurrency is how many processes a node runs. Defaults to the service's 1.
	MaxConcurrency int `yaml:"max_concurrency_per_instance" json:"maxConcurrencyPerInstance"`
	// OutputAction defaults to the service's AppendRow.
	OutputAction OutputAction `yaml:"output_action" json:"outputAction"`
	// OutputFile is the name of the file with the rows. Defaults to predictions.csv. Not with SummaryOnly.
	OutputFile string `yaml:"output_file_name" json:"outputFileName"`
	Retry      *Retry `yaml:"retry_settings" json:"retrySettings"`
	// ErrorThreshold is how many files may fail; -1 lets all.
	ErrorThreshold *int `yaml:"error_threshold" json:"errorThreshold"`
	// LoggingLevel is warning, info or debug.
	LoggingLevel string `yaml:"logging_level" json:"loggingLevel"`

	ProvisioningState string `yaml:"provisioning_state,ro" json:"provisioningState,ro"`
	doc               wire.Document
}

// Retry is what becomes of a mini-batch that fails or takes too long.
type Retry struct {
	// MaxRetries is how often a mini-batch is tried again; 0 is never. Defaults to the service's 3.
	MaxRetries *int `yaml:"max_retries" json:"maxRetries"`
	// Timeout bounds each try, in whole seconds. Defaults to the service's 30 s.
	Timeout time.Duration `yaml:"timeout,seconds" json:"timeout"`
}

func (f *faults) retry(r *Retry) {
	if r == nil {
		return
	}
	if r.MaxRetries != nil && *r.MaxRetries < 0 {
		f.add("retry_settings.max_retries", "is %d; 0 or more is wanted", *r.MaxRetries)
	}
	if r.Timeout < 0 || r.Timeout%time.Second != 0 {
		f.add("retry_settings.timeout", "is %v; whole seconds are wanted", r.Timeout)
	}
}

// BatchType tells batch deployments apart in YAML.
type BatchType string

var batchTypes = wire.SameEnum("model", "pipeline")

// WireEnum is the table of spellings.
func (BatchType) WireEnum() *wire.Enum { return batchTypes }

// OutputAction is what becomes of what the scoring script returns.
type OutputAction string

// The actions: rows go to one file, or the script writes what it likes itself.
const (
	AppendRow   OutputAction = "append_row"
	SummaryOnly OutputAction = "summary_only"
)

var outputActions = wire.PascalEnum(string(AppendRow), string(SummaryOnly))

// WireEnum is the table of spellings.
func (OutputAction) WireEnum() *wire.Enum { return outputActions }

var modelBatchDeployment = wire.Layout{
	Name: "batch deployment",
	Base: "properties",
	At:   wire.Table{"name": "/name", "tags": "/tags", "Location": "/location"},
}

// WireLayout says where REST nests differently.
func (ModelBatchDeployment) WireLayout() *wire.Layout { return &modelBatchDeployment }

// WireDocument gives access to the document that was read.
func (d *ModelBatchDeployment) WireDocument() *wire.Document { return &d.doc }

// DeploymentName is Name.
func (d *ModelBatchDeployment) DeploymentName() string { return d.Name }

// EndpointName is Endpoint.
func (d *ModelBatchDeployment) EndpointName() string { return d.Endpoint }

// batchSettings are the keys that may stand below settings in YAML.
var batchSettings = []string{
	"mini_batch_size", "max_concurrency_per_instance", "output_action", "output_file_name", "retry_settings", "error_threshold", "logging_level", "environment_variables",
}

// EncodeWire writes the settings where the newer schema has them.
func (d ModelBatchDeployment) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(d)
	if err != nil {
		return nil, err
	}
	if e.Spelling() != wire.REST {
		settings := map[string]any{}
		for _, k := range batchSettings {
			if v, ok := m[k]; ok {
				settings[k] = v
				delete(m, k)
			}
		}
		m["type"], m["settings"] = "model", settings
		return m, nil
	}
	p, _ := m["properties"].(map[string]any)
	if d.Model != nil && d.Model.ModelRef() != "" && p != nil {
		id, err := e.Value(d.Model.ModelRef())
		if err != nil {
			return nil, err
		}
		p["model"] = map[string]any{"referenceType": "Id", "assetId": id}
	}
	return m, nil
}

// DecodeWire reads the settings from either place.
func (d *ModelBatchDeployment) DecodeWire(dec *wire.Decoding, n *wire.Node) {
	if dec.Spelling() == wire.REST {
		dec.Plain(n, d)
		if id := n.Get("properties", "model", "assetId"); !id.IsNull() {
			var ref azureml.Ref
			dec.Into(id, &ref)
			d.Model = ref
		}
		d.Endpoint = endpointOf(d.ID)
		return
	}
	settings := n.Get("settings")
	flat := n.Without("settings")
	if !settings.IsNull() && settings.Kind != wire.Mapping {
		dec.At("settings").Fault(settings, "wants a mapping of %s", strings.Join(batchSettings, ", "))
	}
	if settings != nil && settings.Kind == wire.Mapping {
		for _, e := range settings.Entries {
			switch {
			case e.Key == "instance_count" && n.Has("resources"):
				dec.At("settings").At(e.Key).Fault(e.Value, "is given in resources too; one of them is enough")
			case e.Key == "instance_count":
				flat = flat.With("resources", wire.TreeNode(map[string]any{"instance_count": e.Value.Tree()}))
			case known(e.Key):
				flat = flat.With(e.Key, e.Value)
			default:
				dec.At("settings").At(e.Key).Fault(e.At, "unknown field")
			}
		}
	}
	dec.Plain(flat, d)
	if dec.Strict() {
		if d.OutputAction == SummaryOnly && d.OutputFile != "" {
			dec.At("output_file_name").Fault(n, "has no use when output_action is summary_only")
		}
		if d.Type != "" && d.Compute == "" {
			dec.At("compute").Fault(n, "is required: a cluster, such as azureml:cpu-cluster")
		}
	}
}

func known(key string) bool {
	for _, k := range batchSettings {
		if k == key {
			return true
		}
	}
	return false
}

func (d *ModelBatchDeployment) check(op string) error {
	var f faults
	f.name("name", d.Name)
	f.name("endpoint_name", d.Endpoint)
	if d.OutputAction == SummaryOnly && d.OutputFile != "" {
		f.add("output_file_name", "has no use when output_action is summary_only")
	}
	if d.MiniBatchSize < 0 {
		f.add("mini_batch_size", "is %d; a number of files is wanted", d.MiniBatchSize)
	}
	if d.ErrorThreshold != nil && *d.ErrorThreshold < -1 {
		f.add("error_threshold", "is %d; a number of files is wanted, or -1 for any", *d.ErrorThreshold)
	}
	if d.MaxConcurrency < 0 {
		f.add("max_concurrency_per_instance", "is %d; a number of processes is wanted", d.MaxConcurrency)
	}
	f.retry(d.Retry)
	checkBatchCode(&f, d.Code)
	return f.err(op)
}
