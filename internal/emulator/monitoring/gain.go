package monitoring

import (
	"math"
	"slices"
)

// cumulativeGain is the normalized discounted cumulative gain of scores for things of known relevance: 1 when the scores
// put them in the order of their relevance. Things of one score share their places.
func cumulativeGain(relevance, scores []float64) float64 {
	ideal := gain(relevance, relevance)
	if ideal == 0 {
		return 0
	}
	return gain(relevance, scores) / ideal
}

func gain(relevance, scores []float64) float64 {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	sum := 0.0
	for i := 0; i < len(order); {
		end, held, places := i, 0.0, 0.0
		for end < len(order) && scores[order[end]] == scores[order[i]] {
			held += relevance[order[end]]
			places += 1 / math.Log2(float64(end)+2)
			end++
		}
		sum += held / float64(end-i) * places
		i = end
	}
	return sum
}
