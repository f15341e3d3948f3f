package jobs

import (
	"slices"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// ClassificationTask predicts a column's class from a table's other columns.
type ClassificationTask struct {
	// TrainingData is an MLTable. Required.
	TrainingData Input `yaml:"training_data,required" json:"trainingData"`
	// Target is the column that is predicted. Required.
	Target string `yaml:"target_column_name,required" json:"targetColumnName"`
	// ValidationData is another table; else ValidationDataSize is the share of the training data that is held back, or
	// CrossValidations the number of folds, or CVSplitColumns the columns that say which rows are. Defaults to what AutoML chooses.
	ValidationData     Input    `yaml:"validation_data" json:"validationData"`
	ValidationDataSize float64  `yaml:"validation_data_size" json:"validationDataSize"`
	CrossValidations   AutoInt  `yaml:"n_cross_validations" json:"nCrossValidations"`
	CVSplitColumns     []string `yaml:"cv_split_column_names" json:"cvSplitColumnNames"`
	// TestData, or TestDataSize of the training data, is what the best model is tried on.
	TestData     Input   `yaml:"test_data" json:"testData"`
	TestDataSize float64 `yaml:"test_data_size" json:"testDataSize"`
	// WeightColumn is the column with the rows' weights.
	WeightColumn string `yaml:"weight_column_name" json:"weightColumnName"`
	// Metric defaults to auc_weighted.
	Metric        ClassificationMetric                    `yaml:"primary_metric" json:"primaryMetric,default=auc_weighted"`
	PositiveLabel string                                  `yaml:"positive_label" json:"positiveLabel"`
	Featurization *TableFeaturization                     `yaml:"featurization" json:"featurizationSettings"`
	Limits        *TableLimits                            `yaml:"limits" json:"limitSettings"`
	Training      *TableTraining[ClassificationAlgorithm] `yaml:"training" json:"trainingSettings"`
	// LogVerbosity defaults to info.
	LogVerbosity LogVerbosity `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var classificationTask = wire.Layout{YAML: wire.Fixed{"task": "classification"}, REST: wire.Fixed{"taskType": "Classification"}}

// WireLayout places the fields.
func (ClassificationTask) WireLayout() *wire.Layout { return &classificationTask }

// AfterEncodeWire adapts data and defaults.
func (t ClassificationTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricAccuracy), LogInfo) // steps have another default than jobs
	return nil
}

func (t *ClassificationTask) parts() taskParts {
	return taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: classificationMetrics,
		setMetric: func(s string) { t.Metric = ClassificationMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		test: &t.TestData, validationSize: t.ValidationDataSize, testSize: t.TestDataSize,
	}
}

func (t *ClassificationTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *ClassificationTask) check(c *checker) {
	t.CrossValidations.checkFolds(c)
	checkTraining(c, t.Training)
	t.Limits.check(c)
}

// RegressionTask predicts a column's number from a table's other columns. Its fields are those of [ClassificationTask].
type RegressionTask struct {
	TrainingData       Input    `yaml:"training_data,required" json:"trainingData"`
	Target             string   `yaml:"target_column_name,required" json:"targetColumnName"`
	ValidationData     Input    `yaml:"validation_data" json:"validationData"`
	ValidationDataSize float64  `yaml:"validation_data_size" json:"validationDataSize"`
	CrossValidations   AutoInt  `yaml:"n_cross_validations" json:"nCrossValidations"`
	CVSplitColumns     []string `yaml:"cv_split_column_names" json:"cvSplitColumnNames"`
	TestData           Input    `yaml:"test_data" json:"testData"`
	TestDataSize       float64  `yaml:"test_data_size" json:"testDataSize"`
	WeightColumn       string   `yaml:"weight_column_name" json:"weightColumnName"`
	// Metric defaults to normalized_root_mean_squared_error.
	Metric        RegressionMetric                    `yaml:"primary_metric" json:"primaryMetric,default=normalized_root_mean_squared_error"`
	Featurization *TableFeaturization                 `yaml:"featurization" json:"featurizationSettings"`
	Limits        *TableLimits                        `yaml:"limits" json:"limitSettings"`
	Training      *TableTraining[RegressionAlgorithm] `yaml:"training" json:"trainingSettings"`
	LogVerbosity  LogVerbosity                        `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var regressionTask = wire.Layout{YAML: wire.Fixed{"task": "regression"}, REST: wire.Fixed{"taskType": "Regression"}}

// WireLayout places the fields.
func (RegressionTask) WireLayout() *wire.Layout { return &regressionTask }

// AfterEncodeWire adapts data and defaults.
func (t RegressionTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricNormalizedRootMeanSquaredError), LogInfo)
	return nil
}

func (t *RegressionTask) parts() taskParts {
	return taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: regressionMetrics,
		setMetric: func(s string) { t.Metric = RegressionMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		test: &t.TestData, validationSize: t.ValidationDataSize, testSize: t.TestDataSize,
	}
}

func (t *RegressionTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *RegressionTask) check(c *checker) {
	t.CrossValidations.checkFolds(c)
	checkTraining(c, t.Training)
	t.Limits.check(c)
}

// TableLimits bound AutoML on tables.
type TableLimits struct {
	// EnableEarlyTermination ends a search that gets no better.
	EnableEarlyTermination *bool `yaml:"enable_early_termination" json:"enableEarlyTermination"`
	// ExitScore ends the search when a trial reaches it.
	ExitScore           *float64 `yaml:"exit_score" json:"exitScore"`
	MaxTrials           int      `yaml:"max_trials" json:"maxTrials"`
	MaxConcurrentTrials int      `yaml:"max_concurrent_trials" json:"maxConcurrentTrials"`
	// MaxCoresPerTrial of -1 are all of a node.
	MaxCoresPerTrial int `yaml:"max_cores_per_trial" json:"maxCoresPerTrial"`
	// MaxNodes is how many nodes distributed training may use.
	MaxNodes int `yaml:"max_nodes" json:"maxNodes"`
	// Timeout is of all, TrialTimeout of each trial, in whole minutes.
	Timeout      time.Duration `yaml:"timeout_minutes,minutes" json:"timeout"`
	TrialTimeout time.Duration `yaml:"trial_timeout_minutes,minutes" json:"trialTimeout"`
}

var tableLimits = wire.Layout{REST: wire.Fixed{"sweepConcurrentTrials": int64(0), "sweepTrials": int64(0)}}

// WireLayout places the fields.
func (TableLimits) WireLayout() *wire.Layout { return &tableLimits }

func (l *TableLimits) check(c *checker) {
	if l != nil {
		c.minutes("limits.timeout_minutes", l.Timeout)
		c.minutes("limits.trial_timeout_minutes", l.TrialTimeout)
	}
}

// minutes checks a limit of time that files give in whole minutes.
func (c *checker) minutes(field string, d time.Duration) {
	switch {
	case d < 0:
		c.add(field, "%v is negative", d)
	case d%time.Minute != 0:
		c.add(field, "%v is not in whole minutes", d)
	}
}

// TableTraining says which models AutoML tries on tables.
type TableTraining[A ~string] struct {
	EnableDNNTraining          *bool `yaml:"enable_dnn_training" json:"enableDnnTraining"`
	EnableModelExplainability  *bool `yaml:"enable_model_explainability" json:"enableModelExplainability"`
	EnableONNXCompatibleModels *bool `yaml:"enable_onnx_compatible_models" json:"enableOnnxCompatibleModels"`
	EnableStackEnsemble        *bool `yaml:"enable_stack_ensemble" json:"enableStackEnsemble"`
	EnableVoteEnsemble         *bool `yaml:"enable_vote_ensemble" json:"enableVoteEnsemble"`
	// EnsembleDownloadTimeout is how long an ensemble may take to fetch its models, in whole minutes.
	EnsembleDownloadTimeout time.Duration  `yaml:"ensemble_model_download_timeout_minutes,minutes" json:"ensembleModelDownloadTimeout"`
	StackEnsemble           *StackEnsemble `yaml:"stack_ensemble_settings" json:"stackEnsembleSettings"`
	// AllowedAlgorithms are the only ones that are tried, BlockedAlgorithms are not tried.
	AllowedAlgorithms []A          `yaml:"allowed_training_algorithms" json:"allowedTrainingAlgorithms"`
	BlockedAlgorithms []A          `yaml:"blocked_training_algorithms" json:"blockedTrainingAlgorithms"`
	Mode              TrainingMode `yaml:"training_mode" json:"trainingMode"`
}

// checkTraining checks algorithms that Go code names.
func checkTraining[A interface {
	~string
	wire.Enumeration
}](c *checker, t *TableTraining[A]) {
	if t == nil {
		return
	}
	c.minutes("training.ensemble_model_download_timeout_minutes", t.EnsembleDownloadTimeout)
	for field, list := range map[string][]A{"training.allowed_training_algorithms": t.AllowedAlgorithms, "training.blocked_training_algorithms": t.BlockedAlgorithms} {
		for _, a := range list {
			if _, ok := a.WireEnum().Parse(string(a)); !ok {
				c.add(field, "%q is no algorithm for this task; did you mean %q?", a, wire.Nearest(string(a), a.WireEnum().Values()))
			}
		}
	}
	if i := slices.IndexFunc(t.AllowedAlgorithms, func(a A) bool { return slices.Contains(t.BlockedAlgorithms, a) }); i >= 0 {
		c.add("training.allowed_training_algorithms", "%s is blocked as well", t.AllowedAlgorithms[i])
	}
}

// StackEnsemble says how models are put together by another one.
type StackEnsemble struct {
	MetaLearner MetaLearner `yaml:"stack_meta_learner_type" json:"stackMetaLearnerType"`
	// MetaLearnerArgs are its parameters.
	MetaLearnerArgs map[string]any `yaml:"stack_meta_learner_kwargs" json:"stackMetaLearnerKWargs"`
	// TrainPercentage is the share of the training data that is kept for it. Defaults to 0.2.
	TrainPercentage float64 `yaml:"stack_meta_learner_train_percentage" json:"stackMetaLearnerTrainPercentage"`
}
