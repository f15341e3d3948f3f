package sampling

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// bayesian models the loss by a Gaussian process (Matérn 5/2) over the unit
// cube and takes the point with the greatest expected improvement (Jones et
// al., 1998). A choice counts as one coordinate for each of its options.
type bayesian struct {
	s    *Space
	r    *rand.Rand
	seen []trial
	// given are points that have no loss yet: they are taken to be as bad as
	// the worst, so that trials that run side by side do not crowd.
	given []*Point
}

type trial struct {
	x    []float64
	u    []float64
	loss float64
}

const (
	startup    = 8   // trials drawn at random before there is a model
	candidates = 400 // points whose improvement is compared
	remembered = 250 // trials in the model: its cost grows with their third power
)

func newBayesian(s *Space, seed uint64) (*bayesian, error) {
	for _, d := range s.dims {
		switch d.kind {
		case "choice", "uniform", "quniform", "randint":
		default:
			return nil, fmt.Errorf("bayesian sampling takes choice, uniform, quniform and randint, as on Azure; %s is %s", d.path[0], d.kind)
		}
	}
	return &bayesian{s: s, r: newRand(seed)}, nil
}

func (b *bayesian) Observe(p *Point, loss float64) {
	b.given = slices.DeleteFunc(b.given, func(g *Point) bool { return g == p })
	if !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		b.seen = append(b.seen, trial{b.encode(p.u), p.u, loss})
	}
}

func (b *bayesian) Next() (*Point, bool) {
	var p *Point
	if len(b.seen) < startup {
		p = b.s.point(b.anywhere())
	} else {
		p = b.s.point(b.improve())
	}
	b.given = append(b.given, p)
	return p, true
}

func (b *bayesian) anywhere() []float64 {
	u := make([]float64, len(b.s.dims))
	for i := range u {
		u[i] = b.r.Float64()
	}
	return u
}

// encode places a point for the model: what its choices do not lead to stays
// in the middle.
func (b *bayesian) encode(u []float64) []float64 {
	active := b.s.active(u)
	var x []float64
	for i, d := range b.s.dims {
		if d.kind != "choice" {
			v := 0.5
			if active[i] {
				v = u[i]
			}
			x = append(x, v)
			continue
		}
		hot := make([]float64, len(d.options))
		if active[i] {
			hot[d.at(u[i]).(int)] = 0.7 // two options are about one length apart
		}
		x = append(x, hot...)
	}
	return x
}

// improve is the most promising of many points, some drawn anywhere and some
// near the best.
func (b *bayesian) improve() []float64 {
	sort.SliceStable(b.seen, func(i, j int) bool { return b.seen[i].loss < b.seen[j].loss })
	used := b.seen[:min(len(b.seen), remembered)]
	worst := used[len(used)-1].loss
	x, y := make([][]float64, 0, len(used)), make([]float64, 0, len(used))
	for _, t := range used {
		x, y = append(x, t.x), append(y, t.loss)
	}
	for _, p := range b.given {
		x, y = append(x, b.encode(p.u)), append(y, worst)
	}
	g := fit(x, y)
	best, at := math.Inf(-1), b.anywhere() // losses too large to be told apart leave it there
	for i := range candidates {
		u := b.anywhere()
		if i%2 == 1 { // near one of the best few
			near := used[b.r.IntN(min(3, len(used)))].u
			width := 0.02 + 0.1*b.r.Float64()
			for k := range u {
				if b.s.dims[k].kind != "choice" || b.r.Float64() < 0.8 {
					u[k] = near[k]
				}
				if b.s.dims[k].kind != "choice" {
					u[k] = min(max(near[k]+width*b.r.NormFloat64(), 0), math.Nextafter(1, 0))
				}
			}
		}
		if e := g.improvement(b.encode(u)); e > best {
			best, at = e, u
		}
	}
	return at
}

// process is a fitted Gaussian process over standardised losses.
type process struct {
	x           [][]float64
	alpha       []float64
	l           [][]float64 // Cholesky factor of the kernel matrix
	length      float64
	best        float64
	logEvidence float64
}

// fit takes the length and noise of a small table that explain the losses best.
func fit(x [][]float64, y []float64) *process {
	m, s := mean(y), 0.0
	for _, v := range y {
		s += (v - m) * (v - m) / float64(len(y))
	}
	if s = math.Sqrt(s); s == 0 {
		s = 1
	}
	z := make([]float64, len(y))
	for i, v := range y {
		z[i] = (v - m) / s
	}
	var best *process
	for _, length := range []float64{0.1, 0.2, 0.4, 0.8, 1.6} {
		for _, noise := range []float64{1e-6, 1e-3, 3e-2} {
			if p := solve(x, z, length, noise); p != nil && (best == nil || p.logEvidence > best.logEvidence) {
				best = p
			}
		}
	}
	return best
}

func matern(a, b []float64, length float64) float64 {
	d := 0.0
	for i := range a {
		d += (a[i] - b[i]) * (a[i] - b[i])
	}
	r := math.Sqrt(5*d) / length
	return (1 + r + r*r/3) * math.Exp(-r)
}

func solve(x [][]float64, z []float64, length, noise float64) *process {
	n := len(x)
	p := &process{x: x, length: length, best: z[0], l: make([][]float64, n), alpha: make([]float64, n)}
	for i := range n {
		p.best = min(p.best, z[i])
		p.l[i] = make([]float64, i+1)
		for j := 0; j <= i; j++ {
			k := matern(x[i], x[j], length)
			if i == j {
				k += noise + 1e-8
			}
			for c := range j {
				k -= p.l[i][c] * p.l[j][c]
			}
			if i == j {
				if k <= 0 {
					return nil
				}
				p.l[i][i] = math.Sqrt(k)
			} else {
				p.l[i][j] = k / p.l[j][j]
			}
		}
	}
	v := p.forward(z)
	for i := n - 1; i >= 0; i-- { // back substitution
		p.alpha[i] = v[i]
		for j := i + 1; j < n; j++ {
			p.alpha[i] -= p.l[j][i] * p.alpha[j]
		}
		p.alpha[i] /= p.l[i][i]
	}
	for i := range n {
		p.logEvidence -= z[i]*p.alpha[i]/2 + math.Log(p.l[i][i])
	}
	return p
}

// forward solves L v = k.
func (p *process) forward(k []float64) []float64 {
	v := make([]float64, len(k))
	for i := range k {
		v[i] = k[i]
		for j := range i {
			v[i] -= p.l[i][j] * v[j]
		}
		v[i] /= p.l[i][i]
	}
	return v
}

// improvement is how far below the best loss a point is expected to lie.
func (p *process) improvement(x []float64) float64 {
	k := make([]float64, len(p.x))
	mu := 0.0
	for i := range p.x {
		k[i] = matern(x, p.x[i], p.length)
		mu += k[i] * p.alpha[i]
	}
	variance := 1.0
	for _, v := range p.forward(k) {
		variance -= v * v
	}
	sigma := math.Sqrt(max(variance, 1e-12))
	d := p.best - mu
	return d*cdf(d/sigma) + sigma*math.Exp(-d*d/(2*sigma*sigma))/math.Sqrt(2*math.Pi)
}

func cdf(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }
