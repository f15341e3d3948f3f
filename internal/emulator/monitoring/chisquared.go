package monitoring

import "math"

// chiSquared is the p-value of Pearson's test that counts of production are of the distribution of the reference. A value
// that the reference does not have makes it 0; of one value alone there is nothing to test, and it is NaN.
func chiSquared(reference, production []int) float64 {
	if len(reference) < 2 {
		return math.NaN()
	}
	total := 0
	for _, n := range production {
		total += n
	}
	sum := 0.0
	for i, share := range ratios(reference) {
		expected := share * float64(total)
		if expected == 0 {
			return 0
		}
		d := float64(production[i]) - expected
		sum += d * d / expected
	}
	return upperGamma(float64(len(reference)-1)/2, sum/2)
}

// upperGamma is the regularized upper incomplete gamma function Q(a, x).
func upperGamma(a, x float64) float64 {
	if x <= 0 {
		return 1
	}
	lg, _ := math.Lgamma(a) // a is positive
	front := math.Exp(a*math.Log(x) - x - lg)
	const enough, most = 1e-16, 100_000
	if x < a+1 { // the series of the lower function
		sum, term := 1/a, 1/a
		for n := 1; n < most; n++ {
			term *= x / (a + float64(n))
			if sum += term; term < sum*enough {
				break
			}
		}
		return 1 - front*sum
	}
	// Lentz's continued fraction of the upper one.
	const tiny = 1e-300
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for i := 1; i < most; i++ {
		n := -float64(i) * (float64(i) - a)
		b += 2
		if d = n*d + b; math.Abs(d) < tiny {
			d = tiny
		}
		if c = b + n/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h *= d * c
		if math.Abs(d*c-1) < enough {
			break
		}
	}
	return front * h
}
