package jobs

import (
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// ForecastingTask predicts a column's future. Its fields are those of [ClassificationTask], and how time is treated.
type ForecastingTask struct {
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
	Metric        RegressionMetric                     `yaml:"primary_metric" json:"primaryMetric,default=normalized_root_mean_squared_error"`
	Forecasting   *Forecast                            `yaml:"forecasting" json:"forecastingSettings"`
	Featurization *TableFeaturization                  `yaml:"featurization" json:"featurizationSettings"`
	Limits        *TableLimits                         `yaml:"limits" json:"limitSettings"`
	Training      *TableTraining[ForecastingAlgorithm] `yaml:"training" json:"trainingSettings"`
	LogVerbosity  LogVerbosity                         `yaml:"log_verbosity" json:"logVerbosity,default=info"`
}

var forecastingTask = wire.Layout{YAML: wire.Fixed{"task": "forecasting"}, REST: wire.Fixed{"taskType": "Forecasting"}}

// WireLayout places the fields.
func (ForecastingTask) WireLayout() *wire.Layout { return &forecastingTask }

// AfterEncodeWire adapts data and defaults.
func (t ForecastingTask) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	finishTask(e, m, string(MetricNormalizedRootMeanSquaredError), LogInfo)
	return nil
}

func (t *ForecastingTask) parts() taskParts {
	return taskParts{
		target: &t.Target, needsTarget: true, metric: string(t.Metric), metrics: regressionMetrics,
		setMetric: func(s string) { t.Metric = RegressionMetric(s) }, training: &t.TrainingData, validation: &t.ValidationData,
		test: &t.TestData, validationSize: t.ValidationDataSize, testSize: t.TestDataSize,
	}
}

func (t *ForecastingTask) clone() AutoMLTask {
	c := *t
	return &c
}

func (t *ForecastingTask) check(c *checker) {
	t.CrossValidations.checkFolds(c)
	checkTraining(c, t.Training)
	t.Limits.check(c)
	f := t.Forecasting
	if f == nil {
		return
	}
	for _, n := range []struct {
		field string
		v     AutoInt
	}{{"forecast_horizon", f.Horizon}, {"target_rolling_window_size", f.TargetRollingWindow}, {"seasonality", f.Seasonality}} {
		if n.v < 0 && n.v != Auto {
			c.add("forecasting."+n.field, "%d is negative; jobs.Auto lets AutoML choose", n.v)
		}
	}
}

// Forecast says how time is treated.
type Forecast struct {
	// TimeColumn is the column with the time.
	TimeColumn string `yaml:"time_column_name" json:"timeColumnName"`
	// SeriesColumns tell the series of a table with several apart.
	SeriesColumns Columns `yaml:"time_series_id_column_names" json:"timeSeriesIdColumnNames"`
	// Horizon is how far ahead is predicted, in steps of Frequency.
	Horizon AutoInt `yaml:"forecast_horizon" json:"forecastHorizon"`
	// Frequency is how far apart the rows are, as pandas writes offsets: "D", "W-THU", "H".
	Frequency string `yaml:"frequency" json:"frequency"`
	// TargetLags are the steps back whose values of the target are features.
	TargetLags          Lags    `yaml:"target_lags" json:"targetLags"`
	TargetRollingWindow AutoInt `yaml:"target_rolling_window_size" json:"targetRollingWindowSize"`
	Seasonality         AutoInt `yaml:"seasonality" json:"seasonality"`
	// FeatureLags makes features of the other columns' pasts as well.
	FeatureLags FeatureLags `yaml:"feature_lags" json:"featureLags"`
	// STL splits the target into trend and season.
	STL STL `yaml:"use_stl" json:"useStl"`
	// ShortSeries says what is done with series that are too short.
	ShortSeries ShortSeries `yaml:"short_series_handling_config" json:"shortSeriesHandlingConfig"`
	// TargetAggregate puts rows of one step of Frequency together.
	TargetAggregate TargetAggregate `yaml:"target_aggregate_function" json:"targetAggregateFunction"`
	// Holidays is a country's or region's code, whose holidays are features.
	Holidays string `yaml:"country_or_region_for_holidays" json:"countryOrRegionForHolidays"`
	// CVStepSize is how many steps lie between the folds of a cross validation.
	CVStepSize int `yaml:"cv_step_size" json:"cvStepSize"`
	// UnknownColumns are features that are not known when it is predicted.
	UnknownColumns Columns `yaml:"features_unknown_at_forecast_time" json:"featuresUnknownAtForecastTime"`
}

// FeatureLags is auto or none.
type FeatureLags string

var featureLags = wire.SameEnum("none", "auto")

// WireEnum lists the spellings.
func (FeatureLags) WireEnum() *wire.Enum { return featureLags }

// STL is none, season or seasontrend.
type STL string

var stls = wire.SameEnum("none", "season", "seasontrend")

// WireEnum lists the spellings.
func (STL) WireEnum() *wire.Enum { return stls }

// ShortSeries is none, auto, pad or drop.
type ShortSeries string

var shortSeries = wire.SameEnum("none", "auto", "pad", "drop")

// WireEnum lists the spellings.
func (ShortSeries) WireEnum() *wire.Enum { return shortSeries }

// TargetAggregate is none, sum, max, min or mean.
type TargetAggregate string

var targetAggregates = wire.SameEnum("none", "sum", "max", "min", "mean")

// WireEnum lists the spellings.
func (TargetAggregate) WireEnum() *wire.Enum { return targetAggregates }

// AutoInt is a whole number, or Auto. Zero is not set.
type AutoInt int

// Auto lets AutoML choose.
const Auto AutoInt = -1

const autoWord = "auto"

// EncodeWire writes the number, and in REST an object.
func (a AutoInt) EncodeWire(e *wire.Encoding) (any, error) {
	return automatic(e, a == Auto, "value", int64(a)), nil
}

// automatic writes a number, or numbers, or auto.
func automatic(e *wire.Encoding, auto bool, key string, value any) any {
	if sp := e.Spelling(); sp != wire.REST {
		if auto {
			return autoWord
		}
		return value
	}
	m := map[string]any{"mode": "Auto"}
	if !auto {
		m = map[string]any{"mode": "Custom", key: value}
	}
	return e.Tag(m, "mode")
}

// isAuto tells whether a node says auto, in any spelling.
func isAuto(n *wire.Node) bool {
	s, ok := n.Str()
	if !ok {
		s, ok = n.Get("mode").Str()
	}
	return ok && strings.EqualFold(s, autoWord)
}

// DecodeWire reads them.
func (a *AutoInt) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*a = 0
	if isAuto(n) {
		*a = Auto
		return
	}
	if v := n.Get("value"); v != nil && !d.Strict() {
		n = v
	}
	if n.Kind != wire.Int && n.Kind != wire.Float && !isNumber(n) {
		d.Fault(n, "wants a whole number, or auto")
		return
	}
	var i int
	d.Into(n, &i)
	if i < 0 {
		d.Fault(n, "%d is negative; auto lets AutoML choose", i)
		return
	}
	*a = AutoInt(i)
}

// isNumber tells text that is a number: `1e-3` is text in YAML 1.1.
func isNumber(n *wire.Node) bool {
	s, ok := n.Str()
	if !ok {
		return false
	}
	_, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return err == nil
}

// checkFolds checks a number of cross validations.
func (a AutoInt) checkFolds(c *checker) {
	if a != 0 && a != Auto && a < 2 {
		c.add("n_cross_validations", "%d folds are no cross validation; jobs.Auto lets AutoML choose", a)
	}
}

// Lags are steps back in time, or chosen by AutoML.
type Lags struct {
	Auto   bool
	Values []int
	single bool // written as one number
}

// EncodeWire writes the numbers, and in REST an object.
func (l Lags) EncodeWire(e *wire.Encoding) (any, error) {
	if !l.Auto && len(l.Values) == 0 {
		return wire.Omit, nil
	}
	if l.single && len(l.Values) == 1 && e.Spelling() != wire.REST {
		return int64(l.Values[0]), nil
	}
	values := make([]any, len(l.Values))
	for i, v := range l.Values {
		values[i] = int64(v)
	}
	return automatic(e, l.Auto, "values", values), nil
}

// DecodeWire reads them.
func (l *Lags) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*l = Lags{}
	if isAuto(n) {
		l.Auto = true
		return
	}
	if v := n.Get("values"); v != nil && !d.Strict() {
		n = v
	}
	if n.Kind == wire.Sequence {
		d.Into(n, &l.Values)
		return
	}
	if n.Kind != wire.Int && !isNumber(n) {
		d.Fault(n, "wants a whole number, a list of them, or auto")
		return
	}
	var i int
	d.Into(n, &i)
	l.Values, l.single = []int{i}, true
}

// Columns are names of columns. A file may name one alone.
type Columns []string

// EncodeWire writes a list; a pipeline's step says one name alone.
func (c Columns) EncodeWire(e *wire.Encoding) (any, error) {
	if len(c) == 0 {
		return wire.Omit, nil
	}
	if len(c) == 1 && e.Spelling() == wire.Spec {
		return c[0], nil
	}
	return e.Value([]string(c))
}

// DecodeWire reads a name or a list.
func (c *Columns) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*c = nil
	if s, ok := n.Str(); ok {
		*c = Columns{s}
		return
	}
	if n.Kind != wire.Sequence {
		d.Fault(n, "wants a column's name, or a list of them")
		return
	}
	d.Into(n, (*[]string)(c))
}
