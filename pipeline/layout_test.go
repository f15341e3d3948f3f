package pipeline

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever the graph, boxes do not touch, arrows point down unless they were turned, and run past boxes.
func TestLayout(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "boxes")
		boxes := make([]size, n)
		for i := range boxes {
			boxes[i] = size{rapid.Float64Range(20, 300).Draw(t, "w"), rapid.Float64Range(10, 90).Draw(t, "h")}
		}
		arrows := make([]arrow, rapid.IntRange(0, 2*n).Draw(t, "arrows"))
		for i := range arrows {
			arrows[i] = arrow{rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")}
		}
		l := newLayout(boxes, arrows)
		for _, layer := range l.layers {
			for i, v := range layer {
				c := l.cells[v]
				require.GreaterOrEqual(t, c.x-c.w/2, -0.001)
				if i > 0 {
					b := l.cells[layer[i-1]]
					require.LessOrEqual(t, b.x+b.w/2+pointApart-0.001, c.x-c.w/2, "neighbours keep their distance")
				}
			}
		}
		for i, a := range arrows {
			p := l.paths[i]
			if a.from == a.to {
				require.Len(t, p, 1)
				continue
			}
			upper, lower := l.ends(arrows, i)
			require.Equal(t, []int{upper, lower}, []int{p[0], p[len(p)-1]})
			for k := 1; k < len(p); k++ {
				require.Equal(t, l.cells[p[k-1]].layer+1, l.cells[p[k]].layer)
				require.Less(t, l.cells[p[k-1]].y, l.cells[p[k]].y)
			}
		}
	})
}

// The order of a layer leaves no crossing where none is needed, as in a tree.
func TestTreesDoNotCross(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 40).Draw(t, "boxes")
		arrows := make([]arrow, 0, n)
		for i := 1; i < n; i++ {
			arrows = append(arrows, arrow{rapid.IntRange(max(0, i-6), i-1).Draw(t, "from"), i})
		}
		l := newLayout(slices.Repeat([]size{{50, 20}}, n), arrows)
		at := make([]int, len(l.cells))
		for _, layer := range l.layers {
			for i, v := range layer {
				at[v] = i
			}
		}
		require.Zero(t, l.crossings(at))
	})
}

func TestCrossings(t *testing.T) {
	t.Parallel()
	l := newLayout(slices.Repeat([]size{{50, 20}}, 4), []arrow{{0, 3}, {1, 2}})
	l.layers = [][]int{{0, 1}, {2, 3}}
	require.Equal(t, 1, l.crossings([]int{0, 1, 0, 1}))
	l.layers = [][]int{{1, 0}, {2, 3}}
	require.Equal(t, 0, l.crossings([]int{1, 0, 0, 1}))
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"clean", "claen", 1}, {"data", "date", 1}, {"kitten", "sitting", 3}} {
		require.Equal(t, c.want, distance(c.a, c.b), "%s %s", c.a, c.b)
	}
}
