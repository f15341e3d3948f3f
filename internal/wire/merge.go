package wire

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"
)

// Merge is the three-way merge of an update: read is the document, was what the struct said of it when it was read, now
// what it says today. What the struct never said survives at any depth; what it no longer says goes; lists are merged by
// index only when all three have one length. None of the three is changed.
func Merge(read, was, now map[string]any) map[string]any { return mergeObject(read, was, now) }

func mergeObject(read, was, now map[string]any) map[string]any {
	if was[markKey] != now[markKey] { // another arm: nothing of the old one may stay
		return unmark(now).(map[string]any)
	}
	out := make(map[string]any, len(read)+len(now))
	for k, r := range read {
		w, said := was[k]
		n, says := now[k]
		switch {
		case !said && !says:
			out[k] = cloneTree(r)
		case !says: // cleared, or read-only
		default:
			out[k] = mergeValue(r, w, n)
		}
	}
	for k, n := range now {
		if k == markKey {
			continue
		}
		if _, done := read[k]; done {
			continue
		}
		if w, said := was[k]; said && sameTree(w, n) {
			continue // a default that the service left out
		}
		out[k] = unmark(n)
	}
	return out
}

func mergeValue(read, was, now any) any {
	if m, ok := now.(map[string]any); ok {
		r, ok1 := read.(map[string]any)
		w, ok2 := was.(map[string]any)
		if ok1 && ok2 {
			return mergeObject(r, w, m)
		}
		if ok1 && was == nil { // what was read said nothing to the struct
			return mergeObject(r, map[string]any{markKey: m[markKey]}, m)
		}
	}
	if sameTree(was, now) {
		return cloneTree(read)
	}
	if n, ok := now.([]any); ok {
		r, ok1 := read.([]any)
		w, ok2 := was.([]any)
		if ok1 && ok2 && len(r) == len(n) && len(w) == len(n) {
			out := make([]any, len(n))
			for i := range n {
				out[i] = mergeValue(r[i], w[i], n[i])
			}
			return out
		}
	}
	return unmark(now)
}

// unmark is a copy without the marks of discriminators.
func unmark(x any) any {
	switch x := x.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, v := range x {
			if k != markKey {
				m[k] = unmark(v)
			}
		}
		return m
	case []any:
		l := make([]any, len(x))
		for i, v := range x {
			l[i] = unmark(v)
		}
		return l
	}
	return x
}

// sameTree compares plain trees; numbers by value, whatever Go type they have.
func sameTree(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !sameTree(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameTree(x[i], y[i]) {
				return false
			}
		}
		return true
	}
	if p, ok := number(a); ok {
		q, ok := number(b)
		return ok && p.Cmp(q) == 0
	}
	return reflect.DeepEqual(a, b)
}

func number(x any) (*big.Float, bool) {
	var s string
	switch x := x.(type) {
	case int:
		return new(big.Float).SetInt64(int64(x)), true
	case int64:
		return new(big.Float).SetInt64(x), true
	case float64:
		s = strconv.FormatFloat(x, 'g', -1, 64)
	case json.Number:
		s = x.String()
	case *big.Int:
		return new(big.Float).SetInt(x), true
	default:
		return nil, false
	}
	f, _, err := big.ParseFloat(s, 10, 200, big.ToNearestEven)
	return f, err == nil
}
