package jobs

import "github.com/azureml-go/azureml/internal/wire"

// ClassificationMetric is what classification is judged by.
type ClassificationMetric string

// The metrics of classification.
const (
	MetricAUCWeighted                   ClassificationMetric = "auc_weighted"
	MetricAccuracy                      ClassificationMetric = "accuracy"
	MetricNormMacroRecall               ClassificationMetric = "norm_macro_recall"
	MetricAveragePrecisionScoreWeighted ClassificationMetric = "average_precision_score_weighted"
	MetricPrecisionScoreWeighted        ClassificationMetric = "precision_score_weighted"
)

var classificationMetrics = wire.NewEnum(
	"auc_weighted", "AUCWeighted", "accuracy", "Accuracy", "norm_macro_recall", "NormMacroRecall",
	"average_precision_score_weighted", "AveragePrecisionScoreWeighted", "precision_score_weighted", "PrecisionScoreWeighted",
)

// WireEnum lists the spellings.
func (ClassificationMetric) WireEnum() *wire.Enum { return classificationMetrics }

// MultilabelMetric is what classification with several labels is judged by.
type MultilabelMetric string

// MetricIOU is intersection over union; the other metrics are those of classification.
const MetricIOU MultilabelMetric = "iou"

var multilabelMetrics = wire.NewEnum(
	"auc_weighted", "AUCWeighted", "accuracy", "Accuracy", "norm_macro_recall", "NormMacroRecall",
	"average_precision_score_weighted", "AveragePrecisionScoreWeighted", "precision_score_weighted", "PrecisionScoreWeighted", "iou", "IOU",
)

// WireEnum lists the spellings.
func (MultilabelMetric) WireEnum() *wire.Enum { return multilabelMetrics }

// AccuracyMetric is accuracy, the only metric of some text tasks.
type AccuracyMetric string

var accuracyMetrics = wire.PascalEnum("accuracy")

// WireEnum lists the spellings.
func (AccuracyMetric) WireEnum() *wire.Enum { return accuracyMetrics }

// RegressionMetric is what regression and forecasting are judged by.
type RegressionMetric string

// The metrics of regression and forecasting.
const (
	MetricSpearmanCorrelation            RegressionMetric = "spearman_correlation"
	MetricNormalizedRootMeanSquaredError RegressionMetric = "normalized_root_mean_squared_error"
	MetricR2Score                        RegressionMetric = "r2_score"
	MetricNormalizedMeanAbsoluteError    RegressionMetric = "normalized_mean_absolute_error"
)

var regressionMetrics = wire.PascalEnum("spearman_correlation", "normalized_root_mean_squared_error", "r2_score", "normalized_mean_absolute_error")

// WireEnum lists the spellings.
func (RegressionMetric) WireEnum() *wire.Enum { return regressionMetrics }

// DetectionMetric is what object detection and instance segmentation are judged by.
type DetectionMetric string

// MetricMeanAveragePrecision is their only metric.
const MetricMeanAveragePrecision DetectionMetric = "mean_average_precision"

var detectionMetrics = wire.PascalEnum("mean_average_precision")

// WireEnum lists the spellings.
func (DetectionMetric) WireEnum() *wire.Enum { return detectionMetrics }

// ClassificationAlgorithm is an algorithm for classification, such as "light_gbm".
type ClassificationAlgorithm string

var classificationAlgorithms = wire.NewEnum(
	"logistic_regression", "LogisticRegression", "sgd", "SGD", "multinomial_naive_bayes", "MultinomialNaiveBayes", "bernoulli_naive_bayes", "BernoulliNaiveBayes",
	"svm", "SVM", "linear_svm", "LinearSVM", "knn", "KNN", "decision_tree", "DecisionTree", "random_forest", "RandomForest",
	"extreme_random_trees", "ExtremeRandomTrees", "light_gbm", "LightGBM", "gradient_boosting", "GradientBoosting", "xg_boost_classifier", "XGBoostClassifier",
)

// WireEnum lists the spellings.
func (ClassificationAlgorithm) WireEnum() *wire.Enum { return classificationAlgorithms }

var regressors = []any{
	"elastic_net", "ElasticNet", "gradient_boosting", "GradientBoosting", "decision_tree", "DecisionTree", "knn", "KNN", "lasso_lars", "LassoLars", "sgd", "SGD",
	"random_forest", "RandomForest", "extreme_random_trees", "ExtremeRandomTrees", "light_gbm", "LightGBM", "xg_boost_regressor", "XGBoostRegressor",
}

// RegressionAlgorithm is an algorithm for regression, such as "elastic_net".
type RegressionAlgorithm string

var regressionAlgorithms = wire.NewEnum(regressors...)

// WireEnum lists the spellings.
func (RegressionAlgorithm) WireEnum() *wire.Enum { return regressionAlgorithms }

// ForecastingAlgorithm is an algorithm for forecasting: one for regression, or such as "prophet".
type ForecastingAlgorithm string

var forecastingAlgorithms = wire.NewEnum(append([]any{
	"auto_arima", "AutoArima", "prophet", "Prophet", "naive", "Naive", "seasonal_naive", "SeasonalNaive", "average", "Average", "seasonal_average", "SeasonalAverage",
	"exponential_smoothing", "ExponentialSmoothing", "arimax", "Arimax", "tcn_forecaster", "TCNForecaster",
}, regressors...)...)

// WireEnum lists the spellings.
func (ForecastingAlgorithm) WireEnum() *wire.Enum { return forecastingAlgorithms }

// MetaLearner is what puts a stack ensemble's answers together, such as "logistic_regression".
type MetaLearner string

var metaLearners = wire.NewEnum(
	"none", "None", "logistic_regression", "LogisticRegression", "logistic_regression_cv", "LogisticRegressionCV", "light_gbm_classifier", "LightGBMClassifier",
	"elastic_net", "ElasticNet", "elastic_net_cv", "ElasticNetCV", "light_gbm_regressor", "LightGBMRegressor", "linear_regression", "LinearRegression",
)

// WireEnum lists the spellings.
func (MetaLearner) WireEnum() *wire.Enum { return metaLearners }

// TrainingMode says whether training is spread over nodes.
type TrainingMode string

// The modes.
const (
	TrainAuto           TrainingMode = "auto"
	TrainDistributed    TrainingMode = "distributed"
	TrainNonDistributed TrainingMode = "non_distributed"
)

var trainingModes = wire.PascalEnum("auto", "distributed", "non_distributed")

// WireEnum lists the spellings.
func (TrainingMode) WireEnum() *wire.Enum { return trainingModes }

// FeaturizationMode says who chooses how columns become features.
type FeaturizationMode string

// The modes.
const (
	FeaturizeAuto   FeaturizationMode = "auto"
	FeaturizeOff    FeaturizationMode = "off"
	FeaturizeCustom FeaturizationMode = "custom"
)

var featurizationModes = wire.SameEnum("auto", "off", "custom")

// WireEnum lists the spellings.
func (FeaturizationMode) WireEnum() *wire.Enum { return featurizationModes }

// Transformer makes features of columns, such as "label_encoder".
type Transformer string

var transformers = wire.NewEnum(
	"text_target_encoder", "TextTargetEncoder", "one_hot_encoder", "OneHotEncoder", "cat_target_encoder", "CatTargetEncoder", "tf_idf", "TfIdf",
	"wo_e_target_encoder", "WoETargetEncoder", "label_encoder", "LabelEncoder", "word_embedding", "WordEmbedding", "naive_bayes", "NaiveBayes",
	"count_vectorizer", "CountVectorizer", "hash_one_hot_encoder", "HashOneHotEncoder",
)

// WireEnum lists the spellings.
func (Transformer) WireEnum() *wire.Enum { return transformers }

// transformerKeys are the transformers that have parameters.
var transformerKeys = wire.NewEnum("imputer", "Imputer", "tf_idf", "TfIdf", "hash_one_hot_encoder", "HashOneHotEncoder")
