package wire

import (
	"fmt"
	"strings"
)

// suggest is the end of a fault about a name that is not known: the nearest right one when there is one near.
func suggest(got string, known []string) string {
	if best := Nearest(got, known); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// oneOfList is `a, b or c`.
func oneOfList(values []string) string {
	switch len(values) {
	case 0:
		return "nothing"
	case 1:
		return values[0]
	}
	return strings.Join(values[:len(values)-1], ", ") + " or " + values[len(values)-1]
}

// Nearest is the known name that is closest to what was written, "" when none is close: at most a third of it is other.
func Nearest(got string, known []string) string {
	best, bestAt := "", 1<<30
	g := fold(got)
	if len(g) > 64 {
		return ""
	}
	for _, k := range known {
		f := fold(k)
		if f == g {
			return k
		}
		d := distance(g, f)
		if len(g) >= 3 && (strings.HasPrefix(f, g) || strings.HasSuffix(f, g) || strings.HasSuffix(g, f) && len(f) >= 3) && d > 2 {
			d = 2
		}
		if d < bestAt {
			best, bestAt = k, d
		}
	}
	if bestAt > 1+len(g)/3 || bestAt >= len(g) {
		return ""
	}
	return best
}

// distance counts insertions, deletions, replacements and swaps of neighbours.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	two, one, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(one[j]+1, row[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one, row = one, row, two
	}
	return one[len(y)]
}
