package monitoring

import (
	"math"
	"slices"
)

// jensenShannon is the distance of two distributions over the same bins: the root of their divergence in bits, 0 to 1.
func jensenShannon(reference, production []int) float64 {
	p, q := ratios(reference), ratios(production)
	sum := 0.0
	part := func(x, m float64) float64 {
		if x == 0 {
			return 0
		}
		return x * math.Log2(x/m)
	}
	for i := range p {
		m := (p[i] + q[i]) / 2
		sum += part(p[i], m) + part(q[i], m)
	}
	return math.Sqrt(max(sum, 0) / 2)
}

// populationStability is the index of two distributions over the same bins, each bin counted once more than it occurs.
func populationStability(reference, production []int) float64 {
	smooth := func(counts []int) []float64 {
		out := slices.Clone(counts)
		for i := range out {
			out[i]++
		}
		return ratios(out)
	}
	p, q := smooth(reference), smooth(production)
	sum := 0.0
	for i := range p {
		sum += (q[i] - p[i]) * math.Log(q[i]/p[i])
	}
	return sum
}

// leastDeviation is what a Wasserstein distance is divided by at the least.
const leastDeviation = 0.001

// normalizedWasserstein is the distance of two samples, in standard deviations of the first.
func normalizedWasserstein(reference, production []float64) float64 {
	return wasserstein(reference, production) / max(deviation(reference), leastDeviation)
}

// wasserstein is the area between the distribution functions of two samples.
func wasserstein(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	sum, i, j := 0.0, 0, 0
	last := min(a[0], b[0])
	for i < len(a) || j < len(b) {
		var x float64
		switch {
		case j == len(b) || i < len(a) && a[i] <= b[j]:
			x = a[i]
		default:
			x = b[j]
		}
		sum += math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))) * (x - last)
		last = x
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
	}
	return sum
}

// deviation is the standard deviation of a sample.
func deviation(values []float64) float64 {
	mean := 0.0
	for _, v := range values {
		mean += v / float64(len(values))
	}
	sum := 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}
