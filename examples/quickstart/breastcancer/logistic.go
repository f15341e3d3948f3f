package breastcancer

import (
	"math"
	"math/rand/v2"
)

// Model is a logistic regression over standardised measurements.
type Model struct {
	Mean    []float64 `json:"mean"`
	Std     []float64 `json:"std"`
	Weights []float64 `json:"weights"`
	Bias    float64   `json:"bias"`
}

// NewModel measures the rows and starts with zero weights. There must be rows.
func NewModel(rows []Row) *Model {
	n, width := float64(len(rows)), len(rows[0].Features)
	m := &Model{Mean: make([]float64, width), Std: make([]float64, width), Weights: make([]float64, width)}
	for _, r := range rows {
		for i, v := range r.Features {
			m.Mean[i] += v / n
		}
	}
	for _, r := range rows {
		for i, v := range r.Features {
			m.Std[i] += (v - m.Mean[i]) * (v - m.Mean[i]) / n
		}
	}
	for i, v := range m.Std {
		if m.Std[i] = math.Sqrt(v); m.Std[i] == 0 {
			m.Std[i] = 1
		}
	}
	return m
}

// Benign is the probability, between 0 and 1, that a tumour with these
// measurements is benign.
func (m *Model) Benign(features []float64) float64 {
	z := m.Bias
	for i, w := range m.Weights {
		z += w * (features[i] - m.Mean[i]) / m.Std[i]
	}
	return 1 / (1 + math.Exp(-z))
}

// Epoch goes over the rows once in a random order and moves the weights after
// each (stochastic gradient descent). It returns the mean log loss before each
// move.
func (m *Model) Epoch(rows []Row, rate float64, random *rand.Rand) (loss float64) {
	for _, i := range random.Perm(len(rows)) {
		r := rows[i]
		p := m.Benign(r.Features)
		y := 0.0
		if r.Benign {
			y = 1
		}
		loss -= (y*math.Log(max(p, 1e-15)) + (1-y)*math.Log(max(1-p, 1e-15))) / float64(len(rows))
		for k := range m.Weights {
			m.Weights[k] -= rate * (p - y) * (r.Features[k] - m.Mean[k]) / m.Std[k]
		}
		m.Bias -= rate * (p - y)
	}
	return loss
}

// Accuracy is the share of rows, between 0 and 1, that the model tells right.
func (m *Model) Accuracy(rows []Row) float64 {
	right := 0
	for _, r := range rows {
		if m.Benign(r.Features) >= 0.5 == r.Benign {
			right++
		}
	}
	return float64(right) / float64(len(rows))
}
