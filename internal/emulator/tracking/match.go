package tracking

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// valueOf tells what a thing has for a key: nil, a string, an int64 or a float64.
type valueOf func(entity search.Entity, key string) any

// matches reports whether all clauses hold. What a thing does not have matches
// nothing but IS NULL.
func matches(filter []search.Clause, value valueOf) bool {
	for _, c := range filter {
		if !holds(c, value(c.Entity, c.Key)) {
			return false
		}
	}
	return true
}

func holds(c search.Clause, have any) bool {
	switch {
	case c.Op == "IS NULL":
		return have == nil
	case c.Op == "IS NOT NULL":
		return have != nil
	case have == nil:
		return false
	}
	switch want := c.Value.(type) {
	case []string:
		s, _ := have.(string)
		return slices.Contains(want, s) == (c.Op == "IN")
	case []int64:
		n, _ := have.(int64)
		return slices.Contains(want, n) == (c.Op == "IN")
	case string:
		s, isText := have.(string)
		if isText {
			return holdsText(c.Op, s, want)
		}
		return c.Op == "!="
	}
	a, aok := number(have)
	b, bok := number(c.Value)
	if !aok || !bok {
		return c.Op == "!="
	}
	return holdsNumber(c.Op, a, b)
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func holdsNumber(op string, a, b float64) bool {
	if b != b {
		return false // a filter's NaN is SQL's NULL: nothing compares with it
	}
	switch op {
	case "=":
		return a == b
	case "!=":
		return a != b
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	}
	return a >= b
}

func holdsText(op, have, want string) bool {
	switch op {
	case "=":
		return have == want
	case "!=":
		return have != want
	case "LIKE":
		return like(have, want)
	case "ILIKE":
		return like(lowerASCII(have), lowerASCII(want))
	case "RLIKE":
		re, err := regexp.Compile(want)
		return err == nil && re.MatchString(have)
	case "<":
		return have < want
	case "<=":
		return have <= want
	case ">":
		return have > want
	case ">=":
		return have >= want
	}
	return false
}

// lowerASCII is SQLite's lower.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// like matches a pattern with % for any text and _ for any character.
func like(text, pattern string) bool {
	t, p := []rune(text), []rune(pattern)
	i, j, star, mark := 0, 0, -1, 0
	for i < len(t) {
		switch {
		case j < len(p) && p[j] == '%':
			star, mark = j, i
			j++
		case j < len(p) && (p[j] == '_' || p[j] == t[i]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(p) && p[j] == '%' {
		j++
	}
	return j == len(p)
}

// compareValues orders values of one kind; nil comes last.
func compareValues(a, b any, ascending bool) int {
	if a == nil || b == nil {
		return cmp.Compare(isNil(a), isNil(b))
	}
	c := 0
	if x, ok := a.(string); ok {
		y, _ := b.(string)
		c = strings.Compare(x, y)
	} else {
		x, _ := number(a)
		y, _ := number(b)
		if math.IsNaN(x) || math.IsNaN(y) { // behind all numbers either way
			return cmp.Compare(isNaN(x), isNaN(y))
		}
		c = cmp.Compare(x, y)
	}
	if !ascending {
		return -c
	}
	return c
}

func isNil(v any) int {
	if v == nil {
		return 1
	}
	return 0
}

func isNaN(f float64) int {
	if math.IsNaN(f) {
		return 1
	}
	return 0
}

// sortBy sorts by several orders, the first counting most.
func sortBy[T any](all []T, orders []search.Order, value func(T, search.Entity, string) any) {
	slices.SortStableFunc(all, func(a, b T) int {
		for _, o := range orders {
			if c := compareValues(value(a, o.Entity, o.Key), value(b, o.Entity, o.Key), o.Ascending); c != 0 {
				return c
			}
		}
		return 0
	})
}
