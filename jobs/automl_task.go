package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/wire"
)

// AutoMLTask is what an AutoML job learns: *ClassificationTask, *RegressionTask, *ForecastingTask, *ImageClassificationTask,
// *ImageMultilabelTask, *ObjectDetectionTask, *InstanceSegmentationTask, *TextClassificationTask, *TextMultilabelTask,
// *TextNERTask and, of what the service answers, *UnknownAutoMLTask.
type AutoMLTask interface {
	// parts points at what the tasks have in common.
	parts() taskParts
	// clone is a copy whose data can be set without changing the original's.
	clone() AutoMLTask
	// check reports what is wrong with the task by itself.
	check(c *checker)
}

// taskParts points at what tasks have in common; what a task does not have is nil.
type taskParts struct {
	target                     *string
	needsTarget                bool
	metric                     string
	metrics                    *wire.Enum
	setMetric                  func(string)
	training, validation, test *Input
	validationSize, testSize   float64
	sweep                      *AutoMLSweep
	spaces                     []map[string]Space
	spaceOf                    *spaceTable
	image                      *ImageParameters
	detection                  bool
}

// table is one table of data of a task.
type table struct {
	field string
	in    *Input
}

func (p taskParts) tables() []table {
	var out []table
	for _, t := range []table{{"training_data", p.training}, {"validation_data", p.validation}, {"test_data", p.test}} {
		if t.in != nil {
			out = append(out, t)
		}
	}
	return out
}

var automlTasks = wire.RegisterSum[AutoMLTask](&wire.Sum{
	Name: "AutoML task", YAML: "task", REST: "taskType",
	Arms: []wire.Arm{
		wire.ArmOf[ClassificationTask]("classification", "Classification"),
		wire.ArmOf[RegressionTask]("regression", "Regression"),
		wire.ArmOf[ForecastingTask]("forecasting", "Forecasting"),
		wire.ArmOf[ImageClassificationTask]("image_classification", "ImageClassification"),
		wire.ArmOf[ImageMultilabelTask]("image_classification_multilabel", "ImageClassificationMultilabel"),
		wire.ArmOf[ObjectDetectionTask]("image_object_detection", "ImageObjectDetection"),
		wire.ArmOf[InstanceSegmentationTask]("image_instance_segmentation", "ImageInstanceSegmentation"),
		wire.ArmOf[TextClassificationTask]("text_classification", "TextClassification"),
		wire.ArmOf[TextMultilabelTask]("text_classification_multilabel", "TextClassificationMultilabel"),
		wire.ArmOf[TextNERTask]("text_ner", "TextNER"),
	},
	Unknown: func() any { return new(UnknownAutoMLTask) },
})

func automlTaskNames() string {
	names := make([]string, len(automlTasks.Arms))
	for i, a := range automlTasks.Arms {
		names[i] = a.YAML
	}
	return strings.Join(names, ", ")
}

// UnknownAutoMLTask is a task that this version does not know, as the service answered it.
type UnknownAutoMLTask struct {
	Raw azureml.Raw `yaml:"-" json:"."`
}

var unknownAutoMLTask = wire.Layout{}

// WireLayout places the fields.
func (UnknownAutoMLTask) WireLayout() *wire.Layout { return &unknownAutoMLTask }

func (t *UnknownAutoMLTask) parts() taskParts { return taskParts{} }

func (t *UnknownAutoMLTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *UnknownAutoMLTask) check(c *checker) {
	c.add("task", "a task that is not known cannot be submitted")
}

// LogVerbosity is how much AutoML logs.
type LogVerbosity string

// The verbosities.
const (
	LogNotSet   LogVerbosity = "not_set"
	LogDebug    LogVerbosity = "debug"
	LogInfo     LogVerbosity = "info"
	LogWarning  LogVerbosity = "warning"
	LogError    LogVerbosity = "error"
	LogCritical LogVerbosity = "critical"
)

var logVerbosities = wire.PascalEnum("not_set", "debug", "info", "warning", "error", "critical")

// WireEnum lists the spellings.
func (LogVerbosity) WireEnum() *wire.Enum { return logVerbosities }

// finishTask gives what the tasks' encodings share: data are tables whose reading is AutoML's own business, and a pipeline's
// step says what a job's REST has as defaults.
func finishTask(e *wire.Encoding, m map[string]any, metric string, verbosity LogVerbosity) {
	switch e.Spelling() {
	case wire.REST:
		for _, k := range []string{"trainingData", "validationData", "testData"} {
			in, ok := m[k].(map[string]any)
			if !ok {
				continue
			}
			in["jobInputType"] = string(TypeMLTable)
			delete(in, "mode")
			delete(in, "pathOnCompute")
		}
	case wire.Spec:
		if _, ok := m["log_verbosity"]; !ok && verbosity != "" {
			m["log_verbosity"] = string(verbosity)
		}
		if _, ok := m["primary_metric"]; !ok && metric != "" {
			m["primary_metric"] = metric
		}
	}
}

// task checks an AutoML task; bound ones are a pipeline's, whose values may be expressions.
func (c *checker) task(t AutoMLTask, bound bool) {
	p := t.parts()
	if p.target != nil && *p.target == "" && p.needsTarget {
		c.add("target_column_name", "the name of the column to predict is required")
	}
	if p.metric != "" && p.metrics != nil && !(bound && isExpression(p.metric)) {
		if _, ok := p.metrics.Parse(p.metric); !ok {
			c.add("primary_metric", "%q is none of %s", p.metric, strings.Join(p.metrics.Values(), ", "))
		}
	}
	if p.training != nil && *p.training == (Input{}) {
		c.add("training_data", "a table is required: jobs.MLTable")
	}
	for _, d := range p.tables() {
		c.table(d.field, *d.in, bound)
	}
	for _, size := range []struct {
		field string
		v     float64
	}{{"validation_data_size", p.validationSize}, {"test_data_size", p.testSize}} {
		if size.v < 0 {
			c.add(size.field, "%v is negative", size.v)
		}
	}
	if p.sweep != nil && p.sweep.Sampling == "" {
		c.add("sweep.sampling_algorithm", "random, grid or bayesian is required")
	}
	for i, s := range p.spaces {
		for _, f := range p.spaceOf.faults(s) {
			c.add(fmt.Sprintf("search_space.%d.%s", i, f.name), "%s", f.message)
		}
	}
	if p.image != nil {
		for _, name := range p.image.foreign(p.detection) {
			c.add("training_parameters."+name, "is no parameter of this task")
		}
	}
	t.check(c)
}

// table checks one table of data.
func (c *checker) table(field string, in Input, bound bool) {
	switch {
	case in == (Input{}):
		return
	case in.IsLiteral():
		if s, ok := in.Value.(string); !bound || !ok && !in.bound() || ok && s == "" {
			c.add(field, "is a table, not a plain value: jobs.MLTable")
		}
		return
	case in.Type != TypeMLTable && in.Type != "":
		c.add(field+".type", "AutoML reads tables: the type is mltable, not %s", in.Type)
		return
	case in.Path == "":
		c.add(field+".path", "a path is required")
		return
	}
	if wire.IsLocalPath(in.Path) {
		c.local(field+".path", localPath(in.Path), TypeMLTable)
	}
}

// tables resolves references to data, and then uploads what is here.
func (r *resolver) tables(ctx context.Context, tables []table) error {
	for _, t := range tables {
		if err := r.data(ctx, t.field, t.in, false); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := r.data(ctx, t.field, t.in, true); err != nil {
			return err
		}
	}
	return nil
}

// data resolves one input that stands by itself: its reference, or its files here.
func (r *resolver) data(ctx context.Context, field string, in *Input, upload bool) error {
	if in.IsLiteral() || in.Path == "" || wire.IsLocalPath(in.Path) != upload {
		return nil
	}
	if !upload {
		path, err := r.reference(ctx, *in)
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		in.Path = path
		return nil
	}
	up, err := r.c.datastores.Upload(ctx, localPath(in.Path), &assets.UploadOptions{Datastore: in.Datastore, Progress: r.o.Progress, Concurrency: r.o.Concurrency})
	if err != nil {
		return fmt.Errorf("%s: %w", field, err)
	}
	in.Path = up.ShortURI()
	if in.dataType() == TypeURIFolder && !strings.HasSuffix(in.Path, "/") {
		in.Path += "/"
	}
	return nil
}
