package jobs

import (
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// ImageClassificationTask gives an image one of several labels.
type ImageClassificationTask struct {
	// TrainingData is an MLTable with a column of images. Required.
	TrainingData Input `yaml:"training_data,required" json:"trainingData"`
	// Target is the column with the labels. Required.
	Target string `yaml:"target_column_name,required" json:"targetColumnName"`
	// ValidationData is another table; else ValidationDataSize is the share of the training data that is held back.
	ValidationData     Input   `yaml:"validation_data" json:"validationData"`
	ValidationDataSize float64 `yaml:"validation_data_size" json:"validationDataSize"`
	// TestData may stand in files; the service takes none for images, and none is sent.
	TestData Input `yaml:"test_data" json:"-"`
	// Metric defaults to accuracy.
	Metric ClassificationMetric `yaml:"primary_metric" json:"primaryMetric,default=accuracy"`
	Limits *ImageLimits         `yaml:"limits" json:"limitSettings"`
	// Parameters are the same for all trials, SearchSpace is what is tried: one map for each family of models.
	Parameters   *ImageParameters           `yaml:"training_parameters" json:"modelSettings"`
	SearchSpace  []ImageClassificationSpace `yaml:"search_space" json:"searchSpace"`
	Sweep        *AutoMLSweep               `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity LogVerbosity               `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var imageClassificationTask = wire.Layout{YAML: wire.Fixed{"task": "image_classification"}, REST: wire.Fixed{"taskType": "ImageClassification"}}

// WireLayout places the fields.
func (ImageClassificationTask) WireLayout() *wire.Layout { return &imageClassificationTask }

// AfterEncodeWire adapts data and defaults.
func (t ImageClassificationTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricAccuracy), LogInfo)
	return nil
}

// AfterDecodeWire refuses parameters of other tasks.
func (t *ImageClassificationTask) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	t.Parameters.refuse(d, n, false)
}

func (t *ImageClassificationTask) parts() taskParts {
	p := taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: classificationMetrics,
		setMetric: func(s string) { t.Metric = ClassificationMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		validationSize: t.ValidationDataSize, sweep: t.Sweep, spaceOf: imageClassificationSpace, image: t.Parameters,
	}
	for _, s := range t.SearchSpace {
		p.spaces = append(p.spaces, s)
	}
	return p
}

func (t *ImageClassificationTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *ImageClassificationTask) check(c *checker) { t.Limits.check(c) }

// ImageMultilabelTask gives an image any number of labels. Its fields are those of [ImageClassificationTask].
type ImageMultilabelTask struct {
	TrainingData       Input   `yaml:"training_data,required" json:"trainingData"`
	Target             string  `yaml:"target_column_name,required" json:"targetColumnName"`
	ValidationData     Input   `yaml:"validation_data" json:"validationData"`
	ValidationDataSize float64 `yaml:"validation_data_size" json:"validationDataSize"`
	TestData           Input   `yaml:"test_data" json:"-"`
	// Metric defaults to iou.
	Metric       MultilabelMetric           `yaml:"primary_metric" json:"primaryMetric,default=iou"`
	Limits       *ImageLimits               `yaml:"limits" json:"limitSettings"`
	Parameters   *ImageParameters           `yaml:"training_parameters" json:"modelSettings"`
	SearchSpace  []ImageClassificationSpace `yaml:"search_space" json:"searchSpace"`
	Sweep        *AutoMLSweep               `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity LogVerbosity               `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var imageMultilabelTask = wire.Layout{YAML: wire.Fixed{"task": "image_classification_multilabel"}, REST: wire.Fixed{"taskType": "ImageClassificationMultilabel"}}

// WireLayout places the fields.
func (ImageMultilabelTask) WireLayout() *wire.Layout { return &imageMultilabelTask }

// AfterEncodeWire adapts data and defaults.
func (t ImageMultilabelTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricIOU), LogInfo)
	return nil
}

// AfterDecodeWire refuses parameters of other tasks.
func (t *ImageMultilabelTask) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	t.Parameters.refuse(d, n, false)
}

func (t *ImageMultilabelTask) parts() taskParts {
	p := taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: multilabelMetrics,
		setMetric: func(s string) { t.Metric = MultilabelMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		validationSize: t.ValidationDataSize, sweep: t.Sweep, spaceOf: imageClassificationSpace, image: t.Parameters,
	}
	for _, s := range t.SearchSpace {
		p.spaces = append(p.spaces, s)
	}
	return p
}

func (t *ImageMultilabelTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *ImageMultilabelTask) check(c *checker) { t.Limits.check(c) }

// ObjectDetectionTask finds things in images, with boxes around them. Its fields are those of [ImageClassificationTask].
type ObjectDetectionTask struct {
	TrainingData       Input   `yaml:"training_data,required" json:"trainingData"`
	Target             string  `yaml:"target_column_name,required" json:"targetColumnName"`
	ValidationData     Input   `yaml:"validation_data" json:"validationData"`
	ValidationDataSize float64 `yaml:"validation_data_size" json:"validationDataSize"`
	TestData           Input   `yaml:"test_data" json:"-"`
	// Metric is mean_average_precision.
	Metric       DetectionMetric  `yaml:"primary_metric" json:"primaryMetric,default=mean_average_precision"`
	Limits       *ImageLimits     `yaml:"limits" json:"limitSettings"`
	Parameters   *ImageParameters `yaml:"training_parameters" json:"modelSettings"`
	SearchSpace  []DetectionSpace `yaml:"search_space" json:"searchSpace"`
	Sweep        *AutoMLSweep     `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity LogVerbosity     `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var objectDetectionTask = wire.Layout{YAML: wire.Fixed{"task": "image_object_detection"}, REST: wire.Fixed{"taskType": "ImageObjectDetection"}}

// WireLayout places the fields.
func (ObjectDetectionTask) WireLayout() *wire.Layout { return &objectDetectionTask }

// AfterEncodeWire adapts data and defaults.
func (t ObjectDetectionTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricMeanAveragePrecision), LogInfo)
	return nil
}

// AfterDecodeWire refuses parameters of other tasks.
func (t *ObjectDetectionTask) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	t.Parameters.refuse(d, n, true)
}

func (t *ObjectDetectionTask) parts() taskParts {
	p := taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: detectionMetrics,
		setMetric: func(s string) { t.Metric = DetectionMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		validationSize: t.ValidationDataSize, sweep: t.Sweep, spaceOf: detectionSpace, image: t.Parameters, detection: true,
	}
	for _, s := range t.SearchSpace {
		p.spaces = append(p.spaces, s)
	}
	return p
}

func (t *ObjectDetectionTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *ObjectDetectionTask) check(c *checker) { t.Limits.check(c) }

// InstanceSegmentationTask finds things in images, with their outlines. Its fields are those of [ImageClassificationTask].
type InstanceSegmentationTask struct {
	TrainingData       Input   `yaml:"training_data,required" json:"trainingData"`
	Target             string  `yaml:"target_column_name,required" json:"targetColumnName"`
	ValidationData     Input   `yaml:"validation_data" json:"validationData"`
	ValidationDataSize float64 `yaml:"validation_data_size" json:"validationDataSize"`
	TestData           Input   `yaml:"test_data" json:"-"`
	// Metric is mean_average_precision.
	Metric       DetectionMetric  `yaml:"primary_metric" json:"primaryMetric,default=mean_average_precision"`
	Limits       *ImageLimits     `yaml:"limits" json:"limitSettings"`
	Parameters   *ImageParameters `yaml:"training_parameters" json:"modelSettings"`
	SearchSpace  []DetectionSpace `yaml:"search_space" json:"searchSpace"`
	Sweep        *AutoMLSweep     `yaml:"sweep" json:"sweepSettings"`
	LogVerbosity LogVerbosity     `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var instanceSegmentationTask = wire.Layout{YAML: wire.Fixed{"task": "image_instance_segmentation"}, REST: wire.Fixed{"taskType": "ImageInstanceSegmentation"}}

// WireLayout places the fields.
func (InstanceSegmentationTask) WireLayout() *wire.Layout { return &instanceSegmentationTask }

// AfterEncodeWire adapts data and defaults.
func (t InstanceSegmentationTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricMeanAveragePrecision), LogInfo)
	return nil
}

// AfterDecodeWire refuses parameters of other tasks.
func (t *InstanceSegmentationTask) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	t.Parameters.refuse(d, n, true)
}

func (t *InstanceSegmentationTask) parts() taskParts {
	p := taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: detectionMetrics,
		setMetric: func(s string) { t.Metric = DetectionMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		validationSize: t.ValidationDataSize, sweep: t.Sweep, spaceOf: detectionSpace, image: t.Parameters, detection: true,
	}
	for _, s := range t.SearchSpace {
		p.spaces = append(p.spaces, s)
	}
	return p
}

func (t *InstanceSegmentationTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *InstanceSegmentationTask) check(c *checker) { t.Limits.check(c) }

// ImageLimits bound AutoML on images.
type ImageLimits struct {
	MaxTrials           int `yaml:"max_trials" json:"maxTrials"`
	MaxConcurrentTrials int `yaml:"max_concurrent_trials" json:"maxConcurrentTrials"`
	// Timeout is in whole minutes.
	Timeout time.Duration `yaml:"timeout_minutes,minutes" json:"timeout"`
}

func (l *ImageLimits) check(c *checker) {
	if l != nil {
		c.minutes("limits.timeout_minutes", l.Timeout)
	}
}
