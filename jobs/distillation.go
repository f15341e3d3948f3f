package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// GenerationType is what the teacher of a distillation makes.
type GenerationType string

// The types: labels for data that are there, or data as well.
const (
	GenerateLabels GenerationType = "label_generation"
	GenerateData   GenerationType = "data_generation"
)

var generationTypes = wire.SameEnum("label_generation", "data_generation")

// WireEnum lists the spellings.
func (GenerationType) WireEnum() *wire.Enum { return generationTypes }

// GenerationTask is what a student learns.
type GenerationTask string

// The tasks: natural language inference, questions with several answers, conversation, mathematics, summaries.
const (
	TaskNLI           GenerationTask = "NLI"
	TaskNLUQA         GenerationTask = "NLU_QA"
	TaskConversation  GenerationTask = "CONVERSATION"
	TaskMath          GenerationTask = "MATH"
	TaskSummarization GenerationTask = "SUMMARIZATION"
)

var generationTasks = wire.SameEnum("NLI", "NLU_QA", "CONVERSATION", "MATH", "SUMMARIZATION")

// WireEnum lists the spellings.
func (GenerationTask) WireEnum() *wire.Enum { return generationTasks }

// DistillationJob lets a large model teach a small one.
type DistillationJob struct {
	azureml.Meta
	Name        string            `yaml:"name" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Generation is what the teacher makes, Task what the student learns. Required.
	Generation GenerationType `yaml:"data_generation_type,required" json:"-"`
	Task       GenerationTask `yaml:"data_generation_task_type,required" json:"-"`
	// Teacher is the endpoint of the teaching model. Required.
	Teacher TeacherConnection `yaml:"teacher_model_endpoint_connection,required" json:"-"`
	// Student is the model that learns, mostly one of a registry. Required.
	Student Input `yaml:"student_model,required" json:"model"`
	// TrainingData and ValidationData are files of one JSON object to a line. Labels cannot be made without them.
	TrainingData   Input `yaml:"training_data" json:"trainingData"`
	ValidationData Input `yaml:"validation_data" json:"validationData"`
	// TeacherSettings say how the teacher is asked, Prompt what it is told.
	TeacherSettings *TeacherSettings `yaml:"teacher_model_settings" json:"-"`
	Prompt          *PromptSettings  `yaml:"prompt_settings" json:"-"`
	// Hyperparameters are those of the student's fine-tuning.
	Hyperparameters map[string]*string `yaml:"hyperparameters" json:"hyperParameters"`
	// Resources are for the making of data.
	Resources *DistillationResources `yaml:"resources" json:"-"`
	// Outputs: registered_model is the student's model.
	Outputs  Outputs          `yaml:"outputs" json:"outputs,keep"`
	Identity azureml.Identity `yaml:"identity" json:"identity"`
	Services Services         `yaml:"services" json:"services"`
	// Compute may stand in files; it is not sent.
	Compute string `yaml:"compute" json:"-"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

var distillationJob = wire.Layout{
	Name: "distillation job",
	Base: "properties",
	At: wire.Table{
		"name": "/name", "student_model": "fineTuningDetails/model", "training_data": "fineTuningDetails/trainingData",
		"validation_data": "fineTuningDetails/validationData", "hyperparameters": "fineTuningDetails/hyperParameters",
	},
	YAML: wire.Fixed{"type": "distillation"},
	REST: wire.Fixed{
		"jobType": "FineTuning", "isArchived": false, "fineTuningDetails/modelProvider": "Custom", "fineTuningDetails/taskType": "ChatCompletion",
	},
}

// WireLayout places the fields.
func (DistillationJob) WireLayout() *wire.Layout { return &distillationJob }

// WireDocument is what the service answered.
func (j *DistillationJob) WireDocument() *wire.Document { return &j.doc }

func (j *DistillationJob) job() (definition, error) { return defined(j) }

func (j *DistillationJob) jobType() string { return "FineTuning" }

func (j *DistillationJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, outputs: &j.Outputs,
	}
}

func (j *DistillationJob) clone() definition {
	c := *j
	return &c
}

// TeacherSettings say how the teacher is asked.
type TeacherSettings struct {
	// InferenceParameters go with each request: "temperature", "max_tokens" …
	InferenceParameters map[string]any `yaml:"inference_parameters" json:"-"`
	// Requests are how it is asked for many answers.
	Requests *RequestSettings `yaml:"endpoint_request_settings" json:"-"`
}

// RequestSettings are how a teacher is asked for many answers.
type RequestSettings struct {
	BatchSize *int `yaml:"request_batch_size" json:"-"`
	// MinSuccessRatio is the share of requests that must succeed.
	MinSuccessRatio *float64 `yaml:"min_endpoint_success_ratio" json:"-"`
}

// PromptSettings are what the teacher is told.
type PromptSettings struct {
	// ChainOfThought lets it reason, ChainOfDensity makes summaries denser step by step.
	ChainOfThought bool `yaml:"enable_chain_of_thought" json:"-"`
	ChainOfDensity bool `yaml:"enable_chain_of_density" json:"-"`
	// MaxLenSummary is in words.
	MaxLenSummary *int `yaml:"max_len_summary" json:"-"`
}

// DistillationResources are the machines that make data.
type DistillationResources struct {
	InstanceType string `yaml:"instance_type" json:"-"`
	// InstanceCount and Properties may stand in files; they are not sent.
	InstanceCount int            `yaml:"instance_count" json:"-"`
	Properties    map[string]any `yaml:"properties" json:"-"`
}

// Distillation's own settings travel as properties of a fine-tuning job, as text.
const (
	propDistill           = "azureml.enable_distillation"
	propGeneration        = "azureml.data_generation_type"
	propGenerationTask    = "azureml.data_generation_task_type"
	propTeacher           = "azureml.teacher_model."
	propTeacherName       = propTeacher + "endpoint_name"
	propTeacherConnection = "azureml.connection_information"
	propGenerationMachine = "azureml.instance_type.data_generation"
	propBatchSize         = "azureml.request_batch_size"
	propSuccessRatio      = "azureml.min_endpoint_success_ratio"
	propChainOfThought    = "azureml.enable_chain_of_thought"
	propChainOfDensity    = "azureml.enable_chain_of_density"
	propMaxLenSummary     = "azureml.max_len_summary"
)

// AfterEncodeWire writes the settings as properties.
func (j DistillationJob) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST {
		return nil
	}
	tuningData(e, m)
	if d, ok := m["fineTuningDetails"].(map[string]any); ok {
		if h, ok := d["hyperParameters"].(map[string]any); ok {
			for k, v := range h {
				h[k] = wire.PythonStr(v)
			}
		}
	}
	p, _ := m["properties"].(map[string]any) // it is always sent
	if p == nil {
		p = map[string]any{}
		m["properties"] = p
	}
	set := func(key string, v any) {
		if v != nil {
			p[key] = wire.PythonStr(plainValue(v))
		}
	}
	set(propDistill, true)
	set(propGeneration, string(j.Generation))
	set(propGenerationTask, strings.ToUpper(string(j.Task)))
	set(propTeacherName, j.Teacher.Name)
	connection, err := j.Teacher.text()
	if err != nil {
		return fmt.Errorf("teacher_model_endpoint_connection: %w", err)
	}
	set(propTeacherConnection, connection)
	if s := j.Prompt; s != nil {
		set(propChainOfThought, s.ChainOfThought)
		set(propChainOfDensity, s.ChainOfDensity)
		if s.MaxLenSummary != nil {
			set(propMaxLenSummary, *s.MaxLenSummary)
		}
	}
	if t := j.TeacherSettings; t != nil {
		inference, err := e.Value(t.InferenceParameters)
		if err != nil {
			return fmt.Errorf("teacher_model_settings.inference_parameters: %w", err)
		}
		if m, ok := inference.(map[string]any); ok {
			for k, v := range m {
				set(propTeacher+k, v)
			}
		}
		if r := t.Requests; r != nil {
			if r.BatchSize != nil {
				set(propBatchSize, *r.BatchSize)
			}
			if r.MinSuccessRatio != nil {
				set(propSuccessRatio, *r.MinSuccessRatio)
			}
		}
	}
	if j.Resources != nil && j.Resources.InstanceType != "" {
		set(propGenerationMachine, j.Resources.InstanceType)
	}
	return nil
}

// AfterDecodeWire reads data that are named alone, and the settings out of the properties.
func (j *DistillationJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	tuningInput(d, n, "training_data", &j.TrainingData)
	tuningInput(d, n, "validation_data", &j.ValidationData)
	modelInput(d, n, "student_model", &j.Student, true)
	if d.Spelling() == wire.REST {
		j.settings(d)
		return
	}
	if !d.Strict() {
		return
	}
	if p := n.Get("teacher_model_settings", "inference_parameters"); p != nil {
		for _, e := range p.Entries {
			if e.Value.IsNull() {
				d.At("teacher_model_settings").At("inference_parameters").At(e.Key).Fault(e.Value, "is null; leave the key out, or give a value")
			}
		}
	}
	if j.Generation != GenerateLabels {
		return
	}
	for _, field := range []string{"training_data", "validation_data"} {
		if n.Get(field) == nil {
			d.Fault(n, "the required field %q is missing: labels are made for data", field)
		}
	}
}

// settings takes the settings out of the properties.
func (j *DistillationJob) settings(d *wire.Decoding) {
	take := func(key string) (*wire.Node, bool) {
		s, ok := j.Properties[key]
		if ok {
			delete(j.Properties, key)
		}
		return wordNode(s), ok
	}
	into := func(key string, p any) bool {
		n, ok := take(key)
		if ok {
			d.Into(n, p)
		}
		return ok
	}
	take(propDistill)
	into(propGeneration, &j.Generation)
	into(propGenerationTask, &j.Task)
	into(propTeacherName, &j.Teacher.Name)
	if n, ok := take(propTeacherConnection); ok {
		j.Teacher.read(d, n.Text)
	}
	var p PromptSettings
	thought, density, length := into(propChainOfThought, &p.ChainOfThought), into(propChainOfDensity, &p.ChainOfDensity), into(propMaxLenSummary, &p.MaxLenSummary)
	if thought || density || length {
		j.Prompt = &p
	}
	var res DistillationResources
	if into(propGenerationMachine, &res.InstanceType) {
		j.Resources = &res
	}
	var t TeacherSettings
	var r RequestSettings
	size, ratio := into(propBatchSize, &r.BatchSize), into(propSuccessRatio, &r.MinSuccessRatio)
	if size || ratio {
		t.Requests = &r
	}
	for _, key := range slices.Sorted(maps.Keys(j.Properties)) {
		name, ok := strings.CutPrefix(key, propTeacher)
		if !ok {
			continue
		}
		n, _ := take(key)
		if t.InferenceParameters == nil {
			t.InferenceParameters = map[string]any{}
		}
		t.InferenceParameters[name] = n.Value
	}
	if t.Requests != nil || t.InferenceParameters != nil {
		j.TeacherSettings = &t
	}
}

func (j *DistillationJob) check(_ context.Context, c *checker) {
	c.head(j.head())
	c.services(j.Services)
	if _, ok := generationTypes.Parse(string(j.Generation)); !ok {
		c.add("data_generation_type", "%q is none of %s", j.Generation, strings.Join(generationTypes.Values(), ", "))
	}
	if _, ok := generationTasks.Parse(string(j.Task)); !ok {
		c.add("data_generation_task_type", "%q is none of %s", j.Task, strings.Join(generationTasks.Values(), ", "))
	}
	if f := j.Teacher.fault(); f != "" {
		c.add("teacher_model_endpoint_connection", "%s", f)
	}
	c.tuningModel("student_model", j.Student)
	for _, data := range []struct {
		field string
		in    Input
	}{{"training_data", j.TrainingData}, {"validation_data", j.ValidationData}} {
		if data.in == (Input{}) && j.Generation == GenerateLabels {
			c.add(data.field, "data are required to make labels for")
		}
		c.tuningFile(data.field, data.in)
	}
}

func (j *DistillationJob) resolve(ctx context.Context, r *resolver) error {
	return r.tuning(ctx, "student_model", &j.Student, &j.TrainingData, &j.ValidationData)
}
