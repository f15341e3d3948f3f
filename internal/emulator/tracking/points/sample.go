package points

import "slices"

// Sample picks at most n points evenly over points that are sorted by
// CompareStep: the first of each of n equal buckets, and the last of all.
func Sample(ps []Point, n int) []Point {
	if len(ps) == 0 || n < 1 {
		return nil
	}
	if len(ps) <= n {
		return ps
	}
	out := make([]Point, 0, n)
	small, larger := len(ps)/n, len(ps)%n // the first buckets take one more, as NTILE has it
	for i, at := 0, 0; i < n; i++ {
		out = append(out, ps[at])
		if at += small; i < larger {
			at++
		}
	}
	if last := ps[len(ps)-1]; CompareStep(out[n-1], last) != 0 {
		out[n-1] = last
	}
	return slices.Clip(out)
}
