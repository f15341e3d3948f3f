package sampling

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Sampler gives one trial's values after the other. It is not safe for
// concurrent use.
type Sampler interface {
	// Next is the next trial's point; ok is false when all have been given.
	Next() (p *Point, ok bool)
	// Observe tells how good a trial was: lower loss is better.
	Observe(p *Point, loss float64)
}

// Point is one trial's place in the space.
type Point struct {
	Values map[string]any
	u      []float64
}

// NewSampler reads a samplingAlgorithm, {"samplingAlgorithmType": "Random", …}.
// seed is used where the algorithm names none.
func NewSampler(s *Space, raw json.RawMessage, seed uint64) (Sampler, error) {
	var a struct {
		Type string `json:"samplingAlgorithmType"`
		Rule string
		Seed *int64
		Base logBase `json:"logbase"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		// a pipeline's sweep node may name it with one word, or its type as YAML does
		if json.Unmarshal(raw, &a.Type) != nil {
			return nil, fmt.Errorf("sampling algorithm: %w", err)
		}
	}
	if a.Seed != nil {
		seed = uint64(*a.Seed)
	}
	switch strings.ToLower(a.Type) {
	case "random", "":
		if a.Base != 0 {
			c := *s
			c.base = float64(a.Base)
			s = &c
		}
		switch {
		case a.Rule == "" || strings.EqualFold(a.Rule, "random") || strings.EqualFold(a.Rule, "sobol"):
		default:
			return nil, fmt.Errorf("sampling algorithm: the rule %q is neither random nor sobol", a.Rule)
		}
		if strings.EqualFold(a.Rule, "sobol") {
			return newSobol(s, seed)
		}
		return &random{s: s, r: newRand(seed)}, nil
	case "grid":
		return newGrid(s)
	case "bayesian":
		return newBayesian(s, seed)
	}
	return nil, fmt.Errorf("sampling algorithm: %q is not one of Random, Grid, Bayesian", a.Type)
}

// logBase is the natural logarithm of a base that is sent as a number or a text: 10, "10", "e". 0 is none.
type logBase float64

// UnmarshalJSON takes either.
func (l *logBase) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	switch text {
	case "null", "":
		return nil
	case "e":
		*l = 1
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v <= 0 || v == 1 || math.IsInf(v, 0) {
		return fmt.Errorf("logbase must be e or a number above zero other than 1, got %s", b)
	}
	*l = logBase(math.Log(v))
	return nil
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)) }

func (s *Space) point(u []float64) *Point { return &Point{Values: s.Values(u), u: u} }

// random draws every value on its own.
type random struct {
	s *Space
	r *rand.Rand
}

func (r *random) Next() (*Point, bool) {
	u := make([]float64, len(r.s.dims))
	for i := range u {
		u[i] = r.r.Float64()
	}
	return r.s.point(u), true
}

func (*random) Observe(*Point, float64) {}

// grid gives every combination of choices once.
type grid struct {
	s    *Space
	next []int
	done bool
}

func newGrid(s *Space) (*grid, error) {
	for _, d := range s.dims {
		if d.kind != "choice" {
			return nil, fmt.Errorf("grid sampling takes choice alone; %s is %s", d.path[0], d.kind)
		}
	}
	return &grid{s: s, next: make([]int, len(s.dims))}, nil
}

func (g *grid) Next() (*Point, bool) {
	for !g.done {
		u := make([]float64, len(g.next))
		for i, n := range g.next {
			u[i] = (float64(n) + 0.5) / float64(len(g.s.dims[i].options))
		}
		active := g.s.active(u)
		// What is not led to stays at its first option, so that it is not
		// given several times.
		fresh := true
		for i, n := range g.next {
			fresh = fresh && (active[i] || n == 0)
		}
		g.step()
		if fresh {
			return g.s.point(u), true
		}
	}
	return nil, false
}

func (g *grid) step() {
	for i := len(g.next) - 1; i >= 0; i-- {
		if g.next[i]++; g.next[i] < len(g.s.dims[i].options) {
			return
		}
		g.next[i] = 0
	}
	g.done = true
}

func (*grid) Observe(*Point, float64) {}
