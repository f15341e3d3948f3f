package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// FineTuningTask is what a model is tuned for.
type FineTuningTask string

// The tasks.
const (
	TuneChatCompletion            FineTuningTask = "chat_completion"
	TuneTextCompletion            FineTuningTask = "text_completion"
	TuneTextClassification        FineTuningTask = "text_classification"
	TuneQuestionAnswering         FineTuningTask = "question_answering"
	TuneTextSummarization         FineTuningTask = "text_summarization"
	TuneTokenClassification       FineTuningTask = "token_classification"
	TuneTextTranslation           FineTuningTask = "text_translation"
	TuneImageClassification       FineTuningTask = "image_classification"
	TuneImageInstanceSegmentation FineTuningTask = "image_instance_segmentation"
	TuneImageObjectDetection      FineTuningTask = "image_object_detection"
	TuneVideoObjectTracking       FineTuningTask = "video_multi_object_tracking"
)

var fineTuningTasks = wire.CamelEnum(
	"chat_completion", "text_completion", "text_classification", "question_answering", "text_summarization", "token_classification", "text_translation",
	"image_classification", "image_instance_segmentation", "image_object_detection", "video_multi_object_tracking",
)

// WireEnum lists the spellings.
func (FineTuningTask) WireEnum() *wire.Enum { return fineTuningTasks }

// FineTuningJob tunes a model of the catalogue, one of another provider than Azure OpenAI, with data of one's own.
type FineTuningJob struct {
	azureml.Meta
	Name        string            `yaml:"name" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Task is what the model is tuned for. Required.
	Task FineTuningTask `yaml:"task,required" json:"taskType"`
	// Model is what is tuned, mostly one of a registry: MLFlowModel("azureml://registries/azureml-meta/models/…"). Required.
	Model Input `yaml:"model,required" json:"model"`
	// TrainingData and ValidationData are files of one JSON object to a line. Training data are required.
	TrainingData   Input `yaml:"training_data" json:"trainingData"`
	ValidationData Input `yaml:"validation_data" json:"validationData"`
	// Hyperparameters are those of the model.
	Hyperparameters map[string]*string `yaml:"hyperparameters" json:"hyperParameters"`
	// Outputs: registered_model is the tuned model.
	Outputs Outputs `yaml:"outputs" json:"outputs,keep"`
	// Compute is the name of a cluster; it is sent as it is. Without one it is tuned on serverless compute, on a machine of
	// Resources.
	Compute   string               `yaml:"compute" json:"computeId"`
	Resources *FineTuningResources `yaml:"resources" json:"resources"`
	Queue     *Queue               `yaml:"queue_settings" json:"queueSettings"`
	Identity  azureml.Identity     `yaml:"identity" json:"identity"`
	Services  Services             `yaml:"services" json:"services"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

// FineTuningResources are the machines of serverless fine-tuning.
type FineTuningResources struct {
	// InstanceTypes are sizes, of which the service takes what it has.
	InstanceTypes []string `yaml:"instance_types" json:"instanceTypes"`
}

var fineTuningJob = wire.Layout{
	Name: "fine-tuning job",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "task": "fineTuningDetails/taskType", "model": "fineTuningDetails/model", "training_data": "fineTuningDetails/trainingData",
		"validation_data": "fineTuningDetails/validationData", "hyperparameters": "fineTuningDetails/hyperParameters",
	},
	YAML: wire.Fixed{"type": "finetuning", "model_provider": "custom"},
	REST: wire.Fixed{"jobType": "FineTuning", "isArchived": false, "fineTuningDetails/modelProvider": "Custom"},
}

// WireLayout places the fields.
func (FineTuningJob) WireLayout() *wire.Layout { return &fineTuningJob }

// WireDocument is what the service answered.
func (j *FineTuningJob) WireDocument() *wire.Document { return &j.doc }

// AfterEncodeWire says what the service calls the data.
func (j FineTuningJob) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	tuningData(e, m)
	return nil
}

// AfterDecodeWire reads data that are named alone.
func (j *FineTuningJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	tuningInput(d, n, "training_data", &j.TrainingData)
	tuningInput(d, n, "validation_data", &j.ValidationData)
	modelInput(d, n, "model", &j.Model, false)
	if d.Spelling() == wire.YAML {
		j.Compute = strings.TrimPrefix(j.Compute, "azureml:")
	}
}

func (j *FineTuningJob) job() (definition, error) { return defined(j) }

func (j *FineTuningJob) jobType() string { return "FineTuning" }

func (j *FineTuningJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, outputs: &j.Outputs,
	}
}

func (j *FineTuningJob) clone() definition {
	c := *j
	return &c
}

func (j *FineTuningJob) check(ctx context.Context, c *checker) {
	c.head(j.head())
	c.services(j.Services)
	c.compute(ctx, "compute", j.Compute)
	c.tuning(j.Task, "model", j.Model, j.TrainingData, j.ValidationData)
}

func (j *FineTuningJob) resolve(ctx context.Context, r *resolver) error {
	j.Compute = strings.TrimPrefix(j.Compute, "azureml:")
	return r.tuning(ctx, "model", &j.Model, &j.TrainingData, &j.ValidationData)
}

// OpenAIFineTuningJob tunes a model of Azure OpenAI. Its fields are those of [FineTuningJob]; where it runs is the service's
// business.
type OpenAIFineTuningJob struct {
	azureml.Meta
	Name            string                 `yaml:"name" json:"name,ro"`
	DisplayName     string                 `yaml:"display_name" json:"displayName"`
	Experiment      string                 `yaml:"experiment_name" json:"experimentName"`
	Description     string                 `yaml:"description,empty" json:"description"`
	Tags            map[string]string      `yaml:"tags,null" json:"tags,keep"`
	Properties      map[string]string      `yaml:"properties,null" json:"properties,keep"`
	Task            FineTuningTask         `yaml:"task,required" json:"taskType"`
	Model           Input                  `yaml:"model,required" json:"model"`
	TrainingData    Input                  `yaml:"training_data" json:"trainingData"`
	ValidationData  Input                  `yaml:"validation_data" json:"validationData"`
	Hyperparameters *OpenAIHyperparameters `yaml:"hyperparameters" json:"hyperParameters"`
	Outputs         Outputs                `yaml:"outputs" json:"outputs,keep"`
	Identity        azureml.Identity       `yaml:"identity" json:"identity"`
	// Compute, Resources, Queue and Services may stand in files; they are not sent.
	Compute   string               `yaml:"compute" json:"-"`
	Resources *FineTuningResources `yaml:"resources" json:"-"`
	Queue     *Queue               `yaml:"queue_settings" json:"-"`
	Services  Services             `yaml:"services" json:"-"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

// OpenAIHyperparameters are those of models of Azure OpenAI. What is not set is the service's to choose.
type OpenAIHyperparameters struct {
	Epochs    *int `yaml:"n_epochs" json:"nEpochs"`
	BatchSize *int `yaml:"batch_size" json:"batchSize"`
	// LearningRateMultiplier is relative to the rate of the model's own training.
	LearningRateMultiplier *float64 `yaml:"learning_rate_multiplier" json:"learningRateMultiplier"`
}

var openAIFineTuningJob = wire.Layout{
	Name: "fine-tuning job",
	Base: "properties",
	At:   fineTuningJob.At,
	YAML: wire.Fixed{"type": "finetuning", "model_provider": "azure_open_ai"},
	REST: wire.Fixed{"jobType": "FineTuning", "isArchived": false, "fineTuningDetails/modelProvider": "AzureOpenAI"},
}

// WireLayout places the fields.
func (OpenAIFineTuningJob) WireLayout() *wire.Layout { return &openAIFineTuningJob }

// WireDocument is what the service answered.
func (j *OpenAIFineTuningJob) WireDocument() *wire.Document { return &j.doc }

// AfterEncodeWire says what the service calls the data.
func (j OpenAIFineTuningJob) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	tuningData(e, m)
	return nil
}

// AfterDecodeWire reads data that are named alone.
func (j *OpenAIFineTuningJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	tuningInput(d, n, "training_data", &j.TrainingData)
	tuningInput(d, n, "validation_data", &j.ValidationData)
	modelInput(d, n, "model", &j.Model, false)
}

func (j *OpenAIFineTuningJob) job() (definition, error) { return defined(j) }

func (j *OpenAIFineTuningJob) jobType() string { return "FineTuning" }

func (j *OpenAIFineTuningJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, outputs: &j.Outputs,
	}
}

func (j *OpenAIFineTuningJob) clone() definition {
	c := *j
	return &c
}

func (j *OpenAIFineTuningJob) check(_ context.Context, c *checker) {
	c.head(j.head())
	c.tuning(j.Task, "model", j.Model, j.TrainingData, j.ValidationData)
}

func (j *OpenAIFineTuningJob) resolve(ctx context.Context, r *resolver) error {
	return r.tuning(ctx, "model", &j.Model, &j.TrainingData, &j.ValidationData)
}

// tuningData says what the service calls a tuning's inputs, whatever they were called: an MLflow model and files.
func tuningData(e *wire.Encoding, m map[string]any) {
	details, ok := m["fineTuningDetails"].(map[string]any)
	if e.Spelling() != wire.REST || !ok {
		return
	}
	for key, t := range map[string]DataType{"model": TypeMLFlowModel, "trainingData": TypeURIFile, "validationData": TypeURIFile} {
		if in, ok := details[key].(map[string]any); ok {
			in["jobInputType"] = string(t)
			delete(in, "mode")
			delete(in, "pathOnCompute")
		}
	}
}

// tuningInput reads data of a file, of which the path may stand alone.
func tuningInput(d *wire.Decoding, n *wire.Node, field string, in *Input) {
	at := n.Get(field)
	if !d.Strict() || at == nil {
		return
	}
	if s, ok := at.Str(); ok {
		*in = URIFile(at.LocalPath(s))
		return
	}
	switch {
	case at.Kind != wire.Mapping || in.Value != nil:
		d.At(field).Fault(at, "wants a path, or a mapping with path and type: uri_file")
	case in.Type == "":
		in.Type = TypeURIFile
	case in.Type != TypeURIFile && in.Type != TypeURIFolder:
		d.At(field).At("type").Fault(at.Get("type"), "%q is none of uri_file or uri_folder", in.Type)
	}
}

// modelInput reads a model of a file; alone tells that its reference may stand alone.
func modelInput(d *wire.Decoding, n *wire.Node, field string, in *Input, alone bool) {
	at := n.Get(field)
	if !d.Strict() || at == nil {
		return
	}
	if s, ok := at.Str(); ok && alone {
		*in = MLFlowModel(s)
		return
	}
	switch {
	case at.Kind != wire.Mapping || in.Value != nil:
		d.At(field).Fault(at, "wants a mapping with path and type: mlflow_model")
	case in.Type == "":
		in.Type = TypeMLFlowModel
	case !in.Type.model():
		d.At(field).At("type").Fault(at.Get("type"), "%q is none of mlflow_model, custom_model or triton_model", in.Type)
	}
}

// tuning checks what a tuning is made from.
func (c *checker) tuning(task FineTuningTask, field string, model, training, validation Input) {
	if _, ok := fineTuningTasks.Parse(string(task)); !ok {
		c.add("task", "%q is none of %s", task, strings.Join(fineTuningTasks.Values(), ", "))
	}
	c.tuningModel(field, model)
	if training == (Input{}) {
		c.add("training_data", "data are required: jobs.URIFile")
	}
	c.tuningFile("training_data", training)
	c.tuningFile("validation_data", validation)
}

func (c *checker) tuningModel(field string, model Input) {
	switch {
	case model.IsLiteral() || model.Path == "":
		c.add(field, "a model is required: jobs.MLFlowModel")
	case model.Type != "" && !model.Type.model():
		c.add(field+".type", "wants a model, not %s", model.Type)
	case wire.IsLocalPath(model.Path):
		c.add(field+".path", "%s is no model of a registry or workspace: register it first, and give its reference", model.Path)
	}
}

func (c *checker) tuningFile(field string, in Input) {
	switch {
	case in == (Input{}):
	case in.IsLiteral():
		c.add(field, "wants a file: jobs.URIFile")
	case in.Type != TypeURIFile && in.Type != TypeURIFolder && in.Type != "":
		c.add(field+".type", "is uri_file, not %s", in.Type)
	case in.Path == "":
		c.add(field+".path", "a path is required")
	case wire.IsLocalPath(in.Path):
		t := in.Type
		if t == "" {
			t = TypeURIFile
		}
		c.local(field+".path", localPath(in.Path), t)
	}
}

// tuning resolves what a tuning is made from.
func (r *resolver) tuning(ctx context.Context, field string, model *Input, data ...*Input) error {
	if model.Type == "" {
		model.Type = TypeMLFlowModel
	}
	path, err := r.reference(ctx, *model)
	if err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	model.Path = path
	tables := make([]table, 0, len(data))
	for i, in := range data {
		if in.Type == "" && in.Path != "" {
			in.Type = TypeURIFile
		}
		tables = append(tables, table{[]string{"training_data", "validation_data"}[i], in})
	}
	return r.tables(ctx, tables)
}
