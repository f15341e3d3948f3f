package monitoring

// step is one on the way from the root of a tree to a leaf: with how much weight the way is gone when the feature is
// not known, and when it is (0 or 1), and the weight of the sets of that many known features.
type step struct {
	feature   int
	zero, one float64
	weight    float64
}

// ways has a way for each level of a tree, so that none is made anew.
type ways [maxDepth + 2][]step

func newWays() *ways {
	w := &ways{}
	for i := range w {
		w[i] = make([]step, 0, maxDepth+2)
	}
	return w
}

// shapley adds to sums how much each feature has to do with what the tree says of a row: its Shapley value, along the ways
// that the tree's own rows went (Lundberg and others, Consistent Individualized Feature Attribution, algorithm 2).
func (t tree) shapley(m *matrix, row int, w *ways, sums []float64) {
	t.walk(m, row, sums, 0, w, 0, nil, 1, 1, -1)
}

func (t tree) walk(m *matrix, row int, sums []float64, at int, w *ways, level int, from []step, zero, one float64, feature int) {
	way := extend(append(w[level][:0], from...), zero, one, feature)
	b := &t[at]
	if b.feature < 0 {
		for i := 1; i < len(way); i++ {
			sums[way[i].feature] += unwound(way, i) * (way[i].one - way[i].zero) * b.value
		}
		return
	}
	hot, cold := b.less, b.more
	if !b.left[m.bins[b.feature][row]] {
		hot, cold = cold, hot
	}
	zeroIn, oneIn := 1.0, 1.0
	for i := 1; i < len(way); i++ {
		if way[i].feature == b.feature {
			zeroIn, oneIn = way[i].zero, way[i].one
			way = unwind(way, i)
			break
		}
	}
	t.walk(m, row, sums, hot, w, level+1, way, zeroIn*t[hot].cover/b.cover, oneIn, b.feature)
	t.walk(m, row, sums, cold, w, level+1, way, zeroIn*t[cold].cover/b.cover, 0, b.feature)
}

// extend adds a step to a way, in its place.
func extend(way []step, zero, one float64, feature int) []step {
	n := len(way)
	way = append(way, step{feature: feature, zero: zero, one: one})
	if n == 0 {
		way[n].weight = 1
	}
	for i := n - 1; i >= 0; i-- {
		way[i+1].weight += one * way[i].weight * float64(i+1) / float64(n+1)
		way[i].weight = zero * way[i].weight * float64(n-i) / float64(n+1)
	}
	return way
}

// unwind takes a step out of a way, in its place.
func unwind(way []step, at int) []step {
	n := len(way) - 1
	one, zero, next := way[at].one, way[at].zero, way[n].weight
	for i := n - 1; i >= 0; i-- {
		if one != 0 {
			was := way[i].weight
			way[i].weight = next * float64(n+1) / (float64(i+1) * one)
			next = was - way[i].weight*zero*float64(n-i)/float64(n+1)
		} else {
			way[i].weight = way[i].weight * float64(n+1) / (zero * float64(n-i))
		}
	}
	for i := at; i < n; i++ {
		way[i].feature, way[i].zero, way[i].one = way[i+1].feature, way[i+1].zero, way[i+1].one
	}
	return way[:n]
}

// unwound is the sum of the weights without one step.
func unwound(way []step, at int) float64 {
	n := len(way) - 1
	one, zero, next, sum := way[at].one, way[at].zero, way[n].weight, 0.0
	for i := n - 1; i >= 0; i-- {
		if one != 0 {
			w := next * float64(n+1) / (float64(i+1) * one)
			sum += w
			next = way[i].weight - w*zero*float64(n-i)/float64(n+1)
		} else {
			sum += way[i].weight * float64(n+1) / (zero * float64(n-i))
		}
	}
	return sum
}
