package jobs

import (
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// TextClassificationTask gives a text one of several labels.
type TextClassificationTask struct {
	// TrainingData and ValidationData are MLTables. Training data are required.
	TrainingData   Input `yaml:"training_data,required" json:"trainingData"`
	ValidationData Input `yaml:"validation_data" json:"validationData"`
	// Target is the column with the labels. Required.
	Target string `yaml:"target_column_name,required" json:"targetColumnName"`
	// Metric defaults to accuracy.
	Metric        ClassificationMetric `yaml:"primary_metric" json:"primaryMetric,default=accuracy"`
	Featurization *TextFeaturization   `yaml:"featurization" json:"featurizationSettings"`
	Limits        TextLimits           `yaml:"limits" json:"limitSettings,keep"`
	// Parameters are the same for all trials, SearchSpace is what is tried: one map for each family of models.
	Parameters   *TextParameters `yaml:"training_parameters" json:"fixedParameters"`
	SearchSpace  []TextSpace     `yaml:"search_space" json:"searchSpace"`
	Sweep        *AutoMLSweep    `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity LogVerbosity    `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var textClassificationTask = wire.Layout{YAML: wire.Fixed{"task": "text_classification"}, REST: wire.Fixed{"taskType": "TextClassification"}}

// WireLayout places the fields.
func (TextClassificationTask) WireLayout() *wire.Layout { return &textClassificationTask }

// AfterEncodeWire adapts data and defaults.
func (t TextClassificationTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricAccuracy), "")
	return nil
}

func (t *TextClassificationTask) parts() taskParts {
	return textParts(taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: classificationMetrics,
		setMetric: func(s string) { t.Metric = ClassificationMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData, sweep: t.Sweep,
	}, t.SearchSpace)
}

func (t *TextClassificationTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *TextClassificationTask) check(c *checker) { t.Limits.check(c) }

// TextMultilabelTask gives a text any number of labels. Its fields are those of [TextClassificationTask].
type TextMultilabelTask struct {
	TrainingData   Input  `yaml:"training_data,required" json:"trainingData"`
	ValidationData Input  `yaml:"validation_data" json:"validationData"`
	Target         string `yaml:"target_column_name,required" json:"targetColumnName"`
	// Metric is accuracy: the service takes no other, and none is sent.
	Metric        AccuracyMetric     `yaml:"primary_metric" json:"primaryMetric,ro"`
	Featurization *TextFeaturization `yaml:"featurization" json:"featurizationSettings"`
	Limits        TextLimits         `yaml:"limits" json:"limitSettings,keep"`
	Parameters    *TextParameters    `yaml:"training_parameters" json:"fixedParameters"`
	SearchSpace   []TextSpace        `yaml:"search_space" json:"searchSpace"`
	Sweep         *AutoMLSweep       `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity  LogVerbosity       `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var textMultilabelTask = wire.Layout{YAML: wire.Fixed{"task": "text_classification_multilabel"}, REST: wire.Fixed{"taskType": "TextClassificationMultilabel"}}

// WireLayout places the fields.
func (TextMultilabelTask) WireLayout() *wire.Layout { return &textMultilabelTask }

// AfterEncodeWire adapts data and defaults.
func (t TextMultilabelTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricAccuracy), "")
	return nil
}

func (t *TextMultilabelTask) parts() taskParts {
	return textParts(taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: accuracyMetrics,
		setMetric: func(s string) { t.Metric = AccuracyMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData, sweep: t.Sweep,
	}, t.SearchSpace)
}

func (t *TextMultilabelTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *TextMultilabelTask) check(c *checker) { t.Limits.check(c) }

// TextNERTask finds names in texts: of people, places and the like. Its fields are those of [TextClassificationTask]; the
// labels are in the files, which are in CoNLL's form.
type TextNERTask struct {
	TrainingData   Input `yaml:"training_data,required" json:"trainingData"`
	ValidationData Input `yaml:"validation_data" json:"validationData"`
	// Target may stand in files; the service has no use for it, and it is not sent.
	Target string `yaml:"target_column_name" json:"-"`
	// Metric is accuracy: the service takes no other, and none is sent.
	Metric        AccuracyMetric     `yaml:"primary_metric" json:"primaryMetric,ro"`
	Featurization *TextFeaturization `yaml:"featurization" json:"featurizationSettings"`
	Limits        TextLimits         `yaml:"limits" json:"limitSettings,keep"`
	Parameters    *TextParameters    `yaml:"training_parameters" json:"fixedParameters"`
	SearchSpace   []TextSpace        `yaml:"search_space" json:"searchSpace"`
	Sweep         *AutoMLSweep       `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity  LogVerbosity       `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var textNERTask = wire.Layout{YAML: wire.Fixed{"task": "text_ner"}, REST: wire.Fixed{"taskType": "TextNER"}}

// WireLayout places the fields.
func (TextNERTask) WireLayout() *wire.Layout { return &textNERTask }

// AfterEncodeWire adapts data and defaults.
func (t TextNERTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricAccuracy), "")
	return nil
}

func (t *TextNERTask) parts() taskParts {
	return textParts(taskParts{
		target: &t.Target, metric: string(t.Metric), metrics: accuracyMetrics,
		setMetric: func(s string) { t.Metric = AccuracyMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData, sweep: t.Sweep,
	}, t.SearchSpace)
}

func (t *TextNERTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *TextNERTask) check(c *checker) { t.Limits.check(c) }

func textParts(p taskParts, spaces []TextSpace) taskParts {
	p.spaceOf = textSpace
	for _, s := range spaces {
		p.spaces = append(p.spaces, s)
	}
	return p
}

// TextFeaturization says what texts are.
type TextFeaturization struct {
	// DatasetLanguage is a code of three letters, such as "eng".
	DatasetLanguage string `yaml:"dataset_language" json:"datasetLanguage"`
}

// TextLimits bound AutoML on texts.
type TextLimits struct {
	// MaxTrials and MaxNodes default to 1.
	MaxTrials           int `yaml:"max_trials" json:"maxTrials,default=1"`
	MaxConcurrentTrials int `yaml:"max_concurrent_trials" json:"maxConcurrentTrials"`
	MaxNodes            int `yaml:"max_nodes" json:"maxNodes,default=1"`
	// Timeout is of all, TrialTimeout of each trial, in whole minutes.
	Timeout      time.Duration `yaml:"timeout_minutes,minutes" json:"timeout"`
	TrialTimeout time.Duration `yaml:"trial_timeout_minutes,minutes" json:"trialTimeout"`
}

// AfterEncodeWire says the defaults in a pipeline's step.
func (l TextLimits) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.Spec {
		return nil
	}
	for _, k := range []string{"max_trials", "max_nodes"} {
		if _, ok := m[k]; !ok {
			m[k] = int64(1)
		}
	}
	return nil
}

func (l TextLimits) check(c *checker) {
	c.minutes("limits.timeout_minutes", l.Timeout)
	c.minutes("limits.trial_timeout_minutes", l.TrialTimeout)
}

// TextParameters are hyperparameters of models for texts. What is not set is AutoML's to choose.
type TextParameters struct {
	// ModelName is such as "bert-base-cased".
	ModelName                 string        `yaml:"model_name" json:"modelName"`
	GradientAccumulationSteps *int          `yaml:"gradient_accumulation_steps" json:"gradientAccumulationSteps"`
	LearningRate              *float64      `yaml:"learning_rate" json:"learningRate"`
	LearningRateScheduler     TextScheduler `yaml:"learning_rate_scheduler" json:"learningRateScheduler"`
	NumberOfEpochs            *int          `yaml:"number_of_epochs" json:"numberOfEpochs"`
	TrainingBatchSize         *int          `yaml:"training_batch_size" json:"trainingBatchSize"`
	ValidationBatchSize       *int          `yaml:"validation_batch_size" json:"validationBatchSize"`
	WarmupRatio               *float64      `yaml:"warmup_ratio" json:"warmupRatio"`
	WeightDecay               *float64      `yaml:"weight_decay" json:"weightDecay"`
}

// TextScheduler changes the learning rate over time: none, linear, cosine, cosine_with_restarts, polynomial, constant or
// constant_with_warmup.
type TextScheduler string

var textSchedulers = wire.PascalEnum("none", "linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup")

// WireEnum lists the spellings.
func (TextScheduler) WireEnum() *wire.Enum { return textSchedulers }
