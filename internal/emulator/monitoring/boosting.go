package monitoring

import (
	"math"
	"slices"
	"sort"
)

// How trees are boosted: as the service's component asks LightGBM to, whose defaults the rest is.
const (
	rounds     = 200
	rateOf     = 0.1 // how much of each tree counts
	maxDepth   = 5
	maxLeaves  = 31
	leastRows  = 20
	leastWeigh = 1e-3
	maxBins    = 255
	catSmooth  = 10 // of categories' means, against those that occur seldom
)

// matrix is features by the bins of their values.
type matrix struct {
	rows     int
	names    []string
	bins     [][]uint8 // by feature, then row
	sizes    []int
	category []bool
}

// matrixOf bins the features of a table: numbers by their order, categories each by itself, the rarest together. A null has
// a bin of its own.
func matrixOf(t *Table, names []string, override map[string]string) *matrix {
	m := &matrix{rows: t.Rows, names: names}
	for _, n := range names {
		c := t.Column(n)
		category := c.categorical(override) || !c.Type.number()
		var b []uint8
		var size int
		if category {
			b, size = categories(c)
		} else {
			b, size = quantiles(c)
		}
		m.bins, m.sizes, m.category = append(m.bins, b), append(m.sizes, size), append(m.category, category)
	}
	return m
}

func categories(c *Column) ([]uint8, int) {
	counts := c.counts()
	var all []string
	for v := range counts {
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		if a < b {
			return -1
		}
		return 1
	})
	at := map[string]uint8{}
	for i, v := range all {
		at[v] = uint8(min(i+1, maxBins-1))
	}
	out := make([]uint8, len(c.Null))
	for i := range c.Null {
		if v, ok := c.text(i); ok {
			out[i] = at[v]
		}
	}
	return out, min(len(all)+1, maxBins)
}

func quantiles(c *Column) ([]uint8, int) {
	v := slices.Sorted(slices.Values(c.values()))
	distinct := slices.Compact(slices.Clone(v))
	uppers := distinct
	if len(distinct) > maxBins-1 {
		uppers = nil
		for i := 1; i < maxBins; i++ {
			u := v[min(i*len(v)/(maxBins-1), len(v)-1)]
			if len(uppers) == 0 || u > uppers[len(uppers)-1] {
				uppers = append(uppers, u)
			}
		}
	}
	out := make([]uint8, len(c.Null))
	for i, null := range c.Null {
		if !null {
			out[i] = uint8(1 + min(sort.SearchFloat64s(uppers, c.Numbers[i]), len(uppers)-1))
		}
	}
	return out, len(uppers) + 1
}

// tree is one of the boosted ones; its first node is the root.
type tree []branch

type branch struct {
	feature     int // -1 of a leaf
	left        [maxBins + 1]bool
	less, more  int
	value       float64
	cover       float64 // rows that came by
	depth       int
	rows        []int32
	sumG, sumH  float64
	gain        float64
	best        [maxBins + 1]bool
	bestFeature int
}

// ensemble are trees for each class, or for the one value of a regression.
type ensemble struct{ trees [][]tree }

// boost learns a target: the number of a class, or a value when classes is 0.
func boost(m *matrix, target []float64, classes int, stop func() bool) *ensemble {
	outputs := 1
	if classes > 2 {
		outputs = classes
	}
	scores := make([][]float64, outputs)
	for k := range scores {
		scores[k] = make([]float64, m.rows)
		start := startOf(target, classes, k)
		for i := range scores[k] {
			scores[k][i] = start
		}
	}
	e := &ensemble{trees: make([][]tree, outputs)}
	g, h := make([]float64, m.rows), make([]float64, m.rows)
	for range rounds {
		if stop() {
			break
		}
		var chances [][]float64
		if classes > 2 {
			chances = softmax(scores)
		}
		for k := range outputs {
			for i, y := range target {
				switch {
				case classes == 0:
					g[i], h[i] = scores[0][i]-y, 1
				case classes == 2:
					p := 1 / (1 + math.Exp(-scores[0][i]))
					g[i], h[i] = p-y, p*(1-p)
				default:
					p, is := chances[k][i], 0.0
					if int(y) == k {
						is = 1
					}
					g[i], h[i] = p-is, 2*p*(1-p)
				}
			}
			t := grow(m, g, h)
			if len(t) == 1 {
				continue // nothing is left to learn
			}
			e.trees[k] = append(e.trees[k], t)
			for _, b := range t {
				if b.feature < 0 {
					for _, r := range b.rows {
						scores[k][r] += b.value
					}
				}
			}
			for i := range t {
				t[i].rows = nil
			}
		}
	}
	return e
}

func startOf(target []float64, classes, class int) float64 {
	sum := 0.0
	for _, y := range target {
		if classes > 2 {
			if int(y) == class {
				sum++
			}
		} else {
			sum += y
		}
	}
	mean := sum / float64(len(target))
	if classes == 0 {
		return mean
	}
	mean = min(max(mean, 1e-15), 1-1e-15)
	if classes > 2 {
		return math.Log(mean)
	}
	return math.Log(mean / (1 - mean))
}

func softmax(scores [][]float64) [][]float64 {
	out := make([][]float64, len(scores))
	for k := range out {
		out[k] = make([]float64, len(scores[k]))
	}
	for i := range scores[0] {
		top, sum := math.Inf(-1), 0.0
		for k := range scores {
			top = max(top, scores[k][i])
		}
		for k := range scores {
			out[k][i] = math.Exp(scores[k][i] - top)
			sum += out[k][i]
		}
		for k := range scores {
			out[k][i] /= sum
		}
	}
	return out
}

// grow makes a tree, the leaf that gains the most by being split first.
func grow(m *matrix, g, h []float64) tree {
	root := branch{feature: -1, rows: make([]int32, m.rows)}
	for i := range root.rows {
		root.rows[i] = int32(i)
	}
	t := tree{root}
	t[0].weigh(m, g, h)
	for leaves := 1; leaves < maxLeaves; leaves++ {
		best := -1
		for i := range t {
			if t[i].feature < 0 && t[i].gain > 1e-12 && (best < 0 || t[i].gain > t[best].gain) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		b := &t[best]
		b.feature, b.left = b.bestFeature, b.best
		less, more := branch{feature: -1, depth: b.depth + 1}, branch{feature: -1, depth: b.depth + 1}
		for _, r := range b.rows {
			if b.left[m.bins[b.feature][r]] {
				less.rows = append(less.rows, r)
			} else {
				more.rows = append(more.rows, r)
			}
		}
		b.rows, b.less, b.more = nil, len(t), len(t)+1
		less.weigh(m, g, h)
		more.weigh(m, g, h)
		t = append(t, less, more)
	}
	return t
}

type bin struct {
	g, h float64
	n    int
}

// weigh finds a leaf's value and the best way to split it.
func (b *branch) weigh(m *matrix, g, h []float64) {
	for _, r := range b.rows {
		b.sumG += g[r]
		b.sumH += h[r]
	}
	b.cover = float64(len(b.rows))
	b.value = -rateOf * b.sumG / (b.sumH + 1e-15)
	if b.depth >= maxDepth || len(b.rows) < 2*leastRows {
		return
	}
	var hists [maxBins + 1]bin
	for f := range m.names {
		hist := hists[:m.sizes[f]]
		clear(hist)
		of := m.bins[f]
		for _, r := range b.rows {
			x := &hist[of[r]]
			x.g += g[r]
			x.h += h[r]
			x.n++
		}
		order := make([]int, 0, m.sizes[f])
		for i := range m.sizes[f] {
			if hist[i].n > 0 {
				order = append(order, i)
			}
		}
		if m.category[f] {
			mean := func(i int) float64 { return hist[i].g / (hist[i].h + catSmooth) }
			slices.SortStableFunc(order, func(x, y int) int {
				switch d := mean(x) - mean(y); {
				case d < 0:
					return -1
				case d > 0:
					return 1
				}
				return 0
			})
		}
		b.split(f, order, hist)
	}
}

func (b *branch) split(f int, order []int, hist []bin) {
	score := func(g, h float64) float64 { return g * g / (h + 1e-15) }
	var l bin
	for at, i := range order[:max(len(order)-1, 0)] {
		l.g, l.h, l.n = l.g+hist[i].g, l.h+hist[i].h, l.n+hist[i].n
		rg, rh, rn := b.sumG-l.g, b.sumH-l.h, len(b.rows)-l.n
		if l.n < leastRows || rn < leastRows || l.h < leastWeigh || rh < leastWeigh {
			continue
		}
		if gain := score(l.g, l.h) + score(rg, rh) - score(b.sumG, b.sumH); gain > b.gain {
			b.gain, b.bestFeature, b.best = gain, f, [maxBins + 1]bool{}
			for _, j := range order[:at+1] {
				b.best[j] = true
			}
		}
	}
}
