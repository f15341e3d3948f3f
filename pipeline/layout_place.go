package pipeline

import (
	"math"
	"slices"
)

// place gives the cells their coordinates: layers below each other, and in a layer each cell as near to the middle of its
// neighbours as the others allow.
func (l *layout) place() {
	y := 0.0
	for _, layer := range l.layers {
		high := 0.0
		for _, v := range layer {
			high = max(high, l.cells[v].h)
		}
		x := 0.0
		for i, v := range layer {
			if i > 0 {
				x += l.gap(layer[i-1], v)
			}
			l.cells[v].x, l.cells[v].y = x, y+high/2
		}
		for _, v := range layer { // about the middle
			if l.cells[v].x -= x / 2; l.cells[v].point {
				l.cells[v].h = high // an edge passes a layer on a straight line
			}
		}
		y += high + between
	}
	for round := range 16 {
		for i := range l.layers {
			near, layer := l.up, l.layers[i]
			if round%2 == 1 {
				near, layer = l.down, l.layers[len(l.layers)-1-i]
			}
			l.settle(layer, near)
		}
	}
	for range 2 { // the last word is with both sides
		for _, layer := range l.layers {
			l.settle(layer, nil)
		}
	}
	left := math.Inf(1)
	for _, c := range l.cells {
		left = min(left, c.x-c.w/2)
	}
	for i := range l.cells {
		l.cells[i].x -= left
	}
}

// gap is how far the middles of two neighbours are apart at least.
func (l *layout) gap(a, b int) float64 {
	space := apart
	if l.cells[a].point || l.cells[b].point {
		space = pointApart
	}
	return (l.cells[a].w+l.cells[b].w)/2 + space
}

// settle moves the cells of a layer to where they want to be, in their order: the sum of squares of what is missing is least.
// A run of cells that want to pass each other stands about its mean (the pooling of adjacent violators). near nil are both
// neighbours.
func (l *layout) settle(layer []int, near [][]int) {
	type run struct {
		from, to    int // of the layer
		sum, weight float64
	}
	want := make([]float64, len(layer))
	weight := make([]float64, len(layer))
	shift := 0.0 // the place of a cell if all stood as close as they can
	shifts := make([]float64, len(layer))
	for i, v := range layer {
		if i > 0 {
			shift += l.gap(layer[i-1], v)
		}
		shifts[i] = shift
		want[i], weight[i] = l.wish(v, near)
		want[i] -= shift
	}
	var runs []run
	for i := range layer {
		runs = append(runs, run{i, i, want[i] * weight[i], weight[i]})
		for len(runs) > 1 {
			a, b := runs[len(runs)-2], runs[len(runs)-1]
			if a.sum/a.weight <= b.sum/b.weight {
				break
			}
			runs = append(runs[:len(runs)-2], run{a.from, b.to, a.sum + b.sum, a.weight + b.weight})
		}
	}
	for _, r := range runs {
		for i := r.from; i <= r.to; i++ {
			l.cells[layer[i]].x = r.sum/r.weight + shifts[i]
		}
	}
}

// wish is where a cell wants to be, and how much. Waypoints insist: edges that run straight are followed with ease.
func (l *layout) wish(v int, near [][]int) (x, weight float64) {
	var list []int
	if near == nil {
		list = slices.Concat(l.up[v], l.down[v])
	} else {
		list = near[v]
	}
	if len(list) == 0 {
		return l.cells[v].x, 0.1
	}
	var sum, total float64
	for _, u := range list {
		w := 1.0
		if l.cells[u].point && l.cells[v].point {
			w = 8
		} else if l.cells[u].point || l.cells[v].point {
			w = 2
		}
		sum += w * l.cells[u].x
		total += w
	}
	return sum / total, total
}
