package monitoring

import (
	"math"
	"sort"
)

// edges are those of the histograms of two columns: bins of one width over both, as many as Sturges' rule gives for the
// smaller column.
func edges(reference, production []float64) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range [][]float64{reference, production} {
		for _, x := range v {
			low, high = min(low, x), max(high, x)
		}
	}
	if low == high {
		return []float64{low, high}
	}
	bins := int(math.Ceil(math.Log2(float64(min(len(reference), len(production)))) + 1))
	width := (high - low) / float64(bins)
	out := []float64{low}
	for i := 1; i <= bins; i++ {
		out = append(out, low+float64(i)*width)
	}
	out[bins] = max(out[bins], high) // the sum of the widths may fall short of it
	return out
}

// histogram counts values between edges. The last bin has its upper edge in it.
func histogram(values, edges []float64) []int {
	out := make([]int, len(edges)-1)
	for _, v := range values {
		i := sort.Search(len(edges), func(i int) bool { return edges[i] > v }) - 1
		if i = min(i, len(out)-1); i >= 0 {
			out[i]++
		}
	}
	return out
}

func ratios(counts []int) []float64 {
	total := 0
	for _, n := range counts {
		total += n
	}
	out := make([]float64, len(counts))
	for i, n := range counts {
		out[i] = float64(n) / float64(total)
	}
	return out
}
