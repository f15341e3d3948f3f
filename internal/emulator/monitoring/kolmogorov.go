package monitoring

import (
	"fmt"
	"math"
	"slices"
)

// maxSample is the number of rows from which on the service does not compute the test.
const maxSample = 10_000

// kolmogorovSmirnov is the p-value of the two-sided test that two samples are of one distribution.
func kolmogorovSmirnov(a, b []float64) (float64, error) {
	if len(a) >= maxSample || len(b) >= maxSample {
		return 0, fmt.Errorf("the two-sample Kolmogorov-Smirnov test is computed of fewer than %d rows; there are %d and %d", maxSample, len(a), len(b))
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	m, n := int64(len(a)), int64(len(b))
	// d·m·n, the greatest distance between the distribution functions, in whole numbers.
	var d int64
	for i, j := 0, 0; i < len(a) && j < len(b); {
		x := min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		d = max(d, abs(int64(i)*n-int64(j)*m))
	}
	return outside(m, n, d), nil
}

func abs(n int64) int64 { return max(n, -n) }

// outside is the share of the paths from (0,0) to (m,n), one step up or to the right at a time, that come to a point (i,j)
// with |i·n-j·m| ≥ d: how likely so great a distance is among samples of one distribution.
func outside(m, n, d int64) float64 {
	if d == 0 {
		return 1
	}
	// u[j] is the share of the paths to (i,j) that have been there; the last step to (i,j) came from (i-1,j) in i of i+j paths.
	u := make([]float64, n+1)
	for j := int64(0); j <= n; j++ {
		if j*m >= d {
			u[j] = 1
		}
	}
	for i := int64(1); i <= m; i++ {
		if i*n >= d {
			u[0] = 1
		}
		for j := int64(1); j <= n; j++ {
			if abs(i*n-j*m) >= d {
				u[j] = 1
				continue
			}
			v := float64(i) / float64(i+j)
			u[j] = v*u[j] + (1-v)*u[j-1]
		}
	}
	return math.Min(u[n], 1)
}
