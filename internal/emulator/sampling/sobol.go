package sampling

import (
	"fmt"
	"math/bits"
)

// joeKuo are the primitive polynomials and first direction numbers of S. Joe
// and F. Kuo (new-joe-kuo-6, 2008) for dimensions 2 to 21: degree, coefficients, m.
var joeKuo = []struct {
	s, a uint
	m    []uint32
}{
	{1, 0, []uint32{1}}, {2, 1, []uint32{1, 3}}, {3, 1, []uint32{1, 3, 1}}, {3, 2, []uint32{1, 1, 1}},
	{4, 1, []uint32{1, 1, 3, 3}}, {4, 4, []uint32{1, 3, 5, 13}}, {5, 2, []uint32{1, 1, 5, 5, 17}}, {5, 4, []uint32{1, 1, 5, 5, 5}},
	{5, 7, []uint32{1, 1, 7, 11, 19}}, {5, 11, []uint32{1, 1, 5, 1, 1}}, {5, 13, []uint32{1, 1, 1, 3, 11}}, {5, 14, []uint32{1, 3, 5, 5, 31}},
	{6, 1, []uint32{1, 3, 3, 9, 7, 49}}, {6, 13, []uint32{1, 1, 1, 15, 21, 21}}, {6, 16, []uint32{1, 3, 1, 13, 27, 49}}, {6, 19, []uint32{1, 1, 1, 15, 7, 5}},
	{6, 22, []uint32{1, 3, 1, 15, 13, 25}}, {6, 25, []uint32{1, 1, 5, 5, 19, 61}}, {7, 1, []uint32{1, 3, 7, 11, 23, 15, 103}}, {7, 4, []uint32{1, 3, 7, 13, 13, 15, 69}},
}

const sobolBits = 32

// sobol is a Sobol sequence, moved by a random digital shift so that seeds differ.
type sobol struct {
	s     *Space
	v     [][sobolBits]uint32
	x     []uint32
	shift []uint32
	n     uint32
}

func newSobol(s *Space, seed uint64) (*sobol, error) {
	if len(s.dims) > len(joeKuo)+1 {
		return nil, fmt.Errorf("sobol sampling takes up to %d distributions, got %d", len(joeKuo)+1, len(s.dims))
	}
	q := &sobol{s: s, x: make([]uint32, len(s.dims))}
	r := newRand(seed)
	for d := range s.dims {
		var v [sobolBits]uint32
		if d == 0 {
			for i := range v {
				v[i] = 1 << (sobolBits - 1 - i)
			}
		} else {
			p := joeKuo[d-1]
			for i := range v {
				if uint(i) < p.s {
					v[i] = p.m[i] << (sobolBits - 1 - i)
					continue
				}
				v[i] = v[i-int(p.s)] ^ v[i-int(p.s)]>>p.s
				for k := uint(1); k < p.s; k++ {
					v[i] ^= uint32(p.a>>(p.s-1-k)&1) * v[i-int(k)]
				}
			}
		}
		q.v = append(q.v, v)
		q.shift = append(q.shift, r.Uint32())
	}
	return q, nil
}

func (q *sobol) Next() (*Point, bool) {
	u := make([]float64, len(q.x))
	for d := range u {
		u[d] = float64(q.x[d]^q.shift[d]) / (1 << sobolBits)
	}
	// Gray code order: one direction number changes each coordinate.
	c := bits.TrailingZeros32(^q.n)
	for d := range q.x {
		q.x[d] ^= q.v[d][min(c, sobolBits-1)]
	}
	q.n++
	return q.s.point(u), true
}

func (*sobol) Observe(*Point, float64) {}
