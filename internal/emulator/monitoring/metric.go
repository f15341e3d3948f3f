package monitoring

import "slices"

// Metric is a value of a signal.
type Metric struct {
	// Name is the service's, such as NormalizedWassersteinDistance.
	Name string
	// Group is the feature that it is of; "" is the whole.
	Group string
	// Kind is Numerical, Categorical or "".
	Kind  string
	Value float64
	// Threshold is nil of what is only told.
	Threshold *float64
}

// The names of the metrics.
const (
	WassersteinDistance = "NormalizedWassersteinDistance"
	JensenShannon       = "JensenShannonDistance"
	PopulationStability = "PopulationStabilityIndex"
	KolmogorovSmirnov   = "TwoSampleKolmogorovSmirnovTest"
	ChiSquared          = "PearsonsChiSquaredTest"
	NullRate            = "NullValueRate"
	TypeErrorRate       = "DataTypeErrorRate"
	BoundsRate          = "OutOfBoundsRate"
	CumulativeGain      = "NormalizedDiscountedCumulativeGain"
	Accuracy            = "Accuracy"
	Precision           = "Precision"
	Recall              = "Recall"
	AbsoluteError       = "MeanAbsoluteError"
	SquaredError        = "MeanSquaredError"
	RootSquaredError    = "RootMeanSquaredError"
	ReferenceRows       = "BaselineRowCount"
	ProductionRows      = "TargetRowCount"
)

// greater are the metrics that should be greater than their thresholds.
var greater = []string{KolmogorovSmirnov, ChiSquared, CumulativeGain, Accuracy, Precision, Recall}

// Breached says whether the value has passed its threshold; a value that is none has not.
func (m *Metric) Breached() bool {
	switch {
	case m.Threshold == nil:
		return false
	case slices.Contains(greater, m.Name):
		return m.Value < *m.Threshold
	}
	return m.Value > *m.Threshold
}

// The kinds of features.
const (
	Numerical   = "Numerical"
	Categorical = "Categorical"
)

// Limit is what is computed of features of a kind, and its threshold.
type Limit struct {
	Kind, Metric string
	Threshold    *float64
}

// rows are the counts that go with a comparison.
func rows(reference, production int) []Metric {
	return []Metric{{Name: ReferenceRows, Value: float64(reference)}, {Name: ProductionRows, Value: float64(production)}}
}
