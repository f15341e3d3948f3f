package jobs

import (
	"reflect"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// ImageParameters are hyperparameters of models for images. What is not set is AutoML's to choose.
type ImageParameters struct {
	// ModelName is such as "vitb16r224", "yolov5" or "maskrcnn_resnet50_fpn".
	ModelName             string         `yaml:"model_name" json:"modelName"`
	AdvancedSettings      string         `yaml:"advanced_settings" json:"advancedSettings"` // JSON
	AMSGradient           *bool          `yaml:"ams_gradient" json:"amsGradient"`
	Beta1                 *float64       `yaml:"beta1" json:"beta1"`
	Beta2                 *float64       `yaml:"beta2" json:"beta2"`
	CheckpointFrequency   *int           `yaml:"checkpoint_frequency" json:"checkpointFrequency"`
	CheckpointRunID       string         `yaml:"checkpoint_run_id" json:"checkpointRunId"`
	Distributed           *bool          `yaml:"distributed" json:"distributed"`
	EarlyStopping         *bool          `yaml:"early_stopping" json:"earlyStopping"`
	EarlyStoppingDelay    *int           `yaml:"early_stopping_delay" json:"earlyStoppingDelay"`
	EarlyStoppingPatience *int           `yaml:"early_stopping_patience" json:"earlyStoppingPatience"`
	EvaluationFrequency   *int           `yaml:"evaluation_frequency" json:"evaluationFrequency"`
	ONNXNormalization     *bool          `yaml:"enable_onnx_normalization" json:"enableOnnxNormalization"`
	GradientAccumulation  *int           `yaml:"gradient_accumulation_step" json:"gradientAccumulationStep"`
	LayersToFreeze        *int           `yaml:"layers_to_freeze" json:"layersToFreeze"`
	LearningRate          *float64       `yaml:"learning_rate" json:"learningRate"`
	LearningRateScheduler ImageScheduler `yaml:"learning_rate_scheduler" json:"learningRateScheduler"`
	Momentum              *float64       `yaml:"momentum" json:"momentum"`
	Nesterov              *bool          `yaml:"nesterov" json:"nesterov"`
	NumberOfEpochs        *int           `yaml:"number_of_epochs" json:"numberOfEpochs"`
	NumberOfWorkers       *int           `yaml:"number_of_workers" json:"numberOfWorkers"`
	Optimizer             Optimizer      `yaml:"optimizer" json:"optimizer"`
	RandomSeed            *int           `yaml:"random_seed" json:"randomSeed"`
	StepLRGamma           *float64       `yaml:"step_lr_gamma" json:"stepLRGamma"`
	StepLRStepSize        *int           `yaml:"step_lr_step_size" json:"stepLRStepSize"`
	TrainingBatchSize     *int           `yaml:"training_batch_size" json:"trainingBatchSize"`
	ValidationBatchSize   *int           `yaml:"validation_batch_size" json:"validationBatchSize"`
	WarmupCosineLRCycles  *float64       `yaml:"warmup_cosine_lr_cycles" json:"warmupCosineLRCycles"`
	WarmupCosineLREpochs  *int           `yaml:"warmup_cosine_lr_warmup_epochs" json:"warmupCosineLRWarmupEpochs"`
	WeightDecay           *float64       `yaml:"weight_decay" json:"weightDecay"`

	// These are for classification.

	TrainingCropSize     *int `yaml:"training_crop_size" json:"trainingCropSize"`
	ValidationCropSize   *int `yaml:"validation_crop_size" json:"validationCropSize"`
	ValidationResizeSize *int `yaml:"validation_resize_size" json:"validationResizeSize"`
	// WeightedLoss is 0 for none, 1 for the square root of the classes' weights, 2 for the weights.
	WeightedLoss *int `yaml:"weighted_loss" json:"weightedLoss"`

	// These are for detection and segmentation.

	BoxDetectionsPerImage       *int             `yaml:"box_detections_per_image" json:"boxDetectionsPerImage"`
	BoxScoreThreshold           *float64         `yaml:"box_score_threshold" json:"boxScoreThreshold"`
	ImageSize                   *int             `yaml:"image_size" json:"imageSize"`
	MaxSize                     *int             `yaml:"max_size" json:"maxSize"`
	MinSize                     *int             `yaml:"min_size" json:"minSize"`
	ModelSize                   ModelSize        `yaml:"model_size" json:"modelSize"`
	MultiScale                  *bool            `yaml:"multi_scale" json:"multiScale"`
	NMSIOUThreshold             *float64         `yaml:"nms_iou_threshold" json:"nmsIouThreshold"`
	TileGridSize                string           `yaml:"tile_grid_size" json:"tileGridSize"` // such as "3x2"
	TileOverlapRatio            *float64         `yaml:"tile_overlap_ratio" json:"tileOverlapRatio"`
	TilePredictionsNMSThreshold *float64         `yaml:"tile_predictions_nms_threshold" json:"tilePredictionsNmsThreshold"`
	ValidationIOUThreshold      *float64         `yaml:"validation_iou_threshold" json:"validationIouThreshold"`
	ValidationMetricType        ValidationMetric `yaml:"validation_metric_type" json:"validationMetricType"`
	LogTrainingMetrics          Switch           `yaml:"log_training_metrics" json:"logTrainingMetrics"`
	LogValidationLoss           Switch           `yaml:"log_validation_loss" json:"logValidationLoss"`
}

// The parameters that only some tasks have.
var (
	classificationParameters = []string{"training_crop_size", "validation_crop_size", "validation_resize_size", "weighted_loss"}
	detectionParameters      = []string{
		"box_detections_per_image", "box_score_threshold", "image_size", "max_size", "min_size", "model_size", "multi_scale", "nms_iou_threshold", "tile_grid_size",
		"tile_overlap_ratio", "tile_predictions_nms_threshold", "validation_iou_threshold", "validation_metric_type", "log_training_metrics", "log_validation_loss",
	}
)

func otherParameters(detection bool) []string {
	if detection {
		return classificationParameters
	}
	return detectionParameters
}

// foreign are the parameters that are set and belong to another task.
func (p *ImageParameters) foreign(detection bool) []string {
	if p == nil {
		return nil
	}
	var out []string
	v := reflect.ValueOf(*p)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if !v.Field(i).IsZero() && slices.Contains(otherParameters(detection), name) {
			out = append(out, name)
		}
	}
	return out
}

// refuse reports parameters of another task in a file.
func (p *ImageParameters) refuse(d *wire.Decoding, n *wire.Node, detection bool) {
	if p == nil || !d.Strict() {
		return
	}
	for _, name := range p.foreign(detection) {
		at := n.Get("training_parameters")
		d.At("training_parameters").At(name).Fault(at.Get(name), "is no parameter of this task")
	}
}

// ImageScheduler changes the learning rate over time: none, warmup_cosine or step.
type ImageScheduler string

var imageSchedulers = wire.PascalEnum("none", "warmup_cosine", "step")

// WireEnum lists the spellings.
func (ImageScheduler) WireEnum() *wire.Enum { return imageSchedulers }

// Optimizer is none, sgd, adam or adamw.
type Optimizer string

var optimizers = wire.PascalEnum("none", "sgd", "adam", "adamw")

// WireEnum lists the spellings.
func (Optimizer) WireEnum() *wire.Enum { return optimizers }

// ModelSize is none, small, medium, large or extra_large.
type ModelSize string

var modelSizes = wire.PascalEnum("none", "small", "medium", "large", "extra_large")

// WireEnum lists the spellings.
func (ModelSize) WireEnum() *wire.Enum { return modelSizes }

// ValidationMetric is none, coco, voc or coco_voc.
type ValidationMetric string

var validationMetrics = wire.PascalEnum("none", "coco", "voc", "coco_voc")

// WireEnum lists the spellings.
func (ValidationMetric) WireEnum() *wire.Enum { return validationMetrics }

// Switch is enable or disable.
type Switch string

var switches = wire.PascalEnum("enable", "disable")

// WireEnum lists the spellings.
func (Switch) WireEnum() *wire.Enum { return switches }
