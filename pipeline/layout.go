package pipeline

import (
	"cmp"
	"maps"
	"slices"
)

// A layout puts boxes into layers so that arrows point down, in an order in which few of them cross, and near what they are
// connected with: the method of Sugiyama, Tagawa and Toda. Long arrows run through a waypoint in each layer that they pass.
type layout struct {
	cells  []cell
	layers [][]int // cells by layer, in their order
	up     [][]int // neighbours in the layer above, and below
	down   [][]int
	paths  [][]int // the cells that each edge runs through, from its upper end to its lower
	turned []bool  // edges that point up
}

// cell is a box, or the waypoint of an edge.
type cell struct {
	w, h  float64
	x, y  float64 // the middle
	layer int
	point bool
}

type size struct{ w, h float64 }

type arrow struct{ from, to int }

// Space between cells of a layer, and between layers.
const (
	apart      = 28.0
	pointApart = 12.0
	between    = 44.0
)

// newLayout places boxes of some sizes.
func newLayout(boxes []size, arrows []arrow) *layout {
	l := &layout{cells: make([]cell, len(boxes)), turned: make([]bool, len(arrows)), paths: make([][]int, len(arrows))}
	for i, b := range boxes {
		l.cells[i] = cell{w: b.w, h: b.h}
	}
	l.direct(arrows)
	l.rank(arrows)
	l.split(arrows)
	l.order()
	l.place()
	return l
}

// ends are the upper and lower end of an edge.
func (l *layout) ends(arrows []arrow, i int) (int, int) {
	if l.turned[i] {
		return arrows[i].to, arrows[i].from
	}
	return arrows[i].from, arrows[i].to
}

// direct turns arrows around that would close a circle.
func (l *layout) direct(arrows []arrow) {
	out := make([][]int, len(l.cells))
	for i, a := range arrows {
		out[a.from] = append(out[a.from], i)
	}
	state := make([]int, len(l.cells))
	var visit func(int)
	visit = func(v int) {
		state[v] = 1
		for _, i := range out[v] {
			switch to := arrows[i].to; state[to] {
			case 0:
				visit(to)
			case 1:
				l.turned[i] = true
			}
		}
		state[v] = 2
	}
	for v := range l.cells {
		if state[v] == 0 {
			visit(v)
		}
	}
}

// rank gives each box a layer: below all that it needs, and as near as can be to what needs it.
func (l *layout) rank(arrows []arrow) {
	n := len(l.cells)
	above, below := make([][]int, n), make([][]int, n)
	for i := range arrows {
		if from, to := l.ends(arrows, i); from != to {
			below[from], above[to] = append(below[from], to), append(above[to], from)
		}
	}
	left := make([]int, n)
	var ready, sorted []int
	for v := range n {
		if left[v] = len(above[v]); left[v] == 0 {
			ready = append(ready, v)
		}
	}
	for len(ready) > 0 {
		v := ready[0]
		ready = ready[1:]
		sorted = append(sorted, v)
		for _, to := range below[v] {
			l.cells[to].layer = max(l.cells[to].layer, l.cells[v].layer+1)
			if left[to]--; left[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	for _, v := range slices.Backward(sorted) { // those that nothing holds up come down to what needs them
		if len(below[v]) == 0 || len(above[v]) > len(below[v]) {
			continue
		}
		low := 1 << 30
		for _, to := range below[v] {
			low = min(low, l.cells[to].layer-1)
		}
		l.cells[v].layer = low
	}
}

// maxPoints is how many waypoints a drawing has at most: with more, the longest edges run straight from end to end, and
// count for nothing else. Graphs that large are not looked at as a whole.
const maxPoints = 20_000

// longest is how many layers an edge may pass to have waypoints in them.
func (l *layout) longest(arrows []arrow) int {
	count := map[int]int{}
	for i := range arrows {
		from, to := l.ends(arrows, i)
		count[l.cells[to].layer-l.cells[from].layer-1]++
	}
	all, most := 0, 0
	for _, span := range slices.Sorted(maps.Keys(count)) {
		if all += span * count[span]; all > maxPoints {
			break
		}
		most = span
	}
	return most
}

// split puts waypoints into edges that pass layers.
func (l *layout) split(arrows []arrow) {
	straight := map[int]bool{}
	most := l.longest(arrows)
	for i := range arrows {
		from, to := l.ends(arrows, i)
		l.paths[i] = []int{from}
		if l.cells[to].layer-l.cells[from].layer-1 > most {
			l.paths[i] = append(l.paths[i], to)
			straight[i] = true
			continue
		}
		for layer := l.cells[from].layer + 1; layer < l.cells[to].layer; layer++ {
			l.paths[i] = append(l.paths[i], len(l.cells))
			l.cells = append(l.cells, cell{layer: layer, point: true})
		}
		if from != to {
			l.paths[i] = append(l.paths[i], to)
		}
	}
	l.up, l.down = make([][]int, len(l.cells)), make([][]int, len(l.cells))
	for i, p := range l.paths {
		for k := 1; k < len(p) && !straight[i]; k++ {
			l.down[p[k-1]], l.up[p[k]] = append(l.down[p[k-1]], p[k]), append(l.up[p[k]], p[k-1])
		}
	}
	for v, c := range l.cells {
		for len(l.layers) <= c.layer {
			l.layers = append(l.layers, nil)
		}
		l.layers[c.layer] = append(l.layers[c.layer], v)
	}
}

// order sorts the layers so that few edges cross: each by the middle of its neighbours above, then below, as long as that
// helps, and neighbours that cross less the other way round change places.
func (l *layout) order() {
	at := make([]int, len(l.cells))
	note := func(layer []int) {
		for i, v := range layer {
			at[v] = i
		}
	}
	for _, layer := range l.layers {
		note(layer)
	}
	best, least := l.copyLayers(), l.crossings(at)
	for round := 0; round < 24 && least > 0; round++ {
		near := l.up
		if round%2 == 1 {
			near = l.down
		}
		for i := range l.layers {
			layer := l.layers[i]
			if round%2 == 1 {
				layer = l.layers[len(l.layers)-1-i]
			}
			middle := make(map[int]float64, len(layer))
			for _, v := range layer {
				if len(near[v]) == 0 {
					middle[v] = float64(at[v])
					continue
				}
				sum := 0.0
				for _, u := range near[v] {
					sum += float64(at[u])
				}
				middle[v] = sum / float64(len(near[v]))
			}
			slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(middle[a], middle[b]) })
			note(layer)
		}
		l.swap(at)
		if n := l.crossings(at); n < least {
			best, least = l.copyLayers(), n
		}
	}
	l.layers = best
}

func (l *layout) copyLayers() [][]int {
	out := make([][]int, len(l.layers))
	for i, layer := range l.layers {
		out[i] = slices.Clone(layer)
	}
	return out
}

// swap lets neighbours change places where that saves crossings.
func (l *layout) swap(at []int) {
	for range 4 {
		better := false
		for _, layer := range l.layers {
			for i := 1; i < len(layer); i++ {
				a, b := layer[i-1], layer[i]
				if pairs(l.up[a], l.up[b], at)+pairs(l.down[a], l.down[b], at) > pairs(l.up[b], l.up[a], at)+pairs(l.down[b], l.down[a], at) {
					layer[i-1], layer[i] = b, a
					at[a], at[b] = i, i-1
					better = true
				}
			}
		}
		if !better {
			return
		}
	}
}

// pairs counts the crossings of the edges of two cells, of which the first is on the left.
func pairs(left, right, at []int) (n int) {
	if len(left)*len(right) > 1000 {
		x, y := places(left, at), places(right, at)
		i := 0
		for _, a := range x {
			for i < len(y) && y[i] < a {
				i++
			}
			n += i
		}
		return n
	}
	for _, a := range left {
		for _, b := range right {
			if at[a] > at[b] {
				n++
			}
		}
	}
	return n
}

// places are where cells are in their layer, in order.
func places(cells, at []int) []int {
	out := make([]int, len(cells))
	for i, v := range cells {
		out[i] = at[v]
	}
	slices.Sort(out)
	return out
}

// crossings counts those of all edges: for each layer the inversions among the ends of its edges.
func (l *layout) crossings(at []int) (n int) {
	var ends []int
	for i, layer := range l.layers {
		if i+1 == len(l.layers) {
			return n
		}
		ends = ends[:0]
		for _, v := range layer {
			from := len(ends)
			for _, u := range l.down[v] {
				ends = append(ends, at[u])
			}
			slices.Sort(ends[from:])
		}
		tree := make([]int, len(l.layers[i+1])+1) // counts by place, summed as Fenwick does it
		for k, e := range ends {
			before := 0
			for j := e + 1; j > 0; j -= j & -j {
				before += tree[j]
			}
			n += k - before
			for j := e + 1; j < len(tree); j += j & -j {
				tree[j]++
			}
		}
	}
	return n
}
