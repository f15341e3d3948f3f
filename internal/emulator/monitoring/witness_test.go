package monitoring

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// testdata/witness.py made what these compare with, by scipy, scikit-learn, LightGBM and SHAP.
func witness(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, into))
}

func numbers(name string, of ...float64) *Column {
	return &Column{Name: name, Type: Double, Null: make([]bool, len(of)), Numbers: of}
}

func texts(name string, of ...string) *Column {
	return &Column{Name: name, Type: String, Null: make([]bool, len(of)), Texts: of}
}

func tableOf(columns ...*Column) *Table {
	return &Table{Rows: len(columns[0].Null), Columns: columns}
}

func near(t *testing.T, want, got float64, of ...any) {
	t.Helper()
	require.InDelta(t, want, got, 1e-9*max(1, math.Abs(want)), of...)
	if want != 0 && math.Abs(want) < 1e-9 { // a tail
		require.InEpsilon(t, want, got, 1e-6, of...)
	}
}

func TestStatisticsAgreeWithSciPy(t *testing.T) {
	t.Parallel()
	var w struct {
		Numbers []struct {
			Reference, Production                                                                                          []float64
			NormalizedWassersteinDistance, JensenShannonDistance, PopulationStabilityIndex, TwoSampleKolmogorovSmirnovTest float64
		}
		Categories []struct {
			Reference, Production                                                   map[string]int
			JensenShannonDistance, PopulationStabilityIndex, PearsonsChiSquaredTest float64
		}
		Tails []struct{ K, X, Q float64 }
		Gains []struct {
			Relevance, Scores []float64
			Value             float64
		}
		Right struct {
			Truth, Said                 []string
			Accuracy, Precision, Recall float64
		}
	}
	witness(t, "witness.json", &w)
	require.Len(t, w.Numbers, 6)
	for i, n := range w.Numbers {
		c := &Comparison{Reference: tableOf(numbers("x", n.Reference...)), Production: tableOf(numbers("x", n.Production...)), Say: t.Logf}
		for _, m := range metricsOf[DataDrift][Numerical] {
			c.Limits = append(c.Limits, Limit{Kind: Numerical, Metric: m})
		}
		got, err := Drift(c)
		require.NoError(t, err)
		want := []float64{n.NormalizedWassersteinDistance, n.JensenShannonDistance, n.PopulationStabilityIndex, n.TwoSampleKolmogorovSmirnovTest, float64(len(n.Reference)), float64(len(n.Production))}
		require.Len(t, got, len(want))
		for k := range want {
			near(t, want[k], got[k].Value, "%d: %s", i, got[k].Name)
		}
	}
	spread := func(of map[string]int) *Column {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(of)) {
			out = append(out, slices.Repeat([]string{k}, of[k])...)
		}
		return texts("x", out...)
	}
	for i, n := range w.Categories {
		c := &Comparison{Reference: tableOf(spread(n.Reference)), Production: tableOf(spread(n.Production)), Say: t.Logf}
		for _, m := range metricsOf[DataDrift][Categorical] {
			c.Limits = append(c.Limits, Limit{Kind: Categorical, Metric: m})
		}
		got, err := Drift(c)
		require.NoError(t, err)
		for k, want := range []float64{n.JensenShannonDistance, n.PopulationStabilityIndex, n.PearsonsChiSquaredTest} {
			near(t, want, got[k].Value, "%d: %s", i, got[k].Name)
		}
	}
	for _, x := range w.Tails {
		near(t, x.Q, upperGamma(x.K/2, x.X/2), "%v", x)
	}
	for _, g := range w.Gains {
		near(t, g.Value, cumulativeGain(g.Relevance, g.Scores))
	}
	got, err := Performance(Answers{texts("p", w.Right.Said...), texts("y", w.Right.Truth...)}, []Limit{{Metric: Accuracy}, {Metric: Precision}, {Metric: Recall}})
	require.NoError(t, err)
	for k, want := range []float64{w.Right.Accuracy, w.Right.Precision, w.Right.Recall, float64(len(w.Right.Said))} {
		near(t, want, got[k].Value, got[k].Name)
	}
}

// The importances are not LightGBM's to the digit, as they are learned anew; what matters much, little and not at all is the same.
func TestImportancesAgreeWithLightGBM(t *testing.T) {
	t.Parallel()
	var w map[string]map[string]float64
	witness(t, "importance.json", &w)
	data, err := Read(t.Context(), []File{{Path: "testdata/importance.csv", Shown: "importance.csv"}})
	require.NoError(t, err)
	features := []string{"age", "amount", "hour", "kind", "noise"}
	for target, want := range w {
		got, err := Importances(t.Context(), data, target, features, target != "value", nil)
		require.NoError(t, err)
		var relevance, scores []float64
		for _, i := range got {
			t.Logf("%s: %s is %.4f; LightGBM's %.4f", target, i.Feature, i.Value, want[i.Feature])
			relevance, scores = append(relevance, want[i.Feature]), append(scores, i.Value)
		}
		for i, share := range shares(scores) {
			require.InDelta(t, shares(relevance)[i], share, 0.05, "%s: %s", target, features[i])
		}
		require.Greater(t, cumulativeGain(relevance, scores), 0.99)
	}
	_, err = Importances(t.Context(), data, "gone", features, true, nil)
	require.ErrorContains(t, err, `no column "gone"`)
	_, err = Importances(t.Context(), data.take([]int{1, 2, 3}), "fraud", features, true, nil)
	require.ErrorContains(t, err, "too few")
	_, err = Importances(t.Context(), data, "class", features, false, nil)
	require.ErrorContains(t, err, "is of type string")
}

func shares(of []float64) []float64 {
	sum := 0.0
	for _, v := range of {
		sum += v
	}
	out := make([]float64, len(of))
	for i, v := range of {
		out[i] = v / sum
	}
	return out
}

// The Shapley values of a row add up to what the tree says of it beyond what it says on the whole.
func TestShapleyValuesAddUp(t *testing.T) {
	t.Parallel()
	data, err := Read(t.Context(), []File{{Path: "testdata/importance.csv", Shown: "importance.csv"}})
	require.NoError(t, err)
	m := matrixOf(data, []string{"age", "amount", "hour", "kind", "noise"}, nil)
	e := boost(m, data.Column("value").Numbers, 0, func() bool { return false })
	require.NotEmpty(t, e.trees[0])
	for _, tr := range e.trees[0][:5] {
		mean := 0.0
		for i := range tr {
			if tr[i].feature < 0 {
				mean += tr[i].value * tr[i].cover / float64(m.rows)
			}
		}
		for row := range 20 {
			at := 0
			for tr[at].feature >= 0 {
				if tr[at].left[m.bins[tr[at].feature][row]] {
					at = tr[at].less
				} else {
					at = tr[at].more
				}
			}
			sums := make([]float64, len(m.names))
			tr.shapley(m, row, newWays(), sums)
			total := 0.0
			for _, s := range sums {
				total += s
			}
			require.InDelta(t, tr[at].value-mean, total, 1e-9)
		}
	}
}
